//! Conformity's communication channels as channels of ours. Credentials are never written, not even to the report.

use serde_json::{Value as Json, json};

use super::super::output::OrderedMap;
use super::super::report::{ImportReport, NoteKind};
use super::super::tree::{Tree, TreeValue};
use super::settings::{ChannelSetting, FoundSettings};
use crate::severity::Severity;

/// A channel of ours.
#[derive(Debug)]
pub(super) struct ImportedChannel {
    pub(super) name: String,
    pub(super) settings: OrderedMap<Json>,
    /// The keys that its credentials need.
    pub(super) credentials: &'static [&'static str],
}

impl ImportedChannel {
    /// Adds a rule to a filter that names `beside` and not it; whether it did.
    pub(super) fn add_rule(&mut self, beside: &str, rule: &str) -> bool {
        let filter =
            self.settings.0.iter_mut().find(|(key, _)| key == "rules").and_then(|(_, rules)| rules.as_array_mut());
        let Some(ids) = filter.filter(|ids| ids.contains(&json!(beside)) && !ids.contains(&json!(rule))) else {
            return false;
        };
        ids.push(json!(rule));
        true
    }
}

/// The channel that a setting makes. What is not carried over goes to the report.
pub(super) fn channel(
    setting: &ChannelSetting<'_>,
    place: &str,
    rules: &[String],
    found: &FoundSettings<'_>,
    report: &mut ImportReport,
) -> Option<ImportedChannel> {
    let text = |key: &str| setting.configuration.field(key).and_then(Tree::text).filter(|text| !text.is_empty());
    let name = super::super::names::slug(text("channelname").unwrap_or(&setting.kind)).to_lowercase();
    let mut note = |kind: NoteKind, text: String| report.note(kind, format!("channel {name} ({place})"), text);
    if super::rules::off(setting.body) {
        note(NoteKind::Lost, "it is switched off".to_owned());
        return None;
    }
    if setting.body.field("manual").and_then(Tree::text) == Some("true") {
        note(NoteKind::Lost, "it was used by hand only, and alerts are sent by themselves".to_owned());
        return None;
    }
    let mut accepted = OrderedMap::default();
    let filter = setting.body.field("filter");
    let filter =
        filter.and_then(|filter| if filter.entries().is_some() { Some(filter) } else { filter.items().first() });
    if let Some(filter) = filter {
        add_filter(filter, &name, rules, &mut accepted, report)?;
    }
    let mut note = |kind: NoteKind, text: String| report.note(kind, format!("channel {name}"), text);
    let mut settings = OrderedMap::default();
    let mut set = |key: &str, value: Json| settings.set(key, value);
    let mut to_do = |text: String| note(NoteKind::ToDo, text);
    let credentials: &[&str] = match setting.kind.as_str() {
        "email" | "sms" => {
            set("type", json!("sns"));
            let users = setting.configuration.field("users").map_or(0, |users| users.items().len());
            to_do(format!(
                "Conformity knew {users} of its users by {}; subscribe their addresses or numbers to the stack's topic",
                setting.kind
            ));
            &[]
        }
        "sns" => {
            set("type", json!("sns"));
            match text("arn") {
                Some(arn) => {
                    set("topic_arn", json!(arn));
                    to_do("allow the function's role to publish to this topic, or use the stack's own".to_owned());
                }
                None => to_do("without an ARN it is the stack's own topic".to_owned()),
            }
            &[]
        }
        "slack" => {
            set("type", json!("slack"));
            let channel = text("channel").unwrap_or("the channel");
            to_do(format!("make an incoming webhook for {channel}; the webhook decides where messages appear"));
            &["webhook_url"]
        }
        "pagerduty" => {
            set("type", json!("pagerduty"));
            let service = text("servicename").unwrap_or("the service");
            to_do(format!("add an integration \"Events API v2\" to {service}, whose routing key this needs"));
            &["routing_key"]
        }
        "msteams" => {
            set("type", json!("teams"));
            to_do("Teams' old connectors are retired: make a webhook of a workflow".to_owned());
            &["webhook_url"]
        }
        "webhook" => {
            set("type", json!("webhook"));
            to_do("conformity_token is its security token: X-Conformity-Signature goes on being sent".to_owned());
            &["url", "conformity_token"]
        }
        "servicenow" => {
            set("type", json!("servicenow"));
            set("instance", json!(host(text("url"), ".service-now.com").unwrap_or("your-instance")));
            &["username", "password"]
        }
        "zendesk" => {
            set("type", json!("zendesk"));
            set("subdomain", json!(host(text("url"), ".zendesk.com").unwrap_or("your-subdomain")));
            &["client_id", "client_secret"]
        }
        other => {
            note(NoteKind::Lost, format!("there is no channel for {other}: use a webhook, or the topic"));
            return None;
        }
    };
    let account = setting.relationships.and_then(account_of);
    if let Some(id) = account {
        match found.accounts.iter().find(|(conformity, _)| conformity == id) {
            Some((_, aws)) => {
                accepted.set("accounts", json!([aws]));
            }
            None => report.note(
                NoteKind::ToDo,
                format!("channel {name}"),
                format!("it was for Conformity's account {id} alone: add \"accounts\": [\"the AWS account's id\"]"),
            ),
        }
    }
    settings.0.append(&mut accepted.0);
    Some(ImportedChannel { name, settings, credentials })
}

/// `acme` of `https://acme.service-now.com/…`
fn host<'t>(url: Option<&'t str>, domain: &str) -> Option<&'t str> {
    let host = url?.trim_start_matches("https://").split('/').next()?;
    host.strip_suffix(domain).filter(|name| !name.is_empty())
}

/// Conformity's id of the one account that a channel is for, or the expression for it.
fn account_of(relationships: &Tree) -> Option<&str> {
    let relationships = relationships.items().first()?;
    let account = relationships.field("account")?.items().first()?;
    match &account.field("data").unwrap_or(account).field("id")?.value {
        TreeValue::Text(text) | TreeValue::Number(text) | TreeValue::Unknown(text) => {
            Some(text).filter(|id| !id.is_empty()).map(String::as_str)
        }
        _ => None,
    }
}

/// Adds the filter; `None` if no alert of ours passes it.
fn add_filter(
    filter: &Tree,
    name: &str,
    rules: &[String],
    settings: &mut OrderedMap<Json>,
    report: &mut ImportReport,
) -> Option<()> {
    let texts = |key: &str| -> Vec<&str> {
        filter
            .field(key)
            .map_or(&[][..], Tree::items)
            .iter()
            .filter_map(Tree::text)
            .filter(|text| !text.is_empty())
            .collect()
    };
    let mut note = |kind: NoteKind, text: String| report.note(kind, format!("channel {name}"), text);
    let categories = texts("categories");
    if !categories.is_empty() && !categories.contains(&"security") {
        note(NoteKind::Lost, "its categories leave security out, so it got no alert of these rules".to_owned());
        return None;
    }
    let ids = texts("ruleids");
    if !ids.is_empty() {
        let (ours, others): (Vec<&str>, Vec<&str>) = ids.iter().partition(|id| rules.iter().any(|rule| rule == *id));
        if ours.is_empty() {
            note(NoteKind::Lost, format!("it was for the rules {} alone, which are not here", others.join(", ")));
            return None;
        }
        if !others.is_empty() {
            note(NoteKind::Lost, format!("its rules {} are not here", others.join(", ")));
        }
        settings.set("rules", json!(ours));
    }
    let services = texts("services");
    // To Conformity, alerts about events were of the service RTM, whatever was called.
    if !services.is_empty() && !services.contains(&"RTM") {
        let ours: Vec<String> = services.iter().map(|service| source(service)).collect();
        note(
            NoteKind::Changed,
            format!(
                "its services {} leave Conformity's RTM out, so it may have got no alert of these rules; here it gets those \
                 about calls of these services",
                services.join(", ")
            ),
        );
        settings.set("services", json!(ours));
    }
    let mut regions: Vec<&str> = texts("regions");
    if let Some(global) = regions.iter().position(|region| *region == "global") {
        regions.remove(global);
        if !regions.contains(&"us-east-1") {
            regions.push("us-east-1");
        }
        note(
            NoteKind::Changed,
            "the region \"global\" is us-east-1: there the global services are recorded".to_owned(),
        );
    }
    if !regions.is_empty() {
        settings.set("regions", json!(regions));
    }
    let levels = texts("risklevels");
    let mut chosen: Vec<Severity> = levels
        .iter()
        .filter_map(|level| Severity::WORDS.iter().find(|(word, _)| word == level))
        .map(|(_, s)| *s)
        .collect();
    chosen.sort_unstable();
    chosen.dedup();
    if let Some(lowest) = chosen.first() {
        let above = [Severity::Low, Severity::Medium, Severity::High, Severity::VeryHigh, Severity::Extreme]
            .into_iter()
            .filter(|severity| severity >= lowest)
            .count();
        if above != chosen.len() {
            note(
                NoteKind::Changed,
                format!("its risk levels {} have a gap: it gets everything from {lowest} up", levels.join(", ")),
            );
        }
        if *lowest > Severity::Low {
            settings.set("min_severity", json!(lowest.as_str()));
        }
    }
    for (key, what) in [("tags", "tags"), ("filtertags", "filter tags"), ("compliances", "compliance standards")] {
        let values = texts(key);
        if !values.is_empty() {
            note(
                NoteKind::Lost,
                format!(
                    "its filter by the {what} {}: CloudTrail's records do not say; it gets more than before",
                    values.join(", ")
                ),
            );
        }
    }
    Some(())
}

/// The service as the API names it: Conformity has names of its own.
fn source(service: &str) -> String {
    let known = [
        ("ELBv2", "elasticloadbalancing"),
        ("ELB", "elasticloadbalancing"),
        ("EBS", "ec2"),
        ("VPC", "ec2"),
        ("CloudWatch", "monitoring"),
        ("CloudWatchEvents", "events"),
        ("CloudWatchLogs", "logs"),
        ("ConfigService", "config"),
        ("Elasticsearch", "es"),
        ("EFS", "elasticfilesystem"),
        ("EMR", "elasticmapreduce"),
        ("Route53Domains", "route53domains"),
        ("Neptune", "rds"),
        ("DocumentDB", "rds"),
        ("ResourceGroup", "resource-groups"),
    ];
    known
        .iter()
        .find(|(name, _)| *name == service)
        .map_or_else(|| service.to_lowercase(), |(_, source)| (*source).to_owned())
}
