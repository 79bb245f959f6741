//! Zendesk, by its Tickets API: the first alert opens a ticket with an internal comment, its repeats comment on it.
//!
//! Limits and behaviour: <https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/>,
//! <https://developer.zendesk.com/api-reference/ticketing/introduction/#idempotency> and
//! <https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/>.

use std::ops::ControlFlow;

use serde_json::{Value, json};

use super::escape::{forwardable, html};
use super::kind::object;
use super::severity_map::{SeverityMap, severity_map};
use super::ticket::{self, OpenTicket, Tracker};
use super::{
    Body, Channel, ChannelType, Content, Credential, Exchange, ExchangeStep, HttpRequest, Method, endpoint, oauth,
};
use crate::alert::{Alert, AlertKind};
use crate::config::{KeySpec, ObjectReader, ObjectSpec, Problems, TextFormat, ValueShape, WordList, docs};
use crate::ids::AlertId;
use crate::ids::FindingId;
use crate::secret::{CredentialFault, Secret};
use crate::text::clip;

/// Characters of a subject. Zendesk states no limit; lists show about so many.
const SUBJECT_LIMIT: usize = 150;
/// Tickets of one alert that the search answers with, the newest first: one is open at most, unless people opened more.
const SEARCHED: u8 = 5;
/// Characters of a comment.
/// Source: <https://support.zendesk.com/hc/en-us/community/posts/4719863289498-Commets-size>.
const COMMENT_LIMIT: usize = 65_535;
/// Characters of one text, from the most to the least: the first with which the ticket fits is taken.
const TEXT_LIMITS: [usize; 4] = [2000, 800, 300, 100];
/// The most that our OAuth client needs.
const SCOPE: &str = "tickets:read tickets:write";

const HOSTS: [&str; 1] = [".zendesk.com"];

/// A channel that opens tickets.
#[derive(Debug)]
struct Zendesk {
    subdomain: String,
    priorities: SeverityMap,
    /// Tags that the ticket gets besides ours.
    tags: Vec<String>,
    group: Option<u64>,
    /// Custom fields of the ticket: ids and values, as JSON.
    custom_fields: Vec<Value>,
}

const KEYS: &[KeySpec] = &[
    KeySpec::required(
        "subdomain",
        ValueShape::Formatted(&endpoint::SUBDOMAIN),
        docs!("The account: `acme` of `acme.zendesk.com`."),
    ),
    severity_map(
        &PRIORITY,
        &["low", "normal", "high", "urgent", "urgent"],
        docs!("The ticket's priority for a severity."),
    ),
    KeySpec::new("ticket_tags", ValueShape::List(&TAG), docs!("Tags of the ticket besides ours.")),
    KeySpec::new("group_id", ValueShape::Unsigned, docs!("The group that the ticket is assigned to.")),
    KeySpec::new(
        "custom_fields",
        ValueShape::Objects(&CUSTOM_FIELD),
        docs!("Values of fields of your own: `[{ \"id\": 360001234, \"value\": \"aws\" }]`."),
    ),
];

/// The type `zendesk`.
pub(super) static TYPE: ChannelType = ChannelType {
    summary: docs!("tickets with internal comments"),
    repeats: docs!("a comment on the open ticket"),
    object: object("zendesk", docs!("Tickets in Zendesk."), KEYS),
    credentials: &[
        Credential {
            name: "client_id",
            docs: docs!(
                "The id of an OAuth client. This with `client_secret`, or `api_token` with `email`, is needed."
            ),
        },
        Credential { name: "client_secret", docs: docs!("The OAuth client's secret.") },
        Credential { name: "api_token", docs: docs!("An API token of old.") },
        Credential { name: "email", docs: docs!("The address of the user whose API token it is.") },
        Credential {
            name: "api_url",
            docs: docs!("The account's address, if it is not `https://SUBDOMAIN.zendesk.com`."),
        },
    ],
    configure: |fields, problems| {
        let subdomain = fields.text("subdomain", problems).unwrap_or_default().to_owned();
        let priorities = SeverityMap::read(fields, problems);
        let tags = fields.texts("ticket_tags", problems).unwrap_or_default();
        let group = fields.whole("group_id", problems);
        let custom_fields = fields.objects("custom_fields", problems);
        let custom_fields = custom_fields.into_iter().filter_map(|field| custom_field(field, problems)).collect();
        Box::new(Zendesk { subdomain, priorities, tags, group, custom_fields })
    },
};

static PRIORITY: ValueShape = ValueShape::Word(&WordList {
    what: "priority of Zendesk",
    listed: &["urgent", "high", "normal", "low"],
    understood: &[],
});

static TAG: ValueShape = ValueShape::Formatted(&TextFormat {
    what: "tag of Zendesk",
    code: "bad-tag",
    pattern: r"^[^\s,]+$",
    max_characters: None,
    fits: |tag| !tag.contains(',') && !tag.contains(char::is_whitespace),
    remedy: |_| "a tag has no spaces and no commas: write two tags, or a \"-\"".into(),
});

static CUSTOM_FIELD: ObjectSpec = ObjectSpec {
    name: "CustomField",
    what: "a custom field",
    docs: docs!("A value of a field of your own."),
    keys: [
        &[
            KeySpec::required("id", ValueShape::Unsigned, docs!("The field's id.")),
            KeySpec::required("value", ValueShape::Anything, docs!("Its value.")),
        ],
        &[],
    ],
    at_least_one: &[],
};

fn custom_field(mut fields: ObjectReader<'_>, problems: &mut Problems) -> Option<Value> {
    let id = fields.whole("id", problems);
    let value: Option<Value> = fields.get("value").and_then(|node| serde_json::from_str(&node.compact()).ok());
    fields.finish(problems);
    Some(json!({ "id": id?, "value": value? }))
}

impl Channel for Zendesk {
    fn channel_type(&self) -> &'static ChannelType {
        &TYPE
    }

    fn render(&self, alert: &Alert<'_>) -> Body {
        let content = Content::new(alert);
        let (_, open, comment) = content.fitted(
            TEXT_LIMITS,
            |short| {
                let page = page(short);
                let (open, comment) = (self.ticket(alert, &content, &page), self.update(alert, &content, &page));
                (page, open, comment)
            },
            |(page, open, comment)| {
                page.chars().count() <= COMMENT_LIMIT && open.len() + comment.len() <= Body::LIMIT / 2
            },
        );
        Body::Ticket { alert: alert.shown_in().clone(), key: alert.key(), open, comment }
    }

    fn next(&self, body: &Body, exchange: &Exchange<'_>) -> Result<ExchangeStep, CredentialFault> {
        let credentials = exchange.credentials;
        let default = || Secret::new(format!("https://{}.zendesk.com", self.subdomain));
        let url = endpoint::checked("api_url", credentials.optional("api_url")?.unwrap_or_else(default), &HOSTS)?;
        let base = url.expose().trim_end_matches('/').to_owned();
        let authorization = if let Some(token) = credentials.optional("api_token")? {
            oauth::basic(&format!("{}/token", credentials.required("email")?.expose()), &token)
        } else {
            match oauth::authorization(exchange, format!("{base}/oauth/tokens"), "api_token", Some(SCOPE))? {
                ControlFlow::Continue(authorization) => authorization,
                ControlFlow::Break(step) => return Ok(step),
            }
        };
        ticket::next(&ZendeskApi { base, authorization }, body, exchange)
    }
}

impl Zendesk {
    /// The document that opens a ticket.
    fn ticket(&self, alert: &Alert<'_>, content: &Content, page: &str) -> String {
        let mut tags = ticket::tags(alert, content);
        tags.extend_from_slice(&self.tags);
        let mut ticket = json!({
            "subject": clip(&forwardable(&inactive(&content.heading)), SUBJECT_LIMIT),
            "comment": { "html_body": page, "public": false },
            "priority": self.priorities.get(content.severity),
            "type": "incident",
            "external_id": alert.shown_in().as_str(),
            "tags": tags,
        });
        if let Some(group) = self.group {
            ticket["group_id"] = json!(group);
        }
        if !self.custom_fields.is_empty() {
            ticket["custom_fields"] = json!(self.custom_fields);
        }
        json!({ "ticket": ticket }).to_string()
    }

    /// The document that comments on one.
    fn update(&self, alert: &Alert<'_>, content: &Content, page: &str) -> String {
        let mut update = json!({ "comment": { "html_body": page, "public": false } });
        if matches!(alert.kind, AlertKind::Repeat) {
            // It is worse than what the ticket was opened for.
            update["priority"] = json!(self.priorities.get(content.severity));
        }
        json!({ "ticket": update }).to_string()
    }
}

/// The API of one account.
struct ZendeskApi {
    base: String,
    authorization: Secret,
}

impl ZendeskApi {
    fn url(&self, path: &str) -> Secret {
        Secret::new(format!("{}/api/v2/{path}", self.base))
    }
}

impl Tracker for ZendeskApi {
    fn search(&self, alert: &AlertId) -> HttpRequest {
        let query = format!("external_id={}&sort_by=created_at&sort_order=desc&per_page={SEARCHED}", alert.as_str());
        HttpRequest::get(self.url(&format!("tickets.json?{query}"))).secret_header("authorization", &self.authorization)
    }

    fn found(&self, answer: &Value) -> Result<Option<OpenTicket>, ()> {
        let tickets = answer["tickets"].as_array().ok_or(())?;
        let is_open = |ticket: &&Value| matches!(ticket["status"].as_str(), Some("new" | "open" | "pending" | "hold"));
        let ticket = tickets.iter().filter(is_open).max_by_key(|ticket| ticket["id"].as_u64());
        Ok(ticket.and_then(|ticket| {
            let id = ticket["id"].as_u64()?.to_string();
            let text = ticket["description"].as_str().unwrap_or_default().to_owned();
            Some(OpenTicket { name: id.clone(), id, text })
        }))
    }

    fn open(&self, key: &FindingId, document: &str) -> HttpRequest {
        HttpRequest::post(self.url("tickets.json"), document)
            .secret_header("authorization", &self.authorization)
            .header("idempotency-key", key.as_str())
    }

    fn comment(&self, ticket: &OpenTicket, document: &str) -> HttpRequest {
        HttpRequest::with(Method::Put, self.url(&format!("tickets/{}.json", ticket.id)), document)
            .secret_header("authorization", &self.authorization)
    }

    fn receipt(&self, answer: &Value) -> Option<String> {
        Some(answer["ticket"]["id"].as_u64()?.to_string())
    }
}

/// The comment: HTML in which nothing of the record is markup.
fn page(content: &Content) -> String {
    let text = |text: &str| html(&inactive(text));
    let mut parts =
        vec![format!("<p><strong>{}</strong></p><p>{}</p>", text(&content.heading), text(&content.sentence))];
    let label = content.change_label.map(|label| format!("<strong>{label}</strong>: ")).unwrap_or_default();
    match content.changes.as_slice() {
        [] => {}
        [change] => parts.push(format!("<p>{label}<code>{}</code></p>", text(change))),
        changes => {
            let item = |change: &String| format!("<li><code>{}</code></li>", text(change));
            let label = if label.is_empty() { label } else { format!("<p>{label}</p>") };
            parts.push(format!("{label}<ul>{}</ul>", changes.iter().map(item).collect::<String>()));
        }
    }
    if !content.steps.is_empty() {
        let step = |(step, command): &(String, Option<String>)| {
            // A command is shown as it is or not at all.
            let command =
                command.as_ref().filter(|command| !["{{", "{%"].iter().any(|opening| command.contains(opening)));
            let command = command.map(|command| format!("<pre>{}</pre>", html(command))).unwrap_or_default();
            format!("<li>{}{command}</li>", text(step))
        };
        let steps: String = content.steps.iter().map(step).collect();
        parts.push(format!("<p><strong>{}</strong></p><ol>{steps}</ol>", Content::STEPS_LABEL));
    }
    if !content.facts.is_empty() {
        let fact =
            |(name, value): &(String, String)| format!("<li><strong>{}</strong>: {}</li>", text(name), text(value));
        parts.push(format!("<ul>{}</ul>", content.facts.iter().map(fact).collect::<String>()));
    }
    parts.extend(content.description.iter().map(|why| format!("<p>{}: {}</p>", Content::WHY_LABEL, text(why))));
    parts.extend(content.links.iter().map(|(name, link)| format!("<p><a href=\"{}\">{name}</a></p>", html(link))));
    parts.push(format!("<p><em>{}</em></p>", text(&content.footer)));
    parts.concat()
}

/// Without Zendesk's placeholders: `{{ticket.requester.email}}` would be filled in, `{% if %}` run.
fn inactive(text: &str) -> String {
    text.replace('{', "(").replace('}', ")")
}
