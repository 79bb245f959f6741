//! The rule author's commands, run as a person would: `offlimits test`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::path::Path;

use serde_json::{Value, json};

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
    assert_eq!((run.code, last_line(&run)), (Some(1), "1 test of 1 rule: 1 passed; 7 mutants: 1 noticed, 6 not"));
    assert!(run.stdout.contains("MUTANT  R: no test notices: drop the cell \"service\" of row 0\n"), "{}", run.stdout);

    let not = |name: &str, event: Value| json!({"name": name, "event": event, "expect": false});
    let all = json!([
        matching,
        not("another service", event("ec2.amazonaws.com", "DeleteVpc", "james")),
        not("a longer service", event("iam.amazonaws.com.example", "DeleteUser", "james")),
        not("another event", event("iam.amazonaws.com", "GetUser", "james")),
        not("no prefix", event("iam.amazonaws.com", "UnDelete", "james")),
        not("deploys", event("iam.amazonaws.com", "DeleteUser", "ci")),
        {"name": "not quite ci", "event": event("iam.amazonaws.com", "DeleteUser", "ci-2"), "expect": true},
    ]);
    let run = test(&keys(all), &["--mutate", "--require-tests"]);
    assert_eq!(
        (run.code, last_line(&run)),
        (Some(0), "7 tests of 1 rule: 7 passed; 7 mutants: 7 noticed, 0 not"),
        "{}",
        run.stdout
    );
}
