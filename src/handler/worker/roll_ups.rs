//! Roll-ups of one minute in one message, where the vendor keeps no object for an alert.
//!
//! Each has an order of its own in the queue. The first that comes due claims all that are free, and tells them; each other finds
//! then that it was told. What does not arrive waits as the orders that it came from.

use std::ops::ControlFlow;

use super::channel_worker::ChannelWorker;
use super::hand_over::Trouble;
use super::render::Others;
use crate::alert::{AlertKind, Also, RollUp};
use crate::channel::Verdict;
use crate::deliver::{Ending, Transport};
use crate::handler::outcome::{DeliveryOutcome, StageResult};
use crate::ledger::{ClaimedRollUps, ListedRollUp, RollUpList, Store, StoreError};
use crate::redelivery::{Delivery, Merged, QueueMessage, Queues, RollUpTask};

impl<T: Transport, S: Store, Q: Queues> ChannelWorker<'_, T, S, Q> {
    /// Claims a roll-up that is due, with those of its minute, and renders them. If the ledger does not answer, it goes back to the
    /// queue.
    pub(super) async fn claim_roll_ups(
        &self,
        message: QueueMessage<RollUpTask>,
    ) -> StageResult<QueueMessage<Delivery>> {
        let claimed = match self.try_claim_roll_ups(&message.task).await {
            Ok(claimed) => claimed,
            Err(error) => return ControlFlow::Break(self.postpone_sum(message, &error).await),
        };
        match claimed {
            ControlFlow::Continue(roll_ups) => {
                let delivery = self.render_roll_ups(&roll_ups).await;
                ControlFlow::Continue(message.split().0.with_task(delivery))
            }
            ControlFlow::Break(ClaimedRollUps::Held(until)) => {
                let later = QueueMessage { not_before: until, ..message };
                ControlFlow::Break(self.enqueue(&later).await)
            }
            ControlFlow::Break(ClaimedRollUps::Merged) => ControlFlow::Break(DeliveryOutcome::Merged),
            ControlFlow::Break(ClaimedRollUps::Done | ClaimedRollUps::Ours(_)) => {
                ControlFlow::Break(DeliveryOutcome::Duplicate)
            }
        }
    }

    /// Ends what was tried by the vendor's last verdict. What did not arrive goes back to the queue as the order that it came from, and
    /// not as the message: each of the others has an order of its own there, which would make another message of the same roll-ups,
    /// and all of them would arrive once the vendor is well.
    pub(super) async fn settle_roll_ups(
        &self,
        order: QueueMessage<RollUpTask>,
        message: QueueMessage<Delivery>,
        Ending { verdict, is_attempt }: Ending,
    ) -> DeliveryOutcome {
        let (after, reason, trouble) = match verdict {
            Verdict::Retry { after, reason } => (after, reason, Trouble::Passing),
            Verdict::Refused { reason } => (None, format!("refused: {reason}"), Trouble::ToMend),
            Verdict::Delivered { .. } | Verdict::Rejected { .. } => {
                return self.settle(message, Ending { verdict, is_attempt }).await;
            }
        };
        tracing::warn!(channel = self.channel.name, alert = order.task.alert.as_str(), reason, "not delivered yet");
        let outcome = if is_attempt {
            self.retry(order, after, reason, trouble).await
        } else {
            let alert = order.task.alert.clone();
            self.enqueue(&order.postponed(self.now(), alert.as_str(), reason)).await
        };
        self.release(&message).await;
        outcome
    }

    /// The roll-ups that are ours to tell with this one, the leader first, each with its sum.
    async fn try_claim_roll_ups(
        &self,
        RollUpTask { alert, finding, lead, minute, .. }: &RollUpTask,
    ) -> Result<ControlFlow<ClaimedRollUps, Vec<(ListedRollUp, RollUp)>>, StoreError> {
        let (channel, minute) = (self.channel.name.as_str(), minute.unwrap_or_default());
        let own = ListedRollUp { alert: alert.clone(), finding: (**finding).clone(), lead: lead.clone() };
        let listed = self.ledger.listed_roll_ups(RollUpList { channel, minute }, self.now()).await?;
        let others = listed.into_iter().filter(|listed| listed.alert != *alert);
        let roll_ups: Vec<ListedRollUp> = std::iter::once(own).chain(others).collect();
        let claimed = self.ledger.claim_roll_ups(channel, &roll_ups, self.now(), self.lease()).await?;
        let ClaimedRollUps::Ours(places) = claimed else { return Ok(ControlFlow::Break(claimed)) };
        let mut ours = Vec::with_capacity(places.len());
        for place in places {
            let roll_up = roll_ups[place].clone();
            let sum = self.ledger.roll_up(&roll_up.alert, self.now()).await?;
            ours.push((roll_up, sum));
        }
        Ok(ControlFlow::Continue(ours))
    }

    async fn render_roll_ups(&self, roll_ups: &[(ListedRollUp, RollUp)]) -> Delivery {
        let (leader, sum) = &roll_ups[0];
        let others = Others {
            also: roll_ups[1..].iter().map(|(other, sum)| Also::roll_up(&other.finding, &other.alert, sum)).collect(),
            merged: roll_ups[1..]
                .iter()
                .map(|(other, sum)| Merged {
                    id: other.id(),
                    rule: other.finding.rule.id.clone(),
                    severity: sum.severity.unwrap_or(other.finding.severity),
                    findings: sum.count.max(1),
                })
                .collect(),
        };
        let findings = roll_ups.iter().map(|(_, sum)| sum.count.max(1)).sum();
        let mut delivery = self
            .render((leader.id(), others), &leader.finding, leader.decision(), (AlertKind::RollUp(sum), findings))
            .await;
        roll_ups[1..].iter().for_each(|(_, sum)| delivery.about.targets.merge(&sum.targets));
        delivery
    }
}
