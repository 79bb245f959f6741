//! An alert for machines: SQS, Lambda and HTTPS subscribers of the topic, and webhooks.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use super::links::event_link;
use crate::alert::{Alert, AlertKind, Also, DistinctValues, IncidentSum, NamedCall, TargetOutcome, TargetTally};
use crate::cloudtrail::agent::short_agent;
use crate::finding::{Change, Finding, Step};
use crate::redact::redacted_text;
use crate::text::{clean, clip};

/// An alert as JSON. Version 1 is frozen: keys may join, none may change or go.
#[derive(Debug, Serialize)]
pub struct MachineAlert<'a> {
    version: u8,
    /// `first`, `repeat`, `roll-up`, `update`, `digest`, `operational` or `test`.
    kind: &'static str,
    /// The id of the alert, which its repeats share.
    alert: &'a str,
    /// The id of this one message.
    message: String,
    finding: &'a str,
    rule: &'a str,
    rules_digest: &'a str,
    severity: &'a str,
    title: Cow<'a, str>,
    sentence: Cow<'a, str>,
    description: Option<Cow<'a, str>>,
    runbook: Option<&'a str>,
    tags: &'a [String],
    row: usize,
    event_id: Option<Cow<'a, str>>,
    event_time: Option<Cow<'a, str>>,
    /// The same in the zone that `rules.json` names.
    #[serde(skip_serializing_if = "Option::is_none")]
    local_time: Option<String>,
    account: Option<Cow<'a, str>>,
    /// What people call the account, and its unit: where `accounts.json` has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    account_name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<Cow<'a, str>>,
    /// The caller's own account, where it is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    caller_account: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller_account_name: Option<Cow<'a, str>>,
    region: Option<Cow<'a, str>>,
    identity: Option<Cow<'a, str>>,
    actor: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<Cow<'a, str>>,
    /// The person whom the role's session is named after; whom else the record names behind the caller; and how the caller came to
    /// the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acting_service: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delegate: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_identity: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_behalf_of: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    assumed_root: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    from_console: bool,
    /// Whose credentials were used, the first of all first, where the channel's incidents follow them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lineage: Vec<MachineAncestor<'a>>,
    arn: Option<Cow<'a, str>>,
    access_key_id: Option<Cow<'a, str>>,
    service: Option<Cow<'a, str>>,
    event: Option<Cow<'a, str>>,
    source_ip: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<Cow<'a, str>>,
    user_agent: Option<Cow<'a, str>>,
    /// The same, shortened to what tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    error: Option<Cow<'a, str>>,
    error_message: Option<Cow<'a, str>>,
    failed: bool,
    mfa: Option<bool>,
    /// When a finding of this pair of `principal` and `event` first came, and whether that is this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_seen: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_first_seen: Option<bool>,
    targets: Vec<Cow<'a, str>>,
    /// What the call changed, the most telling first, or what was asked for if it failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<MachineChange<'a>>,
    /// What to do first, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    steps: Vec<MachineStep<'a>>,
    link: Option<String>,
    /// `requestParameters` as JSON text, secrets redacted; a note where it is too large.
    request: Option<&'a str>,
    /// What the message tells of, too: other findings of the same record, or other roll-ups.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    also: Vec<MachineAlso<'a>>,
    /// How many more others it tells of, where there is no room for them.
    #[serde(skip_serializing_if = "is_none")]
    also_more: usize,
    /// The silence that begins with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    silence: Option<MachineSilence<'a>>,
    /// The sum, if it is a roll-up or a digest.
    sum: Option<Sum<'a>>,
    /// What an update of an incident tells beside its sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<MachineIncident<'a>>,
    /// What is wrong, if it is an operational alert.
    operational: Option<Cow<'a, str>>,
}

/// What is told in the message of another.
#[derive(Debug, Serialize)]
struct MachineAlso<'a> {
    finding: &'a str,
    /// The alert that it belongs to.
    alert: &'a str,
    rule: Cow<'a, str>,
    severity: &'static str,
    title: Cow<'a, str>,
    /// Of a roll-up: how many findings it sums up. 0: at least one, and the details are gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
}

/// A silence: from this message on, findings like this one are held back on the channel.
#[derive(Debug, Serialize)]
struct MachineSilence<'a> {
    id: &'a str,
    until: String,
    who: Cow<'a, str>,
    reason: Cow<'a, str>,
}

/// All of an incident so far.
#[derive(Debug, Serialize)]
struct MachineIncident<'a> {
    /// How many findings are told for the first time, where that is known.
    news: Option<u64>,
    rules: usize,
    /// Rules × outcomes × targets: successes first, then the highest severities.
    named: Vec<MachineCall<'a>>,
    /// How many more there are.
    more: usize,
    has_ended: bool,
}

/// A rule, an outcome and a target.
#[derive(Debug, Serialize)]
struct MachineCall<'a> {
    rule: Cow<'a, str>,
    event: Cow<'a, str>,
    #[serde(flatten)]
    outcome: SumTarget<'a>,
    count: u64,
}

impl<'a> MachineIncident<'a> {
    fn from_kind(kind: AlertKind<'a>, detail: Detail) -> Option<Self> {
        let AlertKind::Update(IncidentSum { news, rules, named, more, has_ended, .. }) = kind else { return None };
        let call = |NamedCall { rule, event, outcome, count }: &'a NamedCall| MachineCall {
            rule: detail.name(rule),
            event: detail.name(event),
            outcome: SumTarget::new(outcome, detail),
            count: *count,
        };
        let named = named.iter().map(call).collect();
        Some(Self { news: *news, rules: *rules, named, more: *more, has_ended: *has_ended })
    }
}

/// One of those whose credentials were used.
#[derive(Debug, Serialize)]
struct MachineAncestor<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<Cow<'a, str>>,
    name: Cow<'a, str>,
}

/// One step of what to do first.
#[derive(Debug, Serialize)]
struct MachineStep<'a> {
    text: Cow<'a, str>,
    /// For a POSIX shell; whole, or not there.
    command: Option<&'a str>,
}

/// One thing that the call changed, in words.
#[derive(Debug, Serialize)]
struct MachineChange<'a> {
    what: Cow<'a, str>,
    /// Absent where the record does not show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Cow<'a, str>>,
    after: Cow<'a, str>,
}

/// What a roll-up or a digest sums up.
#[derive(Debug, Serialize)]
struct Sum<'a> {
    /// 0: at least one, and the details are gone.
    count: u64,
    first_time: &'a str,
    last_time: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    actors: Option<SumNames<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<SumNames<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<&'a BTreeMap<String, u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    other_rules: Option<u64>,
    targets: SumTargets<'a>,
}

#[derive(Debug, Serialize)]
struct SumNames<'a> {
    names: Vec<Cow<'a, str>>,
    more: usize,
}

impl<'a> SumNames<'a> {
    fn new(values: &'a DistinctValues, detail: Detail) -> Self {
        Self { names: values.shown().iter().map(|name| detail.name(name)).collect(), more: values.more() }
    }
}

/// What the calls of a sum acted on: successes first, then the highest severities.
#[derive(Debug, Serialize)]
struct SumTargets<'a> {
    outcomes: Vec<SumTarget<'a>>,
    more: usize,
}

#[derive(Debug, Serialize)]
struct SumTarget<'a> {
    /// `success` or `failure`.
    outcome: &'static str,
    severity: &'static str,
    target: Cow<'a, str>,
}

impl<'a> SumTargets<'a> {
    fn new(tally: &'a TargetTally, detail: Detail) -> Self {
        let outcomes = tally.shown().iter().map(|pair| SumTarget::new(pair, detail)).collect();
        Self { outcomes, more: tally.more() }
    }
}

impl<'a> SumTarget<'a> {
    fn new(pair: &'a TargetOutcome, detail: Detail) -> Self {
        let outcome = if pair.succeeded { "success" } else { "failure" };
        Self { outcome, severity: pair.severity.as_str(), target: detail.name(&pair.target) }
    }
}

/// How much of an alert a [`MachineAlert`] tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Everything is told.
    Full,
    /// Everything but the request is told.
    NoRequest,
    /// The request is left out, and every text is cut short.
    Brief,
    /// Every text is cut shorter still: the result fits whatever the record holds, and whatever an incident sums up.
    Least,
}

impl Detail {
    /// The levels, from the most detail to the least.
    pub const ALL: [Self; 4] = [Self::Full, Self::NoRequest, Self::Brief, Self::Least];

    /// Characters to which a text is cut; none where it is told as it is.
    const fn text_limit(self) -> Option<usize> {
        match self {
            Self::Full | Self::NoRequest => None,
            Self::Brief => Some(100),
            Self::Least => Some(60),
        }
    }

    /// Characters to which a name in a sum is cut. An update of an incident may name sixty calls, with three names each, and the JSON
    /// stands in a message of SNS four times, with its quotes escaped once more: at 256 KB SNS refuses it.
    const fn name_limit(self) -> Option<usize> {
        match self {
            Self::Full | Self::NoRequest => None,
            Self::Brief => Some(40),
            Self::Least => Some(16),
        }
    }

    /// How many others are told.
    const fn others(self) -> usize {
        if self.text_limit().is_some() { LIST_LIMIT } else { usize::MAX }
    }

    /// A name in a sum: sums have so many that each is cut shorter than a text.
    fn name(self, text: &str) -> Cow<'_, str> {
        self.name_limit().map_or(Cow::Borrowed(text), |limit| clip(text, limit))
    }
}

/// Bytes of a request that are sent along.
const REQUEST_LIMIT: usize = 16 * 1024;
const TOO_LARGE: &str = "left out: it is too large; see the event in CloudTrail";
/// Characters of a text: twice what CloudTrail lets through.
const TEXT_LIMIT: usize = 2048;
/// Items of a list that are told.
const LIST_LIMIT: usize = 10;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_none(number: &usize) -> bool {
    *number == 0
}

/// What the message tells of besides.
fn others<'a>(alert: &Alert<'a>, detail: Detail, cut: impl Fn(&'a str) -> Cow<'a, str>) -> Vec<MachineAlso<'a>> {
    let other = |also: &'a Also| MachineAlso {
        finding: also.finding.as_str(),
        alert: also.alert.as_str(),
        rule: detail.name(&also.rule),
        severity: also.severity.as_str(),
        title: cut(&also.title),
        count: also.count,
    };
    alert.together.also.iter().take(detail.others()).map(other).collect()
}

/// The steps; their commands are left out where there is no room.
fn machine_steps<'a>(steps: &'a [Step], detail: Detail, cut: impl Fn(&'a str) -> Cow<'a, str>) -> Vec<MachineStep<'a>> {
    let command = |step: &'a Step| step.command.as_deref().filter(|command| command.len() <= TEXT_LIMIT);
    let step = |step: &'a Step| MachineStep {
        text: cut(&step.text),
        command: command(step).filter(|_| detail.text_limit().is_none()),
    };
    steps.iter().take(LIST_LIMIT).map(step).collect()
}

impl<'a> MachineAlert<'a> {
    /// Collects what the JSON holds, in this detail.
    pub fn new(alert: &Alert<'a>, detail: Detail) -> Self {
        let Finding { id, rule, title, row, call, changes, steps, .. } = alert.finding;
        let cut = |text: &'a str| match detail.text_limit() {
            None => Cow::Owned(clip(&redacted_text(&clip(text, 2 * TEXT_LIMIT)), TEXT_LIMIT).into_owned()),
            Some(limit) => Cow::Owned(clip(&redacted_text(&clean(&clip(text, TEXT_LIMIT))), limit).into_owned()),
        };
        // A title was blanked when it was made: it is the words of the rule's author, with blanked values in them.
        let cut_redacted = |text: &'a str| match detail.text_limit() {
            None => clip(text, TEXT_LIMIT),
            Some(limit) => Cow::Owned(clip(&clean(&clip(text, TEXT_LIMIT)), limit).into_owned()),
        };
        let text = |text: &'a Option<String>| text.as_deref().map(cut);
        let changed = |change: &'a Change| MachineChange {
            what: cut_redacted(&change.what),
            before: change.before.as_deref().map(cut_redacted),
            after: cut_redacted(&change.after),
        };
        let request = call.request.as_deref().map(|request| match detail {
            Detail::Full if request.len() <= REQUEST_LIMIT => request,
            _ => TOO_LARGE,
        });
        Self {
            version: 1,
            kind: alert.kind.as_str(),
            alert: alert.shown_in().as_str(),
            message: alert.key().into(),
            finding: id.as_str(),
            rule: &rule.id,
            rules_digest: &rule.rules_digest,
            severity: alert.severity().as_str(),
            title: cut_redacted(title),
            sentence: cut(&call.sentence),
            description: rule.description.as_deref().map(cut_redacted),
            runbook: rule.runbook.as_deref().filter(|link| link.len() <= TEXT_LIMIT),
            tags: rule.tags.get(..LIST_LIMIT).unwrap_or(&rule.tags),
            row: *row,
            event_id: text(&call.event_id),
            event_time: text(&call.event_time),
            local_time: call.event_time.as_deref().and_then(|time| rule.messages.local_time(time)),
            account: text(&call.account),
            account_name: text(&call.account_name),
            unit: text(&call.unit),
            caller_account: text(&call.caller_account),
            caller_account_name: text(&call.caller_account_name),
            region: text(&call.region),
            identity: text(&call.identity),
            actor: text(&call.actor),
            principal: text(&call.principal),
            person: text(&call.person),
            acting_service: text(&call.acting_service),
            delegate: text(&call.delegate),
            source_identity: text(&call.source_identity),
            on_behalf_of: text(&call.on_behalf_of),
            assumed_root: call.assumed_root,
            from_console: call.from_console,
            lineage: alert
                .finding
                .lineage
                .iter()
                .map(|one| MachineAncestor { account: text(&one.account), name: cut(&one.name) })
                .collect(),
            arn: text(&call.arn),
            access_key_id: text(&call.access_key_id),
            service: text(&call.service),
            event: text(&call.event),
            source_ip: text(&call.source_ip),
            country: text(&call.country),
            network: text(&call.network),
            user_agent: text(&call.user_agent),
            agent: call.user_agent.as_deref().map(|agent| short_agent(&redacted_text(agent))),
            error: text(&call.error),
            error_message: text(&call.error_message),
            failed: call.failed,
            mfa: call.mfa,
            first_seen: alert.finding.first_seen.map(|first| first.at.to_string()),
            is_first_seen: alert.finding.first_seen.map(|first| first.is_now),
            targets: call.targets.iter().take(LIST_LIMIT).map(|target| cut(target)).collect(),
            changes: changes.iter().take(LIST_LIMIT).map(changed).collect(),
            steps: machine_steps(steps, detail, cut_redacted),
            link: event_link(alert.finding),
            request,
            also: others(alert, detail, cut_redacted),
            also_more: alert.together.also.len().saturating_sub(detail.others()),
            silence: alert.together.silence.map(|silence| MachineSilence {
                id: &silence.id,
                until: silence.until.to_string(),
                who: cut(&silence.who),
                reason: cut(&silence.reason),
            }),
            sum: Sum::from_kind(alert.kind, detail),
            incident: MachineIncident::from_kind(alert.kind, detail),
            operational: match alert.kind {
                AlertKind::Operational(text) => Some(cut(text)),
                _ => None,
            },
        }
    }

    /// The JSON in the most detail of which `fits` holds; in the least if there is none.
    pub fn fitting(alert: &Alert<'a>, fits: impl Fn(&str) -> bool) -> String {
        let mut json = String::new();
        for detail in Detail::ALL {
            json = serde_json::to_string(&Self::new(alert, detail)).unwrap_or_default();
            if fits(&json) {
                break;
            }
        }
        json
    }
}

impl<'a> Sum<'a> {
    fn from_kind(kind: AlertKind<'a>, detail: Detail) -> Option<Self> {
        match kind {
            AlertKind::RollUp(sum) | AlertKind::Update(IncidentSum { all: sum, .. }) => {
                let (first_time, last_time) = sum.span.bounds();
                let names = |values| Some(SumNames::new(values, detail));
                let (actors, events) = (names(&sum.actors), names(&sum.events));
                let (count, targets) = (sum.count, SumTargets::new(&sum.targets, detail));
                Some(Self { count, first_time, last_time, actors, events, rules: None, other_rules: None, targets })
            }
            AlertKind::Digest(sum) => {
                let (first_time, last_time) = sum.span.bounds();
                let (rules, other_rules) = (Some(&sum.rules), Some(sum.others));
                let (count, targets) = (sum.count, SumTargets::new(&sum.targets, detail));
                Some(Self { count, first_time, last_time, actors: None, events: None, rules, other_rules, targets })
            }
            AlertKind::First | AlertKind::Repeat | AlertKind::News | AlertKind::Operational(_) | AlertKind::Test => {
                None
            }
        }
    }
}
