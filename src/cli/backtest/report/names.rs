//! The most frequent names: actors, addresses, accounts and regions, each of which filters the list.

use maud::{Markup, html};

use super::markup::count_as_f64;
use super::row::TEXT;
use crate::cli::backtest::names::NameTally;
use crate::cli::words::grouped;
use crate::text::one_line;

/// Names that a list shows, and that it shows on request.
const TOP: usize = 8;
const MORE: usize = 100;

/// The list of one kind of names. `filter`: the part of the list's address that a name chooses.
pub(super) fn top(title: &str, filter: &str, tally: &NameTally) -> Markup {
    let (names, distinct) = tally.top(TOP + MORE);
    let most = names.first().map_or(1, |(_, findings)| *findings);
    let (first, more) = names.split_at(names.len().min(TOP));
    let lines = |names: &[(&str, u64)]| {
        html! {
            ol { @for (name, findings) in names { (line(filter, &one_line(name, TEXT), *findings, most)) } }
        }
    };
    html! {
        section.card.top aria-label=(title) {
            h2 { (title) " " span.quiet { (grouped(distinct as u64)) } }
            (lines(first))
            @if !more.is_empty() {
                details {
                    summary { (grouped(more.len() as u64)) " more" span.unseen { " " (title) } }
                    (lines(more))
                    @if distinct > TOP + MORE { p.note { "and " (grouped((distinct - TOP - MORE) as u64)) " others" } }
                }
            }
            @if tally.others > 0 { p.note { (grouped(tally.others)) " findings of names too many to be told apart" } }
        }
    }
}

fn line(filter: &str, name: &str, findings: u64, most: u64) -> Markup {
    html! {
        li {
            button type="button" data-filter=(filter) data-value=(name) {
                span.name { (name) }
                span.count { (grouped(findings)) }
                svg.gauge viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true" {
                    rect width="100" height="1" {}
                    rect.part width=(format!("{:.2}", count_as_f64(findings) * 100.0 / count_as_f64(most))) height="1" {}
                }
            }
        }
    }
}
