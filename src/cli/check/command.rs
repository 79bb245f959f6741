//! The command itself: compiles, lints, prints, and decides the exit code.

use std::io::{self, Write};

use clap::ValueEnum;

use super::counts::LevelCounts;
use super::{github, json, page, sarif, selected};
use crate::cli::Exit;
use crate::cli::diagnostics::report;
use crate::cli::load::{self, RulesArgument};
use crate::cli::pattern::stale;
use crate::cli::selection::RuleSelection;
use crate::cli::words::counted;
use crate::config::suggestion;
use crate::lint;
use crate::ruleset::{Compiled, RuleSet};
use crate::time::{Date, Timestamp};

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
        let (compiled, mut diagnostics) = match RuleSet::compile_sources(&sources) {
            Ok(Compiled { rules, mut warnings }) => {
                warnings.extend(lint::run(&rules, &sources, today()));
                (Some(rules), warnings)
            }
            Err(diagnostics) => (None, diagnostics),
        };
        if let Some(rules) = compiled.as_ref().filter(|_| !self.selection.takes_all()) {
            if !self.selection.is_of(&[rules]) {
                return Ok(Exit::Unreadable);
            }
            selected::retain(&mut diagnostics, &self.selection, rules, &sources);
        }
        match self.format {
            CheckFormat::Human => report(path, &sources, &diagnostics),
            CheckFormat::Json => json::write(path, &sources, &diagnostics)?,
            CheckFormat::Sarif => sarif::write(path, &sources, &diagnostics)?,
            CheckFormat::Github => github::write(path, &sources, &diagnostics)?,
        }
        let tally = LevelCounts::new(&diagnostics);
        eprintln!("{}: {}", path.display(), summary(compiled.as_ref(), &tally));
        let is_stale = compiled.as_ref().is_some_and(|rules| !stale(path, rules).is_empty());
        let wrong = is_stale
            || match self.deny {
                None => tally.errors > 0,
                Some(Deny::Warnings) => tally.errors + tally.warnings > 0,
                Some(Deny::Notes) => !diagnostics.is_empty(),
            };
        Ok(if wrong { Exit::Wrong } else { Exit::Done })
    }
}

/// Prints the section of a code.
fn explain(code: &str) -> io::Result<Exit> {
    let Some(section) = page::section(code) else {
        let help = suggestion(code, page::codes());
        eprintln!(
            "error: no diagnostic has the code \"{code}\"{}",
            help.map(|help| format!(": {help}?")).unwrap_or_default()
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

#[expect(
    clippy::disallowed_methods,
    reason = "the command line is where the clock is: everything below is told the day"
)]
fn today() -> Date {
    Timestamp::from(std::time::SystemTime::now()).date()
}
