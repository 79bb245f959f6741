//! What has been delivered. In the memory of this process: after an error Lambda sends the event again, most often to the
//! same process, and what had arrived must not arrive twice.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::finding::FindingId;

/// Deliveries that are remembered: about a megabyte.
const REMEMBERED: usize = 10_000;

/// Remembers the latest deliveries.
#[derive(Debug, Default)]
pub struct MemoryLedger(Mutex<Done>);

type Key = (FindingId, usize);

#[derive(Debug, Default)]
struct Done {
    known: HashSet<Key>,
    order: VecDeque<Key>,
}

impl MemoryLedger {
    /// Whether the finding has been delivered to the channel of this index.
    pub fn is_done(&self, finding: &FindingId, channel: usize) -> bool {
        self.lock().known.contains(&(finding.clone(), channel))
    }

    /// Notes that it has been.
    pub fn done(&self, finding: &FindingId, channel: usize) {
        let mut done = self.lock();
        let key = (finding.clone(), channel);
        if done.known.insert(key.clone()) {
            done.order.push_back(key);
        }
        if done.order.len() > REMEMBERED
            && let Some(oldest) = done.order.pop_front()
        {
            done.known.remove(&oldest);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Done> {
        // No code that holds the lock can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_remembered() {
        let ledger = MemoryLedger::default();
        let id = |number: usize| FindingId::of(&[&number.to_string()]);
        for number in 0..=REMEMBERED {
            ledger.done(&id(number), 0);
        }
        assert!(!ledger.is_done(&id(0), 0) && ledger.is_done(&id(1), 0) && !ledger.is_done(&id(1), 1));
    }
}
