//! The only stage that talks to the vendor.
//!
//! A vendor that is asked in vain is asked again, with waits in between, until the invocation's deadline: most faults pass
//! within seconds, and a queue would cost the alert half a minute. [`crate::deliver`] does that, and hands back the last verdict.
//!
//! A vendor that does not answer at all is another matter, where there is a queue: an execution that waits for it costs more than
//! the half minute. A first delivery then gives up after one request, and while the channel's breaker is open it is not even
//! begun ([`crate::health`]). What comes from the queue is always tried: with the whole deadline for a vendor that is slow or
//! whose connection was stale; but with one request where the breaker is open, so that a channel that hangs does not hold all the
//! executions that the queue may have.

use tokio::time::Instant;

use super::channel_worker::ChannelWorker;
use super::incoming::Origin;
use crate::alert::{Alert, AlertKind};
use crate::channel::{ConfiguredChannel, Verdict};
use crate::deliver::{Ending, Errand, Patience, Transport, deliver};
use crate::finding::Finding;
use crate::handler::App;
use crate::ids::{AlertId, ClaimId};
use crate::ledger::Store;
use crate::redelivery::{Delivery, Queues};

impl<T: Transport, S: Store, Q: Queues> ChannelWorker<'_, T, S, Q> {
    /// Sends a delivery that this worker has claimed.
    pub(super) async fn send(&self, Delivery { id, body, .. }: &Delivery, origin: Origin) -> Ending {
        let App { transport, tokens, health, queues, .. } = self.app;
        let channel = self.channel;
        let hangs = queues.has_redelivery() && health.is_open(&channel.name);
        if hangs && origin == Origin::Event {
            return Ending::untried("the channel has not answered for a while");
        }
        let can_wait = queues.has_redelivery() && (hangs || origin == Origin::Event);
        let patience = if can_wait { Patience::OneTimeout } else { Patience::UntilDeadline };
        deliver(transport, tokens, health, &Errand { channel, body, id, deadline: self.deadline, patience }).await
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
    let body = channel.channel.render(&Alert::alone(finding, &id, AlertKind::Test));
    let (id, patience) = (ClaimId::from(&finding.id), Patience::UntilDeadline);
    let errand = Errand { channel, body: &body, id: &id, deadline, patience };
    deliver(&app.transport, &app.tokens, &app.health, &errand).await.verdict
}
