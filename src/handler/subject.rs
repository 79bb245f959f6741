//! What the log says of what has ended: which finding, of which rule and event, and in which alert.
//!
//! It is all that the line of a finding holds of the record: an event has an id and a time, and nothing else of it is logged.

use crate::finding::Finding;
use crate::ids::{AlertId, ClaimId, FindingId, GroupId, StableId};
use crate::redelivery::{About, AdmitTask, Delivery, QueueMessage, Task};
use crate::text::one_line;
use crate::time::Timestamp;

/// Characters of an `eventID` that are logged. CloudTrail's have 36.
const EVENT_ID_LIMIT: usize = 100;

/// What ends: a finding that goes nowhere, or a delivery to one channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Subject {
    /// The finding; of a roll-up, the one that opened its alert. A digest is about none in particular.
    pub(super) finding: Option<FindingId>,
    /// The id of the finding's rule.
    pub(super) rule: Option<String>,
    /// CloudTrail's `eventID`.
    pub(super) event_id: Option<String>,
    /// When the call was made; `None` for a sum, which tells of many.
    pub(super) event_time: Option<Timestamp>,
    /// The alert that it belongs to, as soon as that is known.
    pub(super) alert: Option<AlertId>,
    /// The group of repeats on the channel, if its rule has a throttle. A message from a queue does not know it.
    pub(super) group: Option<GroupId>,
    /// `roll-up`, `update` or `digest`, if it is a sum.
    pub(super) kind: Option<&'static str>,
}

impl Subject {
    /// A finding that reaches no channel.
    pub(super) fn of_finding(finding: &Finding) -> Self {
        Self {
            finding: Some(finding.id.clone()),
            rule: Some(finding.rule.id.clone()),
            event_id: finding.call.event_id.as_deref().map(short),
            event_time: finding.call.time(),
            ..Self::default()
        }
    }

    /// The delivery of a finding to the channel of this name. `throttle` is the hash of its group, whatever the channel.
    pub(super) fn of_routed(finding: &Finding, throttle: Option<&str>, channel: &str) -> Self {
        let group = throttle.map(|hash| GroupId::new(hash, channel));
        Self { group, ..Self::of_finding(finding) }
    }

    /// A delivery, or the order of a sum, that comes from a queue; or each of the findings that are to be judged.
    pub(super) fn of_message(message: &QueueMessage) -> Vec<Self> {
        let one = match &message.task {
            Task::Deliver(delivery) => Self::of_delivery(delivery),
            Task::Admit(order) => {
                let of_order = |order: &AdmitTask| {
                    let throttle = order.throttle.as_ref().map(|(hash, _)| hash.as_str());
                    Self::of_routed(&order.finding, throttle, &message.channel)
                };
                return std::iter::once(&**order).chain(&order.also).map(of_order).collect();
            }
            Task::RollUp(order) => {
                let opener = Self::of_finding(&order.finding);
                Self { alert: Some(order.alert.clone()), event_time: None, kind: Some(ROLL_UP), ..opener }
            }
            Task::Update(order) => {
                let opener = Self::of_finding(&order.finding);
                Self { alert: Some(order.alert.clone()), event_time: None, kind: Some(UPDATE), ..opener }
            }
            Task::Digest(order) => {
                let id = ClaimId::for_digest(&message.channel, order.minute);
                Self { alert: Some(AlertId::from(id)), kind: Some(DIGEST), ..Self::default() }
            }
        };
        vec![one]
    }

    fn of_delivery(Delivery { id, decision, about, step, .. }: &Delivery) -> Self {
        let alert = Some(decision.alert.clone());
        let About { rule, event_id, event_time, .. } = about;
        let event_id = event_id.as_deref().map(short);
        if *id == decision.opener && AlertId::from(id.clone()) == decision.alert {
            return Self { alert, kind: Some(DIGEST), ..Self::default() };
        }
        let of_claim = |claim: &ClaimId| Some(FindingId::from(StableId::from(claim.clone())));
        let (finding, rule) = (of_claim(id), Some(rule.clone()));
        let is_roll_up = *id == ClaimId::for_roll_up(&decision.alert);
        if is_roll_up || step.is_some() {
            let (finding, kind) = (of_claim(&decision.opener), Some(if is_roll_up { ROLL_UP } else { UPDATE }));
            return Self { finding, rule, event_id, alert, kind, ..Self::default() };
        }
        let event_time = event_time.as_deref().and_then(Timestamp::parse);
        Self { finding, rule, event_id, event_time, alert, ..Self::default() }
    }
}

const ROLL_UP: &str = "roll-up";
const UPDATE: &str = "update";
const DIGEST: &str = "digest";

fn short(event_id: &str) -> String {
    one_line(event_id, EVENT_ID_LIMIT).into_owned()
}
