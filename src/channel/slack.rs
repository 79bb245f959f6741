//! Slack: an incoming webhook (`webhook_url`), or a bot (`bot_token` and `channel`).
//!
//! Limits: Slack API, "Block Kit" and "chat.postMessage".

use serde_json::{Value, json};

use super::{
    Body, Channel, Content, Exchange, HttpRequest, Reply, Request, Step, Verdict, endpoint, judge_status, with_member,
};
use crate::alert::Alert;
use crate::rules::diagnostic::Problems;
use crate::rules::reader::Fields;
use crate::secret::{ChannelCredentials, CredentialFault, Secret};
use crate::severity::Severity;
use crate::text::clip;

/// Characters of a header block.
const HEADER_LIMIT: usize = 150;
/// Characters of a section's text that we use: the block takes 3,000, a message of 50 blocks about 12,000 in all.
const SECTION_LIMIT: usize = 1500;
/// Characters of a field's text: the block takes ten fields of 2,000.
const FIELD_LIMIT: usize = 1100;
/// Characters of a link in Slack's markup: two of them stand in a text of 3,000.
const LINK_LIMIT: usize = 1490;
/// Characters of the fallback that notifications show.
const FALLBACK_LIMIT: usize = 400;
/// Characters of the text in a footer.
const FOOTER_LIMIT: usize = 300;

const WEBHOOK_HOSTS: [&str; 2] = ["hooks.slack.com", "hooks.slack-gov.com"];
const API_HOSTS: [&str; 2] = ["slack.com", "slack-gov.com"];
const API: &str = "https://slack.com/api/chat.postMessage";

/// Errors of Slack that pass: all others are final.
const PASSING: [&str; 6] =
    ["ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"];
/// Errors of Slack that a fresh credential may mend.
const CREDENTIAL: [&str; 9] = [
    "invalid_auth",
    "not_authed",
    "token_revoked",
    "token_expired",
    "account_inactive",
    "invalid_token",
    "no_service",
    "no_active_hooks",
    "no_team",
];

/// Posts to Slack.
#[derive(Debug)]
struct Slack {
    /// The conversation, for a bot; the secret may name it instead.
    channel: Option<String>,
}

pub(super) fn configure(fields: &mut Fields<'_>, problems: &mut Problems) -> Box<dyn Channel> {
    let channel = fields.string("channel", problems).map(str::to_owned);
    Box::new(Slack { channel })
}

impl Channel for Slack {
    fn kind(&self) -> &'static str {
        "slack"
    }

    fn render(&self, alert: &Alert<'_>) -> Body {
        let content = Content::of(alert);
        let mut blocks = vec![
            json!({"type": "header", "text": plain(&content.heading, HEADER_LIMIT)}),
            json!({"type": "section", "text": plain(&content.sentence, SECTION_LIMIT)}),
        ];
        let facts: Vec<Value> =
            content.facts.iter().map(|(name, value)| plain(&format!("{name}\n{value}"), FIELD_LIMIT)).collect();
        if !facts.is_empty() {
            blocks.push(json!({"type": "section", "fields": facts}));
        }
        if let Some(description) = &content.description {
            blocks.push(json!({"type": "section", "text": plain(description, SECTION_LIMIT)}));
        }
        let links: Vec<String> = content
            .links
            .iter()
            .map(|(name, link)| format!("<{}|{name}>", escape(link)))
            .filter(|link| link.chars().count() <= LINK_LIMIT)
            .collect();
        if !links.is_empty() {
            blocks.push(json!({"type": "section", "text": {"type": "mrkdwn", "text": links.join("  ·  ")}}));
        }
        blocks.push(json!({"type": "context", "elements": [plain(&content.footer, FOOTER_LIMIT)]}));
        let fallback = format!("{} · {}", content.heading, content.sentence);
        let mut message = json!({
            "text": escape(&clip(&fallback, FALLBACK_LIMIT)),
            "attachments": [{"color": colour(content.severity), "blocks": blocks}],
            "unfurl_links": false,
            "unfurl_media": false,
        });
        if let (Some(channel), Some(message)) = (&self.channel, message.as_object_mut()) {
            message.insert("channel".to_owned(), json!(channel));
        }
        Body::Json { key: alert.key(), json: message.to_string() }
    }

    fn next(&self, body: &Body, exchange: &Exchange<'_>) -> Result<Step, CredentialFault> {
        let Body::Json { json, .. } = body else { return Ok(Step::Judged(Verdict::foreign("the body"))) };
        match exchange.replies.last() {
            None => Ok(Step::Send(Request::Http(self.request(json, exchange.credentials)?))),
            Some(reply) => Ok(Step::Judged(judge(reply))),
        }
    }
}

impl Slack {
    fn request(&self, json: &str, credentials: ChannelCredentials<'_>) -> Result<HttpRequest, CredentialFault> {
        if let Some(url) = credentials.get("webhook_url") {
            if !endpoint::is_allowed(url.expose(), &WEBHOOK_HOSTS) {
                return Err(CredentialFault("\"webhook_url\" is not https on hooks.slack.com".to_owned()));
            }
            return Ok(HttpRequest::post(url, json));
        }
        let Some(token) = credentials.get("bot_token") else {
            return Err(credentials.missing("\"webhook_url\", nor a \"bot_token\","));
        };
        let url = credentials.get("api_url").unwrap_or_else(|| Secret::new(API));
        if !endpoint::is_allowed(url.expose(), &API_HOSTS) {
            return Err(CredentialFault("\"api_url\" is not https on slack.com".to_owned()));
        }
        let json = if self.channel.is_none() {
            let channel =
                credentials.get("channel").ok_or_else(|| credentials.missing("\"channel\" (nor has rules.json)"))?;
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
        (429 | 500..=599, _) => judge_status(status, retry_after),
        _ if PASSING.contains(&error) => Verdict::Retry { after: retry_after, reason: error.to_owned() },
        _ => {
            // Only Slack's own words are repeated: whatever else answers may echo a secret.
            let is_word =
                !error.is_empty() && error.len() < 60 && error.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            let reason = if is_word { error.to_owned() } else { format!("HTTP {status}") };
            Verdict::Rejected { reason, credential: CREDENTIAL.contains(&error) }
        }
    }
}

/// Untrusted text: as `plain_text` Slack reads no mention, link or format in it.
fn plain(text: &str, limit: usize) -> Value {
    json!({"type": "plain_text", "text": clip(text, limit), "emoji": false})
}

/// The three characters that mean something in Slack's markup. Escaped after clipping, so that no entity is cut.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Extreme => "#7B001C",
        Severity::VeryHigh => "#C0392B",
        Severity::High => "#E67E22",
        Severity::Medium => "#F1C40F",
        Severity::Low => "#3498DB",
    }
}
