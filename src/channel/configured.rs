//! A channel as `rules.json` configures it: its name, its type's settings, and which findings it accepts. A finding goes to the
//! channels that its rule names, else to all; of these, to those whose filter accepts it.

use super::Channel;
use super::hours::hours;
use crate::cloudtrail::accounts::is_within;
use crate::config::{ObjectReader, Problems};
use crate::finding::Finding;
use crate::rules::Incidents;
#[cfg(feature = "cli")]
use crate::rules::RuleInfo;
use crate::rules::hours::Hours;
use crate::severity::Severity;

/// A channel of `rules.json`.
#[derive(Debug)]
pub struct ConfiguredChannel {
    /// Its name, which is also its key in the secret.
    pub name: String,
    /// The filter, which says what findings it accepts.
    pub filter: ChannelFilter,
    /// The channel itself: how it renders alerts, and judges replies.
    pub channel: Box<dyn Channel>,
    /// Alerts of one severity that it takes in a minute; the rest of them become one digest.
    pub max_per_minute: u64,
    /// Which findings it is told of as one incident, if it has incidents: they take the place of the rules' throttles.
    pub incidents: Option<Incidents>,
}

impl ConfiguredChannel {
    /// Whether its incidents follow credentials.
    pub fn follows_credentials(&self) -> bool {
        self.incidents.as_ref().is_some_and(|incidents| incidents.lineage.is_some())
    }
}

/// [`ConfiguredChannel::max_per_minute`] of a channel that says nothing: one a second is what people, and Slack, can take.
pub const MAX_PER_MINUTE: u64 = 60;

/// What a channel accepts: each key that is given must accept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelFilter {
    min_severity: Option<Severity>,
    rules: Option<Vec<String>>,
    tags: Option<Vec<String>>,
    services: Option<Vec<String>>,
    regions: Option<Vec<String>>,
    accounts: Option<Vec<String>>,
    account_names: Option<Vec<String>>,
    units: Option<Vec<String>>,
    within: Option<Hours>,
    outside: Option<Hours>,
}

/// Why a finding does not go to a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The rule's `notify` names other channels, and not this one.
    NotNamed,
    /// This key of the channel's filter does not accept it.
    Filtered(&'static str),
}

impl ChannelFilter {
    /// Reads the filter's keys of a channel.
    pub(crate) fn read(fields: &mut ObjectReader<'_>, problems: &mut Problems) -> Self {
        Self {
            min_severity: fields.word("min_severity", problems).and_then(Severity::from_word),
            rules: fields.texts("rules", problems),
            tags: fields.texts("tags", problems),
            services: fields.texts("services", problems),
            regions: fields.texts("regions", problems),
            accounts: fields.texts("accounts", problems),
            account_names: fields.texts("account_names", problems),
            units: fields.texts("units", problems),
            within: hours(fields, "within", problems),
            outside: hours(fields, "outside", problems),
        }
    }

    /// The rules that the filter names.
    pub(crate) fn rule_ids(&self) -> &[String] {
        self.rules.as_deref().unwrap_or_default()
    }

    /// The keys of the filter that ask for the names of accounts.
    pub(crate) fn keys_about_names(&self) -> impl Iterator<Item = &'static str> {
        [("account_names", &self.account_names), ("units", &self.units)]
            .into_iter()
            .filter_map(|(key, list)| list.is_some().then_some(key))
    }

    /// Whether some finding of this rule, of at most this severity, may be accepted.
    #[cfg(feature = "cli")]
    pub(crate) fn may_accept(&self, rule: &RuleInfo, highest: Severity) -> bool {
        self.min_severity.is_none_or(|least| highest >= least)
            && self.rules.as_ref().is_none_or(|rules| rules.contains(&rule.id))
            && self.tags.as_ref().is_none_or(|tags| tags.iter().any(|tag| rule.tags.contains(tag)))
    }

    /// What the finding has where a key of the filter asks, in words; `None` if it has nothing there.
    #[cfg(feature = "cli")]
    pub(crate) fn found(&self, key: &str, finding: &Finding) -> Option<String> {
        let call = &finding.call;
        let by_clock = |hours: &Option<Hours>| hours.as_ref()?.called(call.event_time.as_deref()?);
        match key {
            "min_severity" => Some(finding.severity.as_str().to_owned()),
            "rules" => Some(finding.rule.id.clone()),
            "tags" => Some(finding.rule.tags.join(", ")).filter(|tags| !tags.is_empty()),
            "services" => call.service.clone(),
            "regions" => call.region.clone(),
            "accounts" => call.account.clone(),
            "account_names" => call.account_name.clone(),
            "units" => call.unit.clone(),
            "within" => by_clock(&self.within),
            "outside" => by_clock(&self.outside),
            _ => None,
        }
    }

    /// The first key that does not accept the finding.
    fn refusal(&self, finding: &Finding) -> Option<&'static str> {
        let call = &finding.call;
        let refuses = |list: &Option<Vec<String>>, value: Option<&str>| {
            list.as_ref().is_some_and(|list| !list.iter().any(|item| Some(item.as_str()) == value))
        };
        if self.min_severity.is_some_and(|least| finding.severity < least) {
            return Some("min_severity");
        }
        if refuses(&self.rules, Some(&finding.rule.id)) {
            return Some("rules");
        }
        if self.tags.as_ref().is_some_and(|tags| !tags.iter().any(|tag| finding.rule.tags.contains(tag))) {
            return Some("tags");
        }
        // `ec2` means `ec2.amazonaws.com`.
        let service = call.service.as_deref();
        let short = service.and_then(|service| service.strip_suffix(".amazonaws.com"));
        if refuses(&self.services, service) && refuses(&self.services, short) {
            return Some("services");
        }
        if refuses(&self.regions, call.region.as_deref()) {
            return Some("regions");
        }
        if refuses(&self.accounts, call.account.as_deref()) {
            return Some("accounts");
        }
        // An event without a time is no reason to tell nobody.
        let is_in = |hours: &Option<Hours>| {
            hours.as_ref().zip(call.event_time.as_deref()).and_then(|(hours, time)| hours.contain(time))
        };
        if is_in(&self.within) == Some(false) {
            return Some("within");
        }
        if is_in(&self.outside) == Some(true) {
            return Some("outside");
        }
        // Whoever cannot read the names knows of no reason to tell nobody.
        if call.is_unnamed {
            return None;
        }
        if refuses(&self.account_names, call.account_name.as_deref()) {
            return Some("account_names");
        }
        let is_inside = |units: &Vec<String>| {
            call.unit.as_deref().is_some_and(|unit| units.iter().any(|outer| is_within(unit, outer)))
        };
        (!self.units.as_ref().is_none_or(is_inside)).then_some("units")
    }
}

impl ConfiguredChannel {
    /// Why a finding does not go to this channel; `None` if it does.
    pub fn refusal(&self, finding: &Finding) -> Option<Refusal> {
        if finding.rule.notify.as_ref().is_some_and(|names| !names.contains(&self.name)) {
            return Some(Refusal::NotNamed);
        }
        self.filter.refusal(finding).map(Refusal::Filtered)
    }
}
