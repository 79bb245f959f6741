//! What calls make public by switches and endpoints: `public_access` in the shape of each call. The judge is what the switches were
//! to be before the request was written.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ROUNDS, agree, values};
use crate::facts::shapes::flag;
use crate::support::choices::{Choices, seeds};

/// A call: its service, its name, request and response, and what it makes public.
struct Played {
    service: &'static str,
    event: &'static str,
    request: Value,
    response: Value,
    expected: BTreeSet<String>,
}

fn played(service: &'static str, event: &'static str, request: Value, expected: &[&str]) -> Played {
    let expected = expected.iter().map(|text| (*text).to_owned()).collect();
    Played { service, event, request, response: Value::Null, expected }
}

const OFF: &str = "public access block off";
const PARTS: [&str; 4] = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];

/// S3's block: each of four parts on, off, or not named, which is off.
fn block(choices: &mut Choices) -> Played {
    let mut block = json!({ "xmlns": "http://s3.amazonaws.com/doc/2006-03-01/" });
    let mut off = Vec::new();
    for part in PARTS {
        let state = choices.of(&[Some(true), Some(true), Some(false), None]);
        if let Some(state) = state {
            block[part] = flag(choices, state);
        }
        if state != Some(true) {
            off.push(format!("{part} off"));
        }
    }
    let event = choices.of(&["PutBucketPublicAccessBlock", "PutAccountPublicAccessBlock"]);
    let request = json!({ "bucketName": "b", "publicAccessBlock": [""], "PublicAccessBlockConfiguration": block });
    let mut played = played("s3", event, request, &[]);
    played.expected = if off.len() == PARTS.len() { [OFF.to_owned()].into() } else { off.into_iter().collect() };
    played
}

/// An endpoint of a cluster: whether it is public, and from where, in the request or as the answer describes it.
fn endpoint(choices: &mut Choices) -> Played {
    let access = choices.of(&[None, Some(true), Some(false)]);
    let networks: Option<&[&str]> = choices.of(&[
        None,
        Some(&["0.0.0.0/0"] as &[&str]),
        Some(&["0.0.0.0/1", "128.0.0.0/1"]),
        Some(&["203.0.113.0/24"]),
        Some(&["128.0.0.0/1", "10.0.0.0/8"]),
        Some(&["203.0.113.9/32", "0.0.0.0/0"]),
    ]);
    let mut config = json!({ "subnetIds": ["subnet-1"], "endpointPrivateAccess": true });
    if let Some(access) = access {
        config["endpointPublicAccess"] = flag(choices, access);
    }
    if let Some(networks) = networks {
        config["publicAccessCidrs"] = json!(networks);
    }
    let is_world = networks.is_none_or(|networks| networks.contains(&"0.0.0.0/0") || networks.contains(&"0.0.0.0/1"));
    let is_said = access.is_some() || networks.is_some();
    let is_public = is_said && access != Some(false) && is_world;
    let config = if choices.one_in(2) { config } else { json!(config) };
    let expected: &[&str] = if is_public { &["publicly accessible"] } else { &[] };
    if choices.one_in(3) {
        let request = json!({ "name": "c", "resourcesVpcConfig": { "subnetIds": ["subnet-1"] } });
        let mut played = played("eks", "CreateCluster", request, expected);
        played.response = json!({ "cluster": { "name": "c", "resourcesVpcConfig": config } });
        return played;
    }
    let event = choices.of(&["CreateCluster", "UpdateClusterConfig"]);
    played("eks", event, json!({ "name": "c", "resourcesVpcConfig": config }), expected)
}

/// A switch with its values: those that make something public, and those that do not.
type Switch = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
    &'static str,
);

const SWITCHES: [Switch; 13] = [
    (
        "lambda",
        "CreateFunctionUrlConfig",
        &["authType"],
        &["NONE"],
        &["AWS_IAM"],
        "function URL without authentication",
    ),
    (
        "lambda",
        "UpdateFunctionUrlConfig",
        &["authType"],
        &["NONE"],
        &["AWS_IAM"],
        "function URL without authentication",
    ),
    (
        "codebuild",
        "UpdateProjectVisibility",
        &["projectVisibility"],
        &["PUBLIC_READ"],
        &["PRIVATE"],
        "everybody may read",
    ),
    (
        "quicksight",
        "UpdatePublicSharingSettings",
        &["publicSharingEnabled"],
        &["true"],
        &["false"],
        "everybody may read",
    ),
    ("lightsail", "UpdateBucket", &["accessRules", "getObject"], &["public"], &["private"], "everybody may read"),
    (
        "kafka",
        "UpdateConnectivity",
        &["connectivityInfo", "publicAccess", "type"],
        &["SERVICE_PROVIDED_EIPS"],
        &["DISABLED"],
        "publicly accessible",
    ),
    (
        "elasticmapreduce",
        "PutBlockPublicAccessConfiguration",
        &["blockPublicAccessConfiguration", "blockPublicSecurityGroupRules"],
        &["false"],
        &["true"],
        OFF,
    ),
    (
        "ec2",
        "EnableSnapshotBlockPublicAccess",
        &["EnableSnapshotBlockPublicAccessRequest", "State"],
        &["unblocked"],
        &["block-all-sharing", "block-new-sharing"],
        OFF,
    ),
    (
        "ec2",
        "ModifyVpcBlockPublicAccessOptions",
        &["ModifyVpcBlockPublicAccessOptionsRequest", "InternetGatewayBlockMode"],
        &["off"],
        &["block-bidirectional", "block-ingress"],
        OFF,
    ),
    ("redshift-serverless", "UpdateWorkgroup", &["publiclyAccessible"], &["true"], &["false"], "publicly accessible"),
    ("neptune-graph", "UpdateGraph", &["publicConnectivity"], &["true"], &["false"], "publicly accessible"),
    (
        "apprunner",
        "CreateService",
        &["networkConfiguration", "ingressConfiguration", "isPubliclyAccessible"],
        &["true"],
        &["false"],
        "publicly accessible",
    ),
    ("m2", "CreateEnvironment", &["publiclyAccessible"], &["true"], &["false"], "publicly accessible"),
];

fn switch(choices: &mut Choices) -> Played {
    let (service, event, path, public, private, text) = choices.of(&SWITCHES);
    let is_public = choices.one_in(2);
    let value = choices.of(if is_public { public } else { private });
    // What is true or false is one as a rule.
    let value = match value {
        "true" | "false" if !choices.one_in(3) => json!(value == "true"),
        text => json!(text),
    };
    let mut request = path.iter().rev().fold(value, |inner, key| json!({ *key: inner }));
    request["name"] = json!("n");
    let expected: &[&str] = if is_public { &[text] } else { &[] };
    played(service, event, request, expected)
}

/// Calls whose name is enough.
fn turned_off(choices: &mut Choices) -> Played {
    let (service, event) = choices.of(&[
        ("s3", "DeleteBucketPublicAccessBlock"),
        ("s3", "DeleteAccountPublicAccessBlock"),
        ("ec2", "DisableImageBlockPublicAccess"),
        ("ec2", "DisableSnapshotBlockPublicAccess"),
    ]);
    let request = if choices.one_in(2) { Value::Null } else { json!({ "bucketName": "b" }) };
    played(service, event, request, &[OFF])
}

#[test]
fn what_switches_and_endpoints_make_public_is_read_in_each_calls_shape() {
    let rounds = seeds(ROUNDS);
    let mut complaints = Vec::new();
    let mut public = 0;
    for seed in rounds.clone() {
        let mut choices = Choices::new(seed);
        let mut played = match choices.below(4) {
            0 => block(&mut choices),
            1 => endpoint(&mut choices),
            2 => turned_off(&mut choices),
            _ => switch(&mut choices),
        };
        // Tags are called what people like.
        if let Some(members) = played.request.as_object_mut().filter(|_| choices.one_in(3)) {
            let words = [("publiclyAccessible", "true"), ("authType", "NONE"), ("getObject", "public")];
            let (key, value) = choices.of(&words);
            members.insert("tags".to_owned(), json!({ key: value }));
        }
        if choices.one_in(5) && played.request.is_object() {
            played.request = json!(played.request.to_string());
        }
        let source = format!("{}.amazonaws.com", played.service);
        let said: BTreeSet<String> =
            values("public_access", &source, played.event, &played.request, &played.response).into_iter().collect();
        public += usize::from(!said.is_empty());
        if said != played.expected {
            let Played { event, request, response, expected, .. } = &played;
            complaints.push(format!("seed {seed}: {said:?} is {expected:?}\n{event} {request} {response}"));
        }
    }
    agree("public_access", rounds.count(), &complaints);
    assert!(public > 0);
}
