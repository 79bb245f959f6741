//! What a change of the rules makes of the findings, in numbers.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::change::{Change, Changes};
use super::pair::Pair;
use crate::cli::input::InputCounts;
use crate::cli::words::{counted, grouped};
use crate::severity::Severity;
use crate::text;

/// The most actors that are told apart: callers choose some of their names, and may choose a new one for each call.
const ACTORS: usize = 100_000;
/// The most characters of a name that are shown.
const NAME: usize = 60;

/// What a change of the rules makes of the findings, in numbers.
#[derive(Debug, Default)]
pub(super) struct Differences {
    pub(super) all: Changes,
    by_rule: BTreeMap<String, Changes>,
    /// By the name of who made the call; at most [`ACTORS`] of them.
    by_actor: HashMap<String, Changes>,
    /// Of findings whose severity changed: the rule, what it was, and what it is.
    severities: BTreeMap<(String, Severity, Severity), u64>,
}

impl Differences {
    pub(super) fn add(&mut self, change: Change, pair: &Pair) {
        let Some(found) = pair.found() else { return };
        let rule = &found.finding.rule.id;
        self.all.add(change);
        self.by_rule.entry(rule.clone()).or_default().add(change);
        if let (Some(was), Some(is)) = (&pair.old, &pair.new)
            && was.finding.severity != is.finding.severity
        {
            *self.severities.entry((rule.clone(), was.finding.severity, is.finding.severity)).or_default() += 1;
        }
        if change == Change::Kept {
            return;
        }
        let actor = found.finding.call.actor.as_deref().unwrap_or("(nobody named)");
        if self.by_actor.len() < ACTORS || self.by_actor.contains_key(actor) {
            self.by_actor.entry(actor.to_owned()).or_default().add(change);
        }
    }

    /// Prints the numbers for people: in all, by rule, and by actor (the `top` of them with the most changes).
    pub(super) fn print(&self, out: &mut impl Write, counts: &InputCounts, top: usize) -> io::Result<()> {
        let bold = Style::new().bold();
        writeln!(out, "{bold}{}{bold:#} in {}", self.all.sentence(), counts.sentence())?;
        let named = |(name, changes): (&'_ String, &'_ Changes)| (name.clone(), *changes);
        let rules = self.by_rule.iter().map(named).filter(|(_, changes)| changes.total() > 0);
        table(out, "rule", rules, usize::MAX)?;
        self.print_severities(out)?;
        let mut actors: Vec<(String, Changes)> = self.by_actor.iter().map(named).collect();
        actors.sort_by(|a, b| b.1.total().cmp(&a.1.total()).then_with(|| a.0.cmp(&b.0)));
        table(out, "actor", actors.into_iter(), top)
    }

    fn print_severities(&self, out: &mut impl Write) -> io::Result<()> {
        let bold = Style::new().bold();
        for (place, ((rule, was, is), count)) in self.severities.iter().enumerate() {
            if place == 0 {
                writeln!(out, "\n{bold}severities{bold:#}")?;
            }
            let rule = text::one_line(rule, NAME);
            writeln!(out, "{rule}: {} -> {} in {}", was.as_str(), is.as_str(), counted(*count, "finding"))?;
        }
        Ok(())
    }
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
