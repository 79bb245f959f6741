//! The exchange with a tracker of tickets: find the alert's open ticket, then comment on it, or open one.
//!
//! Each attempt begins with the search. So what a lost answer left behind is found again: a ticket that holds this very
//! message is not opened, nor commented on, a second time.

use serde_json::Value;

use super::http::judge_status;
use super::{Body, Content, Exchange, ExchangeStep, HttpRequest, Reply, Request, Verdict};
use crate::alert::Alert;
use crate::ids::AlertId;
use crate::ids::FindingId;
use crate::secret::CredentialFault;

/// Characters of a part of a tag.
const TAG_LIMIT: usize = 80;

/// The requests of one tracker.
pub(super) trait Tracker {
    /// The search for the open tickets of an alert.
    fn search(&self, alert: &AlertId) -> HttpRequest;

    /// The open ticket in the search's answer, if there is one.
    ///
    /// # Errors
    /// The answer is not one of the tracker's.
    fn found(&self, answer: &Value) -> Result<Option<OpenTicket>, ()>;

    /// The request that opens a ticket.
    fn open(&self, key: &FindingId, document: &str) -> HttpRequest;

    /// The request that comments on a ticket.
    fn comment(&self, ticket: &OpenTicket, document: &str) -> HttpRequest;

    /// What a ticket is called, from the answer to [`Self::open`] or [`Self::comment`].
    fn receipt(&self, answer: &Value) -> Option<String>;
}

/// A ticket that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OpenTicket {
    /// Its id in URLs: digits and letters only.
    pub(super) id: String,
    /// What people call it.
    pub(super) name: String,
    /// The text that it was opened with.
    pub(super) text: String,
}

/// The next step of the exchange, by the replies so far.
pub(super) fn next(
    tracker: &impl Tracker,
    body: &Body,
    exchange: &Exchange<'_>,
) -> Result<ExchangeStep, CredentialFault> {
    let Body::Ticket { alert, key, open, comment } = body else {
        return Ok(ExchangeStep::Judged(Verdict::foreign("the body")));
    };
    let send = |request| Ok(ExchangeStep::Send(Request::Http(request)));
    let [searched, written @ ..] = exchange.replies else { return send(tracker.search(alert)) };
    let answer = match answer(searched) {
        Ok(answer) => answer,
        Err(verdict) => return Ok(ExchangeStep::Judged(verdict)),
    };
    let Ok(ticket) = tracker.found(&answer) else {
        let reason = "the search's answer cannot be read".to_owned();
        return Ok(ExchangeStep::Judged(Verdict::Retry { after: None, reason }));
    };
    match (ticket, written) {
        // An earlier attempt opened it, and its answer was lost.
        (Some(ticket), []) if ticket.text.contains(key.as_str()) => {
            Ok(ExchangeStep::Judged(Verdict::Delivered { receipt: Some(ticket.name) }))
        }
        (Some(ticket), []) => send(tracker.comment(&ticket, comment)),
        // There is none; or it was closed, or deleted, between the search and the comment.
        (None, []) | (Some(_), [Reply::Http { status: 404 | 410 | 422, .. }]) => send(tracker.open(key, open)),
        (_, [.., last]) => Ok(ExchangeStep::Judged(match self::answer(last) {
            Ok(answer) => Verdict::Delivered { receipt: tracker.receipt(&answer) },
            Err(verdict) => verdict,
        })),
    }
}

/// The document in a reply, if the reply is a success; otherwise the verdict on it.
pub(super) fn answer(reply: &Reply) -> Result<Value, Verdict> {
    match reply {
        Reply::Http { status, retry_after, body } => match judge_status(*status, *retry_after) {
            Verdict::Delivered { .. } => Ok(serde_json::from_str(body).unwrap_or_default()),
            verdict => Err(verdict),
        },
        Reply::Unreachable(reason) => Err(Verdict::Retry { after: None, reason: (*reason).to_owned() }),
        Reply::Published(_) | Reply::SnsFault(_) => Err(Verdict::foreign("the reply")),
    }
}

/// `offlimits`, `offlimits-high`, `offlimits-rule-cis-10`, `offlimits-account-111122223333`, `offlimits-region-us-east-1`: what views,
/// filters and triggers select by.
pub(super) fn tags(alert: &Alert<'_>, content: &Content) -> Vec<String> {
    let call = &alert.finding.call;
    let is_event = alert.kind.is_about_events();
    let of_call = |value: &Option<String>| value.clone().filter(|_| is_event);
    let named =
        [("rule", Some(content.rule.clone())), ("account", of_call(&call.account)), ("region", of_call(&call.region))];
    let named = named.into_iter().filter_map(|(name, value)| {
        let value = tag(&value?);
        (!value.is_empty()).then(|| format!("offlimits-{name}-{value}"))
    });
    ["offlimits".to_owned(), format!("offlimits-{}", content.severity)].into_iter().chain(named).collect()
}

/// A text as a part of a tag: small letters, digits, `-` and `_`, which every tracker takes. Zendesk also takes `:` and `/`, no other
/// sign, and makes all letters small.
/// Source: <https://support.zendesk.com/hc/en-us/articles/4408835059482-Working-with-ticket-tags>.
fn tag(text: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { '-' };
    let text: String = text.chars().take(TAG_LIMIT).map(kept).collect();
    text.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}
