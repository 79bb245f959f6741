//! Jira Service Management, by its alerts of operations, which were Opsgenie's: the first alert opens an alert, its repeats are notes
//! on it.
//!
//! Two ways lead there. An API key (of an API integration) writes only: an alert whose alias is open already is counted and not opened
//! twice, so that every message begins with one, and what is not the first is told in a note besides. Source:
//! <https://developer.atlassian.com/cloud/jira/service-desk-ops/rest/v1/api-group-integration-events>. With an e-mail and an API token
//! the open alert is looked for, and its priority can be raised. Source:
//! <https://developer.atlassian.com/cloud/jira/service-desk-ops/rest/v2/api-group-alerts/>.
//!
//! Limits are those of Opsgenie's Alert API, which this one continues: <https://docs.opsgenie.com/docs/alert-api>.

use serde_json::{Map, Value, json};

use super::escape::forwardable;
use super::inert::{inert, short};
use super::kind::object;
use super::plain::{Markup, page};
use super::severity_map::{SeverityMap, severity_map};
use super::ticket::{answer, tags};
use super::{
    Body, Channel, ChannelType, Content, Credential, Exchange, ExchangeStep, HttpRequest, Method, Reply, Request,
    Verdict, endpoint, oauth,
};
use crate::alert::{Alert, AlertKind};
use crate::config::{KeySpec, ObjectReader, ObjectSpec, Problems, TextFormat, ValueShape, WordList, docs};
use crate::ids::AlertId;
use crate::secret::{CredentialFault, Secret};
use crate::text::clip;

/// Characters of a message, which is the alert's title.
const MESSAGE_LIMIT: usize = 130;
/// Characters of a description.
const DESCRIPTION_LIMIT: usize = 15_000;
/// Characters of a note: 25,000 are taken, and people have patience for so much.
const NOTE_LIMIT: usize = 15_000;
/// Characters of an entity.
const ENTITY_LIMIT: usize = 512;
/// Tags of an alert, and characters of one.
const TAGS: usize = 20;
const TAG_LIMIT: usize = 50;
/// Tags that the channel may add: ours are five.
const OWN_TAGS: usize = TAGS - 5;

/// The gateway of Atlassian's cloud, and that of its government cloud.
const HOSTS: [&str; 2] = ["api.atlassian.com", "api.atlassian-us-gov-mod.com"];

/// What is no markup: alerts are shown as plain text, and handed on to telephones, mails and chats.
const MARKUP: Markup = Markup { inactive: forwardable, is_inactive: |command| !command.contains(['<', '>']) };

/// A channel that opens alerts.
#[derive(Debug)]
struct Jsm {
    priorities: SeverityMap,
    /// Who is told, as JSON.
    responders: Vec<Value>,
    /// Tags that the alert gets besides ours.
    tags: Vec<String>,
}

const KEYS: &[KeySpec] = &[
    severity_map(&PRIORITY, &["P5", "P4", "P3", "P2", "P1"], docs!("The alert's priority for a severity.")),
    KeySpec::new(
        "responders",
        ValueShape::Objects(&RESPONDER),
        docs!(
            "Who is told: `[{ \"type\": \"team\", \"id\": \"4513b7ea-3b91-438f-b7e4-e3e54af9147c\" }]`. With an API key of a team's integration it is that team, without this."
        ),
    ),
    KeySpec::new("alert_tags", ValueShape::List(&TAG), docs!("Tags of the alert besides ours: 15 at most.")),
];

/// The type `jsm`.
pub(super) static TYPE: ChannelType = ChannelType {
    summary: docs!("alerts of Jira Service Management's operations (Opsgenie's heir)"),
    repeats: docs!("a note on the open alert"),
    object: object("jsm", docs!("Alerts in Jira Service Management."), KEYS),
    credentials: &[
        Credential {
            name: "api_key",
            docs: docs!("The key of an API integration. This, or `api_token` with `email`, is needed."),
        },
        Credential { name: "api_token", docs: docs!("The API token of an account of Atlassian's.") },
        Credential { name: "email", docs: docs!("The address of the account whose API token it is.") },
        Credential {
            name: "cloud_id",
            docs: docs!(
                "With an API token: the site's id, which `https://SITE.atlassian.net/_edge/tenant_info` shows."
            ),
        },
        Credential {
            name: "api_url",
            docs: docs!("The gateway's address, if it is not `https://api.atlassian.com`: of the government cloud."),
        },
    ],
    configure: |fields, problems| {
        let priorities = SeverityMap::read(fields, problems);
        let responders = fields.objects("responders", problems);
        let responders = responders.into_iter().filter_map(|fields| responder(fields, problems)).collect();
        let tags = own_tags(fields, problems);
        Box::new(Jsm { priorities, responders, tags })
    },
};

static PRIORITY: ValueShape = ValueShape::Word(&WordList {
    what: "priority of an alert",
    listed: &["P1", "P2", "P3", "P4", "P5"],
    understood: &[],
});

static TAG: ValueShape = ValueShape::Formatted(&TextFormat {
    what: "tag of an alert",
    code: "bad-tag",
    pattern: "^[^,]+$",
    max_characters: Some(TAG_LIMIT),
    fits: |tag| !tag.contains(','),
    remedy: |_| "a tag has 50 characters at most, and no comma".into(),
});

static RESPONDER: ObjectSpec = ObjectSpec {
    name: "Responder",
    what: "a responder",
    docs: docs!("Who is told of an alert."),
    keys: [
        &[
            KeySpec::required("type", ValueShape::Word(&RESPONDER_TYPES), docs!("What it is.")),
            KeySpec::required("id", ValueShape::Text, docs!("Its id.")),
        ],
        &[],
    ],
    at_least_one: &[],
};

static RESPONDER_TYPES: WordList =
    WordList { what: "type of responder", listed: &["team", "user", "escalation", "schedule"], understood: &[] };

fn responder(mut fields: ObjectReader<'_>, problems: &mut Problems) -> Option<Value> {
    let kind = fields.word("type", problems);
    let id = fields.text("id", problems);
    fields.finish(problems);
    Some(json!({ "type": kind?, "id": id? }))
}

/// The tags of `rules.json`, as many as an alert takes.
fn own_tags(fields: &mut ObjectReader<'_>, problems: &mut Problems) -> Vec<String> {
    let tags = fields.texts("alert_tags", problems).unwrap_or_default();
    if let Some(node) = fields.get("alert_tags").filter(|_| tags.len() > OWN_TAGS) {
        let message = format!("an alert has {TAGS} tags at most, of which five are ours");
        problems.error("too-many", &node.span, message, format!("leave {OWN_TAGS} of them"));
    }
    tags
}

impl Channel for Jsm {
    fn channel_type(&self) -> &'static ChannelType {
        &TYPE
    }

    fn render(&self, alert: &Alert<'_>) -> Body {
        let content = Content::new(alert);
        let mut note = json!({ "note": page(&content, NOTE_LIMIT, MARKUP), "source": "offlimits" });
        if matches!(alert.kind, AlertKind::Repeat) {
            // It is worse than what the alert was opened for.
            note[PRIORITY_KEY] = json!(self.priorities.get(content.severity));
        }
        Body::Ticket {
            alert: alert.shown_in().clone(),
            key: alert.key(),
            open: self.alert(alert, &content).to_string(),
            comment: note.to_string(),
        }
    }

    fn next(&self, body: &Body, exchange: &Exchange<'_>) -> Result<ExchangeStep, CredentialFault> {
        let Body::Ticket { alert, key, open, comment } = body else {
            return Ok(ExchangeStep::Judged(Verdict::foreign("the body")));
        };
        let credentials = exchange.credentials;
        let default = || Secret::new(format!("https://{}", HOSTS[0]));
        let url = endpoint::checked("api_url", credentials.optional("api_url")?.unwrap_or_else(default), &HOSTS)?;
        let base = url.expose().trim_end_matches('/').to_owned();
        if let Some(api_key) = credentials.optional("api_key")? {
            let authorization = Secret::new(format!("GenieKey {}", api_key.expose()));
            let api = Api { alerts: format!("{base}/jsm/ops/integration/v2/alerts"), authorization };
            return Ok(by_key(&api, alert, open, comment, exchange.replies));
        }
        let Some(token) = credentials.optional("api_token")? else {
            return Err(credentials.missing(&["api_key", "api_token"]));
        };
        let authorization = oauth::basic(credentials.required("email")?.expose(), &token);
        let cloud_id = credentials.required("cloud_id")?;
        if !is_id(cloud_id.expose()) {
            return Err(credentials.fault("cloud_id", "is not the id of a site, as _edge/tenant_info shows it"));
        }
        let cloud_id = cloud_id.expose();
        let api = Api { alerts: format!("{base}/jsm/ops/api/{cloud_id}/v1/alerts"), authorization };
        Ok(by_token(&api, alert, key.as_str(), [open, comment], exchange.replies))
    }
}

/// The key of a note's frozen document that holds the priority that the alert is to have; it is no part of the note.
const PRIORITY_KEY: &str = "priority";
/// The alert's property that says of which kind the message is.
const KIND: &str = "kind";

impl Jsm {
    /// The document that opens an alert.
    fn alert(&self, alert: &Alert<'_>, content: &Content) -> Value {
        let call = &alert.finding.call;
        let is_event = alert.kind.is_about_events();
        let of_call =
            |value: &Option<String>| value.as_deref().filter(|_| is_event).map(|value| forwardable(&short(value)));
        let mut tags: Vec<String> =
            tags(alert, content).into_iter().map(|tag| clip(&tag, TAG_LIMIT).into_owned()).collect();
        tags.extend_from_slice(&self.tags);
        tags.truncate(TAGS);
        let properties = [
            (KIND, Some(alert.kind.as_str().to_owned())),
            ("severity", Some(content.severity.as_str().to_owned())),
            ("rule", Some(content.rule.clone())),
            ("account", of_call(&call.account)),
            ("region", of_call(&call.region)),
            ("event", of_call(&call.event)),
        ];
        let properties: Map<String, Value> = properties
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), json!(value.filter(|value| !value.is_empty())?))))
            .collect();
        let mut document = json!({
            "message": clip(&forwardable(&content.heading), MESSAGE_LIMIT),
            "alias": alert.shown_in().as_str(),
            "description": page(content, DESCRIPTION_LIMIT, MARKUP),
            "tags": tags,
            "extraProperties": properties,
            "priority": self.priorities.get(content.severity),
            "source": "offlimits",
        });
        let target = call.targets.first().filter(|_| is_event).map(|target| forwardable(&inert(target)));
        if let Some(target) = target.filter(|target| !target.is_empty()) {
            document["entity"] = json!(clip(&target, ENTITY_LIMIT));
        }
        if !self.responders.is_empty() {
            document["responders"] = json!(self.responders);
        }
        document
    }
}

/// The alerts of one site, and who writes there.
struct Api {
    alerts: String,
    authorization: Secret,
}

impl Api {
    fn send(&self, method: Method, rest: &str, document: &str) -> ExchangeStep {
        let request = HttpRequest::with(method, Secret::new(format!("{}{rest}", self.alerts)), document);
        ExchangeStep::Send(Request::Http(request.secret_header("authorization", &self.authorization)))
    }

    fn open(&self, document: &str) -> ExchangeStep {
        self.send(Method::Post, "", document)
    }

    fn note(&self, place: &str, document: &str) -> ExchangeStep {
        self.send(Method::Post, place, &without_priority(document))
    }
}

/// With an API key: the alert, which is counted where it is open, and a note of what is not the first.
fn by_key(api: &Api, alert: &AlertId, open: &str, comment: &str, replies: &[Reply]) -> ExchangeStep {
    match replies {
        [] => api.open(open),
        [opened] if answer(opened).is_ok() && is_told_in_a_note(open) => {
            api.note(&format!("/{}/notes?identifierType=alias", alert.as_str()), comment)
        }
        [.., last] => ExchangeStep::Judged(judge(last)),
    }
}

/// Whether the alert may be open already: then all that it shows of this message is one more in its count.
fn is_told_in_a_note(open: &str) -> bool {
    let document: Value = serde_json::from_str(open).unwrap_or_default();
    !matches!(document["extraProperties"][KIND].as_str(), Some("first" | "test"))
}

/// With an API token: the search for the open alert, then a note on it, with its priority raised before where it is worse; or the
/// alert, if there is none. A closed alert is not found by its alias.
fn by_token(api: &Api, alert: &AlertId, key: &str, [open, comment]: [&String; 2], replies: &[Reply]) -> ExchangeStep {
    let [searched, written @ ..] = replies else {
        let url = Secret::new(format!("{}/alias?alias={}", api.alerts, alert.as_str()));
        let request = HttpRequest::get(url).secret_header("authorization", &api.authorization);
        return ExchangeStep::Send(Request::Http(request));
    };
    let found = match (searched, answer(searched)) {
        (_, Ok(found)) => found,
        (Reply::Http { status: 404, .. }, _) => {
            return match written {
                [] => api.open(open),
                [.., last] => ExchangeStep::Judged(judge(last)),
            };
        }
        (_, Err(verdict)) => return ExchangeStep::Judged(verdict),
    };
    let Some(id) = found["id"].as_str().filter(|id| is_id(id)) else {
        let reason = "the search's answer cannot be read".to_owned();
        return ExchangeStep::Judged(Verdict::Retry { after: None, reason });
    };
    let name = found["tinyId"].as_str().filter(|name| is_id(name)).map(str::to_owned);
    // An earlier attempt opened it, and its answer was lost.
    if written.is_empty() && found["description"].as_str().is_some_and(|text| text.contains(key)) {
        return ExchangeStep::Judged(Verdict::Delivered { receipt: name });
    }
    let note: Value = serde_json::from_str(comment).unwrap_or_default();
    let priority = note[PRIORITY_KEY].as_str().filter(|priority| found["priority"].as_str() != Some(*priority));
    let written = match (priority, written) {
        (Some(priority), []) => {
            let document = json!({ "priority": priority }).to_string();
            return api.send(Method::Patch, &format!("/{id}/priority"), &document);
        }
        // Whoever may not raise it may still tell of it.
        (Some(_), [raised, rest @ ..]) => match judge(raised) {
            verdict @ Verdict::Retry { .. } => return ExchangeStep::Judged(verdict),
            _ => rest,
        },
        (None, written) => written,
    };
    match written {
        [] => api.note(&format!("/{id}/notes"), comment),
        // It was closed, or deleted, after the search.
        [Reply::Http { status: 404 | 410 | 422, .. }] => api.open(open),
        [.., last] => ExchangeStep::Judged(match judge(last) {
            Verdict::Delivered { .. } => Verdict::Delivered { receipt: name },
            verdict => verdict,
        }),
    }
}

/// Whether it can be an id of Atlassian's: nothing in it leads elsewhere in a URL.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 100 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn without_priority(document: &str) -> String {
    let mut note: Value = serde_json::from_str(document).unwrap_or_default();
    note.as_object_mut().map(|note| note.remove(PRIORITY_KEY));
    note.to_string()
}

/// Requests are taken, and worked off later. What is wrong with one of them that can be seen at once is told by the status.
fn judge(reply: &Reply) -> Verdict {
    match answer(reply) {
        Ok(_) => Verdict::Delivered { receipt: None },
        Err(verdict) => verdict,
    }
}
