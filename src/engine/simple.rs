//! The simple engine: it takes the whole record and asks one rule after the other, so that its answer is easy to trust.
//!
//! It alone says what matches. All that stands before it only says which rules it need not ask, and a random test
//! (`ruleset/tests.rs`) compares what is found with and without that.

use super::matches::Matches;
use crate::cloudtrail::{Names, Record};
use crate::rules::Rule;

/// Which of these rules a record matches, in their order. [`Rule::matched_row`] decides it. `names` is what is told besides the record.
pub(super) fn matches<'m, 't>(
    rules: impl IntoIterator<Item = &'m Rule>,
    record: &'m Record<'t>,
    names: &'m Names,
) -> Matches<'m, 't> {
    let matched = rules.into_iter().filter_map(|rule| Some((rule, rule.matched_row(record)?)));
    Matches::new(record, matched.collect(), names)
}
