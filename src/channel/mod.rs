//! The destinations of alerts, one file each. A channel is pure: it renders an alert to a body, and then decides each step
//! of the exchange that delivers it from the replies so far. It does no I/O and knows no clock; [`crate::deliver`] sends.
//!
//! A file declares its type ([`ChannelType`]): its name, its keys in `rules.json` and in the secret, and what it does. To add
//! one, write its file, and its name twice here.
//!
//! `kind` makes a channel of its object in `rules.json`, and `configured` holds it with its name and its filter, which decides
//! whether a finding goes to it (`hours`: by the hour). `content` has the words of an alert, `changes` what was changed and what to do first, `facts` and
//! `links` what it tells and where it leads (`inert`: texts in which nothing acts), and `machine` its JSON. `wire` has what passes between a channel and
//! [`crate::deliver`]. `ticket` and `oauth` are exchanges that several vendors share, `email`, `sms` and `amazon_q` are the texts of a topic,
//! `plain` is the text of those who show one as it is, `adf` a document
//! of Atlassian's, and `blocks` what Slack shows.
//!
//! Every message to people is laid out in one order: the severity and the title; the sentence; what changed; what to do first;
//! the facts; the links; the footer.

mod amazon_q;
mod ascii;
mod blocks;
mod changes;
mod configured;
mod content;
mod email;
mod endpoint;
mod escape;
mod facts;
mod hours;
mod http;
mod inert;
mod kind;
mod links;
mod machine;
mod oauth;
mod plain;
mod severity_map;
mod sms;
mod ticket;
mod wire;

mod jira;
mod jsm;
mod pagerduty;
mod servicenow;
mod servicenow_events;
mod slack;
mod sns;
mod teams;
mod webhook;
mod zendesk;

pub use self::configured::{ChannelFilter, ConfiguredChannel, MAX_PER_MINUTE, Refusal};
pub use self::content::Content;
pub(crate) use self::endpoint::leads_inside;
#[cfg(feature = "cli")]
pub(crate) use self::kind::COMMON_KEYS;
pub(crate) use self::kind::{CHANNEL, read};
pub use self::kind::{ChannelType, Credential};
pub use self::links::event_link;
pub use self::machine::{Detail, MachineAlert};
pub use self::wire::{
    Body, ContentType, Exchange, ExchangeStep, HttpRequest, Method, Reply, Request, SnsMessage, Token, Verdict,
};
use crate::alert::Alert;
use crate::secret::CredentialFault;

/// Every type of channel, in the order of the pages.
pub static TYPES: [&ChannelType; 10] = [
    &sns::TYPE,
    &slack::TYPE,
    &pagerduty::TYPE,
    &jsm::TYPE,
    &zendesk::TYPE,
    &servicenow::TYPE,
    &servicenow_events::TYPE,
    &jira::TYPE,
    &teams::TYPE,
    &webhook::TYPE,
];

/// A destination of alerts, with its settings from `rules.json`. Each type of channel implements it in its own file.
pub trait Channel: std::fmt::Debug + Send + Sync {
    /// The type of the channel, as its file declares it.
    fn channel_type(&self) -> &'static ChannelType;

    /// The name of its type, as `rules.json` has it: `slack`.
    fn kind(&self) -> &'static str {
        self.channel_type().name()
    }

    /// Whether a message of it stands alone, with no thread, ticket or other object of its alert behind it: then the roll-ups of one
    /// minute are told in one.
    fn tells_roll_ups_together(&self) -> bool {
        false
    }

    /// Whether it has credentials at all. One that has none does not wait for the store of them.
    fn needs_credentials(&self) -> bool {
        !self.channel_type().credentials.is_empty()
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

/// The channel of a `rules.json` that names none: the deployment's own topic.
pub(crate) fn default() -> Box<dyn Channel> {
    Box::new(sns::Sns::default())
}
