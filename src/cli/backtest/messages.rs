//! The figures of what would have been sent: by rule, by channel, by day and in all. They are made of the same steps, so that
//! their sums agree.

use std::collections::BTreeMap;

use serde::Serialize;

use super::playback::{PlayedOutcome, PlayedStep};
use crate::time::Date;

/// What became of findings on their way to people. Of a channel:
///
/// - findings = below threshold + duplicates + alerts + merged + held back + digested
/// - messages = alerts + roll-ups + updates + digests
///
/// Of a rule, what is counted is the sum over all channels; its digests are not, being of many rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct MessageCounts {
    /// Before their rule's threshold is reached.
    pub(super) below_threshold: u64,
    /// Of calls that several accounts record: those of which another account's record was told.
    pub(super) duplicates: u64,
    /// Sent, each as a message of its own: those that open an alert, and repeats that are worse than those before them.
    pub(super) alerts: u64,
    /// Told in the message of another finding of the same record.
    pub(super) merged: u64,
    /// Repeats that a throttle holds back.
    pub(super) held_back: u64,
    /// Alerts that the storm guard leaves to a digest.
    pub(super) digested: u64,
    /// Sums of what throttles hold back that are sent, each as a message.
    pub(super) roll_ups: u64,
    /// Such sums that the storm guard leaves to a digest.
    pub(super) digested_roll_ups: u64,
    /// Such sums that are told in the message of another.
    pub(super) merged_roll_ups: u64,
    /// Updates of incidents that are sent, each as a message.
    pub(super) updates: u64,
    /// Such updates that the storm guard leaves to a digest.
    pub(super) digested_updates: u64,
    /// Such updates that have nothing new to say, and are not sent.
    pub(super) merged_updates: u64,
    /// Digests that are sent, each as a message.
    pub(super) digests: u64,
    /// What is sent, in all.
    pub(super) messages: u64,
}

impl MessageCounts {
    pub(super) fn add(&mut self, outcome: PlayedOutcome) {
        let (sent, count) = match outcome {
            PlayedOutcome::BelowThreshold => (false, &mut self.below_threshold),
            PlayedOutcome::Duplicate => (false, &mut self.duplicates),
            PlayedOutcome::First | PlayedOutcome::Repeat => (true, &mut self.alerts),
            PlayedOutcome::Merged(_) => (false, &mut self.merged),
            PlayedOutcome::RollUpMerged(..) => (false, &mut self.merged_roll_ups),
            PlayedOutcome::HeldBack => (false, &mut self.held_back),
            PlayedOutcome::Digested => (false, &mut self.digested),
            PlayedOutcome::RollUp(_) => (true, &mut self.roll_ups),
            PlayedOutcome::RollUpDigested(_) => (false, &mut self.digested_roll_ups),
            PlayedOutcome::Update(..) => (true, &mut self.updates),
            PlayedOutcome::UpdateMerged => (false, &mut self.merged_updates),
            PlayedOutcome::UpdateDigested(_) => (false, &mut self.digested_updates),
            PlayedOutcome::Digest(_) => (true, &mut self.digests),
            PlayedOutcome::Unrouted | PlayedOutcome::Routed => return,
        };
        *count += 1;
        self.messages += u64::from(sent);
    }
}

/// What would have been sent under one assumption about staged rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SentMessages {
    /// By the rule's place in the file.
    pub(super) by_rule: Vec<MessageCounts>,
    /// By the channel's place in the file.
    pub(super) by_channel: Vec<MessageCounts>,
    /// By the day on which it is sent.
    pub(super) by_day: BTreeMap<Date, MessageCounts>,
    /// In all.
    pub(super) total: MessageCounts,
    /// Findings that go to a channel.
    pub(super) routed: u64,
    /// Findings that no channel takes.
    pub(super) unrouted: u64,
}

impl SentMessages {
    pub(super) fn new(rules: usize, channels: usize) -> Self {
        Self {
            by_rule: vec![MessageCounts::default(); rules],
            by_channel: vec![MessageCounts::default(); channels],
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, step: PlayedStep) {
        let PlayedStep { channel, rule, time, outcome, .. } = step;
        self.routed += u64::from(outcome == PlayedOutcome::Routed);
        self.unrouted += u64::from(outcome == PlayedOutcome::Unrouted);
        if let Some(channel) = channel {
            self.by_channel[channel].add(outcome);
        }
        // A finding is below its rule's threshold once, whatever the channels.
        if (outcome == PlayedOutcome::BelowThreshold) != channel.is_none() {
            return;
        }
        self.total.add(outcome);
        if let Some(rule) = rule {
            self.by_rule[rule].add(outcome);
        }
        // The first day of 1970 is no day: nothing in the archive has a time.
        if time.seconds() >= 86_400 {
            self.by_day.entry(time.date()).or_default().add(outcome);
        }
    }

    /// The day with the most messages, and their number.
    pub(super) fn worst_day(&self) -> Option<(Date, u64)> {
        let days = self.by_day.iter().map(|(day, counts)| (*day, counts.messages));
        days.filter(|(_, messages)| *messages > 0).max_by_key(|(day, messages)| (*messages, std::cmp::Reverse(*day)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn the_figures_agree_with_one_another() {
        let mut sent = SentMessages::new(2, 2);
        let mut step = |channel, rule, day: u64, outcome| {
            let time = Timestamp::from_millis((20_000 + day) * 86_400_000);
            sent.add(PlayedStep { channel, rule, time, finding: None, opener: None, thread: None, outcome });
        };
        step(None, Some(0), 0, PlayedOutcome::BelowThreshold);
        step(Some(0), Some(0), 0, PlayedOutcome::BelowThreshold);
        step(Some(1), Some(0), 0, PlayedOutcome::BelowThreshold);
        step(None, Some(0), 0, PlayedOutcome::Unrouted);
        step(None, Some(1), 1, PlayedOutcome::Routed);
        step(Some(0), Some(1), 1, PlayedOutcome::First);
        step(Some(1), Some(1), 1, PlayedOutcome::Digested);
        step(Some(0), Some(1), 1, PlayedOutcome::Merged(0));
        step(Some(0), Some(1), 1, PlayedOutcome::HeldBack);
        step(Some(0), Some(1), 2, PlayedOutcome::RollUp(1));
        step(Some(1), Some(1), 2, PlayedOutcome::RollUpMerged(0, 2));
        step(Some(1), Some(1), 2, PlayedOutcome::RollUpDigested(3));
        step(Some(1), Some(1), 2, PlayedOutcome::Update(5, 2));
        step(Some(1), Some(1), 2, PlayedOutcome::UpdateDigested(2));
        step(Some(1), Some(1), 2, PlayedOutcome::UpdateMerged);
        step(Some(1), None, 2, PlayedOutcome::Digest(4));
        let total = MessageCounts {
            below_threshold: 1,
            duplicates: 0,
            alerts: 1,
            merged: 1,
            held_back: 1,
            digested: 1,
            roll_ups: 1,
            merged_roll_ups: 1,
            digested_roll_ups: 1,
            updates: 1,
            digested_updates: 1,
            merged_updates: 1,
            digests: 1,
            messages: 4,
        };
        assert_eq!((sent.total, sent.routed, sent.unrouted), (total, 1, 1));
        assert_eq!(sent.by_channel.iter().map(|counts| counts.messages).collect::<Vec<_>>(), [2, 2]);
        assert_eq!(sent.by_channel.iter().map(|counts| counts.below_threshold).collect::<Vec<_>>(), [1, 1]);
        assert_eq!(sent.by_rule.iter().map(|counts| counts.messages).collect::<Vec<_>>(), [0, 3]);
        assert_eq!(sent.by_day.values().map(|counts| counts.messages).collect::<Vec<_>>(), [0, 1, 3]);
        assert_eq!(sent.worst_day(), Some((Timestamp::from_millis(20_002 * 86_400_000).date(), 3)));
    }
}
