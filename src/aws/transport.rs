//! Sends through SNS and HTTP, and reads the credentials from Secrets Manager.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_sdk_sns::error::ProvideErrorMetadata;
use aws_sdk_sns::types::MessageAttributeValue;
use tokio::sync::{Mutex, OnceCell};
use tokio::time::Instant;

use super::{Settings, http};
use crate::channel::{Reply, Request};
use crate::deliver::Transport;
use crate::secret::Credentials;

/// How long credentials are kept in memory. A rotated one is noticed at once where its predecessor is rejected.
const KEPT: Duration = Duration::from_mins(5);

/// The real outside. Every client is made at its first use: an invocation that alerts nobody pays for none.
#[derive(Debug)]
pub struct AwsTransport {
    settings: Settings,
    config: OnceCell<SdkConfig>,
    sns: OnceCell<aws_sdk_sns::Client>,
    http: OnceCell<reqwest::Client>,
    credentials: Mutex<Option<(Instant, Arc<Credentials>)>>,
}

impl AwsTransport {
    /// Makes nothing yet.
    pub fn new(settings: Settings) -> Self {
        let (config, sns, http) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Self { settings, config, sns, http, credentials: Mutex::new(None) }
    }

    async fn config(&self) -> &SdkConfig {
        self.config
            .get_or_init(|| async {
                use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
                let client = aws_smithy_http_client::Builder::new()
                    .tls_provider(Provider::Rustls(CryptoMode::Ring))
                    .build_https();
                aws_config::defaults(aws_config::BehaviorVersion::latest()).http_client(client).load().await
            })
            .await
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
        let client = self.sns.get_or_init(|| async { aws_sdk_sns::Client::new(self.config().await) }).await;
        let mut publish =
            client.publish().topic_arn(topic_arn).subject(subject).message(message).message_structure("json");
        for (name, value) in attributes {
            // Both parts that an attribute must have are there.
            if let Ok(value) = MessageAttributeValue::builder().data_type("String").string_value(value).build() {
                publish = publish.message_attributes(name, value);
            }
        }
        match publish.send().await {
            Ok(answer) => Reply::Published(answer.message_id.unwrap_or_default()),
            Err(error) => match error.code() {
                Some(code) => Reply::SnsFault(code.to_owned()),
                None => Reply::Unreachable("SNS does not answer"),
            },
        }
    }

    async fn read_secret(&self) -> Result<Credentials, String> {
        let Some(id) = &self.settings.secret_arn else {
            return Err("no secret: set OFFLIMITS_SECRET_ARN".to_owned());
        };
        let answer = aws_sdk_secretsmanager::Client::new(self.config().await)
            .get_secret_value()
            .secret_id(id)
            .send()
            .await
            .map_err(|error| format!("cannot read the secret: {}", error.code().unwrap_or("no answer")))?;
        Credentials::parse(answer.secret_string().unwrap_or_default()).map_err(str::to_owned)
    }
}

impl Transport for AwsTransport {
    async fn send(&self, request: Request, timeout: Duration) -> Reply {
        match request {
            Request::Sns { topic_arn, subject, message, attributes } => {
                let publish = self.publish(topic_arn, subject, message, attributes);
                tokio::time::timeout(timeout, publish).await.unwrap_or(Reply::Unreachable("timeout"))
            }
            Request::Http(request) => {
                let ca_file = self.settings.ca_file.as_deref();
                let client = self.http.get_or_try_init(|| async { http::client(ca_file) }).await;
                match client {
                    Ok(client) => http::send(client, request, timeout).await,
                    Err(reason) => {
                        tracing::error!(reason, "no HTTP client");
                        Reply::Unreachable("no HTTP client")
                    }
                }
            }
        }
    }

    async fn credentials(&self, fresh: bool) -> Result<Arc<Credentials>, String> {
        // Channels that ask at the same time wait for one answer.
        let mut kept = self.credentials.lock().await;
        let age = if fresh { Duration::from_secs(1) } else { KEPT };
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
}
