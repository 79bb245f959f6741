//! The ledger's store as one invocation asks it: with little patience, and none at all once it has not answered.
//!
//! A store that does not answer costs time that the alerts need. It is therefore asked no more in the same invocation: everything
//! that is left goes out as where it answers with an error (`NothingHeldBackBlindly`), and each question counts as a fault.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::ledger::{Attributes, ItemKey, Ledger, Put, Store, StoreError, StoredItem, Written};
use crate::time::Timestamp;

/// The longest that one question may take: two attempts of the SDK's.
const PATIENCE: Duration = Duration::from_secs(3);
/// The longest that a question may take whose answer is left out if it does not come.
const PATIENCE_BESIDE: Duration = Duration::from_secs(1);
/// How long after the deadline for attempts the last question may end. It is less than what is left until Lambda's own.
const AFTERTIME: Duration = Duration::from_millis(2500);

/// The ledger, as one invocation asks it.
pub(super) type InvocationLedger<'a, S> = Ledger<InvocationStore<'a, S>>;

/// A store that is asked by one invocation.
pub(super) struct InvocationStore<'a, S> {
    store: &'a S,
    /// When the last question must have ended.
    end: Instant,
    is_silent: AtomicBool,
}

impl<'a, S: Store> InvocationStore<'a, S> {
    /// The store, for an invocation whose attempts to deliver end at `deadline`.
    pub(super) fn new(store: &'a S, deadline: Instant) -> Self {
        Self { store, end: deadline + AFTERTIME, is_silent: AtomicBool::new(false) }
    }

    async fn ask<T>(&self, question: impl Future<Output = Result<T, StoreError>> + Send) -> Result<T, StoreError> {
        if self.is_silent.load(Ordering::Relaxed) {
            return Err(StoreError("it has not answered before in this invocation".to_owned()));
        }
        let end = (Instant::now() + PATIENCE).min(self.end);
        timeout_at(end, question).await.unwrap_or_else(|_| {
            self.is_silent.store(true, Ordering::Relaxed);
            Err(StoreError("no answer in time".to_owned()))
        })
    }
}

impl<S: Store> Store for InvocationStore<'_, S> {
    async fn get(&self, keys: &[ItemKey]) -> Result<Vec<Option<StoredItem>>, StoreError> {
        self.ask(self.store.get(keys)).await
    }

    async fn write(&self, puts: Vec<Put>) -> Result<Written, StoreError> {
        self.ask(self.store.write(puts)).await
    }

    async fn count(&self, key: ItemKey, expires: Timestamp) -> Result<u64, StoreError> {
        self.ask(self.store.count(key, expires)).await
    }

    async fn keep_first(
        &self,
        key: ItemKey,
        attributes: Attributes,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<Option<Attributes>, StoreError> {
        // It is asked for beside what the alert needs: it may neither wait long, nor make the store one that is asked no more.
        if self.is_silent.load(Ordering::Relaxed) {
            return Err(StoreError("it has not answered before in this invocation".to_owned()));
        }
        let end = (Instant::now() + PATIENCE_BESIDE).min(self.end);
        let asked = timeout_at(end, self.store.keep_first(key, attributes, now, expires)).await;
        asked.unwrap_or_else(|_| Err(StoreError("no answer in time".to_owned())))
    }

    async fn query(
        &self,
        partition: &str,
        between: (&str, &str),
        backwards: bool,
        limit: usize,
    ) -> Result<Vec<(String, StoredItem)>, StoreError> {
        self.ask(self.store.query(partition, between, backwards, limit)).await
    }
}
