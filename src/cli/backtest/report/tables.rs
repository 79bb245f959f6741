//! The tables of the page: the most frequent names, and what each channel would have been sent.

use maud::{Markup, html};

use super::markup::{count, count_as_f64, name as severity_name};
use crate::cli::backtest::messages::MessageCounts;
use crate::cli::backtest::summary::{BacktestSummary, NameCount, TopNames};
use crate::cli::words::grouped;
use crate::severity::Severity;

/// Names that a list shows.
const TOP: usize = 10;

/// The most frequent rules, actors and addresses.
pub(super) fn tops(summary: &BacktestSummary) -> Markup {
    let rules = summary.rules.iter().map(|line| (line.rule.as_str(), line.findings, Some(line.severity))).collect();
    html! {
        div.tops {
            (top("Rules", "rule", rules, summary.rules.len(), 0))
            (top("Actors", "text", names(&summary.actors), summary.actors.distinct, summary.actors.others))
            (top("Source addresses", "text", names(&summary.addresses), summary.addresses.distinct,
                 summary.addresses.others))
        }
    }
}

/// What each channel would have been sent, and how the figures are made.
pub(super) fn channels(summary: &BacktestSummary) -> Markup {
    let findings = summary.channels.iter().map(|line| line.findings).sum();
    html! {
        section.card aria-labelledby="channels" {
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
                "Messages = alerts + roll-ups + updates + digests. Findings = alerts + held back + digested + below threshold. "
                "Every record is taken to arrive at its own time, and every channel to take what it is sent. "
                @if let Some(staged) = &summary.if_staged_alerted {
                    (grouped(summary.staged)) " findings of staged rules go to nobody; if these rules alerted, it would be "
                    (count(staged.sent.messages, "message")) ". "
                }
                @if summary.unrouted > 0 { (grouped(summary.unrouted)) " findings are taken by no channel. " }
                @if summary.unplayed > 0 {
                    (grouped(summary.unplayed)) " findings were too many to be played back: each counts as sent. "
                }
                @if !summary.silent.is_empty() {
                    (count(summary.silent.len() as u64, "rule")) " found nothing: "
                    (summary.silent.iter().take(20).cloned().collect::<Vec<_>>().join(", "))
                    @if summary.silent.len() > 20 { " and " (summary.silent.len() - 20) " more" } "."
                }
            }
        }
    }
}

/// A column of the channels' table: its title, and its figure. What is sent comes first: a phone shows no more.
type ChannelColumn = (&'static str, fn(u64, &MessageCounts) -> u64);

const UPDATES: &str = "Updates";

const COLUMNS: [ChannelColumn; 9] = [
    ("Findings", |findings, _| findings),
    ("Messages", |_, sent| sent.messages),
    ("Alerts", |_, sent| sent.alerts),
    ("Roll-ups", |_, sent| sent.roll_ups),
    (UPDATES, |_, sent| sent.updates),
    ("Digests", |_, sent| sent.digests),
    ("Held back", |_, sent| sent.held_back),
    ("Digested", |_, sent| sent.digested),
    ("Below threshold", |_, sent| sent.below_threshold),
];

/// The columns that have anything to show: updates are of channels with incidents alone.
fn columns(summary: &BacktestSummary) -> impl Iterator<Item = ChannelColumn> + use<> {
    let has_updates = summary.sent.updates > 0;
    COLUMNS.into_iter().filter(move |(title, _)| has_updates || *title != UPDATES)
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

/// A name, its findings, and the highest severity among them where that is known.
type NameLine<'n> = (&'n str, u64, Option<Severity>);

fn names(top: &TopNames) -> Vec<NameLine<'_>> {
    top.names.iter().map(|NameCount { name, findings }| (name.as_str(), *findings, None)).collect()
}

/// A list of the most frequent names, each with a bar, which filter the table.
fn top(title: &str, filter: &str, mut names: Vec<NameLine<'_>>, distinct: usize, others: u64) -> Markup {
    names.truncate(TOP);
    let most = names.iter().map(|line| line.1).max().unwrap_or_default().max(1);
    html! {
        section.card.top aria-label=(title) {
            h2 { (title) }
            ol {
                @for (name, findings, severity) in &names {
                    li {
                        button type="button" data-filter=(filter) data-value=(name) {
                            span.name {
                                @if let Some(severity) = severity {
                                    span.swatch.(severity.as_str()) title=(severity_name(*severity)) {}
                                }
                                (name)
                            }
                            span.count { (grouped(*findings)) }
                            svg.gauge viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true" {
                                rect width="100" height="1" {}
                                rect.part width=(format!("{:.2}", count_as_f64(*findings) * 100.0 / count_as_f64(most)))
                                    height="1" {}
                            }
                        }
                    }
                }
            }
            @if distinct > names.len() { p.note { "and " (grouped((distinct - names.len()) as u64)) " more" } }
            @if others > 0 { p.note { (grouped(others)) " findings of names too many to be told apart" } }
        }
    }
}
