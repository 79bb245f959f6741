//! One payload, from when it arrives until it is answered: it is opened, evaluated, classified, delivered and answered.
//!
//! The steps lie in these places: `envelope::open` (`cloudtrail/envelope.rs`) finds the records, `RuleSet::evaluate`
//! (`ruleset/set.rs`, and behind it [`crate::engine`]) makes the findings, [`classify`] keeps those that go to a channel,
//! [`dispatch`] gives them to the channels' workers, and [`answer`] tells Lambda how it went.

use tokio::time::{Instant, timeout_at};

use super::answer::{Handled, Unfinished, answer};
use super::apart::apart;
use super::classify::classify;
use super::dispatch::dispatch;
use super::invocation_store::{InvocationLedger, InvocationStore};
use super::lineage::remember_sessions;
use super::mover::move_letters;
use super::order::Order;
use super::report::InvocationReport;
use super::strays::bury_strays;
use super::sweep::{hear_of_probe, sweep};
use super::test_alert::send_test_alerts;
use super::worker::ReceivedMessage;
use super::{App, Invariant, Response};
use crate::cloudtrail::envelope::{self, NotARecord};
use crate::cloudtrail::spokes::SpokeQueue;
use crate::deliver::Transport;
use crate::ledger::{Ledger, Store};
use crate::redelivery::{QueueMessage, Queues};

/// The share of the time in which thresholds are counted. A file of a thousand records may have more to count than one invocation
/// can, and what is left must still be delivered, or handed to the queue.
const COUNTING_SHARE: f64 = 0.7;

/// Handles one invocation. Every attempt to deliver ends before `deadline`, and [`GRACE`](super::GRACE) after it the process
/// must be done.
///
/// A payload may hold CloudTrail's records, in any wrapping, and deliveries of our own that come back from a queue; the order of
/// their road is that of this function. Nothing in it fails early: what cannot be read is counted, and the rest goes its way.
///
/// The answer is an error where something was neither delivered nor handed to a queue, or not read: Lambda then tries again, and
/// keeps the event in the on-failure queue in the end. A batch of SQS messages is answered in parts instead.
pub async fn handle<T: Transport, S: Store, Q: Queues>(
    payload: &str,
    deadline: Instant,
    app: &App<T, S, Q>,
) -> Handled {
    match Order::parse(payload) {
        Some(Order::Test) => {
            let test = apart(|| send_test_alerts(deadline, app)).await;
            Handled { report: InvocationReport::default(), answer: Ok(Response::Test { test }) }
        }
        Some(Order::Move) if app.own.spokes.is_hub() => carried_out(apart(|| move_letters(deadline, app)).await),
        Some(Order::Sweep(rules)) => carried_out(apart(|| sweep(&rules, deadline, app)).await),
        Some(Order::Move) | None => handle_records(payload, deadline, app).await,
    }
}

/// What an order comes to.
fn carried_out(report: InvocationReport) -> Handled {
    Handled { answer: Ok(Response::Report(report.clone())), report }
}

async fn handle_records<T: Transport, S: Store, Q: Queues>(
    payload: &str,
    deadline: Instant,
    app: &App<T, S, Q>,
) -> Handled {
    let opened = envelope::open(payload);
    let mut report = InvocationReport {
        records: opened.records.len(),
        ignored: opened.ignored.len(),
        ..InvocationReport::default()
    };
    if let Some(NotARecord { reason, .. }) = opened.ignored.first() {
        tracing::info!(reason, count = report.ignored, "not CloudTrail's: ignored");
    }
    let count_until = Instant::now() + deadline.saturating_duration_since(Instant::now()).mul_f64(COUNTING_SHARE);
    let ledger: InvocationLedger<'_, S> = Ledger::new(InvocationStore::new(app.ledger.store(), deadline));
    if app.rules.follows_credentials() {
        apart(|| remember_sessions(&opened.records, (app, &ledger, count_until), &mut report)).await;
    }
    let mut unreadable = opened.unreadable;
    let mut routed = Vec::new();
    for (number, record) in opened.records.iter().enumerate() {
        if let Some(queue) = app.own.spokes.queue_told_in(record) {
            apart(|| hear_of_spoke(&queue, (app, &ledger, deadline), &mut report)).await;
        }
        if let Some(probe) = app.own.watch.probes.told_in(record) {
            apart(|| hear_of_probe(&probe, (app, &ledger, deadline), &mut report)).await;
            continue;
        }
        match app.rules.evaluate(record) {
            Ok(findings) if findings.is_empty() => {}
            Ok(findings) => {
                let asked = (app, &ledger, count_until);
                routed.extend(apart(|| classify(findings, (number, record), asked, &mut report)).await);
            }
            Err(error) => {
                let (reason, message_id) = (error.to_string(), record.message_id.clone());
                unreadable.push(NotARecord { reason, line: None, message_id });
            }
        }
    }
    let mut messages = Vec::new();
    for returned in opened.deliveries {
        match QueueMessage::parse(&returned.json) {
            Ok(message) => messages.push(ReceivedMessage { message, message_id: returned.message_id }),
            Err(error) => {
                let (reason, message_id) = (error.to_string(), returned.message_id);
                unreadable.push(NotARecord { reason, line: None, message_id });
            }
        }
    }
    report.unreadable = unreadable.len();
    let mut unfinished = Unfinished::default();
    for NotARecord { reason, message_id, .. } in unreadable {
        tracing::error!(reason, "a record cannot be read");
        unfinished.message_ids.push(message_id);
    }
    if !opened.ignored.is_empty() {
        apart(|| bury_strays(payload, &opened.ignored, (app, deadline), &mut unfinished)).await;
    }
    if !routed.is_empty() || !messages.is_empty() {
        apart(|| dispatch(&routed, messages, (app, &ledger, deadline), &mut report, &mut unfinished)).await;
    }
    debug_assert!(report.adds_up(), "{}: {report:?}", Invariant::SumsHold);
    let answer = answer(payload, &report, unfinished);
    Handled { report, answer }
}

/// Writes down the queue of a spoke. Where the ledger does not answer, the spoke tells of it again within the hour.
async fn hear_of_spoke<T: Transport, S: Store, R: Store, Q>(
    queue: &SpokeQueue,
    (app, ledger, deadline): (&App<T, S, Q>, &Ledger<R>, Instant),
    report: &mut InvocationReport,
) {
    let heard = timeout_at(deadline, ledger.hear_of_spoke(queue, app.transport.now().into())).await;
    let reason = match heard {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer in time".to_owned(),
    };
    tracing::warn!(account = queue.account, region = queue.region, reason, "the ledger does not keep a spoke's queue");
    report.ledger_faults += 1;
}
