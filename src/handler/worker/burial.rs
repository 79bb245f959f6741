//! What waits for a channel that `rules.json` no longer has.
//!
//! Nobody can send it: it goes to the dead letters, from where people send it through again under the channel's new name, and
//! people are told on the topic. The order of a sum is worth nothing without the ledger's items, which do not live for ever. So
//! the sum is made first, as the deployment's own topic would tell it, and the dead letter holds its text.

use std::ops::ControlFlow;

use super::channel_worker::{ChannelTally, ChannelWorker, ReceivedMessage};
use super::operators::own_topic;
use super::render::LeadingFinding;
use crate::channel::ConfiguredChannel;
use crate::deliver::Transport;
use crate::finding::Finding;
use crate::handler::outcome::{DeliveryOutcome, DeliverySource, StageResult};
use crate::handler::subject::Subject;
use crate::ledger::{Decision, Store};
use crate::redelivery::{QueueMessage, Queues, Task};

/// Why a message is given up whose channel is gone.
const GONE: &str = "rules.json has no channel of this name any more";

/// What stands in the place of a channel that is gone: its name, and the own topic's way to tell things.
pub(in crate::handler) fn gone_channel(name: &str) -> ConfiguredChannel {
    ConfiguredChannel { name: name.to_owned(), ..own_topic() }
}

impl<T: Transport, S: Store, Q: Queues> ChannelWorker<'_, T, S, Q> {
    /// Gives up what waits for the channel, which is gone.
    pub(in crate::handler) async fn bury(mut self, messages: Vec<ReceivedMessage>) -> ChannelTally {
        self.is_gone = true;
        let mut tally = ChannelTally::default();
        for ReceivedMessage { message, message_id } in messages {
            let (source, subjects) = (DeliverySource::of_message(&message), Subject::of_message(&message));
            let (ControlFlow::Continue(outcome) | ControlFlow::Break(outcome)) = self.burial_stages(message).await;
            for (place, subject) in subjects.iter().enumerate() {
                let outcome = if place == 0 { outcome } else { DeliveryOutcome::Merged };
                self.end(&mut tally, subject, source, outcome, message_id.as_ref());
            }
        }
        self.add_counts(&mut tally);
        tally
    }

    async fn burial_stages(&self, message: QueueMessage) -> StageResult<DeliveryOutcome> {
        // A sum that is not due may still grow.
        let message = if message.is_sum() { self.await_due(message).await? } else { message };
        let (rest, task) = message.split();
        let message = match task {
            Task::Deliver(delivery) => rest.with_task(*delivery),
            Task::RollUp(roll_up) => self.render_roll_up(rest.with_task(roll_up)).await?,
            Task::Update(update) => self.claim_update(rest.with_task(update)).await?,
            Task::Digest(digest) => self.render_digest(rest.with_task(digest)).await?,
            Task::Admit(admit) => {
                let findings = admit.into_findings();
                let decisions: Vec<Decision> =
                    findings.iter().map(|(finding, _)| self.decision_without_ledger(finding)).collect();
                let others: Vec<(&Finding, &Decision)> =
                    findings.iter().map(|(finding, _)| finding).zip(&decisions).skip(1).collect();
                let leading = LeadingFinding { finding: &findings[0].0, others: &others };
                rest.with_task(self.render_finding(leading, decisions[0].clone(), None).await)
            }
        };
        ControlFlow::Continue(self.dead_letter(message, GONE.to_owned()).await)
    }
}
