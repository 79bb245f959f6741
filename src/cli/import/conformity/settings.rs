//! Finds the settings of Conformity's rules and channels, whatever they stand in: answers of its API (account, profile,
//! communication settings), Terraform's HCL or state, of `conformity_…` and `visionone_crm_…` resources.
//!
//! Source of the shapes: Conformity's API reference ("Settings", "Profiles"), and the documentation of the Terraform
//! providers trendmicro/conformity 0.4 and trendmicro/vision-one (resource `visionone_crm_communication_configuration`).

use super::super::tree::{Tree, TreeValue, folded};

/// The settings of one rule.
#[derive(Debug)]
pub(super) struct RuleSetting<'t> {
    /// The id of the rule: `RTM-011`.
    pub(super) id: &'t str,
    pub(super) line: usize,
    /// The last line of it.
    pub(super) last_line: usize,
    /// Where risk level, exceptions and extra settings stand.
    pub(super) body: &'t Tree,
    /// Whether Terraform makes it is computed, by this expression.
    pub(super) perhaps: Option<String>,
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
    /// Whether Terraform makes it is computed, by this expression.
    pub(super) perhaps: Option<String>,
}

/// A setting that cannot be read.
#[derive(Debug)]
pub(super) struct UnreadSetting {
    pub(super) line: usize,
    pub(super) reason: String,
}

/// All that was found.
#[derive(Debug, Default)]
pub(super) struct FoundSettings<'t> {
    pub(super) rules: Vec<RuleSetting<'t>>,
    pub(super) channels: Vec<ChannelSetting<'t>>,
    pub(super) unread_rules: Vec<UnreadSetting>,
    pub(super) unread_channels: Vec<UnreadSetting>,
    /// Conformity's account ids and the AWS accounts that they stand for.
    pub(super) accounts: Vec<(String, String)>,
    /// Settings of rules that check configurations, which are no rules about events.
    pub(super) others: usize,
}

/// Conformity's channels, folded.
const CHANNELS: [&str; 10] =
    ["email", "sms", "slack", "msteams", "sns", "pagerduty", "webhook", "zendesk", "servicenow", "jira"];

/// Keys, folded, of a resource under which settings of rules stand, one or several.
const RULES: [&str; 6] = ["rule", "rules", "included", "scanrule", "scanrules", "settings"];

/// Keys, folded, that the settings of a rule have.
const SETTINGS: [&str; 4] = ["extrasettings", "risklevel", "enabled", "exceptions"];

/// Whether a type of resource is one of Conformity's, or of the product that took its place.
pub(super) fn is_conformitys(kind: &str) -> bool {
    let kind = folded(kind);
    kind.starts_with("conformity") || kind.starts_with("visiononecrm")
}

/// Looks through a whole document.
pub(super) fn find<'t>(tree: &'t Tree, found: &mut FoundSettings<'t>) {
    let Some(entries) = tree.entries() else {
        if let TreeValue::List(items) = &tree.value {
            items.iter().for_each(|item| find(item, found));
        }
        return;
    };
    let kind = tree.field("type").and_then(Tree::text).unwrap_or_default();
    if !is_conformitys(kind) {
        if found.take_rule(tree, false) {
            return;
        }
        if let Some(body) = tree.field("attributes").filter(|body| word(body, "type") == "communication") {
            return found.take_channel_of_api(tree, body);
        }
        if folded(kind) == "accounts" {
            let aws = tree.field("attributes").and_then(|body| body.field("awsaccountid"));
            if let Some((id, aws)) = tree.field("id").and_then(Tree::text).zip(aws.and_then(Tree::text)) {
                found.accounts.push((id.to_owned(), aws.to_owned()));
            }
        }
        return entries.iter().for_each(|(_, value)| find(value, found));
    }
    let mut inside = FoundSettings::default();
    let made = Made::of(tree);
    inside.take_resource(tree, &folded(kind));
    if let Made::Never(written) = &made {
        inside.never(tree, written);
    }
    if let Made::Perhaps(written) = made {
        inside.rules.iter_mut().for_each(|rule| rule.perhaps = Some(written.clone()));
        inside.channels.iter_mut().for_each(|channel| channel.perhaps = Some(written.clone()));
    }
    found.append(inside);
}

/// Whether Terraform makes a resource, by its `count` and `for_each`.
enum Made {
    Always,
    /// Never: as it is written.
    Never(String),
    /// It is computed: as it is written.
    Perhaps(String),
}

impl Made {
    fn of(resource: &Tree) -> Self {
        for key in ["count", "for_each"] {
            match resource.get(key).map(|tree| &tree.value) {
                Some(TreeValue::Text(number) | TreeValue::Number(number))
                    if key == "count" && number.parse::<f64>() == Ok(0.0) =>
                {
                    return Self::Never("count = 0".to_owned());
                }
                Some(TreeValue::Text(flag)) if key == "count" && flag == "false" => {
                    return Self::Never("count = false".to_owned());
                }
                Some(TreeValue::List(items)) if items.is_empty() => return Self::Never(format!("an empty {key}")),
                Some(TreeValue::Map(entries)) if entries.is_empty() => return Self::Never(format!("an empty {key}")),
                Some(TreeValue::Unknown(written)) => return Self::Perhaps(format!("{key} = {written}")),
                _ => {}
            }
        }
        Self::Always
    }
}

impl<'t> FoundSettings<'t> {
    /// Takes what one of Conformity's resources holds.
    fn take_resource(&mut self, resource: &'t Tree, kind: &str) {
        if kind.ends_with("communicationsetting") || kind.ends_with("communicationconfiguration") {
            // In Terraform's state the arguments stand one level deeper.
            let instances = resource.field("instances");
            let bodies =
                instances.map_or(&[][..], Tree::items).iter().filter_map(|instance| instance.field("attributes"));
            let bodies: Vec<&Tree> = bodies.chain(resource.field("values")).collect();
            let bodies = if bodies.is_empty() && instances.is_none() { vec![resource] } else { bodies };
            return bodies.into_iter().for_each(|body| self.take_channel_of_terraform(body));
        }
        let label = resource.field("name").and_then(Tree::text);
        if kind == "conformityawsaccount" {
            // arn:aws:iam::123456789012:role/CloudConformity
            let aws = resource.field("rolearn").and_then(Tree::text).and_then(|arn| arn.split(':').nth(4));
            if let Some((name, aws)) = label.zip(aws) {
                self.accounts.push((format!("conformity_aws_account.{name}.id"), aws.to_owned()));
            }
        }
        if kind == "visiononecrmaccount" {
            let aws = resource.field("awsaccountid").and_then(Tree::text);
            if let Some((name, aws)) = label.zip(aws) {
                self.accounts.push((format!("data.visionone_crm_account.{name}.id"), aws.to_owned()));
            }
        }
        self.take_inside(resource, kind.contains("account") || kind.contains("profile"));
    }

    /// Takes the rules' settings inside a resource, at any depth. `of_rules`, whether it is of a kind that has some, so that what
    /// cannot be read may be one.
    fn take_inside(&mut self, tree: &'t Tree, of_rules: bool) {
        if self.take_rule(tree, true) {
            return;
        }
        match &tree.value {
            TreeValue::List(items) => items.iter().for_each(|item| self.take_inside(item, of_rules)),
            TreeValue::Map(entries) => {
                for (key, value) in entries {
                    let dynamic = |written: &str| written.starts_with("the dynamic block");
                    for item in value.items() {
                        match &item.value {
                            TreeValue::Unknown(written)
                                if of_rules && (dynamic(written) || RULES.contains(&folded(key).as_str())) =>
                            {
                                self.unread_rules.push(UnreadSetting::computed(
                                    item.line,
                                    "what it says of rules cannot be read",
                                    written,
                                ));
                            }
                            _ => {}
                        }
                    }
                    self.take_inside(value, of_rules);
                }
            }
            TreeValue::Null | TreeValue::Number(_) | TreeValue::Text(_) | TreeValue::Unknown(_) => {}
        }
    }

    /// Takes a map, if it is the settings of a rule; whether it is. `inside`, whether it stands in one of Conformity's resources:
    /// elsewhere, what looks like a rule that cannot be read is something else.
    fn take_rule(&mut self, tree: &'t Tree, inside: bool) -> bool {
        let named = tree.field("ruleid");
        let Some(id) = named.or_else(|| tree.field("id")) else { return false };
        let nested = ["settings", "attributes"].into_iter().find_map(|key| tree.field(key));
        let body = nested.and_then(first).unwrap_or(tree);
        let has_settings = SETTINGS.iter().any(|key| body.field(key).is_some());
        if named.is_none() && !has_settings {
            return false;
        }
        let text = match &id.value {
            TreeValue::Text(text) | TreeValue::Number(text) => text,
            TreeValue::Unknown(written) if inside => {
                self.unread_rules.push(UnreadSetting::computed(id.line, "a rule's id cannot be read", written));
                return true;
            }
            _ => return false,
        };
        let Some((service, number)) = text.rsplit_once('-') else { return false };
        let is_rule = !service.is_empty()
            && service.chars().all(|character| character.is_ascii_alphanumeric())
            && number.starts_with(|character: char| character.is_ascii_digit())
            && number.len() <= 4;
        if !is_rule {
            return false;
        }
        if !text.starts_with("RTM-") {
            self.others += 1;
            return true;
        }
        let several = nested.filter(|nested| nested.items().len() > 1);
        match nested.map(Tree::unknown).unwrap_or_default().first() {
            Some((line, written)) if !has_settings => {
                let what = format!("{text}: its settings cannot be read");
                self.unread_rules.push(UnreadSetting::computed(*line, &what, written));
            }
            _ if !has_settings && !inside => return false,
            _ if !has_settings => {
                let reason = format!("{text}: it has no settings");
                self.unread_rules.push(UnreadSetting { line: tree.line, reason });
            }
            _ if several.is_some() => {
                let reason = format!("{text}: it has several blocks of settings, and only one of them would count");
                self.unread_rules.push(UnreadSetting { line: tree.line, reason });
            }
            _ => self.rules.push(RuleSetting {
                id: text,
                line: tree.line,
                last_line: tree.last_line(),
                body,
                perhaps: None,
            }),
        }
        true
    }

    fn take_channel_of_api(&mut self, tree: &'t Tree, body: &'t Tree) {
        let kind = word(body, "channel");
        if kind.is_empty() {
            let reason = "a channel that does not say of what kind it is".to_owned();
            return self.unread_channels.push(UnreadSetting { line: body.line, reason });
        }
        let configuration = body.field("configuration").unwrap_or(body);
        let relationships = tree.field("relationships");
        self.channels.push(ChannelSetting { kind, line: body.line, body, relationships, configuration, perhaps: None });
    }

    fn take_channel_of_terraform(&mut self, body: &'t Tree) {
        let kinds = body.entries().unwrap_or_default().iter().filter_map(|(key, value)| {
            let key = folded(key);
            let kind = key.strip_suffix("configuration").unwrap_or(&key).to_owned();
            CHANNELS.contains(&kind.as_str()).then_some((kind, value))
        });
        for (kind, value) in kinds {
            if let Some(configuration) = first(value) {
                let relationships = body.field("relationships");
                let line = configuration.line;
                self.channels.push(ChannelSetting { kind, line, body, relationships, configuration, perhaps: None });
                return;
            }
            if let Some((line, written)) = value.unknown().first() {
                let what = format!("a channel of the kind {kind} cannot be read");
                return self.unread_channels.push(UnreadSetting::computed(*line, &what, written));
            }
        }
        let reason = "a channel of no kind that this importer knows".to_owned();
        self.unread_channels.push(UnreadSetting { line: body.line, reason });
    }

    /// Brings what stands in a resource that is never made among what cannot be read.
    fn never(&mut self, resource: &Tree, written: &str) {
        let unread = |line: usize, what: &str| UnreadSetting {
            line,
            reason: format!(
                "{what}: its resource on line {} has {written}, so Terraform never makes it",
                resource.line
            ),
        };
        let rules = self.rules.drain(..).map(|rule| unread(rule.line, rule.id));
        self.unread_rules.extend(rules);
        let channels =
            self.channels.drain(..).map(|channel| unread(channel.line, &format!("the channel {}", channel.kind)));
        self.unread_channels.extend(channels);
        self.accounts.clear();
        self.others = 0;
    }

    fn append(&mut self, mut other: Self) {
        self.rules.append(&mut other.rules);
        self.channels.append(&mut other.channels);
        self.unread_rules.append(&mut other.unread_rules);
        self.unread_channels.append(&mut other.unread_channels);
        self.accounts.append(&mut other.accounts);
        self.others += other.others;
    }
}

impl UnreadSetting {
    fn computed(line: usize, what: &str, written: &str) -> Self {
        Self { line, reason: format!("{what}: {written} is computed by Terraform: write its value") }
    }
}

/// A word of a map, folded.
fn word(tree: &Tree, key: &str) -> String {
    tree.field(key).and_then(Tree::text).map(folded).unwrap_or_default()
}

/// A block, or the first one of a list of blocks.
pub(super) fn first(tree: &Tree) -> Option<&Tree> {
    tree.items().first().filter(|item| item.entries().is_some())
}
