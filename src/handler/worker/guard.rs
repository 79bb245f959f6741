//! The storm guard: more alerts in one minute than people can read become one digest.
//!
//! Each channel has a number of alerts of one severity that it takes in a minute. What goes beyond that is not sent, but counted
//! for the **digest** of the minute, which is put into the queue before the first alert is left to it (`OrderedBeforeHeldBack`).
//! A worse alert has a count of its own, and is not drowned by lesser ones.
//!
//! What comes from the queue passes the guard too: an hour in which a vendor is down ends in one minute, and roll-ups are as many
//! as there are groups. Those are counted only once they have arrived, since a vendor that is down reads nothing. A digest
//! always goes out, and so does what people send through again.
//!
//! Without a queue no digest could follow, and everything goes out. With a ledger that does not answer no digest could be counted:
//! then each copy of the function counts for itself, and what is one too many is handed to the queue as it is, to come again a
//! minute or two later. Nothing is held back, and people can read what arrives.

use std::ops::ControlFlow;
use std::time::Duration;

use super::channel_worker::ChannelWorker;
use super::incoming::Incoming;
use super::render::LeadingFinding;
use crate::alert::AlertDigest;
use crate::deliver::Transport;
use crate::finding::Finding;
use crate::handler::outcome::{DeliveryOutcome, StageResult};
use crate::ids::{ClaimId, spread};
use crate::ledger::policy::{self, GuardVerdict};
use crate::ledger::{Decision, DeliveryKey, DigestAdmission, Store, StoreError};
use crate::redelivery::{Delivery, DigestTask, QueueError, QueueMessage, Queues};
use crate::severity::Severity;
use crate::time::Timestamp;

/// Whether a message from the queue is counted once it has arrived.
#[derive(Debug, Clone, Copy)]
pub(super) enum ArrivalCount {
    /// It is counted, as an alert of this severity.
    Counted(Severity),
    /// It is not counted: the guard does not judge it.
    Exempt,
}

const MINUTE: Duration = Duration::from_mins(1);
/// What the log says where the ledger does not answer, and everything passes the guard.
const BLIND: &str = "the storm guard is blind: the alert goes out";

impl<T: Transport, S: Store, Q: Queues> ChannelWorker<'_, T, S, Q> {
    /// Counts a finding that is about to go out for the first time, and leaves it to the digest if it is one too many.
    pub(super) async fn guard_finding(&self, leading: LeadingFinding<'_>, decision: &Decision) -> StageResult<()> {
        let LeadingFinding { finding, others } = leading;
        if !self.app.queues.has_redelivery() {
            return ControlFlow::Continue(());
        }
        let (name, most) = (&self.channel.name, self.channel.max_per_minute);
        let verdict = self.ledger.guard_alert(name, finding.severity, most, self.now()).await;
        if !self.is_one_too_many(verdict) {
            return ControlFlow::Continue(());
        }
        let mut one = AlertDigest::default();
        one.add(finding);
        others.iter().for_each(|(other, _)| one.add(other));
        self.leave_to_digest(finding, self.key(&ClaimId::from(&finding.id)).with(&leading.with()), decision, &one).await
    }

    /// Hands the findings of a record to the queue as they are, where the ledger does not answer and this copy has let as many
    /// messages out in this minute as people can read, of the severity of the one that leads. They are judged anew when they come
    /// again. If the queue does not take them, they go on to the next stage.
    pub(super) async fn guard_without_ledger(&self, call: &[Incoming<'_>], leader: usize) -> StageResult<()> {
        let finding = call[leader].finding;
        let (name, most) = (&self.channel.name, self.channel.max_per_minute);
        let minute = policy::minute_of(self.now());
        if !self.app.queues.has_redelivery() || self.app.health.lets_out(name, finding.severity, minute, most) {
            return ControlFlow::Continue(());
        }
        // Not all at once: what is still too many then has to wait again.
        let wait = MINUTE.mul_f64(1.0 + spread(finding.id.as_str(), 0));
        match self.queue_unjudged(call, self.now().plus(wait)).await {
            Ok(()) => ControlFlow::Break(DeliveryOutcome::Queued),
            Err(error) => {
                self.note_refusal(&error, "the alert goes out");
                ControlFlow::Continue(())
            }
        }
    }

    async fn queue_unjudged(&self, call: &[Incoming<'_>], not_before: Timestamp) -> Result<(), QueueError> {
        for task in Incoming::tasks(call)? {
            let reason = "too many in a minute, and the ledger does not answer";
            self.try_enqueue(&self.new_message(task, not_before, reason)).await?;
        }
        Ok(())
    }

    /// Leaves what comes from the queue to the digest if there are too many already.
    pub(super) async fn guard_message(
        &self,
        message: &QueueMessage<Delivery>,
        is_sum: bool,
    ) -> StageResult<ArrivalCount> {
        let delivery = &message.task;
        let severity = delivery.about.severity;
        // What has no attempt behind it is a sum, or was sent through again by people, or waited for another copy's claim.
        let is_guarded =
            delivery.may_be_digested() && (is_sum || message.attempts > 0) && self.app.queues.has_redelivery();
        if !is_guarded {
            return ControlFlow::Continue(ArrivalCount::Exempt);
        }
        let (name, most) = (&self.channel.name, self.channel.max_per_minute);
        let verdict = self.ledger.guard_queued(name, severity, most, self.now()).await;
        if self.is_one_too_many(verdict) {
            let finding = delivery.to_finding(self.app.rules.digest().clone());
            let with = delivery.with();
            let key = self.key(&delivery.id).with(&with);
            self.leave_to_digest(&finding, key, &delivery.decision, &delivery.to_digest()).await?;
        }
        ControlFlow::Continue(ArrivalCount::Counted(severity))
    }

    /// Counts what came from the queue, now that it has arrived.
    pub(super) async fn count_arrival(&self, arrival: ArrivalCount) {
        let ArrivalCount::Counted(severity) = arrival else { return };
        if let Err(error) = self.ledger.count_alert(&self.channel.name, severity, self.now()).await {
            self.note_fault(&error, "the storm guard counts one too few");
        }
    }

    fn is_one_too_many(&self, verdict: Result<GuardVerdict, StoreError>) -> bool {
        match verdict {
            Ok(verdict) => verdict == GuardVerdict::Digests,
            Err(error) => {
                self.note_fault(&error, BLIND);
                false
            }
        }
    }

    /// Leaves a delivery to the digest of this minute, for which it counts as `one`. If the digest cannot be ordered or
    /// counted, the delivery goes on to the next stage.
    async fn leave_to_digest(
        &self,
        finding: &Finding,
        delivery: DeliveryKey<'_>,
        decision: &Decision,
        one: &AlertDigest,
    ) -> StageResult<()> {
        let ledger = &self.ledger;
        let minute = policy::minute_of(self.now());
        loop {
            match ledger.digest(delivery, minute, decision, one, self.now()).await {
                Ok(DigestAdmission::Digested) => return ControlFlow::Break(DeliveryOutcome::Digested),
                Ok(DigestAdmission::ScheduleDigest) => {
                    let task = DigestTask { minute, finding: Box::new(finding.brief()) };
                    let message = self.new_message(task, policy::digest_due(minute), "a digest");
                    if let Err(error) = self.try_enqueue(&message).await {
                        self.note_refusal(&error, BLIND);
                        return ControlFlow::Continue(());
                    }
                    if let Err(error) = ledger.digest_scheduled(&self.channel.name, minute, self.now()).await {
                        self.note_fault(&error, BLIND);
                        return ControlFlow::Continue(());
                    }
                }
                Err(error) => {
                    self.note_fault(&error, BLIND);
                    return ControlFlow::Continue(());
                }
            }
        }
    }
}
