//! Whether the findings of a record go out on a channel: one opens an alert, or is a repeat of one that is open. What goes out
//! takes the others with it, in one message.

use std::pin::pin;

use futures_util::FutureExt as _;
use futures_util::future::join;

use super::candidate::{Admission, Candidate};
use super::incident::HasIncident as _;
use super::item::{
    Claim, DeliveryKey, Group, ListedItem, SUM_GRACE, WINDOW_GRACE, attributes, claim_key, group_key, listed, readable,
    shared_key,
};
use super::optimistic::{Ledger, TRIES, lost, pause};
use super::roll_ups::RollUpList;
use super::silence;
use super::silences::{KnownSilence, Silences};
use super::store::{Expect, ItemKey, Put, Store, StoreError, StoredItem};
use super::sum::RollUpOrder;
use super::together::{Known, KnownCandidate, plan};
use crate::ids::ClaimId;
use crate::time::Timestamp;

impl<S: Store> Ledger<S> {
    /// Decides what becomes of the findings of one record on one channel, [`policy::MOST_TOGETHER`](super::policy::MOST_TOGETHER)
    /// at most, and claims what goes out; an answer for each, in their order. Asked again, the answer is the same, but for what
    /// has been done meanwhile.
    ///
    /// # Errors
    /// That the store does not answer.
    pub async fn admit(&self, candidates: &[Candidate<'_>], now: Timestamp) -> Result<Vec<Admission>, StoreError> {
        self.admit_unless_silenced(candidates, &self.silences, now).await
    }

    /// As [`Ledger::admit`], with the silences that the process knows, which are read beside it if that was long ago.
    ///
    /// # Errors
    /// That the store does not answer.
    pub async fn admit_unless_silenced(
        &self,
        candidates: &[Candidate<'_>],
        silences: &Silences,
        now: Timestamp,
    ) -> Result<Vec<Admission>, StoreError> {
        let may_be_silenced = |candidate: &Candidate<'_>| {
            let finding = candidate.finding;
            candidate.may_be_silenced && silence::may_be_silenced(&finding.rule.id, finding.severity)
        };
        let is_any_silenceable = candidates.iter().any(may_be_silenced);
        let silences = async {
            if is_any_silenceable { self.known_silences(silences, now).await.unwrap_or_default() } else { Vec::new() }
        };
        let mut silences = pin!(silences.fuse());
        let mut known_silences: Option<Vec<KnownSilence>> = None;
        let ids: Vec<ClaimId> = candidates.iter().map(|candidate| ClaimId::from(&candidate.finding.id)).collect();
        let mut keys: Vec<ItemKey> = Vec::with_capacity(3 * candidates.len());
        for (candidate, id) in candidates.iter().zip(&ids) {
            // The shared call is asked for together with the others: a record that shares nothing costs nothing, and one that does
            // no request.
            let own = [
                Some(claim_of(candidate, id)),
                candidate.group.map(|(group, _)| group_key(group)),
                shared_of(candidate),
            ];
            // No key may be asked for twice.
            own.into_iter().flatten().for_each(|key| {
                if !keys.contains(&key) {
                    keys.push(key);
                }
            });
        }
        for attempt in 0..TRIES {
            let items = if known_silences.is_some() {
                self.store.get(&keys).await?
            } else {
                let (items, known) = join(self.store.get(&keys), &mut silences).await;
                known_silences = Some(known);
                items?
            };
            let silencing = self.silencing(candidates, known_silences.as_deref().unwrap_or_default(), now).await?;
            let item =
                |key: &ItemKey| keys.iter().position(|known| known == key).and_then(|place| items[place].as_ref());
            let known: Vec<KnownCandidate> =
                candidates.iter().zip(&ids).map(|(candidate, id)| known(candidate, id, item, now)).collect();
            let leaders = self.absent_leaders(&known, &ids, candidates, now).await?;
            let known = Known { leaders, candidates: known, silencing };
            let plan = plan(candidates, &ids, &known, now)?;
            if plan.puts.is_empty() || self.store.put(plan.puts).await? {
                return Ok(plan.admissions);
            }
            pause(attempt, ids.first().map(ClaimId::as_str).unwrap_or_default()).await;
        }
        Err(lost())
    }

    /// The claims that others name as their leaders', and that are not among the candidates': a copy of the function whose rules
    /// are others wrote them.
    async fn absent_leaders(
        &self,
        known: &[KnownCandidate],
        ids: &[ClaimId],
        candidates: &[Candidate<'_>],
        now: Timestamp,
    ) -> Result<Vec<(ClaimId, Claim)>, StoreError> {
        let mut absent: Vec<ClaimId> = known.iter().filter_map(|known| known.claim.as_ref()?.leader.clone()).collect();
        absent.retain(|leader| !ids.contains(leader));
        absent.sort_unstable();
        absent.dedup();
        let Some(Candidate { channel, .. }) = candidates.first().filter(|_| !absent.is_empty()) else {
            return Ok(Vec::new());
        };
        let keys: Vec<ItemKey> = absent.iter().map(|leader| claim_key(DeliveryKey::new(leader, channel))).collect();
        let items = self.store.get(&keys).await?;
        let claims =
            absent.into_iter().zip(&items).filter_map(|(leader, item)| Some((leader, readable(item.as_ref(), now)?)));
        Ok(claims.collect())
    }

    /// Notes that a roll-up, or the updates of an incident, have been ordered; a roll-up in a list of those of its minute, too, where
    /// a channel tells them together. That another noted it first is as good.
    ///
    /// # Errors
    /// That the store does not answer.
    pub async fn roll_up_scheduled(
        &self,
        group: &str,
        order: &RollUpOrder,
        list: Option<RollUpList<'_>>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for attempt in 0..TRIES {
            let key = group_key(group);
            let item = self.get(&key).await?;
            let window = Group::in_item(item.as_ref(), now).filter(|window| window.alert == order.alert);
            let Some(window) = window.filter(|window| order.updates.is_some() || !window.roll_up_scheduled) else {
                return Ok(());
            };
            let entry = list.map(|RollUpList { channel, minute }| {
                let entry = ListedItem { finding: window.finding.clone(), lead: window.lead.clone() };
                Ok(Put {
                    key: ItemKey::new(listed(channel, minute), window.alert.as_str()),
                    expect: Expect::Anything,
                    attributes: attributes(&entry)?,
                    expires: window.ends.plus(SUM_GRACE),
                })
            });
            let expires = window.ends.plus(WINDOW_GRACE);
            let noted = match (&order.updates, window.incident()) {
                (Some(updates), Some(mut incident)) => {
                    incident.note_ordered(updates);
                    window.with_incident(incident)
                }
                _ => Group { roll_up_scheduled: true, ..window },
            };
            let noted = attributes(&noted)?;
            let mut puts = vec![Put { key, expect: Expect::same(item.as_ref()), attributes: noted, expires }];
            puts.extend(entry.transpose()?);
            if self.store.put(puts).await? {
                return Ok(());
            }
            pause(attempt, order.finding.id.as_str()).await;
        }
        Err(lost())
    }
}

fn claim_of(candidate: &Candidate<'_>, id: &ClaimId) -> ItemKey {
    claim_key(DeliveryKey::new(id, candidate.channel))
}

fn shared_of(candidate: &Candidate<'_>) -> Option<ItemKey> {
    candidate.finding.shared_call().map(|call| shared_key(&call, candidate.channel))
}

/// What was read of a candidate.
fn known<'i>(
    candidate: &Candidate<'_>,
    id: &ClaimId,
    item: impl Fn(&ItemKey) -> Option<&'i StoredItem>,
    now: Timestamp,
) -> KnownCandidate {
    let claim_key = claim_of(candidate, id);
    let claim = item(&claim_key);
    let group = candidate.group.map(|(group, _)| item(&group_key(group)));
    let shared = shared_of(candidate).map(|key| (item(&key), key));
    KnownCandidate {
        claim: readable(claim, now),
        claim_key,
        claim_expect: Expect::same(claim),
        group: group.flatten().and_then(|item| Group::in_item(Some(item), now)),
        group_expect: Expect::same(group.flatten()),
        shared: shared.map(|(item, key)| (key, Expect::same(item), readable(item, now))),
    }
}
