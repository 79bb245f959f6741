//! Rows whose columns stand in each other's place, as in the examples that Trend published for Conformity.

use super::calls::{EVENT, IDENTITY, SERVICE};
use super::catalogue::NameTable;
use super::view::{CellView, LeafCondition, RowView};
use super::{Lint, LintContext, LintReport};
use crate::cloudtrail::identity::IDENTITY_TYPES;

/// What this file declares.
pub(super) const LINTS: &[&Lint] = &[&ROTATED_COLUMNS];

static ROTATED_COLUMNS: Lint = Lint {
    code: "rotated-columns",
    summary: "The values stand in each other's columns, as in the examples that Trend published for Conformity.",
    docs: "The help shows the row repaired.",
    wrong: r#""when": { »"eventName": "^(iam.amazonaws.com)", "eventSource": "^(IAM).*", "userIdentityType": "^(Delete).*" }"#,
    right: r#""when": { "eventName": "^(Delete).*", "eventSource": "^(ec2.amazonaws.com)", "userIdentityType": "^(IAM|Assumed).*" }"#,
};

/// The columns: field and alias.
const COLUMNS: [(&[&str], &str); 3] = [(IDENTITY, "identity"), (SERVICE, "service"), (EVENT, "event")];

pub(super) fn lint(context: &LintContext<'_>, report: &mut LintReport) {
    for rule in context.views {
        for row in &rule.rows {
            let misplaced = misplaced(context, row);
            let [(first, _), ..] = misplaced.as_slice() else { continue };
            let told: Vec<String> = misplaced
                .iter()
                .map(|(cell, belongs)| format!("{} is a value of \"{belongs}\"", cell.cell.written))
                .collect();
            let message = format!("the cells of this row look rotated: {}. It can never match", told.join(", "));
            let help = format!("write {}", repaired(row, &misplaced));
            report.condition(&ROTATED_COLUMNS, rule, first.place(), (message, true), help);
        }
    }
}

/// Whether the row looks rotated: then its values are not misspelt.
pub(super) fn is_rotated(context: &LintContext<'_>, row: &RowView<'_>) -> bool {
    !misplaced(context, row).is_empty()
}

/// The cells that accept no known value of their own column, and some of another: with that other's alias.
fn misplaced<'v>(context: &LintContext<'_>, row: &'v RowView<'v>) -> Vec<(&'v CellView<'v>, &'static str)> {
    let mut misplaced = Vec::new();
    for cell in &row.cells {
        let Some(own) = COLUMNS.iter().position(|(field, _)| cell.is(field)) else { continue };
        let accepts = |column: usize| match column {
            0 => any(cell, IDENTITY_TYPES),
            1 => accepts_any(cell, context.catalogue.service_names()),
            _ => accepts_any(cell, context.catalogue.calls()),
        };
        if cell.leaves.iter().any(|leaf| leaf.negated) || accepts(own) {
            continue;
        }
        if let Some(other) = (0..COLUMNS.len()).filter(|column| *column != own).find(|column| accepts(*column)) {
            misplaced.push((cell, COLUMNS[other].1));
        }
    }
    misplaced
}

fn any<'k>(cell: &CellView<'_>, known: impl IntoIterator<Item = &'k str>) -> bool {
    known.into_iter().any(|value| cell.leaves.iter().any(|leaf| leaf.condition.accepts(value) == Some(true)))
}

/// As [`any`], of a vocabulary in which names are looked up.
fn accepts_any(cell: &CellView<'_>, known: &NameTable) -> bool {
    cell.leaves.iter().any(|leaf| match leaf.condition {
        LeafCondition::Exactly(name) => known.contains(name),
        asks => !known.accepted(asks.literals().as_deref(), |name| asks.accepts(name) == Some(true)).is_empty(),
    })
}

/// The row with every misplaced cell under the alias where it belongs.
fn repaired(row: &RowView<'_>, misplaced: &[(&CellView<'_>, &str)]) -> String {
    let cells: Vec<String> = row
        .cells
        .iter()
        .map(|cell| {
            let belongs = misplaced.iter().find(|(other, _)| other.key_span == cell.key_span).map(|(_, alias)| *alias);
            let key = belongs.unwrap_or(&cell.cell.field.written);
            format!("\"{key}\": {}", cell.cell.written)
        })
        .collect();
    format!("{{ {} }}", cells.join(", "))
}
