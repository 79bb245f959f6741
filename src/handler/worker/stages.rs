//! The two roads of a delivery, stage by stage: that of a finding of this invocation, and that of a message from the queue.
//!
//! A stage returns a `StageResult`. It either hands on what the next stage needs, or ends the delivery with its outcome: `?`
//! then leaves the road, and the outcome is what the worker counts.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{Either, select};

use super::admit::Admitted;
use super::channel_worker::ChannelWorker;
use super::send::Origin;
use crate::deliver::Transport;
use crate::finding::Finding;
use crate::handler::classify::{Routed, ThrottleGroup};
use crate::handler::outcome::{DeliveryOutcome, StageResult};
use crate::handler::subject::Subject;
use crate::ledger::Store;
use crate::ledger::policy::Throttling;
use crate::redelivery::{Delivery, QueueMessage, Queues, Task};

impl<T: Transport, S: Store, Q: Queues> ChannelWorker<'_, T, S, Q> {
    /// Delivers a finding, unless it is a duplicate, or is held back; and notes its alert in the `subject` as soon as it has one.
    pub(super) async fn deliver_finding(&self, routed: &Routed, subject: &mut Subject) -> DeliveryOutcome {
        either(self.finding_stages(routed, subject).await)
    }

    /// Delivers what comes back from a queue; and notes its alert in the `subject`.
    pub(super) async fn deliver_message(&self, message: QueueMessage, subject: &mut Subject) -> DeliveryOutcome {
        either(self.message_stages(message, subject).await)
    }

    async fn finding_stages(&self, routed: &Routed, subject: &mut Subject) -> StageResult<DeliveryOutcome> {
        let Routed { finding, throttle, .. } = routed;
        let delivery = self.admitted(finding, throttle.as_ref(), subject).await?;
        let message = self.new_message(delivery, self.now(), "");
        let ending = self.send(&message.task, Origin::Event).await;
        ControlFlow::Continue(self.settle(message, ending).await)
    }

    /// The stages of a finding up to its delivery, rendered.
    async fn admitted(
        &self,
        finding: &Finding,
        throttle: Option<&ThrottleGroup>,
        subject: &mut Subject,
    ) -> StageResult<Delivery> {
        let (sightings, now) = (self.app.ledger.sightings(), self.now());
        let first_seen = sightings.first_seen(self.ledger, finding, now);
        let (admitted, first_seen) = beside(self.admit(finding, throttle, subject), first_seen).await;
        let Admitted { decision, is_first_time } = admitted?;
        // The storm guard has counted what comes again.
        if is_first_time {
            self.guard_finding(finding, &decision).await?;
        }
        let known = first_seen.map(|first_seen| Finding { first_seen: Some(first_seen), ..finding.clone() });
        ControlFlow::Continue(self.render_finding(known.as_ref().unwrap_or(finding), decision).await)
    }

    async fn message_stages(&self, message: QueueMessage, subject: &mut Subject) -> StageResult<DeliveryOutcome> {
        let message = self.await_due(message).await?;
        let is_sum = message.is_sum();
        let (rest, task) = message.split();
        let message = match task {
            Task::Deliver(delivery) => rest.with_task(*delivery),
            Task::RollUp(roll_up) => self.render_roll_up(rest.with_task(roll_up)).await?,
            Task::Digest(digest) => self.render_digest(rest.with_task(digest)).await?,
            Task::Admit(admit) => {
                let throttle = admit.throttle.map(|(hash, seconds)| ThrottleGroup {
                    hash,
                    throttling: Throttling { length: Duration::from_secs(seconds), new_targets: admit.new_targets },
                });
                let message = rest.with_task(self.admitted(&admit.finding, throttle.as_ref(), subject).await?);
                let ending = self.send(&message.task, Origin::Queue).await;
                return ControlFlow::Continue(self.settle(message, ending).await);
            }
        };
        let message = self.claim(message).await?;
        let arrival = self.guard_message(&message, is_sum).await?;
        let ending = self.send(&message.task, Origin::Queue).await;
        let outcome = self.settle(message, ending).await;
        if outcome == DeliveryOutcome::Delivered {
            self.count_arrival(arrival).await;
        }
        ControlFlow::Continue(outcome)
    }
}

/// What one future gives, and what the other has given by then: nothing waits for that one.
async fn beside<A, B>(main: impl Future<Output = A>, beside: impl Future<Output = Option<B>>) -> (A, Option<B>) {
    match select(pin!(main), pin!(beside)).await {
        Either::Left((main, beside)) => (main, beside.now_or_never().flatten()),
        Either::Right((beside, main)) => (main.await, beside),
    }
}

fn either(ended: StageResult<DeliveryOutcome>) -> DeliveryOutcome {
    match ended {
        ControlFlow::Continue(outcome) | ControlFlow::Break(outcome) => outcome,
    }
}
