//! What the local rules want of trails and of EventBridge, and whether an EventBridge rule lets it pass. Whatever knows better which
//! events the rules can match belongs here: the checks ask no one else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::cloudtrail::event_rule::DETAIL_TYPES as KINDS;
pub(super) use crate::cloudtrail::event_rule::WITH_READ_ONLY;
use crate::lint::{RuleNeeds, needs};
use crate::ruleset::{RuleSet, Sources};

/// What the rules want to hear.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    rules: Vec<RuleNeeds>,
}

impl Wanted {
    /// What rules want that have compiled from `sources`.
    pub(super) fn by(rules: &RuleSet, sources: &Sources) -> Self {
        Self { rules: needs(rules, sources) }
    }

    /// The rules that cannot fire unless read-only calls are delivered.
    pub(super) fn read_only(&self) -> Vec<&str> {
        self.rules.iter().filter(|needs| needs.read_only).map(|needs| needs.rule.as_str()).collect()
    }

    /// The services whose data events rules wait for, each with these rules. One that is empty is not known.
    pub(super) fn data(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut wanted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for needs in self.rules.iter().filter(|needs| needs.data) {
            let services: BTreeSet<&str> =
                if needs.data_services.is_empty() { [""].into() } else { needs.data_services.clone() };
            for service in services {
                wanted.entry(service).or_default().push(&needs.rule);
            }
        }
        wanted
    }

    /// The rules that can match a management event of a service.
    pub(super) fn of_service(&self, service: &str) -> Vec<&str> {
        self.rules.iter().filter(|needs| needs.services.contains(service)).map(|needs| needs.rule.as_str()).collect()
    }
}

/// Which kinds of CloudTrail's events of an account an event pattern does not let pass; all where it is no pattern.
///
/// What it asks of `detail` narrows every kind: a record whose every member is unknown does not pass. Of conditions those are known
/// that can stand for what the template writes.
pub(super) fn kinds_kept_back(pattern: &str, account: &str) -> Vec<&'static str> {
    let pattern: Option<Value> = serde_json::from_str(pattern).ok();
    let Some(keys) = pattern.as_ref().and_then(Value::as_object) else { return KINDS.to_vec() };
    let passes = |kind: &str| {
        keys.iter().all(|(key, conditions)| {
            let accepts = |value: &str| {
                conditions.as_array().is_some_and(|any| any.iter().any(|condition| holds(condition, value)))
            };
            match key.as_str() {
                // Two services that have nothing in common, so that no list of services will do.
                "source" => accepts("aws.cloudtrail") && accepts("aws.zzz"),
                "account" => accepts(account),
                "detail-type" => accepts(kind),
                _ => false,
            }
        })
    };
    KINDS.into_iter().filter(|kind| !passes(kind)).collect()
}

/// Whether a condition of a pattern holds of a text:
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>.
fn holds(condition: &Value, value: &str) -> bool {
    if let Some(exact) = condition.as_str() {
        return exact == value;
    }
    let Some((operator, operand)) = condition.as_object().and_then(|condition| condition.iter().next()) else {
        return false;
    };
    match (operator.as_str(), operand) {
        ("prefix", Value::String(prefix)) => value.starts_with(prefix.as_str()),
        ("suffix", Value::String(suffix)) => value.ends_with(suffix.as_str()),
        ("exists", Value::Bool(exists)) => *exists,
        ("anything-but", Value::String(but)) => but != value,
        ("anything-but", Value::Array(but)) => but.iter().all(|but| but.as_str() != Some(value)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_pattern_of_the_template_keeps_nothing_back_and_a_narrower_one_is_seen() {
        let pattern = json!({"source": [{"prefix": "aws."}], "account": ["111122223333"], "detail-type": KINDS});
        let kept = |change: fn(&mut Value)| {
            let mut pattern = pattern.clone();
            change(&mut pattern);
            kinds_kept_back(&pattern.to_string(), "111122223333").len()
        };
        assert_eq!(kept(|_| ()), 0);
        assert_eq!(kept(|pattern| pattern["detail-type"] = json!([{"suffix": " via CloudTrail"}])), 0);
        assert_eq!(kept(|pattern| pattern["detail-type"] = json!(["AWS API Call via CloudTrail"])), 6);
        assert_eq!(kept(|pattern| pattern["source"] = json!(["aws.cloudtrail"])), 7);
        assert_eq!(kept(|pattern| pattern["account"] = json!(["444455556666"])), 7);
        assert_eq!(kept(|pattern| pattern["detail"] = json!({"eventName": ["X"]})), 7);
        assert_eq!(kinds_kept_back("{", "111122223333").len(), 7);
    }
}
