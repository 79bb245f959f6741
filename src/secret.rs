//! Credentials: one JSON document keyed by channel name, `{"soc":{"webhook_url":"https://…"}}`. Nothing here ever prints one.

use std::fmt;

use serde_json::{Map, Value};

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

/// The credentials of all channels.
#[derive(Clone, Default)]
pub struct Credentials(Map<String, Value>);

impl Credentials {
    /// Reads the document.
    ///
    /// # Errors
    /// What is wrong with it, without quoting it.
    pub fn parse(json: &str) -> Result<Self, &'static str> {
        match serde_json::from_str(json) {
            Ok(Value::Object(channels)) => Ok(Self(channels)),
            Ok(_) => Err("the secret is JSON, but no object of channels"),
            Err(_) => Err("the secret is not JSON"),
        }
    }

    /// The credentials of one channel.
    pub fn of<'c>(&'c self, channel: &'c str) -> ChannelCredentials<'c> {
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialFault(pub String);

impl ChannelCredentials<'_> {
    /// The credential of this key, if there is one.
    pub fn get(&self, key: &str) -> Option<Secret> {
        self.values?.get(key)?.as_str().filter(|text| !text.is_empty()).map(Secret::new)
    }

    /// The fault of a channel that lacks credentials.
    pub fn missing(&self, keys: &str) -> CredentialFault {
        CredentialFault(format!("the secret has no {keys} under \"{}\"", self.channel))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_found_and_never_printed() {
        let credentials = Credentials::parse(r#"{"soc":{"token":"s3cret","empty":""}}"#).unwrap();
        let soc = credentials.of("soc");
        assert_eq!(soc.get("token").unwrap().expose(), "s3cret");
        assert!(soc.get("empty").is_none() && credentials.of("other").get("token").is_none());
        assert!(!format!("{credentials:?}{:?}", soc.get("token")).contains("s3cret"));
        assert!(Credentials::parse("[]").is_err() && !Credentials::parse("s3cret").unwrap_err().contains("s3cret"));
    }
}
