//! What the tests of derived fields share: the forms in which records write lists, numbers and whole requests, and what a field says.

use std::collections::BTreeSet;

use offlimits::cloudtrail::Record;
use offlimits::facts::derived;
use serde_json::{Map, Value, json};

use crate::support::choices::Choices;

/// The values of a field, which may not repeat, and each of which stands where it says.
pub(super) fn said(field: &str, record: &Value) -> BTreeSet<String> {
    let json = record.to_string();
    let record = Record::parse(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
    let values = derived(field).unwrap_or_else(|| panic!("{field}")).of(&record);
    let texts: BTreeSet<String> = values.iter().map(|value| value.text.clone()).collect();
    assert_eq!(texts.len(), values.len(), "a value repeats: {values:?} {json}");
    for value in values {
        let top = value.place.split(['.', '[']).next().unwrap_or_default();
        let parts = ["requestParameters", "responseElements", "additionalEventData", "eventName", "eventTime"];
        assert!(parts.contains(&top), "{value:?} {json}");
    }
    texts
}

/// A record of a call.
pub(super) fn record(service: &str, event: &str, request: &Value, response: &Value) -> Value {
    json!({
        "eventSource": format!("{service}.amazonaws.com"), "eventName": event, "awsRegion": "eu-west-1",
        "eventTime": "2026-01-10T23:32:44Z", "recipientAccountId": "111122223333",
        "requestParameters": request, "responseElements": response
    })
}

/// A list as some service's records have it: an array, EC2's object around one, or a single element that stands for itself.
pub(super) fn list(choices: &mut Choices, elements: Vec<Value>) -> Value {
    match (elements.as_slice(), choices.below(5)) {
        ([], 0) => Value::Null,
        ([], 1) => json!({}),
        ([], 2) => json!({ "items": [] }),
        ([one], 0 | 1) => one.clone(),
        ([one], 2) => json!({ "item": one }),
        (_, 3) => json!({ "items": elements }),
        (_, 4) => json!({ "member": elements }),
        _ => Value::Array(elements),
    }
}

/// A whole number as records write it.
pub(super) fn number(choices: &mut Choices, number: u64) -> Value {
    match choices.below(5) {
        0 => json!(number.to_string()),
        1 => json!(format!("{number}.0")),
        2 => format!("{number}.0").parse().unwrap(),
        _ => json!(number),
    }
}

pub(crate) fn flag(choices: &mut Choices, flag: bool) -> Value {
    if choices.one_in(3) { json!(flag.to_string()) } else { json!(flag) }
}

/// The same with the first letter of each key in capitals, as EC2's newer calls are recorded.
pub(super) fn capitals(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let capital = |key: &str| key[..1].to_uppercase() + &key[1..];
            Value::Object(members.iter().map(|(key, value)| (capital(key), capitals(value))).collect())
        }
        Value::Array(elements) => elements.iter().map(capitals).collect(),
        scalar => scalar.clone(),
    }
}

/// Puts a value where a path leads, and makes the objects on the way.
pub(super) fn put(object: &mut Value, path: &[&str], value: Value) {
    let (last, way) = path.split_last().unwrap();
    let holder = way.iter().fold(object, |here, key| {
        here.as_object_mut().unwrap().entry(*key).or_insert_with(|| Value::Object(Map::new()))
    });
    holder.as_object_mut().unwrap().insert((*last).to_owned(), value);
}

/// A request or an answer whole: as it is, or as a text of JSON.
pub(super) fn whole(choices: &mut Choices, value: Value) -> Value {
    if choices.one_in(5) && value.is_object() { json!(value.to_string()) } else { value }
}

/// Adds what the caller may call his own things, which means nothing.
pub(super) fn own_words(choices: &mut Choices, object: &mut Value, words: &[(&str, &str)]) {
    let Some(members) = object.as_object_mut().filter(|_| choices.one_in(2)) else { return };
    let (key, value) = choices.of(words);
    match choices.below(5) {
        0 => members.insert("tags".to_owned(), json!({ key: value })),
        1 => members.insert("labels".to_owned(), json!({ "team": "blue", key: value })),
        2 => members.insert(
            "tagSet".to_owned(),
            json!({ "items": [{ "key": key, "value": json!({ key: value }).to_string() }] }),
        ),
        3 => members.insert("description".to_owned(), json!(json!({ key: value }).to_string())),
        _ => members.insert("environment".to_owned(), json!({ key: value })),
    };
}
