//! Texts in `is` that no value of the field equals, because its values have another form.

use super::calls::{IDENTITY, row_accepts};
use super::forms::{Form, Meant};
use super::naming::is_only;
use super::view::{CellView, Leaf, LeafCondition, RowView, RuleView, SourcePlace};
use super::{Lint, LintContext, LintReport};
use crate::config::{Advice, Fix, quoted};
use crate::json::Node;
use crate::rules::field::Field;

/// What this file declares.
pub(super) const LINTS: &[&Lint] = &[&IMPOSSIBLE_FORM];

static IMPOSSIBLE_FORM: Lint = Lint {
    code: "impossible-form",
    summary: "No value of the field has the form of this text; in a cell, or of an account in a channel's filter.",
    docs: "A role is its name, and not its ARN; an account is twelve digits; an address is no network, which `cidr` asks for. In \
         `is`, a `*` stands for itself. A pattern that begins with `^arn:` is told as well, and in `userIdentity.arn` one with \
         `:role/`: whoever assumes a role has an ARN with `assumed-role` and the session there.",
    wrong: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StopInstances" }, "role": { "is": »"arn:aws:iam::111122223333:role/BreakGlass" } }"#,
    right: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StopInstances" }, "role": { "is": "BreakGlass" }, "account": { "is": "111122223333" } }"#,
};

pub(super) fn lint(context: &LintContext<'_>, report: &mut LintReport) {
    filters(context, report);
    for rule in context.views {
        for row in rule.all_rows() {
            for cell in &row.cells {
                let Some(form) = Form::of(&cell.cell.field) else { continue };
                cell.leaves.iter().for_each(|leaf| look(rule, row, cell, leaf, form, report));
            }
        }
    }
}

fn look(
    rule: &RuleView<'_>,
    row: &RowView<'_>,
    cell: &CellView<'_>,
    leaf: &Leaf<'_>,
    form: &Form,
    report: &mut LintReport,
) {
    let (fits, what) = match leaf.condition {
        LeafCondition::Exactly(text) => ((form.fits)(text), "is"),
        // How a number is spelt is another lint's business.
        LeafCondition::Number(number) => ((form.fits)(number.written()) || number.written().len() > 10, "is"),
        LeafCondition::Pattern(pattern) => {
            (parts_of_arn(pattern.as_str()).iter().all(|part| (form.fits)(part)), "matches")
        }
        LeafCondition::Else(_) => return,
    };
    // An identity that is a role itself has the role's own ARN: who asks for those knows.
    let is_role_itself = cell.is(&["userIdentity", "arn"])
        && row.cell(IDENTITY).is_some()
        && row_accepts(row, IDENTITY, "Role")
        && !row_accepts(row, IDENTITY, "AssumedRole");
    if fits || is_role_itself {
        return;
    }
    let field = &cell.cell.field.written;
    let dead = if leaf.negated { "it excludes nothing" } else { "it can never match" };
    let message = format!("no value of \"{field}\" {what} {}: {dead}", quoted(leaf.condition.written()));
    report.condition(&IMPOSSIBLE_FORM, rule, cell.at(leaf), (message, !leaf.negated), advice(cell, leaf, form));
}

/// Accounts in channels' filters: a filter that names none that can exist accepts nothing.
fn filters(context: &LintContext<'_>, report: &mut LintReport) {
    let Ok(field) = Field::parse("account") else { return };
    let Some(form) = Form::of(&field) else { return };
    let channels = context.files.root.get("channels").and_then(Node::members).unwrap_or_default();
    for node in channels.iter().filter_map(|channel| channel.node.get("accounts")?.elements()).flatten() {
        let Some(written) = node.as_str().filter(|text| !(form.fits)(text)) else { continue };
        let message = format!("no account has the id {}: the channel accepts nothing of it", quoted(written));
        let advice = match form.meant(written) {
            Some(Meant::Text(meant)) => Advice::new(format!("write {}", quoted(&meant)))
                .with_fix(Some(Fix::replace(&node.span, quoted(&meant)))),
            _ => format!("its values are {}", form.values).into(),
        };
        report.warn_of_file(&IMPOSSIBLE_FORM, SourcePlace { file: None, span: node.span.clone() }, message, advice);
    }
}

/// What to write instead.
fn advice(cell: &CellView<'_>, leaf: &Leaf<'_>, form: &Form) -> Advice {
    let values = format!("its values are {}", form.values);
    let LeafCondition::Exactly(text) = leaf.condition else { return values.into() };
    match form.meant(text) {
        None => values.into(),
        Some(Meant::Words(words)) => format!("{words}: {values}").into(),
        Some(Meant::Text(meant)) => leaf.replaced_by(&meant, format!("write {}: {values}", quoted(&meant))),
        Some(Meant::Condition(meant)) => {
            let fix = is_only(cell, leaf).then(|| Fix::replace(&cell.node.span, meant.as_str()));
            Advice::new(format!("write {meant}: {values}")).with_fix(fix)
        }
    }
}

/// Texts that the field would have to have, or nothing would match the pattern: what it begins with, if that is an ARN, and the ARN
/// of a role, if it asks for one. None where alternatives, or other characters that may be left out, leave that open.
fn parts_of_arn(pattern: &str) -> Vec<String> {
    let mut parts = Vec::new();
    if pattern.contains(['|', '?', '[', '{']) {
        return parts;
    }
    let anchored = pattern.strip_prefix('^').map(|rest| rest.trim_start_matches('('));
    if let Some(rest) = anchored.filter(|rest| rest.starts_with("arn:")) {
        let end = rest.find(['*', '+', '\\', '$', '(', ')']).unwrap_or(rest.len());
        parts.push(rest[..end].trim_end_matches('.').to_owned());
    }
    if pattern.contains(":role/") {
        parts.push("arn:aws:iam::123456789012:role/Admin".to_owned());
    }
    parts
}
