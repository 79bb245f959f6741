//! The command itself: reads the archive, proposes, looks at what would be lost, plays the archive once more, prints and writes.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::against::{self, Refused};
use super::insert::{Exceptions, with_exceptions};
use super::observe::{Observations, ObservingVisitor};
use super::print::Report;
use super::proposal::{Proposal, Proposals, Regularity, proposals};
use crate::cli::Exit;
use crate::cli::backtest::BacktestTally;
use crate::cli::findings::{FindingVisitor, Telling, hashed};
use crate::cli::input::{self, Archive, ArchivePart, InputCounts};
use crate::cli::lines::write_line;
use crate::cli::load::RulesOption;
use crate::cli::whole_file;
use crate::cli::words::counted;
use crate::ruleset::RuleSet;

const HELP: &str = "\
What is proposed is for a person to accept: read each line. An exception is bound to one caller (a role, a user, a person of IAM \
Identity Center, a service), one call that succeeds, what it acts on where that is little, and a severity; it ends by itself. \
None is proposed for very-high or extreme findings, nor for whoever set one off, for this monitor's own rules, for root, or for \
calls that failed.

Examples:
  offlimits learn AWSLogs/                              Who makes which off-limits call all the time?
  offlimits learn AWSLogs/ --write rules.json           Write the exceptions; then read the difference before it goes live
  offlimits learn AWSLogs/ --against attacks/           Propose nothing that would lose a finding on these records
  offlimits learn AWSLogs/ --format json | jq .proposals";

/// Propose exceptions for off-limits calls that are made all the time: by controllers, pipelines and people
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(in crate::cli) struct LearnCommand {
    #[command(flatten)]
    archive: Archive,
    #[command(flatten)]
    rules: RulesOption,
    #[command(flatten)]
    regularity: Regularity,
    /// Refuse each proposal that would lose a finding on the records in this file or folder; may be repeated
    #[arg(long, value_name = "FOLDER")]
    against: Vec<PathBuf>,
    /// The rules file to write the exceptions into: rules.json itself, or a copy of it, which is made if it is not there
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// What is printed: a table for people, or one JSON object
    #[arg(long, value_enum, default_value_t = LearnFormat::Human)]
    format: LearnFormat,
}

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LearnFormat {
    /// For people.
    Human,
    /// One JSON object.
    Json,
}

impl LearnCommand {
    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        if self.archive.paths.iter().any(|path| path == Path::new("-")) {
            eprintln!("error: the archive is read twice, and stdin can be read once: name a file");
            return Ok(Exit::Unreadable);
        }
        let Some(rules) = &self.rules.load() else { return Ok(Exit::Unreadable) };
        let (mut before, mut observed) = (BacktestTally::new(rules), Observations::new(rules));
        let counts = self.archive.each(&ObservingVisitor::new(rules), |_, _, found| {
            if before.add(&found.found)? {
                observed.add(found, before.findings - 1);
            }
            Ok(())
        })?;
        if counts.interrupted {
            return Ok(interrupted());
        }
        let messages = before.finish_with_messages()?;
        let mut made = proposals(&observed, self.regularity, &messages);
        let mut failed = counts.failed();
        let standing = match against::rules_of(&made.all) {
            Ok(standing) => standing,
            Err(wrong) => {
                wrong.iter().for_each(|wrong| eprintln!("error: a proposal does not compile: {wrong}"));
                return Ok(Exit::Unreadable);
            }
        };
        let (refused, against) = self.refused(rules, &mut made, standing.as_ref())?;
        failed |= against.as_ref().is_some_and(InputCounts::failed);
        let Some((text, new_rules)) = self.with(rules, &made.all) else { return Ok(Exit::Unreadable) };
        if let Some(lost) = self.lost(rules, &new_rules, &made)? {
            eprintln!(
                "error: {} would be lost with all exceptions together; nothing was written",
                counted(lost, "finding")
            );
            return Ok(Exit::Wrong);
        }
        let mut after = BacktestTally::new(&new_rules);
        let again = self.archive.each(&FindingVisitor::new(&new_rules).telling(Telling::Outline), |_, _, found| {
            after.add(&found)?;
            Ok(())
        })?;
        if again.interrupted {
            return Ok(interrupted());
        }
        after.finish()?;
        let report = Report {
            counts: &counts,
            against: against.as_ref(),
            days: observed.days.len(),
            findings: before.findings,
            before: before.messages(),
            after: after.messages(),
            proposals: &made,
            refused: &refused,
            left: observed.left,
        };
        let mut out = io::BufWriter::new(anstream::AutoStream::auto(io::stdout()));
        match self.format {
            LearnFormat::Human => report.print(&mut out, self.write.is_some())?,
            LearnFormat::Json => write_line(&mut out, &report.json())?,
        }
        out.flush()?;
        if !made.all.is_empty()
            && let Some(path) = &self.write
        {
            // Of what was not read nobody knows which findings the exceptions would lose.
            if failed {
                eprintln!("error: nothing was written to {}, since not everything was read", path.display());
                return Ok(Exit::Unreadable);
            }
            if !self.written(path, text, rules, &made.all) {
                return Ok(Exit::Unreadable);
            }
        }
        Ok(if failed { Exit::Unreadable } else { Exit::Done })
    }

    /// Takes out the proposals that would lose a finding in the records of `--against`.
    fn refused(
        &self,
        rules: &RuleSet,
        made: &mut Proposals,
        standing: Option<&RuleSet>,
    ) -> io::Result<(Vec<Refused>, Option<InputCounts>)> {
        if self.against.is_empty() {
            return Ok((Vec::new(), None));
        }
        let (lost, counts) = against::lost(rules, &made.all, standing, &self.against)?;
        let (mut kept, mut refused) = (Vec::new(), Vec::new());
        for (proposal, lost) in std::mem::take(&mut made.all).into_iter().zip(lost) {
            match lost {
                Some(lost) => refused.push(Refused { proposal, lost }),
                None => kept.push(proposal),
            }
        }
        made.all = kept;
        Ok((refused, Some(counts)))
    }

    /// The text of the rules with these exceptions, and the rules that it means. None: it has been told why not.
    fn with(&self, rules: &RuleSet, proposals: &[Proposal]) -> Option<(String, RuleSet)> {
        let path = &self.rules.path;
        let old = read(path)?;
        match with_exceptions(&old, &exceptions(rules, proposals)) {
            Ok(text) => self.rules.load_text(path, text.clone()).map(|rules| (text, rules)),
            Err(reason) => {
                eprintln!("error: there is no place for the exceptions in {}: {reason}", path.display());
                None
            }
        }
    }

    /// How many findings in the records of `--against` the new rules do not have; none if they have all.
    fn lost(&self, rules: &RuleSet, new_rules: &RuleSet, made: &Proposals) -> io::Result<Option<usize>> {
        if self.against.is_empty() || made.all.is_empty() {
            return Ok(None);
        }
        let mut lost = HashSet::new();
        let each_id = |rules: &RuleSet, take: &mut dyn FnMut(u64)| {
            let counting = FindingVisitor::new(rules).telling(Telling::Outline);
            input::each(&self.against, &ArchivePart::default(), &counting, |_, _, found| {
                take(hashed(found.finding.id.as_str()));
                Ok(())
            })
        };
        each_id(rules, &mut |id| _ = lost.insert(id))?;
        each_id(new_rules, &mut |id| _ = lost.remove(&id))?;
        Ok((!lost.is_empty()).then_some(lost.len()))
    }

    /// Writes the exceptions into a rules file; whether it could.
    fn written(&self, path: &Path, text: String, rules: &RuleSet, proposals: &[Proposal]) -> bool {
        let is_rules = path.canonicalize().ok() == self.rules.path.canonicalize().ok();
        let text = if is_rules || !path.exists() {
            text
        } else {
            // A file that is there is somebody's: it keeps what else it says.
            let Some(old) = read(path) else { return false };
            match with_exceptions(&old, &exceptions(rules, proposals)) {
                Ok(text) => text,
                Err(reason) => {
                    eprintln!("error: there is no place for the exceptions in {}: {reason}", path.display());
                    return false;
                }
            }
        };
        if self.rules.load_text(path, text.clone()).is_none() {
            eprintln!("error: {} would not compile; nothing was written", path.display());
            return false;
        }
        // A link stays a link.
        let file = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        match whole_file::replace(&file, text.as_bytes()) {
            Ok(()) => {
                eprintln!(
                    "{}: {} written; read the difference before it goes live",
                    path.display(),
                    counted(proposals.len(), "exception")
                );
                true
            }
            Err(error) => {
                eprintln!("error: cannot write {}: {error}", path.display());
                false
            }
        }
    }
}

fn interrupted() -> Exit {
    eprintln!("interrupted: nothing is proposed of a part of the archive");
    Exit::Interrupted
}

/// The text of a rules file, byte for byte: what is written must be what was read, but for the exceptions.
fn read(path: &Path) -> Option<String> {
    fs::read_to_string(path).inspect_err(|error| eprintln!("error: cannot read {}: {error}", path.display())).ok()
}

/// The exceptions by the places of their rules.
fn exceptions(rules: &RuleSet, proposals: &[Proposal]) -> Exceptions {
    let mut exceptions = Exceptions::new();
    for proposal in proposals {
        let rule = rules.rules().iter().find(|rule| rule.info.id == proposal.key.rule);
        let pack = rule.and_then(|rule| rule.pack.as_deref()).map(str::to_owned);
        exceptions.entry((pack, proposal.key.rule.clone())).or_default().push(proposal.exception());
    }
    exceptions
}
