//! What an event would alert, and how people would see it: the function's answer on a laptop (`sam local invoke`). Nothing is
//! sent and nothing is asked, neither the network nor the ledger nor the queues.

use serde::Serialize;
use serde_json::value::RawValue;

use super::order::Order;
use super::{OwnCalls, outcome::FindingOutcome};
use crate::alert::{Alert, AlertKind, Also, Together};
use crate::channel::{Body, ConfiguredChannel, Content};
use crate::cloudtrail::envelope::{self, NotARecord};
use crate::finding::Finding;
use crate::ids::AlertId;
use crate::ledger::policy::{self, Going, MOST_TOGETHER};
use crate::rules::Mode;
use crate::ruleset::RuleSet;
use crate::severity::Severity;
use crate::time::Timestamp;

/// What a payload would alert.
#[derive(Debug, Serialize)]
pub struct Preview {
    /// That nothing was sent, in words: the answer is read by people.
    pub preview: &'static str,
    /// CloudTrail's records in the payload.
    pub records: usize,
    /// What else the payload held, and need not be read.
    pub ignored: usize,
    /// What should have been a record and could not be read: why.
    pub unreadable: Vec<String>,
    /// Messages of our own from the redelivery queue: how many. They are not shown.
    pub queued_messages: usize,
    /// The findings, in the order of the records and the rules.
    pub findings: Vec<FindingPreview>,
}

/// One finding, and who would be told of it.
#[derive(Debug, Serialize)]
pub struct FindingPreview {
    /// The rule's id.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// The heading, with the severity before it.
    pub title: String,
    /// Who did what to what, and whether it succeeded.
    pub sentence: String,
    /// What becomes of it, by the word of the function's log: `routed`, `staged`, `unrouted`, or `self`, a call of our own.
    pub outcome: &'static str,
    /// Where the rule counts before it alerts: from which match on it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<ThresholdPreview>,
    /// The channels that it goes to, in the order of `rules.json`.
    pub channels: Vec<MessagePreview>,
}

/// How often a rule must match before it alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ThresholdPreview {
    /// The number of the match from which on it alerts.
    pub count: u64,
    /// Within so many seconds.
    pub window: u64,
}

/// What one channel would send.
#[derive(Debug, Serialize)]
pub struct MessagePreview {
    /// The channel's name.
    pub channel: String,
    /// Its type, as `rules.json` has it: `slack`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The message, as [`first_message`] gives it. `None` where the finding is told in the message of another.
    pub message: Option<Box<RawValue>>,
    /// The rule of the finding of the same record in whose message it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<String>,
}

/// What the function would make of `payload`: every finding as the first of its kind, since there is no ledger to say
/// otherwise. `now` is the time of a test alert, and tells which events are too old to link to.
pub fn preview(payload: &str, rules: &RuleSet, own: &OwnCalls, now: Timestamp) -> Preview {
    let mut found = Preview {
        preview: "nothing was sent: this is what the deployed function would send",
        records: 0,
        ignored: 0,
        unreadable: Vec::new(),
        queued_messages: 0,
        findings: Vec::new(),
    };
    if Order::parse(payload) == Some(Order::Test) {
        let finding = Finding::test(rules.digest().clone(), now.to_string());
        let every: Vec<usize> = (0..rules.channels().len()).collect();
        found.findings.push(shown(&finding, FindingOutcome::Routed, AlertKind::Test, &every, rules));
        return found;
    }
    let opened = envelope::open(payload);
    found.records = opened.records.len();
    found.ignored = opened.ignored.len();
    found.queued_messages = opened.deliveries.len();
    found.unreadable.extend(opened.unreadable.into_iter().map(|NotARecord { reason, .. }| reason));
    for record in &opened.records {
        match rules.evaluate(record) {
            Ok(mut findings) => {
                findings.iter_mut().for_each(|finding| finding.call.note_age(now));
                found.findings.extend(of_record(&findings, rules, own));
            }
            Err(error) => found.unreadable.push(error.to_string()),
        }
    }
    found
}

/// The findings of a record with what becomes of each.
fn of_record(findings: &[Finding], rules: &RuleSet, own: &OwnCalls) -> Vec<FindingPreview> {
    let judged: Vec<(FindingOutcome, Vec<usize>)> =
        findings.iter().map(|finding| judged(finding, rules, own)).collect();
    let mut shown: Vec<FindingPreview> = findings
        .iter()
        .zip(&judged)
        .map(|(finding, (outcome, channels))| shown(finding, *outcome, AlertKind::First, channels, rules))
        .collect();
    for (index, channel) in rules.channels().iter().enumerate() {
        let told: Vec<usize> = (0..findings.len()).filter(|place| judged[*place].1.contains(&index)).collect();
        for told in told.chunks(MOST_TOGETHER).filter(|told| told.len() > 1) {
            let together: Vec<&Finding> = told.iter().map(|place| &findings[*place]).collect();
            let leader = led(&together).0;
            for (place, finding) in told.iter().zip(&together) {
                let own = shown[*place].channels.iter_mut().find(|shown| shown.channel == channel.name);
                let Some(own) = own else { continue };
                let is_leader = finding.id == leader.id;
                own.message =
                    is_leader.then(|| RawValue::from_string(first_message(channel, &together)).ok()).flatten();
                own.merged_into = (!is_leader).then(|| leader.rule.id.clone());
            }
        }
    }
    shown
}

/// What becomes of a finding, and the channels that it goes to, in the order in which the function judges.
fn judged(finding: &Finding, rules: &RuleSet, own: &OwnCalls) -> (FindingOutcome, Vec<usize>) {
    let (outcome, channels) = if own.contains(&finding.call) {
        (FindingOutcome::Own, Vec::new())
    } else if finding.rule.mode == Mode::Stage {
        (FindingOutcome::Staged, Vec::new())
    } else {
        let channels = rules.route(finding);
        (if channels.is_empty() { FindingOutcome::Unrouted } else { FindingOutcome::Routed }, channels)
    };
    (outcome, channels)
}

fn shown(
    finding: &Finding,
    outcome: FindingOutcome,
    kind: AlertKind<'_>,
    channels: &[usize],
    rules: &RuleSet,
) -> FindingPreview {
    let id = AlertId::new(&finding.rule.id, "", &finding.id);
    let Content { heading, sentence, .. } = Content::new(&Alert::alone(finding, &id, kind));
    let threshold = rules.rule_of(finding).and_then(|rule| rule.threshold.as_ref());
    FindingPreview {
        rule: finding.rule.id.clone(),
        severity: finding.severity,
        title: heading,
        sentence,
        outcome: outcome.as_str().unwrap_or("routed"),
        threshold: threshold.map(|threshold| ThresholdPreview { count: threshold.count, window: threshold.window }),
        channels: channels
            .iter()
            .map(|index| {
                let channel = &rules.channels()[*index];
                MessagePreview {
                    channel: channel.name.clone(),
                    kind: channel.channel.kind(),
                    message: RawValue::from_string(message(channel, finding, kind, &[])).ok(),
                    merged_into: None,
                }
            })
            .collect(),
    }
}

/// What a channel sends of the findings of one record, each of which is the first of its kind: an HTTP channel's document as it is
/// sent, byte for byte; for SNS, which gets one text for each kind of subscriber, an object with them all. There must be one finding
/// at least.
pub fn first_message(channel: &ConfiguredChannel, findings: &[&Finding]) -> String {
    let (leader, others) = led(findings);
    message(channel, leader, AlertKind::First, &others)
}

/// The finding that leads the message of these findings of one record, where each opens an alert, and the others. There must be one
/// finding at least.
pub fn led<'f>(findings: &[&'f Finding]) -> (&'f Finding, Vec<&'f Finding>) {
    let leader = policy::leader(findings.iter().map(|finding| (finding.severity, Going::AsFirst)));
    let leader = leader.unwrap_or_default();
    let others = findings.iter().enumerate().filter(|(place, _)| *place != leader).map(|(_, finding)| *finding);
    (findings[leader], others.collect())
}

/// What a channel makes of a finding, and of the others that its message tells of; each has an alert of its own.
pub fn rendered(channel: &ConfiguredChannel, finding: &Finding, kind: AlertKind<'_>, others: &[&Finding]) -> Body {
    let alert = |finding: &Finding| AlertId::new(&finding.rule.id, &channel.name, &finding.id);
    let also: Vec<Also> = others.iter().map(|finding| Also::new(finding, &alert(finding))).collect();
    let together = Together { also: &also, ..Together::default() };
    channel.channel.render(&Alert { together, ..Alert::alone(finding, &alert(finding), kind) })
}

fn message(channel: &ConfiguredChannel, finding: &Finding, kind: AlertKind<'_>, others: &[&Finding]) -> String {
    match rendered(channel, finding, kind, others) {
        Body::Json { json, .. } => json,
        Body::Ticket { open, .. } => open,
        Body::Sns(message) => serde_json::to_string(&message).unwrap_or_default(),
    }
}
