//! Decides requests by policies as AWS documents it:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::Value;

use super::world::Caller;

/// Those who may do one of these actions on one of these things.
pub(super) fn admitted<'c>(
    policy: &Value,
    callers: &'c [Caller],
    actions: &[&str],
    things: &[&str],
) -> Vec<&'c Caller> {
    let statements = statements(policy);
    let points: Vec<(&str, &str)> =
        actions.iter().flat_map(|action| things.iter().map(|thing| (*action, *thing))).collect();
    // What a statement is about does not depend on who asks.
    let about: Vec<Vec<bool>> = statements
        .iter()
        .map(|statement| points.iter().map(|(action, thing)| covers(statement, action, thing)).collect())
        .collect();
    let gets_in = |caller: &&Caller| {
        let applies: Vec<usize> = (0..statements.len())
            .filter(|index| names(statements[*index], caller) && meets(statements[*index], &caller.keys))
            .collect();
        (0..points.len()).any(|point| {
            let says = |effect: &str| {
                applies.iter().any(|index| about[*index][point] && statements[*index]["Effect"] == effect)
            };
            says("Allow") && !says("Deny")
        })
    };
    callers.iter().filter(gets_in).collect()
}

pub(super) fn statements(policy: &Value) -> Vec<&Value> {
    match &policy["Statement"] {
        Value::Array(list) => list.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

/// Whether the statement is about this action on this thing.
pub(super) fn covers(statement: &Value, action: &str, thing: &str) -> bool {
    let selects = |only: &str, all_but: &str, text: &str, fold: bool| {
        let any = |list: &Value| {
            strings(list).into_iter().any(|pattern| {
                if fold { is_like(&pattern.to_lowercase(), &text.to_lowercase()) } else { is_like(pattern, text) }
            })
        };
        match (statement.get(only), statement.get(all_but)) {
            (Some(list), _) => any(list),
            (None, Some(list)) => !any(list),
            (None, None) => true,
        }
    };
    selects("Action", "NotAction", action, true) && selects("Resource", "NotResource", thing, false)
}

fn names(statement: &Value, caller: &Caller) -> bool {
    match (statement.get("Principal"), statement.get("NotPrincipal")) {
        (Some(principal), _) => is_among(principal, caller),
        (None, Some(principal)) => !is_among(principal, caller),
        (None, None) => true,
    }
}

fn is_among(principal: &Value, caller: &Caller) -> bool {
    let by_aws = |list: &Value| {
        strings(list).into_iter().any(|text| {
            text == "*"
                || caller.arn == Some(text)
                || caller
                    .account
                    .is_some_and(|account| text == account || text == format!("arn:aws:iam::{account}:root"))
        })
    };
    match principal {
        Value::Object(kinds) => kinds.iter().any(|(kind, list)| match kind.as_str() {
            "AWS" => by_aws(list),
            "Service" => strings(list).into_iter().any(|text| caller.service == Some(text)),
            "Federated" => strings(list).into_iter().any(|text| {
                caller.keys.get("federated").is_some_and(|providers| providers.iter().any(|provider| provider == text))
            }),
            _ => false,
        }),
        list => by_aws(list),
    }
}

/// Whether all conditions hold.
pub(super) fn meets(statement: &Value, keys: &BTreeMap<String, Vec<String>>) -> bool {
    let Some(conditions) = statement.get("Condition").and_then(Value::as_object) else { return true };
    conditions.iter().all(|(operator, wanted)| {
        wanted.as_object().unwrap().iter().all(|(key, values)| {
            let held = keys.get(&key.to_lowercase()).map(Vec::as_slice);
            holds(operator, &strings(values), held)
        })
    })
}

fn holds(operator: &str, values: &[&str], held: Option<&[String]>) -> bool {
    if operator == "Null" {
        return values.contains(&if held.is_none() { "true" } else { "false" });
    }
    if let Some(operator) = operator.strip_prefix("ForAllValues:") {
        return held.is_none_or(|held| held.iter().all(|one| holds(operator, values, Some(std::slice::from_ref(one)))));
    }
    if let Some(operator) = operator.strip_prefix("ForAnyValue:") {
        return held
            .is_some_and(|held| held.iter().any(|one| holds(operator, values, Some(std::slice::from_ref(one)))));
    }
    if let Some(operator) = operator.strip_suffix("IfExists") {
        return held.is_none() || holds(operator, values, held);
    }
    let any = |test: &dyn Fn(&str, &str) -> bool| {
        held.is_some_and(|held| held.iter().any(|one| values.iter().any(|value| test(value, one))))
    };
    match operator {
        "StringEquals" => any(&|value, one| value == one),
        "StringNotEquals" => !any(&|value, one| value == one),
        "StringEqualsIgnoreCase" | "Bool" => any(&str::eq_ignore_ascii_case),
        "StringLike" | "ArnLike" | "ArnEquals" => any(&is_like),
        "StringNotLike" | "ArnNotLike" | "ArnNotEquals" => !any(&is_like),
        "IpAddress" => any(&is_in),
        "NotIpAddress" => !any(&is_in),
        unknown => panic!("{unknown}"),
    }
}

/// Whether an address is in a network, bit by bit.
pub(super) fn is_in(network: &str, address: &str) -> bool {
    let bits = |text: &str| match text.parse().unwrap() {
        IpAddr::V4(address) => (4, format!("{:032b}", u32::from(address))),
        IpAddr::V6(address) => (6, format!("{:0128b}", u128::from(address))),
    };
    let (base, length) = network.split_once('/').unwrap_or((network, "128"));
    let ((family, base), (other, address)) = (bits(base), bits(address));
    let length = length.parse::<usize>().unwrap().min(base.len());
    family == other && base[..length] == address[..length]
}

/// A star is any text, a question mark one character.
pub(super) fn is_like(pattern: &str, text: &str) -> bool {
    match (pattern.chars().next(), text.chars().next()) {
        (None, None) => true,
        (Some('*'), first) => {
            is_like(&pattern[1..], text) || first.is_some_and(|first| is_like(pattern, &text[first.len_utf8()..]))
        }
        (Some('?'), Some(first)) => is_like(&pattern[1..], &text[first.len_utf8()..]),
        (Some(wanted), Some(first)) if wanted == first => {
            is_like(&pattern[wanted.len_utf8()..], &text[first.len_utf8()..])
        }
        _ => false,
    }
}
