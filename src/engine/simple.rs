//! The simple engine: it takes the whole record and asks one rule after the other, so that its answer is easy to trust.
//!
//! It makes every finding. All that stands before it only says which rules it need not ask, and a random test
//! (`ruleset/tests.rs`) compares what is found with and without that.

use crate::change::changes;
use crate::cloudtrail::{ApiCall, Names, Record};
use crate::finding::{Change, Finding, Step};
use crate::ids::{FindingId, StableId};
use crate::rules::{Rule, STEPS_SHOWN};

/// The findings of these rules in a record, in the order of the rules. [`Rule::matched_row`] decides whether a rule matches.
/// `names` is what is told with them.
pub(super) fn findings<'r>(rules: impl IntoIterator<Item = &'r Rule>, record: &Record, names: &Names) -> Vec<Finding> {
    let matched: Vec<(&Rule, usize)> =
        rules.into_iter().filter_map(|rule| Some((rule, rule.matched_row(record)?))).collect();
    if matched.is_empty() {
        return Vec::new();
    }
    // Worked out once, however many rules have matched.
    let call = ApiCall::with_names(record, names);
    let changes = changes(record, &call);
    let facts = std::iter::repeat_n((call, changes), matched.len());
    let finding = |((rule, row), (call, changes)): ((&Rule, usize), (ApiCall, Vec<Change>))| Finding {
        id: finding_id(rule, record, &call),
        rule: rule.info.clone(),
        severity: rule.severity_of(record),
        title: rule.title.render(record),
        row,
        call,
        first_seen: None,
        lineage: Vec::new(),
        changes,
        steps: steps(rule, record),
    };
    matched.into_iter().zip(facts).map(finding).collect()
}

/// What the rule says to do first about this record.
fn steps(rule: &Rule, record: &Record) -> Vec<Step> {
    let steps = rule.respond.iter().filter(|step| step.is_for(record)).take(STEPS_SHOWN);
    steps.map(|step| step.says.render(record)).map(|(text, command)| Step { text, command }).collect()
}

/// The id of a finding: the same in every copy of the function, and when a record is evaluated again.
fn finding_id(rule: &Rule, record: &Record, call: &ApiCall) -> FindingId {
    match &call.event_id {
        Some(event_id) => {
            let account = record.own_account().unwrap_or_default();
            FindingId::from(StableId::hash(&[&rule.info.id, account, event_id]))
        }
        // eventVersion 1.0 has no eventID.
        None => FindingId::from(StableId::hash(&[&rule.info.id, &record.root().canonical()])),
    }
}
