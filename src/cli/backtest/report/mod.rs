//! `--report FILE.html`: the backtest as one page that needs no network, no server and no other file.
//!
//! Most of what it shows was written by whoever called AWS, who may be the attacker: every text is cleaned and clipped
//! here, and escaped by `maud`; the page's policy lets nothing run but our own script.

mod chart;
mod list;
mod markup;
mod page;
mod tables;
mod timeline;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use self::chart::Chart;
use self::page::ReportPage;
use super::summary::BacktestSummary;
use super::tally::BacktestTally;
use crate::channel::event_link;
use crate::cli::findings::EvaluatedFinding;
use crate::finding::Finding;
use crate::rules::Mode;
use crate::ruleset::RuleSet;
use crate::severity::Severity;
use crate::text::one_line;
use crate::time::Timestamp;

/// Findings that the page lists: the worst, then the earliest. A page of 2,000 is three megabytes.
const LISTED: usize = 2000;
/// Characters of one text, and of the request's.
const TEXT: usize = 300;
const REQUEST: usize = 1500;
/// Characters of what one change says.
const CHANGE: usize = 1000;

/// Gathers what a report lists, in bounded memory.
#[derive(Debug)]
pub(super) struct ReportBuilder {
    /// When the report is made, which tells what CloudTrail's console still shows.
    now: Timestamp,
    /// The last is the first to go.
    listed: BTreeSet<ListedFinding>,
    /// Findings that were offered.
    offered: u64,
}

/// One line of the table. The order of the fields is that of the lines: the worst first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ListedFinding {
    rank: std::cmp::Reverse<Severity>,
    /// Seconds since 1970; what has no time comes last.
    time: u64,
    order: u64,
    written_time: String,
    rule: String,
    title: String,
    sentence: String,
    /// What the call changed, or was to.
    changes: Vec<String>,
    actor: String,
    source_ip: String,
    /// Whom it goes to, or why it goes to nobody.
    to: String,
    /// Names and values that are shown on request.
    facts: Vec<(&'static str, String)>,
    /// What to do first: each step and its command.
    steps: Vec<(String, Option<String>)>,
    runbook: Option<String>,
    link: Option<String>,
}

impl ReportBuilder {
    pub(super) const fn new(now: Timestamp) -> Self {
        Self { now, listed: BTreeSet::new(), offered: 0 }
    }

    /// Notes a finding; `channels`: whom it goes to; `place`: where its record stands.
    pub(super) fn add(&mut self, found: &EvaluatedFinding, channels: &[&str], place: &str) {
        let order = self.offered;
        self.offered += 1;
        let finding = &found.finding;
        let time = finding.call.event_time.as_deref().and_then(Timestamp::parse).map_or(u64::MAX, Timestamp::seconds);
        // Most of a large archive's findings are not listed: look at the least first.
        if self.listed.len() >= LISTED
            && self.listed.last().is_some_and(|last| {
                (last.rank, last.time, last.order) < (std::cmp::Reverse(finding.severity), time, order)
            })
        {
            return;
        }
        let listed = ListedFinding { time, order, ..ListedFinding::new(finding, channels, place, self.now) };
        self.listed.insert(listed);
        if self.listed.len() > LISTED {
            self.listed.pop_last();
        }
    }

    /// Writes the page.
    pub(super) fn write(
        &self,
        path: &Path,
        rules: &RuleSet,
        tally: &BacktestTally<'_>,
        summary: &BacktestSummary,
    ) -> io::Result<()> {
        let page = ReportPage {
            summary,
            chart: Chart::from_slots(&tally.slots),
            listed: &self.listed,
            left_out: self.offered - self.listed.len() as u64,
            digest: rules.digest(),
            rules: rules.rules().len(),
        };
        fs::write(path, page.html())
    }
}

/// `2025-03-03 11:05:00` of `2025-03-03T11:05:00Z`; another time as it is.
fn spaced(time: &str) -> String {
    match time.strip_suffix('Z').and_then(|time| time.split_once('T')) {
        Some((day, time)) if Timestamp::parse(&format!("{day}T{time}Z")).is_some() => format!("{day} {time}"),
        _ => time.to_owned(),
    }
}

impl ListedFinding {
    fn new(finding: &Finding, channels: &[&str], place: &str, now: Timestamp) -> Self {
        let Finding { rule, severity, call, changes, steps, .. } = finding;
        let text = |text: &str| one_line(text, TEXT).into_owned();
        let some = |text: &Option<String>| text.as_deref().map(|text| one_line(text, TEXT).into_owned());
        let mfa = call.mfa.map(|mfa| if mfa { "yes" } else { "no" }.to_owned());
        let request = call.request.as_deref().map(|request| one_line(request, REQUEST).into_owned());
        let facts = [
            ("Why it matters", some(&rule.description)),
            ("Time (local)", call.event_time.as_deref().and_then(|time| rule.messages.local_time(time))),
            ("Account", some(&call.shown_account())),
            ("Unit", some(&call.unit)),
            ("Region", some(&call.region)),
            ("Service", some(&call.service)),
            ("Event", some(&call.event)),
            ("Identity", some(&call.identity)),
            ("Person", some(&call.person)),
            ("Principal", some(&call.arn)),
            ("Access key", some(&call.access_key_id)),
            ("MFA", mfa),
            ("Country", some(&call.country)),
            ("Network", some(&call.network)),
            ("User agent", some(&call.user_agent)),
            ("Error", some(&call.error)),
            ("Error message", some(&call.error_message)),
            ("Request", request),
            ("Event ID", some(&call.event_id)),
            ("Record", Some(text(place))),
        ];
        let asked = if call.failed { "asked for: " } else { "" };
        let to = match (rule.mode, channels) {
            (Mode::Stage, _) => "nobody: staged".to_owned(),
            (_, []) => "nobody: no channel takes it".to_owned(),
            (_, names) => names.join(", "),
        };
        Self {
            rank: std::cmp::Reverse(*severity),
            time: 0,
            order: 0,
            written_time: some(&call.event_time).map_or_else(|| "no time".to_owned(), |time| spaced(&time)),
            rule: text(&rule.id),
            title: text(&finding.shown_title()),
            sentence: text(&call.sentence),
            changes: changes.iter().map(|change| one_line(&format!("{asked}{change}"), CHANGE).into_owned()).collect(),
            actor: some(&call.actor).unwrap_or_else(|| "nobody named".to_owned()),
            source_ip: some(&call.source_ip).unwrap_or_default(),
            to: text(&to),
            facts: facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
            steps: steps.iter().map(|step| (text(&step.text), step.command.clone())).collect(),
            runbook: rule.runbook.clone(),
            link: event_link(finding).filter(|_| !call.is_past_history_at(now)),
        }
    }
}
