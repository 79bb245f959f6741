//! The two roads of a delivery, stage by stage: that of the findings of a record, and that of a message from the queue.
//!
//! A stage returns a `StageResult`. It either hands on what the next stage needs, or ends the delivery with its outcome: `?`
//! then leaves the road, and the outcome is what the worker counts.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::pin;

use super::admit::{Admitted, Verdict};
use super::beside::Beside;
use super::channel_worker::ChannelWorker;
use super::incoming::{Incoming, Origin};
use super::render::LeadingFinding;
use crate::deliver::Transport;
use crate::finding::{Finding, FirstSeen};
use crate::handler::classify::FindingGroup;
use crate::handler::outcome::{DeliveryOutcome, StageResult};
use crate::handler::subject::Subject;
use crate::ledger::policy::Holding;
use crate::ledger::{Decision, Store};
use crate::redelivery::{AdmitTask, Delivery, QueueMessage, Queues, RollUpTask, Task};

impl<T: Transport, S: Store, Q: Queues> ChannelWorker<'_, T, S, Q> {
    /// Delivers the findings of a record, unless they are duplicates, or are held back; and notes the alert of each in its subject
    /// as soon as it has one. How each has ended, in their order.
    pub(super) async fn deliver_call(
        &self,
        call: &[Incoming<'_>],
        subjects: &mut [Subject],
        origin: Origin,
    ) -> Vec<DeliveryOutcome> {
        self.call_stages(call, subjects, (origin, &self.new_message((), self.now(), ""))).await
    }

    /// Delivers what comes back from a queue; and notes the alerts in the `subjects`. How each of them has ended.
    pub(super) async fn deliver_message(
        &self,
        message: QueueMessage,
        subjects: &mut [Subject],
    ) -> Vec<DeliveryOutcome> {
        let ended = match self.await_due(message).await {
            ControlFlow::Continue(message) => {
                let is_sum = message.is_sum();
                let (rest, task) = message.split();
                match task {
                    Task::Admit(admit) => return self.deliver_handed_over(rest, *admit, subjects).await,
                    Task::Deliver(delivery) => self.message_stages(rest.with_task(*delivery), is_sum).await,
                    Task::RollUp(task) if task.minute.is_some() => self.roll_up_stages(rest.with_task(task)).await,
                    Task::RollUp(task) => self.lone_roll_up_stages(rest.with_task(task)).await,
                    Task::Update(task) => match self.claim_update(rest.with_task(task)).await {
                        ControlFlow::Continue(message) => self.claimed_stages(message, is_sum, None).await,
                        ControlFlow::Break(outcome) => ControlFlow::Break(outcome),
                    },
                    Task::Digest(task) => match self.render_digest(rest.with_task(task)).await {
                        ControlFlow::Continue(message) => self.message_stages(message, is_sum).await,
                        ControlFlow::Break(outcome) => ControlFlow::Break(outcome),
                    },
                }
            }
            ControlFlow::Break(outcome) => ControlFlow::Break(outcome),
        };
        vec![either(ended); subjects.len()]
    }

    /// Judges and delivers findings that no invocation had come to.
    async fn deliver_handed_over(
        &self,
        rest: QueueMessage<()>,
        admit: AdmitTask,
        subjects: &mut [Subject],
    ) -> Vec<DeliveryOutcome> {
        let findings: Vec<(Finding, Option<FindingGroup>)> = admit.into_findings().into_iter().map(of_order).collect();
        let call: Vec<Incoming<'_>> =
            findings.iter().map(|(finding, group)| Incoming { finding, group: group.as_ref() }).collect();
        self.call_stages(&call, subjects, (Origin::Queue, &rest)).await
    }

    async fn call_stages(
        &self,
        call: &[Incoming<'_>],
        subjects: &mut [Subject],
        (origin, rest): (Origin, &QueueMessage<()>),
    ) -> Vec<DeliveryOutcome> {
        let Some(Incoming { finding, .. }) = call.first() else { return Vec::new() };
        // The findings of a record are of one pair.
        let first_seen = pin!(self.first_seen(finding));
        let mut first_seen = Beside::new(first_seen);
        let verdicts = first_seen.with(self.admit(call, subjects)).await;
        let mut outcomes = Vec::with_capacity(call.len());
        for (place, verdict) in verdicts.iter().enumerate() {
            let others = verdicts.iter().zip(call).filter_map(|(verdict, other)| match verdict {
                Verdict::Merged(leader, decision) if *leader == place => Some((other.finding, decision)),
                _ => None,
            });
            let others: Vec<(&Finding, &Decision)> = others.collect();
            let leading = LeadingFinding { finding: call[place].finding, others: &others };
            outcomes.push(match verdict {
                Verdict::Ended(outcome) => *outcome,
                Verdict::Merged(..) => DeliveryOutcome::Merged,
                Verdict::Held(decision, until) => {
                    let delivery = self.render_finding(leading, decision.clone(), first_seen.answer().await).await;
                    self.enqueue(&self.new_message(delivery, *until, "another copy is sending it")).await
                }
                Verdict::Leads(admitted) => {
                    either(self.finding_stages(leading, admitted, &mut first_seen, (origin, rest)).await)
                }
            });
        }
        // What is held back is of the pair, too.
        let _first_seen = first_seen.answer().await;
        outcomes
    }

    /// When a finding of its pair first came, asked over the connection on which silences were read just now: one of its own would
    /// take a process that has just started 2.9 million instructions, and nobody waits for the answer before the message is rendered.
    async fn first_seen(&self, finding: &Finding) -> Option<FirstSeen> {
        self.app.ledger.silences().read().await;
        self.app.ledger.sightings().first_seen(self.ledger, finding, self.now()).await
    }

    /// The stages of a finding that leads a message, from when it is ours to send.
    async fn finding_stages(
        &self,
        leading: LeadingFinding<'_>,
        Admitted { decision, is_first_time }: &Admitted,
        first_seen: &mut Beside<impl Future<Output = Option<FirstSeen>> + Unpin, FirstSeen>,
        (origin, rest): (Origin, &QueueMessage<()>),
    ) -> StageResult<DeliveryOutcome> {
        // The storm guard has counted what comes again.
        if *is_first_time {
            first_seen.with(self.guard_finding(leading, decision)).await?;
        }
        let delivery = self.render_finding(leading, decision.clone(), first_seen.answer().await).await;
        let message = rest.clone().with_task(delivery);
        let ending = self.send(&message.task, origin).await;
        ControlFlow::Continue(self.settle(message, ending).await)
    }

    /// The stages of a roll-up that is told together with those of its minute.
    async fn roll_up_stages(&self, order: QueueMessage<RollUpTask>) -> StageResult<DeliveryOutcome> {
        let message = self.claim_roll_ups(order.clone()).await?;
        self.claimed_stages(message, true, Some(order)).await
    }

    /// The stages of a roll-up that is told by itself.
    async fn lone_roll_up_stages(&self, message: QueueMessage<RollUpTask>) -> StageResult<DeliveryOutcome> {
        let message = self.await_end_of_silence(message).await?;
        let message = self.render_roll_up(message).await?;
        self.message_stages(message, true).await
    }

    async fn message_stages(&self, message: QueueMessage<Delivery>, is_sum: bool) -> StageResult<DeliveryOutcome> {
        let message = self.claim(message).await?;
        self.claimed_stages(message, is_sum, None).await
    }

    /// The stages of a message that is ours to send. `order`: what goes back to the queue in its place, if it does not arrive.
    async fn claimed_stages(
        &self,
        message: QueueMessage<Delivery>,
        is_sum: bool,
        order: Option<QueueMessage<RollUpTask>>,
    ) -> StageResult<DeliveryOutcome> {
        let arrival = self.guard_message(&message, is_sum).await?;
        let ending = self.send(&message.task, Origin::Queue).await;
        let outcome = match order {
            Some(order) => self.settle_roll_ups(order, message, ending).await,
            None => self.settle(message, ending).await,
        };
        if outcome == DeliveryOutcome::Delivered {
            self.count_arrival(arrival).await;
        }
        ControlFlow::Continue(outcome)
    }
}

/// A finding that came by itself from a queue, with the group that it is held back in.
fn of_order((finding, group): (Finding, Option<(String, Holding)>)) -> (Finding, Option<FindingGroup>) {
    (finding, group.map(|(hash, holding)| FindingGroup { hash, holding }))
}

fn either(ended: StageResult<DeliveryOutcome>) -> DeliveryOutcome {
    match ended {
        ControlFlow::Continue(outcome) | ControlFlow::Break(outcome) => outcome,
    }
}
