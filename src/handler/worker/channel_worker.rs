//! The worker of one channel: it takes one thing after the other ([`ChannelWorker::run`]), and holds what all stages have in
//! common. `stages.rs` has the road that each thing takes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::channel::ConfiguredChannel;
use crate::deliver::Transport;
use crate::handler::classify::Routed;
use crate::handler::outcome::{DeliveryOutcome, DeliverySource};
use crate::handler::report::Deliveries;
use crate::handler::subject::Subject;
use crate::handler::{App, GRACE};
use crate::ids::ClaimId;
use crate::ledger::{DeliveryKey, Store, StoreError};
use crate::redelivery::{QueueMessage, Queues};
use crate::time::Timestamp;

/// The longest lease: a delivery of a process that died is taken up again after less than a minute.
const MAX_LEASE: Duration = Duration::from_secs(59);

/// Delivers to one channel until the deadline of one invocation, one thing after the other.
pub(in crate::handler) struct ChannelWorker<'a, T, S, Q> {
    pub(super) app: &'a App<T, S, Q>,
    pub(super) channel: &'a ConfiguredChannel,
    /// When every attempt to deliver must have ended.
    pub(super) deadline: Instant,
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

/// What one channel has to deliver.
#[derive(Default)]
pub(in crate::handler) struct ChannelBatch<'b> {
    pub(in crate::handler) findings: Vec<&'b Routed>,
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
    /// For each delivery that failed, the id of the SQS message that brought the delivery or its record; `None` if no message
    /// did.
    pub(in crate::handler) failed_message_ids: Vec<Option<String>>,
}

impl<'a, T: Transport, S: Store, Q: Queues> ChannelWorker<'a, T, S, Q> {
    pub(in crate::handler) const fn new(
        app: &'a App<T, S, Q>,
        channel: &'a ConfiguredChannel,
        deadline: Instant,
    ) -> Self {
        Self { app, channel, deadline, operational: AtomicUsize::new(0), ledger_faults: AtomicUsize::new(0) }
    }

    /// Delivers all that there is for the channel: first the findings of the payload, then what comes from the queue.
    pub(in crate::handler) async fn run(self, batch: ChannelBatch<'_>) -> ChannelTally {
        let mut tally = ChannelTally::default();
        for routed in batch.findings {
            let mut subject = Subject::of_routed(routed, &self.channel.name);
            let outcome = self.deliver_finding(routed, &mut subject).await;
            self.end(&mut tally, &subject, DeliverySource::Routed, outcome, routed.message_id.clone());
        }
        for ReceivedMessage { message, message_id } in batch.messages {
            let (source, subject) = (DeliverySource::of_message(&message), Subject::of_message(&message));
            let outcome = self.deliver_message(message).await;
            self.end(&mut tally, &subject, source, outcome, message_id);
        }
        tally.operational = self.operational.into_inner();
        tally.ledger_faults = self.ledger_faults.into_inner();
        tally
    }

    fn end(
        &self,
        tally: &mut ChannelTally,
        subject: &Subject,
        source: DeliverySource,
        outcome: DeliveryOutcome,
        message_id: Option<String>,
    ) {
        tally.deliveries.end(subject, &self.channel.name, source, outcome, self.now());
        if outcome == DeliveryOutcome::Failed {
            tally.failed_message_ids.push(message_id);
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
