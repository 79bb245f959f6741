//! The destinations of alerts, one file each. A channel is pure: it renders a finding to a body, makes the request that
//! carries it, and judges the reply. It does no I/O and knows no clock; [`crate::deliver`] sends.

pub mod alert;
mod endpoint;
mod slack;
mod sns;

use std::time::Duration;

use crate::finding::Finding;
use crate::rules::diagnostic::Problems;
use crate::rules::reader::{Fields, word};
use crate::secret::{ChannelCredentials, CredentialFault, Secret};

/// A destination.
pub trait Channel: std::fmt::Debug + Send + Sync {
    /// Its type in `rules.json`.
    fn kind(&self) -> &'static str;

    /// The message, frozen: the same bytes at every attempt, with no credential in them.
    fn render(&self, finding: &Finding) -> Body;

    /// The request that carries the message; here the credentials go in.
    ///
    /// # Errors
    /// A credential that is missing or cannot be right.
    fn request(&self, body: &Body, credentials: ChannelCredentials<'_>) -> Result<Request, CredentialFault>;

    /// What a reply means.
    fn judge(&self, reply: &Reply) -> Verdict;
}

/// A message, rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// For SNS.
    Sns(SnsMessage),
    /// JSON, for an HTTP API.
    Json(String),
}

/// A message for SNS, with `MessageStructure=json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnsMessage {
    /// For email: below 100 ASCII characters, no control characters.
    pub subject: String,
    /// An object with a text for each protocol.
    pub message: String,
    /// Names and values that filter policies match.
    pub attributes: Vec<(&'static str, String)>,
}

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// A publish to SNS.
    Sns {
        /// The topic; none: the deployment's own.
        topic_arn: Option<String>,
        /// What is published.
        message: SnsMessage,
    },
    /// A POST of JSON.
    Http {
        /// Where to: itself a secret for most vendors.
        url: Secret,
        /// The value of the header `Authorization`.
        authorization: Option<Secret>,
        /// The body.
        json: String,
    },
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// SNS took the message, and gave it this id.
    Published(String),
    /// SNS refused it, with this error code.
    SnsFault(String),
    /// An HTTP answer.
    Http {
        /// The status.
        status: u16,
        /// The header `Retry-After`, as a wait.
        retry_after: Option<Duration>,
        /// The first kilobytes of the body.
        body: String,
    },
    /// Nothing came back: a short word says why.
    Unreachable(&'static str),
}

/// What a reply means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It arrived.
    Delivered,
    /// Try again, after the wait if one was asked for.
    Retry {
        /// The wait.
        after: Option<Duration>,
        /// Why, safe to log.
        reason: String,
    },
    /// It will never arrive.
    Rejected {
        /// Why, safe to log.
        reason: String,
        /// Whether a fresh credential might help.
        credential: bool,
    },
}

/// The constructor list: one line a type.
const TYPES: [(&str, Constructor); 2] = [("slack", slack::configure), ("sns", sns::configure)];

type Constructor = fn(&mut Fields<'_>, &mut Problems) -> Box<dyn Channel>;

/// Reads a channel of `rules.json`: its `type`, and the keys that its type has. The caller reads the filter's.
pub(crate) fn configure(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Box<dyn Channel>> {
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
        200..=299 => Verdict::Delivered,
        408 | 425 | 429 | 500..=599 => Verdict::Retry { after: retry_after, reason },
        _ => Verdict::Rejected { reason, credential: matches!(status, 401 | 403 | 404 | 410) },
    }
}
