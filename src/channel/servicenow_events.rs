//! ServiceNow's Event Management: each message is an event, and events with one message key are one alert, of which the instance's
//! rules make incidents.
//!
//! Fields and sizes:
//! <https://docs.servicenow.com/bundle/orlando-it-operations-management/page/product/event-management/concept/c_EMIntegrateRequirementEvent.html>
//! (most texts have 100 characters at most, a description 4,000). The web service:
//! <https://docs.servicenow.com/bundle/istanbul-it-operations-management/page/product/event-management/task/send-events-via-web-service.html>.
//! How events become alerts: <https://support.servicenow.com/kb?id=kb_article_view&sysparm_article=KB0756521>.

use std::ops::ControlFlow;

use serde_json::{Map, Value, json};

use super::http::judge_status;
use super::inert::inert;
use super::kind::object;
use super::plain::page;
use super::servicenow::{CREDENTIALS, MARKUP, access};
use super::severity_map::{SeverityMap, severity_map};
use super::{
    Body, Channel, ChannelType, Content, Exchange, ExchangeStep, HttpRequest, Reply, Request, Verdict, endpoint,
};
use crate::alert::{Alert, AlertKind, IncidentSum};
use crate::config::{KeyDefault, KeySpec, TextFormat, ValueShape, WordList, docs};
use crate::secret::{CredentialFault, Secret};
use crate::text::clip;
use crate::time::Timestamp;

/// Characters of a source, a node, a type, a resource or a metric's name.
const FIELD_LIMIT: usize = 100;
/// Characters of a description.
const DESCRIPTION_LIMIT: usize = 4000;
/// Characters of one of the additional facts.
const FACT_LIMIT: usize = 1000;
/// What we are called among the sources of events.
const SOURCE: &str = "offlimits";

/// A channel that sends events.
#[derive(Debug)]
struct ServiceNowEvents {
    instance: String,
    severities: SeverityMap,
    /// The node that every event is of, instead of the account.
    node: Option<String>,
    /// What this deployment is called among its kind.
    source_instance: String,
}

const KEYS: &[KeySpec] = &[
    KeySpec::required(
        "instance",
        ValueShape::Formatted(&endpoint::SUBDOMAIN),
        docs!("The instance: `acme` of `acme.service-now.com`."),
    ),
    severity_map(
        &SEVERITY,
        &["5", "4", "3", "2", "1"],
        docs!("The event's severity for a severity: from `1`, critical, to `5`, info."),
    ),
    KeySpec::new(
        "node",
        ValueShape::Formatted(&FIELD),
        docs!("The node of every event: a configuration item's name, to which the alerts are bound."),
    )
    .or(KeyDefault::Words(docs!("the account's number"))),
    KeySpec::new(
        "source_instance",
        ValueShape::Formatted(&FIELD),
        docs!("What this deployment is called among the sources of events (`event_class`)."),
    )
    .or(KeyDefault::Value("offlimits")),
];

/// The type `servicenow-events`.
pub(super) static TYPE: ChannelType = ChannelType {
    summary: docs!("ServiceNow's Event Management"),
    repeats: docs!("an event of the same alert"),
    object: object("servicenow-events", docs!("Events in ServiceNow's Event Management."), KEYS),
    credentials: CREDENTIALS,
    configure: |fields, problems| {
        let instance = fields.text("instance", problems).unwrap_or_default().to_owned();
        let severities = SeverityMap::read(fields, problems);
        let node = fields.text("node", problems).map(str::to_owned);
        let source_instance = fields.text("source_instance", problems).unwrap_or(SOURCE).to_owned();
        Box::new(ServiceNowEvents { instance, severities, node, source_instance })
    },
};

static SEVERITY: ValueShape =
    ValueShape::Word(&WordList { what: "severity of an event", listed: &["1", "2", "3", "4", "5"], understood: &[] });

static FIELD: TextFormat = TextFormat {
    what: "field of an event",
    code: "too-long",
    pattern: "",
    max_characters: Some(FIELD_LIMIT),
    fits: |_| true,
    remedy: |_| "a field of an event has 100 characters at most".into(),
};

impl Channel for ServiceNowEvents {
    fn channel_type(&self) -> &'static ChannelType {
        &TYPE
    }

    fn render(&self, alert: &Alert<'_>) -> Body {
        let json = json!({ "records": [self.event(alert, &Content::new(alert))] }).to_string();
        Body::Json { key: alert.key(), json }
    }

    fn next(&self, body: &Body, exchange: &Exchange<'_>) -> Result<ExchangeStep, CredentialFault> {
        let Body::Json { json, .. } = body else { return Ok(ExchangeStep::Judged(Verdict::foreign("the body"))) };
        let (base, authorization) = match access(&self.instance, exchange)? {
            ControlFlow::Continue(access) => access,
            ControlFlow::Break(step) => return Ok(step),
        };
        Ok(match exchange.replies.last() {
            None => {
                let request = HttpRequest::post(Secret::new(format!("{base}/api/global/em/jsonv2")), json)
                    .secret_header("authorization", &authorization)
                    .header("accept", "application/json");
                ExchangeStep::Send(Request::Http(request))
            }
            Some(Reply::Http { status, retry_after, .. }) => ExchangeStep::Judged(judge_status(*status, *retry_after)),
            Some(Reply::Unreachable(reason)) => {
                ExchangeStep::Judged(Verdict::Retry { after: None, reason: (*reason).to_owned() })
            }
            Some(Reply::Published(_) | Reply::SnsFault(_)) => ExchangeStep::Judged(Verdict::foreign("the reply")),
        })
    }
}

impl ServiceNowEvents {
    fn event(&self, alert: &Alert<'_>, content: &Content) -> Value {
        let call = &alert.finding.call;
        let is_event = alert.kind.is_about_events();
        let field = |text: &str| clip(&(MARKUP.inactive)(&inert(text)), FIELD_LIMIT).into_owned();
        let of_call = |value: Option<&str>| value.filter(|_| is_event).map(field).filter(|value| !value.is_empty());
        let account = of_call(call.account.as_deref());
        // An alert has the severity of its last event, which a sum of repeats must not lower.
        let severity = match alert.kind {
            AlertKind::RollUp(_) | AlertKind::Update(_) => content.severity.max(alert.finding.severity),
            _ => content.severity,
        };
        let mut event = json!({
            "source": SOURCE,
            "event_class": self.source_instance,
            "node": self.node.clone().or(account).unwrap_or_else(|| SOURCE.to_owned()),
            "type": field(&content.rule),
            "message_key": alert.shown_in().as_str(),
            "severity": self.severities.get(severity),
            "description": page(content, DESCRIPTION_LIMIT, MARKUP),
            "additional_info": additional(alert, content).to_string(),
            "resolution_state": "New",
        });
        let optional = [
            ("resource", of_call(call.targets.first().map(String::as_str))),
            ("metric_name", of_call(call.event.as_deref())),
            ("time_of_event", time(alert)),
        ];
        for (name, value) in optional {
            if let (Some(value), Some(event)) = (value, event.as_object_mut()) {
                event.insert(name.to_owned(), json!(value));
            }
        }
        event
    }
}

/// The facts, and what instances' rules may want to go by, as texts.
fn additional(alert: &Alert<'_>, content: &Content) -> Value {
    let text = |text: &str| json!(clip(&(MARKUP.inactive)(text), FACT_LIMIT));
    let mut facts: Map<String, Value> = content.facts.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    let own = [
        ("offlimits_severity", content.severity.as_str()),
        ("offlimits_kind", alert.kind.as_str()),
        ("offlimits_rule", &content.rule),
        ("offlimits_title", &content.heading),
        ("offlimits_message", &content.footer),
    ];
    facts.extend(own.into_iter().map(|(name, value)| (name.to_owned(), text(value))));
    facts.extend(content.links.iter().map(|(name, link)| ((*name).to_owned(), json!(link))));
    facts.into()
}

/// When the last of what it tells of happened, in UTC: an event that is older than the last one of its alert would change nothing.
fn time(alert: &Alert<'_>) -> Option<String> {
    let time = match alert.kind {
        AlertKind::First | AlertKind::Repeat | AlertKind::News => alert.finding.call.event_time.as_deref(),
        AlertKind::RollUp(sum) | AlertKind::Update(IncidentSum { all: sum, .. }) => Some(sum.span.bounds().1),
        AlertKind::Digest(sum) => Some(sum.span.bounds().1),
        AlertKind::Operational(_) | AlertKind::Test => None,
    };
    let time = Timestamp::parse(time?)?.to_string();
    let (date, time) = time.split_once('T')?;
    Some(format!("{date} {}", time.get(..8)?))
}
