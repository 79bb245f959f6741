//! Sends through SNS and HTTP, and reads the credentials from Secrets Manager.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sdk_sns::Config;
use aws_sdk_sns::config::Region;
use aws_sdk_sns::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sns::types::MessageAttributeValue;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::api::AwsApi;
use super::clients::Clients;
use super::{FunctionSettings, event_rules, http};
use crate::channel::{Reply, Request};
use crate::cloudtrail::event_rule::EventRuleFound;
use crate::deliver::Transport;
use crate::secret::{Credentials, CredentialsError};

/// How long credentials are kept in memory. That one has been rotated is noticed sooner: as soon as its predecessor is rejected.
const CREDENTIALS_TTL: Duration = Duration::from_mins(5);
/// The error codes of Secrets Manager that tell of its own trouble, or of too many calls.
const TROUBLE: [&str; 4] = ["InternalServiceError", "InternalFailure", "ServiceUnavailable", "ThrottlingException"];
/// The age at which a fresh reading is fresh enough: channels that ask anew at the same time share one.
const FRESH_TTL: Duration = Duration::from_secs(1);

/// The transport of production: the network as it is, Secrets Manager, and the machine's clock.
#[derive(Debug)]
pub struct AwsTransport {
    settings: Arc<FunctionSettings>,
    clients: Arc<Clients>,
    credentials: Mutex<Option<(Instant, Arc<Credentials>)>>,
}

impl AwsTransport {
    pub(super) fn new(settings: Arc<FunctionSettings>, clients: Arc<Clients>) -> Self {
        Self { settings, clients, credentials: Mutex::new(None) }
    }

    async fn publish(
        &self,
        topic_arn: Option<String>,
        subject: String,
        message: String,
        attributes: Vec<(String, String)>,
    ) -> Reply {
        let Some(topic_arn) = topic_arn.or_else(|| self.settings.topic_arn.clone()) else {
            return Reply::SnsFault("no topic: set OFFLIMITS_TOPIC_ARN, or topic_arn in rules.json".to_owned());
        };
        let region = topic_arn.split(':').nth(3).map(str::to_owned);
        let client = match self.clients.sns(&self.settings) {
            Ok(client) => client,
            Err(error) => return Reply::SnsFault(error.to_string()),
        };
        let mut publish =
            client.publish().topic_arn(topic_arn).subject(subject).message(message).message_structure("json");
        for (name, value) in attributes {
            // Both parts that an attribute must have are there.
            if let Ok(value) = MessageAttributeValue::builder().data_type("String").string_value(value).build() {
                publish = publish.message_attributes(name, value);
            }
        }
        // A topic answers in its own region alone.
        let mut publish = publish.customize();
        if let Some(region) = region.filter(|region| Some(region) != self.settings.access.region.as_ref()) {
            publish = publish.config_override(Config::builder().region(Region::new(region)));
        }
        match publish.send().await {
            Ok(answer) => Reply::Published(answer.message_id.unwrap_or_default()),
            Err(error) => {
                if let Some(code) = error.code() {
                    return Reply::SnsFault(code.to_owned());
                }
                if is_timeout(&error) {
                    return Reply::TIMEOUT;
                }
                tracing::warn!(error = %DisplayErrorContext(&error), "SNS does not answer");
                Reply::Unreachable("SNS does not answer")
            }
        }
    }

    async fn read_secret(&self) -> Result<Credentials, CredentialsError> {
        let id = self.settings.secret_arn.as_ref().ok_or(CredentialsError::NotConfigured)?;
        let client = self
            .clients
            .secrets(&self.settings)
            .map_err(|error| CredentialsError::Unavailable { reason: error.to_string() })?;
        let answer = client.get_secret_value().secret_id(id).send().await.map_err(|error| match error.code() {
            Some(code) if TROUBLE.contains(&code) => CredentialsError::NoAnswer { reason: code.to_owned() },
            Some(code) => CredentialsError::Unavailable { reason: code.to_owned() },
            None => CredentialsError::NoAnswer { reason: format!("no answer: {}", DisplayErrorContext(&error)) },
        })?;
        Credentials::parse(answer.secret_string().unwrap_or_default())
    }
}

/// Whether it is the time that has run out, by the SDK's count or by the connection's.
fn is_timeout<E, R>(error: &SdkError<E, R>) -> bool {
    match error {
        SdkError::TimeoutError(_) => true,
        SdkError::DispatchFailure(failure) => failure.is_timeout(),
        _ => false,
    }
}

impl Transport for AwsTransport {
    async fn send(&self, request: Request, timeout: Duration) -> Reply {
        match request {
            Request::Sns { topic_arn, subject, message, attributes } => {
                let publish = self.publish(topic_arn, subject, message, attributes);
                tokio::time::timeout(timeout, publish).await.unwrap_or(Reply::TIMEOUT)
            }
            Request::Http(request) => match self.clients.http(&self.settings) {
                Ok(client) => http::send(client, request, timeout).await,
                Err(error) => {
                    tracing::error!(reason = %error, "no HTTP client");
                    Reply::Unreachable("no HTTP client")
                }
            },
        }
    }

    async fn credentials(&self, fresh: bool) -> Result<Arc<Credentials>, CredentialsError> {
        // Channels that ask at the same time wait for one answer.
        let mut kept = self.credentials.lock().await;
        let age = if fresh { FRESH_TTL } else { CREDENTIALS_TTL };
        if let Some((_, credentials)) = kept.as_ref().filter(|(read, _)| read.elapsed() < age) {
            return Ok(Arc::clone(credentials));
        }
        let credentials = Arc::new(self.read_secret().await?);
        *kept = Some((Instant::now(), Arc::clone(&credentials)));
        Ok(credentials)
    }

    fn now(&self) -> SystemTime {
        http::now()
    }

    fn may_go_inside(&self) -> bool {
        self.settings.private_endpoints
    }

    async fn event_rules(&self, arns: &[String]) -> Option<Vec<Result<Option<EventRuleFound>, String>>> {
        let api = AwsApi::sharing(Arc::clone(&self.settings), Arc::clone(&self.clients));
        Some(event_rules::found(&api, arns).await)
    }
}
