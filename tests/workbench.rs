//! The rule author's commands, run as a person would: `offlimits test`, `offlimits check`.

use std::path::Path;

use serde_json::{Value, json};

use crate::support;

/// One rule, with these keys beyond the needed ones.
fn rule(keys: &Value) -> Value {
    let mut rule = json!({"id": "R", "title": "t", "severity": "low"});
    rule.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    rule
}

/// Runs `offlimits test` on these rules.
fn test(rules: &[Value], arguments: &[&str]) -> support::Run {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("events")).unwrap();
    let log = json!({"Records": [{"eventVersion": "1.11", "eventName": "GetUser"}, {"eventVersion": "1.11", "eventName": "DeleteUser"}]});
    support::file(folder.path(), "events/log.json", log.to_string());
    let rules = support::file(folder.path(), "rules.json", json!({ "rules": rules }).to_string());
    run(&rules, arguments)
}

fn run(rules: &Path, arguments: &[&str]) -> support::Run {
    let mut command = support::offlimits(["test", "--rules"]);
    command.arg(rules).args(arguments);
    support::run(command)
}

fn last_line(run: &support::Run) -> &str {
    run.stderr.lines().last().unwrap_or_default()
}

#[test]
fn the_shipped_rules_pass_their_tests() {
    let run = run(&support::repository("rules.json"), &["--require-tests"]);
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.shown());
    assert!(run.stdout.lines().all(|line| line.starts_with("ok ")), "{}", run.stdout);
}

#[test]
fn files_are_relative_to_the_rules_and_may_hold_several_records() {
    let tests = json!([
        {"name": "one of two", "event": "events/log.json", "expect": true},
        {"name": "inline", "event": {"eventName": "GetUser"}, "expect": false},
        {"name": "an envelope", "event": {"detail-type": "AWS API Call via CloudTrail", "detail": {"eventName": "DeleteUser"}}, "expect": true, "row": 1}
    ]);
    let rules = [rule(&json!({"when": [{"event": "DeleteRole"}, {"event": "DeleteUser"}], "tests": tests}))];
    let run = test(&rules, &[]);
    assert_eq!((run.code, last_line(&run)), (Some(0), "3 tests of 1 rule: 3 passed"), "{}", run.stdout);
}

#[test]
fn a_failure_says_which_cell_found_what() {
    let rules = [rule(&json!({
        "when": [{"event": {"is": "DeleteUser"}, "region": "eu-west-1"}, {"event": "StopLogging"}],
        "unless": [{"when": {"user": "ci"}, "reason": "deploys"}],
        "mode": "off",
        "tests": [
            {"name": "near", "event": {"eventName": "DeleteUser", "awsRegion": "us-east-1"}, "expect": true},
            {"name": "allowed", "event": {"eventName": "StopLogging", "userIdentity": {"type": "IAMUser", "userName": "ci"}}, "expect": true},
            {"name": "loose", "event": {"eventName": "StopLogging"}, "expect": false},
            {"name": "elsewhere", "event": {"eventName": "StopLogging"}, "expect": true, "row": 0}
        ]
    }))];
    let run = test(&rules, &[]);
    assert_eq!(run.code, Some(1), "{}", run.shown());
    for part in [
        "FAILED  R: near\n  expected a match, and no row matches; row 0 is the nearest:\n      yes  event {\"is\":\"DeleteUser\"}  (found \"DeleteUser\")\n      no   region \"eu-west-1\"  (found \"us-east-1\")\n",
        "FAILED  R: allowed\n  expected a match, and exception 0 allows it: deploys\n      yes  user \"ci\"  (found \"ci\")\n",
        "FAILED  R: loose\n  expected no match, and row 1 matches:\n",
        "FAILED  R: elsewhere\n  expected row 0 to be the first that matches, and row 1 is:\n",
    ] {
        assert!(run.stdout.contains(part), "{part}\nin:\n{}", run.stdout);
    }
    let lines = test(&rules, &["--format", "jsonl"]).findings();
    let outcomes: Vec<_> = lines.iter().map(|line| (&line["outcome"], &line["row"], &line["exception"])).collect();
    let failed = json!("failed");
    assert_eq!(
        outcomes,
        [
            (&failed, &Value::Null, &Value::Null),
            (&failed, &Value::Null, &json!(0)),
            (&failed, &json!(1), &Value::Null),
            (&failed, &json!(1), &Value::Null)
        ]
    );
}

#[test]
fn unreadable_events_are_named() {
    let tests = json!([
        {"name": "gone", "event": "events/gone.json", "expect": false},
        {"name": "fine", "event": {"eventName": "x"}, "expect": true}
    ]);
    let run = test(&[rule(&json!({"when": {"event": "x"}, "tests": tests}))], &[]);
    assert_eq!((run.code, last_line(&run)), (Some(2), "2 tests of 1 rule: 1 passed, 1 unreadable"));
    assert!(run.stdout.contains("cannot read its event: events/gone.json"), "{}", run.stdout);
}

#[test]
fn tests_are_required_on_request() {
    let rules =
        [rule(&json!({"when": {"event": "x"}, "tests": [{"name": "a", "event": {"eventName": "x"}, "expect": true}]}))];
    assert_eq!(test(&rules, &[]).code, Some(0));
    let run = test(&rules, &["--require-tests"]);
    assert_eq!((run.code, last_line(&run)), (Some(1), "1 test of 1 rule: 1 passed, 1 missing"));
    assert!(run.stdout.contains("MISSING R: it has no test of an event that it does not match"), "{}", run.stdout);
}

#[test]
fn mutants_that_no_test_notices_are_reported() {
    let keys = |tests: Value| {
        [rule(&json!({
            "when": {"service": {"is": "iam.amazonaws.com"}, "event": "^Delete"},
            "unless": [{"when": {"user": {"is": "ci"}}, "reason": "deploys"}],
            "tests": tests,
        }))]
    };
    let event = |service: &str, event: &str, user: &str| json!({"eventSource": service, "eventName": event, "userIdentity": {"type": "IAMUser", "userName": user}});
    let matching = json!({"name": "a", "event": event("iam.amazonaws.com", "DeleteUser", "james"), "expect": true});
    let run = test(&keys(json!([matching])), &["--mutate"]);
    assert_eq!((run.code, last_line(&run)), (Some(1), "1 test of 1 rule: 1 passed; 6 mutants: 1 noticed, 5 not"));
    assert!(run.stdout.contains("MUTANT  R: no test notices: drop the cell \"service\" of row 0\n"), "{}", run.stdout);

    let not = |name: &str, event: Value| json!({"name": name, "event": event, "expect": false});
    let all = json!([
        matching,
        not("another service", event("ec2.amazonaws.com", "DeleteVpc", "james")),
        not("another event", event("iam.amazonaws.com", "GetUser", "james")),
        not("no prefix", event("iam.amazonaws.com", "UnDelete", "james")),
        not("deploys", event("iam.amazonaws.com", "DeleteUser", "ci")),
        {"name": "not quite ci", "event": event("iam.amazonaws.com", "DeleteUser", "ci-2"), "expect": true},
    ]);
    let run = test(&keys(all), &["--mutate", "--require-tests"]);
    assert_eq!(
        (run.code, last_line(&run)),
        (Some(0), "6 tests of 1 rule: 6 passed; 6 mutants: 6 noticed, 0 not"),
        "{}",
        run.stdout
    );
}

/// Runs `offlimits check` on this text.
fn check(text: &str, arguments: &[&str]) -> support::Run {
    let folder = tempfile::tempdir().unwrap();
    let rules = support::file(folder.path(), "my rules.json", text);
    let mut command = support::offlimits(["check"]);
    command.arg(&rules).args(arguments);
    support::run(command)
}

/// A warning on line 2 (an umlaut before it), and a note.
const WARNED: &str = r#"{ "rules": [
  { "id": "R", "title": "ü", "severity": "low", "when": { "identity": "^IAM", "service": "^ec2[.]", "event": { "is": "StrtInstances" } } }
] }"#;

#[test]
fn warnings_fail_on_request_and_errors_always() {
    let sound = r#"{"rules":[{"id":"R","title":"t","severity":"low","when":{"event":{"is":"StopInstances"}}}]}"#;
    for (text, arguments, code, last) in [
        (sound, &["--deny", "notes"][..], 0, "1 rule and 1 channel, no errors"),
        (WARNED, &[], 0, "1 rule and 1 channel, no errors, 1 warning, 1 note"),
        (WARNED, &["--deny", "warnings"], 1, "1 rule and 1 channel, no errors, 1 warning, 1 note"),
        (
            r#"{"rules":[{"id":"R","title":"t","severity":"low","when":{"identity":"^IAM"}}]}"#,
            &["--deny", "warnings"],
            0,
            "1 rule and 1 channel, no errors, 1 note",
        ),
        (
            r#"{"rules":[{"id":"R","title":"t","severity":"low","when":{"identity":"^IAM"}}]}"#,
            &["--deny", "notes"],
            1,
            "1 rule and 1 channel, no errors, 1 note",
        ),
        (r#"{"rules":[{}]}"#, &[], 1, "4 errors"),
        ("{", &["--format", "json"], 1, "1 error"),
    ] {
        let run = check(text, arguments);
        assert_eq!(run.code, Some(code), "{text} {arguments:?}: {}", run.shown());
        assert!(last_line(&run).ends_with(&format!(": {last}")), "{}", last_line(&run));
    }
    // What people see names code, place and remedy.
    let seen = check(WARNED, &[]).stderr;
    for part in [
        "[unknown-event] Warning: no known call of ec2 has the name",
        "my rules.json:2:",
        "Help: did you mean \"StartInstances\"?",
        "[misses-assumed-role] Note:",
    ] {
        assert!(seen.contains(part), "{part} in {seen}");
    }
}

#[test]
fn a_code_explains_itself() {
    let explain = |code: &str| support::run(support::offlimits(["check", "--explain", code]));
    let run = explain("versioned-event");
    assert_eq!(run.code, Some(0));
    assert!(run.stdout.starts_with("versioned-event\n\nCloudTrail records some calls"), "{}", run.stdout);
    // The last warning of the page does not run into the errors.
    assert!(!explain("empty-list").stdout.contains("Errors"));
    let run = explain("versionned-event");
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("did you mean \"versioned-event\"?"), "{}", run.stderr);
}

#[test]
fn json_is_one_document_with_places() {
    let run = check(WARNED, &["--format", "json"]);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        (&document["version"], &document["errors"], &document["warnings"], &document["notes"]),
        (&json!(1), &json!(0), &json!(1), &json!(1))
    );
    let warning = &document["diagnostics"][1];
    assert!(warning["file"].as_str().unwrap().ends_with("my rules.json"));
    let keys = ["level", "code", "pointer", "line", "column", "end_line", "end_column", "help"];
    assert_eq!(
        keys.map(|key| warning[key].clone()),
        [
            json!("warning"),
            json!("unknown-event"),
            json!("/rules/0/when/event/is"),
            json!(2),
            json!(118),
            json!(2),
            json!(133),
            json!("did you mean \"StartInstances\"?")
        ]
    );
}

#[test]
fn sarif_refers_to_its_rules_and_places() {
    let run = check(WARNED, &["--format", "sarif"]);
    let log: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["tool"]["driver"]["name"], "offlimits");
    let results = run["results"].as_array().unwrap();
    let found: Vec<_> =
        results.iter().map(|result| (result["ruleId"].as_str().unwrap(), result["level"].as_str().unwrap())).collect();
    assert_eq!(found, [("misses-assumed-role", "note"), ("unknown-event", "warning")]);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    }
    let place = &results[1]["locations"][0]["physicalLocation"];
    assert!(place["artifactLocation"]["uri"].as_str().unwrap().ends_with("my%20rules.json"));
    assert_eq!(place["region"], json!({"startLine": 2, "startColumn": 118, "endLine": 2, "endColumn": 133}));
}
