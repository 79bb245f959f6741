//! Credentials: one JSON document keyed by channel name, `{"soc":{"webhook_url":"https://…"}}`. Nothing here ever prints one.

use std::fmt;

use serde_json::{Map, Value};
use thiserror::Error;

/// A text that must not be seen: it prints as `<redacted>`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("<redacted>")
    }
}

/// Why the channels' credentials cannot be had. Every text is safe to log: none quotes the secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CredentialsError {
    /// The deployment names no secret, and a channel needs one.
    #[error("no secret: set OFFLIMITS_SECRET_ARN")]
    NotConfigured,
    /// The store of secrets did not hand it over, such as for want of a permission.
    #[error("cannot read the secret: {reason}")]
    Unavailable {
        /// The store's error code.
        reason: String,
    },
    /// The store of secrets did not answer, or is in trouble of its own. Another try may help.
    #[error("cannot read the secret: {reason}")]
    NoAnswer {
        /// Why there was no answer.
        reason: String,
    },
    /// The secret's text is not JSON.
    #[error("the secret is not JSON")]
    NotJson,
    /// The secret is JSON, but not an object whose keys are the channels' names.
    #[error("the secret is JSON, but not an object of channels")]
    NotAnObject,
}

/// The credentials of all channels.
#[derive(Clone, Default)]
pub struct Credentials(Map<String, Value>);

impl Credentials {
    /// Reads the document.
    ///
    /// # Errors
    /// [`CredentialsError::NotJson`] or [`CredentialsError::NotAnObject`].
    pub fn parse(json: &str) -> Result<Self, CredentialsError> {
        match serde_json::from_str(json) {
            Ok(Value::Object(channels)) => Ok(Self(channels)),
            Ok(_) => Err(CredentialsError::NotAnObject),
            Err(_) => Err(CredentialsError::NotJson),
        }
    }

    /// The credentials of one channel.
    pub fn for_channel<'c>(&'c self, channel: &'c str) -> ChannelCredentials<'c> {
        ChannelCredentials { channel, values: self.0.get(channel).and_then(Value::as_object) }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

/// The credentials of one channel.
#[derive(Clone, Copy)]
pub struct ChannelCredentials<'c> {
    channel: &'c str,
    values: Option<&'c Map<String, Value>>,
}

/// A credential that is missing or cannot be right; the text says which, and quotes none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct CredentialFault(pub String);

impl ChannelCredentials<'_> {
    /// The credential of this key, if there is one.
    ///
    /// # Errors
    /// It is not a text, or holds what a credential never holds: a line break that was pasted along, say.
    pub fn optional(&self, key: &str) -> Result<Option<Secret>, CredentialFault> {
        let Some(value) = self.values.and_then(|values| values.get(key)) else { return Ok(None) };
        let Some(text) = value.as_str() else { return Err(self.fault(key, "is not a string")) };
        match text {
            "" => Ok(None),
            _ if text.len() > MAX_CREDENTIAL_LEN => Err(self.fault(key, "is too long")),
            _ if text.trim() != text || text.chars().any(char::is_control) => {
                Err(self.fault(key, "holds a line break, or begins or ends with a space"))
            }
            _ => Ok(Some(Secret::new(text))),
        }
    }

    /// The credential of this key.
    ///
    /// # Errors
    /// As [`Self::optional`]; and there is none.
    pub fn required(&self, key: &str) -> Result<Secret, CredentialFault> {
        self.optional(key)?.ok_or_else(|| self.missing(&[key]))
    }

    /// The fault of a channel that lacks credentials: it needs one of these.
    pub fn missing(&self, keys: &[&str]) -> CredentialFault {
        let needed = keys.iter().map(|key| format!("\"{key}\"")).collect::<Vec<_>>().join(" or ");
        let written = self.values.into_iter().flat_map(Map::keys);
        // A key that is near to the right one is a slip, and may be quoted; any other might be a secret in the wrong place.
        let slip = written.into_iter().find(|key| keys.iter().any(|needed| strsim::osa_distance(key, needed) <= 2));
        let hint = slip.map(|key| format!(" (\"{key}\" is a slip)")).unwrap_or_default();
        CredentialFault(format!("the secret has no {needed} under \"{}\"{hint}", self.channel))
    }

    /// The fault of one credential, which `what` does not quote.
    pub fn fault(&self, key: &str, what: &str) -> CredentialFault {
        CredentialFault(format!("\"{key}\" under \"{}\" in the secret {what}", self.channel))
    }
}

/// The bytes that a credential may have: Microsoft's webhook URLs have 300, access tokens up to a few thousand.
const MAX_CREDENTIAL_LEN: usize = 8192;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_found_and_never_printed() {
        let credentials = Credentials::parse(
            r#"{"soc":{"token":"s3cret","empty":"","number":7,"pasted":"s3cret\n","webhok_url":"https://s3cret"}}"#,
        )
        .unwrap();
        let soc = credentials.for_channel("soc");
        assert_eq!(soc.required("token").unwrap().expose(), "s3cret");
        assert_eq!(soc.optional("empty"), Ok(None));
        assert!(credentials.for_channel("other").required("token").is_err());
        let faults = [
            soc.optional("number"),
            soc.optional("pasted"),
            soc.optional("pasted"),
            soc.required("webhook_url").map(Some),
        ];
        assert!(faults.iter().all(Result::is_err));
        assert!(format!("{faults:?}").contains("webhok_url"));
        assert!(!format!("{credentials:?}{:?}{faults:?}", soc.optional("token")).contains("s3cret"));
        assert!(
            Credentials::parse("[]").is_err()
                && !Credentials::parse("s3cret").unwrap_err().to_string().contains("s3cret")
        );
    }
}
