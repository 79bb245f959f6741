//! Where the ledger's items are kept. A store knows nothing of alerts: it keeps items under keys, and writes several of them
//! together or none, if each is still as it was read. All that is decided is decided above it, in one place for every store.

use std::future::Future;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::time::Timestamp;

/// The place of an item: DynamoDB's partition and sort keys. docs/design/ledger.md has those that the ledger uses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemKey {
    /// Items that are read together share it: `alert#<AlertId>` has all the repeats of an alert. Up to 2,048 bytes.
    pub partition: String,
    /// The item's place in its partition, in which items are sorted by the bytes of this text. Up to 1,024 bytes, and never
    /// empty. Source of both bounds: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
    pub sort: String,
}

impl ItemKey {
    /// Makes a key of its two parts.
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
    /// Another after every write: who writes on the condition that it is still this one has missed nothing.
    pub version: u64,
    /// From then on it counts for nothing, whether or not the store has deleted it: DynamoDB takes up to a few days.
    /// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html>
    pub expires: Timestamp,
    /// What it holds. Shared, since the store in memory hands out what it keeps.
    pub attributes: Arc<Attributes>,
}

/// What must be true of an item at the moment at which it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Nothing is expected: whatever is there is replaced. This is for items that are the same whoever writes them, and for what
    /// is final.
    Anything,
    /// There is no item under the key, not even one that has expired.
    Absent,
    /// The item has this version: nobody has written it since it was read.
    Version(u64),
}

impl Expect {
    /// Expects the item to be as it was read: of the same version, or still absent.
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

/// One item to be written, whole: what was there before is gone.
#[derive(Debug, Clone, PartialEq)]
pub struct Put {
    /// The item's place.
    pub key: ItemKey,
    /// What must be true of what is there now. If it is not, nothing is written, nor what was to be written together with it.
    pub expect: Expect,
    /// What it is to hold, without its version and the end of its life, which the store adds.
    pub attributes: Attributes,
    /// The end of its life. DynamoDB keeps it in whole seconds, rounded up.
    pub expires: Timestamp,
}

/// What became of items that were to be written together.
#[derive(Debug, Clone, PartialEq)]
pub enum Written {
    /// All of them are.
    Whole,
    /// None of them is: an expectation was not met, or another write of the same items was under way.
    Nothing {
        /// What stands where something else was expected, for each of the items in their order, and `None` for what was as expected.
        /// Without the whole list, the store has not told.
        found: Option<Vec<Option<StoredItem>>>,
    },
}

impl Written {
    /// Nothing is written, and nobody says what stands there.
    pub const LOST: Self = Self::Nothing { found: None };
}

/// Why the ledger does not know: the store gave no answer, or an item does not hold what the ledger writes. The text is safe to
/// log, and nobody acts upon it: whatever the reason, the alert goes out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(pub String);

/// The attribute of an item that is a counter.
pub const COUNT: &str = "count";

/// A place to keep items. Reads see every write that was answered before.
///
/// # Errors
/// Every method fails where the store cannot be asked. A write that failed may have happened all the same.
pub trait Store: Send + Sync {
    /// The items under these keys, in the order of the keys.
    fn get(&self, keys: &[ItemKey]) -> impl Future<Output = Result<Vec<Option<StoredItem>>, StoreError>> + Send;

    /// Writes all of these, or none.
    fn write(&self, puts: Vec<Put>) -> impl Future<Output = Result<Written, StoreError>> + Send;

    /// As [`Store::write`], for who looks again in any case: whether they are written.
    fn put(&self, puts: Vec<Put>) -> impl Future<Output = Result<bool, StoreError>> + Send {
        async move { Ok(self.write(puts).await? == Written::Whole) }
    }

    /// Adds one to the counter under a key, the item's attribute [`COUNT`], and returns the sum.
    fn count(&self, key: ItemKey, expires: Timestamp) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// What stands under a key, or else these attributes, which are kept there from now on; either way until `expires`. What has
    /// expired `now` is as good as absent. Who is the first of several that ask together is decided once.
    ///
    /// `None` where what is kept ends with the process, so that nobody can say who came first.
    fn keep_first(
        &self,
        _key: ItemKey,
        _attributes: Attributes,
        _now: Timestamp,
        _expires: Timestamp,
    ) -> impl Future<Output = Result<Option<Attributes>, StoreError>> + Send {
        std::future::ready(Ok(None))
    }

    /// Up to `limit` items of a partition whose sort key is between the two, both included: the first of them, or the last
    /// of them if `backwards`, in that order; each with its sort key.
    fn query(
        &self,
        partition: &str,
        between: (&str, &str),
        backwards: bool,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<(String, StoredItem)>, StoreError>> + Send;
}
