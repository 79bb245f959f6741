//! What becomes of a finding before it comes to any channel: it is our own call's, staged, below its threshold, unrouted, or
//! routed.
//!
//! Each is counted, and only the last goes on. The order matters: our own calls must not count towards a threshold, nor must a
//! rule that is only being tried; and the threshold is asked before the routes, so that a rule counts the same whether or not a
//! channel takes its alerts. `docs/design/ledger.md` has this order together with the gates that follow on each channel.

use std::time::Duration;

use tokio::time::Instant;

use super::App;
use super::lineage::lineage_of;
use super::outcome::FindingOutcome;
use super::report::InvocationReport;
use super::subject::Subject;
use crate::cloudtrail::credentials::Ancestor;
use crate::cloudtrail::{RawRecord, Record};
use crate::deliver::Transport;
use crate::finding::Finding;
use crate::ledger::lineage::{self, Lineage};
use crate::ledger::policy::Holding;
use crate::ledger::{Ledger, Occurrence, Store};
use crate::redelivery::Queues;
use crate::rules::{Mode, Rule};
use crate::ruleset::RuleSet;
use crate::time::Timestamp;

/// A finding that goes to channels.
pub(super) struct Routed {
    pub(super) finding: Finding,
    /// The channels' indices in `rules.json`: one at least.
    pub(super) channels: Vec<usize>,
    /// The group of repeats that its rule's throttle puts it in; `None` if no repeat of it is held back.
    throttle: Option<FindingGroup>,
    /// The groups that it is in on channels with incidents, which take the throttle's place there; by the channel's index.
    incidents: Vec<(usize, FindingGroup)>,
    /// The SQS message that brought the record, if one did.
    pub(super) message_id: Option<String>,
    /// The place of its record in the payload: the findings of one record go together.
    pub(super) record: usize,
}

/// A finding on its way to one channel.
#[derive(Clone, Copy)]
pub(super) struct RoutedTo<'r> {
    pub(super) finding: &'r Finding,
    /// The group in which it is held back on this channel, if it can be.
    pub(super) group: Option<&'r FindingGroup>,
    pub(super) message_id: Option<&'r String>,
    pub(super) record: usize,
}

impl Routed {
    /// The finding on its way to the channel of this index.
    pub(super) fn to(&self, channel: usize) -> RoutedTo<'_> {
        let incident = self.incidents.iter().find(|(index, _)| *index == channel);
        let group = incident.map(|(_, group)| group).or(self.throttle.as_ref());
        RoutedTo { finding: &self.finding, group, message_id: self.message_id.as_ref(), record: self.record }
    }
}

/// A group of findings that are repeats of one another, or parts of one incident, before it is known on which channel.
pub(super) struct FindingGroup {
    /// The hash of the rule and the values of the throttle's `by`; or of the values of the incident's.
    pub(super) hash: String,
    /// How findings are held back in it.
    pub(super) holding: Holding,
}

/// Counts the findings of one record, of this number in the payload, and keeps those that go to a channel. After `count_until` no
/// threshold is asked for.
pub(super) async fn classify<T: Transport, S: Store, R: Store, Q: Queues>(
    findings: Vec<Finding>,
    (number, raw): (usize, &RawRecord),
    (app, ledger, count_until): (&App<T, S, Q>, &Ledger<R>, Instant),
    report: &mut InvocationReport,
) -> Vec<Routed> {
    let mut routed = Vec::new();
    let record = raw.parse().ok();
    // Asked for once a record, when the first of its findings goes to a channel that follows credentials.
    let mut lineage: Option<Lineage> = None;
    for mut finding in findings {
        finding.call.note_age(app.transport.now().into());
        // Both are there: the finding was made of them.
        let origin = app.rules.rule_of(&finding).zip(record.as_ref());
        let (outcome, channels) = judge(&finding, origin, (app, ledger, count_until), &mut report.ledger_faults).await;
        report.findings.end(&Subject::of_finding(&finding), outcome);
        if outcome != FindingOutcome::Routed {
            continue;
        }
        // Without a queue no roll-up could follow, and so nothing is held back.
        let throttle = origin.filter(|_| app.queues.has_redelivery()).and_then(|(rule, record)| {
            let throttle = rule.throttle.as_ref()?;
            Some(FindingGroup { hash: throttle.group(&rule.info.id, record), holding: throttle.into() })
        });
        let throttle = app.own.throttle_of(&finding.call).filter(|_| app.queues.has_redelivery()).or(throttle);
        let record = record.as_ref().filter(|_| app.queues.has_redelivery());
        if lineage.as_ref().is_none_or(Vec::is_empty) && record.is_some() {
            lineage = Some(lineage_of(&finding.call, &channels, (app, ledger), &mut report.ledger_faults).await);
        }
        let of_record = lineage.as_deref().unwrap_or_default();
        finding.lineage = of_record.to_vec();
        let incidents = record.map(|record| incidents(&app.rules, &channels, (record, of_record))).unwrap_or_default();
        let message_id = raw.message_id.clone();
        routed.push(Routed { finding, channels, throttle, incidents, message_id, record: number });
    }
    routed
}

/// The groups that the findings of a record are in on those of these channels that have incidents.
fn incidents(
    rules: &RuleSet,
    channels: &[usize],
    (record, of_record): (&Record<'_>, &[Ancestor]),
) -> Vec<(usize, FindingGroup)> {
    let with_incidents =
        channels.iter().filter_map(|index| Some((*index, rules.channels()[*index].incidents.as_ref()?)));
    with_incidents
        .map(|(index, incidents)| {
            let holding = Holding::Incident(Duration::from_secs(incidents.window));
            let of_origin = lineage::group(incidents, of_record, || incidents.rest_of_group(record));
            let hash = of_origin.unwrap_or_else(|| incidents.group(record));
            (index, FindingGroup { hash, holding })
        })
        .collect()
}

/// What becomes of a finding, and the indices of the channels that it goes to.
async fn judge<T: Transport, S, R: Store, Q>(
    finding: &Finding,
    origin: Option<(&Rule, &Record<'_>)>,
    (app, ledger, count_until): (&App<T, S, Q>, &Ledger<R>, Instant),
    ledger_faults: &mut usize,
) -> (FindingOutcome, Vec<usize>) {
    if app.own.contains(&finding.call) {
        return (FindingOutcome::Own, Vec::new());
    }
    if finding.rule.mode == Mode::Stage {
        return (FindingOutcome::Staged, Vec::new());
    }
    if let Some((rule, record)) = origin
        && !reaches_threshold(rule, finding, record, (ledger, count_until, app.transport.now().into()), ledger_faults)
            .await
    {
        return (FindingOutcome::BelowThreshold, Vec::new());
    }
    let channels = app.rules.route(finding);
    let outcome = if channels.is_empty() { FindingOutcome::Unrouted } else { FindingOutcome::Routed };
    (outcome, channels)
}

/// Whether a finding's rule has matched often enough. Where the ledger does not answer, or there is no time to ask it, we take
/// it that it has.
async fn reaches_threshold<R: Store>(
    rule: &Rule,
    finding: &Finding,
    record: &Record<'_>,
    (ledger, count_until, now): (&Ledger<R>, Instant, Timestamp),
    ledger_faults: &mut usize,
) -> bool {
    let Some(threshold) = &rule.threshold else { return true };
    if Instant::now() >= count_until {
        tracing::warn!(rule = rule.info.id, "there is no time to count: the alert goes out");
        *ledger_faults += 1;
        return true;
    }
    let (group, values) = (threshold.group(&rule.info.id, record), threshold.values(record));
    let occurrence = Occurrence {
        id: &group,
        finding: &finding.id,
        at: finding.call.time().unwrap_or(now),
        count: threshold.count,
        window: Duration::from_secs(threshold.window),
        distinct: values.as_deref(),
    };
    match ledger.record_occurrence(&occurrence, now).await {
        Ok(is_reached) => is_reached,
        Err(error) => {
            tracing::warn!(rule = rule.info.id, reason = %error, "the ledger cannot count: the alert goes out");
            *ledger_faults += 1;
            true
        }
    }
}
