//! Whatever stands where a policy should: nothing panics, and what is made to be slow is cut short.

use serde_json::{Value, json};

use super::{ROUNDS, values};
use crate::support::choices::{Choices, seeds};

const FIELDS: [(&str, &str, &str); 8] = [
    ("admin_grant", "iam.amazonaws.com", "PutUserPolicy"),
    ("lets_in", "s3.amazonaws.com", "PutBucketPolicy"),
    ("lets_in", "lambda.amazonaws.com", "AddPermission20150331v2"),
    ("lets_in_outside", "kms.amazonaws.com", "PutKeyPolicy"),
    ("trusted", "iam.amazonaws.com", "CreateRole"),
    ("public_access", "s3.amazonaws.com", "PutBucketAcl"),
    ("public_access", "eks.amazonaws.com", "CreateCluster"),
    ("shared_with", "ec2.amazonaws.com", "ModifyImageAttribute"),
];

const KEYS: [&str; 22] = [
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
];
const TEXTS: [&str; 16] = [
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
];

fn anything(choices: &mut Choices, depth: usize) -> Value {
    match choices.below(if depth == 0 { 4 } else { 8 }) {
        0 => Value::Null,
        1 => json!(choices.one_in(2)),
        2 => json!(choices.below(1_000_000_000_000)),
        3 => json!(choices.of(&TEXTS)),
        4 => (0..choices.below(4)).map(|_| anything(choices, depth - 1)).collect(),
        // A document in a text.
        5 => json!(anything(choices, depth - 1).to_string()),
        _ => Value::Object(
            (0..choices.below(6)).map(|_| (choices.of(&KEYS).to_owned(), anything(choices, depth - 1))).collect(),
        ),
    }
}

#[test]
fn whatever_stands_there_is_read_without_harm() {
    for seed in seeds(ROUNDS) {
        let mut choices = Choices::new(seed);
        let mut request = anything(&mut choices, 7);
        if let (Some(members), true) = (request.as_object_mut(), choices.one_in(2)) {
            members.insert("Statement".to_owned(), json!([anything(&mut choices, 6), anything(&mut choices, 6)]));
        }
        let response = anything(&mut choices, 5);
        for (field, source, event) in FIELDS {
            values(field, source, event, &request, &response);
        }
    }
}

#[test]
fn what_is_made_to_be_slow_is_cut_short() {
    let deep = format!("{}{}", "{\"Statement\":[".repeat(20_000), "]}".repeat(20_000));
    let stars = "*a".repeat(100_000);
    let many: Vec<String> = (0..20_000).map(|number| format!("s3:*{number}*a*b*")).collect();
    let principals: Vec<String> = (0..20_000).map(|number| format!("arn:aws:iam::{number:012}:role/r")).collect();
    let statement = |effect: &str, actions: &Value| json!({ "Effect": effect, "Action": actions, "Resource": "*", "Principal": { "AWS": principals } });
    let requests = [
        json!({ "policyDocument": deep }),
        json!({ "policyDocument": format!("%7B{}", "%7B".repeat(300_000)) }),
        json!({ "policyDocument": { "Statement": [statement("Allow", &json!(stars)), statement("Deny", &json!(stars))] } }),
        json!({ "policyDocument": { "Statement": [statement("Allow", &json!(many)), statement("Deny", &json!(many))] } }),
        json!({ "policyDocument": { "Statement": (0..20_000).map(|_| json!({ "Effect": "Deny", "Principal": "*" })).collect::<Value>() } }),
    ];
    for request in &requests {
        for (field, source, event) in FIELDS {
            values(field, source, event, request, &Value::Null);
        }
    }
}
