//! Exact names that miss the name under which CloudTrail records the call: `UpdateFunctionCode20150331v2`.

use std::collections::{BTreeMap, BTreeSet};

use super::calls::{EVENT, names_service, of_leaf, services};
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
    let mut missed: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
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
                missed.entry(*api).or_default().extend(recorded.iter().copied());
            }
        }
    }
    if missed.is_empty() {
        return;
    }
    let also = |(api, recorded): (&&str, &BTreeSet<&str>)| {
        let names: Vec<String> = recorded.iter().map(|name| format!("\"{name}\"")).collect();
        format!("{api} as {}", enumerated(&names))
    };
    let each: Vec<String> = missed.iter().map(also).collect();
    let these = if each.len() == 1 { "this misses it" } else { "this misses them" };
    let message = format!("CloudTrail also records {}: {these}", each.join(", "));
    let patterns: Vec<String> = missed.keys().map(|api| format!("\"^{api}\"")).collect();
    let all = of_leaf(services, leaf).map(|(_, call)| call.name.as_str()).filter(|name| !missed.contains_key(name));
    let beside = if all.count() > 0 { ", beside what else it names" } else { "" };
    let patterns = if patterns.len() == 1 { patterns.concat() } else { format!("[{}]", patterns.join(", ")) };
    let help = format!("write {patterns}{beside}, without $, or name every version in {{\"is\": […]}}");
    report.warn(&VERSIONED_EVENT, rule, cell.at(leaf), message, help);
}
