//! The command line, with which rules are written on a laptop: one file a command.
//!
//! Findings go to stdout, everything else to stderr. Exit codes are an interface: see [`Exit`].

#![allow(clippy::print_stderr, reason = "it is a command line: messages go to stderr, and findings through `Output`")]

mod backtest;
mod bundle;
mod check;
mod diff;
mod explain;
mod findings;
mod import;
mod input;
mod replay;
mod terminal;
mod test;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

use crate::ruleset::RuleSet;

const EXAMPLES: &str = "\
Examples:
  offlimits check                                      Is rules.json right?
  offlimits replay events/start-instances.json         What would this event set off?
  offlimits explain events/start-instances-role.json   Why does the table not see it?
  offlimits test --mutate                              Do the rules' own tests pass, and would they notice?
  offlimits replay AWSLogs/ --format jsonl | jq .actor A folder of CloudTrail's log files, for machines
  aws cloudtrail lookup-events | offlimits replay -    What happened in this account lately?

Exit codes: 0 done; 1 `check`, `test`, `backtest` or `diff` found something wrong; 2 wrong usage, or input that could not be read.";

/// Tells who made an AWS API call that nobody should be making.
#[derive(Debug, Parser)]
#[command(name = "offlimits", version, about, after_help = EXAMPLES, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Report every mistake in rules.json, each with its place and remedy
    Check(check::Options),
    /// Write one file that holds the rules and the packs that they include: what the function starts from
    Bundle {
        /// The rules
        #[arg(default_value = "rules.json")]
        rules: PathBuf,
        /// Where to; without it, to stdout
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Print the alerts that events or CloudTrail's log files would set off
    #[command(
        after_help = "A FILE may be an EventBridge event, a CloudTrail log file, NDJSON, an SQS or SNS message or a \
                            bare record, plain or gzip; a folder is walked, and - is stdin."
    )]
    Replay {
        #[command(flatten)]
        source: Source,
        /// How findings are printed: for people, or one JSON object a line
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Show why each rule does or does not match a record, cell by cell, and what it would send to whom
    Explain {
        #[command(flatten)]
        source: Source,
        #[command(flatten)]
        options: explain::Options,
    },
    /// Count what the rules would have found in archives of log files, and what would have been sent
    #[command(after_help = backtest::HELP)]
    Backtest {
        #[command(flatten)]
        archive: input::Archive,
        /// The rules
        #[arg(long, value_name = "FILE", default_value = "rules.json")]
        rules: PathBuf,
        #[command(flatten)]
        options: backtest::BacktestOptions,
    },
    /// Tell which findings a change of the rules adds to archives of log files, and which it removes
    Diff {
        /// The rules as they are
        old: PathBuf,
        /// The rules as they would be
        new: PathBuf,
        #[command(flatten)]
        archive: input::Archive,
        #[command(flatten)]
        options: diff::Options,
    },
    /// Run the tests that the rules carry
    #[command(
        after_help = "A test names an event (inline, or a file relative to rules.json) and whether the rule must match \
                            it. An event of several records matches if one of them does."
    )]
    Test {
        /// The rules
        #[arg(long, value_name = "FILE", default_value = "rules.json")]
        rules: PathBuf,
        #[command(flatten)]
        options: test::Options,
    },
    /// Turn the rules of another product into a rules.json, and report what could not be carried over
    Import {
        #[command(subcommand)]
        product: import::Product,
    },
    /// Print the JSON Schema of rules.json, for editors
    Schema,
    /// Print the completions of a shell: `source <(offlimits completions bash)`
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, clap::Args)]
struct Source {
    /// Files and folders to read; - is stdin
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The rules
    #[arg(long, value_name = "FILE", default_value = "rules.json")]
    rules: PathBuf,
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Human,
    /// One JSON object a line.
    Jsonl,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Exit {
    /// Done.
    Done = 0,
    /// `check` or `test` found something wrong; `backtest` or `diff` found more than `--max-per-day` allows.
    Wrong = 1,
    /// Wrong usage, or input that could not be read. Every readable input has still been processed.
    Unreadable = 2,
    /// Ctrl-C ended it: 128 + SIGINT, as shells have it.
    Interrupted = 130,
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    // clap prints its own errors, and exits with 2.
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Check(options) => check::run(&options),
        Command::Bundle { rules, output } => bundle::run(&rules, output.as_deref()),
        Command::Replay { source, format } => with_rules(&source, |rules| replay::run(rules, &source.files, format)),
        Command::Explain { source, options } => {
            with_rules(&source, |rules| explain::run(rules, &source.files, &options))
        }
        Command::Backtest { archive, rules, options } => match load(&rules) {
            Some(rules) => backtest::run(&rules, &archive, &options),
            None => Ok(Exit::Unreadable),
        },
        Command::Diff { old, new, archive, options } => match (load(&old), load(&new)) {
            (Some(old), Some(new)) => diff::run(&old, &new, &archive, &options),
            _ => Ok(Exit::Unreadable),
        },
        Command::Test { rules: path, options } => match load(&path) {
            Some(rules) => test::run(&rules, &path, &options),
            None => Ok(Exit::Unreadable),
        },
        Command::Import { product } => import::run(&product),
        Command::Schema => write!(io::stdout().lock(), "{}", crate::schema::text()).map(|()| Exit::Done),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Arguments::command(), "offlimits", &mut io::stdout());
            Ok(Exit::Done)
        }
    };
    match result {
        Ok(exit) => ExitCode::from(exit as u8),
        // Whoever reads our output has seen enough: `offlimits replay … | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: cannot write the output: {error}");
            ExitCode::from(Exit::Unreadable as u8)
        }
    }
}

/// Runs a command on rules that compile; others are reported as `check` would.
fn with_rules(source: &Source, command: impl FnOnce(&RuleSet) -> io::Result<Exit>) -> io::Result<Exit> {
    match load(&source.rules) {
        Some(rules) => command(&rules),
        None => Ok(Exit::Unreadable),
    }
}

fn load(path: &Path) -> Option<RuleSet> {
    let sources = check::read(path)?;
    match RuleSet::compile_sources(&sources) {
        Ok(compiled) => {
            check::report(path, &sources, &compiled.warnings);
            Some(compiled.rules)
        }
        Err(diagnostics) => {
            check::report(path, &sources, &diagnostics);
            None
        }
    }
}
