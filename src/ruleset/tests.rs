//! The engine answers as the simple one does.

#[path = "../../tests/support/corpora.rs"]
mod corpora;
#[path = "../../tests/support/random.rs"]
mod random;

use std::collections::BTreeMap;

use self::random::Dice;
use crate::cloudtrail::own_resources::OwnResources;
use crate::cloudtrail::{RawRecord, Record};
use crate::config::Diagnostic;
use crate::facts::DERIVED;
use crate::finding::Finding;
use crate::rules::OPERATORS;
use crate::ruleset::{RuleSet, Sources};

/// Sets of random rules; each is asked about as many records as follow. `OFFLIMITS_ROUNDS` asks for more.
const ROUNDS: u64 = 150;
const RECORDS: usize = 60;

fn shown<E: ToString>(findings: Result<Vec<Finding>, E>) -> Result<Vec<String>, String> {
    findings.map_err(|error| error.to_string()).map(|findings| {
        findings.iter().map(|f| format!("{} {} {} {} {}", f.id, f.rule.id, f.row, f.severity, f.title)).collect()
    })
}

/// Rules as the tool has them, and as the function finds them in its package.
struct Both {
    compiled: RuleSet,
    packaged: RuleSet,
}

impl Both {
    fn of(rules: &str) -> Result<Self, Vec<Diagnostic>> {
        let compiled = RuleSet::compile(rules)?.rules;
        let bundle = Sources::alone(rules).bundle().unwrap();
        let index = compiled.index_of(&bundle, None).unwrap();
        let packaged = RuleSet::packaged(bundle, index.leak(), || unreachable!(), OwnResources::default()).unwrap();
        Ok(Self { compiled, packaged })
    }
}

fn compare(Both { compiled, packaged }: &Both, json: &str) -> usize {
    let raw = RawRecord { json: json.to_owned(), index: 0, message_id: None, account: None };
    let simple = shown(Record::parse(json).map(|record| compiled.evaluate_record(&record)));
    // Twice: the second time the call is in the cache.
    for rules in [compiled, compiled, packaged, packaged] {
        assert_eq!(shown(rules.evaluate(&raw)), simple, "{json}\n{:?}", compiled.rules());
    }
    simple.map_or(0, |findings| findings.len())
}

/// Real records, if the machine has them: JSON files of `{"Records":[…]}`.
fn real_records() -> Vec<String> {
    ["invictus-ir", "traildiscover", "panther-share", "flaws-cloud-subset", "streamalert"]
        .into_iter()
        .filter_map(corpora::corpus)
        .map(|folder| std::fs::read_to_string(folder.join("records.json")).unwrap())
        .flat_map(|text| crate::cloudtrail::envelope::open(&text).records)
        .map(|record| record.json)
        .collect()
}

#[test]
fn random_rules_and_records_are_judged_as_by_the_simple_engine() {
    #[expect(clippy::disallowed_methods, reason = "how long a test runs is for whoever runs it")]
    let rounds = std::env::var("OFFLIMITS_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(ROUNDS);
    let real = real_records();
    let (mut comparisons, mut findings, mut refused) = (0, 0, 0);
    // In how many sets of rules each derived field is asked for, and of how many records it says something.
    let mut derived: BTreeMap<&str, (usize, usize)> = DERIVED.iter().map(|field| (field.name, (0, 0))).collect();
    let mut numbers = 0;
    // In how many sets each operator is asked, and each field that takes a text apart.
    let names = OPERATORS.iter().map(|operator| operator.key.name).chain(["partition", "source_network"]);
    let mut words: BTreeMap<&str, usize> = names.map(|name| (name, 0)).collect();
    for seed in 0..rounds {
        let mut dice = Dice::new(seed, &[]);
        let source = random::rules(&mut dice);
        let rules = match Both::of(&source) {
            Ok(rules) => rules,
            Err(why) => {
                eprintln!("{}", why[0]);
                refused += 1;
                continue;
            }
        };
        for (name, (asked, _)) in &mut derived {
            *asked += usize::from(source.contains(&format!("\"{name}\"")));
        }
        for (name, asked) in &mut words {
            *asked += usize::from(source.contains(&format!("\"{name}\":")));
        }
        numbers += usize::from(random::NUMBERS.iter().any(|number| source.contains(&format!(":{number}}}"))));
        for _ in 0..RECORDS {
            let json = match real.get(dice.below(3 * real.len().max(1))) {
                Some(json) => json.clone(),
                None => random::record(&mut dice),
            };
            if let Ok(record) = Record::parse(&json) {
                for field in DERIVED {
                    derived.entry(field.name).or_default().1 += usize::from(!field.of(&record).is_empty());
                }
            }
            findings += compare(&rules, &json);
            comparisons += rules.compiled.rules().len();
        }
    }
    eprintln!(
        "{comparisons} comparisons of a rule and a record, {findings} findings, {refused} of {rounds} sets refused"
    );
    eprintln!("numbers in {numbers} sets; derived fields: in sets of rules, and records with a value: {derived:?}");
    assert!(words.values().all(|asked| *asked > 0), "{words:?}");
    assert!(numbers > 0 && derived.values().all(|(asked, said)| *asked > 0 && *said > 0), "{numbers} {derived:?}");
    // Comparisons of what never matches would show little.
    assert!(findings * 20 > comparisons && refused * 4 < rounds, "{findings} of {comparisons}, {refused} refused");
}

/// A file of some records, in one of the forms that files have, now and then damaged.
fn file(dice: &mut Dice<'_>) -> String {
    const OTHERS: [&str; 11] = [
        r#"{"detail-type":"x via CloudTrail","detail":{"eventName":"CreateUser"}}"#,
        r#"{"eventSource":"aws:s3","eventName":"ObjectCreated:Put"}"#,
        r#"{"messageId":"m","body":"{\"eventName\":\"CreateUser\"}"}"#,
        r#"{"CloudTrailEvent":"{\"eventName\":\"CreateUser\"}","eventName":"x"}"#,
        r#"{"event\u004eame":"CreateUser"}"#,
        r#"{"eventJson":"{\"eventName\":\"CreateUser\"}","eventID":"x"}"#,
        r#"{"@message":{"eventName":"CreateUser"},"eventName":"x"}"#,
        r#"{"message":"{\"eventName\":\"CreateUser\"}","timestamp":1}"#,
        r#"[{"eventID":"x"},{"eventName":"CreateUser"},{"eventSource":"y"},{"userIdentity":"{\"type\":\"Root\"}"}]"#,
        "{}",
        "5",
    ];
    let records: Vec<String> = (0..dice.below(6))
        .map(|_| if dice.below(12) == 0 { OTHERS[dice.below(OTHERS.len())].to_owned() } else { random::record(dice) })
        .collect();
    let separator = [",", " , ", ",\n"][dice.below(3)];
    let text = match dice.below(7) {
        0 | 1 => format!(r#"{{"Records":[{}]}}"#, records.join(separator)),
        2 => format!("{{ \"Records\" : [ {} ] }}\n", records.join(separator)),
        3 => format!("[{}]", records.join(separator)),
        4 => format!(r#"{{"Records":[{}],"more":1}}"#, records.join(separator)),
        5 => records.join("\n"),
        _ => format!("\n{}\r\n\n", records.join("\r\n")),
    };
    match dice.below(20) {
        0 => text[..text.floor_char_boundary(dice.below(text.len() + 1))].to_owned(),
        1 => format!("\u{feff}{text}"),
        _ => text,
    }
}

#[test]
fn files_are_scanned_as_they_are_opened_and_evaluated() {
    let (mut scanned, mut found) = (0, 0);
    for seed in 0..300 {
        let mut dice = Dice::new(seed, &[]);
        let rules = RuleSet::compile(&random::rules(&mut dice)).unwrap().rules;
        // Whatever is held back, for a file is handed over piece by piece.
        let mut scanner = rules.scanner().holding(dice.below(4));
        for _ in 0..8 {
            let text = file(&mut dice);
            let opened = crate::cloudtrail::envelope::open(&text);
            let expected: Vec<_> = opened
                .records
                .iter()
                .map(|raw| (raw.index, raw.json.clone(), shown(rules.evaluate(raw))))
                .filter(|(.., findings)| findings.as_ref().map_or(true, |findings| !findings.is_empty()))
                .collect();
            let mut hits = Vec::new();
            #[expect(clippy::redundant_closure_for_method_calls, reason = "the method itself is of one lifetime")]
            let rest = scanner.scan(
                &text,
                |matches| matches.findings(),
                |index, json, found| hits.push((index, json.to_owned(), shown(found))),
            );
            assert_eq!(hits, expected, "{text:?}");
            assert_eq!(rest.records, opened.records.len(), "{text:?}");
            assert_eq!((rest.ignored, rest.unreadable), (opened.ignored, opened.unreadable), "{text:?}");
            (scanned, found) = (scanned + rest.records, found + hits.len());
        }
    }
    assert!(found * 10 > scanned && scanned > 3_000, "{found} of {scanned}");
}

/// However a list arrives, what is found in its elements is what is found in the whole.
#[test]
fn elements_of_a_list_are_scanned_as_they_arrive() {
    let (mut passed, mut all, mut found) = (0, 0, 0);
    for seed in 0..200 {
        let mut dice = Dice::new(seed, &[]);
        let rules = RuleSet::compile(&random::rules(&mut dice)).unwrap().rules;
        let mut scanner = rules.scanner();
        let text = loop {
            let text = file(&mut dice);
            if let Some(start) = text.find('[') {
                break text[start..].trim_end().trim_end_matches('}').trim_end().to_owned();
            }
        };
        let (mut hits, mut records, mut at, mut arrived) = (Vec::new(), 0, 0, 1);
        #[expect(clippy::redundant_closure_for_method_calls, reason = "the method itself is of one lifetime")]
        loop {
            let part = &text[at..text.floor_char_boundary(arrived).max(at)];
            let scanned = scanner.scan_elements(
                part,
                |matches| matches.findings(),
                |index, json, found| hits.push((records + index, json.to_owned(), shown(found))),
            );
            records += scanned.records;
            at += scanned.end;
            assert!(scanned.end == 0 || b",]".contains(&text.as_bytes()[at]), "{text}");
            assert!(scanned.end > 0 || scanned.records == 0, "{text}");
            if text.as_bytes().get(at) == Some(&b']') || arrived == text.len() {
                break;
            }
            arrived = (arrived + 1 + dice.below(400)).min(text.len());
        }
        passed += records;
        let mut scan = |text: &str, before: usize| {
            let mut hits = Vec::new();
            #[expect(clippy::redundant_closure_for_method_calls, reason = "the method itself is of one lifetime")]
            let scanned = scanner.scan(
                text,
                |matches| matches.findings(),
                |index, json, found| hits.push((before + index, json.to_owned(), shown(found))),
            );
            (hits, scanned.records)
        };
        // What is left is a list of its own.
        if text.as_bytes().get(at) == Some(&b',') {
            let (rest, more) = scan(&format!("[{}", &text[at + 1..]), records);
            hits.extend(rest);
            records += more;
        } else if at == 0 {
            (hits, records) = scan(&text, 0);
        }
        // Of a list that breaks off, the whole is not read.
        let (expected, count) = scan(&text, 0);
        if serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok() {
            assert_eq!((&hits, records), (&expected, count), "{text}");
        }
        (all, found) = (all + records, found + hits.len());
    }
    assert!(passed * 2 > all && found > 50, "{passed} of {all}, {found} found");
}

#[test]
fn oddities_are_judged_as_by_the_simple_engine() {
    let rules = r#"{"rules":[
        {"id":"event","title":"t","severity":"low","when":{"event":{"is":"A"}}},
        {"id":"deep","title":"t","severity":"low","when":{"requestParameters.p.q":{"is":"A"}}},
        {"id":"object","title":"t","severity":"low","when":{"requestParameters.p":"\"q\":\"A\""}},
        {"id":"missing","title":"t","severity":"low","when":{"event":{"exists":false},"user":{"exists":false}}},
        {"id":"self","title":"t","severity":"low","when":{"user":{"same_as":"requestParameters.userName"}}},
        {"id":"failure","title":"t","severity":"low","when":{"outcome":"failure"}}
    ]}"#;
    let rules = Both::of(rules).unwrap();
    let nested = |levels: usize| format!("{}{{\"q\":\"A\"}}{}", "[".repeat(levels), "]".repeat(levels));
    let deep = [10, 63, 64, 65, 124, 125, 126, 127, 128, 5_000]
        .map(|levels| format!(r#"{{"requestParameters":{{"p":{}}}}}"#, nested(levels)));
    let mut found = 0;
    for json in [
        r#"{"eventName":"A"}"#,
        r#" {"eventName" : "A"} "#,
        r#"{"eventName":"B","eventName":"A"}"#,
        r#"{"eventName":"A","eventName":"B"}"#,
        r#"{"event\u004eame":"A"}"#,
        r#"{"eventName":"\u0041"}"#,
        r#"{"eventName":["B","A"]}"#,
        r#"{"eventName":null}"#,
        r#"{"eventName":{"eventName":"A"}}"#,
        r#"{"requestParameters":{"p":{"q":"A"}}}"#,
        r#"{"requestParameters":"{\"p\":{\"q\":\"A\"}}"}"#,
        r#"{"requestParameters":" \n%7B%22p%22:[{%22q%22:%22A%22}]}"}"#,
        r#"{"requestParameters":{"p":"{\"q\":\"A\"}"}}"#,
        r#"{"requestParameters":{"p":[{"q":"B"},{"q":["A"]}]}}"#,
        r#"{"requestParameters":{"p":{"q":"A"},"p":{}}}"#,
        r#"{"requestParameters":{"userName":"x"},"userIdentity":{"type":"IAMUser","userName":"x"}}"#,
        r#"{"eventName":"ConsoleLogin","responseElements":{"ConsoleLogin":"Failure"}}"#,
        r#"{"eventName":"ConsoleLogin","responseElements":{"ConsoleLogin":"\u0046ailure"}}"#,
        r#"{"eventName":"ConsoleLogin","responseElements":{"Other":"Failure"}}"#,
        r#"{"eventName":"A"} x"#,
        r#"{"eventName":"A",}"#,
        r#"["A"]"#,
        "",
        "{",
    ]
    .into_iter()
    .map(str::to_owned)
    .chain(deep)
    {
        found += compare(&rules, &json);
    }
    assert!(found > 20, "{found}");
}
