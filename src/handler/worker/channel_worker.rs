//! The worker of one channel: it takes one thing after the other ([`ChannelWorker::run`]) as long as there is time, and holds what
//! all stages have in common. `stages.rs` has the road that each thing takes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::incoming::{Incoming, Origin};
use super::turns::Turns;
use crate::channel::ConfiguredChannel;
use crate::deliver::Transport;
use crate::handler::apart::apart;
use crate::handler::classify::RoutedTo;
use crate::handler::invocation_store::InvocationLedger;
use crate::handler::outcome::{DeliveryOutcome, DeliverySource};
use crate::handler::report::Deliveries;
use crate::handler::subject::Subject;
use crate::handler::{App, GRACE};
use crate::ids::ClaimId;
use crate::ledger::policy::{MAX_LEASE, MOST_TOGETHER};
use crate::ledger::{DeliveryKey, Store, StoreError};
use crate::redelivery::{QueueMessage, Queues};
use crate::time::Timestamp;

/// The least time that is worth beginning anything with: less would be a request that is cut short. Of a short invocation it is a
/// quarter.
const LEAST_TIME: Duration = Duration::from_secs(1);
/// How long after the deadline for attempts a queue may take what was not delivered. With what the ledger is asked afterwards it
/// stays within what is left until Lambda's own deadline.
const HAND_OVER_TIME: Duration = Duration::from_secs(2);

/// Delivers to one channel until the deadline of one invocation, one thing after the other.
pub(in crate::handler) struct ChannelWorker<'a, T, S, Q> {
    pub(super) app: &'a App<T, S, Q>,
    pub(super) ledger: &'a InvocationLedger<'a, S>,
    pub(super) channel: &'a ConfiguredChannel,
    /// When every attempt to deliver must have ended.
    pub(super) deadline: Instant,
    /// From when on there is too little time left for anything to be begun.
    last_start: Instant,
    /// Whether `rules.json` has no such channel any more.
    pub(super) is_gone: bool,
    /// How many alerts about offlimits itself went out.
    pub(super) operational: AtomicUsize,
    /// How many questions the ledger did not answer.
    ledger_faults: AtomicUsize,
}

/// A message that came back from a queue.
pub(in crate::handler) struct ReceivedMessage {
    pub(in crate::handler) message: QueueMessage,
    /// The SQS message that brought it, if one did.
    pub(in crate::handler) message_id: Option<String>,
}

/// How a message ended in this invocation.
struct MessageEnd {
    source: DeliverySource,
    /// What it is about, each with how it ended: of findings that nobody had come to, several.
    ends: Vec<(Subject, DeliveryOutcome)>,
    message_id: Option<String>,
    /// Whether there was no time for it, and it stays in its queue as it is.
    is_untouched: bool,
}

/// What one channel has to deliver.
#[derive(Default)]
pub(in crate::handler) struct ChannelBatch<'b> {
    pub(in crate::handler) findings: Vec<RoutedTo<'b>>,
    pub(in crate::handler) messages: Vec<ReceivedMessage>,
}

impl ChannelBatch<'_> {
    pub(in crate::handler) const fn is_empty(&self) -> bool {
        self.findings.is_empty() && self.messages.is_empty()
    }
}

/// What a worker reports when it has ended.
#[derive(Debug, Default)]
pub(in crate::handler) struct ChannelTally {
    pub(in crate::handler) deliveries: Deliveries,
    pub(in crate::handler) operational: usize,
    pub(in crate::handler) ledger_faults: usize,
    /// For each delivery that failed, the id of the SQS message that brought the delivery or its record, `None` if no message
    /// did; and the ids of the messages that nobody has touched.
    pub(in crate::handler) unfinished_message_ids: Vec<Option<String>>,
}

impl<'a, T: Transport, S: Store, Q: Queues> ChannelWorker<'a, T, S, Q> {
    pub(in crate::handler) fn new(
        app: &'a App<T, S, Q>,
        ledger: &'a InvocationLedger<'a, S>,
        channel: &'a ConfiguredChannel,
        deadline: Instant,
    ) -> Self {
        let (operational, ledger_faults) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let now = Instant::now();
        let left = deadline.saturating_duration_since(now);
        let last_start = now + left.saturating_sub(LEAST_TIME.min(left / 4));
        Self { app, ledger, channel, deadline, last_start, is_gone: false, operational, ledger_faults }
    }

    /// Delivers all that there is for the channel: first the findings of the payload, then what comes from the queue. What there
    /// is no time for is handed over as it is (`TimeIsKept`).
    pub(in crate::handler) async fn run(self, batch: ChannelBatch<'_>) -> ChannelTally {
        let mut tally = ChannelTally::default();
        let calls = batch.findings.chunk_by(|one, next| one.record == next.record);
        let calls: Vec<&[RoutedTo<'_>]> = calls.flat_map(|call| call.chunks(MOST_TOGETHER)).collect();
        let mut left = calls.as_slice();
        while let [call, rest @ ..] = left
            && !self.is_time_up()
        {
            let mut subjects: Vec<Subject> = call.iter().map(|routed| self.subject(*routed)).collect();
            let incoming: Vec<Incoming<'_>> = call.iter().copied().map(Incoming::from).collect();
            let outcomes = apart(|| self.deliver_call(&incoming, &mut subjects, Origin::Event)).await;
            for ((routed, subject), outcome) in call.iter().zip(&subjects).zip(outcomes) {
                self.end(&mut tally, subject, DeliverySource::Routed, outcome, routed.message_id);
            }
            left = rest;
        }
        if !left.is_empty() {
            let findings = left.iter().flat_map(|call| call.iter());
            for (routed, outcome) in findings.zip(apart(|| self.hand_over_findings(left)).await) {
                let subject = self.subject(*routed);
                self.end(&mut tally, &subject, DeliverySource::Routed, outcome, routed.message_id);
            }
        }
        if !batch.messages.is_empty() {
            apart(|| self.run_messages(batch.messages, &mut tally)).await;
        }
        self.add_counts(&mut tally);
        tally
    }

    fn subject(&self, RoutedTo { finding, group, .. }: RoutedTo<'_>) -> Subject {
        Subject::of_routed(finding, group.map(|group| group.hash.as_str()), &self.channel.name)
    }

    /// Reports what was counted on the way.
    pub(super) fn add_counts(&self, tally: &mut ChannelTally) {
        tally.operational += self.operational.load(Ordering::Relaxed);
        tally.ledger_faults += self.ledger_faults.load(Ordering::Relaxed);
    }

    async fn run_messages(&self, mut messages: Vec<ReceivedMessage>, tally: &mut ChannelTally) {
        // A sum comes first: it is told in a moment, and must not wait for what may hang.
        messages.sort_by_key(|received| !received.message.is_sum());
        let turns = Turns::new(&self.app.health, &self.channel.name);
        // Each is counted and logged as soon as it has ended. No code that holds the lock can panic, or waits for anything.
        let tally = Mutex::new(tally);
        let deliveries = messages.into_iter().enumerate().map(async |(number, received)| {
            turns.wait(number).await;
            let ended = self.receive(received).await;
            self.end_message(&mut tally.lock().unwrap_or_else(PoisonError::into_inner), ended);
            turns.end();
        });
        join_all(deliveries).await;
    }

    async fn receive(&self, ReceivedMessage { message, message_id }: ReceivedMessage) -> MessageEnd {
        let (source, mut subjects) = (DeliverySource::of_message(&message), Subject::of_message(&message));
        let is_untouched = self.is_time_up() && message_id.is_some();
        let outcomes = if is_untouched {
            vec![DeliveryOutcome::Queued; subjects.len()]
        } else if self.is_time_up() {
            // No answer can ask for it again.
            vec![self.enqueue(&message).await; subjects.len()]
        } else {
            self.deliver_message(message, &mut subjects).await
        };
        MessageEnd { source, ends: subjects.into_iter().zip(outcomes).collect(), message_id, is_untouched }
    }

    fn end_message(&self, tally: &mut ChannelTally, ended: MessageEnd) {
        let MessageEnd { source, ends, message_id, is_untouched } = ended;
        for (subject, outcome) in ends {
            self.end(tally, &subject, source, outcome, message_id.as_ref());
        }
        if is_untouched {
            tally.unfinished_message_ids.push(message_id);
        }
    }

    /// Whether there is too little time left for anything to be begun.
    pub(super) fn is_time_up(&self) -> bool {
        Instant::now() >= self.last_start
    }

    /// When the queues, and whoever tells people, must have answered.
    pub(super) fn hand_over_deadline(&self) -> Instant {
        self.deadline + HAND_OVER_TIME
    }

    /// Counts and logs how a delivery ended, and notes what must come again.
    pub(super) fn end(
        &self,
        tally: &mut ChannelTally,
        subject: &Subject,
        source: DeliverySource,
        outcome: DeliveryOutcome,
        message_id: Option<&String>,
    ) {
        tally.deliveries.end(subject, &self.channel.name, source, outcome, self.now());
        if outcome == DeliveryOutcome::Failed {
            tally.unfinished_message_ids.push(message_id.cloned());
        }
    }

    /// The name under which the ledger knows a delivery to this channel.
    pub(super) fn key<'k>(&'k self, id: &'k ClaimId) -> DeliveryKey<'k> {
        DeliveryKey::new(id, &self.channel.name)
    }

    /// Notes that the ledger did not answer, and what follows from that (`NothingHeldBackBlindly`).
    pub(super) fn note_fault(&self, error: &StoreError, consequence: &'static str) {
        tracing::warn!(channel = self.channel.name, reason = %error, consequence, "the ledger does not answer");
        self.ledger_faults.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn now(&self) -> Timestamp {
        self.app.transport.now().into()
    }

    /// When a claim that is made now ends: just after this process must have (`ClaimOutlivesClaimer`).
    pub(super) fn lease(&self) -> Timestamp {
        let left = self.deadline.saturating_duration_since(Instant::now());
        self.now().plus((left + GRACE).min(MAX_LEASE))
    }
}
