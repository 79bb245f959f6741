//! The list of findings.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::ListedFinding;
use super::markup::{count, name};
use crate::cli::words::grouped;

/// Changes of a finding that are shown before its details.
const SHOWN: usize = 3;

/// The list of findings, with what filters and sorts it. `left_out`: how many are not listed.
pub(super) fn list(findings: &BTreeSet<ListedFinding>, left_out: u64) -> Markup {
    let severities: BTreeSet<_> = findings.iter().map(|listed| listed.rank).collect();
    let rules: BTreeSet<&str> = findings.iter().map(|listed| listed.rule.as_str()).collect();
    html! {
        section.card #findings aria-labelledby="list" {
            h2 #list { "Findings" }
            @if left_out > 0 {
                p.warning role="note" {
                    "The " (grouped(findings.len() as u64)) " most severe are listed, the earliest of them first; "
                    (grouped(left_out)) " others are counted above, and not listed. "
                    code { "--format jsonl" } " prints them all."
                }
            }
            @if findings.is_empty() {
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
                p.shown role="status" aria-live="polite" { (count(findings.len() as u64, "finding")) }
                table.findings role="table" {
                    caption.unseen { "Findings" }
                    thead role="rowgroup" { tr role="row" {
                        @for (key, title) in [("severity", "Severity"), ("time", "Time (UTC)"), ("rule", "What"),
                                              ("actor", "Who"), ("address", "From"), ("", "Details")] {
                            th role="columnheader" scope="col" aria-sort=[(key == "severity").then_some("descending")] data-key=[(!key.is_empty()).then_some(key)] { (title) }
                        }
                    } }
                    tbody role="rowgroup" { @for listed in findings { (line(listed)) } }
                }
            }
        }
    }
}

fn line(listed: &ListedFinding) -> Markup {
    let severity = listed.rank.0;
    html! {
        tr role="row" data-severity=(severity.as_str()) data-rank=(severity as usize) data-time=(listed.time) data-rule=(listed.rule)
            data-actor=(listed.actor) data-address=(listed.source_ip) {
            td role="cell" { span.badge.(severity.as_str()) { (name(severity)) } }
            td.time role="cell" { (listed.written_time) }
            td.what role="cell" { strong { (listed.title) } span.sentence { (listed.sentence) }
                @for change in listed.changes.iter().take(SHOWN) { span.change { (change) } }
                span.rule { (listed.rule) } }
            td.who role="cell" { (listed.actor) }
            td.from role="cell" { (listed.source_ip) }
            td.more role="cell" {
                details {
                    summary { "Details" span.unseen { " of " (listed.sentence) } }
                    dl {
                        @for change in listed.changes.iter().skip(SHOWN) { dt { "Further" } dd { (change) } }
                        dt { "Goes to" } dd { (listed.to) }
                        @for (name, value) in &listed.facts {
                            dt { (name) } dd { @if *name == "Request" { code { (value) } } @else { (value) } }
                        }
                        @if !listed.steps.is_empty() {
                            dt { "What to do first" }
                            dd { ol { @for (text, command) in &listed.steps {
                                li { (text) @if let Some(command) = command { br; code { (command) } } }
                            } } }
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
