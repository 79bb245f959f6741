//! The facts of an alert, the most urgent first: each one's name and value.

use super::content::{FACT_LIMIT, LIST_LIMIT, inert};
use crate::alert::{AlertDigest, RollUp};
use crate::finding::Finding;
use crate::text::clip;

/// The facts of a finding's call that a person acts on.
pub(super) fn of_call(finding: &Finding) -> Vec<(String, String)> {
    let call = &finding.call;
    let mfa = call.mfa.map(|mfa| if mfa { "yes" } else { "no" }.to_owned());
    shown(
        FACT_LIMIT,
        [
            ("Account", call.shown_account()),
            ("Unit", call.unit.clone()),
            ("Caller's account", call.shown_caller_account()),
            ("Region", call.region.clone()),
            ("Principal", call.arn.clone().or_else(|| call.actor.clone())),
            ("Source", call.source_ip.clone()),
            ("User agent", call.user_agent.clone()),
            ("MFA", mfa),
            ("Error", call.error.clone().or_else(|| call.error_message.clone())),
            ("Time (UTC)", call.event_time.clone()),
        ],
    )
}

pub(super) fn of_roll_up(finding: &Finding, sum: &RollUp) -> Vec<(String, String)> {
    let (first, last) = sum.span.bounds();
    shown(
        LIST_LIMIT,
        [
            ("Count", Some(count(sum.count))),
            ("Targets", Some(sum.targets.summary(LIST_LIMIT))),
            ("Actors", Some(sum.actors.summary())),
            ("Events", Some(sum.events.summary())),
            ("Account", finding.call.shown_account()),
            ("Region", finding.call.region.clone()),
            ("From (UTC)", Some(first.to_owned())),
            ("To (UTC)", Some(last.to_owned())),
        ],
    )
}

/// How many findings a sum is of.
fn count(count: u64) -> String {
    if count == 0 { "at least 1".to_owned() } else { count.to_string() }
}

pub(super) fn of_digest(sum: &AlertDigest) -> Vec<(String, String)> {
    let (first, last) = sum.span.bounds();
    let mut rules: Vec<_> = sum.rules.iter().collect();
    rules.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let mut rules: Vec<String> = rules.into_iter().map(|(rule, count)| format!("{rule} × {count}")).collect();
    if sum.others > 0 {
        rules.push(format!("other rules × {}", sum.others));
    }
    shown(
        LIST_LIMIT,
        [
            ("Count", Some(count(sum.count))),
            ("Targets", Some(sum.targets.summary(LIST_LIMIT))),
            ("Rules", Some(rules.join(", "))),
            ("From (UTC)", Some(first.to_owned())),
            ("To (UTC)", Some(last.to_owned())),
        ],
    )
}

/// The facts that have a value, each cleaned and clipped.
fn shown<const N: usize>(limit: usize, facts: [(&str, Option<String>); N]) -> Vec<(String, String)> {
    facts
        .into_iter()
        .filter_map(|(name, value)| {
            let value = clip(&inert(&value?), limit).into_owned();
            (!value.is_empty()).then(|| (name.to_owned(), value))
        })
        .collect()
}
