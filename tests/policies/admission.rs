//! Whom policies let in: `lets_in`, `lets_in_outside` and `trusted` beside the evaluator.
//!
//! A policy is generated as statements, written twice in different spellings, and decided for everybody in the world. Nobody may
//! be let in whom no value names, whatever the policy. No value may name somebody who is not let in, in policies of at most one `Deny`
//! on other keys than an `Allow` asks for: a `Deny` counts where it certainly takes something back by itself, so that of what two
//! of them leave together more is told.

use serde_json::{Value, json};

use super::evaluator::{admitted, is_in, is_like};
use super::spelling;
use super::world::{
    ACTIONS, Caller, NETWORK, OWN, OWN_BUCKET, OWN_ENDPOINT, OWN_ORGANIZATION, OWN_ROLE, PARTNER, PARTNER_ORGANIZATION,
    PARTNER_ROLE, THINGS, callers,
};
use super::{ROUNDS, agree, values};
use crate::support::choices::{Choices, seeds};

/// A statement before it is written.
#[derive(Debug, Clone)]
struct Statement {
    allows: bool,
    negates_principals: bool,
    /// The kind, and the name in its shortest form.
    principals: Vec<(&'static str, &'static str)>,
    negates_actions: bool,
    actions: Vec<&'static str>,
    things: Option<(bool, Vec<&'static str>)>,
    conditions: Vec<(&'static str, &'static str, Vec<&'static str>)>,
}

const PRINCIPALS: [(&str, &str); 8] = [
    ("AWS", "*"),
    ("AWS", "*"),
    ("AWS", OWN),
    ("AWS", PARTNER),
    ("AWS", OWN_ROLE),
    ("AWS", PARTNER_ROLE),
    ("Service", "s3.amazonaws.com"),
    ("Service", "sns.amazonaws.com"),
];

/// Conditions that name somebody, or keep nobody out.
const CONDITIONS: [(&str, &str, &[&str]); 34] = [
    ("StringEquals", "aws:PrincipalOrgID", &[OWN_ORGANIZATION]),
    ("StringEquals", "aws:PrincipalOrgID", &[OWN_ORGANIZATION, PARTNER_ORGANIZATION]),
    ("StringLike", "aws:PrincipalOrgID", &["*"]),
    ("StringLike", "aws:PrincipalOrgID", &["o-*"]),
    ("StringEqualsIfExists", "aws:PrincipalOrgID", &[OWN_ORGANIZATION]),
    ("ForAllValues:StringEquals", "aws:PrincipalOrgID", &[OWN_ORGANIZATION]),
    ("ForAnyValue:StringEquals", "aws:PrincipalOrgID", &[OWN_ORGANIZATION]),
    ("StringNotEquals", "aws:PrincipalOrgID", &[OWN_ORGANIZATION]),
    ("StringEquals", "aws:PrincipalAccount", &[OWN]),
    ("StringEquals", "aws:PrincipalAccount", &[OWN, PARTNER]),
    ("StringLike", "aws:PrincipalAccount", &["*"]),
    ("StringNotEquals", "aws:PrincipalAccount", &[PARTNER]),
    ("ArnEquals", "aws:PrincipalArn", &[OWN_ROLE]),
    ("ArnLike", "aws:PrincipalArn", &["arn:aws:iam::111111111111:role/*"]),
    ("ArnLike", "aws:PrincipalArn", &["arn:aws:iam::*:role/*"]),
    ("StringLike", "aws:PrincipalArn", &["*"]),
    ("IpAddress", "aws:SourceIp", &["0.0.0.0/0"]),
    ("IpAddress", "aws:SourceIp", &["0.0.0.0/1", "128.0.0.0/1"]),
    ("IpAddress", "aws:SourceIp", &["::/0", "0.0.0.0/0"]),
    ("IpAddress", "aws:SourceIp", &[NETWORK]),
    ("IpAddressIfExists", "aws:SourceIp", &[NETWORK]),
    ("NotIpAddress", "aws:SourceIp", &[NETWORK]),
    ("StringEquals", "aws:SourceVpce", &[OWN_ENDPOINT]),
    ("StringEqualsIfExists", "aws:SourceVpce", &[OWN_ENDPOINT]),
    ("StringNotEquals", "aws:SourceVpce", &[OWN_ENDPOINT]),
    ("StringLike", "aws:SourceVpce", &["vpce-*"]),
    ("StringEquals", "aws:SourceAccount", &[OWN]),
    ("ArnLike", "aws:SourceArn", &[OWN_BUCKET]),
    ("ArnLike", "aws:SourceArn", &["arn:aws:s3:::*"]),
    ("Bool", "aws:SecureTransport", &["true"]),
    ("Null", "aws:PrincipalOrgID", &["false"]),
    ("Null", "aws:PrincipalOrgID", &["true"]),
    ("Null", "aws:SourceVpce", &["false"]),
    ("StringEquals", "aws:PrincipalServiceName", &["sns.amazonaws.com"]),
];

/// What is denied but to some.
const SPARING: [(&str, &str, &[&str]); 8] = [
    ("StringNotEquals", "aws:PrincipalOrgID", &[OWN_ORGANIZATION]),
    ("StringNotEquals", "aws:PrincipalAccount", &[OWN, PARTNER]),
    ("StringNotEqualsIfExists", "aws:PrincipalOrgID", &[OWN_ORGANIZATION]),
    ("ArnNotLike", "aws:PrincipalArn", &["arn:aws:iam::111111111111:role/*"]),
    ("NotIpAddress", "aws:SourceIp", &[NETWORK]),
    ("StringNotEquals", "aws:SourceVpce", &[OWN_ENDPOINT]),
    ("NotIpAddressIfExists", "aws:SourceIp", &[NETWORK]),
    ("StringNotLike", "aws:PrincipalOrgID", &[OWN_ORGANIZATION, PARTNER_ORGANIZATION]),
];

fn statement(choices: &mut Choices, allows: bool, plays: bool) -> Statement {
    let pick = |choices: &mut Choices, most: usize, from: &[&'static str]| {
        (0..=choices.below(most)).map(|_| choices.of(from)).collect::<Vec<_>>()
    };
    let principals = (0..=choices.below(2)).map(|_| choices.of(&PRINCIPALS)).collect();
    let negates_actions = choices.one_in(6);
    // The world has these exceptions.
    let actions = if negates_actions {
        pick(choices, 2, &["s3:GetObject", "s3:*", "sts:AssumeRole"])
    } else {
        pick(choices, 3, &["*", "s3:*", "s3:Get*", "s3:GetObject", "s3:PutObject"])
    };
    let negates_things = choices.one_in(6);
    let things = (!choices.one_in(4)).then(|| {
        let from: &[&str] =
            if negates_things { &["arn:aws:s3:::b/1"] } else { &["*", "*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/1"] };
        (negates_things, pick(choices, 2, from))
    });
    let mut conditions: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    let negates_principals = choices.one_in(8);
    let number = match (plays, allows) {
        // Conditions may name those whom a statement leaves out.
        (false, _) if negates_principals => 0,
        (false, false) => choices.below(2),
        _ => choices.below(3),
    };
    for _ in 0..number {
        let (operator, key, values) = if allows || plays { choices.of(&CONDITIONS) } else { choices.of(&SPARING) };
        // Of two conditions on one key the second may contradict the first.
        if conditions.iter().all(|(_, other, _)| plays || *other != key) {
            conditions.push((operator, key, values.to_vec()));
        }
    }
    conditions.dedup_by(|one, other| one.0 == other.0 && one.1 == other.1);
    Statement {
        allows,
        negates_principals,
        principals: if allows || plays || choices.one_in(3) { principals } else { vec![("AWS", "*")] },
        negates_actions,
        actions,
        things,
        conditions,
    }
}

fn policy(choices: &mut Choices, plays: bool) -> Vec<Statement> {
    let allows = 1 + choices.below(2);
    let denies = choices.below(if plays { 3 } else { 2 });
    let mut statements: Vec<Statement> =
        (0..allows + denies).map(|index| statement(choices, index < allows, plays)).collect();
    let (allowing, denying) = statements.split_at_mut(allows);
    for deny in denying.iter_mut().filter(|_| !plays) {
        let asks = |key: &str| allowing.iter().flat_map(|allow| &allow.conditions).any(|(_, other, _)| *other == key);
        deny.conditions.retain(|(_, key, _)| !asks(key));
    }
    statements
}

/// Writes a policy.
fn written(choices: &mut Choices, policy: &[Statement]) -> Value {
    let statements: Vec<Value> = policy.iter().map(|statement| write(choices, statement)).collect();
    let statements = if statements.len() == 1 && choices.one_in(2) { statements[0].clone() } else { json!(statements) };
    spelling::object(choices, vec![("Version", json!("2012-10-17")), ("Statement", statements)])
}

fn write(choices: &mut Choices, statement: &Statement) -> Value {
    let mut members = vec![("Effect", json!(if statement.allows { "Allow" } else { "Deny" }))];
    let actions: Vec<String> = statement.actions.iter().map(|action| spelling::action(choices, action)).collect();
    members.push((if statement.negates_actions { "NotAction" } else { "Action" }, spelling::list(choices, &actions)));
    match &statement.things {
        Some((negates, things)) => {
            let things: Vec<String> = things.iter().map(|thing| spelling::thing(choices, thing)).collect();
            members.push((if *negates { "NotResource" } else { "Resource" }, spelling::list(choices, &things)));
        }
        None if choices.one_in(2) => members.push(("Resource", json!("*"))),
        None => {}
    }
    let key = if statement.negates_principals { "NotPrincipal" } else { "Principal" };
    members.push((key, principals(choices, &statement.principals)));
    if !statement.conditions.is_empty() || choices.one_in(5) {
        let mut operators: Vec<(&str, Value)> = Vec::new();
        for (operator, key, values) in &statement.conditions {
            let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
            let written = json!({ case_of_key(choices, key): spelling::list(choices, &values) });
            match operators.iter_mut().find(|(other, _)| other == operator) {
                Some((_, keys)) => keys.as_object_mut().unwrap().extend(written.as_object().unwrap().clone()),
                None => operators.push((operator, written)),
            }
        }
        members.push(("Condition", spelling::object(choices, operators)));
    }
    spelling::object(choices, members)
}

fn case_of_key(choices: &mut Choices, key: &str) -> String {
    match choices.below(3) {
        0 => key.to_lowercase(),
        1 => key.to_uppercase(),
        _ => key.to_owned(),
    }
}

fn principals(choices: &mut Choices, named: &[(&'static str, &'static str)]) -> Value {
    if named.iter().all(|(_, name)| *name == "*") {
        return match choices.below(4) {
            0 => json!("*"),
            1 => json!({ "AWS": "*" }),
            2 => json!({ "AWS": ["*"] }),
            _ => json!(["*"]),
        };
    }
    let mut kinds: Vec<(&str, Value)> = Vec::new();
    for kind in ["AWS", "Service"] {
        let names: Vec<String> = named
            .iter()
            .filter(|(other, _)| *other == kind)
            .map(|(_, name)| {
                let is_account = name.len() == 12;
                if is_account && choices.one_in(2) { format!("arn:aws:iam::{name}:root") } else { (*name).to_owned() }
            })
            .collect();
        if !names.is_empty() {
            kinds.push((kind, spelling::list(choices, &names)));
        }
    }
    spelling::object(choices, kinds)
}

/// Whether a value names a caller.
fn covers(value: &str, caller: &Caller) -> bool {
    let has =
        |key: &str, wanted: &str| caller.keys.get(key).is_some_and(|held| held.iter().any(|one| is_like(wanted, one)));
    match value {
        "everybody" => true,
        _ if value.starts_with("service ") => caller.service == value.strip_prefix("service "),
        _ if value.starts_with("organization ") => has("aws:principalorgid", &value["organization ".len()..]),
        _ if value.starts_with("vpce-") => has("aws:sourcevpce", value),
        _ if value.contains('/') && !value.starts_with("arn:") => {
            caller.keys.get("aws:sourceip").is_some_and(|held| is_in(value, &held[0]))
        }
        _ if value.starts_with("arn:") => has("aws:principalarn", value) || has("aws:sourcearn", value),
        account => caller.account == Some(account) || has("aws:sourceaccount", account),
    }
}

fn play(seed: u64, plays: bool, world: &[Caller]) -> Option<String> {
    let mut choices = Choices::new(seed);
    let statements = policy(&mut choices, plays);
    let (policy, again) = (written(&mut choices, &statements), written(&mut choices, &statements));
    let ask = |choices: &mut Choices, field, policy: &Value| {
        let request = json!({ "bucketName": "b", "bucketPolicy": spelling::document(choices, policy) });
        values(field, "s3.amazonaws.com", "PutBucketPolicy", &request, &Value::Null)
    };
    let said = ask(&mut choices, "lets_in", &policy);
    let complain = |why: String| Some(format!("seed {seed}: {why}\n{said:?}\n{policy}"));

    let sorted = |mut values: Vec<String>| {
        values.sort();
        values
    };
    let other = ask(&mut choices, "lets_in", &again);
    if sorted(said.clone()) != sorted(other.clone()) {
        return complain(format!("in another spelling {other:?}\n{again}"));
    }
    let outside = ask(&mut choices, "lets_in_outside", &policy);
    if outside.iter().any(|value| value == OWN || value == OWN_ROLE)
        || said.iter().any(|value| ["everybody", PARTNER, PARTNER_ROLE].contains(&&**value) && !outside.contains(value))
    {
        return complain(format!("outside: {outside:?}"));
    }
    let inside = admitted(&policy, world, &ACTIONS, &THINGS);
    disagreement(&said, &inside, plays).and_then(complain)
}

/// What is wrong with what was said of those who get in. Where the policy plays with conditions and denials, more may be said: it is the
/// safe side.
fn disagreement(said: &[String], inside: &[&Caller], plays: bool) -> Option<String> {
    let (says_everybody, has_stranger) =
        (said.iter().any(|value| value == "everybody"), inside.iter().any(|caller| caller.is_stranger));
    if has_stranger && !says_everybody {
        return Some("a stranger gets in".to_owned());
    }
    if let Some(caller) = inside.iter().find(|caller| !said.iter().any(|value| covers(value, caller))) {
        return Some(format!("nobody names {caller:?}"));
    }
    if plays {
        return None;
    }
    if says_everybody && !has_stranger {
        return Some("no stranger gets in".to_owned());
    }
    let idle = said.iter().find(|value| !inside.iter().any(|caller| covers(value, caller)));
    idle.map(|value| format!("{value} does not get in"))
}

/// The same statement about assuming a role.
fn of_role(statement: &Statement) -> Statement {
    let actions = statement.actions.iter().map(|action| match *action {
        "s3:*" => "sts:*",
        "s3:Get*" => "sts:AssumeRole*",
        "s3:GetObject" => "sts:AssumeRole",
        "s3:PutObject" => "sts:TagSession",
        other => other,
    });
    Statement { actions: actions.collect(), things: None, ..statement.clone() }
}

/// What else may be done with a role, but to assume it, counts for nothing.
const ASSUMING: [&str; 3] = ["sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"];

fn play_trust(seed: u64, plays: bool, world: &[Caller]) -> Option<String> {
    let mut choices = Choices::new(seed);
    let statements: Vec<Statement> = policy(&mut choices, plays).iter().map(of_role).collect();
    let policy = written(&mut choices, &statements);
    let event = choices.of(&["CreateRole", "UpdateAssumeRolePolicy"]);
    let key = if event == "CreateRole" { "assumeRolePolicyDocument" } else { "policyDocument" };
    // A tag may hold what it likes.
    let tag = json!({ "key": "policy", "value": json!({ "Statement": { "Effect": "Allow", "Principal": "*" } }).to_string() });
    let request = json!({ "roleName": "r", "tags": [tag], key: spelling::document(&mut choices, &policy) });
    let ask = |field| values(field, "iam.amazonaws.com", event, &request, &Value::Null);
    let said = ask("trusted");
    let complain = |why: String| Some(format!("seed {seed}: {why}\n{said:?}\n{policy}"));
    if said != ask("lets_in") {
        return complain("lets_in says something else".to_owned());
    }
    let inside = admitted(&policy, world, &ASSUMING, &["*"]);
    disagreement(&said, &inside, plays).and_then(complain)
}

#[test]
fn whom_a_role_trusts_is_what_an_evaluator_decides() {
    let world = callers();
    let policies = seeds(ROUNDS / 4).flat_map(|seed| [(seed, false), (seed, true)]);
    let complaints: Vec<String> =
        policies.clone().filter_map(|(seed, plays)| play_trust(seed, plays, &world)).collect();
    agree("trusted", policies.count(), &complaints);
}

#[test]
fn whom_policies_let_in_is_what_an_evaluator_decides() {
    let world = callers();
    let policies = seeds(ROUNDS / 4).flat_map(|seed| [(seed, false), (seed, true)]);
    let complaints: Vec<String> = policies.clone().filter_map(|(seed, plays)| play(seed, plays, &world)).collect();
    agree("lets_in, lets_in_outside", policies.count(), &complaints);
}
