//! Members of records: what occurs in records is never refused, and a slip of the pen is told.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::lints::{lints, real_records, records_in};
use crate::support;

/// The codes that say that a path leads nowhere.
const CODES: [&str; 4] = ["member-case", "other-calls-parameter", "path-below-value", "unknown-member"];

/// The calls of records, by service and event, and the paths that occur in each, with a value where there is one.
#[derive(Default)]
struct Fields(BTreeMap<(String, String), BTreeMap<Vec<String>, Option<Value>>>);

impl Fields {
    fn add(&mut self, record: &Value) {
        let text = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
        let fields = self.0.entry((text("eventSource"), text("eventName"))).or_default();
        each_field(record, &mut Vec::new(), &mut |path, value| {
            let scalar = Some(value).filter(|value| !value.is_object() && !value.is_array() && !value.is_null());
            let known = fields.entry(path.to_vec()).or_default();
            if known.is_none() {
                *known = scalar.cloned();
            }
        });
        fields.retain(|path, _| offlimits::rules::field::Field::top_level().contains(&path[0].as_str()));
    }

    fn each(&self) -> impl Iterator<Item = (&(String, String), &Vec<String>, Option<&Value>)> {
        self.0.iter().flat_map(|(call, fields)| fields.iter().map(move |(path, value)| (call, path, value.as_ref())))
    }
}

/// Gives each path of a document to `take`, also those into a text that holds JSON.
fn each_field(value: &Value, path: &mut Vec<String>, take: &mut dyn FnMut(&[String], &Value)) {
    match value {
        Value::Object(members) => {
            for (key, inner) in members {
                path.push(key.clone());
                take(path, inner);
                each_field(inner, path, take);
                path.pop();
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| each_field(element, path, take)),
        Value::String(text) if text.starts_with(['{', '[']) => {
            if let Ok(inner) = serde_json::from_str(text) {
                each_field(&inner, path, take);
            }
        }
        _ => {}
    }
}

/// `a.b["c.d"]`
fn written(path: &[String]) -> String {
    path.iter().fold(String::new(), |written, key| {
        let is_plain = !key.is_empty() && !key.contains(['.', '[', ']', '"']);
        match (is_plain, written.is_empty()) {
            (true, true) => key.clone(),
            (true, false) => format!("{written}.{key}"),
            (false, _) => format!("{written}[\"{key}\"]"),
        }
    })
}

/// Which of these cells, each in a rule that names its call, are told by one of the codes: by their index, with what is said.
fn told(cells: &[(&(String, String), String, Value)], codes: &[&str]) -> BTreeMap<usize, String> {
    let rules: Vec<Value> = cells
        .iter()
        .enumerate()
        .map(|(index, ((service, event), path, condition))| {
            let mut row = json!({"service": {"is": service}, "event": {"is": event}});
            row[path] = condition.clone();
            json!({"id": format!("R{index}"), "title": "t", "severity": "low", "when": row})
        })
        .collect();
    let found = lints(&json!({ "rules": rules }).to_string());
    let found = found.into_iter().filter(|found| codes.contains(&found.code));
    found.map(|found| (found.pointer.split('/').nth(2).unwrap().parse().unwrap(), found.to_string())).collect()
}

/// Every field that occurs is right, and so is its comparison with a value that occurs.
fn refused(fields: &Fields) -> Vec<String> {
    let cells: Vec<_> = fields
        .each()
        // Two cells on one field make one object with one key.
        .filter(|(_, path, _)| !matches!(path.as_slice(), [top] if ["eventSource", "eventName"].contains(&top.as_str())))
        .map(|(call, path, value)| {
            let condition = match value {
                Some(Value::String(text)) if text.is_empty() => json!({"exists": true}),
                Some(value) => json!({"is": value}),
                None => json!({"exists": true}),
            };
            (call, written(path), condition)
        })
        .filter(|(_, path, _)| !path.contains("[\"\"]") && !path.contains("\\"))
        .collect();
    let codes: Vec<&str> = CODES.into_iter().chain(["value-for-object"]).collect();
    let told = told(&cells, &codes);
    eprintln!("{} of {} fields that occur are refused", told.len(), cells.len());
    told.into_iter().map(|(index, said)| format!("{:?} {said}", cells[index].0)).collect()
}

/// What a path may be written as by a slip: one edit in its last name, other capitals, another parent.
fn slips(path: &[String], others: &BTreeSet<&[String]>) -> Vec<(&'static str, Vec<String>)> {
    let Some((last, parents)) = path.split_last() else { return Vec::new() };
    let mut slips = Vec::new();
    let mut add = |kind, name: String| {
        let slip: Vec<String> = parents.iter().cloned().chain([name]).collect();
        if slip != path && !slip.last().is_some_and(String::is_empty) {
            slips.push((kind, slip));
        }
    };
    let letters: Vec<char> = last.chars().collect();
    let at = last.bytes().map(usize::from).sum::<usize>() % letters.len().max(1);
    let (before, after) = (letters[..at].iter().collect::<String>(), letters[at..].iter().collect::<String>());
    add("edit", format!("{before}{}", after.chars().skip(1).collect::<String>()));
    add("edit", format!("{before}x{after}"));
    add("edit", format!("{before}q{}", after.chars().skip(1).collect::<String>()));
    if at + 1 < letters.len() {
        let mut swapped = letters.clone();
        swapped.swap(at, at + 1);
        add("edit", swapped.into_iter().collect());
    }
    add("case", last.to_lowercase());
    add("case", last.to_uppercase());
    let first = letters[0];
    let flipped = if first.is_lowercase() { first.to_uppercase().next() } else { first.to_lowercase().next() };
    add("case", flipped.into_iter().chain(letters.iter().copied().skip(1)).collect());
    if let [grand @ .., _] = parents {
        if !grand.is_empty() {
            slips.push(("parent", grand.iter().cloned().chain([last.clone()]).collect()));
        }
    }
    // Below something else that stands beside its parent.
    let beside = others.iter().find(|other| {
        other.len() == parents.len() && other.first() == path.first() && **other != parents && !parents.is_empty() && parents.len() > 1
    });
    if let Some(other) = beside {
        slips.push(("parent", other.iter().cloned().chain([last.clone()]).collect()));
    }
    slips
}

/// How many slips of each kind there are, and how many of them are told; and some that are not.
fn slips_told(fields: &Fields) -> (BTreeMap<&'static str, (usize, usize)>, Vec<String>) {
    // What occurs in a record of the service, or differs from it in nothing but a call, is no slip.
    let mut occurs: BTreeSet<(&str, &[String])> = BTreeSet::new();
    for ((service, _), path, _) in fields.each() {
        occurs.insert((service, path));
    }
    let mut cells = Vec::new();
    let mut kinds = Vec::new();
    for (call, of_call) in &fields.0 {
        let others: BTreeSet<&[String]> = of_call.keys().map(Vec::as_slice).collect();
        for path in of_call.keys().filter(|path| path.len() > 1 && path.iter().all(|key| key.is_ascii())) {
            for (kind, slip) in slips(path, &others) {
                if !occurs.contains(&(call.0.as_str(), slip.as_slice())) {
                    cells.push((call, written(&slip), json!({"exists": true})));
                    kinds.push(kind);
                }
            }
        }
    }
    let told = told(&cells, &CODES);
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut missed = Vec::new();
    for (index, kind) in kinds.iter().enumerate() {
        let (all, found) = counts.entry(kind).or_default();
        *all += 1;
        if told.contains_key(&index) {
            *found += 1;
        } else {
            let ((service, event), path, _) = &cells[index];
            missed.push(format!("{kind} {service} {event} {path}"));
        }
    }
    (counts, missed)
}

#[test]
fn the_members_of_real_records_are_known_and_slips_are_told() {
    let Some(folder) = support::corpora() else { return };
    let mut fields = Fields::default();
    real_records(&folder, &mut |record| fields.add(record));
    let wrongly = refused(&fields);
    let (counts, missed) = slips_told(&fields);
    std::fs::write(std::env::temp_dir().join("slips-missed.txt"), missed.join("\n")).unwrap();
    let (all, told) = counts.values().fold((0, 0), |(all, told), (more, found)| (all + more, told + found));
    eprintln!("slips told: {told} of {all}: {counts:?}");
    assert_eq!(wrongly, [""; 0]);
    assert!(told * 100 >= all * 98);
}
