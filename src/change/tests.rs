//! The table: one small invented record for each of its entries, and what is told of it.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::entry::Part;
use super::told::{MOST_CHANGES, TEXT_LIMIT};
use super::{calls, changes, documented_calls};
use crate::cloudtrail::{ApiCall, Record, without_version};
use crate::facts::derived;

/// A call, and what is told of it, line by line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    service: String,
    event: String,
    request: Option<Value>,
    response: Option<Value>,
    details: Option<Value>,
    more: Option<Value>,
    error: Option<String>,
    identity: Option<Value>,
    readonly: Option<bool>,
    says: Vec<String>,
}

impl Case {
    fn record(&self) -> String {
        let identity = self.identity.clone().unwrap_or_else(|| json!({"type": "IAMUser", "userName": "mallory"}));
        let record = json!({
            "eventVersion": "1.11", "eventTime": "2026-03-08T11:00:00Z", "awsRegion": "eu-west-1", "recipientAccountId": "111122223333",
            "eventSource": format!("{}.amazonaws.com", self.service), "eventName": self.event, "userIdentity": identity,
            "errorCode": self.error, "requestParameters": self.request, "responseElements": self.response,
            "serviceEventDetails": self.details, "additionalEventData": self.more, "readOnly": self.readonly,
        });
        let present: Map<String, Value> = record
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        Value::Object(present).to_string()
    }
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../../tests/changes/calls.json")).unwrap()
}

fn told(record: &str) -> Vec<String> {
    let record = Record::parse(record).unwrap();
    let told = changes(&record, &ApiCall::from_record(&record));
    for change in &told {
        assert!(change.what.chars().count() <= TEXT_LIMIT && change.after.chars().count() <= TEXT_LIMIT, "{change}");
    }
    assert!(told.len() <= MOST_CHANGES);
    told.iter().map(ToString::to_string).collect()
}

#[test]
fn each_call_is_told_in_its_words() {
    let wrong: Vec<String> = cases()
        .iter()
        .filter_map(|case| {
            let told = told(&case.record());
            (told != case.says).then(|| format!("{} {}\n  {told:#?}\n  {:#?}", case.service, case.event, case.says))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_entry_of_the_table_has_a_case_that_it_tells_something_of() {
    let cases = cases();
    let held: BTreeSet<(&str, &str)> = cases
        .iter()
        .filter(|case| !case.says.is_empty())
        .map(|case| (case.service.as_str(), without_version(&case.event)))
        .collect();
    let entries = calls::TABLES.into_iter().flatten();
    let without: Vec<_> = entries
        .filter(|entry| !entry.events.iter().any(|event| held.contains(&(entry.service, *event))))
        .map(|entry| (entry.service, entry.events))
        .collect();
    assert!(without.is_empty(), "{without:?}");
}

#[test]
fn no_call_has_two_entries_and_each_field_that_is_asked_for_understands_its_calls() {
    let mut known = BTreeSet::new();
    for entry in calls::TABLES.into_iter().flatten() {
        for event in entry.events {
            assert!(known.insert((entry.service, event)), "{} {event} has two entries", entry.service);
            assert_eq!(without_version(event), *event);
            for part in entry.parts {
                let Part::Fact(_, name) = part else { continue };
                let field = derived(name).unwrap_or_else(|| panic!("there is no derived field {name}"));
                let service = format!("{}.amazonaws.com", entry.service);
                assert!(field.understands(&service, event), "{name} knows nothing of {} {event}", entry.service);
            }
        }
    }
    assert_eq!(documented_calls().count(), known.len());
    assert!(known.len() > 300, "{}", known.len());
}

#[test]
fn of_a_call_that_failed_nothing_is_said_to_have_been_done() {
    let done = [
        "shared with",
        "no longer shared with",
        "added",
        "attached",
        "copied",
        "deleted",
        "detached",
        "disabled",
        "moved",
        "removed",
    ];
    for case in cases() {
        let failed = Case { error: Some("AccessDenied".to_owned()), response: None, ..case };
        for line in told(&failed.record()) {
            let claims = done
                .iter()
                .any(|word| line.split([':', ' ']).next() == Some(word) || line.starts_with(&format!("{word}:")));
            assert!(!claims, "{} {}: {line}", failed.service, failed.event);
        }
    }
}

#[test]
fn a_list_is_cut_short_and_a_long_request_says_how_much_is_left_out() {
    let rules: Vec<Value> = (0..200)
        .map(|port| json!({"ipProtocol": "tcp", "fromPort": port, "toPort": port, "ipRanges": {"items": [{"cidrIp": "198.51.100.0/24"}]}}))
        .collect();
    let record = json!({
        "eventSource": "ec2.amazonaws.com", "eventName": "AuthorizeSecurityGroupIngress",
        "requestParameters": {"groupId": "sg-1", "ipPermissions": {"items": rules}},
    });
    let told_of_rules = told(&record.to_string());
    assert_eq!(told_of_rules.len(), 1);
    assert!(told_of_rules[0].ends_with("tcp 4 from 198.51.100.0/24 and 195 more"), "{told_of_rules:?}");
    let many: Map<String, Value> =
        (0..300).map(|number| (format!("key{number:03}"), json!("x".repeat(3000) + &number.to_string()))).collect();
    let record = json!({"eventSource": "example.amazonaws.com", "eventName": "Do", "requestParameters": many});
    let told_of_many = told(&record.to_string());
    assert_eq!(told_of_many.len(), 7);
    assert_eq!(told_of_many[6], "more: 294 parameters");
}

/// `value` with each of its texts passed through `edit`.
fn edited(value: &Value, edit: &mut dyn FnMut(&str) -> Value) -> Value {
    match value {
        Value::String(text) => edit(text),
        Value::Array(elements) => elements.iter().map(|element| edited(element, edit)).collect(),
        Value::Object(members) => members.iter().map(|(key, member)| (key.clone(), edited(member, edit))).collect(),
        other => other.clone(),
    }
}

/// The case's record with the texts of its request, its answer and its details passed through `edit`.
fn with_texts(case: &Case, edit: &mut dyn FnMut(&str) -> Value) -> String {
    let mut record: Value = serde_json::from_str(&case.record()).unwrap();
    for part in ["requestParameters", "responseElements", "serviceEventDetails", "additionalEventData"] {
        if let Some(value) = record.get_mut(part) {
            *value = edited(value, edit);
        }
    }
    record.to_string()
}

#[test]
fn whatever_a_request_holds_what_is_told_of_it_is_short_and_printable() {
    let hostile = [
        json!("a\u{202e}b\u{0}c\r\nd\u{1b}[31m\u{2028}"),
        json!("é".repeat(20_000)),
        json!("{\"Statement\":[{\"Effect\":\"Allow\"},7,null,{\"Effect\":[],\"Action\":{}}]}"),
        json!("[".repeat(500)),
        json!("%7B%22Statement%22%3A"),
        json!("arn:::::::"),
        json!([[[[[["deep"]]]]], {"items": [{"items": {"item": []}}]}, null, -1, 1e300, "\u{feff}"]),
        json!({"": {"": ""}, "tag": "x", "content": {"tag": 1, "content": {"tag": 2}}}),
        json!((0..3000).collect::<Vec<i32>>()),
        Value::Null,
    ];
    for (call, case) in cases().iter().enumerate() {
        // Each value in every fifth call: all of them together are in all.
        for (_, value) in hostile.iter().enumerate().filter(|(number, _)| (call + number).is_multiple_of(5)) {
            for line in told(&with_texts(case, &mut |_| value.clone())) {
                assert_eq!(crate::text::clean(&line), line, "{} {}", case.service, case.event);
                assert!(line.chars().count() <= 3 * TEXT_LIMIT);
            }
        }
    }
}

/// Every secret of the corpus, in every place of every call: none is told.
#[test]
fn no_secret_is_told_of_any_call() {
    let corpus: Value = serde_json::from_str(include_str!("../../tests/channels/secrets.json")).unwrap();
    let corpus = corpus["cases"].as_array().unwrap();
    let unmarked = |text: &str| text.replace(['«', '»'], "");
    let secrets = |text: &str| -> Vec<String> {
        text.split('«').skip(1).map(|rest| rest.split('»').next().unwrap().to_owned()).collect()
    };
    let cases = cases();
    let mut leaked = Vec::new();
    let mut check = |what: &Value, record: &str, secrets: &[String]| {
        for line in told(record) {
            if let Some(secret) = secrets.iter().find(|secret| line.contains(*secret)) {
                leaked.push(format!("{what}: {secret} in {line}"));
            }
        }
    };
    for (number, one) in corpus.iter().enumerate() {
        // Each secret in every eleventh call: all of them together are in all.
        let is_due = |call: usize| (call + number).is_multiple_of(11);
        let marked = one.to_string();
        let own = secrets(&marked);
        match (one["text"].as_str(), one.get("request").filter(|request| !request.is_null())) {
            (Some(text), _) => {
                for (_, case) in cases.iter().enumerate().filter(|(call, _)| is_due(*call)) {
                    let record = with_texts(case, &mut |_| Value::String(unmarked(text)));
                    check(&one["what"], &record, &own);
                }
            }
            (None, Some(request)) => {
                for (_, (service, event, _)) in documented_calls().enumerate().filter(|(call, _)| is_due(*call)) {
                    let record = json!({
                        "eventSource": format!("{service}.amazonaws.com"), "eventName": event,
                        "requestParameters": serde_json::from_str::<Value>(&unmarked(&request.to_string())).unwrap(),
                    });
                    check(&one["what"], &record.to_string(), &own);
                }
            }
            _ => {}
        }
    }
    assert!(leaked.is_empty(), "{}", leaked.join("\n"));
}
