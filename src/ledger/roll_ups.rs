//! Roll-ups of one minute in one message: the list of them, and the claim of several at once.
//!
//! Each has an order of its own in the queue, so that what is here only saves messages. docs/design/ledger.md ("Roll-ups told
//! together") has the reasons.

use super::item::{
    Claim, Decision, DeliveryKey, Lead, ListedItem, attributes, claim_expires, claim_key, listed, readable,
};
use super::optimistic::{Ledger, TRIES, lost, pause};
use super::policy;
use super::store::{ALL, Expect, ItemKey, Put, Store, StoreError};
use crate::finding::Finding;
use crate::ids::{AlertId, ClaimId, StableId};
use crate::time::Timestamp;

/// The list of the roll-ups of a channel that are due in one minute.
#[derive(Debug, Clone, Copy)]
pub struct RollUpList<'a> {
    /// The channel's name.
    pub channel: &'a str,
    /// The minute, in minutes since 1970.
    pub minute: u64,
}

/// A roll-up in a list.
#[derive(Debug, Clone)]
pub struct ListedRollUp {
    /// The alert whose repeats it sums up.
    pub alert: AlertId,
    /// The finding that opened the alert, without what is long.
    pub finding: Finding,
    /// Where people read of the alert, if that is in another one.
    pub lead: Option<Lead>,
}

impl ListedRollUp {
    /// The id under which it is claimed.
    pub fn id(&self) -> ClaimId {
        ClaimId::for_roll_up(&self.alert)
    }

    /// What is decided of it.
    pub fn decision(&self) -> Decision {
        let opening = Decision::opening(self.alert.clone(), ClaimId::from(&self.finding.id));
        Decision { is_repeat: true, lead: self.lead.clone(), ..opening }
    }
}

/// Whether several roll-ups are ours to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimedRollUps {
    /// Those at these places are, the leader first, until the lease ends.
    Ours(Vec<usize>),
    /// The first was told together with others.
    Merged,
    /// The first has been delivered, or left to a digest.
    Done,
    /// Somebody else is sending the first, and will have ended by then.
    Held(Timestamp),
}

/// How one stands.
enum Standing {
    Free,
    Done,
    /// It was told together with others.
    Told,
    Held(Timestamp),
}

impl<S: Store> Ledger<S> {
    /// The roll-ups of a list. One that cannot be read is left out: its own order tells it.
    ///
    /// # Errors
    /// That the store does not answer.
    pub async fn listed_roll_ups(
        &self,
        RollUpList { channel, minute }: RollUpList<'_>,
        now: Timestamp,
    ) -> Result<Vec<ListedRollUp>, StoreError> {
        let found = self.store.query(&listed(channel, minute), ALL, false, MOST_LISTED).await?;
        let roll_up = |(alert, item): (String, _)| {
            let ListedItem { finding, lead } = readable(Some(&item), now)?;
            let alert = AlertId::from(StableId::try_from(alert).ok()?);
            Some(ListedRollUp { alert, finding: serde_json::from_str(&finding).ok()?, lead })
        };
        Ok(found.into_iter().filter_map(roll_up).collect())
    }

    /// Claims the first of these roll-ups, and as many others as are free and one message tells, until `lease`: all in one
    /// transaction. The most severe leads.
    ///
    /// # Errors
    /// That the store does not answer.
    pub async fn claim_roll_ups(
        &self,
        channel: &str,
        roll_ups: &[ListedRollUp],
        now: Timestamp,
        lease: Timestamp,
    ) -> Result<ClaimedRollUps, StoreError> {
        let ids: Vec<ClaimId> = roll_ups.iter().map(ListedRollUp::id).collect();
        let keys: Vec<ItemKey> = ids.iter().map(|id| claim_key(DeliveryKey::new(id, channel))).collect();
        let Some(own) = ids.first() else { return Ok(ClaimedRollUps::Done) };
        for attempt in 0..TRIES {
            let items = self.store.get(&keys).await?;
            let claims: Vec<Option<Claim>> = items.iter().map(|item| readable(item.as_ref(), now)).collect();
            let mut free = Vec::new();
            for (place, id) in ids.iter().enumerate() {
                match (self.roll_up_stands(id, claims[place].as_ref(), (channel, &ids, &claims), now).await?, place) {
                    (Standing::Free, _) => free.push(place),
                    (Standing::Done, 0) => return Ok(ClaimedRollUps::Done),
                    (Standing::Told, 0) => return Ok(ClaimedRollUps::Merged),
                    (Standing::Held(until), 0) => return Ok(ClaimedRollUps::Held(until)),
                    _ => {}
                }
            }
            free.truncate(policy::MOST_ROLL_UPS);
            let leader = policy::leading_roll_up(free.iter().map(|place| roll_ups[*place].finding.severity));
            free.swap(0, leader.unwrap_or_default());
            let leader = &ids[free[0]];
            let mut puts = Vec::with_capacity(free.len());
            for place in &free {
                let is_leader = *place == free[0];
                let with = free[1..].iter().map(|place| ids[*place].clone()).filter(|_| is_leader).collect();
                let held = Claim::held(roll_ups[*place].decision(), lease, with);
                let claim = Claim { leader: (!is_leader).then(|| leader.clone()), ..held };
                let (key, expect) = (keys[*place].clone(), Expect::same(items[*place].as_ref()));
                puts.push(Put { key, expect, attributes: attributes(&claim)?, expires: claim_expires(now) });
            }
            if self.store.put(puts).await? {
                return Ok(ClaimedRollUps::Ours(free));
            }
            pause(attempt, own.as_str()).await;
        }
        Err(lost())
    }

    async fn roll_up_stands(
        &self,
        id: &ClaimId,
        claim: Option<&Claim>,
        (channel, ids, claims): (&str, &[ClaimId], &[Option<Claim>]),
        now: Timestamp,
    ) -> Result<Standing, StoreError> {
        let held_or_free = |until| if policy::is_held(until, now) { Standing::Held(until) } else { Standing::Free };
        let Some(claim) = claim else { return Ok(Standing::Free) };
        let Some(leader) = &claim.leader else {
            return Ok(match (claim.done, claim.with.is_empty()) {
                (None, _) => held_or_free(claim.until),
                (Some(_), true) => Standing::Done,
                // It leads a message, which the order of another has brought.
                (Some(_), false) => Standing::Told,
            });
        };
        let leading = match ids.iter().position(|id| id == leader) {
            Some(place) => claims[place].clone().filter(|leading| leading.with.contains(id)),
            None => self.leading(leader, DeliveryKey::new(id, channel), now).await?,
        };
        Ok(match leading {
            None => Standing::Free,
            Some(leading) if leading.done.is_some() => Standing::Told,
            Some(leading) => held_or_free(leading.until),
        })
    }
}

/// Roll-ups of one list that are read.
const MOST_LISTED: usize = 50;
