//! What a call changed, and what to do first about it, as every channel shows them: few, inert, and no longer than people read.

use super::inert::inert_redacted;
use crate::alert::{AlertKind, IncidentSum, NamedCall};
use crate::finding::{Change, Finding, Step};
use crate::rules::{COMMAND_LIMIT, STEPS_SHOWN};
use crate::text::clip;

/// Changes that are shown; how many more there are is said.
const CHANGES: usize = 8;
/// Characters of a change.
const CHANGE_LIMIT: usize = 300;
/// Characters of a step's sentence.
const STEP_LIMIT: usize = 300;

/// What the call changed, the most telling first: `inbound: tcp 22 from 0.0.0.0/0`.
pub(super) fn changes(finding: &Finding) -> Vec<String> {
    let shown = |change: &Change| clip(&inert_redacted(&change.to_string()), CHANGE_LIMIT).into_owned();
    let mut changes: Vec<String> = finding.changes.iter().take(CHANGES).map(shown).collect();
    changes.retain(|change| !change.is_empty());
    match finding.changes.len().saturating_sub(CHANGES) {
        0 => {}
        more => changes.push(format!("and {more} more")),
    }
    changes
}

/// What stands before the changes, each of which says itself what it is of. A call that failed changed nothing, and a sum tells of
/// its first call.
pub(super) const fn change_label(finding: &Finding, kind: AlertKind<'_>) -> Option<&'static str> {
    match (kind, finding.call.failed) {
        (AlertKind::Update(_), _) => Some("So far"),
        (AlertKind::RollUp(_), false) => Some("The first"),
        (AlertKind::RollUp(_), true) => Some("The first asked for"),
        (_, false) => None,
        (_, true) => Some("Asked for"),
    }
}

/// What an update of an incident names, a line each: `very-high CIS-4 PutUserPolicy on mallory × 3: succeeded`.
pub(super) fn named_calls(sum: &IncidentSum) -> Vec<String> {
    let line = |NamedCall { rule, event, outcome, count }: &NamedCall| {
        let on = if outcome.target.is_empty() { String::new() } else { format!(" on {}", outcome.target) };
        let times = if *count > 1 { format!(" × {count}") } else { String::new() };
        let ended = if outcome.succeeded { "succeeded" } else { "failed" };
        let line = format!("{} {rule} {event}{on}{times}: {ended}", outcome.severity);
        clip(&inert_redacted(&line), CHANGE_LIMIT).into_owned()
    };
    let mut lines: Vec<String> = sum.named.iter().map(line).collect();
    if sum.more > 0 {
        lines.push(format!("and {} more", sum.more));
    }
    lines
}

/// What to do first, in order. A command is shown as it is or not at all: it is there to be run.
pub(super) fn steps(finding: &Finding) -> Vec<(String, Option<String>)> {
    let shown = |Step { text, command }: &Step| {
        let is_inert =
            |command: &&String| command.chars().count() <= COMMAND_LIMIT && inert_redacted(command) == **command;
        let command = command.as_ref().filter(is_inert).filter(|command| !command.is_empty());
        (clip(&inert_redacted(text), STEP_LIMIT).into_owned(), command.cloned())
    };
    finding.steps.iter().map(shown).filter(|(text, _)| !text.is_empty()).take(STEPS_SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::alert::RollUp;

    fn finding() -> Finding {
        Finding::test(Arc::from("digest"), "2026-01-10T11:00:00Z".to_owned())
    }

    fn change(after: &str) -> Change {
        Change { what: "policy".to_owned(), before: None, after: after.to_owned() }
    }

    #[test]
    fn changes_are_few_and_inert() {
        let mut finding = finding();
        finding.changes =
            vec![change("Allow * on *"), change("https://evil.example/\u{202e}x\r\n"), change(&"x".repeat(999))];
        finding.changes.push(Change { before: Some("off".to_owned()), ..change("on") });
        finding.changes.extend((0..9).map(|number| change(&number.to_string())));
        let shown = changes(&finding);
        assert_eq!(shown[..2], ["policy: Allow * on *", "policy: https[:]//evil[.]example/ x"]);
        assert_eq!((shown[2].chars().count(), shown[3].as_str()), (CHANGE_LIMIT, "policy: off → on"));
        assert_eq!((shown.len(), shown[8].as_str()), (CHANGES + 1, "and 5 more"));
    }

    #[test]
    fn a_call_that_failed_changed_nothing() {
        let mut finding = finding();
        assert_eq!(change_label(&finding, AlertKind::First), None);
        finding.call.failed = true;
        assert_eq!(change_label(&finding, AlertKind::First), Some("Asked for"));
        assert_eq!(change_label(&finding, AlertKind::RollUp(&RollUp::default())), Some("The first asked for"));
        finding.changes = vec![Change { what: "logging".to_owned(), ..change("off") }];
        assert_eq!(changes(&finding), ["logging: off"]);
    }

    /// Whoever pastes a command pastes what the rule meant, or finds none.
    #[test]
    fn a_command_is_shown_as_it_is_or_not_at_all() {
        let good = "aws iam update-access-key --user-name bob --access-key-id AKIAIOSFODNN7EXAMPLE --status Inactive";
        let json = r#"aws ec2 revoke-security-group-ingress --ip-permissions '[{"IpProtocol":"tcp"}]'"#;
        let bad = ["a\nb", "a  b", "a \u{202e}b", "curl https://evil.example/", ""].map(str::to_owned);
        let mut finding = finding();
        for command in [good, json].map(str::to_owned).into_iter().chain(bad).chain(["x".repeat(COMMAND_LIMIT + 1)]) {
            finding.steps = vec![Step { text: "Do it.".to_owned(), command: Some(command.clone()) }];
            let expected = [good, json].contains(&command.as_str()).then_some(command);
            assert_eq!(steps(&finding), [("Do it.".to_owned(), expected)]);
        }
        finding.steps = vec![Step { text: "\u{202e}".to_owned(), command: None }; 9];
        assert!(steps(&finding).is_empty());
        finding.steps = vec![Step { text: "Ask.".to_owned(), command: None }; 9];
        assert_eq!(steps(&finding).len(), STEPS_SHOWN);
    }
}
