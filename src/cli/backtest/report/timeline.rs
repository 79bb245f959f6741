//! Findings over time: a chart of stacked bars, each of which filters the list.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::chart::{Bar, Chart};
use super::markup::{count, count_as_f64, name};
use crate::cli::words::grouped;
use crate::severity::Severity;

/// The chart, and its figures as a table.
pub(super) fn timeline(chart: &Chart, headline: &str) -> Markup {
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
        headline,
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
                div.scale aria-hidden="true" { span { (grouped(top)) } span { @if top.is_multiple_of(2) { (grouped(top / 2)) } } span { "0" } }
                div.plot {
                    svg role="img" aria-label=(label) viewBox=(format!("0 0 {} 100", chart.bars.len() * 10))
                        preserveAspectRatio="none" {
                        @for (place, bar) in chart.bars.iter().enumerate() {
                            @if bar.total() > 0 { (column(chart, place, bar, top)) }
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
fn column(chart: &Chart, place: usize, bar: &Bar, top: u64) -> Markup {
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
        g.bar data-from=(bar.start) data-to=(bar.start + chart.width) {
            title { (chart.label(bar.start)) ": " (count(bar.total(), "finding")) }
            rect.hit x=(place * 10) y="0" width="10" height="100" {}
            @for (severity, y, height) in parts {
                rect.(severity.as_str()) x=(place * 10 + 1) y=(format!("{y:.3}")) width="8"
                    height=(format!("{height:.3}")) {}
            }
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
