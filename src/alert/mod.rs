//! An alert: what a channel is told. One finding opens it; its repeats, and the sum of them, belong to the same alert.
//!
//! Everything here is pure and serialisable: sums are kept by a ledger, merged, and come back through a queue.

mod incident;
mod silence;
mod targets;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use self::incident::{IncidentSum, IncidentTally, NamedCall};
pub use self::silence::SilenceNotice;
pub use self::targets::{TargetOutcome, TargetTally};
use crate::finding::Finding;
use crate::ids::AlertId;
use crate::ids::FindingId;
use crate::ids::StableId;
use crate::redact::redacted_text;
use crate::severity::Severity;
use crate::text::{clean, clip, one_line};

/// What a channel renders.
#[derive(Debug, Clone, Copy)]
pub struct Alert<'a> {
    /// The finding that it is about; the opener's for a roll-up, any of them for a digest.
    pub finding: &'a Finding,
    /// The alert that it belongs to.
    pub id: &'a AlertId,
    /// What it says of the finding.
    pub kind: AlertKind<'a>,
    /// What the vendor called the alert's first message (Slack's `ts`, a ticket's number), if it is known.
    pub receipt: Option<&'a str>,
    /// What it is told together with.
    pub together: Together<'a>,
}

/// What the message of an alert has to do with others.
#[derive(Debug, Clone, Copy, Default)]
pub struct Together<'a> {
    /// What the message tells of, too: the other findings of the same record, or other roll-ups.
    pub also: &'a [Also],
    /// The alert in which people read of this one, if it was opened in the message of another: the vendor's thread, ticket or
    /// dedup key is that one's.
    pub lead: Option<&'a AlertId>,
    /// The severity to which its incident has risen since it was opened, this message included.
    pub raised: Option<Severity>,
    /// The silence that begins with it.
    pub silence: Option<&'a SilenceNotice>,
}

/// A finding, or a roll-up, that is told in another's message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Also {
    /// The finding; of a roll-up: the one that opened its alert.
    pub finding: FindingId,
    /// The alert that it belongs to.
    pub alert: AlertId,
    /// The id of its rule.
    pub rule: String,
    /// Its severity.
    pub severity: Severity,
    /// Its title, which says whether the call failed; of a roll-up, with how many more there were, and on what.
    pub title: String,
    /// Of a roll-up: how many findings it sums up; 0 if that is not known any more.
    pub count: Option<u64>,
}

impl Also {
    /// A finding that is told in the message of another one of its record.
    pub fn new(finding: &Finding, alert: &AlertId) -> Self {
        Self {
            finding: finding.id.clone(),
            alert: alert.clone(),
            rule: finding.rule.id.clone(),
            severity: finding.severity,
            title: finding.shown_title().into_owned(),
            count: None,
        }
    }

    /// A roll-up that is told in the message of another. The finding is the one that opened its alert.
    pub fn roll_up(finding: &Finding, alert: &AlertId, sum: &RollUp) -> Self {
        let also = Self::new(finding, alert);
        let title = if sum.targets.any_succeeded() { &finding.title } else { &also.title };
        let more = if sum.count == 0 { "at least one".to_owned() } else { sum.count.to_string() };
        let targets = sum.targets.summary(TARGETS_OF_OTHERS);
        let targets = if targets.is_empty() { targets } else { format!(" ({targets})") };
        let (severity, count) = (sum.severity.unwrap_or(finding.severity), Some(sum.count));
        Self { title: format!("{title}: and {more} more{targets}"), severity, count, ..also }
    }
}

/// Characters of the targets of a roll-up that is told in another's message.
const TARGETS_OF_OTHERS: usize = 200;

/// What an alert says of its finding.
#[derive(Debug, Clone, Copy)]
pub enum AlertKind<'a> {
    /// It opens the alert.
    First,
    /// It belongs to an alert that is open, and is worth a message of its own, being worse than those before it.
    Repeat,
    /// It belongs to an alert that is open, and is worth a message of its own although it is no worse: it is the first that
    /// succeeded, or on a target that is new. For machines it is a repeat; it leaves a ticket's priority as it is.
    News,
    /// What has been held back since the first.
    RollUp(&'a RollUp),
    /// All of the incident so far.
    Update(&'a IncidentSum),
    /// More alerts than one channel's people can read, as one.
    Digest(&'a AlertDigest),
    /// Something is wrong with offlimits itself: what, and what to do about it.
    Operational(&'a str),
    /// Somebody asked for a test alert.
    Test,
}

impl AlertKind<'_> {
    /// Whether it tells of events of the rule of its finding, each of which is in CloudTrail.
    pub const fn is_about_events(&self) -> bool {
        matches!(self, Self::First | Self::Repeat | Self::News | Self::RollUp(_) | Self::Update(_))
    }

    /// `first`, `roll-up`, …: for machines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Repeat | Self::News => "repeat",
            Self::RollUp(_) => "roll-up",
            Self::Update(_) => "update",
            Self::Digest(_) => "digest",
            Self::Operational(_) => "operational",
            Self::Test => "test",
        }
    }
}

impl<'a> Alert<'a> {
    /// An alert that nothing else is told with, and of which the vendor has had nothing yet.
    pub fn alone(finding: &'a Finding, id: &'a AlertId, kind: AlertKind<'a>) -> Self {
        Self { finding, id, kind, receipt: None, together: Together::default() }
    }

    /// The alert under which the vendor knows it: its own, or the one that people read of it in.
    pub fn shown_in(&self) -> &'a AlertId {
        self.together.lead.unwrap_or(self.id)
    }

    /// What makes this one message recognisable: the idempotency key of vendors that have one. The finding's own id, but
    /// for what sums up many findings.
    pub fn key(&self) -> FindingId {
        match self.kind {
            AlertKind::First | AlertKind::Repeat | AlertKind::News | AlertKind::Operational(_) | AlertKind::Test => {
                self.finding.id.clone()
            }
            AlertKind::RollUp(sum) => {
                let (first, last) = sum.span.bounds();
                FindingId::from(StableId::hash(&["roll-up", self.id.as_str(), first, last, &sum.count.to_string()]))
            }
            AlertKind::Update(sum) => {
                FindingId::from(StableId::hash(&["update", self.id.as_str(), &sum.step.to_string()]))
            }
            AlertKind::Digest(sum) => {
                let (first, last) = sum.span.bounds();
                FindingId::from(StableId::hash(&["digest", self.id.as_str(), first, last, &sum.count.to_string()]))
            }
        }
    }

    /// The finding's severity; a sum's is the highest in it.
    pub fn severity(&self) -> Severity {
        match self.kind {
            AlertKind::Digest(sum) => sum.severity.unwrap_or(self.finding.severity),
            AlertKind::RollUp(sum) => sum.severity.unwrap_or(self.finding.severity),
            AlertKind::Update(sum) => sum.all.severity.unwrap_or(self.finding.severity),
            _ => self.finding.severity,
        }
    }
}

/// The repeats of one alert, summed up. Sums may be merged in any order, and are bounded in size: about 20 KB.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollUp {
    /// How many findings; 0 if that is not known any more. There was one at least: the roll-up was ordered.
    pub count: u64,
    /// When the first and the last of them happened.
    #[serde(flatten)]
    pub span: TimeRange,
    /// The highest severity among them.
    pub severity: Option<Severity>,
    /// Who.
    pub actors: DistinctValues,
    /// What they called.
    pub events: DistinctValues,
    /// On what, and whether it succeeded.
    #[serde(default, skip_serializing_if = "TargetTally::is_empty")]
    pub targets: TargetTally,
}

impl RollUp {
    /// Counts a finding.
    pub fn add(&mut self, finding: &Finding) {
        self.count += 1;
        self.span.add(finding.call.event_time.as_deref());
        self.severity = self.severity.max(Some(finding.severity));
        finding.call.actor.iter().for_each(|actor| self.actors.add(actor));
        finding.call.event.iter().for_each(|event| self.events.add(event));
        self.targets.merge(&finding.into());
    }

    /// Adds another sum, of other findings.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.span.merge(&other.span);
        self.severity = self.severity.max(other.severity);
        self.actors.merge(&other.actors);
        self.events.merge(&other.events);
        self.targets.merge(&other.targets);
    }
}

/// Alerts of many rules, summed up. Sums may be merged in any order, and are bounded in size: about 10 KB.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertDigest {
    /// How many alerts; 0 if that is not known any more. There was one at least: the digest was ordered.
    pub count: u64,
    /// When the first and the last of them happened.
    #[serde(flatten)]
    pub span: TimeRange,
    /// The highest severity among them.
    pub severity: Option<Severity>,
    /// How many of each rule, for the first rules that were met.
    pub rules: BTreeMap<String, u64>,
    /// How many of all other rules.
    pub others: u64,
    /// What the calls acted on, and whether they succeeded.
    #[serde(default, skip_serializing_if = "TargetTally::is_empty")]
    pub targets: TargetTally,
}

impl AlertDigest {
    /// Counts a finding.
    pub fn add(&mut self, finding: &Finding) {
        self.merge(&Self::from_rule(&finding.rule.id, finding.severity, finding.call.event_time.as_deref(), 1));
        self.targets.merge(&finding.into());
    }

    /// So many alerts of one rule, the first of which happened at `time`.
    pub fn from_rule(rule: &str, severity: Severity, time: Option<&str>, count: u64) -> Self {
        let mut sum = Self { count, severity: Some(severity), ..Self::default() };
        sum.span.add(time);
        sum.add_rule(rule, count);
        sum
    }

    /// Adds another sum, of other findings.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.span.merge(&other.span);
        self.severity = self.severity.max(other.severity);
        other.rules.iter().for_each(|(rule, count)| self.add_rule(rule, *count));
        self.others += other.others;
        self.targets.merge(&other.targets);
    }

    fn add_rule(&mut self, rule: &str, count: u64) {
        if let Some(known) = self.rules.get_mut(rule) {
            *known += count;
        } else if self.rules.len() < SHOWN {
            self.rules.insert(rule.to_owned(), count);
        } else {
            self.others += count;
        }
    }
}

/// From the first to the last of some times, as CloudTrail writes them: RFC 3339, UTC, to the second, which sorts as text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeRange {
    first_time: Option<String>,
    last_time: Option<String>,
}

impl TimeRange {
    /// The first and the last time; empty where no finding had one.
    pub fn bounds(&self) -> (&str, &str) {
        (self.first_time.as_deref().unwrap_or_default(), self.last_time.as_deref().unwrap_or_default())
    }

    fn add(&mut self, time: Option<&str>) {
        let Some(time) = time.map(|time| one_line(time, TIME_LIMIT).into_owned()) else { return };
        if self.first_time.as_ref().is_none_or(|first| time < *first) {
            self.first_time = Some(time.clone());
        }
        if self.last_time.as_ref().is_none_or(|last| time > *last) {
            self.last_time = Some(time);
        }
    }

    fn merge(&mut self, other: &Self) {
        self.add(other.first_time.as_deref());
        self.add(other.last_time.as_deref());
    }
}

/// Characters of a time that are kept: CloudTrail's has 20.
const TIME_LIMIT: usize = 40;
/// Distinct values that are named.
const SHOWN: usize = 20;
/// Distinct values beyond them that are told apart, and so counted exactly.
const COUNTED: usize = 200;
/// Characters of a value that are kept.
const VALUE_LIMIT: usize = 128;

/// Distinct values: the first 20 by name, and how many more. The rest are known by their hashes, so that one that comes
/// again is not counted again; beyond 220 in all, the count is a lower bound.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DistinctValues {
    shown: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    more: BTreeSet<u32>,
}

impl DistinctValues {
    /// The values that are named, cleaned and clipped, in the order in which they came.
    pub fn shown(&self) -> &[String] {
        &self.shown
    }

    /// How many more there were.
    pub fn more(&self) -> usize {
        self.more.len()
    }

    /// `a, b +12`: the values, and how many more; empty if there are none.
    pub fn summary(&self) -> String {
        let shown = self.shown.join(", ");
        match self.more.len() {
            0 => shown,
            more if more < COUNTED => format!("{shown} +{more}"),
            more => format!("{shown} +{more} or more"),
        }
    }

    fn add(&mut self, value: &str) {
        let value = kept(value);
        if value.is_empty() || self.shown.contains(&value) {
            return;
        }
        if self.shown.len() < SHOWN {
            // It may be one whose name was not kept when it came first, in a sum that has been merged.
            self.more.remove(&hash(&value));
            self.shown.push(value);
        } else if self.more.len() < COUNTED {
            self.more.insert(hash(&value));
        }
    }

    fn merge(&mut self, other: &Self) {
        other.shown.iter().for_each(|value| self.add(value));
        for hash_of_other in &other.more {
            if self.more.len() < COUNTED && !self.shown.iter().any(|value| hash(value) == *hash_of_other) {
                self.more.insert(*hash_of_other);
            }
        }
    }
}

/// What is kept of a value: one line without secrets, clipped.
fn kept(value: &str) -> String {
    clip(&redacted_text(&clean(&clip(value, 8 * VALUE_LIMIT))), VALUE_LIMIT).into_owned()
}

/// FNV-1a, 32 bits: two of 220 values collide once in 180,000 sums.
fn hash(value: &str) -> u32 {
    value.bytes().fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn finding(number: usize) -> Finding {
        let mut finding = Finding::test(Arc::from("digest"), format!("2026-01-10T11:{:02}:00Z", number % 60));
        finding.call.actor = Some(format!("actor{}", number % 300));
        finding.call.event = Some(format!("Event{}", number % 30));
        finding.rule = Arc::new(crate::rules::RuleInfo { id: format!("R{}", number % 40), ..Default::default() });
        finding.severity = Severity::ALL[number % 5];
        finding
    }

    fn roll_up(numbers: std::ops::Range<usize>) -> RollUp {
        numbers.fold(RollUp::default(), |mut sum, number| {
            sum.add(&finding(number));
            sum
        })
    }

    #[test]
    fn sums_name_twenty_and_count_the_rest_once() {
        let sum = roll_up(0..1000);
        assert_eq!((sum.count, sum.severity), (1000, Some(Severity::Extreme)));
        assert_eq!(sum.span.bounds(), ("2026-01-10T11:00:00Z", "2026-01-10T11:59:00Z"));
        assert_eq!((sum.events.shown().len(), sum.events.more()), (20, 10));
        assert!(sum.events.summary().ends_with("Event19 +10"), "{}", sum.events.summary());
        assert!(sum.actors.summary().ends_with("+200 or more"));
        assert!(serde_json::to_string(&sum).unwrap().len() < 20_000);
    }

    #[test]
    fn merging_gives_the_sum_of_all_and_survives_a_queue() {
        let (mut left, right) = (roll_up(0..25), roll_up(10..45));
        let right: RollUp = serde_json::from_str(&serde_json::to_string(&right).unwrap()).unwrap();
        left.merge(&right);
        let events = left.events.shown().len() + left.events.more();
        let actors = left.actors.shown().len() + left.actors.more();
        assert_eq!((left.count, events, actors), (60, 30, 45));
        let mut digest = AlertDigest::default();
        (0..400).for_each(|number| digest.add(&finding(number)));
        let mut twice = digest.clone();
        twice.merge(&serde_json::from_str(&serde_json::to_string(&digest).unwrap()).unwrap());
        assert_eq!((twice.count, twice.rules.len(), twice.others), (800, 20, 400));
        assert_eq!(twice.rules.values().sum::<u64>() + twice.others, twice.count);
    }

    #[test]
    fn ids_are_hexadecimal_also_when_they_come_back() {
        let id = AlertId::new("rule", "group", &FindingId::from(StableId::hash(&["x"])));
        assert_eq!(serde_json::from_str::<AlertId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
        for bad in [r#""a^ORactive=true""#, r#""""#, r#""ABCDEFABCDEFABCDEFABCDEFABCDEFAB""#] {
            assert!(serde_json::from_str::<AlertId>(bad).is_err(), "{bad}");
        }
        let finding = finding(1);
        let sum = roll_up(0..3);
        let alert = |kind| Alert::alone(&finding, &id, kind);
        assert_eq!(alert(AlertKind::First).key(), finding.id);
        assert_ne!(alert(AlertKind::RollUp(&sum)).key(), finding.id);
    }
}
