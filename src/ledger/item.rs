//! What the ledger's items hold. ARCHITECTURE.md has the table of their keys and lives.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::store::{Attributes, Fault, Item, Key};
use crate::finding::Finding;
use crate::ids::AlertId;
use crate::ids::FindingId;
use crate::time::Timestamp;

/// How long a delivery that is done is remembered: a day longer than a dead letter may lie before it is sent through again.
pub(super) const MEMORY: Duration = Duration::from_hours(15 * 24);
/// How long what belongs to a window is kept after its end.
pub(super) const AFTERMATH: Duration = Duration::from_hours(2 * 24);

/// What was decided of a finding on one channel. Decided once: a later look finds the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// The alert that the message belongs to.
    pub alert: AlertId,
    /// The finding that opened the alert.
    pub opener: FindingId,
    /// Whether it is a repeat that goes out all the same, being worse than those before it.
    pub repeat: bool,
}

/// One delivery: a finding (or a sum of some) × a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claim {
    #[serde(flatten)]
    pub(super) ticket: Ticket,
    /// Somebody is sending it, and will have ended by then, alive or dead.
    pub(super) until: Timestamp,
    /// How it ended, if it has.
    pub(super) done: Option<How>,
    /// What the vendor calls the message.
    pub(super) receipt: Option<String>,
}

/// How a delivery was done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum How {
    Delivered,
    Throttled,
    Digested,
}

/// The window that is open in a group: findings that are repeats of one another, on one channel.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) alert: AlertId,
    pub(super) opener: FindingId,
    pub(super) ends: Timestamp,
    /// Of the alerts that went out.
    pub(super) highest: crate::severity::Severity,
    /// Whether a roll-up has been ordered.
    pub(super) announced: bool,
    /// The opener, for the roll-up: JSON, without what is long.
    pub(super) finding: String,
}

impl Group {
    pub(super) fn opener_finding(&self) -> Result<Finding, Fault> {
        serde_json::from_str(&self.finding).map_err(|error| Fault(format!("an item cannot be read: {error}")))
    }
}

pub(super) fn claim_key(finding: &FindingId, channel: &str) -> Key {
    Key::new(format!("finding#{finding}"), channel)
}

pub(super) fn group_key(group: &str) -> Key {
    Key::new(format!("group#{group}"), "window")
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
pub(super) fn read<T: DeserializeOwned>(item: Option<&Item>, now: Timestamp) -> Result<Option<T>, Fault> {
    let Some(item) = item.filter(|item| item.expires > now) else { return Ok(None) };
    T::deserialize(&*item.attributes).map(Some).map_err(|error| Fault(format!("an item cannot be read: {error}")))
}

pub(super) fn attributes(value: &impl Serialize) -> Result<Attributes, Fault> {
    match serde_json::to_value(value) {
        Ok(Value::Object(attributes)) => Ok(attributes),
        _ => Err(Fault("an item cannot be written".to_owned())),
    }
}
