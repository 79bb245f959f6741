//! `offlimits backtest`: what the rules would have found in archives, and what would have been sent.

mod messages;
mod names;
mod playback;
mod print;
mod report;
mod summary;
mod tally;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::ValueEnum;

use self::report::ReportBuilder;
use self::summary::BacktestSummary;
pub(super) use self::summary::grouped;
pub(super) use self::tally::BacktestTally;
use super::check::counted;
use super::findings::{self, FindingLine, FindingVisitor, write_line};
use super::input::Archive;
use super::{Exit, input};
use crate::ruleset::RuleSet;

pub(super) const HELP: &str = "\
A PATH may be a file or a folder of CloudTrail's log files, plain or gzip, of any size; memory stays small. What cannot be \
read is named, and the rest goes on (exit code 2). Ctrl-C ends with the figures so far, and tells how to go on.

Examples:
  offlimits backtest AWSLogs/                          How loud would these rules have been?
  offlimits backtest AWSLogs/ --format jsonl           Every finding, one JSON object a line
  offlimits backtest AWSLogs/ --report report.html     A page to read and to share
  offlimits backtest AWSLogs/ --max-per-day 20         For CI: fail if any day has more messages";

#[derive(Debug, clap::Args)]
pub(super) struct BacktestOptions {
    /// What is printed: a summary for people, the same as one JSON object, or every finding, one JSON object a line
    #[arg(long, value_enum, default_value_t = BacktestFormat::Human)]
    format: BacktestFormat,
    /// Fail (exit code 1) if a day has more messages than this, on all channels together: alerts, roll-ups and digests,
    /// staged rules included as if they alerted
    #[arg(long, value_name = "N")]
    max_per_day: Option<u64>,
    /// Write a report as one page of HTML that needs no network
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// How many rules, actors and addresses the summary names
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
}

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum BacktestFormat {
    /// A summary for people.
    Human,
    /// The summary as one JSON object.
    Json,
    /// Every finding, one JSON object a line; the summary goes to stderr.
    Jsonl,
}

pub(super) fn run(rules: &RuleSet, archive: &Archive, options: &BacktestOptions) -> io::Result<Exit> {
    let mut out = io::BufWriter::new(anstream::AutoStream::auto(io::stdout()));
    let mut tally = BacktestTally::new(rules);
    // Better now than after an hour.
    if let Some(path) = &options.report
        && let Err(error) = File::create(path)
    {
        eprintln!("error: cannot write the report: {}: {error}", path.display());
        return Ok(Exit::Unreadable);
    }
    let mut report = options.report.as_ref().map(|path| (path, ReportBuilder::default()));
    let counts = archive.each(&FindingVisitor::new(rules), |file, index, found| {
        let is_first = tally.add(&found);
        let channels = findings::channels(rules, &found.finding);
        if let Some((_, report)) = report.as_mut().filter(|_| is_first) {
            report.add(&found, &channels, &format!("{file}, record {index}"));
        }
        if options.format == BacktestFormat::Jsonl {
            write_line(&mut out, &FindingLine::new(&found.finding, channels, file, index))?;
        }
        Ok(())
    })?;
    tally.finish();
    let summary = BacktestSummary::new(rules, &tally, &counts, options.top);
    // Before the summary: whoever reads that may stop reading, as `head` does.
    if let Some((path, report)) = report
        && let Err(error) = report.write(path, rules, &tally, &summary)
    {
        eprintln!("error: cannot write the report: {}: {error}", path.display());
        return Ok(Exit::Unreadable);
    }
    match options.format {
        BacktestFormat::Human => summary.print(&mut out)?,
        BacktestFormat::Json => write_line(&mut out, &summary)?,
        BacktestFormat::Jsonl => summary.print(&mut anstream::stderr())?,
    }
    out.flush()?;
    Ok(end(&counts, options.max_per_day, &tally))
}

/// Says what is left to say, and how it ended.
pub(super) fn end(counts: &input::InputCounts, max_per_day: Option<u64>, tally: &BacktestTally<'_>) -> Exit {
    let sent = tally.sent_with_staged();
    let too_loud = match (max_per_day, sent.worst_day()) {
        (Some(most), Some((day, count))) if count > most => {
            let days = sent.by_day.values().filter(|counts| counts.messages > most).count();
            eprintln!(
                "error: {day} has {}, and --max-per-day allows {most} ({} in all)",
                counted(usize::try_from(count).unwrap_or(usize::MAX), "message"),
                counted(days, "such day")
            );
            true
        }
        _ => false,
    };
    counts.remedy();
    if counts.interrupted {
        Exit::Interrupted
    } else if counts.unreadable > 0 {
        Exit::Unreadable
    } else if too_loud {
        Exit::Wrong
    } else {
        Exit::Done
    }
}
