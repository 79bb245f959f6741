//! The book hangs together: `SUMMARY.md` has every page, links lead somewhere, what is generated is current.

use std::collections::HashSet;
use std::fmt::Write as _;

use regex::Regex;
use serde_json::Value;

use super::generated::block;
use super::pages::{current, current_chapters, name, pages, read};
use crate::support;

/// The packs in the order of the index.
const PACKS: [&str; 8] = [
    "conformity-rtm",
    "conformity-rtm-country",
    "cis-monitoring",
    "defense-evasion",
    "persistence-privilege-escalation",
    "credential-access",
    "exfiltration-impact",
    "self-defense",
];

/// Markdown without its fenced blocks and inline code, in which brackets mean themselves.
fn prose(page: &str) -> String {
    let fences = Regex::new(r"(?ms)^```.*?^```$").unwrap();
    let code = Regex::new(r"`[^`\n]*`").unwrap();
    code.replace_all(&fences.replace_all(page, ""), "code").into_owned()
}

fn links(page: &str) -> Vec<String> {
    let link = Regex::new(r"\]\(<?([^)>\s]+)>?\)").unwrap();
    link.captures_iter(&prose(page)).map(|found| found[1].to_owned()).collect()
}

/// The anchors of a page's headings, as GitHub and mdBook make them.
fn anchors(page: &str) -> HashSet<String> {
    page.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut dead = Vec::new();
    for page in pages() {
        for link in links(&read(&page)) {
            if link.starts_with("https://") || link.starts_with("http://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            if !target.exists() {
                dead.push(format!("{}: {link}", name(&page)));
            } else if !anchor.is_empty() && !anchors(&read(&target)).contains(anchor) {
                dead.push(format!("{}: {link}: no such heading", name(&page)));
            }
        }
    }
    assert!(dead.is_empty(), "links that lead nowhere:\n{}", dead.join("\n"));
}

#[test]
fn the_summary_has_every_page() {
    let summary = read(&support::repository("docs/SUMMARY.md"));
    let listed: Vec<String> = links(&summary);
    let unique: HashSet<&String> = listed.iter().collect();
    assert_eq!(unique.len(), listed.len(), "SUMMARY.md lists a page twice");
    let missing: Vec<String> = pages()
        .into_iter()
        .filter_map(|page| {
            let page = page.strip_prefix(support::repository("docs")).ok()?.display().to_string();
            (page != "SUMMARY.md" && !listed.contains(&page)).then_some(page)
        })
        .collect();
    assert!(missing.is_empty(), "add to docs/SUMMARY.md, or run with OFFLIMITS_BLESS=1: {missing:?}");
}

/// The rules of a pack: id, title, severity.
fn rules(pack: &str) -> Vec<(String, String, String)> {
    let pack = support::json(&format!("packs/{pack}.json"));
    let text = |rule: &Value, key: &str| rule[key].as_str().unwrap().to_owned();
    pack["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| (text(rule, "id"), text(rule, "title"), text(rule, "severity")))
        .collect()
}

#[test]
fn what_is_generated_is_current() {
    let mut on_disk: Vec<String> = std::fs::read_dir(support::repository("packs"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let mut listed = PACKS.map(str::to_owned).to_vec();
    on_disk.sort();
    listed.sort();
    assert_eq!(on_disk, listed, "PACKS in tests/docs/book.rs");

    let mut index = "# The packs' rules\n\nEach page says why the rule matters, what to look at when it has fired, what to do, \
                     and what else may set it off. How to include a pack and change its rules: [rules.json](../rules.md#packs).\n"
        .to_owned();
    let mut chapters = "  - [RTM-011](rules/RTM-011.md)\n".to_owned();
    let own = &support::json("rules.json")["rules"][0];
    let (id, severity, title) =
        (own["id"].as_str().unwrap(), own["severity"].as_str().unwrap(), own["title"].as_str().unwrap());
    write!(
        index,
        "\n## rules.json\n\nThe table that the shipped `rules.json` begins with: the seed of your own.\n\n\
         | rule | severity | title |\n|---|---|---|\n| [{id}]({id}.md) | {severity} | `{}` |\n",
        title.replace('|', "\\|")
    )
    .unwrap();
    for pack in PACKS {
        let json = support::json(&format!("packs/{pack}.json"));
        let description = json["description"].as_str().unwrap_or_default();
        write!(index, "\n## {pack}\n\n{description}\n\n| rule | severity | title |\n|---|---|---|\n").unwrap();
        for (id, title, severity) in rules(pack) {
            // A bar would end the cell.
            let title = title.replace('|', "\\|");
            writeln!(index, "| [{id}]({id}.md) | {severity} | `{title}` |").unwrap();
            writeln!(chapters, "  - [{id}](rules/{id}.md)").unwrap();
        }
    }
    current(&support::repository("docs/rules/README.md"), &index);
    current_chapters("- [The packs' rules](rules/README.md)\n", &chapters);
}

/// What a rule says to do first, as its page shows it: its own words, with its fields in braces.
fn first_steps(rule: &Value) -> String {
    let mut list = String::new();
    for step in rule["respond"].as_array().unwrap() {
        let text = step["do"].as_str().or(step.as_str()).unwrap();
        write!(list, "- {text}").unwrap();
        if let Some(command) = step["run"].as_str() {
            write!(list, ": `{command}`").unwrap();
        }
        let cells = step["when"].as_object().into_iter().flatten().map(|(field, condition)| match &condition["is"] {
            Value::String(only) => format!("`{field}` {only}"),
            Value::Array(several) => {
                let several: Vec<&str> = several.iter().map(|one| one.as_str().unwrap()).collect();
                format!("`{field}` {}", several.join(", "))
            }
            _ => match condition.as_str() {
                Some(word) if word.chars().all(char::is_alphabetic) => format!("`{field}` {word}"),
                _ => format!("`{field}` `{condition}`"),
            },
        });
        let cells: Vec<String> = cells.collect();
        if !cells.is_empty() {
            write!(list, " ({})", cells.join("; ")).unwrap();
        }
        list.push('\n');
    }
    list
}

#[test]
fn the_pages_of_rules_say_what_to_do_first_and_are_current() {
    let packs = PACKS.map(|pack| support::json(&format!("packs/{pack}.json")));
    for file in packs.iter().chain([&support::json("rules.json")]) {
        for rule in file["rules"].as_array().unwrap() {
            let steps = first_steps(rule);
            assert!(!steps.is_empty(), "{rule}");
            block(&format!("docs/rules/{}.md", rule["id"].as_str().unwrap()), "first steps", &steps);
        }
    }
}
