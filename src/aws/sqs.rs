//! The redelivery queue and the dead-letter queue, in SQS.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::error::{DisplayErrorContext, ProvideErrorMetadata};

use super::FunctionSettings;
use super::clients::Clients;
use crate::redelivery::{QueueError, Queues};

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

    /// Hands a message to a queue; an error of SQS keeps its code. `delay` is in whole seconds.
    async fn send(&self, queue: Option<&String>, message: String, delay: Duration) -> Result<(), QueueError> {
        let queue = queue.ok_or(QueueError::Absent)?;
        let seconds = i32::try_from(delay.as_secs()).unwrap_or(i32::MAX);
        let client = self.clients.sqs(&self.settings).map_err(|error| QueueError::Unavailable(error.to_string()))?;
        let sent = client.send_message().queue_url(queue).message_body(message).delay_seconds(seconds).send().await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) => Err(match error.code() {
                Some(code) => QueueError::Refused(code.to_owned()),
                None => QueueError::Unavailable(format!("no answer: {}", DisplayErrorContext(&error))),
            }),
        }
    }
}

impl Queues for SqsQueues {
    fn has_redelivery(&self) -> bool {
        self.settings.redelivery_url.is_some()
    }

    fn has_dead_letter(&self) -> bool {
        self.settings.dead_letters_url.is_some()
    }

    async fn enqueue(&self, message: String, delay: Duration) -> Result<(), QueueError> {
        self.send(self.settings.redelivery_url.as_ref(), message, delay).await
    }

    async fn dead_letter(&self, message: String) -> Result<(), QueueError> {
        self.send(self.settings.dead_letters_url.as_ref(), message, Duration::ZERO).await
    }
}
