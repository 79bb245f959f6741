//! The test that people send: `{"offlimits":"test"}`.

use futures_util::future::join_all;
use tokio::time::Instant;

use super::answer::ChannelReport;
use super::{App, worker};
use crate::deliver::Transport;
use crate::finding::Finding;
use crate::ledger::Store;
use crate::redelivery::Queues;
use crate::time::Timestamp;

/// Sends a marked alert to every channel, whatever its filter: nobody trusts a pager that they have not heard. The ledger and
/// the queues are not asked, so that the report tells of the channels alone.
pub(super) async fn send_test_alerts<T: Transport, S: Store, Q: Queues>(
    deadline: Instant,
    app: &App<T, S, Q>,
) -> Vec<ChannelReport> {
    let now = Timestamp::from(app.transport.now());
    let finding = Finding::test(app.rules.digest().clone(), now.to_string());
    let reports = app.rules.channels().iter().map(async |configured| {
        let verdict = worker::send_test(app, configured, &finding, deadline).await.to_string();
        tracing::info!(channel = configured.name, verdict, "test alert");
        ChannelReport { channel: configured.name.clone(), verdict }
    });
    join_all(reports).await
}
