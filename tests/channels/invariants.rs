//! What holds of every message, whatever the record says. The fuzz target asks for the same.

use std::sync::LazyLock;

use offlimits::alert::Alert;
use offlimits::channel::ConfiguredChannel;
use offlimits::channel::{Body, HttpRequest, Request, event_link};
use regex::Regex;
use serde_json::Value;

use super::exchange::{kind, requests};

/// Checks what a channel makes of an alert, and gives the requests that carry it.
///
/// # Panics
/// Something does not hold.
pub(crate) fn check_all(channel: &ConfiguredChannel, alert: &Alert<'_>) -> Vec<(&'static str, Request)> {
    let mut links: Vec<String> = alert.finding.rule.runbook.iter().cloned().collect();
    links.extend(event_link(alert.finding));
    let body = channel.channel.render(alert);
    let requests = requests(channel, alert);
    for (_, request) in &requests {
        check(kind(channel), &body, request, &links);
    }
    requests
}

/// Checks a frozen body, and a request that carries it. `links` are those that may stand in it.
fn check(kind: &str, body: &Body, request: &Request, links: &[String]) {
    let frozen = serde_json::to_string(body).unwrap();
    assert!(frozen.len() <= Body::LIMIT, "{kind}: the body has {} bytes", frozen.len());
    assert_eq!(serde_json::from_str::<Body>(&frozen).unwrap(), *body, "{kind}: not the same after a queue");
    match request {
        Request::Sns { subject, message, attributes, .. } => sns(subject, message, attributes, links),
        Request::Http(HttpRequest { content: Some((_, content)), .. }) => {
            let json: Value = serde_json::from_str(content.expose()).unwrap();
            match kind {
                "slack" => slack(&json, links),
                "pagerduty" => pagerduty(&json, content.expose().len(), links),
                "zendesk" => zendesk(&json, links),
                "servicenow" => servicenow(&json, links),
                "teams" => teams(&json, content.expose().len(), links),
                "webhook" => machine(&json),
                _ => panic!("no invariants for {kind}"),
            }
        }
        Request::Http(_) => panic!("{kind}: a request that carries nothing"),
    }
}

/// Every string in a document.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(object) => object.values().flat_map(texts).collect(),
        Value::Array(array) => array.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text],
        _ => Vec::new(),
    }
}

fn chars(value: &Value) -> usize {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).chars().count()
}

/// One text for people: nothing hides in it, and there is no link but ours.
fn inert(text: &str, links: &[String]) {
    // Our own sentence may end in what the record says: `… at www.`
    static HOST: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)www\.[\w-]").unwrap());
    let hides = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!text.chars().any(hides), "hidden characters: {text:?}");
    let escaped = |link: &String| [link.clone(), link.replace('&', "&amp;")];
    let bare = links.iter().flat_map(escaped).fold(text.to_owned(), |text, link| text.replace(&link, ""));
    assert!(!bare.contains("://"), "a link: {bare}");
    assert!(!HOST.is_match(&bare), "a link: {bare}");
}

fn slack(message: &Value, links: &[String]) {
    // The validator reads blocks at the top of a message: ours stand in an attachment, for its colour.
    let blocks = serde_json::json!({ "text": message["text"], "blocks": message["attachments"][0]["blocks"] });
    slackblocks::WebhookMessage::try_from(blocks).unwrap_or_else(|error| panic!("{error}: {message}"));
    let total: usize = texts(message).iter().map(|text| text.chars().count()).sum();
    assert!(total < 12_000, "{total} characters");
    let fallback = message["text"].as_str().unwrap();
    assert!(!fallback.contains(['<', '>']), "markup: {fallback}");
    for text in texts(message) {
        inert(text, links);
    }
    for block in message["attachments"][0]["blocks"].as_array().unwrap() {
        if block["text"]["type"] == "mrkdwn" {
            let text = block["text"]["text"].as_str().unwrap();
            for part in text.split("  ·  ") {
                let link = part.strip_prefix('<').and_then(|part| part.strip_suffix('>')).unwrap();
                let (link, name) = link.split_once('|').unwrap();
                assert!(links.contains(&link.replace("&amp;", "&")), "{link}");
                assert!(["Runbook", "Event in CloudTrail"].contains(&name), "{name}");
            }
        }
    }
}

fn sns(subject: &str, message: &str, attributes: &[(String, String)], links: &[String]) {
    assert!(subject.len() < 100 && subject.chars().all(|c| (' '..='~').contains(&c)), "{subject}");
    assert!(subject.starts_with('['), "{subject}");
    let size: usize = attributes.iter().map(|(name, value)| name.len() + value.len() + "String".len()).sum();
    assert!(message.len() + size <= 262_144, "{} bytes", message.len());
    assert!(
        attributes.len() <= 10 && attributes.iter().all(|(_, value)| !value.is_empty() && value.chars().count() <= 256)
    );
    let message: Value = serde_json::from_str(message).unwrap();
    assert!(message.as_object().unwrap().values().all(Value::is_string), "SNS takes strings only");
    let sms = message["sms"].as_str().unwrap();
    assert!(sms.len() <= 160 && sms.chars().all(|c| (' '..='~').contains(&c)), "{sms}");
    assert!(!sms.contains(['[', ']', '{', '}', '|', '~', '^', '\\', '`']), "{sms}: escaped in GSM 03.38");
    for protocol in ["default", "email"] {
        inert(message[protocol].as_str().unwrap(), links);
    }
    machine(&serde_json::from_str(message["sqs"].as_str().unwrap()).unwrap());
}

fn pagerduty(event: &Value, size: usize, links: &[String]) {
    assert!(size < 512 * 1024, "{size} bytes");
    assert_eq!(chars(&event["dedup_key"]), 32);
    let payload = &event["payload"];
    assert!((1..=1024).contains(&chars(&payload["summary"])), "{payload}");
    assert!(["critical", "error", "warning", "info"].contains(&payload["severity"].as_str().unwrap()));
    for (key, value) in payload.as_object().unwrap() {
        if key != "custom_details" {
            assert!(chars(value) > 0, "{key}");
            assert!(!value.as_str().unwrap().contains(['<', '>']), "{key}: {value}");
            inert(value.as_str().unwrap(), links);
        }
    }
    texts(&payload["custom_details"]).iter().for_each(|text| inert(text, links));
    if let Some(time) = payload.get("timestamp") {
        static TIME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$").unwrap());
        assert!(TIME.is_match(time.as_str().unwrap()), "{time}");
    }
    for link in event["links"].as_array().unwrap() {
        assert!(links.contains(&link["href"].as_str().unwrap().to_owned()), "{link}");
    }
}

fn zendesk(document: &Value, links: &[String]) {
    static TAGS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"</?(p|strong|em|ul|li|a)>|<a href="https?://[^"<>]*">"#).unwrap());
    let ticket = &document["ticket"];
    assert_eq!(ticket["comment"]["public"], false);
    let page = &ticket["comment"]["html_body"];
    assert!((1..=65_535).contains(&chars(page)), "{} characters", chars(page));
    let text = TAGS.replace_all(page.as_str().unwrap(), "");
    assert!(!text.contains(['<', '>']), "markup: {text}");
    inert(page.as_str().unwrap(), links);
    for text in texts(ticket) {
        assert!(!text.contains("{{") && !text.contains("{%"), "a placeholder: {text}");
    }
    if let Some(subject) = ticket.get("subject") {
        assert!((1..=150).contains(&chars(subject)), "{subject}");
        inert(subject.as_str().unwrap(), links);
        assert_eq!(chars(&ticket["external_id"]), 32);
    }
}

fn servicenow(incident: &Value, links: &[String]) {
    let limits = [("short_description", 160), ("description", 4000), ("correlation_id", 100), ("work_notes", 4000)];
    for (column, value) in incident.as_object().unwrap() {
        let limit = limits.iter().find(|(name, _)| name == column).map_or(100, |(_, limit)| *limit);
        assert!((1..=limit).contains(&chars(value)), "{column}: {} characters", chars(value));
        let text = value.as_str().unwrap();
        assert!(!text.contains(['<', '>']), "{column}: {text}");
        let bare = links.iter().fold(text.to_owned(), |text, link| text.replace(link, ""));
        assert!(!bare.contains('['), "{column}: {text}");
        inert(text, links);
    }
    // By it a later attempt knows its own incident.
    let text = incident.get("description").or(incident.get("work_notes")).unwrap().as_str().unwrap();
    assert!(text.contains("message "), "{text}");
}

fn teams(message: &Value, size: usize, links: &[String]) {
    assert!(size <= 20 * 1024, "{size} bytes");
    let card = &message["attachments"][0]["content"];
    for text in texts(card) {
        if text != "http://adaptivecards.io/schemas/adaptive-card.json" {
            inert(text, links);
        }
    }
    for action in card["actions"].as_array().into_iter().flatten() {
        assert!(links.contains(&action["url"].as_str().unwrap().to_owned()), "{action}");
    }
    // Texts of the other kinds are Markdown.
    assert!(!card.to_string().contains("\"TextBlock\"") && !card.to_string().contains("FactSet"));
}

fn machine(alert: &Value) {
    assert_eq!(alert["version"], 1);
    for key in ["kind", "alert", "message", "finding", "rule", "severity", "title", "sentence"] {
        assert!(alert[key].is_string(), "{key} in {alert}");
    }
}
