//! ServiceNow, by its Table API: the first alert opens an incident, its repeats are work notes on it.
//!
//! Behaviour: <https://developer.servicenow.com/dev.do#!/reference/api/latest/rest/c_TableAPI>.
//! Sizes are those of the incident table as it is delivered, which the API does not enforce: it cuts in silence.

use std::ops::ControlFlow;

use serde_json::{Value, json};

use super::escape::forwardable;
use super::kind::object;
use super::plain::{Markup, page};
use super::severity_map::{SeverityMap, severity_map};
use super::ticket::{self, OpenTicket, Tracker};
use super::{
    Body, Channel, ChannelType, Content, Credential, Exchange, ExchangeStep, HttpRequest, Method, endpoint, oauth,
};
use crate::alert::{Alert, AlertKind};
use crate::config::{KeySpec, TextFormat, ValueShape, docs};
use crate::ids::AlertId;
use crate::ids::FindingId;
use crate::secret::{CredentialFault, Secret};
use crate::text::clip;

/// Characters of a short description.
const SHORT_LIMIT: usize = 160;
/// Characters of a description.
const DESCRIPTION_LIMIT: usize = 4000;
/// Characters of a work note. The field has no size; people have patience for so much.
const NOTE_LIMIT: usize = 4000;

const HOSTS: [&str; 2] = [".service-now.com", ".servicenowservices.com"];
/// Characters of a column that `rules.json` may fill.
const COLUMN_LIMIT: usize = 40;
/// The columns that `rules.json` may fill.
const COLUMNS: [&str; 6] = ["assignment_group", "caller_id", "category", "subcategory", "cmdb_ci", "contact_type"];

/// A channel that opens incidents.
#[derive(Debug)]
struct ServiceNow {
    instance: String,
    /// Impact and urgency, of which ServiceNow makes the priority.
    levels: SeverityMap,
    columns: Vec<(&'static str, String)>,
}

const KEYS: &[KeySpec] = &[
    KeySpec::required(
        "instance",
        ValueShape::Formatted(&endpoint::SUBDOMAIN),
        docs!("The instance: `acme` of `acme.service-now.com`."),
    ),
    severity_map(&LEVELS, &["3/3", "2/3", "2/2", "1/2", "1/1"], docs!("Impact and urgency for a severity.")),
    KeySpec::new(
        "assignment_group",
        ValueShape::Formatted(&COLUMN),
        docs!("The group that the incident is assigned to: a name as it is shown, or a `sys_id`."),
    ),
    KeySpec::new(
        "caller_id",
        ValueShape::Formatted(&COLUMN),
        docs!("Who reports it: a name as it is shown, or a `sys_id`."),
    ),
    KeySpec::new(
        "category",
        ValueShape::Formatted(&COLUMN),
        docs!("The incident's category: a name as it is shown, or a `sys_id`."),
    ),
    KeySpec::new(
        "subcategory",
        ValueShape::Formatted(&COLUMN),
        docs!("The incident's subcategory: a name as it is shown, or a `sys_id`."),
    ),
    KeySpec::new(
        "cmdb_ci",
        ValueShape::Formatted(&COLUMN),
        docs!("The configuration item: a name as it is shown, or a `sys_id`."),
    ),
    KeySpec::new(
        "contact_type",
        ValueShape::Formatted(&COLUMN),
        docs!("How it was reported: a name as it is shown, or a `sys_id`."),
    ),
];

/// What an instance wants to know of who writes there.
pub(super) const CREDENTIALS: &[Credential] = &[
    Credential {
        name: "username",
        docs: docs!("A user's name. This with `password`, or `client_id` with `client_secret`, is needed."),
    },
    Credential { name: "password", docs: docs!("The user's password.") },
    Credential { name: "client_id", docs: docs!("The id of an OAuth client.") },
    Credential { name: "client_secret", docs: docs!("The OAuth client's secret.") },
    Credential {
        name: "api_url",
        docs: docs!("The instance's address, if it is not `https://INSTANCE.service-now.com`."),
    },
];

/// The type `servicenow`.
pub(super) static TYPE: ChannelType = ChannelType {
    summary: docs!("incidents, by the Table API"),
    repeats: docs!("a work note on the active incident"),
    object: object("servicenow", docs!("Incidents in ServiceNow."), KEYS),
    credentials: CREDENTIALS,
    configure: |fields, problems| {
        let instance = fields.text("instance", problems).unwrap_or_default().to_owned();
        let levels = SeverityMap::read(fields, problems);
        let columns =
            COLUMNS.into_iter().filter_map(|column| Some((column, fields.text(column, problems)?.to_owned())));
        let columns = columns.collect();
        Box::new(ServiceNow { instance, levels, columns })
    },
};

static LEVELS: ValueShape = ValueShape::Formatted(&TextFormat {
    what: "impact and urgency",
    code: "unknown-value",
    pattern: "^[123]/[123]$",
    max_characters: None,
    fits: |text| matches!(text.as_bytes(), [b'1'..=b'3', b'/', b'1'..=b'3']),
    remedy: |_| "write impact and urgency, each from 1 to 3, such as \"1/2\"".into(),
});

static COLUMN: TextFormat = TextFormat {
    what: "value of a column",
    code: "too-long",
    pattern: "",
    max_characters: Some(COLUMN_LIMIT),
    fits: |_| true,
    remedy: |_| "write its name, or its sys_id".into(),
};

impl Channel for ServiceNow {
    fn channel_type(&self) -> &'static ChannelType {
        &TYPE
    }

    fn render(&self, alert: &Alert<'_>) -> Body {
        let content = Content::new(alert);
        let (impact, urgency) = self.levels.get(content.severity).split_once('/').unwrap_or_default();
        let text = page(&content, DESCRIPTION_LIMIT, MARKUP);
        let mut incident = json!({
            "short_description": clip(&inactive(&content.heading), SHORT_LIMIT),
            "description": text,
            "correlation_id": alert.shown_in().as_str(),
            "correlation_display": "offlimits",
            "impact": impact,
            "urgency": urgency,
        });
        for (column, value) in &self.columns {
            incident[column] = json!(value);
        }
        let mut note = json!({ "work_notes": clip(&text, NOTE_LIMIT) });
        if matches!(alert.kind, AlertKind::Repeat) {
            // It is worse than what the incident was opened for.
            note["impact"] = json!(impact);
            note["urgency"] = json!(urgency);
        }
        Body::Ticket {
            alert: alert.shown_in().clone(),
            key: alert.key(),
            open: incident.to_string(),
            comment: note.to_string(),
        }
    }

    fn next(&self, body: &Body, exchange: &Exchange<'_>) -> Result<ExchangeStep, CredentialFault> {
        match access(&self.instance, exchange)? {
            ControlFlow::Continue((base, authorization)) => {
                ticket::next(&ServiceNowApi { base, authorization }, body, exchange)
            }
            ControlFlow::Break(step) => Ok(step),
        }
    }
}

/// The address of an instance, and the header `Authorization` of who may write there; until there is one, the step that leads to it.
///
/// # Errors
/// A credential that is missing or cannot be right.
pub(super) fn access(
    instance: &str,
    exchange: &Exchange<'_>,
) -> Result<ControlFlow<ExchangeStep, (String, Secret)>, CredentialFault> {
    let credentials = exchange.credentials;
    let default = || Secret::new(format!("https://{instance}.service-now.com"));
    let url = endpoint::checked("api_url", credentials.optional("api_url")?.unwrap_or_else(default), &HOSTS)?;
    let base = url.expose().trim_end_matches('/').to_owned();
    if let Some(user) = credentials.optional("username")? {
        let authorization = oauth::basic(user.expose(), &credentials.required("password")?);
        return Ok(ControlFlow::Continue((base, authorization)));
    }
    Ok(match oauth::authorization(exchange, format!("{base}/oauth_token.do"), "username", None)? {
        ControlFlow::Continue(authorization) => ControlFlow::Continue((base, authorization)),
        ControlFlow::Break(step) => ControlFlow::Break(step),
    })
}

/// The Table API of one instance.
struct ServiceNowApi {
    base: String,
    authorization: Secret,
}

impl ServiceNowApi {
    fn url(&self, rest: &str) -> Secret {
        Secret::new(format!("{}/api/now/table/incident{rest}", self.base))
    }
}

impl Tracker for ServiceNowApi {
    fn search(&self, alert: &AlertId) -> HttpRequest {
        // Nothing escapes a value in a query, where `^` joins conditions: the id is hexadecimal.
        let query = format!("correlation_id%3D{}%5Eactive%3Dtrue%5EORDERBYDESCsys_created_on", alert.as_str());
        let url = self.url(&format!("?sysparm_query={query}&sysparm_limit=1&sysparm_fields=sys_id,number,description"));
        HttpRequest::get(url).secret_header("authorization", &self.authorization).header("accept", "application/json")
    }

    fn found(&self, answer: &Value) -> Result<Option<OpenTicket>, ()> {
        let Some(incident) = answer["result"].as_array().ok_or(())?.first() else { return Ok(None) };
        let id = incident["sys_id"].as_str().filter(|id| is_sys_id(id)).ok_or(())?.to_owned();
        let text = |key: &str| incident[key].as_str().unwrap_or_default().to_owned();
        Ok(Some(OpenTicket { id, name: text("number"), text: text("description") }))
    }

    fn open(&self, _: &FindingId, document: &str) -> HttpRequest {
        HttpRequest::post(self.url("?sysparm_fields=sys_id,number"), document)
            .secret_header("authorization", &self.authorization)
            .header("accept", "application/json")
    }

    fn comment(&self, ticket: &OpenTicket, document: &str) -> HttpRequest {
        let url = self.url(&format!("/{}?sysparm_fields=sys_id,number", ticket.id));
        HttpRequest::with(Method::Patch, url, document)
            .secret_header("authorization", &self.authorization)
            .header("accept", "application/json")
    }

    fn receipt(&self, answer: &Value) -> Option<String> {
        answer["result"]["number"].as_str().map(|number| clip(number, 40).into_owned())
    }
}

fn is_sys_id(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// What ServiceNow takes for markup.
pub(super) const MARKUP: Markup = Markup { inactive, is_inactive };

/// Whether nothing of it is markup to ServiceNow. A command is shown as it is or not at all, and its brackets may be JSON.
fn is_inactive(command: &str) -> bool {
    let command = command.to_ascii_lowercase();
    !["<", ">", "[code", "[/code", "@["].iter().any(|markup| command.contains(markup))
}

/// Without ServiceNow's markup: journal fields show what stands between `[code]` tags as HTML, and `@[…]` mentions people.
fn inactive(text: &str) -> String {
    forwardable(text).replace('[', "(").replace(']', ")")
}
