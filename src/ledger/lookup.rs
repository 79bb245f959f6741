//! What the ledger knows of a delivery, for people who ask. Nothing is decided here, and nothing is written.

use super::item::{self, Claim, DeliveryKey, read};
use super::optimistic::Ledger;
use super::store::{ALL, Store, StoreError};
use crate::ids::ClaimId;
use crate::time::Timestamp;

/// Channels of one delivery that are read: more than any rules.json has.
const MOST: usize = 1000;

impl<S: Store> Ledger<S> {
    /// The claims of a finding, or of a sum: the name of each channel on which somebody has begun to deliver it, and how far that
    /// has come; in the order of these names. What has expired is left out.
    ///
    /// # Errors
    /// The store does not answer, or an item does not hold what the ledger writes.
    pub async fn claims(&self, id: &ClaimId, now: Timestamp) -> Result<Vec<(String, Claim)>, StoreError> {
        let found = self.store.query(&item::claims(id), ALL, false, MOST).await?;
        let claims = found.into_iter().map(|(channel, item)| Ok(read(Some(&item), now)?.map(|claim| (channel, claim))));
        let mut claims: Vec<(String, Claim)> =
            claims.filter_map(Result::transpose).collect::<Result<_, StoreError>>()?;
        for (channel, claim) in &mut claims {
            let Some(leader) = &claim.leader else { continue };
            let item = self.get(&item::claim_key(DeliveryKey::new(leader, channel))).await?;
            // What was told with another stands as that does.
            if let Some(led) = read::<Claim>(item.as_ref(), now)?.filter(|led| led.with.contains(id)) {
                (claim.until, claim.done, claim.receipt) = (led.until, led.done, led.receipt);
            }
        }
        Ok(claims)
    }
}

#[cfg(test)]
#[allow(unused_results, reason = "a test says what it looks at")]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ids::{AlertId, FindingId, StableId};
    use crate::ledger::{Decision, DoneAs, MemoryStore};

    #[tokio::test]
    async fn claims_are_told_as_they_stand_until_they_expire() {
        let ledger = Ledger::new(MemoryStore::default());
        let now = Timestamp::from_millis(1_000_000);
        let later = now.plus(Duration::from_secs(30));
        let finding = FindingId::from(StableId::hash(&["a"]));
        let id = ClaimId::from(&finding);
        let decision = Decision::opening(AlertId::new("rule", "group", &finding), id.clone());
        for channel in ["topic", "soc"] {
            let claimed = ledger.claim(DeliveryKey::new(&id, channel), &decision, now, later).await.unwrap();
            assert_eq!(claimed, crate::ledger::Claimed::Ours);
        }
        let receipt = Some("7".to_owned());
        ledger.delivered(DeliveryKey::new(&id, "topic"), &decision, receipt.clone(), now).await.unwrap();
        let held = Claim::held(decision.clone(), later, Vec::new());
        let done = Claim { done: Some(DoneAs::Delivered), receipt, ..Claim::held(decision, now, Vec::new()) };
        assert_eq!(ledger.claims(&id, now).await.unwrap(), [("soc".to_owned(), held), ("topic".to_owned(), done)]);
        assert_eq!(ledger.claims(&id, now.plus(Duration::from_hours(16 * 24))).await.unwrap(), []);
        let other = ClaimId::from(StableId::hash(&["b"]));
        assert_eq!(ledger.claims(&other, now).await.unwrap(), []);
    }
}
