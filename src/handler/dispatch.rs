//! Hands what there is to deliver to the channels: each has its own worker, and all of them work at once.
//!
//! A channel that hangs until the deadline keeps nothing from another. Within a channel one thing is delivered after the other,
//! in the order of the payload, since a repeat has to stand below its first alert. What comes from the queue for a channel that
//! `rules.json` no longer has goes to the dead letters, and people are told.

use std::collections::BTreeMap;
use std::pin::pin;

use futures_util::future::{Either, join, join_all, select};
use tokio::time::Instant;

use super::App;
use super::answer::Unfinished;
use super::classify::Routed;
use super::invocation_store::InvocationLedger;
use super::report::InvocationReport;
use super::worker::{ChannelBatch, ChannelTally, ChannelWorker, ReceivedMessage, gone_channel};
use crate::channel::ConfiguredChannel;
use crate::deliver::Transport;
use crate::ledger::Store;
use crate::redelivery::Queues;

/// Delivers the findings and the messages, and adds to the report what became of it, and to `unfinished` what must come again.
pub(super) async fn dispatch<T: Transport, S: Store, Q: Queues>(
    routed: &[Routed],
    messages: Vec<ReceivedMessage>,
    (app, ledger, deadline): (&App<T, S, Q>, &InvocationLedger<'_, S>, Instant),
    report: &mut InvocationReport,
    unfinished: &mut Unfinished,
) {
    let channels = app.rules.channels();
    let mut batches: Vec<ChannelBatch<'_>> = channels.iter().map(|_| ChannelBatch::default()).collect();
    for finding in routed {
        for index in &finding.channels {
            batches[*index].findings.push(finding.to(*index));
        }
    }
    let mut orphans: BTreeMap<String, Vec<ReceivedMessage>> = BTreeMap::new();
    for received in messages {
        match channels.iter().position(|channel| channel.name == received.message.channel) {
            Some(index) => batches[index].messages.push(received),
            None => orphans.entry(received.message.channel.clone()).or_default().push(received),
        }
    }
    let gone: Vec<ConfiguredChannel> = orphans.keys().map(|name| gone_channel(name)).collect();
    let needs_credentials =
        channels.iter().zip(&batches).any(|(channel, batch)| channel.channel.needs_credentials() && !batch.is_empty());
    // A channel that has nothing to deliver needs no worker.
    let (busy, batches): (Vec<&ConfiguredChannel>, Vec<ChannelBatch<'_>>) =
        channels.iter().zip(batches).filter(|(_, batch)| !batch.is_empty()).unzip();
    let workers =
        busy.iter().zip(batches).map(|(channel, batch)| ChannelWorker::new(app, ledger, channel, deadline).run(batch));
    let burials = gone
        .iter()
        .zip(orphans.into_values())
        .map(|(channel, messages)| ChannelWorker::new(app, ledger, channel, deadline).bury(messages));
    // The secret is read while the ledger is asked: a first alert would wait for one after the other. If it cannot be read,
    // each channel asks again and says so.
    let credentials = async {
        if needs_credentials {
            let _ = app.transport.credentials(false).await;
        }
    };
    let (tallies, buried) = match select(pin!(join(join_all(workers), join_all(burials))), pin!(credentials)).await {
        // Nobody needed it after all, such as where all are repeats.
        Either::Left((tallies, _)) => tallies,
        Either::Right(((), workers)) => workers.await,
    };
    for (channel, tally) in busy.into_iter().zip(tallies).chain(gone.iter().zip(buried)) {
        let ChannelTally { deliveries, operational, ledger_faults, unfinished_message_ids } = tally;
        if !unfinished_message_ids.is_empty() {
            unfinished.channels.push(channel.name.clone());
        }
        report.deliveries += &deliveries;
        report.operational += operational;
        report.ledger_faults += ledger_faults;
        unfinished.message_ids.extend(unfinished_message_ids);
    }
}
