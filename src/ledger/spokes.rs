//! Which queues a hub's spokes have, as their events have told, and how far the mover has come among them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::item::{read, readable};
use super::optimistic::Ledger;
use super::store::{ALL, Expect, ItemKey, Store, StoreError};
use crate::cloudtrail::spokes::SpokeQueue;
use crate::time::Timestamp;

/// How long a queue is known that no event has told of again. A spoke tells of its own every hour; one that cannot reach the hub
/// keeps each letter for 14 days, and somebody should have looked by then.
const SPOKE_TTL: Duration = Duration::from_hours(90 * 24);
/// A queue that was told of so lately is not written again.
const FRESH: Duration = Duration::from_hours(12);
/// The queues of one account and region that are known: a stack that is made anew has a queue of its own, and in the older one
/// something may still lie. No more, since whoever governs the account could name any number.
const MOST_QUEUES: usize = 4;
/// Accounts × regions that are read at once.
const MOST_SPOKES: usize = 50_000;

/// The partition of the spokes.
const SPOKES: &str = "spokes";

/// What is known of the spokes of one account and region.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Spoke {
    /// The URLs of its queues, the one that was told of last before the others.
    queues: Vec<String>,
    /// When that one was last written down.
    heard: Timestamp,
}

/// How far the mover has come.
#[derive(Debug, Serialize, Deserialize)]
struct Cursor {
    /// The account and region of the last queue that it looked into.
    after: String,
}

fn spoke_key(queue: &SpokeQueue) -> ItemKey {
    ItemKey::new(SPOKES, format!("{}#{}", queue.account, queue.region))
}

fn cursor_key() -> ItemKey {
    ItemKey::new("mover", "cursor")
}

impl<S: Store> Ledger<S> {
    /// Writes down the queue of a spoke. Where another does so at the same moment, that is enough: the spoke tells of it again.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn hear_of_spoke(&self, queue: &SpokeQueue, now: Timestamp) -> Result<(), StoreError> {
        let key = spoke_key(queue);
        let item = self.get(&key).await?;
        let known: Spoke = readable(item.as_ref(), now).unwrap_or_default();
        let is_first = known.queues.first() == Some(&queue.url);
        if is_first && known.heard.plus(FRESH) > now {
            return Ok(());
        }
        let others = known.queues.into_iter().filter(|url| *url != queue.url);
        let queues = std::iter::once(queue.url.clone()).chain(others).take(MOST_QUEUES).collect();
        let spoke = Spoke { queues, heard: now };
        let _ = self.write(key, Expect::same(item.as_ref()), &spoke, now.plus(SPOKE_TTL)).await?;
        Ok(())
    }

    /// Forgets a queue that is gone.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn forget_spoke(&self, queue: &SpokeQueue, now: Timestamp) -> Result<(), StoreError> {
        let key = spoke_key(queue);
        let item = self.get(&key).await?;
        let Some(mut spoke) = readable::<Spoke>(item.as_ref(), now) else { return Ok(()) };
        spoke.queues.retain(|url| *url != queue.url);
        // Without a queue the item counts for nothing from now on.
        let expires = if spoke.queues.is_empty() { now } else { now.plus(SPOKE_TTL) };
        let _ = self.write(key, Expect::same(item.as_ref()), &spoke, expires).await?;
        Ok(())
    }

    /// The queues of all spokes, in the order in which the mover is to look into them: those first that it did not come to the last
    /// time.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn spoke_queues(&self, now: Timestamp) -> Result<Vec<SpokeQueue>, StoreError> {
        let found = self.store.query(SPOKES, ALL, false, MOST_SPOKES).await?;
        let cursor: Option<Cursor> = read(self.get(&cursor_key()).await?.as_ref(), now)?;
        let mut queues: Vec<SpokeQueue> = Vec::with_capacity(found.len());
        let mut before = 0;
        for (place, item) in &found {
            let (Some((account, region)), Some(spoke)) = (place.split_once('#'), readable::<Spoke>(Some(item), now))
            else {
                continue;
            };
            let (account, region) = (account.to_owned(), region.to_owned());
            queues.extend(spoke.queues.into_iter().map(|url| SpokeQueue {
                url,
                account: account.clone(),
                region: region.clone(),
            }));
            if cursor.as_ref().is_some_and(|cursor| *place <= cursor.after) {
                before = queues.len();
            }
        }
        queues.rotate_left(before);
        Ok(queues)
    }

    /// When each account and region was last heard to have a spoke, to [twelve hours](FRESH): its account, its region, the time.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn spokes_heard(&self, now: Timestamp) -> Result<Vec<(String, String, Timestamp)>, StoreError> {
        let found = self.store.query(SPOKES, ALL, false, MOST_SPOKES).await?;
        let heard = found.iter().filter_map(|(place, item)| {
            let (account, region) = place.split_once('#')?;
            let spoke: Spoke = readable(Some(item), now)?;
            Some((account.to_owned(), region.to_owned(), spoke.heard))
        });
        Ok(heard.collect())
    }

    /// Writes down that the mover had time for the queues up to this one, and not for those after it.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn stop_after_spoke(&self, last: &SpokeQueue, now: Timestamp) -> Result<(), StoreError> {
        let cursor = Cursor { after: spoke_key(last).sort };
        let _ = self.write(cursor_key(), Expect::Anything, &cursor, now.plus(SPOKE_TTL)).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::MemoryStore;

    fn queue(account: u64, name: &str) -> SpokeQueue {
        let account = format!("{account:012}");
        let url = format!("https://sqs.eu-west-1.amazonaws.com/{account}/{name}");
        SpokeQueue { url, account, region: "eu-west-1".to_owned() }
    }

    #[tokio::test]
    async fn queues_are_known_by_what_was_told_of_them_and_for_a_time() {
        let ledger = Ledger::new(MemoryStore::default());
        let now = Timestamp::from_millis(1_000_000);
        let later = |hours| now.plus(Duration::from_hours(hours));
        ledger.hear_of_spoke(&queue(1, "a"), now).await.unwrap();
        ledger.hear_of_spoke(&queue(2, "b"), now).await.unwrap();
        ledger.hear_of_spoke(&queue(2, "b"), later(1)).await.unwrap();
        assert_eq!(ledger.spoke_queues(later(2)).await.unwrap(), [queue(1, "a"), queue(2, "b")]);
        // A stack that was made anew: both its queues are looked into, and of a flood of names only the last few are.
        for name in ["c", "d", "e", "f", "g"] {
            ledger.hear_of_spoke(&queue(1, name), later(2)).await.unwrap();
        }
        let all = ledger.spoke_queues(later(2)).await.unwrap();
        let of_first = ["g", "f", "e", "d"].map(|name| queue(1, name));
        assert_eq!(all, of_first.into_iter().chain([queue(2, "b")]).collect::<Vec<_>>());
        // Told of again after half a day, it is known for longer than the other.
        ledger.hear_of_spoke(&queue(2, "b"), later(13)).await.unwrap();
        assert_eq!(ledger.spoke_queues(later(90 * 24 + 3)).await.unwrap(), [queue(2, "b")]);
        assert_eq!(ledger.spoke_queues(later(91 * 24)).await.unwrap(), []);
        // What is gone is forgotten, and may be told of again.
        for name in ["g", "f", "e", "d", "b"] {
            ledger.forget_spoke(&queue(1, name), later(3)).await.unwrap();
        }
        assert_eq!(ledger.spoke_queues(later(3)).await.unwrap(), [queue(2, "b")]);
        ledger.hear_of_spoke(&queue(1, "g"), later(4)).await.unwrap();
        assert_eq!(ledger.spoke_queues(later(4)).await.unwrap(), [queue(1, "g"), queue(2, "b")]);
    }

    #[tokio::test]
    async fn the_mover_begins_where_it_had_no_more_time() {
        let ledger = Ledger::new(MemoryStore::default());
        let now = Timestamp::from_millis(1_000_000);
        for account in 1..=4 {
            ledger.hear_of_spoke(&queue(account, "a"), now).await.unwrap();
        }
        ledger.stop_after_spoke(&queue(2, "a"), now).await.unwrap();
        let order = [3, 4, 1, 2].map(|account| queue(account, "a"));
        assert_eq!(ledger.spoke_queues(now).await.unwrap(), order);
        ledger.stop_after_spoke(&queue(4, "a"), now).await.unwrap();
        assert_eq!(ledger.spoke_queues(now).await.unwrap(), [1, 2, 3, 4].map(|account| queue(account, "a")));
    }
}
