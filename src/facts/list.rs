//! The list of all derived fields.

use super::opened::{OPENED, OPENED_NETWORKS, OPENED_TO_WORLD, SENSITIVE_PORTS_TO_WORLD};
use super::value::DerivedField;

/// Every derived field.
pub static DERIVED: &[&DerivedField] = &[&OPENED, &OPENED_NETWORKS, &OPENED_TO_WORLD, &SENSITIVE_PORTS_TO_WORLD];

/// The derived field of this name.
pub fn derived(name: &str) -> Option<&'static DerivedField> {
    DERIVED.iter().copied().find(|field| field.name == name)
}
