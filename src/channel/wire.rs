//! What passes between a channel and [`crate::deliver`]: the frozen message, requests, replies, and what a reply means.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::AlertId;
use crate::ids::FindingId;
use crate::secret::{ChannelCredentials, Secret};

/// A message, rendered and frozen: the same bytes at every attempt, also after a stay in a queue, and no credential in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "lowercase")]
pub enum Body {
    /// A message for SNS.
    Sns(SnsMessage),
    /// JSON, for an HTTP API that takes it as it is.
    Json {
        /// The message's key, for vendors that recognise a repeated request by one.
        key: FindingId,
        /// The document: an object.
        json: String,
    },
    /// For a tracker of tickets: one is opened, unless one of this alert is open, which then gets a comment.
    Ticket {
        /// The alert, by which an open ticket is found.
        alert: AlertId,
        /// The message's key.
        key: FindingId,
        /// The document that opens a ticket.
        open: String,
        /// The document that adds a comment.
        comment: String,
    },
}

impl Body {
    /// Bytes of a serialised body, 128 KiB: half of what a message in SQS could hold until 2025, so that it fits into one with all
    /// that travels beside it. <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>
    pub const LIMIT: usize = 128 * 1024;
}

/// A message for SNS: a text for each kind of subscriber.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnsMessage {
    /// The subject of the email: below 100 ASCII characters, no control characters.
    pub subject: String,
    /// The text for people who read it as an email.
    pub email: String,
    /// The text for people in a hurry: it fits into one part of an SMS.
    pub sms: String,
    /// The JSON for machines.
    pub machine: String,
    /// What HTTPS subscribers get, where it is not the JSON for machines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub https: Option<String>,
    /// Names and values that filter policies match.
    pub attributes: Vec<(String, String)>,
}

/// One request to a vendor, which the transport sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// A publish to SNS, with `MessageStructure=json`.
    Sns {
        /// The topic; `None` stands for the deployment's own.
        topic_arn: Option<String>,
        /// The subject of the email.
        subject: String,
        /// An object with a text for each protocol.
        message: String,
        /// Names and values that filter policies match.
        attributes: Vec<(String, String)>,
    },
    /// An HTTP request.
    Http(HttpRequest),
}

/// An HTTP request. Whatever may hold a credential is a [`Secret`]: the URL of a webhook, a header, a body with a key in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// The request's method.
    pub method: Method,
    /// The URL to which the request is sent.
    pub url: Secret,
    /// The headers: each one's name, in lower case, and its value.
    pub headers: Vec<(&'static str, Secret)>,
    /// The type of the request's content, and the content itself.
    pub content: Option<(ContentType, Secret)>,
}

/// The methods that channels use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "HTTP's own")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
}

/// The types of content that channels send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentType {
    /// A JSON document.
    Json,
    /// A form, as OAuth's token endpoints take it.
    Form,
}

impl ContentType {
    /// The value of the header `Content-Type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::Form => "application/x-www-form-urlencoded",
        }
    }
}

impl HttpRequest {
    /// A POST request that carries JSON.
    pub(super) fn post(url: Secret, json: impl Into<String>) -> Self {
        Self::with(Method::Post, url, json)
    }

    /// A GET request, which carries nothing.
    pub(super) fn get(url: Secret) -> Self {
        Self { method: Method::Get, url, headers: Vec::new(), content: None }
    }

    /// A request that carries JSON.
    pub(super) fn with(method: Method, url: Secret, json: impl Into<String>) -> Self {
        let content = Some((ContentType::Json, Secret::new(json)));
        Self { method, url, headers: Vec::new(), content }
    }

    /// The request with one more header.
    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, Secret::new(value)));
        self
    }
}

impl HttpRequest {
    /// The request with a header that holds a credential.
    pub(super) fn secret_header(self, name: &'static str, value: &Secret) -> Self {
        self.header(name, value.expose())
    }
}

/// What came back from a vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// SNS took the message, and gave it this id.
    Published(String),
    /// SNS refused it, with this error code.
    SnsFault(String),
    /// The vendor answered over HTTP.
    Http {
        /// The status code.
        status: u16,
        /// The header `Retry-After`, as a wait.
        retry_after: Option<Duration>,
        /// The first kilobytes of the body.
        body: String,
    },
    /// Nothing came back: a short word says why.
    Unreachable(&'static str),
}

impl Reply {
    /// Nothing came back within the time that there was.
    pub const TIMEOUT: Self = Self::Unreachable("timeout");
}

/// An exchange with a vendor, so far: what the channel needs to know for its next step.
#[derive(Clone, Copy)]
pub struct Exchange<'e> {
    /// The channel's credentials.
    pub credentials: ChannelCredentials<'e>,
    /// The access token that they gave, if there is one.
    pub token: Option<&'e Secret>,
    /// The replies so far, without those that gave the token.
    pub replies: &'e [Reply],
    /// The time, in seconds since 1970: signatures hold it.
    pub now: u64,
}

impl fmt::Debug for Exchange<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Exchange").field("replies", &self.replies.len()).finish_non_exhaustive()
    }
}

/// The next step of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExchangeStep {
    /// Send this, and ask again with the reply.
    Send(Request),
    /// Keep this access token, and ask again with it.
    Token(Token),
    /// The exchange is over, with this verdict.
    Judged(Verdict),
}

/// A short-lived credential that a vendor gave for the channel's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The token itself.
    pub secret: Secret,
    /// How long it is good for.
    pub lifetime: Duration,
}

/// How an exchange ended: whether the message arrived, and if not, whether to try again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The message arrived.
    Delivered {
        /// What the vendor calls the message, if the alert's next message needs to know.
        receipt: Option<String>,
    },
    /// Try again, after the wait if one was asked for.
    Retry {
        /// The wait that the vendor asked for.
        after: Option<Duration>,
        /// Why, safe to log.
        reason: String,
    },
    /// It is not the message that is refused, but who sends it, or where to: a credential, a permission, a key or an address is
    /// not in order. Somebody can mend that, and the message is right once it is mended.
    Refused {
        /// Why, safe to log.
        reason: String,
    },
    /// The vendor does not take the message, and never will: the message itself is not in order.
    Rejected {
        /// Why, safe to log.
        reason: String,
    },
}

/// Whether a vendor's error is a word, and may be repeated in a log. Whatever else is answered may echo a secret.
pub(super) fn is_word(error: &str) -> bool {
    !error.is_empty() && error.len() < 60 && error.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delivered { .. } => formatter.write_str("delivered"),
            Self::Retry { reason, .. } => formatter.write_str(reason),
            Self::Refused { reason } => write!(formatter, "refused: {reason}"),
            Self::Rejected { reason } => write!(formatter, "rejected: {reason}"),
        }
    }
}

impl Verdict {
    /// The verdict on a reply, or a body, that cannot be this channel's. `what` names it.
    pub(super) fn foreign(what: &str) -> Self {
        Self::Rejected { reason: format!("{what} is not this channel's") }
    }
}
