//! Our verdicts on imported rules beside those of `sigma-rust`, an engine that evaluates Sigma itself.
//!
//! They must agree, but where that engine departs from Sigma's specification or says itself that it does not go. Each such
//! difference is told by the record and the rule, not by the rule's name, and counted.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;

use offlimits::cloudtrail::Record;
use offlimits::cloudtrail::envelope;
use regex::Regex;
use serde_json::Value;

use super::sigma::{imported, verdicts};
use crate::support;

/// Why the two may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    /// `sigma-rust` matches no list and no object (its issue 9), nor what lies inside a list; for Sigma, a list's members
    /// are the field's values.
    Structure,
    /// A `null` in the record. Ours: it counts as missing, also to `exists`; `import` says so. To `sigma-rust` it is an empty
    /// text, which `*` matches.
    Null,
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Structure => "lists and objects: sigma-rust matches none",
            Self::Null => "null in the record: ours counts it as missing, sigma-rust as an empty text",
        })
    }
}

/// A rule, and what its detection asks.
struct Shape {
    title: String,
    theirs: sigma_rust::Rule,
    /// Paths.
    fields: Vec<String>,
}

#[test]
fn imported_rules_say_what_another_engine_says() {
    let yaml = std::fs::read_to_string(support::repository("tests/import/shapes.yml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ours = imported(&yaml, folder.path());
    let shapes: Vec<Shape> = yaml.split("\n---\n").skip(1).map(shape).collect();
    assert_eq!(shapes.len(), ours.rules().len());
    assert!(shapes.len() >= 40, "{}", shapes.len());

    let mut compared = 0;
    let mut matched = vec![0; shapes.len()];
    let mut differences: BTreeMap<(Reason, &str), usize> = BTreeMap::new();
    let mut records = 0;
    for text in files() {
        for raw in envelope::open(&text).records {
            let record = Record::parse(&raw.json).unwrap();
            let document: Value = serde_json::from_str(&raw.json).unwrap();
            let event = sigma_rust::event_from_json(&raw.json).unwrap();
            records += 1;
            for ((shape, our), matched) in shapes.iter().zip(verdicts(&ours, &record)).zip(&mut matched) {
                compared += 1;
                *matched += usize::from(our);
                let their = shape.theirs.is_match(&event);
                if our == their {
                    continue;
                }
                let reason = shape.reason(&document).unwrap_or_else(|| {
                    panic!("{}: ours {our}, theirs {their}: {}", shape.title, raw.json);
                });
                *differences.entry((reason, &shape.title)).or_default() += 1;
            }
        }
    }
    eprintln!("{compared} verdicts of {} rules on {records} records", shapes.len());
    for ((reason, title), count) in &differences {
        eprintln!("  {count:6} differ ({reason}): {title}");
    }
    // A rule that never matches, or always does, shows nothing.
    let never: Vec<&str> =
        shapes.iter().zip(&matched).filter(|(_, count)| **count == 0).map(|(shape, _)| shape.title.as_str()).collect();
    assert_eq!(never, ["with case, wrong"]);
    assert!(matched.iter().all(|count| *count < records), "a rule matches everything: {matched:?}");
}

/// What `sigma-rust` cannot read, or reads otherwise than the specification says; and the same in words that it takes.
const REWRITTEN: [(&str, &str); 7] = [
    // It knows neither these modifiers nor a list of conditions.
    ("|re|i: '", "|re: '(?i)"),
    ("condition:\n        - a\n        - b", "condition: a or b"),
    (
        "        eventName|neq: GetUser\n    condition: selection",
        "    not_this:\n        eventName: GetUser\n    condition: selection and not not_this",
    ),
    // It counts selections that begin with an underscore among "them"; the specification leaves them out.
    ("1 of them or (_hidden", "a or b or (_hidden"),
    // To it, the number 42 is not the text "42"; the specification treats all values as texts.
    ("recipientAccountId: 811596193553", "recipientAccountId: '811596193553'"),
    // To it, a missing field is not null; to Sigma's backends it is, and so it must be for "filter: field: null" to work.
    ("errorCode: null", "errorCode|exists: false"),
    (
        "        errorMessage:\n            - null\n            - ''\n    condition: selection",
        "    e1:\n        errorMessage: ''\n    e2:\n        errorMessage|exists: false\n    condition: selection and 1 of e*",
    ),
];

fn shape(yaml: &str) -> Shape {
    let readable = REWRITTEN.iter().fold(yaml.to_owned(), |yaml, (theirs, ours)| yaml.replace(theirs, ours));
    let theirs = sigma_rust::rule_from_yaml(&readable).unwrap_or_else(|error| panic!("{error}: {yaml}"));
    let field = Regex::new(r"(?m)^ {8}(?:- |  )?([A-Za-z][\w.]*)(?:\|\w+)*:").unwrap();
    let fields = field.captures_iter(yaml).map(|found| found[1].to_owned()).collect();
    let title = yaml.lines().find_map(|line| line.strip_prefix("title: ")).unwrap();
    Shape { title: title.trim_matches('\'').replace("''", "'"), theirs, fields }
}

impl Shape {
    /// Why the engines may differ on this record, if they may.
    fn reason(&self, record: &Value) -> Option<Reason> {
        self.fields.iter().find_map(|path| match found(record, path) {
            Found::Structure => Some(Reason::Structure),
            Found::Null => Some(Reason::Null),
            Found::Plain => None,
        })
    }
}

enum Found {
    Null,
    Structure,
    /// A scalar, or nothing.
    Plain,
}

/// What a path leads to, as far as another engine could tell.
fn found(record: &Value, path: &str) -> Found {
    let mut value = record;
    for key in path.split('.') {
        match value {
            Value::Object(members) => match members.get(key) {
                Some(next) => value = next,
                None => return Found::Plain,
            },
            Value::Array(_) => return Found::Structure,
            // A text that holds JSON: we read on.
            Value::String(text) if text.starts_with(['{', '[', '%']) => return Found::Structure,
            _ => return Found::Plain,
        }
    }
    match value {
        Value::Null => Found::Null,
        Value::Array(_) | Value::Object(_) => Found::Structure,
        _ => Found::Plain,
    }
}

/// The records at hand: our samples, and the corpora beside the repository where they are. Of the largest, every tenth
/// record, unless `OFFLIMITS_ALL_RECORDS` is set.
fn files() -> Vec<String> {
    let mut texts: Vec<String> = std::fs::read_dir(support::repository("events"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    texts.push(std::fs::read_to_string(support::repository("tests/import/records.jsonl")).unwrap());
    let Some(corpora) = support::corpora() else { return texts };
    for corpus in std::fs::read_dir(corpora).unwrap() {
        let folder = corpus.unwrap().path();
        if let Ok(text) = std::fs::read_to_string(folder.join("records.json")) {
            texts.push(text);
        }
        if let Ok(file) = std::fs::File::open(folder.join("records.jsonl.gz")) {
            let mut text = String::new();
            flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).unwrap();
            let step = if std::env::var_os("OFFLIMITS_ALL_RECORDS").is_some() { 1 } else { 10 };
            texts.push(text.lines().step_by(step).collect::<Vec<_>>().join("\n"));
        }
    }
    texts
}
