//! Whether the findings of a record go out on a channel: one opens an alert, or is a repeat of one that is open. What goes out
//! takes the others with it, in one message.

use std::collections::HashMap;
use std::future::Future;
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
use super::silencing::Silencing;
use super::store::{Attributes, Expect, ItemKey, Put, Store, StoreError, StoredItem, Written};
use super::sum::RollUpOrder;
use super::together::{Known, KnownCandidate, Plan, plan};
use super::windows::OpenWindows;
use crate::ids::ClaimId;
use crate::time::Timestamp;

/// What the process remembers between its invocations, of what is asked when findings are admitted.
#[derive(Debug, Clone, Copy)]
pub struct Remembered<'m> {
    pub(super) silences: &'m Silences,
    pub(super) windows: &'m OpenWindows,
}

/// What is known of the item under a key.
#[derive(Debug, Clone)]
struct Seen {
    item: Option<StoredItem>,
    /// What is expected of it when it is written.
    expect: Expect,
}

impl Seen {
    const ABSENT: Self = Self { item: None, expect: Expect::Absent };

    fn new(item: Option<StoredItem>) -> Self {
        Self { expect: Expect::same(item.as_ref()), item }
    }
}

impl<S: Store> Ledger<S> {
    /// What this process remembers.
    pub const fn remembered(&self) -> Remembered<'_> {
        Remembered { silences: &self.silences, windows: &self.windows }
    }

    /// Decides what becomes of the findings of one record on one channel, [`policy::MOST_TOGETHER`](super::policy::MOST_TOGETHER)
    /// at most, and claims what goes out; an answer for each, in their order. Asked again, the answer is the same, but for what
    /// has been done meanwhile.
    ///
    /// # Errors
    /// That the store does not answer.
    pub async fn admit(&self, candidates: &[Candidate<'_>], now: Timestamp) -> Result<Vec<Admission>, StoreError> {
        self.admit_with(candidates, self.remembered(), now).await
    }

    /// As [`Ledger::admit`], with what another ledger of the process remembers.
    ///
    /// What is new, as far as the process knows, is claimed without a look before: the store writes it if nothing stands there, or
    /// else says what does. Silences that were read long ago are read beside that; if one of them holds something back, what was
    /// written is taken back. Who dies in between has claimed a message, and Lambda tries again: it is sent although it was silenced.
    ///
    /// # Errors
    /// That the store does not answer.
    pub async fn admit_with(
        &self,
        candidates: &[Candidate<'_>],
        remembered: Remembered<'_>,
        now: Timestamp,
    ) -> Result<Vec<Admission>, StoreError> {
        let ids: Vec<ClaimId> = candidates.iter().map(|candidate| ClaimId::from(&candidate.finding.id)).collect();
        let keys = keys(candidates, &ids);
        let mut silences = pin!(self.silences_about(candidates, remembered.silences, now).fuse());
        let mut known_silences = silences.as_mut().now_or_never();
        let groups = || candidates.iter().filter_map(|candidate| candidate.group);
        let is_new = groups().all(|(group, _)| remembered.windows.has_none_of(group, now));
        let mut seen = is_new.then(|| vec![Seen::ABSENT; keys.len()]);
        let mut to_take_back: Vec<Put> = Vec::new();
        for attempt in 0..TRIES {
            let known = if let Some(seen) = seen.take() {
                seen
            } else {
                let read = unless_known(&mut silences, known_silences.as_ref());
                let (items, read) = join(self.store.get(&keys), read).await;
                known_silences = known_silences.or(read);
                items?.into_iter().map(Seen::new).collect()
            };
            let Plan { admissions, mut puts } =
                self.planned(candidates, &ids, (&keys, &known), known_silences.as_deref(), now).await?;
            let is_put = |key: &ItemKey, puts: &[Put]| puts.iter().any(|put| put.key == *key);
            let left: Vec<Put> = to_take_back.iter().filter(|put| !is_put(&put.key, &puts)).cloned().collect();
            puts.extend(left);
            let placed: Vec<(ItemKey, Expect)> = puts.iter().map(|put| (put.key.clone(), put.expect)).collect();
            let are_known = known_silences.is_some();
            let write = async { if puts.is_empty() { Ok(Written::Whole) } else { self.store.write(puts).await } };
            let (written, read) = join(write, unless_known(&mut silences, known_silences.as_ref())).await;
            known_silences = known_silences.or(read);
            seen = match written? {
                Written::Whole
                    if are_known || !self.is_any_silenced(candidates, known_silences.as_deref(), now).await? =>
                {
                    groups().for_each(|(group, holding)| remembered.windows.note(group, now.plus(holding.length())));
                    return Ok(admissions);
                }
                // What was not known to be silenced is judged anew, over what was written of it: by what has expired, if by nothing else.
                Written::Whole => {
                    let over =
                        |key: &ItemKey| placed.iter().find(|(put, _)| put == key).map(|(_, expect)| after(*expect));
                    let seen = |key| Seen { item: None, expect: over(key).unwrap_or(Expect::Absent) };
                    let seen = keys.iter().map(seen).collect();
                    let nothing =
                        |(key, expect)| Put { key, expect: after(expect), attributes: Attributes::new(), expires: now };
                    to_take_back = placed.into_iter().map(nothing).collect();
                    Some(seen)
                }
                Written::Nothing { found: Some(found) } => {
                    let found = placed.into_iter().zip(found).filter_map(|((key, _), item)| Some((key, item?)));
                    let found: HashMap<ItemKey, StoredItem> = found.collect();
                    if to_take_back.iter().any(|put| found.contains_key(&put.key)) {
                        // Whoever has written over what was claimed may have told of it: it is looked at anew.
                        to_take_back.clear();
                        None
                    } else {
                        let seen = |(key, seen)| found.get(key).map_or(seen, |item| Seen::new(Some(item.clone())));
                        Some(keys.iter().zip(known).map(seen).collect())
                    }
                }
                Written::Nothing { found: None } => {
                    to_take_back.clear();
                    pause(attempt, ids.first().map(ClaimId::as_str).unwrap_or_default()).await;
                    None
                }
            };
        }
        Err(lost())
    }

    /// The silences that may concern one of these, read anew if that was long ago.
    async fn silences_about(
        &self,
        candidates: &[Candidate<'_>],
        silences: &Silences,
        now: Timestamp,
    ) -> Vec<KnownSilence> {
        let may_be_silenced = |candidate: &Candidate<'_>| {
            let finding = candidate.finding;
            candidate.may_be_silenced && silence::may_be_silenced(&finding.rule.id, finding.severity)
        };
        if candidates.iter().any(may_be_silenced) {
            self.known_silences(silences, now).await.unwrap_or_default()
        } else {
            Vec::new()
        }
    }

    /// Whether one of these is held back by a silence, or is to name one.
    async fn is_any_silenced(
        &self,
        candidates: &[Candidate<'_>],
        silences: Option<&[KnownSilence]>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let silencing = self.silencing(candidates, silences.unwrap_or_default(), now).await?;
        Ok(silencing.iter().any(|silencing| !matches!(silencing, Silencing::None)))
    }

    /// What is to be done, by what is known.
    async fn planned(
        &self,
        candidates: &[Candidate<'_>],
        ids: &[ClaimId],
        (keys, seen): (&[ItemKey], &[Seen]),
        silences: Option<&[KnownSilence]>,
        now: Timestamp,
    ) -> Result<Plan, StoreError> {
        let silencing = self.silencing(candidates, silences.unwrap_or_default(), now).await?;
        let seen = |key: &ItemKey| keys.iter().position(|known| known == key).map_or(&Seen::ABSENT, |at| &seen[at]);
        let known: Vec<KnownCandidate> =
            candidates.iter().zip(ids).map(|(candidate, id)| known(candidate, id, seen, now)).collect();
        let leaders = self.absent_leaders(&known, ids, candidates, now).await?;
        plan(candidates, ids, &Known { leaders, candidates: known, silencing }, now)
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

/// The keys of what is asked about these, each once.
fn keys(candidates: &[Candidate<'_>], ids: &[ClaimId]) -> Vec<ItemKey> {
    let mut keys: Vec<ItemKey> = Vec::with_capacity(3 * candidates.len());
    for (candidate, id) in candidates.iter().zip(ids) {
        // The shared call is asked for together with the others: a record that shares nothing costs nothing, and one that does
        // no request.
        let own =
            [Some(claim_of(candidate, id)), candidate.group.map(|(group, _)| group_key(group)), shared_of(candidate)];
        // No key may be asked for twice.
        own.into_iter().flatten().for_each(|key| {
            if !keys.contains(&key) {
                keys.push(key);
            }
        });
    }
    keys
}

/// What has still to be read.
async fn unless_known<T>(read: impl Future<Output = T>, known: Option<&T>) -> Option<T> {
    if known.is_some() { None } else { Some(read.await) }
}

/// What is expected of an item that was written so.
const fn after(expect: Expect) -> Expect {
    match expect {
        Expect::Anything => Expect::Anything,
        other => Expect::Version(other.next_version()),
    }
}

fn claim_of(candidate: &Candidate<'_>, id: &ClaimId) -> ItemKey {
    claim_key(DeliveryKey::new(id, candidate.channel))
}

fn shared_of(candidate: &Candidate<'_>) -> Option<ItemKey> {
    candidate.finding.shared_call().map(|call| shared_key(&call, candidate.channel))
}

/// What is known of a candidate.
fn known<'s>(
    candidate: &Candidate<'_>,
    id: &ClaimId,
    seen: impl Fn(&ItemKey) -> &'s Seen,
    now: Timestamp,
) -> KnownCandidate {
    let claim_key = claim_of(candidate, id);
    let claim = seen(&claim_key);
    let group = candidate.group.map_or(&Seen::ABSENT, |(group, _)| seen(&group_key(group)));
    let shared = shared_of(candidate).map(|key| (seen(&key), key));
    KnownCandidate {
        claim: readable(claim.item.as_ref(), now),
        claim_key,
        claim_expect: claim.expect,
        group: group.item.as_ref().and_then(|item| Group::in_item(Some(item), now)),
        group_expect: group.expect,
        shared: shared.map(|(seen, key)| (key, seen.expect, readable(seen.item.as_ref(), now))),
    }
}
