//! What a change of the rules makes of a finding, and how often.

use serde::Serialize;

use super::pair::Pair;
use crate::cli::findings;
use crate::cli::words::{counted, grouped};
use crate::ruleset::RuleSet;

/// What a change makes of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Change {
    /// Only the new rules find it.
    Added,
    /// Only the old rules find it.
    Removed,
    /// Both find it, with another severity or mode, or for other channels.
    Changed,
    /// Both do, and nothing about it is different.
    Kept,
}

impl Change {
    /// What becomes of a finding that the old rules make, the new ones, or both.
    pub(super) fn of(old: &RuleSet, new: &RuleSet, pair: &Pair) -> Self {
        match (&pair.old, &pair.new) {
            (None, _) => Self::Added,
            (_, None) => Self::Removed,
            (Some(was), Some(is)) => {
                let alike = was.finding.severity == is.finding.severity
                    && was.finding.rule.mode == is.finding.rule.mode
                    && findings::channels(old, &was.finding) == findings::channels(new, &is.finding);
                if alike { Self::Kept } else { Self::Changed }
            }
        }
    }
}

/// How many findings there are of each [`Change`].
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Changes([u64; 4]);

impl Changes {
    pub(super) fn add(&mut self, change: Change) {
        self.0[change as usize] += 1;
    }

    pub(super) fn get(self, change: Change) -> u64 {
        self.0[change as usize]
    }

    /// Findings that are added, removed or changed.
    pub(super) fn total(self) -> u64 {
        self.0[..3].iter().sum()
    }

    /// `1 finding added, 0 removed, 2 changed, 1,000 as before`
    pub(super) fn sentence(self) -> String {
        format!(
            "{} added, {} removed, {} changed, {} as before",
            counted(self.get(Change::Added), "finding"),
            grouped(self.get(Change::Removed)),
            grouped(self.get(Change::Changed)),
            grouped(self.get(Change::Kept))
        )
    }
}
