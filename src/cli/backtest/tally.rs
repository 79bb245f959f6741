//! Counts findings, in memory that does not grow with the archive beyond a bound, and has what would have been sent played
//! back.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::num::NonZeroU64;

use super::messages::SentMessages;
use super::names::NameTally;
use super::playback::{AlertEvent, PlayedOutcome, PlayedStep, Routes, StagedRules, ThresholdEvent, play};
use super::sessions::{ArrivedSession, follow};
use crate::cli::findings::{EvaluatedFinding, hashed};
use crate::cli::words::counted;
use crate::cloudtrail::credentials::IssuedSession;
use crate::finding::Finding;
use crate::ledger::incident::IncidentFinding;
use crate::ledger::policy::Repeat;
use crate::rules::Mode;
use crate::ruleset::RuleSet;
use crate::severity::Severity;
use crate::time::{Date, Timestamp};

/// Findings that are remembered, to tell repeats.
const REMEMBERED: usize = 4_000_000;
/// Findings that are played back: about 80 bytes each.
const PLAYED: usize = 2_000_000;
/// Seconds of the finest count over time.
pub(super) const SLOT: u64 = 300;

/// All counts of one archive by one `rules.json`.
#[derive(Debug)]
pub(in crate::cli) struct BacktestTally<'r> {
    rules: &'r RuleSet,
    places: HashMap<&'r str, usize>,
    /// Findings, each once.
    pub(in crate::cli) findings: u64,
    /// Findings of records that came again: CloudTrail delivers some twice.
    pub(super) repeats: u64,
    /// Findings whose record has no time that can be read.
    pub(super) undated: u64,
    /// Findings of staged rules.
    pub(super) staged: u64,
    pub(super) by_rule: Vec<RuleTally>,
    /// Findings that each channel accepts, those of staged rules left out.
    pub(super) accepted: Vec<u64>,
    pub(super) actors: NameTally,
    pub(super) addresses: NameTally,
    /// By slots of [`SLOT`] seconds since 1970, then by severity.
    pub(super) slots: BTreeMap<u64, [u32; 5]>,
    /// What would have been sent: known at the end.
    pub(super) sent: SentMessages,
    /// What would have been sent if staged rules alerted: known at the end, and only if they found something.
    pub(super) sent_if_staged_alerted: Option<SentMessages>,
    /// Findings that were too many to be played back: each counts as sent, on each of its channels.
    pub(super) unplayed: u64,
    /// Findings that came when too many were remembered: whether they had come before is not known, and each counts as new.
    pub(super) unremembered: u64,
    /// Sessions that were too many to be remembered: whose credentials theirs are is not known.
    pub(super) unfollowed: u64,
    bounds: TallyBounds,
    seen: HashSet<u64>,
    pub(super) events: Vec<AlertEvent>,
    /// The sessions that were issued, as many as there may be findings.
    sessions: Vec<ArrivedSession>,
    pub(super) routes: Routes,
    /// The time of the last finding that had one.
    last_time: Option<Timestamp>,
    /// Findings at the head of `events` that came before any that had a time.
    timeless: usize,
    /// Records with findings so far.
    records: u32,
}

/// How much is kept in memory.
#[derive(Debug, Clone, Copy)]
struct TallyBounds {
    remembered: usize,
    played: usize,
}

/// One rule's counts.
#[derive(Debug, Clone, Default)]
pub(super) struct RuleTally {
    pub(super) findings: u64,
    pub(super) highest: Option<Severity>,
    /// Findings by day.
    pub(super) days: BTreeMap<Date, u64>,
}

impl<'r> BacktestTally<'r> {
    pub(in crate::cli) fn new(rules: &'r RuleSet) -> Self {
        let places = rules.rules().iter().enumerate().map(|(place, rule)| (rule.info.id.as_str(), place));
        let (rule_count, channel_count) = (rules.rules().len(), rules.channels().len());
        let any_staged = rules.rules().iter().any(|rule| rule.info.mode == Mode::Stage);
        Self {
            rules,
            places: places.collect(),
            findings: 0,
            repeats: 0,
            undated: 0,
            staged: 0,
            by_rule: vec![RuleTally::default(); rule_count],
            accepted: vec![0; channel_count],
            actors: NameTally::default(),
            addresses: NameTally::default(),
            slots: BTreeMap::new(),
            sent: SentMessages::new(rule_count, channel_count),
            sent_if_staged_alerted: any_staged.then(|| SentMessages::new(rule_count, channel_count)),
            unplayed: 0,
            unremembered: 0,
            unfollowed: 0,
            bounds: TallyBounds { remembered: REMEMBERED, played: PLAYED },
            seen: HashSet::new(),
            events: Vec::new(),
            sessions: Vec::new(),
            routes: Routes::default(),
            last_time: None,
            timeless: 0,
            records: 0,
        }
    }

    /// Counts a finding; whether it is the first of its kind. A session that was issued is no finding, and is remembered.
    pub(in crate::cli) fn add(&mut self, found: &EvaluatedFinding) -> bool {
        let finding = &found.finding;
        if let Some(session) = &found.session {
            self.add_session(finding, session);
            return false;
        }
        self.records += u32::from(!found.is_with_previous);
        let id = hashed(finding.id.as_str());
        if self.seen.contains(&id) {
            self.repeats += 1;
            return false;
        }
        if self.seen.len() < self.bounds.remembered {
            self.seen.insert(id);
        } else {
            self.unremembered += 1;
        }
        self.findings += 1;
        let time = finding.call.event_time.as_deref().and_then(Timestamp::parse);
        self.undated += u64::from(time.is_none());
        if let Some(time) = time {
            self.slots.entry(time.seconds() / SLOT).or_default()[finding.severity as usize] += 1;
        }
        self.actors.add(finding.call.actor.as_deref().unwrap_or("(nobody named)"));
        self.addresses.add(finding.call.source_ip.as_deref().unwrap_or("(none)"));
        let place = self.places.get(finding.rule.id.as_str()).copied().unwrap_or_default();
        let rule = &mut self.by_rule[place];
        rule.findings += 1;
        rule.highest = rule.highest.max(Some(finding.severity));
        if let Some(time) = time {
            *rule.days.entry(time.date()).or_default() += 1;
        }
        let is_staged = finding.rule.mode == Mode::Stage;
        self.staged += u64::from(is_staged);
        let channels = self.rules.route(finding);
        if !is_staged {
            channels.iter().for_each(|channel| self.accepted[*channel] += 1);
        }
        // What has no time is taken to come with the finding that was read before it.
        self.last_time = time.or(self.last_time);
        let throttle = self.rules.rules().get(place).and_then(|rule| rule.throttle.as_ref());
        let new_targets = throttle.map(|throttle| throttle.new_targets).unwrap_or_default();
        let event = AlertEvent {
            time: self.last_time.unwrap_or_default(),
            order: u32::try_from(self.findings - 1).unwrap_or(u32::MAX),
            record: self.records,
            rule: u32::try_from(place).unwrap_or(u32::MAX),
            repeat: Repeat::new(finding, new_targets),
            is_staged,
            route: self.routes.place(channels),
            shared: finding.shared_call().and_then(|call| NonZeroU64::new(hashed(call.as_str()))),
            group: found.group,
            incidents: found.incidents.clone().into_boxed_slice(),
            followed: found.followed.clone().map(Box::new),
            rule_outcome: IncidentFinding::new(finding).rule_outcome,
            threshold: found
                .counted
                .as_ref()
                .map(|counted| Box::new(ThresholdEvent { counted: counted.group, values: counted.values.clone() })),
        };
        if self.events.len() < self.bounds.played {
            self.timeless += usize::from(self.last_time.is_none());
            self.events.push(event);
        } else {
            self.unplayed += 1;
            self.count_as_sent(&event);
        }
        true
    }

    fn add_session(&mut self, issuing: &Finding, session: &IssuedSession) {
        let time = issuing.call.event_time.as_deref().and_then(Timestamp::parse).or(self.last_time).unwrap_or_default();
        // A record that comes again tells nothing more.
        let id = hashed(issuing.id.as_str());
        if self.seen.contains(&id) {
            return;
        }
        if self.sessions.len() >= self.bounds.played || self.seen.len() >= self.bounds.remembered {
            self.unfollowed += 1;
        } else {
            self.seen.insert(id);
            let order = u32::try_from(self.findings).unwrap_or(u32::MAX);
            self.sessions.push(ArrivedSession { time, order, session: session.clone() });
        }
    }

    /// Counts a finding that is not played back.
    fn count_as_sent(&mut self, event: &AlertEvent) {
        let channels = self.routes.channels(event.route);
        let outcome = if channels.is_empty() { PlayedOutcome::Unrouted } else { PlayedOutcome::Routed };
        let deployed = if event.is_staged { None } else { Some(&mut self.sent) };
        for sent in deployed.into_iter().chain(&mut self.sent_if_staged_alerted) {
            let mut step = |channel, outcome| {
                let (rule, finding) = (Some(event.rule as usize), Some(event.order));
                sent.add(PlayedStep {
                    channel,
                    rule,
                    time: event.time,
                    finding,
                    opener: finding,
                    thread: finding,
                    outcome,
                });
            };
            step(None, outcome);
            channels.iter().for_each(|channel| step(Some(*channel), PlayedOutcome::First));
        }
    }

    /// Plays back what would have been sent: call it once, at the end.
    pub(in crate::cli) fn finish(&mut self) {
        let events = self.arrivals();
        self.play_back(&events);
    }

    /// As [`Self::finish`]; returns how many messages each finding opened or was, by its place among those that were added. Sums
    /// of many rules are nobody's.
    pub(in crate::cli) fn finish_with_messages(&mut self) -> Vec<u32> {
        let events = self.arrivals();
        self.play_back(&events);
        let mut messages = vec![0_u32; events.len()];
        play(self.rules, &self.routes, &events, StagedRules::Silent, &mut |step| {
            let sent = matches!(
                step.outcome,
                PlayedOutcome::First | PlayedOutcome::Repeat | PlayedOutcome::RollUp(_) | PlayedOutcome::Update(..)
            );
            let of = step.opener.or(step.finding).filter(|_| sent);
            if let Some(count) = of.and_then(|place| messages.get_mut(place as usize)) {
                *count += 1;
            }
        });
        messages
    }

    /// What is not known, since there was too much of it to be kept in memory; none where all figures are exact.
    pub(super) fn unknown(&self) -> Option<String> {
        let parts = [
            (self.unplayed, "finding", "too many to be played back: each counts as sent"),
            (self.unremembered, "finding", "counted as new, though they may have come before"),
            (self.unfollowed, "session", "too many to be followed"),
        ];
        let told = parts.iter().filter(|(count, ..)| *count > 0);
        let told: Vec<String> = told.map(|(count, what, why)| format!("{} {why}", counted(*count, what))).collect();
        (!told.is_empty()).then(|| told.join("; "))
    }

    /// The messages that would have been sent, to all channels together.
    pub(in crate::cli) const fn messages(&self) -> u64 {
        self.sent.total.messages
    }

    /// The findings in the order in which they are taken to arrive; none are left.
    pub(super) fn arrivals(&mut self) -> Vec<AlertEvent> {
        let mut events = std::mem::take(&mut self.events);
        if let Some(first) = events.get(self.timeless).map(|event| event.time) {
            events[..self.timeless].iter_mut().for_each(|event| event.time = first);
        }
        events.sort_unstable_by_key(|event| (event.time, event.order));
        follow(self.rules, &mut events, std::mem::take(&mut self.sessions));
        events
    }

    /// Counts what would have been sent of these.
    pub(super) fn play_back(&mut self, events: &[AlertEvent]) {
        let (rules, routes) = (self.rules, &self.routes);
        play(rules, routes, events, StagedRules::Silent, &mut |step| self.sent.add(step));
        if self.staged == 0 {
            self.sent_if_staged_alerted = None;
        }
        if let Some(sent) = &mut self.sent_if_staged_alerted {
            play(rules, routes, events, StagedRules::Alerting, &mut |step| sent.add(step));
        }
    }

    /// What would have been sent with staged rules included, as if they alerted.
    pub(super) const fn sent_with_staged(&self) -> &SentMessages {
        match &self.sent_if_staged_alerted {
            Some(sent) => sent,
            None => &self.sent,
        }
    }

    /// Findings by day, then by severity.
    pub(super) fn days(&self) -> BTreeMap<Date, [u64; 5]> {
        let mut days: BTreeMap<Date, [u64; 5]> = BTreeMap::new();
        for (slot, counts) in &self.slots {
            let day = days.entry(Timestamp::from_millis(slot * SLOT * 1000).date()).or_default();
            day.iter_mut().zip(counts).for_each(|(sum, count)| *sum += u64::from(*count));
        }
        days
    }

    /// The day with the most messages, and their number.
    pub(in crate::cli) fn worst_day(&self) -> Option<(Date, u64)> {
        self.sent.worst_day()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::findings::FindingVisitor;
    use crate::scan::RecordVisitor as _;

    #[test]
    fn what_was_too_much_for_memory_is_told() {
        let rules = RuleSet::compile(
            r#"{"rules":[{"id":"R","title":"t","severity":"low","throttle":"off","when":{"event":"."}}],
                "channels":{"topic":{"type":"sns"}}}"#,
        )
        .unwrap()
        .rules;
        let record = |id: usize| {
            format!(
                r#"{{"eventName":"A","eventID":"{id}","eventTime":"2026-01-10T11:00:00Z","recipientAccountId":"1"}}"#
            )
        };
        let records: Vec<String> = [0, 1, 2, 3, 0, 3].into_iter().map(record).collect();
        let figures = |bounds: TallyBounds| {
            let mut tally = BacktestTally { bounds, ..BacktestTally::new(&rules) };
            let visitor = FindingVisitor::new(&rules);
            let text = format!(r#"{{"Records":[{}]}}"#, records.join(","));
            visitor.records(&mut visitor.state(), &text, |_, found| {
                found.unwrap().iter().for_each(|found| _ = tally.add(found));
            });
            tally.finish();
            (tally.findings, tally.repeats, tally.messages(), tally.unknown())
        };
        assert_eq!(figures(TallyBounds { remembered: 4, played: 4 }), (4, 2, 4, None));
        assert_eq!(
            figures(TallyBounds { remembered: 3, played: 4 }),
            (5, 1, 5, Some("1 finding too many to be played back: each counts as sent; 2 findings counted as new, though they may have come before".to_owned()))
        );
    }
}
