//! The command line of `history`.

use std::io;

use clap::Subcommand;

use super::options::{PlanOptions, ReportCommand, SearchTerms, StartCommand, WatchCommand};
use crate::cli::Exit;
use crate::cli::load::RulesOption;

const HELP: &str = "\
Needs the feature `aws`, and a stack of deploy/history.yaml: docs/history.md.

Examples:
  offlimits history plan s3://trail/AWSLogs/ --since 2025-01-01     What would it cost?
  offlimits history start PLAN --max-usd 20                         Have it read
  offlimits history watch PLAN                                      How far is it?
  offlimits history report PLAN --report report.html                What was found, also while it is read
  offlimits history search s3://trail/AWSLogs/ --address 192.0.2.1  A plan without rules: whatever this address did";

/// Read an archive of any size by functions in AWS, beside it, with the same rules and the same answer as backtest
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(in crate::cli) struct HistoryCommand {
    #[command(subcommand)]
    action: HistoryAction,
}

#[derive(Debug, Subcommand)]
enum HistoryAction {
    /// Find out how much is to be read, in how many parts, for how much, and keep that as a plan
    Plan(PlanCommand),
    /// Plan to look for calls, actors, addresses or resources, without any rule
    Search(SearchCommand),
    /// Have a plan read: what has been read before is not read again
    Start(StartCommand),
    /// Show how far it is, how fast, and how much longer it takes
    Watch(WatchCommand),
    /// Report what was found: as backtest does, and also while it is being read
    Report(Box<ReportCommand>),
    /// What the functions of the stack run
    #[command(hide = true)]
    Work,
}

#[derive(Debug, clap::Args)]
struct PlanCommand {
    #[command(flatten)]
    options: PlanOptions,
    #[command(flatten)]
    rules: RulesOption,
}

#[derive(Debug, clap::Args)]
struct SearchCommand {
    #[command(flatten)]
    options: PlanOptions,
    #[command(flatten)]
    terms: SearchTerms,
}

impl HistoryCommand {
    #[cfg(not(feature = "aws"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "it runs as every command does")]
    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        Ok(crate::cli::exit::cannot_ask_aws())
    }

    #[cfg(feature = "aws")]
    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        use super::rules_kept::RulesToKeep;
        use super::{planning, report, start, watch, work};

        match &self.action {
            HistoryAction::Plan(PlanCommand { options, rules }) => match RulesToKeep::of(rules) {
                Some(rules) => planning::run(options, rules),
                None => Ok(Exit::Unreadable),
            },
            HistoryAction::Search(SearchCommand { options, terms }) => {
                if let Some(rules) = terms.rules() {
                    planning::run(options, RulesToKeep::of_text(&rules))
                } else {
                    eprintln!("error: nothing is looked for: give --call, --actor, --address or --resource");
                    Ok(Exit::Unreadable)
                }
            }
            HistoryAction::Start(command) => Ok(start::run(command)),
            HistoryAction::Watch(command) => watch::run(command),
            HistoryAction::Report(command) => report::run(command),
            HistoryAction::Work => Ok(work::run()),
        }
    }
}
