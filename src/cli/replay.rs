//! `offlimits replay`: the alerts that events would set off.

use std::io::{self, Write};
use std::path::PathBuf;

use super::findings::{self, EvaluatedFinding, FindingLine, FindingVisitor};
use super::input::ArchivePart;
use super::lines::{LineFormat, write_line};
use super::load::RulesOption;
use super::selection::RuleSelection;
use super::words::counted;
use super::{Exit, input, terminal};
use crate::finding::Finding;
use crate::ruleset::RuleSet;

/// Print the alerts that events or CloudTrail's log files would set off
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A FILE may be an EventBridge event, a CloudTrail log file, NDJSON, an SQS or SNS message, a bare record, or \
                  what CloudWatch Logs, CloudTrail Lake and Athena make of records; plain or gzip. A folder is walked, and - \
                  is stdin."
)]
pub(super) struct ReplayCommand {
    /// Files and folders to read; - is stdin
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    rules: RulesOption,
    #[command(flatten)]
    selection: RuleSelection,
    #[command(flatten)]
    part: ArchivePart,
    /// How findings are printed: for people, or one JSON object a line
    #[arg(long, value_enum, default_value_t = LineFormat::Human)]
    format: LineFormat,
}

impl ReplayCommand {
    pub(super) fn run(&self) -> io::Result<Exit> {
        let Some(rules) = self.rules.load() else { return Ok(Exit::Unreadable) };
        if !self.selection.is_of(&[&rules]) {
            return Ok(Exit::Unreadable);
        }
        let mut out = io::BufWriter::new(anstream::AutoStream::auto(io::stdout()));
        let mut count = 0_u64;
        // The findings of one record are in one message on each channel.
        let mut record = (String::new(), 0, Vec::new());
        let counts = input::each(
            &self.files,
            &self.part,
            &FindingVisitor::new(&rules).of(&self.selection),
            |file, index, found| {
                let EvaluatedFinding { finding, is_with_previous, .. } = found;
                count += 1;
                if !is_with_previous {
                    self.print(&mut out, &rules, &record)?;
                    record = (file.to_owned(), index, Vec::new());
                }
                record.2.push(finding);
                Ok(())
            },
        )?;
        self.print(&mut out, &rules, &record)?;
        out.flush()?;
        eprintln!("{} in {}", counted(count, "finding"), counts.sentence());
        Ok(if counts.failed() { Exit::Unreadable } else { Exit::Done })
    }

    /// Prints the findings of one record of a file.
    fn print(
        &self,
        out: &mut impl Write,
        rules: &RuleSet,
        (file, index, of_record): &(String, usize, Vec<Finding>),
    ) -> io::Result<()> {
        for (finding, merged) in of_record.iter().zip(findings::merged(rules, of_record)) {
            let channels = findings::channels(rules, finding);
            match self.format {
                LineFormat::Human => terminal::write(out, finding, &channels, &merged)?,
                LineFormat::Jsonl => write_line(out, &FindingLine::new(finding, channels, file, *index))?,
            }
        }
        Ok(())
    }
}
