//! The command line, with which rules are written on a laptop.
//!
//! A command is one file, or one folder where it is large: its arguments (a struct that derives `clap::Args`; the struct's doc
//! comment is the help), and `run`. It is registered by a line of `commands!` below. What commands share: [`load`] reads and
//! compiles rules, [`selection`] picks some of them, [`diagnostics`] shows what is wrong with them, [`input`] reads events and archives, [`findings`] evaluates
//! them, [`terminal`] and [`lines`] print what was found, [`layout`] lays JSON out, [`words`] counts in sentences, [`parsers`] reads
//! the arguments that several of them take.
//!
//! Findings go to stdout, everything else to stderr. Exit codes are an interface: see [`Exit`].

#![allow(clippy::print_stderr, reason = "it is a command line: messages go to stderr, and findings to stdout")]

/// As the standard library's, which every command below would otherwise call: but that a reader of stderr has gone, or its disk is
/// full, is no reason to panic, and the exit code still says how it ended.
macro_rules! eprintln {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _unheard = writeln!(std::io::stderr(), $($text)*);
    }};
}

mod accounts;
mod backtest;
mod bundle;
mod check;
mod completions;
mod content_policy;
mod coverage;
mod diagnostics;
mod diff;
mod doctor;
mod drill;
mod exit;
mod explain;
mod findings;
mod history;
mod import;
mod init;
mod input;
mod layout;
mod learn;
mod lines;
mod list_cutoff;
mod load;
mod new_rule;
mod org;
mod out;
mod package;
mod packs;
mod parsers;
mod pattern;
mod preview;
mod replay;
mod run;
mod schema;
mod selection;
mod send;
mod silence;
mod slug;
#[cfg(feature = "aws")]
mod stack_access;
mod status;
mod terminal;
mod test;
mod whole_file;
mod words;

use std::io;

use clap::Subcommand;

use self::exit::Exit;
pub use self::import::{rules_of_conformity, rules_of_sigma};
pub use self::run::run;
use self::slug::slug;

/// Registers the commands: a variant for each, which holds its arguments, and `run`, which runs it.
macro_rules! commands {
    ($($name:ident($arguments:ty),)+) => {
        #[derive(Debug, Subcommand)]
        enum Command {
            $($name($arguments),)+
        }

        impl Command {
            /// Runs the command.
            ///
            /// # Errors
            /// What kept its output from being written. Everything else that goes wrong has been told on stderr, and is in the
            /// exit code.
            fn run(&self) -> io::Result<Exit> {
                match self {
                    $(Self::$name(command) => command.run(),)+
                }
            }
        }
    };
}

// In the order in which they are used, and `offlimits --help` and docs/commands/README.md list them: rules are begun, written and
// tried on records, then deployed, then asked about.
commands! {
    Init(init::InitCommand),
    Import(import::ImportCommand),
    Accounts(accounts::AccountsCommand),
    NewRule(new_rule::NewRuleCommand),
    Check(check::CheckCommand),
    Test(test::TestCommand),
    Replay(replay::ReplayCommand),
    Explain(explain::ExplainCommand),
    Preview(preview::PreviewCommand),
    Backtest(backtest::BacktestCommand),
    History(history::HistoryCommand),
    Diff(diff::DiffCommand),
    Learn(learn::LearnCommand),
    Coverage(coverage::CoverageCommand),
    Send(send::SendCommand),
    Pattern(pattern::PatternCommand),
    Package(package::PackageCommand),
    Bundle(bundle::BundleCommand),
    Org(org::OrgCommand),
    Status(status::StatusCommand),
    Silence(silence::SilenceCommand),
    Doctor(doctor::DoctorCommand),
    Drill(drill::DrillCommand),
    Schema(schema::SchemaCommand),
    Completions(completions::CompletionsCommand),
}
