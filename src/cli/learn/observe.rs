//! The habits in an archive.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::caller::Caller;
use super::habit::{Call, Habit, HabitKey};
use crate::cli::findings::{EvaluatedFinding, FindingVisitor};
use crate::cloudtrail::agent::short_agent;
use crate::cloudtrail::{ComputedAlias, Record};
use crate::engine::{EvaluateError, Scanned, Scanner};
use crate::rules::Scope;
use crate::rules::field::{Field, FieldTarget};
use crate::rules::{Mode, Rule};
use crate::ruleset::RuleSet;
use crate::scan::RecordVisitor;
use crate::severity::Severity;
use crate::text;
use crate::time::{Date, Timestamp};

/// The most habits that are told apart: callers choose some of what makes one.
const HABITS: usize = 100_000;
/// The most targets of a call that are looked at.
const TARGETS: usize = 3;
/// The most characters of a program's name.
const AGENT: usize = 40;

/// A finding, with what makes a habit of it.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) found: EvaluatedFinding,
    caller: Option<Caller>,
    failed: bool,
    targets: Vec<String>,
}

/// Evaluates the rules, and looks at who made each call that a rule finds.
pub(super) struct ObservingVisitor<'r> {
    findings: FindingVisitor<'r>,
    targets: Field,
}

impl<'r> ObservingVisitor<'r> {
    pub(super) fn new(rules: &'r RuleSet) -> Self {
        let targets = Field { written: "target".to_owned(), target: FieldTarget::Targets };
        Self { findings: FindingVisitor::new(rules), targets }
    }

    fn observe(&self, found: EvaluatedFinding, json: &str) -> Observed {
        let Ok(record) = Record::parse(json) else {
            return Observed { found, caller: None, failed: true, targets: Vec::new() };
        };
        let record = record.in_envelope_of(found.finding.call.account.as_deref());
        let targets = Scope::Record(&record).values(&self.targets);
        Observed {
            caller: Caller::of(&record),
            failed: record.computed(ComputedAlias::Outcome).as_deref() != Some("success"),
            targets: targets.iter().take(TARGETS).map(|value| value.text().into_owned()).collect(),
            found,
        }
    }
}

impl<'r> RecordVisitor for ObservingVisitor<'r> {
    type Output = Observed;
    type State = Scanner<'r>;

    fn state(&self) -> Self::State {
        self.findings.state()
    }

    fn document(
        &self,
        scanner: &mut Self::State,
        text: &str,
        take: &mut dyn FnMut(usize, Result<Self::Output, EvaluateError>),
    ) -> Scanned {
        self.findings.records_with_text(scanner, text, |index, json, found| match found {
            Ok(found) => found.into_iter().for_each(|found| take(index, Ok(self.observe(found, json)))),
            Err(error) => take(index, Err(error)),
        })
    }
}

/// What an archive's findings come to.
pub(super) struct Observations<'r> {
    rules: HashMap<&'r str, &'r Rule>,
    habits: BTreeMap<HabitKey, Habit>,
    /// Callers of whom very-high or extreme findings tell, whatever else they do.
    pub(super) grave: BTreeSet<Caller>,
    /// The days of the archive that have a finding.
    pub(super) days: HashSet<Date>,
    /// Findings of no habit, each once, by why.
    pub(super) left: LeftOut,
}

/// Findings of which no exception is proposed, whatever their number.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct LeftOut {
    /// Of calls that failed.
    pub(super) failed: u64,
    /// Of very-high or extreme severity.
    pub(super) grave: u64,
    /// Of rules about the monitor itself.
    pub(super) own: u64,
    /// Of callers to whom no exception can be bound: root, other accounts, nobody named.
    pub(super) unbound: u64,
    /// Of staged rules: nobody is told of them.
    pub(super) staged: u64,
}

impl<'r> Observations<'r> {
    pub(super) fn new(rules: &'r RuleSet) -> Self {
        Self {
            rules: rules.rules().iter().map(|rule| (rule.info.id.as_str(), rule)).collect(),
            habits: BTreeMap::new(),
            grave: BTreeSet::new(),
            days: HashSet::new(),
            left: LeftOut::default(),
        }
    }

    /// Adds a finding, which is the `number`-th of the archive, from 0.
    pub(super) fn add(&mut self, observed: Observed, number: u64) {
        let Observed { found, caller, failed, targets } = observed;
        let finding = &found.finding;
        let time = finding.call.time();
        self.days.extend(time.map(Timestamp::date));
        let is_grave = finding.severity >= Severity::VeryHigh;
        if is_grave {
            self.grave.extend(caller.clone());
        }
        let is_own = self.rules.get(finding.rule.id.as_str()).is_none_or(|rule| watches_the_monitor(rule));
        let left = &mut self.left;
        let whose = match (finding.rule.mode, is_own, is_grave, failed) {
            (Mode::Stage | Mode::Off, ..) => Err(&mut left.staged),
            (_, true, ..) => Err(&mut left.own),
            (_, _, true, _) => Err(&mut left.grave),
            (.., true) => Err(&mut left.failed),
            _ => caller.zip(time).ok_or(&mut left.unbound),
        };
        let (caller, time) = match whose {
            Ok(whose) => whose,
            Err(count) => return *count += 1,
        };
        if let (Some(service), Some(event)) = (finding.call.service.clone(), finding.call.event.clone()) {
            let key = HabitKey { rule: finding.rule.id.clone(), caller, service, event };
            if self.habits.len() >= HABITS && !self.habits.contains_key(&key) {
                return;
            }
            self.habits.entry(key).or_default().add(Call {
                time,
                severity: finding.severity,
                targets: &targets,
                address: finding.call.source_ip.as_deref().and_then(|address| address.parse().ok()),
                agent: finding
                    .call
                    .user_agent
                    .as_deref()
                    .map(|agent| text::one_line(&short_agent(agent), AGENT).into_owned()),
                finding: u32::try_from(number).unwrap_or(u32::MAX),
            });
        }
    }

    /// Whether the rule alerts only when it matches often enough.
    pub(super) fn counts(&self, rule: &str) -> bool {
        self.rules.get(rule).is_some_and(|rule| rule.threshold.is_some())
    }

    pub(super) fn habits(&self) -> impl Iterator<Item = (&HabitKey, &Habit)> {
        self.habits.iter()
    }
}

/// Whether a rule is about this monitor itself: it asks for the function's own resources, or is of the pack that does.
fn watches_the_monitor(rule: &Rule) -> bool {
    let asks = |field: &Field| matches!(field.target, FieldTarget::OwnResource(_));
    rule.pack.as_deref().is_some_and(|pack| pack.contains("self-defense"))
        || rule.info.id.starts_with("SELF-")
        || rule.when.0.iter().any(|row| row.0.iter().any(|cell| asks(&cell.field)))
}
