//! The tables of keys on the commands' pages, held to the JSON that the commands print.
//!
//! A table stands below `<!-- keys: NAME -->`, and has the columns key, type and meaning. A key is written as jq writes it,
//! without the leading dot: `rows[].cells[].field`. A type is `string`, `number`, `boolean`, `object`, `array of strings`,
//! `array of objects` (whose keys have lines of their own), or one of these with `or null`; `as rows` stands for the type of
//! the key `rows`, and for the keys below it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::pages::read;
use crate::golden::compare::{path, shape};
use crate::support::{self, repository};

/// The types that stand at each place: `rows[].cells[].field` → `string`.
type Keys = BTreeMap<String, BTreeSet<String>>;

/// The keys and types of a page's table.
fn documented(page: &str, table: &str) -> Keys {
    let text = read(&repository(&format!("docs/commands/{page}.md")));
    let marker = format!("<!-- keys: {table} -->\n");
    let (_, rest) = text.split_once(&marker).unwrap_or_else(|| panic!("docs/commands/{page}.md has no {marker}"));
    let (mut keys, mut copies) = (Keys::new(), Vec::new());
    for line in rest.lines().skip_while(|line| !line.starts_with('|')).skip(2).take_while(|line| line.starts_with('|'))
    {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, names, kind, meaning, _] = cells[..] else { panic!("{page}: not three columns: {line}") };
        assert!(!meaning.is_empty(), "{page}: {names} has no meaning");
        for key in names.split(", ").map(|name| name.trim_matches('`').to_owned()) {
            match kind.strip_prefix("as ") {
                Some(other) => copies.push((key, other.trim_matches('`').to_owned())),
                None => add(&mut keys, key, kind),
            }
        }
    }
    for (key, like) in copies {
        let below: Vec<_> = keys
            .iter()
            .filter(|(other, _)| **other == like || other.starts_with(&format!("{like}[")))
            .map(|(other, kinds)| (format!("{key}{}", &other[like.len()..]), kinds.clone()))
            .collect();
        assert!(!below.is_empty(), "{page}: no key {like}");
        keys.extend(below);
    }
    keys
}

/// Adds a key; of an array, also its elements.
fn add(keys: &mut Keys, key: String, kind: &str) {
    let (kind, null) = kind.strip_suffix(" or null").map_or((kind, false), |kind| (kind, true));
    let (own, element) = match kind.strip_prefix("array of ") {
        Some(elements) => ("array", Some(elements.trim_end_matches('s').to_owned())),
        None => (kind, None),
    };
    assert!(["string", "number", "boolean", "object", "array"].contains(&own), "{key}: no such type: {kind}");
    if let Some(element) = element {
        keys.insert(format!("{key}[]"), [element].into());
    }
    keys.insert(key, [own].into_iter().chain(null.then_some("null")).map(str::to_owned).collect());
}

/// The keys and types of what a command prints, if it is of this kind.
fn printed(arguments: &[&str], kind: Option<&str>) -> Keys {
    let arguments: Vec<String> = arguments
        .iter()
        .map(|argument| match argument.strip_prefix("input/") {
            Some(_) => path(argument).to_str().unwrap().to_owned(),
            None => (*argument).to_owned(),
        })
        .collect();
    let run = support::run(support::offlimits(&arguments));
    keys_of(&run.stdout, kind)
}

/// The keys and types of these documents, if they are of this kind.
fn keys_of(stdout: &str, kind: Option<&str>) -> Keys {
    let documents: Vec<Value> = serde_json::Deserializer::from_str(stdout)
        .into_iter()
        .map(|document| document.unwrap_or_else(|error| panic!("{error}: {stdout}")))
        .collect();
    // The first key of each, and there once: a reader of JSON would take the last of two in silence.
    let first = stdout.matches("{\"version\":1,").count() + stdout.matches("{\n  \"version\": 1,").count();
    assert_eq!((first, stdout.matches("\"version\":").count()), (documents.len(), documents.len()), "{stdout}");
    let lines = documents.iter().filter(|document| kind.is_none_or(|kind| document["kind"] == kind));
    let Value::Object(places) = shape(lines) else { panic!("a shape is an object") };
    let named = |place: &str| place.trim_start_matches('/').replace("/*", "[]").replace('/', ".");
    places
        .iter()
        .filter(|(place, _)| !place.is_empty())
        .map(|(place, kinds)| (named(place), kinds.as_str().unwrap().split('|').map(str::to_owned).collect()))
        .collect()
}

/// What a table and what is printed disagree about.
fn differences(documented: &Keys, printed: &Keys) -> Vec<String> {
    let mut found = Vec::new();
    for (key, kinds) in printed {
        match documented.get(key) {
            None => found.push(format!("{key} ({kinds:?}) is printed, and not in the table")),
            Some(known) if !kinds.is_subset(known) => {
                found.push(format!("{key} is printed as {kinds:?}, and the table says {known:?}"));
            }
            Some(_) => {}
        }
    }
    let silent = documented.keys().filter(|key| !printed.contains_key(*key) && !key.ends_with("[]"));
    found.extend(silent.map(|key| format!("{key} is in the table, and never printed")));
    found
}

/// What the table of a page and printed documents disagree about.
pub(crate) fn disagreements(page: &str, printed: &str) -> Vec<String> {
    differences(&documented(page, page), &keys_of(printed, None))
}

#[test]
fn the_tables_of_keys_say_what_is_printed() {
    // The rules of the one say nothing of what to do.
    let (records, rules, steps) = ("input/records.json", "input/rules.json", "input/respond.json");
    let (jsonl, json) = (["--format", "jsonl"], ["--format", "json"]);
    let replay = documented("replay", "replay");
    let mut diff = documented("diff", "diff");
    diff.extend(replay.clone());
    let mut wrong = Vec::new();
    let mut hold = |what: &str, documented: &Keys, arguments: &[&[&str]], kind: Option<&str>| {
        let mut all = Keys::new();
        for arguments in arguments {
            for (key, kinds) in printed(arguments, kind) {
                all.entry(key).or_default().extend(kinds);
            }
        }
        wrong.extend(differences(documented, &all).into_iter().map(|difference| format!("{what}: {difference}")));
    };
    for command in ["replay", "backtest"] {
        let of = |rules| [&[command, records, "--rules", rules][..], &jsonl].concat();
        hold(command, &replay, &[&of(rules), &of(steps)], None);
    }
    let of = |new| [&["diff", rules, new, records][..], &jsonl].concat();
    hold("diff", &diff, &[&of("input/changed.json"), &of(steps)], None);
    hold(
        "explain",
        &documented("explain", "explain"),
        &[rules, steps]
            .map(|rules| [&["explain", records, "--rules", rules][..], &jsonl].concat())
            .each_ref()
            .map(Vec::as_slice),
        None,
    );
    hold(
        "backtest json",
        &documented("backtest", "backtest"),
        // Of the rules that are good, some find nothing.
        &[
            &[&["backtest", records, "--rules", rules][..], &json].concat(),
            &[&["backtest", records, "--rules", "input/good.json"][..], &json].concat(),
            &[&["backtest", records, "--delivery", "--rules", rules][..], &json].concat(),
        ],
        None,
    );
    let wide = json!({"rules": [{"id": "W", "title": "t", "severity": "low", "when": {"source_ip": "^203"}}]});
    let temporary = tempfile::tempdir().unwrap();
    let wide = support::file(temporary.path(), "wide.json", wide.to_string()).display().to_string();
    hold("pattern", &documented("pattern", "pattern"), &[&["pattern", "--rules", &wide, "--format", "json"]], None);
    let learn = ["learn", "input/habits.json", "--rules", "input/habit-rules.json"];
    hold(
        "learn",
        &documented("learn", "learn"),
        &[&[&learn[..], &json].concat(), &[&learn[..], &["--against", "input/habits.json"], &json].concat()],
        None,
    );
    let folder = tempfile::tempdir().unwrap();
    let template = folder.path().join("spoke.yaml").display().to_string();
    let org = ["org", "--organization", "o-a1b2c3d4e5", "--hub-account", "111122223333", "--hub-region", "eu-west-1"];
    let of = ["--units", "r-ab12", "--regions", "eu-west-1", "--output", &template];
    hold("org", &documented("org", "org"), &[&[&org[..], &of, &jsonl].concat()], None);
    // Two rules of one id, of which the second has a mistake that is put right.
    let rule = |title: &str| {
        format!(r#"{{"id":"R","{title}":"t","severity":"low","when":{{"event":{{"is":"StopInstances"}}}}}}"#)
    };
    let fixable =
        support::file(folder.path(), "rules.json", format!(r#"{{"rules":[{},{}]}}"#, rule("title"), rule("titel")));
    let fixable = fixable.display().to_string();
    hold(
        "check",
        &documented("check", "check"),
        &[
            &[&["check", "input/wrong.json"][..], &json].concat(),
            &[&["check", "input/warned.json"][..], &json].concat(),
            &[&["check", &fixable][..], &json].concat(),
            &[&["check", &fixable, "--fix"][..], &json].concat(),
        ],
        None,
    );
    let rule = |id: &str, mode: &str, event: &str| {
        let when = if event.is_empty() { json!({"outcome": "failure"}) } else { json!({"event": {"is": event}}) };
        json!({"id": id, "title": "t", "severity": "low", "mode": mode, "when": when, "tags": ["attack.t1078", "attack.t9999"]})
    };
    let covered = json!({ "rules": [rule("a", "alert", "DeleteFlowLogs"), rule("b", "stage", "DeleteFlowLogs"), rule("c", "alert", "")] });
    let covered = support::file(folder.path(), "coverage.json", covered.to_string()).display().to_string();
    hold(
        "coverage",
        &documented("coverage", "coverage"),
        &[&["coverage", "--rules", &covered, "--format", "json"]],
        None,
    );
    let required = [&["test", "--rules", rules, "--require-tests"][..], &jsonl].concat();
    let mutated = [&["test", "--rules", "input/good.json", "--mutate"][..], &jsonl].concat();
    for kind in ["test", "untested", "mutant"] {
        hold(kind, &documented("test", kind), &[&required, &mutated], Some(kind));
    }
    assert!(wrong.is_empty(), "mend the tables below `## Keys` in docs/commands:\n{}", wrong.join("\n"));
}

#[test]
fn a_wrong_table_is_found() {
    let keys = |list: &[(&str, &str)]| {
        let mut keys = Keys::new();
        list.iter().for_each(|(key, kind)| add(&mut keys, (*key).to_owned(), kind));
        keys
    };
    let table = keys(&[("a", "string or null"), ("b", "array of numbers"), ("gone", "string")]);
    let printed = keys(&[("a", "number"), ("b", "array of strings"), ("new", "string")]);
    let found = differences(&table, &printed);
    let begins = |beginning: &str| found.iter().any(|difference| difference.starts_with(beginning));
    assert!(found.len() == 4 && ["a is", "b[] is", "new (", "gone is"].into_iter().all(begins), "{found:?}");
}
