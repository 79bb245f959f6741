//! What is known of the probes: when each account and region was last heard, and what the last sweep has told people.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::item::readable;
use super::optimistic::Ledger;
use super::store::{ALL, Expect, ItemKey, Store, StoreError};
use crate::cloudtrail::probe::Probe;
use crate::time::Timestamp;

/// How long an account and region is known that no probe comes from any more: somebody should have looked by then, or has taken
/// the spoke away.
const PROBE_TTL: Duration = Duration::from_hours(14 * 24);
/// How long it is known what the last sweep has told.
const SWEEP_TTL: Duration = Duration::from_hours(90 * 24);
/// Accounts × regions that are read at once.
const MOST_SOURCES: usize = 50_000;

/// The partition of the probes. The sort key is `ACCOUNT#REGION`.
const PROBES: &str = "probes";

/// The last probe of one account and region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenProbe {
    /// The account: 12 digits.
    pub account: String,
    /// The region.
    pub region: String,
    /// When the call was made.
    pub at: Timestamp,
    /// How long it took to come here.
    pub latency: Duration,
    /// Which derived patterns let pass what comes from there, if the probe said so: [`Probe::patterns`].
    pub patterns: Option<String>,
}

/// So long after its last probe an account and region is silent: six probes have not come then.
pub const SILENT_AFTER: Duration = Duration::from_mins(30);

impl SeenProbe {
    /// Whether nothing has come for so long that the account and region is silent.
    pub fn is_silent(&self, now: Timestamp) -> bool {
        self.at.plus(SILENT_AFTER) < now
    }

    /// The digest of the patterns there, if they are others than these and let less than every call pass.
    pub fn other_patterns(&self, ours: &str) -> Option<&str> {
        // Where every call passes, it covers all rules.
        self.patterns.as_deref().filter(|theirs| *theirs != "all" && *theirs != ours)
    }
}

/// The item of a probe.
#[derive(Debug, Serialize, Deserialize)]
struct ProbeItem {
    at: Timestamp,
    /// In milliseconds.
    latency: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    patterns: Option<String>,
}

/// What the sweeps have found so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepMemory {
    /// When the first one was: nothing can be expected from before.
    pub first: Timestamp,
    /// What people have been told of, and when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<ToldFault>,
}

/// A fault that people have been told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldFault {
    /// What it is about.
    pub what: String,
    /// When they were told.
    pub at: Timestamp,
}

fn sweep_key() -> ItemKey {
    ItemKey::new("sweep", "memory")
}

impl<S: Store> Ledger<S> {
    /// Writes down that a probe has come.
    ///
    /// # Errors
    /// The store does not answer. The same holds for the methods below.
    pub async fn hear_of_probe(&self, probe: &Probe, now: Timestamp) -> Result<(), StoreError> {
        let Probe { account, region, at, patterns } = probe;
        let latency = u64::try_from(now.since(*at).as_millis()).unwrap_or(u64::MAX);
        let item = ProbeItem { at: *at, latency, patterns: patterns.clone() };
        let key = ItemKey::new(PROBES, format!("{account}#{region}"));
        // Unread, since it would cost as much again: should an older one be the last to be written, the next one is the newest.
        let _ = self.write(key, Expect::Anything, &item, now.plus(PROBE_TTL)).await?;
        Ok(())
    }

    /// The last probe of each account and region, in their order.
    pub async fn probes_seen(&self, now: Timestamp) -> Result<Vec<SeenProbe>, StoreError> {
        let found = self.store.query(PROBES, ALL, false, MOST_SOURCES).await?;
        let seen = found.iter().filter_map(|(place, item)| {
            let (account, region) = place.split_once('#')?;
            let ProbeItem { at, latency, patterns } = readable(Some(item), now)?;
            let latency = Duration::from_millis(latency);
            Some(SeenProbe { account: account.to_owned(), region: region.to_owned(), at, latency, patterns })
        });
        Ok(seen.collect())
    }

    /// What the sweeps have found so far; `None` before the first.
    pub async fn sweep_memory(&self, now: Timestamp) -> Result<Option<SweepMemory>, StoreError> {
        Ok(readable(self.get(&sweep_key()).await?.as_ref(), now))
    }

    /// Keeps what a sweep has found.
    pub async fn keep_sweep_memory(&self, memory: &SweepMemory, now: Timestamp) -> Result<(), StoreError> {
        let _ = self.write(sweep_key(), Expect::Anything, memory, now.plus(SWEEP_TTL)).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::MemoryStore;

    #[tokio::test]
    async fn the_last_probe_of_each_account_and_region_is_known_for_two_weeks() {
        let ledger = Ledger::new(MemoryStore::default());
        let at = |seconds: u64| Timestamp::from_millis(seconds * 1000);
        let probe = |account: &str, region: &str, seconds| Probe {
            account: account.to_owned(),
            region: region.to_owned(),
            at: at(seconds),
            patterns: Some("all".to_owned()),
        };
        for (account, region, seconds) in [("2", "eu-west-1", 10), ("1", "us-east-1", 20), ("2", "eu-west-1", 310)] {
            ledger.hear_of_probe(&probe(account, region, seconds), at(seconds + 7)).await.unwrap();
        }
        let seen = ledger.probes_seen(at(400)).await.unwrap();
        let told: Vec<_> = seen.iter().map(|one| (one.account.as_str(), one.region.as_str(), one.at)).collect();
        assert_eq!(told, [("1", "us-east-1", at(20)), ("2", "eu-west-1", at(310))]);
        assert!(seen.iter().all(|one| one.latency == Duration::from_secs(7) && one.patterns.as_deref() == Some("all")));
        assert_eq!(ledger.probes_seen(at(20 + 15 * 86_400)).await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_sweep_knows_what_the_last_one_has_told() {
        let ledger = Ledger::new(MemoryStore::default());
        let now = Timestamp::from_millis(5_000);
        assert_eq!(ledger.sweep_memory(now).await.unwrap(), None);
        let told = vec![ToldFault { what: "1 us-east-1".to_owned(), at: now }];
        let memory = SweepMemory { first: now, told };
        ledger.keep_sweep_memory(&memory, now).await.unwrap();
        assert_eq!(ledger.sweep_memory(now.plus(Duration::from_mins(5))).await.unwrap(), Some(memory));
    }
}
