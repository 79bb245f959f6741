//! The store in the memory of this process: the default, and what the tests run on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::store::{Attributes, COUNT, Expect, ItemKey, Put, Store, StoreError, StoredItem, Written};
use crate::time::Timestamp;

/// Items that are kept: about 30 MB of a function's 128.
const LIMIT: usize = 100_000;

/// Keeps items as long as the process lives, and forgets those that expire first when there are too many.
#[derive(Debug)]
pub struct MemoryStore {
    items: Mutex<BTreeMap<ItemKey, StoredItem>>,
    limit: usize,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::with_limit(LIMIT)
    }
}

impl MemoryStore {
    /// A store that keeps this many items.
    pub fn with_limit(limit: usize) -> Self {
        Self { items: Mutex::default(), limit }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ItemKey, StoredItem>> {
        // No code that holds the lock can panic.
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn make_room(&self, items: &mut BTreeMap<ItemKey, StoredItem>) {
        if items.len() <= self.limit {
            return;
        }
        // A tenth at once, so that this is rare.
        let mut expiries: Vec<Timestamp> = items.values().map(|item| item.expires).collect();
        let (_, bound, _) = expiries.select_nth_unstable(self.limit / 10);
        let bound = *bound;
        items.retain(|_, item| item.expires > bound);
    }
}

impl Store for MemoryStore {
    async fn get(&self, keys: &[ItemKey]) -> Result<Vec<Option<StoredItem>>, StoreError> {
        let items = self.lock();
        Ok(keys.iter().map(|key| items.get(key).cloned()).collect())
    }

    async fn write(&self, puts: Vec<Put>) -> Result<Written, StoreError> {
        let mut items = self.lock();
        let is_met = |put: &Put| match put.expect {
            Expect::Anything => true,
            Expect::Absent => !items.contains_key(&put.key),
            Expect::Version(version) => items.get(&put.key).is_some_and(|item| item.version == version),
        };
        if !puts.iter().all(is_met) {
            let found = |put: &Put| if is_met(put) { Some(None) } else { items.get(&put.key).cloned().map(Some) };
            return Ok(Written::Nothing { found: puts.iter().map(found).collect() });
        }
        for Put { key, expect, attributes, expires } in puts {
            let item = StoredItem { version: expect.next_version(), expires, attributes: Arc::new(attributes) };
            let _former = items.insert(key, item);
        }
        self.make_room(&mut items);
        Ok(Written::Whole)
    }

    async fn count(&self, key: ItemKey, expires: Timestamp) -> Result<u64, StoreError> {
        let mut items = self.lock();
        let item = items.entry(key).or_insert(StoredItem { version: 0, expires, attributes: Arc::default() });
        item.version += 1;
        item.attributes = Arc::new(Attributes::from_iter([(COUNT.to_owned(), item.version.into())]));
        Ok(item.version)
    }

    async fn keep_first(
        &self,
        key: ItemKey,
        attributes: Attributes,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<Option<Attributes>, StoreError> {
        let mut items = self.lock();
        let attributes = match items.get(&key).filter(|item| item.expires > now) {
            Some(item) => Arc::clone(&item.attributes),
            None => Arc::new(attributes),
        };
        let item = StoredItem { version: 0, expires, attributes: Arc::clone(&attributes) };
        let _former = items.insert(key, item);
        self.make_room(&mut items);
        Ok(Some((*attributes).clone()))
    }

    async fn query(
        &self,
        partition: &str,
        (from, to): (&str, &str),
        backwards: bool,
        limit: usize,
    ) -> Result<Vec<(String, StoredItem)>, StoreError> {
        if from > to {
            return Ok(Vec::new());
        }
        let items = self.lock();
        let between = items.range(ItemKey::new(partition, from)..=ItemKey::new(partition, to));
        let own = |(key, item): (&ItemKey, &StoredItem)| (key.sort.clone(), item.clone());
        Ok(if backwards {
            between.rev().take(limit).map(own).collect()
        } else {
            between.take(limit).map(own).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_expires_first_makes_room() {
        let store = MemoryStore::with_limit(100);
        for number in 0..=100_u64 {
            let key = ItemKey::new("p", format!("{number:03}"));
            let expires = Timestamp::from_millis(1000 - number);
            assert!(
                store
                    .put(vec![Put { key, expect: Expect::Absent, attributes: Attributes::new(), expires }])
                    .await
                    .unwrap()
            );
        }
        let left = store.query("p", ("", "999"), false, 1000).await.unwrap();
        assert_eq!((left.len(), left.last().unwrap().0.as_str()), (90, "089"));
    }
}
