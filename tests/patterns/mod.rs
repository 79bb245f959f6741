//! What a rule finds passes a pattern: random rules of every operator, and random and real records, before a judge that knows nothing
//! but EventBridge's language ([`judge`]).
//!
//! `OFFLIMITS_ROUNDS=20000 cargo test --release --all-features --test integration patterns::` plays more rounds, and `OFFLIMITS_SEED=7`
//! others. `OFFLIMITS_PAIRS=FILE` has the judge's answers about some pairs of a pattern and an event written there, for
//! `tests/stack/test_event_patterns.py`.

mod judge;
#[path = "../support/random.rs"]
mod random;

use std::io::Write as _;

use offlimits::cloudtrail::{Record, envelope};
use offlimits::facts::DERIVED;
use offlimits::pattern::{
    DeliveryState, DerivedPatterns, EventRule, MAX_CHARACTERS, MAX_WILDCARDS, is_held_back, is_wide,
};
use offlimits::rules::{OPERATORS, Rule};
use offlimits::ruleset::{PackError, RuleSet, Sources};
use serde_json::{Map, Value, json};

use self::judge::Judge;
use self::random::Dice;
use crate::support::{self, choices::seeds, repository};

/// Rounds of random rules; `OFFLIMITS_ROUNDS` asks for more. Each asks its rules about so many records.
const ROUNDS: u64 = 60;
const RECORDS: usize = 40;

const ACCOUNT: &str = "123456789012";

/// The rules that are shipped.
fn shipped() -> RuleSet {
    let root = include_str!("../../rules.json");
    let read = |name: &str| std::fs::read_to_string(repository(name)).map_err(PackError::new);
    RuleSet::compile_sources(&Sources::gather(root, read)).unwrap_or_else(|found| panic!("{found:#?}")).rules
}

/// A pattern before the judge, and the state of its rule.
struct Judged {
    state: DeliveryState,
    judge: Judge,
    pattern: Value,
}

impl Judged {
    fn of(rule: &EventRule) -> Self {
        let pattern = rule.pattern(&json!(ACCOUNT));
        let characters = pattern.to_string().chars().count();
        assert!(characters <= MAX_CHARACTERS && characters == rule.characters(), "{characters} characters");
        let wildcards = pattern.to_string().matches(r#"{"wildcard":"#).count();
        assert!(wildcards <= MAX_WILDCARDS && wildcards == rule.wildcards(), "{wildcards} wildcards: {pattern}");
        Self { state: rule.state, judge: Judge::new(&pattern), pattern }
    }

    /// Whether EventBridge delivers the event by this rule.
    fn delivers(&self, event: &Value, held_back: bool) -> bool {
        (self.state == DeliveryState::All || !held_back) && self.judge.passes(event)
    }
}

fn judged(patterns: &DerivedPatterns) -> Vec<Judged> {
    patterns.plain.iter().chain(&patterns.reads).map(Judged::of).collect()
}

/// The event in which EventBridge would deliver a record.
fn event(record: &Value) -> Value {
    let service = record["eventSource"].as_str().and_then(|source| source.split('.').next()).unwrap_or("cloudtrail");
    json!({"version": "0", "id": "00000000-0000-0000-0000-000000000000", "source": format!("aws.{service}"), "account": ACCOUNT,
           "time": "2026-01-10T11:32:44Z", "region": "us-east-1", "resources": [],
           "detail-type": "AWS API Call via CloudTrail", "detail": record})
}

/// Whether EventBridge keeps a record back from a rule in the state ENABLED, by the guide alone.
fn held_back(record: &Value) -> bool {
    let (source, name) = (record["eventSource"].as_str(), record["eventName"].as_str().unwrap_or_default());
    let delivered = source == Some("sts.amazonaws.com") && ["GetSessionToken", "GetFederationToken"].contains(&name);
    let reads = ["Describe", "Get", "List"].iter().any(|verb| name.starts_with(verb));
    record["managementEvent"] != json!(false) && reads && !delivered
}

/// The calls of STS that are delivered to every rule.
const CALLS_OF_STS: [&str; 7] = [
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "AssumeRoot",
    "DecodeAuthorizationMessage",
    "GetFederationToken",
    "GetSessionToken",
];

/// The fields of a record that patterns ask, and whether CloudTrail has a boolean there.
const FIELDS: [(&[&str], bool); 12] = [
    (&["eventSource"], false),
    (&["eventName"], false),
    (&["userIdentity", "type"], false),
    (&["userIdentity", "userName"], false),
    (&["userIdentity", "arn"], false),
    (&["userIdentity", "invokedByDelegate", "accountId"], false),
    (&["errorCode"], false),
    (&["eventType"], false),
    (&["awsRegion"], false),
    (&["userAgent"], false),
    (&["readOnly"], true),
    (&["managementEvent"], true),
];

/// A random record with these fields as CloudTrail writes them: what is something else is left out.
fn as_cloudtrail(json: &str) -> Option<Value> {
    let Ok(Value::Object(mut record)) = serde_json::from_str(json) else { return None };
    for (path, boolean) in FIELDS {
        normalise(&mut record, path, boolean);
    }
    Some(Value::Object(record))
}

fn normalise(object: &mut Map<String, Value>, path: &[&str], boolean: bool) {
    let [key, rest @ ..] = path else { return };
    match object.get_mut(*key) {
        Some(Value::Object(inner)) if !rest.is_empty() => normalise(inner, rest, boolean),
        Some(Value::String(_)) if rest.is_empty() && !boolean => {}
        Some(Value::Bool(_)) if rest.is_empty() && boolean => {}
        Some(Value::Null) | None => {}
        Some(_) => drop(object.remove(*key)),
    }
}

/// Another call: reads of what was written, names that hold others, booleans, regions.
fn mutated(record: &mut Value, dice: &mut Dice<'_>, names: &[(String, String)]) {
    for _ in 0..dice.below(4) {
        match dice.below(8) {
            0 => {
                let verb = ["Get", "List", "Describe", "Batch", "G"][dice.below(5)];
                record["eventName"] = json!(format!("{verb}{}", record["eventName"].as_str().unwrap_or("User")));
            }
            1 => {
                record["eventName"] =
                    json!(["GetSessionToken", "GetFederationToken", "GetCallerIdentity", "AssumeRole"][dice.below(4)]);
            }
            2 => {
                record["eventSource"] = json!(
                    ["sts.amazonaws.com", "sqs.amazonaws.com", "ec2.amazonaws.com", "new.amazonaws.com"][dice.below(4)]
                );
            }
            3 => record["managementEvent"] = json!(dice.below(2) == 0),
            4 => record["readOnly"] = json!(dice.below(2) == 0),
            5 => record["errorCode"] = json!(["AccessDenied", "Client.UnauthorizedOperation", "x"][dice.below(3)]),
            6 => {
                record["userAgent"] =
                    json!(["aws-cli/2 Linux/6.1-kali5", "pacu", "Boto3", "stratus-red-team_1"][dice.below(4)]);
            }
            _ => {
                let (source, name) = &names[dice.below(names.len())];
                record["eventSource"] = json!(source);
                record["eventName"] = json!(name);
            }
        }
    }
}

/// Real records, if the machine has them.
fn real_records() -> Vec<Value> {
    ["invictus-ir", "traildiscover", "panther-share", "flaws-cloud-subset", "streamalert"]
        .into_iter()
        .filter_map(support::corpus)
        .filter_map(|folder| std::fs::read_to_string(folder.join("records.json")).ok())
        .flat_map(|text| envelope::open(&text).records)
        .filter_map(|record| as_cloudtrail(&record.json))
        .collect()
}

/// The calls that the tests of the shipped rules name.
fn named_calls(rules: &[Rule]) -> Vec<(String, String)> {
    let inline = rules.iter().flat_map(|rule| &rule.tests).filter_map(|test| match &test.event {
        offlimits::rules::TestEvent::Inline(text) => serde_json::from_str::<Value>(text).ok(),
        offlimits::rules::TestEvent::File(_) => None,
    });
    let text = |record: &Value, key: &str| record[key].as_str().map(str::to_owned);
    inline.filter_map(|record| Some((text(&record, "eventSource")?, text(&record, "eventName")?))).collect()
}

/// What is counted.
#[derive(Debug, Default)]
struct Played {
    cases: u64,
    findings: u64,
    passed: u64,
    rules: u64,
    patterns: u64,
}

/// Asks the rules and the judge about a record.
fn play(rules: &[Rule], patterns: &DerivedPatterns, judged: &[Judged], record: &Value, played: &mut Played) {
    let json = record.to_string();
    let parsed = Record::parse(&json).unwrap();
    let found: Vec<&str> =
        rules.iter().filter(|rule| rule.matched_row(&parsed).is_some()).map(|rule| rule.info.id.as_str()).collect();
    let (event, held_back) = (event(record), held_back(record));
    let by: Vec<&Value> =
        judged.iter().filter(|rule| rule.delivers(&event, held_back)).map(|rule| &rule.pattern).collect();
    played.cases += rules.len() as u64;
    played.findings += found.len() as u64;
    played.passed += u64::from(!by.is_empty());
    assert!(!by.is_empty() || found.is_empty(), "{found:?} finds it, and no pattern lets it pass: {json}");
    // Which calls STS will have, nobody knows: what is none of those that it has may come twice.
    let is_new_of_sts = record["eventSource"] == json!("sts.amazonaws.com")
        && !held_back
        && !CALLS_OF_STS.contains(&record["eventName"].as_str().unwrap_or_default());
    assert!(by.len() < 2 || is_new_of_sts, "it comes twice: {json}\n{}\n{}", by[0], by[1]);
    // What every record has is not asked for in a pattern, and the tool that counts looks at it.
    let is_whole =
        ["eventSource", "eventName", "eventType", "awsRegion", "userAgent"].iter().all(|key| record[*key].is_string());
    assert!(
        !is_whole || patterns.deliveries(&parsed) == by.len(),
        "the tool counts otherwise than {}: {json}",
        by.len()
    );
    let wide = usize::from(!held_back)
        + judged.iter().filter(|rule| rule.state == DeliveryState::All && rule.judge.passes(&event)).count();
    assert!(
        wide >= usize::from(!found.is_empty()),
        "{found:?} finds it, and with the wide pattern it does not come: {json}"
    );
    assert!(!is_whole || patterns.wide_deliveries(&parsed) == wide, "the tool counts otherwise than {wide}: {json}");
    let management = record["managementEvent"] != json!(false);
    assert_eq!(
        is_held_back(record["eventSource"].as_str(), record["eventName"].as_str(), management),
        held_back,
        "{json}"
    );
}

#[test]
fn what_a_rule_finds_passes_a_pattern() {
    let shipped = shipped();
    let (real, names) = (real_records(), named_calls(shipped.rules()));
    let mut played = Played::default();
    for seed in seeds(ROUNDS) {
        let mut dice = Dice::new(seed, &[]);
        let mut rules: Vec<Rule> = Vec::new();
        // Many rules, so that one pattern does not hold them all; of those that are asked about everything, few.
        for _ in 0..=dice.below(6) {
            let Ok(compiled) = RuleSet::compile(&random::rules(&mut dice)) else { continue };
            rules.extend(compiled.rules.rules().iter().cloned());
        }
        if dice.below(4) > 0 {
            rules.retain(|rule| !rule.when.0.iter().any(is_wide));
        }
        if dice.below(15) == 0 {
            let some = dice.below(shipped.rules().len());
            rules.extend(shipped.rules()[some..].iter().cloned());
        }
        let patterns = DerivedPatterns::of(&rules);
        let judged = judged(&patterns);
        played.rules += rules.len() as u64;
        played.patterns += judged.len() as u64;
        for _ in 0..RECORDS {
            let mut record = match real.get(dice.below(3 * real.len().max(1))) {
                Some(record) => record.clone(),
                None => match as_cloudtrail(&random::record(&mut dice)) {
                    Some(record) => record,
                    None => continue,
                },
            };
            mutated(&mut record, &mut dice, &names);
            // AWS has no source that begins with STS's and goes on, and the patterns take one for STS's: docs/event-patterns.md.
            let source = record["eventSource"].as_str().unwrap_or_default();
            if source.strip_prefix("sts.amazonaws.com").is_some_and(|rest| !rest.is_empty()) {
                continue;
            }
            play(&rules, &patterns, &judged, &record, &mut played);
        }
    }
    eprintln!("{played:?}");
    // What never matches, and what always passes, would show little.
    assert!(played.findings * 100 > played.cases && played.passed * 10 < played.cases * 9, "{played:?}");
    assert!(played.patterns > ROUNDS, "{played:?}");
}

#[test]
fn the_shipped_rules_lose_no_real_record_and_no_test_of_theirs() {
    let shipped = shipped();
    let patterns = DerivedPatterns::of(shipped.rules());
    assert_eq!(patterns.wide_rows, [], "a shipped rule lets everything pass");
    let judged = judged(&patterns);
    let mut played = Played::default();
    for rule in shipped.rules() {
        for test in &rule.tests {
            let text = match &test.event {
                offlimits::rules::TestEvent::Inline(text) => text.clone(),
                offlimits::rules::TestEvent::File(name) => {
                    let text = std::fs::read_to_string(repository(name)).unwrap();
                    envelope::open(&text).records.remove(0).json
                }
            };
            let Some(record) = as_cloudtrail(&text) else { continue };
            play(shipped.rules(), &patterns, &judged, &record, &mut played);
        }
    }
    assert!(played.findings > 500, "{played:?}");
    let before = played.cases;
    for record in real_records() {
        play(shipped.rules(), &patterns, &judged, &record, &mut played);
    }
    eprintln!(
        "{played:?}, {} patterns of {:?} characters",
        judged.len(),
        patterns.plain.iter().chain(&patterns.reads).map(EventRule::characters).collect::<Vec<_>>()
    );
    assert!(played.cases == before || played.findings > 3_000, "{played:?}");
}

#[test]
fn rules_that_name_reads_alone_can_fire_in_a_stock_deployment() {
    let shipped = shipped();
    let patterns = DerivedPatterns::of(shipped.rules());
    for id in ["CRE-1", "CRE-2", "CRE-7", "CRE-10"] {
        let rule = shipped.rules().iter().find(|rule| rule.info.id == id).unwrap();
        let mut asked = 0;
        for test in rule.tests.iter().filter(|test| test.expect) {
            let offlimits::rules::TestEvent::Inline(text) = &test.event else { continue };
            let record: Value = serde_json::from_str(text).unwrap();
            if held_back(&record) {
                let event = event(&record);
                let by = patterns
                    .reads
                    .iter()
                    .map(Judged::of)
                    .filter(|rule| rule.state == DeliveryState::All && rule.judge.passes(&event));
                assert_eq!(by.count(), 1, "{id}: {text}");
                asked += 1;
            }
        }
        assert!(asked > 0, "{id}");
    }
    // Nothing of them comes by a rule in the plain state.
    assert!(patterns.plain.iter().all(|rule| rule.state == DeliveryState::Plain));
}

/// For `tests/stack/test_event_patterns.py`.
#[test]
fn the_judges_answers_can_be_written_down() {
    let shipped = shipped();
    let mut pairs: Vec<Value> = Vec::new();
    let real = real_records();
    let names = named_calls(shipped.rules());
    for seed in 0..120 {
        let mut dice = Dice::new(seed, &[]);
        let compiled = RuleSet::compile(&random::rules(&mut dice));
        let rules: Vec<Rule> = if seed % 24 == 0 {
            shipped.rules().to_vec()
        } else {
            compiled.map(|compiled| compiled.rules.rules().to_vec()).unwrap_or_default()
        };
        let rules: Vec<Rule> = rules.into_iter().filter(|rule| !rule.when.0.iter().any(is_wide)).collect();
        let patterns = DerivedPatterns::of(&rules);
        for judged in judged(&patterns) {
            assert!(judged.judge.combinations() <= 1_000);
            for _ in 0..32 {
                let random = as_cloudtrail(&random::record(&mut dice)).unwrap_or_else(|| json!({}));
                let mut record = real.get(dice.below(2 * real.len().max(1))).cloned().unwrap_or(random);
                mutated(&mut record, &mut dice, &names);
                // Half of them with a field as no record has it: the language is asked, and not the derivation.
                if dice.below(2) == 0 {
                    let (path, _) = FIELDS[dice.below(FIELDS.len())];
                    let odd = [
                        json!(null),
                        json!([]),
                        json!({"b": 1}),
                        json!(12),
                        json!(["x", "Root"]),
                        json!(false),
                        json!(""),
                    ];
                    record[path[0]] = odd[dice.below(odd.len())].clone();
                }
                let event = event(&record);
                pairs.push(json!({"pattern": judged.pattern, "event": event, "passes": judged.judge.passes(&event)}));
            }
        }
    }
    let passes = pairs.iter().filter(|pair| pair["passes"] == json!(true)).count();
    assert!(
        pairs.len() > 5_000 && passes * 20 > pairs.len() && passes * 20 < pairs.len() * 19,
        "{passes} of {}",
        pairs.len()
    );
    if let Some(path) = std::env::var_os("OFFLIMITS_PAIRS") {
        let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
        pairs.iter().for_each(|pair| writeln!(file, "{pair}").unwrap());
    }
}

/// Where a channel's incidents follow credentials, the calls that issue sessions come by one rule each, though none is about them.
#[test]
fn the_calls_that_issue_sessions_pass_where_a_channel_follows_credentials() {
    let compiled = |incident: Value| {
        let channels = json!({ "c": { "type": "sns", "incident": incident } });
        let rule = json!({ "id": "R", "title": "t", "severity": "low", "when": { "event": { "is": "StopLogging" } } });
        RuleSet::compile(&json!({ "channels": channels, "rules": [rule] }).to_string()).unwrap().rules
    };
    let (with, without) = (compiled(json!({ "lineage": true })), compiled(json!({})));
    let (with, without) = (DerivedPatterns::of_set(&with), DerivedPatterns::of_set(&without));
    assert_ne!(with.digest, without.digest);
    for (source, name, comes) in [
        ("sts.amazonaws.com", "AssumeRole", 1),
        ("sts.amazonaws.com", "AssumeRoleWithSAML", 1),
        ("sts.amazonaws.com", "AssumeRoleWithWebIdentity", 1),
        ("sts.amazonaws.com", "AssumeRoot", 1),
        ("sts.amazonaws.com", "GetFederationToken", 1),
        ("sts.amazonaws.com", "GetCallerIdentity", 0),
        ("ec2.amazonaws.com", "AssumeRole", 0),
    ] {
        let document = json!({ "eventSource": source, "eventName": name, "readOnly": true, "managementEvent": true });
        let text = document.to_string();
        let record = Record::parse(&text).unwrap();
        assert_eq!((with.deliveries(&record), without.deliveries(&record)), (comes, 0), "{name}");
        // Those that are told to every rule need none of those for read-only calls.
        assert!(comes == 0 || DeliveryState::of(&record) == DeliveryState::Plain, "{name}");
        let passes = judged(&with).iter().filter(|judged| judged.judge.passes(&event(&document))).count();
        assert_eq!(passes, comes, "{name}");
    }
}
