//! The pack self-defense: who changes this monitor is told of, by whatever road, and a deployment is no storm.

use std::collections::BTreeMap;

use offlimits::cloudtrail::RawRecord;
use offlimits::cloudtrail::own_resources::OwnResources;
use offlimits::cloudtrail::spokes::Spokes;
use offlimits::ruleset::{RuleSet, Sources};
use serde_json::{Value, json};

use crate::support;

/// A record of a call that a role makes, perhaps through a service of AWS's.
fn call(service: &str, event: &str, invoked_by: Option<&str>, more: &Value) -> Value {
    let mut record = json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/Admin/eve", "accountId": "123456789012",
            "sessionContext": { "sessionIssuer": { "type": "Role", "userName": "Admin", "arn": "arn:aws:iam::123456789012:role/Admin" } },
        },
        "eventTime": "2026-11-28T12:00:00Z", "eventSource": format!("{service}.amazonaws.com"), "eventName": event,
        "awsRegion": "us-east-1", "sourceIPAddress": "203.0.113.9", "userAgent": "aws-cli/2.32.3",
        "requestParameters": null, "responseElements": null, "readOnly": false, "eventType": "AwsApiCall",
        "managementEvent": true, "recipientAccountId": "123456789012", "eventCategory": "Management",
    });
    if let Some(name) = invoked_by {
        record["userIdentity"]["invokedBy"] = json!(name);
        record["sourceIPAddress"] = json!(name);
        record["userAgent"] = json!(name);
    }
    for (key, value) in more.as_object().unwrap() {
        record[key] = value.clone();
    }
    record
}

/// These records as a log file, each with an id and a second of its own.
fn log_file(folder: &std::path::Path, mut records: Vec<Value>) -> std::path::PathBuf {
    for (index, record) in records.iter_mut().enumerate() {
        record["eventID"] = json!(format!("00000000-0000-4000-8000-{index:012}"));
        record["eventTime"] = json!(format!("2026-11-28T12:{:02}:{:02}Z", index / 60, index % 60));
    }
    support::file(folder, "log.json", json!({ "Records": records }).to_string())
}

const CFN: Option<&str> = Some("cloudformation.amazonaws.com");
const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:offlimits-Function-1";
const QUEUE: &str = "arn:aws:sqs:us-east-1:123456789012:offlimits-Redelivery-1";

/// The event source mapping's calls name a UUID; each spelling of them that is on record, with a version and without.
#[test]
fn the_redelivery_cannot_be_switched_off_unheard() {
    let verbs = ["Create", "Update", "Delete"];
    let names = verbs.iter().flat_map(|verb| ["", "20150331", "20150331v2"].map(|version| (verb, version)));
    let uuid = json!({ "uUID": "14e0db71-5d35-4eb5-b481-8945cf9d10c2" });
    let mut cases: Vec<Value> = names
        .map(|(verb, version)| {
            let response = json!({ "functionArn": FUNCTION, "eventSourceArn": QUEUE, "state": "Disabling" });
            let more = json!({ "requestParameters": uuid, "responseElements": response });
            call("lambda", &format!("{verb}EventSourceMapping{version}"), None, &more)
        })
        .collect();
    // The queue is given to another function.
    let response =
        json!({ "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:x", "eventSourceArn": QUEUE });
    cases.push(call("lambda", "UpdateEventSourceMapping20150331", None, &json!({ "responseElements": response })));
    expect(&cases.into_iter().map(|record| (record, "SELF-11", "very-high")).collect::<Vec<_>>());
}

/// Whoever may deploy any stack could change ours as a resource of theirs.
#[test]
fn changes_that_come_through_another_stack_are_seen() {
    let request = |parameters: Value| json!({ "requestParameters": parameters });
    let role = |policy: &str| {
        request(json!({ "roleName": "offlimits-Role-1", "policyName": "evil", "policyDocument": policy }))
    };
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect": "Deny","Action":"*","Resource":"*"}]}"#;
    let allow = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    let topic = "arn:aws:sns:us-east-1:123456789012:offlimits-Topic-1";
    let change_set = "arn:aws:cloudformation:us-east-1:123456789012:changeSet/offlimits-now/6a3e";
    let resource = |kind: &str, name: &str| request(json!({ "typeName": kind, "identifier": name }));
    expect(&[
        (call("iam", "PutRolePolicy", CFN, &role(deny)), "SELF-10", "high"),
        (call("iam", "PutRolePolicy", CFN, &role(allow)), "SELF-10", "medium"),
        (
            call("sns", "SetTopicAttributes", CFN, &request(json!({ "topicArn": topic, "attributeName": "Policy" }))),
            "SELF-10",
            "medium",
        ),
        (
            call("sns", "Subscribe", CFN, &request(json!({ "topicArn": topic, "protocol": "https" }))),
            "SELF-10",
            "medium",
        ),
        (call("sns", "PutDataProtectionPolicy", CFN, &request(json!({ "resourceArn": topic }))), "SELF-10", "medium"),
        (
            call("lambda", "PutFunctionEventInvokeConfig", CFN, &request(json!({ "functionName": FUNCTION }))),
            "SELF-10",
            "medium",
        ),
        (
            call("lambda", "DeleteFunction20150331", CFN, &request(json!({ "functionName": FUNCTION }))),
            "SELF-10",
            "high",
        ),
        (
            call(
                "lambda",
                "UpdateEventSourceMapping20150331",
                CFN,
                &json!({ "responseElements": { "functionArn": FUNCTION } }),
            ),
            "SELF-10",
            "medium",
        ),
        (
            call(
                "sqs",
                "SetQueueAttributes",
                CFN,
                &request(
                    json!({ "queueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/offlimits-Redelivery-1" }),
                ),
            ),
            "SELF-10",
            "medium",
        ),
        (
            call("events", "DisableRule", CFN, &request(json!({ "name": "offlimits-FunctionTrail-1" }))),
            "SELF-10",
            "high",
        ),
        (
            call("monitoring", "PutMetricAlarm", CFN, &request(json!({ "alarmName": "offlimits-silence" }))),
            "SELF-10",
            "medium",
        ),
        (
            call("logs", "PutRetentionPolicy", CFN, &request(json!({ "logGroupName": "/aws/lambda/offlimits" }))),
            "SELF-10",
            "medium",
        ),
        (
            call("dynamodb", "UpdateTable", CFN, &request(json!({ "tableName": "offlimits-Ledger-1" }))),
            "SELF-10",
            "medium",
        ),
        (
            call("cloudformation", "ExecuteChangeSet", None, &request(json!({ "changeSetName": change_set }))),
            "SELF-10",
            "medium",
        ),
        (
            call("cloudformation", "DeleteStackInstances", None, &request(json!({ "stackSetName": "offlimits" }))),
            "SELF-10",
            "very-high",
        ),
        (
            call("cloudcontrolapi", "DeleteResource", None, &resource("AWS::Lambda::Function", "offlimits-Function-1")),
            "SELF-13",
            "very-high",
        ),
        (
            call("cloudcontrolapi", "UpdateResource", None, &resource("AWS::CloudWatch::Alarm", "offlimits-errors")),
            "SELF-13",
            "very-high",
        ),
    ]);
}

/// Each record sets off this rule with this severity; without the monitor's name, none of the pack's.
fn expect(cases: &[(Value, &str, &str)]) {
    let folder = tempfile::tempdir().unwrap();
    let rules = with_the_pack(folder.path());
    let found = |records: Vec<Value>| {
        let run = support::replay(&[&log_file(folder.path(), records)], &rules);
        assert_eq!((run.code, run.misbehaviour()), (Some(0), None), "{}", run.shown());
        let mut by_record = BTreeMap::<u64, Vec<(String, String)>>::new();
        for finding in run.findings() {
            let text = |key: &str| finding[key].as_str().unwrap().to_owned();
            by_record.entry(finding["index"].as_u64().unwrap()).or_default().push((text("rule"), text("severity")));
        }
        by_record
    };
    let told = found(cases.iter().map(|(record, ..)| record.clone()).collect());
    for (index, (record, rule, severity)) in (0..).zip(cases) {
        let expected = (String::from(*rule), String::from(*severity));
        assert!(told.get(&index).is_some_and(|told| told.contains(&expected)), "{record}: {:?}", told.get(&index));
    }
    let others =
        cases.iter().map(|(record, ..)| serde_json::from_str(&record.to_string().replace("offlimits", "app")).unwrap());
    let told = found(others.collect());
    assert!(told.is_empty(), "{told:?}");
}

/// The same under another stack's name, which the tool is told; and the stack called offlimits is then somebody else's.
#[test]
fn the_monitor_is_known_under_any_stacks_name() {
    let more = |parameters: Value| json!({ "requestParameters": parameters });
    let cases = [
        (
            call("lambda", "DeleteFunction20150331", None, &more(json!({ "functionName": "sec-b-Function-1" }))),
            "SELF-1",
        ),
        (call("iam", "DetachRolePolicy", None, &more(json!({ "roleName": "SEC-B-Role-1" }))), "SELF-2"),
        (call("events", "DisableRule", None, &more(json!({ "name": "sec-b-FunctionTrail-1" }))), "SELF-3"),
        (
            call(
                "sns",
                "DeleteTopic",
                None,
                &more(json!({ "topicArn": "arn:aws:sns:us-east-1:123456789012:sec-b-Topic-1" })),
            ),
            "SELF-4",
        ),
        (
            call("monitoring", "DeleteAlarms", None, &more(json!({ "alarmNames": ["app-cpu", "sec-b-errors"] }))),
            "SELF-8",
        ),
        (call("logs", "DeleteLogGroup", None, &more(json!({ "logGroupName": "/aws/lambda/sec-b" }))), "SELF-9"),
        (call("cloudformation", "DeleteStack", None, &more(json!({ "stackName": "sec-b" }))), "SELF-10"),
        (
            call(
                "lambda",
                "DeleteEventSourceMapping20150331",
                None,
                &json!({ "responseElements": { "functionArn": FUNCTION.replace("offlimits", "sec-b") } }),
            ),
            "SELF-11",
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    let told = |stack: &str| {
        let rules = with_the_pack(folder.path());
        let mut command = support::offlimits(["replay", "--format", "jsonl", "--stack", stack, "--rules"]);
        command.arg(rules).arg(log_file(folder.path(), cases.iter().map(|(record, _)| record.clone()).collect()));
        let run = support::run(command);
        assert_eq!((run.code, run.misbehaviour()), (Some(0), None), "{}", run.shown());
        run.findings().iter().map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(told("sec-b"), cases.iter().map(|(_, rule)| (*rule).to_owned()).collect::<Vec<_>>());
    assert!(told("offlimits").is_empty() && told("sec-bb").is_empty());
}

/// What has no stack's name in it is listed in the function's environment; in a package as without one.
#[test]
fn what_the_environment_lists_is_watched() {
    let own = OwnResources::new(
        "sec-b",
        [
            "arn:aws:iam::123456789012:role/sec-b-Role-1",
            "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:Secret-a1B2-AbCdEf",
            "arn:aws:sns:us-east-1:123456789012:soc",
        ],
    );
    let more = |parameters: Value| json!({ "requestParameters": parameters });
    let key = |id: &str| more(json!({ "keyId": id }));
    let cases = [
        (call("kms", "DisableKey", None, &key("1234abcd-12ab-34cd-56ef-1234567890ab")), Some("SELF-12")),
        (
            call(
                "kms",
                "ScheduleKeyDeletion",
                None,
                &key("arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
            ),
            Some("SELF-12"),
        ),
        (call("kms", "PutKeyPolicy", CFN, &key("1234abcd-12ab-34cd-56ef-1234567890ab")), Some("SELF-10")),
        (call("kms", "DisableKey", None, &key("5678abcd-12ab-34cd-56ef-1234567890ab")), None),
        (call("secretsmanager", "DeleteSecret", None, &more(json!({ "secretId": "Secret-a1B2" }))), Some("SELF-5")),
        (call("secretsmanager", "DeleteSecret", None, &more(json!({ "secretId": "Secret-a1B3" }))), None),
        (
            call("sns", "DeleteTopic", None, &more(json!({ "topicArn": "arn:aws:sns:us-east-1:123456789012:soc" }))),
            Some("SELF-4"),
        ),
        (
            call(
                "sqs",
                "DeleteQueue",
                None,
                &more(json!({ "queueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/soc" })),
            ),
            None,
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    let root = std::fs::read_to_string(with_the_pack(folder.path())).unwrap();
    let sources = Sources::gather(root, |name| Ok(std::fs::read_to_string(name).unwrap())).with_own(own.clone());
    let compiled = RuleSet::compile_sources(&sources).unwrap().rules;
    let bundle = sources.bundle().unwrap();
    // The index is made where the rules are packaged, which knows nothing of the stack.
    let elsewhere = RuleSet::compile(&bundle).unwrap().rules.index_of(&bundle, None).unwrap();
    let packaged = RuleSet::packaged(bundle, elsewhere.leak(), || unreachable!(), own).unwrap();
    for (record, rule) in &cases {
        let raw = RawRecord { json: record.to_string(), index: 0, message_id: None, account: None };
        for rules in [&compiled, &packaged] {
            let found: Vec<_> = rules.evaluate(&raw).unwrap().into_iter().map(|found| found.rule.id.clone()).collect();
            assert_eq!(found, rule.iter().map(|rule| (*rule).to_owned()).collect::<Vec<_>>(), "{record}");
        }
    }
}

/// Rules with this pack alone.
fn with_the_pack(folder: &std::path::Path) -> std::path::PathBuf {
    let pack = support::repository("packs/self-defense.json");
    let rules = json!({ "channels": { "topic": { "type": "sns" } }, "include": [{ "pack": pack }] });
    support::file(folder, "rules.json", rules.to_string())
}

/// All that `CloudFormation` calls for `make deploy` of a changed template, with the shipped rules: one alert and its roll-up.
#[test]
fn an_update_of_the_stack_gives_three_messages_at_most() {
    let on = |service: &str, event: &str, parameters: Value| {
        call(service, event, CFN, &json!({ "requestParameters": parameters }))
    };
    let by_hand = |event: &str| {
        call("cloudformation", event, None, &json!({ "requestParameters": { "stackName": "offlimits" } }))
    };
    let mut records = vec![by_hand("CreateChangeSet"), by_hand("ExecuteChangeSet")];
    for name in ["Redelivery", "DeadLetters", "FailedEvents", "UndeliveredEvents"] {
        let url = format!("https://sqs.us-east-1.amazonaws.com/123456789012/offlimits-{name}-1");
        records.push(on("sqs", "SetQueueAttributes", json!({ "queueUrl": url })));
        records.push(on("sqs", "TagQueue", json!({ "queueUrl": url })));
    }
    let topic = "arn:aws:sns:us-east-1:123456789012:offlimits-Topic-1";
    let role = json!({ "roleName": "offlimits-Role-1", "policyName": "offlimits", "policyDocument": r#"{"Statement":[{"Effect":"Allow"}]}"# });
    records.extend([
        on("dynamodb", "UpdateTable", json!({ "tableName": "offlimits-Ledger-1" })),
        on("dynamodb", "UpdateContinuousBackups", json!({ "tableName": "offlimits-Ledger-1" })),
        on("iam", "PutRolePolicy", role),
        on("iam", "UpdateRoleDescription", json!({ "roleName": "offlimits-Role-1" })),
        on("kms", "PutKeyPolicy", json!({ "keyId": "1234abcd-12ab-34cd-56ef-1234567890ab" })),
        on("sns", "SetTopicAttributes", json!({ "topicArn": topic, "attributeName": "Policy" })),
        on("sns", "Subscribe", json!({ "topicArn": topic, "protocol": "email" })),
        on("lambda", "UpdateFunctionConfiguration20150331v2", json!({ "functionName": FUNCTION })),
        on("lambda", "UpdateFunctionCode20150331v2", json!({ "functionName": FUNCTION })),
        on("lambda", "PutFunctionEventInvokeConfig", json!({ "functionName": FUNCTION })),
        on("lambda", "AddPermission20150331v2", json!({ "functionName": FUNCTION })),
        call(
            "lambda",
            "UpdateEventSourceMapping20150331",
            CFN,
            &json!({ "responseElements": { "functionArn": FUNCTION } }),
        ),
        on("events", "PutRule", json!({ "name": "offlimits-FunctionTrail-1" })),
        on("events", "PutTargets", json!({ "rule": "offlimits-FunctionTrail-1" })),
        on("logs", "PutRetentionPolicy", json!({ "logGroupName": "/aws/lambda/offlimits" })),
        on("logs", "AssociateKmsKey", json!({ "logGroupName": "/aws/lambda/offlimits" })),
    ]);
    for name in ["errors", "throttles", "ledger", "silence", "dead-letters", "failed-events", "redelivery-age"] {
        records.push(on("monitoring", "PutMetricAlarm", json!({ "alarmName": format!("offlimits-{name}") })));
    }
    let folder = tempfile::tempdir().unwrap();
    // Under a name that is not the usual one.
    let records = records.iter().map(|record| record.to_string().replace("offlimits", "sec-b"));
    let records = records.map(|record| serde_json::from_str(&record).unwrap()).collect();
    let mut command = support::offlimits(["backtest", "--format", "json", "--stack", "sec-b", "--rules"]);
    command.arg(support::repository("rules.json")).arg(log_file(folder.path(), records));
    let run = support::run(command);
    assert_eq!((run.code, run.misbehaviour()), (Some(0), None), "{}", run.shown());
    let summary: Value = serde_json::from_str(&run.stdout).unwrap();
    let count = |value: &Value| value.as_u64().unwrap();
    assert!(count(&summary["findings"]) > 25, "{summary}");
    for channel in summary["channels"].as_array().unwrap() {
        let messages = count(&channel["alerts"]) + count(&channel["roll_ups"]);
        assert!((1..=3).contains(&messages), "{channel}\n{}", summary["rules"]);
    }
}

/// A hub is told of its spokes in whatever account, and of its own stack in its own.
#[test]
fn a_hub_watches_its_spokes_in_every_account() {
    let own = OwnResources::new("sec-b", ["arn:aws:iam::123456789012:role/sec-b-Role-1"])
        .with_spokes(Spokes::of_stack_set("all"));
    let more = |parameters: Value| json!({ "requestParameters": parameters, "recipientAccountId": "222222222222" });
    let queue = "https://sqs.us-east-1.amazonaws.com/222222222222/StackSet-all-6a3e-Letters-1";
    let stack = "arn:aws:cloudformation:us-east-1:222222222222:stack/StackSet-all-6a3e/0a1b";
    let bus = json!({ "eventBusName": "sec-b", "statementId": "Organization" });
    let cases = [
        (call("events", "DisableRule", None, &more(json!({ "name": "StackSet-all-6a3e-Trail-1" }))), Some("SELF-3")),
        (call("events", "RemoveTargets", None, &more(json!({ "rule": "StackSet-all-6a3e-Trail-1" }))), Some("SELF-3")),
        (
            call("iam", "DeleteRolePolicy", None, &more(json!({ "roleName": "StackSet-all-6a3e-Role-1" }))),
            Some("SELF-2"),
        ),
        (call("sqs", "SetQueueAttributes", None, &more(json!({ "queueUrl": queue }))), Some("SELF-6")),
        (call("sqs", "PurgeQueue", None, &more(json!({ "queueUrl": queue }))), Some("SELF-6")),
        (
            call("scheduler", "DeleteSchedule", None, &more(json!({ "name": "StackSet-all-6a3e-Probe-1" }))),
            Some("SELF-14"),
        ),
        (
            call(
                "lambda",
                "TagResource20170331v2",
                None,
                &json!({ "requestParameters": { "resource": "arn:aws:lambda:us-east-1:123456789012:function:sec-b-Function-1" } }),
            ),
            Some("SELF-15"),
        ),
        (call("cloudformation", "DeleteStack", None, &more(json!({ "stackName": stack }))), Some("SELF-10")),
        (call("events", "DeleteRule", CFN, &more(json!({ "name": "StackSet-all-6a3e-Trail-1" }))), Some("SELF-10")),
        // The administrator of the StackSet, in another account still.
        (
            call("cloudformation", "DeleteStackInstances", None, &more(json!({ "stackSetName": "all" }))),
            Some("SELF-10"),
        ),
        (
            call("cloudformation", "StopStackSetOperation", None, &more(json!({ "stackSetName": "all:6a3e" }))),
            Some("SELF-10"),
        ),
        (call("cloudformation", "DeleteStackSet", None, &more(json!({ "stackSetName": "others" }))), None),
        // The hub itself; and what another account calls as the hub's stack is.
        (call("events", "RemovePermission", None, &json!({ "requestParameters": bus })), Some("SELF-3")),
        (call("events", "DeleteEventBus", None, &json!({ "requestParameters": { "name": "sec-b" } })), Some("SELF-3")),
        (call("events", "RemovePermission", None, &more(bus.clone())), None),
        (call("events", "DisableRule", None, &more(json!({ "name": "sec-b-FunctionTrail-1" }))), None),
        (call("events", "DisableRule", None, &more(json!({ "name": "StackSet-all2-6a3e-Trail-1" }))), None),
    ];
    let folder = tempfile::tempdir().unwrap();
    let root = std::fs::read_to_string(with_the_pack(folder.path())).unwrap();
    let sources = Sources::gather(root, |name| Ok(std::fs::read_to_string(name).unwrap())).with_own(own);
    let rules = RuleSet::compile_sources(&sources).unwrap().rules;
    for (record, rule) in &cases {
        let raw = RawRecord { json: record.to_string(), index: 0, message_id: None, account: None };
        let found: Vec<_> = rules.evaluate(&raw).unwrap().into_iter().map(|found| found.rule.id.clone()).collect();
        assert_eq!(found, rule.iter().map(|rule| (*rule).to_owned()).collect::<Vec<_>>(), "{record}");
    }
}
