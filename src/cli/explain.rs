//! `offlimits explain`: why each row of each rule does or does not match, with the values found.

use std::io::{self, Write};
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};

use super::{Exit, input};
use crate::finding::Call;
use crate::record::{Found, Record, Scope};
use crate::route::Refusal;
use crate::rules::condition::Condition;
use crate::rules::hours::Hours;
use crate::rules::{Cell, Rule, RuleSet, Table};
use crate::text;

/// Values of one cell that are shown, and characters of each.
const VALUES: usize = 3;
const VALUE_LIMIT: usize = 100;

pub(super) fn run(rules: &RuleSet, files: &[PathBuf], only: Option<&str>) -> io::Result<Exit> {
    if let Some(id) = only.filter(|id| !rules.rules().iter().any(|rule| rule.info.id == *id)) {
        eprintln!("error: no rule has the id \"{id}\"");
        return Ok(Exit::Unreadable);
    }
    let mut out = io::BufWriter::new(anstream::AutoStream::auto(io::stdout()));
    let counts = input::each(files, |file, opened, counts| {
        for raw in &opened.records {
            match Record::parse(&raw.json) {
                Err(reason) => input::unreadable(&format!("record {} of {file}", raw.index), &reason, counts),
                Ok(record) => explain(&mut out, rules, only, &record, &format!("{file}, record {}", raw.index))?,
            }
        }
        Ok(())
    })?;
    out.flush()?;
    Ok(if counts.unreadable > 0 { Exit::Unreadable } else { Exit::Done })
}

fn explain(out: &mut impl Write, rules: &RuleSet, only: Option<&str>, record: &Record, place: &str) -> io::Result<()> {
    let bold = Style::new().bold();
    writeln!(out, "{bold}{}{bold:#}\n{place}\n", Call::of(record).sentence)?;
    let mut asked: Vec<&Rule> = rules.rules().iter().filter(|rule| only.is_none_or(|id| rule.info.id == id)).collect();
    // What matches first, then the nearest misses.
    asked.sort_by_key(|rule| (rule.matched_row(record).is_none(), fewest_misses(&rule.when, record)));
    for rule in asked {
        explain_rule(out, rules, rule, record)?;
    }
    Ok(())
}

/// The false cells of the row that has fewest of them.
fn fewest_misses(table: &Table, record: &Record) -> usize {
    let misses = |cells: &[Cell]| cells.iter().filter(|cell| !cell.holds(Scope::Record(record))).count();
    table.0.iter().map(|row| misses(&row.0)).min().unwrap_or_default()
}

fn explain_rule(out: &mut impl Write, rules: &RuleSet, rule: &Rule, record: &Record) -> io::Result<()> {
    let id = &rule.info.id;
    let exception = rule.unless.iter().position(|exception| exception.covers(record));
    let row = rule.when.first_match(record);
    let verdict = match (rule.is_on(), row, exception) {
        (false, ..) => "is off".to_owned(),
        (true, None, _) => "does not match".to_owned(),
        (true, Some(row), Some(exception)) => {
            format!("matches by row {row}, and is allowed by exception {exception}: {}", rule.unless[exception].reason)
        }
        (true, Some(row), None) => format!("MATCHES by row {row}, severity {}", rule.severity_of(record)),
    };
    writeln!(out, "{id} {verdict}")?;
    table(out, "row", &rule.when, record)?;
    for (index, exception) in rule.unless.iter().enumerate() {
        let covers = if exception.covers(record) { "covers it" } else { "does not cover it" };
        writeln!(out, "  exception {index} ({}) {covers}", exception.reason)?;
        if exception.expires.is_some() && exception.when.first_match(record).is_some() && !exception.covers(record) {
            writeln!(out, "    it had expired when the record was written, or the record has no time")?;
        }
        table(out, "  row", &exception.when, record)?;
    }
    for finding in rules.evaluate_record(record).iter().filter(|finding| finding.rule.id == *id) {
        for (index, channel) in rules.channels().iter().enumerate() {
            let answer = match rules.refusal(finding, index) {
                None => "takes it".to_owned(),
                Some(Refusal::NotNamed) => "is not among the rule's \"notify\"".to_owned(),
                Some(Refusal::Filtered(key)) => format!("does not take it: its \"{key}\" does not accept it"),
            };
            writeln!(out, "  channel {} {answer}", channel.name)?;
        }
    }
    writeln!(out)
}

fn table(out: &mut impl Write, name: &str, table: &Table, record: &Record) -> io::Result<()> {
    for (index, row) in table.0.iter().enumerate() {
        let verdict = if row.holds(Scope::Record(record)) { "matches" } else { "does not match" };
        writeln!(out, "  {name} {index} {verdict}")?;
        for cell in &row.0 {
            explain_cell(out, cell, record)?;
        }
    }
    Ok(())
}

pub(super) fn explain_cell(out: &mut impl Write, cell: &Cell, record: &Record) -> io::Result<()> {
    let scope = Scope::Record(record);
    let holds = cell.holds(scope);
    let colour = if holds { AnsiColor::Green } else { AnsiColor::Red };
    let style = Style::new().fg_color(Some(colour.into()));
    let values = scope.values(&cell.field);
    let found = if values.is_empty() {
        // A missing field makes `not` true: say that nothing was found, so that nobody wonders.
        "the record has no such field".to_owned()
    } else {
        let more = values.len().saturating_sub(VALUES);
        let shown: Vec<String> =
            values.iter().take(VALUES).map(|value| format!("\"{}\"", shorten(&value.text()))).collect();
        let local = local_times(&cell.condition, &values);
        format!("found {}{}{local}", shown.join(", "), if more > 0 { format!(" +{more}") } else { String::new() })
    };
    let mark = if holds { "yes" } else { "no " };
    writeln!(out, "      {style}{mark}{style:#}  {} {}  ({found})", cell.field.written, shorten(&cell.written))
}

/// What a condition on hours compares: the times of its own zone.
fn local_times(condition: &Condition, values: &[Found<'_>]) -> String {
    let called = |hours: &Hours| {
        values.iter().find_map(|value| Some(format!(", there {}", hours.called(value.scalar()?)?))).unwrap_or_default()
    };
    match condition {
        Condition::Time { hours, .. } => called(hours),
        Condition::Not(condition) => local_times(condition, values),
        Condition::All(conditions) | Condition::Any(conditions) => {
            conditions.iter().map(|condition| local_times(condition, values)).collect()
        }
        _ => String::new(),
    }
}

fn shorten(value: &str) -> String {
    text::clip(&text::clean(value), VALUE_LIMIT).into_owned()
}
