//! The command itself: plays the archive back, prints, writes the report, and decides the exit code.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::ValueEnum;

use super::delivery::DeliveryVisitor;
use super::report::ReportBuilder;
use super::summary::BacktestSummary;
use super::tally::BacktestTally;
use crate::cli::Exit;
use crate::cli::findings::{self, EvaluatedFinding, FindingLine, FindingVisitor, Telling};
use crate::cli::input::{Archive, InputCounts};
use crate::cli::lines::write_line;
use crate::cli::load::RulesOption;
use crate::cli::out;
use crate::cli::selection::RuleSelection;
use crate::cli::words::counted;
use crate::rules::quoted;
use crate::ruleset::RuleSet;
use crate::runs::Bounds;

const HELP: &str = "\
A PATH may be a file or a folder of CloudTrail's log files, plain or gzip, of any size; memory stays small. What cannot be \
read is named, and the rest goes on (exit code 2). Ctrl-C ends with the figures so far, and tells how to go on.

Examples:
  offlimits backtest AWSLogs/                          How loud would these rules have been?
  offlimits backtest AWSLogs/ --format jsonl           Every finding, one JSON object a line
  offlimits backtest AWSLogs/ --report report.html     A page to read and to share
  offlimits backtest AWSLogs/ --max-per-day 20         For CI: fail if any day has more messages";

/// Count what the rules would have found in archives of log files, and what would have been sent
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(in crate::cli) struct BacktestCommand {
    #[command(flatten)]
    archive: Archive,
    #[command(flatten)]
    rules: RulesOption,
    #[command(flatten)]
    selection: RuleSelection,
    #[command(flatten)]
    output: BacktestOutput,
    /// Tell too what share of the records EventBridge would deliver, by the patterns of the rules and without, and what it would cost. Every
    /// record is read whole for it, which takes several times as long
    #[arg(long)]
    delivery: bool,
}

/// What becomes of the findings: options that `history report` shares.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct BacktestOutput {
    /// What is printed: a summary for people, the same as one JSON object, or every finding, one JSON object a line
    #[arg(long, value_enum, default_value_t = BacktestFormat::Human)]
    pub(in crate::cli) format: BacktestFormat,
    /// Fail (exit code 1) if a day has more messages than this, on all channels together: alerts, roll-ups and digests,
    /// staged rules included as if they alerted
    #[arg(long, value_name = "N")]
    pub(in crate::cli) max_per_day: Option<u64>,
    /// Write a report as one page of HTML that needs no network
    #[arg(long, value_name = "FILE.html")]
    pub(in crate::cli) report: Option<PathBuf>,
    /// How many rules, actors and addresses the summary names
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(in crate::cli) top: usize,
}

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum BacktestFormat {
    /// A summary for people.
    Human,
    /// The summary as one JSON object.
    Json,
    /// Every finding, one JSON object a line; the summary goes to stderr.
    Jsonl,
}

impl BacktestCommand {
    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        let Some(rules) = &self.rules.load() else { return Ok(Exit::Unreadable) };
        let mut out = out::stdout();
        let command = typed();
        let (selection, bounds) = (&self.selection, Bounds::default());
        let played = BacktestPlayed { rules, selection, delivery: self.delivery, command: &command, bounds };
        self.output.run(&played, &mut out, |visitor, take| self.archive.each(visitor, take))
    }
}

/// What is played back.
pub(in crate::cli) struct BacktestPlayed<'r> {
    pub(in crate::cli) rules: &'r RuleSet,
    pub(in crate::cli) selection: &'r RuleSelection,
    pub(in crate::cli) delivery: bool,
    /// As the report shows it.
    pub(in crate::cli) command: &'r str,
    /// How much of the findings is kept in memory.
    pub(in crate::cli) bounds: Bounds,
}

/// Takes each finding of an archive, with its file and its record's place there, in the archive's order.
pub(in crate::cli) type TakeFinding<'t> = dyn FnMut(&str, usize, EvaluatedFinding) -> io::Result<()> + 't;

impl BacktestOutput {
    /// Plays back what `each` hands over, which is given what evaluates the records, and who takes the findings; prints, and writes the
    /// report.
    ///
    /// # Errors
    /// Those of `each`, and of what is written.
    pub(in crate::cli) fn run(
        &self,
        played: &BacktestPlayed<'_>,
        out: &mut impl Write,
        each: impl FnOnce(&DeliveryVisitor<'_>, &mut TakeFinding<'_>) -> io::Result<InputCounts>,
    ) -> io::Result<Exit> {
        let BacktestPlayed { rules, selection, delivery, command, bounds } = *played;
        if !selection.is_of(&[rules]) {
            return Ok(Exit::Unreadable);
        }
        let mut tally = BacktestTally::within(rules, bounds);
        // Better now than after an hour. An older report stays what it is until there is a new one.
        if let Some(path) = &self.report
            && let Err(error) = OpenOptions::new().create(true).append(true).open(path)
        {
            eprintln!("error: cannot write the report: {}: {error}", path.display());
            return Ok(Exit::Unreadable);
        }
        #[expect(clippy::disallowed_methods, reason = "the command line's own; the function never comes here")]
        let now = std::time::SystemTime::now();
        let mut report = self.report.as_ref().map(|path| (path, ReportBuilder::new(rules, now.into())));
        let both = findings::with_issuing_calls(rules);
        let telling = match &report {
            _ if self.format == BacktestFormat::Jsonl => Telling::Whole,
            Some((_, report)) => Telling::Listed(report.cutoff()),
            None => Telling::Outline,
        };
        let visitor = FindingVisitor::new(rules).of(selection).following(both.as_ref()).telling(telling);
        let visitor = DeliveryVisitor::new(rules, visitor, delivery);
        let counts = each(&visitor, &mut |file: &str, index: usize, found: EvaluatedFinding| {
            let is_first = tally.add(&found)?;
            if found.session.is_some() {
                return Ok(());
            }
            let channels = findings::channels(rules, &found.finding);
            if let Some((_, report)) = report.as_mut().filter(|_| is_first) {
                report.add(&found, &channels, file, index);
            }
            if self.format == BacktestFormat::Jsonl {
                write_line(out, &FindingLine::new(&found.finding, channels, file, index))?;
            }
            Ok(())
        })?;
        tally.finish()?;
        let summary =
            BacktestSummary { delivery: visitor.line(), ..BacktestSummary::new(rules, &tally, &counts, self.top) };
        // Before the summary: whoever reads that may stop reading, as `head` does.
        if let Some((path, report)) = report
            && let Err(error) = report.write(path, &tally, &summary, command)
        {
            eprintln!("error: cannot write the report: {}: {error}", path.display());
            return Ok(Exit::Unreadable);
        }
        match self.format {
            BacktestFormat::Human => summary.print(out)?,
            BacktestFormat::Json => write_line(out, &summary)?,
            BacktestFormat::Jsonl => summary.print(&mut anstream::stderr())?,
        }
        out.flush()?;
        Ok(end(&counts, self.max_per_day, &tally))
    }
}

/// The command line as it was typed, fit for a shell.
pub(in crate::cli) fn typed() -> String {
    let words = std::env::args_os().skip(1).map(|word| quoted(&word.to_string_lossy()));
    std::iter::once("offlimits".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

/// Says what is left to say, and how it ended.
pub(in crate::cli) fn end(counts: &InputCounts, max_per_day: Option<u64>, tally: &BacktestTally<'_>) -> Exit {
    let sent = tally.sent_with_staged();
    let too_loud = match (max_per_day, sent.worst_day()) {
        (Some(most), Some((day, count))) if count > most => {
            let days = sent.by_day.values().filter(|counts| counts.messages > most).count();
            eprintln!(
                "error: {day} has {}, and --max-per-day allows {most} ({} in all)",
                counted(count, "message"),
                counted(days, "such day")
            );
            true
        }
        _ => false,
    };
    counts.remedy();
    if counts.interrupted {
        Exit::Interrupted
    } else if counts.failed() {
        Exit::Unreadable
    } else if too_loud {
        Exit::Wrong
    } else {
        Exit::Done
    }
}
