//! Who called, for each type of `userIdentity`: the aliases `identity`, `user`, `role`, `session`, `actor` and `principal` have
//! the values of `identity_types.json`, exactly.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support;

#[test]
fn each_identity_has_the_names_that_it_should() {
    let cases = support::json("tests/identity_types.json");
    let cases = cases.as_array().unwrap();

    // One rule for each expectation: through the language itself, where nothing is clipped or cleaned.
    let mut rules = Vec::new();
    let mut expected = BTreeSet::new();
    for (index, case) in cases.iter().enumerate() {
        for (alias, value) in case["expect"].as_object().unwrap() {
            let condition = if value.is_null() { json!({"exists": false}) } else { json!({"is": value}) };
            let id = format!("{index}-{alias}");
            rules.push(json!({"id": id, "title": "t", "severity": "low", "when": {alias.as_str(): condition}}));
            expected.insert((index as u64, id));
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let records: Vec<&Value> = cases.iter().map(|case| &case["record"]).collect();
    let records = support::file(folder.path(), "records.json", json!({"Records": records}).to_string());
    let rules = support::file(folder.path(), "rules.json", json!({"rules": rules}).to_string());

    let run = support::replay(&[&records], &rules);
    assert_eq!(run.code, Some(0), "{}", run.shown());
    let findings = run.findings();
    let found: BTreeSet<(u64, String)> = findings
        .iter()
        .map(|finding| (finding["index"].as_u64().unwrap(), finding["rule"].as_str().unwrap().to_owned()))
        .collect();
    let wrong: Vec<String> = expected
        .difference(&found)
        .map(|(index, id)| {
            let case = &cases[usize::try_from(*index).unwrap()];
            let alias = id.split('-').nth(1).unwrap();
            let shown = findings.iter().find(|f| f["index"] == *index).map_or(&Value::Null, |f| &f["actor"]);
            format!("{}: {alias} is not {} (actor: {shown})", case["name"], case["expect"][alias])
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The sentence and the JSON of a finding name the same actor as the alias.
#[test]
fn a_finding_tells_the_actor() {
    let cases = support::json("tests/identity_types.json");
    let folder = tempfile::tempdir().unwrap();
    let every =
        json!({"rules": [{"id": "every", "title": "{actor}", "severity": "low", "when": {"event": {"exists": true}}}]});
    let rules = support::file(folder.path(), "rules.json", every.to_string());
    let records: Vec<&Value> = cases.as_array().unwrap().iter().map(|case| &case["record"]).collect();
    let records = support::file(folder.path(), "records.json", json!(records).to_string());

    let findings = support::replay(&[&records], &rules).findings();
    assert_eq!(findings.len(), cases.as_array().unwrap().len());
    for (finding, case) in findings.iter().zip(cases.as_array().unwrap()) {
        assert_eq!(finding["actor"], case["expect"]["actor"], "{}", case["name"]);
        assert_eq!(finding["identity"], case["expect"]["identity"], "{}", case["name"]);
        assert_eq!(finding["title"], *case["expect"]["actor"].as_str().unwrap_or("unknown"), "{}", case["name"]);
    }
}
