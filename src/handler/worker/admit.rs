//! The first stage: is it ours to send?
//!
//! Several copies of the function may have the same finding at the same time, since EventBridge delivers at least once, and one
//! copy may die at any moment. So the ledger is asked before anything is sent, and its answer is a **claim**: until the lease
//! ends, nobody else sends this. What is *done* is a duplicate. What somebody else has claimed is put into the queue until that
//! claim has ended, for nobody knows whether its claimer still lives. A repeat within a throttle's window is held back, and
//! before the first one is, the roll-up that will tell of it is put into the queue (`OrderedBeforeHeldBack`): a crash in between
//! then costs a roll-up of nothing, and never one that nobody makes.
//!
//! Where the ledger does not answer, or the queue does not take the roll-up, the finding goes out unclaimed.

use std::ops::ControlFlow;

use super::channel_worker::ChannelWorker;
use crate::deliver::Transport;
use crate::finding::Finding;
use crate::handler::classify::ThrottleGroup;
use crate::handler::outcome::{DeliveryOutcome, StageResult};
use crate::handler::subject::Subject;
use crate::ids::{AlertId, ClaimId, GroupId};
use crate::ledger::policy::Throttling;
use crate::ledger::{Admission, Candidate, Claimed, Decision, RollUpOrder, Store, StoreError, policy};
use crate::redelivery::{Delivery, QueueMessage, QueueTask, Queues, RollUpTask};
use crate::time::Timestamp;

/// A finding that goes out on this channel.
pub(super) struct Admitted {
    /// The alert that it belongs to, and whether it opens that alert or repeats it.
    pub(super) decision: Decision,
    /// Whether nobody has tried to send it before.
    pub(super) is_first_time: bool,
}

impl<T: Transport, S: Store, Q: Queues> ChannelWorker<'_, T, S, Q> {
    /// Asks the ledger what becomes of a finding, and claims it if it goes out. The alert that it belongs to is noted in the
    /// `subject`, where the ledger names it.
    pub(super) async fn admit(
        &self,
        finding: &Finding,
        throttle: Option<&ThrottleGroup>,
        subject: &mut Subject,
    ) -> StageResult<Admitted> {
        let group = throttle.map(|throttle| (GroupId::new(&throttle.hash, &self.channel.name), throttle.throttling));
        let group: Option<(&str, Throttling)> = group.as_ref().map(|(group, throttling)| (group.as_str(), *throttling));
        loop {
            let candidate = Candidate { finding, channel: &self.channel.name, group, lease: self.lease() };
            match self.ledger.admit(&candidate, self.now()).await {
                Ok(Admission::Send(decision)) => {
                    subject.alert = Some(decision.alert.clone());
                    return ControlFlow::Continue(Admitted { decision, is_first_time: true });
                }
                Ok(Admission::SendAgain(decision)) => {
                    subject.alert = Some(decision.alert.clone());
                    return ControlFlow::Continue(Admitted { decision, is_first_time: false });
                }
                Ok(Admission::Throttled) => return ControlFlow::Break(DeliveryOutcome::Throttled),
                Ok(Admission::Duplicate) => return ControlFlow::Break(DeliveryOutcome::Duplicate),
                Ok(Admission::Held(decision, until)) => {
                    subject.alert = Some(decision.alert.clone());
                    let delivery = self.render_finding(finding, decision).await;
                    let message = self.new_message(delivery, until, "another copy is sending it");
                    return ControlFlow::Break(self.enqueue(&message).await);
                }
                Ok(Admission::ScheduleRollUp(order)) => {
                    subject.alert = Some(order.alert.clone());
                    if let Err(admitted) = self.order_roll_up(&order).await {
                        return ControlFlow::Continue(admitted);
                    }
                    let group = group.map(|(group, _)| group).unwrap_or_default();
                    if let Err(error) = self.ledger.roll_up_scheduled(group, &order, self.now()).await {
                        return self.unclaimed(finding, throttle, &error).await;
                    }
                }
                Err(error) => return self.unclaimed(finding, throttle, &error).await,
            }
        }
    }

    /// Puts a roll-up into the queue. If the queue does not take it, nobody would ever tell of the repeat: it goes out itself, as
    /// a part of its alert, and unclaimed as where the ledger does not answer.
    async fn order_roll_up(&self, order: &RollUpOrder) -> Result<(), Admitted> {
        let task = RollUpTask { alert: order.alert.clone(), finding: Box::new(order.finding.clone()) };
        let message = self.new_message(task, policy::roll_up_due(order.ends), "a roll-up");
        self.try_enqueue(&message).await.map_err(|error| {
            self.note_refusal(&error, "no roll-up could follow: the repeat goes out");
            let opener = ClaimId::from(&order.finding.id);
            let decision = Decision { alert: order.alert.clone(), opener, is_repeat: true, is_no_worse: true };
            Admitted { decision, is_first_time: false }
        })
    }

    /// Admits a finding without a claim, because the ledger did not answer, unless too many have gone out so in this minute. It
    /// does not count as a first time, so that the storm guard does not ask the ledger once more.
    async fn unclaimed(
        &self,
        finding: &Finding,
        throttle: Option<&ThrottleGroup>,
        error: &StoreError,
    ) -> StageResult<Admitted> {
        self.note_fault(error, "the alert goes out, perhaps twice");
        self.guard_without_ledger(finding, throttle).await?;
        let decision = self.decision_without_ledger(finding);
        ControlFlow::Continue(Admitted { decision, is_first_time: false })
    }

    /// What is decided of a finding where nobody can be asked: it is an alert of its own.
    pub(super) fn decision_without_ledger(&self, finding: &Finding) -> Decision {
        let alert = AlertId::new(&finding.rule.id, &self.channel.name, &finding.id);
        Decision { alert, opener: ClaimId::from(&finding.id), is_repeat: false, is_no_worse: false }
    }

    /// Puts back what has come before its time: SQS hides nothing for longer than a quarter of an hour. What people send through
    /// again is due at once.
    pub(super) async fn await_due(&self, message: QueueMessage) -> StageResult<QueueMessage> {
        let message = message.reset_for_redrive(self.now());
        if message.not_before > self.now() {
            return ControlFlow::Break(self.enqueue(&message).await);
        }
        ControlFlow::Continue(message)
    }

    /// Claims a delivery that was decided before: one that comes back from a queue, or a sum.
    pub(super) async fn claim(&self, message: QueueMessage<Delivery>) -> StageResult<QueueMessage<Delivery>> {
        let Delivery { id, decision, .. } = &message.task;
        match self.ledger.claim(self.key(id), decision, self.now(), self.lease()).await {
            Ok(Claimed::Ours) => {}
            Ok(Claimed::Done) => return ControlFlow::Break(DeliveryOutcome::Duplicate),
            Ok(Claimed::Held(until)) => {
                let later = QueueMessage { not_before: until, ..message };
                return ControlFlow::Break(self.enqueue(&later).await);
            }
            Err(error) => self.note_fault(&error, "it is sent again, perhaps twice"),
        }
        ControlFlow::Continue(message)
    }

    /// A message to this channel that is due at `not_before` for the first time.
    pub(super) fn new_message<W: QueueTask>(&self, task: W, not_before: Timestamp, reason: &str) -> QueueMessage<W> {
        QueueMessage::new(&self.channel.name, task, self.now(), not_before, reason)
    }
}
