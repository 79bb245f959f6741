//! The redelivery queue and the dead-letter queue, in SQS.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::error::{DisplayErrorContext, ProvideErrorMetadata};

use super::FunctionSettings;
use super::clients::Clients;
use crate::redelivery::Queues;

/// The two queues.
#[derive(Debug)]
pub(super) struct SqsQueues {
    settings: Arc<FunctionSettings>,
    clients: Arc<Clients>,
}

impl SqsQueues {
    pub(super) fn new(settings: Arc<FunctionSettings>, clients: Arc<Clients>) -> Self {
        Self { settings, clients }
    }

    async fn send(&self, queue: Option<&String>, message: String, delay: Duration) -> Result<(), String> {
        let queue = queue.ok_or("there is no such queue")?;
        let seconds = i32::try_from(delay.as_secs()).unwrap_or(i32::MAX);
        let client = self.clients.sqs(&self.settings).map_err(|error| error.to_string())?;
        let sent = client.send_message().queue_url(queue).message_body(message).delay_seconds(seconds).send().await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) => Err(match error.code() {
                Some(code) => code.to_owned(),
                None => format!("no answer: {}", DisplayErrorContext(&error)),
            }),
        }
    }
}

impl Queues for SqsQueues {
    fn can_wait(&self) -> bool {
        self.settings.redelivery_url.is_some()
    }

    fn can_bury(&self) -> bool {
        self.settings.dead_letters_url.is_some()
    }

    async fn wait(&self, message: String, delay: Duration) -> Result<(), String> {
        self.send(self.settings.redelivery_url.as_ref(), message, delay).await
    }

    async fn bury(&self, message: String) -> Result<(), String> {
        self.send(self.settings.dead_letters_url.as_ref(), message, Duration::ZERO).await
    }
}
