//! Findings as the commands pass them on, and as `--format jsonl` prints them.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};

use serde::Serialize;

use crate::finding::Finding;
use crate::record::{RawRecord, Record, Scope};
use crate::rules::{RuleSet, Throttle};
use crate::scan::Work;

/// A finding, and its record's place in its input, from 0.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) finding: Finding,
    pub(super) index: usize,
    /// A hash of the values that make two findings of its rule repeats of one another; 0 where it is not throttled.
    pub(super) group: u64,
}

/// Evaluates the rules over each record.
#[derive(Debug)]
pub(super) struct Evaluate<'r> {
    rules: &'r RuleSet,
    throttled: HashMap<&'r str, &'r Throttle>,
}

impl<'r> Evaluate<'r> {
    pub(super) fn new(rules: &'r RuleSet) -> Self {
        let throttled =
            rules.rules().iter().filter_map(|rule| Some((rule.info.id.as_str(), rule.throttle.as_ref()?))).collect();
        Self { rules, throttled }
    }

    fn group(&self, finding: &Finding, record: &RawRecord) -> u64 {
        let Some(throttle) = self.throttled.get(finding.rule.id.as_str()) else { return 0 };
        let Ok(record) = Record::parse(&record.json) else { return 0 };
        let mut hasher = DefaultHasher::new();
        for field in &throttle.by {
            let values = Scope::Record(&record).values(field);
            values.len().hash(&mut hasher);
            values.iter().for_each(|value| value.text().hash(&mut hasher));
        }
        hasher.finish()
    }
}

impl Work for Evaluate<'_> {
    type Made = Found;

    fn record(&self, record: &RawRecord, made: &mut Vec<Found>) -> Result<(), String> {
        let findings = self.rules.evaluate(record)?.into_iter();
        made.extend(findings.map(|finding| {
            let group = self.group(&finding, record);
            Found { finding, index: record.index, group }
        }));
        Ok(())
    }
}

/// The names of the channels that a finding would be sent to.
pub(super) fn channels<'r>(rules: &'r RuleSet, finding: &Finding) -> Vec<&'r str> {
    rules
        .route(finding)
        .into_iter()
        .filter_map(|index| rules.channels().get(index))
        .map(|channel| channel.name.as_str())
        .collect()
}

/// A finding as `--format jsonl` prints it. Scripts read it: keys may join, none may change or go.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
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
    pub(super) fn of(finding: &'a Finding, channels: Vec<&'a str>, file: &'a str, index: usize) -> Self {
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

/// Writes a value as one line of JSON.
pub(super) fn write_line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    writeln!(out)
}
