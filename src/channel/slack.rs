//! Slack: an incoming webhook (`webhook_url`), or a bot (`bot_token` and `channel`).
//!
//! `blocks` has what a message looks like. Source:
//! <https://docs.slack.dev/reference/methods/chat.postMessage> for the length of a message, threads and errors.

use serde_json::{Value, json};

use super::http::{judge_status, with_member};
use super::kind::object;
use super::severity_map::{SeverityMap, severity_map};
use super::wire::is_word;
use super::{
    Body, Channel, ChannelType, Content, Credential, Exchange, ExchangeStep, HttpRequest, Reply, Request, Verdict,
    blocks, endpoint,
};
use crate::alert::{Alert, AlertKind};
use crate::config::{KeySpec, TextFormat, ValueShape, docs};
use crate::secret::{ChannelCredentials, CredentialFault, Secret};
use crate::text::clip;

/// Characters of a message, all of it: Slack takes about 12,000 in its blocks, which it says nowhere (`msg_blocks_too_long`).
const MESSAGE_LIMIT: usize = 12_000;
/// Characters of one text, from the most to the least: the first with which the message fits is taken.
const TEXT_LIMITS: [usize; 4] = [1500, 700, 300, 100];
/// Characters of a conversation's name.
const NAME_LIMIT: usize = 80;
/// Characters of the fallback that notifications show.
const FALLBACK_LIMIT: usize = 400;

const WEBHOOK_HOSTS: [&str; 2] = ["hooks.slack.com", "hooks.slack-gov.com"];
const API_HOSTS: [&str; 2] = ["slack.com", "slack-gov.com"];
const API: &str = "https://slack.com/api/chat.postMessage";

/// Errors of Slack that pass by themselves.
const PASSING: [&str; 6] =
    ["ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"];
/// Errors of Slack that blame the message. Any other says that a credential, a permission or a channel is not in order, or comes
/// from something on the way.
const MALFORMED: [&str; 12] = [
    "invalid_arguments",
    "invalid_attachments",
    "invalid_blocks",
    "invalid_blocks_format",
    "invalid_form_data",
    "invalid_json",
    "invalid_payload",
    "msg_blocks_too_long",
    "msg_too_long",
    "no_text",
    "too_many_attachments",
    "user_not_found",
];

/// Errors of Slack that say that the alert's thread is not there, or takes no more: the message then stands on its own.
const THREAD: [&str; 5] = [
    "cannot_reply_to_message",
    "invalid_thread_ts",
    "message_not_found",
    "restricted_action_thread_locked",
    "thread_not_found",
];

/// A channel that posts to Slack.
#[derive(Debug)]
struct Slack {
    /// The conversation, for a bot; the secret may name it instead.
    channel: Option<String>,
    colours: SeverityMap,
}

const KEYS: &[KeySpec] = &[
    KeySpec::new(
        "channel",
        ValueShape::Formatted(&CONVERSATION),
        docs!(
            "For a bot: the conversation, such as `C0123456789`. It may stand in the secret instead; a webhook has its own."
        ),
    ),
    severity_map(
        &BAR_COLOUR,
        &["#3498DB", "#F1C40F", "#E67E22", "#C0392B", "#7B001C"],
        docs!("The colour of the bar for a severity."),
    ),
];

/// The type `slack`.
pub(super) static TYPE: ChannelType = ChannelType {
    summary: docs!("an incoming webhook, or a bot"),
    repeats: docs!("in the first alert's thread (bot); a message of its own (webhook)"),
    object: object("slack", docs!("Messages in Slack."), KEYS),
    credentials: &[
        Credential {
            name: "webhook_url",
            docs: docs!("The URL of an incoming webhook. This, or `bot_token`, is needed."),
        },
        Credential { name: "bot_token", docs: docs!("A bot's token, which begins with `xoxb-`.") },
        Credential { name: "channel", docs: docs!("For a bot: the conversation, if `rules.json` names none.") },
        Credential {
            name: "api_url",
            docs: docs!("For a bot in GovSlack: `https://slack-gov.com/api/chat.postMessage`."),
        },
    ],
    configure: |fields, problems| {
        let channel = fields.text("channel", problems).map(str::to_owned);
        Box::new(Slack { channel, colours: SeverityMap::read(fields, problems) })
    },
};

static CONVERSATION: TextFormat = TextFormat {
    what: "conversation of Slack",
    code: "bad-name",
    pattern: "",
    max_characters: Some(NAME_LIMIT),
    fits: |name| name.chars().all(|c| c.is_alphanumeric() || "#-_.".contains(c)),
    remedy: |_| "write its id, such as C0123456789: \"Copy link\" in Slack ends in it".into(),
};

static BAR_COLOUR: ValueShape = ValueShape::Formatted(&TextFormat {
    what: "colour",
    code: "unknown-value",
    pattern: "^#[0-9A-Fa-f]{6}$",
    max_characters: None,
    fits: |text| {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
        digits.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
    },
    remedy: |_| "write six hexadecimal digits, such as \"#C0392B\"".into(),
});

impl Channel for Slack {
    fn channel_type(&self) -> &'static ChannelType {
        &TYPE
    }

    fn render(&self, alert: &Alert<'_>) -> Body {
        let json = Content::new(alert).fitted(
            TEXT_LIMITS,
            |content| self.message(alert, content).to_string(),
            |json| json.chars().count() <= MESSAGE_LIMIT,
        );
        Body::Json { key: alert.key(), json }
    }

    fn next(&self, body: &Body, exchange: &Exchange<'_>) -> Result<ExchangeStep, CredentialFault> {
        let Body::Json { json, .. } = body else { return Ok(ExchangeStep::Judged(Verdict::foreign("the body"))) };
        let verdict = exchange.replies.last().map(judge);
        match (exchange.replies.len(), verdict) {
            (1, Some(Verdict::Refused { reason } | Verdict::Rejected { reason }))
                if THREAD.contains(&reason.as_str()) =>
            {
                Ok(ExchangeStep::Send(Request::Http(self.request(&without_thread(json), exchange.credentials)?)))
            }
            (_, Some(verdict)) => Ok(ExchangeStep::Judged(verdict)),
            (_, None) => Ok(ExchangeStep::Send(Request::Http(self.request(json, exchange.credentials)?))),
        }
    }
}

impl Slack {
    /// What has to be seen stands at the top, in blocks: Slack folds long attachments away, and their colour is all that blocks
    /// lack. Beside blocks `text` is shown in notifications only.
    /// Sources: <https://docs.slack.dev/reference/methods/chat.postMessage> and
    /// <https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments>.
    fn message(&self, alert: &Alert<'_>, content: &Content) -> Value {
        let (blocks, details) = (blocks::first(content), blocks::details(content));
        let mut message = json!({
            "text": blocks::escape(&clip(&content.summary(), FALLBACK_LIMIT)),
            "blocks": blocks,
            "attachments": [{"color": self.colours.get(content.severity), "blocks": details}],
            "unfurl_links": false,
            "unfurl_media": false,
        });
        if let Some(channel) = &self.channel {
            message["channel"] = json!(channel);
        }
        let is_later =
            matches!(alert.kind, AlertKind::Repeat | AlertKind::News | AlertKind::RollUp(_) | AlertKind::Update(_));
        if let Some(thread) = alert.receipt.filter(|_| is_later) {
            message["thread_ts"] = json!(thread);
            // A repeat is worse than those before it: nobody should have to open the thread to see it.
            message["reply_broadcast"] = json!(matches!(alert.kind, AlertKind::Repeat | AlertKind::News));
        }
        message
    }

    fn request(&self, json: &str, credentials: ChannelCredentials<'_>) -> Result<HttpRequest, CredentialFault> {
        if let Some(url) = credentials.optional("webhook_url")? {
            return Ok(HttpRequest::post(endpoint::checked("webhook_url", url, &WEBHOOK_HOSTS)?, json));
        }
        let Some(token) = credentials.optional("bot_token")? else {
            return Err(credentials.missing(&["webhook_url", "bot_token"]));
        };
        let url = credentials.optional("api_url")?.unwrap_or_else(|| Secret::new(API));
        let url = endpoint::checked("api_url", url, &API_HOSTS)?;
        let json = if self.channel.is_none() {
            let channel = credentials.required("channel")?;
            with_member(json, "channel", channel.expose())
        } else {
            json.to_owned()
        };
        Ok(HttpRequest::post(url, json).header("authorization", format!("Bearer {}", token.expose())))
    }
}

fn judge(reply: &Reply) -> Verdict {
    let (status, retry_after, body) = match reply {
        Reply::Http { status, retry_after, body } => (*status, *retry_after, body.trim()),
        Reply::Unreachable(reason) => return Verdict::Retry { after: None, reason: (*reason).to_owned() },
        Reply::Published(_) | Reply::SnsFault(_) => return Verdict::foreign("the reply"),
    };
    // The Web API answers 200 to everything and says in `ok` what it means; webhooks answer in plain text.
    let answer: Option<Value> = serde_json::from_str(body).ok();
    let ok = answer.as_ref().and_then(|answer| answer["ok"].as_bool());
    let error = answer.as_ref().and_then(|answer| answer["error"].as_str()).unwrap_or(body);
    match (status, ok) {
        (200, Some(true)) => {
            Verdict::Delivered { receipt: answer.and_then(|answer| Some(answer["ts"].as_str()?.to_owned())) }
        }
        (200, None) if body == "ok" => Verdict::Delivered { receipt: None },
        (408 | 425 | 429 | 500..=599, _) => judge_status(status, retry_after),
        _ if PASSING.contains(&error) => Verdict::Retry { after: retry_after, reason: error.to_owned() },
        _ => {
            let reason = if is_word(error) { error.to_owned() } else { format!("HTTP {status}") };
            if status == 400 || MALFORMED.contains(&error) {
                Verdict::Rejected { reason }
            } else {
                Verdict::Refused { reason }
            }
        }
    }
}

fn without_thread(json: &str) -> String {
    let mut message: Value = serde_json::from_str(json).unwrap_or_default();
    if let Some(message) = message.as_object_mut() {
        message.remove("thread_ts");
        message.remove("reply_broadcast");
    }
    message.to_string()
}
