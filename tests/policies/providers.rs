//! Whom roles trust by an identity provider: `trusted` beside the evaluator, for tokens of one's own and of strangers.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::evaluator::admitted;
use super::world::Caller;
use super::{ROUNDS, agree, spelling, values};
use crate::support::choices::{Choices, seeds};

const GITHUB: &str = "token.actions.githubusercontent.com";
const PROVIDER: &str = "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com";

const SUBJECTS: [(&str, &[&str]); 10] = [
    ("StringLike", &["repo:own/*"]),
    ("StringLike", &["repo:own/app:*"]),
    ("StringEquals", &["repo:own/app:ref:refs/heads/main"]),
    ("StringLike", &["repo:*"]),
    ("StringLike", &["*"]),
    ("StringLike", &["repo:own/*", "repo:*"]),
    ("StringLike", &["repo:*/app:*"]),
    ("StringNotLike", &["repo:own/*"]),
    ("ForAnyValue:StringLike", &["repo:own/*"]),
    ("StringEquals", &["repo:own/app:*"]),
];

/// Somebody with a token.
fn bearer(subject: &str, is_stranger: bool) -> Caller {
    let keys = [
        ("federated", PROVIDER),
        ("token.actions.githubusercontent.com:sub", subject),
        ("token.actions.githubusercontent.com:aud", "sts.amazonaws.com"),
    ];
    Caller {
        account: None,
        arn: None,
        service: None,
        is_stranger,
        keys: keys
            .iter()
            .map(|(key, value)| ((*key).to_owned(), vec![(*value).to_owned()]))
            .collect::<BTreeMap<_, _>>(),
    }
}

#[test]
fn whom_a_role_trusts_by_a_provider_is_what_an_evaluator_decides() {
    let (own, stranger) =
        (bearer("repo:own/app:ref:refs/heads/main", false), bearer("repo:zz9/app:ref:refs/heads/main", true));
    let complaints: Vec<String> = seeds(ROUNDS)
        .filter_map(|seed| {
            let mut choices = Choices::new(seed);
            let mut conditions: Vec<(&str, Value)> = Vec::new();
            if choices.one_in(2) {
                conditions.push(("StringEquals", json!({ format!("{GITHUB}:aud"): "sts.amazonaws.com" })));
            }
            if !choices.one_in(4) {
                let (operator, subjects) = choices.of(&SUBJECTS);
                let subjects: Vec<String> = subjects.iter().map(|one| (*one).to_owned()).collect();
                let wanted = json!({ format!("{GITHUB}:sub"): spelling::list(&mut choices, &subjects) });
                match conditions.iter_mut().find(|(other, _)| *other == operator) {
                    Some((_, keys)) => keys.as_object_mut().unwrap().extend(wanted.as_object().unwrap().clone()),
                    None => conditions.push((operator, wanted)),
                }
            }
            let members = vec![
                ("Effect", json!("Allow")),
                ("Principal", json!({ "Federated": spelling::list(&mut choices, &[PROVIDER.to_owned()]) })),
                ("Action", json!(spelling::action(&mut choices, "sts:AssumeRoleWithWebIdentity"))),
                ("Condition", spelling::object(&mut choices, conditions)),
            ];
            let policy = json!({ "Statement": [spelling::object(&mut choices, members)] });
            let lets_in = |caller: &Caller| {
                !admitted(&policy, std::slice::from_ref(caller), &["sts:AssumeRoleWithWebIdentity"], &["*"]).is_empty()
            };
            let expected = match (lets_in(&own), lets_in(&stranger)) {
                (_, true) => format!("everybody at {GITHUB}"),
                // Where nobody has the subject, the provider is named all the same.
                _ => format!("federated {GITHUB}"),
            };
            let key = "assumeRolePolicyDocument";
            let request = json!({ "roleName": "deploy", key: spelling::document(&mut choices, &policy) });
            let said = values("trusted", "iam.amazonaws.com", "CreateRole", &request, &Value::Null);
            (said != [expected.clone()]).then(|| format!("seed {seed}: {said:?} is {expected}\n{policy:#}"))
        })
        .collect();
    agree("trusted (providers)", seeds(ROUNDS).count(), &complaints);
}
