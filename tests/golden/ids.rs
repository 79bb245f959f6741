//! Ids and the hashes of groups: claims, keys of incidents, and what makes two findings repeats of one another.

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::compare::{Hold, KEPT_OUTSIDE, check, path};
use super::product::{RuleSet, alert_id, compiled, each_kind, finding_id, findings, groups, key, rendered};

/// The records of `input/records.json`, to the byte.
fn records() -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct LogFile {
        #[serde(rename = "Records")]
        records: Vec<Box<RawValue>>,
    }
    let text = std::fs::read_to_string(path("input/records.json")).unwrap();
    let file: LogFile = serde_json::from_str(&text).unwrap();
    file.records.iter().map(|record| record.get().to_owned()).collect()
}

/// The rules of `input/rules.json` without the pack, which need no file.
fn rules() -> RuleSet {
    let text = std::fs::read_to_string(path("input/rules.json")).unwrap();
    let mut rules: Value = serde_json::from_str(&text).unwrap();
    rules.as_object_mut().unwrap().remove("include");
    compiled(&rules.to_string())
}

#[test]
fn findings_have_their_ids() {
    let rules = rules();
    let records = records();
    assert_eq!(records.len(), 12);
    let mut now = Map::new();
    for (number, record) in records.iter().enumerate() {
        let ids: Map<String, Value> = findings(&rules, record)
            .into_iter()
            .map(|finding| (finding.rule.id.clone(), finding.id.as_str().into()))
            .collect();
        assert!(!ids.is_empty(), "record {number}");
        now.insert(format!("record {number:02}"), ids.into());
    }
    check("finding_ids.json", &now.into(), Hold::Same, KEPT_OUTSIDE);
}

#[test]
fn groups_have_their_hashes() {
    let rules = rules();
    let mut now = Map::new();
    for (number, record) in records().iter().enumerate() {
        let mut groups_of = Map::new();
        for rule in ["ANY", "GROUPED", "COUNTED", "UNTHROTTLED"] {
            let (throttle, threshold, values) = groups(&rules, rule, record);
            let hashes: Option<Vec<String>> =
                values.map(|values| values.iter().map(|value| finding_id(&[value])).collect());
            groups_of.insert(
                rule.to_owned(),
                json!({ "throttle": throttle, "threshold": threshold, "hashes of values": hashes }),
            );
        }
        now.insert(format!("record {number:02}"), groups_of.into());
    }
    check("groups.json", &now.into(), Hold::Same, KEPT_OUTSIDE);
}

/// The hashes themselves, of every list of parts that the code makes one of.
#[test]
fn hashes_are_as_they_were() {
    let alert = "0123456789abcdef0123456789abcdef";
    let parts: [&[&str]; 12] = [
        &[],
        &[""],
        &["a", "b"],
        &["ab", ""],
        &["RTM-011", "123456789012", "3dbe3b6b-fdb2-4703-8d7a-545e837d49af"],
        &["RTM-011", "", "3dbe3b6b-fdb2-4703-8d7a-545e837d49af"],
        &["group", alert, "soc"],
        &["roll-up", alert],
        &["digest", "soc", "29467412"],
        &["operational", "soc", "491123"],
        &["offlimits-test", "2026-01-10T11:32:44Z"],
        &["é\u{1f600}\n"],
    ];
    let hashes: Vec<Value> = parts.iter().map(|parts| json!({ "parts": parts, "id": finding_id(parts) })).collect();
    let alerts: Vec<Value> = [("RTM-011", "soc"), ("RTM-011", alert), ("é", "")]
        .iter()
        .map(|(rule, group)| json!({ "rule": rule, "group": group, "id": alert_id(rule, group, &["a", "b"]) }))
        .collect();
    check("hashes.json", &json!({ "findings": hashes, "alerts": alerts }), Hold::Same, KEPT_OUTSIDE);
}

/// What vendors know an alert and its messages by.
#[test]
fn messages_have_their_keys() {
    let rules = rules();
    let mut now = Map::new();
    each_kind(&rules, &records()[0], |kind, alert| {
        let machine: Value =
            serde_json::from_str(rendered(&rules, "topic", alert)["machine"].as_str().unwrap()).unwrap();
        let ids: Map<String, Value> = ["version", "kind", "alert", "message", "finding", "rule", "rules_digest"]
            .iter()
            .map(|name| ((*name).to_owned(), machine[name].clone()))
            .collect();
        assert_eq!(machine["message"], key(alert).as_str());
        now.insert(kind.to_owned(), ids.into());
    });
    now.insert("digest of the rules".to_owned(), rules.digest().to_string().into());
    check("keys.json", &now.into(), Hold::Same, KEPT_OUTSIDE);
}
