//! What a channel would be sent of a record's findings, byte for byte.

use std::io::{self, Write};

use crate::channel::{ConfiguredChannel, Refusal};
use crate::cloudtrail::Record;
use crate::finding::Finding;
use crate::handler::first_message;
use crate::ledger::policy::MOST_TOGETHER;
use crate::rules::{Mode, Rule};
use crate::ruleset::RuleSet;
use crate::text::clean;

/// Prints what a channel would be sent of the record's findings.
pub(super) fn print<'r>(
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
    let mut told = Vec::new();
    for finding in findings {
        let rule = &finding.rule.id;
        if finding.rule.mode == Mode::Stage {
            eprintln!("note: {rule} matches, and is staged: nothing is sent");
            continue;
        }
        if let Some(refusal) = rules.refusal(finding, index) {
            eprintln!(
                "note: {rule} matches, and {name} is not sent it: {}",
                because(&refusal, &rules.channels()[index], finding)
            );
            continue;
        }
        told.push(finding);
    }
    for told in told.chunks(MOST_TOGETHER) {
        writeln!(out, "{}", first_message(&rules.channels()[index], told))?;
    }
    Ok(())
}

/// Why a channel does not take a finding: which key of its filter does not accept it, and what that key has found.
pub(super) fn because(refusal: &Refusal, channel: &ConfiguredChannel, finding: &Finding) -> String {
    match refusal {
        Refusal::NotNamed => "the rule's \"notify\" does not name it".to_owned(),
        Refusal::Filtered(key) => match channel.filter.found(key, finding) {
            Some(found) => format!("its \"{key}\" does not accept it (found \"{}\")", clean(&found)),
            None => format!("its \"{key}\" does not accept it (found nothing)"),
        },
    }
}
