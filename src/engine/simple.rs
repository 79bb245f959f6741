//! The simple engine: it reads the record whole and asks every rule in turn, so that its answer is easy to trust. It makes
//! every finding, explains, and is what the tests hold the index to.

use crate::finding::{Call, Finding, FindingId};
use crate::record::Record;
use crate::rules::{Rule, RuleSet};

impl RuleSet {
    /// The findings of a record, in the order of the rules: every rule is asked.
    pub fn evaluate_record(&self, record: &Record) -> Vec<Finding> {
        findings(self.rules(), record)
    }
}

/// The findings of these rules.
pub(super) fn findings<'r>(rules: impl IntoIterator<Item = &'r Rule>, record: &Record) -> Vec<Finding> {
    let matched: Vec<(&Rule, usize)> =
        rules.into_iter().filter_map(|rule| Some((rule, rule.matched_row(record)?))).collect();
    if matched.is_empty() {
        return Vec::new();
    }
    let calls = std::iter::repeat_n(Call::of(record), matched.len());
    let finding = |((rule, row), call): ((&Rule, usize), Call)| Finding {
        id: finding_id(rule, record, &call),
        rule: rule.info.clone(),
        severity: rule.severity_of(record),
        title: rule.title.render(record),
        row,
        call,
    };
    matched.into_iter().zip(calls).map(finding).collect()
}

impl Rule {
    /// The first row that the record satisfies, if the rule is on and no exception covers the record.
    pub fn matched_row(&self, record: &Record) -> Option<usize> {
        if !self.is_on() {
            return None;
        }
        let row = self.when.first_match(record)?;
        (!self.unless.iter().any(|exception| exception.covers(record))).then_some(row)
    }
}

fn finding_id(rule: &Rule, record: &Record, call: &Call) -> FindingId {
    match (&call.account, &call.event_id) {
        (account, Some(event_id)) => FindingId::of(&[&rule.info.id, account.as_deref().unwrap_or_default(), event_id]),
        // eventVersion 1.0 has no eventID.
        (_, None) => FindingId::of(&[&rule.info.id, &record.root().canonical()]),
    }
}
