//! Which policies grant administration: `admin_grant` beside the evaluator.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::evaluator::{covers, meets, statements};
use super::world::OWN;
use super::{ROUNDS, agree, spelling, values};
use crate::support::choices::{Choices, seeds};

/// What it takes to give oneself every permission, and on which kinds of things.
const NEEDED: [(&str, &str); 8] = [
    ("iam:AttachUserPolicy", "user"),
    ("iam:AttachGroupPolicy", "group"),
    ("iam:AttachRolePolicy", "role"),
    ("iam:PutUserPolicy", "user"),
    ("iam:PutGroupPolicy", "group"),
    ("iam:PutRolePolicy", "role"),
    ("iam:CreatePolicyVersion", "policy"),
    ("iam:UpdateAssumeRolePolicy", "role"),
];

/// What else there is.
const OTHERS: [(&str, &str); 5] = [
    ("s3:GetObject", "arn:aws:s3:::b/1"),
    ("ec2:RunInstances", "arn:aws:ec2:eu-west-1:111111111111:instance/*"),
    ("iam:ListUsers", "arn:aws:iam::111111111111:user/zz9"),
    ("qq9:Zz9zz", "arn:aws:qq9:eu-west-1:999999999999:zz9"),
    ("zz9zz9:Q", "arn:aws:zz9zz9:::q"),
];

const ACTIONS: [&[&str]; 16] = [
    &["*"],
    &["*"],
    &["iam:*"],
    &["iam:*"],
    &["i*:*"],
    &["*:*Policy", "*:*PolicyVersion"],
    &["iam:Attach*", "iam:Put*", "iam:CreatePolicyVersion", "iam:UpdateAssumeRolePolicy"],
    &["iam:Attach*", "iam:Put*"],
    &["iam:CreatePolicy*", "iam:Update*"],
    &["iam:*UserPolicy", "iam:*GroupPolicy", "iam:*RolePolicy", "iam:C*"],
    &["iam:A*", "iam:B*", "iam:C*", "iam:D*", "iam:P*", "iam:S*", "iam:U*"],
    &["iam:Get*", "iam:List*"],
    &["iam:AttachUserPolicy"],
    &["s3:*"],
    &["s3:*", "iam:*", "ec2:*"],
    &["iam:???UserPolicy", "iam:At*"],
];

const EXCEPT: [&[&str]; 7] =
    [&["s3:*"], &["iam:*"], &["iam:List*"], &["iam:ListUsers", "s3:GetObject"], &["i*"], &["ec2:*"], &["iam:Put*"]];

const THINGS: [&[&str]; 8] = [
    &["*"],
    &["*"],
    &["arn:aws:iam::111111111111:*"],
    &["arn:aws:iam::*:*"],
    &[
        "arn:aws:iam::111111111111:user/*",
        "arn:aws:iam::111111111111:group/*",
        "arn:aws:iam::111111111111:r*",
        "arn:aws:iam::*:policy/*",
    ],
    &["arn:aws:iam::111111111111:user/*"],
    &["arn:aws:s3:::*"],
    &["arn:aws:iam::222222222222:*"],
];

const EXCEPT_THINGS: [&[&str]; 3] = [&["arn:aws:s3:::*"], &["arn:aws:iam::*:user/*"], &["arn:aws:iam::*"]];

const CONDITIONS: [(&str, &str, &[&str]); 14] = [
    ("Bool", "aws:SecureTransport", &["true"]),
    ("IpAddress", "aws:SourceIp", &["0.0.0.0/0"]),
    ("IpAddress", "aws:SourceIp", &["0.0.0.0/1", "128.0.0.0/1"]),
    ("IpAddress", "aws:SourceIp", &["203.0.113.0/24"]),
    ("NotIpAddress", "aws:SourceIp", &["203.0.113.0/24"]),
    ("IpAddressIfExists", "aws:SourceIp", &["203.0.113.0/24"]),
    ("StringLike", "aws:PrincipalTag/team", &["blue"]),
    ("StringLike", "aws:PrincipalArn", &["*"]),
    ("Bool", "aws:MultiFactorAuthPresent", &["true"]),
    ("BoolIfExists", "aws:MultiFactorAuthPresent", &["true"]),
    ("StringEquals", "iam:PermissionsBoundary", &["arn:aws:iam::111111111111:policy/edge"]),
    ("StringNotEquals", "iam:PermissionsBoundary", &["arn:aws:iam::111111111111:policy/edge"]),
    ("Null", "aws:MultiFactorAuthAge", &["true"]),
    ("Null", "aws:MultiFactorAuthAge", &["false"]),
];

fn statement(choices: &mut Choices, allows: bool) -> Value {
    let mut members = vec![("Effect", json!(if allows { "Allow" } else { "Deny" }))];
    let (key, actions) =
        if choices.one_in(4) { ("NotAction", choices.of(&EXCEPT)) } else { ("Action", choices.of(&ACTIONS)) };
    let actions: Vec<String> = actions.iter().map(|action| spelling::action(choices, action)).collect();
    members.push((key, spelling::list(choices, &actions)));
    let (key, things) = match choices.below(6) {
        0 => ("NotResource", choices.of(&EXCEPT_THINGS)),
        _ => ("Resource", choices.of(&THINGS)),
    };
    let things: Vec<String> = things.iter().map(|thing| spelling::thing(choices, thing)).collect();
    members.push((key, spelling::list(choices, &things)));
    if choices.one_in(3) {
        let (operator, key, wanted) = choices.of(&CONDITIONS);
        members.push(("Condition", json!({ operator: { key: spelling::list(choices, &wanted.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>()) } })));
    } else if choices.one_in(4) {
        members.push(("Condition", choices.of(&["{}", r#"{"StringEquals":{}}"#]).parse().unwrap()));
    }
    spelling::object(choices, members)
}

/// Keys of conditions for one who has a key of the account, and nothing else that somebody may ask for; he can come in several ways.
fn plainly() -> Vec<BTreeMap<String, Vec<String>>> {
    let mut all = Vec::new();
    for address in [Some("198.51.100.7"), Some("9.9.9.9"), None] {
        for factor in [None, Some("false")] {
            let mut keys =
                vec![("aws:securetransport", "true"), ("aws:principalarn", "arn:aws:iam::111111111111:user/zz9")];
            keys.extend(address.map(|address| ("aws:sourceip", address)));
            keys.extend(factor.map(|factor| ("aws:multifactorauthpresent", factor)));
            all.push(keys.into_iter().map(|(key, value)| (key.to_owned(), vec![value.to_owned()])).collect());
        }
    }
    all
}

/// In which words a policy grants administration.
fn granted(policy: &Value) -> Option<String> {
    let names = ["q", "zz9zz"];
    let needed: Vec<(&str, String)> = NEEDED
        .iter()
        .flat_map(|(action, kind)| names.map(|name| (*action, format!("arn:aws:iam::{OWN}:{kind}/{name}"))))
        .collect();
    let has = |statement: &Value, (action, thing): &(&str, String)| covers(statement, action, thing);
    let of = |effect: &str| {
        statements(policy).into_iter().filter(|statement| statement["Effect"] == effect).collect::<Vec<_>>()
    };
    let is_empty = |statement: &Value| {
        statement.get("Condition").is_none_or(|condition| {
            condition.as_object().unwrap().values().all(|keys| keys.as_object().unwrap().is_empty())
        })
    };
    let denies = of("Deny");
    let left = needed.iter().any(|point| !denies.iter().any(|deny| is_empty(deny) && has(deny, point)));
    let plainly = plainly();
    let plain: Vec<&Value> =
        of("Allow").into_iter().filter(|allow| plainly.iter().any(|keys| meets(allow, keys))).collect();
    [(plain, ""), (of("Allow"), " under conditions")].into_iter().find_map(|(allows, under)| {
        let all = needed.iter().all(|point| allows.iter().any(|allow| has(allow, point)));
        let whole = allows.iter().any(|allow| {
            needed.iter().all(|point| has(allow, point))
                && OTHERS.iter().all(|(action, thing)| covers(allow, action, thing))
        });
        (left && all).then(|| format!("Allow {} on *{under}", if whole { "*" } else { "iam:*" }))
    })
}

#[test]
fn which_policies_grant_administration_is_what_an_evaluator_decides() {
    let mut by_words: BTreeMap<String, usize> = BTreeMap::new();
    let complaints: Vec<String> = seeds(ROUNDS)
        .filter_map(|seed| {
            let mut choices = Choices::new(seed);
            let list: Vec<Value> =
                (0..=choices.below(3)).map(|index| statement(&mut choices, index == 0 || index == 2)).collect();
            let list = if list.len() == 1 && choices.one_in(2) { list[0].clone() } else { json!(list) };
            let policy = spelling::object(&mut choices, vec![("Version", json!("2012-10-17")), ("Statement", list)]);
            let (source, event, key) = choices.of(&[
                ("iam.amazonaws.com", "PutUserPolicy", "policyDocument"),
                ("iam.amazonaws.com", "CreatePolicyVersion", "policyDocument"),
                ("sso.amazonaws.com", "PutInlinePolicyToPermissionSet", "inlinePolicy"),
            ]);
            let request = json!({ key: spelling::document(&mut choices, &policy) });
            let said = values("admin_grant", source, event, &request, &Value::Null);
            let expected: Vec<String> = granted(&policy).into_iter().collect();
            *by_words.entry(expected.first().cloned().unwrap_or_default()).or_default() += 1;
            (said != expected).then(|| format!("seed {seed}: {said:?} is {expected:?}\n{policy:#}"))
        })
        .collect();
    agree("admin_grant", by_words.values().sum(), &complaints);
    assert!(by_words.len() == 5, "every answer is asked for: {by_words:?}");
}
