//! What a message says that a call changed, over real records (`support::corpora`), and the table of it in the documentation.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use offlimits::change;
use offlimits::cloudtrail::{ApiCall, Record, envelope};
use serde_json::Value;

use crate::docs::generated::block;
use crate::support;

#[test]
fn the_table_of_what_a_message_says_is_current() {
    let mut calls: BTreeMap<(&str, Vec<&str>), Vec<&str>> = BTreeMap::new();
    for (service, event, told) in change::documented_calls() {
        calls.entry((service, told)).or_default().push(event);
    }
    let mut rows: Vec<(&str, Vec<&str>, Vec<&str>)> =
        calls.into_iter().map(|((service, told), events)| (service, events, told)).collect();
    rows.sort();
    let mut table = "| service | calls | what is told |\n|---|---|---|\n".to_owned();
    for (service, events, told) in rows {
        let events: Vec<String> = events.into_iter().map(|event| format!("`{event}`")).collect();
        writeln!(table, "| {service} | {} | {} |", events.join(" "), told.join(", ")).unwrap();
    }
    block("docs/messages.md", "changes", &table);
}

/// The files of records that are read.
fn files() -> Vec<PathBuf> {
    let Some(data) = support::corpora() else { return Vec::new() };
    let mut files: Vec<PathBuf> = std::fs::read_dir(&data)
        .unwrap()
        .map(|corpus| corpus.unwrap().path().join("records.json"))
        .filter(|file| file.exists())
        .collect();
    files.extend(
        std::fs::read_dir(data.join("../cases/detection")).into_iter().flatten().map(|file| file.unwrap().path()),
    );
    files.sort();
    files
}

/// Each record of a file, with what is told of it.
fn each_record(file: &Path, mut visit: impl FnMut(&Value, &ApiCall, &[change::Change])) {
    for raw in envelope::open(&std::fs::read_to_string(file).unwrap()).records {
        let record = Record::parse(&raw.json).unwrap();
        let call = ApiCall::from_record(&record);
        visit(&serde_json::from_str(&raw.json).unwrap(), &call, &change::changes(&record, &call));
    }
}

/// The texts and numbers of a document that say something, with the name of each.
fn leaves<'v>(key: &'v str, value: &'v Value, found: &mut Vec<(&'v str, String)>) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| leaves(key, element, found)),
        Value::Object(members) => members.iter().for_each(|(key, member)| leaves(key, member, found)),
        Value::String(text) if text.trim().is_empty() => {}
        Value::String(text) => found.push((key, text.clone())),
        Value::Number(number) => found.push((key, number.to_string())),
        Value::Bool(true) => found.push((key, "true".to_owned())),
        Value::Bool(false) | Value::Null => {}
    }
}

/// Names of what says nothing of what was asked for: pages, tokens, tags.
const FORMAL: [&str; 17] = [
    "Host",
    "host",
    "xmlns",
    "path",
    "limit",
    "tag",
    "clientRequestToken",
    "clientToken",
    "ClientToken",
    "nextToken",
    "NextToken",
    "maxResults",
    "MaxResults",
    "maxRecords",
    "maxItems",
    "pageSize",
    "instanceArn",
];

/// Of every record something is told, or its request says nothing but what the call acts on.
#[test]
fn of_every_real_record_something_is_told_or_it_says_nothing_more() {
    let (mut records, mut told, mut silent) = (0, 0, Vec::new());
    for file in files() {
        each_record(&file, |record, call, changes| {
            records += 1;
            told += usize::from(!changes.is_empty());
            if !changes.is_empty() {
                return;
            }
            let mut said = Vec::new();
            if let Some(request) = record.get("requestParameters").and_then(Value::as_object) {
                let parameters = request.iter().filter(|(key, _)| !key.to_ascii_lowercase().starts_with("tag"));
                parameters.for_each(|(key, value)| leaves(key, value, &mut said));
            }
            said.retain(|(key, text)| {
                !FORMAL.contains(key)
                    && !call.targets.iter().any(|target| {
                        target.trim_end_matches('…').contains(text.as_str())
                            || text.starts_with(target.trim_end_matches('…'))
                    })
            });
            if !said.is_empty() {
                silent.push(format!("{}: {} {said:?}", file.display(), call.event.as_deref().unwrap_or("?")));
            }
        });
    }
    eprintln!("something is told of {told} of {records} records");
    silent.sort();
    silent.dedup();
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

/// Prints what is told of each kind of call, to be read: its shortest and its longest.
#[test]
#[ignore = "prints: cargo test --all-features --test integration -- --ignored --nocapture print_what_is_told"]
fn print_what_is_told() {
    let mut kinds: BTreeMap<(String, bool), BTreeMap<(usize, String), String>> = BTreeMap::new();
    for file in files() {
        each_record(&file, |_, call, changes| {
            let mut lines = String::new();
            changes.iter().for_each(|change| writeln!(lines, "      {change}").unwrap());
            let event = format!("{} {}", call.service.as_deref().unwrap_or("?"), call.event.as_deref().unwrap_or("?"));
            kinds
                .entry((event, call.failed))
                .or_default()
                .entry((lines.len(), lines))
                .or_insert_with(|| call.sentence.clone());
        });
    }
    for told in kinds.values() {
        let (first, last) = (told.iter().next(), told.iter().next_back().filter(|_| told.len() > 1));
        for ((_, lines), sentence) in first.into_iter().chain(last) {
            eprintln!("{sentence}\n{lines}");
        }
    }
}
