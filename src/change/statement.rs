//! The statements of policies, in words.

use std::fmt::Write as _;

use super::reading::Reading;
use super::told::Told;
use super::value::{distinct, listed, scalar};
use crate::facts::{Placed, is_outside, principal_names};

/// Statements of one call that are told.
const SHOWN: usize = 4;
/// Actions, resources, principals and conditions of one statement that are told.
const PARTS: usize = 3;

/// Tells the statements of every policy in the request, the most dangerous first.
pub(super) fn policies(reading: &Reading<'_, '_>, what: &str, told: &mut Told) {
    let statements = statements(reading);
    for said in statements.iter().take(SHOWN) {
        told.add(what, &said.words);
    }
    match statements.len().saturating_sub(SHOWN) {
        0 => {}
        1 => told.add(what, "and 1 more statement"),
        more => told.add(what, format!("and {more} more statements")),
    }
}

/// A statement, in words.
pub(super) struct Said {
    /// How dangerous it is.
    danger: i32,
    pub(super) words: String,
    /// Whether it takes away from what others give, or gives under conditions alone.
    pub(super) is_narrowing: bool,
}

/// The statements, the most dangerous first.
pub(super) fn statements(reading: &Reading<'_, '_>) -> Vec<Said> {
    // Most requests hold none, and need not be searched. (A request that has been blanked is written without escapes of letters.)
    let may_hold_one =
        reading.call.request.as_ref().is_some_and(|json| json.to_ascii_lowercase().contains("statement"));
    let own = reading.record.own_account();
    let mut found = Vec::new();
    if let Some(request) = reading.request.as_ref().filter(|_| may_hold_one) {
        request.each_object(&mut |object| {
            if let Some(list) = object.get("Statement") {
                found.extend(list.elements().iter().filter_map(|statement| Said::new(statement, own)));
            }
        });
    }
    // Of equal ones the first in the document stays the first.
    found.sort_by_key(|said| -said.danger);
    found
}

impl Said {
    /// `Allow s3:GetObject on arn:aws:s3:::b/* to everybody if aws:SourceIp is in 198.51.100.0/24`
    fn new(statement: &Placed<'_>, own: Option<&str>) -> Option<Self> {
        let effect = statement.get("Effect")?;
        let allows = effect.text()?.eq_ignore_ascii_case("allow");
        let mut danger = if allows { 100 } else { 0 };
        let mut words = if allows { "Allow".to_owned() } else { "Deny".to_owned() };
        let (actions, all_but) = either(statement, "Action", "NotAction");
        danger +=
            actions.iter().map(|action| danger_of_action(action)).max().unwrap_or(0).max(if all_but { 30 } else { 0 });
        if !actions.is_empty() {
            words.push_str(&part(" ", all_but, &actions, |action| -danger_of_action(action)));
        }
        let (resources, all_but) = either(statement, "Resource", "NotResource");
        let is_everything = |resource: &str| i32::from(resource.bytes().all(|byte| byte == b'*'));
        danger += resources.iter().map(|resource| 10 * is_everything(resource)).max().unwrap_or(0);
        if !resources.is_empty() {
            words.push_str(&part(" on ", all_but, &resources, |resource| -is_everything(resource)));
        }
        if let Some((all_but, principals)) = principal_names(statement) {
            let danger_of = |name: &str| match name {
                "everybody" => 60,
                _ if is_outside(name, own) => 40,
                _ => 0,
            };
            danger +=
                principals.iter().map(|name| danger_of(name)).max().unwrap_or(0).max(if all_but { 60 } else { 0 });
            if !principals.is_empty() {
                words.push_str(&part(" to ", all_but, &principals, |name| -danger_of(name)));
            }
        }
        let conditions = conditions(statement);
        if !conditions.is_empty() {
            danger -= 20;
            let more = conditions.len().saturating_sub(PARTS);
            words.push_str(" if ");
            words.push_str(&conditions.iter().take(PARTS).map(String::as_str).collect::<Vec<_>>().join(" and "));
            if more > 0 {
                let _ = write!(words, " and {more} more");
            }
        }
        Some(Self { danger, words, is_narrowing: !allows || !conditions.is_empty() })
    }
}

/// The values of the one member or the other, and whether it is the other.
fn either(statement: &Placed<'_>, only: &str, all_but: &str) -> (Vec<String>, bool) {
    let values = |list: Placed<'_>| list.elements().iter().filter_map(|one| Some(scalar(one.text()?))).collect();
    match (statement.get(only), statement.get(all_but)) {
        (Some(list), _) => (values(list), false),
        (None, Some(list)) => (values(list), true),
        (None, None) => (Vec::new(), false),
    }
}

/// A part of a statement: the most dangerous values, and how many more there are.
fn part(before: &str, all_but: bool, values: &[String], order: impl Fn(&str) -> i32) -> String {
    let mut values = distinct(values);
    values.sort_by_cached_key(|value| order(value));
    // Beside everything, or everybody, the rest says nothing.
    if !all_but && values.first().is_some_and(|first| *first == "everybody" || first.bytes().all(|byte| byte == b'*')) {
        values.truncate(1);
    }
    let more = values.len().saturating_sub(PARTS);
    let but = if all_but { "all but " } else { "" };
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{before}{but}{}{more}", values[..values.len().min(PARTS)].join(", "))
}

/// How much an action gives: everything, all of a service that gives the rest, all of a service, changes, and reading.
fn danger_of_action(action: &str) -> i32 {
    let (service, name) = action.split_once(':').unwrap_or((action, ""));
    let name = name.to_ascii_lowercase();
    let all = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte == b'*');
    match () {
        () if all(action) || (all(service) && all(&name)) => 40,
        () if all(&name)
            && ["iam", "sts", "organizations", "sso"].iter().any(|one| service.eq_ignore_ascii_case(one)) =>
        {
            35
        }
        () if all(&name) => 25,
        () if name.contains("passrole") || name.starts_with("assumerole") => 20,
        () if ["get", "list", "describe", "head", "view"].iter().any(|verb| name.starts_with(verb)) => 5,
        () if name.contains('*') => 15,
        () => 10,
    }
}

/// The conditions: `aws:SourceIp is in 198.51.100.0/24`.
fn conditions(statement: &Placed<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for (operator, keys) in statement.get("Condition").iter().flat_map(Placed::members) {
        for (key, values) in keys.members() {
            let values: Vec<String> = values.elements().iter().filter_map(|one| Some(scalar(one.text()?))).collect();
            found.push(format!("{key} {} {}", operator_words(operator), listed(&values)));
        }
    }
    found
}

/// An operator in words; one that is seldom keeps its name.
fn operator_words(operator: &str) -> &str {
    let lower = operator.to_ascii_lowercase();
    let plain = lower.strip_prefix("foranyvalue:").or_else(|| lower.strip_prefix("forallvalues:")).unwrap_or(&lower);
    match plain.strip_suffix("ifexists").unwrap_or(plain) {
        "stringequals" | "stringequalsignorecase" | "arnequals" | "bool" | "numericequals" | "dateequals" => "is",
        "stringnotequals" | "stringnotequalsignorecase" | "arnnotequals" => "is not",
        "stringlike" | "arnlike" => "is like",
        "stringnotlike" | "arnnotlike" => "is not like",
        "ipaddress" => "is in",
        "notipaddress" => "is not in",
        _ => operator,
    }
}
