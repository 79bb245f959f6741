//! The clients, each made at its first use: an invocation that alerts nobody pays for none.

use std::sync::OnceLock;

#[cfg(feature = "lambda")]
use aws_sdk_sns::config::retry::RetryConfig;
#[cfg(feature = "lambda")]
use aws_types::SdkConfig;

use super::client_error::ClientError;
#[cfg(feature = "lambda")]
use super::sdk;
use super::settings::FunctionSettings;
use super::signature::SigningKeys;
use crate::http_client::client;

/// Every client that the function may need: of HTTP, to the vendors and to AWS, and of the two services that are asked over their
/// SDK. A process that answers a thousand events makes each of them once, or never. An error says why there is none, and is the
/// same each time.
#[derive(Debug, Default)]
pub(super) struct Clients {
    http: OnceLock<Result<reqwest::Client, ClientError>>,
    keys: SigningKeys,
    #[cfg(feature = "lambda")]
    config: OnceLock<Result<SdkConfig, ClientError>>,
    #[cfg(feature = "lambda")]
    sns: OnceLock<Result<aws_sdk_sns::Client, ClientError>>,
    #[cfg(feature = "lambda")]
    secrets: OnceLock<Result<aws_sdk_secretsmanager::Client, ClientError>>,
}

impl Clients {
    /// To the vendors and to AWS, and under the SDK's clients.
    pub(super) fn http(&self, settings: &FunctionSettings) -> Result<&reqwest::Client, ClientError> {
        kept(&self.http, || Ok(client(settings.ca_file.as_deref())?))
    }

    /// What signs the requests that need no SDK.
    pub(super) const fn keys(&self) -> &SigningKeys {
        &self.keys
    }

    /// One attempt a call: `deliver` tries again, and knows until when.
    #[cfg(feature = "lambda")]
    pub(super) fn sns(&self, settings: &FunctionSettings) -> Result<&aws_sdk_sns::Client, ClientError> {
        kept(&self.sns, || {
            let config =
                aws_sdk_sns::config::Builder::from(self.config(settings)?).retry_config(RetryConfig::disabled());
            Ok(aws_sdk_sns::Client::from_conf(config.interceptor(sdk::BodyDigest).build()))
        })
    }

    /// With the SDK's own retry.
    #[cfg(feature = "lambda")]
    pub(super) fn secrets(&self, settings: &FunctionSettings) -> Result<&aws_sdk_secretsmanager::Client, ClientError> {
        kept(&self.secrets, || Ok(aws_sdk_secretsmanager::Client::new(self.config(settings)?)))
    }

    /// What the SDK's clients are made from.
    #[cfg(feature = "lambda")]
    fn config(&self, settings: &FunctionSettings) -> Result<&SdkConfig, ClientError> {
        kept(&self.config, || sdk::config(&settings.access, self.http(settings)?.clone()))
    }
}

fn kept<T>(
    place: &OnceLock<Result<T, ClientError>>,
    make: impl FnOnce() -> Result<T, ClientError>,
) -> Result<&T, ClientError> {
    place.get_or_init(make).as_ref().map_err(Clone::clone)
}
