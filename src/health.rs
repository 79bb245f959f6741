//! What this copy of the function remembers of its channels: which of them does not answer, of which people have been told, and
//! how much went out while the ledger could not count.
//!
//! A channel that hangs would hold every execution for as long as there is patience. So the first request that is not answered
//! in time opens its **circuit breaker**: for a minute, a first delivery goes to the queue at once, where it waits as it would
//! have after trying in vain. What comes from the queue is always tried, and an answer of any kind, however late, closes the
//! breaker. It is kept in memory: each copy finds out for itself, at the price of one request.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::Instant;

use crate::severity::Severity;

/// How long a breaker stays open after the last request in vain.
const OPEN: Duration = Duration::from_mins(1);
/// How often people are told of a channel at most.
const TELLING: Duration = Duration::from_hours(1);

/// What is remembered of the channels, by their names. It lives as long as the process.
#[derive(Debug, Default)]
pub struct ChannelHealth {
    channels: Mutex<HashMap<String, Known>>,
    opened: Notify,
}

#[derive(Debug, Default)]
struct Known {
    open_until: Option<Instant>,
    told: Option<Instant>,
    /// Of each severity the last minute in which alerts went out uncounted by the ledger, and how many.
    uncounted: Vec<(Severity, u64, u64)>,
}

impl ChannelHealth {
    /// Notes that a channel did not answer in time: its breaker opens, or stays open.
    pub fn note_timeout(&self, channel: &str) {
        self.lock().entry(channel.to_owned()).or_default().open_until = Some(Instant::now() + OPEN);
        self.opened.notify_waiters();
    }

    /// Notes that a channel answered, whatever it said: its breaker closes.
    pub fn note_answer(&self, channel: &str) {
        if let Some(known) = self.lock().get_mut(channel) {
            known.open_until = None;
        }
    }

    /// Whether a channel's breaker is open.
    pub fn is_open(&self, channel: &str) -> bool {
        let now = Instant::now();
        self.lock().get(channel).and_then(|known| known.open_until).is_some_and(|until| now < until)
    }

    /// Waits until the breaker of any channel opens, from this call on.
    pub fn any_opened(&self) -> Notified<'_> {
        self.opened.notified()
    }

    /// Whether this copy has told nobody of a channel for an hour; and notes that it does now.
    pub fn begins_to_tell(&self, channel: &str) -> bool {
        let now = Instant::now();
        let mut channels = self.lock();
        let told = &mut channels.entry(channel.to_owned()).or_default().told;
        let is_time = told.is_none_or(|told| now.duration_since(told) >= TELLING);
        if is_time {
            *told = Some(now);
        }
        is_time
    }

    /// Whether one more alert of this severity may go out in this minute (since 1970), where the ledger cannot count it: this
    /// copy alone has let fewer than `most` out. If so, it is counted.
    pub fn lets_out(&self, channel: &str, severity: Severity, minute: u64, most: u64) -> bool {
        let mut channels = self.lock();
        let uncounted = &mut channels.entry(channel.to_owned()).or_default().uncounted;
        uncounted.retain(|(_, of, _)| *of == minute);
        match uncounted.iter_mut().find(|(of, ..)| *of == severity) {
            Some((_, _, count)) if *count >= most => false,
            Some((_, _, count)) => {
                *count += 1;
                true
            }
            None => {
                uncounted.push((severity, minute, 1));
                true
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        // No code that holds the lock can panic.
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_breaker_is_open_for_a_minute_after_the_last_request_in_vain_or_until_an_answer() {
        let health = ChannelHealth::default();
        assert!(!health.is_open("soc"));
        health.note_timeout("soc");
        tokio::time::advance(Duration::from_secs(59)).await;
        assert!(health.is_open("soc") && !health.is_open("topic"));
        health.note_timeout("soc");
        tokio::time::advance(Duration::from_secs(59)).await;
        assert!(health.is_open("soc"));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!health.is_open("soc"));
        health.note_timeout("soc");
        health.note_answer("soc");
        assert!(!health.is_open("soc"));
    }

    #[tokio::test(start_paused = true)]
    async fn people_are_told_once_an_hour() {
        let health = ChannelHealth::default();
        let mut told = Vec::new();
        for _ in 0..4 {
            told.push(health.begins_to_tell("soc"));
            tokio::time::advance(Duration::from_mins(30)).await;
        }
        assert_eq!(told, [true, false, true, false]);
        assert!(health.begins_to_tell("topic"));
    }
}
