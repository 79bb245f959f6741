//! Whose credentials were used, where a channel's incidents follow them: the sessions that a payload's records tell of are remembered
//! before its findings are judged, and of a record whose findings go to such a channel the ledger is asked once.
//!
//! A ledger that does not answer costs the lineage, and nothing else: a finding then belongs to the incident of whoever called.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::App;
use super::report::InvocationReport;
use crate::cloudtrail::credentials::{Ancestor, Bearer, IssuedSession};
use crate::cloudtrail::issuing::ISSUER;
use crate::cloudtrail::{ApiCall, RawRecord};
use crate::deliver::Transport;
use crate::ledger::lineage::Lineage;
use crate::ledger::{Ledger, Store};
use crate::redelivery::Queues;
use crate::time::Timestamp;

/// The longest that one question may take. An alert waits for the answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Remembers the sessions that these records tell of, be there rules for these calls or not, in the order in which they were issued.
/// After `until` none is looked at any more: what is alerted needs the time.
pub(super) async fn remember_sessions<T: Transport, S: Store, R: Store, Q: Queues>(
    records: &[RawRecord],
    (app, ledger, until): (&App<T, S, Q>, &Ledger<R>, Instant),
    report: &mut InvocationReport,
) {
    let now: Timestamp = app.transport.now().into();
    // Few records are worth being parsed for it.
    let mentions = |record: &&RawRecord| record.json.contains(ISSUER) && record.json.contains("credentials");
    let mut sessions: Vec<(Timestamp, IssuedSession)> = records
        .iter()
        .filter(mentions)
        .filter_map(|raw| {
            let record = raw.parse().ok()?;
            let time = record.text(&["eventTime"]).and_then(Timestamp::parse).unwrap_or(now);
            Some((time, IssuedSession::of(&record, now)?))
        })
        .collect();
    sessions.sort_by_key(|(time, _)| *time);
    for (_, session) in &sessions {
        let end = (Instant::now() + PATIENCE).min(until);
        let kept = timeout_at(end, app.ledger.sessions().remember(ledger, session, now)).await;
        if let Err(reason) = flat(kept) {
            tracing::warn!(reason, "the ledger does not keep a session: nobody knows who asked for it");
            report.ledger_faults += 1;
        }
    }
}

/// Whose credentials were used for a call, as far as the ledger knows; nobody where no channel of these asks.
pub(super) async fn lineage_of<T: Transport, S: Store, R: Store, Q: Queues>(
    call: &ApiCall,
    channels: &[usize],
    (app, ledger): (&App<T, S, Q>, &Ledger<R>),
    ledger_faults: &mut usize,
) -> Lineage {
    let all = app.rules.channels();
    if !channels.iter().any(|index| all[*index].follows_credentials()) {
        return Lineage::new();
    }
    let (bearer, now) = (Bearer::from(call), app.transport.now().into());
    let known = timeout_at(Instant::now() + PATIENCE, app.ledger.sessions().lineage_of(ledger, &bearer, now)).await;
    match flat(known) {
        Ok(lineage) => lineage,
        Err(reason) => {
            tracing::warn!(reason, "the ledger does not say whose session it is: it is taken to be the caller's");
            *ledger_faults += 1;
            bearer.own.into_iter().collect::<Vec<Ancestor>>()
        }
    }
}

fn flat<T, E: std::fmt::Display, L>(answer: Result<Result<T, E>, L>) -> Result<T, String> {
    match answer {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer in time".to_owned()),
    }
}
