//! What was held back, summed up: roll-ups of repeats, and digests of too many alerts.

use std::time::Duration;

use serde::de::DeserializeOwned;

use super::Ledger;
use super::item::{AFTERMATH, Claim, How, MEMORY, Ticket, attributes, claim_key, minute, read, repeats};
use super::store::{ALL, Attributes, COUNT, Expect, Fault, Item, Key, Put, Store};
use crate::alert::{Digest, RollUp};
use crate::finding::Finding;
use crate::ids::AlertId;
use crate::ids::FindingId;
use crate::severity::Severity;
use crate::time::Timestamp;

/// A roll-up that must be ordered, because a repeat is about to be held back.
#[derive(Debug, Clone)]
pub struct RollUpOrder {
    /// The alert whose repeats they are.
    pub alert: AlertId,
    /// When its window ends.
    pub ends: Timestamp,
    /// The opener's finding, without what is long.
    pub finding: Finding,
}

impl PartialEq for RollUpOrder {
    fn eq(&self, other: &Self) -> bool {
        (&self.alert, self.ends, &self.finding.id) == (&other.alert, other.ends, &other.finding.id)
    }
}

impl Eq for RollUpOrder {}

/// What becomes of an alert that is one too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crowd {
    /// It is the first of its minute: order the digest, [say so](Ledger::digest_announced), and ask again.
    Announce,
    /// It is counted for the digest, and done with.
    Digested,
}

/// A digest is made of so many items at most.
const MOST: usize = 200_000;

impl<S: Store> Ledger<S> {
    /// Counts an alert that is about to go out, and says how many there are of its severity on this channel in this minute.
    ///
    /// # Errors
    /// That the store does not answer, here and below.
    pub async fn count_alert(&self, channel: &str, severity: Severity, now: Timestamp) -> Result<u64, Fault> {
        self.store.count(counter(channel, severity, now), now.plus(AFTERMATH)).await
    }

    /// How many alerts of a severity have been counted on this channel in this minute.
    pub async fn alerts_counted(&self, channel: &str, severity: Severity, now: Timestamp) -> Result<u64, Fault> {
        let item = self.get(&counter(channel, severity, now)).await?;
        Ok(item.and_then(|item| item.attributes.get(COUNT)?.as_u64()).unwrap_or_default())
    }

    /// Counts a delivery for the digest of a minute, instead of sending it: by its id, as `one`.
    pub async fn digest(
        &self,
        channel: &str,
        of_minute: u64,
        (id, ticket, one): (&FindingId, &Ticket, &Digest),
        now: Timestamp,
    ) -> Result<Crowd, Fault> {
        let partition = minute(channel, of_minute);
        if self.get(&Key::new(&partition, ANNOUNCED)).await?.is_none() {
            return Ok(Crowd::Announce);
        }
        let entry = Key::new(partition, format!("{ENTRY}{id}"));
        let claim = Claim { ticket: ticket.clone(), until: now, done: Some(How::Digested), receipt: None };
        let claim_key = claim_key(id, channel);
        let put = |key, attributes, expires| Put { key, expect: Expect::Anything, attributes, expires };
        let puts = vec![
            put(claim_key, attributes(&claim)?, now.plus(MEMORY)),
            put(entry, attributes(one)?, now.plus(AFTERMATH)),
        ];
        self.store.put(puts).await?;
        Ok(Crowd::Digested)
    }

    /// Notes that the digest of a minute has been ordered.
    pub async fn digest_announced(&self, channel: &str, of_minute: u64, now: Timestamp) -> Result<(), Fault> {
        let key = Key::new(minute(channel, of_minute), ANNOUNCED);
        let put = Put { key, expect: Expect::Anything, attributes: Attributes::new(), expires: now.plus(AFTERMATH) };
        self.store.put(vec![put]).await.map(drop)
    }

    /// The repeats of an alert that were held back.
    pub async fn roll_up(&self, alert: &AlertId, now: Timestamp) -> Result<RollUp, Fault> {
        let mut sum = RollUp::default();
        for one in self.all::<RollUp>(&repeats(alert), ALL, now).await? {
            sum.merge(&one);
        }
        Ok(sum)
    }

    /// The alerts of a minute that were held back.
    pub async fn digest_of(&self, channel: &str, of_minute: u64, now: Timestamp) -> Result<Digest, Fault> {
        let mut sum = Digest::default();
        let last = format!("{ENTRY}~");
        for one in self.all::<Digest>(&minute(channel, of_minute), (ENTRY, &last), now).await? {
            sum.merge(&one);
        }
        Ok(sum)
    }

    async fn all<T: DeserializeOwned>(
        &self,
        partition: &str,
        between: (&str, &str),
        now: Timestamp,
    ) -> Result<Vec<T>, Fault> {
        let found: Vec<(String, Item)> = self.store.query(partition, between, false, MOST).await?;
        found.iter().filter_map(|(_, item)| read(Some(item), now).transpose()).collect()
    }
}

/// The sort key of the note that a digest has been ordered.
const ANNOUNCED: &str = "announced";
/// How the sort key of an alert in a digest begins.
const ENTRY: &str = "entry#";

/// The key of the counter of a minute's alerts of one severity.
fn counter(channel: &str, severity: Severity, now: Timestamp) -> Key {
    Key::new(minute(channel, now.seconds() / 60), format!("count#{severity}"))
}

/// When what was held back until `end` is summed up: whoever was about to count then has counted.
pub(crate) fn due(end: Timestamp) -> Timestamp {
    end.plus(Duration::from_secs(15))
}
