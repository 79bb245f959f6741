//! Counts findings, each once, and has what would have been sent played back. Memory does not grow with the number of findings: what it
//! cannot hold goes through the disk, and every figure is exact.

use std::collections::{BTreeMap, HashMap};

use super::arrivals::Arrivals;
use super::messages::SentMessages;
use super::names::NameTally;
use super::playback::{
    AlertEvent, Arrival, ArrivedSession, Playback, PlayedOutcome, PlayedStep, StagedRules, each_record,
};
use super::sessions::follow;
use crate::cli::findings::EvaluatedFinding;
use crate::cloudtrail::credentials::IssuedSession;
use crate::finding::Finding;
use crate::rules::Mode;
use crate::ruleset::RuleSet;
use crate::runs::{Bounds, IdSet, RunError, Sorted};
use crate::severity::Severity;
use crate::time::{Date, Timestamp};

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
    /// The ids of findings, and of calls that issued sessions.
    seen: IdSet,
    arrivals: Arrivals,
    /// Records with findings so far.
    records: u64,
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
        Self::within(rules, Bounds::default())
    }

    /// The same, with so much in memory.
    pub(super) fn within(rules: &'r RuleSet, bounds: Bounds) -> Self {
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
            seen: IdSet::new(bounds),
            arrivals: Arrivals::new(bounds),
            records: 0,
        }
    }

    /// Counts a finding; whether it has not come before. A session that was issued is no finding, and is remembered.
    pub(in crate::cli) fn add(&mut self, found: &EvaluatedFinding) -> Result<bool, RunError> {
        let finding = &found.finding;
        if let Some(session) = &found.session {
            self.add_session(finding, session)?;
            return Ok(false);
        }
        self.records += u64::from(!found.is_with_previous);
        if !self.seen.insert((&finding.id).into())? {
            self.repeats += 1;
            return Ok(false);
        }
        self.findings += 1;
        let time = finding.call.time();
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
        let event = AlertEvent::new(found, (place, self.rules.rules().get(place)), channels);
        self.arrivals.finding(time, AlertEvent { order: self.findings - 1, record: self.records, ..event })?;
        Ok(true)
    }

    fn add_session(&mut self, issuing: &Finding, session: &IssuedSession) -> Result<(), RunError> {
        // A record that comes again tells nothing more.
        if self.seen.insert((&issuing.id).into())? {
            let time = issuing.call.time();
            let (time_taken, order, session) = (Timestamp::default(), self.findings, session.clone());
            self.arrivals.session(time, ArrivedSession { time: time_taken, order, session })?;
        }
        Ok(())
    }

    /// Plays back what would have been sent: call it once, at the end.
    pub(in crate::cli) fn finish(&mut self) -> Result<(), RunError> {
        let arrivals = self.take_arrivals()?;
        self.play_back(arrivals, &mut |_| ())
    }

    /// As [`Self::finish`]; returns how many messages each finding opened or was, by its place among those that were added. Sums
    /// of many rules are nobody's.
    pub(in crate::cli) fn finish_with_messages(&mut self) -> Result<Vec<u32>, RunError> {
        let mut messages = vec![0_u32; usize::try_from(self.findings).unwrap_or_default()];
        let arrivals = self.take_arrivals()?;
        self.play_back(arrivals, &mut |step| {
            let sent = matches!(
                step.outcome,
                PlayedOutcome::First | PlayedOutcome::Repeat | PlayedOutcome::RollUp(_) | PlayedOutcome::Update(..)
            );
            let of = step.opener.or(step.finding).filter(|_| sent).and_then(|place| usize::try_from(place).ok());
            if let Some(count) = of.and_then(|place| messages.get_mut(place)) {
                *count += 1;
            }
        })?;
        Ok(messages)
    }

    /// The messages that would have been sent, to all channels together.
    pub(in crate::cli) const fn messages(&self) -> u64 {
        self.sent.total.messages
    }

    /// What arrives, in its order; none is left, and nothing more is added.
    pub(super) fn take_arrivals(&mut self) -> Result<Sorted<Arrival>, RunError> {
        self.seen = IdSet::new(Bounds::default());
        self.arrivals.take_sorted()
    }

    /// Counts what would have been sent of these, which are in their order, and tells `tell` each step of those that were.
    pub(super) fn play_back(
        &mut self,
        arrivals: impl Iterator<Item = Result<Arrival, RunError>>,
        tell: &mut impl FnMut(PlayedStep),
    ) -> Result<(), RunError> {
        let Self { rules, sent, sent_if_staged_alerted, .. } = self;
        if self.staged == 0 {
            *sent_if_staged_alerted = None;
        }
        let mut tell = |step| {
            sent.add(step);
            tell(step);
        };
        let mut silent = Playback::new(rules, StagedRules::Silent);
        let mut alerting =
            sent_if_staged_alerted.as_mut().map(|sent| (Playback::new(rules, StagedRules::Alerting), sent));
        each_record(follow(rules, arrivals), |record| {
            silent.record(record, &mut tell);
            if let Some((alerting, sent)) = &mut alerting {
                alerting.record(record, &mut |step| sent.add(step));
            }
        })?;
        silent.end(&mut tell);
        if let Some((mut alerting, sent)) = alerting {
            alerting.end(&mut |step| sent.add(step));
        }
        Ok(())
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
