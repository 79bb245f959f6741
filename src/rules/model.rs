//! What a rule is, once it has been understood: its rows, its exceptions, and what its findings carry.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::condition::Condition;
use super::field::Field;
use super::limits::{Threshold, Throttle};
use super::lints::Allow;
use super::message_settings::MessageSettings;
use super::needs::NeededEvents;
use super::respond::StepTemplate;
use super::scope::Scope;
use super::title::Title;
use super::version::Version;
use crate::cloudtrail::{AliasSource, FieldValue, Known, Record};
use crate::severity::Severity;
use crate::time::Timestamp;

/// One rule, ready to be asked about a record.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The pack that it comes from, by the name that `include` gives it; none: `rules.json` itself.
    pub pack: Option<Arc<str>>,
    /// What findings carry of it.
    pub info: Arc<RuleInfo>,
    /// The title of its findings.
    pub title: Title,
    /// Its severity, unless a `severity_when` matches.
    pub severity: Severity,
    /// Severities with conditions: the first whose table matches replaces `severity`.
    pub severity_when: Vec<(Severity, Table)>,
    /// The table of what is off limits.
    pub when: Table,
    /// The exceptions: what is allowed all the same.
    pub unless: Vec<Exception>,
    /// Repeats within a window that are held back; none: every finding goes out.
    pub throttle: Option<Throttle>,
    /// How often it must match before it alerts.
    pub threshold: Option<Threshold>,
    /// What to do first, in order.
    pub respond: Vec<ResponseStep>,
    /// The version with which its pack got it; none: the first.
    pub since: Option<Version>,
    /// The events that it needs beyond those that every deployment hears of, as its author says.
    pub needs_events: Vec<NeededEvents>,
    /// Events that the rule must, and must not, match.
    pub tests: Vec<RuleTest>,
    /// Warnings of `offlimits check` that do not count here.
    pub allow: Vec<Allow>,
}

impl Rule {
    /// Whether the rule is evaluated at all.
    pub fn is_on(&self) -> bool {
        self.info.mode != Mode::Off
    }

    /// The first row that the record satisfies, if the rule is on and no exception covers the record.
    pub fn matched_row(&self, record: &Record) -> Option<usize> {
        if !self.is_on() {
            return None;
        }
        let row = self.when.first_match(record)?;
        self.exception_for(record).is_none().then_some(row)
    }

    /// The first exception that covers the record.
    pub fn exception_for(&self, record: &Record) -> Option<usize> {
        self.unless.iter().position(|exception| exception.covers(self, record))
    }

    /// The severity of a finding of this rule.
    pub fn severity_of(&self, record: &Record) -> Severity {
        self.severity_when
            .iter()
            .find(|(_, table)| table.first_match(record).is_some())
            .map_or(self.severity, |(severity, _)| *severity)
    }
}

/// One step of what to do first.
#[derive(Debug, Clone)]
pub struct ResponseStep {
    /// The records that it is for; none: all of the rule's.
    pub when: Option<Table>,
    /// What it says.
    pub says: StepTemplate,
}

impl ResponseStep {
    /// Whether the step is for this record.
    pub fn is_for(&self, record: &Record) -> bool {
        self.when.as_ref().is_none_or(|when| when.first_match(record).is_some())
    }
}

/// Rows, one of which must match.
#[derive(Debug, Clone)]
pub struct Table(pub Vec<Row>);

impl Table {
    /// The index of the first row that the record satisfies.
    pub fn first_match(&self, record: &Record) -> Option<usize> {
        self.0.iter().position(|row| row.holds(Scope::Record(record)))
    }
}

/// Cells, each of which must match.
#[derive(Debug, Clone)]
pub struct Row(pub Vec<Cell>);

impl Row {
    /// Whether every cell's condition is true.
    pub fn holds(&self, scope: Scope<'_, '_>) -> bool {
        self.0.iter().all(|cell| cell.holds(scope))
    }
}

/// One field and what is asked of it.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The field whose values are asked about.
    pub field: Field,
    /// What is asked of them.
    pub condition: Condition,
    /// The condition as its author wrote it: compact JSON.
    pub written: String,
}

impl Cell {
    /// Whether the condition is true of the field's values.
    pub fn holds(&self, scope: Scope<'_, '_>) -> bool {
        let holds = |values: &[FieldValue<'_>]| self.condition.holds(values, scope);
        // What takes no document is asked without one.
        match scope.known(&self.field) {
            Known::Missing => holds(&[]),
            Known::Text(text) if !self.condition.needs_the_record() => holds(&[FieldValue::Scalar(text.into())]),
            _ => holds(&scope.values(&self.field)),
        }
    }
}

/// One exception to a rule.
#[derive(Debug, Clone)]
pub struct Exception {
    /// What is allowed.
    pub when: Table,
    /// Why it is allowed, in the author's words.
    pub reason: String,
    /// The first moment at which it is allowed; `None` if it is from ever.
    pub from: Option<Timestamp>,
    /// The first moment at which it is no longer allowed; `None` if it is for ever. A day in rules.json ends with its last
    /// moment (UTC).
    pub ends: Option<Timestamp>,
    /// The highest severity of findings that are allowed; `None` if it does not matter.
    pub max_severity: Option<Severity>,
}

impl Exception {
    /// Whether the exception of this rule covers the record. One that begins or ends covers no record without a time.
    pub fn covers(&self, rule: &Rule, record: &Record) -> bool {
        self.is_in_time(record) && self.when.first_match(record).is_some() && !self.is_exceeded(rule, record)
    }

    /// Whether the rule's finding would be more severe than the exception allows.
    pub fn is_exceeded(&self, rule: &Rule, record: &Record) -> bool {
        self.max_severity.is_some_and(|highest| rule.severity_of(record) > highest)
    }

    /// Whether the exception holds at some times only.
    pub fn is_timed(&self) -> bool {
        self.from.is_some() || self.ends.is_some()
    }

    /// Whether the call was made while the exception holds.
    pub fn is_in_time(&self, facts: &impl AliasSource) -> bool {
        !self.is_timed()
            || facts.text(&["eventTime"]).and_then(Timestamp::parse).is_some_and(|time| {
                self.from.is_none_or(|first| first <= time) && self.ends.is_none_or(|end| time < end)
            })
    }

    /// Whether the call was made before the exception begins.
    pub fn is_early(&self, facts: &impl AliasSource) -> bool {
        let time = facts.text(&["eventTime"]).and_then(Timestamp::parse);
        self.from.zip(time).is_some_and(|(first, time)| time < first)
    }
}

/// A test that a rule carries.
#[derive(Debug, Clone)]
pub struct RuleTest {
    /// The test's name: what it shows.
    pub name: String,
    /// The event that the rule is tested with.
    pub event: TestEvent,
    /// Whether the rule must match.
    pub expect: bool,
    /// The index of the row that must match, if the test names one.
    pub row: Option<usize>,
}

/// The event of a [`RuleTest`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TestEvent {
    /// A file, relative to `rules.json`, whichever pack names it.
    File(String),
    /// The event itself, as JSON text.
    Inline(String),
}

/// What a finding carries of its rule.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RuleInfo {
    /// The rule's `id`.
    pub id: String,
    /// Why a finding of the rule matters.
    pub description: Option<String>,
    /// What to do about it: an http(s) URL.
    pub runbook: Option<String>,
    /// The rule's tags, for instance `attack.t1078.004`.
    pub tags: Vec<String>,
    /// Whether findings are sent.
    pub mode: Mode,
    /// The channels that the rule names; none: all.
    pub notify: Option<Vec<String>>,
    /// Which rules these are: the first 12 hexadecimal digits of the SHA-256 of their bundle.
    pub rules_digest: Arc<str>,
    /// What holds for every message. Versions before 2026-11-29 did not write it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub messages: Arc<MessageSettings>,
}

fn is_default(settings: &Arc<MessageSettings>) -> bool {
    **settings == MessageSettings::default()
}

/// What becomes of a rule's findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// They are sent.
    #[default]
    Alert,
    /// They are counted and logged, not sent.
    Stage,
    /// The rule is not evaluated.
    Off,
}

impl Mode {
    /// What `rules.json` may say.
    pub const WORDS: [(&'static str, Self); 3] = [("alert", Self::Alert), ("stage", Self::Stage), ("off", Self::Off)];

    /// The mode that a word of [`Mode::WORDS`] means.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, mode)| *mode)
    }

    /// The word in `rules.json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Stage => "stage",
            Self::Off => "off",
        }
    }
}
