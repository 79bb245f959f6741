//! The silences that a process knows: read once a minute, whoever asks.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;

use super::silence::Silence;
use crate::time::Timestamp;

/// How long a process takes its own memory's word.
pub(super) const READ_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// A silence and its id.
pub type KnownSilence = (String, Silence);

/// The silences that this process has read.
#[derive(Debug, Default)]
pub struct Silences(Mutex<Option<Arc<Reading>>>);

/// What was read at a time.
#[derive(Debug)]
pub(super) struct Reading {
    at: Timestamp,
    /// The answer, once there is one: `None` where the store did not answer. Whoever asks meanwhile waits for the same.
    pub(super) answer: OnceCell<Option<Vec<KnownSilence>>>,
}

impl Silences {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// The reading that counts now.
    pub(super) fn reading(&self, now: Timestamp) -> Arc<Reading> {
        // No code that holds the lock can panic.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Of a reading that lies ahead, the clock was set back.
        let counts = |reading: &&Arc<Reading>| reading.at <= now && now.since(reading.at) < READ_AGAIN_AFTER;
        if let Some(reading) = known.as_ref().filter(counts) {
            return Arc::clone(reading);
        }
        let reading = Arc::new(Reading { at: now, answer: OnceCell::new() });
        *known = Some(Arc::clone(&reading));
        reading
    }

    /// Waits for the reading that is under way, if one is.
    pub async fn read(&self) {
        // No code that holds the lock can panic.
        let reading = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(reading) = reading {
            // Where nobody reads, this ends at once, and the place stays empty for who will.
            let _answer = reading.answer.get_or_try_init(async || Err(())).await;
        }
    }
}
