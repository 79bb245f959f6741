//! Patterns in which `*` is meant as in a file's name.

use super::view::{CellView, Leaf, LeafCondition, RuleView};
use super::{Lint, LintContext, LintReport};
use crate::config::quoted;
use crate::rules::pattern::pattern_meant;

/// What this file declares.
pub(super) const LINTS: &[&Lint] = &[&WILDCARD_PATTERN];

static WILDCARD_PATTERN: Lint = Lint {
    code: "wildcard-pattern",
    summary: "A `*` stands in a pattern as it does in the names of files, where it means something else.",
    docs: "A pattern is a regular expression, found anywhere in the value: `Run*` is `Ru` and any number of `n`, and is found in \
         `CreateRule`. What begins so is `^Run`, what ends so `Instances$`, and anything in between is `.*`.",
    wrong: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "event": »"Stop*" }"#,
    right: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "event": "^Stop" }"#,
};

pub(super) fn lint(context: &LintContext<'_>, report: &mut LintReport) {
    for rule in context.views {
        for row in rule.all_rows() {
            for cell in &row.cells {
                cell.leaves.iter().for_each(|leaf| look(rule, cell, leaf, report));
            }
        }
    }
}

fn look(rule: &RuleView<'_>, cell: &CellView<'_>, leaf: &Leaf<'_>, report: &mut LintReport) {
    let LeafCondition::Pattern(pattern) = leaf.condition else { return };
    let written = pattern.as_str();
    let Some(meant) = pattern_meant(written) else { return };
    let message =
        format!("in the pattern \"{written}\" the * repeats the letter before it, and stands for nothing else");
    report.warn(
        &WILDCARD_PATTERN,
        rule,
        cell.at(leaf),
        message,
        leaf.replaced_by(&meant, format!("write {}", quoted(&meant))),
    );
}
