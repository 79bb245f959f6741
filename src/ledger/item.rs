//! What the ledger's items hold. docs/design/ledger.md has the table of their keys and lives.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::incident::{HasIncident, IncidentWindow, RuleOutcome};
pub(super) use super::policy::CLAIM_TTL;
use super::policy::{HasWindow, ThrottleWindow, ToldTargets};
use super::store::{Attributes, ItemKey, StoreError, StoredItem};
use crate::alert::{RollUp, SilenceNotice};
use crate::finding::Finding;
use crate::ids::{AlertId, ClaimId, PairId, SharedCallId, StableId, TargetId};
use crate::severity::Severity;
use crate::time::Timestamp;

/// When a claim that is written now expires.
pub(super) fn claim_expires(now: Timestamp) -> Timestamp {
    now.plus(CLAIM_TTL)
}
/// How long what belongs to a window, or to a minute, is kept after its end, if no sum is made of it: counters, and what events
/// that come late are compared with.
pub(super) const WINDOW_GRACE: Duration = Duration::from_hours(2 * 24);
/// How long that of which a sum is made is kept after the end of its window, or of its minute. The message that orders the sum
/// may lie in a queue for SQS's 14 days before anybody looks.
pub(super) const SUM_GRACE: Duration = CLAIM_TTL;

/// What was decided of a finding on one channel. Decided once: a later look finds the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The alert that the message belongs to.
    pub alert: AlertId,
    /// The claim of the finding that opened the alert: by it a repeat finds the receipt of the alert's first message.
    pub opener: ClaimId,
    /// Whether it is a repeat that goes out all the same, being news.
    #[serde(rename = "repeat")]
    pub is_repeat: bool,
    /// Of a repeat that goes out: whether it is no worse than those before it, but news for another reason. Until 2026-11-28
    /// there was no such repeat.
    #[serde(rename = "no_worse", default, skip_serializing_if = "std::ops::Not::not")]
    pub is_no_worse: bool,
    /// Where people read of the alert, if its first finding was told in the message of another one.
    #[serde(flatten)]
    pub lead: Option<Lead>,
    /// The severity to which its incident had risen by then, if it had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raised: Option<Severity>,
    /// The silence that its message names, from which on that may hold findings back on the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<SilenceNotice>,
}

impl Decision {
    /// What is decided of the first finding of an alert, which this claim opens.
    pub const fn opening(alert: AlertId, opener: ClaimId) -> Self {
        Self { alert, opener, is_repeat: false, is_no_worse: false, lead: None, raised: None, silence: None }
    }

    /// Where people read of the alert: in another one, or in itself.
    pub fn shown_in(&self) -> Lead {
        self.lead.clone().unwrap_or_else(|| Lead { alert: self.alert.clone(), opener: self.opener.clone() })
    }
}

/// The alert in whose message another one was opened. The vendor knows the two by the one thread, ticket or dedup key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lead {
    /// The alert.
    #[serde(rename = "lead")]
    pub alert: AlertId,
    /// The claim of the finding that opened it, which has the receipt.
    #[serde(rename = "lead_opener")]
    pub opener: ClaimId,
}

/// Names one delivery: a finding, or a sum of some, on one channel; and the others that its message tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryKey<'a> {
    /// The id of the finding, or the sum's own.
    pub id: &'a ClaimId,
    /// The name of the channel, or [`OPERATIONAL`](super::OPERATIONAL).
    pub channel: &'a str,
    /// The ids of those that are told with it.
    pub with: &'a [ClaimId],
}

impl<'a> DeliveryKey<'a> {
    /// The delivery of this finding or sum to this channel.
    pub const fn new(id: &'a ClaimId, channel: &'a str) -> Self {
        Self { id, channel, with: &[] }
    }

    /// The delivery that tells of these, too.
    #[must_use]
    pub const fn with(self, with: &'a [ClaimId]) -> Self {
        Self { with, ..self }
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
    /// The claims of those that its message tells of, too. Theirs are done when this one is, and only if it lists them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<ClaimId>,
    /// The claim of the one in whose message it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader: Option<ClaimId>,
    /// Of an update of an incident: how many findings it tells that no other update does. Versions before 2026-11-29 did not
    /// write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub news: Option<u64>,
}

impl Claim {
    /// A claim that somebody holds until then, and has not done with.
    pub(super) const fn held(decision: Decision, until: Timestamp, with: Vec<ClaimId>) -> Self {
        Self { decision, until, done: None, receipt: None, with, leader: None, news: None }
    }
}

/// A call that several accounts record: which of their findings went this way last. It is kept for each channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SharedCall {
    /// The finding's claim.
    pub(super) finding: ClaimId,
    pub(super) severity: Severity,
}

/// How a delivery was done with: it went out, or its finding is in a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DoneAs {
    /// It arrived.
    Delivered,
    /// It is a repeat, and in the roll-up of its alert.
    Throttled,
    /// It is in the roll-up of a silence.
    Silenced,
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
    pub(super) highest: Severity,
    /// Whether a call that succeeded went out in it. Versions before 2026-11-28 wrote neither this nor the targets; what the
    /// opener tells of both stands in for them.
    #[serde(default)]
    pub(super) succeeded: Option<bool>,
    /// The opener's target.
    #[serde(default)]
    pub(super) target: Option<TargetId>,
    /// The new targets that went out after it, [`policy::NEW_TARGETS`](super::policy::NEW_TARGETS) at most.
    #[serde(default)]
    pub(super) targets: Vec<TargetId>,
    /// Whether its roll-up has been scheduled.
    #[serde(rename = "announced")]
    pub(super) roll_up_scheduled: bool,
    /// The opener, for the roll-up: JSON, without what is long.
    pub(super) finding: String,
    /// Where people read of its alert, if that is in another one.
    #[serde(flatten)]
    pub(super) lead: Option<Lead>,
    /// Of an incident: when its first finding came. The group of a throttle has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) opened: Option<Timestamp>,
    /// Of an incident: the time of the last regular update that is ordered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ordered: Option<Timestamp>,
    /// Of an incident: the rules × outcomes of very-high and extreme findings that are told, or are in an update that is ordered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) grave: Vec<RuleOutcome>,
    /// Of an incident: the severity to which it has risen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) raised: Option<Severity>,
}

impl HasIncident for Group {
    fn incident(&self) -> Option<IncidentWindow> {
        let (opened, Self { ends, highest, ordered, grave, .. }) = (self.opened?, self);
        let ordered = ordered.unwrap_or(opened);
        Some(IncidentWindow { opened, ends: *ends, highest: *highest, ordered, grave: grave.clone() })
    }
}

impl HasWindow for Group {
    fn window(&self) -> ThrottleWindow {
        ThrottleWindow {
            ends: self.ends,
            highest: self.highest,
            succeeded: self.succeeded.unwrap_or_default(),
            targets: ToldTargets::new(self.target, &self.targets),
        }
    }
}

impl Group {
    /// The group whose window a finding opens, as the policy has decided.
    pub(super) fn opened(window: ThrottleWindow, decision: &Decision, finding: &Finding) -> Result<Self, StoreError> {
        let opener = serde_json::to_string(&finding.brief()).map_err(|error| StoreError(error.to_string()))?;
        let group = Self {
            alert: decision.alert.clone(),
            opener: decision.opener.clone(),
            ends: window.ends,
            highest: window.highest,
            succeeded: None,
            target: finding.call.target(),
            targets: Vec::new(),
            roll_up_scheduled: false,
            finding: opener,
            lead: None,
            opened: None,
            ordered: None,
            grave: Vec::new(),
            raised: None,
        };
        Ok(group.with_window(window))
    }

    /// The group whose incident a finding opens.
    pub(super) fn of_incident(
        incident: IncidentWindow,
        decision: &Decision,
        finding: &Finding,
    ) -> Result<Self, StoreError> {
        let (ends, highest) = (incident.ends, incident.highest);
        let window = ThrottleWindow { ends, highest, succeeded: !finding.call.failed, targets: ToldTargets::default() };
        Ok(Self::opened(window, decision, finding)?.with_incident(incident))
    }

    /// The group with what is known of its incident now.
    pub(super) fn with_incident(self, incident: IncidentWindow) -> Self {
        let IncidentWindow { opened, ends, highest, ordered, grave } = incident;
        let ordered = (ordered > opened).then_some(ordered);
        Self { opened: Some(opened), ends, highest, ordered, grave, ..self }
    }

    /// The group with what the policy has made of its window.
    pub(super) fn with_window(self, window: ThrottleWindow) -> Self {
        let ThrottleWindow { ends, highest, succeeded, targets } = window;
        Self { ends, highest, succeeded: Some(succeeded), targets: targets.new_ones(), ..self }
    }

    /// The group in an item, if one is there and has not expired. What cannot be read (it is damaged, or a newer version's) is
    /// none, so that the next finding opens another window in its place.
    pub(super) fn in_item(item: Option<&StoredItem>, now: Timestamp) -> Option<Self> {
        let mut group: Self = readable(item, now)?;
        // The opener is looked at where somebody needs it, since repeats in a storm need it not.
        if group.succeeded.is_none() || !group.roll_up_scheduled {
            let opener = group.opener_finding().inspect_err(log_unreadable).ok()?;
            group.target = group.target.or_else(|| opener.call.target());
            group.succeeded = group.succeeded.or(Some(!opener.call.failed));
        }
        Some(group)
    }

    /// What is decided of a finding that belongs to the window's alert.
    pub(super) fn decision(&self, is_repeat: bool) -> Decision {
        let (alert, opener) = (self.alert.clone(), self.opener.clone());
        let (lead, raised) = (self.lead.clone(), self.raised);
        Decision { is_repeat, lead, raised, ..Decision::opening(alert, opener) }
    }

    pub(super) fn opener_finding(&self) -> Result<Finding, StoreError> {
        serde_json::from_str(&self.finding).map_err(|error| StoreError(format!("an item cannot be read: {error}")))
    }
}

/// A finding of an incident: a sum of it alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct IncidentItem {
    /// Its rule's id.
    pub(super) rule: String,
    /// Whether it went out as a message of its own, or with another of its record: no update need tell it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) told: bool,
    #[serde(flatten)]
    pub(super) one: RollUp,
}

/// How many findings of an incident that were held back are in its updates.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct UpdatedItem {
    pub(super) count: u64,
}

/// The key of an incident's [`UpdatedItem`], in the partition of its findings, each of which has its hexadecimal id as sort key.
pub(super) fn updated_key(alert: &AlertId) -> ItemKey {
    ItemKey::new(repeats(alert), "updated")
}

/// A roll-up in the list of those of its minute. Its sort key is its alert.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ListedItem {
    /// The finding that opened its alert: JSON, without what is long.
    pub(super) finding: String,
    /// Where people read of its alert, if that is in another one.
    #[serde(flatten)]
    pub(super) lead: Option<Lead>,
}

/// The partition of the list of a channel's roll-ups that are due in a minute.
pub(super) fn listed(channel: &str, minute: u64) -> String {
    format!("rollups#{channel}#{minute}")
}

pub(super) fn claim_key(key: DeliveryKey<'_>) -> ItemKey {
    ItemKey::new(claims(key.id), key.channel)
}

/// The partition of a delivery's claims, one on each channel.
pub(super) fn claims(id: &ClaimId) -> String {
    format!("finding#{id}")
}

pub(super) fn shared_key(call: &SharedCallId, channel: &str) -> ItemKey {
    ItemKey::new(format!("shared#{call}"), channel)
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

/// How long a pair of a principal and an event is remembered after the last finding of it.
pub(super) const PAIR_TTL: Duration = Duration::from_hours(30 * 24);

/// Of a pair: the finding that came first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FirstOfPair {
    /// The event that it is of.
    pub(super) event: StableId,
    /// When that was.
    pub(super) at: Timestamp,
}

pub(super) fn pair_key(pair: &PairId) -> ItemKey {
    ItemKey::new(format!("pair#{pair}"), "first")
}

/// What an item holds, unless it has expired.
pub(super) fn read<T: DeserializeOwned>(item: Option<&StoredItem>, now: Timestamp) -> Result<Option<T>, StoreError> {
    let Some(item) = item.filter(|item| item.expires > now) else { return Ok(None) };
    T::deserialize(&*item.attributes).map(Some).map_err(|error| StoreError(format!("an item cannot be read: {error}")))
}

/// As [`read`], but what cannot be read is none: whoever reads so writes over it, on the condition that it is still the same.
pub(super) fn readable<T: DeserializeOwned>(item: Option<&StoredItem>, now: Timestamp) -> Option<T> {
    read(item, now).inspect_err(log_unreadable).ok().flatten()
}

fn log_unreadable(error: &StoreError) {
    tracing::warn!(reason = %error, "an item of the ledger is damaged, or a newer version's: it is written anew");
}

pub(super) fn attributes(value: &impl Serialize) -> Result<Attributes, StoreError> {
    match serde_json::to_value(value) {
        Ok(Value::Object(attributes)) => Ok(attributes),
        _ => Err(StoreError("an item cannot be written".to_owned())),
    }
}
