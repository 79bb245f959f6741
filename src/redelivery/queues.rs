//! The two queues, and those of a hub's spokes, as the handler knows them: an interface that `aws/sqs.rs` implements.

use std::future::Future;
use std::time::Duration;

use thiserror::Error;

use super::letter::Letter;
use crate::cloudtrail::spokes::SpokeQueue;

/// The longest that SQS hides a message; a longer wait is made of several. Source:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>, `DelaySeconds`.
pub const MAX_DELAY: Duration = Duration::from_mins(15);

/// The two queues. Both are optional: without them what cannot be delivered fails the invocation, and nothing is held back,
/// for no roll-up could follow.
pub trait Queues: Send + Sync {
    /// Whether there is a redelivery queue.
    fn has_redelivery(&self) -> bool;

    /// Whether there is a dead-letter queue.
    fn has_dead_letter(&self) -> bool;

    /// Whether an ARN is that of the redelivery queue: SQS names the queue of a message so.
    fn is_redelivery(&self, _arn: &str) -> bool {
        false
    }

    /// Hands a message to the redelivery queue, which hides it for `delay`: whole seconds, and [`MAX_DELAY`] at most.
    ///
    /// # Errors
    /// Why it was not taken, safe to log.
    fn enqueue(&self, message: String, delay: Duration) -> impl Future<Output = Result<(), QueueError>> + Send;

    /// Hands several messages to the redelivery queue, each with its delay, as [`Queues::enqueue`] does one; and says of each, in
    /// their order, whether it was taken.
    fn enqueue_all(
        &self,
        messages: Vec<(String, Duration)>,
    ) -> impl Future<Output = Vec<Result<(), QueueError>>> + Send {
        async move {
            let mut taken = Vec::with_capacity(messages.len());
            for (message, delay) in messages {
                taken.push(self.enqueue(message, delay).await);
            }
            taken
        }
    }

    /// Hands a message to the dead-letter queue.
    ///
    /// # Errors
    /// Why it was not taken, safe to log.
    fn dead_letter(&self, message: String) -> impl Future<Output = Result<(), QueueError>> + Send;

    /// Takes up to ten letters from the queue of a spoke, which hides them from others for as long as an invocation lives; none if it
    /// has none to give. What is not dropped is there again later.
    ///
    /// # Errors
    /// Why there is no answer, safe to log.
    fn take_letters(&self, _queue: &SpokeQueue) -> impl Future<Output = Result<Vec<Letter>, QueueError>> + Send {
        async { Err(QueueError::Absent) }
    }

    /// Deletes letters that were taken, by their receipts, from the queue of a spoke.
    ///
    /// # Errors
    /// Why not all of them are gone, safe to log.
    fn drop_letters(
        &self,
        _queue: &SpokeQueue,
        _receipts: Vec<String>,
    ) -> impl Future<Output = Result<(), QueueError>> + Send {
        async { Err(QueueError::Absent) }
    }
}

/// Why a queue has not taken a message. Every text is safe to log: none quotes the message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QueueError {
    /// The deployment has no such queue.
    #[error("there is no such queue")]
    Absent,
    /// The queue's service refused the message, with this error code.
    #[error("{0}")]
    Refused(String),
    /// The queue's service did not answer, or could not be asked: why.
    #[error("{0}")]
    Unavailable(String),
    /// The message could not be written as JSON.
    #[error("the message cannot be written: {0}")]
    Unwritable(String),
}

impl QueueError {
    /// Whether the queue's service said that there is no such queue. SQS has had two codes for it:
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>
    pub fn is_of_no_queue(&self) -> bool {
        matches!(self, Self::Refused(code) if code.ends_with("NonExistentQueue") || code.ends_with("QueueDoesNotExist"))
    }
}
