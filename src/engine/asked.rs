//! What the rows of one rule ask of a record, and where the values for it come from.

use super::extract::{Paths, SlotId};
use super::memo::Call;
use crate::cloudtrail::FieldValue;
use crate::rules::Scope;
use crate::rules::field::Target;
use crate::rules::{Cell, Row, Rule};

/// The fields by which the memo remembers, in the order of its key: a call.
pub(super) const CALL: [&[&str]; 3] = [&["userIdentity", "type"], &["eventSource"], &["eventName"]];
pub(super) const IDENTITY: usize = 0;
pub(super) const SERVICE: usize = 1;
pub(super) const EVENT: usize = 2;

/// What a rule asks.
#[derive(Debug)]
pub(super) struct Asked {
    /// The rows of `when`.
    pub(super) rows: Box<[Parted]>,
    /// The rows of each exception.
    pub(super) exceptions: Box<[Box<[Parted]>]>,
}

/// A row, its cells parted.
#[derive(Debug)]
pub(super) struct Parted {
    /// The cells that ask for a part of the call: their place in the row, and the part.
    pub(super) of_call: Box<[(u16, u8)]>,
    /// The other cells.
    pub(super) others: Box<[(u16, Source)]>,
}

/// Where a cell's values come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// A field that is picked.
    Slot(SlotId),
    /// An alias, worked out from picked fields.
    Alias,
    /// The whole record alone.
    Record,
}

/// Where the parts of a call are picked.
pub(super) fn call(paths: &Paths) -> [SlotId; 3] {
    CALL.map(|path| paths.slot(path.iter().copied()).unwrap_or_default())
}

impl Asked {
    /// Of a rule, where these paths are picked.
    pub(super) fn of(rule: &Rule, paths: &Paths, call: [SlotId; 3]) -> Self {
        let rows = rule.when.0.iter().map(|row| Parted::of(row, paths, &call)).collect();
        let rows_of = |rows: &[Row]| rows.iter().map(|row| Parted::of(row, paths, &[])).collect();
        let exceptions = rule.unless.iter().map(|exception| rows_of(&exception.when.0)).collect();
        Self { rows, exceptions }
    }
}

impl Parted {
    fn of(row: &Row, paths: &Paths, call: &[SlotId]) -> Self {
        let (mut of_call, mut others) = (Vec::new(), Vec::new());
        for (place, cell) in (0_u16..).zip(&row.0) {
            let source = Source::of(cell, paths);
            let part =
                if let Source::Slot(slot) = source { (0_u8..).zip(call).find(|(_, of)| **of == slot) } else { None };
            match part {
                Some((part, _)) => of_call.push((place, part)),
                None => others.push((place, source)),
            }
        }
        Self { of_call: of_call.into(), others: others.into() }
    }

    /// Whether what the row asks of the call is true of this one.
    pub(super) fn asks_for(&self, row: &Row, call: &Call<'_>) -> bool {
        self.of_call.iter().all(|(cell, part)| {
            let condition = &row.0[usize::from(*cell)].condition;
            let value = call.part(usize::from(*part)).map(|text| FieldValue::Scalar(text.into()));
            condition.holds(value.as_slice(), Scope::ExtractedFields)
        })
    }
}

impl Source {
    fn of(cell: &Cell, paths: &Paths) -> Self {
        if cell.condition.needs_the_record() {
            return Self::Record;
        }
        match &cell.field.target {
            Target::Computed(_) | Target::Country(_) => Self::Alias,
            Target::Path(path) => paths.slot(path.iter().map(|key| &**key)).map_or(Self::Record, Self::Slot),
        }
    }
}
