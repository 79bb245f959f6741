//! The redelivery queue, the dead-letter queue and the queues of a hub's spokes, in SQS.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, SendMessageBatchRequestEntry};
use futures_util::stream::{self, StreamExt as _};

use super::FunctionSettings;
use super::clients::Clients;
use crate::cloudtrail::spokes::SpokeQueue;
use crate::redelivery::{Letter, QueueError, Queues};

/// The attribute in which EventBridge says why it gave an event up.
const ERROR_CODE: &str = "ERROR_CODE";
/// For how long a letter that was taken is hidden: longer than an invocation lives, and gone before the mover comes again.
const HIDDEN_SECONDS: i32 = 300;

/// The two queues in SQS, by the URLs of the settings. The SDK's own retry is on: an alert that is handed over to no queue has
/// failed.
#[derive(Debug)]
pub(super) struct SqsQueues {
    settings: Arc<FunctionSettings>,
    clients: Arc<Clients>,
}

impl SqsQueues {
    pub(super) fn new(settings: Arc<FunctionSettings>, clients: Arc<Clients>) -> Self {
        Self { settings, clients }
    }

    /// The client of the region in which a spoke's queue is.
    fn client_of(&self, queue: &SpokeQueue) -> Result<aws_sdk_sqs::Client, QueueError> {
        let client = self.clients.sqs_in(&queue.region, &self.settings);
        client.map_err(|error| QueueError::Unavailable(error.to_string()))
    }

    /// Hands a message to a queue; an error of SQS keeps its code. `delay` is in whole seconds.
    async fn send(&self, queue: Option<&String>, message: String, delay: Duration) -> Result<(), QueueError> {
        let queue = queue.ok_or(QueueError::Absent)?;
        let seconds = i32::try_from(delay.as_secs()).unwrap_or(i32::MAX);
        let client = self.clients.sqs(&self.settings).map_err(|error| QueueError::Unavailable(error.to_string()))?;
        let sent = client.send_message().queue_url(queue).message_body(message).delay_seconds(seconds).send().await;
        sent.map(drop).map_err(|error| refusal(error.code(), &error))
    }

    /// Hands up to ten messages to the redelivery queue, and says of each whether it was taken.
    async fn send_batch(&self, messages: &[(String, Duration)]) -> Vec<Result<(), QueueError>> {
        self.try_send_batch(messages).await.unwrap_or_else(|error| vec![Err(error); messages.len()])
    }

    async fn try_send_batch(&self, messages: &[(String, Duration)]) -> Result<Vec<Result<(), QueueError>>, QueueError> {
        let queue = self.settings.redelivery_url.as_ref().ok_or(QueueError::Absent)?;
        let client = self.clients.sqs(&self.settings).map_err(|error| QueueError::Unavailable(error.to_string()))?;
        let mut request = client.send_message_batch().queue_url(queue);
        for (number, (message, delay)) in messages.iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(number.to_string())
                .message_body(message)
                .delay_seconds(i32::try_from(delay.as_secs()).unwrap_or(i32::MAX))
                .build()
                .map_err(|error| QueueError::Unwritable(error.to_string()))?;
            request = request.entries(entry);
        }
        let answer = request.send().await.map_err(|error| refusal(error.code(), &error))?;
        let refused = |number: usize| answer.failed().iter().find(|failed| failed.id() == number.to_string());
        let taken = |number| match refused(number) {
            None => Ok(()),
            Some(failed) => Err(QueueError::Refused(failed.code().to_owned())),
        };
        Ok((0..messages.len()).map(taken).collect())
    }
}

fn refusal(code: Option<&str>, error: &(dyn std::error::Error + 'static)) -> QueueError {
    match code {
        Some(code) => QueueError::Refused(code.to_owned()),
        None => QueueError::Unavailable(format!("no answer: {}", DisplayErrorContext(error))),
    }
}

/// Messages of one `SendMessageBatch`, and the bytes that they have together: since 2025 a whole mebibyte, and a quarter of it
/// everywhere. Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html>
const BATCH: (usize, usize) = (10, 250_000);
/// Batches that are under way at the same time.
const CONCURRENT_BATCHES: usize = 16;

/// Cuts items into batches, in their order. One that is too large for any has a batch of its own.
fn batches<T>(items: &[T], len: impl Fn(&T) -> usize) -> Vec<&[T]> {
    let (mut batches, mut rest) = (Vec::new(), items);
    while !rest.is_empty() {
        let mut bytes = 0;
        let fitting = rest.iter().take(BATCH.0).take_while(|item| {
            bytes += len(item);
            bytes <= BATCH.1
        });
        let (batch, others) = rest.split_at(fitting.count().max(1));
        batches.push(batch);
        rest = others;
    }
    batches
}

impl Queues for SqsQueues {
    fn has_redelivery(&self) -> bool {
        self.settings.redelivery_url.is_some()
    }

    fn has_dead_letter(&self) -> bool {
        self.settings.dead_letters_url.is_some()
    }

    fn is_redelivery(&self, arn: &str) -> bool {
        // A URL ends with the account and the name of the queue, and so does an ARN.
        self.settings.redelivery_url.as_ref().is_some_and(|url| {
            let mut of_url = url.rsplit('/');
            let mut of_arn = arn.rsplit(':');
            (of_arn.next(), of_arn.next()) == (of_url.next(), of_url.next())
        })
    }

    async fn enqueue(&self, message: String, delay: Duration) -> Result<(), QueueError> {
        self.send(self.settings.redelivery_url.as_ref(), message, delay).await
    }

    async fn enqueue_all(&self, messages: Vec<(String, Duration)>) -> Vec<Result<(), QueueError>> {
        let batches = batches(&messages, |(message, _)| message.len());
        let sends: Vec<_> = batches.into_iter().map(|batch| self.send_batch(batch)).collect();
        stream::iter(sends).buffered(CONCURRENT_BATCHES).collect::<Vec<_>>().await.concat()
    }

    async fn dead_letter(&self, message: String) -> Result<(), QueueError> {
        self.send(self.settings.dead_letters_url.as_ref(), message, Duration::ZERO).await
    }

    async fn take_letters(&self, queue: &SpokeQueue) -> Result<Vec<Letter>, QueueError> {
        let answer = self
            .client_of(queue)?
            .receive_message()
            .queue_url(&queue.url)
            .max_number_of_messages(10)
            .visibility_timeout(HIDDEN_SECONDS)
            .message_attribute_names(ERROR_CODE)
            .send()
            .await
            .map_err(|error| refusal(error.code(), &error))?;
        let letter = |message: Message| {
            let code = message.message_attributes.as_ref().and_then(|attributes| attributes.get(ERROR_CODE));
            Some(Letter {
                error_code: code.and_then(|code| code.string_value.clone()),
                message_id: message.message_id?,
                receipt: message.receipt_handle?,
                body: message.body?,
            })
        };
        Ok(answer.messages.into_iter().flatten().filter_map(letter).collect())
    }

    async fn drop_letters(&self, queue: &SpokeQueue, receipts: Vec<String>) -> Result<(), QueueError> {
        let mut request = self.client_of(queue)?.delete_message_batch().queue_url(&queue.url);
        for (number, receipt) in receipts.into_iter().enumerate() {
            let entry = DeleteMessageBatchRequestEntry::builder().id(number.to_string()).receipt_handle(receipt);
            request = request.entries(entry.build().map_err(|error| QueueError::Unwritable(error.to_string()))?);
        }
        let answer = request.send().await.map_err(|error| refusal(error.code(), &error))?;
        answer.failed().first().map_or(Ok(()), |failed| Err(QueueError::Refused(failed.code().to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_have_no_more_messages_and_bytes_than_sqs_takes() {
        let sizes = [1; 25].into_iter().chain([200_000, 50_000, 1, 900_000, 2, 3]).collect::<Vec<usize>>();
        let batches = batches(&sizes, |size| *size);
        let counts: Vec<usize> = batches.iter().map(|batch| batch.len()).collect();
        assert_eq!(counts, [10, 10, 6, 2, 1, 2]);
        assert_eq!(batches.concat(), sizes);
        assert!(super::batches(&[], |size: &usize| *size).is_empty());
    }
}
