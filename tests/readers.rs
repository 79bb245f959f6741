//! Every reader that outsiders write for, on texts that are damaged at random: a few rounds here, as many as `OFFLIMITS_ROUNDS` says,
//! and for hours in the fuzzer, which asks the same ([`readers`]).

use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::choices::{Choices, seeds};
use crate::support::{readers, repository};

/// What a text is damaged with: what readers look for.
const PIECES: [&str; 40] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    ",",
    ":",
    "\\",
    "\\u0000",
    "\\ud800",
    "null",
    "true",
    "-0",
    "1e999",
    "0.1",
    "\n",
    "\r\n",
    "\u{feff}",
    "é",
    "\u{0}",
    "{\"Records\":[",
    "{\"detail\":",
    "\"awslogs\":{\"data\":",
    "\"events\":[{\"message\":",
    "\"results\":[[",
    "\"QueryResultRows\":",
    "\"eventVersion\":",
    "eventjson,@message\n",
    "\"\"",
    "\"s3\":{\"object\":",
    "\"when\":",
    "\"rules\":",
    "\"is\":",
    "\"not\":",
    "\"@\"",
    "^(",
    "{event}",
    "\u{1f}\u{8b}\u{8}",
    "condition: 1 of *\n",
    "resource \"x\" \"y\" {\n",
];

/// The text with so many places cut, doubled, or written over.
fn damaged(seed: &[u8], choices: &mut Choices) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=choices.below(4) {
        let at = choices.below(bytes.len() + 1);
        let end = (at + choices.below(24)).min(bytes.len());
        match choices.below(5) {
            0 => drop(bytes.drain(at..end)),
            1 => drop(bytes.splice(at..end, choices.of(&PIECES).bytes())),
            2 => drop(bytes.splice(at..at, choices.of(&PIECES).bytes())),
            3 => {
                let copied = bytes[at..end].to_vec();
                bytes.splice(at..at, copied);
            }
            _ => bytes.truncate(if choices.one_in(4) { at } else { bytes.len() }),
        }
    }
    bytes
}

fn files(folder: &str, end: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = std::fs::read_dir(repository(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().ends_with(end))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{folder}");
    paths.iter().map(|path: &std::path::PathBuf| std::fs::read(path).unwrap()).collect()
}

fn file(path: &str) -> Vec<u8> {
    std::fs::read(repository(path)).unwrap()
}

fn each_damaged(seeds_of: &[Vec<u8>], usual: u64, read: impl Fn(&[u8])) {
    seeds_of.iter().for_each(|seed| read(seed));
    for seed in seeds(usual) {
        let mut choices = Choices::new(seed);
        let text = damaged(&seeds_of[choices.below(seeds_of.len())], &mut choices);
        read(&text);
    }
}

#[test]
fn inputs_are_read_or_named_as_unreadable() {
    let mut inputs = files("events", ".json");
    let record = r#"{"eventVersion":"1.11","eventName":"StopLogging","eventSource":"cloudtrail.amazonaws.com"}"#;
    let quoted = serde_json::to_string(record).unwrap();
    inputs.push(format!("{{\"Records\":[{record},{record}]}}").into());
    inputs
        .push(format!("{{\"events\":[{{\"message\":{quoted},\"eventId\":\"1\"}}],\"searchedLogStreams\":[]}}").into());
    inputs.push(
        format!("{{\"results\":[[{{\"field\":\"@message\",\"value\":{quoted}}}]],\"status\":\"Complete\"}}").into(),
    );
    inputs.push(format!("{{\"QueryResultRows\":[[{{\"eventJson\":{quoted}}}]],\"QueryStatus\":\"FINISHED\"}}").into());
    inputs.push(format!("eventJson\n\"{}\"\n", record.replace('"', "\"\"")).into());
    inputs.push("eventversion,eventname,useridentity\n1.11,StopLogging,\"{\"\"type\"\":\"\"Root\"\"}\"\n".into());
    inputs.push(br#"{"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},"object":{"key":"k"}}}]}"#.to_vec());
    for text in inputs.clone().iter().take(8) {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(text).unwrap();
        inputs.push(packed.finish().unwrap());
    }
    each_damaged(&inputs, 3000, readers::an_input);
}

#[test]
fn rules_compile_or_are_told_what_is_wrong() {
    let mut rules = vec![file("rules.json"), file("src/cli/init/rules.json"), file("tests/golden/input/rules.json")];
    rules.extend(files("tests/golden", "every_key.json"));
    rules.extend(files("tests/golden/input", ".json"));
    each_damaged(&rules, 150, |text| readers::rules(&String::from_utf8_lossy(text)));
    each_damaged(
        &[br#"{"111122223333":{"name":"prod","unit":"A/B"},"444455556666":{"name":"test"}}"#.to_vec()],
        500,
        |text| {
            readers::accounts(&String::from_utf8_lossy(text));
        },
    );
}

#[test]
fn messages_are_written_as_they_were_read() {
    let messages: serde_json::Value = serde_json::from_slice(&file("tests/golden/messages.json")).unwrap();
    let mut all = Vec::new();
    gather(&messages, &mut all);
    assert!(!all.is_empty());
    all.push(file("events/start-instances.json"));
    each_damaged(&all, 3000, |text| readers::message(&String::from_utf8_lossy(text)));
}

/// The queue messages that stand anywhere in a document.
fn gather(value: &serde_json::Value, all: &mut Vec<Vec<u8>>) {
    match value {
        serde_json::Value::Object(members) if members.contains_key("offlimits") => all.push(value.to_string().into()),
        serde_json::Value::Object(members) => members.values().for_each(|value| gather(value, all)),
        serde_json::Value::Array(elements) => elements.iter().for_each(|value| gather(value, all)),
        serde_json::Value::String(text) if text.contains("\"offlimits\"") => all.push(text.as_bytes().to_vec()),
        _ => {}
    }
}

#[test]
fn tables_of_names_and_addresses_never_mislead_a_reader() {
    let database = crate::support::mmdb::countries(&[("203.0.113.0/24", "SE")]);
    each_damaged(&[database, b"offlimits accounts".to_vec(), Vec::new()], 2000, readers::tables);
}

#[test]
fn what_is_imported_compiles() {
    let mut texts = files("tests/import", ".yml");
    let folder = "tests/import/conformity";
    assert!(Path::new(&repository(folder)).is_dir());
    texts.extend(files(folder, ".tf"));
    texts.extend(files(folder, ".json"));
    each_damaged(&texts, 120, |text| readers::imported(&String::from_utf8_lossy(text)));
}
