//! The command line of `doctor`.

use std::io;

use clap::ValueEnum;

use super::question::Question;
use crate::cli::Exit;

/// Ask AWS whether a deployment hears, runs and reaches people, and say of each thing that is wrong how to set it right
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Needs the feature `aws`, and leave to read: --list names, for each check, what it asks. Nothing is changed, and no \
                  credential is printed. AWS_ENDPOINT_URL, or AWS_ENDPOINT_URL_CLOUDTRAIL and the like, name other addresses. Exit \
                  codes: 0 if nothing is wrong, 1 if something is, 2 if somebody did not answer."
)]
pub(in crate::cli) struct DoctorCommand {
    #[command(flatten)]
    question: Question,
    /// List what is looked for and what it asks, and ask nobody
    #[arg(long)]
    list: bool,
    /// For people, or one JSON object (with --list: one a line)
    #[arg(long, value_enum, default_value_t = DoctorFormat::Human)]
    format: DoctorFormat,
}

/// How `doctor` prints what it found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DoctorFormat {
    /// For people.
    Human,
    /// JSON.
    Json,
}

impl DoctorCommand {
    #[cfg(not(feature = "aws"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "it runs as every command does")]
    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        Ok(crate::cli::exit::cannot_ask_aws())
    }

    #[cfg(feature = "aws")]
    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        use std::io::Write as _;

        use super::delivery::Wanted;
        use super::round::Round;
        use super::{checks, print};
        use crate::cli::lines::write_line;
        use crate::cli::out;

        let mut out = out::stdout();
        if self.list {
            match self.format {
                DoctorFormat::Human => print::write_checks(&mut out)?,
                DoctorFormat::Json => {
                    let mut all = checks::ALL.into_iter().flatten();
                    all.try_for_each(|check| write_line(&mut out, check))?;
                }
            }
            out.flush()?;
            return Ok(Exit::Done);
        }
        let Some((rules, sources)) = self.question.rules.load_with_sources() else { return Ok(Exit::Unreadable) };
        let round = match Round::begin(&self.question) {
            Ok(round) => round,
            Err(reason) => {
                eprintln!("error: {reason}");
                return Ok(Exit::Unreadable);
            }
        };
        let wanted = Wanted::by(&rules, &sources);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let report = runtime.block_on(round.report(&rules, &wanted));
        for reason in &report.unanswered {
            eprintln!("error: {reason}");
        }
        match self.format {
            DoctorFormat::Human => print::write(&mut out, &report)?,
            DoctorFormat::Json => write_line(&mut out, &report)?,
        }
        out.flush()?;
        Ok(match (report.unanswered.is_empty(), report.findings.is_empty()) {
            (false, _) => Exit::Unreadable,
            (true, false) => Exit::Wrong,
            (true, true) => Exit::Done,
        })
    }
}
