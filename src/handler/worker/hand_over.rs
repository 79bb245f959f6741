//! What did not arrive goes to a queue.
//!
//! It goes to the redelivery queue as long as it is worth another try: with waits that double, for a day. It goes to the
//! dead-letter queue if the vendor rejects it or the day is over: it lies there with its reason until people send it through
//! again. A delivery has *failed* only where the queue does not take it either, or there is no queue. Lambda is then asked to
//! try the whole event again (`ToldOrQueued`, `FailureIsAnswered`).
//!
//! What the channel refuses for a reason that somebody can mend waits like what fails, and people are told at once. What was not
//! tried at all is handed over unchanged, and a finding that nobody has come to is handed over as it is.
//!
//! The hand-over comes before the claim is given back: a crash in between leaves a message that finds its delivery still claimed,
//! and waits for the lease's end.

use std::time::Duration;

use tokio::time::timeout_at;

use super::channel_worker::ChannelWorker;
use super::incoming::Incoming;
use crate::deliver::Transport;
use crate::handler::classify::RoutedTo;
use crate::handler::outcome::DeliveryOutcome;
use crate::ledger::Store;
use crate::redelivery::{AfterAttempt, Delivery, QueueError, QueueMessage, QueueTask, Queues};

/// A channel that does not take a delivery for so long is in trouble, though it rejects nothing.
const TROUBLE_AFTER: Duration = Duration::from_hours(1);

/// What kind of trouble kept a delivery from arriving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It passes by itself. People are told if it does not pass within an hour.
    Passing,
    /// It passes when somebody has mended it: people are told at once.
    ToMend,
}

impl<T: Transport, S: Store, Q: Queues> ChannelWorker<'_, T, S, Q> {
    /// Hands a message over after an attempt that failed: to the redelivery queue, or to the dead letters if its lifetime is
    /// over. `after` is the wait that the vendor asked for.
    pub(super) async fn retry<W: QueueTask>(
        &self,
        message: QueueMessage<W>,
        after: Option<Duration>,
        reason: String,
        trouble: Trouble,
    ) -> DeliveryOutcome {
        if !self.app.queues.has_redelivery() {
            self.release(&message).await;
            if trouble == Trouble::ToMend {
                self.notify_operators(&reason).await;
            }
            return self.fail(&message, &reason);
        }
        match message.after_attempt(self.now(), after, reason) {
            AfterAttempt::TryAgain(message) => {
                let outcome = self.enqueue(&message).await;
                self.release(&message).await;
                if trouble == Trouble::ToMend || self.now().since(message.since) >= TROUBLE_AFTER {
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

    /// Hands a message over that was not tried: nothing is counted, and it does not grow older by it.
    pub(super) async fn postpone(&self, message: QueueMessage<Delivery>, reason: String) -> DeliveryOutcome {
        let id = message.task.id.clone();
        let message = message.postponed(self.now(), id.as_str(), reason);
        let outcome = self.enqueue(&message).await;
        self.release(&message).await;
        outcome
    }

    /// Hands findings over that nobody has come to, all at once: they are judged when they come back. Without a queue they have
    /// failed, and come again with the whole event.
    pub(super) async fn hand_over_findings(&self, calls: &[&[RoutedTo<'_>]]) -> Vec<DeliveryOutcome> {
        let findings: Vec<RoutedTo<'_>> = calls.iter().flat_map(|call| call.iter().copied()).collect();
        if findings.is_empty() {
            return Vec::new();
        }
        let channel = self.channel.name.as_str();
        tracing::warn!(channel, count = findings.len(), "no time was left: findings are handed to the queue");
        let now = self.now();
        let (mut messages, mut counts) = (Vec::new(), Vec::new());
        let written: Result<(), QueueError> = calls.iter().try_for_each(|call| {
            let call: Vec<Incoming<'_>> = call.iter().copied().map(Incoming::from).collect();
            for task in Incoming::tasks(&call)? {
                counts.push(1 + task.also.len());
                messages.push((self.new_message(task, now, "no time was left").to_json()?, Duration::ZERO));
            }
            Ok(())
        });
        let taken = match written {
            Ok(()) if self.app.queues.has_redelivery() => {
                timeout_at(self.hand_over_deadline(), self.app.queues.enqueue_all(messages)).await
            }
            Ok(()) => Ok(vec![Err(QueueError::Absent); counts.len()]),
            Err(error) => {
                counts = vec![findings.len()];
                Ok(vec![Err(error)])
            }
        };
        let taken = taken.unwrap_or_else(|_| vec![Err(no_answer()); counts.len()]);
        let taken = taken.into_iter().zip(counts).flat_map(|(taken, count)| std::iter::repeat_n(taken, count));
        let outcomes = taken.zip(findings).map(|(taken, routed)| match taken {
            Ok(()) => DeliveryOutcome::Queued,
            Err(error) => {
                let (finding, reason) = (routed.finding.id.as_str(), error.to_string());
                tracing::error!(channel, finding, reason, "an alert was not delivered");
                DeliveryOutcome::Failed
            }
        });
        outcomes.collect()
    }

    /// Hands a message to the redelivery queue, until it is due: the delivery is queued, or has failed.
    pub(super) async fn enqueue<W: QueueTask>(&self, message: &QueueMessage<W>) -> DeliveryOutcome {
        match self.try_enqueue(message).await {
            Ok(()) => DeliveryOutcome::Queued,
            Err(error) => self.fail(message, &format!("the redelivery queue does not take it: {error}")),
        }
    }

    /// Hands a message to the redelivery queue, until it is due.
    ///
    /// # Errors
    /// That it was not taken, and why: what it stands for must be told in another way, or must fail.
    pub(super) async fn try_enqueue<W: QueueTask>(&self, message: &QueueMessage<W>) -> Result<(), QueueError> {
        if !self.app.queues.has_redelivery() {
            return Err(QueueError::Absent);
        }
        let taken = self.app.queues.enqueue(message.to_json()?, message.delay(self.now()));
        timeout_at(self.hand_over_deadline(), taken).await.unwrap_or_else(|_| Err(no_answer()))
    }

    /// Notes that the queue did not take the order of a sum, and what follows from that (`NothingHeldBackBlindly`).
    pub(super) fn note_refusal(&self, error: &QueueError, consequence: &'static str) {
        tracing::warn!(channel = self.channel.name, reason = %error, consequence, "the queue does not take a message");
    }

    /// Gives a delivery up: it goes to the dead letters with the reason, and people are told.
    pub(super) async fn dead_letter<W: QueueTask>(&self, message: QueueMessage<W>, reason: String) -> DeliveryOutcome {
        let message = message.into_dead_letter(self.now(), reason);
        let taken = timeout_at(self.hand_over_deadline(), send_dead_letter(&self.app.queues, &message)).await;
        let outcome = match taken.unwrap_or_else(|_| Err(no_answer())) {
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

fn no_answer() -> QueueError {
    QueueError::Unavailable("no answer in time".to_owned())
}

async fn send_dead_letter<Q: Queues, W: QueueTask>(queues: &Q, message: &QueueMessage<W>) -> Result<(), QueueError> {
    if queues.has_dead_letter() { queues.dead_letter(message.to_json()?).await } else { Err(QueueError::Absent) }
}

fn log_death<W: QueueTask>(message: &QueueMessage<W>) {
    tracing::error!(channel = message.channel, what = message.task.id(), reason = message.reason, "an alert is dead");
}
