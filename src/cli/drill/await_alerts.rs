//! Awaits the alerts: in the ledger, which knows each finding on each channel, and on the webhook.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::exercise::Exercise;
use super::inbox::WebhookInbox;
use crate::ids::{ClaimId, StableId};
use crate::ledger::{DoneAs, Ledger, Store, StoreError};
use crate::time::Timestamp;

/// How often the ledger is asked.
pub(super) const EVERY: Duration = Duration::from_millis(500);

/// One finding on one channel.
#[derive(Debug)]
pub(super) struct Awaited {
    pub(super) finding: String,
    pub(super) rule: String,
    pub(super) channel: String,
    /// When its event was handed to the function.
    pub(super) sent: Timestamp,
    /// When and how its delivery was done with, as the ledger has it.
    pub(super) done: Option<(Timestamp, DoneAs)>,
    /// When its message came to the webhook.
    pub(super) heard: Option<Timestamp>,
}

impl Awaited {
    /// What is awaited of an exercise: the findings of its own rule. Others' may be held back, or told in the same message.
    pub(super) fn of(exercise: &Exercise, sent: Timestamp) -> impl Iterator<Item = Self> {
        let own = exercise.findings.iter().filter(|finding| finding.rule == exercise.rule);
        own.flat_map(move |finding| {
            finding.channels.iter().map(move |channel| Self {
                finding: finding.id.clone(),
                rule: finding.rule.clone(),
                channel: channel.clone(),
                sent,
                done: None,
                heard: None,
            })
        })
    }
}

/// Asks the ledger, and whoever has come to the webhook, once.
///
/// # Errors
/// The ledger does not answer.
pub(super) async fn ask_once<S: Store>(
    awaited: &mut [Awaited],
    ledger: &Ledger<S>,
    inbox: Option<&WebhookInbox>,
    now: impl Fn() -> Timestamp,
) -> Result<(), StoreError> {
    for one in awaited.iter_mut().filter(|one| one.done.is_none()) {
        let Ok(id) = StableId::try_from(one.finding.clone()) else { continue };
        let claims = ledger.claims(&ClaimId::from(id), now()).await?;
        let claim = claims.into_iter().find(|(channel, _)| *channel == one.channel);
        one.done = claim.and_then(|(_, claim)| Some((claim.until, claim.done?)));
    }
    if let Some(inbox) = inbox {
        for one in awaited.iter_mut() {
            one.heard = one.heard.or_else(|| inbox.heard(&one.finding));
        }
    }
    Ok(())
}

/// Whether all are done with, and heard if there is a webhook. Whether a channel leads to the webhook is known when a finding has come
/// by it.
pub(super) fn are_all_in(awaited: &[Awaited], inbox: Option<&WebhookInbox>) -> bool {
    let is_heard = |finding: &str| awaited.iter().any(|one| one.finding == finding && one.heard.is_some());
    awaited.iter().all(|one| one.done.is_some() && (inbox.is_none() || is_heard(&one.finding)))
}

/// Waits until all are in, or the time is up.
///
/// # Errors
/// The ledger does not answer.
pub(super) async fn await_all<S: Store>(
    awaited: &mut [Awaited],
    store: S,
    inbox: Option<&WebhookInbox>,
    wait: Duration,
    now: impl Fn() -> Timestamp,
) -> Result<(), StoreError> {
    let ledger = Ledger::new(store);
    let end = Instant::now() + wait;
    loop {
        ask_once(awaited, &ledger, inbox, &now).await?;
        if are_all_in(awaited, inbox) || Instant::now() >= end {
            return Ok(());
        }
        sleep(EVERY).await;
    }
}
