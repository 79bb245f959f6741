//! `check --fix` on wrong files, each with what its author meant beside it (`cases.diff`), and what it must never do.

use std::fs;
use std::path::Path;

use offlimits::ruleset::{RuleSet, Sources};

use crate::support::{self, Run};

/// A wrong file and the right one.
struct Case {
    name: String,
    wrong: String,
    right: String,
}

fn cases() -> Vec<Case> {
    let text = fs::read_to_string(support::repository("tests/fixes/cases.diff")).unwrap();
    let cases = text.split("\n# ").skip(1).map(|case| {
        let (name, lines) = case.split_once('\n').unwrap();
        let of = |side: char| -> String {
            let end = if name.ends_with("(crlf)") { "\r\n" } else { "\n" };
            let lines = lines.lines().filter(|line| line.starts_with(' ') || line.starts_with(side));
            lines.flat_map(|line| [&line[2..], end]).collect()
        };
        Case { name: name.to_owned(), wrong: of('-'), right: of('+') }
    });
    cases.collect()
}

fn check(rules: &Path, arguments: &[&str]) -> Run {
    let mut command = support::offlimits(["check"]);
    command.arg(rules).args(arguments);
    support::run(command)
}

/// Each wrong file becomes exactly the right one, which passes, and which a second run leaves alone.
#[test]
fn each_wrong_file_becomes_what_its_author_meant() {
    let cases = cases();
    assert!(cases.len() >= 60, "{}", cases.len());
    let mut wrong = Vec::new();
    for Case { name, wrong: text, right } in &cases {
        let folder = tempfile::tempdir().unwrap();
        let rules = support::file(folder.path(), "rules.json", text);
        let first = check(&rules, &["--fix"]);
        let fixed = fs::read_to_string(&rules).unwrap();
        if fixed != *right || first.code != Some(0) || !first.stderr.contains("fixed: ") {
            wrong.push(format!("{name}: {}\n{fixed}", first.shown()));
            continue;
        }
        let second = check(&rules, &["--fix"]);
        if fs::read_to_string(&rules).unwrap() != *right || second.stderr.contains("fixed: ") {
            wrong.push(format!("{name}, again: {}", second.shown()));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// What is compared above as a text means the same too: the bundles, from which the function starts, are one.
#[test]
fn the_right_files_are_right_and_the_wrong_ones_are_not() {
    for Case { name, wrong, right } in cases() {
        let sources = |text: &str| {
            Sources::gather(text, |pack| {
                Ok(fs::read_to_string(support::repository(pack)).unwrap_or_else(|error| panic!("{pack}: {error}")))
            })
        };
        assert!(RuleSet::compile_sources(&sources(&right)).is_ok(), "{name}: {right}");
        assert_ne!(wrong, right, "{name}");
    }
}

/// What is wrong and has more than one answer, or may be meant: nothing of it is changed.
#[test]
fn what_may_be_meant_otherwise_is_left_alone() {
    let rule = |keys: &str| format!("{{ \"rules\": [ {{ \"id\": \"R\", \"title\": \"t\", {keys} }} ] }}\n");
    let when = |cells: &str| rule(&format!(r#""severity": "low", "when": {{ {cells} }}"#));
    let ec2 = r#""service": { "is": "ec2.amazonaws.com" }"#;
    for text in [
        // Two severities may be meant.
        rule(r#""severity": "critical", "when": { "event": { "is": "StopInstances" } }"#),
        // A call that AWS may have made since.
        when(&format!(r#"{ec2}, "event": {{ "is": "RunInstancesV2" }}"#)),
        when(&format!(r#"{ec2}, "event": {{ "is": "StopInstance" }}"#)),
        // The opposite of the call.
        when(r#""service": { "is": "cloudtrail.amazonaws.com" }, "event": { "is": "!StopLogging" }"#),
        when(r#""service": { "is": "cloudtrail.amazonaws.com" }, "event": "!StopLogging""#),
        // A role's name alone is that of other accounts' roles, too.
        when(&format!(
            r#"{ec2}, "event": {{ "is": "StopInstances" }}, "role": {{ "is": "arn:aws:iam::111122223333:role/X" }}"#
        )),
        // Two calls are as near.
        when(&format!(r#"{ec2}, "event": {{ "is": "xxtachVolume" }}"#)),
        // An id with a zero at its beginning, or a number.
        when(&format!(r#"{ec2}, "event": {{ "is": "StopInstances" }}, "account": {{ "is": 012345678901 }}"#)),
        // Both values may count.
        when(&format!(r#"{ec2}, {ec2}, "event": {{ "is": "StopInstances" }}"#).replacen("ec2", "rds", 1)),
        // Any of the two may be the key that is meant.
        rule(r#""severity": "low", "sevrity": "high", "when": { "event": { "is": "StopInstances" } }"#),
        // Where a text without an end was to end.
        rule("\"severity\": \"low,\n \"when\": { \"event\": { \"is\": \"StopInstances\" } }"),
        "{ \"rules\": [\n<<<<<<< ours\n]\n=======\n{}]\n>>>>>>> theirs\n}\n".to_owned(),
        // What would be wrapped lies too deep to be read.
        when(&format!(
            r#"{ec2}, "event": {}{{ "is": "StopInstances" }}{}"#,
            r#"{ "not": "#.repeat(140),
            " }".repeat(140)
        )),
        when(&format!(
            r#"{ec2}, "event": {}{{ "is": "StopInstances" }}{}"#,
            r#"{ "all": [ "#.repeat(70),
            " ] }".repeat(70)
        )),
        // A credential would be lost.
        r#"{ "channels": { "a": { "type": "slack", "webhook_url": "https://hooks.slack.com/services/T/B/x" } },
             "include": [ "packs/cis-monitoring.json" ] }"#
            .to_owned(),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let rules = support::file(folder.path(), "rules.json", &text);
        let run = check(&rules, &["--fix"]);
        assert_eq!(fs::read_to_string(&rules).unwrap(), text, "{}", run.shown());
        assert!(!run.stderr.contains("fixed: "), "{}", run.shown());
        assert!(!run.shown().contains("hooks.slack.com"), "{}", run.shown());
    }
}

const WRONG_PACK: &str = r#"{ "rules": [ { "id": "P", "titel": "t", "severity": "low",
  "when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StopInstances" } } } ] }"#;

/// What is not UTF-8 is refused with its place, instead of read as something that nobody has written.
#[test]
fn what_is_not_utf_8_is_refused_and_left_alone() {
    let rules = "{ \"rules\": [ { \"id\": \"R\", \"title\": \"t\", \"severity\": \"low\",\n \"when\": { \"user\": { \"is\": \"Jérôme\" } } } ] }";
    // Each letter of these is one byte of Latin-1.
    let latin_1: Vec<u8> = rules.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
    let utf_16 = |mark: &[u8], bytes: fn(u16) -> [u8; 2]| {
        [mark, &rules.encode_utf16().flat_map(bytes).collect::<Vec<u8>>()].concat()
    };
    let at = "in line 2, column 30 stands the byte 0xE9: save the file as UTF-8";
    for (name, bytes, said) in [
        ("Latin-1", latin_1, at),
        (
            "UTF-16, little end first",
            utf_16(&[0xff, 0xfe], u16::to_le_bytes),
            "not UTF-8, but UTF-16: save the file as UTF-8",
        ),
        (
            "UTF-16, big end first",
            utf_16(&[0xfe, 0xff], u16::to_be_bytes),
            "not UTF-8, but UTF-16: save the file as UTF-8",
        ),
        ("UTF-16 without a mark", utf_16(&[], u16::to_le_bytes), "not UTF-8, but UTF-16: save the file as UTF-8"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rules.json");
        fs::write(&path, &bytes).unwrap();
        let run = check(&path, &["--fix"]);
        assert_eq!(run.code, Some(2), "{name}: {}", run.shown());
        assert!(run.stderr.contains(said), "{name}: {}", run.stderr);
        assert_eq!(fs::read(&path).unwrap(), bytes, "{name}");
        // The same of a pack, and of the names of accounts.
        for beside in ["pack.json", "accounts.json"] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join(beside), &bytes).unwrap();
            let root = support::file(folder.path(), "rules.json", r#"{ "include": [ "pack.json" ] }"#);
            let run = check(&root, &[]);
            let expected = if beside == "pack.json" { Some(1) } else { Some(2) };
            assert_eq!(run.code, expected, "{name} {beside}: {}", run.shown());
            assert!(run.stderr.contains(said), "{name} {beside}: {}", run.stderr);
        }
    }
}

/// A pack beside the rules is put right as they are; one that lies elsewhere is told of, and left alone.
#[test]
fn a_pack_outside_of_the_rules_folder_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    fs::create_dir(&home).unwrap();
    let outside = support::file(folder.path(), "outside.json", WRONG_PACK.replace("\"P\"", "\"O\""));
    let inside = support::file(&home, "inside.json", WRONG_PACK);
    let rules = support::file(&home, "rules.json", r#"{ "include": [ "inside.json", "../outside.json" ], }"#);
    let run = check(&rules, &["--fix"]);
    assert_eq!(run.code, Some(1), "{}", run.shown());
    assert!(fs::read_to_string(&inside).unwrap().contains("\"title\""), "{}", run.shown());
    assert!(fs::read_to_string(&outside).unwrap().contains("\"titel\""), "{}", run.shown());
    assert_eq!(fs::read_to_string(&rules).unwrap(), r#"{ "include": [ "inside.json", "../outside.json" ] }"#);
    assert!(run.stderr.contains("outside.json: it lies outside of the folder"), "{}", run.shown());
}

/// A file that is packed, or begins with a mark, or is only readable for some stays what it is.
#[test]
fn the_rest_of_a_file_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let text = "\u{feff}\t{ \"rules\": [ { \"id\": \"R\",\"titel\":  \"é\",\r\n \"severity\": \"low\", \"when\": {\"service\": {\"is\": \"ec2.amazonaws.com\"}, \"event\": {\"is\": \"StopInstances\"} } } ] }  \n\n";
    let rules = support::file(folder.path(), "rules.json", text);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&rules, fs::Permissions::from_mode(0o640)).unwrap();
    }
    let run = check(&rules, &["--fix"]);
    assert_eq!(run.code, Some(0), "{}", run.shown());
    assert_eq!(fs::read_to_string(&rules).unwrap(), text.replace("titel", "title"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&rules).unwrap().permissions().mode() & 0o777, 0o640);
    }
}

/// Programs are told of the fixes, and with `--fix` of what was changed.
#[test]
fn json_carries_the_fixes() {
    let folder = tempfile::tempdir().unwrap();
    let rules = support::file(folder.path(), "rules.json", WRONG_PACK);
    let document = |arguments: &[&str]| -> serde_json::Value {
        serde_json::from_str(&check(&rules, &[arguments, &["--format", "json"]].concat()).stdout).unwrap()
    };
    let before = document(&[]);
    let at = WRONG_PACK.find("\"titel\"").unwrap();
    let edits = serde_json::json!([{ "start": at, "end": at + 7, "line": 1, "column": at + 1, "end_line": 1,
                                     "end_column": at + 8, "text": "\"title\"" }]);
    let with_fix: Vec<_> = before["diagnostics"].as_array().unwrap().iter().filter(|d| !d["fix"].is_null()).collect();
    assert_eq!((with_fix.len(), &with_fix[0]["fix"]["edits"]), (1, &edits), "{before}");
    assert!(before.get("fixed").is_none());
    let after = document(&["--fix"]);
    assert_eq!((&after["errors"], after["fixed"].as_array().unwrap().len()), (&0.into(), 1));
    assert_eq!(after["fixed"][0]["before"], "\"titel\"");
}
