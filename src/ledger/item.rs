//! What the ledger's items hold. docs/design/ledger.md has the table of their keys and lives.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::policy::{HasWindow, ThrottleWindow};
use super::store::{Attributes, ItemKey, StoreError, StoredItem};
use crate::finding::Finding;
use crate::ids::{AlertId, ClaimId};
use crate::time::Timestamp;

/// How long a claim is remembered: a day longer than a dead letter may lie before it is sent through again, which is SQS's
/// longest, 14 days.
/// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>
pub(super) const CLAIM_TTL: Duration = Duration::from_hours(15 * 24);
/// How long what belongs to a window, or to a minute, is kept after its end: a sum that is due may itself be tried for a day.
pub(super) const WINDOW_GRACE: Duration = Duration::from_hours(2 * 24);

/// What was decided of a finding on one channel. Decided once: a later look finds the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The alert that the message belongs to.
    pub alert: AlertId,
    /// The claim of the finding that opened the alert: by it a repeat finds the receipt of the alert's first message.
    pub opener: ClaimId,
    /// Whether it is a repeat that goes out all the same, being worse than those before it.
    #[serde(rename = "repeat")]
    pub is_repeat: bool,
}

/// Names one delivery: a finding, or a sum of some, on one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryKey<'a> {
    /// The id of the finding, or the sum's own.
    pub id: &'a ClaimId,
    /// The name of the channel, or [`OPERATIONAL`](super::OPERATIONAL).
    pub channel: &'a str,
}

impl<'a> DeliveryKey<'a> {
    /// The delivery of this finding or sum to this channel.
    pub const fn new(id: &'a ClaimId, channel: &'a str) -> Self {
        Self { id, channel }
    }
}

/// A claim: what is known of one delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// What was decided when it was first claimed: it holds for whoever takes it later.
    #[serde(flatten)]
    pub decision: Decision,
    /// The end of the lease: whoever is sending it will have ended by then, alive or dead. Of one that was delivered, digested or
    /// handed back, the time at which it was.
    pub until: Timestamp,
    /// How it ended, if it has.
    pub done: Option<DoneAs>,
    /// What the vendor calls the message that arrived (Slack's `ts`, a ticket's number), if it calls it anything.
    pub receipt: Option<String>,
}

/// How a delivery was done with: it went out, or its finding is in a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DoneAs {
    /// It arrived.
    Delivered,
    /// It is a repeat, and in the roll-up of its alert.
    Throttled,
    /// It was one too many in its minute, and is in that minute's digest.
    Digested,
}

/// The window of a group: of findings that are repeats of one another, on one channel. [`ThrottleWindow`] tells of its life.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) alert: AlertId,
    pub(super) opener: ClaimId,
    pub(super) ends: Timestamp,
    /// The highest severity of the alerts that went out in it.
    pub(super) highest: crate::severity::Severity,
    /// Whether its roll-up has been scheduled.
    #[serde(rename = "announced")]
    pub(super) roll_up_scheduled: bool,
    /// The opener, for the roll-up: JSON, without what is long.
    pub(super) finding: String,
}

impl HasWindow for Group {
    fn window(&self) -> ThrottleWindow {
        ThrottleWindow { ends: self.ends, highest: self.highest }
    }
}

impl Group {
    /// What is decided of a finding that belongs to the window's alert.
    pub(super) fn decision(&self, is_repeat: bool) -> Decision {
        Decision { alert: self.alert.clone(), opener: self.opener.clone(), is_repeat }
    }

    pub(super) fn opener_finding(&self) -> Result<Finding, StoreError> {
        serde_json::from_str(&self.finding).map_err(|error| StoreError(format!("an item cannot be read: {error}")))
    }
}

pub(super) fn claim_key(key: DeliveryKey<'_>) -> ItemKey {
    ItemKey::new(claims(key.id), key.channel)
}

/// The partition of a delivery's claims, one on each channel.
pub(super) fn claims(id: &ClaimId) -> String {
    format!("finding#{id}")
}

pub(super) fn group_key(group: &str) -> ItemKey {
    ItemKey::new(format!("group#{group}"), "window")
}

pub(super) fn repeats(alert: &AlertId) -> String {
    format!("alert#{}", alert.as_str())
}

pub(super) fn minute(channel: &str, minute: u64) -> String {
    format!("minute#{channel}#{minute}")
}

pub(super) fn threshold(id: &str) -> String {
    format!("threshold#{id}")
}

/// What an item holds, unless it has expired.
pub(super) fn read<T: DeserializeOwned>(item: Option<&StoredItem>, now: Timestamp) -> Result<Option<T>, StoreError> {
    let Some(item) = item.filter(|item| item.expires > now) else { return Ok(None) };
    T::deserialize(&*item.attributes).map(Some).map_err(|error| StoreError(format!("an item cannot be read: {error}")))
}

pub(super) fn attributes(value: &impl Serialize) -> Result<Attributes, StoreError> {
    match serde_json::to_value(value) {
        Ok(Value::Object(attributes)) => Ok(attributes),
        _ => Err(StoreError("an item cannot be written".to_owned())),
    }
}
