//! Derived fields in rules: cells, titles, severities, exceptions and throttles; and what `explain` says of them.

use offlimits::cloudtrail::{RawRecord, Record};
use offlimits::ruleset::RuleSet;
use serde_json::{Value, json};

use crate::support;

/// Rules that ask for derived fields and for nothing else about the call.
fn rules() -> Value {
    json!({ "rules": [
        {
            "id": "OPEN", "title": "{opened} by {actor}", "severity": "low",
            "severity_when": [
                { "severity": "high", "when": { "sensitive_ports_to_world": { "is": ["22", "3389"] } } },
                { "severity": "medium", "when": { "opened_networks": { "is": "world" } } }
            ],
            "when": { "opened": { "exists": true } },
            "unless": [{ "when": { "opened_to_world": { "is": "tcp 443" } }, "reason": "everybody may read the web" }],
            "throttle": { "window": "15m", "by": ["principal", "opened_to_world"] }
        },
        {
            "id": "GPU", "title": "{instance_count} × {instance_type}", "severity": "low",
            "severity_when": [{ "severity": "high", "when": { "instance_type": "^(p|g)\\d" } }],
            "when": { "instance_type": { "exists": true } }
        },
        { "id": "KEY", "title": "{customer_key} for {requestParameters.key}", "severity": "high", "when": { "customer_key": "." } },
        { "id": "END", "title": "ends on {deletion_date}", "severity": "low", "when": { "deletion_date": { "not": "^2027" }, "event": "Delete" } }
    ] })
}

fn record(service: &str, event: &str, parts: Value) -> Value {
    let mut record = json!({
        "eventVersion": "1.11", "eventID": "e", "eventTime": "2026-01-10T11:32:44Z", "recipientAccountId": "123456789012",
        "eventSource": format!("{service}.amazonaws.com"), "eventName": event,
        "userIdentity": { "type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/Admin/jana" }
    });
    let Value::Object(parts) = parts else { panic!("{parts}") };
    record.as_object_mut().unwrap().extend(parts);
    record
}

/// Rule, severity and title of each finding.
fn findings(record: &Value) -> Vec<String> {
    let rules = RuleSet::compile(&rules().to_string()).unwrap().rules;
    let raw = RawRecord { json: record.to_string(), index: 0, message_id: None, account: None };
    let found = rules.evaluate(&raw).unwrap();
    found.iter().map(|finding| format!("{} {} {}", finding.rule.id, finding.severity, finding.title)).collect()
}

/// SSH for everybody, as flat arguments, by `ModifySecurityGroupRules`, and by a person whose call is recorded as AWS Internal.
#[test]
fn ssh_for_everybody_is_high_in_every_shape_and_says_so() {
    let flat = json!({ "requestParameters": {
        "groupId": "sg-1", "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIp": "0.0.0.0/0", "ipPermissions": {}
    } });
    let modified = json!({ "requestParameters": { "ModifySecurityGroupRulesRequest": { "GroupId": "sg-1", "SecurityGroupRule": {
        "SecurityGroupRuleId": "sgr-1",
        "SecurityGroupRule": { "CidrIpv4": "0.0.0.0/0", "FromPort": 22, "ToPort": 22, "IpProtocol": "tcp" }
    } } } });
    let mut console = record(
        "ec2",
        "AuthorizeSecurityGroupIngress",
        json!({ "requestParameters": {
        "groupId": "sg-1",
        "ipPermissions": { "items": [{ "ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
            "ipRanges": { "items": [{ "cidrIp": "0.0.0.0/0" }] } }] }
    }, "sourceIPAddress": "AWS Internal", "userAgent": "AWS Internal", "sessionCredentialFromConsole": "true" }),
    );
    console["userIdentity"]["invokedBy"] = json!("AWS Internal");
    for record in [
        record("ec2", "AuthorizeSecurityGroupIngress", flat),
        record("ec2", "ModifySecurityGroupRules", modified),
        console,
    ] {
        assert_eq!(findings(&record), ["OPEN high tcp 22 from 0.0.0.0/0 by Admin/jana"], "{record}");
    }
    let web = |network: &str| json!({ "requestParameters": { "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIp": network } });
    let web = |network: &str| findings(&record("ec2", "AuthorizeSecurityGroupIngress", web(network)));
    assert_eq!(web("0.0.0.0/0"), [""; 0]);
    assert_eq!(web("192.0.2.0/24"), ["OPEN low tcp 443 from 192.0.2.0/24 by Admin/jana"]);
}

/// A start that was refused, and one whose type only the launch template knows.
#[test]
fn machines_are_told_by_type_and_number() {
    let set = json!({ "items": [{ "imageId": "ami-1", "minCount": 1, "maxCount": 10 }] });
    let refused = json!({
        "requestParameters": { "instanceType": "p2.xlarge", "instancesSet": set }, "responseElements": null,
        "errorCode": "Client.UnauthorizedOperation"
    });
    assert_eq!(findings(&record("ec2", "RunInstances", refused)), ["GPU high 10 × p2.xlarge"]);
    let by_template = json!({
        "requestParameters": { "launchTemplate": { "launchTemplateId": "lt-0a1b" }, "instancesSet": set },
        "responseElements": { "instancesSet": { "items": [{ "instanceId": "i-1", "instanceType": "p5.48xlarge" }] } }
    });
    assert_eq!(findings(&record("ec2", "RunInstances", by_template)), ["GPU high 10 × p5.48xlarge"]);
}

#[test]
fn a_multipart_upload_begins_with_a_key_of_the_callers() {
    let start = json!({
        "requestParameters": { "bucketName": "b", "key": "big.db", "x-amz-server-side-encryption-customer-algorithm": "AES256" },
        "additionalEventData": { "SSEApplied": "SSE_C" }
    });
    assert_eq!(findings(&record("s3", "CreateMultipartUpload", start)), ["KEY high SSE-C for big.db"]);
    let part = json!({ "requestParameters": { "bucketName": "b", "key": "big.db" }, "additionalEventData": { "SSEApplied": "SSE_C" } });
    assert_eq!(findings(&record("s3", "UploadPart", part)), ["KEY high SSE-C for big.db"]);
}

#[test]
fn of_a_call_that_it_does_not_understand_a_field_is_missing() {
    let secret = json!({ "requestParameters": { "secretId": "s", "recoveryWindowInDays": 7 } });
    assert_eq!(findings(&record("secretsmanager", "DeleteSecret", secret)), ["END low ends on 2026-01-17"]);
    assert_eq!(findings(&record("iam", "DeleteUser", json!({}))), ["END low ends on unknown"]);
}

#[test]
fn throttles_tell_what_is_opened_apart() {
    let rules = RuleSet::compile(&rules().to_string()).unwrap().rules;
    let throttle = rules.rules()[0].throttle.as_ref().unwrap();
    let group = |parts: Value| {
        let json = record("ec2", "AuthorizeSecurityGroupIngress", json!({ "requestParameters": parts })).to_string();
        throttle.group("OPEN", &Record::parse(&json).unwrap())
    };
    let flat = group(json!({ "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIp": "0.0.0.0/0" }));
    let nested = json!({ "ipProtocol": "6", "fromPort": 22, "toPort": 22, "ipv6Ranges": { "items": [{ "cidrIpv6": "0::0/0" }] } });
    assert_eq!(group(json!({ "ipPermissions": { "items": [nested] } })), flat);
    assert_ne!(group(json!({ "ipProtocol": "tcp", "fromPort": 23, "toPort": 23, "cidrIp": "0.0.0.0/0" })), flat);
}

#[test]
fn explain_shows_the_place_that_decided() {
    let folder = tempfile::tempdir().unwrap();
    let rules = support::file(folder.path(), "rules.json", rules().to_string());
    let items = json!([{ "ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
        "ipRanges": { "items": [{ "cidrIp": "10.0.0.0/8" }, { "cidrIp": "0.0.0.0/0" }] } }]);
    let opened = record(
        "ec2",
        "AuthorizeSecurityGroupIngress",
        json!({ "requestParameters": { "ipPermissions": { "items": items } } }),
    );
    let event = support::file(folder.path(), "event.json", opened.to_string());
    let explain = |more: &[&str]| {
        let mut command = support::offlimits(["explain", "--all", "--rules"]);
        command.arg(&rules).args(more).arg(&event);
        let run = support::run(command);
        assert_eq!(run.code, Some(0), "{}", run.shown());
        run
    };
    let run = explain(&[]);
    let place = "requestParameters.ipPermissions.items[0].ipRanges.items";
    for part in [
        &format!(
            "opened {{\"exists\":true}}  (found \"tcp 22 from 10.0.0.0/8\" in {place}[0].cidrIp, \"tcp 22 from 0.0.0.0/0\" in {place}[1].cidrIp)"
        ),
        "instance_type {\"exists\":true}  (the call says nothing of it)",
    ] {
        assert!(run.stdout.contains(part), "{part}\nin:\n{}", run.stdout);
    }
    let lines = explain(&["--rule", "OPEN", "--format", "jsonl"]).findings();
    let cell = &lines[0]["rows"][0]["cells"][0];
    assert_eq!(cell["values"], json!(["tcp 22 from 10.0.0.0/8", "tcp 22 from 0.0.0.0/0"]));
    assert_eq!(cell["places"], json!([format!("{place}[0].cidrIp"), format!("{place}[1].cidrIp")]));
}

#[test]
fn a_misspelt_field_is_an_error_with_its_name() {
    let source = json!({ "rules": [{ "id": "R", "title": "{opened_to_wrld}", "severity": "low", "when": { "instance_typ": "x" } }] });
    let found = RuleSet::compile(&source.to_string()).unwrap_err();
    let help: Vec<&str> = found.iter().map(|found| found.help.as_str()).collect();
    assert_eq!(help, [r#"did you mean "opened_to_world"?"#, r#"did you mean "instance_type"?"#], "{found:?}");
}
