//! What did not arrive goes to a queue.
//!
//! It goes to the redelivery queue as long as it is worth another try: with waits that double, for a day. It goes to the
//! dead-letter queue if the vendor rejects it or the day is over: it lies there with its reason until people send it through
//! again. A delivery has *failed* only where the queue does not take it either, or there is no queue. Lambda is then asked to
//! try the whole event again (`ToldOrQueued`, `FailureIsAnswered`).
//!
//! The hand-over comes before the claim is given back: a crash in between leaves a message that finds its delivery still claimed,
//! and waits for the lease's end.

use std::time::Duration;

use super::channel_worker::ChannelWorker;
use crate::deliver::Transport;
use crate::handler::outcome::DeliveryOutcome;
use crate::ledger::Store;
use crate::redelivery::{AfterAttempt, QueueError, QueueMessage, QueueTask, Queues};
use crate::time::Timestamp;

/// A channel that does not take a delivery for so long is in trouble, though it rejects nothing.
const TROUBLE_AFTER: Duration = Duration::from_hours(1);

impl<T: Transport, S: Store, Q: Queues> ChannelWorker<'_, T, S, Q> {
    /// Hands a message over after an attempt that failed: to the redelivery queue, or to the dead letters if its lifetime is
    /// over. `after` is the wait that the vendor asked for.
    pub(super) async fn retry<W: QueueTask>(
        &self,
        message: QueueMessage<W>,
        after: Option<Duration>,
        reason: String,
    ) -> DeliveryOutcome {
        if !self.app.queues.has_redelivery() {
            self.release(&message).await;
            return self.fail(&message, &reason);
        }
        match message.after_attempt(self.now(), after, reason) {
            AfterAttempt::TryAgain(message) => {
                let outcome = self.enqueue(&message).await;
                self.release(&message).await;
                if self.now().since(message.since) >= TROUBLE_AFTER {
                    self.notify_operators(&message.reason).await;
                }
                outcome
            }
            AfterAttempt::GiveUp(message) => {
                let reason = format!("gave up after {} attempts: {}", message.attempts, message.reason);
                self.dead_letter(message, reason).await
            }
        }
    }

    /// Hands a message to the redelivery queue, until it is due: the delivery is queued, or has failed.
    pub(super) async fn enqueue<W: QueueTask>(&self, message: &QueueMessage<W>) -> DeliveryOutcome {
        if !self.app.queues.has_redelivery() {
            return self.fail(message, "there is no redelivery queue");
        }
        let taken = match message.to_json() {
            Ok(json) => self.app.queues.enqueue(json, message.delay(self.now())).await,
            Err(error) => Err(error),
        };
        match taken {
            Ok(()) => DeliveryOutcome::Queued,
            Err(error) => self.fail(message, &format!("the redelivery queue does not take it: {error}")),
        }
    }

    /// Gives a delivery up: it goes to the dead letters with the reason, and people are told.
    pub(super) async fn dead_letter<W: QueueTask>(&self, message: QueueMessage<W>, reason: String) -> DeliveryOutcome {
        let message = message.into_dead_letter(self.now(), reason);
        let outcome = match send_dead_letter(&self.app.queues, &message).await {
            Ok(()) => {
                log_death(&message);
                DeliveryOutcome::Dead
            }
            Err(QueueError::Absent) => self.fail(&message, &message.reason),
            Err(error) => self.fail(&message, &format!("the dead-letter queue does not take it: {error}")),
        };
        self.release(&message).await;
        self.notify_operators(&message.reason).await;
        outcome
    }

    fn fail<W: QueueTask>(&self, message: &QueueMessage<W>, reason: &str) -> DeliveryOutcome {
        tracing::error!(channel = self.channel.name, what = message.task.id(), reason, "an alert was not delivered");
        DeliveryOutcome::Failed
    }
}

/// Gives up a message for a channel that `rules.json` no longer has. Nobody is told beside the alarm on the dead letters: people
/// who remove a channel know of it.
pub(in crate::handler) async fn dead_letter_orphan<Q: Queues>(
    queues: &Q,
    message: QueueMessage,
    now: Timestamp,
) -> DeliveryOutcome {
    let reason = "rules.json has no channel of this name any more".to_owned();
    let message = message.into_dead_letter(now, reason);
    log_death(&message);
    match send_dead_letter(queues, &message).await {
        Ok(()) => DeliveryOutcome::Dead,
        Err(error) => {
            let reason = error.to_string();
            tracing::error!(channel = message.channel, reason, "the dead-letter queue does not take it");
            DeliveryOutcome::Failed
        }
    }
}

async fn send_dead_letter<Q: Queues, W: QueueTask>(queues: &Q, message: &QueueMessage<W>) -> Result<(), QueueError> {
    if queues.has_dead_letter() { queues.dead_letter(message.to_json()?).await } else { Err(QueueError::Absent) }
}

fn log_death<W: QueueTask>(message: &QueueMessage<W>) {
    tracing::error!(channel = message.channel, what = message.task.id(), reason = message.reason, "an alert is dead");
}
