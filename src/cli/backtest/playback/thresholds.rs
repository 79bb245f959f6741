//! The thresholds of all rules, played back.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use super::arrival::ThresholdEvent;
use super::remembered::Remembered;
use crate::ledger::policy;
use crate::rules::Threshold;
use crate::time::Timestamp;

/// What the thresholds have counted.
#[derive(Debug)]
pub(super) struct Thresholds {
    counted: Remembered<u64, CountedTogether>,
}

impl Thresholds {
    pub(super) fn new(forgets_from: usize) -> Self {
        Self { counted: Remembered::new(forgets_from) }
    }

    /// Counts a finding that happens after all before it, and says whether there are enough.
    pub(super) fn reaches(&mut self, threshold: &Threshold, event: &ThresholdEvent, at: Timestamp) -> bool {
        let matters = |counted: &CountedTogether| at.minus(counted.last.1) <= counted.last.0;
        self.counted.or_default(event.counted, matters).reaches(threshold, event, at)
    }
}

/// What a threshold counts together, of the last window's length.
#[derive(Debug, Default)]
struct CountedTogether {
    /// When its findings happened, the last of them.
    findings: VecDeque<Timestamp>,
    /// When each value occurred last.
    values: HashMap<u64, Timestamp>,
    /// The same, by time.
    values_by_time: BTreeSet<(Timestamp, u64)>,
    /// When the last finding was counted, and for how long that matters.
    last: (Timestamp, Duration),
}

impl CountedTogether {
    /// Counts a finding that happens after all before it, and says whether there are enough.
    fn reaches(&mut self, threshold: &Threshold, event: &ThresholdEvent, at: Timestamp) -> bool {
        let length = Duration::from_secs(threshold.window);
        self.last = (at, length);
        let most = usize::try_from(threshold.count).unwrap_or(usize::MAX);
        // Nothing that happens later is within one window with what is older than this.
        let oldest = at.minus(length);
        let Some(values) = &event.values else {
            self.findings.push_back(at);
            while self.findings.len() > most || self.findings.front().is_some_and(|time| *time < oldest) {
                self.findings.pop_front();
            }
            return policy::reaches_threshold(self.findings.make_contiguous(), at, threshold.count, length);
        };
        for value in values {
            if let Some(before) = self.values.insert(*value, at) {
                self.values_by_time.remove(&(before, *value));
            }
            self.values_by_time.insert((at, *value));
        }
        while let Some((time, value)) = self.values_by_time.first().copied()
            && time < oldest
        {
            self.values_by_time.pop_first();
            self.values.remove(&value);
        }
        let mut times: Vec<Timestamp> = self.values_by_time.iter().rev().take(most).map(|(time, _)| *time).collect();
        times.reverse();
        policy::reaches_threshold(&times, at, threshold.count, length)
    }
}
