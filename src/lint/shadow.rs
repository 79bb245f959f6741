//! Rows and rules that others, or their own exceptions, leave nothing to do.

use ipnet::IpNet;

use super::logic::row_implies;
use super::row_index::RowIndex;
use super::view::RuleView;
use super::{Lint, LintContext, LintReport};
use crate::rules::condition::Condition;
use crate::rules::field::FieldTarget;
use crate::rules::{Cell, Mode, Row, Rule};

/// What this file declares.
pub(super) const LINTS: &[&Lint] = &[&NEVER_ALERTS, &REPEATED_ROW, &REPEATED_RULE];

static NEVER_ALERTS: Lint = Lint {
    code: "never-alerts",
    summary: "An exception allows everything that this row matches.",
    docs: "Narrow the exception, or delete the row. The networks `0.0.0.0/0` and `::/0` hold every address: what is allowed from there \
         is allowed.",
    wrong: r#""when": [
  »{ "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StopInstances" } },
  { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "RunInstances" } }
],
"unless": [ { "when": { "event": "^Stop" }, "reason": "stopping is harmless" } ]"#,
    right: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "RunInstances" } },
"unless": [ { "when": { "user": { "is": "ci" } }, "reason": "our deployments" } ]"#,
};

static REPEATED_ROW: Lint = Lint {
    code: "repeated-row",
    summary: "Another row of the rule matches all that this row matches.",
    docs: "Delete this row, or narrow the other.",
    wrong: r#""when": [
  { "service": { "is": "ec2.amazonaws.com" }, "event": "^Stop" },
  »{ "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StopInstances" }, "region": "^eu-" }
]"#,
    right: r#""when": [
  { "service": { "is": "ec2.amazonaws.com" }, "event": "^Stop", "region": "^us-" },
  { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StopInstances" }, "region": "^eu-" }
]"#,
};

static REPEATED_RULE: Lint = Lint {
    code: "repeated-rule",
    summary: "Another rule, to the same channels and without exceptions, matches all that this rule matches.",
    docs: "People are told twice. Delete this rule, or narrow one of the two.",
    wrong: r#""rules": [
  { "id": "Q", "title": "stops", "severity": "low", "when": { "service": { "is": "ec2.amazonaws.com" }, "event": "^Stop" } },
  { "id": »"R", "title": "the same stops", "severity": "low", "when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StopInstances" } } }
]"#,
    right: r#""rules": [
  { "id": "Q", "title": "stops", "severity": "low", "when": { "service": { "is": "ec2.amazonaws.com" }, "event": "^Stop" } },
  { "id": "R", "title": "starts", "severity": "low", "when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "RunInstances" } } }
]"#,
};

pub(super) fn lint(context: &LintContext<'_>, report: &mut LintReport) {
    for rule in context.views {
        excepted(rule, report);
        repeated_rows(rule, report);
    }
    repeated_rules(context, report);
}

/// Rows whose every match an exception allows.
fn excepted(rule: &RuleView<'_>, report: &mut LintReport) {
    let lasting = rule
        .exceptions
        .iter()
        .enumerate()
        .filter(|(_, exception)| !exception.exception.is_timed() && exception.exception.max_severity.is_none());
    let wide = lasting.flat_map(|(number, exception)| exception.rows.iter().map(move |row| (number, row.row)));
    let wide: Vec<_> = wide.map(|(number, row)| (number, row, without_open_cells(row))).collect();
    let index = RowIndex::new(wide.iter().enumerate().map(|(place, (_, _, row))| (place, row)));
    for (number, row) in rule.rows.iter().enumerate() {
        let swallowing = index.may_include(row.row).into_iter().find(|place| row_implies(row.row, &wide[*place].2));
        if let Some((exception, written, _)) = swallowing.map(|place| &wide[place]) {
            let of_all = format!("exception {exception} allows all that row {number} matches");
            let message = match worlds(written) {
                Some(network) if !row_implies(row.row, written) => {
                    format!("every address is in {network}: {of_all}, but for what comes from elsewhere")
                }
                _ => format!("{of_all}: the row never alerts"),
            };
            report.warn(&NEVER_ALERTS, rule, row.place(), message, "narrow the exception, or delete the row");
        }
    }
}

/// A row without the cells that hold of all records, or of all that come from an address: networks that hold every address, and
/// `exists`, or a pattern that is found in everything, of what every record has.
fn without_open_cells(row: &Row) -> Row {
    Row(row.0.iter().filter(|cell| !is_open(cell)).cloned().collect())
}

fn is_open(cell: &Cell) -> bool {
    let FieldTarget::Path(path) = &cell.field.target else { return false };
    match path.iter().map(|key| &**key).collect::<Vec<_>>().as_slice() {
        ["sourceIPAddress"] => world(&cell.condition).is_some(),
        ["eventName" | "eventSource" | "awsRegion" | "eventTime"] => takes_everything(&cell.condition),
        _ => false,
    }
}

/// The networks in a row that hold every address.
fn worlds(row: &Row) -> Option<&IpNet> {
    row.0.iter().filter(|cell| is_open(cell)).find_map(|cell| world(&cell.condition))
}

/// A network that holds every address of IPv4, or of IPv6, from which to come is enough.
fn world(condition: &Condition) -> Option<&IpNet> {
    match condition {
        Condition::Cidr(networks) => networks.iter().find(|network| network.prefix_len() == 0),
        Condition::Any(inner) => inner.iter().find_map(world),
        _ => None,
    }
}

/// Whether the condition is true of every text.
fn takes_everything(condition: &Condition) -> bool {
    match condition {
        Condition::Exists(there) => *there,
        Condition::Pattern(pattern) => {
            let bare = pattern.as_str().trim_start_matches(['^', '(']).trim_end_matches([')', '$']);
            [".*", ".+", "."].contains(&bare)
        }
        Condition::Any(inner) => inner.iter().any(takes_everything),
        Condition::All(inner) => inner.iter().all(takes_everything),
        _ => false,
    }
}

/// Rows that another row of the rule includes.
fn repeated_rows(rule: &RuleView<'_>, report: &mut LintReport) {
    if rule.rows.len() < 2 {
        return;
    }
    let index = RowIndex::new(rule.rows.iter().map(|row| row.row).enumerate());
    for (number, row) in rule.rows.iter().enumerate() {
        let including = index.may_include(row.row).into_iter().find(|other| {
            let wide = &rule.rows[*other];
            *other != number
                && row_implies(row.row, wide.row)
                // Of two that say the same, the first stays.
                && (*other < number || !row_implies(wide.row, row.row))
        });
        if let Some(other) = including {
            let message = format!("row {other} matches all that row {number} matches");
            report.warn(&REPEATED_ROW, rule, row.place(), message, "delete this row, or narrow the other");
        }
    }
}

/// Rules whose every finding is another rule's too.
fn repeated_rules(context: &LintContext<'_>, report: &mut LintReport) {
    let alerting: Vec<&RuleView<'_>> = context.views.iter().filter(|view| view.rule.info.mode == Mode::Alert).collect();
    let wide = alerting.iter().enumerate().filter(|(_, view)| view.rule.unless.is_empty());
    let index = RowIndex::new(wide.flat_map(|(place, view)| view.rule.when.0.iter().map(move |row| (place, row))));
    for (place, rule) in alerting.iter().enumerate() {
        // What includes the rule includes its first row.
        let Some(first) = rule.rule.when.0.first() else { continue };
        let including = index.may_include(first).into_iter().find(|other| {
            let wide = alerting[*other].rule;
            *other != place && includes(wide, rule.rule) && (*other < place || !includes(rule.rule, wide))
        });
        if let Some(other) = including {
            let message = format!(
                "the rule {} also matches all that this one matches: people are told twice",
                alerting[other].rule.info.id
            );
            let help = "delete one, or give them channels or exceptions that differ and allow this lint";
            report.warn(&REPEATED_RULE, rule, rule.place(), message, help);
        }
    }
}

fn includes(wide: &Rule, narrow: &Rule) -> bool {
    // A rule that excepts something may leave that to the other.
    let same_channels = wide.info.notify == narrow.info.notify;
    wide.unless.is_empty()
        && same_channels
        && narrow.when.0.iter().all(|row| wide.when.0.iter().any(|other| row_implies(row, other)))
}
