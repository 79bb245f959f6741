//! What the findings mean by MITRE ATT&CK: the techniques that the tags of their rules name.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::cli::backtest::summary::BacktestSummary;
use crate::cli::coverage::attack::{TACTICS, Technique, VERSION, id_of_tag};
use crate::cli::words::grouped;
use crate::rules::Rule;
use crate::ruleset::RuleSet;

/// The ids of the techniques that a rule's tags name, each once, those that are not known left out.
pub(super) fn ids_of(rule: &Rule) -> Vec<&'static str> {
    let known = rule.info.tags.iter().filter_map(|tag| Technique::of_id(&id_of_tag(tag)?));
    let mut ids: Vec<&'static str> = known.map(|technique| technique.id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The findings and the rules of one technique.
#[derive(Debug, Default)]
struct TechniqueLine<'s> {
    findings: u64,
    rules: Vec<&'s str>,
}

/// The table of techniques, those with the most findings first.
pub(super) fn attack_table(summary: &BacktestSummary, rules: &RuleSet) -> Markup {
    let mut techniques: BTreeMap<&'static str, TechniqueLine<'_>> = BTreeMap::new();
    let mut untagged = 0;
    for line in &summary.rules {
        let ids = rules.rules().iter().find(|rule| rule.info.id == line.rule).map(ids_of).unwrap_or_default();
        untagged += if ids.is_empty() { line.findings } else { 0 };
        for id in ids {
            let technique = techniques.entry(id).or_default();
            technique.findings += line.findings;
            technique.rules.push(&line.rule);
        }
    }
    let mut lines: Vec<_> = techniques.into_iter().collect();
    lines.sort_by(|(a, one), (b, other)| other.findings.cmp(&one.findings).then_with(|| a.cmp(b)));
    html! {
        section.card.attack aria-labelledby="attack" {
            h2 #attack { "MITRE ATT&CK " span.quiet { "version " (VERSION) } }
            @if lines.is_empty() {
                p.note { "No rule that found something names a technique in its tags." }
            } @else {
                div.scroll.tall tabindex="0" role="region" aria-labelledby="attack" {
                    table {
                        thead { tr {
                            th scope="col" { "Technique" } th scope="col" { "Tactics" } th scope="col" { "Rules" }
                            th.number scope="col" { "Findings" }
                        } }
                        tbody { @for (id, line) in &lines { (technique(id, line)) } }
                    }
                }
                p.note {
                    "A finding counts for every technique of its rule."
                    @if untagged > 0 { " " (grouped(untagged)) " findings are of rules that name none." }
                }
            }
        }
    }
}

fn technique(id: &str, line: &TechniqueLine<'_>) -> Markup {
    let known = Technique::of_id(id);
    let name = known.map_or("", |technique| technique.name.as_str());
    let tactics = known.map(|technique| {
        let names = TACTICS.iter().filter(|tactic| technique.tactics.contains(&tactic.word)).map(|tactic| tactic.name);
        names.collect::<Vec<_>>().join(", ")
    });
    // The pages of sub-techniques lie below those of their techniques.
    let address = format!("https://attack.mitre.org/techniques/{}/", id.replace('.', "/"));
    html! {
        tr {
            th scope="row" { a href=(address) rel="noreferrer noopener" { (id) } " " (name) }
            td { (tactics.unwrap_or_default()) }
            td.rule-ids { (line.rules.join(", ")) }
            td.number {
                button.link type="button" data-filter="technique" data-value=(id) {
                    (grouped(line.findings)) span.unseen { " findings of " (id) }
                }
            }
        }
    }
}
