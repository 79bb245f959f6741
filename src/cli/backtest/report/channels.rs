//! What each channel would have been sent, as a table.

use maud::{Markup, html};

use super::markup::count;
use crate::cli::backtest::messages::MessageCounts;
use crate::cli::backtest::summary::BacktestSummary;
use crate::cli::words::grouped;

/// What each channel would have been sent, and how the figures are made.
pub(super) fn channels(summary: &BacktestSummary) -> Markup {
    let findings = summary.channels.iter().map(|line| line.findings).sum();
    html! {
        section.card.channels aria-labelledby="channels" {
            h2 #channels { "What would have been sent" }
            div.scroll tabindex="0" role="region" aria-labelledby="channels" {
                table {
                    thead { tr {
                        th scope="col" { "Channel" }
                        @for (title, _) in columns(summary) { th.number scope="col" { (title) } }
                    } }
                    tbody {
                        @for line in &summary.channels { (channel(columns(summary), (&line.channel, line.findings, &line.sent))) }
                    }
                    @if summary.channels.len() > 1 {
                        tfoot { (channel(columns(summary), ("All channels", findings, &total(summary)))) }
                    }
                }
            }
            p.note {
                "Messages = alerts + roll-ups + updates + digests. Findings = alerts + held back + digested + merged + duplicates + below threshold. "
                "Every record is taken to arrive at its own time, and every channel to take what it is sent. "
                @if let Some(staged) = &summary.if_staged_alerted {
                    (grouped(summary.staged)) " findings of staged rules go to nobody; if these rules alerted, it would be "
                    (count(staged.sent.messages, "message")) ". "
                }
                @if summary.unrouted > 0 { (grouped(summary.unrouted)) " findings are taken by no channel. " }
            }
        }
    }
}

/// A column of the channels' table: its title, and its figure. What is sent comes first: a phone shows no more.
type ChannelColumn = (&'static str, fn(u64, &MessageCounts) -> u64);

const COLUMNS: [ChannelColumn; 11] = [
    ("Findings", |findings, _| findings),
    ("Messages", |_, sent| sent.messages),
    ("Alerts", |_, sent| sent.alerts),
    ("Roll-ups", |_, sent| sent.roll_ups),
    ("Updates", |_, sent| sent.updates),
    ("Digests", |_, sent| sent.digests),
    ("Held back", |_, sent| sent.held_back),
    ("Digested", |_, sent| sent.digested),
    ("Merged", |_, sent| sent.merged),
    ("Duplicates", |_, sent| sent.duplicates),
    ("Below threshold", |_, sent| sent.below_threshold),
];

/// Columns that are left out where they have nothing to show.
const RARE: [&str; 3] = ["Updates", "Merged", "Duplicates"];

/// The columns that have anything to show.
fn columns(summary: &BacktestSummary) -> impl Iterator<Item = ChannelColumn> + use<'_> {
    let is_used = |figure: fn(u64, &MessageCounts) -> u64| figure(0, &summary.sent) > 0;
    COLUMNS.into_iter().filter(move |(title, figure)| !RARE.contains(title) || is_used(*figure))
}

fn channel(
    columns: impl Iterator<Item = ChannelColumn>,
    (name, findings, sent): (&str, u64, &MessageCounts),
) -> Markup {
    html! {
        tr {
            th scope="row" { (name) }
            @for (_, figure) in columns { td.number { (grouped(figure(findings, sent))) } }
        }
    }
}

/// The sum of the channels: a finding below its rule's threshold is in it once for each channel that it would go to.
fn total(summary: &BacktestSummary) -> MessageCounts {
    let below_threshold = summary.channels.iter().map(|line| line.sent.below_threshold).sum();
    MessageCounts { below_threshold, ..summary.sent }
}
