//! What holds of every message, whatever the record says. The fuzz target asks for the same.

use std::sync::LazyLock;

use offlimits::alert::Alert;
use offlimits::channel::ConfiguredChannel;
use offlimits::channel::{Body, HttpRequest, Request, event_link};
use regex::Regex;
use serde_json::Value;

use super::exchange::{kind, requests};
use super::samples::sample;

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
        Request::Http(HttpRequest { content: Some((_, content)), .. }) => document(kind, content.expose(), links),
        Request::Http(_) => panic!("{kind}: a request that carries nothing"),
    }
}

/// Checks a document: what the channel's file asks of it, and what is its vendor's own.
fn document(kind: &str, content: &str, links: &[String]) {
    let json: Value = serde_json::from_str(content).unwrap();
    let sample = sample(kind);
    let limit = sample.limits.bytes.unwrap_or(usize::MAX);
    assert!(content.len() <= limit, "{kind}: {} bytes", content.len());
    for (pointer, limit) in &sample.limits.characters {
        let count = json.pointer(pointer).map_or(1, chars);
        assert!((1..=*limit).contains(&count), "{kind}: {pointer} has {count} characters");
    }
    if !sample.is_for_machines {
        let links = [links, sample.links.as_slice()].concat();
        texts(&json).iter().for_each(|text| inert(text, &links));
    }
    match kind {
        "slack" => slack(&json, links),
        "pagerduty" => pagerduty(&json, links),
        "zendesk" => zendesk(&json),
        "servicenow" => servicenow(&json, links),
        "teams" => teams(&json, links),
        "webhook" => machine(&json),
        _ => {}
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
    let groups = [&message["blocks"], &message["attachments"][0]["blocks"]];
    for blocks in groups {
        // The validator reads blocks at the top of a message.
        let blocks = serde_json::json!({ "text": message["text"], "blocks": blocks });
        slackblocks::WebhookMessage::try_from(blocks).unwrap_or_else(|error| panic!("{error}: {message}"));
    }
    let total: usize = texts(message).iter().map(|text| text.chars().count()).sum();
    assert!(total < 12_000, "{total} characters");
    let fallback = message["text"].as_str().unwrap();
    assert!(!fallback.contains(['<', '>']), "markup: {fallback}");
    for block in groups.into_iter().flat_map(|blocks| blocks.as_array().unwrap()) {
        if block["text"]["type"] == "mrkdwn" {
            assert_eq!(block["text"]["verbatim"], true, "Slack would make links of what looks like one: {block}");
            block["text"]["text"].as_str().unwrap().lines().for_each(is_plain_mrkdwn);
        }
        for button in block["elements"].as_array().into_iter().flatten().filter(|element| element["type"] == "button") {
            assert!(links.contains(&button["url"].as_str().unwrap().to_owned()), "{button}");
        }
    }
}

/// A line of Slack's markup: but for the name at its beginning and for what stands in code, nothing of it is a format.
fn is_plain_mrkdwn(line: &str) {
    static CODE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^```[^`]+```$|^\*[A-Z][A-Za-z' ()]*:?\*|`[^`]+`|&(amp|lt|gt);").unwrap());
    let rest = CODE.replace_all(line, "");
    assert!(!rest.contains(['*', '_', '~', '`', '<', '>', '&']), "markup: {line}");
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
    let limit = sample("sns").settings["sms_length"].as_u64().unwrap();
    assert!(sms.len() as u64 <= limit && sms.chars().all(|c| (' '..='~').contains(&c)), "{sms}");
    assert!(!sms.contains(['[', ']', '{', '}', '|', '~', '^', '\\', '`']), "{sms}: escaped in GSM 03.38");
    inert(message["default"].as_str().unwrap(), links);
    machine(&serde_json::from_str(message["sqs"].as_str().unwrap()).unwrap());
    amazon_q(&serde_json::from_str(message["https"].as_str().unwrap()).unwrap(), links);
}

/// A notification of Amazon Q Developer, whose Markdown is the chat's own.
fn amazon_q(notification: &Value, links: &[String]) {
    let content = &notification["content"];
    texts(notification).iter().for_each(|text| inert(text, links));
    assert!((1..=140).contains(&chars(&content["title"])) && (1..=2900).contains(&chars(&content["description"])));
    assert_eq!((chars(&notification["id"]), chars(&notification["metadata"]["threadId"])), (32, 32));
    let steps = content["nextSteps"].as_array().into_iter().flatten();
    let lines = content["description"].as_str().unwrap().lines().chain(steps.map(|step| step.as_str().unwrap()));
    for line in lines.chain([content["title"].as_str().unwrap()]) {
        let bare = links.iter().fold(line.to_owned(), |line, link| line.replace(link, ""));
        is_plain_markdown(&bare);
    }
}

/// A line of Slack's markup, or of Markdown: but for the name at its beginning and for code, nothing of it is a format or a mention.
fn is_plain_markdown(line: &str) {
    static CODE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\*[A-Z][A-Za-z' ()]*:\*|`[^`<>]+`").unwrap());
    static WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\w").unwrap());
    let rest = CODE.replace_all(line, " ");
    assert!(!rest.contains(['*', '~', '`', '<', '>', '[', '|', '#', '\\']), "markup: {line}");
    for (at, sign) in rest.match_indices(['_', '@']) {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        let is_after_word = before.chars().next_back().is_some_and(|c| WORD.is_match(c.encode_utf8(&mut [0; 4])));
        // A text that was cut there ends in an ellipsis.
        let is_before_word = WORD.is_match(after) || sign == "_" && after.starts_with('…');
        assert!(is_after_word && is_before_word, "a format or a mention: {line}");
    }
}

fn pagerduty(event: &Value, links: &[String]) {
    // Where an incident has risen, the severity follows: it is another incident there.
    let key = event["dedup_key"].as_str().unwrap();
    assert!(key.len() == 32 || key.as_bytes()[32] == b'-' && key.len() <= 255, "{key}");
    let payload = &event["payload"];
    assert!(["critical", "error", "warning", "info"].contains(&payload["severity"].as_str().unwrap()));
    for (key, value) in payload.as_object().unwrap() {
        if key != "custom_details" {
            assert!(chars(value) > 0, "{key}");
            assert!(!value.as_str().unwrap().contains(['<', '>']), "{key}: {value}");
        }
    }
    if let Some(time) = payload.get("timestamp") {
        static TIME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$").unwrap());
        assert!(TIME.is_match(time.as_str().unwrap()), "{time}");
    }
    for link in event["links"].as_array().unwrap() {
        assert!(links.contains(&link["href"].as_str().unwrap().to_owned()), "{link}");
        assert!(chars(&link["text"]) > 0, "{link}");
    }
    if let Some(link) = event.get("client_url") {
        assert!(links.contains(&link.as_str().unwrap().to_owned()), "{link}");
    }
}

fn zendesk(document: &Value) {
    static TAGS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"</?(p|strong|em|ul|ol|li|a|code|pre)>|<a href="https?://[^"<>]*">"#).unwrap());
    let ticket = &document["ticket"];
    assert_eq!(ticket["comment"]["public"], false);
    for tag in ticket["tags"].as_array().into_iter().flatten() {
        let tag = tag.as_str().unwrap();
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        assert!(tag.len() <= 110 && tag.chars().all(fits), "{tag}");
    }
    let text = TAGS.replace_all(ticket["comment"]["html_body"].as_str().unwrap(), "");
    assert!(!text.contains(['<', '>']), "markup: {text}");
    for text in texts(ticket) {
        assert!(!text.contains("{{") && !text.contains("{%"), "a placeholder: {text}");
    }
}

fn servicenow(incident: &Value, links: &[String]) {
    for (column, value) in incident.as_object().unwrap() {
        assert!(chars(value) > 0, "{column} is empty");
        let text = value.as_str().unwrap();
        assert!(!text.contains(['<', '>']), "{column}: {text}");
        let bare = links.iter().fold(text.to_owned(), |text, link| text.replace(link, ""));
        let lower = bare.to_lowercase();
        assert!(!["[code", "[/code", "@["].iter().any(|markup| lower.contains(markup)), "{column}: {text}");
    }
    // By it a later attempt knows its own incident.
    let text = incident.get("description").or(incident.get("work_notes")).unwrap().as_str().unwrap();
    assert!(text.contains("message "), "{text}");
}

fn teams(message: &Value, links: &[String]) {
    let card = &message["attachments"][0]["content"];
    for action in card["actions"].as_array().into_iter().flatten() {
        assert!(links.contains(&action["url"].as_str().unwrap().to_owned()), "{action}");
    }
    assert!(chars(&card["body"][0]["items"][0]["inlines"][0]["text"]) > 0);
    // Texts of the other kinds are Markdown.
    assert!(!card.to_string().contains("\"TextBlock\"") && !card.to_string().contains("FactSet"));
}

fn machine(alert: &Value) {
    assert_eq!(alert["version"], 1);
    for key in ["kind", "alert", "message", "finding", "rule", "severity", "title", "sentence"] {
        assert!(alert[key].is_string(), "{key} in {alert}");
    }
}
