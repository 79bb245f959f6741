//! Jira, by the REST API of its cloud (v3) and of its Data Center (v2): the first alert creates an issue, its repeats comment on it.
//!
//! Behaviour: <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/>,
//! <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-search/> (the search may lag some seconds behind,
//! so that an issue that is known by its key is asked for by it) and
//! <https://developer.atlassian.com/server/jira/platform/rest/v11001/>.

use std::ops::ControlFlow;
use std::slice::Iter;

use serde_json::{Map, Value, json};

use super::escape::forwardable;
use super::http::judge_status;
use super::kind::object;
use super::plain::{Markup, body};
use super::severity_map::{SeverityMap, severity_map};
use super::ticket::{answer, tags};
use super::{
    Body, Channel, ChannelType, Content, Credential, Exchange, ExchangeStep, HttpRequest, Method, Reply, Request,
    Verdict, adf, endpoint, oauth,
};
use crate::alert::{Alert, AlertKind};
use crate::config::{
    KeyDefault, KeySpec, MapNames, ObjectReader, Problems, TextFormat, ValueShape, WordList, docs, repeated_keys,
    wrong_kind,
};
use crate::ids::AlertId;
use crate::secret::{ChannelCredentials, CredentialFault, Secret};
use crate::text::{clip, percent_encoded};

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
/// Issues of one alert that the search answers with, the newest first: one is open at most, unless people opened more.
const SEARCHED: u8 = 3;

/// The sites of the cloud and its gateway, which scoped tokens need; and those of the government cloud.
const HOSTS: [&str; 4] =
    [".atlassian.net", "api.atlassian.com", ".atlassian-us-gov-mod.net", "api.atlassian-us-gov-mod.com"];
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

impl Jira {
    fn api(&self, credentials: ChannelCredentials<'_>) -> Result<Api, CredentialFault> {
        let url = match (credentials.optional("api_url")?, &self.site) {
            (Some(url), _) => url,
            (None, Some(site)) => Secret::new(format!("https://{site}.atlassian.net")),
            (None, None) => return Err(credentials.missing(&["api_url"])),
        };
        let url = if self.is_cloud {
            endpoint::checked("api_url", url, &HOSTS)?
        } else if endpoint::is_private(url.expose()) {
            url
        } else {
            return Err(credentials.fault("api_url", "is not an https URL"));
        };
        let version = if self.is_cloud { 3 } else { 2 };
        let base = format!("{}/rest/api/{version}", url.expose().trim_end_matches('/'));
        let authorization = if let Some(token) = credentials.optional("access_token")? {
            Secret::new(format!("Bearer {}", token.expose()))
        } else if let Some(token) = credentials.optional("api_token")? {
            oauth::basic(credentials.required("email")?.expose(), &token)
        } else {
            return Err(credentials.missing(&["api_token", "access_token"]));
        };
        Ok(Api { base, authorization })
    }

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

    /// The next step, by the replies so far: the issue is looked for, opened again if that is asked for, raised in its priority if this
    /// is worse, and commented on; or another one is created.
    fn step(
        &self,
        api: &Api,
        alert: &AlertId,
        [key, open]: [&str; 2],
        comment: &Value,
        mut replies: Iter<'_, Reply>,
    ) -> ControlFlow<ExchangeStep, ExchangeStep> {
        let Some(issue) = self.found(api, alert, comment["issue"].as_str(), &mut replies)? else {
            return api.create(open, replies);
        };
        let place = format!("/issue/{}", issue.key);
        // An earlier attempt created it, and its answer was lost.
        if replies.len() == 0 && issue.text.contains(key) {
            return judged(Verdict::Delivered { receipt: Some(issue.key) });
        }
        if issue.is_done && !self.opened_again(api, &place, &mut replies)? {
            return api.create(open, replies);
        }
        if let Some(priority) = comment["priority"].as_str().filter(|priority| *priority != issue.priority) {
            let document = json!({ "fields": { "priority": { "name": priority } } });
            // Whoever may not raise it may still tell of it.
            unless_it_passes(api.ask(Method::Put, &place, &document, &mut replies)?)?;
        }
        // Nothing for customers to read, where the project is a service desk.
        let properties = json!([{ "key": "sd.public.comment", "value": { "internal": true } }]);
        let document = json!({ "body": comment["body"], "properties": properties });
        match api.ask(Method::Post, &format!("{place}/comment"), &document, &mut replies)? {
            // It was deleted after the search.
            Reply::Http { status: 404 | 410, .. } => api.create(open, replies),
            reply => judged(match judge(reply) {
                Verdict::Delivered { .. } => Verdict::Delivered { receipt: Some(issue.key) },
                verdict => verdict,
            }),
        }
    }

    /// The alert's issue: one that is open, if there is one.
    fn found(
        &self,
        api: &Api,
        alert: &AlertId,
        known: Option<&str>,
        replies: &mut Iter<'_, Reply>,
    ) -> ControlFlow<ExchangeStep, Option<Issue>> {
        const FIELDS: &str = "fields=status,description,priority";
        if let Some(known) = known {
            let reply = api.get(&format!("/issue/{known}?{FIELDS}"), replies)?;
            match answer(reply) {
                Ok(issue) => return readable(Issue::read(&issue).map(Some)),
                // It was deleted: there may be another.
                Err(_) if matches!(reply, Reply::Http { status: 404, .. }) => {}
                Err(verdict) => return ControlFlow::Break(ExchangeStep::Judged(verdict)),
            }
        }
        let query = format!("project = \"{}\" AND labels = \"{}\" ORDER BY created DESC", self.project, label(alert));
        let search = if self.is_cloud { "/search/jql" } else { "/search" };
        let url = format!("{search}?jql={}&maxResults={SEARCHED}&{FIELDS}", percent_encoded(&query));
        let found = match answer(api.get(&url, replies)?) {
            Ok(found) => found,
            // The project is not there, or not for this account to see.
            Err(Verdict::Rejected { reason }) => {
                return ControlFlow::Break(ExchangeStep::Judged(Verdict::Refused { reason }));
            }
            Err(verdict) => return ControlFlow::Break(ExchangeStep::Judged(verdict)),
        };
        let issues: Option<Vec<Issue>> =
            found["issues"].as_array().and_then(|issues| issues.iter().map(Issue::read).collect());
        readable(issues.map(|mut issues| {
            let at = issues.iter().position(|issue| !issue.is_done).unwrap_or_default();
            (at < issues.len()).then(|| issues.swap_remove(at))
        }))
    }

    /// Whether the issue was opened again, if that is asked for.
    fn opened_again(&self, api: &Api, place: &str, replies: &mut Iter<'_, Reply>) -> ControlFlow<ExchangeStep, bool> {
        let Some(reopen) = &self.reopen else { return ControlFlow::Continue(false) };
        let place = format!("{place}/transitions");
        let reply = api.get(&place, replies)?;
        if !unless_it_passes(reply)? {
            return ControlFlow::Continue(false);
        }
        let found = answer(reply).unwrap_or_default();
        let is_asked_for = |transition: &&Value| {
            [&transition["name"], &transition["to"]["name"]]
                .iter()
                .any(|name| name.as_str().is_some_and(|name| name.eq_ignore_ascii_case(reopen)))
        };
        let transitions = found["transitions"].as_array().map(Vec::as_slice).unwrap_or_default();
        let Some(id) = transitions.iter().find(is_asked_for).and_then(|transition| transition["id"].as_str()) else {
            return ControlFlow::Continue(false);
        };
        let document = json!({ "transition": { "id": id } });
        unless_it_passes(api.ask(Method::Post, &place, &document, replies)?)
    }
}

/// Whether the request succeeded; a trouble that passes ends the attempt.
fn unless_it_passes(reply: &Reply) -> ControlFlow<ExchangeStep, bool> {
    match answer(reply) {
        Ok(_) => ControlFlow::Continue(true),
        Err(verdict @ Verdict::Retry { .. }) => ControlFlow::Break(ExchangeStep::Judged(verdict)),
        Err(_) => ControlFlow::Continue(false),
    }
}

/// What was read of an answer; one that cannot be read is asked for again.
fn readable<T>(read: Option<T>) -> ControlFlow<ExchangeStep, T> {
    let reason = "the search's answer cannot be read".to_owned();
    read.map_or_else(
        || ControlFlow::Break(ExchangeStep::Judged(Verdict::Retry { after: None, reason })),
        ControlFlow::Continue,
    )
}

const fn judged(verdict: Verdict) -> ControlFlow<ExchangeStep, ExchangeStep> {
    ControlFlow::Continue(ExchangeStep::Judged(verdict))
}

/// The label by which an alert's issue is found.
fn label(alert: &AlertId) -> String {
    format!("offlimits-{}", alert.as_str())
}

/// An issue that was found.
struct Issue {
    key: String,
    is_done: bool,
    priority: String,
    /// Its description, as it stands in the answer.
    text: String,
}

impl Issue {
    fn read(issue: &Value) -> Option<Self> {
        let key = issue["key"].as_str().filter(|key| is_issue_key(key))?.to_owned();
        let fields = &issue["fields"];
        Some(Self {
            key,
            is_done: fields["status"]["statusCategory"]["key"] == "done",
            priority: fields["priority"]["name"].as_str().unwrap_or_default().to_owned(),
            text: fields["description"].to_string(),
        })
    }
}

/// `SEC-12`: nothing in it leads elsewhere in a URL.
fn is_issue_key(key: &str) -> bool {
    key.len() <= NAME_LIMIT
        && key.split_once('-').is_some_and(|(project, number)| {
            let is_of_project = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            !project.is_empty() && project.bytes().all(is_of_project) && number.parse::<u64>().is_ok()
        })
}

/// The API of one Jira.
struct Api {
    base: String,
    authorization: Secret,
}

impl Api {
    fn url(&self, rest: &str) -> Secret {
        Secret::new(format!("{}{rest}", self.base))
    }

    fn step(&self, request: HttpRequest) -> ExchangeStep {
        let request = request.secret_header("authorization", &self.authorization).header("accept", "application/json");
        ExchangeStep::Send(Request::Http(request))
    }

    /// The reply to a request that carries nothing, or the step that makes it.
    fn get<'r>(&self, rest: &str, replies: &mut Iter<'r, Reply>) -> ControlFlow<ExchangeStep, &'r Reply> {
        match replies.next() {
            Some(reply) => ControlFlow::Continue(reply),
            None => ControlFlow::Break(self.step(HttpRequest::get(self.url(rest)))),
        }
    }

    /// The reply to a request with a document, or the step that makes it.
    fn ask<'r>(
        &self,
        method: Method,
        rest: &str,
        document: &Value,
        replies: &mut Iter<'r, Reply>,
    ) -> ControlFlow<ExchangeStep, &'r Reply> {
        match replies.next() {
            Some(reply) => ControlFlow::Continue(reply),
            None => ControlFlow::Break(self.step(HttpRequest::with(method, self.url(rest), document.to_string()))),
        }
    }

    /// Creates an issue: the last request of an exchange.
    fn create(&self, open: &str, mut replies: Iter<'_, Reply>) -> ControlFlow<ExchangeStep, ExchangeStep> {
        match replies.next() {
            Some(reply) => judged(judge(reply)),
            None => ControlFlow::Break(self.step(HttpRequest::post(self.url("/issue"), open))),
        }
    }
}

/// What the reply to a request that writes means. Of a 400 the names of the fields that it blames are told: it is seldom the texts that
/// are wrong, mostly a field, a type or a priority that the project does not have, which somebody can mend.
fn judge(reply: &Reply) -> Verdict {
    match (reply, answer(reply)) {
        (_, Ok(answer)) => {
            let key = answer["key"].as_str().filter(|key| is_issue_key(key));
            Verdict::Delivered { receipt: key.map(str::to_owned) }
        }
        (Reply::Http { status: 400, body, .. }, _) => {
            let answer: Value = serde_json::from_str(body).unwrap_or_default();
            let blamed: Vec<&str> =
                answer["errors"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
            if blamed.iter().any(|name| ["summary", "description", "comment"].contains(name)) {
                return Verdict::Rejected { reason: "HTTP 400, a text is not taken".to_owned() };
            }
            let is_word = |name: &&str| name.len() < 60 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            let names: Vec<&str> = blamed.into_iter().filter(is_word).take(5).collect();
            let about = if names.is_empty() { String::new() } else { format!(", about {}", names.join(", ")) };
            Verdict::Refused { reason: format!("HTTP 400{about}") }
        }
        // Something of the site's settings keeps issues from being created.
        (Reply::Http { status: 422, .. }, _) => Verdict::Refused { reason: "HTTP 422".to_owned() },
        (Reply::Http { status, retry_after, .. }, _) => judge_status(*status, *retry_after),
        (_, Err(verdict)) => verdict,
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::finding::{Finding, Step};

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

    #[test]
    fn a_key_of_an_issue_leads_nowhere_else() {
        assert!(is_issue_key("SEC-12") && is_issue_key("A1_B-1"));
        for bad in ["", "SEC", "SEC-", "-1", "../x-1", "SEC-1/../2", "SEC-1?x", "SÉC-1", "SEC-1-2"] {
            assert!(!is_issue_key(bad), "{bad}");
        }
    }
}
