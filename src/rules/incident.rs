//! What a channel says about incidents: which findings belong to one, and for how long.

use super::field::Field;
use super::limits::group;
use crate::cloudtrail::Record;
use crate::cloudtrail::credentials::Ancestor;
use crate::ids::StableId;

/// The fields that are those of an origin where incidents follow credentials.
const OF_ORIGIN: [&str; 2] = ["account", "principal"];

/// The incidents of a channel: findings of whatever rule that are told of as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incidents {
    /// The fields whose values make two findings parts of one incident.
    pub by: Vec<Field>,
    /// Seconds for which an incident is open, from its first finding on.
    pub window: u64,
    /// Whether an incident follows credentials from session to session, and whom it does not follow.
    pub lineage: Option<SharedNames>,
}

/// The principals that several people or programs share, whom nothing is taken to begin with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SharedNames(pub Vec<String>);

impl SharedNames {
    /// Whether somebody is among them, by their name, or by account and name: `123456789012/deploy`. A `*` at the end of a name stands
    /// for whatever follows.
    pub fn contains(&self, Ancestor { account, name }: &Ancestor) -> bool {
        let is = |shared: &str, name: &str| match shared.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == shared,
        };
        let with_account = account.as_ref().map(|account| format!("{account}/{name}"));
        self.0.iter().any(|shared| is(shared, name) || with_account.as_ref().is_some_and(|name| is(shared, name)))
    }
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

    /// Where incidents follow credentials: what of [`Incidents::group_of`] the record alone decides, which is all of `by` but `account` and
    /// `principal`.
    pub fn rest_of_group(&self, record: &Record) -> String {
        let others: Vec<Field> =
            self.by.iter().filter(|field| !OF_ORIGIN.contains(&&*field.written)).cloned().collect();
        group("lineage", "", &others, record)
    }

    /// The group of findings of somebody to whom the credentials belonged first: `account` and `principal` in `by` are theirs, and of the
    /// rest this was made.
    pub fn group_of(&self, origin: &Ancestor, rest: &str) -> String {
        let goes_by = |name: &str| self.by.iter().any(|field| field.written == name);
        let account = origin.account.as_deref().filter(|_| goes_by(OF_ORIGIN[0])).unwrap_or_default();
        let name = Some(origin.name.as_str()).filter(|_| goes_by(OF_ORIGIN[1])).unwrap_or_default();
        StableId::hash(&["origin", rest, account, name]).as_str().to_owned()
    }
}
