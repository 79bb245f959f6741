//! The command line of `status`.

use std::io;

use clap::ValueEnum;

use super::question::Question;
use crate::cli::Exit;

/// Tell what became of a finding or an event in a deployed stack: delivered, held back, waiting, dead, or nothing at all
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Needs the feature `aws`, and leave to call cloudformation:DescribeStacks, logs:FilterLogEvents and dynamodb:Query. \
                  AWS_ENDPOINT_URL, or AWS_ENDPOINT_URL_DYNAMODB and the like, name other addresses. Exit codes: 0 if something is \
                  known of it, 1 if nothing is, 2 if somebody did not answer."
)]
pub(in crate::cli) struct StatusCommand {
    #[command(flatten)]
    question: Question,
    /// For people, or one JSON object
    #[arg(long, value_enum, default_value_t = StatusFormat::Human)]
    format: StatusFormat,
}

/// How `status` prints what it found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StatusFormat {
    /// For people.
    Human,
    /// One JSON object.
    Json,
}

impl StatusCommand {
    #[cfg(not(feature = "aws"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "it runs as every command does")]
    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        Ok(crate::cli::exit::cannot_ask_aws())
    }

    #[cfg(feature = "aws")]
    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        use std::io::Write as _;

        use super::print;
        use super::source::Source;
        use crate::cli::lines::write_line;
        use crate::cli::out;

        let source = match Source::open(&self.question) {
            Ok(source) => source,
            Err(reason) => {
                eprintln!("error: {reason}");
                return Ok(Exit::Unreadable);
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let report = runtime.block_on(source.report());
        for reason in &report.unanswered {
            eprintln!("error: {reason}");
        }
        let mut out = out::stdout();
        match self.format {
            StatusFormat::Human => print::write(&mut out, &report)?,
            StatusFormat::Json => write_line(&mut out, &report)?,
        }
        out.flush()?;
        Ok(match (report.unanswered.is_empty(), report.known) {
            (false, _) => Exit::Unreadable,
            (true, true) => Exit::Done,
            (true, false) => Exit::Wrong,
        })
    }
}
