//! Permissions that calls add by parameters instead of a document: Lambda's `AddPermission`, a grant on a key, and their like.

use super::placed::Placed;
use super::policy::{Condition, Principals, Statement, Who};
use crate::cloudtrail::Record;

/// The calls, by service and the beginning of their name, which may have a version behind it.
const CALLS: [(&str, &str); 11] = [
    ("acm-pca.amazonaws.com", "CreatePermission"),
    ("codeguru-profiler.amazonaws.com", "PutPermission"),
    ("entityresolution.amazonaws.com", "AddPolicyStatement"),
    ("events.amazonaws.com", "PutPermission"),
    ("kms.amazonaws.com", "CreateGrant"),
    ("lambda.amazonaws.com", "Add"),
    ("lex.amazonaws.com", "CreateResourcePolicyStatement"),
    ("serverlessrepo.amazonaws.com", "PutApplicationPolicy"),
    ("signer.amazonaws.com", "AddProfilePermission"),
    ("sns.amazonaws.com", "AddPermission"),
    ("sqs.amazonaws.com", "AddPermission"),
];

/// Where those stand who are let in.
const PRINCIPALS: [&str; 6] =
    ["principal", "principals", "granteePrincipal", "granteeServicePrincipal", "aWSAccountIds", "aWSAccountId"];

/// What narrows them, and the condition that it is.
const NARROWED_BY: [(&str, &str, &str); 5] = [
    ("sourceAccount", "StringEquals", "aws:SourceAccount"),
    ("sourceArn", "ArnLike", "aws:SourceArn"),
    ("principalOrgID", "StringEquals", "aws:PrincipalOrgID"),
    ("principalOrgIDs", "StringEquals", "aws:PrincipalOrgID"),
    ("organizationId", "StringEquals", "aws:PrincipalOrgID"),
];

/// The statements that a call's parameters make; none of other calls.
pub(super) fn by_parameters<'r>(record: &'r Record<'_>) -> Vec<Statement<'r>> {
    let (service, event) = (record.text(&["eventSource"]), record.text(&["eventName"]));
    let is_known =
        |(known, name): (&str, &str)| service == Some(known) && event.is_some_and(|event| event.starts_with(name));
    let request = Placed::top(record, "requestParameters").filter(|_| CALLS.into_iter().any(is_known));
    let Some(request) = request else { return Vec::new() };
    // The Serverless Application Repository takes many at once.
    match request.get("statements") {
        Some(list) => list.elements().iter().flat_map(permission).collect(),
        None => permission(&request),
    }
}

/// One statement for each whom a permission names.
fn permission<'r>(placed: &Placed<'r>) -> Vec<Statement<'r>> {
    let denies = placed.text_of(&["effect"]).is_some_and(|effect| effect.eq_ignore_ascii_case("deny"));
    if denies {
        return Vec::new();
    }
    let named = PRINCIPALS.into_iter().filter_map(|key| placed.get(key)).flat_map(|list| list.elements());
    named
        .flat_map(|element| {
            match element.text() {
                Some(text) => vec![(who(text), element.place)],
                // Lex: an object for each, with an ARN or a service.
                None => element.members().filter_map(|(_, member)| Some((who(member.text()?), member.place))).collect(),
            }
        })
        .map(|(who, place)| Statement::by_parameters(&placed.place, Principals::one(who, &place), conditions(placed)))
        .collect()
}

fn conditions<'r>(placed: &Placed<'r>) -> Vec<Condition<'r>> {
    let narrowed = NARROWED_BY.into_iter().filter_map(|(key, operator, condition)| {
        let list = placed.get(key)?;
        let values = list.elements().iter().filter_map(Placed::text).collect::<Vec<_>>();
        (!values.is_empty()).then(|| Condition::new(operator, condition, values, list.place))
    });
    let mut found: Vec<Condition<'r>> = narrowed.collect();
    match placed.get("condition") {
        // EventBridge: the operator, the key and the value, each by itself.
        Some(one) if one.get("key").is_some() => {
            if let (Some(operator), Some(key), Some(value)) =
                (one.text_of(&["type"]), one.text_of(&["key"]), one.text_of(&["value"]))
            {
                found.push(Condition::new(operator, key, vec![value], one.place));
            }
        }
        _ => found.extend(Condition::read_all(placed)),
    }
    found
}

/// A principal that does not say of which kind it is.
fn who(text: &str) -> Who {
    if text.contains('.') && !text.contains(':') { Who::service(text) } else { Who::aws(text) }
}
