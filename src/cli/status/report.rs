//! What is known of a finding or an event, put together from the ledger's claims and the log's lines.
//!
//! The ledger is believed where it says that a delivery is done; the log says the rest: when, how it stood last, and why.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::advice::{self, Delivery};
use super::outcome::{self, DELIVERED, DIGESTED, DUPLICATE, OPEN, SENDING, SILENCED, THROTTLED};
use super::question::Subject;
use crate::aws::LogLine;
use crate::cli::silence::SilenceLine;
use crate::ledger::{Claim, DoneAs};
use crate::text::one_line;
use crate::time::Timestamp;

/// What is known of the subject: the document that `--format json` prints. See [`crate::cli::lines`] for what may change.
#[derive(Debug, Serialize)]
pub(super) struct StatusReport {
    /// The id that was asked about.
    pub(super) asked: String,
    /// `finding` or `event`.
    pub(super) kind: &'static str,
    /// From when on the log was looked through.
    pub(super) since: String,
    /// Whether the ledger or the log has anything of it.
    pub(super) known: bool,
    /// What was found: the findings, each with its channels.
    pub(super) findings: Vec<FindingStatus>,
    /// If nothing was found: whether the log has the lines of any invocation since then, without which it can say nothing of
    /// findings.
    pub(super) log_tells: Option<bool>,
    /// What to do if nothing was found.
    pub(super) next: Vec<String>,
    /// The silences that run.
    pub(super) silences: Vec<SilenceLine>,
    /// Who did not answer, and why.
    pub(super) unanswered: Vec<String>,
}

/// One finding.
#[derive(Debug, Serialize)]
pub(super) struct FindingStatus {
    pub(super) finding: String,
    pub(super) rule: Option<String>,
    pub(super) event_id: Option<String>,
    /// How it ended before it came to any channel, if it did: `staged`, `unrouted`, `below_threshold` or `self`.
    pub(super) outcome: Option<String>,
    /// When it did so last.
    pub(super) at: Option<String>,
    /// What that asks for.
    pub(super) next: Option<String>,
    pub(super) channels: Vec<ChannelStatus>,
}

/// One finding on one channel.
#[derive(Debug, Serialize)]
pub(super) struct ChannelStatus {
    pub(super) channel: String,
    /// One of the log's outcomes of a delivery, or `sending` or `open`: see [`super::outcome`].
    pub(super) outcome: String,
    pub(super) at: Option<String>,
    /// The alert that it belongs to.
    pub(super) alert: Option<String>,
    /// The finding that opened the alert.
    pub(super) opener: Option<String>,
    /// The group of its throttle.
    pub(super) group: Option<String>,
    /// What the vendor calls the message.
    pub(super) receipt: Option<String>,
    /// Milliseconds from the call to its delivery.
    pub(super) latency_ms: Option<u64>,
    /// Why it did not arrive, the last time.
    pub(super) reason: Option<String>,
    /// How often the same finding came again after it was done.
    pub(super) duplicates: usize,
    /// If it was held back: when the roll-up of its alert was delivered, if it was.
    pub(super) roll_up_at: Option<String>,
    /// What that asks for.
    pub(super) next: String,
}

/// A claim of the ledger on one channel, and, of a repeat that was held back, that of its roll-up.
#[derive(Debug, Clone)]
pub(super) struct KnownClaim {
    pub(super) channel: String,
    pub(super) claim: Claim,
    pub(super) roll_up: Option<Claim>,
}

/// The members of a line that are read. A line of an older version has fewer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Line {
    #[serde(skip)]
    at: Timestamp,
    message: String,
    finding: Option<String>,
    /// What a line about a message of a queue calls the finding.
    what: Option<String>,
    rule: Option<String>,
    event_id: Option<String>,
    channel: Option<String>,
    outcome: Option<String>,
    /// `roll-up` or `digest`: the line is about a sum, and its finding stands for the others.
    kind: Option<String>,
    alert: Option<String>,
    group: Option<String>,
    latency_ms: Option<u64>,
    reason: Option<String>,
}

impl Line {
    pub(super) fn read(line: LogLine) -> Self {
        Self { at: line.at, ..serde_json::from_value(line.fields).unwrap_or_default() }
    }

    /// Whether it says how a finding ended.
    pub(super) fn is_end(&self) -> bool {
        self.message == FINDING && self.kind.is_none() && self.finding.is_some() && self.outcome.is_some()
    }

    fn is_about(&self, finding: &str) -> bool {
        [&self.finding, &self.what].into_iter().any(|id| id.as_deref() == Some(finding))
    }
}

/// The message of the line that the function writes for each finding and channel.
pub(super) const FINDING: &str = "finding";

/// Whether the line's member `name` is one of these texts.
pub(super) fn has(fields: &Value, name: &str, texts: &[&str]) -> bool {
    fields[name].as_str().is_some_and(|text| texts.contains(&text))
}

/// The findings that lines tell of, and the one that was asked about.
pub(super) fn findings(subject: &Subject, lines: &[Line]) -> BTreeSet<String> {
    let of_lines = lines.iter().filter(|line| line.is_end()).filter_map(|line| line.finding.clone());
    match subject {
        Subject::Finding(id) => [id.as_str().to_owned()].into(),
        Subject::Event(_) => of_lines.collect(),
    }
}

/// Puts together what is known of one finding; `None` if nothing is.
pub(super) fn finding(id: &str, lines: &[Line], claims: &[KnownClaim], now: Timestamp) -> Option<FindingStatus> {
    let ends: Vec<&Line> = lines.iter().filter(|line| line.is_end() && line.is_about(id)).collect();
    let of_channel = ends.iter().filter_map(|line| line.channel.as_deref());
    let names: BTreeSet<&str> = of_channel.chain(claims.iter().map(|known| known.channel.as_str())).collect();
    let nowhere = ends.iter().rfind(|line| line.channel.is_none());
    if ends.is_empty() && names.is_empty() {
        return None;
    }
    let last = |get: fn(&Line) -> &Option<String>| ends.iter().rev().find_map(|line| get(line).as_deref()).map(shown);
    let rule = last(|line| &line.rule);
    let outcome = nowhere.and_then(|line| line.outcome.as_deref()).map(shown);
    let channels = names.into_iter().map(|channel| {
        let ends: Vec<&Line> = ends.iter().copied().filter(|line| line.channel.as_deref() == Some(channel)).collect();
        let reasons = lines.iter().filter(|line| line.is_about(id) && line.channel.as_deref() == Some(channel));
        let reason = reasons.filter_map(|line| line.reason.as_deref()).next_back();
        let known = claims.iter().find(|known| known.channel == channel);
        self::channel(channel, &ends, reason, known, now)
    });
    Some(FindingStatus {
        channels: channels.collect(),
        finding: id.to_owned(),
        event_id: last(|line| &line.event_id),
        next: outcome.as_deref().map(|outcome| advice::of_finding(outcome, rule.as_deref())),
        rule,
        outcome,
        at: nowhere.map(|line| line.at.to_string()),
    })
}

fn channel(
    name: &str,
    ends: &[&Line],
    reason: Option<&str>,
    known: Option<&KnownClaim>,
    now: Timestamp,
) -> ChannelStatus {
    let claim = known.map(|known| &known.claim);
    let (outcome, at) = standing(ends, claim, now);
    let last = |get: fn(&Line) -> &Option<String>| ends.iter().rev().find_map(|line| get(line).as_deref()).map(shown);
    let roll_up = known.and_then(|known| known.roll_up.as_ref());
    let roll_up = roll_up.filter(|claim| claim.done == Some(DoneAs::Delivered));
    let mut status = ChannelStatus {
        alert: claim.map(|claim| claim.decision.alert.to_string()).or_else(|| last(|line| &line.alert)),
        opener: claim.map(|claim| claim.decision.opener.to_string()),
        group: last(|line| &line.group),
        receipt: claim.and_then(|claim| claim.receipt.as_deref()).map(shown),
        latency_ms: ends.iter().rev().find_map(|line| line.latency_ms),
        reason: reason.filter(|_| outcome::is_late(&outcome)).map(shown),
        duplicates: ends.iter().filter(|line| line.outcome.as_deref() == Some(DUPLICATE)).count(),
        roll_up_at: roll_up.map(|claim| claim.until.to_string()),
        channel: shown(name),
        at: at.map(|at| at.to_string()),
        outcome,
        next: String::new(),
    };
    status.next = advice::of_delivery(&Delivery {
        outcome: &status.outcome,
        channel: &status.channel,
        alert: status.alert.as_deref(),
        opener: status.opener.as_deref(),
        receipt: status.receipt.as_deref(),
        roll_up_at: status.roll_up_at.as_deref(),
    });
    status
}

/// How a finding stands on a channel, and since when, if that is known.
fn standing(ends: &[&Line], claim: Option<&Claim>, now: Timestamp) -> (String, Option<Timestamp>) {
    let line_of =
        |outcome: &str| ends.iter().rfind(|line| line.outcome.as_deref() == Some(outcome)).map(|line| line.at);
    if let Some(Claim { done: Some(done), until, .. }) = claim {
        let (word, noted) = match done {
            DoneAs::Delivered => (DELIVERED, Some(*until)),
            // Its claim keeps the end of the lease with which it came.
            DoneAs::Throttled => (THROTTLED, None),
            DoneAs::Silenced => (SILENCED, None),
            DoneAs::Digested => (DIGESTED, Some(*until)),
        };
        return (word.to_owned(), line_of(word).or(noted));
    }
    if claim.is_some_and(|claim| claim.until > now) {
        return (SENDING.to_owned(), None);
    }
    let last = ends.iter().rfind(|line| line.outcome.as_deref() != Some(DUPLICATE)).or_else(|| ends.last());
    match last {
        Some(line) => (line.outcome.as_deref().map(shown).unwrap_or_default(), Some(line.at)),
        None => (OPEN.to_owned(), claim.map(|claim| claim.until)),
    }
}

impl StatusReport {
    /// The report on what was found.
    pub(super) fn new(
        subject: &Subject,
        since: Timestamp,
        findings: Vec<FindingStatus>,
        unanswered: Vec<String>,
    ) -> Self {
        Self {
            asked: subject.id().to_owned(),
            kind: match subject {
                Subject::Finding(_) => "finding",
                Subject::Event(_) => "event",
            },
            since: since.to_string(),
            known: !findings.is_empty(),
            findings,
            log_tells: None,
            next: Vec::new(),
            silences: Vec::new(),
            unanswered,
        }
    }
}

/// Whether a delivery of the finding has not arrived, so that the log may say why.
pub(super) fn is_late(finding: &FindingStatus) -> bool {
    finding.channels.iter().any(|channel| outcome::is_late(&channel.outcome))
}

/// Texts of a log are shown on one line, and in bounds.
fn shown(text: &str) -> String {
    one_line(text, 300).into_owned()
}
