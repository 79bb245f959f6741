//! After the sending: the ledger learns how it went.
//!
//! What arrived is noted as done, with the vendor's receipt, and from then on is a duplicate wherever it comes again. Between the
//! vendor's answer and that note lies the one moment in which a crash sends an alert twice; the other order would lose alerts
//! instead. What did not arrive is handed over to a queue first, and then its claim is given back, so that the next copy that
//! has it need not wait for the lease's end. [`hand_over`](super::hand_over) has the queues.

use super::channel_worker::ChannelWorker;
use super::hand_over::Trouble;
use crate::channel::Verdict;
use crate::deliver::{Ending, Transport};
use crate::handler::outcome::DeliveryOutcome;
use crate::ledger::Store;
use crate::redelivery::{Delivery, QueueMessage, QueueTask, Queues, TaskRef};

impl<T: Transport, S: Store, Q: Queues> ChannelWorker<'_, T, S, Q> {
    /// Ends a delivery by the vendor's last verdict.
    pub(super) async fn settle(&self, message: QueueMessage<Delivery>, ending: Ending) -> DeliveryOutcome {
        let Delivery { id, decision, about, .. } = &message.task;
        let with = message.task.with();
        let (channel, rule, finding) = (self.channel.name.as_str(), about.rule.as_str(), id.as_str());
        let Ending { verdict, is_attempt } = ending;
        match verdict {
            Verdict::Delivered { receipt } => {
                if let Err(error) = self.ledger.delivered(self.key(id).with(&with), decision, receipt, self.now()).await
                {
                    self.note_fault(&error, "what was delivered may be delivered again");
                }
                DeliveryOutcome::Delivered
            }
            Verdict::Retry { reason, .. } if !is_attempt => {
                tracing::warn!(channel, rule, finding, reason, "not tried yet");
                self.postpone(message, reason).await
            }
            Verdict::Retry { after, reason } => {
                tracing::warn!(channel, rule, finding, reason, "not delivered yet");
                self.retry(message, after, reason, Trouble::Passing).await
            }
            Verdict::Refused { reason } => {
                tracing::error!(channel, rule, finding, reason, "refused: somebody must mend it");
                self.retry(message, None, format!("refused: {reason}"), Trouble::ToMend).await
            }
            Verdict::Rejected { reason } => {
                let message = QueueMessage { attempts: message.attempts.saturating_add(1), ..message };
                self.dead_letter(message, format!("rejected: {reason}")).await
            }
        }
    }

    /// Gives the claim of a delivery back. A message that orders a sum has no claim.
    pub(super) async fn release<W: QueueTask>(&self, message: &QueueMessage<W>) {
        let TaskRef::Deliver(delivery) = message.task.task() else { return };
        let (with, Delivery { id, decision, .. }) = (delivery.with(), delivery);
        if let Err(error) = self.ledger.release(self.key(id).with(&with), decision, self.now()).await {
            self.note_fault(&error, "the claim ends with its lease");
        }
    }
}
