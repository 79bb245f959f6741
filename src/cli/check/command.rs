//! The command itself: compiles, lints, prints, and decides the exit code.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::ValueEnum;

use super::counts::LevelCounts;
use super::{json, sarif};
use crate::cli::Exit;
use crate::cli::diagnostics::report;
use crate::cli::load;
use crate::cli::words::counted;
use crate::config::suggestion;
use crate::lint;
use crate::ruleset::{Compiled, RuleSet};
use crate::time::{Date, Timestamp};

/// Report every mistake in rules.json, each with its place and remedy
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct CheckCommand {
    /// The rules
    #[arg(default_value = "rules.json")]
    rules: PathBuf,
    /// Also fail, with exit code 1, if there are warnings
    #[arg(long, value_enum, value_name = "WHAT")]
    deny: Option<Deny>,
    /// How diagnostics are printed: for people, or as one document on stdout
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
}

impl CheckCommand {
    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        if let Some(code) = &self.explain {
            return explain(code);
        }
        let path = self.rules.as_path();
        let Some(sources) = load::read(path) else { return Ok(Exit::Unreadable) };
        let (compiled, diagnostics) = match RuleSet::compile_sources(&sources) {
            Ok(Compiled { rules, mut warnings }) => {
                warnings.extend(lint::run(&rules, &sources, today()));
                (Some(rules), warnings)
            }
            Err(diagnostics) => (None, diagnostics),
        };
        match self.format {
            CheckFormat::Human => report(path, &sources, &diagnostics),
            CheckFormat::Json => json::write(path, &sources, &diagnostics)?,
            CheckFormat::Sarif => sarif::write(path, &sources, &diagnostics)?,
        }
        let tally = LevelCounts::new(&diagnostics);
        eprintln!("{}: {}", path.display(), summary(compiled.as_ref(), &tally));
        let wrong = match self.deny {
            None => tally.errors > 0,
            Some(Deny::Warnings) => tally.errors + tally.warnings > 0,
            Some(Deny::Notes) => !diagnostics.is_empty(),
        };
        Ok(if wrong { Exit::Wrong } else { Exit::Done })
    }
}

/// Prints the section of a code. The page is part of the program: it says what this version means.
fn explain(code: &str) -> io::Result<Exit> {
    const PAGE: &str = include_str!("../../../docs/diagnostics.md");
    let sections = || PAGE.split("\n### ").skip(1).filter_map(|section| section.split_once('\n'));
    let Some((_, text)) = sections().find(|(name, _)| *name == code) else {
        let help = suggestion(code, sections().map(|(name, _)| name));
        eprintln!(
            "error: no diagnostic has the code \"{code}\"{}",
            help.map(|help| format!(": {help}?")).unwrap_or_default()
        );
        return Ok(Exit::Unreadable);
    };
    // The last of a chapter is followed by the next chapter's heading, or by the mark at the end of the lints.
    let text = text.split("\n## ").next().unwrap_or_default().split("\n<!--").next().unwrap_or_default();
    writeln!(io::stdout().lock(), "{code}\n\n{}", text.trim())?;
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
