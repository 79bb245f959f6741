//! The findings: in groups, which stand on the page as they are, and one by one, which the page's script shows; with what filters both.

use std::sync::Arc;

use maud::{Markup, html};

use super::groups::{Group, GroupTally, NameSet};
use super::markup::{count, name};
use super::packed::Packed;
use crate::cli::words::grouped;
use crate::ruleset::RuleSet;
use crate::severity::Severity;
use crate::time::Timestamp;

/// Groups that stand on the page without its script.
const SHOWN: usize = 500;
/// Names that a cell shows.
const NAMES: usize = 3;

/// What the section shows.
pub(super) struct FindingList<'p> {
    pub(super) groups: &'p GroupTally,
    /// The findings that are listed.
    pub(super) packed: &'p Packed,
    /// Findings, listed or not.
    pub(super) offered: u64,
    pub(super) rules: &'p RuleSet,
    /// Of each rule, what it is about.
    pub(super) titles: &'p [String],
}

/// The section of the findings.
pub(super) fn list(list: &FindingList<'_>) -> Markup {
    let groups = list.groups.sorted();
    html! {
        section.card #findings aria-labelledby="list" tabindex="-1" {
            div.heading {
                h2 #list { "Findings by rule, actor and target" }
                div.views role="group" aria-label="View" hidden {
                    button type="button" data-view="groups" aria-pressed="true" { "Groups" }
                    button type="button" data-view="findings" aria-pressed="false" { "Findings" }
                }
            }
            @if groups.is_empty() { p { "Nothing was found." } } @else {
                (notes(list, groups.len()))
                (filters())
                div.result hidden {
                    p.shown role="status" aria-live="polite" {}
                    span.actions {
                        button.copy type="button" { "Copy link" }
                        button.csv type="button" { "Save as CSV" }
                    }
                }
                table.rows.groups role="table" {
                    caption.unseen { "Findings by rule, actor and target" }
                    thead role="rowgroup" { tr role="row" {
                        @for title in ["Severity", "What", "Who", "Target", "Findings", "First (UTC)", "Last (UTC)", "Where"] {
                            th role="columnheader" scope="col" { (title) }
                        }
                    } }
                    tbody role="rowgroup" { @for group in groups.iter().take(SHOWN) { (line(list, group)) } }
                }
                table.rows.findings role="table" hidden {
                    caption.unseen { "Findings, one by one" }
                    thead role="rowgroup" { tr role="row" {
                        @for title in ["Severity", "Time (UTC)", "What", "Who", "From", "Details"] {
                            th role="columnheader" scope="col" { (title) }
                        }
                    } }
                    tbody role="rowgroup" {}
                }
                button.further type="button" hidden {}
                p.rest { (rest(groups.len())) }
                template #data { (list.packed.base64) }
            }
        }
    }
}

/// What the list does not have.
fn notes(list: &FindingList<'_>, groups: usize) -> Markup {
    let left_out = list.offered - list.packed.listed as u64;
    html! {
        noscript { p.note { "Without JavaScript this page shows groups, and no single findings: " code { "--format jsonl" } " prints them." } }
        p.warning.trouble role="alert" hidden { "This browser cannot read the single findings: it needs DecompressionStream, as browsers have had it since 2023." }
        @if left_out > 0 {
            p.warning role="note" {
                "Groups count all findings. One by one, the " (grouped(list.packed.listed as u64))
                " most severe are here, the earliest of them first, and filters are asked of these; " (grouped(left_out))
                " others are not. " code { "--format jsonl" } " prints them all."
            }
        }
        @if list.packed.with_request < list.packed.listed {
            p.note {
                "To keep this page small, the requests of the " (grouped((list.packed.listed - list.packed.with_request) as u64))
                " last findings are left out; " code { "--format jsonl" } " has them."
            }
        }
        @if list.groups.others > 0 {
            p.note { (grouped(list.groups.others)) " findings are of groups beyond the first " (grouped(groups as u64)) ", which were too many to be told apart." }
        }
    }
}

/// How many groups stand on paper, and how many on the page without its script, if not all.
fn rest(groups: usize) -> Markup {
    html! {
        @if groups > SHOWN { span.of-page { "The first " (grouped(SHOWN as u64)) " of " (count(groups as u64, "group")) "." } }
    }
}

fn filters() -> Markup {
    html! {
        form.filters role="search" hidden {
            label.search { span { "Search" }
                input type="search" name="q" placeholder="actor, address, event, request …" autocomplete="off";
            }
            @for (name, title, all) in [("rule", "Rule", "all rules"), ("account", "Account", "all accounts"),
                                        ("region", "Region", "all regions"), ("technique", "ATT&CK", "all techniques")] {
                label data-of=(name) { span { (title) } select name=(name) { option value="" { (all) } } }
            }
            label { span { "Sort by" } select name="sort" {} }
            fieldset { legend { "Severity" }
                @for severity in Severity::ALL.into_iter().rev() {
                    label.chip hidden {
                        input type="checkbox" name="severity" value=(severity.as_str()) data-rank=(severity as usize) checked;
                        span.badge.(severity.as_str()) { (name(severity)) }
                    }
                }
            }
            div.chosen {}
            button.clear type="reset" { "Clear" }
        }
    }
}

/// One group. The page's script makes the same lines of what it filters: `view.js`.
fn line(list: &FindingList<'_>, group: &Group) -> Markup {
    let severity = group.severity;
    let rule = &list.rules.rules()[group.rule].info.id;
    let title = group.title.as_deref().unwrap_or(&list.titles[group.rule]);
    let span = |end: fn((u64, u64)) -> u64| group.span.map_or_else(|| "no time".to_owned(), |span| moment(end(span)));
    html! {
        tr role="row" data-rank=(severity as usize) data-count=(group.findings) data-first=[group.span.map(|span| span.0)]
            data-last=[group.span.map(|span| span.1)] {
            td role="cell" { span.badge.(severity.as_str()) { (name(severity)) } }
            td.what role="cell" { strong { (title) }
                @if group.events.names.len() > 1 { span.sentence { (some(&group.events)) } }
                @if let Some(failed) = failed(group) { span.failed { (failed) } }
                span.rule { (rule) } }
            td.who role="cell" { (group.actor) }
            td.target role="cell" { (group.target) }
            td.count role="cell" {
                button.link type="button" data-rule=(rule) data-actor=(group.actor) data-target=(group.target) {
                    (grouped(group.findings)) span.unit { " " (if group.findings == 1 { "finding" } else { "findings" }) }
                }
            }
            td.time.first role="cell" { (span(|span| span.0)) }
            td.time.last role="cell" { (span(|span| span.1)) }
            td.where role="cell" { span.account { (some(&group.accounts)) } span.region { (some(&group.regions)) } }
        }
    }
}

/// `2 of 5 failed`; nothing where none did.
fn failed(group: &Group) -> Option<String> {
    match (group.failed, group.findings) {
        (0, _) => None,
        (1, 1) => Some("failed".to_owned()),
        (failed, all) if failed == all => Some("all failed".to_owned()),
        (failed, all) => Some(format!("{} of {} failed", grouped(failed), grouped(all))),
    }
}

/// `a, b, c and 2 more`
fn some(set: &NameSet) -> String {
    let mut names: Vec<&str> = set.names.iter().map(Arc::as_ref).collect();
    let more = names.len().saturating_sub(NAMES);
    names.truncate(NAMES);
    let names = names.join(", ");
    match (more, set.is_full) {
        (0, _) => names,
        (more, true) => format!("{names} and at least {more} more"),
        (more, false) => format!("{names} and {more} more"),
    }
}

/// `2025-03-03 11:05:00`
pub(super) fn moment(seconds: u64) -> String {
    let (day, second) = (Timestamp::from_millis(seconds.saturating_mul(1000)).date(), seconds % 86_400);
    format!("{day} {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::super::texts::TextPool;
    use super::*;

    #[test]
    fn times_and_names_are_written_as_the_script_does() {
        assert_eq!(moment(1_741_000_509), "2025-03-03 11:15:09");
        let set = |names: &[&str], is_full| {
            let mut set = NameSet { is_full, ..NameSet::default() };
            names.iter().for_each(|name| set.add(name, &mut TextPool::default()));
            set
        };
        assert_eq!(some(&set(&["b", "a"], false)), "a, b");
        assert_eq!(some(&set(&["a", "b", "c", "d", "e"], false)), "a, b, c and 2 more");
        assert_eq!(some(&set(&["a", "b", "c", "d", "e"], true)), "a, b, c and at least 2 more");
    }
}
