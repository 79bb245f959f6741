//! Jira, by the REST API of its cloud (v3) and of its Data Center (v2): the first alert creates an issue, its repeats comment on it.
//!
//! Behaviour: <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/>,
//! <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-search/> (the search may lag some seconds behind,
//! so that an issue that is known by its key is asked for by it) and
//! <https://developer.atlassian.com/server/jira/platform/rest/v11001/>.

mod exchange;
mod texts;

use std::ops::ControlFlow;

use serde_json::{Map, Value, json};

use self::texts::{TEXT_LIMIT, wiki};
use super::kind::object;
use super::severity_map::{SeverityMap, severity_map};
use super::{Body, Channel, ChannelType, Content, Credential, Exchange, ExchangeStep, Verdict, adf, endpoint};
use crate::alert::Alert;
use crate::config::{
    KeyDefault, KeySpec, MapNames, ObjectReader, Problems, TextFormat, ValueShape, WordList, docs, repeated_keys,
    wrong_kind,
};
use crate::ids::AlertId;
use crate::secret::CredentialFault;

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
                let text = if self.is_cloud { adf::document(short) } else { json!(wiki(short)) };
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

/// The label by which an alert's issue is found.
fn label(alert: &AlertId) -> String {
    format!("offlimits-{}", alert.as_str())
}

/// `SEC-12`: nothing in it leads elsewhere in a URL.
fn is_issue_key(key: &str) -> bool {
    key.len() <= NAME_LIMIT
        && key.split_once('-').is_some_and(|(project, number)| {
            let is_of_project = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            !project.is_empty() && project.bytes().all(is_of_project) && number.parse::<u64>().is_ok()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_an_issue_leads_nowhere_else() {
        assert!(is_issue_key("SEC-12") && is_issue_key("A1_B-1"));
        for bad in ["", "SEC", "SEC-", "-1", "../x-1", "SEC-1/../2", "SEC-1?x", "SÉC-1", "SEC-1-2"] {
            assert!(!is_issue_key(bad), "{bad}");
        }
    }
}
