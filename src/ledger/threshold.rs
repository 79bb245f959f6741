//! Thresholds: a rule that fires from the n-th occurrence within a sliding window on.

use std::time::Duration;

use super::item::{WINDOW_GRACE, threshold};
use super::store::{ALL, Attributes, Expect, ItemKey, Put, Store, StoreError};
use super::{Ledger, TRIES, lost, pause};
use crate::ids::FindingId;
use crate::ids::StableId;
use crate::time::Timestamp;

/// A finding of a rule that has a threshold.
#[derive(Debug, Clone, Copy)]
pub struct Occurrence<'a> {
    /// What is counted together, as a hash: the rule, and the values of its threshold's `by`.
    pub id: &'a str,
    /// The finding.
    pub finding: &'a FindingId,
    /// When it happened: `eventTime`.
    pub at: Timestamp,
    /// How many there must be.
    pub count: u64,
    /// Within which time.
    pub window: Duration,
    /// The values that are counted, each once, instead of findings.
    pub distinct: Option<&'a [String]>,
}

/// Distinct values that are looked at.
const MOST: usize = 10_000;

impl<S: Store> Ledger<S> {
    /// Counts a occurrence, and says whether there are enough in some window that holds it. Events come out of order, so that
    /// later ones count too. A occurrence that is counted again changes nothing.
    ///
    /// # Errors
    /// That the store does not answer.
    pub async fn record_occurrence(&self, occurrence: &Occurrence<'_>, now: Timestamp) -> Result<bool, StoreError> {
        let times = match occurrence.distinct {
            None => self.record_finding(occurrence, now).await?,
            Some(values) => self.record_values(occurrence, values, now).await?,
        };
        Ok(is_reached(times, occurrence))
    }

    /// One item a finding, sorted by time. Only the nearest can decide, so that no more are read.
    async fn record_finding(&self, occurrence: &Occurrence<'_>, now: Timestamp) -> Result<Vec<u64>, StoreError> {
        let (partition, sort) = (threshold(occurrence.id), sort_key(occurrence.at, occurrence.finding.as_str()));
        self.note(ItemKey::new(&partition, &sort), Expect::Anything, Attributes::new(), occurrence, now).await?;
        let nearest = usize::try_from(occurrence.count).unwrap_or(usize::MAX);
        let first = sort_key(occurrence.at.minus(occurrence.window), "");
        let last = sort_key(occurrence.at.plus(occurrence.window), "~");
        let before = self.store.query(&partition, (&first, &sort), true, nearest).await?;
        let after = self.store.query(&partition, (&format!("{sort}~"), &last), false, nearest).await?;
        Ok(before.iter().chain(&after).filter_map(|(sort, _)| sort.get(..15)?.parse().ok()).collect())
    }

    /// One item a value, with the latest time at which it was seen: however often one value comes, it hides no other.
    async fn record_values(
        &self,
        occurrence: &Occurrence<'_>,
        values: &[String],
        now: Timestamp,
    ) -> Result<Vec<u64>, StoreError> {
        let partition = threshold(occurrence.id);
        for value in values {
            self.record_value(ItemKey::new(&partition, StableId::hash(&[value]).as_str()), occurrence, now).await?;
        }
        let known = self.store.query(&partition, ALL, false, MOST).await?;
        Ok(known
            .iter()
            .filter(|(_, item)| item.expires > now)
            .filter_map(|(_, item)| item.attributes.get("at")?.as_u64())
            .collect())
    }

    async fn record_value(&self, key: ItemKey, occurrence: &Occurrence<'_>, now: Timestamp) -> Result<(), StoreError> {
        for attempt in 0..TRIES {
            let item = self.get(&key).await?;
            let known =
                item.as_ref().filter(|item| item.expires > now).and_then(|item| item.attributes.get("at")?.as_u64());
            if known.is_some_and(|known| known >= occurrence.at.millis()) {
                return Ok(());
            }
            let attributes = Attributes::from_iter([("at".to_owned(), occurrence.at.millis().into())]);
            if self.note(key.clone(), Expect::same(item.as_ref()), attributes, occurrence, now).await? {
                return Ok(());
            }
            pause(attempt, occurrence.finding).await;
        }
        Err(lost())
    }

    async fn note(
        &self,
        key: ItemKey,
        expect: Expect,
        attributes: Attributes,
        occurrence: &Occurrence<'_>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        // By our clock, not by the event's: one that comes late counts as long as any other.
        let expires = now.plus(occurrence.window).plus(WINDOW_GRACE);
        self.store.put(vec![Put { key, expect, attributes, expires }]).await
    }
}

/// Sorts by time, then by finding.
fn sort_key(at: Timestamp, finding: &str) -> String {
    format!("{:015}#{finding}", at.millis())
}

/// Whether `count` of the times, in milliseconds, lie in one window that holds the occurrence's own.
fn is_reached(mut times: Vec<u64>, occurrence: &Occurrence<'_>) -> bool {
    let at = occurrence.at.millis();
    let (Ok(count), Ok(window)) = (usize::try_from(occurrence.count), u64::try_from(occurrence.window.as_millis()))
    else {
        return false;
    };
    times.sort_unstable();
    times.windows(count).any(|run| {
        let (first, last) = (run[0], run[count - 1]);
        last - first <= window && last.max(at) - first.min(at) <= window
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn occurrence(at: u64, count: u64, window: u64, finding: &FindingId) -> Occurrence<'_> {
        let (at, window) = (Timestamp::from_millis(at), Duration::from_millis(window));
        Occurrence { id: "t", finding, at, count, window, distinct: None }
    }

    proptest! {
        /// Against the definition: some window [start, start + w] that holds `at` holds `count` times.
        #[test]
        fn a_window_is_found_exactly_if_there_is_one(
            mut times in prop::collection::vec(0..60_u64, 1..20), which in any::<prop::sample::Index>(),
            count in 2..6_u64, window in 1..30_u64,
        ) {
            let at = times[which.index(times.len())];
            let holds = (0..=at).any(|start| start + window >= at && {
                let inside = times.iter().filter(|time| (start..=start + window).contains(time)).count();
                inside as u64 >= count
            });
            let finding = FindingId::from(StableId::hash(&["x"]));
            prop_assert_eq!(is_reached(times.clone(), &occurrence(at, count, window, &finding)), holds);
            times.reverse();
            prop_assert_eq!(is_reached(times, &occurrence(at, count, window, &finding)), holds);
        }
    }
}
