//! Exact names that miss the name under which CloudTrail records the call: `UpdateFunctionCode20150331v2`.

use super::calls::{EVENT, names_service, services};
use super::view::{CellView, Leaf, RowView, RuleView};
use super::{Lint, LintContext, LintReport};
use crate::text::enumerated;

/// What this file declares.
pub(super) const LINTS: &[&Lint] = &[&VERSIONED_EVENT];

static VERSIONED_EVENT: Lint = Lint {
    code: "versioned-event",
    summary: "CloudTrail records some calls under the name with its API's version.",
    docs: "Lambda's `UpdateFunctionCode` is recorded as `UpdateFunctionCode20150331v2`. A pattern that ends in `$`, or \
         `is`, misses it.",
    wrong: r#""when": { "service": { "is": "lambda.amazonaws.com" }, "event": { "is": »"UpdateFunctionCode" } }"#,
    right: r#""when": { "service": { "is": "lambda.amazonaws.com" }, "event": "^UpdateFunctionCode" }"#,
};

pub(super) fn lint(context: &LintContext<'_>, report: &mut LintReport) {
    for rule in context.views {
        for row in rule.all_rows() {
            for cell in row.cells.iter().filter(|cell| cell.is(EVENT)) {
                for leaf in cell.leaves.iter().filter(|leaf| !leaf.negated && !leaf.condition.written().is_empty()) {
                    missed(rule, row, cell, leaf, report);
                }
            }
        }
    }
}

fn missed(rule: &RuleView<'_>, row: &RowView<'_>, cell: &CellView<'_>, leaf: &Leaf<'_>, report: &mut LintReport) {
    let takes = |name: &str| cell.leaves.iter().any(|leaf| leaf.condition.accepts(name) == Some(true));
    let mut missed: Vec<String> = Vec::new();
    let mut example = "";
    let services = services(row);
    // Of many services the author has another in mind than the one with versions.
    let owners = |api: &str| services.iter().filter(|service| service.call(api).is_some()).count();
    for service in services {
        for (api, recorded) in &service.renamed {
            // A name that is never recorded itself is reported as such.
            let known = service.call(api).is_some();
            let accepted = leaf.condition.accepts(api) == Some(true);
            if known
                && accepted
                && (names_service(row) || owners(api) == 1)
                && !recorded.is_empty()
                && !recorded.iter().any(|name| takes(name))
            {
                missed.extend(recorded.iter().map(|name| format!("\"{name}\"")));
                example = api;
            }
        }
    }
    missed.sort();
    if missed.is_empty() {
        return;
    }
    let message = format!("CloudTrail also records {example} as {}: this misses it", enumerated(&missed));
    let help = format!("write \"^{example}\", without $, or name every version in {{\"is\": […]}}");
    report.warn(&VERSIONED_EVENT, rule, cell.at(leaf), message, help);
}
