//! PagerDuty, by its Events API v2.
//!
//! Limits: <https://developer.pagerduty.com/docs/events-api-v2-overview> (an event has 512 KB at most), and
//! <https://developer.pagerduty.com/docs/send-alert-event> (a summary has 1,024 characters at most).

use serde_json::{Map, Value, json};

use super::escape::forwardable;
use super::http::{judge_status, with_member};
use super::inert::{inert_redacted, short};
use super::kind::object;
use super::severity_map::{SeverityMap, severity_map};
use super::{
    Body, Channel, ChannelType, Content, Credential, Exchange, ExchangeStep, HttpRequest, Reply, Request, Verdict,
    endpoint,
};
use crate::alert::Alert;
use crate::config::{KeyDefault, KeySpec, ValueShape, WordList, docs};
use crate::secret::{CredentialFault, Secret};
use crate::text::clip;

/// Characters of a summary.
const SUMMARY_LIMIT: usize = 1024;
/// Bytes of an event: PagerDuty takes 512 KB, a frozen body a quarter of that, and it is quoted once more in there.
const EVENT_LIMIT: usize = 48 * 1024;
/// Characters of the request that are shown.
const REQUEST_LIMIT: usize = 6000;
/// Characters of an integration key.
const KEY_LENGTH: usize = 32;

const HOSTS: [&str; 2] = ["events.pagerduty.com", "events.eu.pagerduty.com"];
const LEFT_OUT: &str = "left out: it is too large; see the event in CloudTrail";

/// A channel that triggers alerts of a PagerDuty service.
#[derive(Debug)]
struct PagerDuty {
    /// The host of the account's region.
    host: &'static str,
    severities: SeverityMap,
}

const KEYS: &[KeySpec] = &[
    KeySpec::new("service_region", ValueShape::Word(&REGIONS), docs!("Where the account lives."))
        .or(KeyDefault::Value("us")),
    severity_map(
        &VENDORS_SEVERITY,
        &["info", "warning", "error", "critical", "critical"],
        docs!("PagerDuty's severity for a severity of ours."),
    ),
];

/// The type `pagerduty`.
pub(super) static TYPE: ChannelType = ChannelType {
    summary: docs!("Events API v2"),
    repeats: docs!("joins the open incident"),
    object: object("pagerduty", docs!("Incidents in PagerDuty."), KEYS),
    credentials: &[
        Credential { name: "routing_key", docs: docs!("The integration key, 32 letters and digits. It is needed.") },
        Credential { name: "api_url", docs: docs!("The URL of the Events API, if it is another than the region's.") },
    ],
    configure: |fields, problems| {
        let host = match fields.word("service_region", problems) {
            Some("eu") => HOSTS[1],
            _ => HOSTS[0],
        };
        Box::new(PagerDuty { host, severities: SeverityMap::read(fields, problems) })
    },
};

static REGIONS: WordList = WordList { what: "service region", listed: &["us", "eu"], understood: &[] };

static VENDORS_SEVERITY: ValueShape = ValueShape::Word(&WordList {
    what: "severity of PagerDuty",
    listed: &["critical", "error", "warning", "info"],
    understood: &[],
});

impl Channel for PagerDuty {
    fn channel_type(&self) -> &'static ChannelType {
        &TYPE
    }

    fn render(&self, alert: &Alert<'_>) -> Body {
        let content = Content::new(alert);
        let mut event = self.event(alert, &content);
        let mut json = event.to_string();
        if json.len() > EVENT_LIMIT {
            // The page matters more than its details.
            event["payload"]["custom_details"] = json!({ "note": LEFT_OUT });
            json = event.to_string();
        }
        Body::Json { key: alert.key(), json }
    }

    fn next(&self, body: &Body, exchange: &Exchange<'_>) -> Result<ExchangeStep, CredentialFault> {
        let Body::Json { json, .. } = body else { return Ok(ExchangeStep::Judged(Verdict::foreign("the body"))) };
        if let Some(reply) = exchange.replies.last() {
            return Ok(ExchangeStep::Judged(judge(reply)));
        }
        let credentials = exchange.credentials;
        let key = credentials.required("routing_key")?;
        if key.expose().len() != KEY_LENGTH || !key.expose().bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(credentials.fault("routing_key", "is not 32 letters and digits"));
        }
        let default = || Secret::new(format!("https://{}/v2/enqueue", self.host));
        let url = credentials.optional("api_url")?.unwrap_or_else(default);
        let url = endpoint::checked("api_url", url, &HOSTS)?;
        Ok(ExchangeStep::Send(Request::Http(HttpRequest::post(url, with_member(json, "routing_key", key.expose())))))
    }
}

impl PagerDuty {
    fn event(&self, alert: &Alert<'_>, content: &Content) -> Value {
        let call = &alert.finding.call;
        let is_event = alert.kind.is_about_events();
        let summary = forwardable(&content.summary());
        let mut details: Map<String, Value> =
            content.facts.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        details.insert("What".to_owned(), json!(content.sentence));
        if !content.changes.is_empty() {
            details.insert(content.change_label.unwrap_or("Change").to_owned(), json!(content.changes.join("; ")));
        }
        for (index, (text, command)) in content.steps.iter().enumerate() {
            let name = format!("To do {}", index + 1);
            if let Some(command) = command {
                details.insert(format!("{name}, command"), json!(command));
            }
            details.insert(name, json!(text));
        }
        if let Some(description) = &content.description {
            details.insert(Content::WHY_LABEL.to_owned(), json!(description));
        }
        if let Some(request) = call.request.as_ref().filter(|_| is_event) {
            details.insert("Request".to_owned(), json!(clip(&inert_redacted(request), REQUEST_LIMIT)));
        }
        details.insert("Sent for".to_owned(), json!(content.footer));
        let of_call =
            |value: &Option<String>| value.as_deref().filter(|_| is_event).map(|value| forwardable(&short(value)));
        let source = of_call(&call.account).filter(|account| !account.is_empty());
        let mut payload = json!({
            "summary": clip(&summary, SUMMARY_LIMIT),
            "source": source.map_or_else(|| "offlimits".to_owned(), |account| format!("AWS account {account}")),
            "severity": self.severities.get(content.severity),
            "group": content.rule,
            "custom_details": details,
        });
        let time = call.time();
        let optional = [
            ("component", of_call(&call.service)),
            ("class", of_call(&call.event)),
            // PagerDuty refuses any other form of time.
            ("timestamp", time.filter(|_| is_event).map(|time| time.to_string())),
        ];
        for (name, value) in optional {
            if let (Some(value), Some(payload)) = (value.filter(|value| !value.is_empty()), payload.as_object_mut()) {
                payload.insert(name.to_owned(), json!(value));
            }
        }
        let links: Vec<Value> = content.links.iter().map(|(name, link)| json!({"href": link, "text": name})).collect();
        let mut event = json!({
            "event_action": "trigger",
            "dedup_key": dedup_key(alert),
            "client": "offlimits",
            "links": links,
            "payload": payload,
        });
        // Where PagerDuty's people get by the name of the client: to the event, or else to what to do.
        let (runbooks, events): (Vec<_>, Vec<_>) = content.links.iter().partition(|(name, _)| *name == "Runbook");
        if let Some((_, link)) = events.first().or(runbooks.first()) {
            event["client_url"] = json!(link);
        }
        event
    }
}

/// The alert's id; that of an incident that has risen holds the severity, since PagerDuty notifies nobody of what joins an
/// incident that was acknowledged.
fn dedup_key(alert: &Alert<'_>) -> String {
    let alert_key = alert.shown_in().as_str();
    alert.together.raised.map_or_else(|| alert_key.to_owned(), |severity| format!("{alert_key}-{severity}"))
}

fn judge(reply: &Reply) -> Verdict {
    match reply {
        // The errors of a 400 are PagerDuty's own sentences; only whether they blame the key is of use.
        Reply::Http { status: 400, body, .. } => {
            let body = body.to_ascii_lowercase();
            if body.contains("routing key") || body.contains("routing_key") {
                return Verdict::Refused { reason: "HTTP 400, invalid routing key".to_owned() };
            }
            Verdict::Rejected { reason: "HTTP 400, invalid event".to_owned() }
        }
        Reply::Http { status, retry_after, .. } => judge_status(*status, *retry_after),
        Reply::Unreachable(reason) => Verdict::Retry { after: None, reason: (*reason).to_owned() },
        Reply::Published(_) | Reply::SnsFault(_) => Verdict::foreign("the reply"),
    }
}
