//! The packs: each rule is complete and tested, and what they catch is what docs/packs.md says.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use offlimits::cloudtrail::Record;
use offlimits::cloudtrail::envelope;
use offlimits::cloudtrail::own_resources::OwnResources;
use offlimits::rules::{Rule, STEPS_SHOWN, TestEvent};
use offlimits::ruleset::{PackError, RuleSet, Sources};

use crate::support::{self, mmdb};

/// A file of the repository and the packs that it includes, with a database of two countries.
fn compiled(root: &str) -> RuleSet {
    RuleSet::compile_sources(&sources(root)).unwrap_or_else(|found| panic!("{root}: {found:#?}")).rules
}

fn sources(root: &str) -> Sources {
    let sources =
        Sources::gather(root, |name| std::fs::read_to_string(support::repository(name)).map_err(PackError::new));
    sources.with_countries(|| Ok(database())).unwrap()
}

fn database() -> Vec<u8> {
    mmdb::countries(&[("2.125.160.0/20", "GB"), ("216.160.83.0/24", "US")])
}

fn packs() -> Vec<String> {
    let folder = std::fs::read_dir(support::repository("packs")).unwrap();
    let mut names: Vec<String> =
        folder.map(|entry| format!("packs/{}", entry.unwrap().file_name().to_str().unwrap())).collect();
    names.sort();
    names
}

#[test]
fn every_rule_says_why_it_matters_and_what_to_do() {
    let written: Vec<serde_json::Value> =
        packs().iter().map(|pack| support::json(pack)).chain([support::json("rules.json")]).collect();
    let runbooks: BTreeMap<&str, &str> = written
        .iter()
        .flat_map(|file| file["rules"].as_array().unwrap())
        .map(|rule| (rule["id"].as_str().unwrap(), rule["runbook"].as_str().unwrap_or_default()))
        .collect();
    let root = serde_json::json!({ "include": packs() }).to_string();
    let (rules, own) = (compiled(&root), compiled(include_str!("../rules.json")));
    // No message names a path that leads nowhere from where it is read.
    let told = |rule: &Rule| rule.info.description.clone().filter(|text| !text.contains("docs/rules"));
    let seed = &own.rules()[0];
    assert!(told(seed).is_some() && seed.respond.len() > 1 && runbooks[&*seed.info.id] == "docs/rules/RTM-011.md");
    let mut pages = BTreeSet::from(["RTM-011.md".to_owned()]);
    for rule in rules.rules() {
        let (id, info) = (&rule.info.id, &rule.info);
        let page = format!("docs/rules/{id}.md");
        assert!(told(rule).is_some() && info.runbook.is_none() && runbooks[&**id] == page, "{id}");
        assert!(rule.respond.len() > 1, "{id} does not say what to do first");
        assert!(!info.tags.is_empty() && info.tags.iter().all(|tag| tag.starts_with("attack.t")), "{id}");
        let text =
            std::fs::read_to_string(support::repository(&page)).unwrap_or_else(|error| panic!("{page}: {error}"));
        assert!(text.starts_with(&format!("# {id}: ")), "{page}");
        for heading in ["## What to do first", "## Check", "## Do", "## Known benign causes"] {
            assert!(text.contains(heading), "{page} lacks {heading}");
        }
        pages.insert(format!("{id}.md"));
    }
    let found: BTreeSet<String> = std::fs::read_dir(support::repository("docs/rules"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        // The book's list of them.
        .filter(|name| name != "README.md")
        .collect();
    assert_eq!(found, pages, "a runbook for each rule, and a rule for each runbook");
}

/// The runbooks are links by one setting.
#[test]
fn with_their_address_the_runbooks_are_links() {
    let root = serde_json::json!({ "include": packs(), "runbooks": "https://wiki.example.com/" }).to_string();
    for rule in compiled(&root).rules() {
        let link = format!("https://wiki.example.com/docs/rules/{}.md", rule.info.id);
        assert_eq!(rule.info.runbook.as_deref(), Some(&*link));
    }
}

/// Whatever a rule matches of its own tests, somebody who reads of it is told two things to do at least, and four at most.
#[test]
fn every_finding_of_a_shipped_rule_says_what_to_do_first() {
    let root = serde_json::json!({ "include": packs() }).to_string();
    let (packs, own) = (compiled(&root), compiled(include_str!("../rules.json")));
    let (mut steps, mut with_commands, mut silent) = (0, BTreeSet::new(), BTreeSet::new());
    for rule in packs.rules().iter().chain(&own.rules()[..1]) {
        let id = rule.info.id.as_str();
        for test in rule.tests.iter().filter(|test| test.expect) {
            let event = match &test.event {
                TestEvent::Inline(event) => event.clone(),
                TestEvent::File(path) => std::fs::read_to_string(support::repository(path)).unwrap(),
            };
            let opened = envelope::open(&event);
            // What the commands ask, and every record has.
            let json = opened.records[0].json.replacen('{', r#"{"awsRegion":"eu-west-1","#, 1);
            let record = Record::parse(&json).unwrap();
            let shown: Vec<_> = rule.respond.iter().filter(|step| step.is_for(&record)).take(STEPS_SHOWN).collect();
            assert!((2..=4).contains(&shown.len()), "{id}: {}: {} steps", test.name, shown.len());
            steps += shown.len();
            if shown.iter().any(|step| step.says.render(&record).1.is_some()) {
                with_commands.insert(id);
            } else {
                silent.insert(id);
            }
        }
    }
    println!(
        "{steps} steps; rules that showed a command: {}; those that showed none: {:?}",
        with_commands.len(),
        silent
    );
    assert!(steps > 400 && with_commands.len() > 90, "{}", with_commands.len());
}

/// Each pack alone, so that whoever takes only one gets what it says; those that are off, and the one of countries, too.
#[test]
fn every_rule_passes_its_tests_and_has_one_of_each_kind() {
    for pack in packs() {
        let rules = compiled(&serde_json::json!({ "include": [pack] }).to_string());
        for rule in rules.rules() {
            let mut kinds = BTreeSet::new();
            for test in &rule.tests {
                let TestEvent::Inline(event) = &test.event else { panic!("{pack}: {}: a file", test.name) };
                let opened = envelope::open(event);
                let [raw] = opened.records.as_slice() else { panic!("{pack}: {}: one record", test.name) };
                let row = matched(rule, &Record::parse(&raw.json).unwrap());
                assert_eq!(row.is_some(), test.expect, "{pack}: {}: {}", rule.info.id, test.name);
                assert!(test.row.is_none_or(|wanted| row == Some(wanted)), "{pack}: {}: {}", rule.info.id, test.name);
                kinds.insert(test.expect);
            }
            assert_eq!(kinds.len(), 2, "{pack}: {} has tests of both kinds", rule.info.id);
        }
    }
}

/// As `Rule::matched_row`, also of a rule that is off.
fn matched(rule: &Rule, record: &Record) -> Option<usize> {
    let row = rule.when.first_match(record)?;
    rule.exception_for(record).is_none().then_some(row)
}

#[test]
fn the_shipped_rules_begin_with_the_seeds_table_and_the_command_line_finds_no_fault() {
    let rules = compiled(include_str!("../rules.json"));
    assert_eq!(rules.rules()[0].info.id, "RTM-011");
    for arguments in [&["check", "--deny", "warnings"][..], &["test", "--require-tests"]] {
        let mut command = support::offlimits(arguments);
        command.current_dir(support::repository(""));
        let run = support::run(command);
        assert_eq!((run.code, run.misbehaviour()), (Some(0), None), "{arguments:?}: {}", run.shown());
    }
}

/// The bundle that the function starts from finds what the files find, and calls itself the same.
#[test]
fn the_bundle_is_the_rules() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("bundle.json");
    let mut command = support::offlimits(["bundle", "rules.json", "--output"]);
    command.arg(&bundle).current_dir(support::repository(""));
    let run = support::run(command);
    assert_eq!(run.code, Some(0), "{}", run.shown());
    let bundled = RuleSet::compile(&std::fs::read_to_string(&bundle).unwrap()).unwrap().rules;
    let rules = compiled(include_str!("../rules.json"));
    assert_eq!(bundled.digest(), rules.digest());
    assert!(run.stderr.contains(&**rules.digest()), "{}", run.shown());
    assert_eq!(bundled.rules().len(), rules.rules().len());
    assert!(bundle.with_extension("index").exists());

    // A mistake in a pack leaves the last good bundle where it is.
    let broken = support::file(folder.path(), "rules.json", r#"{"include":["nope.json"]}"#);
    let mut command = support::offlimits(["bundle"]);
    command.arg(&broken).arg("--output").arg(&bundle);
    let run = support::run(command);
    assert_eq!(run.code, Some(1), "{}", run.shown());
    assert!(run.stderr.contains("unreadable-pack"), "{}", run.shown());
    assert!(RuleSet::compile(&std::fs::read_to_string(&bundle).unwrap()).is_ok());
}

fn inline_events(rules: &RuleSet) -> Vec<String> {
    let events = rules.rules().iter().flat_map(|rule| &rule.tests).map(|test| match &test.event {
        TestEvent::Inline(event) => event.clone(),
        TestEvent::File(path) => std::fs::read_to_string(support::repository(path)).unwrap(),
    });
    events.collect()
}

/// The function compiles rules one by one, by the index of its package, and finds what the tool finds with all of them.
#[test]
fn rules_from_a_package_find_what_all_of_them_find() {
    let root = serde_json::json!({ "include": packs() }).to_string();
    let compiled = compiled(&root);
    let bundle = sources(&root).bundle().unwrap();
    let index: &'static [u8] = compiled.index_of(&bundle, sources(&root).countries()).unwrap().leak();
    let packaged = RuleSet::packaged(bundle.clone(), index, || Ok(database()), OwnResources::default()).unwrap();
    assert_eq!(packaged.digest(), compiled.digest());
    let mut texts: Vec<String> = inline_events(&compiled);
    // The packs' own tests alone let most rules find something; real records let them find it under other circumstances.
    let mut expected = 200;
    for folder in ["invictus-ir", "traildiscover", "panther-share"].into_iter().filter_map(support::corpus) {
        texts.push(std::fs::read_to_string(folder.join("records.json")).unwrap());
        expected += 50;
    }
    let (mut found, mut rules) = (0, BTreeSet::new());
    for record in texts.iter().flat_map(|text| envelope::open(text).records) {
        let findings = compiled.evaluate(&record).unwrap();
        assert_eq!(format!("{:?}", packaged.evaluate(&record).unwrap()), format!("{findings:?}"), "{}", record.json);
        found += findings.len();
        rules.extend(findings.into_iter().map(|finding| finding.rule.id.clone()));
    }
    assert!(found > expected && rules.len() > 100, "{found} findings of {} rules", rules.len());

    // The database must be there at the start, not at the first call that asks it.
    let nowhere = || Err(std::io::ErrorKind::NotFound.into());
    let reason = RuleSet::packaged(bundle, index, nowhere, OwnResources::default()).unwrap_err().to_string();
    assert!(reason.contains("countries"), "{reason}");
}

/// The 64 rules of panther-share's unit tests, written anew in our language, give its verdicts on its 231 records. One cannot:
/// it is the record of another test, with the opposite verdict, and what decides is asked of a service outside the record
/// (how old the user is).
#[test]
fn another_collections_rules_can_be_said_and_give_its_verdicts() {
    let Some(folder) = support::corpus("panther-share") else { return };
    let run = support::replay(&[&folder.join("records.json")], &support::repository("tests/panther/rules.json"));
    assert_eq!((run.code, run.misbehaviour()), (Some(0), None), "{}", run.shown());
    let found: BTreeSet<(u64, String)> = run
        .findings()
        .iter()
        .map(|finding| (finding["index"].as_u64().unwrap(), finding["rule"].as_str().unwrap().to_owned()))
        .collect();
    let expected = std::fs::read_to_string(folder.join("expected.jsonl")).unwrap();
    let (mut verdicts, mut different) = (0, Vec::new());
    for line in expected.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let place = (line["index"].as_u64().unwrap(), line["rule"].as_str().unwrap().to_owned());
        verdicts += 1;
        if found.contains(&place) != line["expected"].as_bool().unwrap() {
            different.push(place);
        }
    }
    assert_eq!(verdicts, 231);
    assert_eq!(different, [(52, "AWS.Console.LoginWithoutMFA".to_owned())]);
}

/// The tables of docs/packs.md are current, and the aims are met.
#[test]
fn what_the_packs_catch_is_what_the_page_says() {
    let read = ["traildiscover", "api-actions", "sans504-s3-ransomware", "invictus-ir", "grycap-cloudtrail-tracker"];
    if read.map(support::corpus).contains(&None) {
        return;
    }
    let run = Command::new("python3")
        .args(["-B", "tests/evidence/packs.py", "--check", "--tool", env!("CARGO_BIN_EXE_offlimits")])
        .current_dir(support::repository(""))
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

/// What other collections name as attacks alerts, or stands in a table with a reason.
#[test]
fn the_calls_that_others_name_alert_or_have_a_reason() {
    let run = Command::new("python3")
        .args(["-B", "tests/evidence/named_calls.py", "--check", "--tool", env!("CARGO_BIN_EXE_offlimits")])
        .current_dir(support::repository(""))
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

#[test]
fn the_book_counts_the_rules_of_each_pack() {
    let book = std::fs::read_to_string(support::repository("docs/packs.md")).unwrap();
    for entry in std::fs::read_dir(support::repository("packs")).unwrap() {
        let path = entry.unwrap().path();
        let pack: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let row = format!("| `{name}` | {} |", pack["rules"].as_array().unwrap().len());
        assert!(book.contains(&row), "docs/packs.md has no {row}");
    }
}
