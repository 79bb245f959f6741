//! Hands what there is to deliver to the channels: each has its own worker, and all of them work at once.
//!
//! A channel that hangs until the deadline keeps nothing from another. Within a channel one thing is delivered after the other,
//! in the order of the payload, since a repeat has to stand below its first alert. What comes from the queue for a channel that
//! `rules.json` no longer has goes to the dead letters.

use std::pin::pin;

use futures_util::future::{Either, join_all, select};
use tokio::time::Instant;

use super::App;
use super::answer::Unfinished;
use super::classify::Routed;
use super::outcome::{DeliveryOutcome, DeliverySource};
use super::report::InvocationReport;
use super::subject::Subject;
use super::worker::{ChannelBatch, ChannelTally, ChannelWorker, ReceivedMessage, dead_letter_orphan};
use crate::deliver::Transport;
use crate::ledger::Store;
use crate::redelivery::Queues;
use crate::time::Timestamp;

/// Delivers the findings and the messages, and adds to the report what became of it, and to `unfinished` what must come again.
pub(super) async fn dispatch<T: Transport, S: Store, Q: Queues>(
    routed: &[Routed],
    messages: Vec<ReceivedMessage>,
    deadline: Instant,
    app: &App<T, S, Q>,
    report: &mut InvocationReport,
    unfinished: &mut Unfinished,
) {
    let channels = app.rules.channels();
    let mut batches: Vec<ChannelBatch<'_>> = channels.iter().map(|_| ChannelBatch::default()).collect();
    for finding in routed {
        for index in &finding.channels {
            batches[*index].findings.push(finding);
        }
    }
    let mut orphans = Vec::new();
    for received in messages {
        match channels.iter().position(|channel| channel.name == received.message.channel) {
            Some(index) => batches[index].messages.push(received),
            None => orphans.push(received),
        }
    }
    let needs_credentials =
        channels.iter().zip(&batches).any(|(channel, batch)| channel.channel.needs_credentials() && !batch.is_empty());
    let workers =
        channels.iter().zip(batches).map(|(channel, batch)| ChannelWorker::new(app, channel, deadline).run(batch));
    // The secret is read while the ledger is asked: a first alert would wait for one after the other. If it cannot be read,
    // each channel asks again and says so.
    let credentials = async {
        if needs_credentials {
            let _ = app.transport.credentials(false).await;
        }
    };
    let tallies = match select(pin!(join_all(workers)), pin!(credentials)).await {
        // Nobody needed it after all, such as where all are repeats.
        Either::Left((tallies, _)) => tallies,
        Either::Right(((), workers)) => workers.await,
    };
    for (channel, tally) in channels.iter().zip(tallies) {
        let ChannelTally { deliveries, operational, ledger_faults, failed_message_ids } = tally;
        if deliveries.failed > 0 {
            unfinished.channels.push(channel.name.clone());
        }
        report.deliveries += &deliveries;
        report.operational += operational;
        report.ledger_faults += ledger_faults;
        unfinished.message_ids.extend(failed_message_ids);
    }
    let now = Timestamp::from(app.transport.now());
    for ReceivedMessage { message, message_id } in orphans {
        let (source, name) = (DeliverySource::of_message(&message), message.channel.clone());
        let subject = Subject::of_message(&message);
        let outcome = dead_letter_orphan(&app.queues, message, now).await;
        report.deliveries.end(&subject, &name, source, outcome, now);
        if outcome == DeliveryOutcome::Failed {
            unfinished.channels.push(name);
            unfinished.message_ids.push(message_id);
        }
    }
}
