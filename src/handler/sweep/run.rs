//! One sweep, step by step.

use tokio::time::{Instant, timeout_at};

use super::event_rules::{Asked, differences};
use super::faults::{Fault, has_news, message, still_told, told_all};
use super::sources::standing;
use crate::channel::Verdict;
use crate::deliver::Transport;
use crate::handler::App;
use crate::handler::invocation_store::{InvocationLedger, InvocationStore};
use crate::handler::report::{InvocationReport, SweepCounts};
use crate::handler::worker::publish_to_operators;
use crate::ledger::{Ledger, Store, StoreError, SweepMemory, operational_decision};
use crate::redelivery::Queues;
use crate::time::Timestamp;

/// Compares what is heard with what should be heard, and tells people what is not. A ledger that does not answer leaves the metrics
/// out: that they are missing rings the alarm.
pub(in crate::handler) async fn sweep<T: Transport, S: Store, Q: Queues>(
    rules: &[String],
    deadline: Instant,
    app: &App<T, S, Q>,
) -> InvocationReport {
    let mut report = InvocationReport::default();
    if let Err(error) = try_sweep(rules, deadline, app, &mut report).await {
        tracing::error!(reason = %error, "the ledger does not tell who was heard");
        report.ledger_faults += 1;
    }
    report
}

async fn try_sweep<T: Transport, S: Store, Q: Queues>(
    rules: &[String],
    deadline: Instant,
    app: &App<T, S, Q>,
    report: &mut InvocationReport,
) -> Result<(), StoreError> {
    let now = Timestamp::from(app.transport.now());
    let ledger: InvocationLedger<'_, S> = Ledger::new(InvocationStore::new(app.ledger.store(), deadline));
    let (seen, kept) = (ledger.probes_seen(now).await?, ledger.sweep_memory(now).await?);
    let memory = kept.clone().unwrap_or_else(|| SweepMemory { first: now, ..SweepMemory::default() });
    let watch = &app.own.watch;
    let ours = watch.rules.as_ref().map(|rules| rules.digest.as_str());
    let sources = watch.sources(&accounts(app), &seen);
    let standing = standing(&sources, &seen, ours, (memory.first, now));
    let mut faults = Fault::of_sources(&standing, ours);
    if let Some(asked) = ask(rules, deadline, app).await {
        faults.extend(differences(watch, &asked));
    }
    let counts = SweepCounts {
        sources: sources.len(),
        silent: standing.silent.len(),
        faults: faults.len(),
        latency_ms: standing.worst_latency.map(|latency| u64::try_from(latency.as_millis()).unwrap_or(u64::MAX)),
    };
    report.sweep = Some(counts);
    for fault in &faults {
        tracing::warn!(what = fault.what, reason = fault.text, "the sweep found a fault");
    }
    tracing::info!(sources = counts.sources, silent = counts.silent, faults = counts.faults, "sweep");
    let mut told = memory.told.clone();
    if has_news(&faults, &told, now) {
        let decision = operational_decision("#sweep", now);
        match publish_to_operators(app, &decision, &message(&faults), deadline).await {
            Verdict::Delivered { .. } => {
                report.operational += 1;
                told = told_all(&faults, now);
            }
            verdict => tracing::error!(reason = %verdict, "nobody could be told of what the sweep found"),
        }
    }
    let memory = SweepMemory { first: memory.first, told: still_told(&faults, told) };
    if kept.as_ref() != Some(&memory) {
        ledger.keep_sweep_memory(&memory, now).await?;
    }
    Ok(())
}

/// The accounts of `accounts.json`, each with twelve digits.
fn accounts<T, S, Q>(app: &App<T, S, Q>) -> Vec<String> {
    if app.own.watch.regions.is_empty() {
        return Vec::new();
    }
    match app.rules.accounts().map(crate::cloudtrail::accounts::Accounts::all) {
        None => Vec::new(),
        Some(Ok(accounts)) => accounts.keys().map(|number| format!("{number:012}")).collect(),
        Some(Err(error)) => {
            tracing::error!(reason = %error, "accounts.json beside the rules is not read");
            Vec::new()
        }
    }
}

/// What EventBridge says of our rules; `None` if nobody answers in time: the next sweep asks again.
async fn ask<T: Transport, S, Q>(rules: &[String], deadline: Instant, app: &App<T, S, Q>) -> Option<Vec<Asked>> {
    let Ok(found) = timeout_at(deadline, app.transport.event_rules(rules)).await else {
        tracing::warn!("EventBridge does not say in time how its rules are");
        return None;
    };
    Some(rules.iter().cloned().zip(found?).collect())
}
