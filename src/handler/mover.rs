//! The mover: brings what lies in the spokes' queues to the hub's redelivery queue.
//!
//! A rule of the hub tells the function to, every quarter of an hour: `{"offlimits":"move"}`. What lies there are events that
//! EventBridge could not send to the hub's bus for a day. They go through the redelivery queue like any event that is sent through
//! again, and never back through EventBridge: nobody but AWS may put an event whose source begins with `aws.`.
//!
//! A letter is sent first and deleted after: if anything fails between the two it comes twice, and the ledger knows it again. What
//! is not an event of the queue's own account ([`check_letter`]) stays where it is, and is told of each time.

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use tokio::time::{Instant, timeout_at};

use super::App;
use super::report::{InvocationReport, SpokeLetters};
use crate::cloudtrail::spokes::SpokeQueue;
use crate::deliver::Transport;
use crate::ledger::Store;
use crate::redelivery::{Letter, QueueError, Queues, check_letter};
use crate::time::Timestamp;

/// Queues that are looked into at the same time.
const CONCURRENT_QUEUES: usize = 16;
/// Times that one queue is asked in one run, for ten letters each: one that is full must not keep the others waiting.
const MAX_TAKES: usize = 50;
/// The time that must be left for a queue to be begun with.
const LEAST_TIME: Duration = Duration::from_secs(5);

/// Looks into the queue of every spoke, until `deadline`. Whatever fails is counted and logged, and tried again the next time.
pub(super) async fn move_letters<T: Transport, S: Store, Q: Queues>(
    deadline: Instant,
    app: &App<T, S, Q>,
) -> InvocationReport {
    let mut report = InvocationReport::default();
    let now = Timestamp::from(app.transport.now());
    let known = timeout_at(deadline, app.ledger.spoke_queues(now)).await;
    let queues =
        match known.map_err(|_| "no answer in time".to_owned()).and_then(|known| known.map_err(|e| e.to_string())) {
            Ok(queues) => queues,
            Err(reason) => {
                tracing::error!(reason, "the ledger does not tell the spokes' queues");
                report.ledger_faults += 1;
                return report;
            }
        };
    // Each look is begun when its turn has come: all of two thousand would not fit into the smallest function.
    let looks = stream::iter(queues.iter().cloned()).map(|queue| look_into(queue, deadline, app));
    let emptied: Vec<Option<SpokeLetters>> = looks.buffered(CONCURRENT_QUEUES).collect().await;
    emptied.iter().flatten().for_each(|counts| report.spokes += counts);
    let looked_into = emptied.iter().take_while(|counts| counts.is_some()).count();
    if looked_into < queues.len() {
        tracing::warn!(
            queues = queues.len(),
            looked_into,
            "there was no time for every spoke's queue: the next run begins there"
        );
        let last = looked_into.checked_sub(1).and_then(|last| queues.get(last));
        if let Some(last) = last
            && let Err(error) = app.ledger.stop_after_spoke(last, now).await
        {
            tracing::warn!(reason = %error, "the ledger does not keep how far the mover came");
        }
    }
    let SpokeLetters { moved, refused, unreached } = report.spokes;
    tracing::info!(queues = looked_into, moved, refused, unreached, "the spokes' queues");
    report
}

/// Empties one queue, if there is time for it.
async fn look_into<T: Transport, S: Store, Q: Queues>(
    queue: SpokeQueue,
    deadline: Instant,
    app: &App<T, S, Q>,
) -> Option<SpokeLetters> {
    if Instant::now() + LEAST_TIME > deadline { None } else { Some(empty(&queue, deadline, app).await) }
}

/// Takes letters from one queue until it has none to give. One that is gone is forgotten.
async fn empty<T: Transport, S: Store, Q: Queues>(
    queue: &SpokeQueue,
    deadline: Instant,
    app: &App<T, S, Q>,
) -> SpokeLetters {
    let mut counts = SpokeLetters::default();
    let SpokeQueue { account, region, .. } = queue;
    for _ in 0..MAX_TAKES {
        match timeout_at(deadline, move_some(queue, app, &mut counts)).await {
            Ok(Ok(false)) => {}
            Ok(Ok(true)) => break,
            Ok(Err(error)) if error.is_of_no_queue() => {
                tracing::warn!(account, region, "a spoke's queue is gone: it is forgotten");
                let forgotten = timeout_at(deadline, app.ledger.forget_spoke(queue, app.transport.now().into())).await;
                if !matches!(forgotten, Ok(Ok(()))) {
                    tracing::warn!(account, region, "the ledger does not forget it: the next run tries again");
                }
                break;
            }
            Ok(Err(error)) => {
                tracing::error!(account, region, reason = %error, "a spoke's queue cannot be emptied");
                counts.unreached += 1;
                break;
            }
            Err(_) => {
                tracing::error!(account, region, reason = "no answer in time", "a spoke's queue cannot be emptied");
                counts.unreached += 1;
                break;
            }
        }
    }
    if counts.moved > 0 {
        tracing::warn!(
            account,
            region,
            moved = counts.moved,
            "letters of a spoke: its events did not reach the hub for a day"
        );
    }
    counts
}

/// Moves up to ten letters, and returns whether there were none.
async fn move_some<T, S, Q: Queues>(
    queue: &SpokeQueue,
    app: &App<T, S, Q>,
    counts: &mut SpokeLetters,
) -> Result<bool, QueueError> {
    let letters = app.queues.take_letters(queue).await?;
    if letters.is_empty() {
        return Ok(true);
    }
    let SpokeQueue { account, region, .. } = queue;
    let mut sound = Vec::with_capacity(letters.len());
    for letter in letters {
        match check_letter(&letter.body, account) {
            Ok(()) => sound.push(letter),
            Err(fault) => {
                let message_id = letter.message_id;
                tracing::error!(account, region, message_id, reason = %fault, "a letter of a spoke is not moved");
                counts.refused += 1;
            }
        }
    }
    let messages = sound.iter().map(|letter| (letter.body.clone(), Duration::ZERO)).collect();
    let sent = app.queues.enqueue_all(messages).await;
    let mut receipts = Vec::with_capacity(sound.len());
    let mut refusal = None;
    for (Letter { receipt, error_code, .. }, sent) in sound.into_iter().zip(sent) {
        match sent {
            Ok(()) => {
                tracing::debug!(account, region, error_code, "a letter of a spoke is moved");
                receipts.push(receipt);
            }
            Err(error) => refusal = Some(error),
        }
    }
    counts.moved += receipts.len();
    if !receipts.is_empty() {
        app.queues.drop_letters(queue, receipts).await?;
    }
    refusal.map_or(Ok(false), Err)
}
