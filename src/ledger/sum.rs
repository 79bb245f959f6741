//! What was held back, summed up: roll-ups of repeats, and digests of too many alerts.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::incident::UpdateOrders;
use super::item::{
    CLAIM_TTL, Claim, Decision, DeliveryKey, DoneAs, Lead, SUM_GRACE, WINDOW_GRACE, attributes, claim_key, minute,
    readable, repeats,
};
use super::optimistic::{Ledger, TRIES, lost, pause};
use super::policy;
use super::policy::GuardVerdict;
use super::store::{ALL, Attributes, COUNT, Expect, ItemKey, Put, Store, StoreError, StoredItem};
use crate::alert::{AlertDigest, RollUp};
use crate::finding::Finding;
use crate::ids::AlertId;
use crate::severity::Severity;
use crate::time::Timestamp;

/// A roll-up, or the updates of an incident, that must be ordered, because a finding is about to be held back.
#[derive(Debug, Clone)]
pub struct RollUpOrder {
    /// The alert whose repeats they are.
    pub alert: AlertId,
    /// When the window of that alert ends.
    pub ends: Timestamp,
    /// The opener's finding, without what is long.
    pub finding: Finding,
    /// Where people read of the alert, if that is in another one.
    pub lead: Option<Lead>,
    /// Of an incident: the updates that are to be ordered, instead of a roll-up.
    pub updates: Option<UpdateOrders>,
    /// Of what a silence holds back: which one that is. Its roll-up comes when the silence has ended.
    pub silence: Option<SilenceOrder>,
}

/// Which silence a roll-up is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilenceOrder {
    /// Its id.
    pub id: String,
    /// When it ends, unless somebody ends it before.
    pub until: Timestamp,
    /// Whether somebody was seen to have ended it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
}

impl PartialEq for RollUpOrder {
    fn eq(&self, other: &Self) -> bool {
        let parts = |order: &Self| (order.alert.clone(), order.ends, order.finding.id.clone(), order.updates.clone());
        parts(self) == parts(other)
    }
}

impl Eq for RollUpOrder {}

/// What becomes of an alert that is one too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestAdmission {
    /// It is the first of its minute: put the digest in the queue, [say so](Ledger::digest_scheduled), and ask again.
    ScheduleDigest,
    /// It is counted for the digest, and done with.
    Digested,
}

/// The most items of which a digest is made.
const MOST: usize = 200_000;

impl<S: Store> Ledger<S> {
    /// Asks the storm guard about an alert that is about to go out, and counts it.
    ///
    /// # Errors
    /// The store does not answer. The same holds for the methods below.
    pub async fn guard_alert(
        &self,
        channel: &str,
        severity: Severity,
        max_per_minute: u64,
        now: Timestamp,
    ) -> Result<GuardVerdict, StoreError> {
        let counted = self.count_alert(channel, severity, now).await?;
        Ok(policy::storm_guard(counted.saturating_sub(1), max_per_minute))
    }

    /// Asks the storm guard about what comes from a queue: a roll-up, or an alert that did not arrive before. It is counted by
    /// [`Ledger::count_alert`] once it has arrived.
    pub async fn guard_queued(
        &self,
        channel: &str,
        severity: Severity,
        max_per_minute: u64,
        now: Timestamp,
    ) -> Result<GuardVerdict, StoreError> {
        let item = self.get(&counter(channel, severity, now)).await?;
        let counted = item.and_then(|item| item.attributes.get(COUNT)?.as_u64()).unwrap_or_default();
        Ok(policy::storm_guard(counted, max_per_minute))
    }

    /// Counts an alert, and says how many there are of its severity on this channel in this minute, this one included.
    pub async fn count_alert(&self, channel: &str, severity: Severity, now: Timestamp) -> Result<u64, StoreError> {
        self.store.count(counter(channel, severity, now), now.plus(WINDOW_GRACE)).await
    }

    /// Counts a delivery for the digest of a minute, instead of sending it. `one` is what it adds to the digest; under its id it
    /// is counted only once.
    pub async fn digest(
        &self,
        delivery: DeliveryKey<'_>,
        of_minute: u64,
        decision: &Decision,
        one: &AlertDigest,
        now: Timestamp,
    ) -> Result<DigestAdmission, StoreError> {
        let partition = minute(delivery.channel, of_minute);
        if self.get(&ItemKey::new(&partition, SCHEDULED)).await?.is_none() {
            return Ok(DigestAdmission::ScheduleDigest);
        }
        let entry = ItemKey::new(partition, format!("{ENTRY}{}", delivery.id));
        let held = Claim::held(decision.clone(), now, delivery.with.to_vec());
        let claim = Claim { done: Some(DoneAs::Digested), ..held };
        let claim_key = claim_key(delivery);
        let put = |key, attributes, expires| Put { key, expect: Expect::Anything, attributes, expires };
        let puts = vec![
            put(claim_key, attributes(&claim)?, now.plus(CLAIM_TTL)),
            put(entry, attributes(one)?, now.plus(SUM_GRACE)),
        ];
        self.put_all(puts, delivery.id.as_str()).await?;
        Ok(DigestAdmission::Digested)
    }

    /// Writes what is expected to be anything, however often another write of the same items is under way.
    async fn put_all(&self, puts: Vec<Put>, id: &str) -> Result<(), StoreError> {
        for attempt in 0..TRIES {
            if self.store.put(puts.clone()).await? {
                return Ok(());
            }
            pause(attempt, id).await;
        }
        Err(lost())
    }

    /// Notes that the digest of a minute has been ordered.
    pub async fn digest_scheduled(&self, channel: &str, of_minute: u64, now: Timestamp) -> Result<(), StoreError> {
        let key = ItemKey::new(minute(channel, of_minute), SCHEDULED);
        let put = Put { key, expect: Expect::Anything, attributes: Attributes::new(), expires: now.plus(SUM_GRACE) };
        self.put_all(vec![put], channel).await
    }

    /// Sums up the repeats of an alert that were held back. One whose item cannot be read counts, without its details.
    pub async fn roll_up(&self, alert: &AlertId, now: Timestamp) -> Result<RollUp, StoreError> {
        let mut sum = RollUp::default();
        for one in self.all::<RollUp>(&repeats(alert), ALL, now).await? {
            sum.merge(&one.unwrap_or_else(|| RollUp { count: 1, ..RollUp::default() }));
        }
        Ok(sum)
    }

    /// Sums up the alerts of a minute that were held back. One whose item cannot be read counts, without its details.
    pub async fn digest_of(&self, channel: &str, of_minute: u64, now: Timestamp) -> Result<AlertDigest, StoreError> {
        let mut sum = AlertDigest::default();
        let last = format!("{ENTRY}~");
        for one in self.all::<AlertDigest>(&minute(channel, of_minute), (ENTRY, &last), now).await? {
            sum.merge(&one.unwrap_or_else(|| AlertDigest { count: 1, others: 1, ..AlertDigest::default() }));
        }
        Ok(sum)
    }

    /// What the items of a partition hold that have not expired; none for one that cannot be read.
    pub(super) async fn all<T: DeserializeOwned>(
        &self,
        partition: &str,
        between: (&str, &str),
        now: Timestamp,
    ) -> Result<Vec<Option<T>>, StoreError> {
        let found: Vec<(String, StoredItem)> = self.store.query(partition, between, false, MOST).await?;
        Ok(found.iter().filter(|(_, item)| item.expires > now).map(|(_, item)| readable(Some(item), now)).collect())
    }
}

/// The sort key of the note that a digest has been ordered.
const SCHEDULED: &str = "announced";
/// How the sort key of an alert in a digest begins.
const ENTRY: &str = "entry#";

/// The key of the counter of a minute's alerts of one severity.
fn counter(channel: &str, severity: Severity, now: Timestamp) -> ItemKey {
    ItemKey::new(minute(channel, policy::minute_of(now)), format!("count#{severity}"))
}
