//! Cells on derived fields in rows that name other calls.

use super::calls::{EVENT, SERVICE, row_accepts};
use super::view::{RowView, RuleView};
use super::{Lint, LintContext, LintReport};
use crate::cloudtrail::without_version;
use crate::facts::DerivedField;
use crate::rules::field::FieldTarget;
use crate::text::enumerated;

/// What this file declares.
pub(super) const LINTS: &[&Lint] = &[&NEVER_DERIVED];

static NEVER_DERIVED: Lint = Lint {
    code: "never-derived",
    summary: "A cell asks for a derived field, which says nothing of the calls that the row names.",
    docs: "Each derived field understands certain calls, which [the table](rules.md#derived-fields) lists; of any other it has no \
         value, whatever the record holds.",
    wrong: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "CreateSecurityGroup" }, »"opened_to_world": { "exists": true } }"#,
    right: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "AuthorizeSecurityGroupIngress" }, "opened_to_world": { "exists": true } }"#,
};

pub(super) fn lint(context: &LintContext<'_>, report: &mut LintReport) {
    for rule in context.views {
        let of_rule: Vec<&RowView<'_>> = rule.rows.iter().collect();
        rule.rows.iter().for_each(|row| of_row(context, rule, row, &[], report));
        rule.rows_within().for_each(|row| of_row(context, rule, row, &of_rule, report));
    }
}

/// Looks at one row; with `within`, it is asked only about what one of these rows has matched.
fn of_row(
    context: &LintContext<'_>,
    rule: &RuleView<'_>,
    row: &RowView<'_>,
    within: &[&RowView<'_>],
    report: &mut LintReport,
) {
    let derived = row.cells.iter().filter_map(|cell| match cell.cell.field.target {
        FieldTarget::Derived(field) => Some((cell, field)),
        _ => None,
    });
    let mut wanted: Vec<&DerivedField> = Vec::new();
    for (cell, field) in derived {
        let possible = |(service, event): (&str, &str)| {
            accepts(context, row, service, event)
                && wanted.iter().all(|other| other.understands(service, event))
                && (within.is_empty() || within.iter().any(|row| accepts(context, row, service, event)))
        };
        let name = &cell.cell.field.written;
        if !field.each_call().any(possible) {
            let is_dead = !cell.cell.condition.holds_of_nothing();
            let dead = if is_dead { "it can never match" } else { "it is always true" };
            let message = format!("\"{name}\" says nothing of any call that this row may match: {dead}");
            let calls: Vec<String> = field.each_call().map(|(_, event)| event.to_owned()).collect();
            let help = format!("it understands {}: ask for those, or leave the cell out", enumerated(&calls));
            report.condition(&NEVER_DERIVED, rule, cell.place(), (message, is_dead), help);
        } else if !cell.cell.condition.holds_of_nothing() {
            wanted.push(field);
        }
    }
}

/// Whether a derived field may have a value in a record that the row matches.
pub(super) fn may_say(context: &LintContext<'_>, row: &RowView<'_>, field: &DerivedField) -> bool {
    field.each_call().any(|(service, event)| accepts(context, row, service, event))
}

/// Whether the row may match this call, whose name is without a version.
fn accepts(context: &LintContext<'_>, row: &RowView<'_>, service: &str, event: &str) -> bool {
    let known = context.catalogue.services.get(service).into_iter().flat_map(|service| &service.calls);
    let mut versions = known.map(|call| call.name.as_str()).filter(|name| without_version(name) == event);
    row_accepts(row, SERVICE, service)
        && (row_accepts(row, EVENT, event) || versions.any(|name| row_accepts(row, EVENT, name)))
}
