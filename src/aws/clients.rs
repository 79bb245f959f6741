//! The clients, each made at its first use: an invocation that alerts nobody pays for none.

use std::sync::OnceLock;
use std::time::Duration;

use aws_sdk_sns::config::retry::RetryConfig;
use aws_sdk_sns::config::timeout::TimeoutConfig;
use aws_types::SdkConfig;

use super::{Settings, sdk};
use crate::http_client::client;

/// Every client that the function may need. An error says why there is none, and is the same each time.
#[derive(Debug, Default)]
pub(super) struct Clients {
    http: OnceLock<Result<reqwest::Client, String>>,
    config: OnceLock<Result<SdkConfig, String>>,
    sns: OnceLock<Result<aws_sdk_sns::Client, String>>,
    secrets: OnceLock<Result<aws_sdk_secretsmanager::Client, String>>,
    sqs: OnceLock<Result<aws_sdk_sqs::Client, String>>,
    dynamodb: OnceLock<Result<aws_sdk_dynamodb::Client, String>>,
}

impl Clients {
    /// To the vendors, and under the SDK's clients.
    pub(super) fn http(&self, settings: &Settings) -> Result<&reqwest::Client, String> {
        kept(&self.http, || client(settings.ca_file.as_deref()))
    }

    /// One attempt a call: `deliver` tries again, and knows until when.
    pub(super) fn sns(&self, settings: &Settings) -> Result<&aws_sdk_sns::Client, String> {
        kept(&self.sns, || {
            let config =
                aws_sdk_sns::config::Builder::from(self.config(settings)?).retry_config(RetryConfig::disabled());
            Ok(aws_sdk_sns::Client::from_conf(config.build()))
        })
    }

    /// With the SDK's own retry.
    pub(super) fn secrets(&self, settings: &Settings) -> Result<&aws_sdk_secretsmanager::Client, String> {
        kept(&self.secrets, || Ok(aws_sdk_secretsmanager::Client::new(self.config(settings)?)))
    }

    /// With the SDK's own retry.
    pub(super) fn sqs(&self, settings: &Settings) -> Result<&aws_sdk_sqs::Client, String> {
        kept(&self.sqs, || Ok(aws_sdk_sqs::Client::new(self.config(settings)?)))
    }

    /// With the SDK's own retry, but soon over: an alert waits for the answer, and goes out without it.
    pub(super) fn dynamodb(&self, settings: &Settings) -> Result<&aws_sdk_dynamodb::Client, String> {
        kept(&self.dynamodb, || {
            let timeouts = TimeoutConfig::builder()
                .operation_attempt_timeout(Duration::from_millis(1500))
                .operation_timeout(Duration::from_secs(4))
                .build();
            let config = aws_sdk_dynamodb::config::Builder::from(self.config(settings)?).timeout_config(timeouts);
            Ok(aws_sdk_dynamodb::Client::from_conf(config.build()))
        })
    }

    /// What the SDK's clients are made from.
    fn config(&self, settings: &Settings) -> Result<&SdkConfig, String> {
        kept(&self.config, || sdk::config(&settings.access, self.http(settings)?.clone()))
    }
}

fn kept<T>(place: &OnceLock<Result<T, String>>, make: impl FnOnce() -> Result<T, String>) -> Result<&T, String> {
    place.get_or_init(make).as_ref().map_err(Clone::clone)
}
