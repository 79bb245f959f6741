//! Slack: an incoming webhook (`webhook_url`), or a bot (`bot_token` and `channel`).
//!
//! Limits: Slack API, "Block Kit" and "chat.postMessage".

use serde_json::{Value, json};

use super::alert::{event_link, facts};
use super::{Body, Channel, Reply, Request, Verdict, endpoint, judge_status};
use crate::finding::Finding;
use crate::rules::diagnostic::Problems;
use crate::rules::reader::Fields;
use crate::secret::{ChannelCredentials, CredentialFault, Secret};
use crate::severity::Severity;
use crate::text::{clean, clip};

/// Characters of a header block.
const HEADER_LIMIT: usize = 150;
/// Characters of a section's text that we use: the block takes 3,000, a message of 50 blocks about 12,000 in all.
const SECTION_LIMIT: usize = 1500;
/// Characters of the fallback that notifications show.
const FALLBACK_LIMIT: usize = 400;
/// Characters of the text in a footer.
const FOOTER_LIMIT: usize = 300;
/// Characters of a link: the longest that a block takes.
const LINK_LIMIT: usize = 2900;

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

    fn render(&self, finding: &Finding) -> Body {
        let Finding { rule, severity, title, call, .. } = finding;
        let heading = format!("{}: {}", severity.label(), clean(title));
        let fields: Vec<Value> =
            facts(finding).iter().map(|(name, value)| plain(&format!("{name}\n{value}"), SECTION_LIMIT)).collect();
        let mut blocks = vec![
            json!({"type": "header", "text": plain(&heading, HEADER_LIMIT)}),
            json!({"type": "section", "text": plain(&clean(&call.sentence), SECTION_LIMIT)}),
        ];
        if !fields.is_empty() {
            blocks.push(json!({"type": "section", "fields": fields}));
        }
        if let Some(description) = &rule.description {
            blocks.push(json!({"type": "section", "text": plain(&clean(description), SECTION_LIMIT)}));
        }
        let links: Vec<String> = [(rule.runbook.clone(), "Runbook"), (event_link(finding), "Event in CloudTrail")]
            .into_iter()
            .filter_map(|(link, name)| {
                Some(format!("<{}|{name}>", escape(&link.filter(|l| l.len() < LINK_LIMIT / 2)?)))
            })
            .collect();
        if !links.is_empty() {
            blocks.push(json!({"type": "section", "text": {"type": "mrkdwn", "text": links.join("  ·  ")}}));
        }
        let event = call.event_id.as_deref().map_or("none".into(), clean);
        let footer = format!("rule {} · event {event} · rules {}", rule.id, rule.rules_digest);
        blocks.push(json!({"type": "context", "elements": [plain(&footer, FOOTER_LIMIT)]}));
        let fallback = format!("[{}] {} · {}", severity.label(), clean(title), clean(&call.sentence));
        let mut message = json!({
            "text": escape(&clip(&fallback, FALLBACK_LIMIT)),
            "attachments": [{"color": colour(*severity), "blocks": blocks}],
            "unfurl_links": false,
            "unfurl_media": false,
        });
        if let (Some(channel), Some(message)) = (&self.channel, message.as_object_mut()) {
            message.insert("channel".to_owned(), json!(channel));
        }
        Body::Json(message.to_string())
    }

    fn request(&self, body: &Body, credentials: ChannelCredentials<'_>) -> Result<Request, CredentialFault> {
        let Body::Json(json) = body else { return Err(CredentialFault("the body is not for Slack".to_owned())) };
        if let Some(url) = credentials.get("webhook_url") {
            if !endpoint::is_allowed(url.expose(), &WEBHOOK_HOSTS) {
                return Err(CredentialFault("\"webhook_url\" is not https on hooks.slack.com".to_owned()));
            }
            return Ok(Request::Http { url, authorization: None, json: json.clone() });
        }
        let Some(token) = credentials.get("bot_token") else {
            return Err(credentials.missing("\"webhook_url\", nor a \"bot_token\","));
        };
        let url = credentials.get("api_url").unwrap_or_else(|| Secret::new(API));
        if !endpoint::is_allowed(url.expose(), &API_HOSTS) {
            return Err(CredentialFault("\"api_url\" is not https on slack.com".to_owned()));
        }
        let mut json = json.clone();
        if self.channel.is_none() {
            let channel =
                credentials.get("channel").ok_or_else(|| credentials.missing("\"channel\" (nor has rules.json)"))?;
            let mut message: Value = serde_json::from_str(&json).unwrap_or_default();
            if let Some(message) = message.as_object_mut() {
                message.insert("channel".to_owned(), json!(channel.expose()));
            }
            json = message.to_string();
        }
        Ok(Request::Http { url, authorization: Some(Secret::new(format!("Bearer {}", token.expose()))), json })
    }

    fn judge(&self, reply: &Reply) -> Verdict {
        let (status, retry_after, body) = match reply {
            Reply::Http { status, retry_after, body } => (*status, *retry_after, body.trim()),
            Reply::Unreachable(reason) => return Verdict::Retry { after: None, reason: (*reason).to_owned() },
            Reply::Published(_) | Reply::SnsFault(_) => {
                return Verdict::Rejected { reason: "not Slack's reply".to_owned(), credential: false };
            }
        };
        // The Web API answers 200 to everything and says in `ok` what it means; webhooks answer in plain text.
        let answer: Option<Value> = serde_json::from_str(body).ok();
        let ok = answer.as_ref().and_then(|answer| answer["ok"].as_bool());
        let error = answer.as_ref().and_then(|answer| answer["error"].as_str()).unwrap_or(body);
        match (status, ok) {
            (200, Some(true)) => Verdict::Delivered,
            (200, None) if body == "ok" => Verdict::Delivered,
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
