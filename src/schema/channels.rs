//! Channels: the keys of each type, and the filter's, which all have.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use super::NAME;
use super::rule::SeverityWord;
use crate::severity::Severity;

/// A destination. Credentials stand in the secret, never here.
#[derive(JsonSchema)]
#[schemars(tag = "type", rename_all = "lowercase", transform = with_filter)]
pub(super) enum Channel {
    /// Incidents in PagerDuty.
    PagerDuty {
        /// Where the account is.
        #[schemars(extend("enum" = ["us", "eu"]))]
        service_region: Option<String>,
        /// PagerDuty's severity for ours.
        #[schemars(transform = by_severity, extend("additionalProperties" = { "type": "string", "enum": ["critical", "error", "warning", "info"] }))]
        severity_map: Option<BTreeMap<String, String>>,
    },
    /// Incidents in ServiceNow.
    ServiceNow {
        /// The instance: the first part of its host's name.
        #[schemars(regex(pattern = LABEL))]
        instance: String,
        /// Impact and urgency for our severities, such as "1/2".
        #[schemars(transform = by_severity, extend("additionalProperties" = { "type": "string", "pattern": "^[123]/[123]$" }))]
        severity_map: Option<BTreeMap<String, String>>,
        /// The group that the incident is assigned to.
        #[schemars(length(min = 1, max = 40))]
        assignment_group: Option<String>,
        /// Who reports it.
        #[schemars(length(min = 1, max = 40))]
        caller_id: Option<String>,
        /// The incident's category.
        #[schemars(length(min = 1, max = 40))]
        category: Option<String>,
        /// The incident's subcategory.
        #[schemars(length(min = 1, max = 40))]
        subcategory: Option<String>,
        /// The configuration item.
        #[schemars(length(min = 1, max = 40))]
        cmdb_ci: Option<String>,
        /// How it was reported.
        #[schemars(length(min = 1, max = 40))]
        contact_type: Option<String>,
    },
    /// Messages in Slack.
    Slack {
        /// The conversation, for a bot; a webhook has its own.
        #[schemars(length(min = 1))]
        channel: Option<String>,
        /// The colour of the bar for our severities.
        #[schemars(transform = by_severity, extend("additionalProperties" = { "type": "string", "pattern": "^#[0-9A-Fa-f]{6}$" }))]
        severity_map: Option<BTreeMap<String, String>>,
    },
    /// Email, SMS and JSON by Amazon SNS.
    Sns {
        /// The topic; without it the deployment's own.
        #[schemars(regex(pattern = "^arn:"))]
        topic_arn: Option<String>,
    },
    /// Cards in Microsoft Teams.
    Teams {
        /// The card's style for our severities.
        #[schemars(transform = by_severity, extend("additionalProperties" = { "type": "string", "enum": ["attention", "warning", "accent", "good", "emphasis", "default"] }))]
        severity_map: Option<BTreeMap<String, String>>,
    },
    /// JSON, signed, to an address of your own.
    Webhook {},
    /// Tickets in Zendesk.
    Zendesk {
        /// The account: the first part of its host's name.
        #[schemars(regex(pattern = LABEL))]
        subdomain: String,
        /// The ticket's priority for our severities.
        #[schemars(transform = by_severity, extend("additionalProperties" = { "type": "string", "enum": ["urgent", "high", "normal", "low"] }))]
        severity_map: Option<BTreeMap<String, String>>,
        /// Further tags of the ticket.
        #[schemars(length(min = 1), inner(regex(pattern = r"^[^\s,]+$")))]
        ticket_tags: Option<Vec<String>>,
        /// The group that the ticket is assigned to.
        group_id: Option<u64>,
        /// Values of fields of your own.
        #[schemars(length(min = 1))]
        custom_fields: Option<Vec<CustomField>>,
    },
}

/// A value of a field of your own.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct CustomField {
    /// The field's id.
    id: u64,
    /// Its value.
    value: Value,
}

/// What a channel accepts: each key that is given must accept.
#[derive(JsonSchema)]
struct Filter {
    /// At least this severity.
    min_severity: Option<SeverityWord>,
    /// Only these rules.
    #[schemars(length(min = 1), inner(regex(pattern = NAME)))]
    rules: Option<Vec<String>>,
    /// Only rules with one of these tags.
    #[schemars(length(min = 1), inner(length(min = 1)))]
    tags: Option<Vec<String>>,
    /// Only these services: ec2, or ec2.amazonaws.com.
    #[schemars(length(min = 1), inner(length(min = 1)))]
    services: Option<Vec<String>>,
    /// Only these regions.
    #[schemars(length(min = 1), inner(length(min = 1)))]
    regions: Option<Vec<String>>,
    /// Only these accounts.
    #[schemars(length(min = 1), inner(length(min = 1)))]
    accounts: Option<Vec<String>>,
    /// Messages a minute beyond which they become one digest.
    #[schemars(range(min = 1, max = 10000))]
    max_per_minute: Option<u32>,
}

const LABEL: &str = "^[a-z0-9][a-z0-9-]{0,62}$";

/// Gives every type of channel the filter's keys, and no others than its own.
fn with_filter(schema: &mut Schema) {
    let filter = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    let filter = filter.into_generator().into_root_schema_for::<Filter>();
    let Some(Value::Object(keys)) = filter.get("properties") else { return };
    let Some(Value::Array(types)) = schema.get_mut("oneOf") else { return };
    for kind in types.iter_mut().filter_map(Value::as_object_mut) {
        kind.insert("additionalProperties".to_owned(), Value::Bool(false));
        if let Some(Value::Object(own)) = kind.get_mut("properties") {
            own.extend(keys.clone());
        }
    }
}

/// The keys of the object are severities.
fn by_severity(schema: &mut Schema) {
    let words: Vec<Value> = Severity::WORDS.iter().map(|(word, _)| Value::from(*word)).collect();
    schema.insert("propertyNames".to_owned(), serde_json::json!({ "enum": words }));
}
