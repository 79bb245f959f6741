//! The deliveries of one channel in one invocation: claimed, sent, and settled, or handed to a queue.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::{App, Deliveries, GRACE};
use crate::alert::{Alert, AlertDigest, AlertKind};
use crate::channel;
use crate::channel::{ChannelFilter, ConfiguredChannel, MAX_PER_MINUTE, Verdict};
use crate::deliver::{Transport, deliver};
use crate::finding::Finding;
use crate::ids::AlertId;
use crate::ids::ClaimId;
use crate::ids::FindingId;
use crate::ids::StableId;
use crate::ids::spread;
use crate::ledger::policy::{self, GuardVerdict};
use crate::ledger::{
    Admission, Candidate, Claimed, Decision, DeliveryKey, DigestAdmission, OPERATIONAL, Store, StoreError,
};
use crate::redelivery::{About, Delivery, Message, Queues, Task};
use crate::severity::Severity;
use crate::time::Timestamp;

/// The longest lease: a delivery of a process that died is taken up again after less than a minute.
const LONGEST_LEASE: Duration = Duration::from_secs(59);

/// A channel that does not take a delivery for so long is in trouble, though it rejects nothing.
const TROUBLE: Duration = Duration::from_hours(1);

/// What became of one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Delivered,
    Throttled,
    Digested,
    Duplicate,
    Queued,
    Dead,
    Failed,
}

impl Fate {
    /// Where it is counted.
    pub(super) fn count(self, deliveries: &mut Deliveries) -> &mut usize {
        match self {
            Self::Delivered => &mut deliveries.delivered,
            Self::Throttled => &mut deliveries.throttled,
            Self::Digested => &mut deliveries.digested,
            Self::Duplicate => &mut deliveries.duplicate,
            Self::Queued => &mut deliveries.queued,
            Self::Dead => &mut deliveries.dead,
            Self::Failed => &mut deliveries.failed,
        }
    }
}

/// Delivers to one channel.
pub(super) struct Courier<'a, T, S, Q> {
    app: &'a App<T, S, Q>,
    channel: &'a ConfiguredChannel,
    deadline: Instant,
    operational: AtomicUsize,
    ledger_faults: AtomicUsize,
}

impl<'a, T: Transport, S: Store, Q: Queues> Courier<'a, T, S, Q> {
    pub(super) fn new(app: &'a App<T, S, Q>, channel: &'a ConfiguredChannel, deadline: Instant) -> Self {
        let (operational, ledger_faults) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { app, channel, deadline, operational, ledger_faults }
    }

    /// Alerts about offlimits itself that went out, and questions that the ledger did not answer.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.operational.load(Ordering::Relaxed), self.ledger_faults.load(Ordering::Relaxed))
    }

    /// Delivers a finding, unless it is a duplicate, or a repeat that is held back.
    pub(super) async fn finding(&self, finding: &Finding, group: Option<(&str, Duration)>) -> Fate {
        let name = self.channel.name.as_str();
        let group = group.map(|(group, window)| (StableId::hash(&["group", group, name]).as_str().to_owned(), window));
        let group = group.as_ref().map(|(group, window)| (group.as_str(), *window));
        let (ticket, is_first_time) = loop {
            let candidate = Candidate { finding, channel: name, group, lease: self.lease() };
            match self.app.ledger.admit(&candidate, self.now()).await {
                Ok(Admission::Send(ticket)) => break (ticket, true),
                Ok(Admission::SendAgain(ticket)) => break (ticket, false),
                Ok(Admission::Throttled) => return Fate::Throttled,
                Ok(Admission::Duplicate) => return Fate::Duplicate,
                Ok(Admission::Held(ticket, until)) => {
                    let delivery = self.delivery(finding, ticket, AlertKind::First, None).await;
                    let message = self.message_of(delivery, until, "another copy is sending it");
                    return self.wait(message, None).await;
                }
                Ok(Admission::ScheduleRollUp(order)) => {
                    let task = Task::RollUp { alert: order.alert.clone(), finding: Box::new(order.finding.clone()) };
                    let message = Message::new(name, task, self.now(), policy::roll_up_due(order.ends), "a roll-up");
                    if self.wait(message, None).await == Fate::Failed {
                        return Fate::Failed;
                    }
                    let group = group.map(|(group, _)| group).unwrap_or_default();
                    if let Err(fault) = self.app.ledger.roll_up_scheduled(group, &order, self.now()).await {
                        break (self.unclaimed(finding, &fault), false);
                    }
                }
                Err(fault) => break (self.unclaimed(finding, &fault), false),
            }
        };
        // The storm guard has counted what comes again, and a ledger that has just not answered is not asked twice.
        if is_first_time && self.is_crowded(finding).await {
            let mut one = AlertDigest::default();
            one.add(finding);
            if let Some(fate) = self.digested(finding, &ticket, &one).await {
                return fate;
            }
        }
        let kind = if ticket.is_repeat { AlertKind::Repeat } else { AlertKind::First };
        let delivery = self.delivery(finding, ticket, kind, None).await;
        self.attempt(self.message_of(delivery, self.now(), "")).await
    }

    /// Takes up what comes back from a queue.
    pub(super) async fn message(&self, message: Message) -> Fate {
        let now = self.now();
        let message = message.revived(now);
        if message.not_before > now {
            return self.wait(message, None).await;
        }
        let was_sum = message.is_sum();
        let due = match &message.task {
            Task::Deliver(_) => Ok(None),
            Task::RollUp { alert, finding } => self.roll_up(alert, finding).await,
            Task::Digest { minute, finding } => self.digest(*minute, finding).await,
        };
        let message = match due {
            Ok(None) => message,
            // What was held back is gone out of the ledger, or never came into it.
            Ok(Some(None)) => return Fate::Duplicate,
            Ok(Some(Some(delivery))) => Message { task: Task::Deliver(Box::new(delivery)), ..message },
            Err(fault) => {
                self.fault(&fault, "a sum has to wait");
                return self.retry(message, None, "the ledger does not answer".to_owned()).await;
            }
        };
        let Task::Deliver(delivery) = &message.task else { return Fate::Failed };
        let key = DeliveryKey::new(&delivery.id, &self.channel.name);
        match self.app.ledger.claim(key, &delivery.ticket, self.now(), self.lease()).await {
            Ok(Claimed::Done) => return Fate::Duplicate,
            Ok(Claimed::Held(until)) => return self.wait(Message { not_before: until, ..message }, None).await,
            Ok(Claimed::Ours) => {}
            Err(fault) => self.fault(&fault, "it is sent again, perhaps twice"),
        }
        // What failed together comes back together once its vendor is well again, and roll-ups are as many as groups. What
        // people send through again is sent, each.
        let is_guarded = delivery.findings > 0 && (was_sum || message.attempts > 0) && self.app.queues.can_wait();
        let severity = delivery.about.severity;
        if is_guarded && self.was_crowded(severity).await {
            let finding = delivery.finding(self.app.rules.digest().clone());
            if let Some(fate) = self.digested(&finding, &delivery.ticket, &delivery.digest()).await {
                return fate;
            }
        }
        let fate = self.attempt(message).await;
        if is_guarded && fate == Fate::Delivered {
            let counted = self.app.ledger.count_alert(&self.channel.name, severity, self.now()).await;
            counted.err().iter().for_each(|fault| self.fault(fault, "the storm guard counts one too few"));
        }
        fate
    }

    /// Sends to this channel with no ledger and no queue: a test.
    pub(super) async fn send_once(&self, finding: &Finding, kind: AlertKind<'_>) -> Verdict {
        let id = AlertId::new(&finding.rule.id, &self.channel.name, &finding.id);
        let body = self.channel.channel.render(&Alert { finding, id: &id, kind, receipt: None });
        deliver(&self.app.transport, &self.app.tokens, self.channel, &body, &ClaimId::from(&finding.id), self.deadline)
            .await
    }

    /// The storm guard: more than so many alerts of one severity in a minute become one digest. Counts an alert, and says
    /// whether it is one too many.
    async fn is_crowded(&self, finding: &Finding) -> bool {
        if !self.app.queues.can_wait() {
            return false;
        }
        let (name, most) = (&self.channel.name, self.channel.max_per_minute);
        self.is_one_too_many(self.app.ledger.guard_alert(name, finding.severity, most, self.now()).await)
    }

    /// The same of what comes from the queue, which is counted only once it has arrived: a vendor that is down reads nothing.
    async fn was_crowded(&self, severity: Severity) -> bool {
        let (name, most) = (&self.channel.name, self.channel.max_per_minute);
        self.is_one_too_many(self.app.ledger.guard_queued(name, severity, most, self.now()).await)
    }

    fn is_one_too_many(&self, verdict: Result<GuardVerdict, StoreError>) -> bool {
        verdict.map_or_else(
            |fault| {
                self.fault(&fault, "the storm guard is blind: the alert goes out");
                false
            },
            |verdict| verdict == GuardVerdict::Digests,
        )
    }

    /// Leaves a delivery to the digest of this minute; `None` if it has to go out after all.
    async fn digested(&self, finding: &Finding, ticket: &Decision, one: &AlertDigest) -> Option<Fate> {
        let (name, ledger) = (self.channel.name.as_str(), &self.app.ledger);
        let minute = policy::minute_of(self.now());
        loop {
            match ledger.digest(DeliveryKey::new(&finding.id, name), minute, ticket, one, self.now()).await {
                Ok(DigestAdmission::Digested) => return Some(Fate::Digested),
                Ok(DigestAdmission::ScheduleDigest) => {
                    let task = Task::Digest { minute, finding: Box::new(finding.brief()) };
                    let message = Message::new(name, task, self.now(), policy::digest_due(minute), "a digest");
                    if self.wait(message, None).await == Fate::Failed {
                        return None;
                    }
                    if let Err(fault) = ledger.digest_scheduled(name, minute, self.now()).await {
                        self.fault(&fault, "the storm guard is blind: the alert goes out");
                        return None;
                    }
                }
                Err(fault) => {
                    self.fault(&fault, "the storm guard is blind: the alert goes out");
                    return None;
                }
            }
        }
    }

    /// The roll-up of an alert that is due; `None` if nothing was held back.
    async fn roll_up(&self, alert: &AlertId, finding: &Finding) -> Result<Option<Option<Delivery>>, StoreError> {
        let sum = self.app.ledger.roll_up(alert, self.now()).await?;
        if sum.count == 0 {
            return Ok(Some(None));
        }
        let id = FindingId::from(StableId::hash(&["roll-up", alert.as_str()]));
        let ticket = Decision { alert: alert.clone(), opener: finding.id.clone(), is_repeat: true };
        Ok(Some(Some(self.delivery(finding, ticket, AlertKind::RollUp(&sum), Some(id)).await)))
    }

    /// The digest of a minute that is over; `None` if nothing was held back.
    async fn digest(&self, minute: u64, finding: &Finding) -> Result<Option<Option<Delivery>>, StoreError> {
        let sum = self.app.ledger.digest_of(&self.channel.name, minute, self.now()).await?;
        if sum.count == 0 {
            return Ok(Some(None));
        }
        let id = FindingId::from(StableId::hash(&["digest", &self.channel.name, &minute.to_string()]));
        let ticket = Decision { alert: AlertId::from(id.clone()), opener: id.clone(), is_repeat: false };
        Ok(Some(Some(self.delivery(finding, ticket, AlertKind::Digest(&sum), Some(id)).await)))
    }

    /// Renders. `id` is what a sum is claimed by; a finding is by its own.
    async fn delivery(
        &self,
        finding: &Finding,
        ticket: Decision,
        kind: AlertKind<'_>,
        id: Option<FindingId>,
    ) -> Delivery {
        let mut receipt = None;
        if ticket.is_repeat {
            receipt =
                match self.app.ledger.receipt(DeliveryKey::new(&ticket.opener, &self.channel.name), self.now()).await {
                    Ok(receipt) => receipt,
                    Err(fault) => {
                        self.fault(&fault, "a repeat is not threaded");
                        None
                    }
                };
        }
        let kind = if ticket.is_repeat && matches!(kind, AlertKind::First) { AlertKind::Repeat } else { kind };
        let alert = Alert { finding, id: &ticket.alert, kind, receipt: receipt.as_deref() };
        let body = self.channel.channel.render(&alert);
        let findings = match kind {
            AlertKind::RollUp(sum) => sum.count,
            AlertKind::Digest(_) => 0,
            _ => 1,
        };
        Delivery { id: id.unwrap_or_else(|| finding.id.clone()), ticket, about: About::of(finding), findings, body }
    }

    /// Sends what is claimed, and settles it.
    async fn attempt(&self, message: Message) -> Fate {
        let Task::Deliver(delivery) = &message.task else { return Fate::Failed };
        let (app, name) = (self.app, self.channel.name.as_str());
        let about = (delivery.about.rule.as_str(), delivery.id.as_str());
        match deliver(
            &app.transport,
            &app.tokens,
            self.channel,
            &delivery.body,
            &ClaimId::from(&delivery.id),
            self.deadline,
        )
        .await
        {
            Verdict::Delivered { receipt } => {
                let key = DeliveryKey::new(&delivery.id, name);
                if let Err(fault) = app.ledger.delivered(key, &delivery.ticket, receipt, self.now()).await {
                    self.fault(&fault, "what was delivered may be delivered again");
                }
                tracing::info!(channel = name, rule = about.0, finding = about.1, "delivered");
                Fate::Delivered
            }
            Verdict::Retry { after, reason } => {
                tracing::warn!(channel = name, rule = about.0, finding = about.1, reason, "not delivered yet");
                self.retry(message, after, reason).await
            }
            Verdict::Rejected { reason, .. } => {
                let message = Message { attempts: message.attempts.saturating_add(1), ..message };
                self.bury(message, format!("rejected: {reason}")).await
            }
        }
    }

    /// After an attempt that failed: to the redelivery queue, or to the dead letters if its life is over.
    async fn retry(&self, message: Message, after: Option<Duration>, reason: String) -> Fate {
        if !self.app.queues.can_wait() {
            self.release(&message).await;
            return self.lost(&message, &reason);
        }
        let spread = spread(what(&message), message.attempts);
        let tried = message.tried(self.now(), after, reason, spread);
        if tried.died.is_some() {
            let reason = format!("gave up after {} attempts: {}", tried.attempts, tried.reason);
            return self.bury(tried, reason).await;
        }
        let fate = self.wait(tried.clone(), Some(&tried.reason)).await;
        self.release(&tried).await;
        if self.now().since(tried.since) >= TROUBLE {
            self.tell(&tried.reason).await;
        }
        fate
    }

    /// Hands a message to the redelivery queue.
    async fn wait(&self, message: Message, failure: Option<&str>) -> Fate {
        if !self.app.queues.can_wait() {
            return self.lost(&message, failure.unwrap_or("there is no redelivery queue"));
        }
        match self.app.queues.wait(message.json(), message.delay(self.now())).await {
            Ok(()) => Fate::Queued,
            Err(reason) => self.lost(&message, &format!("the redelivery queue does not take it: {reason}")),
        }
    }

    /// Gives a delivery up: to the dead letters, with the reason, and people are told.
    async fn bury(&self, message: Message, reason: String) -> Fate {
        let now = self.now();
        let message = Message { died: Some(now), reason, ..message };
        let fate = if !self.app.queues.can_bury() {
            self.lost(&message, &message.reason)
        } else if let Err(reason) = self.app.queues.bury(message.json()).await {
            self.lost(&message, &format!("the dead-letter queue does not take it: {reason}"))
        } else {
            tracing::error!(
                channel = self.channel.name,
                what = what(&message),
                reason = message.reason,
                "an alert is dead"
            );
            Fate::Dead
        };
        self.release(&message).await;
        self.tell(&message.reason).await;
        fate
    }

    fn lost(&self, message: &Message, reason: &str) -> Fate {
        tracing::error!(channel = self.channel.name, what = what(message), reason, "an alert was not delivered");
        Fate::Failed
    }

    /// Tells people, on the topic, that a channel is in trouble; at most once an hour.
    async fn tell(&self, reason: &str) {
        // The topic cannot tell of itself; the dead letters' alarm does.
        if self.channel.channel.kind() == "sns" && self.channel.channel.topic_arn().is_none() {
            return;
        }
        let (app, name) = (self.app, self.channel.name.as_str());
        let ticket = match app.ledger.claim_operational(name, self.now(), self.lease()).await {
            Ok((ticket, Claimed::Ours)) => ticket,
            Ok(_) => return,
            // Once an hour cannot be kept without a ledger, and the alarm on dead letters tells too.
            Err(fault) => return self.fault(&fault, "nobody is told of a channel in trouble"),
        };
        let text = format!(
            "The channel \"{name}\" did not take an alert: {reason}. Others may follow; none is lost: see docs/dead-letters.md"
        );
        let finding = Finding {
            id: ticket.opener.clone(),
            severity: Severity::High,
            ..Finding::test(app.rules.digest().clone(), self.now().to_string())
        };
        let topic = ConfiguredChannel {
            name: "topic".to_owned(),
            filter: ChannelFilter::default(),
            channel: channel::default(),
            max_per_minute: MAX_PER_MINUTE,
        };
        let alert = Alert { finding: &finding, id: &ticket.alert, kind: AlertKind::Operational(&text), receipt: None };
        let body = topic.channel.render(&alert);
        let key = DeliveryKey::new(&ticket.opener, OPERATIONAL);
        let settled =
            match deliver(&app.transport, &app.tokens, &topic, &body, &ClaimId::from(&ticket.opener), self.deadline)
                .await
            {
                Verdict::Delivered { .. } => {
                    self.operational.fetch_add(1, Ordering::Relaxed);
                    app.ledger.delivered(key, &ticket, None, self.now()).await
                }
                verdict => {
                    tracing::error!(channel = name, reason = %verdict, "nobody could be told of a channel in trouble");
                    app.ledger.release(key, &ticket, self.now()).await
                }
            };
        if let Err(fault) = settled {
            self.fault(&fault, "people may be told twice");
        }
    }

    fn message_of(&self, delivery: Delivery, not_before: Timestamp, reason: &str) -> Message {
        Message::new(&self.channel.name, Task::Deliver(Box::new(delivery)), self.now(), not_before, reason)
    }

    /// The ticket of a finding of which the ledger knows nothing: it goes out.
    fn unclaimed(&self, finding: &Finding, fault: &StoreError) -> Decision {
        self.fault(fault, "the alert goes out, perhaps twice");
        let alert = AlertId::new(&finding.rule.id, &self.channel.name, &finding.id);
        Decision { alert, opener: finding.id.clone(), is_repeat: false }
    }

    async fn release(&self, message: &Message) {
        if let Task::Deliver(delivery) = &message.task
            && let Err(fault) = self
                .app
                .ledger
                .release(DeliveryKey::new(&delivery.id, &self.channel.name), &delivery.ticket, self.now())
                .await
        {
            self.fault(&fault, "the claim ends with its lease");
        }
    }

    fn fault(&self, fault: &StoreError, consequence: &'static str) {
        tracing::warn!(channel = self.channel.name, reason = fault.0, consequence, "the ledger does not answer");
        self.ledger_faults.fetch_add(1, Ordering::Relaxed);
    }

    fn now(&self) -> Timestamp {
        self.app.transport.now().into()
    }

    /// When a claim that is made now ends: just after this process must have.
    fn lease(&self) -> Timestamp {
        let left = self.deadline.saturating_duration_since(Instant::now());
        self.now().plus((left + GRACE).min(LONGEST_LEASE))
    }
}

/// Gives up a delivery to a channel that is no longer there.
pub(super) async fn bury_orphan<Q: Queues>(queues: &Q, message: Message, now: Timestamp) -> Fate {
    let reason = "rules.json has no channel of this name any more".to_owned();
    let message = Message { died: Some(now), reason, ..message };
    let buried = if queues.can_bury() { queues.bury(message.json()).await } else { Err("there is none".to_owned()) };
    tracing::error!(channel = message.channel, what = what(&message), reason = message.reason, "an alert is dead");
    match buried {
        Ok(()) => Fate::Dead,
        Err(reason) => {
            tracing::error!(channel = message.channel, reason, "the dead-letter queue does not take it");
            Fate::Failed
        }
    }
}

fn what(message: &Message) -> &str {
    match &message.task {
        Task::Deliver(delivery) => delivery.id.as_str(),
        Task::RollUp { alert, .. } => alert.as_str(),
        Task::Digest { finding, .. } => finding.id.as_str(),
    }
}
