//! Thresholds: a rule that alerts from the n-th occurrence within a sliding window on. What has occurred is written down here;
//! [`policy::reaches_threshold`] decides.

use std::time::Duration;

use super::item::{WINDOW_GRACE, threshold};
use super::optimistic::{Ledger, TRIES, lost, pause};
use super::policy;
use super::store::{ALL, Attributes, Expect, ItemKey, Put, Store, StoreError};
use crate::ids::FindingId;
use crate::ids::StableId;
use crate::time::Timestamp;

/// A finding of a rule that has a threshold.
#[derive(Debug, Clone, Copy)]
pub struct Occurrence<'a> {
    /// What is counted together: the hash of the rule and of the values of its threshold's `by`.
    pub id: &'a str,
    /// The finding.
    pub finding: &'a FindingId,
    /// When it happened: its `eventTime`, or now where it has none.
    pub at: Timestamp,
    /// How many there must be: 2 to 1,000.
    pub count: u64,
    /// The length of the window in which there must be so many: 1 s to 24 h.
    pub window: Duration,
    /// The values of the threshold's `distinct`, if it has one: they are counted, each once, instead of findings.
    pub distinct: Option<&'a [String]>,
}

/// Distinct values that are looked at, of all that are kept under one id. Of more, some are overlooked, and a threshold may be
/// reached late.
const MAX_VALUES: usize = 10_000;

impl<S: Store> Ledger<S> {
    /// Writes an occurrence down, and says whether there are enough in some window that holds it. Events come out of order, so
    /// that later ones count too. An occurrence that is recorded again changes nothing.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn record_occurrence(&self, occurrence: &Occurrence<'_>, now: Timestamp) -> Result<bool, StoreError> {
        let mut times = match occurrence.distinct {
            None => self.record_finding(occurrence, now).await?,
            Some(values) => self.record_values(occurrence, values, now).await?,
        };
        times.sort_unstable();
        Ok(policy::reaches_threshold(&times, occurrence.at, occurrence.count, occurrence.window))
    }

    /// One item a finding, sorted by time. Only the nearest can decide, so that no more are read.
    async fn record_finding(&self, occurrence: &Occurrence<'_>, now: Timestamp) -> Result<Vec<Timestamp>, StoreError> {
        let (partition, sort) = (threshold(occurrence.id), sort_key(occurrence.at, occurrence.finding.as_str()));
        self.note_finding(ItemKey::new(&partition, &sort), occurrence, now).await?;
        let nearest = usize::try_from(occurrence.count).unwrap_or(usize::MAX);
        let first = sort_key(occurrence.at.minus(occurrence.window), "");
        let last = sort_key(occurrence.at.plus(occurrence.window), "~");
        let before = self.store.query(&partition, (&first, &sort), true, nearest).await?;
        let after = self.store.query(&partition, (&format!("{sort}~"), &last), false, nearest).await?;
        Ok(before.iter().chain(&after).filter_map(|(sort, _)| time_of(sort)).collect())
    }

    async fn note_finding(&self, key: ItemKey, occurrence: &Occurrence<'_>, now: Timestamp) -> Result<(), StoreError> {
        for attempt in 0..TRIES {
            if self.note(key.clone(), Expect::Anything, Attributes::new(), occurrence, now).await? {
                return Ok(());
            }
            pause(attempt, occurrence.finding.as_str()).await;
        }
        Err(lost())
    }

    /// One item a value, with the latest time at which it occurred: however often one value comes, it hides no other. An event
    /// that comes late may count a value too few, whose latest time is another one by then.
    async fn record_values(
        &self,
        occurrence: &Occurrence<'_>,
        values: &[String],
        now: Timestamp,
    ) -> Result<Vec<Timestamp>, StoreError> {
        let partition = threshold(occurrence.id);
        for value in values {
            self.record_value(ItemKey::new(&partition, StableId::hash(&[value]).as_str()), occurrence, now).await?;
        }
        let known = self.store.query(&partition, ALL, false, MAX_VALUES).await?;
        Ok(known
            .iter()
            .filter(|(_, item)| item.expires > now)
            .filter_map(|(_, item)| item.attributes.get("at")?.as_u64())
            .map(Timestamp::from_millis)
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
            pause(attempt, occurrence.finding.as_str()).await;
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

/// Digits of the time in a sort key: milliseconds since 1970, enough until the year 33658.
const TIME_DIGITS: usize = 15;

/// The sort key of a finding that occurred then: it sorts by time, then by finding.
fn sort_key(at: Timestamp, finding: &str) -> String {
    format!("{:0TIME_DIGITS$}#{finding}", at.millis())
}

/// The time in a [`sort_key`].
fn time_of(sort: &str) -> Option<Timestamp> {
    sort.get(..TIME_DIGITS)?.parse().ok().map(Timestamp::from_millis)
}
