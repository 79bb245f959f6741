//! Identity cells that leave out the people who come through single sign-on.

use super::calls::{IDENTITY, row_accepts};
use super::{Report, Subject};

pub(super) fn lint(subject: &Subject<'_>, report: &mut Report) {
    for rule in subject.views {
        let misses = |row: &&super::view::RowView<'_>| {
            row.cell(IDENTITY).is_some()
                && row_accepts(row, IDENTITY, "IAMUser")
                && !row_accepts(row, IDENTITY, "AssumedRole")
        };
        let rows: Vec<_> = rule.rows.iter().filter(misses).collect();
        let Some(cell) = rows.first().and_then(|row| row.cell(IDENTITY)) else { continue };
        // People may be in another row.
        let covered =
            rule.rows.iter().any(|row| row.cell(IDENTITY).is_some_and(|_| row_accepts(row, IDENTITY, "AssumedRole")));
        if covered {
            continue;
        }
        let which = if rows.len() == 1 { "this row means".to_owned() } else { format!("{} rows mean", rows.len()) };
        let message = format!(
            "{which} IAM users alone: people who come through IAM Identity Center or another provider are AssumedRole"
        );
        let help = "add \"AssumedRole\" to the cell, or leave it out; allow this lint if IAM users are meant";
        report.note("misses-assumed-role", rule, cell.place(), message, help);
    }
}
