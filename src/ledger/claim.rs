//! The life of a claim, from when somebody is about to send until it is done or handed back.

use super::item::{CLAIM_TTL, Claim, Decision, DeliveryKey, DoneAs, claim_key, read, readable};
use super::optimistic::{Ledger, TRIES, lost, pause};
use super::policy;
use super::store::{Expect, Store, StoreError};
use crate::ids::{AlertId, ClaimId};
use crate::time::Timestamp;

/// Whether a delivery is ours to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// The delivery is ours to send until the lease ends.
    Ours,
    /// It has been delivered, or left to a sum: this one is a duplicate.
    Done,
    /// Somebody else is sending it, and will have ended by then, alive or dead.
    Held(Timestamp),
}

/// What stands in the place of the channel in the claim of an operational alert, which goes to the deployment's own topic.
pub const OPERATIONAL: &str = "#operational";

/// What is decided of an alert about a channel that is in trouble: there is one an hour.
pub fn operational_decision(channel: &str, now: Timestamp) -> Decision {
    let opener = ClaimId::for_operational(channel, now.seconds() / 3600);
    Decision::opening(AlertId::from(opener.clone()), opener)
}

impl<S: Store> Ledger<S> {
    /// Claims a delivery that has been decided: one that comes back from a queue, or a sum. The claim ends at `lease`. It is done
    /// with only if all that it tells of was told.
    ///
    /// # Errors
    /// The store does not answer. The same holds for the methods below.
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
            if let Some(claim) = readable::<Claim>(item.as_ref(), now) {
                let standing = match &claim.leader {
                    None => Some(claim),
                    Some(leader) => self.leading(leader, delivery, now).await?,
                };
                match standing {
                    Some(Claim { done: Some(_), with, .. }) if delivery.with.iter().all(|id| with.contains(id)) => {
                        return Ok(Claimed::Done);
                    }
                    Some(Claim { done: Some(_), .. }) => {}
                    Some(Claim { until, .. }) if policy::is_held(until, now) => return Ok(Claimed::Held(until)),
                    _ => {}
                }
            }
            let claim = Claim::held(decision.clone(), lease, delivery.with.to_vec());
            if self.write(key.clone(), Expect::same(item.as_ref()), &claim, now.plus(CLAIM_TTL)).await? {
                return Ok(Claimed::Ours);
            }
            pause(attempt, delivery.id.as_str()).await;
        }
        Err(lost())
    }

    /// The claim of the one in whose message a delivery is told, if that message tells of it.
    pub(super) async fn leading(
        &self,
        leader: &ClaimId,
        delivery: DeliveryKey<'_>,
        now: Timestamp,
    ) -> Result<Option<Claim>, StoreError> {
        let item = self.get(&claim_key(DeliveryKey::new(leader, delivery.channel))).await?;
        Ok(readable::<Claim>(item.as_ref(), now).filter(|claim| claim.with.contains(delivery.id)))
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
        let decision = operational_decision(channel, now);
        let claimed = self.claim(DeliveryKey::new(&decision.opener, OPERATIONAL), &decision, now, lease).await?;
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
        let claim = Claim { done, receipt, ..Claim::held(decision.clone(), now, delivery.with.to_vec()) };
        let key = claim_key(delivery);
        let mut given_back = None;
        for attempt in 0..TRIES {
            // What is done stays done; what is given back must not undo what another has done meanwhile.
            let expect = if done.is_some() {
                Expect::Anything
            } else {
                let item = self.get(&key).await?;
                let (expect, claim) = (Expect::same(item.as_ref()), readable::<Claim>(item.as_ref(), now));
                let is_anothers = given_back.is_some_and(|ours| ours != expect);
                if is_anothers || claim.is_some_and(|claim| claim.done.is_some()) {
                    return Ok(());
                }
                given_back = Some(expect);
                expect
            };
            if self.write(key.clone(), expect, &claim, now.plus(CLAIM_TTL)).await? {
                return Ok(());
            }
            pause(attempt, delivery.id.as_str()).await;
        }
        Err(lost())
    }
}
