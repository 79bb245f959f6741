//! Identity cells that leave out the people who come through single sign-on.

use super::calls::{IDENTITY, row_accepts, some_of};
use super::view::{CellView, RowView};
use super::{LintContext, LintReport};
use crate::cloudtrail::identity::IDENTITY_TYPES;

const CODE: &str = "misses-assumed-role";

/// One note a file: who knows of it for one rule knows it for all.
pub(super) fn lint(context: &LintContext<'_>, report: &mut LintReport) {
    let mut first = None;
    let mut names: Vec<String> = Vec::new();
    for rule in context.views.iter().filter(|rule| !rule.rule.allow.iter().any(|allow| allow.lint == CODE)) {
        // People may be in another row.
        let covered = |row: &RowView<'_>| row.cell(IDENTITY).is_some() && row_accepts(row, IDENTITY, "AssumedRole");
        let cell = rule.rows.iter().find_map(users_alone).filter(|_| !rule.rows.iter().any(covered));
        if let Some(cell) = cell {
            first.get_or_insert((rule, cell.place()));
            names.push(rule.rule.info.id.clone());
        }
    }
    let Some((rule, place)) = first else { return };
    let message = format!(
        "by {} IAM users alone are meant: people who come through IAM Identity Center or another provider are AssumedRole",
        some_of(&names)
    );
    let help = "add \"AssumedRole\" to the cell, or leave it out; allow this lint where IAM users are meant";
    report.note(CODE, rule, place, message, help);
}

/// The identity cell of a row, if it accepts IAM users and nobody else: whoever lists several types has thought of them.
fn users_alone<'v>(row: &'v RowView<'_>) -> Option<&'v CellView<'v>> {
    let cell = row.cell(IDENTITY)?;
    IDENTITY_TYPES.iter().all(|kind| row_accepts(row, IDENTITY, kind) == (*kind == "IAMUser")).then_some(cell)
}
