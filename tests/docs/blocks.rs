//! What the pages' fenced blocks say is so.

use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;
use serde_json::{Map, Value, json};

use super::pages::{Block, blocks, name, pages, read};
use crate::support::{self, repository};

/// A folder in which the commands of a page run.
fn workplace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in ["events", "packs", "rules.json"] {
        std::os::unix::fs::symlink(repository(entry), folder.path().join(entry)).unwrap();
    }
    folder
}

#[test]
fn consoles_do_what_they_show() {
    let mut ran = 0;
    for page in pages() {
        let page_text = read(&page);
        let workplace =
            if page_text.contains("<!-- workplace: empty -->") { tempfile::tempdir().unwrap() } else { workplace() };
        let mut folder = workplace.path().to_owned();
        for block in blocks(&page_text) {
            if let Some(file) = block.note("file") {
                let path = folder.join(file);
                // `rules.json` may be a link to the repository's own.
                let _ = std::fs::remove_file(&path);
                std::fs::write(path, &block.text).unwrap();
            }
            if block.language == "console" {
                ran += console(&block, &mut folder, &name(&page));
            }
        }
    }
    assert!(ran >= 25, "only {ran} commands ran");
}

/// Runs the commands of a block, and returns how many. `cd` changes the folder for all that follow on the page.
fn console(block: &Block, folder: &mut PathBuf, page: &str) -> usize {
    let mut commands: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in block.text.lines() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command, Vec::new())),
            (None, Some((_, output))) => output.push(line),
            (None, None) => panic!("{page}:{}: a console block begins with `$ `", block.line),
        }
    }
    let last = commands.len() - 1;
    for (index, (command, expected)) in commands.iter().enumerate() {
        if let Some(inner) = command.strip_prefix("cd ") {
            folder.push(inner);
            assert!(folder.is_dir(), "{page}:{}: {command}", block.line);
            continue;
        }
        let tool = Path::new(env!("CARGO_BIN_EXE_offlimits")).parent().unwrap();
        let path = format!("{}:{}", tool.display(), std::env::var_os("PATH").unwrap().display());
        let run = Command::new("sh")
            .args(["-c", &format!("{command} 2>&1")])
            .env("PATH", path)
            .env("NO_COLOR", "1")
            .env("COLUMNS", "100")
            .current_dir(&*folder)
            .output()
            .unwrap();
        let output = String::from_utf8_lossy(&run.stdout);
        let lines: Vec<&str> = output.trim_end().lines().map(str::trim_end).collect();
        let place = format!("{page}:{}: $ {command}", block.line);
        let wanted = if index == last { block.note("exit").map_or(0, |code| code.parse().unwrap()) } else { 0 };
        assert_eq!(run.status.code(), Some(wanted), "{place}\n{output}");
        // What shows nothing promises nothing.
        if !expected.is_empty() {
            assert!(fits(expected, &lines), "{place}\n--- shown\n{}\n--- printed\n{output}", expected.join("\n"));
        }
    }
    commands.len()
}

/// Whether lines are as shown; `…` on its own stands for any lines, and at a line's end for its rest.
fn fits(shown: &[&str], lines: &[&str]) -> bool {
    match (shown.split_first(), lines.split_first()) {
        (None, None) => true,
        (Some((&"…", rest)), _) => (0..=lines.len()).any(|skipped| fits(rest, &lines[skipped..])),
        (Some((shown, rest)), Some((line, others))) => {
            let same = match shown.strip_suffix('…') {
                Some(beginning) => line.starts_with(beginning),
                None => shown.trim_end() == *line,
            };
            same && fits(rest, others)
        }
        _ => false,
    }
}

/// A JSON block is a rules.json, a part of one, or another document; a part is completed, and compiles.
#[test]
fn json_blocks_of_rules_compile() {
    let mut compiled = 0;
    for page in pages() {
        for block in blocks(&read(&page)).iter().filter(|block| block.language == "json") {
            let place = format!("{}:{}", name(&page), block.line);
            let text = &block.text;
            let document: Value = [text.clone(), format!("{{{text}}}"), format!("[{text}]")]
                .iter()
                .find_map(|text| serde_json::from_str(text).ok())
                .unwrap_or_else(|| panic!("{place}: not JSON, nor a part of an object or list: {text}"));
            let Some(rules) = completed(&document) else { continue };
            let folder = workplace();
            let file = support::file(folder.path(), "documented.json", rules.to_string());
            // The accounts that the pages speak of.
            support::file(
                folder.path(),
                "accounts.json",
                r#"{ "111122223333": { "name": "production", "unit": "Workloads/Prod" } }"#,
            );
            let mut command = support::offlimits(["check"]);
            command.arg(&file);
            let run = support::run(command);
            // A database of countries is the reader's own.
            if run.stderr.contains("no-countries") {
                continue;
            }
            assert_eq!(run.code, Some(0), "{place}: {}\n{text}", run.stderr);
            compiled += 1;
        }
    }
    assert!(compiled >= 10, "only {compiled} blocks are rules");
}

/// Keys of a rule that may be shown alone.
const RULE: [&str; 10] =
    ["when", "unless", "throttle", "threshold", "respond", "allow", "tests", "severity_when", "notify", "mode"];

/// A whole rules.json made of a documented part, if it is one.
fn completed(document: &Value) -> Option<Value> {
    let rule = json!({"id": "any", "title": "any", "severity": "low", "when": {"event": "any"}});
    let keys = document.as_object()?;
    let has = |key: &str| keys.contains_key(key);
    if has("rules") || has("include") || has("pack") {
        let mut whole = if has("pack") { json!({"include": [document]}) } else { document.clone() };
        if !has("rules") {
            whole["rules"] = json!([rule]);
        }
        if !has("channels") {
            let (mut named, topic) = (Map::new(), json!({"type": "sns"}));
            notified(document, &mut |name| drop(named.insert(name.to_owned(), topic.clone())));
            named.insert("topic".to_owned(), topic.clone());
            whole["channels"] = Value::Object(named);
        }
        return Some(whole);
    }
    if has("id") && has("when") {
        return Some(json!({"rules": [document]}));
    }
    if keys.get("channels").is_some_and(Value::is_object) || has("lists") {
        let mut whole = document.clone();
        whole["rules"] = json!([rule]);
        return Some(whole);
    }
    if keys.keys().all(|key| RULE.contains(&key.as_str())) {
        let mut whole = rule;
        whole.as_object_mut().unwrap().extend(keys.clone());
        return Some(json!({"rules": [whole]}));
    }
    None
}

/// The channels that an excerpt's rules name in `notify`.
fn notified(document: &Value, take: &mut dyn FnMut(&str)) {
    match document {
        Value::Array(items) => items.iter().for_each(|item| notified(item, take)),
        Value::Object(members) => {
            for (key, value) in members {
                if key == "notify" {
                    value.as_array().into_iter().flatten().filter_map(Value::as_str).for_each(&mut *take);
                }
                notified(value, take);
            }
        }
        _ => {}
    }
}

/// Of shell blocks, which are not run: commands and options of ours exist, and so do make's targets.
#[test]
fn commands_in_shell_blocks_exist() {
    let makefile = std::fs::read_to_string(repository("Makefile")).unwrap();
    let option = Regex::new(r"\s(--[a-z][a-z-]*)").unwrap();
    let mut seen = 0;
    for page in pages() {
        for block in blocks(&read(&page)).iter().filter(|block| block.language == "sh") {
            for line in block.text.lines() {
                let place = format!("{}:{}: {line}", name(&page), block.line);
                let command = line.split(" #").next().unwrap_or_default().trim();
                if let Some(target) = command.strip_prefix("make ") {
                    let target = target.split_whitespace().next().unwrap();
                    assert!(makefile.lines().any(|rule| rule.starts_with(&format!("{target}:"))), "{place}");
                    seen += 1;
                }
                for ours in command.split(['|', ';', '&']).map(str::trim) {
                    let Some(arguments) =
                        ours.strip_prefix("offlimits ").or_else(|| ours.strip_prefix("cargo run -- "))
                    else {
                        continue;
                    };
                    let mut help: Vec<&str> = arguments.split_whitespace().take(1).collect();
                    if help == ["import"] || help == ["history"] {
                        help = arguments.split_whitespace().take(2).collect();
                    }
                    let mut asked = support::offlimits(help);
                    asked.arg("--help");
                    let run = support::run(asked);
                    assert_eq!(run.code, Some(0), "{place}: {}", run.stderr);
                    for option in option.captures_iter(arguments) {
                        assert!(run.stdout.contains(&option[1]), "{place}: no option {}", &option[1]);
                    }
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 10, "{seen}");
}
