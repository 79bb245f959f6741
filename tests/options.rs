//! The options that commands share, and what they say where there is nothing of a name.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{self, Run, offlimits, repository, run};

/// Two rules of the file's own, one of a pack, and an archive of two days.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let rule = |id: &str, severity: &str, event: &str| {
        json!({"id": id, "title": "{event} by {actor}", "severity": severity, "when": {"event": {"is": event}},
               "tests": [{"name": format!("it is {event}"), "event": {"eventName": event}, "expect": true}]})
    };
    let pack = json!({"rules": [rule("PACKED", "low", "DeleteTrail")]});
    let rules = json!({"include": ["pack.json"], "rules": [rule("BAD", "high", "StopLogging"), rule("MILD", "low", "StopLogging")]});
    std::fs::create_dir(folder.path().join("logs")).unwrap();
    support::file(folder.path(), "pack.json", pack.to_string());
    support::file(folder.path(), "rules.json", rules.to_string());
    let name = |day: &str| format!("111122223333_CloudTrail_us-east-1_{day}T0000Z_abcdefghijklmnop.json");
    for (day, id) in [("20260110", "a"), ("20260111", "b")] {
        let record = json!({"eventVersion": "1.11", "eventSource": "cloudtrail.amazonaws.com", "eventName": "StopLogging",
                            "eventID": id, "eventTime": "2026-01-10T00:00:00Z"});
        support::file(&folder.path().join("logs"), &name(day), json!({"Records": [record]}).to_string());
    }
    folder
}

fn within(folder: &Path, arguments: &[&str]) -> Run {
    let mut command = offlimits(arguments);
    command.current_dir(folder);
    run(command)
}

fn rules_of(run: &Run) -> String {
    let findings = run.findings();
    findings.iter().filter_map(|line| line["rule"].as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn rules_are_named_alike_by_every_command() {
    let folder = folder();
    std::fs::rename(folder.path().join("rules.json"), folder.path().join("mine.json")).unwrap();
    for command in ["check", "bundle"] {
        let (old, new) =
            (within(folder.path(), &[command, "mine.json"]), within(folder.path(), &[command, "--rules", "mine.json"]));
        assert_eq!((old.code, &old.stdout, &old.stderr), (new.code, &new.stdout, &new.stderr), "{command}");
        assert_ne!(old.code, Some(2), "{command}: {}", old.shown());
        let both = within(folder.path(), &[command, "mine.json", "--rules", "mine.json"]);
        assert_eq!(both.code, Some(2), "{command}");
        assert!(both.stderr.contains("cannot be used with"), "{command}: {}", both.shown());
        let none = within(folder.path(), &[command]);
        assert_eq!(none.code, Some(2), "{command}");
        assert!(none.stderr.contains("cannot read the rules: rules.json"), "{command}: {}", none.shown());
    }
}

#[test]
fn findings_are_picked_by_rule_severity_and_day() {
    let folder = folder();
    for (more, found) in [
        (&[][..], "BAD MILD BAD MILD"),
        (&["--rule", "MILD"], "MILD MILD"),
        (&["--rule", "MILD", "--rule", "PACKED"], "MILD MILD"),
        (&["--severity", "medium"], "BAD BAD"),
        (&["--since", "2026-01-11"], "BAD MILD"),
        (&["--since", "2026-01-11", "--severity", "high", "--rule", "BAD"], "BAD"),
        // Where nothing is read, nothing is answered.
        (&["--until", "2026-01-09"], ""),
        (&["--account", "444455556666"], ""),
    ] {
        let code = Some(if found.is_empty() { 2 } else { 0 });
        for command in ["replay", "backtest"] {
            let run = within(folder.path(), &[&[command, "logs", "--format", "jsonl"], more].concat());
            assert_eq!((run.code, rules_of(&run).as_str()), (code, found), "{command} {more:?}: {}", run.shown());
        }
    }
    let explained =
        within(folder.path(), &["explain", "logs", "--severity", "high", "--since", "2026-01-11", "--format", "jsonl"]);
    assert_eq!(rules_of(&explained), "BAD");
    for command in [
        &["replay", "."][..],
        &["backtest", "."],
        &["explain", "."],
        &["check"],
        &["test"],
        &["diff", "rules.json", "pack.json", "."],
    ] {
        let unknown = within(folder.path(), &[command, &["--rule", "BADD"]].concat());
        assert_eq!(unknown.code, Some(2), "{command:?}");
        assert!(
            unknown.stderr.contains("there is no rule \"BADD\": did you mean \"BAD\"?"),
            "{command:?}: {}",
            unknown.shown()
        );
        let wrong = within(folder.path(), &[command, &["--severity", "dire"]].concat());
        assert!(wrong.code == Some(2) && wrong.stderr.contains("write low, medium"), "{command:?}: {}", wrong.shown());
    }
}

#[test]
fn check_tells_of_some_rules_alone() {
    let folder = tempfile::tempdir().unwrap();
    let rules = r#"{"channels":{"night":{"type":"sns","regions":["eu-wets-1"]}},"rules":[
      {"id":"A","title":"t","severity":"low","when":{"event":{"is":"StrtInstances"}}},
      {"id":"B","title":"t","severity":"high","when":{"event":{"is":"StpInstances"}}}]}"#;
    support::file(folder.path(), "rules.json", rules);
    let codes = |more: &[&str]| {
        let run = within(folder.path(), &[&["check", "--format", "json"], more].concat());
        let document: Value = serde_json::from_str(&run.stdout).unwrap();
        let pointers =
            document["diagnostics"].as_array().unwrap().iter().map(|found| found["pointer"].as_str().unwrap());
        (run.code, pointers.map(str::to_owned).collect::<Vec<_>>().join(" "))
    };
    let (_, all) = codes(&[]);
    assert!(
        all.contains("/channels/night/regions/0") && all.contains("/rules/0/") && all.contains("/rules/1/"),
        "{all}"
    );
    let of = |index: usize| format!("/rules/{index}/when/event/is");
    assert_eq!(codes(&["--rule", "A"]), (Some(0), of(0)));
    assert_eq!(codes(&["--severity", "medium"]), (Some(0), of(1)));
    assert_eq!(codes(&["--rule", "A", "--deny", "warnings"]), (Some(1), of(0)));
    assert_eq!(codes(&["--rule", "A", "--severity", "high", "--deny", "notes"]), (Some(0), String::new()));
    // What keeps all rules from running is told whichever is asked about.
    support::file(folder.path(), "rules.json", rules.replace(r#""id":"B","title":"t""#, r#""id":"B""#));
    let broken = within(folder.path(), &["check", "--rule", "A"]);
    assert!(broken.code == Some(1) && broken.stderr.contains("title"), "{}", broken.shown());
}

#[test]
fn tests_are_picked_told_briefly_and_missed() {
    let folder = folder();
    let last = |arguments: &[&str]| {
        let run = within(folder.path(), &[&["test"], arguments].concat());
        (run.code, run.stdout.lines().count(), run.stderr.lines().last().unwrap_or_default().to_owned())
    };
    assert_eq!(last(&[]), (Some(0), 3, "3 tests of 3 rules: 3 passed".into()));
    assert_eq!(last(&["--mine"]), (Some(0), 2, "2 tests of 2 rules: 2 passed".into()));
    assert_eq!(last(&["--mine", "--severity", "high"]), (Some(0), 1, "1 test of 1 rule: 1 passed".into()));
    assert_eq!(last(&["--quiet"]), (Some(0), 0, "3 tests of 3 rules: 3 passed".into()));
    assert_eq!(last(&["-q", "--format", "jsonl"]), (Some(0), 0, "3 tests of 3 rules: 3 passed".into()));
    assert_eq!(last(&["-q", "--require-tests"]), (Some(1), 3, "3 tests of 3 rules: 3 passed, 3 missing".into()));
    assert_eq!(last(&["--rule", "PACKED", "--mine"]), (Some(0), 0, "no tests: there are no rules".into()));

    let untested = r#"{"rules":[{"id":"R","title":"t","severity":"low","when":{"event":"x"}}]}"#;
    let rules = support::file(folder.path(), "untested.json", untested);
    let run = within(folder.path(), &["test", "--rules", rules.to_str().unwrap()]);
    assert_eq!(run.code, Some(0));
    assert!(
        run.stderr.contains("note: nothing was tested") && run.stderr.ends_with("no tests: 1 rule carries none\n"),
        "{}",
        run.shown()
    );
}

#[test]
fn a_channel_that_is_not_there_is_told_with_those_that_are() {
    let explain = |rules: &str| {
        let folder = tempfile::tempdir().unwrap();
        support::file(folder.path(), "rules.json", rules);
        let event = repository("events/start-instances.json");
        within(folder.path(), &["explain", event.to_str().unwrap(), "--channel", "NOPE"])
    };
    let rules = |channels: &str| {
        format!(r#"{{{channels}"rules":[{{"id":"R","title":"t","severity":"low","when":{{"event":"x"}}}}]}}"#)
    };
    for (channels, told) in [
        ("", "help: the only channel is topic"),
        (
            r#""channels":{"soc":{"type":"sns"},"night":{"type":"sns"},"day":{"type":"sns"}},"#,
            "help: the channels are soc, night and day",
        ),
    ] {
        let run = explain(&rules(channels));
        assert_eq!(run.code, Some(2));
        assert!(
            run.stderr.contains("error: there is no channel \"NOPE\"\n") && run.stderr.contains(told),
            "{}",
            run.shown()
        );
    }
}

#[test]
fn the_help_fits_its_terminal_and_names_every_exit_code() {
    for columns in [80, 100] {
        let mut command = offlimits(["--help"]);
        command.env("COLUMNS", columns.to_string());
        let help = run(command).stdout;
        let examples = help.split("Examples:").nth(1).unwrap();
        for line in examples.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        for command in ["offlimits replay AWSLogs/ --format jsonl | jq .actor\n", "offlimits test --mutate\n"] {
            assert!(examples.contains(command), "{examples}");
        }
        for code in ["  0 ", "  1 ", "  2 ", "  130 "] {
            assert!(examples.lines().any(|line| line.starts_with(code)), "{code}: {examples}");
        }
        let order: Vec<usize> = [
            "init",
            "new-rule",
            "check",
            "test",
            "replay",
            "backtest",
            "diff",
            "package",
            "bundle",
            "status",
            "completions",
        ]
        .iter()
        .map(|name| help.find(&format!("\n  {name} ")).unwrap_or_else(|| panic!("{name}: {help}")))
        .collect();
        assert!(order.is_sorted(), "{help}");
    }
}

#[test]
fn a_difference_is_listed_with_what_it_was() {
    let folder = folder();
    let rules = |severity: &str, event: &str, notify: &str| {
        format!(
            r#"{{"channels":{{"soc":{{"type":"sns"}},"night":{{"type":"sns"}}}},"rules":[{{"id":"R","title":"{{event}}","severity":"{severity}","when":{{"event":{{"is":"{event}"}}}}{notify}}}]}}"#
        )
    };
    support::file(folder.path(), "old.json", rules("very-high", "StopLogging", ""));
    support::file(folder.path(), "new.json", rules("low", "StopLogging", r#","notify":["soc"]"#));
    support::file(folder.path(), "other.json", rules("low", "DeleteTrail", ""));
    let name = "logs/111122223333_CloudTrail_us-east-1_20260110T0000Z_abcdefghijklmnop.json";
    let diff =
        |old: &str, new: &str, more: &[&str]| within(folder.path(), &[&["diff", old, new, name], more].concat()).stdout;
    let changed = diff("old.json", "new.json", &[]);
    for part in [
        "~ very-high -> low  StopLogging  R\n",
        "    to soc, night -> soc\n",
        "0 findings added, 0 removed, 1 changed, 0 as before in 1 record from 1 file",
        "R: very-high -> low in 1 finding\n",
    ] {
        assert!(changed.contains(part), "{part} in {changed}");
    }
    assert!(diff("old.json", "other.json", &[]).starts_with("- very-high  StopLogging  R\n"));
    let added = diff("other.json", "old.json", &[]);
    assert!(added.starts_with("+ very-high  StopLogging  R\n    2026-01-10T00:00:00Z, record 0 of "), "{added}");
    assert!(added.contains("\n1 finding added, 0 removed"), "{added}");
    // A finding that is as bad as asked in one of the two is shown with both.
    assert!(diff("old.json", "new.json", &["--severity", "high"]).contains("~ very-high -> low"));
    assert!(!diff("other.json", "new.json", &["--severity", "high"]).contains("+ "));

    let record = |id: usize| json!({"eventVersion": "1.11", "eventName": "StopLogging", "eventSource": "cloudtrail.amazonaws.com", "eventID": id.to_string()});
    let many: Vec<Value> = (0..25).map(record).collect();
    support::file(folder.path(), name, json!({"Records": many}).to_string());
    let few = diff("other.json", "old.json", &[]);
    assert!(few.contains("and 5 more: --all lists them\n") && few.matches("+ very-high").count() == 20, "{few}");
    let all = diff("other.json", "old.json", &["--all"]);
    assert!(!all.contains(" more") && all.matches("+ very-high").count() == 25, "{all}");
}

/// The device that is always full is Linux's.
#[cfg(target_os = "linux")]
#[test]
fn a_message_that_nobody_can_read_changes_no_exit_code() {
    let folder = folder();
    for arguments in [&["test"][..], &["check"], &["replay", "logs"], &["backtest", "logs"], &["backtest", "nowhere"]] {
        let heard = within(folder.path(), arguments).code;
        let mut command = offlimits(arguments);
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let code = command
            .current_dir(folder.path())
            .stdout(std::process::Stdio::null())
            .stderr(full)
            .status()
            .unwrap()
            .code();
        assert_eq!(code, heard, "{arguments:?}");
    }
}
