//! A message in a queue, and what it asks for.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

use super::QueueError;
use crate::alert::{AlertDigest, TargetTally};
use crate::channel::Body;
use crate::cloudtrail::ApiCall;
use crate::cloudtrail::envelope::DELIVERY_MARK;
use crate::finding::Finding;
use crate::ids::{AlertId, ClaimId, FindingId, StableId};
use crate::ledger::policy::{Holding, Throttling};
use crate::ledger::{Decision, Lead, SilenceOrder};
use crate::rules::{NewTargets, RuleInfo};
use crate::severity::Severity;
use crate::time::Timestamp;

/// A message of ours in a queue: what is to be done, on which channel, when, and what has happened to it so far.
///
/// What is read from a queue asks for any [`Task`]. Once it is known which, the message is typed by it: the stages of a delivery
/// take a `QueueMessage<Delivery>`, and none of them can meet a sum that has still to be made. In JSON both look the same.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(serialize = "T: QueueTask"))]
pub struct QueueMessage<T = Task> {
    /// The mark by which [`crate::cloudtrail::envelope`] tells our own messages from events.
    pub offlimits: MessageMark,
    /// The channel's name.
    pub channel: String,
    /// What the message asks for.
    #[serde(serialize_with = "as_named_task")]
    pub task: T,
    /// When it is due: nothing is done before then. In milliseconds since 1970.
    pub not_before: Timestamp,
    /// How often it has been tried, all attempts of one invocation counting as one. It is 0 again after a redrive.
    pub attempts: u32,
    /// When it was first tried, or first came due, in milliseconds since 1970: its lifetime begins then.
    pub since: Timestamp,
    /// Why it is here, for people who read dead letters. Safe to log.
    pub reason: String,
    /// When it was given up, if it was, in milliseconds since 1970. Sent through again, it begins a new life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub died: Option<Timestamp>,
}

/// The value of the member `offlimits` of every message.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum MessageMark {
    /// It is ours, whatever it asks for.
    #[serde(rename = "delivery")]
    Delivery,
}

/// What a [`QueueMessage`] asks for.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Send this delivery.
    Deliver(Box<Delivery>),
    /// Sum up the repeats of an alert, and send the sum.
    RollUp(RollUpTask),
    /// Send all of an incident so far, if any of it is new.
    Update(UpdateTask),
    /// Sum up the alerts of a minute that were too many, and send the sum.
    Digest(DigestTask),
    /// Judge this finding, and deliver it if it goes out.
    Admit(Box<AdmitTask>),
}

/// A [`Task`] that is borrowed, so that it can be written to a queue without a copy.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskRef<'t> {
    /// Send this delivery, as [`Task::Deliver`].
    Deliver(&'t Delivery),
    /// Make and send this roll-up, as [`Task::RollUp`].
    RollUp(&'t RollUpTask),
    /// Send this update, as [`Task::Update`].
    Update(&'t UpdateTask),
    /// Make and send this digest, as [`Task::Digest`].
    Digest(&'t DigestTask),
    /// Judge and deliver this finding, as [`Task::Admit`].
    Admit(&'t AdmitTask),
}

/// The type of what a message asks for: [`Task`] while it is not known which of the five it is, and then one of the five.
pub trait QueueTask {
    /// Which of the five tasks it is.
    fn task(&self) -> TaskRef<'_>;

    /// What names it in the log, and makes its waits differ from others': the id of a delivery, of an alert to be rolled up or told so far, or
    /// of the finding that stands for a digest.
    fn id(&self) -> &str {
        match self.task() {
            TaskRef::Deliver(delivery) => delivery.id.as_str(),
            TaskRef::RollUp(roll_up) => roll_up.alert.as_str(),
            TaskRef::Update(update) => update.alert.as_str(),
            TaskRef::Digest(digest) => digest.finding.id.as_str(),
            TaskRef::Admit(admit) => admit.finding.id.as_str(),
        }
    }
}

impl QueueTask for Task {
    fn task(&self) -> TaskRef<'_> {
        match self {
            Self::Deliver(delivery) => TaskRef::Deliver(delivery),
            Self::RollUp(roll_up) => TaskRef::RollUp(roll_up),
            Self::Update(update) => TaskRef::Update(update),
            Self::Digest(digest) => TaskRef::Digest(digest),
            Self::Admit(admit) => TaskRef::Admit(admit),
        }
    }
}

impl QueueTask for AdmitTask {
    fn task(&self) -> TaskRef<'_> {
        TaskRef::Admit(self)
    }
}

impl QueueTask for Delivery {
    fn task(&self) -> TaskRef<'_> {
        TaskRef::Deliver(self)
    }
}

impl QueueTask for RollUpTask {
    fn task(&self) -> TaskRef<'_> {
        TaskRef::RollUp(self)
    }
}

impl QueueTask for UpdateTask {
    fn task(&self) -> TaskRef<'_> {
        TaskRef::Update(self)
    }
}

impl QueueTask for DigestTask {
    fn task(&self) -> TaskRef<'_> {
        TaskRef::Digest(self)
    }
}

/// The order of a roll-up, which is made when the message is due.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RollUpTask {
    /// The alert whose repeats are summed up.
    pub alert: AlertId,
    /// The finding that opened the alert, without what is long.
    pub finding: Box<Finding>,
    /// Where people read of the alert, if that is in another one.
    #[serde(flatten)]
    pub lead: Option<Lead>,
    /// The minute in whose list of roll-ups it is, in minutes since 1970, where they are told together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minute: Option<u64>,
    /// Of what a silence held back: which one that is. It is made when that has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<SilenceOrder>,
}

/// The order of an update of an incident, which is made when the message is due.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UpdateTask {
    /// The alert of the incident.
    pub alert: AlertId,
    /// The finding that opened it, without what is long.
    pub finding: Box<Finding>,
    /// Which update it is: when it is due for the first time, in milliseconds since 1970.
    pub step: u64,
    /// Whether the incident has ended by then.
    pub has_ended: bool,
}

/// The order of a digest, which is made when the message is due.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DigestTask {
    /// The minute, in minutes since 1970.
    pub minute: u64,
    /// One of its findings, without what is long.
    pub finding: Box<Finding>,
}

/// A finding that no invocation has come to yet: more came at once than one has time for. It is judged as if it had come now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AdmitTask {
    /// The finding.
    pub finding: Finding,
    /// The group of repeats that its rule's throttle puts it in, or the incident: the hash of the rule and the values of `by`,
    /// whatever the channel; and the length of its window in seconds. `None` if no repeat of it is held back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttle: Option<(String, u64)>,
    /// What becomes of a repeat on a new target there.
    #[serde(default, skip_serializing_if = "NewTargets::are_sent")]
    pub new_targets: NewTargets,
    /// Whether the group is an incident.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub incident: bool,
    /// The other findings of the same record, which are judged together with it; each without what is long.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Self>,
}

impl AdmitTask {
    /// The bytes that a finding may have in a message. What is longer travels without its request: SQS would refuse it.
    const LIMIT: usize = Body::LIMIT;
    /// The bytes that all others may have together.
    const LIMIT_OF_OTHERS: usize = 64 * 1024;

    /// The orders to judge the findings of a record: one, or as many as hold them.
    ///
    /// # Errors
    /// [`QueueError::Unwritable`].
    pub fn together(findings: &[(&Finding, Option<(String, Holding)>)]) -> Result<Vec<Self>, QueueError> {
        let mut tasks: Vec<Self> = Vec::new();
        let mut room = 0;
        for (finding, throttle) in findings {
            let other = Self { finding: finding.brief(), ..Self::new(finding, throttle.clone()) };
            let json = serde_json::to_string(&other).map_err(|error| QueueError::Unwritable(error.to_string()))?;
            if let Some(task) = tasks.last_mut().filter(|_| json.len() <= room) {
                room -= json.len();
                task.also.push(other);
            } else {
                room = Self::LIMIT_OF_OTHERS;
                tasks.push(Self::new(finding, throttle.clone()));
            }
        }
        Ok(tasks)
    }

    /// The findings that are to be judged, each with its throttle. The others are of the same call as the first, and have its
    /// request.
    pub fn into_findings(self) -> Vec<(Finding, Option<(String, Holding)>)> {
        let (request, response) = (self.finding.call.request.clone(), self.finding.call.response.clone());
        let mut also = self.also;
        for Self { finding, .. } in &mut also {
            (finding.call.request, finding.call.response) = (request.clone(), response.clone());
        }
        let first = Self { also: Vec::new(), ..self };
        let throttled = |order: Self| {
            let Self { finding, throttle, new_targets, incident, .. } = order;
            let group = throttle.map(|(hash, seconds)| {
                let length = Duration::from_secs(seconds);
                let throttling = Throttling { length, new_targets };
                (hash, if incident { Holding::Incident(length) } else { Holding::Throttle(throttling) })
            });
            (finding, group)
        };
        std::iter::once(first).chain(also).map(throttled).collect()
    }

    /// The order to judge a finding. One that is too long loses what is long.
    pub fn new(finding: &Finding, group: Option<(String, Holding)>) -> Self {
        let long = finding.call.request.iter().chain(&finding.call.response).map(String::len).sum::<usize>();
        // Escaped once more, a text of quotes doubles.
        let finding = if 2 * long > Self::LIMIT { finding.brief() } else { finding.clone() };
        let (incident, new_targets) = match group {
            Some((_, Holding::Incident(_))) => (true, NewTargets::default()),
            Some((_, Holding::Throttle(Throttling { new_targets, .. }))) => (false, new_targets),
            None => (false, NewTargets::default()),
        };
        let throttle = group.map(|(hash, holding)| (hash, holding.length().as_secs()));
        Self { finding, throttle, new_targets, incident, also: Vec::new() }
    }
}

/// A message to a channel, rendered and frozen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The id under which the ledger keeps its claim.
    pub id: ClaimId,
    /// What the ledger decided of it: the alert that it belongs to, and whether it opens that alert or repeats it.
    #[serde(rename = "ticket")]
    pub decision: Decision,
    /// What it is about: for people who read dead letters, for the log, and for a digest.
    pub about: About,
    /// How many findings it tells of; 0 for a digest, which no digest swallows. Versions before the storm guard knew only
    /// deliveries of one, and did not say so.
    #[serde(default = "one")]
    pub findings: u64,
    /// What its message tells of besides. Their findings are among those that are counted above.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<Merged>,
    /// Of an update of an incident: which one it is, as in [`UpdateTask::step`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
    /// The type of the channel that it was rendered for: `slack`. Only another channel of that type can send it. Versions before
    /// 2026-11-29, later, did not write it.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub channel_type: Option<String>,
    /// The rendered message: what the channel sends.
    pub body: Body,
}

const fn one() -> u64 {
    1
}

/// What is told in the message of another: a finding, or a roll-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    /// The id under which the ledger keeps its claim.
    pub id: ClaimId,
    /// Its rule's id.
    pub rule: String,
    /// Its severity.
    pub severity: Severity,
    /// How many findings it stands for.
    #[serde(default = "one")]
    pub findings: u64,
}

impl Delivery {
    /// The ids of what its message tells of besides.
    pub fn with(&self) -> Vec<ClaimId> {
        self.merged.iter().map(|merged| merged.id.clone()).collect()
    }

    /// Whether the storm guard may leave it to a digest.
    pub const fn may_be_digested(&self) -> bool {
        self.findings > 0
    }

    /// The digest that stands for this delivery alone, to be added to the digest of its minute.
    pub fn to_digest(&self) -> AlertDigest {
        let About { rule, severity, event_time, targets, .. } = &self.about;
        let of_others: u64 = self.merged.iter().map(|merged| merged.findings).sum();
        let own = self.findings.saturating_sub(of_others);
        let mut one = AlertDigest::from_rule(rule, *severity, event_time.as_deref(), own);
        for Merged { rule, severity, findings, .. } in &self.merged {
            one.merge(&AlertDigest::from_rule(rule, *severity, event_time.as_deref(), *findings));
        }
        AlertDigest { targets: targets.clone(), ..one }
    }

    /// Makes a finding of the little that the delivery keeps of its own. That is enough for a digest, which is about no finding in
    /// particular. The finding's id is the one that the delivery is claimed by, even where that is the id of a sum.
    pub fn to_finding(&self, rules_digest: Arc<str>) -> Finding {
        let About { rule, severity, sentence, event_id, event_time, .. } = self.about.clone();
        Finding {
            id: FindingId::from(StableId::from(self.id.clone())),
            rule: Arc::new(RuleInfo { id: rule, rules_digest, ..RuleInfo::default() }),
            severity,
            title: sentence.clone(),
            row: 0,
            call: ApiCall { sentence, event_id, event_time, ..ApiCall::default() },
            first_seen: None,
            lineage: Vec::new(),
            changes: Vec::new(),
            steps: Vec::new(),
        }
    }
}

impl From<&Finding> for Merged {
    fn from(finding: &Finding) -> Self {
        let (id, rule) = (ClaimId::from(&finding.id), finding.rule.id.clone());
        Self { id, rule, severity: finding.severity, findings: 1 }
    }
}

/// A finding in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The rule's id.
    pub rule: String,
    /// The finding's severity.
    pub severity: Severity,
    /// One sentence that says who did what.
    pub sentence: String,
    /// The event's `eventID`.
    pub event_id: Option<String>,
    /// The event's `eventTime`, as CloudTrail writes it.
    pub event_time: Option<String>,
    /// What the calls of its findings acted on, for the digest that may swallow it. Versions before 2026-11-28 did not write it.
    #[serde(default, skip_serializing_if = "TargetTally::is_empty")]
    pub targets: TargetTally,
}

impl From<&Finding> for About {
    fn from(finding: &Finding) -> Self {
        Self {
            rule: finding.rule.id.clone(),
            severity: finding.severity,
            sentence: finding.call.sentence.clone(),
            event_id: finding.call.event_id.clone(),
            event_time: finding.call.event_time.clone(),
            targets: finding.into(),
        }
    }
}

/// Why a message that is marked as ours cannot be read. The text is safe to log.
#[derive(Debug, Error)]
#[error("a delivery that cannot be read: {0}")]
pub struct MessageError(#[from] serde_json::Error);

impl QueueMessage {
    /// The value of the member by which the envelope knows our messages.
    pub const MARK: &'static str = DELIVERY_MARK;

    /// Reads a message.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(json: &str) -> Result<Self, MessageError> {
        Ok(serde_json::from_str(json)?)
    }

    /// Whether it orders a sum that has still to be made.
    pub const fn is_sum(&self) -> bool {
        matches!(self.task, Task::RollUp(_) | Task::Update(_) | Task::Digest(_))
    }
}

impl<T> QueueMessage<T> {
    /// A message that is due at `not_before` for the first time.
    pub fn new(channel: &str, task: T, now: Timestamp, not_before: Timestamp, reason: &str) -> Self {
        Self {
            offlimits: MessageMark::Delivery,
            channel: channel.to_owned(),
            task,
            not_before,
            attempts: 0,
            since: now.max(not_before),
            reason: reason.to_owned(),
            died: None,
        }
    }

    /// The message without its task, and the task.
    pub fn split(self) -> (QueueMessage<()>, T) {
        let Self { offlimits, channel, task, not_before, attempts, since, reason, died } = self;
        (QueueMessage { offlimits, channel, task: (), not_before, attempts, since, reason, died }, task)
    }
}

impl QueueMessage<()> {
    /// The message with this task.
    pub fn with_task<T>(self, task: T) -> QueueMessage<T> {
        let Self { offlimits, channel, task: (), not_before, attempts, since, reason, died } = self;
        QueueMessage { offlimits, channel, task, not_before, attempts, since, reason, died }
    }
}

impl<T: QueueTask> QueueMessage<T> {
    /// The message as JSON.
    ///
    /// # Errors
    /// [`QueueError::Unwritable`]. Nothing in a message is known to cause it; were it ignored, an alert would be lost.
    pub fn to_json(&self) -> Result<String, QueueError> {
        serde_json::to_string(self).map_err(|error| QueueError::Unwritable(error.to_string()))
    }
}

/// Writes a task under its name, whatever type it has in the program.
fn as_named_task<T: QueueTask, S: Serializer>(task: &T, serializer: S) -> Result<S::Ok, S::Error> {
    task.task().serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_survives_its_queue_whatever_type_its_task_has() {
        let finding = Finding::test(Arc::from("rules"), "2026-01-10T11:32:44Z".to_owned());
        let task = DigestTask { minute: 7, finding: Box::new(finding) };
        let message = QueueMessage::new("soc", task, Timestamp::from_millis(3), Timestamp::from_millis(5), "HTTP 500");
        let json = message.to_json().unwrap();
        assert!(json.starts_with(r#"{"offlimits":"delivery","channel":"soc","task":{"digest":{"minute":7,"#), "{json}");
        let read = QueueMessage::parse(&json).unwrap();
        assert_eq!(
            (read.to_json().unwrap(), read.since, read.is_sum()),
            (json.clone(), Timestamp::from_millis(5), true)
        );
        let (rest, Task::Digest(task)) = read.split() else { panic!("{json}") };
        assert_eq!(rest.with_task(task).to_json().unwrap(), json);
        assert!(QueueMessage::parse(&json.replace("\"delivery\"", "\"test\"")).is_err());
        assert!(QueueMessage::parse("{}").is_err());
    }

    #[test]
    fn the_findings_of_a_record_travel_together_as_far_as_one_message_holds_them() {
        let mut finding = Finding::test(Arc::from("rules"), "2026-01-10T11:32:44Z".to_owned());
        finding.call.request = Some("{}".to_owned());
        let of_record = |finding: &Finding, count| {
            let findings: Vec<_> = (0..count).map(|_| (finding, None)).collect();
            AdmitTask::together(&findings).unwrap()
        };
        let tasks = of_record(&finding, 5);
        assert_eq!((tasks.len(), tasks[0].also.len()), (1, 4));
        // What is long travels once.
        assert_eq!(tasks[0].also[0].finding.call.request, None);
        let task: AdmitTask = serde_json::from_str(&serde_json::to_string(&tasks[0]).unwrap()).unwrap();
        let found = task.into_findings();
        assert!(found.len() == 5 && found.iter().all(|(found, _)| found.call.request == finding.call.request));
        finding.call.targets = vec!["x".repeat(1000); 20];
        finding.call.request = Some("y".repeat(100_000));
        let tasks = of_record(&finding, 33);
        let sizes: Vec<usize> = tasks.iter().map(|task| serde_json::to_string(task).unwrap().len()).collect();
        assert!(tasks.len() > 5 && sizes.iter().all(|size| *size < 256 * 1024), "{sizes:?}");
        assert_eq!(tasks.iter().map(|task| 1 + task.also.len()).sum::<usize>(), 33);
    }

    #[test]
    fn the_envelope_knows_the_mark() {
        assert_eq!(serde_json::to_string(&MessageMark::Delivery).unwrap(), format!("\"{}\"", QueueMessage::MARK));
    }
}
