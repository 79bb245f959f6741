//! What a rule makes of a record, taken apart.

use super::message::because;
use crate::cloudtrail::{FieldValue, Record, named_targets};
use crate::finding::{Finding, Step};
use crate::rules::Mode;
use crate::rules::Scope;
use crate::rules::condition::Condition;
use crate::rules::field::FieldTarget;
use crate::rules::{Cell, Rule, Table, redacted};
use crate::ruleset::RuleSet;
use crate::severity::Severity;
use crate::text;

/// Values of one cell that are shown, and characters of each.
const VALUES: usize = 3;
const VALUE_LIMIT: usize = 100;

/// What one rule makes of one record, and what would be sent of it.
pub(super) struct RuleVerdict<'r> {
    pub(super) rule: &'r Rule,
    pub(super) outcome: RuleOutcome,
    /// The rows, the nearest first.
    pub(super) rows: Vec<RowVerdict<'r>>,
    pub(super) exceptions: Vec<ExceptionVerdict<'r>>,
    /// The finding, if there is one.
    pub(super) finding: Option<Finding>,
    /// For a finding: each channel, and why it is not sent to it.
    pub(super) channels: Vec<(&'r str, Option<String>)>,
}

/// Whether a rule matches a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RuleOutcome {
    /// It matches, by this row.
    Match { row: usize },
    /// It matches by this row, and this exception allows it.
    Excepted { row: usize, exception: usize },
    /// No row matches: so many cells of the nearest one are false.
    Miss { failing: usize },
    /// It would be one of the others, but the rule is off.
    Off,
}

/// One row of a table: its place in the file, from 0, and what becomes of its cells.
pub(super) struct RowVerdict<'r> {
    pub(super) index: usize,
    pub(super) cells: Vec<CellVerdict<'r>>,
}

pub(super) struct CellVerdict<'r> {
    pub(super) cell: &'r Cell,
    pub(super) holds: bool,
    /// The values found, without what is secret, cleaned and clipped; and how many more there are.
    pub(super) values: Vec<String>,
    pub(super) more: usize,
    /// Of a derived field: where the record says each of `values`.
    pub(super) places: Vec<String>,
    /// What a condition on hours compares: the time of its own zone.
    pub(super) local: Option<String>,
}

pub(super) struct ExceptionVerdict<'r> {
    pub(super) reason: &'r str,
    pub(super) covers: bool,
    /// Whether it would cover the record, had it begun when the record was written.
    pub(super) early: bool,
    /// Whether it would cover the record, had it not expired when the record was written.
    pub(super) expired: bool,
    /// The highest severity that it allows, where it would cover the record if the rule's finding were not more severe.
    pub(super) exceeded: Option<Severity>,
    pub(super) rows: Vec<RowVerdict<'r>>,
}

impl<'r> RuleVerdict<'r> {
    pub(super) fn new(rules: &'r RuleSet, rule: &'r Rule, record: &Record) -> Self {
        let rows = rows(&rule.when, record);
        let exception = rule.exception_for(record);
        let outcome = match (rule.is_on(), rule.when.first_match(record), exception) {
            (false, ..) => RuleOutcome::Off,
            (true, Some(row), Some(exception)) => RuleOutcome::Excepted { row, exception },
            (true, Some(row), None) => RuleOutcome::Match { row },
            (true, None, _) => RuleOutcome::Miss { failing: rows.first().map_or(0, RowVerdict::failing) },
        };
        let exceptions = rule.unless.iter().map(|exception| ExceptionVerdict {
            reason: &exception.reason,
            covers: exception.covers(rule, record),
            early: exception.is_early(record) && exception.when.first_match(record).is_some(),
            expired: !exception.is_in_time(record)
                && !exception.is_early(record)
                && exception.when.first_match(record).is_some(),
            exceeded: exception
                .max_severity
                .filter(|_| exception.when.first_match(record).is_some() && exception.is_exceeded(rule, record)),
            rows: self::rows(&exception.when, record),
        });
        let finding = matches!(outcome, RuleOutcome::Match { .. })
            .then(|| rules.evaluate_record(record).into_iter().find(|finding| finding.rule.id == rule.info.id))
            .flatten();
        let channels = finding.iter().flat_map(|finding| {
            rules.channels().iter().map(|channel| {
                let refusal = channel.refusal(finding);
                (channel.name.as_str(), refusal.map(|refusal| because(&refusal, channel, finding)))
            })
        });
        Self { rule, outcome, rows, exceptions: exceptions.collect(), channels: channels.collect(), finding }
    }

    /// Sorts what matches first, then the nearest misses, then what is off.
    pub(super) fn distance(&self) -> (u8, usize) {
        match self.outcome {
            RuleOutcome::Match { .. } => (0, 0),
            RuleOutcome::Excepted { .. } => (1, 0),
            RuleOutcome::Miss { failing } => (2, failing),
            RuleOutcome::Off => (3, 0),
        }
    }

    /// What to do first, if there is a finding.
    pub(super) fn steps(&self) -> &[Step] {
        self.finding.as_ref().map(|finding| finding.steps.as_slice()).unwrap_or_default()
    }

    pub(super) fn is_staged(&self) -> bool {
        self.rule.info.mode == Mode::Stage
    }
}

impl RowVerdict<'_> {
    /// How many cells are false.
    pub(super) fn failing(&self) -> usize {
        self.cells.iter().filter(|cell| !cell.holds).count()
    }
}

/// The rows, those with the fewest false cells first.
fn rows<'r>(table: &'r Table, record: &Record) -> Vec<RowVerdict<'r>> {
    let cells = |cells: &'r [Cell]| cells.iter().map(|cell| CellVerdict::new(cell, record)).collect();
    let rows = table.0.iter().enumerate();
    let mut rows: Vec<_> = rows.map(|(index, row)| RowVerdict { index, cells: cells(&row.0) }).collect();
    rows.sort_by_key(RowVerdict::failing);
    rows
}

impl<'r> CellVerdict<'r> {
    pub(super) fn new(cell: &'r Cell, record: &Record) -> Self {
        let scope = Scope::Record(record);
        let values = scope.values(&cell.field);
        Self {
            cell,
            holds: cell.holds(scope),
            values: values.iter().take(VALUES).map(|value| shorten(&redacted(&cell.field, value))).collect(),
            more: values.len().saturating_sub(VALUES),
            places: places(cell, record),
            local: local_time(&cell.condition, &values),
        }
    }
}

/// Where the record says the values of a derived field, or the target, as far as they are shown.
fn places(cell: &Cell, record: &Record) -> Vec<String> {
    let facts = match cell.field.target {
        FieldTarget::Derived(field) => field.of(record),
        FieldTarget::Targets => named_targets(record),
        _ => &[],
    };
    facts.iter().take(VALUES).map(|value| shorten(&value.place)).collect()
}

fn local_time(condition: &Condition, values: &[FieldValue<'_>]) -> Option<String> {
    match condition {
        Condition::Time { hours, .. } => values.iter().find_map(|value| hours.called(value.scalar()?)),
        Condition::Not(condition) => local_time(condition, values),
        Condition::All(conditions) | Condition::Any(conditions) => {
            conditions.iter().find_map(|condition| local_time(condition, values))
        }
        _ => None,
    }
}

/// A value as it is shown: on one line, freed of what would deceive a reader, and clipped.
pub(super) fn shorten(value: &str) -> String {
    text::one_line(value, VALUE_LIMIT).into_owned()
}
