//! What `offlimits test` prints.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::case::{Case, Failure};
use super::counts::TestCounts;
use super::mutants::Mutant;
use crate::cli::explain::explain_cell;
use crate::cli::lines::{LineFormat, write_line};
use crate::cli::words::counted;
use crate::cloudtrail::Record;
use crate::rules::Scope;
use crate::rules::{Row, Rule, RuleTest};

/// One line of `--format jsonl`. See [`crate::cli::lines`] for what may change.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum TestLine<'a> {
    /// A test that was run, or could not be.
    Test {
        rule: &'a str,
        test: &'a str,
        expect: bool,
        /// `passed`, `failed` or `unreadable`.
        outcome: &'a str,
        /// The row that should have matched, if the test names one.
        expected_row: Option<usize>,
        /// The row that matched instead.
        row: Option<usize>,
        /// The exception that covered the event.
        exception: Option<usize>,
        /// Why the event could not be read.
        reason: Option<&'a str>,
    },
    /// A test that `--require-tests` misses: one of an event that the rule `matches` or `does not match`.
    Untested { rule: &'a str, missing: &'a str },
    /// A rule that `--mutate` changed in one place.
    Mutant { rule: &'a str, change: &'a str, pointer: &'a str, noticed: bool },
}

fn mark(out: &mut impl Write, colour: AnsiColor, word: &str, rest: &str) -> io::Result<()> {
    let style = Style::new().bold().fg_color(Some(colour.into()));
    writeln!(out, "{style}{word:<7}{style:#} {rest}")
}

pub(super) fn result(
    out: &mut impl Write,
    format: LineFormat,
    rule: &Rule,
    case: &Case<'_>,
    failure: Option<&Failure>,
) -> io::Result<()> {
    let (id, test) = (rule.info.id.as_str(), case.test);
    if format == LineFormat::Jsonl {
        let (row, exception) = match failure {
            Some(Failure::Matched(row) | Failure::OtherRow(row)) => (Some(*row), None),
            Some(Failure::Excepted(exception)) => (None, Some(*exception)),
            Some(Failure::NoMatch) | None => (None, None),
        };
        let outcome = if failure.is_some() { "failed" } else { "passed" };
        let (test, expect, expected_row) = (test.name.as_str(), test.expect, test.row);
        return write_line(
            out,
            &TestLine::Test { rule: id, test, expect, outcome, expected_row, row, exception, reason: None },
        );
    }
    let Some(failure) = failure else {
        return mark(out, AnsiColor::Green, "ok", &format!("{id}: {}", test.name));
    };
    mark(out, AnsiColor::Red, "FAILED", &format!("{id}: {}", test.name))?;
    let record = case.telling(rule, failure);
    match *failure {
        Failure::NoMatch => {
            let nearest = rule.when.0.iter().enumerate().min_by_key(|(_, row)| misses(row, record));
            let Some((index, row)) = nearest else { return Ok(()) };
            writeln!(out, "  expected a match, and no row matches; row {index} is the nearest:")?;
            cells(out, row, record)
        }
        Failure::Excepted(index) => {
            let exception = &rule.unless[index];
            writeln!(out, "  expected a match, and exception {index} allows it: {}", exception.reason)?;
            exception.when.first_match(record).map_or(Ok(()), |row| cells(out, &exception.when.0[row], record))
        }
        Failure::Matched(index) => {
            writeln!(out, "  expected no match, and row {index} matches:")?;
            cells(out, &rule.when.0[index], record)
        }
        Failure::OtherRow(index) => {
            let wanted = test.row.unwrap_or_default();
            writeln!(out, "  expected row {wanted} to be the first that matches, and row {index} is:")?;
            cells(out, &rule.when.0[index], record)?;
            let Some(row) = rule.when.0.get(wanted) else {
                return writeln!(out, "  there is no row {wanted}: rows are counted from 0");
            };
            writeln!(out, "  row {wanted}:")?;
            cells(out, row, record)
        }
    }
}

impl Case<'_> {
    /// The record that tells most of a failure: the one that matched, else the nearest miss.
    fn telling(&self, rule: &Rule, failure: &Failure) -> &Record<'_> {
        let distance = |record: &&Record| rule.when.0.iter().map(|row| misses(row, record)).min().unwrap_or_default();
        let matched = |record: &&Record| match failure {
            Failure::Matched(_) | Failure::OtherRow(_) => {
                rule.when.first_match(record).is_some() && rule.exception_for(record).is_none()
            }
            Failure::NoMatch | Failure::Excepted(_) => false,
        };
        let records = &self.records;
        records.iter().find(matched).or_else(|| records.iter().min_by_key(distance)).unwrap_or(&records[0])
    }
}

/// The false cells of a row.
fn misses(row: &Row, record: &Record) -> usize {
    row.0.iter().filter(|cell| !cell.holds(Scope::Record(record))).count()
}

fn cells(out: &mut impl Write, row: &Row, record: &Record) -> io::Result<()> {
    row.0.iter().try_for_each(|cell| explain_cell(out, cell, record))
}

pub(super) fn unreadable(
    out: &mut impl Write,
    format: LineFormat,
    rule: &Rule,
    test: &RuleTest,
    reason: &str,
) -> io::Result<()> {
    let id = rule.info.id.as_str();
    if format == LineFormat::Jsonl {
        let (name, expect, expected_row) = (test.name.as_str(), test.expect, test.row);
        let (outcome, reason) = ("unreadable", Some(reason));
        let (row, exception) = (None, None);
        return write_line(
            out,
            &TestLine::Test { rule: id, test: name, expect, outcome, expected_row, row, exception, reason },
        );
    }
    mark(out, AnsiColor::Red, "ERROR", &format!("{id}: {}", test.name))?;
    writeln!(out, "  cannot read its event: {reason}")
}

pub(super) fn untested(out: &mut impl Write, format: LineFormat, rule: &Rule, what: &str) -> io::Result<()> {
    let id = rule.info.id.as_str();
    if format == LineFormat::Jsonl {
        return write_line(out, &TestLine::Untested { rule: id, missing: what });
    }
    mark(out, AnsiColor::Red, "MISSING", &format!("{id}: it has no test of an event that it {what}"))
}

pub(super) fn mutant(
    out: &mut impl Write,
    format: LineFormat,
    rule: &Rule,
    mutant: &Mutant,
    noticed: bool,
) -> io::Result<()> {
    let id = rule.info.id.as_str();
    let Mutant { change, pointer, .. } = mutant;
    if format == LineFormat::Jsonl {
        return write_line(out, &TestLine::Mutant { rule: id, change, pointer, noticed });
    }
    // What tests notice needs nobody's attention.
    if noticed { Ok(()) } else { mark(out, AnsiColor::Yellow, "MUTANT", &format!("{id}: no test notices: {change}")) }
}

pub(super) fn summary(counts: &TestCounts, mutated: bool) -> String {
    let TestCounts { rules, passed, failed, unreadable, untested, mutants, unnoticed } = counts;
    let tests = counted(passed + failed + unreadable, "test");
    let troubles: Vec<String> = [(failed, "failed"), (unreadable, "unreadable"), (untested, "missing")]
        .into_iter()
        .filter(|(number, _)| **number > 0)
        .map(|(number, what)| format!(", {number} {what}"))
        .collect();
    let noticed = mutants - unnoticed;
    let mutants = if mutated {
        format!("; {}: {noticed} noticed, {unnoticed} not", counted(*mutants, "mutant"))
    } else {
        String::new()
    };
    format!("{tests} of {}: {passed} passed{}{mutants}", counted(*rules, "rule"), troubles.concat())
}
