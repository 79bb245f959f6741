//! The titles of the shipped rules: each says which call it was, and none has a hole in it.

use std::collections::BTreeSet;

use offlimits::cloudtrail::{Record, envelope};
use offlimits::rules::TestEvent;
use offlimits::ruleset::{PackError, RuleSet, Sources};
use serde_json::{Value, json};

use crate::support::{self, mmdb};

/// `rules.json` and all packs, also those that it does not include: their paths and texts.
fn files() -> Vec<(String, Value)> {
    let folder = std::fs::read_dir(support::repository("packs")).unwrap();
    let packs = folder.map(|entry| format!("packs/{}", entry.unwrap().file_name().to_str().unwrap()));
    let mut names: Vec<String> = packs.chain(["rules.json".to_owned()]).collect();
    names.sort();
    let read = |name: &String| std::fs::read_to_string(support::repository(name)).unwrap();
    names.iter().map(|name| (name.clone(), serde_json::from_str(&read(name)).unwrap())).collect()
}

/// The rules of one of them, compiled.
fn compiled(name: &str) -> RuleSet {
    let root = match name {
        "rules.json" => std::fs::read_to_string(support::repository(name)).unwrap(),
        pack => json!({ "include": [pack] }).to_string(),
    };
    let read = |name: &str| std::fs::read_to_string(support::repository(name)).map_err(PackError::new);
    let sources = Sources::gather(&root, read).with_countries(|| Ok(mmdb::countries(&[("2.125.160.0/20", "GB")])));
    RuleSet::compile_sources(&sources.unwrap()).unwrap_or_else(|found| panic!("{name}: {found:#?}")).rules
}

/// The one call that all rows of a rule ask for; `None` if they may match several.
fn only_call(rule: &Value) -> Option<String> {
    let when = &rule["when"];
    let rows = when.as_array().cloned().unwrap_or_else(|| vec![when.clone()]);
    let events = rows.iter().map(|row| match &row["event"]["is"] {
        Value::String(event) => Some(event.clone()),
        _ => None,
    });
    let events: BTreeSet<Option<String>> = events.collect();
    events.into_iter().next().flatten().filter(|_| rows.iter().all(|row| row["event"] == rows[0]["event"]))
}

#[test]
fn a_title_tells_which_of_several_calls_it_was() {
    let (mut several, mut one) = (0, 0);
    for (name, file) in files() {
        for rule in file["rules"].as_array().unwrap() {
            let title = rule["title"].as_str().unwrap();
            if let Some(call) = only_call(rule) {
                one += 1;
                let is_told = title.contains("{event}") || call == "ConsoleLogin" || title.contains(&call);
                assert!(is_told, "{name}: {}: {title} is about {call}", rule["id"]);
            } else {
                several += 1;
                assert!(title.contains("{event}"), "{name}: {}: {title}", rule["id"]);
            }
        }
    }
    assert!(several > 90 && one > 15, "{several} {one}");
}

/// What a title looks like that has a hole in it.
pub(crate) fn has_hole(title: &str) -> bool {
    let holes =
        ["unknown", "()", "( ", " )", " ,", "  ", ": by ", " on by ", " for by ", " of by ", "from,", "?", " - "];
    let ends = [" on", " by", " from", " for", " of", ":", " to", ","];
    holes.iter().any(|hole| title.contains(hole)) || ends.iter().any(|end| title.ends_with(end))
}

/// Each rule's own examples, whole, and without their request and answer, which CloudTrail leaves out where they are too large.
#[test]
fn no_title_has_a_hole() {
    let mut seen = 0;
    for (name, _) in files() {
        for rule in compiled(&name).rules() {
            for test in rule.tests.iter().filter(|test| test.expect) {
                let TestEvent::Inline(event) = &test.event else { continue };
                let opened = envelope::open(event);
                let whole: Value = serde_json::from_str(&opened.records[0].json).unwrap();
                for dropped in [&[][..], &["requestParameters", "responseElements"]] {
                    let mut record = whole.clone();
                    dropped.iter().for_each(|key| drop(record.as_object_mut().unwrap().remove(*key)));
                    let json = record.to_string();
                    let title = rule.title.render(&Record::parse(&json).unwrap());
                    assert!(!has_hole(&title), "{}: {}: {title}: {json}", rule.info.id, test.name);
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 300, "{seen}");
}

/// What failed says so first, whatever its rule calls it.
#[test]
fn a_title_says_first_that_the_call_failed() {
    let rules = compiled("rules.json");
    let shown = |more: Value| {
        let mut record = json!({
            "eventSource": "cloudtrail.amazonaws.com", "eventName": "StopLogging", "awsRegion": "us-east-1",
            "eventID": "0b1c2d3e-0000-4000-8000-000000000001", "requestParameters": { "name": "arn:aws:cloudtrail:us-east-1:123456789012:trail/main" },
            "recipientAccountId": "123456789012",
            "userIdentity": { "type": "IAMUser", "userName": "jana", "accountId": "123456789012" },
        });
        record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let json = record.to_string();
        let findings = rules.evaluate_record(&Record::parse(&json).unwrap());
        findings.into_iter().find(|finding| finding.rule.id == "CIS-5").unwrap().shown_title().into_owned()
    };
    assert_eq!(shown(json!({})), "CloudTrail: StopLogging on trail/main by jana");
    assert_eq!(shown(json!({ "errorCode": "AccessDenied" })), "DENIED: CloudTrail: StopLogging on trail/main by jana");
    assert_eq!(
        shown(json!({ "errorCode": "TrailNotFoundException" })),
        "FAILED: CloudTrail: StopLogging on trail/main by jana"
    );
}
