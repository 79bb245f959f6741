//! The rules: those that found something, and those that did not.

use maud::{Markup, html};

use super::markup::{count, name};
use crate::cli::backtest::summary::{BacktestSummary, RuleLine};
use crate::cli::words::grouped;
use crate::rules::Rule;
use crate::ruleset::RuleSet;
use crate::text::one_line;

/// Characters of a rule's title.
const TITLE: usize = 100;

/// What a rule is about, in words: what its title says of every finding, else the beginning of its description, else its id.
pub(super) fn title_of(rule: &Rule) -> String {
    let title = match (rule.title.beginning(), rule.info.description.as_deref()) {
        ("", None | Some("")) => &rule.info.id,
        ("", Some(description)) => description.split_inclusive(". ").next().unwrap_or(description),
        (title, _) => title,
    };
    one_line(title, TITLE).into_owned()
}

/// The table of rules, the loudest first. `titles`: of each rule of the file.
pub(super) fn rules_table(summary: &BacktestSummary, rules: &RuleSet, titles: &[String]) -> Markup {
    let title = |id: &str| {
        let place = rules.rules().iter().position(|rule| rule.info.id == id);
        place.and_then(|place| titles.get(place)).map_or("", String::as_str)
    };
    html! {
        section.card.rules aria-labelledby="rules" {
            h2 #rules { "Rules " span.quiet { (grouped(summary.rules.len() as u64)) } }
            @if !summary.rules.is_empty() {
                div.scroll.tall tabindex="0" role="region" aria-labelledby="rules" {
                    table {
                        thead { tr {
                            th scope="col" { "Rule" } th scope="col" { "Highest" } th.number scope="col" { "Findings" }
                            th.number scope="col" { "Messages" } th scope="col" { "Busiest day" }
                        } }
                        tbody { @for line in &summary.rules { (rule(line, title(&line.rule))) } }
                    }
                }
            }
            @if !summary.silent.is_empty() {
                details.silent {
                    summary { (count(summary.silent.len() as u64, "rule")) " found nothing" }
                    ul { @for id in &summary.silent { li { span.rule-id { (id) } " " (title(id)) } } }
                }
            }
        }
    }
}

fn rule(line: &RuleLine, title: &str) -> Markup {
    html! {
        tr {
            th scope="row" {
                button.link type="button" data-filter="rule" data-value=(line.rule) { (title) }
                span.rule { (line.rule) @if line.mode == "stage" { " · staged: messages as if it alerted" } }
            }
            td { span.badge.(line.severity.as_str()) { (name(line.severity)) } }
            td.number { (grouped(line.findings)) }
            td.number { (grouped(line.sent.messages)) }
            td { @if let Some(worst) = &line.worst_day { span.whole { (worst.day) } ": " (grouped(worst.count)) } }
        }
    }
}
