//! `offlimits init` and `offlimits new-rule`: what somebody begins with who has no clone of the repository.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{self, Run};

fn run_in(folder: &Path, arguments: &[&str]) -> Run {
    let mut command = support::offlimits(arguments);
    command.current_dir(folder);
    let run = support::run(command);
    assert_eq!(run.misbehaviour(), None, "{}", run.shown());
    run
}

/// A folder in which `offlimits init` ran.
fn begun() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let run = run_in(folder.path(), &["init"]);
    assert_eq!(run.code, Some(0), "{}", run.shown());
    folder
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn what_init_writes_passes_what_its_workflow_runs() {
    let folder = begun();
    let workflow = std::fs::read_to_string(folder.path().join(".github/workflows/rules.yml")).unwrap();
    let commands: Vec<&str> =
        workflow.lines().filter_map(|line| line.trim().strip_prefix("- run: offlimits ")).collect();
    assert_eq!(commands, ["check --deny warnings", "test --require-tests", "replay events"]);
    for command in commands {
        let run = run_in(folder.path(), &command.split(' ').collect::<Vec<_>>());
        assert_eq!(run.code, Some(0), "{command}: {} {}", run.stdout, run.stderr);
    }
}

/// The tool holds copies: none may be missing, and none may be another.
#[test]
fn init_writes_what_the_repository_ships() {
    let folder = begun();
    for (name, left_out) in [("packs", &[][..]), ("events", &["README.md"][..])] {
        let names = |folder: &Path| -> BTreeSet<String> {
            let entries = std::fs::read_dir(folder.join(name)).unwrap();
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        };
        let mut shipped = names(&support::repository("."));
        left_out.iter().for_each(|name| assert!(shipped.remove(*name), "{name}"));
        assert_eq!(names(folder.path()), shipped);
        for file in shipped {
            let path = Path::new(name).join(&file);
            let text = |folder: &Path| std::fs::read_to_string(folder.join(&path)).unwrap();
            assert_eq!(text(folder.path()), text(&support::repository(".")), "{file}");
        }
    }
    let rules = json(&folder.path().join("rules.json"));
    assert_eq!(
        rules["include"],
        json(&support::repository("rules.json"))["include"],
        "the same packs, with the same overrides"
    );
    assert_eq!(json(&folder.path().join("rules.schema.json")), json(&support::repository("rules.schema.json")));
}

#[test]
fn init_overwrites_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let events = folder.path().join("new/events");
    std::fs::create_dir_all(&events).unwrap();
    support::file(&events, "stop-logging.json", "mine");
    let run = run_in(folder.path(), &["init", "new"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("new/events/stop-logging.json is there already"), "{}", run.stderr);
    let all: Vec<_> = std::fs::read_dir(folder.path().join("new")).unwrap().collect();
    assert_eq!((all.len(), std::fs::read_to_string(events.join("stop-logging.json")).unwrap().as_str()), (1, "mine"));
    // A second time neither.
    assert_eq!(run_in(begun().path(), &["init"]).code, Some(2));
}

#[test]
fn a_rule_made_of_a_record_passes_its_tests_and_check() {
    let folder = begun();
    let before = std::fs::read_to_string(folder.path().join("rules.json")).unwrap();
    let run = run_in(folder.path(), &["new-rule", "--from", "events/put-user-policy.json", "--severity", "HIGH"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("ok      PutUserPolicy: the record that it was made from"), "{}", run.stdout);
    assert!(run.stdout.contains("ok      PutUserPolicy: another call of this service"), "{}", run.stdout);
    assert!(
        run.stderr.contains("note: this record is matched already, by ")
            && run.stderr.contains("rules.json: a rule was added on line 3"),
        "{}",
        run.stderr
    );
    let after = std::fs::read_to_string(folder.path().join("rules.json")).unwrap();
    let rules = json(&folder.path().join("rules.json"));
    let rule = &rules["rules"][1];
    assert_eq!(rule["when"], json!({"service": {"is": "iam.amazonaws.com"}, "event": {"is": "PutUserPolicy"}}));
    assert_eq!(
        (&rule["severity"], &rule["tests"][0]["event"]),
        (&json!("high"), &json!("events/put-user-policy.json"))
    );
    // All else is byte for byte what it was.
    let at = before.find("\n  ],\n  \"include\"").unwrap();
    assert!(after.starts_with(&before[..at]) && after.ends_with(&before[at..]), "{after}");
    // Again, under another name.
    let run = run_in(folder.path(), &["new-rule", "--from", "events/put-user-policy.json"]);
    assert!(run.stdout.contains("ok      PutUserPolicy-2: "), "{}", run.shown());
    let run = run_in(folder.path(), &["test", "--rule", "PutUserPolicy-2", "--require-tests"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

#[test]
fn a_record_among_others_is_kept_in_the_test_without_its_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let record = |event: &str| json!({"eventVersion": "1.11", "eventSource": "rds.amazonaws.com", "eventName": event, "requestParameters": {"masterUserPassword": "do-not-print-me"}});
    let log = json!({"Records": [record("DeleteDBInstance"), record("ModifyDBInstance")]});
    support::file(folder.path(), "log.json", log.to_string());
    let rules =
        "{ \"rules\": [{\"id\": \"x\", \"title\": \"x\", \"severity\": \"low\", \"when\": {\"event\": \"Never\"}}] }";
    support::file(folder.path(), "rules.json", rules);
    let run = run_in(folder.path(), &["new-rule", "--from", "log.json"]);
    assert_eq!(
        (run.code, run.stderr.contains("log.json holds 2 records: say which")),
        (Some(2), true),
        "{}",
        run.stderr
    );
    let run = run_in(folder.path(), &["new-rule", "--from", "log.json", "--index", "2"]);
    assert_eq!((run.code, run.stderr.contains("none has the index 2")), (Some(2), true), "{}", run.stderr);
    assert_eq!(std::fs::read_to_string(folder.path().join("rules.json")).unwrap(), rules);
    let run = run_in(folder.path(), &["new-rule", "--from", "log.json", "--index", "1", "--id", "db"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let written = std::fs::read_to_string(folder.path().join("rules.json")).unwrap();
    assert!(written.starts_with(&rules[..rules.len() - 3]) && !written.contains("do-not-print-me"), "{written}");
    let rule = &json(&folder.path().join("rules.json"))["rules"][1];
    assert_eq!((&rule["id"], &rule["tests"][0]["event"]["eventName"]), (&json!("db"), &json!("ModifyDBInstance")));
    // A name that is taken is refused, and so is what is no name.
    for id in ["db", "no name"] {
        let run = run_in(folder.path(), &["new-rule", "--from", "log.json", "--index", "0", "--id", id]);
        assert_eq!(run.code, Some(2), "{id}: {}", run.stderr);
        assert_eq!(std::fs::read_to_string(folder.path().join("rules.json")).unwrap(), written, "{id}");
    }
}

#[test]
fn new_rule_changes_nothing_that_it_cannot_read() {
    let rule =
        "{\"rules\": [{\"id\": \"x\", \"title\": \"x\", \"severity\": \"low\", \"when\": {\"event\": \"Never\"}}]}";
    let event =
        json!({"eventVersion": "1.11", "eventSource": "iam.amazonaws.com", "eventName": "CreateUser"}).to_string();
    let nameless =
        json!({"eventVersion": "1.11", "eventSource": "iam.amazonaws.com", "userIdentity": {"type": "Root"}})
            .to_string();
    for (rules, event) in [
        ("{", event.as_str()),
        ("{\"rules\": {}}", event.as_str()),
        ("{\"rules\": []}", event.as_str()),
        (rule, "{"),
        (rule, "{\"Records\": []}"),
        (rule, "not an event"),
        (rule, nameless.as_str()),
    ] {
        let folder = tempfile::tempdir().unwrap();
        support::file(folder.path(), "rules.json", rules);
        support::file(folder.path(), "event.json", event);
        let run = run_in(folder.path(), &["new-rule", "--from", "event.json"]);
        assert_eq!(run.code, Some(2), "{rules} {event}: {}", run.stderr);
        assert_eq!(std::fs::read_to_string(folder.path().join("rules.json")).unwrap(), rules, "{event}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left behind");
    }
}
