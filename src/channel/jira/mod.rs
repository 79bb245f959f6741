//! Jira, by the REST API of its cloud (v3) and of its Data Center (v2): the first alert creates an issue, its repeats comment on it.
//!
//! Behaviour: <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/>,
//! <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-search/> (the search may lag some seconds behind,
//! so that an issue that is known by its key is asked for by it) and
//! <https://developer.atlassian.com/server/jira/platform/rest/v11001/>.

mod exchange;

use std::ops::ControlFlow;

use serde_json::{Map, Value, json};

use self::exchange::{is_issue_key, label};
use super::escape::forwardable;
use super::kind::object;
use super::plain::{Markup, body};
use super::severity_map::{SeverityMap, severity_map};
use super::ticket::tags;
use super::{Body, Channel, ChannelType, Content, Credential, Exchange, ExchangeStep, Verdict, endpoint};
use crate::alert::{Alert, AlertKind};
use crate::config::{
    KeyDefault, KeySpec, MapNames, ObjectReader, Problems, TextFormat, ValueShape, WordList, docs, repeated_keys,
    wrong_kind,
};
use crate::secret::CredentialFault;
use crate::text::clip;

/// Characters of a summary.
const SUMMARY_LIMIT: usize = 255;
/// Characters of a description or a comment; of a document, with all that is around its texts.
const TEXT_LIMIT: usize = 32_767;

/// Characters of one text, from the most to the least: the first with which the issue fits is taken.
const TEXT_LIMITS: [usize; 4] = [2000, 800, 300, 100];
/// Characters of a label, and of a name that `rules.json` gives.
const NAME_LIMIT: usize = 255;
/// Bytes of the fields that `rules.json` fills in.
const FIELDS_LIMIT: usize = 8 * 1024;

/// The fields that the channel fills in itself.
const OWN_FIELDS: [&str; 6] = ["project", "issuetype", "summary", "description", "labels", "priority"];

/// A channel that creates issues.
#[derive(Debug)]
struct Jira {
    is_cloud: bool,
    /// The site, if the secret does not name its address.
    site: Option<String>,
    project: String,
    issue_type: String,
    /// The names of priorities; none is set where the project has none.
    priorities: Option<SeverityMap>,
    /// Labels that the issue gets besides ours.
    labels: Vec<String>,
    /// Other fields of the issue, by their names in the API.
    fields: Map<String, Value>,
    /// The transition that opens an issue again; without it, a new one is created.
    reopen: Option<String>,
}

const KEYS: &[KeySpec] = &[
    KeySpec::new("deployment", ValueShape::Word(&DEPLOYMENTS), docs!("Where Jira runs."))
        .or(KeyDefault::Value("cloud")),
    KeySpec::new(
        "site",
        ValueShape::Formatted(&endpoint::SUBDOMAIN),
        docs!("The site in the cloud: `acme` of `acme.atlassian.net`. Without it, `api_url` in the secret is needed."),
    ),
    KeySpec::required("project", ValueShape::Formatted(&PROJECT), docs!("The project's key: `SEC` of `SEC-12`.")),
    KeySpec::new("issue_type", ValueShape::Formatted(&NAME), docs!("The name of the issue's type."))
        .or(KeyDefault::Value("Task")),
    severity_map(
        &PRIORITY,
        &["Lowest", "Low", "Medium", "High", "Highest"],
        docs!("The name of the issue's priority for a severity."),
    ),
    KeySpec::new("set_priority", ValueShape::Boolean, docs!("Whether a priority is set: a project may have none."))
        .or(KeyDefault::Value("true")),
    KeySpec::new("labels", ValueShape::List(&LABEL), docs!("Labels of the issue besides ours.")),
    KeySpec::new(
        "fields",
        ValueShape::Map { names: MapNames::Any, values: &ANYTHING },
        docs!(
            "Other fields of the issue, by their names in the API: `{ \"components\": [{ \"name\": \"AWS\" }], \"customfield_10020\": \"x\" }`."
        ),
    ),
    KeySpec::new(
        "reopen",
        ValueShape::Formatted(&NAME),
        docs!(
            "The name of the transition (or of the status that it leads to) that opens an issue again which is done. Without it, a repeat creates another issue."
        ),
    ),
];

/// The type `jira`.
pub(super) static TYPE: ChannelType = ChannelType {
    summary: docs!("issues, in the cloud or a Data Center"),
    repeats: docs!("a comment on the open issue"),
    object: object("jira", docs!("Issues in Jira."), KEYS),
    credentials: &[
        Credential {
            name: "api_token",
            docs: docs!("The API token of an account of Atlassian's. This with `email`, or `access_token`, is needed."),
        },
        Credential { name: "email", docs: docs!("The address of the account whose API token it is.") },
        Credential { name: "access_token", docs: docs!("A personal access token of a Data Center.") },
        Credential {
            name: "api_url",
            docs: docs!(
                "The address, if it is not `https://SITE.atlassian.net`: a Data Center's, or for a token with scopes `https://api.atlassian.com/ex/jira/CLOUD-ID`."
            ),
        },
    ],
    configure: |fields, problems| {
        let is_cloud = fields.word("deployment", problems) != Some(DATA_CENTER);
        let site = fields.text("site", problems).map(str::to_owned);
        let project = fields.text("project", problems).unwrap_or_default().to_owned();
        let issue_type = fields.text("issue_type", problems).unwrap_or("Task").to_owned();
        let priorities = SeverityMap::read(fields, problems);
        let priorities = fields.boolean("set_priority", problems).unwrap_or(true).then_some(priorities);
        let labels = fields.texts("labels", problems).unwrap_or_default();
        let reopen = fields.text("reopen", problems).map(str::to_owned);
        let fields = other_fields(fields, problems);
        Box::new(Jira { is_cloud, site, project, issue_type, priorities, labels, fields, reopen })
    },
};

/// The word for Jira on machines of one's own.
const DATA_CENTER: &str = "data-center";
static DEPLOYMENTS: WordList = WordList { what: "deployment", listed: &["cloud", DATA_CENTER], understood: &[] };
static ANYTHING: ValueShape = ValueShape::Anything;
static PRIORITY: ValueShape = ValueShape::Formatted(&NAME);

/// What stands in a query between quotes, and in a URL.
static PROJECT: TextFormat = TextFormat {
    what: "key of a project",
    code: "bad-name",
    pattern: "^[A-Z][A-Z0-9_]*$",
    max_characters: Some(NAME_LIMIT),
    fits: |key| {
        key.starts_with(|c: char| c.is_ascii_uppercase())
            && key.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    },
    remedy: |_| "write the key that the project's issues begin with, such as SEC of SEC-12".into(),
};

static NAME: TextFormat = TextFormat {
    what: "name",
    code: "too-long",
    pattern: "",
    max_characters: Some(NAME_LIMIT),
    fits: |_| true,
    remedy: |_| "write it as Jira shows it".into(),
};

static LABEL: ValueShape = ValueShape::Formatted(&TextFormat {
    what: "label of Jira",
    code: "bad-tag",
    pattern: r"^\S+$",
    max_characters: Some(NAME_LIMIT),
    fits: |label| !label.contains(char::is_whitespace),
    remedy: |_| "a label has no spaces: write two labels, or a \"-\"".into(),
});

/// The fields that are the reader's own.
fn other_fields(reader: &mut ObjectReader<'_>, problems: &mut Problems) -> Map<String, Value> {
    let mut fields = Map::new();
    let Some(node) = reader.get("fields") else { return fields };
    let Some(members) = node.members() else {
        wrong_kind(node, "\"fields\" must be an object", problems);
        return fields;
    };
    repeated_keys(members, problems);
    for member in members {
        if OWN_FIELDS.contains(&&*member.key) {
            let message = format!("the channel fills in \"{}\" itself", member.key);
            problems.error(
                "bad-name",
                &member.key_span,
                message,
                "leave it out: the channel has keys for what may differ",
            );
        }
        if let Ok(value) = serde_json::from_str(&member.node.compact()) {
            fields.insert(member.key.to_string(), value);
        }
    }
    if Value::from(fields.clone()).to_string().len() > FIELDS_LIMIT {
        problems.error(
            "too-long",
            &node.span,
            format!("\"fields\" has more than {FIELDS_LIMIT} bytes"),
            "leave some out",
        );
    }
    fields
}

impl Channel for Jira {
    fn channel_type(&self) -> &'static ChannelType {
        &TYPE
    }

    fn render(&self, alert: &Alert<'_>) -> Body {
        let content = Content::new(alert);
        let (_, open, comment) = content.fitted(
            TEXT_LIMITS,
            |short| {
                let text = if self.is_cloud { document(short) } else { json!(wiki(short)) };
                let length =
                    text.as_str().map_or_else(|| text.to_string().chars().count(), |text| text.chars().count());
                let (open, comment) = (self.issue(alert, &content, &text), self.comment(alert, &content, &text));
                (length, open.to_string(), comment.to_string())
            },
            |(length, open, comment)| *length <= TEXT_LIMIT && open.len() + comment.len() <= Body::LIMIT / 2,
        );
        Body::Ticket { alert: alert.shown_in().clone(), key: alert.key(), open, comment }
    }

    fn next(&self, body: &Body, exchange: &Exchange<'_>) -> Result<ExchangeStep, CredentialFault> {
        let Body::Ticket { alert, key, open, comment } = body else {
            return Ok(ExchangeStep::Judged(Verdict::foreign("the body")));
        };
        let api = self.api(exchange.credentials)?;
        let comment: Value = serde_json::from_str(comment).unwrap_or_default();
        let (ControlFlow::Break(step) | ControlFlow::Continue(step)) =
            self.step(&api, alert, [key.as_str(), open], &comment, exchange.replies.iter());
        Ok(step)
    }
}

impl Jira {
    /// The document that creates an issue.
    fn issue(&self, alert: &Alert<'_>, content: &Content, text: &Value) -> Value {
        let mut labels = tags(alert, content);
        labels.push(label(alert.shown_in()));
        labels.extend_from_slice(&self.labels);
        let mut fields = self.fields.clone();
        let own = [
            ("project", json!({ "key": self.project })),
            ("issuetype", json!({ "name": self.issue_type })),
            ("summary", json!(clip(&forwardable(&content.heading), SUMMARY_LIMIT))),
            ("description", text.clone()),
            ("labels", json!(labels)),
        ];
        fields.extend(own.map(|(name, value)| (name.to_owned(), value)));
        if let Some(priorities) = &self.priorities {
            fields.insert("priority".to_owned(), json!({ "name": priorities.get(content.severity) }));
        }
        json!({ "fields": fields })
    }

    /// What a comment is made of: its text, the issue if it is known, and the priority that the issue is to have.
    fn comment(&self, alert: &Alert<'_>, content: &Content, text: &Value) -> Value {
        let mut comment = json!({ "body": text });
        if let Some(key) = alert.receipt.filter(|key| is_issue_key(key)) {
            comment["issue"] = json!(key);
        }
        if let (AlertKind::Repeat, Some(priorities)) = (alert.kind, &self.priorities) {
            // It is worse than what the issue was created for.
            comment["priority"] = json!(priorities.get(content.severity));
        }
        comment
    }
}

/// The text of a Data Center, whose markup ends at `{noformat}`: all but the links stands where nothing is markup.
/// Source: <https://jira.atlassian.com/secure/WikiRendererHelpAction.jspa?section=advanced>.
fn wiki(content: &Content) -> String {
    let links: Vec<String> = content.links.iter().map(|(name, link)| format!("\n{name}: {link}")).collect();
    let links = links.concat();
    let footer = (WIKI.inactive)(&content.footer);
    let around = format!("{{noformat}}\n\n\n{footer}\n{{noformat}}{links}").chars().count();
    let text = body(content, WIKI);
    let text = clip(&text, TEXT_LIMIT.saturating_sub(around));
    format!("{{noformat}}\n{text}\n\n{footer}\n{{noformat}}{links}")
}

/// What could end a `{noformat}`, or mention people whatever stands around it.
const WIKI: Markup = Markup {
    inactive: |text| forwardable(text).replace('{', "(").replace('}', ")").replace('[', "(").replace(']', ")"),
    is_inactive: |command| !command.to_ascii_lowercase().contains("{noformat") && !command.contains("[~"),
};

/// The whole alert as a document of Atlassian's format, in which a text is text, and nothing of it markup. The footer stands last, and is never shortened: by it a later
/// attempt knows its own message.
/// Format: <https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/>.
fn document(content: &Content) -> Value {
    let mut blocks = vec![paragraph(vec![strong(&content.heading)]), paragraph(vec![text(&content.sentence)])];
    for (index, change) in content.changes.iter().enumerate() {
        let label = if index == 0 { content.before_changes() } else { String::new() };
        let label = (!label.is_empty()).then(|| strong(&label));
        blocks.push(paragraph(label.into_iter().chain([marked(change, &json!({ "type": "code" }))]).collect()));
    }
    if !content.steps.is_empty() {
        blocks.push(paragraph(vec![strong(Content::STEPS_LABEL)]));
        let items = content.steps.iter().map(|(step, command)| {
            let command = command.iter().map(|command| json!({ "type": "codeBlock", "content": [text(command)] }));
            item(&[paragraph(vec![text(step)])].into_iter().chain(command).collect::<Vec<_>>())
        });
        blocks.push(json!({ "type": "orderedList", "content": items.collect::<Vec<_>>() }));
    }
    if !content.facts.is_empty() {
        let items = content
            .facts
            .iter()
            .map(|(name, value)| item(&[paragraph(vec![strong(&format!("{name}: ")), text(value)])]));
        blocks.push(json!({ "type": "bulletList", "content": items.collect::<Vec<_>>() }));
    }
    if let Some(why) = &content.description {
        blocks.push(paragraph(vec![strong(&format!("{}: ", Content::WHY_LABEL)), text(why)]));
    }
    for (name, link) in &content.links {
        blocks.push(paragraph(vec![marked(name, &json!({ "type": "link", "attrs": { "href": link } }))]));
    }
    blocks.push(paragraph(vec![marked(&content.footer, &json!({ "type": "em" }))]));
    json!({ "type": "doc", "version": 1, "content": blocks })
}

fn item(blocks: &[Value]) -> Value {
    json!({ "type": "listItem", "content": blocks })
}

/// A paragraph; an empty text is no node.
fn paragraph(mut runs: Vec<Value>) -> Value {
    runs.retain(|run| run["text"].as_str().is_some_and(|text| !text.is_empty()));
    json!({ "type": "paragraph", "content": runs })
}

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

fn strong(text: &str) -> Value {
    marked(text, &json!({ "type": "strong" }))
}

fn marked(text: &str, mark: &Value) -> Value {
    json!({ "type": "text", "text": text, "marks": [mark] })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::finding::{Finding, Step};
    use crate::ids::AlertId;

    #[test]
    fn nothing_ends_the_text_of_a_data_center_but_its_own_end() {
        let mut finding = Finding::test(Arc::from("digest"), "2026-01-10T11:00:00Z".to_owned());
        finding.title = "{noformat} [~admin] {code} !x.png!".to_owned();
        finding.call.sentence = "{noformat}".repeat(9000);
        let step = |command: &str| Step { text: "Do it.".to_owned(), command: Some(command.to_owned()) };
        finding.steps = vec![step("aws x --y '{\"a\":[1]}'"), step("aws x {NoFormat}"), step("aws [~admin]")];
        let id = AlertId::new("r", "", &finding.id);
        let text = wiki(&Content::new(&Alert::alone(&finding, &id, AlertKind::First)));
        assert!(text.starts_with("{noformat}\n") && text.chars().count() <= TEXT_LIMIT, "{text}");
        assert_eq!(text.to_lowercase().matches("{noformat").count(), 2, "{text}");
        assert!(!text.contains("[~") && text.contains("aws x --y '{\"a\":[1]}'"), "{text}");
        assert_eq!(text.matches("aws ").count(), 1, "{text}");
    }
}
