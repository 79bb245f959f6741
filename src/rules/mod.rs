//! What is off limits: `rules.json`, understood.
//!
//! [`reader`] reads the values, [`compile`](RuleSet::compile) makes the rules of them and reports every mistake at once as
//! a [`diagnostic`]. Past that line nothing is checked again.

mod compile;
pub mod condition;
pub mod countries;
pub mod diagnostic;
pub mod field;
pub mod hours;
mod limits;
mod lints;
pub mod package;
pub mod pattern;
pub mod reader;
pub mod sources;
mod title;

use std::sync::Arc;

use self::condition::Condition;
use self::field::Field;
pub use self::limits::{Threshold, Throttle};
use self::package::Packaged;
pub use self::title::Title;
use crate::engine::Engine;
use crate::finding::{Finding, Mode, RuleInfo};
use crate::record::{Facts, Record, Scope};
use crate::route::ConfiguredChannel;
use crate::severity::Severity;

pub use self::compile::Compiled;
pub use self::lints::{Allow, LINTS};
pub use self::sources::Sources;

/// All the rules and channels of one `rules.json`.
#[derive(Debug)]
pub struct RuleSet {
    pub(crate) rules: Rules,
    pub(crate) channels: Vec<ConfiguredChannel>,
    pub(crate) digest: Arc<str>,
    pub(crate) engine: Engine,
}

/// The rules of a set.
#[derive(Debug)]
pub(crate) enum Rules {
    /// Compiled from `rules.json`.
    Compiled(Vec<Rule>),
    /// In a package: each is compiled when it first comes into question.
    Packaged(Packaged),
}

impl RuleSet {
    /// The rules, in the order of the file. Those of a package are all compiled by asking for them; none if it is damaged.
    pub fn rules(&self) -> &[Rule] {
        self.rules.all().unwrap_or_default()
    }

    /// The rule that made a finding.
    pub fn rule_of(&self, finding: &Finding) -> Option<&Rule> {
        let of = |rule: &&Rule| rule.info.id == finding.rule.id;
        match &self.rules {
            Rules::Compiled(rules) => rules.iter().find(of),
            Rules::Packaged(rules) => rules.compiled().find(of),
        }
    }

    /// The channels, in the order of the file.
    pub fn channels(&self) -> &[ConfiguredChannel] {
        &self.channels
    }

    /// Which rules these are: the first 12 hexadecimal digits of the SHA-256 of the bundle ([`Sources::bundle`]).
    pub fn digest(&self) -> &Arc<str> {
        &self.digest
    }
}

impl Rules {
    /// A rule by its place in the file.
    #[inline]
    pub(crate) fn get(&self, number: u32) -> Result<&Rule, String> {
        match self {
            Self::Compiled(rules) => Ok(&rules[number as usize]),
            Self::Packaged(rules) => rules.get(number),
        }
    }

    /// All of them.
    pub(crate) fn all(&self) -> Result<&[Rule], String> {
        match self {
            Self::Compiled(rules) => Ok(rules),
            Self::Packaged(rules) => rules.all(),
        }
    }
}

/// One rule.
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
    /// The first that matches replaces the severity.
    pub severity_when: Vec<(Severity, Table)>,
    /// What is off limits.
    pub when: Table,
    /// What is allowed all the same.
    pub unless: Vec<Exception>,
    /// Repeats within a window that are held back; none: every finding goes out.
    pub throttle: Option<Throttle>,
    /// How often it must match before it alerts.
    pub threshold: Option<Threshold>,
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

    /// The severity of a finding of this rule.
    pub fn severity_of(&self, record: &Record) -> Severity {
        self.severity_when
            .iter()
            .find(|(_, table)| table.first_match(record).is_some())
            .map_or(self.severity, |(severity, _)| *severity)
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
    pub fn holds(&self, scope: Scope<'_>) -> bool {
        self.0.iter().all(|cell| cell.holds(scope))
    }
}

/// One field and what is asked of it.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The field.
    pub field: Field,
    /// The condition.
    pub condition: Condition,
    /// The condition as its author wrote it: compact JSON.
    pub written: String,
}

impl Cell {
    /// Whether the condition is true of the field's values.
    pub fn holds(&self, scope: Scope<'_>) -> bool {
        self.condition.holds(&scope.values(&self.field), scope)
    }
}

/// One exception to a rule.
#[derive(Debug, Clone)]
pub struct Exception {
    /// What is allowed.
    pub when: Table,
    /// Why.
    pub reason: String,
    /// The last day (UTC) on which it is.
    pub expires: Option<Date>,
}

impl Exception {
    /// Whether the exception covers the record. One that expires covers no record without a time.
    pub fn covers(&self, record: &Record) -> bool {
        self.is_in_time(record) && self.when.first_match(record).is_some()
    }

    /// Whether the call was made before the exception expired.
    pub fn is_in_time(&self, facts: &impl Facts) -> bool {
        self.expires.as_ref().is_none_or(|last_day| {
            facts.text(&["eventTime"]).and_then(Date::of_time).is_some_and(|day| day <= *last_day)
        })
    }
}

/// A day, as `yyyymmdd`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(u32);

impl Date {
    /// Reads `2027-03-31`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut part = |digits: usize| {
            parts
                .next()
                .filter(|part| part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()))?
                .parse::<u32>()
                .ok()
        };
        let (year, month, day) = (part(4)?, part(2)?, part(2)?);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 => 28 + u32::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        (parts.next().is_none() && (1..=days).contains(&day)).then_some(Self(year * 10_000 + month * 100 + day))
    }

    /// Year, month and day.
    pub const fn parts(self) -> (u32, u32, u32) {
        (self.0 / 10_000, self.0 / 100 % 100, self.0 % 100)
    }

    /// The day of a count of seconds since 1970-01-01T00:00Z.
    pub fn of_unix_time(seconds: u64) -> Self {
        // By Howard Hinnant's `civil_from_days`: years that begin in March, eras of 400 of them.
        let days = seconds / 86_400 + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        Self(u32::try_from(year * 10_000 + month * 100 + day).unwrap_or(u32::MAX))
    }

    /// The day of an `eventTime`: `2024-01-10T11:32:44Z`, or `20131102T010628Z`.
    pub fn of_time(text: &str) -> Option<Self> {
        let (day, _) = text.split_once(['T', ' '])?;
        if day.len() == 8 && day.is_ascii() {
            return Self::parse(&format!("{}-{}-{}", &day[..4], &day[4..6], &day[6..]));
        }
        Self::parse(day)
    }
}

/// A test that a rule carries.
#[derive(Debug, Clone)]
pub struct RuleTest {
    /// What it shows.
    pub name: String,
    /// The event.
    pub event: TestEvent,
    /// Whether the rule must match.
    pub expect: bool,
    /// The row that must.
    pub row: Option<usize>,
}

/// The event of a [`RuleTest`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TestEvent {
    /// A file, relative to `rules.json`, whichever pack names it.
    File(String),
    /// JSON text.
    Inline(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_that_exist() {
        assert!(Date::parse("2028-02-29").is_some() && Date::parse("2027-12-31").is_some());
        for bad in [
            "2027-02-29",
            "2027-13-01",
            "2027-04-31",
            "2027-1-1",
            "2027-01-01-",
            "tomorrow",
            "2027-00-10",
            "+027-01-01",
        ] {
            assert_eq!(Date::parse(bad), None, "{bad}");
        }
        assert_eq!(Date::of_time("20131102T010628Z"), Date::parse("2013-11-02"));
        assert_eq!(Date::of_time("2013-11-02T01:06:28Z"), Date::parse("2013-11-02"));
        assert_eq!(Date::of_time("2013-11-02"), None);
        for (seconds, day) in [(0, "1970-01-01"), (951_782_400, "2000-02-29"), (1_795_564_799, "2026-11-24")] {
            assert_eq!(Some(Date::of_unix_time(seconds)), Date::parse(day));
        }
    }
}
