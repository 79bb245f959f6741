//! The page itself.

use std::collections::BTreeSet;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::Listed;
use super::chart::{Bar, Chart};
use crate::cli::backtest::grouped;
use crate::cli::backtest::summary::{NameCount, Summary, Top};
use crate::severity::Severity;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// Names that a list shows.
const TOP: usize = 10;

/// All that the page shows.
pub(super) struct Page<'p> {
    pub(super) summary: &'p Summary,
    pub(super) chart: Chart,
    pub(super) listed: &'p BTreeSet<Listed>,
    /// Findings that are not listed.
    pub(super) left_out: u64,
    pub(super) digest: &'p str,
    /// How many rules there are.
    pub(super) rules: usize,
}

impl Page<'_> {
    pub(super) fn html(&self) -> String {
        // Nothing but our own style and script, told by their hashes, may take effect: not even what an error of ours let
        // through.
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
            hash(STYLE),
            hash(SCRIPT)
        );
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(policy);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="referrer" content="no-referrer";
                    title { "offlimits backtest: " (self.headline()) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    a.skip href="#findings" { "Skip to the findings" }
                    header { (self.header()) }
                    main {
                        (self.tiles())
                        (self.timeline())
                        (self.tops())
                        (self.channels())
                        (self.findings())
                    }
                    footer {
                        "Made by offlimits. This page holds all its data, and asks nothing of any network. Rules "
                        code { (self.digest) } "."
                    }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        };
        page.into_string()
    }

    fn headline(&self) -> String {
        count(self.summary.findings, "finding")
    }

    fn header(&self) -> Markup {
        let Summary { records, files, ignored, unreadable, interrupted, .. } = self.summary;
        html! {
            p.brand { "offlimits " span { "backtest" } }
            h1 { (self.headline()) }
            p.lead {
                "in " (count(*records as u64, "record")) " from " (count(*files as u64, "file"))
                @if let Some(span) = self.summary.span() { ", " span.whole { (span) } } ". Times are UTC."
            }
            @if *ignored > 0 || *unreadable > 0 || *interrupted {
                p.warning role="note" {
                    @if *interrupted { "The run was interrupted: the figures are those of the files read until then. " }
                    @if *unreadable > 0 { (count(*unreadable as u64, "input")) " could not be read. " }
                    @if *ignored > 0 { (grouped(*ignored as u64)) " ignored, not being CloudTrail’s." }
                }
            }
        }
    }

    fn tiles(&self) -> Markup {
        let summary = self.summary;
        let messages: u64 = summary.days.iter().map(|day| day.messages).sum();
        let worst = summary.worst_day.as_ref();
        html! {
            dl.tiles aria-label="At a glance" {
                (tile("Findings", &grouped(summary.findings), &match summary.repeats {
                    0 => "each record once".to_owned(),
                    repeats => format!("and {} of records that came twice", grouped(repeats)),
                }))
                (tile("Messages", &grouped(messages), "after throttling, staged rules included"))
                (tile("Busiest day", &worst.map_or("none".to_owned(), |worst| grouped(worst.count)),
                      &worst.map_or("no messages".to_owned(), |worst| format!("messages, {}", worst.day))))
                (tile("Rules that matched", &summary.rules.len().to_string(), &format!("of {}", self.rules)))
                (tile("Actors", &grouped(summary.actors.distinct as u64),
                      &format!("from {}", count(summary.addresses.distinct as u64, "address"))))
            }
        }
    }

    fn timeline(&self) -> Markup {
        let chart = &self.chart;
        if chart.bars.is_empty() {
            return html! {};
        }
        let top = chart.top();
        let last = chart.bars.len() - 1;
        // The first, the last, and three between.
        let ticks: BTreeSet<usize> = (0..=4).map(|tick| last * tick / 4).collect();
        let middle = |bar: usize| (count_as_f64(bar as u64) + 0.5) * 100.0 / count_as_f64(chart.bars.len() as u64);
        let used: Vec<Severity> =
            Severity::ALL.into_iter().filter(|s| chart.bars.iter().any(|bar| bar.counts[*s as usize] > 0)).collect();
        let label = format!(
            "{} from {} to {}, at most {} in one {}",
            self.headline(),
            chart.label(chart.bars[0].start),
            chart.label(chart.bars[last].start),
            grouped(chart.bars.iter().map(Bar::total).max().unwrap_or_default()),
            chart.step()
        );
        html! {
            section.card aria-labelledby="timeline" {
                div.heading {
                    h2 #timeline { "Findings per " (chart.step()) }
                    ul.legend aria-label="Severities" {
                        @for severity in used.iter().rev() {
                            li { span.swatch.(severity.as_str()) {} (name(*severity)) }
                        }
                    }
                }
                figure.chart {
                    div.scale aria-hidden="true" { span { (grouped(top)) } span { (grouped(top / 2)) } span { "0" } }
                    div.plot {
                        svg role="img" aria-label=(label) viewBox=(format!("0 0 {} 100", chart.bars.len() * 10))
                            preserveAspectRatio="none" {
                            @for (place, bar) in chart.bars.iter().enumerate() {
                                @if bar.total() > 0 { (self.bar(place, bar, top)) }
                            }
                        }
                        svg.ticks.long[!chart.is_one_day()] aria-hidden="true" {
                            @for tick in ticks {
                                text x=(format!("{:.3}%", middle(tick))) y="14" class=[end_of(middle(tick), if chart.is_one_day() { 5.0 } else { 15.0 })] {
                                    (chart.tick(chart.bars[tick].start))
                                }
                            }
                        }
                    }
                }
                details.figures {
                    summary { "The figures" }
                    div.scroll tabindex="0" role="region" aria-label="Findings over time" {
                        table {
                            thead { tr {
                                th scope="col" { "From" }
                                @for severity in used.iter().rev() { th.number scope="col" { (name(*severity)) } }
                                th.number scope="col" { "All" }
                            } }
                            tbody {
                                @for bar in chart.bars.iter().filter(|bar| bar.total() > 0) {
                                    tr {
                                        th scope="row" {
                                            button.link type="button" data-from=(bar.start) data-to=(bar.start + chart.width)
                                                { (chart.label(bar.start)) }
                                        }
                                        @for severity in used.iter().rev() {
                                            td.number { (grouped(bar.counts[*severity as usize])) }
                                        }
                                        td.number { (grouped(bar.total())) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// One bar: severities stacked, the worst below, where it is seen best.
    fn bar(&self, place: usize, bar: &Bar, top: u64) -> Markup {
        let mut below = 0;
        let parts: Vec<(Severity, f64, f64)> = Severity::ALL
            .into_iter()
            .rev()
            .filter(|severity| bar.counts[*severity as usize] > 0)
            .map(|severity| {
                below += bar.counts[severity as usize];
                let percent = |count: u64| count_as_f64(count) * 100.0 / count_as_f64(top);
                (severity, 100.0 - percent(below), percent(bar.counts[severity as usize]))
            })
            .collect();
        html! {
            g.bar data-from=(bar.start) data-to=(bar.start + self.chart.width) {
                title { (self.chart.label(bar.start)) ": " (count(bar.total(), "finding")) }
                rect.hit x=(place * 10) y="0" width="10" height="100" {}
                @for (severity, y, height) in parts {
                    rect.(severity.as_str()) x=(place * 10 + 1) y=(format!("{y:.3}")) width="8"
                        height=(format!("{height:.3}")) {}
                }
            }
        }
    }

    fn tops(&self) -> Markup {
        let summary = self.summary;
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

    fn channels(&self) -> Markup {
        let summary = self.summary;
        html! {
            section.card aria-labelledby="channels" {
                h2 #channels { "What would have been sent" }
                div.scroll tabindex="0" role="region" aria-labelledby="channels" {
                    table {
                        thead { tr {
                            th scope="col" { "Channel" }
                            th.number scope="col" { "Findings" }
                            th.number scope="col" { "Alerts" }
                            th.number scope="col" { "Held back" }
                            th.number scope="col" { "Roll-ups" }
                        } }
                        tbody {
                            @for line in &summary.channels {
                                tr {
                                    th scope="row" { (line.channel) }
                                    td.number { (grouped(line.findings)) }
                                    td.number { (grouped(line.alerts)) }
                                    td.number { (grouped(line.held_back)) }
                                    td.number { (grouped(line.roll_ups)) }
                                }
                            }
                        }
                    }
                }
                p.note {
                    @if summary.staged > 0 { (grouped(summary.staged)) " findings of staged rules go to nobody. " }
                    @if summary.unrouted > 0 { (grouped(summary.unrouted)) " findings are taken by no channel. " }
                    @if !summary.silent.is_empty() {
                        (count(summary.silent.len() as u64, "rule")) " found nothing: "
                        (summary.silent.iter().take(20).cloned().collect::<Vec<_>>().join(", "))
                        @if summary.silent.len() > 20 { " and " (summary.silent.len() - 20) " more" } "."
                    }
                }
            }
        }
    }

    fn findings(&self) -> Markup {
        let severities: BTreeSet<_> = self.listed.iter().map(|listed| listed.rank).collect();
        let rules: BTreeSet<&str> = self.listed.iter().map(|listed| listed.rule.as_str()).collect();
        html! {
            section.card #findings aria-labelledby="list" {
                h2 #list { "Findings" }
                @if self.left_out > 0 {
                    p.warning role="note" {
                        "The " (grouped(self.listed.len() as u64)) " most severe are listed, the earliest of them first; "
                        (grouped(self.left_out)) " others are counted above, and not listed. "
                        code { "--format jsonl" } " prints them all."
                    }
                }
                @if self.listed.is_empty() {
                    p { "Nothing was found." }
                } @else {
                    form.filters role="search" hidden {
                        label.search { span { "Search" }
                            input type="search" name="text" placeholder="actor, address, event, request …" autocomplete="off";
                        }
                        label { span { "Rule" }
                            select name="rule" {
                                option value="" { "all rules" }
                                @for rule in rules { option value=(rule) { (rule) } }
                            }
                        }
                        label { span { "Sort by" }
                            select name="sort" {
                                option value="severity" { "severity" }
                                option value="time" { "time" }
                                option value="-time" { "time, latest first" }
                                option value="rule" { "rule" }
                                option value="actor" { "actor" }
                                option value="address" { "address" }
                            }
                        }
                        fieldset { legend { "Severity" }
                            @for severity in severities {
                                label.chip {
                                    input type="checkbox" name="severity" value=(severity.0.as_str()) checked;
                                    span.badge.(severity.0.as_str()) { (name(severity.0)) }
                                }
                            }
                        }
                        button.chosen type="button" hidden { span {} " ×" span.unseen { " (remove this filter)" } }
                        button.clear type="reset" { "Clear" }
                    }
                    p.shown role="status" aria-live="polite" { (count(self.listed.len() as u64, "finding")) }
                    table.findings role="table" {
                        caption.unseen { "Findings" }
                        thead role="rowgroup" { tr role="row" {
                            @for (key, title) in [("severity", "Severity"), ("time", "Time (UTC)"), ("rule", "What"),
                                                  ("actor", "Who"), ("address", "From"), ("", "Details")] {
                                th role="columnheader" scope="col" aria-sort=[(key == "severity").then_some("descending")] data-key=[(!key.is_empty()).then_some(key)] { (title) }
                            }
                        } }
                        tbody role="rowgroup" { @for listed in self.listed { (line(listed)) } }
                    }
                }
            }
        }
    }
}

fn line(listed: &Listed) -> Markup {
    let severity = listed.rank.0;
    html! {
        tr role="row" data-severity=(severity.as_str()) data-rank=(severity as usize) data-time=(listed.time) data-rule=(listed.rule)
            data-actor=(listed.actor) data-address=(listed.source_ip) {
            td role="cell" { span.badge.(severity.as_str()) { (name(severity)) } }
            td.time role="cell" { (listed.written_time) }
            td.what role="cell" { strong { (listed.title) } span.sentence { (listed.sentence) } span.rule { (listed.rule) } }
            td.who role="cell" { (listed.actor) }
            td.from role="cell" { (listed.source_ip) }
            td.more role="cell" {
                details {
                    summary { "Details" span.unseen { " of " (listed.sentence) } }
                    dl {
                        dt { "Goes to" } dd { (listed.to) }
                        @for (name, value) in &listed.facts {
                            dt { (name) } dd { @if *name == "Request" { code { (value) } } @else { (value) } }
                        }
                        @if let Some(link) = &listed.link {
                            dt { "CloudTrail" } dd { a href=(link) rel="noreferrer noopener" { "the event in the console" } }
                        }
                        @if let Some(runbook) = &listed.runbook {
                            dt { "Runbook" } dd { a href=(runbook) rel="noreferrer noopener" { (runbook) } }
                        }
                    }
                }
            }
        }
    }
}

fn tile(name: &str, value: &str, note: &str) -> Markup {
    html! { div.tile { dt { (name) } dd { span.value { (value) } " " span.note { (note) } } } }
}

/// A name, its findings, and the highest severity among them where that is known.
type NameLine<'n> = (&'n str, u64, Option<Severity>);

fn names(top: &Top) -> Vec<NameLine<'_>> {
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
                                    span.swatch.(severity.as_str()) title=(self::name(*severity)) {}
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

/// How a label stands at its place, near an end of the axis.
fn end_of(percent: f64, near: f64) -> Option<&'static str> {
    match percent {
        percent if percent < near => Some("start"),
        percent if percent > 100.0 - near => Some("end"),
        _ => None,
    }
}

/// `Very high`
fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "Low",
        Severity::Medium => "Medium",
        Severity::High => "High",
        Severity::VeryHigh => "Very high",
        Severity::Extreme => "Extreme",
    }
}

/// `1,000 findings`, `1 address`, `2 addresses`
fn count(number: u64, what: &str) -> String {
    let plural = match (number, what) {
        (1, _) => "",
        (_, "address") => "es",
        _ => "s",
    };
    format!("{} {what}{plural}", grouped(number))
}

#[expect(clippy::cast_precision_loss, reason = "the length of a bar")]
const fn count_as_f64(count: u64) -> f64 {
    count as f64
}

/// SHA-256, as a content security policy names it.
fn hash(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digest = Sha256::digest(text.as_bytes());
    let mut encoded = String::new();
    for chunk in digest.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place)) as usize & 63];
            encoded.push(if place > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_as_policies_have_them() {
        // openssl dgst -sha256 -binary | base64, of the empty text and of "abc".
        assert_eq!(hash(""), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        assert_eq!(hash("abc"), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    }
}
