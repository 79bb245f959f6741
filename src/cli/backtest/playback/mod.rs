//! The function's decisions, played back over an archive: what would have been sent, to which channel, and when.
//!
//! The decisions are those of [`policy`], which the function's ledger asks too; what is known is kept in memory here, as long as it matters. The
//! playback assumes of the world what an archive cannot tell:
//!
//! - Every finding arrives once, when it happened: at its `eventTime`, in the order of these times, and of the archive where
//!   they are equal. (CloudTrail delivers within about five minutes, out of order, and some records twice.)
//! - What comes from the queue arrives when it is due, before any finding of the same moment, and in the order in which it was
//!   put there.
//! - Every channel takes every message at once.
//!
//! Under these assumptions the playback says exactly what the function sends: `tests.rs` in the folder above compares the two.
//!
//! ```text
//! arrival     what arrives, as it is sorted: findings, and sessions that are issued (`sessions` follows these)
//! thresholds  whether a finding's rule has matched often enough
//! channel     one channel: what goes out, what is held back (and incidents), and the sums that come of it
//! step        what becomes of a finding on its way
//! ```

mod arrival;
mod channel;
mod remembered;
mod step;
mod thresholds;

use std::time::Duration;

pub(super) use self::arrival::{AlertEvent, Arrival, ArrivedSession};
use self::channel::{ChannelPlayback, Throttled};
pub(super) use self::remembered::{FORGETS_FROM, Remembered};
pub(super) use self::step::{PlayedOutcome, PlayedStep};
use self::thresholds::Thresholds;
use crate::ledger::policy;
use crate::ruleset::RuleSet;
use crate::runs::RunError;

/// Which findings are played back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StagedRules {
    /// Those of staged rules are left out: nobody is told of them.
    Silent,
    /// Those of staged rules as if they alerted.
    Alerting,
}

/// One playback of an archive, which is told its records one after the other.
#[derive(Debug)]
pub(super) struct Playback<'r> {
    rules: &'r RuleSet,
    staged: StagedRules,
    thresholds: Thresholds,
    channels: Vec<ChannelPlayback>,
}

impl<'r> Playback<'r> {
    pub(super) fn new(rules: &'r RuleSet, staged: StagedRules) -> Self {
        Self::forgetting_from(rules, staged, FORGETS_FROM)
    }

    /// The same, which begins to forget what no longer matters at so many things of one kind.
    pub(super) fn forgetting_from(rules: &'r RuleSet, staged: StagedRules, forgets_from: usize) -> Self {
        let mut with_incidents = 0;
        let mut channels = Vec::with_capacity(rules.channels().len());
        for (place, channel) in rules.channels().iter().enumerate() {
            channels.push(ChannelPlayback::new(place, channel, with_incidents, forgets_from));
            with_incidents += usize::from(channel.incidents.is_some());
        }
        Self { rules, staged, thresholds: Thresholds::new(forgets_from), channels }
    }

    /// Plays back the findings of one record, which comes after all before it, and what was due until then; tells each step.
    pub(super) fn record(&mut self, findings: &[AlertEvent], tell: &mut impl FnMut(PlayedStep)) {
        let mut calls: Vec<Vec<Throttled<'_>>> = vec![Vec::new(); self.channels.len()];
        for event in findings {
            let Some(rule) = self.rules.rules().get(event.rule as usize) else { continue };
            if event.is_staged && self.staged == StagedRules::Silent {
                continue;
            }
            let mut step = |channel, outcome| {
                let (rule, finding) = (Some(event.rule as usize), Some(event.order));
                tell(PlayedStep { channel, rule, time: event.time, finding, opener: None, thread: None, outcome });
            };
            if let (Some(threshold), Some(counted)) = (&rule.threshold, &event.threshold)
                && !self.thresholds.reaches(threshold, counted, event.time)
            {
                step(None, PlayedOutcome::BelowThreshold);
                event.channels.iter().for_each(|channel| step(Some(*channel), PlayedOutcome::BelowThreshold));
                continue;
            }
            step(None, if event.channels.is_empty() { PlayedOutcome::Unrouted } else { PlayedOutcome::Routed });
            let window = rule.throttle.as_ref().map(|throttle| Duration::from_secs(throttle.window));
            for place in &event.channels {
                if let Some(call) = calls.get_mut(*place) {
                    call.push((event, window));
                }
            }
        }
        for (channel, call) in self.channels.iter_mut().zip(&calls) {
            call.chunks(policy::MOST_TOGETHER).for_each(|call| channel.take_up(call, tell));
        }
    }

    /// Plays back all that waits after the last record.
    pub(super) fn end(&mut self, tell: &mut impl FnMut(PlayedStep)) {
        for channel in &mut self.channels {
            channel.advance(None, tell);
        }
    }
}

/// Hands findings, which are in the order of their arrival, to `take`, those of one record together.
pub(super) fn each_record(
    findings: impl Iterator<Item = Result<AlertEvent, RunError>>,
    mut take: impl FnMut(&[AlertEvent]),
) -> Result<(), RunError> {
    let mut record: Vec<AlertEvent> = Vec::new();
    for event in findings {
        let event = event?;
        if record.last().is_some_and(|last| last.record != event.record) {
            take(&record);
            record.clear();
        }
        record.push(event);
    }
    if !record.is_empty() {
        take(&record);
    }
    Ok(())
}
