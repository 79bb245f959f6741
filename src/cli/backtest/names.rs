//! How often names came, in memory that does not grow with the archive.

use std::collections::HashMap;

/// Distinct names of one kind that are told apart. Callers choose some of them, and may choose a new one for each call.
const NAMES: usize = 100_000;

/// How often each name came.
#[derive(Debug, Default)]
pub(super) struct NameTally {
    counts: HashMap<Box<str>, u64>,
    /// Findings of names that were too many to be told apart.
    pub(super) others: u64,
}

impl NameTally {
    pub(super) fn add(&mut self, name: &str) {
        if let Some(count) = self.counts.get_mut(name) {
            *count += 1;
        } else if self.counts.len() < NAMES {
            self.counts.insert(name.into(), 1);
        } else {
            self.others += 1;
        }
    }

    /// The most frequent, and how many names there are.
    pub(super) fn top(&self, most: usize) -> (Vec<(&str, u64)>, usize) {
        let mut all: Vec<(&str, u64)> = self.counts.iter().map(|(name, count)| (&**name, *count)).collect();
        all.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        let names = all.len();
        all.truncate(most);
        (all, names)
    }
}
