//! The calls that a row accepts, as far as its cells on service and event say.

use super::calls::{EVENT, SERVICE, of_leaf, row_accepts, services};
use super::catalogue::{Catalogue, CatalogueCall, Service};
use super::view::{LeafCondition, RowView};
use crate::cloudtrail::without_version;

/// The calls that a row accepts.
#[derive(Debug, Clone)]
pub(super) enum AcceptedCalls {
    /// The row says nothing of them.
    Every,
    /// Those that it says.
    Some(SomeCalls),
}

/// Calls of some services.
#[derive(Debug, Clone, Default)]
pub(super) struct SomeCalls {
    /// Each with its service, by the name without its version, in the order of the services.
    pub(super) known: Vec<(&'static Service, &'static str)>,
    /// Whether the row also accepts calls that the catalogue does not know.
    pub(super) has_unknown: bool,
    /// Whether the row names each of them.
    pub(super) are_named: bool,
}

impl AcceptedCalls {
    /// What the cells of a row accept.
    pub(super) fn of_row(row: &RowView<'_>) -> Self {
        match (row.cell(SERVICE), row.cell(EVENT)) {
            (None, None) => Self::Every,
            _ => Self::Some(SomeCalls::of_row(row)),
        }
    }

    /// What one of these rows accepts.
    pub(super) fn of_any<'v>(rows: impl IntoIterator<Item = &'v RowView<'v>>) -> Self {
        let mut all = SomeCalls { are_named: true, ..SomeCalls::default() };
        for row in rows {
            match Self::of_row(row) {
                Self::Every => return Self::Every,
                Self::Some(calls) => {
                    all.known.extend(calls.known);
                    all.has_unknown |= calls.has_unknown;
                    all.are_named &= calls.are_named;
                }
            }
        }
        all.sort();
        Self::Some(all)
    }

    /// What both accept.
    pub(super) fn and(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Every, calls) | (calls, Self::Every) => calls.clone(),
            (Self::Some(one), Self::Some(other)) => {
                let place = |call: &(&Service, &'static str)| (call.0.name, call.1);
                let is_in_other = |call: &&(&Service, &'static str)| {
                    other.known.binary_search_by(|other| place(other).cmp(&place(call))).is_ok()
                };
                Self::Some(SomeCalls {
                    known: one.known.iter().filter(is_in_other).copied().collect(),
                    has_unknown: one.has_unknown && other.has_unknown,
                    are_named: one.are_named || other.are_named,
                })
            }
        }
    }
}

impl SomeCalls {
    fn of_row(row: &RowView<'_>) -> Self {
        let accepted = services(row);
        // Where no known service is accepted, `services` answers with all.
        if row.cell(SERVICE).is_some() && !accepted.iter().any(|service| row_accepts(row, SERVICE, service.name)) {
            return Self { has_unknown: true, ..Self::default() };
        }
        let mut calls = Self { has_unknown: accepted.iter().any(|service| service.is_name_alone()), ..Self::default() };
        let Some(cell) = row.cell(EVENT) else {
            calls.add_each(accepted, |_| true);
            return calls;
        };
        let is_positive = cell.leaves.iter().all(|leaf| !leaf.negated && !leaf.condition.written().is_empty());
        let is_exact = |condition: &LeafCondition<'_>| matches!(condition, LeafCondition::Exactly(_));
        if is_positive && cell.leaves.iter().all(|leaf| is_exact(&leaf.condition)) {
            calls.are_named = true;
            for leaf in &cell.leaves {
                calls.add_named(row, accepted, leaf.condition.written());
            }
        } else if is_positive {
            for leaf in &cell.leaves {
                calls.add(of_leaf(accepted, leaf));
            }
        } else {
            calls.add_each(accepted, |name| row_accepts(row, EVENT, name));
        }
        calls.has_unknown |= calls.known.is_empty();
        calls.sort();
        calls
    }

    fn add_each(&mut self, services: &[&'static Service], accepts: impl Fn(&str) -> bool) {
        for service in services {
            self.add(service.calls.iter().filter(|call| accepts(&call.name)).map(|call| (*service, call)));
        }
    }

    fn add(&mut self, calls: impl Iterator<Item = (&'static Service, &'static CatalogueCall)>) {
        self.known.extend(calls.map(|(service, call)| (service, without_version(&call.name))));
    }

    /// Adds the calls of one name.
    fn add_named(&mut self, row: &RowView<'_>, services: &[&'static Service], name: &str) {
        let before = self.known.len();
        for name in [name, without_version(name)] {
            let with: Vec<&Service> = if row.cell(SERVICE).is_some() {
                services.to_vec()
            } else {
                Catalogue::get().services_of(name).collect()
            };
            self.add(with.into_iter().filter_map(|service| Some((service, service.call(name)?))));
        }
        self.has_unknown |= self.known.len() == before;
    }

    fn sort(&mut self) {
        self.known.sort_unstable_by_key(|(service, call)| (service.name, *call));
        self.known.dedup_by_key(|(service, call)| (service.name, *call));
    }
}
