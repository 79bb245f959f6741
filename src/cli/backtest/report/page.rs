//! The page itself.

use std::collections::BTreeSet;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::ListedFinding;
use super::chart::Chart;
use super::list::list;
use super::markup::count;
use super::tables::{channels, tops};
use super::timeline::timeline;
use crate::cli::backtest::summary::BacktestSummary;
use crate::cli::content_policy::content_policy;
use crate::cli::words::grouped;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// All that the page shows.
pub(super) struct ReportPage<'p> {
    pub(super) summary: &'p BacktestSummary,
    pub(super) chart: Chart,
    pub(super) listed: &'p BTreeSet<ListedFinding>,
    /// Findings that are not listed.
    pub(super) left_out: u64,
    pub(super) digest: &'p str,
    /// How many rules there are.
    pub(super) rules: usize,
}

impl ReportPage<'_> {
    pub(super) fn html(&self) -> String {
        let policy = content_policy(STYLE, Some(SCRIPT));
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
                        (timeline(&self.chart, &self.headline()))
                        (tops(self.summary))
                        (channels(self.summary))
                        (list(self.listed, self.left_out))
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
        let BacktestSummary { records, files, ignored, unreadable, interrupted, .. } = self.summary;
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
        let worst = summary.worst_day.as_ref();
        html! {
            dl.tiles aria-label="At a glance" {
                (tile("Findings", &grouped(summary.findings), &match summary.repeats {
                    0 => "each record once".to_owned(),
                    repeats => format!("and {} of records that came twice", grouped(repeats)),
                }))
                (tile("Messages", &grouped(summary.sent.messages), &summary.parts()))
                (tile("Busiest day", &worst.map_or("none".to_owned(), |worst| grouped(worst.count)),
                      &worst.map_or("no messages".to_owned(), |worst| format!("messages, {}", worst.day))))
                (tile("Rules that matched", &summary.rules.len().to_string(), &format!("of {}", self.rules)))
                (tile("Actors", &grouped(summary.actors.distinct as u64),
                      &format!("from {}", count(summary.addresses.distinct as u64, "address"))))
            }
        }
    }
}

fn tile(name: &str, value: &str, note: &str) -> Markup {
    html! { div.tile { dt { (name) } dd { span.value { (value) } " " span.note { (note) } } } }
}
