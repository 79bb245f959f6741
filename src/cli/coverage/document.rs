//! The JSON document for programs.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::survey::Survey;
use crate::cli::lines::VERSION;
use crate::lint::needed_events;
use crate::rules::NeededEvents;

/// The document. Programs read it: within a version keys may join, and none may change or go.
#[derive(Serialize)]
struct CoverageDocument<'s> {
    version: u32,
    /// The file of the rules.
    rules: String,
    attack_version: &'static str,
    severities: Vec<SeverityObject>,
    tactics: Vec<TacticObject<'s>>,
    techniques: Vec<TechniqueObject<'s>>,
    unknown_techniques: Vec<UnknownObject<'s>>,
    services: Vec<ServiceObject<'s>>,
    guardduty: Vec<GuardDutyObject<'s>>,
    beyond_guardduty: Vec<&'s str>,
    any_call: Vec<&'s str>,
    calls: Vec<CallObject<'s>>,
}

#[derive(Serialize)]
struct SeverityObject {
    severity: &'static str,
    alert: usize,
    stage: usize,
    off: usize,
}

#[derive(Serialize)]
struct TacticObject<'s> {
    tactic: &'static str,
    name: &'static str,
    techniques: Vec<&'static str>,
    rules: Vec<&'s str>,
}

#[derive(Serialize)]
struct TechniqueObject<'s> {
    id: &'static str,
    name: &'s str,
    tactics: &'s [&'static str],
    rules: &'s [&'s str],
}

#[derive(Serialize)]
struct UnknownObject<'s> {
    id: &'s str,
    rules: &'s [&'s str],
}

#[derive(Serialize)]
struct ServiceObject<'s> {
    service: &'static str,
    rules: Vec<&'s str>,
    writes: usize,
    reads: usize,
}

#[derive(Serialize)]
struct GuardDutyObject<'s> {
    name: &'s str,
    severity: &'s str,
    tactic: &'s str,
    technique: &'s str,
    rules: &'s [String],
    staged: &'s [String],
}

#[derive(Serialize)]
struct CallObject<'s> {
    service: &'static str,
    event: &'static str,
    reads: bool,
    data: bool,
    /// What a rule says in `needs_events` to hear of it; none: every deployment does.
    needs_events: Option<&'static str>,
    rules: Vec<CallRuleObject<'s>>,
}

#[derive(Serialize)]
struct CallRuleObject<'s> {
    id: &'s str,
    mode: &'static str,
    /// Whether it can match when a person's role makes the call.
    person: bool,
}

/// Writes the document.
///
/// # Errors
/// Those of `out`.
pub(super) fn write(out: &mut impl Write, survey: &Survey<'_>, rules: &Path) -> io::Result<()> {
    let document = CoverageDocument {
        version: VERSION,
        rules: rules.display().to_string(),
        attack_version: super::attack::VERSION,
        severities: survey
            .numbers
            .iter()
            .map(|(severity, [alert, stage, off])| SeverityObject {
                severity: severity.as_str(),
                alert: *alert,
                stage: *stage,
                off: *off,
            })
            .collect(),
        tactics: survey
            .tactics()
            .into_iter()
            .map(|(tactic, techniques, rules)| TacticObject {
                tactic: tactic.word,
                name: tactic.name,
                techniques,
                rules: rules.into_iter().collect(),
            })
            .collect(),
        techniques: survey
            .techniques
            .values()
            .map(|(technique, rules)| TechniqueObject {
                id: technique.id,
                name: &technique.name,
                tactics: &technique.tactics,
                rules,
            })
            .collect(),
        unknown_techniques: survey.unknown.iter().map(|(id, rules)| UnknownObject { id, rules }).collect(),
        services: survey
            .services()
            .into_iter()
            .map(|(service, coverage)| ServiceObject {
                service,
                writes: coverage.writes.len(),
                reads: coverage.reads.len(),
                rules: coverage.rules,
            })
            .collect(),
        guardduty: survey
            .guardduty
            .iter()
            .map(|compared| GuardDutyObject {
                name: &compared.theirs.name,
                severity: &compared.theirs.severity,
                tactic: &compared.theirs.tactic,
                technique: &compared.theirs.technique,
                rules: &compared.alerting,
                staged: &compared.staged,
            })
            .collect(),
        beyond_guardduty: survey.beyond_guardduty(),
        any_call: survey.of_any_call(),
        calls: survey
            .calls()
            .into_iter()
            .map(|(call, rules)| CallObject {
                service: call.service,
                event: call.name,
                reads: call.reads,
                data: call.data,
                needs_events: needed_events(call.service, call.name).map(NeededEvents::as_str),
                rules: rules
                    .into_iter()
                    .map(|(rule, person)| CallRuleObject { id: &rule.info.id, mode: rule.info.mode.as_str(), person })
                    .collect(),
            })
            .collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}
