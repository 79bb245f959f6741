//! Holds a value to its fixture, and says where they part.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Map, Value};

/// How closely a value is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// It is the same; the order of an object's keys is nobody's business.
    Same,
    /// As [`Hold::Same`], but for prose: of a text with a space in it, only that it is one. JSON within a text is compared as
    /// JSON.
    SameButProse,
    /// Nothing that was there has changed or gone: keys may join, and elements of an array, which is taken for a set.
    AtLeast,
}

/// Why ids, items and messages are held.
pub(crate) const KEPT_OUTSIDE: &str = "Ids are claims that are kept for 15 days, and the keys of incidents and tickets that \
    are open at vendors; stored items and queued messages outlive the version that wrote them. They must not change: alerts \
    would go out twice, or not at all.";
/// Why what is printed is held.
pub(crate) const READ_BY_SCRIPTS: &str = "People's scripts, pipelines, dashboards and stacks name these. They may join, and \
    must not change or go.";

/// Why requests are held.
pub(crate) const READ_BY_VENDORS: &str = "Vendors recognise a repeated request by these headers and keys, and receivers \
    of webhooks verify them.";

/// One place where the two part.
#[derive(Debug)]
struct Difference {
    pointer: String,
    was: Option<Value>,
    now: Option<Value>,
}

/// A fixture of this folder.
pub(crate) fn path(name: &str) -> PathBuf {
    crate::support::repository("tests/golden").join(name)
}

/// What a fixture holds.
pub(crate) fn fixture(name: &str) -> Value {
    let text = std::fs::read_to_string(path(name))
        .unwrap_or_else(|error| panic!("tests/golden/{name}: {error}; the doc comment of main.rs says how it is made"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("tests/golden/{name}: {error}"))
}

/// Holds `now` to the fixture of this name.
pub(crate) fn check(name: &str, now: &Value, hold: Hold, because: &str) {
    let writes = std::env::var_os("OFFLIMITS_GOLDEN").is_some_and(|mode| mode == "write");
    let was = if writes && !path(name).exists() { empty(now) } else { fixture(name) };
    let mut found = Vec::new();
    differences(&was, now, hold, "", &mut found);
    if writes {
        found.retain(|difference| difference.was.is_some());
        if found.is_empty() {
            let mut merged = was;
            merge(&mut merged, now, hold);
            // Whole or not at all: other tests read it meanwhile.
            let new = path(&format!("{name}.new"));
            std::fs::write(&new, serde_json::to_string_pretty(&merged).unwrap() + "\n").unwrap();
            std::fs::rename(new, path(name)).unwrap();
        }
    }
    assert!(found.is_empty(), "{}", report(name, &found, because));
}

fn empty(like: &Value) -> Value {
    if like.is_array() { Value::Array(Vec::new()) } else { Value::Object(Map::new()) }
}

fn report(name: &str, found: &[Difference], because: &str) -> String {
    let mut text = format!("tests/golden/{name} and the code part in {} places.\n", found.len());
    let shown = |value: &Option<Value>| value.as_ref().map_or_else(|| "(nothing)".to_owned(), Value::to_string);
    for Difference { pointer, was, now } in found.iter().take(20) {
        let what = match (was, now) {
            (Some(_), None) => "is gone",
            (None, _) => "has joined",
            _ => "has changed",
        };
        writeln!(text, "\n  {pointer} {what}\n    was: {}\n    now: {}", shown(was), shown(now)).unwrap();
    }
    text.push('\n');
    text.push_str(because);
    text.push_str("\nWhat has joined, and is meant to, is written by OFFLIMITS_GOLDEN=write: see tests/golden/mod.rs.");
    text
}

fn differences(was: &Value, now: &Value, hold: Hold, pointer: &str, found: &mut Vec<Difference>) {
    match (was, now) {
        (Value::Object(before), Value::Object(after)) => {
            for (key, was) in before {
                let pointer = format!("{pointer}/{key}");
                match after.get(key) {
                    Some(now) => differences(was, now, hold, &pointer, found),
                    None => found.push(Difference { pointer, was: Some(was.clone()), now: None }),
                }
            }
            if hold != Hold::AtLeast {
                let joined = after.iter().filter(|(key, _)| !before.contains_key(*key));
                found.extend(joined.map(|(key, now)| Difference {
                    pointer: format!("{pointer}/{key}"),
                    was: None,
                    now: Some(now.clone()),
                }));
            }
        }
        (Value::Array(before), Value::Array(after)) if hold == Hold::AtLeast => {
            let gone = before.iter().filter(|was| !after.contains(was));
            found.extend(gone.map(|was| Difference { pointer: pointer.to_owned(), was: Some(was.clone()), now: None }));
        }
        (Value::Array(before), Value::Array(after)) => {
            for index in 0..before.len().max(after.len()) {
                let pointer = format!("{pointer}/{index}");
                match (before.get(index), after.get(index)) {
                    (Some(was), Some(now)) => differences(was, now, hold, &pointer, found),
                    (was, now) => found.push(Difference { pointer, was: was.cloned(), now: now.cloned() }),
                }
            }
        }
        (Value::String(before), Value::String(after)) if hold == Hold::SameButProse => {
            if let (Some(was), Some(now)) = (document(before), document(after)) {
                differences(&was, &now, hold, &format!("{pointer}/(JSON)"), found);
            } else if before != after && !(before.contains(' ') && after.contains(' ')) {
                found.push(Difference { pointer: pointer.to_owned(), was: Some(was.clone()), now: Some(now.clone()) });
            }
        }
        _ if was == now => {}
        _ => {
            found.push(Difference { pointer: pointer.to_owned(), was: Some(was.clone()), now: Some(now.clone()) });
        }
    }
}

fn document(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().filter(|value: &Value| value.is_object() || value.is_array())
}

/// Adds what has joined.
fn merge(was: &mut Value, now: &Value, hold: Hold) {
    match (was, now) {
        (Value::Object(before), Value::Object(after)) => {
            for (key, now) in after {
                match before.get_mut(key) {
                    Some(was) => merge(was, now, hold),
                    None => drop(before.insert(key.clone(), now.clone())),
                }
            }
        }
        (Value::Array(before), Value::Array(after)) if hold == Hold::AtLeast => {
            let joined: Vec<Value> = after.iter().filter(|now| !before.contains(now)).cloned().collect();
            before.extend(joined);
        }
        (Value::Array(before), Value::Array(after)) => {
            before.iter_mut().zip(after).for_each(|(was, now)| merge(was, now, hold));
            let known = before.len();
            before.extend(after.iter().skip(known).cloned());
        }
        _ => {}
    }
}

/// The type of every value in these documents, by its place: `/rows/*/cells/*/holds` → `boolean`. A value that may be of
/// several has them all: `null|string`.
pub(crate) fn shape<'v>(documents: impl IntoIterator<Item = &'v Value>) -> Value {
    let mut places = std::collections::BTreeMap::<String, std::collections::BTreeSet<&'static str>>::new();
    let mut open: Vec<(String, &Value)> = documents.into_iter().map(|value| (String::new(), value)).collect();
    while let Some((place, value)) = open.pop() {
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(elements) => {
                open.extend(elements.iter().map(|element| (format!("{place}/*"), element)));
                "array"
            }
            Value::Object(members) => {
                open.extend(members.iter().map(|(key, member)| (format!("{place}/{key}"), member)));
                "object"
            }
        };
        places.entry(place).or_default().insert(kind);
    }
    places
        .into_iter()
        .map(|(place, kinds)| (place, Value::String(kinds.into_iter().collect::<Vec<_>>().join("|"))))
        .collect::<Map<_, _>>()
        .into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn places(was: &Value, now: &Value, hold: Hold) -> Vec<String> {
        let mut found = Vec::new();
        differences(was, now, hold, "", &mut found);
        found.into_iter().map(|difference| difference.pointer).collect()
    }

    #[test]
    fn what_parts_is_found_where_it_parts() {
        let was = json!({ "a": [1, { "b": "x" }], "c": null, "d": "two words", "e": "{\"k\":\"v\"}" });
        assert!(places(&was, &was, Hold::Same).is_empty());
        let now = json!({ "a": [1, { "b": "y" }, 3], "d": "other words", "e": "{ \"k\": 7 }", "f": 1 });
        assert_eq!(places(&was, &now, Hold::Same), ["/a/1/b", "/a/2", "/c", "/d", "/e", "/f"]);
        assert_eq!(places(&was, &now, Hold::SameButProse), ["/a/1/b", "/a/2", "/c", "/e/(JSON)/k", "/f"]);
        assert_eq!(
            places(&json!({ "a": ["x", "y"], "b": 1 }), &json!({ "a": ["y", "z"], "b": 1, "c": 2 }), Hold::AtLeast),
            ["/a"]
        );
    }

    #[test]
    fn only_what_has_joined_is_written() {
        let mut was = json!({ "a": ["x"], "b": 1 });
        merge(&mut was, &json!({ "a": ["y"], "b": 2, "c": 3 }), Hold::AtLeast);
        assert_eq!(was, json!({ "a": ["x", "y"], "b": 1, "c": 3 }));
    }

    #[test]
    fn a_shape_has_every_type_of_every_place() {
        let documents = [json!({ "a": [{ "b": null }, { "b": "x" }] }), json!({ "a": [], "c": true })];
        let expected =
            json!({ "": "object", "/a": "array", "/a/*": "object", "/a/*/b": "null|string", "/c": "boolean" });
        assert_eq!(shape(&documents), expected);
    }
}
