//! Thresholds that no number of matches reaches.

use std::collections::BTreeSet;

use super::logic::PatternWord;
use super::view::{RuleView, SourcePlace};
use super::{Lint, LintContext, LintReport};
use crate::json::Node;
use crate::rules::Row;
use crate::rules::Threshold;
use crate::rules::condition::{Condition, Literal};
use crate::rules::field::{Field, FieldTarget};

/// What this file declares.
pub(super) const LINTS: &[&Lint] = &[&UNREACHABLE_THRESHOLD];

static UNREACHABLE_THRESHOLD: Lint = Lint {
    code: "unreachable-threshold",
    summary: "No number of matches reaches the threshold: the rule never alerts.",
    docs: "Matches with other values of `by` are counted apart, so that each is alone where `by` names what every record has for \
         itself, such as `eventID`. Of `distinct`, the field needs as many different values as are counted: one that the rule's \
         rows pin down, or that stands in `by` too, has one.",
    wrong: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StopInstances" } },
"threshold": { "count": 5, "window": "10m", "by": [»"eventID"] }"#,
    right: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StopInstances" } },
"threshold": { "count": 5, "window": "10m", "by": ["principal"] }"#,
};

/// Fields of which each record has a value of its own.
const IDS: [&str; 1] = ["eventID"];

pub(super) fn lint(context: &LintContext<'_>, report: &mut LintReport) {
    for rule in context.views {
        let Some(threshold) = &rule.rule.threshold else { continue };
        let Some((field, message, help)) = unreachable(context, rule, threshold) else { continue };
        report.warn(&UNREACHABLE_THRESHOLD, rule, place(rule, field), message, help);
    }
}

/// The field for which the threshold is not reached, why, and what to do.
fn unreachable<'r>(
    context: &LintContext<'_>,
    rule: &RuleView<'_>,
    threshold: &'r Threshold,
) -> Option<(&'r Field, String, String)> {
    let Threshold { count, by, distinct, .. } = threshold;
    if let Some(id) = by.iter().find(|field| is_id(field)) {
        let message = format!("every record has a \"{}\" of its own: no two matches are counted together", id.written);
        return Some((id, message, "count by what the matches have in common, such as \"principal\"".to_owned()));
    }
    let field = distinct.as_ref()?;
    let name = &field.written;
    if by.iter().any(|by| by.target == field.target) {
        let message = format!("\"{name}\" stands in \"by\" too: of what is counted together, all have the same");
        return Some((field, message, "take it out of \"by\", or count the values of another field".to_owned()));
    }
    if let FieldTarget::Derived(derived) = field.target
        && !rule.rows.iter().any(|row| super::derived::may_say(context, row, derived))
    {
        let message = format!("\"{name}\" says nothing of any call that the rule may match: nothing is counted");
        return Some((field, message, "count the values of another field, or leave out \"distinct\"".to_owned()));
    }
    let values = values(field, rule.rows.iter().map(|row| row.row))?;
    let known = u64::try_from(values.len()).unwrap_or(u64::MAX);
    (known < *count).then(|| {
        let values = if known == 1 { "one value".to_owned() } else { format!("{known} values") };
        let message =
            format!("\"{name}\" has {values} in all that the rule matches, and {count} different ones are counted");
        (
            field,
            message,
            "count the values of another field, or leave out \"distinct\": then matches are counted".to_owned(),
        )
    })
}

fn is_id(field: &Field) -> bool {
    matches!(&field.target, FieldTarget::Path(path) if path.len() == 1 && IDS.contains(&&*path[0]))
}

/// The only values that the field has in the records that one of the rows matches; `None` where they are not known.
fn values<'r>(field: &Field, rows: impl Iterator<Item = &'r Row>) -> Option<BTreeSet<&'r str>> {
    let of_row = |row: &'r Row| {
        let cells = row.0.iter().filter(|cell| cell.field.target == field.target);
        cells.into_iter().find_map(|cell| texts(&cell.condition))
    };
    // More than one value of a path may stand in a record, and only one of them has to satisfy the row.
    let is_single = match &field.target {
        FieldTarget::Path(path) => path.len() == 1 || *path[0] == *"userIdentity",
        target => matches!(target, FieldTarget::Computed(_)),
    };
    let asked = is_single.then(|| rows.map(of_row).collect::<Option<Vec<_>>>()).flatten();
    asked
        .map(|texts| texts.into_iter().flatten().collect())
        .or_else(|| Some(field.vocabulary()?.iter().copied().collect()))
}

/// The texts that a condition accepts and no others.
fn texts(condition: &Condition) -> Option<Vec<&str>> {
    match condition {
        Condition::Is(literals) => literals.iter().map(Literal::as_text).collect(),
        Condition::Pattern(pattern) => Some(vec![whole(pattern.as_str())?]),
        Condition::Any(inner) => inner.iter().map(texts).collect::<Option<Vec<_>>>().map(|texts| texts.concat()),
        Condition::All(inner) => inner.iter().find_map(texts),
        _ => None,
    }
}

/// The one text that a pattern accepts; `None` where there are others.
fn whole(pattern: &str) -> Option<&str> {
    let word = PatternWord::parse(pattern).filter(|word| word.starts && word.ends && !word.open)?;
    (!word.text.contains('.')).then_some(word.text)
}

/// Where the threshold names the field; where it stands elsewhere, the rule.
fn place(rule: &RuleView<'_>, field: &Field) -> SourcePlace {
    let Some((file, node)) = rule.setting("threshold") else { return rule.place() };
    let each = node.members().unwrap_or_default().iter().rev();
    let each = each.flat_map(|member| member.node.elements().unwrap_or(std::slice::from_ref(&member.node)));
    let named: Option<&Node<'_>> = each.into_iter().find(|node| node.as_str() == Some(&field.written));
    SourcePlace { file, span: named.unwrap_or(node).span.clone() }
}
