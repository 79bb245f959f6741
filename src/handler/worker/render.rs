//! From an alert to a message: rendered once, and frozen.
//!
//! A message is rendered when it is decided that it goes out, and never again: however often it is sent, and however long it
//! waits in a queue, the vendor gets the same bytes, and recognises a repeated request by its key. No credential is in it; those
//! go in at each request.
//!
//! A repeat, and a roll-up, belong to an alert whose first message the channel may know by a **receipt** (Slack's `ts`, a
//! ticket's number). The ledger is asked for it here, and without an answer the message stands alone.
//!
//! The sums are made here as well. One that holds nothing any more is told all the same: something was held back, or was about to
//! be, or else nobody would have ordered it. Where it was told of before, its claim says so.

use std::ops::ControlFlow;

use super::channel_worker::ChannelWorker;
use super::hand_over::Trouble;
use crate::alert::{Alert, AlertKind, Also, IncidentSum, Together};
use crate::deliver::Transport;
use crate::finding::{Finding, FirstSeen};
use crate::handler::outcome::{DeliveryOutcome, StageResult};
use crate::ids::{AlertId, ClaimId};
use crate::ledger::{Decision, Store, StoreError};
use crate::redelivery::{About, Delivery, DigestTask, Merged, QueueMessage, QueueTask, Queues, RollUpTask};

/// A finding that leads a message, with the others of its record that are told in it, and what is decided of each.
#[derive(Debug, Clone, Copy)]
pub(super) struct LeadingFinding<'f> {
    pub(super) finding: &'f Finding,
    pub(super) others: &'f [(&'f Finding, &'f Decision)],
}

impl LeadingFinding<'_> {
    /// The ids of the others.
    pub(super) fn with(&self) -> Vec<ClaimId> {
        self.others.iter().map(|(finding, _)| ClaimId::from(&finding.id)).collect()
    }
}

/// What a message tells of besides what leads it: for its text, and for the ledger.
#[derive(Debug, Default)]
pub(super) struct Others {
    pub(super) also: Vec<Also>,
    pub(super) merged: Vec<Merged>,
}

impl<T: Transport, S: Store, Q: Queues> ChannelWorker<'_, T, S, Q> {
    /// Renders a finding, and what is told with it: the first of its alert, or a repeat that is news. `first_seen`: when a finding of
    /// its pair first came, if the ledger knows.
    pub(super) async fn render_finding(
        &self,
        leading: LeadingFinding<'_>,
        decision: Decision,
        first_seen: Option<FirstSeen>,
    ) -> Delivery {
        let LeadingFinding { finding, others } = leading;
        let kind = match (decision.is_repeat, decision.is_no_worse) {
            (false, _) => AlertKind::First,
            (true, false) => AlertKind::Repeat,
            (true, true) => AlertKind::News,
        };
        let known = first_seen.map(|first_seen| Finding { first_seen: Some(first_seen), ..finding.clone() });
        let others = Others {
            also: others.iter().map(|(finding, decision)| Also::new(finding, &decision.alert)).collect(),
            merged: others.iter().map(|(finding, _)| Merged::from(*finding)).collect(),
        };
        let findings = 1 + others.merged.len() as u64;
        let id = ClaimId::from(&finding.id);
        self.render((id, others), known.as_ref().unwrap_or(finding), decision, (kind, findings)).await
    }

    /// Renders a roll-up that is due. If the ledger does not say what was held back, the roll-up goes back to the queue.
    pub(super) async fn render_roll_up(
        &self,
        message: QueueMessage<RollUpTask>,
    ) -> StageResult<QueueMessage<Delivery>> {
        let sum = match self.ledger.roll_up(&message.task.alert, self.now()).await {
            Ok(sum) => sum,
            Err(error) => return ControlFlow::Break(self.postpone_sum(message, &error).await),
        };
        let (rest, RollUpTask { alert, finding, lead, .. }) = message.split();
        let id = ClaimId::for_roll_up(&alert);
        let decision = Decision { is_repeat: true, lead, ..Decision::opening(alert, ClaimId::from(&finding.id)) };
        let delivery =
            self.render((id, Others::default()), &finding, decision, (AlertKind::RollUp(&sum), sum.count.max(1))).await;
        ControlFlow::Continue(rest.with_task(delivery))
    }

    /// Renders a digest that is due. If the ledger does not say what was held back, the digest goes back to the queue.
    pub(super) async fn render_digest(&self, message: QueueMessage<DigestTask>) -> StageResult<QueueMessage<Delivery>> {
        let (name, minute) = (self.channel.name.as_str(), message.task.minute);
        let sum = match self.ledger.digest_of(name, minute, self.now()).await {
            Ok(sum) => sum,
            Err(error) => return ControlFlow::Break(self.postpone_sum(message, &error).await),
        };
        let (rest, DigestTask { finding, .. }) = message.split();
        let id = ClaimId::for_digest(name, minute);
        let decision = Decision::opening(AlertId::from(id.clone()), id.clone());
        // It counts for nothing in another digest, which may therefore not swallow it.
        let delivery = self.render((id, Others::default()), &finding, decision, (AlertKind::Digest(&sum), 0)).await;
        ControlFlow::Continue(rest.with_task(delivery))
    }

    pub(super) async fn postpone_sum<W: QueueTask>(
        &self,
        message: QueueMessage<W>,
        error: &StoreError,
    ) -> DeliveryOutcome {
        self.note_fault(error, "a sum has to wait");
        self.retry(message, None, "the ledger does not answer".to_owned(), Trouble::Passing).await
    }

    /// Renders an alert, which tells of so many `findings`.
    pub(super) async fn render(
        &self,
        (id, others): (ClaimId, Others),
        finding: &Finding,
        decision: Decision,
        (kind, findings): (AlertKind<'_>, u64),
    ) -> Delivery {
        let receipt = if decision.is_repeat { self.receipt(&decision.shown_in().opener).await } else { None };
        let lead = decision.lead.as_ref().map(|lead| &lead.alert);
        let (raised, silence) = (decision.raised, decision.silence.as_ref());
        let together = Together { also: &others.also, lead, raised, silence };
        let alert = Alert { finding, id: &decision.alert, kind, receipt: receipt.as_deref(), together };
        let body = self.channel.channel.render(&alert);
        let mut about = About::from(finding);
        if let AlertKind::RollUp(sum) | AlertKind::Update(IncidentSum { all: sum, .. }) = kind {
            about.targets.merge(&sum.targets);
        }
        let step = if let AlertKind::Update(sum) = kind { Some(sum.step) } else { None };
        // What is rendered for a channel that is gone has no type: nothing of that name can send it.
        let channel_type = (!self.is_gone).then(|| self.channel.channel.kind().to_owned());
        Delivery { id, decision, about, findings, merged: others.merged, step, channel_type, body }
    }

    /// What the vendor calls the first message of the alert that this claim opened.
    async fn receipt(&self, opener: &ClaimId) -> Option<String> {
        match self.ledger.receipt(self.key(opener), self.now()).await {
            Ok(receipt) => receipt,
            Err(error) => {
                self.note_fault(&error, "a repeat is not threaded");
                None
            }
        }
    }
}
