//! Zendesk, by its Tickets API: the first alert opens a ticket with an internal comment, its repeats comment on it.
//!
//! Limits and behaviour: Zendesk developer documentation, "Tickets", "Idempotency" and "OAuth tokens for grant types".

use std::ops::ControlFlow;

use serde_json::{Value, json};

use super::escape::{forwardable, html};
use super::severity_map::SeverityMap;
use super::ticket::{self, OpenTicket, Tracker};
use super::{Body, Channel, Content, Exchange, ExchangeStep, HttpRequest, Method, endpoint, oauth};
use crate::alert::{Alert, AlertKind};
use crate::config::Problems;
use crate::config::{ObjectReader, array, strings, word};
use crate::ids::AlertId;
use crate::ids::FindingId;
use crate::json::Node;
use crate::secret::{CredentialFault, Secret};
use crate::text::clip;

/// Characters of a subject. Zendesk states no limit; lists show about so many.
const SUBJECT_LIMIT: usize = 150;
/// Tickets of one alert that the search answers with, the newest first: one is open at most, unless people opened more.
const SEARCHED: u8 = 5;
/// The most that our OAuth client needs.
const SCOPE: &str = "tickets:read tickets:write";

const HOSTS: [&str; 1] = [".zendesk.com"];

/// Opens tickets.
#[derive(Debug)]
struct Zendesk {
    subdomain: String,
    priorities: SeverityMap<&'static str>,
    /// Of the ticket, besides ours.
    tags: Vec<String>,
    group: Option<u64>,
    /// Ids and values, as JSON.
    custom_fields: Vec<Value>,
}

pub(super) fn configure(fields: &mut ObjectReader<'_>, problems: &mut Problems) -> Box<dyn Channel> {
    let subdomain = endpoint::subdomain("subdomain", fields, problems).unwrap_or_default();
    let words = ["urgent", "high", "normal", "low"].map(|word| (word, word));
    let default = ["low", "normal", "high", "urgent", "urgent"];
    let priorities = SeverityMap::read(default, fields, problems, |node, problems| {
        word(node, "priority of Zendesk", &words, problems)
    });
    let tags = fields.get("ticket_tags").map(|node| tags(node, problems)).unwrap_or_default();
    let group = fields.get("group_id").and_then(|node| id(node, "group_id", problems));
    let custom_fields = fields.get("custom_fields").map(|node| custom_fields(node, problems)).unwrap_or_default();
    Box::new(Zendesk { subdomain, priorities, tags, group, custom_fields })
}

impl Channel for Zendesk {
    fn kind(&self) -> &'static str {
        "zendesk"
    }

    fn render(&self, alert: &Alert<'_>) -> Body {
        let content = Content::new(alert);
        let priority = self.priorities.get(content.severity);
        let mut tags = vec!["offlimits".to_owned(), format!("offlimits-{}", content.severity)];
        tags.extend_from_slice(&self.tags);
        let comment = json!({ "html_body": page(&content), "public": false });
        let mut ticket = json!({
            "subject": clip(&forwardable(&inactive(&content.heading)), SUBJECT_LIMIT),
            "comment": comment,
            "priority": priority,
            "type": "incident",
            "external_id": alert.id.as_str(),
            "tags": tags,
        });
        let mut update = json!({ "comment": comment });
        if matches!(alert.kind, AlertKind::Repeat) {
            // It is worse than what the ticket was opened for.
            update["priority"] = json!(priority);
        }
        if let Some(group) = self.group {
            ticket["group_id"] = json!(group);
        }
        if !self.custom_fields.is_empty() {
            ticket["custom_fields"] = json!(self.custom_fields);
        }
        Body::Ticket {
            alert: alert.id.clone(),
            key: alert.key(),
            open: json!({ "ticket": ticket }).to_string(),
            comment: json!({ "ticket": update }).to_string(),
        }
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
    if !content.facts.is_empty() {
        let fact =
            |(name, value): &(String, String)| format!("<li><strong>{}</strong>: {}</li>", text(name), text(value));
        parts.push(format!("<ul>{}</ul>", content.facts.iter().map(fact).collect::<String>()));
    }
    parts.extend(content.description.iter().map(|why| format!("<p>Why it matters: {}</p>", text(why))));
    parts.extend(content.links.iter().map(|(name, link)| format!("<p><a href=\"{}\">{name}</a></p>", html(link))));
    parts.push(format!("<p><em>{}</em></p>", text(&content.footer)));
    parts.concat()
}

/// Without Zendesk's placeholders: `{{ticket.requester.email}}` would be filled in, `{% if %}` run.
fn inactive(text: &str) -> String {
    text.replace('{', "(").replace('}', ")")
}

fn tags(node: &Node, problems: &mut Problems) -> Vec<String> {
    let tags = strings(node, "ticket_tags", problems);
    if tags.iter().any(|tag| tag.contains(',') || tag.contains(char::is_whitespace)) {
        problems.error(
            "bad-tag",
            &node.span,
            "a tag of Zendesk has no spaces and no commas",
            "write two tags, or a \"-\"",
        );
    }
    tags
}

fn id(node: &Node, what: &str, problems: &mut Problems) -> Option<u64> {
    let id = node.scalar().filter(|_| node.as_str().is_none()).and_then(|digits| digits.parse().ok());
    if id.is_none() {
        let help = "write the digits that Zendesk shows, without quotes";
        problems.error("wrong-type", &node.span, format!("\"{what}\" is the number of an id"), help);
    }
    id
}

fn custom_fields(node: &Node, problems: &mut Problems) -> Vec<Value> {
    let mut read = Vec::new();
    for node in array(node, "\"custom_fields\"", problems) {
        let Some(mut fields) = ObjectReader::new(node, "a custom field", problems) else { continue };
        let id = fields.require("id", problems).and_then(|node| id(node, "id", problems));
        let value = fields.require("value", problems).and_then(|node| serde_json::from_str(&node.compact()).ok());
        fields.finish(problems);
        if let (Some(id), Some::<Value>(value)) = (id, value) {
            read.push(json!({ "id": id, "value": value }));
        }
    }
    read
}
