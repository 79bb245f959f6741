//! `offlimits replay`: the alerts that events would set off.

use std::io::{self, Write};
use std::path::PathBuf;

use serde::Serialize;

use super::check::counted;
use super::{Exit, Format, input, terminal};
use crate::finding::Finding;
use crate::rules::RuleSet;

pub(super) fn run(rules: &RuleSet, files: &[PathBuf], format: Format) -> io::Result<Exit> {
    let mut out = io::BufWriter::new(anstream::AutoStream::auto(io::stdout()));
    let mut findings = 0;
    let counts = input::each(files, |file, opened, counts| {
        for record in &opened.records {
            match rules.evaluate(record) {
                Err(reason) => input::unreadable(&format!("record {} of {file}", record.index), &reason, counts),
                Ok(found) => {
                    findings += found.len();
                    for finding in &found {
                        let channels = channels(rules, finding);
                        match format {
                            Format::Human => terminal::write(&mut out, finding, &channels)?,
                            Format::Jsonl => {
                                serde_json::to_writer(&mut out, &Line::of(finding, channels, file, record.index))?;
                                writeln!(out)?;
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    })?;
    out.flush()?;
    eprintln!(
        "{} in {} from {}{}{}",
        counted(findings, "finding"),
        counted(counts.records, "record"),
        counted(counts.files, "file"),
        if counts.ignored > 0 { format!(", {} ignored", counts.ignored) } else { String::new() },
        if counts.unreadable > 0 { format!(", {} unreadable", counts.unreadable) } else { String::new() },
    );
    Ok(if counts.unreadable > 0 { Exit::Unreadable } else { Exit::Done })
}

/// The names of the channels that a finding would be sent to.
fn channels<'r>(rules: &'r RuleSet, finding: &Finding) -> Vec<&'r str> {
    rules
        .route(finding)
        .into_iter()
        .filter_map(|index| rules.channels().get(index))
        .map(|channel| channel.name.as_str())
        .collect()
}

/// A finding as `--format jsonl` prints it. Scripts read it: keys may join, none may change or go.
#[derive(Serialize)]
struct Line<'a> {
    finding: &'a str,
    rule: &'a str,
    severity: &'a str,
    title: &'a str,
    sentence: &'a str,
    row: usize,
    event_id: Option<&'a str>,
    event_time: Option<&'a str>,
    account: Option<&'a str>,
    region: Option<&'a str>,
    identity: Option<&'a str>,
    actor: Option<&'a str>,
    arn: Option<&'a str>,
    service: Option<&'a str>,
    event: Option<&'a str>,
    source_ip: Option<&'a str>,
    user_agent: Option<&'a str>,
    error: Option<&'a str>,
    channels: Vec<&'a str>,
    mode: &'a str,
    tags: &'a [String],
    file: &'a str,
    index: usize,
}

impl<'a> Line<'a> {
    fn of(finding: &'a Finding, channels: Vec<&'a str>, file: &'a str, index: usize) -> Self {
        let Finding { id, rule, severity, title, row, call } = finding;
        Self {
            finding: id.as_str(),
            rule: &rule.id,
            severity: severity.as_str(),
            title,
            sentence: &call.sentence,
            row: *row,
            event_id: call.event_id.as_deref(),
            event_time: call.event_time.as_deref(),
            account: call.account.as_deref(),
            region: call.region.as_deref(),
            identity: call.identity.as_deref(),
            actor: call.actor.as_deref(),
            arn: call.arn.as_deref(),
            service: call.service.as_deref(),
            event: call.event.as_deref(),
            source_ip: call.source_ip.as_deref(),
            user_agent: call.user_agent.as_deref(),
            error: call.error.as_deref(),
            channels,
            mode: rule.mode.as_str(),
            tags: &rule.tags,
            file,
            index,
        }
    }
}
