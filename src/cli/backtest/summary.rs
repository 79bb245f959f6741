//! The summary of a backtest, as `--format json` prints it. `print.rs` prints it for people, `report/` as a page.

use std::collections::BTreeSet;

use serde::Serialize;

use super::delivery::DeliveryLine;
use super::messages::{MessageCounts, SentMessages};
use super::names::NameTally;
use super::tally::BacktestTally;
use crate::cli::input::{InputCounts, PartCounts};
use crate::cli::words::counted;
use crate::ruleset::RuleSet;
use crate::severity::Severity;
use crate::text;
use crate::time::Date;

/// Characters of a name.
pub(super) const NAME: usize = 60;

/// As `--format json` prints it: docs/commands/backtest.md has the meaning of every key. See [`crate::cli::lines`] for what may
/// change.
#[derive(Debug, Serialize)]
pub(super) struct BacktestSummary {
    pub(super) files: usize,
    pub(super) records: usize,
    pub(super) ignored: usize,
    pub(super) unreadable: usize,
    pub(super) skipped: usize,
    pub(super) interrupted: bool,
    /// Each once. findings = staged + unrouted + below threshold + routed
    pub(super) findings: u64,
    /// Findings of records that came again.
    pub(super) repeats: u64,
    /// Findings whose record has no time.
    pub(super) undated: u64,
    pub(super) staged: u64,
    pub(super) unrouted: u64,
    pub(super) routed: u64,
    /// What is sent to all channels together.
    #[serde(flatten)]
    pub(super) sent: MessageCounts,
    pub(super) rules: Vec<RuleLine>,
    /// Rules that found nothing.
    pub(super) silent: Vec<String>,
    pub(super) actors: TopNames,
    pub(super) addresses: TopNames,
    pub(super) days: Vec<DayLine>,
    pub(super) channels: Vec<ChannelLine>,
    /// The day with the most messages.
    pub(super) worst_day: Option<DayCount>,
    /// What would be sent if the staged rules alerted; nothing if they found nothing.
    pub(super) if_staged_alerted: Option<StagedLine>,
    /// Of an archive that was read in parts: which of them are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parts: Option<PartCounts>,
    /// What EventBridge would have delivered, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delivery: Option<DeliveryLine>,
}

#[derive(Debug, Serialize)]
pub(super) struct RuleLine {
    pub(super) rule: String,
    pub(super) severity: Severity,
    pub(super) mode: &'static str,
    pub(super) findings: u64,
    /// Of a staged rule: what it would send if all staged rules alerted.
    #[serde(flatten)]
    pub(super) sent: MessageCounts,
    /// The day with the most of its findings.
    pub(super) worst_day: Option<DayCount>,
}

#[derive(Debug, Serialize)]
pub(super) struct DayCount {
    pub(super) day: String,
    pub(super) count: u64,
}

impl DayCount {
    fn new((day, count): (Date, u64)) -> Self {
        Self { day: day.to_string(), count }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct DayLine {
    pub(super) day: String,
    pub(super) findings: u64,
    #[serde(flatten)]
    pub(super) sent: MessageCounts,
    #[serde(skip)]
    pub(super) date: Date,
}

#[derive(Debug, Serialize)]
pub(super) struct ChannelLine {
    pub(super) channel: String,
    /// That the channel accepts. findings = below threshold + alerts + held back + digested
    pub(super) findings: u64,
    #[serde(flatten)]
    pub(super) sent: MessageCounts,
    /// Alerts of one severity that it takes in a minute.
    pub(super) max_per_minute: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct StagedLine {
    #[serde(flatten)]
    pub(super) sent: MessageCounts,
    pub(super) worst_day: Option<DayCount>,
}

impl StagedLine {
    fn new(sent: &SentMessages) -> Self {
        Self { sent: sent.total, worst_day: sent.worst_day().map(DayCount::new) }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct TopNames {
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

impl BacktestSummary {
    pub(super) fn new(rules: &RuleSet, tally: &BacktestTally<'_>, counts: &InputCounts, top: usize) -> Self {
        let mut lines: Vec<RuleLine> = Vec::new();
        let mut silent = Vec::new();
        for (place, (rule, tallied)) in rules.rules().iter().zip(&tally.by_rule).enumerate() {
            let mode = rule.info.mode.as_str();
            let sent = if mode == "stage" { tally.sent_with_staged() } else { &tally.sent };
            if tallied.findings == 0 && rule.is_on() {
                silent.push(rule.info.id.clone());
            } else if let Some(severity) = tallied.highest {
                let worst = tallied.days.iter().max_by_key(|(day, count)| (**count, std::cmp::Reverse(**day)));
                lines.push(RuleLine {
                    rule: rule.info.id.clone(),
                    severity,
                    mode,
                    findings: tallied.findings,
                    sent: sent.by_rule[place],
                    worst_day: worst.map(|(day, count)| DayCount::new((*day, *count))),
                });
            }
        }
        lines.sort_by(|a, b| b.findings.cmp(&a.findings).then_with(|| a.rule.cmp(&b.rule)));
        let channels = rules.channels().iter().enumerate().map(|(place, channel)| ChannelLine {
            channel: channel.name.clone(),
            findings: tally.accepted[place],
            sent: tally.sent.by_channel[place],
            max_per_minute: channel.max_per_minute,
        });
        Self {
            files: counts.files,
            records: counts.records,
            ignored: counts.ignored,
            unreadable: counts.unreadable,
            skipped: counts.skipped(),
            interrupted: counts.interrupted,
            findings: tally.findings,
            repeats: tally.repeats,
            undated: tally.undated,
            staged: tally.staged,
            unrouted: tally.sent.unrouted,
            routed: tally.sent.routed,
            sent: tally.sent.total,
            rules: lines,
            silent,
            actors: TopNames::new(&tally.actors, top),
            addresses: TopNames::new(&tally.addresses, top),
            days: days(tally),
            channels: channels.collect(),
            worst_day: tally.worst_day().map(DayCount::new),
            if_staged_alerted: tally.sent_if_staged_alerted.as_ref().map(StagedLine::new),
            parts: counts.parts.clone(),
            delivery: None,
        }
    }

    /// `2025-03-03 to 2025-04-02`: the days of the first and the last finding.
    pub(super) fn span(&self) -> Option<String> {
        let mut found = self.days.iter().filter(|day| day.findings > 0);
        let first = found.next()?;
        let last = found.next_back().unwrap_or(first);
        Some(if first.day == last.day { format!("on {}", first.day) } else { format!("{} to {}", first.day, last.day) })
    }

    /// `60 alerts + 15 roll-ups + 1 digest`: what the messages to all channels are made of.
    pub(super) fn parts(&self) -> String {
        let MessageCounts { alerts, roll_ups, updates, digests, .. } = self.sent;
        let mut parts = vec![(alerts, "alert"), (roll_ups, "roll-up"), (digests, "digest")];
        if updates > 0 {
            parts.insert(2, (updates, "update"));
        }
        parts.into_iter().map(|(n, what)| counted(n, what)).collect::<Vec<_>>().join(" + ")
    }
}

/// The days on which something happened, or something would have been sent: a roll-up may fall on the day after.
fn days(tally: &BacktestTally<'_>) -> Vec<DayLine> {
    let findings = tally.days();
    let sent = tally.sent.by_day.iter().filter(|(_, counts)| counts.messages > 0).map(|(day, _)| day);
    let all: BTreeSet<Date> = findings.keys().chain(sent).copied().collect();
    let line = |date: Date| DayLine {
        day: date.to_string(),
        findings: findings.get(&date).map_or(0, |counts| counts.iter().sum()),
        sent: tally.sent.by_day.get(&date).copied().unwrap_or_default(),
        date,
    };
    all.into_iter().map(line).collect()
}

impl TopNames {
    fn new(names: &NameTally, most: usize) -> Self {
        let (top, distinct) = names.top(most);
        let line = |(name, findings): (&str, u64)| NameCount { name: shown(name), findings };
        Self { distinct, names: top.into_iter().map(line).collect(), others: names.others }
    }
}

/// A name that a caller may have chosen, fit to be read.
pub(super) fn shown(name: &str) -> String {
    text::one_line(name, NAME).into_owned()
}
