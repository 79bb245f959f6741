//! `offlimits check`: every mistake in rules.json, each with its place and remedy, and what is probably not meant.

mod human;
mod json;
mod sarif;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;

pub(super) use self::human::report;
use super::{Exit, input};
use crate::cloudtrail::countries;
use crate::config::suggestion;
use crate::config::{Diagnostic, Level};
use crate::lint;
use crate::ruleset::{Compiled, RuleSet, Sources};
use crate::time::{Date, Timestamp};

/// What the command was asked for.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
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

/// How many diagnostics there are of each level.
#[derive(Debug, Default)]
struct LevelCounts {
    errors: usize,
    warnings: usize,
    notes: usize,
}

impl LevelCounts {
    fn new(diagnostics: &[Diagnostic]) -> Self {
        let count = |level: Level| diagnostics.iter().filter(|diagnostic| diagnostic.level == level).count();
        Self { errors: count(Level::Error), warnings: count(Level::Warning), notes: count(Level::Note) }
    }
}

pub(super) fn run(options: &Options) -> io::Result<Exit> {
    if let Some(code) = &options.explain {
        return explain(code);
    }
    let path = options.rules.as_path();
    let Some(sources) = read(path) else { return Ok(Exit::Unreadable) };
    let (compiled, diagnostics) = match RuleSet::compile_sources(&sources) {
        Ok(Compiled { rules, mut warnings }) => {
            warnings.extend(lint::run(&rules, &sources, today()));
            (Some(rules), warnings)
        }
        Err(diagnostics) => (None, diagnostics),
    };
    match options.format {
        CheckFormat::Human => report(path, &sources, &diagnostics),
        CheckFormat::Json => json::write(path, &sources, &diagnostics)?,
        CheckFormat::Sarif => sarif::write(path, &sources, &diagnostics)?,
    }
    let tally = LevelCounts::new(&diagnostics);
    eprintln!("{}: {}", path.display(), summary(compiled.as_ref(), &tally));
    let wrong = match options.deny {
        None => tally.errors > 0,
        Some(Deny::Warnings) => tally.errors + tally.warnings > 0,
        Some(Deny::Notes) => !diagnostics.is_empty(),
    };
    Ok(if wrong { Exit::Wrong } else { Exit::Done })
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
    // The last of a chapter is followed by the next chapter's heading.
    let text = text.split("\n## ").next().unwrap_or_default();
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

/// The text of a rules file, and of the packs that it includes, whose names are paths from its folder; says so where it
/// cannot be read itself.
pub(super) fn read(path: &Path) -> Option<Sources> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let root = input::read(path)
        .inspect_err(|error| {
            eprintln!("error: cannot read the rules: {}: {error}", path.display());
            if !path.exists() {
                eprintln!("help: name your rules with --rules FILE, or run this where rules.json is");
            }
        })
        .ok()?;
    let sources = Sources::gather(root, |pack| {
        let path = folder.join(pack);
        input::read(&path).map_err(|error| format!("{}: {error}", path.display()))
    });
    sources
        .with_countries(|| fs::read(folder.join(countries::FILE)))
        .inspect_err(|reason| eprintln!("error: cannot read the countries: {reason}"))
        .ok()
}

/// The path of the file that a diagnostic is about.
fn path_of(rules: &Path, diagnostic: &Diagnostic) -> String {
    diagnostic.file.as_deref().map_or(rules.to_owned(), |pack| rules.with_file_name(pack)).display().to_string()
}

/// `1 rule`, `2 rules`
pub(super) fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
