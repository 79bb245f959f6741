//! Whose turn it is: one after the other, until the channel hangs.
//!
//! One message at a time keeps the storm guard exact, and costs nothing where a vendor answers. But one that hangs would take all
//! the time for the first of a batch, and nine others would come back untried until SQS gives them up. So once the channel's
//! breaker opens, all that wait their turn have it.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::select;
use tokio::sync::Notify;

use crate::health::ChannelHealth;

/// The turns of the messages of one channel in one invocation.
pub(super) struct Turns<'a> {
    health: &'a ChannelHealth,
    channel: &'a str,
    ended: AtomicUsize,
    has_ended: Notify,
}

impl<'a> Turns<'a> {
    pub(super) fn new(health: &'a ChannelHealth, channel: &'a str) -> Self {
        Self { health, channel, ended: AtomicUsize::new(0), has_ended: Notify::new() }
    }

    /// Waits until it is the turn of the message of this number, from 0.
    pub(super) async fn wait(&self, number: usize) {
        loop {
            // Whoever is asked for from here on tells of what happens after the look, also before it is awaited.
            let (ended, opened) = (pin!(self.has_ended.notified()), pin!(self.health.any_opened()));
            if self.ended.load(Ordering::Relaxed) >= number || self.health.is_open(self.channel) {
                return;
            }
            select(ended, opened).await;
        }
    }

    /// Notes that a message has ended.
    pub(super) fn end(&self) {
        self.ended.fetch_add(1, Ordering::Relaxed);
        self.has_ended.notify_waiters();
    }
}
