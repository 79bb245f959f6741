//! What a process has asked of pairs of a principal and an event, so that a storm of one pair does not ask for each finding.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;

use super::item::FirstOfPair;
use crate::ids::PairId;
use crate::time::Timestamp;

/// How long a process takes its own memory's word for a pair.
const RENEWED_AFTER: Duration = Duration::from_hours(1);
/// Pairs that a process remembers: about 200 KB.
const REMEMBERED: usize = 1000;

/// The pairs that this process has asked for.
#[derive(Debug, Default)]
pub struct Sightings(Mutex<BTreeMap<PairId, Arc<Asked>>>);

/// What a process has asked of one pair.
#[derive(Debug)]
pub(super) struct Asked {
    at: Timestamp,
    /// The answer, once there is one. Whoever asks meanwhile waits for the same.
    pub(super) answer: OnceCell<FirstOfPair>,
}

impl Sightings {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// The place of a pair's answer.
    pub(super) fn asked(&self, pair: &PairId, now: Timestamp) -> Arc<Asked> {
        // No code that holds the lock can panic.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(asked) = known.get(pair).filter(|asked| now.since(asked.at) < RENEWED_AFTER) {
            return Arc::clone(asked);
        }
        if known.len() >= REMEMBERED {
            known.clear();
        }
        let asked = Arc::new(Asked { at: now, answer: OnceCell::new() });
        let _former = known.insert(pair.clone(), Arc::clone(&asked));
        asked
    }
}
