//! Where the ledger's items are kept. A store knows nothing of alerts: it keeps items under keys, and writes several of them
//! together or none, if each is still as it was read. All that is decided is decided above it, in one place for every store.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::time::Timestamp;

/// The place of an item: DynamoDB's partition and sort keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemKey {
    /// Items that are read together share it.
    pub partition: String,
    /// Their order within it, as text.
    pub sort: String,
}

impl ItemKey {
    /// A key of these two parts.
    pub fn new(partition: impl Into<String>, sort: impl Into<String>) -> Self {
        Self { partition: partition.into(), sort: sort.into() }
    }
}

/// The bounds of a query for a whole partition: every sort key begins with a letter, a digit or `#`, and none is empty.
pub const ALL: (&str, &str) = ("!", "~");

/// What an item holds: flat JSON, whose members are the attributes in DynamoDB.
pub type Attributes = Map<String, Value>;

/// An item as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredItem {
    /// Changes with every write.
    pub version: u64,
    /// From then on it counts for nothing, whether or not it has been deleted.
    pub expires: Timestamp,
    /// What it holds.
    pub attributes: Arc<Attributes>,
}

/// What must be true for a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Nothing.
    Anything,
    /// There is no item under the key.
    Absent,
    /// The item has this version.
    Version(u64),
}

impl Expect {
    /// That the item is as it was read.
    pub fn same(read: Option<&StoredItem>) -> Self {
        read.map_or(Self::Absent, |item| Self::Version(item.version))
    }

    /// The version of what is written.
    pub(crate) const fn next_version(self) -> u64 {
        match self {
            // Nobody expects this version: what is written unconditionally is final.
            Self::Anything => 0,
            Self::Absent => 1,
            Self::Version(version) => version + 1,
        }
    }
}

/// One write.
#[derive(Debug, Clone, PartialEq)]
pub struct Put {
    /// Where.
    pub key: ItemKey,
    /// On which condition.
    pub expect: Expect,
    /// What.
    pub attributes: Attributes,
    /// Until when.
    pub expires: Timestamp,
}

/// Why the store did not answer, safe to log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError(pub String);

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for StoreError {}

/// The attribute of an item that is a counter.
pub const COUNT: &str = "count";

/// A place to keep items. Reads see every write that was answered before.
pub trait Store: Send + Sync {
    /// The items under these keys, in their order.
    fn get(&self, keys: &[ItemKey]) -> impl Future<Output = Result<Vec<Option<StoredItem>>, StoreError>> + Send;

    /// Writes all of these, or none: `false` if an expectation was not met, or another write of the same items was under way.
    fn put(&self, puts: Vec<Put>) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Adds one to the counter under a key, the item's attribute [`COUNT`], and returns the sum.
    fn count(&self, key: ItemKey, expires: Timestamp) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Up to `limit` items of a partition whose sort key is between the two, both included: the first of them, or the last
    /// of them if `backwards`, in that order.
    fn query(
        &self,
        partition: &str,
        between: (&str, &str),
        backwards: bool,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<(String, StoredItem)>, StoreError>> + Send;
}
