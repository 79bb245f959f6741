//! Findings as the commands pass them on, and as `--format jsonl` prints them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::list_cutoff::ListCutoff;
use super::selection::RuleSelection;
use crate::cloudtrail::Record;
use crate::cloudtrail::agent::short_agent;
use crate::cloudtrail::credentials::{Bearer, IssuedSession};
use crate::cloudtrail::issuing::ISSUING_CALLS;
use crate::engine::{EvaluateError, Matches, Scanned, ScannedElements, Scanner};
use crate::finding::{Change, Finding, Step};
use crate::ids::StableId;
use crate::ledger::policy::{self, Going, MOST_TOGETHER};
use crate::rules::{Incidents, Mode, Rule, RuleInfo};
use crate::ruleset::RuleSet;
use crate::scan::RecordVisitor;

/// A finding, with the keys by which a throttle or a threshold would count it.
#[derive(Debug)]
pub(super) struct EvaluatedFinding {
    pub(super) finding: Finding,
    /// Whether it is of the same record as the finding before it.
    pub(super) is_with_previous: bool,
    /// The hash of the group within which its throttle takes findings for repeats; none where its rule has no throttle.
    pub(super) group: Option<u64>,
    /// The hashes of the incidents that it is a part of, one for each channel that has incidents, in their order.
    pub(super) incidents: Vec<u64>,
    /// What its threshold counts; none where its rule has no threshold.
    pub(super) counted: Option<ThresholdKeys>,
    /// Whose incident it is a part of where a channel's incidents follow credentials; none where nobody asks.
    pub(super) followed: Option<FollowedFinding>,
    /// The session that its record tells of. Then it is no finding of the rules': see [`FindingVisitor::following`].
    pub(super) session: Option<IssuedSession>,
}

/// What decides whose incident a finding belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FollowedFinding {
    /// Who called.
    pub(super) bearer: Bearer,
    /// Of each channel with incidents that follow credentials: its place among those with incidents, and what of the group the record
    /// decides.
    pub(super) rests: Vec<(usize, String)>,
}

/// The rule that finds the calls which issue sessions, before these: for [`FindingVisitor::following`]. None where no channel's incidents
/// follow credentials.
pub(super) fn with_issuing_calls(rules: &RuleSet) -> Option<RuleSet> {
    if !rules.follows_credentials() {
        return None;
    }
    let rule = serde_json::json!({ "rules": [{ "id": "sessions", "title": "A session was issued", "severity": "low",
        "when": { "service": "sts", "event": format!("^({})$", ISSUING_CALLS.join("|")) } }] });
    RuleSet::compile(&rule.to_string()).ok().map(|issuing| issuing.rules.with_rules_of(rules))
}

/// What a threshold counts of a finding.
#[derive(Debug)]
pub(super) struct ThresholdKeys {
    /// The hash of the group of findings that are counted together.
    pub(super) group: u64,
    /// The hashes of the finding's values, where distinct values are counted instead of findings.
    pub(super) values: Option<Vec<u64>>,
}

/// 64 bits of a text's hash: enough to tell a few million apart.
pub(super) fn hashed(text: &str) -> u64 {
    u64::from_str_radix(&StableId::hash(&[text]).as_str()[..16], 16).unwrap_or_default()
}

/// Which rule a finding is of, be there others of its id: the place of what it carries of it.
pub(super) type RuleAddress = usize;

/// The address of what findings carry of a rule.
pub(super) fn address(rule: &Arc<RuleInfo>) -> RuleAddress {
    Arc::as_ptr(rule).addr()
}

/// What is made of a finding: what people read of it takes several times what it takes to find it.
#[derive(Debug)]
pub(super) enum Telling {
    /// All that there is to tell.
    Whole,
    /// What is counted ([`Matches::outlines`]), for nobody is told.
    Outline,
    /// All of what a list of the worst takes, and of the others what is shown of their group ([`Matches::summaries`]).
    Listed(Arc<ListCutoff>),
}

/// Evaluates the rules over each record of a scan.
#[derive(Debug)]
pub(super) struct FindingVisitor<'r> {
    rules: &'r RuleSet,
    /// The findings that are handed over.
    selection: RuleSelection,
    /// What of them is made.
    telling: Telling,
    /// The incidents of the channels that have any.
    incidents: Vec<&'r Incidents>,
    /// The rules with that which finds issued sessions before them, and the address of that.
    issuing: Option<(&'r RuleSet, RuleAddress)>,
}

impl<'r> FindingVisitor<'r> {
    pub(super) fn new(rules: &'r RuleSet) -> Self {
        let selection = RuleSelection::default();
        let incidents = rules.channels().iter().filter_map(|channel| channel.incidents.as_ref()).collect();
        Self { rules, selection, telling: Telling::Whole, incidents, issuing: None }
    }

    /// The same, which hands over every session that was issued, too, be there a rule for the call or not: `both` are the rules with
    /// that which finds them ([`with_issuing_calls`]).
    pub(super) fn following(self, both: Option<&'r RuleSet>) -> Self {
        let issuing = both.and_then(|both| Some((both, address(&both.rules().first()?.info))));
        Self { issuing, ..self }
    }

    /// The same, of some findings alone.
    pub(super) fn of(self, selection: &RuleSelection) -> Self {
        Self { selection: selection.clone(), ..self }
    }

    /// The same, of which so much is made.
    pub(super) fn telling(self, telling: Telling) -> Self {
        Self { telling, ..self }
    }

    /// What is found in a record.
    fn found(&self, matches: &Matches<'_, '_>) -> Vec<EvaluatedFinding> {
        let findings = match &self.telling {
            Telling::Whole => matches.findings(),
            Telling::Outline => matches.outlines(),
            Telling::Listed(cutoff) => {
                let summaries = matches.summaries();
                if summaries.iter().any(|finding| cutoff.takes(finding)) { matches.findings() } else { summaries }
            }
        };
        let mut found: Vec<EvaluatedFinding> = Vec::with_capacity(findings.len());
        for (rule, finding) in matches.rules().zip(findings) {
            if self.issuing.is_some_and(|(_, issuing)| address(&finding.rule) == issuing) {
                found.extend(Self::issued(finding, matches.record()));
            } else if self.selection.takes_finding(&finding) {
                let is_with_previous = found.last().is_some_and(|before| before.session.is_none());
                found.push(self.evaluated(finding, rule, matches.record(), is_with_previous));
            }
        }
        found
    }

    fn evaluated(
        &self,
        finding: Finding,
        rule: &Rule,
        record: &Record<'_>,
        is_with_previous: bool,
    ) -> EvaluatedFinding {
        let id = rule.info.id.as_str();
        let follows = self.incidents.iter().enumerate().filter(|(_, incidents)| incidents.lineage.is_some());
        EvaluatedFinding {
            is_with_previous,
            group: rule.throttle.as_ref().map(|throttle| hashed(&throttle.group(id, record))),
            incidents: self.incidents.iter().map(|incidents| hashed(&incidents.group(record))).collect(),
            counted: rule.threshold.as_ref().map(|threshold| ThresholdKeys {
                group: hashed(&threshold.group(id, record)),
                values: threshold.values(record).map(|values| values.iter().map(|value| hashed(value)).collect()),
            }),
            followed: self.issuing.is_some().then(|| FollowedFinding {
                bearer: Bearer::from(&finding.call),
                rests: follows.map(|(place, incidents)| (place, incidents.rest_of_group(record))).collect(),
            }),
            session: None,
            finding,
        }
    }

    /// The session that a record tells of, which its own rule has found.
    fn issued(finding: Finding, record: &Record<'_>) -> Option<EvaluatedFinding> {
        let time = finding.call.time().unwrap_or_default();
        let session = Some(IssuedSession::of(record, time)?);
        let (group, incidents, counted, followed) = (None, Vec::new(), None, None);
        Some(EvaluatedFinding { finding, is_with_previous: false, group, incidents, counted, followed, session })
    }

    /// Reads a document, and hands over all findings of each record that has any.
    pub(super) fn records(
        &self,
        scanner: &mut Scanner<'r>,
        text: &str,
        mut take: impl FnMut(usize, Result<Vec<EvaluatedFinding>, EvaluateError>),
    ) -> Scanned {
        self.records_with_text(scanner, text, |index, _, found| take(index, found))
    }

    /// As [`Self::records`], with the text of each record.
    pub(super) fn records_with_text(
        &self,
        scanner: &mut Scanner<'r>,
        text: &str,
        take: impl FnMut(usize, &str, Result<Vec<EvaluatedFinding>, EvaluateError>),
    ) -> Scanned {
        scanner.scan(text, |matches| self.found(matches), take)
    }
}

impl<'r> RecordVisitor for FindingVisitor<'r> {
    type Output = EvaluatedFinding;
    type State = Scanner<'r>;

    fn state(&self) -> Scanner<'r> {
        self.issuing.map_or(self.rules, |(both, _)| both).scanner()
    }

    fn document(
        &self,
        scanner: &mut Scanner<'r>,
        text: &str,
        take: &mut dyn FnMut(usize, Result<EvaluatedFinding, EvaluateError>),
    ) -> Scanned {
        scanner.scan(text, |matches| self.found(matches), one_by_one(take))
    }

    fn elements(
        &self,
        scanner: &mut Scanner<'r>,
        text: &str,
        take: &mut dyn FnMut(usize, Result<EvaluatedFinding, EvaluateError>),
    ) -> ScannedElements {
        scanner.scan_elements(text, |matches| self.found(matches), one_by_one(take))
    }
}

/// Hands over the findings of a record one after the other.
fn one_by_one(
    take: &mut dyn FnMut(usize, Result<EvaluatedFinding, EvaluateError>),
) -> impl FnMut(usize, &str, Result<Vec<EvaluatedFinding>, EvaluateError>) {
    |index, _, found| match found {
        Ok(found) => found.into_iter().for_each(|found| take(index, Ok(found))),
        Err(error) => take(index, Err(error)),
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

/// Of each finding of a record: the channels on which it is told in the message of another, each with the rule of that one; where
/// each of them opens an alert.
pub(super) fn merged<'r>(rules: &'r RuleSet, findings: &[Finding]) -> Vec<BTreeMap<&'r str, &'r str>> {
    let mut merged = vec![BTreeMap::new(); findings.len()];
    let routed: Vec<Vec<usize>> = findings
        .iter()
        .map(|finding| if finding.rule.mode == Mode::Stage { Vec::new() } else { rules.route(finding) })
        .collect();
    for (index, channel) in rules.channels().iter().enumerate() {
        let told: Vec<usize> = (0..findings.len()).filter(|place| routed[*place].contains(&index)).collect();
        for told in told.chunks(MOST_TOGETHER) {
            let leader = policy::leader(told.iter().map(|place| (findings[*place].severity, Going::AsFirst)));
            let Some(leader) = leader.map(|leader| told[leader]) else { continue };
            let Some(rule) = rules.rule_of(&findings[leader]) else { continue };
            for place in told.iter().filter(|place| **place != leader) {
                let _former = merged[*place].insert(channel.name.as_str(), rule.info.id.as_str());
            }
        }
    }
    merged
}

/// A finding as `--format jsonl` prints it. See [`super::lines`] for what may change.
#[derive(Debug, Serialize)]
pub(super) struct FindingLine<'a> {
    finding: &'a str,
    rule: &'a str,
    severity: &'a str,
    title: &'a str,
    sentence: &'a str,
    row: usize,
    event_id: Option<&'a str>,
    event_time: Option<&'a str>,
    local_time: Option<String>,
    account: Option<&'a str>,
    account_name: Option<&'a str>,
    unit: Option<&'a str>,
    caller_account: Option<&'a str>,
    region: Option<&'a str>,
    identity: Option<&'a str>,
    actor: Option<&'a str>,
    person: Option<&'a str>,
    arn: Option<&'a str>,
    service: Option<&'a str>,
    event: Option<&'a str>,
    source_ip: Option<&'a str>,
    country: Option<&'a str>,
    network: Option<&'a str>,
    user_agent: Option<&'a str>,
    agent: Option<String>,
    error: Option<&'a str>,
    /// What the call changed, the most telling first, or what was asked for if it failed.
    changes: &'a [Change],
    channels: Vec<&'a str>,
    mode: &'a str,
    tags: &'a [String],
    /// What to do first.
    steps: &'a [Step],
    file: &'a str,
    index: usize,
}

impl<'a> FindingLine<'a> {
    pub(super) fn new(finding: &'a Finding, channels: Vec<&'a str>, file: &'a str, index: usize) -> Self {
        let Finding { id, rule, severity, title, row, call, changes, steps, .. } = finding;
        Self {
            finding: id.as_str(),
            rule: &rule.id,
            severity: severity.as_str(),
            title,
            sentence: &call.sentence,
            row: *row,
            event_id: call.event_id.as_deref(),
            event_time: call.event_time.as_deref(),
            local_time: call.event_time.as_deref().and_then(|time| rule.messages.local_time(time)),
            account: call.account.as_deref(),
            account_name: call.account_name.as_deref(),
            unit: call.unit.as_deref(),
            caller_account: call.caller_account.as_deref(),
            region: call.region.as_deref(),
            identity: call.identity.as_deref(),
            actor: call.actor.as_deref(),
            person: call.person.as_deref(),
            arn: call.arn.as_deref(),
            service: call.service.as_deref(),
            event: call.event.as_deref(),
            source_ip: call.source_ip.as_deref(),
            country: call.country.as_deref(),
            network: call.network.as_deref(),
            user_agent: call.user_agent.as_deref(),
            agent: call.user_agent.as_deref().map(short_agent),
            error: call.error.as_deref(),
            changes,
            channels,
            mode: rule.mode.as_str(),
            tags: &rule.tags,
            steps,
            file,
            index,
        }
    }
}
