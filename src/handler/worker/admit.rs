//! The first stage: is it ours to send?
//!
//! Several copies of the function may have the same finding at the same time, since EventBridge delivers at least once, and one
//! copy may die at any moment. So the ledger is asked before anything is sent, and its answer is a **claim**: until the lease
//! ends, nobody else sends this. What is *done* is a duplicate. What somebody else has claimed is put into the queue until that
//! claim has ended, for nobody knows whether its claimer still lives. A repeat within a throttle's window is held back, and
//! before the first one is, the roll-up that will tell of it is put into the queue (`OrderedBeforeHeldBack`): a crash in between
//! then costs a roll-up of nothing, and never one that nobody makes.
//!
//! The findings of one record are asked for together: if one of them goes out, the others are told in its message.
//!
//! Where the ledger does not answer, or the queue does not take a roll-up, they go out unclaimed, as one message.

use std::ops::ControlFlow;

use super::channel_worker::ChannelWorker;
use super::incoming::Incoming;
use crate::deliver::Transport;
use crate::finding::Finding;
use crate::handler::outcome::{DeliveryOutcome, StageResult};
use crate::handler::subject::Subject;
use crate::ids::{AlertId, ClaimId, GroupId};
use crate::ledger::policy::Going;
use crate::ledger::{Admission, Candidate, Claimed, Decision, RollUpList, RollUpOrder, Store, StoreError, policy};
use crate::redelivery::{Delivery, QueueMessage, Queues, RollUpTask};
use crate::time::Timestamp;

/// What becomes of a finding on this channel.
#[derive(Debug, Clone)]
pub(super) enum Verdict {
    /// It leads a message that is ours to send.
    Leads(Admitted),
    /// It leads a message that another copy is sending, which will have ended by this time.
    Held(Decision, Timestamp),
    /// It is told in the message of the one at this place.
    Merged(usize, Decision),
    /// It goes no further.
    Ended(DeliveryOutcome),
}

/// A finding that goes out on this channel.
#[derive(Debug, Clone)]
pub(super) struct Admitted {
    /// The alert that it belongs to, and whether it opens that alert or repeats it.
    pub(super) decision: Decision,
    /// Whether nobody has tried to send it before.
    pub(super) is_first_time: bool,
}

impl<T: Transport, S: Store, Q: Queues> ChannelWorker<'_, T, S, Q> {
    /// Asks the ledger what becomes of the findings of a record, and claims what goes out. The alert that each belongs to is noted
    /// in its subject, where the ledger names it.
    pub(super) async fn admit(&self, call: &[Incoming<'_>], subjects: &mut [Subject]) -> Vec<Verdict> {
        let groups: Vec<Option<GroupId>> = call
            .iter()
            .map(|incoming| incoming.group.map(|group| GroupId::new(&group.hash, &self.channel.name)))
            .collect();
        loop {
            let (channel, lease) = (self.channel.name.as_str(), self.lease());
            let candidates: Vec<Candidate<'_>> = call
                .iter()
                .zip(&groups)
                .map(|(Incoming { finding, group }, id)| {
                    let group = id.as_ref().zip(*group).map(|(id, group)| (id.as_str(), group.holding));
                    let may_be_silenced = self.may_be_silenced(finding);
                    Candidate { finding, channel, group, may_be_silenced, lease }
                })
                .collect();
            let admitted = self.ledger.admit_with(&candidates, self.app.ledger.remembered(), self.now()).await;
            let admissions = match admitted {
                Ok(admissions) => admissions,
                Err(error) => return self.unclaimed(call, &error).await,
            };
            let orders: Vec<(usize, &RollUpOrder)> = admissions
                .iter()
                .enumerate()
                .filter_map(|(place, admission)| match admission {
                    Admission::ScheduleRollUp(order) => Some((place, &**order)),
                    _ => None,
                })
                .collect();
            if orders.is_empty() {
                return admissions
                    .into_iter()
                    .zip(subjects)
                    .map(|(admission, subject)| verdict(admission, subject))
                    .collect();
            }
            for (place, order) in orders {
                subjects[place].alert = Some(order.alert.clone());
                if let Err(admitted) = self.order_roll_up(order).await {
                    return in_one_message(call, place, admitted, |finding| self.decision_without_ledger(finding));
                }
                if let Some(silence) = &order.silence {
                    if let Err(error) = self.ledger.silence_ordered(&silence.id, channel, self.now()).await {
                        return self.unclaimed(call, &error).await;
                    }
                    continue;
                }
                let group = groups[place].as_ref().map(GroupId::as_str).unwrap_or_default();
                let list = self.roll_up_due(order.ends).1.filter(|_| order.updates.is_none());
                let list = list.map(|minute| RollUpList { channel, minute });
                if let Err(error) = self.ledger.roll_up_scheduled(group, order, list, self.now()).await {
                    return self.unclaimed(call, &error).await;
                }
            }
        }
    }

    /// When the roll-up of a window that ends then is due; and in which minute's list it is, if those are told together.
    fn roll_up_due(&self, ends: Timestamp) -> (Timestamp, Option<u64>) {
        let due = policy::roll_up_due(ends);
        if !self.channel.channel.tells_roll_ups_together() {
            return (due, None);
        }
        let due = policy::roll_ups_due(due);
        (due, Some(policy::minute_of(due)))
    }

    /// Puts a roll-up into the queue. If the queue does not take it, nobody would ever tell of the repeat: it goes out itself, as
    /// a part of its alert, and unclaimed as where the ledger does not answer.
    async fn order_roll_up(&self, order: &RollUpOrder) -> Result<(), Admitted> {
        let RollUpOrder { alert, ends, finding, lead, updates, silence } = order.clone();
        let opener = ClaimId::from(&finding.id);
        let finding = Box::new(finding);
        let taken = if let Some(silence) = silence {
            self.order_roll_up_of_silence(RollUpTask {
                alert: alert.clone(),
                finding,
                lead: lead.clone(),
                minute: None,
                silence: Some(silence),
            })
            .await
        } else if let Some(updates) = updates {
            self.order_updates(&alert, &finding, (ends, &updates)).await
        } else {
            let (due, minute) = self.roll_up_due(ends);
            let task = RollUpTask { alert: alert.clone(), finding, lead: lead.clone(), minute, silence: None };
            self.try_enqueue(&self.new_message(task, due, "a roll-up")).await
        };
        taken.map_err(|error| {
            self.note_refusal(&error, "no roll-up could follow: the repeat goes out");
            let decision = Decision { is_repeat: true, is_no_worse: true, lead, ..Decision::opening(alert, opener) };
            Admitted { decision, is_first_time: false }
        })
    }

    /// Admits the findings of a record without a claim, as one message, because the ledger did not answer, unless too many have
    /// gone out so in this minute. It does not count as a first time, so that the storm guard does not ask the ledger once more.
    async fn unclaimed(&self, call: &[Incoming<'_>], error: &StoreError) -> Vec<Verdict> {
        self.note_fault(error, "the alert goes out, perhaps twice");
        let leader = policy::leader(call.iter().map(|incoming| (incoming.finding.severity, Going::AsFirst)));
        let leader = leader.unwrap_or_default();
        if let ControlFlow::Break(outcome) = self.guard_without_ledger(call, leader).await {
            return vec![Verdict::Ended(outcome); call.len()];
        }
        let decision = self.decision_without_ledger(call[leader].finding);
        let admitted = Admitted { decision, is_first_time: false };
        in_one_message(call, leader, admitted, |finding| self.decision_without_ledger(finding))
    }

    /// What is decided of a finding where nobody can be asked: it is an alert of its own.
    pub(super) fn decision_without_ledger(&self, finding: &Finding) -> Decision {
        Decision::opening(AlertId::new(&finding.rule.id, &self.channel.name, &finding.id), ClaimId::from(&finding.id))
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
        let delivery = &message.task;
        let with = delivery.with();
        let key = self.key(&delivery.id).with(&with);
        match self.ledger.claim(key, &delivery.decision, self.now(), self.lease()).await {
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
    pub(super) fn new_message<W>(&self, task: W, not_before: Timestamp, reason: &str) -> QueueMessage<W> {
        QueueMessage::new(&self.channel.name, task, self.now(), not_before, reason)
    }
}

fn verdict(admission: Admission, subject: &mut Subject) -> Verdict {
    let mut note = |decision: &Decision| subject.alert = Some(decision.alert.clone());
    match admission {
        Admission::Send(decision) => {
            note(&decision);
            Verdict::Leads(Admitted { decision, is_first_time: true })
        }
        Admission::SendAgain(decision) => {
            note(&decision);
            Verdict::Leads(Admitted { decision, is_first_time: false })
        }
        Admission::Held(decision, until) => {
            note(&decision);
            Verdict::Held(decision, until)
        }
        Admission::Merged(leader, decision) => {
            note(&decision);
            Verdict::Merged(leader, decision)
        }
        // Nobody has this answer where nothing is left to be ordered.
        Admission::Throttled | Admission::ScheduleRollUp(_) => Verdict::Ended(DeliveryOutcome::Throttled),
        Admission::Silenced => Verdict::Ended(DeliveryOutcome::Silenced),
        Admission::Duplicate => Verdict::Ended(DeliveryOutcome::Duplicate),
    }
}

/// All findings of a record in the message of the one at this place.
fn in_one_message(
    call: &[Incoming<'_>],
    leader: usize,
    admitted: Admitted,
    decide: impl Fn(&Finding) -> Decision,
) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> =
        call.iter().map(|incoming| Verdict::Merged(leader, decide(incoming.finding))).collect();
    verdicts[leader] = Verdict::Leads(admitted);
    verdicts
}
