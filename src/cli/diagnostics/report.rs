//! Draws diagnostics on stderr.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;

use anstyle::{AnsiColor, Style};

use super::window::Window;
use crate::config::{Diagnostic, Level};
use crate::ruleset::Sources;
use crate::text::printable;

/// Columns of a line that are shown.
const COLUMNS: usize = 120;

/// The path of the file that a diagnostic is about: that of the rules, or of a pack beside them.
pub(in crate::cli) fn path_of(rules: &Path, diagnostic: &Diagnostic) -> String {
    path_in(rules, diagnostic.file.as_deref())
}

/// The path of the rules, or of a pack beside them.
pub(in crate::cli) fn path_in(rules: &Path, pack: Option<&str>) -> String {
    pack.map_or(rules.to_owned(), |pack| rules.with_file_name(pack)).display().to_string()
}

/// Shows diagnostics on stderr, each with the line that it is about. `path` is that of the rules, whose texts `sources` holds.
pub(in crate::cli) fn report(path: &Path, sources: &Sources, diagnostics: &[Diagnostic]) {
    let mut out = anstream::stderr().lock();
    // Nobody is left to tell that nobody reads.
    let _ = write_all(&mut out, path, sources, diagnostics);
}

fn write_all(out: &mut impl Write, path: &Path, sources: &Sources, diagnostics: &[Diagnostic]) -> io::Result<()> {
    // What is secret is hidden in every line, whatever the line is shown for.
    let mut texts: HashMap<Option<&str>, Cow<'_, str>> = HashMap::new();
    for diagnostic in diagnostics {
        let file = diagnostic.file.as_deref();
        let text = texts.entry(file).or_insert_with(|| Cow::Borrowed(sources.text(file)));
        if let Some(hidden) = &diagnostic.hidden {
            *text = Cow::Owned(without(text, hidden));
        }
    }
    for diagnostic in diagnostics {
        let text = texts.get(&diagnostic.file.as_deref()).map_or("", |text| text);
        write_one(out, path, text, diagnostic)?;
    }
    Ok(())
}

/// A text of the same length with stars in the place of some bytes.
fn without(text: &str, hidden: &Range<usize>) -> String {
    let stars = "*".repeat(hidden.len());
    [text.get(..hidden.start).unwrap_or(text), &stars, text.get(hidden.end..).unwrap_or_default()].concat()
}

fn write_one(out: &mut impl Write, path: &Path, text: &str, diagnostic: &Diagnostic) -> io::Result<()> {
    let (kind, colour) = match diagnostic.level {
        Level::Error => ("Error", AnsiColor::Red),
        Level::Warning => ("Warning", AnsiColor::Yellow),
        Level::Note => ("Note", AnsiColor::Blue),
    };
    let mark = Style::new().fg_color(Some(colour.into()));
    let dim = Style::new().dimmed();
    let Diagnostic { code, message, line, column, span, pointer, .. } = diagnostic;
    let margin = " ".repeat(line.to_string().len() + 2);
    let window = Window::new(text, span, COLUMNS);
    let place = if pointer.is_empty() { "here".to_owned() } else { printable(pointer) };
    writeln!(out, "{mark}[{code}] {kind}:{mark:#} {}", printable(message))?;
    writeln!(out, "{margin}{dim}╭─[{dim:#} {}:{line}:{column} {dim}]{dim:#}", path_of(path, diagnostic))?;
    writeln!(out, "{margin}{dim}│{dim:#}")?;
    writeln!(out, " {dim}{line} │{dim:#} {}", window.line)?;
    // The arrow begins below the middle of the mark.
    let middle = window.width / 2;
    let (before, after) = (" ".repeat(window.before), window.width.max(1) - 1 - middle);
    let line_of = |columns: usize| "─".repeat(columns);
    writeln!(out, "{margin}{dim}│{dim:#} {before}{mark}{}┬{}{mark:#}", line_of(middle), line_of(after))?;
    let arrow = line_of(after + 2);
    writeln!(out, "{margin}{dim}│{dim:#} {before}{}{mark}╰{arrow}{mark:#} {place}", " ".repeat(middle))?;
    for related in &diagnostic.related {
        let place = path_in(path, related.file.as_deref());
        writeln!(out, "{margin}{dim}│{dim:#}")?;
        writeln!(out, "{margin}{dim}│{dim:#} See {place}:{}:{}: {}", related.line, related.column, related.message)?;
    }
    writeln!(out, "{margin}{dim}│{dim:#}")?;
    writeln!(out, "{margin}{dim}│{dim:#} Help: {}", printable(&diagnostic.help))?;
    writeln!(out, "{dim}{}╯{dim:#}", line_of(margin.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, code: &str) -> String {
        let sources = Sources::alone(text);
        let found = crate::ruleset::RuleSet::compile_sources(&sources).unwrap_err();
        let found: Vec<_> = found.into_iter().filter(|found| found.code == code).collect();
        let mut out = Vec::new();
        write_all(&mut out, Path::new("rules.json"), &sources, &found).unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    }

    #[test]
    fn the_line_stands_above_its_mark_and_the_first_of_two_is_named() {
        let rule = r#"{"id": "R", "title": "t", "severity": "low", "when": {"event": "x"}}"#;
        let text = format!("{{\"rules\": [\n  {rule},\n  {rule}\n]}}");
        let expected = r#"[repeated-id] Error: two rules have the id "R"
   ╭─[ rules.json:3:10 ]
   │
 3 │   {"id": "R", "title": "t", "severity": "low", "when": {"event": "x"}}
   │          ─┬─
   │           ╰─── /rules/1/id
   │
   │ See rules.json:2:10: the first is here
   │
   │ Help: give each rule an id of its own
───╯
"#;
        assert_eq!(shown(&text, "repeated-id"), expected);
    }

    #[test]
    fn a_credential_is_shown_to_nobody() {
        let text = r#"{"channels": {"a": {"type": "slack", "webhook_url": "https://hooks.slack.com/services/T0/B0/secret"}},
            "rules": [{"id": "R", "title": "t", "severity": "low", "when": {"event": "x"}}]}"#;
        let shown = shown(text, "unknown-key");
        assert!(shown.contains("is a credential"), "{shown}");
        assert!(shown.contains("write it into the secret, under \"a\""), "{shown}");
        assert!(!shown.contains("hooks.slack.com") && !shown.contains("secret\"}}"), "{shown}");
    }
}
