//! Who called what for the first time: asked beside the admission of a finding, so that it costs the alert no time, and left out
//! where there is no answer.
//!
//! docs/design/ledger.md ("First seen") says what it means, and why an item keeps who came first and counts nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;

use super::item::{FirstOfPair, PAIR_TTL, attributes, pair_key};
use super::optimistic::Ledger;
use super::store::{Store, StoreError};
use crate::finding::{Finding, FirstSeen};
use crate::ids::PairId;
use crate::time::Timestamp;

/// How long a process takes its own memory's word for a pair.
const RENEWED_AFTER: Duration = Duration::from_hours(1);
/// Pairs that a process remembers: about 200 KB.
const REMEMBERED: usize = 1000;

/// The pairs that this process has asked for.
#[derive(Debug, Default)]
pub struct Sightings(Mutex<BTreeMap<PairId, Arc<Asked>>>);

/// What a process has asked of one pair.
#[derive(Debug)]
struct Asked {
    at: Timestamp,
    /// The answer, once there is one. Whoever asks meanwhile waits for the same.
    answer: OnceCell<FirstOfPair>,
}

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
    pub(super) const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// When a finding of its pair first came. `None` where the record names no pair, and where the ledger does not know.
    pub async fn first_seen<S: Store>(
        &self,
        ledger: &Ledger<S>,
        finding: &Finding,
        now: Timestamp,
    ) -> Option<FirstSeen> {
        let pair = finding.pair()?;
        let at = finding.call.event_time.as_deref().and_then(Timestamp::parse).unwrap_or(now);
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

    /// The place of a pair's answer.
    fn asked(&self, pair: &PairId, now: Timestamp) -> Arc<Asked> {
        // No code that holds the lock can panic.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(asked) = known.get(pair).filter(|asked| now.since(asked.at) < RENEWED_AFTER) {
            return Arc::clone(asked);
        }
        if known.len() >= REMEMBERED {
            known.clear();
        }
        let asked = Arc::new(Asked { at: now, answer: OnceCell::new() });
        let _former = known.insert(pair.clone(), Arc::clone(&asked));
        asked
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
