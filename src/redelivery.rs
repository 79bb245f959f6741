//! What goes to the queues: a delivery that could not be completed, and sums that are due later. A message holds all that its
//! delivery needs, and no credential.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::alert::AlertDigest;
use crate::channel::Body;
use crate::cloudtrail::ApiCall;
use crate::cloudtrail::envelope::DELIVERY_MARK;
use crate::finding::Finding;
use crate::ids::AlertId;
use crate::ids::FindingId;
use crate::ledger::Decision;
use crate::rules::RuleInfo;
use crate::severity::Severity;
use crate::time::Timestamp;

/// The two queues. Both are optional: without them what cannot be delivered fails the invocation, and nothing is held back,
/// for no roll-up could follow.
pub trait Queues: Send + Sync {
    /// Whether there is a redelivery queue.
    fn can_wait(&self) -> bool;

    /// Whether there is a dead-letter queue.
    fn can_bury(&self) -> bool;

    /// Hands a message to the redelivery queue, which hides it for `delay`: at most [`LONGEST_DELAY`].
    ///
    /// # Errors
    /// Why it was not taken, safe to log.
    fn wait(&self, message: String, delay: Duration) -> impl Future<Output = Result<(), String>> + Send;

    /// Hands a message to the dead-letter queue.
    ///
    /// # Errors
    /// Why it was not taken, safe to log.
    fn bury(&self, message: String) -> impl Future<Output = Result<(), String>> + Send;
}

/// The longest that SQS hides a message. A longer wait is made of several.
/// Source: SQS API reference, `SendMessage`, `DelaySeconds`.
pub const LONGEST_DELAY: Duration = Duration::from_mins(15);
/// How long a delivery is tried before it is given up.
pub const LIFE: Duration = Duration::from_hours(24);
/// The wait before the first redelivery; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(30);
/// The longest wait that is not the vendor's own wish.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// A message of ours in a queue.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Message {
    /// What it is: [`Message::MARK`]. By it the envelope knows our own.
    pub offlimits: String,
    /// The channel's name.
    pub channel: String,
    /// What is to be done.
    pub task: Task,
    /// Not before then.
    pub not_before: Timestamp,
    /// How often it has been tried, an invocation's attempts counting as one.
    pub attempts: u32,
    /// When it was first tried.
    pub since: Timestamp,
    /// Why it is here.
    pub reason: String,
    /// When it was given up, if it was. Sent through again, it begins a new life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub died: Option<Timestamp>,
}

/// What a [`Message`] asks for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Send this.
    Deliver(Box<Delivery>),
    /// Sum up the repeats of an alert, and send the sum.
    RollUp {
        /// The alert.
        alert: AlertId,
        /// The opener's finding, without what is long.
        finding: Box<Finding>,
    },
    /// Sum up the alerts of a minute that were too many, and send the sum.
    Digest {
        /// The minute, in minutes since 1970.
        minute: u64,
        /// One of them, without what is long.
        finding: Box<Finding>,
    },
}

/// A message to a channel, rendered and frozen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// What is claimed in the ledger: the finding's id, or the sum's own.
    pub id: FindingId,
    /// The alert that it belongs to.
    pub ticket: Decision,
    /// What it is about: for people who read dead letters, for the log, and for a digest.
    pub about: About,
    /// How many findings it tells of; 0 for a digest, which no digest swallows.
    #[serde(default = "one")]
    pub findings: u64,
    /// The message.
    pub body: Body,
}

impl Delivery {
    /// As a part of a digest.
    pub fn digest(&self) -> AlertDigest {
        let About { rule, severity, event_time, .. } = &self.about;
        AlertDigest::from_rule(rule, *severity, event_time.as_deref(), self.findings)
    }

    /// The finding, of what is kept of it: enough for a digest, which is about none in particular.
    pub fn finding(&self, rules_digest: Arc<str>) -> Finding {
        let About { rule, severity, sentence, event_id, event_time } = self.about.clone();
        Finding {
            id: self.id.clone(),
            rule: Arc::new(RuleInfo { id: rule, rules_digest, ..RuleInfo::default() }),
            severity,
            title: sentence.clone(),
            row: 0,
            call: ApiCall { sentence, event_id, event_time, ..ApiCall::default() },
        }
    }
}

/// A finding in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The rule's id.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// Who did what.
    pub sentence: String,
    /// `eventID`.
    pub event_id: Option<String>,
    /// `eventTime`.
    pub event_time: Option<String>,
}

impl About {
    /// In short.
    pub fn of(finding: &Finding) -> Self {
        Self {
            rule: finding.rule.id.clone(),
            severity: finding.severity,
            sentence: finding.call.sentence.clone(),
            event_id: finding.call.event_id.clone(),
            event_time: finding.call.event_time.clone(),
        }
    }
}

const fn one() -> u64 {
    1
}

impl Message {
    /// What [`Message::offlimits`] says.
    pub const MARK: &'static str = DELIVERY_MARK;

    /// A message that is due at `not_before` for the first time.
    pub fn new(channel: &str, task: Task, now: Timestamp, not_before: Timestamp, reason: &str) -> Self {
        Self {
            offlimits: Self::MARK.to_owned(),
            channel: channel.to_owned(),
            task,
            not_before,
            attempts: 0,
            since: now.max(not_before),
            reason: reason.to_owned(),
            died: None,
        }
    }

    /// Reads a message.
    ///
    /// # Errors
    /// What is wrong with it, safe to log.
    pub fn parse(json: &str) -> Result<Self, String> {
        let message: Self =
            serde_json::from_str(json).map_err(|error| format!("a delivery that cannot be read: {error}"))?;
        if message.offlimits != Self::MARK {
            return Err("a delivery that is not marked as one".to_owned());
        }
        Ok(message)
    }

    /// The message as JSON.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether it is a sum that has still to be made.
    pub const fn is_sum(&self) -> bool {
        matches!(self.task, Task::RollUp { .. } | Task::Digest { .. })
    }

    /// What a message that was given up becomes when it is sent through again; any other stays as it is.
    #[must_use]
    pub fn revived(self, now: Timestamp) -> Self {
        match self.died {
            Some(_) => Self { attempts: 0, since: now, not_before: now, died: None, ..self },
            None => self,
        }
    }

    /// What it becomes after another attempt that failed: due later, or given up because its life is over. `after` is the
    /// wait that the vendor asked for, and `spread` a number from 0 to 1 that differs between messages.
    #[must_use]
    pub fn tried(self, now: Timestamp, after: Option<Duration>, reason: String, spread: f64) -> Self {
        let attempts = self.attempts.saturating_add(1);
        let tried = Self { attempts, reason, ..self };
        let end = tried.since.plus(LIFE);
        if now >= end {
            return Self { died: Some(now), ..tried };
        }
        let wait = FIRST_WAIT.saturating_mul(1 << (attempts - 1).min(16)).min(LONGEST_WAIT);
        // What failed together does not come back together.
        let wait = wait.mul_f64(0.75 + 0.5 * spread.clamp(0.0, 1.0)).max(after.unwrap_or_default());
        // Once more at the very end, whatever the vendor wishes.
        Self { not_before: now.plus(wait).min(end), ..tried }
    }

    /// How long the queue is to hide it.
    pub fn delay(&self, now: Timestamp) -> Duration {
        // In whole seconds, rounded up: a message that comes too early has to wait again.
        let millis = self.not_before.since(now).as_millis();
        Duration::from_secs(u64::try_from(millis.div_ceil(1000)).unwrap_or(u64::MAX)).min(LONGEST_DELAY)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn message() -> Message {
        let finding = Finding::test(Arc::from("rules"), "2026-01-10T11:32:44Z".to_owned());
        let task = Task::Digest { minute: 7, finding: Box::new(finding) };
        Message::new("soc", task, Timestamp::from_millis(0), Timestamp::from_millis(0), "HTTP 500")
    }

    #[test]
    fn waits_double_to_an_hour_and_end_after_a_day() {
        let (mut message, mut now, mut waits) = (message(), Timestamp::from_millis(0), Vec::new());
        while message.died.is_none() {
            message = message.tried(now, None, "HTTP 500".to_owned(), 0.5);
            waits.push(message.not_before.since(now).as_secs());
            now = message.not_before;
        }
        assert_eq!(waits[..9], [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
        assert_eq!((now.since(Timestamp::from_millis(0)), message.attempts), (LIFE, 31));
        let again = message.revived(now);
        assert_eq!((again.attempts, again.died, again.since), (0, None, now));
    }

    #[test]
    fn the_vendors_wait_is_kept_but_not_beyond_the_end() {
        let now = Timestamp::from_millis(0);
        let later = |after| message().tried(now, Some(Duration::from_secs(after)), String::new(), 0.0).not_before;
        assert_eq!(later(3600), now.plus(Duration::from_hours(1)));
        assert_eq!(later(1), now.plus(Duration::from_millis(22_500)));
        assert_eq!(later(1_000_000), now.plus(LIFE));
    }

    #[test]
    fn a_long_wait_is_made_of_several_and_none_is_too_short() {
        let mut message = message();
        message.not_before = Timestamp::from_millis(2_000_001);
        assert_eq!(message.delay(Timestamp::from_millis(0)), LONGEST_DELAY);
        assert_eq!(message.delay(Timestamp::from_millis(1_999_000)), Duration::from_secs(2));
        assert_eq!(message.delay(Timestamp::from_millis(2_000_001)), Duration::ZERO);
    }

    #[test]
    fn a_message_survives_its_queue() {
        let message = message();
        assert_eq!(Message::parse(&message.json()).unwrap().json(), message.json());
        assert!(Message::parse(&message.json().replace("\"delivery\"", "\"test\"")).is_err());
        assert!(Message::parse("{}").is_err());
    }
}
