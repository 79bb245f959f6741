//! The keys and types of every JSON that the command line, the channels and the function print.

use offlimits::handler::{OwnCalls, preview};
use offlimits::time::Timestamp;
use serde_json::{Map, Value, json};

use super::compare::{Hold, READ_BY_SCRIPTS, check, path, shape};
use super::ledger::{USUAL, event};
use super::outside::{Table, answered, batch, function};
use super::product::{compiled, each_kind, rendered};
use crate::support::{offlimits, run};

fn input(name: &str) -> String {
    path("input").join(name).to_str().unwrap().to_owned()
}

/// What a command prints: documents, one a line or one in all.
fn documents(arguments: &[&str]) -> Vec<Value> {
    let run = run(offlimits(arguments));
    assert!(run.misbehaviour().is_none(), "{arguments:?}: {}", run.shown());
    let documents: Vec<Value> = serde_json::Deserializer::from_str(&run.stdout)
        .into_iter()
        .map(|document| document.unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", run.stdout)))
        .collect();
    assert!(!documents.is_empty(), "{arguments:?}: {}", run.shown());
    documents
}

#[test]
fn what_the_command_line_prints_has_its_keys() {
    let (rules, changed, records) = (input("rules.json"), input("changed.json"), input("records.json"));
    let (wrong, warned) = (input("wrong.json"), input("warned.json"));
    let (habits, habit_rules) = (input("habits.json"), input("habit-rules.json"));
    let commands: [(&str, &[&str]); 14] = [
        ("replay", &["replay", &records, "--rules", &rules, "--format", "jsonl"]),
        ("explain", &["explain", &records, "--rules", &rules, "--format", "jsonl"]),
        ("backtest json", &["backtest", &records, "--rules", &rules, "--format", "json"]),
        ("backtest jsonl", &["backtest", &records, "--rules", &rules, "--format", "jsonl"]),
        ("diff", &["diff", &rules, &changed, &records, "--format", "jsonl"]),
        ("check json of errors", &["check", &wrong, "--format", "json"]),
        ("check json of warnings", &["check", &warned, "--format", "json"]),
        ("check sarif of errors", &["check", &wrong, "--format", "sarif"]),
        ("check sarif of warnings", &["check", &warned, "--format", "sarif"]),
        ("test", &["test", "--rules", &rules, "--format", "jsonl", "--require-tests"]),
        ("test --mutate", &["test", "--rules", &input("good.json"), "--format", "jsonl", "--mutate"]),
        ("bundle", &["bundle", &rules]),
        ("learn", &["learn", &habits, "--rules", &habit_rules, "--format", "json"]),
        ("learn --against", &["learn", &habits, "--rules", &habit_rules, "--against", &habits, "--format", "json"]),
    ];
    let mut now = Map::new();
    for (name, arguments) in commands {
        let documents = documents(arguments);
        // Lines of several kinds have keys of their own.
        let kinds: std::collections::BTreeSet<&str> =
            documents.iter().filter_map(|line| line["kind"].as_str()).collect();
        now.insert(name.to_owned(), shape(&documents));
        for kind in kinds {
            let lines = documents.iter().filter(|line| line["kind"] == kind);
            now.insert(format!("{name}: {kind}"), shape(lines));
        }
    }
    check("printed.json", &now.into(), Hold::AtLeast, READ_BY_SCRIPTS);
}

/// Words that scripts compare with.
#[test]
fn what_the_command_line_prints_has_its_words() {
    let (rules, changed, records) = (input("rules.json"), input("changed.json"), input("records.json"));
    let words = |arguments: &[&str], keys: &[&str]| {
        let documents = documents(arguments);
        let mut all: Map<String, Value> = Map::new();
        for key in keys {
            let found: std::collections::BTreeSet<&str> =
                documents.iter().filter_map(|document| document[key].as_str()).collect();
            assert!(!found.is_empty(), "{arguments:?}: {key}");
            all.insert((*key).to_owned(), json!(found));
        }
        Value::from(all)
    };
    let test = ["test", "--rules", &rules, "--format", "jsonl", "--require-tests"];
    let now = json!({
        "replay": words(&["replay", &records, "--rules", &rules, "--format", "jsonl"], &["severity", "mode", "finding", "rule"]),
        "explain": words(&["explain", &records, "--rules", &rules, "--format", "jsonl"], &["verdict", "mode", "severity"]),
        "diff": words(&["diff", &rules, &changed, &records, "--format", "jsonl"], &["change"]),
        "test": words(&test, &["kind", "outcome", "missing"]),
    });
    check("words.json", &now, Hold::AtLeast, READ_BY_SCRIPTS);
}

/// The document for machines, of a topic and of a webhook.
#[test]
fn alerts_for_machines_have_their_keys() {
    let rules = r#"{ "channels": { "topic": { "type": "sns" }, "siem": { "type": "webhook" } }, "rules": [
        { "id": "ANY", "title": "t", "severity": "high", "description": "d", "tags": ["a"], "runbook": "https://example.com",
          "when": { "event": { "exists": true } } }] }"#;
    let (rules, mut now) = (compiled(rules), Map::new());
    let full: Value = serde_json::from_str(&event(1, "cli")).unwrap();
    let mut failed = full.clone();
    failed["errorCode"] = json!("AccessDenied");
    failed["errorMessage"] = json!("no");
    for (name, record) in [("", full), (" of a call that failed", failed), (" of little", json!({ "eventName": "x" }))]
    {
        each_kind(&rules, &record.to_string(), |kind, alert| {
            for (channel, key) in [("topic", "machine"), ("siem", "json")] {
                let body = rendered(&rules, channel, alert);
                let document: Value = serde_json::from_str(body[key].as_str().unwrap()).unwrap();
                assert_eq!((&document["kind"], &document["version"]), (&json!(kind), &json!(1)));
                now.insert(format!("{channel}: {kind}{name}"), shape([&document]));
                if channel == "topic" {
                    let attributes: Map<String, Value> = body["attributes"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|pair| (pair[0].as_str().unwrap().to_owned(), pair[1].clone()))
                        .collect();
                    now.insert(format!("attributes: {kind}{name}"), attributes.into());
                }
            }
        });
    }
    check("machines.json", &now.into(), Hold::AtLeast, READ_BY_SCRIPTS);
}

#[tokio::test(start_paused = true)]
async fn the_function_answers_with_its_keys() {
    let mut now = Map::new();
    for (name, payload) in [
        ("an event", event(1, "cli")),
        ("a batch", batch(&["{oops".to_owned()])),
        ("a test", r#"{"offlimits":"test"}"#.to_owned()),
    ] {
        let answer = answered(&payload, &function(USUAL, &Table::default())).await.answer.unwrap();
        now.insert(name.to_owned(), shape([&serde_json::to_value(&answer).unwrap()]));
    }
    let on_a_laptop = preview(&event(1, "cli"), &compiled(USUAL), &OwnCalls::default(), Timestamp::default());
    now.insert("an event on a laptop".to_owned(), shape([&serde_json::to_value(&on_a_laptop).unwrap()]));
    check("answers.json", &now.into(), Hold::AtLeast, READ_BY_SCRIPTS);
}
