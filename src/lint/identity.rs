//! Identity cells that leave out the people who come through single sign-on.

use super::calls::{IDENTITY, row_accepts};
use super::view::{CellView, RowView};
use super::{Lint, LintContext, LintReport};
use crate::cloudtrail::identity::IDENTITY_TYPES;
use crate::text::enumerated;

/// What this file declares.
pub(super) const LINTS: &[&Lint] = &[&MISSES_ASSUMED_ROLE];

static MISSES_ASSUMED_ROLE: Lint = Lint {
    code: "misses-assumed-role",
    summary: "A note: the identity cells accept IAM users alone.",
    docs: "Everybody who comes through IAM Identity Center or another provider, and every role, is `AssumedRole`.",
    wrong: r#""when": { »"identity": "^(IAM).*", "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StartInstances" } }"#,
    right: r#""when": { "identity": "^(IAM|Assumed).*", "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StartInstances" } }"#,
};

/// One note for the whole file, at the first rule that it concerns: an author who knows it of one rule knows it of all.
pub(super) fn lint(context: &LintContext<'_>, report: &mut LintReport) {
    let mut first = None;
    let mut names: Vec<String> = Vec::new();
    for rule in context.views.iter().filter(|rule| !rule.allows(&MISSES_ASSUMED_ROLE)) {
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
        "the identity cells of {} accept IAM users alone, and miss people who come through IAM Identity Center or another \
         provider: they are AssumedRole",
        enumerated(&names)
    );
    let help = "add \"AssumedRole\" to the cell, or leave it out; allow this lint where IAM users are meant";
    report.note(&MISSES_ASSUMED_ROLE, rule, place, message, help);
}

/// The identity cell of a row, if it accepts IAM users and nobody else: whoever lists several types has thought of them.
fn users_alone<'v>(row: &'v RowView<'_>) -> Option<&'v CellView<'v>> {
    let cell = row.cell(IDENTITY)?;
    IDENTITY_TYPES.iter().all(|kind| row_accepts(row, IDENTITY, kind) == (*kind == "IAMUser")).then_some(cell)
}
