//! Names of accounts and of units that `accounts.json` does not have.

use std::collections::BTreeSet;

use super::view::{CellView, Leaf, RuleView, SourcePlace};
use super::{Lint, LintContext, LintReport};
use crate::cloudtrail::accounts::{AccountFact, is_within};
use crate::config::suggestion;
use crate::json::Node;
use crate::rules::field::FieldTarget;

/// What this file declares.
pub(super) const LINTS: &[&Lint] = &[&UNKNOWN_ACCOUNT];

static UNKNOWN_ACCOUNT: Lint = Lint {
    code: "unknown-account",
    summary: "`accounts.json` has no account, or no organizational unit, of this name; in a cell, or in a channel's filter.",
    docs: "If the account is newer than the file, write the file anew (`offlimits accounts`). A unit reads with those around \
         it, the outermost first.",
    wrong: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StopInstances" }, "account_name": { "is": »"prodution" } }"#,
    right: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StopInstances" }, "account_name": { "is": "production" } }"#,
};

/// What the file has.
struct Known {
    names: BTreeSet<String>,
    units: BTreeSet<String>,
}

impl Known {
    fn of(&self, fact: AccountFact) -> &BTreeSet<String> {
        match fact {
            AccountFact::Name => &self.names,
            AccountFact::Unit => &self.units,
        }
    }

    fn help(&self, fact: AccountFact, written: &str) -> String {
        suggestion(written, self.of(fact).iter().map(String::as_str)).map_or_else(
            || "look it up in accounts.json, or write that file anew with `offlimits accounts`".to_owned(),
            |near| near.question(),
        )
    }
}

pub(super) fn lint(context: &LintContext<'_>, report: &mut LintReport) {
    if context.unread.accounts {
        return;
    }
    let Some(accounts) = context.rules.accounts().and_then(|accounts| accounts.all().ok()) else { return };
    let names = accounts.values().map(|facts| facts.name.clone()).collect();
    let units = accounts.values().filter_map(|facts| facts.unit.clone()).collect();
    let known = Known { names, units };
    for rule in context.views {
        for cell in rule.all_rows().flat_map(|row| &row.cells) {
            let FieldTarget::OfAccount(fact, _) = cell.cell.field.target else { continue };
            for leaf in cell.leaves.iter().filter(|leaf| !leaf.condition.written().is_empty()) {
                of_cell(&known, fact, (rule, cell, leaf), report);
            }
        }
    }
    for channel in context.files.root.get("channels").and_then(Node::members).unwrap_or_default() {
        for (key, fact) in [("account_names", AccountFact::Name), ("units", AccountFact::Unit)] {
            let nodes = channel.node.get(key).and_then(Node::elements).unwrap_or_default();
            for (node, written) in nodes.iter().filter_map(|node| Some((node, node.as_str()?))) {
                of_filter(&known, fact, (node, written), report);
            }
        }
    }
}

fn of_cell(
    known: &Known,
    fact: AccountFact,
    (rule, cell, leaf): (&RuleView<'_>, &CellView<'_>, &Leaf<'_>),
    report: &mut LintReport,
) {
    if known.of(fact).iter().any(|name| leaf.condition.accepts(name) == Some(true)) {
        return;
    }
    let written = leaf.condition.written();
    let then = if leaf.negated { "it excludes nothing" } else { "it can never match" };
    let message = format!("accounts.json has no {} \"{written}\": {then}", what(fact));
    report.warn(&UNKNOWN_ACCOUNT, rule, cell.at(leaf), message, known.help(fact, written));
}

fn of_filter(known: &Known, fact: AccountFact, (node, written): (&Node<'_>, &str), report: &mut LintReport) {
    let is_known = match fact {
        AccountFact::Name => known.names.contains(written),
        AccountFact::Unit => known.units.iter().any(|unit| is_within(unit, written)),
    };
    if !is_known {
        let message = format!("accounts.json has no {} \"{written}\": the channel accepts nothing of it", what(fact));
        let place = SourcePlace { file: None, span: node.span.clone() };
        report.warn_of_file(&UNKNOWN_ACCOUNT, place, message, known.help(fact, written));
    }
}

const fn what(fact: AccountFact) -> &'static str {
    match fact {
        AccountFact::Name => "account",
        AccountFact::Unit => "unit",
    }
}
