//! What the rows of a rule ask of a record, arranged for fields that have been extracted, and how it is asked.
//!
//! A rule's conditions are asked as they are: a plan only says where each cell's values come from. Its cells stand in two
//! parts. Those about the call are asked once for each call, and the answer is remembered; those about other fields are asked
//! for every record.

use std::borrow::Cow;
use std::cell::Cell;

use super::call::{CallKey, EVENT, SERVICE};
use super::extract::Extracted;
use super::path_trie::{FieldId, TrieView};
use crate::cloudtrail::{AliasSource, FieldValue, may_say_failure};
use crate::facts::DerivedField;
use crate::rules::field::FieldTarget;
use crate::rules::{self, Row, Rule, Scope, computed};

/// The number of a row among those of all rules, from 0, in the order of the file.
pub(super) type RowId = u32;

/// Where a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RowPlace {
    /// The rule's place in the file.
    pub(super) rule: u32,
    /// The row's place in the rule's table.
    pub(super) row: u32,
}

/// How a rule is asked.
#[derive(Debug)]
pub(super) struct RulePlan {
    /// The rows of `when`.
    pub(super) rows: Box<[RowPlan]>,
    /// The rows of each exception.
    exceptions: Box<[Box<[RowPlan]>]>,
}

/// How a row is asked. Each cell is named by its place in the row.
#[derive(Debug)]
pub(super) struct RowPlan {
    /// The cells about the call, and which of its parts.
    pub(super) call_cells: Box<[(u16, u8)]>,
    /// The derived fields that must have a value: the row matches no call that one of them does not understand.
    pub(super) derived: Box<[&'static DerivedField]>,
    /// The cells about other fields, and where the values of each come from.
    pub(super) other_cells: Box<[(u16, ValueSource)]>,
}

/// Where a cell's values come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum ValueSource {
    /// A field that is extracted.
    Field(FieldId),
    /// An alias that is computed from extracted fields.
    Alias,
    /// The whole record, if this field understands the call; of any other call it has no values.
    Derived(&'static DerivedField),
    /// The whole record: it has to be parsed for this cell.
    Record,
}

/// Whether what a row asks is true of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    No,
    Yes,
    /// The extracted fields do not tell: only the whole record does.
    Unsure,
}

impl RulePlan {
    /// Plans a rule. `trie` has the fields that are extracted, and `call` those of the call.
    pub(super) fn new(rule: &Rule, trie: TrieView<'_>, call: [FieldId; 3]) -> Self {
        let rows = rule.when.0.iter().map(|row| RowPlan::new(row, trie, &call)).collect();
        // Whether an exception covers a record is not remembered with its call.
        let plans = |rows: &[Row]| rows.iter().map(|row| RowPlan::new(row, trie, &[])).collect();
        let exceptions = rule.unless.iter().map(|exception| plans(&exception.when.0)).collect();
        Self { rows, exceptions }
    }

    /// Whether an exception covers the record for certain. How severe a finding would be, only the whole record tells.
    pub(super) fn is_excepted(&self, rule: &Rule, record: &ExtractedRecord<'_>) -> bool {
        let mut exceptions =
            rule.unless.iter().zip(&self.exceptions).filter(|(exception, _)| exception.max_severity.is_none());
        exceptions.any(|(exception, rows)| {
            record.unsure.set(false);
            let in_time = exception.is_in_time(record) && !record.unsure.get();
            let mut rows = exception.when.0.iter().zip(rows);
            in_time && rows.any(|(row, plan)| record.other_cells_hold(row, plan) == Holds::Yes)
        })
    }
}

impl RowPlan {
    fn new(row: &Row, trie: TrieView<'_>, call: &[FieldId]) -> Self {
        let (mut call_cells, mut other_cells) = (Vec::new(), Vec::new());
        for (place, cell) in (0_u16..).zip(&row.0) {
            let source = ValueSource::new(cell, trie);
            let part = if let ValueSource::Field(field) = source {
                (0_u8..).zip(call).find(|(_, of)| **of == field)
            } else {
                None
            };
            match part {
                Some((part, _)) => call_cells.push((place, part)),
                None => other_cells.push((place, source)),
            }
        }
        let derived = row.0.iter().filter_map(|cell| match cell.field.target {
            FieldTarget::Derived(field) => (!cell.condition.holds_of_nothing()).then_some(field),
            _ => None,
        });
        Self { call_cells: call_cells.into(), derived: derived.collect(), other_cells: other_cells.into() }
    }

    /// Whether what the row asks of the call is true of this one.
    pub(super) fn matches_call(&self, row: &Row, call: &CallKey<'_>) -> bool {
        let of_call = |(cell, part): &(u16, u8)| {
            let condition = &row.0[usize::from(*cell)].condition;
            let value = call.part(usize::from(*part)).map(|text| FieldValue::Scalar(text.into()));
            condition.holds(value.as_slice(), Scope::ExtractedFields)
        };
        let is_understood = |field: &&DerivedField| {
            let call = call.part(SERVICE).zip(call.part(EVENT));
            call.is_some_and(|(service, event)| field.understands(service, event))
        };
        self.call_cells.iter().all(of_call) && self.derived.iter().all(is_understood)
    }

    /// Whether what the row asks of the service is true of this one.
    pub(super) fn accepts_service(&self, row: &Row, service: &str) -> bool {
        let cells = self.call_cells.iter().filter(|(_, part)| usize::from(*part) == SERVICE);
        let value = [FieldValue::Scalar(service.into())];
        let mut conditions = cells.map(|(cell, _)| &row.0[usize::from(*cell)].condition);
        conditions.all(|condition| condition.holds(&value, Scope::ExtractedFields))
    }
}

impl ValueSource {
    fn new(cell: &rules::Cell, trie: TrieView<'_>) -> Self {
        if cell.condition.needs_the_record() {
            return Self::Record;
        }
        match &cell.field.target {
            FieldTarget::Computed(_)
            | FieldTarget::Country(_)
            | FieldTarget::OfAccount(..)
            | FieldTarget::OwnResource(_) => Self::Alias,
            FieldTarget::Derived(field) => Self::Derived(field),
            FieldTarget::Targets => Self::Record,
            FieldTarget::Path(path) => trie.field(path.iter().map(|key| &**key)).map_or(Self::Record, Self::Field),
        }
    }
}

/// A record of which only fields have been extracted: it answers as [`crate::cloudtrail::Record`] does, or says that it is
/// not sure.
pub(super) struct ExtractedRecord<'p> {
    trie: TrieView<'p>,
    extracted: &'p Extracted,
    text: &'p str,
    /// The account that the envelope named.
    account: Option<&'p str>,
    /// Whether a question since this was last cleared had no certain answer. ([`AliasSource`] has no way to say so.)
    unsure: Cell<bool>,
}

impl<'p> ExtractedRecord<'p> {
    /// The record that has been extracted from `text` by `trie`, and the account that its envelope named.
    pub(super) fn new(
        trie: TrieView<'p>,
        extracted: &'p Extracted,
        (text, account): (&'p str, Option<&'p str>),
    ) -> Self {
        Self { trie, extracted, text, account, unsure: Cell::new(false) }
    }

    /// Whether the cells of a row that are not about the call hold.
    pub(super) fn other_cells_hold(&self, row: &Row, plan: &RowPlan) -> Holds {
        let mut holds = Holds::Yes;
        for (place, source) in &plan.other_cells {
            let cell = &row.0[usize::from(*place)];
            let answer = match source {
                ValueSource::Field(field) => self
                    .extracted
                    .with_values(*field, self.text, |values| cell.condition.holds(values, Scope::ExtractedFields)),
                ValueSource::Alias => {
                    self.unsure.set(false);
                    let value = computed(self, &cell.field.target).map(FieldValue::Scalar);
                    (!self.unsure.get()).then(|| cell.condition.holds(value.as_slice(), Scope::ExtractedFields))
                }
                ValueSource::Derived(field) => {
                    self.unsure.set(false);
                    let is_understood = field.understands_call_of(self) || self.unsure.get();
                    (!is_understood).then(|| cell.condition.holds_of_nothing())
                }
                ValueSource::Record => None,
            };
            match answer {
                Some(true) => {}
                Some(false) => return Holds::No,
                None => holds = Holds::Unsure,
            }
        }
        holds
    }
}

impl AliasSource for ExtractedRecord<'_> {
    fn text(&self, path: &[&str]) -> Option<&str> {
        let Some(field) = self.trie.field(path.iter().copied()) else {
            self.unsure.set(true);
            return None;
        };
        // A text on the way may hold a document.
        if self.extracted.is_unsure(field) {
            self.unsure.set(true);
            return None;
        }
        let (text, escaped) = self.extracted.first_scalar(field, self.text)?;
        if escaped {
            self.unsure.set(true);
        }
        Some(text)
    }

    fn first_that(&self, path: &[&str], accepts: &dyn Fn(&str) -> bool) -> Option<Cow<'_, str>> {
        let found = self.trie.field(path.iter().copied()).and_then(|field| {
            self.extracted.with_values(field, self.text, |values| {
                values.iter().map(FieldValue::text).find(|text| accepts(text)).map(Cow::into_owned)
            })
        });
        if found.is_none() {
            self.unsure.set(true);
        }
        found.flatten().map(Cow::Owned)
    }

    fn envelope_account(&self) -> Option<&str> {
        self.account
    }

    fn answers_failure(&self) -> bool {
        for top in ["responseElements", "serviceEventDetails"] {
            let Some(field) = self.trie.field([top]) else {
                self.unsure.set(true);
                return false;
            };
            // A text may hold a document, and an answer that has no sign of it does not say it.
            let is_text = self.extracted.first_scalar(field, self.text).is_some();
            if is_text || self.extracted.objects(field, self.text).any(may_say_failure) {
                self.unsure.set(true);
            }
        }
        false
    }
}
