//! Texts in `is` that no value has: each is told, and no value of a record, of any field, is taken for such a text.

use std::collections::{BTreeMap, BTreeSet};

use offlimits::cloudtrail::Record;
use offlimits::rules::Scope;
use offlimits::rules::field::Field;
use serde_json::{Value, json};

use super::lints::{lints, real_records, records_in};
use crate::support;

/// The lint's message and help for what a cell of `when` asks.
fn told(field: &str, condition: &Value) -> Vec<String> {
    let rules = json!({ "rules": [ { "id": "R", "title": "t", "severity": "low", "when": { field: condition } } ] });
    let found = lints(&rules.to_string()).into_iter().filter(|found| found.code == "impossible-form");
    found.map(|found| format!("{} / {}", found.message, found.help)).collect()
}

#[test]
fn what_no_value_is_like_is_told_with_the_remedy() {
    for (field, wrong, help, right) in [
        (
            "role",
            "arn:aws:iam::111122223333:role/ops/BreakGlass",
            r#"write "role": {"is": "BreakGlass"}, "account": {"is": "111122223333"}"#,
            "BreakGlass",
        ),
        ("role", "arn:aws:sts::111122223333:assumed-role/Admin/jana", r#""role": {"is": "Admin"}"#, "Admin"),
        ("role", "Admin*", r#"write "^Admin""#, "Admin"),
        ("role", "ops/Admin", "without path", "Admin"),
        ("user", "root", r#"write "identity": {"is": "Root"}"#, "rooter"),
        ("user", "arn:aws:iam::111122223333:user/jana", r#"write "user": {"is": "jana"}, "account""#, "jana"),
        ("session", "Admin/jana", r#"write {"is": "jana"}"#, "jana"),
        ("actor", "arn:aws:sts::111122223333:assumed-role/Admin/jana", r#""role": {"is": "Admin"}"#, "Admin/jana"),
        ("actor", "assumed-role/Admin/jana", r#"write "Admin/jana""#, "root"),
        ("principal", "arn:aws:iam::111122223333:role/X", r#"write "role": {"is": "X"}"#, "X"),
        ("principal", "arn:aws:iam::111122223333:root", r#"write "identity": {"is": "Root"}"#, "root"),
        ("principal", "Root", r#"write "identity": {"is": "Root"}"#, "ec2.amazonaws.com"),
        (
            "userIdentity.arn",
            "arn:aws:iam::111122223333:role/X",
            "\"userIdentity.sessionContext.sessionIssuer.arn\"",
            "arn:aws:sts::111122223333:assumed-role/X/jana",
        ),
        (
            "userIdentity.sessionContext.sessionIssuer.arn",
            "arn:aws:sts::111122223333:assumed-role/X/jana",
            "without a session",
            "arn:aws:iam::111122223333:role/ops/X",
        ),
        ("acting_service", "cloudformation", r#"write "cloudformation.amazonaws.com""#, "config.amazonaws.com"),
        ("account", "1234-5678-9012", r#"write "123456789012""#, "123456789012"),
        ("account", "123456789O12", "twelve digits", "012345678901"),
        ("recipientAccountId", "12345", "twelve digits", "012345678901"),
        ("delegate", "arn:aws:iam::111122223333:root", r#"write "111122223333""#, "111122223333"),
        ("source_ip", "192.0.2.0/24", r#"write {"cidr": "192.0.2.0/24"}"#, "192.0.2.7"),
        ("source_ip", "192.0.2.", r#"write {"cidr": "192.0.2.0/24"}"#, "AWS Internal"),
        ("source_ip", "10.*", r#"write {"cidr": "10.0.0.0/8"}"#, "2001:db8::7"),
        ("source_network", "192.0.2.7", r#"write "192.0.2.0/24""#, "192.0.2.0/24"),
        ("source_network", "2001:db8:1:2::/64", r#"write "2001:db8:1::/48""#, "ec2.amazonaws.com"),
        ("event", "", "every record has one", "StopInstances"),
        ("error", "Client.*", r#"write "^Client.*""#, "AccessDenied"),
        ("opened_to_world", "22", r#"write {"is": "tcp 22"}"#, "tcp 22"),
        ("opened_to_world", "tcp/22", "kinds of traffic", "icmp type 8 code 0"),
        ("opened", "tcp 22", r#"write "^tcp 22 from ""#, "tcp 22 from pl-63a5400a"),
        ("opened_networks", "10.1.2.3/8", r#"write "10.0.0.0/8""#, "world"),
        ("opened_networks", "192.0.2.7", r#"write "192.0.2.7/32""#, "pl-63a5400a"),
        ("sensitive_ports_to_world", "tcp 22", r#"write "22""#, "22"),
        ("sensitive_ports_to_world", "8080", r#""opened_to_world": {"is": "tcp 8080"}"#, "3389"),
        ("admin_grant", "true", r#"write {"exists": true}"#, "AdministratorAccess"),
        ("admin_grant", "Administrator", "its values are", "Allow iam:* on * under conditions"),
        ("lets_in", "*", r#"write "everybody""#, "everybody at cognito-identity.amazonaws.com"),
        ("lets_in", "s3.amazonaws.com", r#"write "service s3.amazonaws.com""#, "service s3.amazonaws.com"),
        ("trusted", "arn:aws:iam::111122223333:root", r#"write "111122223333""#, "111122223333"),
        ("lets_in_outside", "service s3.amazonaws.com", "strangers", "arn:aws:iam::111122223333:role/X"),
        ("public_access", "true", r#"write {"exists": true}"#, "everybody may read"),
        ("shared_with", "all", r#"write "everybody""#, "111122223333"),
        ("customer_key", "true", r#"write {"exists": true}"#, "SSE-C"),
        ("deletion_date", "2026-2-9", "days, such as", "2026-02-09"),
        ("instance_type", "p5.*", r#"write "^p5.*""#, "p5.48xlarge"),
        ("instance_count", "many", "numbers", "7"),
        ("new_credential", "yes", r#"write {"exists": true}"#, "AKIAIOSFODNN7EXAMPLE"),
    ] {
        let found = told(field, &json!({ "is": wrong }));
        let [found] = found.as_slice() else { panic!("{field} {wrong}: {found:?}") };
        assert!(found.contains(help), "{field} {wrong}: {found}");
        assert!(
            found.starts_with(&format!("no value of \"{field}\" is \"{wrong}\": it can never match / ")),
            "{found}"
        );
        // In a list, and in `not`, it stands beside what is right.
        assert_eq!(told(field, &json!({ "is": [right, wrong] })).len(), 1, "{field} {right}");
        let negated = told(field, &json!({ "not": { "is": wrong } }));
        assert!(negated.len() == 1 && negated[0].contains("it excludes nothing"), "{negated:?}");
    }
    assert_eq!(told("account", &json!({ "is": 111_122_223_333_u64 })), [""; 0]);
    assert_eq!(told("sensitive_ports_to_world", &json!({ "is": [22, 8080] })).len(), 1);
    assert_eq!(told("admin_grant", &json!({ "is": true })).len(), 1);
}

#[test]
fn it_is_told_of_exceptions_and_severities_too() {
    for keys in [
        r#""unless": [ { "when": { "role": { "is": "arn:aws:iam::111122223333:role/X" } }, "reason": "r" } ]"#,
        r#""severity_when": [ { "severity": "high", "when": { "source_ip": { "is": "192.0.2.0/24" } } } ]"#,
        r#""respond": [ { "do": "d", "when": { "account": { "is": "1" } } } ]"#,
    ] {
        let rules = format!(
            r#"{{"rules":[{{"id":"R","title":"t","severity":"low","when":{{"service":{{"is":"ec2.amazonaws.com"}},"event":{{"is":"StopInstances"}}}},{keys}}}]}}"#
        );
        let codes: Vec<&str> = lints(&rules).iter().map(|found| found.code).collect();
        assert_eq!(codes, ["impossible-form"], "{keys}");
    }
}

#[test]
fn patterns_of_arns_are_told_where_there_is_none() {
    for (field, pattern, expected) in [
        ("role", "^arn:aws:iam::.*:role/Admin", 1),
        ("principal", "^arn:aws:", 1),
        ("userIdentity.arn", ":role/Admin", 1),
        ("userIdentity.arn", "^arn:aws:iam::\\d+:role/Admin$", 1),
        ("userIdentity.arn", "^arn:aws:sts::.*:assumed-role/Admin/", 0),
        ("userIdentity.arn", "(:role|:assumed-role)/Admin", 0),
        ("userIdentity.sessionContext.sessionIssuer.arn", ":role/Admin", 0),
        ("lets_in", "^arn:aws:iam::\\d+:root", 0),
        ("role", "^Admin", 0),
    ] {
        assert_eq!(told(field, &json!(pattern)).len(), expected, "{field} {pattern}");
    }
    // A role that calls by itself has its own ARN.
    let rules = r#"{"rules":[{"id":"R","title":"t","severity":"low","when":{"identity":{"is":"Role"},"userIdentity.arn":{"is":"arn:aws:iam::111122223333:role/X"}}}]}"#;
    assert!(lints(rules).iter().all(|found| found.code != "impossible-form"));
}

#[test]
fn a_channels_accounts_have_twelve_digits() {
    let rules = r#"{ "channels": { "a": { "type": "sns", "accounts": ["123", "123456789O12", "1234-5678-9012", "123456789012"] } },
        "rules": [ { "id": "R", "title": "t", "severity": "low", "when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StopInstances" } } } ] }"#;
    let found: Vec<(&str, String)> = lints(rules).into_iter().map(|found| (found.code, found.pointer)).collect();
    let expected: Vec<(&str, String)> =
        (0..3).map(|place| ("impossible-form", format!("/channels/a/accounts/{place}"))).collect();
    assert_eq!(found, expected);
}

/// Aliases and derived fields by name, and the paths that have a form.
fn fields() -> Vec<String> {
    let table = std::fs::read_to_string(support::repository("src/lint/forms.rs")).unwrap();
    let named = table.split("fields: &[").skip(1).filter_map(|rest| rest.split_once(']'));
    let names: Vec<String> =
        named.flat_map(|(names, _)| names.split('"').skip(1).step_by(2).map(str::to_owned)).collect();
    assert!(names.len() > 30, "{names:?}");
    names
}

/// Account ids that people have made up or masked, in the corpora.
fn is_made_up(field: &str, value: &str) -> bool {
    let about_account =
        ["account", "recipientAccountId", "userIdentity.accountId"].contains(&field) || field.ends_with(".accountId");
    about_account
        || ["...", "arn", "redacted", "xxx"].contains(&value)
        || value.contains("***")
        // Nobody has such an ARN: a made-up record of Panther's.
        || value == "arn:aws:iam::123456789012:assumed-role/okta/tester@domain.tld"
}

/// Whatever a record says, in the corpora, in the packs' own tests, and in our samples, may stand in `is`.
#[test]
fn no_value_of_a_record_is_taken_for_an_impossible_one() {
    let fields: Vec<(String, Field)> =
        fields().into_iter().map(|name| (name.clone(), Field::parse(&name).unwrap())).collect();
    let mut values: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut take = |record: &Value, is_ours: bool| {
        let text = record.to_string();
        let Ok(record) = Record::parse(&text) else { return };
        for (name, field) in &fields {
            let found = Scope::Record(&record).values(field);
            let texts = found.iter().filter_map(|value| value.scalar().map(str::to_owned));
            let texts = texts.filter(|text| !text.is_empty() && (is_ours || !is_made_up(name, text)));
            values.entry(name).or_default().extend(texts);
        }
    };
    for folder in ["packs", "events"] {
        for file in std::fs::read_dir(support::repository(folder)).unwrap().map(|file| file.unwrap().path()) {
            if file.extension().is_some_and(|end| end == "json") {
                let document: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
                records_in(&document, &mut |record| take(record, true));
                for test in
                    document["rules"].as_array().into_iter().flatten().filter_map(|rule| rule["tests"].as_array())
                {
                    test.iter().for_each(|test| records_in(&test["event"], &mut |record| take(record, true)));
                }
            }
        }
    }
    if let Some(folder) = support::corpora() {
        real_records(&folder, &mut |record| take(record, false));
    }
    values.retain(|_, texts| !texts.is_empty());
    assert!(values.len() > 30, "{:?}", values.keys());
    let mut told_of = Vec::new();
    let mut count = 0;
    for (name, values) in &values {
        count += values.len();
        told_of.extend(told(name, &json!({ "is": values })));
    }
    assert_eq!(told_of, [""; 0]);
    assert!(count > 150, "{count}");
}
