//! Whatever stands where a policy or anything else should that a derived field reads: nothing panics, and what is made to be slow is
//! cut short. Each field is asked, by a call of its own.

use offlimits::cloudtrail::Record;
use offlimits::facts::{DERIVED, DerivedField};
use serde_json::{Value, json};

use super::ROUNDS;
use crate::support::choices::{Choices, seeds};

const KEYS: [&str; 52] = [
    "Statement",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Principal",
    "NotPrincipal",
    "Condition",
    "AWS",
    "Service",
    "Federated",
    "StringLike",
    "aws:SourceIp",
    "policyDocument",
    "launchPermission",
    "add",
    "items",
    "x-amz-acl",
    "AccessControlPolicy",
    "resourcesVpcConfig",
    "principal",
    "ipPermissions",
    "ipRanges",
    "cidrIp",
    "cidrIpv6",
    "ipProtocol",
    "fromPort",
    "toPort",
    "portRange",
    "from",
    "securityGroupRuleSet",
    "portInfos",
    "eC2InboundPermissions",
    "icmpTypeCode",
    "instanceType",
    "instanceTypes",
    "instancesSet",
    "maxCount",
    "instanceCount",
    "desiredCapacity",
    "instanceNames",
    "attribute",
    "value",
    "deletionDate",
    "pendingWindowInDays",
    "forceDeleteWithoutRecovery",
    "accessKey",
    "accessKeyId",
    "loginProfile",
    "userName",
    "x-amz-server-side-encryption-customer-key",
];
const TEXTS: [&str; 32] = [
    "*",
    "",
    "Allow",
    "Deny",
    "iam:*",
    "arn:",
    "arn:::::",
    "arn:aws:iam::*:root",
    "0.0.0.0/0",
    "1/1",
    "${",
    "${aws:",
    "é${é}*",
    "{",
    "%7B%",
    "all",
    "-1",
    "tcp",
    "icmp",
    "65536",
    "99999999999999999999",
    "-99999999999999999999",
    "1e999999999",
    "10.0",
    "256",
    "::/0",
    "::ffff:0.0.0.0/0",
    "0.0.0.0/33",
    "Feb 31, 99999",
    "Jan 1, 1, 1:00:00 AM",
    "instanceType",
    "true",
];

fn anything(choices: &mut Choices, depth: usize) -> Value {
    match choices.below(if depth == 0 { 4 } else { 8 }) {
        0 => Value::Null,
        1 => json!(choices.one_in(2)),
        2 if choices.one_in(4) => json!(i64::MIN),
        2 => json!(choices.below(usize::MAX)),
        3 => json!(choices.of(&TEXTS)),
        4 => (0..choices.below(4)).map(|_| anything(choices, depth - 1)).collect(),
        // A document in a text.
        5 => json!(anything(choices, depth - 1).to_string()),
        _ => Value::Object(
            (0..choices.below(6)).map(|_| (choices.of(&KEYS).to_owned(), anything(choices, depth - 1))).collect(),
        ),
    }
}

/// Asks a field about one of its calls; what it says must be short beside what it is asked about.
fn ask(field: &DerivedField, call: (&str, &str), [request, response, more]: [&Value; 3]) {
    let record = json!({
        "eventSource": call.0,
        "eventName": call.1,
        "awsRegion": "eu-west-1",
        "eventTime": "2026-01-10T11:32:44Z",
        "recipientAccountId": super::world::OWN,
        "requestParameters": request,
        "responseElements": response,
        "additionalEventData": more,
    })
    .to_string();
    let parsed = Record::parse(&record).unwrap();
    for value in field.of(&parsed) {
        assert!(!value.text.is_empty() && !value.place.is_empty(), "{} {value:?} {record}", field.name);
    }
}

/// A call that the field understands.
fn call_of(choices: &mut Choices, field: &DerivedField) -> (&'static str, &'static str) {
    let calls = field.calls[choices.below(field.calls.len())];
    (calls.service, choices.of(calls.events))
}

#[test]
fn whatever_stands_there_is_read_without_harm() {
    for seed in seeds(ROUNDS) {
        let mut choices = Choices::new(seed);
        let mut request = anything(&mut choices, 7);
        if let (Some(members), true) = (request.as_object_mut(), choices.one_in(2)) {
            members.insert("Statement".to_owned(), json!([anything(&mut choices, 6), anything(&mut choices, 6)]));
        }
        let (response, more) = (anything(&mut choices, 5), anything(&mut choices, 2));
        for field in DERIVED {
            ask(field, call_of(&mut choices, field), [&request, &response, &more]);
        }
    }
    eprintln!("{} fields: {} records of anything each", DERIVED.len(), seeds(ROUNDS).count());
}

#[test]
fn what_is_made_to_be_slow_is_cut_short() {
    let deep = format!("{}{}", "{\"Statement\":[".repeat(20_000), "]}".repeat(20_000));
    let stars = "*a".repeat(100_000);
    let many: Vec<String> = (0..20_000).map(|number| format!("s3:*{number}*a*b*")).collect();
    let principals: Vec<String> = (0..20_000).map(|number| format!("arn:aws:iam::{number:012}:role/r")).collect();
    let statement = |effect: &str, actions: &Value| json!({ "Effect": effect, "Action": actions, "Resource": "*", "Principal": { "AWS": principals } });
    let permissions: Vec<Value> = (0..2_000)
        .map(|number| {
            let cidr = format!("{}.{}.0.0/16", number / 256 + 1, number % 256);
            json!({ "ipProtocol": "tcp", "fromPort": number, "toPort": number + 30_000, "cidrIp": cidr })
        })
        .collect();
    let types: Vec<Value> =
        (0..2_000).map(|number| json!({ "instanceType": format!("t{number}.nano"), "maxCount": 1 })).collect();
    let requests = [
        json!({ "policyDocument": deep }),
        json!({ "policyDocument": format!("%7B{}", "%7B".repeat(300_000)) }),
        json!({ "policyDocument": { "Statement": [statement("Allow", &json!(stars)), statement("Deny", &json!(stars))] } }),
        json!({ "policyDocument": { "Statement": [statement("Allow", &json!(many)), statement("Deny", &json!(many))] } }),
        json!({ "policyDocument": { "Statement": (0..20_000).map(|_| json!({ "Effect": "Deny", "Principal": "*" })).collect::<Value>() } }),
        json!({ "ipPermissions": { "items": permissions }, "instancesSet": { "items": types } }),
    ];
    let mut choices = Choices::new(1);
    for request in &requests {
        for field in DERIVED {
            ask(field, call_of(&mut choices, field), [request, request, &Value::Null]);
        }
    }
}
