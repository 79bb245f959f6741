//! `offlimits diff`: which findings a change of the rules adds, and which it removes.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::backtest::{self, BacktestTally};
use super::findings::{self, EvaluatedFinding, FindingLine, FindingVisitor};
use super::input::{Archive, InputCounts};
use super::lines::{LineFormat, write_line};
use super::words::{counted, grouped};
use super::{Exit, load};
use crate::engine::{EvaluateError, Scanned, Scanner};
use crate::ruleset::RuleSet;
use crate::scan::RecordVisitor;
use crate::text;

/// Tell which findings a change of the rules adds to archives of log files, and which it removes
#[derive(Debug, clap::Args)]
pub(super) struct DiffCommand {
    /// The rules as they are
    old: PathBuf,
    /// The rules as they would be
    new: PathBuf,
    #[command(flatten)]
    archive: Archive,
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
    /// How many actors are named
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
}

/// What a change makes of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Change {
    /// Only the new rules find it.
    Added,
    /// Only the old rules find it.
    Removed,
    /// Both find it, with another severity or mode, or for other channels.
    Changed,
    /// Both do, and nothing about it is different.
    Kept,
}

/// A finding before and after.
#[derive(Debug)]
struct Pair {
    old: Option<EvaluatedFinding>,
    new: Option<EvaluatedFinding>,
}

/// Both rule sets, over the same record.
struct BothRuleSets<'r>(FindingVisitor<'r>, FindingVisitor<'r>);

impl<'r> RecordVisitor for BothRuleSets<'r> {
    type Output = Pair;
    type State = (Scanner<'r>, Scanner<'r>);

    fn state(&self) -> Self::State {
        (self.0.state(), self.1.state())
    }

    fn document(
        &self,
        (old, new): &mut Self::State,
        text: &str,
        take: &mut dyn FnMut(usize, Result<Pair, EvaluateError>),
    ) -> Scanned {
        let mut before: BTreeMap<usize, Result<Vec<EvaluatedFinding>, EvaluateError>> = BTreeMap::new();
        let mut both: BTreeMap<usize, Result<Vec<Pair>, EvaluateError>> = BTreeMap::new();
        let scanned = self.0.records(old, text, |index, found| drop(before.insert(index, found)));
        self.1.records(new, text, |index, found| {
            let was = before.remove(&index).unwrap_or_else(|| Ok(Vec::new()));
            both.insert(index, was.and_then(|was| Ok(pairs(was, found?))));
        });
        both.extend(before.into_iter().map(|(index, was)| (index, was.map(|was| pairs(was, Vec::new())))));
        for (index, pairs) in both {
            match pairs {
                Ok(pairs) => pairs.into_iter().for_each(|pair| take(index, Ok(pair))),
                Err(error) => take(index, Err(error)),
            }
        }
        scanned
    }
}

/// What both rule sets find in one record.
fn pairs(old: Vec<EvaluatedFinding>, new: Vec<EvaluatedFinding>) -> Vec<Pair> {
    let mut new: Vec<Option<EvaluatedFinding>> = new.into_iter().map(Some).collect();
    let mut pairs = Vec::new();
    for old in old {
        let same = new.iter_mut().find(|new| new.as_ref().is_some_and(|new| new.finding.id == old.finding.id));
        pairs.push(Pair { new: same.and_then(Option::take), old: Some(old) });
    }
    pairs.extend(new.into_iter().flatten().map(|new| Pair { old: None, new: Some(new) }));
    pairs
}

/// How many findings there are of each [`Change`].
#[derive(Debug, Clone, Copy, Default)]
struct Changes([u64; 4]);

impl Changes {
    fn get(self, change: Change) -> u64 {
        self.0[change as usize]
    }

    /// Findings that are added, removed or changed.
    fn total(self) -> u64 {
        self.0[..3].iter().sum()
    }
}

impl DiffCommand {
    pub(super) fn run(&self) -> io::Result<Exit> {
        let (Some(old), Some(new)) = (load::load(&self.old), load::load(&self.new)) else {
            return Ok(Exit::Unreadable);
        };
        let mut out = io::BufWriter::new(anstream::AutoStream::auto(io::stdout()));
        // What both would have sent; and to count each finding once.
        let (mut before, mut after) = (BacktestTally::new(&old), BacktestTally::new(&new));
        let mut differences = Differences::default();
        let both = BothRuleSets(FindingVisitor::new(&old), FindingVisitor::new(&new));
        let counts = self.archive.each(&both, |file, index, Pair { old: was, new: is }| {
            let first = [was.as_ref().is_some_and(|was| before.add(was)), is.as_ref().is_some_and(|is| after.add(is))];
            if first == [false, false] {
                return Ok(());
            }
            let change = match (&was, &is) {
                (None, _) => Change::Added,
                (_, None) => Change::Removed,
                (Some(was), Some(is)) => compare(&old, was, &new, is),
            };
            let Some(found) = is.as_ref().or(was.as_ref()) else { return Ok(()) };
            differences.add(change, found);
            if change == Change::Kept || self.options.format == LineFormat::Human {
                return Ok(());
            }
            let channels = findings::channels(if is.is_some() { &new } else { &old }, &found.finding);
            let was = was.as_ref().filter(|_| change == Change::Changed);
            let line = DiffLine {
                change,
                was: was.map(|was| Was {
                    severity: was.finding.severity.as_str(),
                    channels: findings::channels(&old, &was.finding),
                    mode: was.finding.rule.mode.as_str(),
                }),
                line: FindingLine::new(&found.finding, channels, file, index),
            };
            write_line(&mut out, &line)
        })?;
        before.finish();
        after.finish();
        match self.options.format {
            LineFormat::Human => {
                differences.print(&mut out, &counts, self.options.top)?;
                print_worst_day(&mut out, "old", &before)?;
                print_worst_day(&mut out, "new", &after)?;
            }
            LineFormat::Jsonl => eprintln!("{} in {}", sentence(differences.all), counts.sentence()),
        }
        out.flush()?;
        Ok(backtest::end(&counts, self.options.max_per_day, &after))
    }
}

/// What a change of the rules makes of the findings, in numbers.
#[derive(Debug, Default)]
struct Differences {
    all: Changes,
    by_rule: BTreeMap<String, Changes>,
    /// By the name of who made the call; at most [`ACTORS`] of them.
    by_actor: HashMap<String, Changes>,
}

impl Differences {
    fn add(&mut self, change: Change, found: &EvaluatedFinding) {
        self.all.0[change as usize] += 1;
        self.by_rule.entry(found.finding.rule.id.clone()).or_default().0[change as usize] += 1;
        if change == Change::Kept {
            return;
        }
        let actor = found.finding.call.actor.as_deref().unwrap_or("(nobody named)");
        if self.by_actor.len() < ACTORS || self.by_actor.contains_key(actor) {
            self.by_actor.entry(actor.to_owned()).or_default().0[change as usize] += 1;
        }
    }

    /// Prints the numbers for people: in all, by rule, and by actor (the `top` of them with the most changes).
    fn print(&self, out: &mut impl Write, counts: &InputCounts, top: usize) -> io::Result<()> {
        let bold = Style::new().bold();
        writeln!(out, "{bold}{}{bold:#} in {}", sentence(self.all), counts.sentence())?;
        let named = |(name, changes): (&'_ String, &'_ Changes)| (name.clone(), *changes);
        let rules = self.by_rule.iter().map(named).filter(|(_, changes)| changes.total() > 0);
        table(out, "rule", rules, usize::MAX)?;
        let mut actors: Vec<(String, Changes)> = self.by_actor.iter().map(named).collect();
        actors.sort_by(|a, b| b.1.total().cmp(&a.1.total()).then_with(|| a.0.cmp(&b.0)));
        table(out, "actor", actors.into_iter(), top)
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

/// The most actors that are told apart: callers choose some of their names, and may choose a new one for each call.
const ACTORS: usize = 100_000;
/// The most characters of a name that are shown.
const NAME: usize = 60;

fn compare(old: &RuleSet, was: &EvaluatedFinding, new: &RuleSet, is: &EvaluatedFinding) -> Change {
    let alike = was.finding.severity == is.finding.severity
        && was.finding.rule.mode == is.finding.rule.mode
        && findings::channels(old, &was.finding) == findings::channels(new, &is.finding);
    if alike { Change::Kept } else { Change::Changed }
}

fn sentence(changes: Changes) -> String {
    format!(
        "{} added, {} removed, {} changed, {} as before",
        counted(changes.get(Change::Added), "finding"),
        grouped(changes.get(Change::Removed)),
        grouped(changes.get(Change::Changed)),
        grouped(changes.get(Change::Kept))
    )
}

fn table(
    out: &mut impl Write,
    what: &str,
    lines: impl Iterator<Item = (String, Changes)>,
    most: usize,
) -> io::Result<()> {
    let lines: Vec<(String, Changes)> =
        lines.map(|(name, changes)| (text::one_line(&name, NAME).into_owned(), changes)).collect();
    if lines.is_empty() {
        return Ok(());
    }
    let width = lines.iter().take(most).map(|(name, _)| name.chars().count()).max().unwrap_or_default().max(what.len());
    let (bold, green, red) = (
        Style::new().bold(),
        Style::new().fg_color(Some(AnsiColor::Green.into())),
        Style::new().fg_color(Some(AnsiColor::Red.into())),
    );
    writeln!(out, "\n{bold}{what:<width$}  {:>9}  {:>9}  {:>9}{bold:#}", "added", "removed", "changed")?;
    for (name, changes) in lines.iter().take(most) {
        let signed = |sign: &str, change| match changes.get(change) {
            0 => "0".to_owned(),
            count => format!("{sign}{}", grouped(count)),
        };
        writeln!(
            out,
            "{name:<width$}  {red}{:>9}{red:#}  {green}{:>9}{green:#}  {:>9}",
            signed("+", Change::Added),
            signed("-", Change::Removed),
            signed("", Change::Changed)
        )?;
    }
    if lines.len() > most {
        writeln!(out, "and {} more", grouped((lines.len() - most) as u64))?;
    }
    Ok(())
}

/// A finding that is added, removed or changed, as `--format jsonl` prints it: what becomes of it, and what it is, or was.
#[derive(Serialize)]
struct DiffLine<'a> {
    change: Change,
    /// Of a finding that is changed: what the old rules made of it.
    was: Option<Was<'a>>,
    #[serde(flatten)]
    line: FindingLine<'a>,
}

#[derive(Serialize)]
struct Was<'a> {
    severity: &'static str,
    channels: Vec<&'a str>,
    mode: &'static str,
}
