//! The command itself: walks the archive once for both rule sets, prints, and decides the exit code.

use std::io::{self, Write};
use std::path::PathBuf;

use super::change::{Change, Changes};
use super::differences::Differences;
use super::line::{Both, Place};
use super::pair::{BothRuleSets, Pair};
use crate::cli::backtest::{self, BacktestTally};
use crate::cli::input::Archive;
use crate::cli::lines::LineFormat;
use crate::cli::selection::RuleSelection;
use crate::cli::words::{counted, grouped};
use crate::cli::{Exit, load, out};

/// Tell which findings a change of the rules adds to archives of log files, and which it removes
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct DiffCommand {
    /// The rules as they are
    old: PathBuf,
    /// The rules as they would be
    new: PathBuf,
    #[command(flatten)]
    archive: Archive,
    #[command(flatten)]
    selection: RuleSelection,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, clap::Args)]
struct Options {
    /// A summary for people, or one JSON object for each finding that is added, removed or changed
    #[arg(long, value_enum, default_value_t = LineFormat::Human)]
    format: LineFormat,
    /// Fail (exit code 1) if the new rules would send more messages than this on any day, on all channels together: alerts,
    /// roll-ups and digests, staged rules included as if they alerted
    #[arg(long, value_name = "N")]
    max_per_day: Option<u64>,
    /// List every finding that is added, removed or changed, and not only the first of them
    #[arg(long)]
    all: bool,
    /// How many actors are named
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
}

/// The most findings that are listed, unless all are asked for.
const LISTED: u64 = 20;

impl DiffCommand {
    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        let (Some(old), Some(new)) = (load::load(&self.old), load::load(&self.new)) else {
            return Ok(Exit::Unreadable);
        };
        if !self.selection.is_of(&[&new, &old]) {
            return Ok(Exit::Unreadable);
        }
        let mut out = out::stdout();
        // What both would have sent; and to count each finding once.
        let (mut before, mut after) = (BacktestTally::new(&old), BacktestTally::new(&new));
        let mut differences = Differences::default();
        let both = Both { old: &old, new: &new };
        let sets = BothRuleSets::new(&old, &new);
        let most = if self.options.all { u64::MAX } else { LISTED };
        let counts = self.archive.each(&sets.visitor(), |file, index, pair| {
            if !self.takes(&pair) {
                return Ok(());
            }
            let first = [
                pair.old.as_ref().map_or(Ok(false), |was| before.add(was))?,
                pair.new.as_ref().map_or(Ok(false), |is| after.add(is))?,
            ];
            if first == [false, false] {
                return Ok(());
            }
            let change = Change::of(&old, &new, &pair);
            differences.add(change, &pair);
            if change == Change::Kept {
                return Ok(());
            }
            let place = Place { file, index };
            match self.options.format {
                LineFormat::Human if differences.all.total() > most => Ok(()),
                LineFormat::Human => both.write_human(&mut out, change, &pair, place),
                LineFormat::Jsonl => both.write_json(&mut out, change, &pair, place),
            }
        })?;
        before.finish()?;
        after.finish()?;
        match self.options.format {
            LineFormat::Human => {
                print_rest(&mut out, differences.all, most)?;
                differences.print(&mut out, &counts, self.options.top)?;
                print_worst_day(&mut out, "old", &before)?;
                print_worst_day(&mut out, "new", &after)?;
            }
            LineFormat::Jsonl => eprintln!("{} in {}", differences.all.sentence(), counts.sentence()),
        }
        out.flush()?;
        Ok(backtest::end(&counts, self.options.max_per_day, &after))
    }

    /// Whether a pair is asked about: what is as bad as asked under one of the rule sets.
    fn takes(&self, Pair { old, new }: &Pair) -> bool {
        [old, new].into_iter().flatten().any(|found| self.selection.takes_finding(&found.finding))
    }
}

/// Says how many findings are not listed, and leaves a line between the list and the numbers.
fn print_rest(out: &mut impl Write, all: Changes, most: u64) -> io::Result<()> {
    match all.total() {
        0 => Ok(()),
        total if total > most => writeln!(out, "and {} more: --all lists them\n", grouped(total - most)),
        _ => writeln!(out),
    }
}

fn print_worst_day(out: &mut impl Write, name: &str, tally: &BacktestTally<'_>) -> io::Result<()> {
    let found = counted(tally.findings, "finding");
    match tally.worst_day() {
        Some((day, count)) => {
            let count = grouped(count);
            writeln!(out, "\n{name} rules: {found}; most messages on one day: {count} on {day}")
        }
        None => writeln!(out, "\n{name} rules: {found}"),
    }
}
