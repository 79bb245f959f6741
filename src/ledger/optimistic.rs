//! How the ledger writes: optimistically. It reads, has the policy decide, and writes on the condition that nobody else has
//! written meanwhile; who loses such a race looks again. [`Ledger`] is declared here, and the files beside this one add the
//! methods that others call.

use std::time::Duration;

use super::item::attributes;
use super::pairs::Sightings;
use super::sessions::Sessions;
use super::silences::Silences;
use super::store::{Expect, ItemKey, Put, Store, StoreError, StoredItem};
use super::windows::OpenWindows;
use crate::ids::spread;
use crate::time::Timestamp;

/// What has been delivered and counted, over a store. Copies of the function share it by sharing the store.
#[derive(Debug, Default)]
pub struct Ledger<S> {
    pub(super) store: S,
    pub(super) sightings: Sightings,
    pub(super) sessions: Sessions,
    pub(super) silences: Silences,
    pub(super) windows: OpenWindows,
}

/// Writes that lose a race are tried again so many times, with a fresh look each.
pub(super) const TRIES: u32 = 8;

impl<S: Store> Ledger<S> {
    /// The ledger that is kept in `store`.
    pub const fn new(store: S) -> Self {
        Self {
            store,
            sightings: Sightings::new(),
            sessions: Sessions::new(),
            silences: Silences::new(),
            windows: OpenWindows::new(),
        }
    }

    /// Where it is kept.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// The item under a key, also one that has expired.
    pub(super) async fn get(&self, key: &ItemKey) -> Result<Option<StoredItem>, StoreError> {
        Ok(self.store.get(std::slice::from_ref(key)).await?.pop().flatten())
    }

    /// Writes one item if it is as expected, and returns whether it was.
    pub(super) async fn write(
        &self,
        key: ItemKey,
        expect: Expect,
        value: &impl serde::Serialize,
        expires: Timestamp,
    ) -> Result<bool, StoreError> {
        self.store.put(vec![Put { key, expect, attributes: attributes(value)?, expires }]).await
    }
}

/// The error of a write that has lost every one of its races.
pub(super) fn lost() -> StoreError {
    StoreError(format!("lost {TRIES} races for one item"))
}

/// Waits a moment before the next try: longer each time, and not equally long for two that race.
pub(super) async fn pause(attempt: u32, id: &str) {
    let bound = Duration::from_millis(10 << attempt.min(5));
    tokio::time::sleep(bound.mul_f64(0.5 + spread(id, attempt))).await;
}
