//! Finds the settings of Conformity's rules and channels, whatever they stand in: answers of its API (account, profile,
//! communication settings), Terraform's HCL or state, of `conformity_…` and `visionone_crm_…` resources.
//!
//! Source of the shapes: Conformity's API reference ("Settings", "Profiles") and the documentation of the Terraform
//! provider trendmicro/conformity 0.4.

use super::super::tree::{Tree, TreeValue, folded};

/// The settings of one rule.
#[derive(Debug)]
pub(super) struct RuleSetting<'t> {
    /// The id of the rule: `RTM-011`.
    pub(super) id: &'t str,
    pub(super) line: usize,
    /// Where risk level, exceptions and extra settings stand.
    pub(super) body: &'t Tree,
}

/// The settings of one of Conformity's communication channels.
#[derive(Debug)]
pub(super) struct ChannelSetting<'t> {
    /// `slack`, `pagerduty`: in small letters without marks.
    pub(super) kind: String,
    pub(super) line: usize,
    /// Where `enabled` and `filter` stand.
    pub(super) body: &'t Tree,
    /// Which account it is for.
    pub(super) relationships: Option<&'t Tree>,
    /// Where its url, users or keys stand.
    pub(super) configuration: &'t Tree,
}

/// All that was found.
#[derive(Debug, Default)]
pub(super) struct FoundSettings<'t> {
    pub(super) rules: Vec<RuleSetting<'t>>,
    pub(super) channels: Vec<ChannelSetting<'t>>,
    /// Conformity's account ids and the AWS accounts that they stand for.
    pub(super) accounts: Vec<(String, String)>,
    /// Settings of rules that check configurations, which are no rules about events.
    pub(super) others: usize,
}

/// Conformity's channels, folded.
const CHANNELS: [&str; 10] =
    ["email", "sms", "slack", "msteams", "sns", "pagerduty", "webhook", "zendesk", "servicenow", "jira"];

/// Looks through a whole document.
pub(super) fn find<'t>(tree: &'t Tree, found: &mut FoundSettings<'t>) {
    if let TreeValue::List(items) = &tree.value {
        return items.iter().for_each(|item| find(item, found));
    }
    let kind = tree.field("type").and_then(Tree::text).map(folded).unwrap_or_default();
    if let Some(setting) = rule_setting(tree) {
        if setting.id.starts_with("RTM-") {
            found.rules.push(setting);
        } else {
            found.others += 1;
        }
        return;
    }
    if let Some(body) = tree.field("attributes").filter(|body| word(body, "type") == "communication") {
        if let Some(setting) = of_api(body, tree.field("relationships")) {
            found.channels.push(setting);
        }
        return;
    }
    if kind.ends_with("communicationsetting") || kind.ends_with("communicationconfiguration") {
        // In Terraform's state the arguments stand one level deeper.
        let instances = tree.field("instances").map_or(&[][..], Tree::items);
        let bodies = instances.iter().filter_map(|instance| instance.field("attributes"));
        let bodies: Vec<&Tree> = bodies.chain(tree.field("values")).collect();
        let bodies = if bodies.is_empty() { vec![tree] } else { bodies };
        found.channels.extend(bodies.into_iter().filter_map(of_terraform));
        return;
    }
    if kind == "conformityawsaccount" {
        // arn:aws:iam::123456789012:role/CloudConformity
        let aws = tree.field("rolearn").and_then(Tree::text).and_then(|arn| arn.split(':').nth(4));
        if let Some((name, aws)) = tree.field("name").and_then(Tree::text).zip(aws) {
            found.accounts.push((format!("conformity_aws_account.{name}.id"), aws.to_owned()));
        }
    }
    if kind == "accounts" {
        let aws = tree.field("attributes").and_then(|body| body.field("awsaccountid"));
        if let Some((id, aws)) = tree.field("id").and_then(Tree::text).zip(aws.and_then(Tree::text)) {
            found.accounts.push((id.to_owned(), aws.to_owned()));
        }
    }
    tree.entries().unwrap_or_default().iter().for_each(|(_, value)| find(value, found));
}

/// A word of a map, folded.
fn word(tree: &Tree, key: &str) -> String {
    tree.field(key).and_then(Tree::text).map(folded).unwrap_or_default()
}

fn rule_setting(tree: &Tree) -> Option<RuleSetting<'_>> {
    let id = tree.field("ruleid").or_else(|| tree.field("id"))?.text()?;
    let (service, number) = id.rsplit_once('-')?;
    let is_rule = !service.is_empty()
        && service.chars().all(|character| character.is_ascii_alphanumeric())
        && number.starts_with(|character: char| character.is_ascii_digit())
        && number.len() <= 4;
    let inner = ["settings", "attributes"].into_iter().find_map(|key| tree.field(key)).and_then(first);
    let body = inner.unwrap_or(tree);
    let settings = ["extrasettings", "risklevel", "enabled", "exceptions"];
    (is_rule && settings.iter().any(|key| body.field(key).is_some())).then_some(RuleSetting {
        id,
        line: tree.line,
        body,
    })
}

/// A block, or the only one of a list of blocks.
pub(super) fn first(tree: &Tree) -> Option<&Tree> {
    tree.items().first().filter(|item| item.entries().is_some())
}

fn of_api<'t>(body: &'t Tree, relationships: Option<&'t Tree>) -> Option<ChannelSetting<'t>> {
    let kind = word(body, "channel");
    let configuration = body.field("configuration").unwrap_or(body);
    (!kind.is_empty()).then_some(ChannelSetting { kind, line: body.line, body, relationships, configuration })
}

fn of_terraform(body: &Tree) -> Option<ChannelSetting<'_>> {
    let (kind, block) = body
        .entries()?
        .iter()
        .map(|(key, value)| (folded(key), value))
        .find(|(key, value)| CHANNELS.contains(&key.as_str()) && first(value).is_some())?;
    let relationships = body.field("relationships");
    Some(ChannelSetting { kind, line: block.line, body, relationships, configuration: first(block)? })
}
