//! The page itself.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::attack_table::attack_table;
use super::channels::channels;
use super::chart::Chart;
use super::groups::GroupTally;
use super::list::{FindingList, list, moment};
use super::markup::{count, name};
use super::names::top;
use super::packed::Packed;
use super::rules::rules_table;
use super::timeline::timeline;
use crate::cli::backtest::names::NameTally;
use crate::cli::backtest::summary::BacktestSummary;
use crate::cli::backtest::tally::BacktestTally;
use crate::cli::content_policy::content_policy;
use crate::cli::words::grouped;
use crate::ruleset::RuleSet;
use crate::severity::Severity;
use crate::text::one_line;
use crate::time::Timestamp;

const STYLE: &str = concat!(include_str!("page.css"), include_str!("print.css"));
const SCRIPT: &str = concat!(include_str!("data.js"), include_str!("view.js"), include_str!("page.js"));

/// Characters of the command.
const COMMAND: usize = 1000;

/// All that the page shows.
pub(super) struct ReportPage<'p> {
    pub(super) summary: &'p BacktestSummary,
    pub(super) tally: &'p BacktestTally<'p>,
    pub(super) chart: Chart,
    pub(super) groups: &'p GroupTally,
    pub(super) accounts: &'p NameTally,
    pub(super) regions: &'p NameTally,
    /// The findings that are listed.
    pub(super) packed: &'p Packed,
    /// Findings, listed or not, by severity, the least first.
    pub(super) offered: [u64; 5],
    pub(super) rules: &'p RuleSet,
    /// Of each rule, what it is about.
    pub(super) titles: &'p [String],
    pub(super) source: ReportSource<'p>,
}

/// How the report was made.
pub(super) struct ReportSource<'p> {
    pub(super) made: Timestamp,
    /// What was typed.
    pub(super) command: &'p str,
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
                        (list(&self.list()))
                        (rules_table(self.summary, self.rules, self.titles))
                        (attack_table(self.summary, self.rules))
                        div.tops #tops tabindex="-1" {
                            (top("Actors", "actor", &self.tally.actors))
                            (top("Source addresses", "address", &self.tally.addresses))
                            (top("Accounts", "account", self.accounts))
                            (top("Regions", "region", self.regions))
                        }
                        (channels(self.summary))
                    }
                    footer { (footer()) }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        };
        page.into_string()
    }

    fn list(&self) -> FindingList<'_> {
        FindingList {
            groups: self.groups,
            packed: self.packed,
            offered: self.offered.iter().sum(),
            rules: self.rules,
            titles: self.titles,
        }
    }

    fn headline(&self) -> String {
        count(self.summary.findings, "finding")
    }

    fn header(&self) -> Markup {
        let BacktestSummary { records, files, ignored, unreadable, interrupted, .. } = self.summary;
        let partial = self.summary.parts.as_ref().filter(|parts| parts.missing > 0);
        let sections = [
            ("findings", "Findings"),
            ("rules", "Rules"),
            ("attack", "ATT&CK"),
            ("tops", "Actors, addresses, accounts"),
            ("channels", "Messages"),
        ];
        html! {
            p.brand { "offlimits " span { "backtest" } }
            h1 { (self.headline()) }
            p.lead {
                "in " (count(*records as u64, "record")) " from " (count(*files as u64, "file"))
                @if let Some(span) = self.summary.span() { ", " span.whole { (span) } } ". Times are UTC."
            }
            @if self.summary.findings > 0 {
                ul.levels aria-label="By severity" {
                    @for severity in Severity::ALL.into_iter().rev().filter(|severity| self.offered[*severity as usize] > 0) {
                        li {
                            button type="button" data-filter="severity" data-value=(severity.as_str()) {
                                span.badge.(severity.as_str()) { (grouped(self.offered[severity as usize])) " " (name(severity).to_lowercase()) }
                            }
                        }
                    }
                }
            }
            p.made {
                "Made " span.whole { (moment(self.source.made.seconds())) } " by offlimits " (env!("CARGO_PKG_VERSION"))
                " with rules " code { (self.rules.digest()) } ": " code.command { (one_line(self.source.command, COMMAND)) }
            }
            @if *ignored > 0 || *unreadable > 0 || *interrupted || partial.is_some() {
                p.warning role="note" {
                    @if let Some(parts) = partial {
                        "Partial: " (grouped(parts.missing)) " of " (count(parts.planned, "part")) " have not been read, and the figures are without them. "
                    }
                    @if *interrupted { "The run was interrupted: the figures are those of the files read until then. " }
                    @if *unreadable > 0 { (count(*unreadable as u64, "input")) " could not be read. " }
                    @if *ignored > 0 { (grouped(*ignored as u64)) " ignored, not being CloudTrail’s." }
                }
            }
            nav aria-label="Sections" { @for (id, name) in sections { a href={ "#" (id) } { (name) } " " } }
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
                (tile("Rules that matched", &summary.rules.len().to_string(), &format!("of {}", self.rules.rules().len())))
                (tile("Actors", &grouped(summary.actors.distinct as u64),
                      &format!("from {}", count(summary.addresses.distinct as u64, "address"))))
            }
        }
    }
}

fn footer() -> Markup {
    html! {
        "This page holds all its data, and asks nothing of any network. What filters it stands in its address, after the #: whoever "
        "has the page and that address sees the same. Texts of records were written by whoever called AWS."
    }
}

fn tile(name: &str, value: &str, note: &str) -> Markup {
    html! { div.tile { dt { (name) } dd { span.value { (value) } " " span.note { (note) } } } }
}
