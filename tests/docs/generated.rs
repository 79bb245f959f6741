//! Parts of pages that are written from the code: `OFFLIMITS_BLESS=1 cargo test --all-features --test integration current`
//! writes them, and everything else that is generated.

use std::fmt::Write as _;

use offlimits::lint;

use super::pages::{current, read};
use crate::support::{self, repository};

/// Replaces what stands between `<!-- NAME: … -->` and `<!-- end of NAME -->`.
pub(crate) fn block(page: &str, name: &str, text: &str) {
    let path = repository(page);
    let before = read(&path);
    let parts = before.split_once(&format!("<!-- {name}: ")).and_then(|(head, rest)| {
        let (mark, rest) = rest.split_once("-->\n")?;
        let (_, tail) = rest.split_once(&format!("<!-- end of {name} -->"))?;
        Some((head, mark, tail))
    });
    let (head, mark, tail) = parts.unwrap_or_else(|| panic!("{page} has no block {name}"));
    current(&path, &format!("{head}<!-- {name}: {mark}-->\n{text}<!-- end of {name} -->{tail}"));
}

#[test]
fn the_sections_of_the_lints_are_current() {
    let mut lints: Vec<_> = lint::all().collect();
    lints.sort_by_key(|lint| lint.code);
    let mut text = String::new();
    for lint::Lint { code, summary, docs, wrong, right } in lints {
        let (wrong, right) = (wrong.replace('»', ""), right.trim());
        write!(text, "### {code}\n{summary} {docs}\n\n```json\n{}\n```\n\n", wrong.trim()).unwrap();
        write!(text, "Instead:\n\n```json\n{right}\n```\n\n").unwrap();
    }
    block("docs/diagnostics.md", "lints", &text);
}

/// The commands that `offlimits --help` lists, in its order, and what each does.
pub(super) fn commands() -> Vec<(String, String)> {
    let run = support::run(support::offlimits(["--help"]));
    let listed = run.stdout.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap();
    let mut commands: Vec<(String, String)> = Vec::new();
    for line in listed.lines() {
        let entry = line.strip_prefix("  ").unwrap_or(line);
        match (entry.split_once(' '), commands.last_mut()) {
            // What a command does goes on.
            (Some(("", more)), Some((_, about))) => *about = format!("{about} {}", more.trim()),
            (Some((name, about)), _) => commands.push((name.to_owned(), about.trim().to_owned())),
            (None, _) => panic!("{line}"),
        }
    }
    commands.retain(|(name, _)| name != "help");
    assert!(commands.len() > 8, "{}", run.stdout);
    commands
}

#[test]
fn the_lists_of_commands_are_current() {
    let (mut table, mut chapters) = ("| command | what it does |\n|---|---|\n".to_owned(), String::new());
    for (name, about) in commands() {
        assert!(
            repository(&format!("docs/commands/{name}.md")).exists(),
            "write docs/commands/{name}.md, the page of the command"
        );
        writeln!(table, "| [{name}]({name}.md) | {about} |").unwrap();
        writeln!(chapters, "  - [{name}](commands/{name}.md)").unwrap();
    }
    block("docs/commands/README.md", "commands", &table);
    super::pages::current_chapters("- [All of them](commands/README.md)\n", &chapters);
}

#[test]
fn the_page_of_coverage_is_current() {
    let rules = repository("rules.json").display().to_string();
    let run = support::run(support::offlimits(["coverage", "--rules", &rules, "--format", "markdown"]));
    assert_eq!(run.code, Some(0), "{}", run.shown());
    super::pages::current(&repository("docs/coverage.md"), &run.stdout);
}

/// Which harmless call drills which of the shipped rules.
#[cfg(feature = "aws")]
#[test]
fn the_calls_of_the_drill_are_current() {
    let mut command = support::offlimits(["drill", "--account", "111122223333", "--call-region", "us-east-1"]);
    command.args(["--plan", "--format", "json"]).current_dir(repository(""));
    let run = support::run(command);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let plan: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let mut text = "| rule | call | why it changes nothing | AWS answers |\n|---|---|---|---|\n".to_owned();
    for call in plan["calls"].as_array().unwrap() {
        let member = |name: &str| call[name].as_str().unwrap();
        let (service, name, docs) = (member("service"), member("call"), member("docs"));
        let (why, error) = (member("why_harmless"), member("error"));
        writeln!(text, "| {} | [{service}:{name}]({docs}) | {why} | `{error}` |", member("rule")).unwrap();
    }
    let mut by_reason: std::collections::BTreeMap<&str, Vec<&str>> = std::collections::BTreeMap::new();
    for left_out in plan["not_drilled"].as_array().unwrap() {
        by_reason.entry(left_out["reason"].as_str().unwrap()).or_default().push(left_out["rule"].as_str().unwrap());
    }
    for (reason, rules) in by_reason {
        write!(text, "\nNot drilled by a call, since {reason}: {}.\n", rules.join(", ")).unwrap();
    }
    block("docs/commands/drill.md", "calls", &text);
}
