//! Conformity's communication channels as channels of ours. Credentials are never written, not even to the report.

use serde_json::{Value as Json, json};

use super::super::output::OrderedMap;
use super::super::report::{ImportReport, NoteKind};
use super::super::tree::{Tree, TreeValue};
use super::filter;
use super::settings::ChannelSetting;

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

/// What a channel is imported with.
pub(super) struct Surroundings<'s> {
    /// The rules that are here; `None` if none was read, so that filters cannot be compared with them.
    pub(super) rules: Option<&'s [String]>,
    /// Conformity's account ids and the AWS accounts that they stand for.
    pub(super) accounts: &'s [(String, String)],
}

/// The account that a channel is written for until its owner says which one is meant: no record is of it, so nothing arrives.
const NO_ACCOUNT: &str = "000000000000";

/// The channel that a setting makes. What is not carried over goes to the report.
pub(super) fn channel(
    setting: &ChannelSetting<'_>,
    place: &str,
    around: &Surroundings<'_>,
    report: &mut ImportReport,
) -> Option<ImportedChannel> {
    let name = name(setting);
    let read =
        accepted(setting, &name, around, report).and_then(|accepted| Ok((accepted, kind(setting, &name, report)?)));
    match read {
        Ok((mut accepted, (mut settings, credentials))) => {
            settings.0.append(&mut accepted.0);
            Some(ImportedChannel { name, settings, credentials })
        }
        Err(reason) => {
            report.note(NoteKind::Lost, format!("channel {name} ({place})"), reason);
            None
        }
    }
}

/// A text that an argument has, which is not empty.
fn text<'t>(tree: &'t Tree, key: &str) -> Option<&'t str> {
    tree.field(key).and_then(Tree::text).filter(|text| !text.is_empty())
}

fn name(setting: &ChannelSetting<'_>) -> String {
    let written = text(setting.configuration, "channelname").or_else(|| text(setting.body, "channellabel"));
    crate::cli::slug(written.unwrap_or(&setting.kind)).to_lowercase()
}

/// Which alerts it gets.
///
/// # Errors
/// Why the channel is left out.
fn accepted(
    setting: &ChannelSetting<'_>,
    name: &str,
    around: &Surroundings<'_>,
    report: &mut ImportReport,
) -> Result<OrderedMap<Json>, String> {
    if let Some(written) = &setting.perhaps {
        return Err(format!(
            "whether it is made is computed by Terraform ({written}), so it is left out: write it by hand"
        ));
    }
    for (key, what) in [("enabled", "whether it is switched on"), ("manual", "whether it is used by hand only")] {
        if let Some((line, written)) = setting.body.field(key).map(Tree::unknown).unwrap_or_default().first() {
            return Err(format!(
                "line {line}: {what} is computed by Terraform ({written}), so it is left out: write it by hand"
            ));
        }
    }
    if super::rules::off(setting.body) {
        return Err("it is switched off".to_owned());
    }
    if text(setting.body, "manual") == Some("true") {
        return Err("it was used by hand only, and alerts are sent by themselves".to_owned());
    }
    let mut note = |kind: NoteKind, text: String| report.note(kind, format!("channel {name}"), text);
    let mut accepted = filter::read(setting.body, around.rules, &mut note)?;
    let Some(id) = account_of(setting)? else { return Ok(accepted) };
    let mut aws: Vec<&str> =
        around.accounts.iter().filter(|(conformity, _)| conformity == id).map(|(_, aws)| aws.as_str()).collect();
    aws.sort_unstable();
    aws.dedup();
    if let [aws] = aws.as_slice() {
        accepted.set("accounts", json!([aws]));
    } else {
        accepted.set("accounts", json!([NO_ACCOUNT]));
        note(
            NoteKind::ToDo,
            format!(
                "it was for Conformity's account {id} alone: put the AWS account's id in the place of {NO_ACCOUNT}; until then \
                 it gets nothing"
            ),
        );
    }
    Ok(accepted)
}

/// The keys of its type, and of its credentials.
///
/// # Errors
/// Why the channel is left out.
fn kind(
    setting: &ChannelSetting<'_>,
    name: &str,
    report: &mut ImportReport,
) -> Result<(OrderedMap<Json>, &'static [&'static str]), String> {
    let text = |key: &str| text(setting.configuration, key);
    let unknown = |key: &str| setting.configuration.field(key).map(Tree::unknown).unwrap_or_default().first().copied();
    let mut note = |kind: NoteKind, text: String| report.note(kind, format!("channel {name}"), text);
    let mut settings = OrderedMap::default();
    let mut set = |key: &str, value: Json| settings.set(key, value);
    let mut to_do = |text: String| note(NoteKind::ToDo, text);
    let credentials: &[&str] = match setting.kind.as_str() {
        "email" | "sms" => {
            set("type", json!("sns"));
            let users = setting.configuration.field("users").or_else(|| setting.configuration.field("userids"));
            let users = users.map_or(0, |users| users.items().len());
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
                None if unknown("arn").is_some() => {
                    let (line, written) = unknown("arn").unwrap_or_default();
                    return Err(format!(
                        "line {line}: its topic's ARN is computed by Terraform ({written}), and without one it would be the \
                         stack's own topic, so it is left out: write it by hand"
                    ));
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
            set("instance", json!(host(text("url"), ".service-now.com", "your-instance", &mut to_do)));
            &["username", "password"]
        }
        "zendesk" => {
            set("type", json!("zendesk"));
            set("subdomain", json!(host(text("url"), ".zendesk.com", "your-subdomain", &mut to_do)));
            &["client_id", "client_secret"]
        }
        other => return Err(format!("there is no channel for {other}: use a webhook, or the topic")),
    };
    if let Some((line, written)) = unknown("channelname") {
        note(
            NoteKind::Changed,
            format!("line {line}: its name is computed by Terraform ({written}): here it is {name}"),
        );
    }
    Ok((settings, credentials))
}

/// `acme` of `https://acme.service-now.com/…`
fn host(url: Option<&str>, domain: &str, placeholder: &str, to_do: &mut impl FnMut(String)) -> String {
    let host = url.and_then(|url| url.trim_start_matches("https://").split('/').next());
    let name = host.and_then(|host| host.strip_suffix(domain)).filter(|name| !name.is_empty());
    if name.is_none() {
        to_do(format!("put what stands before {domain} in its address in the place of {placeholder}"));
    }
    name.unwrap_or(placeholder).to_owned()
}

/// Conformity's id of the one account that a channel is for, or the expression for it.
///
/// # Errors
/// Why it cannot be read, although there is one.
fn account_of<'t>(setting: &ChannelSetting<'t>) -> Result<Option<&'t str>, String> {
    let related = setting.relationships.map(Tree::items).unwrap_or_default();
    let accounts = related.iter().filter_map(|one| one.field("account")).flat_map(Tree::items);
    let ids = accounts.filter_map(|account| account.field("data").unwrap_or(account).field("id"));
    let id = ids.chain(setting.body.field("accountid")).next();
    match id.map(|id| &id.value) {
        Some(TreeValue::Text(text) | TreeValue::Number(text) | TreeValue::Unknown(text)) if !text.is_empty() => {
            return Ok(Some(text));
        }
        _ => {}
    }
    match setting.relationships.map(Tree::unknown).unwrap_or_default().first() {
        Some((line, written)) => Err(format!(
            "line {line}: which account it is for is computed by Terraform ({written}), so it is left out: write it by hand"
        )),
        None => Ok(None),
    }
}
