//! `offlimits explain`: why each rule does or does not match a record, cell by cell, with the values found; whom its finding
//! would reach, and what they would read.

mod print;
mod verdict;

use std::io::{self, Write};
use std::path::PathBuf;

use self::print::Printer;
pub(super) use self::print::explain_cell;
use self::verdict::RuleVerdict;
use super::findings::write_line;
use super::{Exit, Format, input};
use crate::alert::{Alert, AlertKind};
use crate::channel::Body;
use crate::channel::Refusal;
use crate::cloudtrail::ApiCall;
use crate::cloudtrail::envelope::{self, Opened};
use crate::cloudtrail::{RawRecord, Record};
use crate::engine::Scanned;
use crate::finding::Finding;
use crate::ids::AlertId;
use crate::rules::Mode;
use crate::rules::Rule;
use crate::ruleset::RuleSet;
use crate::scan::RecordVisitor;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Only the rule with this id
    #[arg(long, value_name = "ID")]
    rule: Option<String>,
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
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub(super) fn run(rules: &RuleSet, files: &[PathBuf], options: &Options) -> io::Result<Exit> {
    let known = |list: &mut dyn Iterator<Item = &str>, what: &str, name: &Option<String>| {
        let Some(name) = name else { return true };
        let names: Vec<&str> = list.collect();
        if !names.contains(&name.as_str()) {
            eprintln!("error: there is no {what} \"{name}\"");
            eprintln!("help: there are {}", names.join(", "));
        }
        names.contains(&name.as_str())
    };
    if !known(&mut rules.rules().iter().map(|rule| rule.info.id.as_str()), "rule", &options.rule)
        || !known(&mut rules.channels().iter().map(|channel| channel.name.as_str()), "channel", &options.channel)
    {
        return Ok(Exit::Unreadable);
    }
    let mut out = io::BufWriter::new(anstream::AutoStream::auto(io::stdout()));
    let mut unreadable = 0;
    let counts = input::each(files, &RawRecordVisitor, |file, index, raw| {
        let record = match Record::parse(&raw.json) {
            Ok(record) => record,
            Err(reason) => {
                unreadable += 1;
                eprintln!("error: cannot read record {index} of {file}: {reason}");
                return Ok(());
            }
        };
        let asked = rules.rules().iter().filter(|rule| options.rule.as_ref().is_none_or(|id| rule.info.id == *id));
        if let Some(name) = &options.channel {
            return message(&mut out, rules, asked, &record, name);
        }
        let mut verdicts: Vec<RuleVerdict<'_>> = asked.map(|rule| RuleVerdict::new(rules, rule, &record)).collect();
        // What matches first, then the nearest misses.
        verdicts.sort_by_key(RuleVerdict::distance);
        match options.format {
            Format::Human => {
                let call = ApiCall::from_record(&record);
                let nearest = if options.all { usize::MAX } else { options.nearest };
                Printer { out: &mut out, nearest }.record(&call, file, index, &verdicts)
            }
            Format::Jsonl => verdicts
                .iter()
                .try_for_each(|verdict| write_line(&mut out, &print::VerdictLine::new(verdict, &record, file, index))),
        }
    })?;
    out.flush()?;
    Ok(if counts.unreadable + unreadable > 0 { Exit::Unreadable } else { Exit::Done })
}

/// The records themselves.
struct RawRecordVisitor;

impl RecordVisitor for RawRecordVisitor {
    type Output = RawRecord;
    type State = ();

    fn state(&self) {}

    fn document(&self, (): &mut (), text: &str, take: &mut dyn FnMut(usize, Result<RawRecord, String>)) -> Scanned {
        let Opened { records, ignored, unreadable, deliveries } = envelope::open(text);
        let count = records.len();
        records.into_iter().for_each(|record| take(record.index, Ok(record)));
        Scanned { records: count, ignored, unreadable, deliveries }
    }
}

/// Prints what a channel would be sent of the record's findings.
fn message<'r>(
    out: &mut impl Write,
    rules: &RuleSet,
    asked: impl Iterator<Item = &'r Rule>,
    record: &Record,
    name: &str,
) -> io::Result<()> {
    let Some(index) = rules.channels().iter().position(|channel| channel.name == name) else { return Ok(()) };
    let asked: Vec<&str> = asked.map(|rule| rule.info.id.as_str()).collect();
    let findings = rules.evaluate_record(record);
    let mut findings = findings.iter().filter(|finding| asked.contains(&finding.rule.id.as_str())).peekable();
    if findings.peek().is_none() {
        eprintln!("note: nothing is sent: no rule matches; run explain without --channel to see why");
    }
    for finding in findings {
        let rule = &finding.rule.id;
        if finding.rule.mode == Mode::Stage {
            eprintln!("note: {rule} matches, and is staged: nothing is sent");
            continue;
        }
        if let Some(refusal) = rules.refusal(finding, index) {
            eprintln!("note: {rule} matches, and {name} is not sent it: {}", because(&refusal));
            continue;
        }
        writeln!(out, "{}", rendered(rules, finding, index))?;
    }
    Ok(())
}

/// The frozen message: an HTTP channel's document as it is sent; for SNS, which gets one text for each kind of subscriber,
/// an object with them all.
fn rendered(rules: &RuleSet, finding: &Finding, channel: usize) -> String {
    let id = AlertId::new(&finding.rule.id, "", &finding.id);
    let alert = Alert { finding, id: &id, kind: AlertKind::First, receipt: None };
    match rules.channels()[channel].channel.render(&alert) {
        Body::Json { json, .. } => json,
        Body::Ticket { open, .. } => open,
        Body::Sns(message) => serde_json::to_string(&message).unwrap_or_default(),
    }
}

/// Why a channel does not take a finding.
fn because(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotNamed => "the rule's \"notify\" does not name it".to_owned(),
        Refusal::Filtered(key) => format!("its \"{key}\" does not accept it"),
    }
}
