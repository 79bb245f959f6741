//! The only stage that talks to the vendor.
//!
//! A vendor that is asked in vain is asked again, with waits in between, until the invocation's deadline: most faults pass
//! within seconds, and a queue would cost the alert half a minute. [`crate::deliver`] does that, and hands back the last verdict.

use tokio::time::Instant;

use super::channel_worker::ChannelWorker;
use crate::alert::{Alert, AlertKind};
use crate::channel::{ConfiguredChannel, Verdict};
use crate::deliver::{Transport, deliver};
use crate::finding::Finding;
use crate::handler::App;
use crate::ids::{AlertId, ClaimId};
use crate::ledger::Store;
use crate::redelivery::{Delivery, Queues};

impl<T: Transport, S: Store, Q: Queues> ChannelWorker<'_, T, S, Q> {
    /// Sends a delivery that this worker has claimed, and returns the last verdict.
    pub(super) async fn send(&self, delivery: &Delivery) -> Verdict {
        let App { transport, tokens, .. } = self.app;
        deliver(transport, tokens, self.channel, &delivery.body, &delivery.id, self.deadline).await
    }
}

/// Sends a test alert to a channel, with no ledger and no queue.
pub(in crate::handler) async fn send_test<T: Transport, S, Q>(
    app: &App<T, S, Q>,
    channel: &ConfiguredChannel,
    finding: &Finding,
    deadline: Instant,
) -> Verdict {
    let id = AlertId::new(&finding.rule.id, &channel.name, &finding.id);
    let body = channel.channel.render(&Alert { finding, id: &id, kind: AlertKind::Test, receipt: None });
    deliver(&app.transport, &app.tokens, channel, &body, &ClaimId::from(&finding.id), deadline).await
}
