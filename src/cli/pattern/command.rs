//! The command itself: derives the patterns, prints them, or writes them into templates.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Serialize;
use serde_json::json;

use crate::cli::Exit;
use crate::cli::lines::write_line;
use crate::cli::load::RulesOption;
use crate::cli::parsers;
use crate::cli::whole_file::replace;
use crate::cli::words::{counted, grouped};
use crate::pattern::{DerivedPatterns, EventRule, MAX_CHARACTERS, TemplateKind, resources, written};

const HELP: &str = "\
The templates keep what is derived in marked blocks (\"# offlimits pattern: begin rules\"); all else in them is yours. After a \
change of the rules, `check` and `package` tell where it is stale.

Examples:
  offlimits pattern                                           Which calls would invoke the function?
  offlimits pattern --write template.yaml deploy/spoke.yaml   Have the templates deliver them
  offlimits pattern --format cloudformation                   The EventBridge rules, for a template of your own";

/// Derive from the rules which calls EventBridge must deliver, and keep the templates' patterns true
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(in crate::cli) struct PatternCommand {
    #[command(flatten)]
    rules: RulesOption,
    /// Write the patterns into the marked blocks of these templates
    #[arg(long, value_name = "FILE", num_args = 1..)]
    write: Vec<PathBuf>,
    /// What is printed: an overview for people, one JSON object, or the resources as CloudFormation's YAML
    #[arg(long, value_enum, default_value_t = PatternFormat::Human)]
    format: PatternFormat,
    /// The account in the patterns that are printed as JSON: 12 digits
    #[arg(long, value_name = "ACCOUNT", default_value = "123456789012", value_parser = parsers::account)]
    account: String,
}

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PatternFormat {
    /// An overview for people.
    Human,
    /// One JSON object.
    Json,
    /// The resources, as they stand in `template.yaml`.
    Cloudformation,
}

/// The patterns as JSON.
#[derive(Debug, Serialize)]
struct PatternsLine<'p> {
    digest: &'p str,
    rules: Vec<RuleLine>,
    wide_rows: Vec<WideRowLine<'p>>,
}

/// An EventBridge rule as JSON.
#[derive(Debug, Serialize)]
struct RuleLine {
    state: &'static str,
    characters: usize,
    wildcards: usize,
    /// As JSON text, which EventBridge takes.
    pattern: String,
}

/// A row that no pattern can narrow down, as JSON.
#[derive(Debug, Serialize)]
struct WideRowLine<'p> {
    rule: &'p str,
    row: usize,
}

impl PatternCommand {
    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        let Some(rules) = self.rules.load() else { return Ok(Exit::Unreadable) };
        let patterns = DerivedPatterns::of_set(&rules);
        for row in &patterns.wide_rows {
            eprintln!(
                "warning: row {} of {} says nothing that a pattern can ask: everything passes",
                row.row, row.rule
            );
        }
        if !self.write.is_empty() {
            return Ok(self.write(&patterns));
        }
        let mut out = anstream::AutoStream::auto(io::stdout());
        match self.format {
            PatternFormat::Human => print(&mut out, &patterns)?,
            PatternFormat::Json => write_line(&mut out, &self.line(&patterns))?,
            PatternFormat::Cloudformation => {
                resources(TemplateKind::Stack, &patterns).iter().try_for_each(|line| writeln!(out, "{line}"))?;
            }
        }
        Ok(Exit::Done)
    }

    /// Writes the templates; the first that cannot be written ends it.
    fn write(&self, patterns: &DerivedPatterns) -> Exit {
        for path in &self.write {
            if let Err(error) = rewrite(path, patterns) {
                eprintln!("error: {}: {error}", path.display());
                return Exit::Unreadable;
            }
        }
        Exit::Done
    }

    fn line<'p>(&self, patterns: &'p DerivedPatterns) -> PatternsLine<'p> {
        let rule = |rule: &EventRule| RuleLine {
            state: rule.state.as_str(),
            characters: rule.characters(),
            wildcards: rule.wildcards(),
            pattern: rule.pattern(&json!(self.account)).to_string(),
        };
        let row = patterns.wide_rows.iter().map(|row| WideRowLine { rule: &row.rule, row: row.row });
        PatternsLine {
            digest: &patterns.digest,
            rules: patterns.plain.iter().chain(&patterns.reads).map(rule).collect(),
            wide_rows: row.collect(),
        }
    }
}

fn rewrite(path: &Path, patterns: &DerivedPatterns) -> Result<(), Box<dyn std::error::Error>> {
    let before = fs::read_to_string(path)?;
    let after = written(&before, patterns)?;
    if after == before {
        eprintln!("{}: its patterns are those of the rules ({})", path.display(), patterns.digest);
    } else {
        replace(path, after.as_bytes())?;
        eprintln!("{}: written ({})", path.display(), patterns.digest);
    }
    Ok(())
}

fn print(out: &mut impl Write, patterns: &DerivedPatterns) -> io::Result<()> {
    for (rules, what) in [
        (&patterns.plain, "for calls that EventBridge delivers to every rule (with EventPatterns=derived)"),
        (&patterns.reads, "for read-only calls (always)"),
    ] {
        writeln!(out, "{} {what}", counted(rules.len(), "EventBridge rule"))?;
        for (number, rule) in (1..).zip(rules) {
            let characters = rule.characters();
            writeln!(
                out,
                "  {number:>2}  {:>5} of {} characters, {}",
                grouped(characters as u64),
                grouped(MAX_CHARACTERS as u64),
                counted(rule.wildcards(), "wildcard")
            )?;
        }
    }
    writeln!(out, "digest {}", patterns.digest)
}
