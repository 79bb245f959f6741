//! The windows that a process knows to be open: what belongs to one of these is a repeat, which a claim of the first one's kind would be
//! made for in vain.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::time::Timestamp;

/// Windows that a process remembers: about 200 KB. What it forgets costs it a write in vain, and nothing else.
const REMEMBERED: usize = 1000;

/// The windows of groups that this process has seen, by the groups' ids, each with its end at the latest.
#[derive(Debug, Default)]
pub(super) struct OpenWindows(Mutex<BTreeMap<String, Timestamp>>);

impl OpenWindows {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// Notes that a group has an open window, which ends by then.
    pub(super) fn note(&self, group: &str, ends: Timestamp) {
        // No code that holds the lock can panic.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        let _former = known.insert(group.to_owned(), ends);
    }

    /// Whether a group has, as far as this process knows, no open window.
    pub(super) fn has_none_of(&self, group: &str, now: Timestamp) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(group).is_none_or(|ends| *ends <= now)
    }
}
