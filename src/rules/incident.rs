//! What a channel says about incidents: which findings belong to one, and for how long.

use super::field::Field;
use super::limits::group;
use crate::cloudtrail::Record;

/// The incidents of a channel: findings of whatever rule that are told of as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incidents {
    /// The fields whose values make two findings parts of one incident.
    pub by: Vec<Field>,
    /// Seconds for which an incident is open, from its first finding on.
    pub window: u64,
}

impl Incidents {
    /// The window, in seconds, of a channel that names none.
    pub const DEFAULT_WINDOW: u64 = 3600;
    /// The fields of a channel that names none: who called, without what the caller chooses, and in whose account.
    pub const DEFAULT_BY: [&'static str; 2] = ["account", "principal"];

    /// The fields that [`Incidents::DEFAULT_BY`] names.
    pub(super) fn default_by() -> Vec<Field> {
        Self::DEFAULT_BY.iter().filter_map(|alias| Field::parse(alias).ok()).collect()
    }

    /// The group of a record's findings, which is equal for those of one incident, whatever their rules: a hash of the values of `by`.
    pub fn group(&self, record: &Record) -> String {
        group("incident", "", &self.by, record)
    }
}
