//! Two cells on one array: each may be true of another element.

use super::view::{CellView, RowView};
use super::{Lint, LintContext, LintReport};
use crate::rules::condition::Condition;
use crate::rules::field::FieldTarget;

/// What this file declares.
pub(super) const LINTS: &[&Lint] = &[&SPLIT_ITEM];

static SPLIT_ITEM: Lint = Lint {
    code: "split-item",
    summary: "Two cells lead into one array, and each may be true of another element.",
    docs: "Port 22 of one rule and `0.0.0.0/0` of another would match. For one element write `item`.",
    wrong: r#""when": {
  "service": { "is": "ec2.amazonaws.com" },
  "requestParameters.ipPermissions.items.fromPort": { "is": 22 },
  »"requestParameters.ipPermissions.items.toPort": { "is": 22 }
}"#,
    right: r#""when": {
  "service": { "is": "ec2.amazonaws.com" },
  "requestParameters.ipPermissions.items": { "item": { "fromPort": { "is": 22 }, "toPort": { "is": 22 } } }
}"#,
};

pub(super) fn lint(context: &LintContext<'_>, report: &mut LintReport) {
    for rule in context.views {
        for row in rule.all_rows() {
            if let Some((array, first, second)) = split(context, row) {
                let message = format!(
                    "\"{}\" and \"{}\" may be true of two different elements of {array}",
                    first.cell.field.written, second.cell.field.written
                );
                let inside = |cell: &CellView<'_>| {
                    let written = cell.cell.field.written.replace("[*]", "");
                    let path = written.get(array.len() + 1..).unwrap_or_default().to_owned();
                    format!("\"{path}\": {}", cell.cell.written)
                };
                let help = format!(
                    "for one element write \"{array}\": {{\"item\": {{{}, {}}}}}; allow this lint if either will do",
                    inside(first),
                    inside(second)
                );
                report.warn(&SPLIT_ITEM, rule, second.place(), message, help);
            }
        }
    }
}

/// Two cells below one array, with the array's path.
fn split<'v>(context: &LintContext<'_>, row: &'v RowView<'v>) -> Option<(String, &'v CellView<'v>, &'v CellView<'v>)> {
    let paths: Vec<(&[Box<str>], &CellView<'_>)> = row
        .cells
        .iter()
        .filter_map(|cell| match &cell.cell.field.target {
            // What is counted is the whole array's.
            FieldTarget::Path(_) if is_counted(&cell.cell.condition) => None,
            FieldTarget::Path(path) => Some((path.as_slice(), cell)),
            FieldTarget::Computed(_)
            | FieldTarget::Derived(_)
            | FieldTarget::Country(_)
            | FieldTarget::OfAccount(..)
            | FieldTarget::OwnResource(_)
            | FieldTarget::Targets => None,
        })
        .collect();
    for (index, (path, first)) in paths.iter().enumerate() {
        for (other, second) in &paths[index + 1..] {
            let common = path.iter().zip(other.iter()).take_while(|(a, b)| a == b).count();
            if common == 0 || common == path.len() || common == other.len() {
                continue;
            }
            let array = (1..=common).rev().find(|end| is_array(context, &path[..*end], &first.cell.field.written));
            if let Some(end) = array {
                return Some((path[..end].join("."), *first, *second));
            }
        }
    }
    None
}

/// Whether the condition asks of the number of values, and of nothing else.
fn is_counted(condition: &Condition) -> bool {
    match condition {
        Condition::Count(_) => true,
        Condition::Not(inner) => is_counted(inner),
        Condition::All(inner) | Condition::Any(inner) => inner.iter().all(is_counted),
        _ => false,
    }
}

/// Whether an array of objects stands at this path: by what CloudTrail's records, IAM's policies and AWS's requests hold, or
/// because the author wrote `[*]`.
fn is_array(context: &LintContext<'_>, path: &[Box<str>], written: &str) -> bool {
    let Some(last) = path.last() else { return false };
    match &**last {
        "items" | "Statement" => true,
        "resources" if path.len() == 1 => true,
        key => {
            (path.len() > 1 && context.catalogue.object_arrays.contains(key)) || written.contains(&format!("{key}[*]"))
        }
    }
}
