//! The command line of this process: parses it, runs its command, and turns the end into an exit code.

use std::io;
use std::process::ExitCode;

use clap::Parser;

use super::{Command, Exit};
use crate::runs::RunError;

/// Each example stands below what it answers, so that no line is wider than 80 columns, and none is broken in two.
const EXAMPLES: &str = "\
Examples:
  Is rules.json right?
    offlimits check
  Do the rules' own tests pass, and would they notice a mistake?
    offlimits test --mutate
  What would this event set off?
    offlimits replay events/start-instances.json
  Why does the table not see it?
    offlimits explain events/start-instances-role.json
  What will people see of it?
    offlimits preview events/stop-logging.json
  Who was it, in a folder of CloudTrail's log files?
    offlimits replay AWSLogs/ --format jsonl | jq .actor
  What happened in this account lately?
    aws cloudtrail lookup-events | offlimits replay -

Exit codes:
  0    done
  1    `check`, `test`, `bundle`, `package`, `backtest`, `diff` or `doctor`
       found something wrong; `status` found nothing, `preview` had nothing to
       show; `send` was not delivered; a rule did not answer to `drill`;
       `history start` would cost too much, or what it started has failed
  2    wrong usage, or input that could not be read
  130  Ctrl-C ended `backtest` or `diff`: the figures are those so far";

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
            if let Some(error) = error.get_ref().and_then(|error| error.downcast_ref::<RunError>()) {
                eprintln!("error: {error}");
            } else {
                eprintln!("error: cannot write the output: {error}");
            }
            ExitCode::from(Exit::Unreadable as u8)
        }
    }
}
