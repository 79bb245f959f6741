//! One invocation: a payload in, alerts out, and an account of every finding and delivery.

use std::fmt;

use futures_util::future::join_all;
use serde::Serialize;
use tokio::time::Instant;

use crate::alert::{Alert, AlertId, Kind};
use crate::deliver::{Outcome, Tokens, Transport, deliver};
use crate::envelope::{self, NotARecord};
use crate::finding::{Call, Finding, Mode};
use crate::ledger::MemoryLedger;
use crate::route::ConfiguredChannel;
use crate::rules::RuleSet;

/// What lives as long as the process.
#[derive(Debug)]
pub struct App<T> {
    /// The rules and channels.
    pub rules: RuleSet,
    /// What is outside.
    pub transport: T,
    /// The channels' access tokens.
    pub tokens: Tokens,
    /// What has been delivered.
    pub ledger: MemoryLedger,
    /// Who we are.
    pub own: OwnCalls,
}

/// The calls that the function itself makes at run time. They are recorded by CloudTrail like any other, and an alert about
/// them would call them again.
#[derive(Debug, Clone, Default)]
pub struct OwnCalls {
    /// Our role's ARN: `arn:aws:iam::123456789012:role/offlimits`.
    pub role_arn: Option<String>,
    /// Our function's name, which Lambda takes for the session's.
    pub function_name: Option<String>,
    /// Our topic.
    pub topic_arn: Option<String>,
    /// Our secret.
    pub secret_arn: Option<String>,
}

impl OwnCalls {
    /// Whether the call is one that we make: our role in our function's session, an API that we use, on what is ours.
    fn contains(&self, call: &Call) -> bool {
        let (Some(role), Some(function), Some(arn)) = (&self.role_arn, &self.function_name, &call.arn) else {
            return false;
        };
        let Some((prefix, path)) = role.split_once(":role/") else { return false };
        let session = format!(
            "{}:assumed-role/{}/{function}",
            prefix.replacen(":iam:", ":sts:", 1),
            path.rsplit('/').next().unwrap_or(path)
        );
        let on = |target: &Option<String>| target.as_ref().is_some_and(|target| call.targets.contains(target));
        *arn == session
            && match (call.service.as_deref(), call.event.as_deref()) {
                (Some("sns.amazonaws.com"), Some("Publish")) => on(&self.topic_arn),
                (Some("secretsmanager.amazonaws.com"), Some("GetSecretValue")) => on(&self.secret_arn),
                // The key's service is called for us, by the two services that we call.
                (Some("kms.amazonaws.com"), Some("Decrypt" | "GenerateDataKey")) => {
                    matches!(call.source_ip.as_deref(), Some("secretsmanager.amazonaws.com" | "sns.amazonaws.com"))
                }
                (Some("logs.amazonaws.com"), Some("CreateLogStream" | "PutLogEvents")) => true,
                _ => false,
            }
    }
}

/// The account of one invocation. Both sums hold exactly: [`Summary::adds_up`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Records that were read.
    pub records: usize,
    /// What is not CloudTrail's.
    pub ignored: usize,
    /// What should have been a record.
    pub unreadable: usize,
    /// The findings, and what became of them.
    pub findings: Findings,
    /// The deliveries, and what became of them.
    pub deliveries: Deliveries,
}

/// total = staged + unrouted + own + routed
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// All of them.
    pub total: usize,
    /// Of rules that are staged.
    pub staged: usize,
    /// That no channel accepts.
    pub unrouted: usize,
    /// Of our own calls.
    #[serde(rename = "self")]
    pub own: usize,
    /// That went to a channel.
    pub routed: usize,
}

/// total = delivered + duplicate + failed
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Deliveries {
    /// Routed findings × their channels.
    pub total: usize,
    /// That arrived.
    pub delivered: usize,
    /// That had arrived before.
    pub duplicate: usize,
    /// That did not arrive.
    pub failed: usize,
}

impl Summary {
    /// Whether nothing is missing from the account.
    pub fn adds_up(&self) -> bool {
        let Self { findings: f, deliveries: d, .. } = self;
        f.total == f.staged + f.unrouted + f.own + f.routed && d.total == d.delivered + d.duplicate + d.failed
    }
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

/// Why Lambda must try again: something was not delivered, or not read.
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

/// What is to be delivered, and the SQS message that it came from.
struct Routed {
    finding: Finding,
    channels: Vec<usize>,
    message_id: Option<String>,
}

/// Handles one invocation; every delivery ends before `deadline`. `now` is the time of a test alert (RFC 3339).
///
/// # Errors
/// That a delivery did not complete, or a record could not be read: Lambda then tries again, and keeps the event in the
/// on-failure queue in the end. A batch of SQS messages is answered in parts instead.
pub async fn handle<T: Transport>(
    payload: &str,
    deadline: Instant,
    now: &str,
    app: &App<T>,
) -> Result<Response, HandleError> {
    if is_test(payload) {
        return test(deadline, now, app).await;
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
            Ok(findings) => {
                for finding in findings {
                    let channels = classify(&finding, app, &mut summary.findings);
                    routed.push(Routed { finding, channels, message_id: record.message_id.clone() });
                }
            }
            Err(reason) => unreadable.push(NotARecord { reason, line: None, message_id: record.message_id.clone() }),
        }
    }
    summary.unreadable = unreadable.len();
    let mut failed_messages: Vec<String> = unreadable.iter().filter_map(|what| what.message_id.clone()).collect();
    for what in &unreadable {
        tracing::error!(reason = what.reason, "a record cannot be read");
    }
    let failed_channels = deliver_all(&routed, deadline, app, &mut summary.deliveries, &mut failed_messages).await;
    log(&summary);
    if is_batch(payload) {
        failed_messages.sort();
        failed_messages.dedup();
        return Ok(Response::Batch(failed_messages));
    }
    match (summary.deliveries.failed, summary.unreadable) {
        (0, 0) => Ok(Response::Summary(summary)),
        (0, unreadable) => Err(HandleError::Unreadable(unreadable)),
        (failed, _) => Err(HandleError::Undelivered { failed, channels: failed_channels }),
    }
}

/// The channels of a finding, which is counted.
fn classify<T>(finding: &Finding, app: &App<T>, counts: &mut Findings) -> Vec<usize> {
    counts.total += 1;
    if app.own.contains(&finding.call) {
        counts.own += 1;
        return Vec::new();
    }
    if finding.rule.mode == Mode::Stage {
        counts.staged += 1;
        tracing::info!(rule = finding.rule.id, finding = finding.id.as_str(), "staged");
        return Vec::new();
    }
    let channels = app.rules.route(finding);
    *(if channels.is_empty() { &mut counts.unrouted } else { &mut counts.routed }) += 1;
    channels
}

/// Delivers to all channels at once: each is on its own, and sends its findings in their order. Returns the names of the
/// channels that failed.
async fn deliver_all<T: Transport>(
    routed: &[Routed],
    deadline: Instant,
    app: &App<T>,
    counts: &mut Deliveries,
    failed_messages: &mut Vec<String>,
) -> Vec<String> {
    let channels = app.rules.channels().iter().enumerate().map(async |(index, configured)| {
        let mut counts = Deliveries::default();
        let mut failed = Vec::new();
        for Routed { finding, message_id, .. } in routed.iter().filter(|routed| routed.channels.contains(&index)) {
            counts.total += 1;
            if app.ledger.is_done(&finding.id, index) {
                counts.duplicate += 1;
                continue;
            }
            match send(finding, Kind::First, configured, deadline, app).await {
                Outcome::Delivered { .. } => {
                    app.ledger.done(&finding.id, index);
                    counts.delivered += 1;
                    tracing::info!(
                        channel = configured.name,
                        rule = finding.rule.id,
                        finding = finding.id.as_str(),
                        "delivered"
                    );
                }
                outcome => {
                    counts.failed += 1;
                    tracing::error!(
                        channel = configured.name,
                        rule = finding.rule.id,
                        finding = finding.id.as_str(),
                        reason = %outcome,
                        "an alert was not delivered"
                    );
                    failed.extend(message_id.clone());
                }
            }
        }
        (configured.name.clone(), counts, failed)
    });
    let mut failed_channels = Vec::new();
    for (name, channel, failed) in join_all(channels).await {
        counts.total += channel.total;
        counts.delivered += channel.delivered;
        counts.duplicate += channel.duplicate;
        counts.failed += channel.failed;
        if channel.failed > 0 {
            failed_channels.push(name);
        }
        failed_messages.extend(failed);
    }
    failed_channels
}

/// Sends a marked alert to every channel, whatever its filter: nobody trusts a pager that they have not heard.
async fn test<T: Transport>(deadline: Instant, now: &str, app: &App<T>) -> Result<Response, HandleError> {
    let finding = Finding::test(app.rules.digest().clone(), now.to_owned());
    let reports = app.rules.channels().iter().map(async |configured| {
        let verdict = send(&finding, Kind::Test, configured, deadline, app).await.to_string();
        tracing::info!(channel = configured.name, verdict, "test alert");
        ChannelReport { channel: configured.name.clone(), verdict }
    });
    Ok(Response::Test { test: join_all(reports).await })
}

/// Renders a finding for a channel, and delivers it.
async fn send<T: Transport>(
    finding: &Finding,
    kind: Kind<'_>,
    configured: &ConfiguredChannel,
    deadline: Instant,
    app: &App<T>,
) -> Outcome {
    let id = AlertId::of(&finding.rule.id, &configured.name, &finding.id);
    let body = configured.channel.render(&Alert { finding, id: &id, kind, receipt: None });
    deliver(&app.transport, &app.tokens, configured, &body, seed(finding), deadline).await
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

fn seed(finding: &Finding) -> u64 {
    finding.id.as_str().bytes().fold(0, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(byte.into()))
}

fn log(summary: &Summary) {
    debug_assert!(summary.adds_up(), "{summary:?}");
    let Summary { records, ignored, unreadable, findings, deliveries } = summary;
    tracing::info!(
        records,
        ignored,
        unreadable,
        findings = findings.total,
        staged = findings.staged,
        unrouted = findings.unrouted,
        own = findings.own,
        routed = findings.routed,
        deliveries = deliveries.total,
        delivered = deliveries.delivered,
        duplicate = deliveries.duplicate,
        failed = deliveries.failed,
        "invocation"
    );
}
