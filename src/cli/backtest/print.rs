//! The summary of a backtest, for people.

use std::io::{self, Write};
use std::time::Duration;

use anstyle::Style;

use super::delivery::DeliveryLine;
use super::summary::{BacktestSummary, ChannelLine, DayCount, NAME, TopNames};
use crate::cli::terminal::colour;
use crate::cli::words::{counted, grouped};
use crate::text;
use crate::time::{Date, Timestamp};

/// Rows of the days' chart: beyond them days are taken together.
const CHART: usize = 31;
/// Characters of its longest bar.
const BAR: usize = 40;

impl BacktestSummary {
    /// Prints it for people.
    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let bold = Style::new().bold();
        let span = self.span().map(|span| format!(", {span}")).unwrap_or_default();
        writeln!(
            out,
            "{bold}{}{bold:#} in {} from {}{}{}{span}",
            counted(self.findings, "finding"),
            counted(self.records as u64, "record"),
            counted(self.files as u64, "file"),
            if self.ignored > 0 { format!(", {} ignored", grouped(self.ignored as u64)) } else { String::new() },
            if self.unreadable > 0 { format!(", {} unreadable", self.unreadable) } else { String::new() },
        )?;
        if let Some(parts) = self.parts.as_ref().filter(|parts| parts.missing > 0) {
            writeln!(out, "  PARTIAL: {} of {} have not been read", parts.missing, counted(parts.planned, "part"))?;
        }
        for (count, what) in [
            (self.repeats, "of records that came again, counted once: CloudTrail delivers some twice"),
            (self.undated, "without a time: played back with the finding before them, and in no day's findings"),
            (self.staged, "of staged rules: nobody would have been told"),
            (self.unrouted, "that no channel takes"),
            (self.sent.below_threshold, "before their rule's threshold is reached: nobody would have been told"),
            (self.sent.duplicates, "deliveries of calls that another account recorded too: told once"),
            (self.sent.merged, "deliveries told in the message of another finding of the same record"),
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
        if let Some(delivery) = &self.delivery {
            Self::print_delivery(out, delivery)?;
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
            "\n{bold}{:<width$}  {:<9}  {:>9}  {:>9}  {:>9}  {:>9}  worst day{bold:#}",
            "rule", "severity", "findings", "alerts", "held back", "digested"
        )?;
        for line in &self.rules {
            let colour = colour(line.severity);
            let worst = line.worst_day.as_ref().map(|worst| format!("{}: {}", worst.day, grouped(worst.count)));
            writeln!(
                out,
                "{:<width$}  {colour}{:<9}{colour:#}  {:>9}  {:>9}  {:>9}  {:>9}  {}{}",
                text::clip(&line.rule, NAME),
                line.severity.as_str(),
                grouped(line.findings),
                grouped(line.sent.alerts),
                grouped(line.sent.held_back),
                grouped(line.sent.digested),
                worst.unwrap_or_default(),
                if line.mode == "stage" { "  (staged: as if it alerted)" } else { "" },
            )?;
        }
        Ok(())
    }

    fn print_top(out: &mut impl Write, what: &str, top: &TopNames) -> io::Result<()> {
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
        let number = |date: Date| usize::try_from(first.date.days_until(date)).unwrap_or_default();
        let together = (number(last.date) + 1).div_ceil(CHART).max(1);
        let mut bars = vec![(0_u64, 0_u64); number(last.date) / together + 1];
        for day in &self.days {
            let (findings, messages) = &mut bars[number(day.date) / together];
            *findings += day.findings;
            *messages += day.sent.messages;
        }
        let most = bars.iter().map(|bar| bar.0).max().unwrap_or_default().max(1);
        let bold = Style::new().bold();
        let what = if together == 1 { "day".to_owned() } else { format!("{together} days") };
        writeln!(out, "\n{bold}{what:<10}  {:>9}  {:>9}{bold:#}", "findings", "messages")?;
        let mut start = first.date;
        for (findings, messages) in bars {
            let length = usize::try_from(findings * BAR as u64 / most).unwrap_or_default();
            let bar = if findings > 0 && length == 0 { "▏".to_owned() } else { "█".repeat(length) };
            let line = format!("{start}  {:>9}  {:>9}  {bar}", grouped(findings), grouped(messages));
            writeln!(out, "{}", line.trim_end())?;
            start = later(start, together);
        }
        Ok(())
    }

    fn print_delivery(out: &mut impl Write, delivery: &DeliveryLine) -> io::Result<()> {
        let bold = Style::new().bold();
        writeln!(
            out,
            "\n{bold}{:<26}  {:>11}  {:>7}  USD for 100 million such records{bold:#}",
            "EventBridge delivers", "records", "%"
        )?;
        for (what, line) in [
            ("EventPatterns=wide", &delivery.wide),
            ("EventPatterns=derived", &delivery.derived),
            ("RuleState=ENABLED_WITH_ALL", &delivery.all),
        ] {
            let (percent, dollars) = (line.percent, line.dollars_for_100_million);
            writeln!(out, "{what:<26}  {:>11}  {percent:>7.2}  {dollars:>8.2}", grouped(line.delivered))?;
        }
        Ok(())
    }

    /// The columns of the channels' table. Updates are of channels with incidents alone.
    fn columns(&self) -> impl Iterator<Item = ChannelColumn> + use<> {
        let has_updates = self.sent.updates > 0;
        COLUMNS.into_iter().filter(move |(title, _)| has_updates || *title != UPDATES)
    }

    fn print_channels(&self, out: &mut impl Write) -> io::Result<()> {
        let bold = Style::new().bold();
        let width = self.channels.iter().map(|line| line.channel.chars().count()).max().unwrap_or_default();
        let width = width.clamp(7, NAME);
        write!(out, "\n{bold}{:<width$}", "channel")?;
        for (title, _) in self.columns() {
            write!(out, "  {title:>9}")?;
        }
        writeln!(out, "{bold:#}")?;
        for line in &self.channels {
            write!(out, "{:<width$}", text::clip(&line.channel, NAME))?;
            for (_, figure) in self.columns() {
                write!(out, "  {:>9}", grouped(figure(line)))?;
            }
            writeln!(out)?;
        }
        writeln!(out, "{} = {}", counted(self.sent.messages, "message"), self.parts())?;
        if let Some(DayCount { day, count }) = &self.worst_day {
            writeln!(out, "most messages on one day: {} on {day}", grouped(*count))?;
        }
        if let Some(staged) = &self.if_staged_alerted {
            write!(out, "if the staged rules alerted: {}", counted(staged.sent.messages, "message"))?;
            match &staged.worst_day {
                Some(DayCount { day, count }) => writeln!(out, ", at most {} on one day, {day}", grouped(*count))?,
                None => writeln!(out)?,
            }
        }
        Ok(())
    }
}

/// A column of the channels' table: its title, and its figure.
type ChannelColumn = (&'static str, fn(&ChannelLine) -> u64);

const UPDATES: &str = "updates";

const COLUMNS: [ChannelColumn; 8] = [
    ("findings", |line| line.findings),
    ("held back", |line| line.sent.held_back),
    ("digested", |line| line.sent.digested),
    ("alerts", |line| line.sent.alerts),
    ("roll-ups", |line| line.sent.roll_ups),
    (UPDATES, |line| line.sent.updates),
    ("digests", |line| line.sent.digests),
    ("messages", |line| line.sent.messages),
];

/// The day so many days later.
fn later(date: Date, days: usize) -> Date {
    let start = u64::try_from(date.days_since_epoch()).unwrap_or_default();
    let days = Duration::from_hours(24).saturating_mul(u32::try_from(days).unwrap_or(u32::MAX));
    Timestamp::default().plus(Duration::from_hours(24 * start)).plus(days).date()
}
