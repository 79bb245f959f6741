//! What each kind of record means: who acts, how it ended and on what, in every shape that CloudTrail uses. `records.json` has a
//! record of each; the table of `docs/records.md` is written from it.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::support;

/// The aliases that `records.json` may state.
const ALIASES: [&str; 5] = ["outcome", "acting_service", "delegate", "source_identity", "user"];

fn cases() -> Vec<Value> {
    support::json("tests/records.json").as_array().unwrap().clone()
}

/// The findings of rules in one record, in a log file: each rule's id, and the finding.
fn findings(record: &Value, rules: &Value) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let records = support::file(folder.path(), "records.json", json!({"Records": [record]}).to_string());
    let rules = support::file(folder.path(), "rules.json", json!({"rules": rules}).to_string());
    let run = support::replay(&[&records], &rules);
    assert_eq!(run.misbehaviour(), None, "{}", run.shown());
    run.findings()
}

#[test]
fn each_record_means_what_it_should() {
    let mut wrong = Vec::new();
    for case in cases() {
        let mut rules =
            vec![json!({"id": "every", "title": "t", "severity": "low", "when": {"eventVersion": {"exists": true}}})];
        for alias in ALIASES.iter().filter(|alias| case.get(**alias).is_some()) {
            let value = &case[*alias];
            let condition = if value.is_null() { json!({"exists": false}) } else { json!({"is": value}) };
            rules.push(json!({"id": alias, "title": "t", "severity": "low", "when": {*alias: condition}}));
        }
        let found = findings(&case["record"], &json!(rules));
        let sentence = found.first().map_or(&Value::Null, |finding| &finding["sentence"]);
        if *sentence != case["sentence"] {
            wrong.push(format!("{}:\n  {sentence}\n  {}", case["name"], case["sentence"]));
        }
        for rule in rules.iter().filter(|_| !sentence.is_null()) {
            if !found.iter().any(|finding| finding["rule"] == rule["id"]) {
                wrong.push(format!("{}: not {}", case["name"], rule["when"]));
            }
        }
        let sentence = sentence.as_str().unwrap_or("a");
        let words: Vec<&str> = sentence.split([' ', ',', ':', '(', ')']).collect();
        if words.iter().any(|word| ["unknown", "?", "-"].contains(word)) || sentence.contains("  ") {
            wrong.push(format!("{}: an empty place in {sentence}", case["name"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_of_records_is_current() {
    let mut table = "| record | sentence | `acting_service` | `outcome` | source |\n|---|---|---|---|---|\n".to_owned();
    for case in cases() {
        let shown = |key: &str| case[key].as_str().map_or_else(String::new, |text| text.replace('|', "\\|"));
        let source = case["source"].as_str().unwrap();
        writeln!(
            table,
            "| {} | {} | {} | {} | [AWS]({source}) |",
            shown("name"),
            if case["sentence"].is_null() {
                "no record: it is counted as ignored".to_owned()
            } else {
                shown("sentence")
            },
            shown("acting_service"),
            shown("outcome"),
        )
        .unwrap();
    }
    crate::docs::generated::block("docs/records.md", "records", &table);
}
