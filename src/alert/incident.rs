//! All of an incident so far: what an update of it tells.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};

use super::targets::TargetOutcome;
use super::{RollUp, SHOWN};
use crate::severity::Severity;

/// The severity from which on each rule × outcome is named, whatever there is no room for.
const ALWAYS_NAMED: Severity = Severity::VeryHigh;
/// Calls that are named at most: more than an intruder has rules to break, and no more than a message holds.
const MOST_NAMED: usize = 60;

/// What an update of an incident tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IncidentSum {
    /// All findings so far.
    pub all: RollUp,
    /// How many of them were held back until now, and are in no update before this; none where that is not known, since somebody
    /// died over this update.
    pub news: Option<u64>,
    /// How many rules they are of.
    pub rules: usize,
    /// What is told by name: successes first, then the highest severities.
    pub named: Vec<NamedCall>,
    /// How many more rules × outcomes × targets there are.
    pub more: usize,
    /// Which update it is: when it was due, in milliseconds since 1970.
    pub step: u64,
    /// Whether the incident has ended.
    pub has_ended: bool,
}

/// A rule, an outcome and a target: what an update tells by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedCall {
    /// The rule's id.
    pub rule: String,
    /// What was called; empty where the record names nothing.
    pub event: String,
    /// Whether it succeeded, the highest severity, and on what.
    pub outcome: TargetOutcome,
    /// How many findings it stands for.
    pub count: u64,
}

/// Collects the findings of an incident.
#[derive(Debug, Default)]
pub struct IncidentTally {
    all: RollUp,
    rules: BTreeSet<String>,
    /// By rule, outcome and target.
    calls: BTreeMap<(String, bool, String), NamedCall>,
}

impl IncidentTally {
    /// Adds a finding of a rule, of which the sum is made of it alone.
    pub fn add(&mut self, rule: &str, one: &RollUp) {
        self.all.merge(one);
        self.rules.insert(rule.to_owned());
        let event = one.events.shown().first().cloned().unwrap_or_default();
        for outcome in one.targets.shown() {
            let key = (rule.to_owned(), outcome.succeeded, outcome.target.clone());
            match self.calls.entry(key) {
                Entry::Vacant(place) => {
                    let (rule, event, outcome) = (rule.to_owned(), event.clone(), outcome.clone());
                    place.insert(NamedCall { rule, event, outcome, count: one.count });
                }
                Entry::Occupied(mut known) => {
                    let known = known.get_mut();
                    known.outcome.severity = known.outcome.severity.max(outcome.severity);
                    known.count += one.count;
                }
            }
        }
    }

    /// What an update tells of them, of which so many are new.
    pub fn sum(self, news: Option<u64>, step: u64, has_ended: bool) -> IncidentSum {
        let mut calls: Vec<NamedCall> = self.calls.into_values().collect();
        calls.sort_by_key(|call| (Reverse(call.outcome.succeeded), Reverse(call.outcome.severity)));
        // Of each rule × outcome that must be named, the first.
        let mut seen = BTreeSet::new();
        let (must, may): (Vec<_>, Vec<_>) = calls.into_iter().enumerate().partition(|(_, call)| {
            call.outcome.severity >= ALWAYS_NAMED && seen.insert((call.rule.clone(), call.outcome.succeeded))
        });
        let room = SHOWN.saturating_sub(must.len());
        let more = must.len().saturating_sub(MOST_NAMED) + may.len().saturating_sub(room);
        let mut named: Vec<_> = must.into_iter().take(MOST_NAMED).chain(may.into_iter().take(room)).collect();
        named.sort_by_key(|(place, _)| *place);
        let named = named.into_iter().map(|(_, call)| call).collect();
        IncidentSum { all: self.all, news, rules: self.rules.len(), named, more, step, has_ended }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::finding::Finding;

    fn one(target: usize, succeeded: bool, severity: Severity) -> RollUp {
        let mut finding = Finding::test(Arc::from("digest"), "2026-01-10T11:00:00Z".to_owned());
        finding.call.targets = vec![format!("t{target:03}")];
        (finding.call.failed, finding.severity) = (!succeeded, severity);
        let mut sum = RollUp::default();
        sum.add(&finding);
        sum
    }

    fn names(sum: &IncidentSum) -> Vec<String> {
        sum.named
            .iter()
            .map(|call| format!("{} {} {}", call.rule, call.outcome.succeeded, call.outcome.target))
            .collect()
    }

    #[test]
    fn successes_come_first_and_what_is_grave_is_always_named() {
        let mut tally = IncidentTally::default();
        (0..30).for_each(|target| tally.add("COPY", &one(target, false, Severity::Low)));
        (0..30).for_each(|target| tally.add("OPEN", &one(target, false, Severity::VeryHigh)));
        (0..25).for_each(|target| tally.add("READ", &one(target, true, Severity::Low)));
        tally.add("STOP", &one(0, false, Severity::Extreme));
        tally.add("READ", &one(7, true, Severity::Medium));
        let sum = tally.sum(Some(4), 0, false);
        assert_eq!((sum.all.count, sum.rules, sum.named.len(), sum.more), (87, 4, 20, 66));
        let names = names(&sum);
        assert_eq!(names[..2], ["READ true t007", "READ true t000"]);
        assert_eq!(names[18..], ["STOP false t000", "OPEN false t000"]);
        assert_eq!((sum.named[0].count, sum.named[0].outcome.severity), (2, Severity::Medium));
    }

    #[test]
    fn more_is_grave_than_there_is_room_for() {
        let mut tally = IncidentTally::default();
        (0..70).for_each(|rule| tally.add(&format!("R{rule:02}"), &one(0, true, Severity::Extreme)));
        let sum = tally.sum(Some(70), 0, true);
        assert_eq!((sum.named.len(), sum.more), (60, 10));
    }
}
