//! One invocation: a payload in, alerts out, and an account of every finding and delivery.

mod courier;
pub mod emf;
mod own_calls;
mod summary;

use std::fmt;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, join_all, select};
use serde::Serialize;
use tokio::time::Instant;

use self::courier::{Courier, Fate};
pub use self::own_calls::OwnCalls;
pub use self::summary::{Deliveries, Findings, Summary};
use crate::alert::AlertKind;
use crate::cloudtrail::envelope::{self, NotARecord};
use crate::cloudtrail::{RawRecord, Record};
use crate::deliver::{Tokens, Transport};
use crate::finding::Finding;
use crate::ledger::{Ledger, Occurrence, Store};
use crate::redelivery::{Message, Queues};
use crate::rules::Mode;
use crate::rules::Rule;
use crate::ruleset::RuleSet;
use crate::time::Timestamp;

/// What lives as long as the process.
#[derive(Debug)]
pub struct App<T, S, Q> {
    /// The rules and channels.
    pub rules: RuleSet,
    /// What is outside.
    pub transport: T,
    /// The channels' access tokens.
    pub tokens: Tokens,
    /// What has been delivered.
    pub ledger: Ledger<S>,
    /// Where what cannot be delivered waits.
    pub queues: Q,
    /// Who we are.
    pub own: OwnCalls,
}

/// How long after an invocation's deadline Lambda may let it live. A claim outlives its claimer by no more.
pub const GRACE: Duration = Duration::from_secs(5);

/// What came of an invocation.
#[derive(Debug, PartialEq, Eq)]
pub struct Handled {
    /// The account.
    pub summary: Summary,
    /// What Lambda is answered.
    pub answer: Result<Response, HandleError>,
}

/// What the function answers.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Response {
    /// To an event.
    Summary(Summary),
    /// To a batch of SQS messages: the ids of those that must come again.
    Batch(Vec<String>),
    /// To `{"offlimits":"test"}`: each channel, and how it went.
    Test {
        /// In the order of `rules.json`.
        test: Vec<ChannelReport>,
    },
}

/// How a test alert went on one channel.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct ChannelReport {
    /// The channel.
    pub channel: String,
    /// `delivered`, or why not.
    pub verdict: String,
}

/// Why Lambda must try again: something was neither delivered nor handed to a queue, or not read.
#[derive(Debug, PartialEq, Eq)]
pub enum HandleError {
    /// Deliveries that did not complete: the names of their channels.
    Undelivered {
        /// How many.
        failed: usize,
        /// To which channels.
        channels: Vec<String>,
    },
    /// Records that could not be read: how many.
    Unreadable(usize),
}

impl fmt::Display for HandleError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undelivered { failed, channels } => {
                write!(formatter, "{failed} deliveries did not complete: {}", channels.join(", "))
            }
            Self::Unreadable(count) => write!(formatter, "{count} records could not be read"),
        }
    }
}

impl std::error::Error for HandleError {}

/// A finding that goes to channels.
struct Routed {
    finding: Finding,
    channels: Vec<usize>,
    /// What makes repeats of it, as a hash, and for how long they are held back.
    group: Option<(String, Duration)>,
    message_id: Option<String>,
}

/// What one channel has to do.
enum Work<'w> {
    Finding(&'w Routed),
    Message(&'w Message, Option<&'w str>),
}

/// Handles one invocation; every attempt to deliver ends before `deadline`, and [`GRACE`] after it the process must be done.
///
/// The answer is an error where something was neither delivered nor handed to a queue, or not read: Lambda then tries again,
/// and keeps the event in the on-failure queue in the end. A batch of SQS messages is answered in parts instead.
pub async fn handle<T: Transport, S: Store, Q: Queues>(
    payload: &str,
    deadline: Instant,
    app: &App<T, S, Q>,
) -> Handled {
    if is_test(payload) {
        return Handled { summary: Summary::default(), answer: Ok(test(deadline, app).await) };
    }
    let opened = envelope::open(payload);
    let mut summary = Summary { records: opened.records.len(), ignored: opened.ignored.len(), ..Summary::default() };
    if let Some(NotARecord { reason, .. }) = opened.ignored.first() {
        tracing::info!(reason, count = summary.ignored, "not CloudTrail's: ignored");
    }
    let mut unreadable = opened.unreadable;
    let mut routed = Vec::new();
    for record in &opened.records {
        match app.rules.evaluate(record) {
            Ok(findings) => routed.extend(classify(findings, record, app, &mut summary).await),
            Err(error) => {
                let (reason, message_id) = (error.to_string(), record.message_id.clone());
                unreadable.push(NotARecord { reason, line: None, message_id });
            }
        }
    }
    let mut messages = Vec::new();
    for delivery in opened.deliveries {
        match Message::parse(&delivery.json) {
            Ok(message) => messages.push((message, delivery.message_id)),
            Err(reason) => unreadable.push(NotARecord { reason, line: None, message_id: delivery.message_id }),
        }
    }
    summary.unreadable = unreadable.len();
    let mut failed_messages: Vec<String> = unreadable.iter().filter_map(|what| what.message_id.clone()).collect();
    for what in &unreadable {
        tracing::error!(reason = what.reason, "a record cannot be read");
    }
    let failed_channels = deliver_all(&routed, &messages, deadline, app, &mut summary, &mut failed_messages).await;
    log(&summary);
    let answer = if is_batch(payload) {
        failed_messages.sort();
        failed_messages.dedup();
        Ok(Response::Batch(failed_messages))
    } else {
        match (summary.deliveries.failed, summary.unreadable) {
            (0, 0) => Ok(Response::Summary(summary.clone())),
            (0, unreadable) => Err(HandleError::Unreadable(unreadable)),
            (failed, _) => Err(HandleError::Undelivered { failed, channels: failed_channels }),
        }
    };
    Handled { summary, answer }
}

/// Counts the findings of one record, and keeps those that go to a channel.
async fn classify<T: Transport, S: Store, Q: Queues>(
    findings: Vec<Finding>,
    raw: &RawRecord,
    app: &App<T, S, Q>,
    summary: &mut Summary,
) -> Vec<Routed> {
    let mut routed = Vec::new();
    // Few records match anything: what follows is worked out for those alone.
    let record = if findings.is_empty() { None } else { Record::parse(&raw.json).ok() };
    for finding in findings {
        let counts = &mut summary.findings;
        counts.total += 1;
        if app.own.contains(&finding.call) {
            counts.own += 1;
            continue;
        }
        if finding.rule.mode == Mode::Stage {
            counts.staged += 1;
            tracing::info!(rule = finding.rule.id, finding = finding.id.as_str(), "staged");
            continue;
        }
        let rule = app.rules.rule_of(&finding);
        // Both are there: the finding was made of them.
        let of = rule.zip(record.as_ref());
        if let Some((rule, record)) = of
            && !reaches_threshold(rule, &finding, record, app, &mut summary.ledger_faults).await
        {
            summary.findings.below_threshold += 1;
            continue;
        }
        let counts = &mut summary.findings;
        let channels = app.rules.route(&finding);
        if channels.is_empty() {
            counts.unrouted += 1;
            continue;
        }
        counts.routed += 1;
        // Without a queue no roll-up could follow, and so nothing is held back.
        let group = of.filter(|_| app.queues.can_wait()).and_then(|(rule, record)| {
            let throttle = rule.throttle.as_ref()?;
            Some((throttle.group(&rule.info.id, record), Duration::from_secs(throttle.window)))
        });
        routed.push(Routed { finding, channels, group, message_id: raw.message_id.clone() });
    }
    routed
}

/// Whether a finding's rule has been matched often enough. If the ledger does not know, it has.
async fn reaches_threshold<T, S: Store, Q>(
    rule: &Rule,
    finding: &Finding,
    record: &Record<'_>,
    app: &App<T, S, Q>,
    faults: &mut usize,
) -> bool
where
    T: Transport,
{
    let Some(threshold) = &rule.threshold else { return true };
    let now = Timestamp::from(app.transport.now());
    let (group, values) = (threshold.group(&rule.info.id, record), threshold.values(record));
    let occurrence = Occurrence {
        id: &group,
        finding: &finding.id,
        at: finding.call.event_time.as_deref().and_then(Timestamp::parse).unwrap_or(now),
        count: threshold.count,
        window: Duration::from_secs(threshold.window),
        distinct: values.as_deref(),
    };
    match app.ledger.record_occurrence(&occurrence, now).await {
        Ok(reached) => reached,
        Err(fault) => {
            tracing::warn!(rule = rule.info.id, reason = fault.0, "the ledger cannot count: the alert goes out");
            *faults += 1;
            true
        }
    }
}

/// Delivers to all channels at once: each is on its own, and takes one thing after another. Returns the names of the channels
/// that failed.
async fn deliver_all<T: Transport, S: Store, Q: Queues>(
    routed: &[Routed],
    messages: &[(Message, Option<String>)],
    deadline: Instant,
    app: &App<T, S, Q>,
    summary: &mut Summary,
    failed_messages: &mut Vec<String>,
) -> Vec<String> {
    let now = Timestamp::from(app.transport.now());
    let channels = app.rules.channels().iter().enumerate().map(async |(index, configured)| {
        let courier = Courier::new(app, configured, deadline);
        let mut account = Summary::default();
        let mut failed = Vec::new();
        let findings = routed.iter().filter(|routed| routed.channels.contains(&index)).map(Work::Finding);
        let own = messages.iter().filter(|(message, _)| message.channel == configured.name);
        for work in findings.chain(own.map(|(message, id)| Work::Message(message, id.as_deref()))) {
            let (fate, message_id) = match work {
                Work::Finding(routed) => {
                    account.deliveries.routed += 1;
                    let group = routed.group.as_ref().map(|(group, window)| (group.as_str(), *window));
                    (courier.finding(&routed.finding, group).await, routed.message_id.as_deref())
                }
                Work::Message(message, id) => {
                    *counted_as(message, &mut account.deliveries) += 1;
                    (courier.message(message.clone()).await, id)
                }
            };
            *fate.count(&mut account.deliveries) += 1;
            if fate == Fate::Failed {
                failed.extend(message_id.map(str::to_owned));
            }
        }
        (account.operational, account.ledger_faults) = courier.counts();
        (configured.name.clone(), account, failed)
    });
    // The secret is read while the ledger is asked: a first alert would wait for one after the other. If it cannot be read,
    // each channel asks again and says so.
    let has_work = |index, name: &str| {
        routed.iter().any(|routed| routed.channels.contains(&index)) || messages.iter().any(|(m, _)| m.channel == name)
    };
    let needs_credentials = app
        .rules
        .channels()
        .iter()
        .enumerate()
        .any(|(index, configured)| configured.channel.needs_credentials() && has_work(index, &configured.name));
    let credentials = async {
        if needs_credentials {
            let _ = app.transport.credentials(false).await;
        }
    };
    let done = match select(pin!(join_all(channels)), pin!(credentials)).await {
        // Nobody needed it after all, such as where all are repeats.
        Either::Left((done, _)) => done,
        Either::Right(((), channels)) => channels.await,
    };
    let mut failed_channels = Vec::new();
    for (name, account, failed) in done {
        if account.deliveries.failed > 0 {
            failed_channels.push(name);
        }
        *summary += &account;
        failed_messages.extend(failed);
    }
    let is_configured = |message: &Message| app.rules.channels().iter().any(|known| known.name == message.channel);
    for (message, id) in messages.iter().filter(|(message, _)| !is_configured(message)) {
        *counted_as(message, &mut summary.deliveries) += 1;
        let fate = courier::bury_orphan(&app.queues, message.clone(), now).await;
        *fate.count(&mut summary.deliveries) += 1;
        if fate == Fate::Failed {
            failed_channels.push(message.channel.clone());
            failed_messages.extend(id.clone());
        }
    }
    failed_channels
}

/// A sum that comes due for the first time is a roll-up; whatever was rendered before is redelivered.
fn counted_as<'d>(message: &Message, deliveries: &'d mut Deliveries) -> &'d mut usize {
    if message.is_sum() { &mut deliveries.roll_ups } else { &mut deliveries.redelivered }
}

/// Sends a marked alert to every channel, whatever its filter: nobody trusts a pager that they have not heard.
async fn test<T: Transport, S: Store, Q: Queues>(deadline: Instant, app: &App<T, S, Q>) -> Response {
    let now = Timestamp::from(app.transport.now());
    let finding = Finding::test(app.rules.digest().clone(), now.to_string());
    let reports = app.rules.channels().iter().map(async |configured| {
        let verdict = Courier::new(app, configured, deadline).send_once(&finding, AlertKind::Test).await.to_string();
        tracing::info!(channel = configured.name, verdict, "test alert");
        ChannelReport { channel: configured.name.clone(), verdict }
    });
    Response::Test { test: join_all(reports).await }
}

fn is_test(payload: &str) -> bool {
    payload.len() < 200
        && serde_json::from_str::<serde_json::Value>(payload).is_ok_and(|event| event["offlimits"] == "test")
}

/// Whether the payload is a batch of SQS messages, whose answer names those that failed.
fn is_batch(payload: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Batch {
        #[serde(rename = "Records")]
        records: Vec<Message>,
    }
    #[derive(serde::Deserialize)]
    struct Message {
        #[serde(rename = "eventSource")]
        event_source: String,
    }
    serde_json::from_str::<Batch>(payload).is_ok_and(|batch| {
        !batch.records.is_empty() && batch.records.iter().all(|message| message.event_source == "aws:sqs")
    })
}

fn log(summary: &Summary) {
    debug_assert!(summary.adds_up(), "{summary:?}");
    let Summary { records, ignored, unreadable, findings, deliveries, operational, ledger_faults } = summary;
    tracing::info!(
        records,
        ignored,
        unreadable,
        findings = findings.total,
        staged = findings.staged,
        unrouted = findings.unrouted,
        below_threshold = findings.below_threshold,
        own = findings.own,
        routed = findings.routed,
        deliveries = deliveries.total(),
        delivered = deliveries.delivered,
        throttled = deliveries.throttled,
        digested = deliveries.digested,
        duplicate = deliveries.duplicate,
        queued = deliveries.queued,
        dead = deliveries.dead,
        failed = deliveries.failed,
        operational,
        ledger_faults,
        "invocation"
    );
}
