//! `offlimits import conformity`, on settings as its API and its Terraform provider have them.

use offlimits::cloudtrail::Record;
use offlimits::ruleset::RuleSet;
use serde_json::{Value, json};

use crate::support;

/// What an import of one of our fixtures writes, and says: both as they stand beside it (`OFFLIMITS_BLESS=1` writes them).
fn import(fixture: &str) -> (RuleSet, Value, String) {
    let path = format!("tests/import/conformity/{fixture}");
    let mut command = support::offlimits(["import", "conformity", &path]);
    command.current_dir(support::repository("."));
    let run = support::run(command);
    for (end, text) in [("rules.json", &run.stdout), ("report.txt", &run.stderr)] {
        let path = support::repository(&format!("{path}.{end}"));
        if std::env::var_os("OFFLIMITS_BLESS").is_some() {
            std::fs::write(&path, text).unwrap();
        }
        assert_eq!(&std::fs::read_to_string(&path).unwrap(), text, "{}", path.display());
    }
    assert_eq!((run.code, run.misbehaviour()), (Some(0), None), "{}", run.shown());
    // The fixtures' credentials.
    for secret in ["do-not-print-me", "secret-path", "0123456789abcdef0123456789abcdef"] {
        assert!(!run.stdout.contains(secret) && !run.stderr.contains(secret), "{secret} was printed");
    }
    let rules = RuleSet::compile(&run.stdout).unwrap_or_else(|wrong| panic!("{wrong:#?}")).rules;
    (rules, serde_json::from_str(&run.stdout).unwrap(), run.stderr)
}

/// The ids of the rules that match a record.
fn matches<'r>(rules: &'r RuleSet, record: &Value) -> Vec<&'r str> {
    let record = Record::owned(&record.to_string()).unwrap();
    let matching = rules.rules().iter().filter(|rule| rule.matched_row(&record).is_some());
    matching.map(|rule| rule.info.id.as_str()).collect()
}

fn call(identity: &str, service: &str, event: &str) -> Value {
    json!({
        "userIdentity": {"type": identity, "userName": "jana"},
        "eventSource": format!("{service}.amazonaws.com"),
        "eventName": event,
        "awsRegion": "us-east-1",
    })
}

fn sign_in(identity: &str, outcome: &str, mfa: &str) -> Value {
    let mut record = call(identity, "signin", "ConsoleLogin");
    record["responseElements"] = json!({"ConsoleLogin": outcome});
    record["additionalEventData"] = json!({"MFAUsed": mfa});
    record["sourceIPAddress"] = json!("192.0.2.1");
    record
}

#[test]
fn the_settings_of_the_api_are_carried_over() {
    let (rules, file, report) = import("settings.json");
    let expect = |record: Value, ids: &[&str]| assert_eq!(matches(&rules, &record), ids, "{record}");
    expect(sign_in("Root", "Success", "Yes"), &["RTM-001"]);
    // RTM-001 leaves these to RTM-002, as in the pack.
    expect(sign_in("Root", "Success", "No"), &["RTM-002"]);
    // RTM-003 is switched off.
    expect(sign_in("IAMUser", "Success", "No"), &[]);
    expect(sign_in("IAMUser", "Failure", "No"), &["RTM-010"]);
    expect(call("AssumedRole", "ec2", "AuthorizeSecurityGroupIngress"), &["RTM-009"]);
    expect(call("AssumedRole", "ec2", "AttachInternetGateway"), &["RTM-009"]);
    expect(call("AssumedRole", "ec2", "CreateVpc"), &[]);
    // The rotated pattern, repaired; and one that never was wrong.
    expect(call("IAMUser", "iam", "DeleteUser"), &["RTM-011"]);
    expect(call("IAMUser", "cloudtrail", "DeleteTrail"), &["RTM-011"]);
    expect(call("AssumedRole", "iam", "DeleteUser"), &[]);

    let rule = |id: &str| file["rules"].as_array().unwrap().iter().find(|rule| rule["id"] == id).unwrap();
    assert_eq!(rule("RTM-002")["severity"], "extreme");
    assert_eq!(rule("RTM-001")["throttle"], json!({"window": "1h", "by": ["account", "actor"]}));
    assert_eq!(rule("RTM-011").get("throttle"), None, "a ttl of 0");
    assert_eq!(rule("RTM-003")["mode"], "off");
    assert_eq!(file["channels"]["email"], json!({"type": "sns", "rules": ["RTM-001", "RTM-002"]}));
    for said in ["repaired:", "RTM-004: it watched", "\"teleporter\"", "countries.mmdb", "jira", "1 setting of rules"] {
        assert!(report.contains(said), "{said}: {report}");
    }
}

#[test]
fn terraforms_resources_are_carried_over() {
    let (rules, file, report) = import("main.tf");
    let expect = |record: Value, ids: &[&str]| assert_eq!(matches(&rules, &record), ids, "{record}");
    let instances = |ids: &[&str]| {
        let mut record = call("IAMUser", "ec2", "StartInstances");
        let items: Vec<Value> = ids.iter().map(|id| json!({"instanceId": id})).collect();
        record["requestParameters"] = json!({"instancesSet": {"items": items}});
        record
    };
    expect(instances(&["i-1"]), &["RTM-011"]);
    expect(instances(&[]), &["RTM-011"]);
    expect(instances(&["i-0123456789abcdef0"]), &[]);
    // One that is excepted does not hide the others of its call.
    expect(instances(&["i-0123456789abcdef0", "i-1"]), &["RTM-011"]);

    let from = |address: &str, user: &str| {
        let mut record = sign_in("IAMUser", "Success", "Yes");
        record["sourceIPAddress"] = json!(address);
        record["userIdentity"]["userName"] = json!(user);
        record
    };
    expect(from("203.0.113.9", "jana"), &[]);
    expect(from("192.0.2.1", "jana"), &["RTM-007"]);
    expect(from("192.0.2.1", "deploy-bot"), &[]);

    let mut abroad = call("AssumedRole", "ec2", "RunInstances");
    abroad["awsRegion"] = json!("ap-east-1");
    abroad["readOnly"] = json!(false);
    expect(abroad.clone(), &["RTM-008"]);
    abroad["readOnly"] = json!(true);
    expect(abroad, &[]);
    expect(call("AssumedRole", "iam", "CreateUser"), &[]);

    let soc = &file["channels"]["soc"];
    assert_eq!(soc["type"], "slack");
    assert_eq!(
        file["channels"]["oncall"],
        json!({"type": "pagerduty", "rules": ["RTM-011"], "accounts": ["123456789012"]})
    );
    assert_eq!((&soc["min_severity"], &soc["regions"]), (&json!("high"), &json!(["eu-central-1", "us-east-1"])));
    for said in ["repaired:", "72 hours becomes 24h", "dynamic block", "look-around", "sg-0123456789abcdef0", "#soc"] {
        assert!(report.contains(said), "{said}: {report}");
    }
}

#[test]
fn what_is_no_setting_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("a.json", "{}"), ("b.json", "{"), ("c.tf", "resource {"), ("d.json", "[1, null, \"x\"]")] {
        let file = support::file(folder.path(), name, text);
        let mut command = support::offlimits(["import", "conformity"]);
        command.arg(&file);
        let run = support::run(command);
        assert_eq!((run.code, run.misbehaviour()), (Some(2), None), "{name}: {}", run.shown());
        assert!(run.stdout.is_empty() && run.stderr.contains("error: "), "{name}: {}", run.shown());
    }
}
