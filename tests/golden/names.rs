//! Names: codes, exit codes, commands and options, metrics, what a stack is made of, variables, and the keys of rules.json.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::compare::{Hold, READ_BY_SCRIPTS, check, fixture, path, shape};
use super::product::{account, codes, compiled, lints, metrics, schema};
use crate::support::{Run, offlimits, repository, run};

/// Rules that are wrong, and what is said of each. A further one is added to `codes.json` by hand, with no codes, and then
/// written.
#[test]
fn mistakes_have_their_codes() {
    let was = fixture("codes.json");
    let now: Map<String, Value> =
        was.as_object().unwrap().keys().map(|source| (source.clone(), json!(codes(source)))).collect();
    check("codes.json", &now.into(), Hold::Same, READ_BY_SCRIPTS);
}

/// Every code: `tests/diagnostics` holds the sections of the page to the codes that the source has.
#[test]
fn no_code_has_gone() {
    let page = std::fs::read_to_string(repository("docs/diagnostics.md")).unwrap();
    let all: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let now = json!({ "codes": all, "lints": lints() });
    check("all_codes.json", &now, Hold::AtLeast, READ_BY_SCRIPTS);
    for code in all {
        assert_eq!(run(offlimits(["check", "--explain", code])).code, Some(0), "{code}");
    }
}

fn input(name: &str) -> String {
    path("input").join(name).to_str().unwrap().to_owned()
}

#[test]
fn commands_end_with_their_exit_codes() {
    let (rules, records, nowhere) = (input("rules.json"), input("records.json"), input("nowhere.json"));
    let (good, wrong) = (input("good.json"), input("wrong.json"));
    let cases: [&[&str]; 21] = [
        &["check", &good],
        &["check", &wrong],
        &["check", &rules],
        &["check", &rules, "--deny", "warnings"],
        &["check", &rules, "--deny", "notes"],
        &["check", &nowhere],
        &["check", "--explain", "no-such-code"],
        &["bundle", &good],
        &["bundle", &wrong],
        &["replay", &records, "--rules", &good],
        &["replay", &records, "--rules", &wrong],
        &["replay", &nowhere, "--rules", &good],
        &["backtest", &records, "--rules", &good],
        &["backtest", &records, "--rules", &good, "--max-per-day", "0"],
        &["backtest", &nowhere, "--rules", &good, "--max-per-day", "0"],
        &["diff", &good, &rules, &records, "--max-per-day", "0"],
        &["test", "--rules", &good, "--require-tests"],
        &["test", "--rules", &good],
        &["test", "--rules", &rules],
        &["schema"],
        &["no-such-command"],
    ];
    let folder = path("input");
    let now: Map<String, Value> = cases
        .iter()
        .map(|arguments| {
            let Run { code, .. } = run(offlimits(*arguments));
            let said = arguments.join(" ").replace(&format!("{}/", folder.display()), "");
            (said, json!(code))
        })
        .collect();
    check("exit_codes.json", &now.into(), Hold::Same, READ_BY_SCRIPTS);
}

/// Ctrl-C, while a file is being read.
#[cfg(unix)]
#[test]
fn an_interrupted_command_ends_with_130() {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.json");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut command = offlimits(["backtest", "--threads", "1", "--rules", &input("good.json")]);
    let mut child = command.arg(&pipe).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // It opens once the command reads it; a command that ends before never does.
    let opening = std::thread::spawn(move || std::fs::OpenOptions::new().write(true).open(pipe).unwrap());
    while !opening.is_finished() {
        assert_eq!(child.try_wait().unwrap(), None, "it ended before it read");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let mut writer = opening.join().unwrap();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    std::thread::sleep(std::time::Duration::from_millis(300));
    writer.write_all(&std::fs::read(path("input/records.json")).unwrap()).unwrap();
    drop(writer);
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

/// The commands below one, and its options: short and long names, and the words that an option takes.
fn usage(command: &[&str], all: &mut Map<String, Value>) {
    let mut arguments = command.to_vec();
    arguments.push("--help");
    let help = run(offlimits(&arguments));
    assert_eq!(help.code, Some(0), "{command:?}");
    let (mut commands, mut options, mut positional, mut section) = (Vec::new(), Vec::new(), Vec::new(), "");
    for line in help.stdout.lines() {
        if !line.starts_with(' ') && line.ends_with(':') {
            section = line;
            continue;
        }
        let entry = line.strip_prefix("  ").unwrap_or_default();
        match section {
            "Commands:" if entry.starts_with(|c: char| c.is_ascii_lowercase()) => {
                commands.extend(entry.split_whitespace().next());
            }
            "Arguments:" if entry.starts_with(['<', '[']) => positional.extend(entry.split_whitespace().next()),
            "Options:" if entry.trim_start().starts_with('-') && !entry.trim_start().starts_with("- ") => {
                let names = entry.split_whitespace().take_while(|word| word.starts_with(['-', '<', '[']));
                options.extend(names.filter(|name| name.starts_with('-')).map(|name| name.trim_end_matches(',')));
            }
            _ => {}
        }
    }
    assert!(!options.is_empty(), "{command:?}: {}", help.stdout);
    let words: Vec<&str> = help.stdout.lines().filter_map(word).collect();
    let entry = json!({ "commands": commands, "options": options, "arguments": positional, "words": words });
    all.insert(["offlimits"].iter().chain(command).copied().collect::<Vec<_>>().join(" "), entry);
    for name in commands.into_iter().filter(|name| *name != "help") {
        usage(&[command, &[name]].concat(), all);
    }
}

/// `- human:  For people`: a word that an option takes.
fn word(line: &str) -> Option<&str> {
    let word = line.trim_start().strip_prefix("- ")?.split(':').next()?;
    (!word.contains(' ')).then_some(word)
}

#[test]
fn commands_and_options_have_their_names() {
    let mut now = Map::new();
    usage(&[], &mut now);
    check("usage.json", &now.into(), Hold::AtLeast, READ_BY_SCRIPTS);
}

#[test]
fn metrics_have_their_names() {
    let line: Value = serde_json::from_str(&metrics(&account())).unwrap();
    check("metrics.json", &line, Hold::Same, READ_BY_SCRIPTS);
}

/// The indented keys of a YAML block, each with what stands behind it.
fn members<'t>(lines: &[&'t str], indent: usize) -> Vec<(&'t str, &'t str, usize)> {
    let is_member = |line: &&str| {
        line.len() > indent
            && line[..indent].trim().is_empty()
            && line[indent..].starts_with(|c: char| c.is_ascii_alphanumeric())
            && line.contains(':')
    };
    let pairs = lines.iter().enumerate().filter(|(_, line)| is_member(line));
    pairs
        .map(|(number, line)| {
            let (key, value) = line.trim().split_once(':').unwrap();
            (key, value.split(" #").next().unwrap_or_default().trim(), number)
        })
        .collect()
}

/// Each member of a block, with its own lines.
fn blocks<'t>(lines: &[&'t str], indent: usize) -> BTreeMap<&'t str, Vec<&'t str>> {
    let members = members(lines, indent);
    let ends = members.iter().skip(1).map(|(_, _, number)| *number).chain([lines.len()]);
    members.iter().zip(ends).map(|((key, _, number), end)| (*key, lines[number + 1..end].to_vec())).collect()
}

/// What a stack that is out there was made with. A resource that loses its logical id is deleted, with what it holds.
#[test]
fn a_stack_keeps_its_parameters_outputs_and_resources() {
    let text = std::fs::read_to_string(repository("template.yaml")).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let sections = blocks(&lines, 0);
    let names = |section: &str| blocks(&sections[section], 2).into_keys().collect::<Vec<_>>();
    let kinds: BTreeMap<&str, &str> = blocks(&sections["Resources"], 2)
        .into_iter()
        .map(|(id, lines)| (id, members(&lines, 4).into_iter().find(|(key, _, _)| *key == "Type").unwrap().1))
        .collect();
    let defaults: BTreeMap<&str, BTreeMap<&str, &str>> = blocks(&sections["Parameters"], 2)
        .into_iter()
        .map(|(name, lines)| {
            let kept = |key: &str| matches!(key, "Type" | "Default" | "AllowedValues" | "AllowedPattern");
            let members = members(&lines, 4).into_iter().filter(|(key, _, _)| kept(key));
            (name, members.map(|(key, value, _)| (key, value)).collect())
        })
        .collect();
    let resources = blocks(&sections["Resources"], 2);
    let whole = |id: &str| resources[id].iter().map(|line| line.trim()).collect::<Vec<_>>();
    let variables: Vec<&str> = resources["Function"]
        .iter()
        .filter_map(|line| line.trim().split_once(':').map(|(name, _)| name))
        .filter(|name| name.starts_with("OFFLIMITS_"))
        .collect();
    // Metrics that alarms watch.
    let watched: Vec<&str> = lines
        .iter()
        .map(|line| line.trim())
        .filter(|line| line.starts_with("MetricName:") || line.starts_with("Namespace:"))
        .collect();
    let now = json!({
        "parameters": defaults, "outputs": names("Outputs"), "resources": kinds, "table": whole("Ledger"),
        "variables": variables, "watched": watched,
    });
    assert!(kinds.len() > 20 && variables.len() >= 7 && !whole("Ledger").is_empty(), "{now}");
    check("stack.json", &now, Hold::AtLeast, READ_BY_SCRIPTS);
}

#[cfg(feature = "lambda")]
#[test]
fn variables_are_read_by_their_names() {
    use super::product::settings;

    // A variable that counts only beside another has it here.
    let beside = [("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")];
    let names = fixture("variables.json");
    for name in names.as_array().unwrap().iter().map(|name| name.as_str().unwrap()) {
        let other = beside.iter().find(|(one, _)| *one == name).map(|(_, other)| (*other, "x"));
        let read = |value: &str| {
            let variables: Vec<(&str, &str)> = other.into_iter().chain([(name, value)]).collect();
            format!("{:?}", settings(&variables))
        };
        assert_ne!(read("true"), read(""), "{name} is not read any more. {READ_BY_SCRIPTS}");
    }
}

/// Follows a schema from its root: every key, by its place, and the words that a value may be.
fn keys(schema: &Value, root: &Value, place: &str, open: &mut Vec<String>, all: &mut BTreeMap<String, Vec<String>>) {
    if let Some(reference) = schema["$ref"].as_str() {
        if open.iter().any(|other| other == reference) {
            return;
        }
        open.push(reference.to_owned());
        keys(root.pointer(reference.trim_start_matches('#')).unwrap(), root, place, open, all);
        open.pop();
    }
    let words = all.entry(place.to_owned()).or_default();
    let listed = schema["enum"].as_array().into_iter().flatten().chain(schema.get("const"));
    words.extend(listed.map(Value::to_string));
    words.extend(schema["type"].as_str().map(str::to_owned));
    let is_row = schema["properties"]["event"].is_object() && schema["properties"]["service"].is_object();
    for (key, schema) in schema["properties"].as_object().into_iter().flatten() {
        let place = format!("{place}/{key}");
        // Every field of a row is asked in the same ways: they are followed once.
        if is_row && key != "event" {
            all.entry(place).or_default();
        } else {
            keys(schema, root, &place, open, all);
        }
    }
    for (key, place) in [("items", format!("{place}/*")), ("additionalProperties", format!("{place}/(name)"))] {
        if schema[key].is_object() {
            keys(&schema[key], root, &place, open, all);
        }
    }
    for (pattern, schema) in schema["patternProperties"].as_object().into_iter().flatten() {
        keys(schema, root, &format!("{place}/({pattern})"), open, all);
    }
    for choice in ["anyOf", "oneOf", "allOf"] {
        for schema in schema[choice].as_array().into_iter().flatten() {
            keys(schema, root, place, open, all);
        }
    }
}

#[test]
fn rules_have_their_keys() {
    let schema: Value = serde_json::from_str(&schema()).unwrap();
    let mut all = BTreeMap::new();
    keys(&schema, &schema, "", &mut Vec::new(), &mut all);
    for words in all.values_mut() {
        words.sort();
        words.dedup();
    }
    assert!(all.len() > 200, "{}", all.len());
    check("rules_keys.json", &json!(all), Hold::AtLeast, READ_BY_SCRIPTS);
}

/// The bundle is what runs, and its digest is in every alert.
#[test]
fn a_bundle_is_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (rules, output) = (input("rules.json"), folder.path().join("rules.json"));
    let done = run(offlimits(["bundle", &rules, "--output", output.to_str().unwrap()]));
    assert_eq!(done.code, Some(0), "{}", done.shown());
    let mut files: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["rules.index", "rules.json"]);
    let bundle = std::fs::read_to_string(output).unwrap();
    let now = json!({ "bundle": bundle, "digest": &**compiled(&bundle).digest() });
    check("bundle.json", &now, Hold::Same, READ_BY_SCRIPTS);
}

/// A file of every key, and of every operator, that there was: it compiles. What is wrong with none of them is not asked.
#[test]
fn rules_of_then_compile() {
    let every = std::fs::read_to_string(path("input/every-key.json")).unwrap();
    let rules = compiled(&every);
    check("every_key.json", &json!({ "digest": &**rules.digest() }), Hold::Same, READ_BY_SCRIPTS);
    // Every key of a rule, of a file and of a channel that the schema has is in it.
    let every = shape([&serde_json::from_str(&every).unwrap()]);
    let known: Vec<String> = every.as_object().unwrap().keys().cloned().collect();
    let listed = fixture("rules_keys.json");
    for place in listed.as_object().unwrap().keys() {
        let Some(key) = place.rsplit('/').next().filter(|key| !key.is_empty() && !key.starts_with(['(', '*'])) else {
            continue;
        };
        let is_there = known.iter().any(|known| known.rsplit('/').next() == Some(key));
        // Of packs alone, and what has come since: the digest of the file is held to what it was.
        let packs = ["include", "pack", "overrides", "content"].contains(&key);
        let since = [
            "account_name",
            "account_names",
            "acting_service",
            "alert_tags",
            "country",
            "delegate",
            "deployment",
            "do",
            "incident",
            "max_severity",
            "fields",
            "format",
            "issue_type",
            "labels",
            "lineage",
            "needs",
            "needs_events",
            "node",
            "ou",
            "own_resource",
            "partition",
            "project",
            "reopen",
            "respond",
            "responders",
            "run",
            "set_priority",
            "since",
            "site",
            "sms_length",
            "source_identity",
            "source_instance",
            "source_network",
            "shared",
            "stage_new_since",
            "target",
            "sso_role",
            "sso_start_url",
            "time_zone",
            "units",
            "userIdentityType",
        ];
        let elsewhere =
            packs || since.contains(&key) || offlimits::facts::DERIVED.iter().any(|field| field.name == key);
        assert!(is_there || elsewhere, "input/every-key.json has no {place}");
    }
}
