//! How a delivery came, how it ended, and where both are counted.

use std::ops::ControlFlow;

use super::report::Deliveries;
use crate::redelivery::QueueMessage;

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
    const fn counter(self, deliveries: &mut Deliveries) -> &mut usize {
        match self {
            Self::Delivered => &mut deliveries.delivered,
            Self::Throttled => &mut deliveries.throttled,
            Self::Digested => &mut deliveries.digested,
            Self::Duplicate => &mut deliveries.duplicate,
            Self::Queued => &mut deliveries.queued,
            Self::Dead => &mut deliveries.dead,
            Self::Failed => &mut deliveries.failed,
        }
    }
}

impl Deliveries {
    /// Counts one delivery on both sides of the sum, which therefore holds (`SumsHold`).
    pub(super) const fn count(&mut self, source: DeliverySource, outcome: DeliveryOutcome) {
        *source.counter(self) += 1;
        *outcome.counter(self) += 1;
    }
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
            DeliveryOutcome::Digested,
            DeliveryOutcome::Duplicate,
            DeliveryOutcome::Queued,
            DeliveryOutcome::Dead,
            DeliveryOutcome::Failed,
        ];
        let mut report = InvocationReport::default();
        for (index, outcome) in outcomes.into_iter().enumerate() {
            for source in sources {
                for _ in 0..=index {
                    report.deliveries.count(source, outcome);
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
            digested,
            duplicate,
            queued,
            dead,
            failed,
        } = report.deliveries;
        assert_eq!([routed, redelivered, roll_ups], [28, 28, 28]);
        assert_eq!([delivered, throttled, digested, duplicate, queued, dead, failed], [3, 6, 9, 12, 15, 18, 21]);
    }
}
