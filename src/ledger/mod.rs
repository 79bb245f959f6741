//! What has been delivered, and counted: what makes a repeat recognisable, in every copy of the function.
//!
//! # The life of a claim
//! A claim is one delivery: a finding, or a sum of some, on one channel. Whoever is about to send takes it, with a lease that
//! ends just after the process must have ended ([`Ledger::admit`], [`Ledger::claim`]). Then one of three things happens:
//!
//! - It is *done*: delivered ([`Ledger::delivered`]), or left to a sum. For 15 days whoever comes with the same finding finds a
//!   duplicate.
//! - It is handed back ([`Ledger::release`]): the delivery waits in a queue, or has failed.
//! - Its holder dies, and the lease runs out.
//!
//! In the last two cases whoever comes next takes it anew, under what was decided the first time. Whether a finding opens an
//! alert, or is a repeat that is held back, is decided in the same write as its claim, so that a crash loses neither.
//!
//! # Who decides
//! [`policy`] decides, of what is known and what came. [`Ledger`] reads what is known from a [`Store`], asks, and writes what
//! follows on the condition that nobody else has written meanwhile. The store keeps, and knows nothing.
//!
//! docs/design/ledger.md has the order in which a finding is judged, and the items.

mod admit;
mod item;
mod memory;
pub mod policy;
mod store;
mod sum;
mod threshold;

use std::time::Duration;

pub use self::admit::{Admission, Candidate};
use self::item::{CLAIM_TTL, Claim, DoneAs, attributes, claim_key, read};
pub use self::item::{Decision, DeliveryKey};
pub use self::memory::MemoryStore;
pub use self::store::{ALL, Attributes, COUNT, Expect, ItemKey, Put, Store, StoreError, StoredItem};
pub use self::sum::{DigestAdmission, RollUpOrder};
pub use self::threshold::Occurrence;
use crate::ids::{AlertId, ClaimId, spread};
use crate::time::Timestamp;

/// What has been delivered and counted, over a store. Copies of the function share it by sharing the store.
#[derive(Debug, Default)]
pub struct Ledger<S> {
    store: S,
}

/// Whether a delivery is ours to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// It is, until the lease ends.
    Ours,
    /// It has been delivered, or left to a sum: this one is a duplicate.
    Done,
    /// Somebody else is sending it, and will have ended by then, alive or dead.
    Held(Timestamp),
}

/// Writes that lose a race are tried again so many times, with a fresh look each.
const TRIES: u32 = 8;

impl<S: Store> Ledger<S> {
    /// The ledger that is kept in `store`.
    pub const fn new(store: S) -> Self {
        Self { store }
    }

    /// Claims a delivery that has been decided: one that comes back from a queue, or a sum. The claim ends at `lease`.
    ///
    /// # Errors
    /// That the store does not answer, here and below.
    pub async fn claim(
        &self,
        delivery: DeliveryKey<'_>,
        decision: &Decision,
        now: Timestamp,
        lease: Timestamp,
    ) -> Result<Claimed, StoreError> {
        let key = claim_key(delivery);
        for attempt in 0..TRIES {
            let item = self.get(&key).await?;
            match read::<Claim>(item.as_ref(), now)? {
                Some(Claim { done: Some(_), .. }) => return Ok(Claimed::Done),
                Some(Claim { until, .. }) if until > now => return Ok(Claimed::Held(until)),
                _ => {}
            }
            let claim = Claim { decision: decision.clone(), until: lease, done: None, receipt: None };
            if self.write(key.clone(), Expect::same(item.as_ref()), &claim, now.plus(CLAIM_TTL)).await? {
                return Ok(Claimed::Ours);
            }
            pause(attempt, delivery.id.as_str()).await;
        }
        Err(lost())
    }

    /// Notes that a delivery arrived. `receipt` is what the vendor calls the message. Whoever holds the claim by now, it is done.
    pub async fn delivered(
        &self,
        delivery: DeliveryKey<'_>,
        decision: &Decision,
        receipt: Option<String>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.settle(delivery, decision, Some(DoneAs::Delivered), receipt, now).await
    }

    /// Gives a claim back: the delivery is in a queue now, or has failed.
    pub async fn release(
        &self,
        delivery: DeliveryKey<'_>,
        decision: &Decision,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.settle(delivery, decision, None, None, now).await
    }

    /// What the vendor called the message about this finding, if it has arrived and the vendor called it anything.
    pub async fn receipt(&self, delivery: DeliveryKey<'_>, now: Timestamp) -> Result<Option<String>, StoreError> {
        let item = self.get(&claim_key(delivery)).await?;
        Ok(read::<Claim>(item.as_ref(), now)?.and_then(|claim| claim.receipt))
    }

    /// Claims the right to tell people about a channel that is in trouble: once an hour.
    pub async fn claim_operational(
        &self,
        channel: &str,
        now: Timestamp,
        lease: Timestamp,
    ) -> Result<(Decision, Claimed), StoreError> {
        let id = ClaimId::for_operational(channel, now.seconds() / 3600);
        let decision = Decision { alert: AlertId::from(id.clone()), opener: id.clone(), is_repeat: false };
        let claimed = self.claim(DeliveryKey::new(&id, OPERATIONAL), &decision, now, lease).await?;
        Ok((decision, claimed))
    }

    async fn settle(
        &self,
        delivery: DeliveryKey<'_>,
        decision: &Decision,
        done: Option<DoneAs>,
        receipt: Option<String>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let claim = Claim { decision: decision.clone(), until: now, done, receipt };
        let key = claim_key(delivery);
        // What is done stays done; what is given back must not undo what another has done meanwhile.
        let expect = if done.is_some() {
            Expect::Anything
        } else {
            let item = self.get(&key).await?;
            match read::<Claim>(item.as_ref(), now)? {
                Some(Claim { done: Some(_), .. }) => return Ok(()),
                _ => Expect::same(item.as_ref()),
            }
        };
        self.write(key, expect, &claim, now.plus(CLAIM_TTL)).await.map(drop)
    }

    async fn get(&self, key: &ItemKey) -> Result<Option<StoredItem>, StoreError> {
        Ok(self.store.get(std::slice::from_ref(key)).await?.pop().flatten())
    }

    async fn write(
        &self,
        key: ItemKey,
        expect: Expect,
        value: &impl serde::Serialize,
        expires: Timestamp,
    ) -> Result<bool, StoreError> {
        self.store.put(vec![Put { key, expect, attributes: attributes(value)?, expires }]).await
    }
}

/// What stands in the place of the channel in the claim of an operational alert, which goes to the deployment's own topic.
pub const OPERATIONAL: &str = "#operational";

fn lost() -> StoreError {
    StoreError(format!("lost {TRIES} races for one item"))
}

/// A moment before the next try: longer each time, and of another length for everybody.
async fn pause(attempt: u32, id: &str) {
    let bound = Duration::from_millis(10 << attempt.min(5));
    tokio::time::sleep(bound.mul_f64(0.5 + spread(id, attempt))).await;
}

#[cfg(test)]
mod tests;
