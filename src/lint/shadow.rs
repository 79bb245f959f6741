//! Rows and rules that others, or their own exceptions, leave nothing to do.

use super::logic::row_implies;
use super::view::RuleView;
use super::{Lint, LintContext, LintReport};
use crate::rules::Mode;
use crate::rules::Rule;

/// What this file declares.
pub(super) const LINTS: &[&Lint] = &[&NEVER_ALERTS, &REPEATED_ROW, &REPEATED_RULE];

static NEVER_ALERTS: Lint = Lint {
    code: "never-alerts",
    summary: "An exception allows everything that this row matches.",
    docs: "Narrow the exception, or delete the row.",
    wrong: r#""when": [
  »{ "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StopInstances" } },
  { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "RunInstances" } }
],
"unless": [ { "when": { "event": "^Stop" }, "reason": "stopping is harmless" } ]"#,
    right: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "RunInstances" } },
"unless": [ { "when": { "user": { "is": "ci" } }, "reason": "our deployments" } ]"#,
};

static REPEATED_ROW: Lint = Lint {
    code: "repeated-row",
    summary: "Another row of the rule matches all that this row matches.",
    docs: "Delete this row, or narrow the other.",
    wrong: r#""when": [
  { "service": { "is": "ec2.amazonaws.com" }, "event": "^Stop" },
  »{ "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StopInstances" }, "region": "^eu-" }
]"#,
    right: r#""when": [
  { "service": { "is": "ec2.amazonaws.com" }, "event": "^Stop", "region": "^us-" },
  { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StopInstances" }, "region": "^eu-" }
]"#,
};

static REPEATED_RULE: Lint = Lint {
    code: "repeated-rule",
    summary: "Another rule, to the same channels and without exceptions, matches all that this rule matches.",
    docs: "People are told twice. Delete this rule, or narrow one of the two.",
    wrong: r#""rules": [
  { "id": "Q", "title": "stops", "severity": "low", "when": { "service": { "is": "ec2.amazonaws.com" }, "event": "^Stop" } },
  { "id": »"R", "title": "the same stops", "severity": "low", "when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StopInstances" } } }
]"#,
    right: r#""rules": [
  { "id": "Q", "title": "stops", "severity": "low", "when": { "service": { "is": "ec2.amazonaws.com" }, "event": "^Stop" } },
  { "id": "R", "title": "starts", "severity": "low", "when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "RunInstances" } } }
]"#,
};

pub(super) fn lint(context: &LintContext<'_>, report: &mut LintReport) {
    for rule in context.views {
        excepted(rule, report);
        repeated_rows(rule, report);
    }
    repeated_rules(context, report);
}

/// Rows whose every match an exception allows.
fn excepted(rule: &RuleView<'_>, report: &mut LintReport) {
    for (index, row) in rule.rows.iter().enumerate() {
        let swallowing = rule.exceptions.iter().position(|exception| {
            exception.exception.expires.is_none() && exception.rows.iter().any(|wide| row_implies(row.row, wide.row))
        });
        if let Some(exception) = swallowing {
            let message = format!("exception {exception} allows all that row {index} matches: the row never alerts");
            report.warn(&NEVER_ALERTS, rule, row.place(), message, "narrow the exception, or delete the row");
        }
    }
}

/// Rows that another row of the rule includes.
fn repeated_rows(rule: &RuleView<'_>, report: &mut LintReport) {
    for (index, row) in rule.rows.iter().enumerate() {
        let including = rule.rows.iter().enumerate().find(|(other, wide)| {
            *other != index
                && row_implies(row.row, wide.row)
                // Of two that say the same, the first stays.
                && (*other < index || !row_implies(wide.row, row.row))
        });
        if let Some((other, _)) = including {
            let message = format!("row {other} matches all that row {index} matches");
            report.warn(&REPEATED_ROW, rule, row.place(), message, "delete this row, or narrow the other");
        }
    }
}

/// Rules whose every finding is another rule's too.
fn repeated_rules(context: &LintContext<'_>, report: &mut LintReport) {
    let alerts = |rule: &&RuleView<'_>| rule.rule.info.mode == Mode::Alert;
    for (index, rule) in context.views.iter().enumerate().filter(|(_, rule)| alerts(rule)) {
        let including =
            context.views.iter().enumerate().filter(|(_, other)| alerts(other)).find(|(position, other)| {
                *position != index
                    && includes(other.rule, rule.rule)
                    && (*position < index || !includes(rule.rule, other.rule))
            });
        if let Some((_, other)) = including {
            let message = format!(
                "the rule {} also matches all that this one matches: people are told twice",
                other.rule.info.id
            );
            let help = "delete one, or give them channels or exceptions that differ and allow this lint";
            report.warn(&REPEATED_RULE, rule, rule.place(), message, help);
        }
    }
}

fn includes(wide: &Rule, narrow: &Rule) -> bool {
    // A rule that excepts something may leave that to the other.
    let same_channels = wide.info.notify == narrow.info.notify;
    wide.unless.is_empty()
        && same_channels
        && narrow.when.0.iter().all(|row| wide.when.0.iter().any(|other| row_implies(row, other)))
}
