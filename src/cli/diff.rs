//! `offlimits diff`: which findings a change of the rules adds, and which it removes.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::backtest::{self, BacktestTally, grouped};
use super::findings::{self, EvaluatedFinding, FindingLine, FindingVisitor, write_line};
use super::input::Archive;
use super::{Exit, Format};
use crate::engine::{Scanned, Scanner};
use crate::ruleset::RuleSet;
use crate::scan::RecordVisitor;
use crate::text;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// A summary for people, or one JSON object for each finding that is added, removed or changed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
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
    /// Only the old rules do.
    Removed,
    /// Both do, with another severity, or for other channels.
    Changed,
    /// Both do, alike.
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
        take: &mut dyn FnMut(usize, Result<Pair, String>),
    ) -> Scanned {
        let mut before: BTreeMap<usize, Result<Vec<EvaluatedFinding>, String>> = BTreeMap::new();
        let mut both: BTreeMap<usize, Result<Vec<Pair>, String>> = BTreeMap::new();
        let scanned = self.0.records(old, text, |index, found| drop(before.insert(index, found)));
        self.1.records(new, text, |index, found| {
            let was = before.remove(&index).unwrap_or_else(|| Ok(Vec::new()));
            both.insert(index, was.and_then(|was| Ok(pairs(was, found?))));
        });
        both.extend(before.into_iter().map(|(index, was)| (index, was.map(|was| pairs(was, Vec::new())))));
        for (index, pairs) in both {
            match pairs {
                Ok(pairs) => pairs.into_iter().for_each(|pair| take(index, Ok(pair))),
                Err(reason) => take(index, Err(reason)),
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

/// How many of each change.
#[derive(Debug, Clone, Copy, Default)]
struct Changes([u64; 4]);

impl Changes {
    fn get(self, change: Change) -> u64 {
        self.0[change as usize]
    }

    fn is_none(self) -> bool {
        self.0[..3].iter().all(|count| *count == 0)
    }
}

pub(super) fn run(old: &RuleSet, new: &RuleSet, archive: &Archive, options: &Options) -> io::Result<Exit> {
    let mut out = io::BufWriter::new(anstream::AutoStream::auto(io::stdout()));
    // What both would have sent; and to count each finding once.
    let (mut before, mut after) = (BacktestTally::new(old), BacktestTally::new(new));
    let mut all = Changes::default();
    let mut by_rule: BTreeMap<String, Changes> = BTreeMap::new();
    let mut by_actor: HashMap<String, Changes> = HashMap::new();
    let counts = archive.each(
        &BothRuleSets(FindingVisitor::new(old), FindingVisitor::new(new)),
        |file, index, Pair { old: was, new: is }| {
            let first = [was.as_ref().is_some_and(|was| before.add(was)), is.as_ref().is_some_and(|is| after.add(is))];
            if first == [false, false] {
                return Ok(());
            }
            let change = match (&was, &is) {
                (None, _) => Change::Added,
                (_, None) => Change::Removed,
                (Some(was), Some(is)) => compare(old, was, new, is),
            };
            let Some(found) = is.as_ref().or(was.as_ref()) else { return Ok(()) };
            all.0[change as usize] += 1;
            by_rule.entry(found.finding.rule.id.clone()).or_default().0[change as usize] += 1;
            if change == Change::Kept {
                return Ok(());
            }
            let actor = found.finding.call.actor.as_deref().unwrap_or("(nobody named)");
            if by_actor.len() < ACTORS || by_actor.contains_key(actor) {
                by_actor.entry(actor.to_owned()).or_default().0[change as usize] += 1;
            }
            if options.format == Format::Jsonl {
                let channels = findings::channels(if is.is_some() { new } else { old }, &found.finding);
                let was = was.as_ref().filter(|_| change == Change::Changed);
                let line = DiffLine {
                    change,
                    was: was.map(|was| Was {
                        severity: was.finding.severity.as_str(),
                        channels: findings::channels(old, &was.finding),
                        mode: was.finding.rule.mode.as_str(),
                    }),
                    line: FindingLine::new(&found.finding, channels, file, index),
                };
                write_line(&mut out, &line)?;
            }
            Ok(())
        },
    )?;
    before.finish();
    after.finish();
    let mut by_actor: Vec<(String, Changes)> = by_actor.into_iter().filter(|(_, changes)| !changes.is_none()).collect();
    by_actor.sort_by(|a, b| {
        let size = |changes: Changes| changes.0[..3].iter().sum::<u64>();
        size(b.1).cmp(&size(a.1)).then_with(|| a.0.cmp(&b.0))
    });
    if options.format == Format::Human {
        let bold = Style::new().bold();
        writeln!(out, "{bold}{}{bold:#} in {}", sentence(all), counts.sentence())?;
        let rules = by_rule.iter().filter(|(_, changes)| !changes.is_none());
        table(&mut out, "rule", rules.map(|(name, changes)| (name.as_str(), *changes)), usize::MAX)?;
        table(&mut out, "actor", by_actor.iter().map(|(name, changes)| (name.as_str(), *changes)), options.top)?;
        for (name, tally) in [("old", &before), ("new", &after)] {
            if let Some((day, count)) = tally.worst_day() {
                writeln!(
                    out,
                    "\n{name} rules: {} findings; most messages on one day: {} on {day}",
                    grouped(tally.findings),
                    grouped(count),
                )?;
            } else {
                writeln!(out, "\n{name} rules: {} findings", grouped(tally.findings))?;
            }
        }
    } else {
        eprintln!("{} in {}", sentence(all), counts.sentence());
    }
    out.flush()?;
    Ok(backtest::end(&counts, options.max_per_day, &after))
}

/// Actors that are told apart. Callers choose some of their names.
const ACTORS: usize = 100_000;
/// Characters of a name.
const NAME: usize = 60;

fn compare(old: &RuleSet, was: &EvaluatedFinding, new: &RuleSet, is: &EvaluatedFinding) -> Change {
    let alike = was.finding.severity == is.finding.severity
        && was.finding.rule.mode == is.finding.rule.mode
        && findings::channels(old, &was.finding) == findings::channels(new, &is.finding);
    if alike { Change::Kept } else { Change::Changed }
}

fn sentence(changes: Changes) -> String {
    format!(
        "{} findings added, {} removed, {} changed, {} as before",
        grouped(changes.get(Change::Added)),
        grouped(changes.get(Change::Removed)),
        grouped(changes.get(Change::Changed)),
        grouped(changes.get(Change::Kept))
    )
}

fn table<'a>(
    out: &mut impl Write,
    what: &str,
    lines: impl Iterator<Item = (&'a str, Changes)>,
    most: usize,
) -> io::Result<()> {
    let lines: Vec<(String, Changes)> =
        lines.map(|(name, changes)| (text::one_line(name, NAME).into_owned(), changes)).collect();
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

/// A finding that changes, as `--format jsonl` prints it: what it is, or was, and what becomes of it.
#[derive(Serialize)]
struct DiffLine<'a> {
    change: Change,
    /// Of one that is changed: what the old rules made of it.
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
