//! The command itself: which rules and which channel are asked about, and what is printed of each record.

use std::io::{self, Write};
use std::path::PathBuf;

use super::message;
use super::print::{Printer, VerdictLine};
use super::verdict::RuleVerdict;
use crate::change::changes;
use crate::cli::input::ArchivePart;
use crate::cli::lines::{LineFormat, write_line};
use crate::cli::load::RulesOption;
use crate::cli::selection::RuleSelection;
use crate::cli::words::is_there;
use crate::cli::{Exit, input};
use crate::cloudtrail::envelope::{self, Opened};
use crate::cloudtrail::{ApiCall, RawRecord, Record};
use crate::engine::{EvaluateError, Scanned};
use crate::ruleset::RuleSet;
use crate::scan::RecordVisitor;

/// Show why each rule does or does not match a record, cell by cell, and what it would send to whom
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ExplainCommand {
    /// Files and folders to read; - is stdin
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    rules: RulesOption,
    #[command(flatten)]
    selection: RuleSelection,
    #[command(flatten)]
    part: ArchivePart,
    /// Print what this channel would be sent, byte for byte, and nothing else on stdout
    #[arg(long, value_name = "NAME", conflicts_with = "format")]
    channel: Option<String>,
    /// Of the rules that do not match, and of the rows of a rule, show so many: the nearest misses
    #[arg(long, value_name = "N", default_value_t = 5, conflicts_with = "all")]
    nearest: usize,
    /// Show every rule and every row
    #[arg(long)]
    all: bool,
    /// For people, or one JSON object for each record and rule (of all rules)
    #[arg(long, value_enum, default_value_t = LineFormat::Human)]
    format: LineFormat,
}

impl ExplainCommand {
    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        let Some(rules) = self.rules.load() else { return Ok(Exit::Unreadable) };
        if !self.names_what_is_there(&rules) {
            return Ok(Exit::Unreadable);
        }
        let mut out = io::BufWriter::new(anstream::AutoStream::auto(io::stdout()));
        let mut unreadable = 0;
        let counts = input::each(&self.files, &self.part, &RawRecordVisitor, |file, index, raw| match raw.parse() {
            Ok(record) => self.explain(&mut out, &rules, &record, file, index),
            Err(reason) => {
                unreadable += 1;
                eprintln!("error: cannot read record {index} of {file}: {reason}");
                Ok(())
            }
        })?;
        out.flush()?;
        Ok(if counts.failed() || unreadable > 0 { Exit::Unreadable } else { Exit::Done })
    }

    /// Whether the rule and the channel that the options name are there; says on stderr which are, where one is not.
    fn names_what_is_there(&self, rules: &RuleSet) -> bool {
        let channels: Vec<&str> = rules.channels().iter().map(|channel| channel.name.as_str()).collect();
        self.selection.is_of(&[rules]) && is_there("channel", self.channel.as_deref(), &channels)
    }

    /// Prints what the rules that are asked about make of one record.
    fn explain(
        &self,
        out: &mut impl Write,
        rules: &RuleSet,
        record: &Record,
        file: &str,
        index: usize,
    ) -> io::Result<()> {
        let asked = rules.rules().iter().filter(|rule| self.selection.takes_rule(rule));
        if let Some(name) = &self.channel {
            return message::print(out, rules, asked, record, name);
        }
        let mut verdicts: Vec<RuleVerdict<'_>> = asked.map(|rule| RuleVerdict::new(rules, rule, record)).collect();
        // What matches first, then the nearest misses.
        verdicts.sort_by_key(RuleVerdict::distance);
        match self.format {
            LineFormat::Human => {
                let call = ApiCall::with_names(record, rules.names());
                let nearest = if self.all { usize::MAX } else { self.nearest };
                Printer { out, nearest }.record((&call, &changes(record, &call)), file, index, &verdicts)
            }
            LineFormat::Jsonl => {
                verdicts.iter().try_for_each(|verdict| write_line(out, &VerdictLine::new(verdict, record, file, index)))
            }
        }
    }
}

/// Hands over the records as they stand in the input: which rule matches is found out one rule at a time.
struct RawRecordVisitor;

impl RecordVisitor for RawRecordVisitor {
    type Output = RawRecord;
    type State = ();

    fn state(&self) {}

    fn document(
        &self,
        (): &mut (),
        text: &str,
        take: &mut dyn FnMut(usize, Result<RawRecord, EvaluateError>),
    ) -> Scanned {
        let Opened { records, ignored, unreadable, deliveries } = envelope::open(text);
        let count = records.len();
        records.into_iter().for_each(|record| take(record.index, Ok(record)));
        Scanned { records: count, ignored, unreadable, deliveries }
    }
}
