//! The updates of an incident: the claim of one, and all of the incident so far.

use super::incident;
use super::item::{
    CLAIM_TTL, Claim, Decision, DeliveryKey, IncidentItem, SUM_GRACE, UpdatedItem, attributes, claim_key, readable,
    repeats, updated_key,
};
use super::optimistic::{Ledger, TRIES, lost, pause};
use super::policy;
use super::store::{Expect, Put, Store, StoreError};
use crate::alert::{IncidentSum, IncidentTally, RollUp};
use crate::finding::Finding;
use crate::ids::{AlertId, ClaimId};
use crate::severity::Severity;
use crate::time::Timestamp;

/// An update of an incident, which is due.
#[derive(Debug, Clone, Copy)]
pub struct IncidentUpdate<'a> {
    /// The channel's name.
    pub channel: &'a str,
    /// The alert of the incident.
    pub alert: &'a AlertId,
    /// The finding that opened it.
    pub opener: &'a Finding,
    /// Which update it is: when it was due, in milliseconds since 1970.
    pub step: u64,
    /// Whether the incident has ended.
    pub has_ended: bool,
}

impl IncidentUpdate<'_> {
    /// The id under which it is claimed.
    pub fn id(&self) -> ClaimId {
        ClaimId::for_update(self.alert, self.step)
    }
}

/// Whether an update is ours to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimedUpdate {
    /// It is, until the lease ends: this is what it tells, and where it belongs.
    Ours(Box<IncidentSum>, Decision),
    /// All that it could tell is in other updates.
    NothingNew,
    /// It has been delivered, or left to a digest.
    Done,
    /// Somebody else is sending it, and will have ended by then.
    Held(Timestamp),
}

/// The bounds of the sort keys of an incident's findings, which are hexadecimal.
const FINDINGS: (&str, &str) = ("0", "g");

impl<S: Store> Ledger<S> {
    /// Claims an update until `lease`, if it has anything new to tell; what it tells is then noted as being in an update.
    ///
    /// # Errors
    /// That the store does not answer.
    pub async fn claim_update(
        &self,
        update: &IncidentUpdate<'_>,
        now: Timestamp,
        lease: Timestamp,
    ) -> Result<ClaimedUpdate, StoreError> {
        let (id, opener) = (update.id(), ClaimId::from(&update.opener.id));
        let keys = [claim_key(DeliveryKey::new(&id, update.channel)), updated_key(update.alert)];
        for attempt in 0..TRIES {
            let items = self.store.get(&keys).await?;
            let [claimed, updated] = [0, 1].map(|place| items.get(place).and_then(Option::as_ref));
            let claim: Option<Claim> = readable(claimed, now);
            match &claim {
                Some(Claim { done: Some(_), .. }) => return Ok(ClaimedUpdate::Done),
                Some(Claim { until, .. }) if policy::is_held(*until, now) => return Ok(ClaimedUpdate::Held(*until)),
                _ => {}
            }
            let in_updates = readable::<UpdatedItem>(updated, now).unwrap_or_default().count;
            let (tally, held_back, raised) = self.incident_so_far(update, now).await?;
            // Whoever claimed it before has noted what it was to tell, and what they rendered may lie in a queue and be sent under
            // this claim. So nothing more is noted now: what has come since is in this one too, and in the next for certain.
            let (news, count) = match &claim {
                None => (Some(held_back.saturating_sub(in_updates)), in_updates.max(held_back)),
                Some(claim) => (claim.news, in_updates),
            };
            if claim.is_none() && !incident::has_news(held_back, in_updates) {
                return Ok(ClaimedUpdate::NothingNew);
            }
            let opening = Decision::opening(update.alert.clone(), opener.clone());
            let decision = Decision { is_repeat: true, raised, ..opening };
            let held = Claim { news, ..Claim::held(decision.clone(), lease, Vec::new()) };
            let put = |place: usize, expect, attributes, expires| Put {
                key: keys[place].clone(),
                expect,
                attributes,
                expires,
            };
            let puts = vec![
                put(0, Expect::same(claimed), attributes(&held)?, now.plus(CLAIM_TTL)),
                put(1, Expect::same(updated), attributes(&UpdatedItem { count })?, now.plus(SUM_GRACE)),
            ];
            if self.store.put(puts).await? {
                let sum = tally.sum(news, update.step, update.has_ended);
                return Ok(ClaimedUpdate::Ours(Box::new(sum), decision));
            }
            pause(attempt, id.as_str()).await;
        }
        Err(lost())
    }

    /// All findings of an incident; how many of them were held back; and the severity to which it has risen. One that cannot be
    /// read counts as held back, without its details.
    async fn incident_so_far(
        &self,
        update: &IncidentUpdate<'_>,
        now: Timestamp,
    ) -> Result<(IncidentTally, u64, Option<Severity>), StoreError> {
        let (mut tally, mut held_back, mut highest) = (IncidentTally::default(), 0, update.opener.severity);
        for item in self.all::<IncidentItem>(&repeats(update.alert), FINDINGS, now).await? {
            let unread =
                || IncidentItem { rule: String::new(), told: false, one: RollUp { count: 1, ..RollUp::default() } };
            let IncidentItem { rule, told, one } = item.unwrap_or_else(unread);
            tally.add(&rule, &one);
            if told {
                highest = highest.max(one.severity.unwrap_or(highest));
            } else {
                held_back += 1;
            }
        }
        Ok((tally, held_back, incident::raised(update.opener.severity, highest)))
    }
}
