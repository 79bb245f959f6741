//! The command line of `drill`.

use std::io;

use clap::ValueEnum;

use super::question::Question;
use crate::cli::Exit;

const HELP: &str = "\
Each rule that is on, and has a test that must match, sends its test's event, as a call of now. People get these alerts as any other: \
there is no mark that would change what is sent, since an intruder could set it. So tell them before.

With --account, calls are made in that account instead, each of which AWS refuses, since what it is about cannot exist (or it is a dry \
run of EC2's); --plan says which. The records are found in the account's event history, and so the whole way is drilled: the trail, \
EventBridge, the function, the channels.

Needs the feature `aws`, and leave to call cloudformation:DescribeStacks, lambda:InvokeFunction and dynamodb:Query; in the sandbox \
cloudtrail:LookupEvents, and nothing else: a call that is denied is recorded, too. Exit codes: 0 if \
every rule has answered on every channel, 1 if one has not, 2 if nothing could be sent or somebody did not answer.

Examples:
  offlimits drill --rule CIS-5 --rule EVA-1                   Two rules, by the stack offlimits
  offlimits drill --severity very-high --wait 300             Whatever wakes people
  offlimits drill --rule CIS-5 --webhook 127.0.0.1:8080       And await the message itself, on a webhook that leads here
  offlimits drill --account 111122223333 --plan               What would be called in a sandbox?
  offlimits drill --account 111122223333 --profile sandbox    Call it, and await the alerts";

/// Send the calls that rules are tested with through a deployed function, or make harmless ones in a sandbox, and await the alerts
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(in crate::cli) struct DrillCommand {
    #[command(flatten)]
    question: Question,
    /// For people, or one JSON object
    #[arg(long, value_enum, default_value_t = DrillFormat::Human)]
    format: DrillFormat,
}

/// How `drill` prints what it found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DrillFormat {
    /// For people.
    Human,
    /// One JSON object.
    Json,
}

impl DrillCommand {
    #[cfg(not(feature = "aws"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "it runs as every command does")]
    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        Ok(crate::cli::exit::cannot_ask_aws())
    }

    #[cfg(feature = "aws")]
    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        use std::io::Write as _;

        use super::{print, replay, sandbox};
        use crate::cli::lines::write_line;
        use crate::cli::out;

        let Some(rules) = self.question.rules.load() else { return Ok(Exit::Unreadable) };
        if !self.question.selection.is_of(&[&rules]) {
            return Ok(Exit::Unreadable);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let drilled = match &self.question.account {
            Some(account) => {
                let as_json = self.format == DrillFormat::Json;
                runtime.block_on(sandbox::run(&self.question, account, &rules, as_json))?
            }
            None => runtime.block_on(replay::run(&self.question, &rules)),
        };
        let report = match drilled {
            Ok(report) => report,
            Err(exit) => return Ok(exit),
        };
        for reason in &report.unanswered {
            eprintln!("error: {reason}");
        }
        let mut out = out::stdout();
        match self.format {
            DrillFormat::Human => print::write(&mut out, &report)?,
            DrillFormat::Json => write_line(&mut out, &report)?,
        }
        out.flush()?;
        Ok(match (report.unanswered.is_empty(), report.is_answered()) {
            (false, _) => Exit::Unreadable,
            (true, true) => Exit::Done,
            (true, false) => Exit::Wrong,
        })
    }
}
