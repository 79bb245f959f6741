//! The clients, each made at its first use: an invocation that alerts nobody pays for none.

#[cfg(feature = "lambda")]
use std::collections::BTreeMap;
use std::sync::OnceLock;
#[cfg(feature = "lambda")]
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
#[cfg(feature = "lambda")]
use aws_sdk_sns::config::retry::RetryConfig;
#[cfg(feature = "lambda")]
use aws_sdk_sqs::config::Region;
use aws_types::SdkConfig;

use super::sdk::{self, ClientError};
use super::settings::FunctionSettings;
use crate::http_client::client;

/// Every client that the function may need: of the vendors' HTTP, and one for each AWS service. A process that answers a
/// thousand events makes each of them once, or never. An error says why there is none, and is the same each time.
#[derive(Debug, Default)]
pub(super) struct Clients {
    http: OnceLock<Result<reqwest::Client, ClientError>>,
    config: OnceLock<Result<SdkConfig, ClientError>>,
    #[cfg(feature = "lambda")]
    sns: OnceLock<Result<aws_sdk_sns::Client, ClientError>>,
    #[cfg(feature = "lambda")]
    secrets: OnceLock<Result<aws_sdk_secretsmanager::Client, ClientError>>,
    #[cfg(feature = "lambda")]
    sqs: OnceLock<Result<aws_sdk_sqs::Client, ClientError>>,
    dynamodb: OnceLock<Result<aws_sdk_dynamodb::Client, ClientError>>,
    /// Those of other regions than ours, by their names.
    #[cfg(feature = "lambda")]
    sqs_elsewhere: Mutex<BTreeMap<String, aws_sdk_sqs::Client>>,
}

impl Clients {
    /// To the vendors, and under the SDK's clients.
    pub(super) fn http(&self, settings: &FunctionSettings) -> Result<&reqwest::Client, ClientError> {
        kept(&self.http, || Ok(client(settings.ca_file.as_deref())?))
    }

    /// One attempt a call: `deliver` tries again, and knows until when.
    #[cfg(feature = "lambda")]
    pub(super) fn sns(&self, settings: &FunctionSettings) -> Result<&aws_sdk_sns::Client, ClientError> {
        kept(&self.sns, || {
            let config =
                aws_sdk_sns::config::Builder::from(self.config(settings)?).retry_config(RetryConfig::disabled());
            Ok(aws_sdk_sns::Client::from_conf(config.build()))
        })
    }

    /// With the SDK's own retry.
    #[cfg(feature = "lambda")]
    pub(super) fn secrets(&self, settings: &FunctionSettings) -> Result<&aws_sdk_secretsmanager::Client, ClientError> {
        kept(&self.secrets, || Ok(aws_sdk_secretsmanager::Client::new(self.config(settings)?)))
    }

    /// With the SDK's own retry.
    #[cfg(feature = "lambda")]
    pub(super) fn sqs(&self, settings: &FunctionSettings) -> Result<&aws_sdk_sqs::Client, ClientError> {
        kept(&self.sqs, || Ok(aws_sdk_sqs::Client::new(self.config(settings)?)))
    }

    /// Of another region. A queue is asked where it is: SQS knows none of another region.
    #[cfg(feature = "lambda")]
    pub(super) fn sqs_in(&self, region: &str, settings: &FunctionSettings) -> Result<aws_sdk_sqs::Client, ClientError> {
        // A thread that dies while it holds the lock leaves the map whole.
        let mut clients = self.sqs_elsewhere.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(region) {
            return Ok(client.clone());
        }
        let config = aws_sdk_sqs::config::Builder::from(self.config(settings)?);
        let client = aws_sdk_sqs::Client::from_conf(config.region(Region::new(region.to_owned())).build());
        clients.insert(region.to_owned(), client.clone());
        Ok(client)
    }

    /// With the SDK's own retry, but soon over: an alert waits for the answer, and goes out without it.
    pub(super) fn dynamodb(&self, settings: &FunctionSettings) -> Result<&aws_sdk_dynamodb::Client, ClientError> {
        kept(&self.dynamodb, || {
            let timeouts = TimeoutConfig::builder()
                .operation_attempt_timeout(Duration::from_millis(1500))
                .operation_timeout(Duration::from_secs(4))
                .build();
            let config = aws_sdk_dynamodb::config::Builder::from(self.config(settings)?).timeout_config(timeouts);
            Ok(aws_sdk_dynamodb::Client::from_conf(config.build()))
        })
    }

    /// For a person who waits, perhaps on a slow line: DynamoDB's client has the time that the others have.
    #[cfg(all(feature = "aws", feature = "cli"))]
    pub(super) fn for_people(settings: &FunctionSettings) -> Self {
        let clients = Self::default();
        let dynamodb = clients.config(settings).map(aws_sdk_dynamodb::Client::new);
        Self { dynamodb: OnceLock::from(dynamodb), ..clients }
    }

    /// What the SDK's clients are made from.
    pub(super) fn config(&self, settings: &FunctionSettings) -> Result<&SdkConfig, ClientError> {
        kept(&self.config, || sdk::config(&settings.access, self.http(settings)?.clone()))
    }
}

fn kept<T>(
    place: &OnceLock<Result<T, ClientError>>,
    make: impl FnOnce() -> Result<T, ClientError>,
) -> Result<&T, ClientError> {
    place.get_or_init(make).as_ref().map_err(Clone::clone)
}
