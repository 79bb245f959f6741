//! Exceptions that let through more than their author means, and those whose time is over.

use std::time::Duration;

use regex_syntax::hir::Look;

use super::view::{CellView, ExceptionView, Leaf, LeafCondition, RowView, RuleView, SourcePlace};
use super::{Lint, LintContext, LintReport};
use crate::cloudtrail::ComputedAlias;
use crate::config::quoted;
use crate::rules::Exception;
use crate::rules::condition::Condition;
use crate::rules::count::Count;
use crate::rules::field::FieldTarget;

/// What this file declares.
pub(super) const LINTS: &[&Lint] =
    &[&CALLER_CHOSEN_EXCEPTION, &EXCEPTION_BY_ABSENCE, &EXPIRED_EXCEPTION, &EXPIRING_EXCEPTION, &UNANCHORED_EXCEPTION];

static CALLER_CHOSEN_EXCEPTION: Lint = Lint {
    code: "caller-chosen-exception",
    summary: "An exception rests on a value that the caller chooses, so it lets through everybody who knows it.",
    docs: "These are `session`, a session's name in `actor`, and `user_agent`. Except by `user`, `role`, `account` or \
         `source_ip`.",
    wrong: r#""unless": [ { "when": { »"session": { "is": "deploy" } }, "reason": "our deployments" } ]"#,
    right: r#""unless": [ { "when": { "role": { "is": "deploy" } }, "reason": "our deployments" } ]"#,
};

static EXCEPTION_BY_ABSENCE: Lint = Lint {
    code: "exception-by-absence",
    summary: "`not` in an exception, or a `count` below a number, is true of a record that lacks the field.",
    docs: "CloudTrail leaves out `requestParameters` over 100 KB: such a record would alert nobody. Demand the field: \
         `{\"all\": [{\"exists\": true}, {\"not\": …}]}`.",
    wrong: r#""unless": [ { "when": { »"requestParameters.force": { "not": { "is": "true" } } }, "reason": "stopped gently" } ]"#,
    right: r#""unless": [ { "when": { "requestParameters.force": { "all": [ { "exists": true }, { "not": { "is": "true" } } ] } }, "reason": "stopped gently" } ]"#,
};

static EXPIRED_EXCEPTION: Lint = Lint {
    code: "expired-exception",
    summary: "The exception's last day is over: what it allowed alerts again.",
    docs: "Delete it or renew it.",
    wrong: r#""unless": [ { "when": { "user": { "is": "jana" } }, "reason": "the migration", "expires": »"2026-11-24" } ]"#,
    right: r#""unless": [ { "when": { "user": { "is": "jana" } }, "reason": "the migration", "expires": "2027-11-24" } ]"#,
};

static EXPIRING_EXCEPTION: Lint = Lint {
    code: "expiring-exception",
    summary: "The exception's last day is within 30 days.",
    docs: "`check` alone looks at today's date; the function compares with the record's time. One that has a `from` too, and \
         lasts no longer than 30 days, is a maintenance window, whose end surprises nobody.",
    wrong: r#""unless": [ { "when": { "user": { "is": "jana" } }, "reason": "the migration", "expires": »"2026-12-20" } ]"#,
    right: r#""unless": [ { "when": { "user": { "is": "jana" } }, "reason": "the migration", "expires": "2027-12-20" } ]"#,
};

static UNANCHORED_EXCEPTION: Lint = Lint {
    code: "unanchored-exception",
    summary: "A pattern in an exception is found anywhere in the value.",
    docs: "`\"ci\"` lets `evil-ci` through. Write `{\"is\": …}`, or begin it with `^`; addresses belong in `cidr`.",
    wrong: r#""unless": [ { "when": { "user": »"ci" }, "reason": "our deployments" } ]"#,
    right: r#""unless": [ { "when": { "user": { "is": "ci" } }, "reason": "our deployments" } ]"#,
};

/// Days before an exception's last one from which on its author hears of it.
const SOON: i64 = 30;

pub(super) fn lint(context: &LintContext<'_>, report: &mut LintReport) {
    for rule in context.views {
        for exception in &rule.exceptions {
            expiry(context, rule, exception, report);
            for row in &exception.rows {
                for cell in &row.cells {
                    caller_chosen(rule, cell, report);
                    by_absence(rule, row, cell, report);
                    for leaf in cell.leaves.iter().filter(|leaf| !leaf.negated) {
                        unanchored(rule, cell, leaf, report);
                    }
                }
            }
        }
    }
}

fn expiry(context: &LintContext<'_>, rule: &RuleView<'_>, exception: &ExceptionView<'_>, report: &mut LintReport) {
    let Some(end) = exception.exception.ends else { return };
    // The day of the last moment at which it holds.
    let last = end.minus(Duration::from_millis(1)).date();
    let node = exception.node.get("expires").unwrap_or(exception.node);
    let place = SourcePlace { file: exception.file.clone(), span: node.span.clone() };
    let left = context.today.days_until(last);
    let written = node.as_str().unwrap_or_default();
    if left < 0 {
        let message = format!("this exception ended with {written}: what it allowed alerts again");
        report.warn(&EXPIRED_EXCEPTION, rule, place, message, "delete it, or give it a new date and a reason for that");
    } else if left <= SOON && !is_window(exception.exception) {
        let when = match left {
            0 => "today".to_owned(),
            1 => "tomorrow".to_owned(),
            more => format!("in {more} days"),
        };
        let message = format!("this exception ends {when}: from then on what it allows alerts");
        report.warn(&EXPIRING_EXCEPTION, rule, place, message, "give it a new date, or prepare for the alerts");
    }
}

/// Whether the exception is for a time that its author has chosen as a whole, such as a maintenance window: its end is no
/// surprise.
fn is_window(exception: &Exception) -> bool {
    exception.from.zip(exception.ends).is_some_and(|(from, end)| from.date().days_until(end.date()) <= SOON)
}

/// Values that the caller chooses.
fn caller_chosen(rule: &RuleView<'_>, cell: &CellView<'_>, report: &mut LintReport) {
    let asks_for_value = |leaf: &Leaf<'_>| {
        !leaf.negated && !matches!(leaf.condition, LeafCondition::Else(Condition::Exists(_) | Condition::Count(_)))
    };
    if !cell.leaves.iter().any(asks_for_value) {
        return;
    }
    let session_in_text = || cell.leaves.iter().any(|leaf| leaf.condition.written().contains('/'));
    let what = match &cell.cell.field.target {
        FieldTarget::Computed(ComputedAlias::Session) => "a session's name",
        FieldTarget::Computed(ComputedAlias::Actor) if session_in_text() => {
            "a session's name, which \"actor\" ends in,"
        }
        FieldTarget::Path(path) if path.len() == 1 && &*path[0] == "userAgent" => "the user agent",
        FieldTarget::Path(path) if path.last().is_some_and(|key| &**key == "roleSessionName") => "a session's name",
        _ => return,
    };
    let message = format!("whoever makes the call chooses {what}: this exception lets through everybody who knows it");
    let help = "except by \"user\", \"role\", \"account\" or \"source_ip\", which AWS vouches for";
    report.warn(&CALLER_CHOSEN_EXCEPTION, rule, cell.place(), message, help);
}

/// Fields with a vocabulary of AWS's own: nobody can make up a value that a pattern takes by mistake.
const AWS_OWN: [&str; 6] = ["eventSource", "eventName", "awsRegion", "errorCode", "eventType", "eventCategory"];

fn unanchored(rule: &RuleView<'_>, cell: &CellView<'_>, leaf: &Leaf<'_>, report: &mut LintReport) {
    let LeafCondition::Pattern(regex) = leaf.condition else { return };
    let own = match &cell.cell.field.target {
        FieldTarget::Path(path) => {
            path.first().is_some_and(|key| AWS_OWN.contains(&&**key)) || cell.is(super::calls::IDENTITY)
        }
        FieldTarget::Computed(derived) => {
            matches!(
                derived,
                ComputedAlias::Outcome | ComputedAlias::Mfa | ComputedAlias::ActingService | ComputedAlias::Partition
            )
        }
        FieldTarget::Derived(_) | FieldTarget::OfAccount(..) | FieldTarget::Targets => false,
        FieldTarget::Country(_) | FieldTarget::OwnResource(_) => true,
    };
    let Ok(parsed) = regex_syntax::Parser::new().parse(regex.as_str()) else { return };
    let starts = parsed.properties().look_set_prefix().contains(Look::Start);
    let ends = parsed.properties().look_set_suffix().contains(Look::End);
    // What a record's address begins with is easily another network's.
    let is_address = cell.is(&["sourceIPAddress"]);
    if own || (starts && (ends || !is_address)) {
        return;
    }
    let written = regex.as_str();
    let message = format!("\"{written}\" matches anywhere in the value, so whoever can choose a name can slip through");
    let help = if is_address {
        "write {\"cidr\": \"203.0.113.0/24\"}".to_owned()
    } else {
        match anchored(written).filter(|_| !ends) {
            Some(pattern) => {
                format!("write {{\"is\": …}} for the name itself, or {} for what begins so", quoted(&pattern))
            }
            None => {
                "write {\"is\": …} for the value itself, or a pattern that begins with ^ and with all that may stand \
                     before this"
                    .to_owned()
            }
        }
    };
    report.warn(&UNANCHORED_EXCEPTION, rule, cell.at(leaf), message, help);
}

/// The same pattern, where it stands at the beginning of the value: behind what it says of capitals, and with all its alternatives.
/// `None` where that cannot be said.
fn anchored(written: &str) -> Option<String> {
    let (flags, rest) = match written.strip_prefix("(?") {
        Some(inner) => {
            let (flags, _) =
                inner.split_once(')').filter(|(flags, _)| flags.bytes().all(|flag| flag.is_ascii_alphabetic()))?;
            written.split_at(flags.len() + 3)
        }
        None => ("", written),
    };
    let bare = rest.trim_start_matches('^').replace("|^", "|");
    let pattern = if bare.contains('|') { format!("{flags}^({bare})") } else { format!("{flags}^{bare}") };
    let parsed = regex_syntax::Parser::new().parse(&pattern).ok()?;
    parsed.properties().look_set_prefix().contains(Look::Start).then_some(pattern)
}

/// Fields that every call has, and that are never left out for their size.
const ALWAYS_THERE: [&str; 4] = ["eventSource", "eventName", "awsRegion", "eventTime"];

/// `not` and a `count` below a number are true of a field that is missing, and CloudTrail leaves out what is too large.
fn by_absence(rule: &RuleView<'_>, row: &RowView<'_>, cell: &CellView<'_>, report: &mut LintReport) {
    let there = match &cell.cell.field.target {
        FieldTarget::Computed(derived) => matches!(derived, ComputedAlias::Outcome | ComputedAlias::Partition),
        FieldTarget::Derived(_)
        | FieldTarget::Country(_)
        | FieldTarget::OfAccount(..)
        | FieldTarget::OwnResource(_)
        | FieldTarget::Targets => false,
        FieldTarget::Path(path) => path.first().is_some_and(|key| ALWAYS_THERE.contains(&&**key)),
    };
    // A condition beside it that a missing field does not satisfy.
    let guarded = row
        .cells
        .iter()
        .any(|other| other.cell.field.target == cell.cell.field.target && !other.cell.condition.holds_of_nothing());
    let Some(operator) = true_of_nothing(&cell.cell.condition).filter(|_| !there && !guarded) else { return };
    let field = &cell.cell.field.written;
    let message = format!("where a record has no \"{field}\", \"{operator}\" is true, and the alert is silenced");
    let help = format!("write {{\"all\": [{{\"exists\": true}}, {}]}}", cell.cell.written);
    report.warn(&EXCEPTION_BY_ABSENCE, rule, cell.place(), message, help);
}

/// The operator that is true of a field that is missing, which its author may not have thought of: `exists` says so itself, and
/// so does a number of none.
fn true_of_nothing(condition: &Condition) -> Option<&'static str> {
    match condition {
        Condition::Not(_) => Some("not"),
        Condition::Count(Count::Below(bound)) if *bound > 1 => Some("count"),
        Condition::Any(inner) | Condition::All(inner) => inner.iter().find_map(true_of_nothing),
        _ => None,
    }
}
