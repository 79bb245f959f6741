//! How a finding and a delivery end, and the one place where an end is counted and logged: none can be the one without the other.
//!
//! Each end is one line of the log, `finding`, with what [`Subject`] holds and with the outcome by its name. docs/no-alert.md has
//! the fields.

use std::ops::ControlFlow;

use super::report::{Deliveries, Findings};
use super::subject::Subject;
use crate::ids::{AlertId, FindingId, GroupId};
use crate::redelivery::QueueMessage;
use crate::time::Timestamp;

/// How a finding ended before it came to any channel; or that it goes to some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FindingOutcome {
    /// Its rule is staged.
    Staged,
    /// No channel takes it.
    Unrouted,
    /// Its rule has not matched often enough.
    BelowThreshold,
    /// It is about a call that the function itself makes.
    Own,
    /// It goes to one channel or more, and each delivery ends by itself.
    Routed,
}

/// Why there is something to deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeliverySource {
    /// A finding of this invocation was routed to a channel.
    Routed,
    /// A delivery came back from the redelivery queue.
    Redelivered,
    /// A roll-up or a digest came due for the first time.
    Sum,
}

/// How a delivery ended, as far as this invocation is concerned. There is no other end: every stage that ends a delivery says
/// one of these, and each is counted once (`SumsHold`).
///
/// All but the last leave somebody told, or something behind that will tell them (`ToldOrQueued`); the last one asks for the
/// whole invocation again (`FailureIsAnswered`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeliveryOutcome {
    /// It arrived.
    Delivered,
    /// It is a repeat that is held back, and the roll-up that counts it is in the queue.
    Throttled,
    /// A silence holds it back, and the roll-up that counts it is in the queue.
    Silenced,
    /// It is told in the message of another finding of its record, or of another roll-up, whatever becomes of that.
    Merged,
    /// It is one alert too many, and the digest that counts it is in the queue.
    Digested,
    /// It was done with before.
    Duplicate,
    /// It waits in the redelivery queue.
    Queued,
    /// It was given up, and lies in the dead-letter queue.
    Dead,
    /// It did not arrive, and no queue has it.
    Failed,
}

/// What a stage returns: `Continue` with what it hands on to the next stage, or `Break` with how the delivery has ended in it.
pub(super) type StageResult<T> = ControlFlow<DeliveryOutcome, T>;

impl DeliverySource {
    pub(super) const fn of_message(message: &QueueMessage) -> Self {
        if message.is_sum() { Self::Sum } else { Self::Redelivered }
    }

    const fn counter(self, deliveries: &mut Deliveries) -> &mut usize {
        match self {
            Self::Routed => &mut deliveries.routed,
            Self::Redelivered => &mut deliveries.redelivered,
            Self::Sum => &mut deliveries.roll_ups,
        }
    }
}

impl DeliveryOutcome {
    /// The word for it in the log.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Throttled => "throttled",
            Self::Silenced => "silenced",
            Self::Merged => "merged",
            Self::Digested => "digested",
            Self::Duplicate => "duplicate",
            Self::Queued => "queued",
            Self::Dead => "dead",
            Self::Failed => "failed",
        }
    }

    const fn counter(self, deliveries: &mut Deliveries) -> &mut usize {
        match self {
            Self::Delivered => &mut deliveries.delivered,
            Self::Throttled => &mut deliveries.throttled,
            Self::Silenced => &mut deliveries.silenced,
            Self::Merged => &mut deliveries.merged,
            Self::Digested => &mut deliveries.digested,
            Self::Duplicate => &mut deliveries.duplicate,
            Self::Queued => &mut deliveries.queued,
            Self::Dead => &mut deliveries.dead,
            Self::Failed => &mut deliveries.failed,
        }
    }
}

impl FindingOutcome {
    /// The word for it in the log. What is routed has a line on each of its channels instead.
    pub(super) const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Staged => Some("staged"),
            Self::Unrouted => Some("unrouted"),
            Self::BelowThreshold => Some("below_threshold"),
            Self::Own => Some("self"),
            Self::Routed => None,
        }
    }

    const fn counter(self, findings: &mut Findings) -> &mut usize {
        match self {
            Self::Staged => &mut findings.staged,
            Self::Unrouted => &mut findings.unrouted,
            Self::BelowThreshold => &mut findings.below_threshold,
            Self::Own => &mut findings.own,
            Self::Routed => &mut findings.routed,
        }
    }
}

impl Findings {
    /// Counts a finding on both sides of the sum, which therefore holds (`SumsHold`), and logs it if it goes to no channel.
    pub(super) fn end(&mut self, subject: &Subject, outcome: FindingOutcome) {
        self.total += 1;
        *outcome.counter(self) += 1;
        if let Some(outcome) = outcome.as_str() {
            log(subject, None, outcome, None);
        }
    }
}

impl Deliveries {
    /// Counts one delivery on both sides of the sum, which therefore holds (`SumsHold`), and logs it.
    pub(super) fn end(
        &mut self,
        subject: &Subject,
        channel: &str,
        source: DeliverySource,
        outcome: DeliveryOutcome,
        now: Timestamp,
    ) {
        *source.counter(self) += 1;
        *outcome.counter(self) += 1;
        let arrived = matches!(outcome, DeliveryOutcome::Delivered);
        let latency = subject.event_time.filter(|_| arrived).map(|time| now.since(time));
        let latency = latency.map(|latency| u64::try_from(latency.as_millis()).unwrap_or(u64::MAX));
        self.latencies.extend(latency);
        log(subject, Some(channel), outcome.as_str(), latency);
    }
}

/// Writes the line of one finding, or of one delivery.
fn log(subject: &Subject, channel: Option<&str>, outcome: &str, latency_ms: Option<u64>) {
    let Subject { finding, rule, event_id, event_time: _, alert, group, kind } = subject;
    let (finding, alert) = (finding.as_ref().map(FindingId::as_str), alert.as_ref().map(AlertId::as_str));
    let (group, rule, event_id) = (group.as_ref().map(GroupId::as_str), rule.as_deref(), event_id.as_deref());
    tracing::info!(finding, rule, event_id, channel, outcome, kind, alert, group, latency_ms, "finding");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler::InvocationReport;

    #[test]
    fn every_outcome_of_every_source_keeps_the_sum_and_has_a_counter_of_its_own() {
        let sources = [DeliverySource::Routed, DeliverySource::Redelivered, DeliverySource::Sum];
        let outcomes = [
            DeliveryOutcome::Delivered,
            DeliveryOutcome::Throttled,
            DeliveryOutcome::Merged,
            DeliveryOutcome::Digested,
            DeliveryOutcome::Duplicate,
            DeliveryOutcome::Queued,
            DeliveryOutcome::Dead,
            DeliveryOutcome::Failed,
            DeliveryOutcome::Silenced,
        ];
        let mut report = InvocationReport::default();
        for (index, outcome) in outcomes.into_iter().enumerate() {
            for source in sources {
                for _ in 0..=index {
                    report.deliveries.end(&Subject::default(), "soc", source, outcome, Timestamp::default());
                    assert!(report.adds_up(), "{report:?}");
                }
            }
        }
        let Deliveries {
            routed,
            redelivered,
            roll_ups,
            delivered,
            throttled,
            silenced,
            merged,
            digested,
            duplicate,
            queued,
            dead,
            failed,
            latencies: _,
        } = report.deliveries;
        assert_eq!([routed, redelivered, roll_ups], [45, 45, 45]);
        let outcomes = [delivered, throttled, merged, digested, duplicate, queued, dead, failed, silenced];
        assert_eq!(outcomes, [3, 6, 9, 12, 15, 18, 21, 24, 27]);
    }
}
