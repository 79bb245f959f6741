//! The destinations of alerts, one file each. A channel is pure: it renders an alert to a body, and then decides each step
//! of the exchange that delivers it from the replies so far. It does no I/O and knows no clock; [`crate::deliver`] sends.

mod configured;
mod content;
mod endpoint;
mod escape;
mod machine;
mod oauth;
mod pagerduty;
mod servicenow;
mod severity_map;
mod slack;
mod sns;
mod teams;
mod ticket;
mod webhook;
mod wire;
mod zendesk;

use std::time::Duration;

pub use self::configured::{ChannelFilter, ConfiguredChannel, MAX_PER_MINUTE, Refusal};
pub use self::content::{Content, event_link};
pub use self::machine::{Detail, MachineAlert};
pub use self::wire::{
    Body, ContentType, Exchange, ExchangeStep, HttpRequest, Method, Reply, Request, SnsMessage, Token, Verdict,
};
use crate::alert::Alert;
use crate::config::Problems;
use crate::config::{ObjectReader, word};
use crate::secret::CredentialFault;

/// A destination.
pub trait Channel: std::fmt::Debug + Send + Sync {
    /// Its type in `rules.json`.
    fn kind(&self) -> &'static str;

    /// Whether it has credentials at all. One that has none does not wait for the store of them.
    fn needs_credentials(&self) -> bool {
        true
    }

    /// The topic that `rules.json` names for it, which is then ours to publish to.
    fn topic_arn(&self) -> Option<&str> {
        None
    }

    /// The message, frozen: the same bytes at every attempt, with no credential in them, of [`Body::LIMIT`] at most.
    fn render(&self, alert: &Alert<'_>) -> Body;

    /// The next step of the exchange that delivers the message; here the credentials go in.
    ///
    /// # Errors
    /// A credential that is missing or cannot be right.
    fn next(&self, body: &Body, exchange: &Exchange<'_>) -> Result<ExchangeStep, CredentialFault>;
}

/// The constructor list: one line a type.
const TYPES: [(&str, Constructor); 7] = [
    ("pagerduty", pagerduty::configure),
    ("servicenow", servicenow::configure),
    ("slack", slack::configure),
    ("sns", sns::configure),
    ("teams", teams::configure),
    ("webhook", webhook::configure),
    ("zendesk", zendesk::configure),
];

type Constructor = fn(&mut ObjectReader<'_>, &mut Problems) -> Box<dyn Channel>;

/// Reads a channel of `rules.json`: its `type`, and the keys that its type has. The caller reads the filter's.
pub(crate) fn configure(fields: &mut ObjectReader<'_>, problems: &mut Problems) -> Option<Box<dyn Channel>> {
    let node = fields.require("type", problems)?;
    let constructor = word(node, "channel type", &TYPES, problems)?;
    Some(constructor(fields, problems))
}

/// The channel of a `rules.json` that names none: the deployment's own topic.
pub(crate) fn default() -> Box<dyn Channel> {
    Box::new(sns::Sns::default())
}

/// What an HTTP status means where the vendor says nothing of its own.
fn judge_status(status: u16, retry_after: Option<Duration>) -> Verdict {
    let reason = format!("HTTP {status}");
    match status {
        200..=299 => Verdict::Delivered { receipt: None },
        408 | 425 | 429 | 500..=599 => Verdict::Retry { after: retry_after, reason },
        _ => Verdict::Rejected { reason, credential: matches!(status, 401 | 403 | 404 | 410) },
    }
}

/// `json`, which must be an object, with one more member at its beginning. Nothing else of it changes, not even its order.
fn with_member(json: &str, name: &str, value: &str) -> String {
    let rest = json.strip_prefix('{').unwrap_or_default();
    let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
    format!("{{\"{name}\":{}{comma}{rest}", serde_json::Value::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_joins_and_the_rest_stays() {
        assert_eq!(with_member(r#"{"z":1.50,"a":2}"#, "k", "a\"b"), r#"{"k":"a\"b","z":1.50,"a":2}"#);
        assert_eq!(with_member("{}", "k", "v"), r#"{"k":"v"}"#);
    }
}
