//! The seed's table as a truth table: each row says exactly what its three regular expressions say, whoever calls whatever.
//!
//! The oracle is independent: the three columns of the seed's page, searched with the `regex` crate.

use regex::Regex;
use serde_json::{Map, Value, json};

use crate::support;

/// The columns Identity, Service and Event of the seed's page; several events in one cell mean any of them.
const TABLE: [(&str, &str, &[&str]); 3] = [
    ("^(IAM).*", "^(ec2.amazonaws.com).*", &["StartInstances"]),
    ("^(IAM).*", "^(cloudtrail.amazonaws.com).*", &["DeleteTrail"]),
    ("IAMUser", "^(iam.amazonaws.com).*", &["^(Create).*", "^(Delete).*", "^(Update).*", "^(Put).*"]),
];

/// Every type that CloudTrail writes, and the near misses that tell `^(IAM).*` from `IAMUser`.
const IDENTITIES: [Option<&str>; 20] = [
    Some("IAMUser"),
    Some("Root"),
    Some("AssumedRole"),
    Some("Role"),
    Some("FederatedUser"),
    Some("AWSAccount"),
    Some("AWSService"),
    Some("SAMLUser"),
    Some("WebIdentityUser"),
    Some("IdentityCenterUser"),
    Some("Directory"),
    Some("Unknown"),
    Some("IAMxyz"),
    Some("IAM"),
    // Unanchored: row 2 finds it, the others do not.
    Some("NotAnIAMUser"),
    Some("iamuser"),
    // A dot stops at a line's end; `.*` may match nothing, so it makes no difference.
    Some("IAM\nUser"),
    Some("\nIAMUser"),
    Some(""),
    None,
];

const SERVICES: [Option<&str>; 16] = [
    Some("ec2.amazonaws.com"),
    Some("cloudtrail.amazonaws.com"),
    Some("iam.amazonaws.com"),
    Some("s3.amazonaws.com"),
    Some("ec2-instance-connect.amazonaws.com"),
    // The seed does not escape its dots: any character stands for them, but not the end of a line.
    Some("ec2xamazonawsXcom"),
    Some("iam-amazonaws-com"),
    Some("iam\namazonaws.com"),
    Some("cloudtrailéamazonaws.com"),
    Some("ec2amazonaws.com"),
    Some("ec2.amazonaws.com.evil.example"),
    Some("iam.amazonaws.community"),
    Some("not-ec2.amazonaws.com"),
    Some("EC2.amazonaws.com"),
    Some(""),
    None,
];

const EVENTS: [Option<&str>; 22] = [
    Some("StartInstances"),
    Some("StopInstances"),
    Some("StartInstancesNow"),
    Some("RestartInstances"),
    Some("XStartInstancesX"),
    Some("startinstances"),
    Some("DeleteTrail"),
    Some("DeleteTrail20131101"),
    Some("UndeleteTrail"),
    Some("CreateUser"),
    Some("DeleteUser"),
    Some("UpdateUser"),
    Some("PutUserPolicy"),
    Some("GetUser"),
    Some("XCreateUser"),
    Some("CREATEUser"),
    Some("Create"),
    Some("\nCreateUser"),
    Some("Put"),
    Some("Input"),
    Some(""),
    None,
];

/// The first row that matches, by the seed's regular expressions. A cell of a missing field is false.
fn oracle(rows: &[[Vec<Regex>; 3]], cells: [Option<&str>; 3]) -> Option<u64> {
    let matches = |row: &[Vec<Regex>; 3]| {
        row.iter().zip(cells).all(|(any, value)| value.is_some_and(|text| any.iter().any(|regex| regex.is_match(text))))
    };
    rows.iter().position(matches).map(|row| row as u64)
}

fn record([identity, service, event]: [Option<&str>; 3]) -> Value {
    // Whatever is missing, the rest says that this is a record.
    let mut record = Map::from_iter([("eventVersion".to_owned(), json!("1.11"))]);
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            record.insert(key.to_owned(), value);
        }
    };
    set("userIdentity", identity.map(|kind| json!({"type": kind, "userName": "James"})));
    set("eventSource", service.map(Value::from));
    set("eventName", event.map(Value::from));
    Value::Object(record)
}

#[test]
fn every_cell_is_as_the_regexes_say() {
    let compile = |pattern: &&str| Regex::new(pattern).unwrap();
    let rows = TABLE.map(|(identity, service, events)| {
        [vec![compile(&identity)], vec![compile(&service)], events.iter().map(compile).collect()]
    });

    let mut combinations = Vec::new();
    for identity in IDENTITIES {
        for service in SERVICES {
            combinations.extend(EVENTS.map(|event| [identity, service, event]));
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<String> = combinations.iter().map(|cells| record(*cells).to_string()).collect();
    let records = support::file(folder.path(), "table.jsonl", lines.join("\n"));

    let run = support::replay(&[&records], &support::repository("rules.json"));
    assert_eq!(run.code, Some(0), "{}", run.shown());

    let mut rows_found: Vec<Option<u64>> = vec![None; combinations.len()];
    for finding in run.findings().iter().filter(|finding| finding["rule"] == "RTM-011") {
        let index = usize::try_from(finding["index"].as_u64().unwrap()).unwrap();
        let earlier = rows_found[index].replace(finding["row"].as_u64().unwrap());
        assert_eq!(earlier, None, "one finding for one rule and record: {finding}");
    }
    let wrong: Vec<String> = combinations
        .iter()
        .zip(&rows_found)
        .map(|(cells, found)| (cells, found, oracle(&rows, *cells)))
        .filter(|(_, found, expected)| *found != expected)
        .map(|(cells, found, expected)| format!("{cells:?}: expected row {expected:?}, found {found:?}"))
        .collect();
    assert!(wrong.is_empty(), "{} of {} cells:\n{}", wrong.len(), combinations.len(), wrong.join("\n"));

    // The oracle is no use if it says no to everything: each row must have said yes, and most cells no.
    for row in 0..TABLE.len() as u64 {
        assert!(rows_found.contains(&Some(row)), "row {row} never matched");
    }
    let matched = rows_found.iter().flatten().count();
    assert!(matched * 10 < combinations.len(), "{matched} of {}", combinations.len());
}
