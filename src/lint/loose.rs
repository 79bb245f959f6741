//! Patterns that also find other real calls, and calls that several services have.

use super::calls::{EVENT, SERVICE, named, names_service, of_leaf, services};
use super::logic::PatternWord;
use super::view::{CellView, Leaf, LeafCondition, RowView, RuleView};
use super::{Lint, LintContext, LintReport};
use crate::cloudtrail::without_version;
use crate::text::enumerated;

/// What this file declares.
pub(super) const LINTS: &[&Lint] = &[&AMBIGUOUS_EVENT, &LOOSE_PATTERN];

static AMBIGUOUS_EVENT: Lint = Lint {
    code: "ambiguous-event",
    summary: "Several services have a call of this name, and the row has no cell `service`.",
    docs: "`{\"event\": {\"is\": \"CreateUser\"}}` is IAM's, and that of a dozen others. Add the service.",
    wrong: r#""when": { "event": { "is": »"CreateUser" } }"#,
    right: r#""when": { "service": { "is": "iam.amazonaws.com" }, "region": { "is": "us-east-1" }, "event": { "is": "CreateUser" } }"#,
};

static LOOSE_PATTERN: Lint = Lint {
    code: "loose-pattern",
    summary: "A pattern that names one service or call is also found in others.",
    docs: "`\"s3\"` is found in `s3-outposts.amazonaws.com`, `\"DeleteUser\"` in `DeleteUserPolicy`. Write `{\"is\": …}`; a \
         pattern that ends in `.*` says that more is meant, and is not reported.",
    wrong: r#""when": { "service": »"s3", "event": { "is": "DeleteBucketPolicy" } }"#,
    right: r#""when": { "service": { "is": "s3.amazonaws.com" }, "event": { "is": "DeleteBucketPolicy" } }"#,
};

pub(super) fn lint(context: &LintContext<'_>, report: &mut LintReport) {
    for rule in context.views {
        for row in &rule.rows {
            for cell in &row.cells {
                for leaf in cell.leaves.iter().filter(|leaf| !leaf.negated) {
                    if cell.is(SERVICE) {
                        service(context, rule, cell, leaf, report);
                    } else if cell.is(EVENT) {
                        event(rule, row, cell, leaf, report);
                        if !names_service(row) {
                            ambiguous(context, rule, cell, leaf, report);
                        }
                    }
                }
            }
        }
    }
}

/// The one word that a pattern is meant to find; none where it says itself that more may follow.
fn word<'l>(leaf: &'l Leaf<'_>) -> Option<&'l str> {
    let LeafCondition::Pattern(regex) = leaf.condition else { return None };
    PatternWord::parse(regex.as_str()).filter(|literal| !literal.open).map(|literal| literal.text)
}

fn service(
    context: &LintContext<'_>,
    rule: &RuleView<'_>,
    cell: &CellView<'_>,
    leaf: &Leaf<'_>,
    report: &mut LintReport,
) {
    let Some(word) = word(leaf) else { return };
    let meant = |name: &str| name == word || name.strip_suffix(".amazonaws.com") == Some(word);
    let full = format!("{word}.amazonaws.com");
    let known = |name: &str| context.catalogue.services.get_key_value(name).map(|(name, _)| *name);
    let Some(name) = known(word).or_else(|| known(&full)) else { return };
    let accepts = |name: &str| !meant(name) && leaf.condition.accepts(name) == Some(true);
    let others = context.catalogue.service_names().accepted(leaf.condition.literals().as_deref(), accepts);
    let others: Vec<String> = others.into_iter().map(|name| format!("\"{name}\"")).collect();
    if others.is_empty() {
        return;
    }
    let message = format!("\"{}\" is also found in {}", leaf.condition.written(), enumerated(&others));
    report.warn(&LOOSE_PATTERN, rule, cell.at(leaf), message, format!("write {{\"is\": \"{name}\"}}"));
}

fn event(rule: &RuleView<'_>, row: &RowView<'_>, cell: &CellView<'_>, leaf: &Leaf<'_>, report: &mut LintReport) {
    // A verb alone is meant to begin the names of calls, though some service may have a call `Tag`.
    let is_verb = |word: &str| word.rfind(char::is_uppercase).is_none_or(|last| last == 0);
    let Some(word) = word(leaf).filter(|word| !is_verb(word)) else { return };
    let services = services(row);
    if !services.iter().any(|service| service.call(word).is_some()) {
        return;
    }
    let others: Vec<_> =
        of_leaf(services, leaf).filter(|(_, call)| without_version(&call.name) != without_version(word)).collect();
    if others.is_empty() {
        return;
    }
    let found = named(&others, services.len() > 1);
    let message = format!("\"{}\" is also found in {found}", leaf.condition.written());
    let help = format!("write {{\"is\": \"{word}\"}}, or \"^{word}.*\" if those are meant too");
    report.warn(&LOOSE_PATTERN, rule, cell.at(leaf), message, help);
}

fn ambiguous(
    context: &LintContext<'_>,
    rule: &RuleView<'_>,
    cell: &CellView<'_>,
    leaf: &Leaf<'_>,
    report: &mut LintReport,
) {
    let name = match leaf.condition {
        LeafCondition::Exactly(name) => Some(name),
        _ => word(leaf),
    };
    let Some(name) = name else { return };
    let services: Vec<String> =
        context.catalogue.services_of(name).map(|service| format!("\"{}\"", service.name)).collect();
    if services.len() < 2 {
        return;
    }
    let message = format!("{} services have a call {name}: {}", services.len(), enumerated(&services));
    report.warn(&AMBIGUOUS_EVENT, rule, cell.at(leaf), message, "add a cell \"service\" that says which is meant");
}
