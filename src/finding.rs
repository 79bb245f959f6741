//! A finding: one rule that one record matched.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use crate::change::Change;
use crate::cloudtrail::ApiCall;
use crate::cloudtrail::credentials::Ancestor;
use crate::ids::{FindingId, PairId, SharedCallId, StableId};
use crate::rules::RuleInfo;
use crate::severity::Severity;
use crate::text::clip;
use crate::time::Timestamp;

/// One rule × one record: all that a channel needs to tell people about it. Texts that come from the record are as the
/// record has them: a channel cleans, escapes and clips for its own target.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Finding {
    /// What makes a repeat of this finding recognisable.
    pub id: FindingId,
    /// The rule.
    pub rule: Arc<RuleInfo>,
    /// The rule's severity, or that of the first `severity_when` that matched.
    pub severity: Severity,
    /// The rule's title with its `{fields}` filled in, cleaned and clipped.
    pub title: String,
    /// The index in `when` of the first row that matched.
    pub row: usize,
    /// The call that the record tells of.
    pub call: ApiCall,
    /// When a finding of its pair first came, where the ledger knows. Versions before 2026-11-29 did not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<FirstSeen>,
    /// What the call changed, the most telling first, or what was asked for if it failed. Versions before 2026-11-29 did not write it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// What to do first, in order. Versions before 2026-11-29 did not write it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// Those whose credentials were used, the first of all first, and whoever called last: where a channel follows
    /// them. Versions before 2026-11-29 did not write it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lineage: Vec<Ancestor>,
}

/// When a finding of a pair (of who called and what, in an account) first came, of those that are remembered: none of them lies
/// further back than 30 days before the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstSeen {
    /// Whether it is this finding's own event.
    pub is_now: bool,
    /// When that event happened, or came, if it has no time.
    pub at: Timestamp,
}

/// One step of what to do first about a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What to do, in a sentence.
    pub text: String,
    /// A command for a POSIX shell that does it, with the record's values filled in and quoted; none where a value is not plainly an
    /// identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

impl Step {
    /// The step with a text of so many characters at most. A command is whole or it is not there.
    fn brief(&self, limit: usize) -> Self {
        let command = self.command.clone().filter(|command| command.chars().count() <= limit);
        Self { text: clip(&self.text, limit).into_owned(), command }
    }
}

/// Characters of each text, and items of each list, that [`Finding::brief`] keeps.
const BRIEF: (usize, usize) = (1024, 20);
/// Characters of each text of a change, and changes, that it keeps.
const BRIEF_CHANGES: (usize, usize) = (200, 5);

fn brief_change(Change { what, before, after }: &Change) -> Change {
    let short = |text: &String| clip(text, BRIEF_CHANGES.0).into_owned();
    Change { what: what.clone(), before: before.as_ref().map(short), after: short(after) }
}

impl Finding {
    /// The call that this record shares with that of another account; none where CloudTrail says of none. An insight's two
    /// records, of which one tells that it begins and one that it ends, have an id in common too, and are no copies.
    pub fn shared_call(&self) -> Option<SharedCallId> {
        if self.call.event_type.as_deref() == Some("AwsCloudTrailInsight") {
            return None;
        }
        self.call.shared_event_id.as_deref().map(|shared| SharedCallId::new(&self.rule.id, shared))
    }

    /// The title as people see it: what failed says so first, `DENIED: CloudTrail: StopLogging on main by jana`.
    pub fn shown_title(&self) -> Cow<'_, str> {
        match self.call.outcome_word() {
            Some(word) => format!("{word}: {}", self.title).into(),
            None => self.title.as_str().into(),
        }
    }

    /// The pair that it belongs to: who called what, in which account. None where the record does not say.
    pub fn pair(&self) -> Option<PairId> {
        let call = &self.call;
        Some(PairId::new(call.account.as_deref()?, call.principal.as_deref()?, call.event.as_deref()?))
    }

    /// The event that it is of: the same for all findings of one event. It is the finding's own id where the event has none.
    pub fn event_key(&self) -> StableId {
        let call = &self.call;
        let own = |id: &str| StableId::hash(&["event", call.account.as_deref().unwrap_or_default(), id]);
        call.event_id.as_deref().map_or_else(|| self.id.clone().into(), own)
    }

    /// The finding without what is long: a few kilobytes, fit to be kept and to travel.
    #[must_use]
    pub fn brief(&self) -> Self {
        let short = |text: &String| clip(text, BRIEF.0).into_owned();
        let call = &self.call;
        let some = |text: &Option<String>| text.as_ref().map(short);
        Self {
            title: short(&self.title),
            call: ApiCall {
                sentence: short(&call.sentence),
                event_id: some(&call.event_id),
                event_time: some(&call.event_time),
                event_type: some(&call.event_type),
                event_category: some(&call.event_category),
                account: some(&call.account),
                account_name: some(&call.account_name),
                unit: some(&call.unit),
                caller_account: some(&call.caller_account),
                caller_account_name: some(&call.caller_account_name),
                shared_event_id: some(&call.shared_event_id),
                region: some(&call.region),
                identity: some(&call.identity),
                actor: some(&call.actor),
                acting_service: some(&call.acting_service),
                delegate: some(&call.delegate),
                source_identity: some(&call.source_identity),
                on_behalf_of: some(&call.on_behalf_of),
                principal: some(&call.principal),
                person: some(&call.person),
                country: some(&call.country),
                network: some(&call.network),
                arn: some(&call.arn),
                access_key_id: some(&call.access_key_id),
                stranger_session_key: some(&call.stranger_session_key),
                service: some(&call.service),
                event: some(&call.event),
                source_ip: some(&call.source_ip),
                user_agent: some(&call.user_agent),
                error: some(&call.error),
                error_message: some(&call.error_message),
                targets: call.targets.iter().take(BRIEF.1).map(short).collect(),
                target_id: call.target(),
                request: None,
                response: None,
                ..*call
            },
            changes: self.changes.iter().take(BRIEF_CHANGES.1).map(brief_change).collect(),
            steps: self.steps.iter().take(BRIEF.1).map(|step| step.brief(BRIEF.0)).collect(),
            lineage: self
                .lineage
                .iter()
                .map(|one| Ancestor { account: some(&one.account), name: short(&one.name) })
                .collect(),
            ..self.clone()
        }
    }

    /// The finding that `{"offlimits":"test"}` sends to every channel: unmistakably a test, and otherwise like any other.
    pub fn test(rules_digest: Arc<str>, event_time: String) -> Self {
        let id = FindingId::from(StableId::hash(&["offlimits-test", &event_time]));
        Self {
            rule: Arc::new(RuleInfo {
                id: "offlimits-test".to_owned(),
                description: Some(
                    "Somebody asked offlimits for a test alert. If you read this, this channel works.".to_owned(),
                ),
                rules_digest,
                ..RuleInfo::default()
            }),
            severity: Severity::Low,
            title: "TEST: offlimits can reach this channel".to_owned(),
            row: 0,
            call: ApiCall {
                sentence: "This is a test: nobody called anything".to_owned(),
                event_id: Some(id.as_str().to_owned()),
                event_time: Some(event_time),
                event: Some("TestAlert".to_owned()),
                actor: Some("offlimits".to_owned()),
                ..ApiCall::default()
            },
            id,
            first_seen: None,
            changes: Vec::new(),
            steps: Vec::new(),
            lineage: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_travels_has_short_steps_and_whole_commands() {
        let mut finding = Finding::test("digest".into(), "2026-11-29T00:00:00Z".to_owned());
        let step = |text: usize, command: usize| Step { text: "x".repeat(text), command: Some("y".repeat(command)) };
        finding.steps = vec![step(10, BRIEF.0), step(2 * BRIEF.0, BRIEF.0 + 1)];
        let brief = finding.brief();
        assert_eq!(brief.steps[0], finding.steps[0]);
        assert_eq!((brief.steps[1].text.chars().count(), &brief.steps[1].command), (BRIEF.0, &None));
        finding.steps = vec![step(1, 1); 100];
        assert_eq!(finding.brief().steps.len(), BRIEF.1);
        // What an earlier version wrote has none.
        let written = serde_json::to_value(Finding { steps: Vec::new(), ..finding }).unwrap();
        assert!(written.get("steps").is_none());
        assert!(serde_json::from_value::<Finding>(written).unwrap().steps.is_empty());
    }

    #[test]
    fn a_brief_finding_keeps_few_and_short_changes() {
        let mut finding = Finding::test(Arc::from("digest"), "2026-01-10T11:00:00Z".to_owned());
        let long = Change { what: "policy".to_owned(), before: Some("b".repeat(400)), after: "a".repeat(400) };
        finding.changes = vec![long; 12];
        let brief = finding.brief();
        assert_eq!(brief.changes.len(), 5);
        let lengths =
            |change: &Change| (change.before.as_ref().map(|text| text.chars().count()), change.after.chars().count());
        assert!(brief.changes.iter().all(|change| lengths(change) == (Some(200), 200)));
        // A version before this one wrote none, and is read.
        let mut json = serde_json::to_value(&finding).unwrap();
        json.as_object_mut().unwrap().remove("changes");
        assert!(serde_json::from_value::<Finding>(json).unwrap().changes.is_empty());
    }
}
