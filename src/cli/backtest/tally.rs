//! Counts findings, in memory that does not grow with the archive: names beyond a bound are counted together.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::alerts::{self, Fate, Outcome, Passed, Sighting, Waiting};
use super::time::{day, seconds};
use crate::cli::findings::{EvaluatedFinding, hashed};
use crate::rules::Mode;
use crate::ruleset::RuleSet;
use crate::severity::Severity;

/// Distinct names of one kind that are told apart. Callers choose some of them, and may choose a new one for each call.
const NAMES: usize = 100_000;
/// Findings that are remembered, to tell repeats.
const REMEMBERED: usize = 4_000_000;
/// Findings whose thresholds are counted, and whose windows are played back.
const PLAYED: usize = 2_000_000;
/// Seconds of the finest count over time.
pub(super) const SLOT: i64 = 300;

/// All counts.
#[derive(Debug)]
pub(in crate::cli) struct Tally<'r> {
    rules: &'r RuleSet,
    places: HashMap<&'r str, usize>,
    /// Findings, each once.
    pub(in crate::cli) findings: u64,
    /// Findings of records that came again: CloudTrail delivers some twice.
    pub(super) repeats: u64,
    /// Findings whose record has no time that can be read.
    pub(super) undated: u64,
    pub(super) by_rule: Vec<RuleTally>,
    pub(super) actors: Names,
    pub(super) addresses: Names,
    /// By slots of [`SLOT`] seconds since the epoch, then by severity.
    pub(super) slots: BTreeMap<i64, [u32; 5]>,
    /// Alerts a day (days since the epoch), throttling taken into account: known at the end.
    pub(in crate::cli) alerts_by_day: BTreeMap<i64, u64>,
    /// What each channel would have been sent: known at the end.
    pub(super) by_channel: Vec<Outcome>,
    pub(super) unrouted: u64,
    pub(super) staged: u64,
    /// Findings that were too many for that, and are counted as sent.
    pub(super) unplayed: u64,
    seen: HashSet<u64>,
    waiting: Vec<Waiting>,
    sightings: Vec<Sighting>,
}

/// One rule's counts.
#[derive(Debug, Clone, Default)]
pub(super) struct RuleTally {
    pub(super) outcome: Outcome,
    pub(super) highest: Option<Severity>,
    /// Findings by day since the epoch.
    pub(super) days: BTreeMap<i64, u64>,
}

/// How often each name came.
#[derive(Debug, Default)]
pub(super) struct Names {
    counts: HashMap<Box<str>, u64>,
    /// Names that were too many to be told apart.
    pub(super) others: u64,
}

impl Names {
    fn add(&mut self, name: &str) {
        if let Some(count) = self.counts.get_mut(name) {
            *count += 1;
        } else if self.counts.len() < NAMES {
            self.counts.insert(name.into(), 1);
        } else {
            self.others += 1;
        }
    }

    /// The most frequent, and how many names there are.
    pub(super) fn top(&self, most: usize) -> (Vec<(&str, u64)>, usize) {
        let mut all: Vec<(&str, u64)> = self.counts.iter().map(|(name, count)| (&**name, *count)).collect();
        all.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        let names = all.len();
        all.truncate(most);
        (all, names)
    }
}

impl<'r> Tally<'r> {
    pub(in crate::cli) fn new(rules: &'r RuleSet) -> Self {
        let places = rules.rules().iter().enumerate().map(|(place, rule)| (rule.info.id.as_str(), place));
        Self {
            rules,
            places: places.collect(),
            findings: 0,
            repeats: 0,
            undated: 0,
            by_rule: vec![RuleTally::default(); rules.rules().len()],
            actors: Names::default(),
            addresses: Names::default(),
            slots: BTreeMap::new(),
            alerts_by_day: BTreeMap::new(),
            by_channel: vec![Outcome::default(); rules.channels().len()],
            unrouted: 0,
            staged: 0,
            unplayed: 0,
            seen: HashSet::new(),
            waiting: Vec::new(),
            sightings: Vec::new(),
        }
    }

    /// Counts a finding; whether it is the first of its kind.
    pub(in crate::cli) fn add(&mut self, found: &EvaluatedFinding) -> bool {
        let finding = &found.finding;
        let id = hashed(finding.id.as_str());
        if self.seen.contains(&id) {
            self.repeats += 1;
            return false;
        }
        if self.seen.len() < REMEMBERED {
            self.seen.insert(id);
        }
        self.findings += 1;
        let time = finding.call.event_time.as_deref().and_then(seconds);
        self.undated += u64::from(time.is_none());
        if let Some(time) = time {
            self.slots.entry(time.div_euclid(SLOT)).or_default()[finding.severity as usize] += 1;
        }
        self.actors.add(finding.call.actor.as_deref().unwrap_or("(nobody named)"));
        self.addresses.add(finding.call.source_ip.as_deref().unwrap_or("(none)"));
        let place = self.places.get(finding.rule.id.as_str()).copied().unwrap_or_default();
        let rule = &mut self.by_rule[place];
        rule.outcome.findings += 1;
        rule.highest = rule.highest.max(Some(finding.severity));
        if let Some(time) = time {
            *rule.days.entry(day(time)).or_default() += 1;
        }
        let channels = match finding.rule.mode {
            Mode::Stage => {
                self.staged += 1;
                Vec::new()
            }
            _ => self.rules.route(finding),
        };
        self.unrouted += u64::from(channels.is_empty() && finding.rule.mode != Mode::Stage);
        channels.iter().for_each(|channel| self.by_channel[*channel].findings += 1);
        let passed = Passed {
            time: time.unwrap_or_default(),
            order: u32::try_from(self.findings).unwrap_or(u32::MAX),
            rule: place,
            severity: finding.severity,
            group: found.group,
            channels: channels.into_iter().filter_map(|channel| u16::try_from(channel).ok()).collect(),
        };
        match (&found.counted, &self.rules.rules()[place].threshold) {
            (Some(counted), Some(threshold)) if self.waiting.len() < PLAYED => self.waiting.push(Waiting {
                counted: counted.group,
                values: counted.values.clone(),
                count: threshold.count,
                within: threshold.window,
                then: passed,
            }),
            (counted, _) => {
                self.unplayed += u64::from(counted.is_some());
                self.passed(&passed);
            }
        }
        true
    }

    /// Counts a finding that no threshold keeps back, on each of its ways.
    fn passed(&mut self, passed: &Passed) {
        let throttle = self.rules.rules()[passed.rule].throttle.as_ref();
        for channel in std::iter::once(None).chain(passed.channels.iter().copied().map(Some)) {
            let sighting = Sighting {
                group: hashed(&format!("{:?} {channel:?}", passed.group)),
                time: passed.time,
                order: passed.order,
                window: throttle.map_or(0, |throttle| u32::try_from(throttle.window).unwrap_or(u32::MAX)),
                rule: u32::try_from(passed.rule).unwrap_or(u32::MAX),
                channel,
                severity: passed.severity,
            };
            if passed.group.is_none() {
                self.fate(&sighting, Fate::Sent);
            } else if self.sightings.len() < PLAYED {
                self.sightings.push(sighting);
            } else {
                self.unplayed += 1;
                self.fate(&sighting, Fate::Sent);
            }
        }
    }

    /// Counts thresholds and plays the throttles' windows back: call it once, at the end.
    pub(in crate::cli) fn finish(&mut self) {
        alerts::count(std::mem::take(&mut self.waiting), |waiting, is_reached| {
            if is_reached {
                self.passed(&waiting.then);
                return;
            }
            self.by_rule[waiting.then.rule].outcome.below_threshold += 1;
            for channel in &waiting.then.channels {
                self.by_channel[usize::from(*channel)].below_threshold += 1;
            }
        });
        alerts::play(std::mem::take(&mut self.sightings), |sighting, fate| self.fate(sighting, fate));
    }

    fn fate(&mut self, sighting: &Sighting, fate: Fate) {
        if let Some(channel) = sighting.channel {
            self.by_channel[usize::from(channel)].count(fate);
            return;
        }
        self.by_rule[sighting.rule as usize].outcome.count(fate);
        // A sum is a message, too.
        if fate != Fate::HeldBack && sighting.time != 0 {
            *self.alerts_by_day.entry(day(sighting.time)).or_default() += 1;
        }
    }

    /// Findings by day since the epoch, then by severity.
    pub(super) fn days(&self) -> BTreeMap<i64, [u64; 5]> {
        let mut days: BTreeMap<i64, [u64; 5]> = BTreeMap::new();
        for (slot, counts) in &self.slots {
            let day = days.entry(day(slot * SLOT)).or_default();
            day.iter_mut().zip(counts).for_each(|(sum, count)| *sum += u64::from(*count));
        }
        days
    }

    /// The day with the most messages, as days since the epoch, and their number.
    pub(in crate::cli) fn worst_day(&self) -> Option<(i64, u64)> {
        self.alerts_by_day.iter().map(|(day, count)| (*day, *count)).max_by_key(|(day, count)| (*count, -day))
    }
}
