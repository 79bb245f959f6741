//! A probe arrives.

use tokio::time::{Instant, timeout_at};

use crate::cloudtrail::probe::Probe;
use crate::deliver::Transport;
use crate::handler::App;
use crate::handler::report::InvocationReport;
use crate::ledger::{Ledger, SILENT_AFTER, Store};
use crate::time::Timestamp;

/// Counts a probe, and writes down that it has come. One that is late proves nothing of now: it is counted alone. Where the ledger
/// does not answer, the next one is five minutes away.
pub(in crate::handler) async fn hear_of_probe<T: Transport, S: Store, R: Store, Q>(
    probe: &Probe,
    (app, ledger, deadline): (&App<T, S, Q>, &Ledger<R>, Instant),
    report: &mut InvocationReport,
) {
    report.probes += 1;
    let now = Timestamp::from(app.transport.now());
    let Probe { account, region, at, .. } = probe;
    if at.plus(SILENT_AFTER) < now {
        tracing::warn!(account, region, at = %at, "a probe is late");
        return;
    }
    let reason = match timeout_at(deadline, ledger.hear_of_probe(probe, now)).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer in time".to_owned(),
    };
    tracing::warn!(account, region, reason, "the ledger does not keep a probe");
    report.ledger_faults += 1;
}
