//! The summary of a backtest, for people and for machines.

use std::io::{self, Write};

use anstyle::Style;
use serde::Serialize;

use super::alerts::Outcome;
use super::tally::{Names, Tally};
use super::time::date;
use crate::cli::check::counted;
use crate::cli::input::InputCounts;
use crate::cli::terminal::colour;
use crate::ruleset::RuleSet;
use crate::severity::Severity;
use crate::text;

/// Rows of the days' chart: beyond them days are taken together.
const CHART: usize = 31;
/// Characters of its longest bar.
const BAR: usize = 40;
/// Characters of a name.
const NAME: usize = 60;

/// As `--format json` prints it. Scripts read it: keys may join, none may change or go.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    pub(super) files: usize,
    pub(super) records: usize,
    pub(super) ignored: usize,
    pub(super) unreadable: usize,
    pub(super) interrupted: bool,
    /// Each once.
    pub(super) findings: u64,
    /// Findings of records that came again.
    pub(super) repeats: u64,
    /// Findings whose record has no time.
    pub(super) undated: u64,
    pub(super) staged: u64,
    pub(super) unrouted: u64,
    pub(super) rules: Vec<RuleLine>,
    /// Rules that found nothing.
    pub(super) silent: Vec<String>,
    pub(super) actors: Top,
    pub(super) addresses: Top,
    pub(super) days: Vec<DayLine>,
    pub(super) channels: Vec<ChannelLine>,
    /// The day with the most messages.
    pub(super) worst_day: Option<DayCount>,
    #[serde(skip)]
    pub(super) unplayed: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct RuleLine {
    pub(super) rule: String,
    pub(super) severity: Severity,
    pub(super) mode: &'static str,
    pub(super) findings: u64,
    pub(super) below_threshold: u64,
    pub(super) alerts: u64,
    pub(super) held_back: u64,
    pub(super) roll_ups: u64,
    pub(super) worst_day: Option<DayCount>,
}

#[derive(Debug, Serialize)]
pub(super) struct DayCount {
    pub(super) day: String,
    pub(super) count: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct DayLine {
    pub(super) day: String,
    pub(super) findings: u64,
    pub(super) messages: u64,
    #[serde(skip)]
    pub(super) number: i64,
}

#[derive(Debug, Serialize)]
pub(super) struct ChannelLine {
    pub(super) channel: String,
    pub(super) findings: u64,
    pub(super) below_threshold: u64,
    pub(super) alerts: u64,
    pub(super) held_back: u64,
    pub(super) roll_ups: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Top {
    /// How many there are.
    pub(super) distinct: usize,
    pub(super) names: Vec<NameCount>,
    /// Findings of those that were too many to be told apart.
    pub(super) others: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct NameCount {
    pub(super) name: String,
    pub(super) findings: u64,
}

impl Summary {
    pub(super) fn of(rules: &RuleSet, tally: &Tally<'_>, counts: &InputCounts, top: usize) -> Self {
        let mut lines: Vec<RuleLine> = Vec::new();
        let mut silent = Vec::new();
        for (rule, tallied) in rules.rules().iter().zip(&tally.by_rule) {
            let Outcome { findings, below_threshold, alerts, held_back, roll_ups } = tallied.outcome;
            if findings == 0 && rule.is_on() {
                silent.push(rule.info.id.clone());
            } else if let Some(severity) = tallied.highest {
                let worst = tallied.days.iter().max_by_key(|(day, count)| (**count, -**day));
                lines.push(RuleLine {
                    rule: rule.info.id.clone(),
                    severity,
                    mode: rule.info.mode.as_str(),
                    findings,
                    below_threshold,
                    alerts,
                    held_back,
                    roll_ups,
                    worst_day: worst.map(|(day, count)| DayCount { day: date(*day), count: *count }),
                });
            }
        }
        lines.sort_by(|a, b| b.findings.cmp(&a.findings).then_with(|| a.rule.cmp(&b.rule)));
        let days = tally.days().into_iter().map(|(day, counts)| DayLine {
            day: date(day),
            findings: counts.iter().sum(),
            messages: tally.alerts_by_day.get(&day).copied().unwrap_or_default(),
            number: day,
        });
        let channels = rules.channels().iter().zip(&tally.by_channel).map(|(channel, outcome)| {
            let Outcome { findings, below_threshold, alerts, held_back, roll_ups } = *outcome;
            ChannelLine { channel: channel.name.clone(), findings, below_threshold, alerts, held_back, roll_ups }
        });
        Self {
            files: counts.files,
            records: counts.records,
            ignored: counts.ignored,
            unreadable: counts.unreadable,
            interrupted: counts.interrupted,
            findings: tally.findings,
            repeats: tally.repeats,
            undated: tally.undated,
            staged: tally.staged,
            unrouted: tally.unrouted,
            rules: lines,
            silent,
            actors: Top::of(&tally.actors, top),
            addresses: Top::of(&tally.addresses, top),
            days: days.collect(),
            channels: channels.collect(),
            worst_day: tally.worst_day().map(|(day, count)| DayCount { day: date(day), count }),
            unplayed: tally.unplayed,
        }
    }

    /// `2025-03-03 to 2025-04-02`: the days of the first and the last finding.
    pub(super) fn span(&self) -> Option<String> {
        let (first, last) = (&self.days.first()?.day, &self.days.last()?.day);
        Some(if first == last { format!("on {first}") } else { format!("{first} to {last}") })
    }

    /// Prints it for people.
    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let bold = Style::new().bold();
        let span = self.span().map(|span| format!(", {span}")).unwrap_or_default();
        writeln!(
            out,
            "{bold}{} finding{}{bold:#} in {} from {}{}{}{span}",
            grouped(self.findings),
            if self.findings == 1 { "" } else { "s" },
            many(self.records, "record"),
            many(self.files, "file"),
            if self.ignored > 0 { format!(", {} ignored", grouped(self.ignored as u64)) } else { String::new() },
            if self.unreadable > 0 { format!(", {} unreadable", self.unreadable) } else { String::new() },
        )?;
        let below_threshold = self.rules.iter().map(|line| line.below_threshold).sum();
        for (count, what) in [
            (self.repeats, "of records that came again, counted once: CloudTrail delivers some twice"),
            (self.undated, "without a time, in no day's figures"),
            (self.staged, "of staged rules: nobody would have been told"),
            (self.unrouted, "that no channel takes"),
            (below_threshold, "before their rule's threshold is reached: nobody would have been told"),
            (self.unplayed, "too many for thresholds and throttles to be played back: they count as sent"),
        ] {
            if count > 0 {
                writeln!(out, "  {} {what}", grouped(count))?;
            }
        }
        if self.findings > 0 {
            self.print_rules(out)?;
            Self::print_top(out, "actor", &self.actors)?;
            Self::print_top(out, "source address", &self.addresses)?;
            self.print_days(out)?;
            self.print_channels(out)?;
        }
        if !self.silent.is_empty() {
            let shown = text::some_of(&self.silent);
            writeln!(out, "\n{} found nothing: {shown}", counted(self.silent.len(), "rule"))?;
        }
        Ok(())
    }

    fn print_rules(&self, out: &mut impl Write) -> io::Result<()> {
        let bold = Style::new().bold();
        let width = self.rules.iter().map(|line| line.rule.chars().count()).max().unwrap_or_default().clamp(4, NAME);
        writeln!(
            out,
            "\n{bold}{:<width$}  {:<9}  {:>9}  {:>9}  {:>9}  worst day{bold:#}",
            "rule", "severity", "findings", "alerts", "held back"
        )?;
        for line in &self.rules {
            let colour = colour(line.severity);
            let worst = line.worst_day.as_ref().map(|worst| format!("{}: {}", worst.day, grouped(worst.count)));
            writeln!(
                out,
                "{:<width$}  {colour}{:<9}{colour:#}  {:>9}  {:>9}  {:>9}  {}{}",
                text::clip(&line.rule, NAME),
                line.severity.as_str(),
                grouped(line.findings),
                grouped(line.alerts),
                grouped(line.held_back),
                worst.unwrap_or_default(),
                if line.mode == "stage" { "  (staged)" } else { "" },
            )?;
        }
        Ok(())
    }

    fn print_top(out: &mut impl Write, what: &str, top: &Top) -> io::Result<()> {
        let bold = Style::new().bold();
        let more = top.distinct.saturating_sub(top.names.len());
        let width = top.names.iter().map(|line| line.name.chars().count()).max().unwrap_or_default().clamp(14, NAME);
        writeln!(out, "\n{bold}{what:<width$}  {:>9}{bold:#}", "findings")?;
        for line in &top.names {
            writeln!(out, "{:<width$}  {:>9}", line.name, grouped(line.findings))?;
        }
        if more > 0 {
            writeln!(out, "and {} more", grouped(more as u64))?;
        }
        Ok(())
    }

    fn print_days(&self, out: &mut impl Write) -> io::Result<()> {
        let (Some(first), Some(last)) = (self.days.first(), self.days.last()) else { return Ok(()) };
        let span = usize::try_from(last.number - first.number + 1).unwrap_or(usize::MAX);
        let together = span.div_ceil(CHART).max(1);
        let mut bars: Vec<(i64, u64, u64)> = Vec::new();
        for start in (first.number..=last.number).step_by(together) {
            let end = start + i64::try_from(together).unwrap_or(i64::MAX);
            let within = self.days.iter().filter(|day| (start..end).contains(&day.number));
            let (findings, messages) = within.fold((0, 0), |sum, day| (sum.0 + day.findings, sum.1 + day.messages));
            bars.push((start, findings, messages));
        }
        let most = bars.iter().map(|bar| bar.1).max().unwrap_or_default().max(1);
        let bold = Style::new().bold();
        let what = if together == 1 { "day".to_owned() } else { format!("{together} days") };
        writeln!(out, "\n{bold}{what:<10}  {:>9}  {:>9}{bold:#}", "findings", "messages")?;
        for (start, findings, messages) in bars {
            let length = usize::try_from(findings * BAR as u64 / most).unwrap_or_default();
            let bar = if findings > 0 && length == 0 { "▏".to_owned() } else { "█".repeat(length) };
            let line = format!("{}  {:>9}  {:>9}  {bar}", date(start), grouped(findings), grouped(messages));
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    fn print_channels(&self, out: &mut impl Write) -> io::Result<()> {
        let bold = Style::new().bold();
        let width = self.channels.iter().map(|line| line.channel.chars().count()).max().unwrap_or_default();
        let width = width.clamp(7, NAME);
        writeln!(
            out,
            "\n{bold}{:<width$}  {:>9}  {:>9}  {:>9}  {:>9}{bold:#}",
            "channel", "findings", "alerts", "held back", "roll-ups"
        )?;
        for line in &self.channels {
            writeln!(
                out,
                "{:<width$}  {:>9}  {:>9}  {:>9}  {:>9}",
                text::clip(&line.channel, NAME),
                grouped(line.findings),
                grouped(line.alerts),
                grouped(line.held_back),
                grouped(line.roll_ups)
            )?;
        }
        if let Some(DayCount { day, count }) = &self.worst_day {
            writeln!(out, "most messages on one day: {} on {day}", grouped(*count))?;
        }
        Ok(())
    }
}

impl Top {
    fn of(names: &Names, most: usize) -> Self {
        let (top, distinct) = names.top(most);
        let line = |(name, findings): (&str, u64)| NameCount { name: shown(name), findings };
        Self { distinct, names: top.into_iter().map(line).collect(), others: names.others }
    }
}

/// A name that a caller may have chosen, fit to be read.
pub(super) fn shown(name: &str) -> String {
    text::one_line(name, NAME).into_owned()
}

fn many(number: usize, what: &str) -> String {
    format!("{} {what}{}", grouped(number as u64), if number == 1 { "" } else { "s" })
}

/// `1,234,567`
pub(in crate::cli) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let mut parts: Vec<&str> = Vec::new();
    if first > 0 {
        parts.push(&digits[..first]);
    }
    parts.extend((first..digits.len()).step_by(3).map(|place| &digits[place..place + 3]));
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }
}
