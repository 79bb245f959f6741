//! Prints verdicts, for people and for machines.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::verdict::{CellVerdict, ExceptionVerdict, RowVerdict, RuleOutcome, RuleVerdict, shorten};
use crate::change::Change;
use crate::cli::words::counted;
use crate::cloudtrail::ApiCall;
use crate::cloudtrail::Record;
use crate::finding::Step;
use crate::rules::Cell;
use crate::rules::field::FieldTarget;

/// Prints verdicts for people.
pub(super) struct Printer<W> {
    pub(super) out: W,
    /// Rules that do not match, and rows of each rule, that are shown.
    pub(super) nearest: usize,
}

impl<W: Write> Printer<W> {
    /// `verdicts`: in the order of [`RuleVerdict::distance`].
    pub(super) fn record(
        &mut self,
        (call, changes): (&ApiCall, &[Change]),
        file: &str,
        index: usize,
        verdicts: &[RuleVerdict<'_>],
    ) -> io::Result<()> {
        let bold = Style::new().bold();
        writeln!(self.out, "{bold}{}{bold:#}\n{file}, record {index}", call.sentence)?;
        let what = if call.failed { "asked for" } else { "changed" };
        changes.iter().try_for_each(|change| writeln!(self.out, "  {what}: {change}"))?;
        writeln!(self.out)?;
        let hits = verdicts.iter().take_while(|verdict| verdict.distance().0 < 2).count();
        let shown = hits.saturating_add(self.nearest).min(verdicts.len());
        verdicts[..shown].iter().try_for_each(|verdict| self.verdict(verdict))?;
        if verdicts.len() > shown {
            let others = &verdicts[shown..];
            let off = others.iter().filter(|verdict| verdict.outcome == RuleOutcome::Off).count();
            let (rules, and_off) = (
                counted(others.len() - off, "other rule"),
                if off > 0 { format!(", {off} off") } else { String::new() },
            );
            writeln!(self.out, "{rules} further from matching{and_off}: --all shows them\n")?;
        }
        Ok(())
    }

    fn verdict(&mut self, verdict: &RuleVerdict<'_>) -> io::Result<()> {
        let (bold, id) = (Style::new().bold(), &verdict.rule.info.id);
        let says = match (verdict.outcome, &verdict.finding) {
            (RuleOutcome::Off, _) => "is off".to_owned(),
            (RuleOutcome::Miss { failing }, _) => format!("does not match: {} away", counted(failing, "cell")),
            (RuleOutcome::Excepted { row, exception }, _) => {
                let reason = verdict.exceptions[exception].reason;
                format!("matches by row {row}, and is allowed by exception {exception}: {}", shorten(reason))
            }
            (RuleOutcome::Match { row }, Some(finding)) => {
                let staged = if verdict.is_staged() { ", staged: nobody is told" } else { "" };
                format!("MATCHES by row {row}, severity {}{staged}", finding.severity)
            }
            (RuleOutcome::Match { row }, None) => format!("MATCHES by row {row}"),
        };
        writeln!(self.out, "{bold}{id}{bold:#} {says}")?;
        for events in &verdict.rule.needs_events {
            writeln!(
                self.out,
                "  needs {} events, which are not delivered by themselves: {}",
                events.as_str(),
                events.remedy()
            )?;
        }
        self.rows("row", &verdict.rows)?;
        for (index, exception) in verdict.exceptions.iter().enumerate() {
            let covers = match exception {
                ExceptionVerdict { covers: true, .. } => "covers it".to_owned(),
                ExceptionVerdict { early: true, .. } => {
                    "would cover it, but had not begun when the record was written".to_owned()
                }
                ExceptionVerdict { expired: true, .. } => {
                    "would cover it, but had expired when the record was written (or the record has no time)".to_owned()
                }
                ExceptionVerdict { exceeded: Some(highest), .. } => {
                    format!("would cover it, but allows findings up to {highest} alone")
                }
                _ => "does not cover it".to_owned(),
            };
            writeln!(self.out, "  exception {index} ({}) {covers}", shorten(exception.reason))?;
            self.rows("  row", &exception.rows)?;
        }
        for (name, refusal) in &verdict.channels {
            match refusal {
                None if verdict.is_staged() => writeln!(self.out, "  channel {name} would take it")?,
                None => writeln!(self.out, "  channel {name} takes it")?,
                Some(because) => writeln!(self.out, "  channel {name} does not take it: {because}")?,
            }
        }
        for (index, step) in verdict.steps().iter().enumerate() {
            writeln!(self.out, "  {} {}", if index == 0 { "do first:" } else { "then:" }, step.text)?;
            if let Some(command) = &step.command {
                writeln!(self.out, "    {command}")?;
            }
        }
        writeln!(self.out)
    }

    fn rows(&mut self, name: &str, rows: &[RowVerdict<'_>]) -> io::Result<()> {
        for row in rows.iter().take(self.nearest.max(1)) {
            let verdict = match row.failing() {
                0 => "matches".to_owned(),
                failing => format!("does not match: {failing} of {} false", counted(row.cells.len(), "cell")),
            };
            writeln!(self.out, "  {name} {} {verdict}", row.index)?;
            row.cells.iter().try_for_each(|cell| print_cell(&mut self.out, cell))?;
        }
        if rows.len() > self.nearest.max(1) {
            let more = counted(rows.len() - self.nearest.max(1), &format!("other {}", name.trim()));
            writeln!(self.out, "  {more} no nearer")?;
        }
        Ok(())
    }
}

/// One cell: whether it holds, what it asks, and what the record has.
pub(in crate::cli) fn explain_cell(out: &mut impl Write, cell: &Cell, record: &Record) -> io::Result<()> {
    print_cell(out, &CellVerdict::new(cell, record))
}

fn print_cell(out: &mut impl Write, verdict: &CellVerdict<'_>) -> io::Result<()> {
    let CellVerdict { cell, holds, values, more, places, local } = verdict;
    let found = if values.is_empty() {
        // A missing field makes `not` true: say that nothing was found, so that nobody wonders.
        match cell.field.target {
            FieldTarget::Derived(_) | FieldTarget::Targets => "the call says nothing of it".to_owned(),
            _ => "the record has no such field".to_owned(),
        }
    } else {
        let mut places = places.iter();
        let shown = values.iter().map(|value| match places.next() {
            Some(place) => format!("\"{value}\" in {place}"),
            None => format!("\"{value}\""),
        });
        let shown: Vec<String> = shown.collect();
        let number = if cell.condition.counts() { counted(shown.len() + more, "value") } else { String::new() };
        let number = if number.is_empty() { number } else { format!(", {number}") };
        let more = if *more > 0 { format!(" +{more}") } else { String::new() };
        let local = local.as_ref().map(|local| format!(", there {local}")).unwrap_or_default();
        format!("found {}{more}{number}{local}", shown.join(", "))
    };
    let (mark, colour) = if *holds { ("yes", AnsiColor::Green) } else { ("no ", AnsiColor::Red) };
    let style = Style::new().fg_color(Some(colour.into()));
    writeln!(out, "      {style}{mark}{style:#}  {} {}  ({found})", cell.field.written, shorten(&cell.written))
}

/// A verdict as `--format jsonl` prints it. See [`crate::cli::lines`] for what may change.
#[derive(Serialize)]
pub(super) struct VerdictLine<'a> {
    file: &'a str,
    index: usize,
    event_id: Option<&'a str>,
    rule: &'a str,
    /// `match`, `excepted`, `miss` or `off`.
    verdict: &'static str,
    mode: &'static str,
    /// The events that the rule needs beyond those that every deployment hears of.
    needs_events: Vec<&'static str>,
    /// The row that matches.
    row: Option<usize>,
    /// The exception that allows it.
    exception: Option<usize>,
    severity: Option<&'static str>,
    finding: Option<&'a str>,
    /// False cells of the nearest row.
    failing: usize,
    rows: Vec<LineRow<'a>>,
    exceptions: Vec<LineException<'a>>,
    channels: Vec<LineChannel<'a>>,
    /// What to do first, if it matches.
    steps: &'a [Step],
}

#[derive(Serialize)]
struct LineRow<'a> {
    row: usize,
    matches: bool,
    cells: Vec<LineCell<'a>>,
}

#[derive(Serialize)]
struct LineCell<'a> {
    field: &'a str,
    /// As the rule has it: JSON.
    condition: &'a str,
    holds: bool,
    /// The first values, cleaned and clipped.
    values: &'a [String],
    more: usize,
    /// Of a derived field: where the record says each of `values`. Empty for any other.
    places: &'a [String],
    /// For a condition on hours: the time in its zone.
    local: Option<&'a str>,
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the printed JSON")]
struct LineException<'a> {
    reason: &'a str,
    covers: bool,
    early: bool,
    expired: bool,
    exceeded: bool,
    rows: Vec<LineRow<'a>>,
}

#[derive(Serialize)]
struct LineChannel<'a> {
    channel: &'a str,
    takes: bool,
    because: Option<&'a str>,
}

impl<'a> VerdictLine<'a> {
    pub(super) fn new(verdict: &'a RuleVerdict<'a>, record: &'a Record<'_>, file: &'a str, index: usize) -> Self {
        let (word, row, exception) = match verdict.outcome {
            RuleOutcome::Match { row } => ("match", Some(row), None),
            RuleOutcome::Excepted { row, exception } => ("excepted", Some(row), Some(exception)),
            RuleOutcome::Miss { .. } => ("miss", None, None),
            RuleOutcome::Off => ("off", None, None),
        };
        Self {
            file,
            index,
            event_id: record.non_empty(&["eventID"]),
            rule: &verdict.rule.info.id,
            verdict: word,
            mode: verdict.rule.info.mode.as_str(),
            needs_events: verdict.rule.needs_events.iter().map(|events| events.as_str()).collect(),
            row,
            exception,
            severity: verdict.finding.as_ref().map(|finding| finding.severity.as_str()),
            finding: verdict.finding.as_ref().map(|finding| finding.id.as_str()),
            failing: verdict.rows.first().map_or(0, RowVerdict::failing),
            rows: line_rows(&verdict.rows),
            exceptions: verdict.exceptions.iter().map(LineException::new).collect(),
            channels: verdict
                .channels
                .iter()
                .map(|(channel, because)| LineChannel {
                    channel,
                    takes: because.is_none(),
                    because: because.as_deref(),
                })
                .collect(),
            steps: verdict.steps(),
        }
    }
}

impl<'a> LineException<'a> {
    fn new(exception: &'a ExceptionVerdict<'a>) -> Self {
        let ExceptionVerdict { reason, covers, early, expired, exceeded, rows } = exception;
        Self {
            reason,
            covers: *covers,
            early: *early,
            expired: *expired,
            exceeded: exceeded.is_some(),
            rows: line_rows(rows),
        }
    }
}

fn line_rows<'a>(rows: &'a [RowVerdict<'a>]) -> Vec<LineRow<'a>> {
    rows.iter()
        .map(|row| LineRow {
            row: row.index,
            matches: row.failing() == 0,
            cells: row
                .cells
                .iter()
                .map(|cell| LineCell {
                    field: &cell.cell.field.written,
                    condition: &cell.cell.written,
                    holds: cell.holds,
                    values: &cell.values,
                    more: cell.more,
                    places: &cell.places,
                    local: cell.local.as_deref(),
                })
                .collect(),
        })
        .collect()
}
