//! `--report FILE.html`: the backtest as one page that needs no network, no server and no other file.
//!
//! ```text
//! groups      findings by rule, actor and target, counted
//! row, texts  one finding of the list, its texts cleaned and clipped, each kept once
//! packed      the list as the page carries it
//! page        the page, with its parts: timeline (and chart), list, rules, attack_table, names, channels
//! *.js, *.css what the browser runs: data.js reads the list, view.js shows it, page.js filters it
//! ```
//! Most of what it shows was written by whoever called AWS, who may be the attacker: every text is cleaned and clipped
//! here, and escaped by `maud`, or put in place as text by the page's script; the page's policy lets nothing run but that.

mod attack_table;
mod channels;
mod chart;
mod groups;
mod list;
mod markup;
mod names;
mod packed;
mod page;
mod row;
mod rules;

mod texts;
mod timeline;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use self::chart::Chart;
use self::groups::GroupTally;
use self::packed::{Packed, PackedRule, Packing};
use self::page::{ReportPage, ReportSource};
use self::row::{NONE, ReportRow};
use self::rules::title_of;
use self::texts::TextPool;
use super::names::NameTally;
use super::summary::BacktestSummary;
use super::tally::BacktestTally;
use crate::cli::findings::EvaluatedFinding;
use crate::cli::list_cutoff::{ListCutoff, time_of};
use crate::cli::whole_file;
use crate::ruleset::RuleSet;
use crate::severity::Severity;
use crate::time::Timestamp;

/// Findings that the page lists: the worst, then the earliest.
const LISTED: usize = 50_000;
/// Rows that leave the list before texts that only they had are forgotten.
const SWEPT: usize = LISTED / 5;
/// Bytes of a page: what a mail program still takes.
const BYTES: usize = 5_000_000;

/// Gathers what a report shows beyond the summary, in bounded memory.
#[derive(Debug)]
pub(super) struct ReportBuilder<'r> {
    rules: &'r RuleSet,
    places: HashMap<&'r str, usize>,
    /// When the report is made, which tells what CloudTrail's console still shows.
    now: Timestamp,
    /// The last is the first to go: of the lowest severity the latest, and what has no time.
    listed: BTreeMap<(Reverse<Severity>, u64, u64), ReportRow>,
    /// How many are listed: [`LISTED`]; tests list fewer.
    most: usize,
    /// The last of them, once there are that many.
    cutoff: Arc<ListCutoff>,
    /// Findings that were offered, by severity, the least first.
    offered: [u64; 5],
    /// Rows that have gone since texts were last swept.
    gone: usize,
    texts: TextPool,
    groups: GroupTally,
    accounts: NameTally,
    regions: NameTally,
}

impl<'r> ReportBuilder<'r> {
    pub(super) fn new(rules: &'r RuleSet, now: Timestamp) -> Self {
        let places = rules.rules().iter().enumerate().map(|(place, rule)| (rule.info.id.as_str(), place)).collect();
        Self {
            rules,
            places,
            now,
            listed: BTreeMap::new(),
            most: LISTED,
            cutoff: Arc::default(),
            offered: [0; 5],
            gone: 0,
            texts: TextPool::default(),
            groups: GroupTally::default(),
            accounts: NameTally::default(),
            regions: NameTally::default(),
        }
    }

    /// The same, which lists so many.
    #[cfg(test)]
    pub(super) fn listing(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// What is listed, and the groups.
    #[cfg(test)]
    pub(super) fn shown(&self) -> String {
        let row =
            |row: &ReportRow| (row.severity, row.time, row.record, row.texts.map(|number| self.texts.text(number)));
        let rows: Vec<_> = self.listed.values().map(row).collect();
        format!("{rows:?} {:?} {:?}", self.groups.sorted(), self.offered)
    }

    /// Which findings the list still takes: these must be whole, and the others need no more than a summary
    /// ([`crate::engine::Matches::summaries`]).
    pub(super) fn cutoff(&self) -> Arc<ListCutoff> {
        Arc::clone(&self.cutoff)
    }

    /// Notes a finding; `channels`: whom it goes to; `file` and `record`: where its record stands.
    pub(super) fn add(&mut self, found: &EvaluatedFinding, channels: &[&str], file: &str, record: usize) {
        let finding = &found.finding;
        let order = self.offered.iter().sum();
        self.offered[finding.severity as usize] += 1;
        let rule = self.places.get(finding.rule.id.as_str()).copied().unwrap_or_default();
        self.groups.add(finding, rule, &mut self.texts);
        self.accounts.add(&row::text_or(finding.call.shown_account().as_deref(), NONE));
        self.regions.add(&row::text_or(finding.call.region.as_deref(), NONE));
        // Most of a large archive's findings are not listed: look at the least first.
        let key = (Reverse(finding.severity), time_of(finding).unwrap_or(u64::MAX), order);
        if self.listed.len() >= self.most && self.listed.last_key_value().is_some_and(|(last, _)| *last < key) {
            return;
        }
        let row = ReportRow::new((finding, rule), channels, (file, record), self.now, &mut self.texts);
        self.listed.insert(key, row);
        if self.listed.len() > self.most {
            self.listed.pop_last();
            self.gone += 1;
            if self.gone.is_multiple_of(SWEPT) {
                self.texts.sweep(self.listed.values_mut().map(|row| &mut row.texts[..]));
            }
        }
        if self.listed.len() == self.most
            && let Some((_, last)) = self.listed.last_key_value()
        {
            self.cutoff.move_to(last.severity, last.time);
        }
    }

    /// Writes the page. `command`: what was typed.
    pub(super) fn write(
        &self,
        path: &Path,
        tally: &BacktestTally<'_>,
        summary: &BacktestSummary,
        command: &str,
    ) -> io::Result<()> {
        let titles: Vec<String> = self.rules.rules().iter().map(title_of).collect();
        let techniques: Vec<Vec<&'static str>> = self.rules.rules().iter().map(attack_table::ids_of).collect();
        let rules: Vec<PackedRule<'_>> = (self.rules.rules().iter().zip(&titles).zip(&techniques))
            .map(|((rule, title), techniques)| PackedRule {
                id: &rule.info.id,
                title,
                description: rule.info.description.as_deref().unwrap_or_default(),
                runbook: rule.info.runbook.as_deref().unwrap_or_default(),
                techniques,
            })
            .collect();
        let rows: Vec<&ReportRow> = self.listed.values().collect();
        let page = |packed: &Packed| {
            ReportPage {
                summary,
                tally,
                chart: Chart::from_slots(&tally.slots),
                groups: &self.groups,
                accounts: &self.accounts,
                regions: &self.regions,
                packed,
                offered: self.offered,
                rules: self.rules,
                titles: &titles,
                source: ReportSource { made: self.now, command },
            }
            .html()
        };
        let without = page(&Packed { listed: rows.len(), ..Packed::default() }).len();
        // What the page says of its own list is a little longer where something is left out.
        let bytes = BYTES.saturating_sub(without + 1000);
        let packed = Packing { offered: self.offered.iter().sum(), rules: &rules, rows: &rows, texts: &self.texts }
            .fit(bytes)?;
        let page = page(&packed);
        // What is no file, such as a pipe, is written to as it is.
        if fs::metadata(path).is_ok_and(|file| !file.is_file()) {
            return fs::write(path, page);
        }
        whole_file::replace(path, page.as_bytes())
    }
}
