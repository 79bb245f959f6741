//! What silences hold back: they are read beside the admission, once a minute, and a silence holds nothing back on a channel before
//! a message there has named it and has arrived.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::candidate::Candidate;
use super::item::{Claim, DeliveryKey, DoneAs, Lead, SUM_GRACE, attributes, claim_key, readable};
use super::optimistic::{Ledger, TRIES, lost, pause};
use super::policy::{self, CLOCK_SKEW, MAX_LEASE, SETTLING};
use super::silence::{Silence, alert_of_silence};
use super::silences::{KnownSilence, READ_AGAIN_AFTER, Silences};
use super::store::{ALL, Expect, ItemKey, Put, Store, StoreError, StoredItem};
use super::sum::{RollUpOrder, SilenceOrder};
use crate::alert::SilenceNotice;
use crate::finding::Finding;
use crate::ids::ClaimId;
use crate::severity::Severity;
use crate::time::Timestamp;

/// The partition of all silences.
const SILENCES: &str = "silences";
/// Silences that are read: nobody has so many.
const MOST: usize = 200;
/// How long after a silence was seen to have ended before its time its roll-up is made: every copy of the function has read so by
/// then, and whoever held something back before has written it.
pub const AFTER_EARLY_END: Duration = READ_AGAIN_AFTER.saturating_add(MAX_LEASE).saturating_add(CLOCK_SKEW);
/// How long a roll-up waits before it looks again whether its silence still runs.
pub const LOOKS_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// On one channel: the message that names a silence, and whether the roll-up is ordered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Announcement {
    /// The claim of the message that names it.
    pub(super) claim: ClaimId,
    /// The severity of the finding in it: what is worse is not held back.
    pub(super) severity: Severity,
    /// The alert in which people read of it.
    #[serde(flatten)]
    pub(super) lead: Lead,
    /// The finding, for the roll-up: JSON, without what is long.
    pub(super) finding: String,
    /// Whether the roll-up is ordered.
    pub(super) ordered: bool,
}

/// What a silence makes of a finding that is new.
#[derive(Debug, Clone)]
pub(super) enum Silencing {
    /// No silence is about it.
    None,
    /// One would hold it back, and nobody has been told of that one here: the message names it.
    Announces(Announces),
    /// It is held back.
    HoldsBack(Box<HoldsBack>),
}

#[derive(Debug, Clone)]
pub(super) struct Announces {
    pub(super) notice: SilenceNotice,
    key: ItemKey,
    expect: Expect,
    expires: Timestamp,
}

#[derive(Debug, Clone)]
pub(super) struct HoldsBack {
    /// The order of its roll-up.
    pub(super) order: RollUpOrder,
    /// Whether that has still to be ordered.
    pub(super) is_unordered: bool,
    /// Until when what is held back is kept.
    pub(super) expires: Timestamp,
}

impl Announces {
    /// The item that says in which message the silence is named.
    pub(super) fn put(&self, claim: &ClaimId, finding: &Finding, lead: Lead) -> Result<Put, StoreError> {
        let brief = serde_json::to_string(&finding.brief()).map_err(|error| StoreError(error.to_string()))?;
        let (claim, severity) = (claim.clone(), finding.severity);
        let announcement = Announcement { claim, severity, lead, finding: brief, ordered: false };
        let (key, expires) = (self.key.clone(), self.expires);
        Ok(Put { key, expect: self.expect, attributes: attributes(&announcement)?, expires })
    }
}

/// How a silence stands for whoever has to make its roll-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SilenceStanding {
    /// It runs, or nobody can say: look again.
    Runs,
    /// It was ended.
    Ended,
}

fn silence_key(id: &str) -> ItemKey {
    ItemKey::new(SILENCES, id)
}

fn announcement_key(id: &str, channel: &str) -> ItemKey {
    ItemKey::new(format!("silence#{id}"), channel)
}

impl<S: Store> Ledger<S> {
    /// What this process has read of silences.
    pub const fn silences(&self) -> &Silences {
        &self.silences
    }

    /// Writes a silence down.
    ///
    /// # Errors
    /// The store does not answer. The same holds for the methods below.
    pub async fn add_silence(&self, silence: &Silence) -> Result<String, StoreError> {
        let id = silence.id();
        if self.write(silence_key(&id), Expect::Anything, silence, silence.until.plus(SUM_GRACE)).await? {
            Ok(id)
        } else {
            Err(lost())
        }
    }

    /// Ends a silence now, and returns it; none if there is no such silence.
    pub async fn end_silence(&self, id: &str, now: Timestamp) -> Result<Option<Silence>, StoreError> {
        for attempt in 0..TRIES {
            let item = self.get(&silence_key(id)).await?;
            let Some(silence) = readable::<Silence>(item.as_ref(), now) else { return Ok(None) };
            let ended = Silence { ended: Some(silence.ended.map_or(now, |ended| ended.min(now))), ..silence };
            let expires = ended.until.plus(SUM_GRACE);
            if self.write(silence_key(id), Expect::same(item.as_ref()), &ended, expires).await? {
                return Ok(Some(ended));
            }
            pause(attempt, id).await;
        }
        Err(lost())
    }

    /// All silences that are kept, with their ids: those that run, and those that have ended.
    pub async fn kept_silences(&self, now: Timestamp) -> Result<Vec<KnownSilence>, StoreError> {
        let found = self.store.query(SILENCES, ALL, false, MOST).await?;
        Ok(found.into_iter().filter_map(|(id, item)| Some((id, readable(Some(&item), now)?))).collect())
    }

    /// The silences that a process knows, read if that was more than a minute ago; `None` where the store does not answer.
    pub async fn known_silences(&self, silences: &Silences, now: Timestamp) -> Option<Vec<KnownSilence>> {
        let reading = silences.reading(now);
        let read = async || match self.kept_silences(now).await {
            Ok(known) => Some(known),
            Err(error) => {
                tracing::warn!(reason = %error, "the ledger does not say what is silenced: nothing is");
                None
            }
        };
        reading.answer.get_or_init(read).await.clone()
    }

    /// How a silence stands.
    pub async fn silence_standing(&self, silences: &Silences, id: &str, now: Timestamp) -> SilenceStanding {
        let Some(known) = self.known_silences(silences, now).await else { return SilenceStanding::Runs };
        let runs = known.iter().any(|(known, silence)| known == id && silence.runs(now));
        if runs { SilenceStanding::Runs } else { SilenceStanding::Ended }
    }

    /// Notes that the roll-up of a silence is ordered on a channel. That another noted it first is as good.
    pub async fn silence_ordered(&self, id: &str, channel: &str, now: Timestamp) -> Result<(), StoreError> {
        for attempt in 0..TRIES {
            let key = announcement_key(id, channel);
            let item = self.get(&key).await?;
            let Some((announcement, stored)) = readable::<Announcement>(item.as_ref(), now).zip(item.as_ref()) else {
                return Ok(());
            };
            let noted = Announcement { ordered: true, ..announcement };
            if self.write(key, Expect::same(Some(stored)), &noted, stored.expires).await? {
                return Ok(());
            }
            pause(attempt, id).await;
        }
        Err(lost())
    }

    /// What silences make of the candidates, each in its place.
    pub(super) async fn silencing(
        &self,
        candidates: &[Candidate<'_>],
        known: &[KnownSilence],
        now: Timestamp,
    ) -> Result<Vec<Silencing>, StoreError> {
        let about = |candidate: &Candidate<'_>| -> Vec<&KnownSilence> {
            let runs = known.iter().filter(|(_, silence)| silence.runs(now));
            runs.filter(|(_, silence)| candidate.may_be_silenced && silence.is_about(candidate.finding)).collect()
        };
        let about: Vec<Vec<&KnownSilence>> = candidates.iter().map(about).collect();
        let mut ids: Vec<&str> = about.iter().flatten().map(|(id, _)| id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        let Some(Candidate { channel, .. }) = candidates.first().filter(|_| !ids.is_empty()) else {
            return Ok(vec![Silencing::None; candidates.len()]);
        };
        let keys: Vec<ItemKey> = ids.iter().map(|id| announcement_key(id, channel)).collect();
        let items = self.store.get(&keys).await?;
        let announcements: Vec<Option<Announcement>> = items.iter().map(|item| readable(item.as_ref(), now)).collect();
        let claims = self.claims_of(&announcements, channel, now).await?;
        let standing = |(id, _): &KnownSilence| -> (Standing, Option<usize>) {
            let place = ids.iter().position(|known| known == id);
            let announcement = place.and_then(|place| announcements[place].as_ref());
            let claim = announcement.and_then(|of| claims.iter().find(|(id, _)| *id == of.claim)?.1.as_ref());
            let standing = match (announcement, claim) {
                (Some(_), Some(claim)) if claim.done.is_none() && policy::is_held(claim.until, now) => {
                    Standing::BeingTold
                }
                (Some(of), Some(claim)) if names(claim, id) => Standing::Told(of.severity),
                _ => Standing::Unknown,
            };
            (standing, place)
        };
        let silencing = candidates.iter().zip(&about).map(|(candidate, about)| {
            let mut announces = Silencing::None;
            for known in about {
                let (standing, Some(place)) = standing(known) else { continue };
                let (item, announcement) = (items[place].as_ref(), announcements[place].as_ref());
                match (standing, announcement) {
                    (Standing::Told(told), Some(announcement)) if candidate.finding.severity <= told => {
                        return Ok(Silencing::HoldsBack(Box::new(holds_back(known, channel, announcement)?)));
                    }
                    (Standing::Unknown, _) if matches!(announces, Silencing::None) => {
                        announces = Silencing::Announces(announcing(known, keys[place].clone(), item));
                    }
                    _ => {}
                }
            }
            Ok(announces)
        });
        silencing.collect()
    }

    /// The claims of the messages that name silences.
    async fn claims_of(
        &self,
        announcements: &[Option<Announcement>],
        channel: &str,
        now: Timestamp,
    ) -> Result<Vec<(ClaimId, Option<Claim>)>, StoreError> {
        let mut ids: Vec<ClaimId> = announcements.iter().flatten().map(|of| of.claim.clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<ItemKey> = ids.iter().map(|id| claim_key(DeliveryKey::new(id, channel))).collect();
        let items = self.store.get(&keys).await?;
        Ok(ids.into_iter().zip(items.iter().map(|item| readable(item.as_ref(), now))).collect())
    }
}

/// How far people on a channel have been told of a silence.
enum Standing {
    /// Nobody has been, or nobody will be by the message that was to name it.
    Unknown,
    /// Somebody is sending the message that names it.
    BeingTold,
    /// The message that names it has arrived, and its finding was of this severity.
    Told(Severity),
}

/// Whether a claim is of a message that has arrived and names the silence.
fn names(claim: &Claim, id: &str) -> bool {
    claim.done == Some(DoneAs::Delivered) && claim.decision.silence.as_ref().is_some_and(|notice| notice.id == id)
}

fn announcing((id, silence): &KnownSilence, key: ItemKey, item: Option<&StoredItem>) -> Announces {
    let expires = silence.until.plus(SUM_GRACE);
    Announces { notice: silence.notice(id), key, expect: Expect::same(item), expires }
}

fn holds_back(
    (id, silence): &KnownSilence,
    channel: &str,
    announcement: &Announcement,
) -> Result<HoldsBack, StoreError> {
    let finding = serde_json::from_str(&announcement.finding)
        .map_err(|error| StoreError(format!("an item cannot be read: {error}")))?;
    let order = SilenceOrder { id: id.clone(), until: silence.until, ended: false };
    let order = RollUpOrder {
        alert: alert_of_silence(id, channel),
        ends: silence.until,
        finding,
        lead: Some(announcement.lead.clone()),
        updates: None,
        silence: Some(order),
    };
    Ok(HoldsBack { order, is_unordered: !announcement.ordered, expires: silence.until.plus(SUM_GRACE) })
}

/// When the roll-up of a silence that ends then is made at the latest.
pub fn silence_roll_up_due(until: Timestamp) -> Timestamp {
    until.plus(SETTLING)
}
