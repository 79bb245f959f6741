//! Who called what for the first time: asked beside the admission of a finding, so that it costs the alert no time, and left out
//! where there is no answer.
//!
//! docs/design/ledger.md ("First seen") says what it means, and why an item keeps who came first and counts nothing.

use super::item::{FirstOfPair, PAIR_TTL, attributes, pair_key};
use super::optimistic::Ledger;
use super::pairs::Sightings;
use super::store::{Store, StoreError};
use crate::finding::{Finding, FirstSeen};
use crate::ids::PairId;
use crate::time::Timestamp;

/// Why nobody can say who came first.
enum Unknown {
    /// What the store keeps ends with the process.
    NotKept,
    /// The store does not answer.
    Fault(StoreError),
}

impl From<StoreError> for Unknown {
    fn from(error: StoreError) -> Self {
        Self::Fault(error)
    }
}

impl Sightings {
    /// When a finding of its pair first came. `None` where the record names no pair, and where the ledger does not know.
    pub async fn first_seen<S: Store>(
        &self,
        ledger: &Ledger<S>,
        finding: &Finding,
        now: Timestamp,
    ) -> Option<FirstSeen> {
        let pair = finding.pair()?;
        let at = finding.call.time().unwrap_or(now);
        let own = FirstOfPair { event: finding.event_key(), at };
        let asked = self.asked(&pair, now);
        match asked.answer.get_or_try_init(|| ledger.first_of_pair(&pair, &own, now)).await {
            Ok(first) => Some(FirstSeen { is_now: first.event == own.event, at: first.at }),
            Err(Unknown::NotKept) => None,
            Err(Unknown::Fault(error)) => {
                tracing::warn!(reason = %error, "the ledger does not say whether this is the first: it is left out");
                None
            }
        }
    }
}

impl<S: Store> Ledger<S> {
    /// What this process has asked for so far.
    pub const fn sightings(&self) -> &Sightings {
        &self.sightings
    }

    /// The first finding of a pair: one that came before, or else this one.
    async fn first_of_pair(&self, pair: &PairId, own: &FirstOfPair, now: Timestamp) -> Result<FirstOfPair, Unknown> {
        let kept = self.store.keep_first(pair_key(pair), attributes(own)?, now, now.plus(PAIR_TTL)).await?;
        let kept = kept.ok_or(Unknown::NotKept)?;
        let first = serde_json::from_value(kept.into());
        first.map_err(|error| Unknown::Fault(StoreError(format!("an item cannot be read: {error}"))))
    }
}
