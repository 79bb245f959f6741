//! The command itself: compiles, lints, prints, and decides the exit code.

use std::io::{self, Write};
use std::path::Path;

use clap::ValueEnum;

use super::counts::LevelCounts;
use super::fix::{Fixed, fix};
use super::told::told_of;
use super::{github, json, page, sarif, selected};
use crate::cli::Exit;
use crate::cli::diagnostics::{path_in, report};
use crate::cli::load::{self, RulesArgument};
use crate::cli::pattern::stale;
use crate::cli::selection::RuleSelection;
use crate::cli::words::counted;
use crate::config::{Diagnostic, Level, suggestion};
use crate::ruleset::{Reading, RuleSet, Sources};

/// Report every mistake in rules.json, each with its place and remedy
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct CheckCommand {
    #[command(flatten)]
    rules: RulesArgument,
    #[command(flatten)]
    selection: RuleSelection,
    /// Also fail, with exit code 1, if there are warnings
    #[arg(long, value_enum, value_name = "WHAT")]
    deny: Option<Deny>,
    /// How diagnostics are printed: for people, as one document on stdout, or as annotations of GitHub's workflows
    #[arg(long, value_enum, default_value_t = CheckFormat::Human)]
    format: CheckFormat,
    /// Put right in the files what has one right answer, say what was changed, and check again
    #[arg(long, conflicts_with_all = ["explain", "ids", "severity"])]
    fix: bool,
    /// Say what this code of a diagnostic means, and check nothing
    #[arg(long, value_name = "CODE")]
    explain: Option<String>,
}

/// What `--deny` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Deny {
    /// Warnings.
    Warnings,
    /// Warnings and notes.
    Notes,
}

/// How diagnostics are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CheckFormat {
    /// For people.
    Human,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Annotations of GitHub's workflows, one a line.
    Github,
}

impl CheckCommand {
    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        if let Some(code) = &self.explain {
            return explain(code);
        }
        let path = self.rules.path();
        let Some(sources) = load::read(path) else { return Ok(Exit::Unreadable) };
        let fixed = if self.fix { Some(put_right(path, &sources)) } else { None };
        let fixed = match fixed.transpose() {
            Ok(fixed) => fixed,
            Err(error) => {
                eprintln!("error: cannot write the fixes: {error}");
                return Ok(Exit::Unreadable);
            }
        };
        // What stands in the files now is what counts.
        let is_changed = fixed.as_ref().is_some_and(|fixed| !fixed.changes.is_empty());
        let again = if is_changed { load::read(path) } else { Some(sources) };
        let Some(sources) = again else { return Ok(Exit::Unreadable) };
        let Reading { rules, mut diagnostics } = told_of(&sources);
        let is_right = diagnostics.iter().all(|diagnostic| diagnostic.level != Level::Error);
        if let Some(rules) = rules.as_ref().filter(|_| !self.selection.takes_all()) {
            // What is asked about may be what could not be read.
            if is_right && !self.selection.is_of(&[rules]) {
                return Ok(Exit::Unreadable);
            }
            selected::retain(&mut diagnostics, &self.selection, rules, &sources);
        }
        match self.format {
            CheckFormat::Human => report(path, &sources, &diagnostics),
            CheckFormat::Json => json::write(path, &sources, &diagnostics, fixed.as_ref())?,
            CheckFormat::Sarif => sarif::write(path, &sources, &diagnostics)?,
            CheckFormat::Github => github::write(path, &sources, &diagnostics)?,
        }
        let fixable = diagnostics.iter().filter(|diagnostic| diagnostic.fix.is_some()).count();
        if fixable > 0 && fixed.is_none() {
            eprintln!("{} can be put right by machine: offlimits check --fix {}", of_them(fixable), path.display());
        }
        let tally = LevelCounts::new(&diagnostics);
        eprintln!(
            "{}: {}",
            path_in(path, sole_file(&diagnostics)),
            summary(rules.as_ref().filter(|_| is_right), &tally)
        );
        let is_stale = rules.as_ref().filter(|_| is_right).is_some_and(|rules| !stale(path, rules).is_empty());
        let wrong = match self.deny {
            _ if is_stale => true,
            None => tally.errors > 0,
            Some(Deny::Warnings) => tally.errors + tally.warnings > 0,
            Some(Deny::Notes) => !diagnostics.is_empty(),
        };
        Ok(if wrong { Exit::Wrong } else { Exit::Done })
    }
}

/// The file beside the rules in which all errors stand; none where there is no error, or the rules have one.
fn sole_file(diagnostics: &[Diagnostic]) -> Option<&str> {
    let mut files = diagnostics.iter().filter(|found| found.level == Level::Error).map(|found| found.file.as_deref());
    let first = files.next()??;
    files.all(|file| file == Some(first)).then_some(first)
}

/// Applies the fixes, and says what was changed and what was left alone.
fn put_right(path: &Path, sources: &Sources) -> io::Result<Fixed> {
    let fixed = fix(path, sources)?;
    for change in &fixed.changes {
        eprintln!("fixed: {}", change.told());
    }
    for (file, reason) in &fixed.left_alone {
        eprintln!("not fixed: {file}: {reason}");
    }
    Ok(fixed)
}

/// `One of them`, `3 of them`
fn of_them(number: usize) -> String {
    if number == 1 { "One of them".to_owned() } else { format!("{number} of them") }
}

/// Prints the section of a code.
fn explain(code: &str) -> io::Result<Exit> {
    let Some(section) = page::section(code) else {
        let help = suggestion(code, page::codes());
        eprintln!(
            "error: no diagnostic has the code \"{code}\"{}",
            help.map(|near| format!(": {}", near.question())).unwrap_or_default()
        );
        return Ok(Exit::Unreadable);
    };
    writeln!(io::stdout().lock(), "{code}\n\n{section}")?;
    Ok(Exit::Done)
}

/// `12 rules and 2 channels, no errors, 1 warning`, or `3 errors`
fn summary(rules: Option<&RuleSet>, LevelCounts { errors, warnings, notes }: &LevelCounts) -> String {
    let mut parts = vec![match rules {
        Some(rules) => format!(
            "{} and {}, no errors",
            counted(rules.rules().len(), "rule"),
            counted(rules.channels().len(), "channel")
        ),
        None => counted(*errors, "error"),
    }];
    for (number, what) in [(*warnings, "warning"), (*notes, "note")] {
        if number > 0 {
            parts.push(counted(number, what));
        }
    }
    parts.join(", ")
}
