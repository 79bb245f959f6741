//! `offlimits learn`, run as a person runs it: over small archives of its own, over an operator's day of `tests/evidence`, and
//! against the attacks at hand.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Run, corpus, file, offlimits, replay, repository, run};

const ACCOUNT: &str = "111122223333";

/// Rules with what matters here: a severity that rises, a rule that is very-high, and one about the monitor itself.
fn rules(folder: &Path) -> PathBuf {
    let pack = json!({ "rules": [
        { "id": "SETS", "title": "{event} by {actor}", "severity": "medium", "when": { "event": { "is": "UpdateIPSet" } },
          "severity_when": [ { "severity": "very-high", "when": { "requestParameters.addresses": { "is": "0.0.0.0/1" } } } ] },
    ]});
    file(folder, "pack.json", pack.to_string());
    let text = "{\n  \"lists\": { \"ours\": [\".*\"] },\n  \"include\": [\n    \"pack.json\"\n  ],\n  \"rules\": [\n    \
        { \"id\": \"STOP\", \"title\": \"{event}\", \"severity\": \"very-high\", \"when\": { \"event\": { \"is\": \"StopLogging\" } } },\n    \
        { \"id\": \"SELF-1\", \"title\": \"{event}\", \"severity\": \"low\", \"when\": { \"event\": { \"is\": \"DeleteTopic\" } } },\n    \
        { \"id\": \"MANY\", \"title\": \"{event}\", \"severity\": \"high\", \"when\": { \"event\": { \"is\": \"DeleteSnapshot\" } },\n      \
          \"threshold\": { \"count\": 20, \"window\": \"10m\" } },\n    \
        { \"id\": \"KEYS\", \"title\": \"{event}\", \"severity\": \"low\", \"when\": { \"event\": { \"is\": \"CreateKeyPair\" } } }\n  ]\n}\n";
    file(folder, "rules.json", text)
}

fn role(account: &str, name: &str) -> Value {
    json!({ "type": "AssumedRole", "principalId": "AROAEXAMPLE:session", "accountId": account,
        "arn": format!("arn:aws:sts::{account}:assumed-role/{name}/session"),
        "sessionContext": { "sessionIssuer": { "type": "Role", "userName": name, "accountId": account,
            "arn": format!("arn:aws:iam::{account}:role/{name}") } } })
}

fn user(name: &str) -> Value {
    json!({ "type": "IAMUser", "userName": name, "accountId": ACCOUNT, "arn": format!("arn:aws:iam::{ACCOUNT}:user/{name}") })
}

/// A record of a call at an hour of the first days of November 2026.
fn call(hour: usize, identity: &Value, event: &str, target: &str) -> Value {
    let (service, key) = match event {
        "UpdateIPSet" => ("wafv2", "name"),
        "CreateKeyPair" => ("ec2", "keyName"),
        "DeleteTopic" => ("sns", "topicArn"),
        _ => ("cloudtrail", "name"),
    };
    json!({ "eventVersion": "1.11", "eventID": format!("{event}-{hour}-{target}-{}", identity["arn"]),
        "eventTime": format!("2026-11-{:02}T{:02}:15:00Z", 2 + hour / 24, hour % 24),
        "eventSource": format!("{service}.amazonaws.com"), "eventName": event, "awsRegion": "eu-west-1",
        "sourceIPAddress": "203.0.113.7", "userAgent": "Boto3/1.35 evil\n\"]}", "recipientAccountId": ACCOUNT,
        "userIdentity": identity, "requestParameters": { key: target }, "responseElements": null, "readOnly": false,
        "eventType": "AwsApiCall", "managementEvent": true })
}

/// The same call every third hour of two days.
fn every_third_hour(identity: &Value, event: &str, target: &str) -> Vec<Value> {
    (0..48).step_by(3).map(|hour| call(hour, identity, event, target)).collect()
}

fn archive(folder: &Path, name: &str, records: &[Value]) -> PathBuf {
    file(folder, name, json!({ "Records": records }).to_string())
}

fn learn(rules: &Path, more: &[&str], files: &[&Path]) -> Run {
    let mut command = offlimits(["learn", "--rules"]);
    command.arg(rules).args(more).args(files);
    run(command)
}

/// What `--format json` says.
fn learned(rules: &Path, more: &[&str], files: &[&Path]) -> Value {
    let run = learn(rules, &[&["--format", "json"], more].concat(), files);
    assert_eq!(run.code, Some(0), "{}", run.shown());
    serde_json::from_str(&run.stdout).unwrap()
}

fn proposed(learned: &Value) -> Vec<(&str, &str, &str)> {
    let lines = learned["proposals"].as_array().unwrap();
    lines
        .iter()
        .map(|line| (line["rule"].as_str().unwrap(), line["caller"].as_str().unwrap(), line["event"].as_str().unwrap()))
        .collect()
}

#[test]
fn a_habit_is_proposed_written_once_and_quiet_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    let records =
        archive(folder.path(), "a.json", &every_third_hour(&role(ACCOUNT, "updater"), "UpdateIPSet", "blocked"));
    let said = learned(&rules, &[], &[&records]);
    assert_eq!(proposed(&said), [("SETS", "updater", "UpdateIPSet")]);
    assert_eq!((said["messages"].as_u64(), said["messages_after"].as_u64()), (Some(16), Some(0)), "{said}");
    assert_eq!(said["proposals"][0]["messages"], 16);
    let exception: Value = serde_json::from_str(said["proposals"][0]["exception"].as_str().unwrap()).unwrap();
    assert_eq!(
        exception["when"],
        json!({ "userIdentity.sessionContext.sessionIssuer.arn": { "is": format!("arn:aws:iam::{ACCOUNT}:role/updater") },
            "service": { "is": "wafv2.amazonaws.com" }, "event": { "is": "UpdateIPSet" }, "outcome": { "is": "success" },
            "target": { "is": "blocked" }, "source_ip": { "cidr": "203.0.113.0/24" } })
    );
    assert_eq!((&exception["expires"], &exception["max_severity"]), (&json!("2027-02-01"), &json!("medium")));
    let reason = exception["reason"].as_str().unwrap();
    assert!(reason.starts_with("learned: made 16 times on 2 of 2 days by updater"), "{reason}");
    assert!(!reason.contains('\n'), "{reason:?}");

    let old = std::fs::read_to_string(&rules).unwrap();
    let write = ["--write", rules.to_str().unwrap()];
    let written = learn(&rules, &write, &[&records]);
    assert_eq!(written.code, Some(0), "{}", written.shown());
    assert!(written.stdout.contains("1 exception proposed: 16 messages before, 0 after"), "{}", written.stdout);
    let new = std::fs::read_to_string(&rules).unwrap();
    // All else stands as it did.
    let (before, after) = old.split_once("\"pack.json\"").unwrap();
    assert!(new.starts_with(before) && new.ends_with(after), "{new}");
    assert!(replay(&[&records], &rules).findings().is_empty());
    // What is learned is learned.
    let again = learn(&rules, &write, &[&records]);
    assert!(again.stdout.contains("0 exceptions proposed: 0 messages before, 0 after"), "{}", again.stdout);
    assert_eq!(std::fs::read_to_string(&rules).unwrap(), new);
    // When it has ended, it is proposed anew and takes the old one's place.
    let mut later = every_third_hour(&role(ACCOUNT, "updater"), "UpdateIPSet", "blocked");
    for record in &mut later {
        record["eventTime"] = record["eventTime"].as_str().unwrap().replace("2026-11", "2027-03").into();
    }
    let later = archive(folder.path(), "later.json", &later);
    assert_eq!(learn(&rules, &write, &[&later]).code, Some(0));
    let renewed = std::fs::read_to_string(&rules).unwrap();
    assert_eq!(renewed.matches("\"max_severity\"").count(), 1, "{renewed}");
    assert!(renewed.contains("\"2027-06-01\"") && !renewed.contains("\"2027-02-01\""), "{renewed}");
}

#[test]
fn an_exception_covers_nobody_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    // Names that would be patterns, lists and JSON.
    for (number, (name, target)) in
        [(".*", "blocked"), ("updater|admin", ".*"), ("^", "a\"b"), ("x\", \"y", "\\u0000")].into_iter().enumerate()
    {
        let records = archive(
            folder.path(),
            &format!("{number}.json"),
            &every_third_hour(&role(ACCOUNT, name), "UpdateIPSet", target),
        );
        let write = ["--write", rules.to_str().unwrap()];
        let run = learn(&rules, &write, &[&records]);
        assert!(run.stdout.contains("1 exception proposed"), "{name}: {} {}", run.stdout, run.shown());
        assert!(replay(&[&records], &rules).findings().is_empty(), "{name}");
    }
    let others = [
        call(1, &role(ACCOUNT, "admin"), "UpdateIPSet", "blocked"),
        call(1, &role("999999999999", ".*"), "UpdateIPSet", "blocked"),
        call(1, &user(".*"), "UpdateIPSet", "blocked"),
        call(1, &role(ACCOUNT, ".*"), "UpdateIPSet", "another"),
        {
            let mut worse = call(1, &role(ACCOUNT, ".*"), "UpdateIPSet", "blocked");
            worse["requestParameters"]["addresses"] = json!(["0.0.0.0/1"]);
            worse
        },
        {
            let mut failed = call(1, &role(ACCOUNT, ".*"), "UpdateIPSet", "blocked");
            failed["errorCode"] = json!("AccessDenied");
            failed
        },
        {
            let mut elsewhere = call(1, &role(ACCOUNT, ".*"), "UpdateIPSet", "blocked");
            elsewhere["sourceIPAddress"] = json!("198.51.100.9");
            elsewhere
        },
        {
            let mut late = call(1, &role(ACCOUNT, ".*"), "UpdateIPSet", "blocked");
            late["eventTime"] = json!("2027-02-02T00:00:00Z");
            late
        },
    ];
    for (number, other) in others.iter().enumerate() {
        let file = archive(folder.path(), "other.json", std::slice::from_ref(other));
        assert_eq!(replay(&[&file], &rules).findings().len(), 1, "{number}: {other}");
    }
    // The exceeding one says so.
    let file = archive(folder.path(), "worse.json", &others[4..5]);
    let mut explain = offlimits(["explain", "--rules"]);
    explain.arg(&rules).arg(&file);
    let explained = run(explain);
    assert!(
        explained.stdout.contains("would cover it, but allows findings up to medium alone"),
        "{}",
        explained.stdout
    );
}

#[test]
fn what_is_called_like_a_list_is_not_proposed() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    // Of the second one the record says no more than its name, which IAM lets begin so.
    let arn = format!("arn:aws:sts::{ACCOUNT}:assumed-role/@ours/session");
    let nameless = json!({ "type": "AssumedRole", "accountId": ACCOUNT, "arn": arn });
    for (identity, target) in [(role(ACCOUNT, "updater"), "@ours"), (nameless, "blocked")] {
        let records = archive(folder.path(), "a.json", &every_third_hour(&identity, "UpdateIPSet", target));
        let said = learned(&rules, &[], &[&records]);
        assert!(proposed(&said).is_empty(), "{said}");
        assert_eq!(said["not_proposed"]["unwritable"], 16, "{said}");
    }
}

#[test]
fn what_must_be_told_is_never_proposed() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    let root = json!({ "type": "Root", "accountId": ACCOUNT, "arn": format!("arn:aws:iam::{ACCOUNT}:root") });
    let failing = || {
        let mut records = every_third_hour(&role(ACCOUNT, "updater"), "UpdateIPSet", "blocked");
        records.iter_mut().for_each(|record| record["errorCode"] = json!("AccessDenied"));
        records
    };
    let wandering = || {
        let mut records = every_third_hour(&user("ci"), "CreateKeyPair", "k");
        for (number, record) in records.iter_mut().enumerate() {
            record["sourceIPAddress"] = json!(format!("203.0.{number}.7"));
        }
        records
    };
    let burst: Vec<Value> = (0..40)
        .map(|number| {
            let mut record = call(5, &role(ACCOUNT, "updater"), "UpdateIPSet", "blocked");
            record["eventID"] = json!(number.to_string());
            record["eventTime"] = json!(format!("2026-11-02T05:{number:02}:00Z"));
            record
        })
        .collect();
    let attacker = role(ACCOUNT, "stolen");
    let mut intruder = every_third_hour(&attacker, "UpdateIPSet", "blocked");
    intruder.push(call(7, &attacker, "StopLogging", "main"));
    for (why, records) in [
        ("grave", every_third_hour(&role(ACCOUNT, "updater"), "StopLogging", "main")),
        ("own", every_third_hour(&role(ACCOUNT, "updater"), "DeleteTopic", "arn:aws:sns:eu-west-1:111122223333:t")),
        ("unbound", every_third_hour(&root, "UpdateIPSet", "blocked")),
        ("failed", failing()),
        ("rare", burst),
        ("below_threshold", every_third_hour(&role(ACCOUNT, "updater"), "DeleteSnapshot", "snap-1")),
        ("many_networks", wandering()),
        ("grave_callers", intruder),
    ] {
        let records = archive(folder.path(), "a.json", &records);
        let said = learned(&rules, &[], &[&records]);
        assert!(proposed(&said).is_empty(), "{why}: {said}");
        assert!(said["not_proposed"][why].as_u64() >= Some(16), "{why}: {said}");
        assert_eq!(said["messages"], said["messages_after"], "{why}");
    }
}

#[test]
fn against_other_records_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    let mut day = every_third_hour(&role(ACCOUNT, "updater"), "UpdateIPSet", "blocked");
    day.extend(every_third_hour(&user("ci"), "CreateKeyPair", "k"));
    let day = archive(folder.path(), "a.json", &day);
    let attack = folder.path().join("attack");
    std::fs::create_dir(&attack).unwrap();
    archive(&attack, "b.json", &[call(100, &role(ACCOUNT, "updater"), "UpdateIPSet", "blocked")]);
    let old = std::fs::read(&rules).unwrap();
    let against = ["--against", attack.to_str().unwrap()];
    let said = learned(&rules, &against, &[&day]);
    assert_eq!(proposed(&said), [("KEYS", "ci", "CreateKeyPair")]);
    assert_eq!(said["refused"][0]["rule"], "SETS", "{said}");
    assert!(said["refused"][0]["place"].as_str().unwrap().contains("b.json"), "{said}");
    assert_eq!(std::fs::read(&rules).unwrap(), old, "nothing is written without --write");
    let said = learn(&rules, &against, &[&day]);
    assert!(said.stdout.contains("refused: SETS UpdateIPSet by updater would lose"), "{}", said.stdout);
    // What cannot be read proves nothing.
    let missing = learn(&rules, &["--against", "nowhere"], &[&day]);
    assert_eq!(missing.code, Some(2), "{}", missing.shown());
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    for unread in ["nowhere", empty.to_str().unwrap()] {
        let run = learn(&rules, &["--against", unread, "--write", rules.to_str().unwrap()], &[&day]);
        assert!(run.code == Some(2) && run.stderr.contains("nothing was written"), "{}", run.shown());
        assert_eq!(std::fs::read(&rules).unwrap(), old, "{unread}");
    }
    assert_eq!(learn(&rules, &[], &[Path::new("-")]).code, Some(2));
}

/// A day of the shop of `tests/evidence/operators_day.py`.
fn operators_day(folder: &Path, day: u32) -> PathBuf {
    let out = folder.join(format!("day{day}.jsonl"));
    let generated = Command::new("python3")
        .args(["-B", "tests/evidence/operators_day.py", "--shop", "1", "--day", &day.to_string()])
        .args(["--date", &format!("2026-11-{:02}", 1 + day)])
        .arg(&out)
        .current_dir(repository(""))
        .output()
        .unwrap();
    assert!(generated.status.success(), "{}", String::from_utf8_lossy(&generated.stderr));
    out
}

#[test]
fn a_seed_makes_the_same_day_again_and_another_day_is_another() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let read = |folder: &tempfile::TempDir, day| std::fs::read(operators_day(folder.path(), day)).unwrap();
    let [one, again] = folders.each_ref().map(|folder| read(folder, 1));
    assert!(one == again && one != read(&folders[0], 2));
    let lines = one.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
    assert!((600..750).contains(&lines), "{lines} records");
}

/// The shipped rules, in a folder where they can be written.
fn shipped(folder: &Path) -> PathBuf {
    std::fs::create_dir_all(folder.join("packs")).unwrap();
    for pack in std::fs::read_dir(repository("packs")).unwrap() {
        let pack = pack.unwrap();
        std::fs::copy(pack.path(), folder.join("packs").join(pack.file_name())).unwrap();
    }
    std::fs::copy(repository("rules.json"), folder.join("rules.json")).unwrap();
    folder.join("rules.json")
}

fn messages(rules: &Path, archive: &Path) -> u64 {
    let mut command = offlimits(["backtest", "--format", "json", "--rules"]);
    command.arg(rules).arg(archive);
    let summary: Value = serde_json::from_str(&run(command).stdout).unwrap();
    let grave = summary["rules"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|rule| ["very-high", "extreme"].contains(&rule["severity"].as_str().unwrap()));
    assert_eq!(grave.count(), 0, "an operator's day holds nothing very-high: {}", summary["rules"]);
    summary["messages"].as_u64().unwrap()
}

/// What a day of ordinary work sends, before and after its habits are learned, on that day and on the next day of the same shop.
#[test]
fn an_operators_day_is_quiet_once_it_is_learned() {
    let folder = tempfile::tempdir().unwrap();
    let rules = shipped(folder.path());
    let (first, second) = (operators_day(folder.path(), 1), operators_day(folder.path(), 2));
    let before = [messages(&rules, &first), messages(&rules, &second)];
    let mut learning = vec!["--write".to_owned(), rules.to_str().unwrap().to_owned()];
    for attacks in ["invictus-ir", "traildiscover", "panther-share"] {
        if let Some(folder) = corpus(attacks) {
            learning.extend(["--against".to_owned(), folder.join("records.json").to_str().unwrap().to_owned()]);
        }
    }
    let learning: Vec<&str> = learning.iter().map(String::as_str).collect();
    let run = learn(&rules, &learning, &[&first]);
    assert_eq!(run.code, Some(0), "{} {}", run.stdout, run.shown());
    let after = [messages(&rules, &first), messages(&rules, &second)];
    println!("messages of two days of a shop: {before:?} before, {after:?} after the first is learned\n{}", run.stdout);
    assert!(after[0] <= 10 && after[1] <= 20, "{before:?} before, {after:?} after:\n{}", run.stdout);
    // Of a check of the new rules nothing is to be said but what is said of the shipped ones.
    let mut check = offlimits(["check", "--deny", "warnings", "--format", "json"]);
    check.arg(&rules);
    let checked = crate::support::run(check);
    assert_eq!(checked.code, Some(0), "{} {}", checked.stdout, checked.shown());
}

/// An archive of attacks has habits too; nothing of it is to be learned where the same attacks must be told.
#[test]
fn of_attacks_nothing_is_learned_that_would_be_missed() {
    for attacks in ["invictus-ir", "sans504-s3-ransomware", "flaws-cloud-subset"] {
        let Some(folder) = corpus(attacks) else { continue };
        let Some(records) =
            ["records.json", "records.jsonl.gz"].map(|name| folder.join(name)).into_iter().find(|path| path.is_file())
        else {
            continue;
        };
        let rules = repository("rules.json");
        let said = learned(&rules, &["--min-occasions", "1", "--against", records.to_str().unwrap()], &[&records]);
        assert!(proposed(&said).is_empty(), "{attacks}: {said}");
        assert_eq!(said["messages"], said["messages_after"], "{attacks}");
    }
}
