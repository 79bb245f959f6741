//! The redelivery queue, the dead-letter queue and the queues of a hub's spokes, in SQS.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};

use super::FunctionSettings;
use super::api::{ApiError, ApiInput, AwsApi, Patience};
use super::clients::Clients;
use super::service::ApiService;
use crate::cloudtrail::spokes::SpokeQueue;
use crate::redelivery::{Letter, QueueError, Queues};

/// The attribute in which EventBridge says why it gave an event up.
const ERROR_CODE: &str = "ERROR_CODE";
/// For how long a letter that was taken is hidden: longer than an invocation lives, and gone before the mover comes again.
const HIDDEN_SECONDS: u32 = 300;
/// An alert that is handed over to no queue has failed.
const PATIENCE: Patience = Patience {
    request: Duration::from_secs(3),
    whole: None,
    busy: 3,
    unanswered: 3,
    first_wait: Duration::from_millis(100),
};

/// The two queues in SQS, by the URLs of the settings.
#[derive(Debug)]
pub(super) struct SqsQueues {
    api: AwsApi,
}

impl SqsQueues {
    pub(super) const fn new(settings: Arc<FunctionSettings>, clients: Arc<Clients>) -> Self {
        Self { api: AwsApi::sharing(settings, clients).with_patience(PATIENCE) }
    }

    fn redelivery_url(&self) -> Option<&String> {
        self.api.settings().redelivery_url.as_ref()
    }

    /// Asks about a spoke's queue where it is: SQS knows none of another region.
    async fn ask_there(&self, queue: &SpokeQueue, operation: &'static str, input: Value) -> Result<Value, QueueError> {
        let asked = self.api.ask(&ApiService::SQS, &queue.region, operation, &ApiInput::Json(input)).await;
        asked.map_err(queue_error)
    }

    async fn ask_here(&self, operation: &'static str, input: Value) -> Result<Value, QueueError> {
        self.api.ask_here(&ApiService::SQS, operation, &ApiInput::Json(input)).await.map_err(queue_error)
    }

    /// Hands a message to a queue; an error of SQS keeps its code. `delay` is in whole seconds.
    async fn send(&self, queue: Option<&String>, message: String, delay: Duration) -> Result<(), QueueError> {
        let queue = queue.ok_or(QueueError::Absent)?;
        let input = json!({ "QueueUrl": queue, "MessageBody": message, "DelaySeconds": delay.as_secs() });
        self.ask_here("SendMessage", input).await.map(drop)
    }

    /// Hands up to ten messages to the redelivery queue, and says of each whether it was taken.
    async fn send_batch(&self, messages: &[(String, Duration)]) -> Vec<Result<(), QueueError>> {
        self.try_send_batch(messages).await.unwrap_or_else(|error| vec![Err(error); messages.len()])
    }

    async fn try_send_batch(&self, messages: &[(String, Duration)]) -> Result<Vec<Result<(), QueueError>>, QueueError> {
        let queue = self.redelivery_url().ok_or(QueueError::Absent)?;
        let entries = messages.iter().enumerate().map(|(number, (message, delay))| {
            json!({ "Id": number.to_string(), "MessageBody": message, "DelaySeconds": delay.as_secs() })
        });
        let entries: Vec<Value> = entries.collect();
        let input = json!({ "QueueUrl": queue, "Entries": entries });
        let answer = self.ask_here("SendMessageBatch", input).await?;
        let refused = refused(&answer);
        let taken = |number: usize| match refused.iter().find(|(id, _)| *id == number.to_string()) {
            None => Ok(()),
            Some((_, code)) => Err(QueueError::Refused((*code).to_owned())),
        };
        Ok((0..messages.len()).map(taken).collect())
    }
}

/// The entries of a batch that SQS did not take: the id of each, and the code of its error.
fn refused(answer: &Value) -> Vec<(&str, &str)> {
    let text = |entry, key: &str| Value::get(entry, key).and_then(Value::as_str).unwrap_or_default();
    let failed = answer.get("Failed").and_then(Value::as_array).into_iter().flatten();
    failed.map(|entry| (text(entry, "Id"), text(entry, "Code"))).collect()
}

/// SQS's code, or why there was no answer. No text quotes the request.
fn queue_error(error: ApiError) -> QueueError {
    match error {
        ApiError::Refused { code, .. } => QueueError::Refused(code),
        other => QueueError::Unavailable(other.to_string()),
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
        self.redelivery_url().is_some()
    }

    fn has_dead_letter(&self) -> bool {
        self.api.settings().dead_letters_url.is_some()
    }

    fn is_redelivery(&self, arn: &str) -> bool {
        // A URL ends with the account and the name of the queue, and so does an ARN.
        self.redelivery_url().is_some_and(|url| {
            let mut of_url = url.rsplit('/');
            let mut of_arn = arn.rsplit(':');
            (of_arn.next(), of_arn.next()) == (of_url.next(), of_url.next())
        })
    }

    async fn enqueue(&self, message: String, delay: Duration) -> Result<(), QueueError> {
        self.send(self.redelivery_url(), message, delay).await
    }

    async fn enqueue_all(&self, messages: Vec<(String, Duration)>) -> Vec<Result<(), QueueError>> {
        let batches = batches(&messages, |(message, _)| message.len());
        let sends: Vec<_> = batches.into_iter().map(|batch| self.send_batch(batch)).collect();
        stream::iter(sends).buffered(CONCURRENT_BATCHES).collect::<Vec<_>>().await.concat()
    }

    async fn dead_letter(&self, message: String) -> Result<(), QueueError> {
        self.send(self.api.settings().dead_letters_url.as_ref(), message, Duration::ZERO).await
    }

    async fn take_letters(&self, queue: &SpokeQueue) -> Result<Vec<Letter>, QueueError> {
        let input = json!({
            "QueueUrl": queue.url,
            "MaxNumberOfMessages": 10,
            "VisibilityTimeout": HIDDEN_SECONDS,
            "MessageAttributeNames": [ERROR_CODE],
        });
        let answer = self.ask_there(queue, "ReceiveMessage", input).await?;
        let letter = |message: &Value| {
            let text = |pointer: &str| message.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
            Some(Letter {
                error_code: text(&format!("/MessageAttributes/{ERROR_CODE}/StringValue")),
                message_id: text("/MessageId")?,
                receipt: text("/ReceiptHandle")?,
                body: text("/Body")?,
            })
        };
        Ok(answer.get("Messages").and_then(Value::as_array).into_iter().flatten().filter_map(letter).collect())
    }

    async fn drop_letters(&self, queue: &SpokeQueue, receipts: Vec<String>) -> Result<(), QueueError> {
        let entry = |(number, receipt): (usize, String)| json!({ "Id": number.to_string(), "ReceiptHandle": receipt });
        let entries: Vec<Value> = receipts.into_iter().enumerate().map(entry).collect();
        let answer =
            self.ask_there(queue, "DeleteMessageBatch", json!({ "QueueUrl": queue.url, "Entries": entries })).await?;
        refused(&answer).first().map_or(Ok(()), |(_, code)| Err(QueueError::Refused((*code).to_owned())))
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
