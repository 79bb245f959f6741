//! Rows of which EventBridge's patterns can say nothing, so that every event has to be delivered for them.

use super::{Lint, LintContext, LintReport};
use crate::pattern::is_wide;

/// What this file declares.
pub(super) const LINTS: &[&Lint] = &[&WIDE_ROW];

static WIDE_ROW: Lint = Lint {
    code: "wide-row",
    summary: "Nothing that the row asks can stand in an EventBridge pattern, so that every call, read-only ones included, has to be \
         delivered for it.",
    docs: "`offlimits pattern` derives from the rules what EventBridge delivers ([The event patterns](event-patterns.md)); because of \
         one such row among others that is everything, and the function is invoked, and paid for, for each `Describe…` of your automation. A \
         pattern can ask for `service`, `event`, `identity`, `region`, `error`, `read_only`, `user_agent`, `eventType`, \
         `userIdentity.userName` and `userIdentity.arn`, by literals in one spelling: whole, at the beginning, at the end, or anywhere (three of these \
         for all services together). What is asked with `(?i)`, of other fields, or with `not` cannot be one. Add a cell that can, such \
         as `service` or `\"read_only\": {\"is\": false}`.",
    wrong: r#""rules": [
  { "id": "A", "title": "t", "severity": "low", "when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "RunInstances" } } },
  { "id": "B", "title": "t", "severity": "low", "when": »{ "source_ip": { "cidr": ["203.0.113.0/24"] } } } ]"#,
    right: r#""rules": [
  { "id": "A", "title": "t", "severity": "low", "when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "RunInstances" } } },
  { "id": "B", "title": "t", "severity": "low", "when": { "source_ip": { "cidr": ["203.0.113.0/24"] }, "service": { "is": "ec2.amazonaws.com" } } } ]"#,
};

pub(super) fn lint(context: &LintContext<'_>, report: &mut LintReport) {
    let on = || context.views.iter().filter(|view| view.rule.is_on());
    // Where every rule asks about everything, none spoils the others' patterns.
    if on().all(|view| view.rows.iter().any(|row| is_wide(row.row))) {
        return;
    }
    for view in on() {
        for row in view.rows.iter().filter(|row| is_wide(row.row)) {
            let message =
                "no event pattern can ask what this row asks: every call has to be delivered for it".to_owned();
            let help = "add a cell that a pattern can ask, such as service, event or read_only";
            report.note(&WIDE_ROW, view, row.place(), message, help);
        }
    }
}
