//! What `offlimits test` prints for people.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::case::{Case, Failure};
use crate::cli::explain::explain_cell;
use crate::cloudtrail::Record;
use crate::rules::{Row, Rule, Scope};

/// A word in the margin, and what it is said of.
pub(super) fn mark(out: &mut impl Write, colour: AnsiColor, word: &str, rest: &str) -> io::Result<()> {
    let style = Style::new().bold().fg_color(Some(colour.into()));
    writeln!(out, "{style}{word:<7}{style:#} {rest}")
}

/// What a test that failed expected, and the cells that are to blame.
pub(super) fn explain(out: &mut impl Write, rule: &Rule, case: &Case<'_>, failure: &Failure) -> io::Result<()> {
    let (test, record) = (case.test, case.telling(rule, failure));
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
    fn telling(&self, rule: &Rule, failure: &Failure) -> &Record<'static> {
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
