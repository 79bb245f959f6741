//! The sums of a channel, played back: its digests and roll-ups, and when they are due.

use super::ChannelPlayback;
use super::queue::{PlayedRollUp, QueueKey, QueuedSum};
use crate::cli::backtest::playback::arrival::AlertEvent;
use crate::cli::backtest::playback::step::{PlayedOutcome, PlayedStep};
use crate::ledger::policy::{self, GuardVerdict};
use crate::severity::Severity;
use crate::time::Timestamp;

/// What the storm guard knows of the minute that is running.
#[derive(Debug, Default)]
pub(super) struct PlayedMinute {
    minute: u64,
    /// Alerts that have been counted, by severity.
    counted: [u64; Severity::ALL.len()],
    /// The digest that waits, if something is in it.
    digest: Option<QueueKey>,
}

impl ChannelPlayback {
    /// Asks the storm guard about an alert that tells of so many findings, and counts it.
    pub(super) fn guard(&mut self, event: &AlertEvent, findings: u64, if_sent: PlayedOutcome) -> PlayedOutcome {
        let counted = self.counted(event.repeat.severity, event.time);
        let before = *counted;
        *counted += 1;
        match policy::storm_guard(before, self.max_per_minute) {
            GuardVerdict::Sends => if_sent,
            GuardVerdict::Digests => {
                self.digest(event.time, findings);
                PlayedOutcome::Digested
            }
        }
    }

    /// The alerts of a severity that have been counted in this minute.
    pub(super) fn counted(&mut self, severity: Severity, now: Timestamp) -> &mut u64 {
        let minute = policy::minute_of(now);
        if self.minute.minute != minute {
            self.minute = PlayedMinute { minute, ..PlayedMinute::default() };
        }
        &mut self.minute.counted[severity as usize]
    }

    /// Counts findings for the digest of this minute.
    pub(super) fn digest(&mut self, now: Timestamp, findings: u64) {
        if let Some(QueuedSum::Digest { count }) = self.minute.digest.and_then(|key| self.queue.get_mut(&key)) {
            *count += findings;
            return;
        }
        let due = policy::digest_due(policy::minute_of(now));
        self.minute.digest = Some(self.enqueue(due, QueuedSum::Digest { count: findings }));
    }

    pub(super) fn enqueue(&mut self, due: Timestamp, sum: QueuedSum) -> QueueKey {
        let key = (due, self.queued);
        self.queued += 1;
        self.queue.insert(key, sum);
        key
    }

    /// Takes up what is due until then, or all that waits.
    pub(in crate::cli::backtest::playback) fn advance(
        &mut self,
        until: Option<Timestamp>,
        tell: &mut impl FnMut(PlayedStep),
    ) {
        while let Some(next) = self.queue.first_entry() {
            let time = next.key().0;
            if until.is_some_and(|until| time > until) {
                return;
            }
            match next.remove() {
                QueuedSum::Digest { count } => {
                    let outcome = PlayedOutcome::Digest(count);
                    let (channel, finding, opener, thread) = (Some(self.place), None, None, None);
                    tell(PlayedStep { channel, rule: None, time, finding, opener, thread, outcome });
                }
                QueuedSum::RollUp(roll_up) => self.tell_roll_ups(roll_up, time, tell),
                QueuedSum::Update(update) => self.tell_update(update, time, tell),
            }
        }
    }

    /// Tells a roll-up that is due, with those of its minute where they are told together.
    fn tell_roll_ups(&mut self, first: PlayedRollUp, time: Timestamp, tell: &mut impl FnMut(PlayedStep)) {
        let mut together = vec![first];
        if self.tells_together {
            let due = self.queue.range((time, 0)..=(time, u64::MAX));
            let others = due.filter_map(|(key, sum)| match sum {
                QueuedSum::RollUp(roll_up) => Some((*key, *roll_up)),
                QueuedSum::Update(_) | QueuedSum::Digest { .. } => None,
            });
            for (key, roll_up) in others.take(policy::MOST_ROLL_UPS - 1).collect::<Vec<_>>() {
                self.queue.remove(&key);
                together.push(roll_up);
            }
        }
        let leader = policy::leading_roll_up(together.iter().map(|roll_up| roll_up.severity)).unwrap_or_default();
        together.swap(0, leader);
        let PlayedRollUp { severity, opener, count, .. } = together[0];
        let findings = together.iter().map(|roll_up| roll_up.count).sum();
        let counted = *self.counted(severity, time);
        let outcome = match policy::storm_guard(counted, self.max_per_minute) {
            GuardVerdict::Sends => {
                *self.counted(severity, time) += 1;
                PlayedOutcome::RollUp(count)
            }
            GuardVerdict::Digests => {
                self.digest(time, findings);
                PlayedOutcome::RollUpDigested(count)
            }
        };
        for (place, PlayedRollUp { rule, opener: own, thread, count, .. }) in together.into_iter().enumerate() {
            let outcome = if place == 0 { outcome } else { PlayedOutcome::RollUpMerged(opener, count) };
            let (channel, rule) = (Some(self.place), Some(rule as usize));
            tell(PlayedStep { channel, rule, time, finding: None, opener: Some(own), thread: Some(thread), outcome });
        }
    }
}
