//! Microsoft Teams: an Adaptive Card, posted to the webhook of a workflow.
//!
//! Limits: <https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format> and
//! <https://learn.microsoft.com/connectors/teams/> (a message has about 28 KB at most). A
//! workflow acknowledges before it posts: what it cannot post is lost without a word, so that the limits are kept with room.

use serde_json::{Value, json};

use super::http::judge_status;
use super::kind::object;
use super::severity_map::{SeverityMap, severity_map};
use super::{
    Body, Channel, ChannelType, Content, Credential, Exchange, ExchangeStep, HttpRequest, Reply, Request, Verdict,
    endpoint,
};
use crate::alert::Alert;
use crate::config::{KeySpec, ValueShape, WordList, docs};
use crate::secret::CredentialFault;

/// Bytes of a request: some less than the 28 KB that a message may have.
const REQUEST_LIMIT: usize = 20 * 1024;
/// Characters of one text, from the most to the least: the first with which the request fits is taken.
const TEXT_LIMITS: [usize; 5] = [2000, 800, 300, 100, 50];
/// The version of Adaptive Cards that all of Teams's programs show.
const CARD_VERSION: &str = "1.4";

/// Where workflows listen: Power Automate and the older Logic Apps, in the public cloud, in those of the US government (GCC, GCC
/// High, `DoD`), and in China's. Source: "When an HTTP request is received" in
/// <https://learn.microsoft.com/power-automate/ip-address-configuration>.
const HOSTS: [&str; 9] = [
    ".api.powerplatform.com",
    ".logic.azure.com",
    ".api.powerplatform.us",
    ".api.gov.powerplatform.microsoft.us",
    ".api.high.powerplatform.microsoft.us",
    ".api.appsplatform.us",
    ".logic.azure.us",
    ".api.powerplatform.partner.microsoftonline.cn",
    ".logic.azure.cn",
];
/// Where the connectors listened that Microsoft has retired.
const RETIRED: [&str; 2] = [".webhook.office.com/", "//outlook.office.com/"];

/// A channel that posts Adaptive Cards to a workflow.
#[derive(Debug)]
struct Teams {
    styles: SeverityMap,
}

const KEYS: &[KeySpec] = &[severity_map(
    &HEADING_STYLE,
    &["default", "accent", "warning", "attention", "attention"],
    docs!("The style of the card's heading for a severity."),
)];

/// The type `teams`.
pub(super) static TYPE: ChannelType = ChannelType {
    summary: docs!("an Adaptive Card, by a workflow"),
    repeats: docs!("a card of its own; the roll-ups of one minute are one"),
    object: object("teams", docs!("Cards in Microsoft Teams."), KEYS),
    credentials: &[Credential { name: "webhook_url", docs: docs!("The URL of the workflow. It is needed.") }],
    configure: |fields, problems| Box::new(Teams { styles: SeverityMap::read(fields, problems) }),
};

static HEADING_STYLE: ValueShape = ValueShape::Word(&WordList {
    what: "style of a card",
    listed: &["attention", "warning", "accent", "good", "emphasis", "default"],
    understood: &[],
});

impl Channel for Teams {
    fn channel_type(&self) -> &'static ChannelType {
        &TYPE
    }

    fn tells_roll_ups_together(&self) -> bool {
        true
    }

    fn render(&self, alert: &Alert<'_>) -> Body {
        let content = Content::new(alert);
        let style = self.styles.get(content.severity);
        let json = content.fitted(
            TEXT_LIMITS,
            |content| message(content, style).to_string(),
            |json| json.len() <= REQUEST_LIMIT,
        );
        Body::Json { key: alert.key(), json }
    }

    fn next(&self, body: &Body, exchange: &Exchange<'_>) -> Result<ExchangeStep, CredentialFault> {
        let Body::Json { json, .. } = body else { return Ok(ExchangeStep::Judged(Verdict::foreign("the body"))) };
        if let Some(reply) = exchange.replies.last() {
            return Ok(ExchangeStep::Judged(judge(reply)));
        }
        let url = exchange.credentials.required("webhook_url")?;
        if RETIRED.iter().any(|host| url.expose().contains(host)) {
            let what = "is of a connector, which Microsoft has retired: make a workflow (docs/channels/teams.md)";
            return Err(exchange.credentials.fault("webhook_url", what));
        }
        let url = endpoint::checked("webhook_url", url, &HOSTS)?;
        Ok(ExchangeStep::Send(Request::Http(HttpRequest::post(url, json))))
    }
}

fn message(content: &Content, style: &str) -> Value {
    let mut body = vec![json!({
        "type": "Container",
        "style": style,
        "bleed": true,
        "items": [text(&[run(&content.heading, Look::Heading)])],
    })];
    body.push(text(&[run(&content.sentence, Look::Plain)]));
    for (index, change) in content.changes.iter().enumerate() {
        let label = if index == 0 { content.before_changes() } else { String::new() };
        let label = (!label.is_empty()).then(|| run(&label, Look::Bold));
        body.push(below(
            index > 0,
            text(&[label, Some(run(change, Look::Code))].into_iter().flatten().collect::<Vec<_>>()),
        ));
    }
    if !content.steps.is_empty() {
        body.push(text(&[run(Content::STEPS_LABEL, Look::Bold)]));
    }
    for (index, (step, command)) in content.steps.iter().enumerate() {
        body.push(below(true, text(&[run(&format!("{}. {step}", index + 1), Look::Plain)])));
        body.extend(command.iter().map(|command| below(true, text(&[run(command, Look::Code)]))));
    }
    for (index, (name, value)) in content.facts.iter().enumerate() {
        let fact = text(&[run(&format!("{name}: "), Look::Bold), run(value, Look::Plain)]);
        body.push(below(index > 0, fact));
    }
    if let Some(description) = &content.description {
        body.push(text(&[run(&format!("{}: ", Content::WHY_LABEL), Look::Bold), run(description, Look::Plain)]));
    }
    body.push(text(&[run(&content.footer, Look::Subtle)]));
    let actions: Vec<Value> = content
        .links
        .iter()
        .map(|(name, link)| json!({"type": "Action.OpenUrl", "title": name, "url": link}))
        .collect();
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": CARD_VERSION,
        "msteams": { "width": "full" },
        "fallbackText": content.heading,
        "body": body,
    });
    if !actions.is_empty() {
        card["actions"] = json!(actions);
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": card,
        }],
    })
}

/// A rich text: unlike a `TextBlock` or a `FactSet` it knows no Markdown, so that nothing of the record is markup.
fn text(runs: &[Value]) -> Value {
    json!({ "type": "RichTextBlock", "inlines": runs })
}

/// An element close below the one before it, with which it belongs together.
fn below(is_below: bool, mut element: Value) -> Value {
    if is_below {
        element["spacing"] = json!("Small");
    }
    element
}

/// How a text looks.
#[derive(Clone, Copy)]
enum Look {
    Heading,
    Bold,
    Plain,
    Code,
    Subtle,
}

fn run(text: &str, look: Look) -> Value {
    let mut run = json!({ "type": "TextRun", "text": text });
    let mut set = |name: &str, value: Value| run[name] = value;
    match look {
        Look::Heading => {
            set("weight", json!("Bolder"));
            set("size", json!("Medium"));
        }
        Look::Bold => set("weight", json!("Bolder")),
        Look::Plain => {}
        Look::Code => set("fontType", json!("Monospace")),
        Look::Subtle => {
            set("isSubtle", json!(true));
            set("size", json!("Small"));
        }
    }
    run
}

fn judge(reply: &Reply) -> Verdict {
    match reply {
        Reply::Http { status, retry_after, .. } => judge_status(*status, *retry_after),
        Reply::Unreachable(reason) => Verdict::Retry { after: None, reason: (*reason).to_owned() },
        Reply::Published(_) | Reply::SnsFault(_) => Verdict::foreign("the reply"),
    }
}
