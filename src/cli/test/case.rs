//! One test of a rule: its records, and whether the rule says what the test expects.

use std::rc::Rc;

use crate::cloudtrail::Record;
use crate::rules::{Rule, RuleTest};

/// A test and the records of its event.
pub(super) struct Case<'r> {
    pub(super) test: &'r RuleTest,
    pub(super) records: Rc<Vec<Record<'static>>>,
}

/// How a test failed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It should match, and no row does.
    NoMatch,
    /// It should match, and this exception covers it.
    Excepted(usize),
    /// It should not match, and this row does.
    Matched(usize),
    /// It should match by another row than this one.
    OtherRow(usize),
}

impl Case<'_> {
    /// Whether the rule says otherwise than the test expects. A rule that is off is tested as if it were on. An event of
    /// several records matches if one of them does.
    pub(super) fn failure(&self, rule: &Rule) -> Option<Failure> {
        let mut excepted = None;
        let mut matched = None;
        for record in self.records.iter() {
            let Some(row) = rule.when.first_match(record) else { continue };
            match rule.exception_for(record) {
                Some(exception) => excepted = excepted.or(Some(exception)),
                None => matched = matched.or(Some(row)),
            }
        }
        match (self.test.expect, matched) {
            (true, None) => Some(excepted.map_or(Failure::NoMatch, Failure::Excepted)),
            (false, Some(row)) => Some(Failure::Matched(row)),
            (true, Some(row)) => self.test.row.is_some_and(|wanted| wanted != row).then_some(Failure::OtherRow(row)),
            (false, None) => None,
        }
    }
}
