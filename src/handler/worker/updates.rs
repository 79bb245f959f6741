//! The updates of an incident: each lists everything so far, and one that has nothing new to say is not sent.

use std::ops::ControlFlow;

use super::channel_worker::ChannelWorker;
use super::render::Others;
use crate::alert::AlertKind;
use crate::deliver::Transport;
use crate::finding::Finding;
use crate::handler::outcome::{DeliveryOutcome, StageResult};
use crate::ids::AlertId;
use crate::ledger::incident::UpdateOrders;
use crate::ledger::{ClaimedUpdate, IncidentUpdate, Store};
use crate::redelivery::{Delivery, QueueError, QueueMessage, Queues, UpdateTask};
use crate::time::Timestamp;

impl<T: Transport, S: Store, Q: Queues> ChannelWorker<'_, T, S, Q> {
    /// Puts updates of an incident, which ends then, into the queue.
    ///
    /// # Errors
    /// That one was not taken, and why: what it was to tell goes out itself.
    pub(super) async fn order_updates(
        &self,
        alert: &AlertId,
        opener: &Finding,
        (ends, orders): (Timestamp, &UpdateOrders),
    ) -> Result<(), QueueError> {
        for due in &orders.due {
            let finding = Box::new(opener.clone());
            let task = UpdateTask { alert: alert.clone(), finding, step: due.millis(), has_ended: *due > ends };
            self.try_enqueue(&self.new_message(task, *due, "an update of an incident")).await?;
        }
        Ok(())
    }

    /// Claims an update that is due, and renders it. If the ledger does not answer, it goes back to the queue.
    pub(super) async fn claim_update(&self, message: QueueMessage<UpdateTask>) -> StageResult<QueueMessage<Delivery>> {
        let UpdateTask { alert, finding, step, has_ended } = &message.task;
        let (step, has_ended) = (*step, *has_ended);
        let update = IncidentUpdate { channel: &self.channel.name, alert, opener: finding, step, has_ended };
        match self.ledger.claim_update(&update, self.now(), self.lease()).await {
            Ok(ClaimedUpdate::Ours(sum, decision)) => {
                // Whoever counts the findings of a digest has counted those of other updates before.
                // A claim of an older version does not say how many are new: then all of them count, rather than too few.
                let news = sum.news.unwrap_or(sum.all.count).max(1);
                let (id, kind) = (update.id(), AlertKind::Update(&sum));
                let delivery = self.render((id, Others::default()), finding, decision, (kind, news)).await;
                ControlFlow::Continue(message.split().0.with_task(delivery))
            }
            Ok(ClaimedUpdate::NothingNew) => ControlFlow::Break(DeliveryOutcome::Merged),
            Ok(ClaimedUpdate::Done) => ControlFlow::Break(DeliveryOutcome::Duplicate),
            Ok(ClaimedUpdate::Held(until)) => {
                let later = QueueMessage { not_before: until, ..message };
                ControlFlow::Break(self.enqueue(&later).await)
            }
            Err(error) => ControlFlow::Break(self.postpone_sum(message, &error).await),
        }
    }
}
