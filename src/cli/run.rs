//! The command line of this process: parses it, runs its command, and turns the end into an exit code.

use std::io;
use std::process::ExitCode;

use clap::Parser;

use super::{Command, Exit};

const EXAMPLES: &str = "\
Examples:
  offlimits check                                      Is rules.json right?
  offlimits replay events/start-instances.json         What would this event set off?
  offlimits explain events/start-instances-role.json   Why does the table not see it?
  offlimits preview events/stop-logging.json           What will people see of it?
  offlimits test --mutate                              Do the rules' own tests pass, and would they notice?
  offlimits replay AWSLogs/ --format jsonl | jq .actor A folder of CloudTrail's log files, for machines
  aws cloudtrail lookup-events | offlimits replay -    What happened in this account lately?

Exit codes: 0 done; 1 `check`, `test`, `backtest` or `diff` found something wrong, or `status` or `preview` nothing, or `send` did not arrive; 2 wrong usage, or input that could not be read.";

/// Tells who made an AWS API call that nobody should be making.
#[derive(Debug, Parser)]
#[command(name = "offlimits", version, about, after_help = EXAMPLES, arg_required_else_help = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// Runs the command line of this process. Findings go to stdout, everything else to stderr.
pub fn run() -> ExitCode {
    // clap prints its own errors, and exits with 2.
    match Arguments::parse().command.run() {
        Ok(exit) => ExitCode::from(exit as u8),
        // Whoever reads our output has seen enough: `offlimits replay … | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: cannot write the output: {error}");
            ExitCode::from(Exit::Unreadable as u8)
        }
    }
}
