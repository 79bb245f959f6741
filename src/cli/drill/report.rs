//! What a drill found.

use serde::Serialize;

use super::await_alerts::Awaited;
use super::exercise::{Exercise, LeftOut};
use crate::ledger::DoneAs;

/// What a drill found.
#[derive(Debug, Serialize)]
pub(super) struct DrillReport {
    /// The stack.
    pub(super) stack: String,
    /// Its region.
    pub(super) region: String,
    /// The account in which calls were made; none, where events were replayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) account: Option<String>,
    /// The rules that were drilled, in the order of `rules.json`.
    pub(super) rules: Vec<RuleReport>,
    /// The rules that were not, and why.
    pub(super) not_drilled: Vec<NotDrilled>,
    /// What did not answer, and why.
    pub(super) unanswered: Vec<String>,
}

/// A rule that was not drilled.
#[derive(Debug, Serialize)]
pub(super) struct NotDrilled {
    /// Its id.
    rule: String,
    /// Why.
    reason: String,
}

/// The call by which a rule was drilled.
#[derive(Debug, Serialize)]
pub(super) struct CallReport {
    /// Its service, as the `eventSource` begins.
    pub(super) service: &'static str,
    /// The operation.
    pub(super) call: &'static str,
    /// By what it was called, of which there is nothing.
    pub(super) name: String,
    /// How AWS answered: its code, `done`, or `not reached`.
    pub(super) answer: String,
    /// Whether CloudTrail has a record of it.
    pub(super) recorded: bool,
    /// What is not as it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<&'static str>,
}

/// How one rule answered.
#[derive(Debug, Serialize)]
pub(super) struct RuleReport {
    /// Its id.
    pub(super) rule: String,
    /// The `eventID` of the call; none, where CloudTrail has no record of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) event_id: Option<String>,
    /// The call, if one was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) call: Option<CallReport>,
    /// Whether each of its channels has answered.
    pub(super) answered: bool,
    /// Each channel that its finding goes to.
    pub(super) channels: Vec<ChannelReport>,
    /// From the call to the message on the webhook, in milliseconds: if it came there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) webhook_ms: Option<u64>,
}

/// How one channel answered.
#[derive(Debug, Serialize)]
pub(super) struct ChannelReport {
    /// Its name.
    pub(super) channel: String,
    /// What became of the alert: `delivered`, `throttled` or `digested`, as `offlimits status` says; none, if nothing is known of it.
    pub(super) outcome: Option<&'static str>,
    /// From the call until then, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ms: Option<u64>,
}

impl DrillReport {
    /// Whether every rule has answered.
    pub(super) fn is_answered(&self) -> bool {
        self.rules.iter().all(|rule| rule.answered)
    }
}

impl NotDrilled {
    /// Those that were left out.
    pub(super) fn of(left_out: &[LeftOut]) -> Vec<Self> {
        left_out.iter().map(|(rule, reason)| Self { rule: rule.clone(), reason: reason.clone() }).collect()
    }
}

impl RuleReport {
    /// How the rule of an exercise answered.
    pub(super) fn of(exercise: &Exercise, awaited: &[Awaited]) -> Self {
        let own: Vec<&Awaited> = awaited.iter().filter(|one| one.rule == exercise.rule).collect();
        let millis = |span: std::time::Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        let channels: Vec<ChannelReport> = own
            .iter()
            .map(|one| ChannelReport {
                channel: one.channel.clone(),
                outcome: one.done.map(|(_, done)| match done {
                    DoneAs::Delivered => "delivered",
                    DoneAs::Throttled => "throttled",
                    DoneAs::Silenced => "silenced",
                    DoneAs::Digested => "digested",
                }),
                ms: one.done.map(|(at, _)| millis(at.since(one.sent))),
            })
            .collect();
        let webhook_ms = own.iter().find_map(|one| Some(millis(one.heard?.since(one.sent))));
        let answered = !channels.is_empty() && channels.iter().all(|channel| channel.outcome.is_some());
        let event_id = Some(exercise.event_id.clone());
        Self { rule: exercise.rule.clone(), event_id, call: None, answered, channels, webhook_ms }
    }

    /// Of a rule whose call CloudTrail has no record of.
    pub(super) fn unrecorded(rule: &str, call: CallReport) -> Self {
        let (rule, channels) = (rule.to_owned(), Vec::new());
        Self { rule, event_id: None, call: Some(call), answered: false, channels, webhook_ms: None }
    }
}
