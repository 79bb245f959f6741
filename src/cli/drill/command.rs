//! The command line of `drill`.

use std::io;

use clap::ValueEnum;

use super::question::Question;
use crate::cli::Exit;

const HELP: &str = "\
Each rule that is on, and has a test that must match, sends its test's event, as a call of now. People get these alerts as any other: \
there is no mark that would change what is sent, since an intruder could set it. So tell them before.

Needs the feature `aws`, and leave to call cloudformation:DescribeStacks, lambda:InvokeFunction and dynamodb:Query. Exit codes: 0 if \
every rule has answered on every channel, 1 if one has not, 2 if nothing could be sent or somebody did not answer.

Examples:
  offlimits drill --rule CIS-5 --rule EVA-1                   Two rules, by the stack offlimits
  offlimits drill --severity very-high --wait 300             Whatever wakes people
  offlimits drill --rule CIS-5 --webhook 127.0.0.1:8080       And await the message itself, on a webhook that leads here";

/// Send the calls that rules are tested with through a deployed function, and wait until each has become an alert
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

        use super::exercise::exercises;
        use super::print;
        use super::replay::Drill;
        use crate::cli::lines::write_line;
        use crate::cli::out;
        use crate::cli::stack_access::now;

        let Some(rules) = self.question.rules.load() else { return Ok(Exit::Unreadable) };
        if !self.question.selection.is_of(&[&rules]) {
            return Ok(Exit::Unreadable);
        }
        let drill = match Drill::open(&self.question) {
            Ok(drill) => drill,
            Err(reason) => {
                eprintln!("error: {reason}");
                return Ok(Exit::Unreadable);
            }
        };
        let (exercises, left_out) = match exercises(&rules, &self.question, now()) {
            Ok(found) => found,
            Err(reason) => {
                eprintln!("error: {reason}");
                return Ok(Exit::Unreadable);
            }
        };
        for (rule, reason) in &left_out {
            eprintln!("note: {rule} is left out: {reason}");
        }
        if exercises.is_empty() {
            eprintln!(
                "error: there is no rule to drill: none of those that were named is on and has a test that must match"
            );
            return Ok(Exit::Unreadable);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let report = match runtime.block_on(drill.run(&exercises)) {
            Ok(report) => report,
            Err(reason) => {
                eprintln!("error: {reason}");
                return Ok(Exit::Unreadable);
            }
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
