//! Which findings a list still takes that has room for the worst and earliest of them: what it cannot take need not be made whole.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::finding::Finding;
use crate::severity::Severity;
use crate::time::Timestamp;

/// Bits of a time: there are three more for the severity.
const TIME_BITS: u32 = 60;

/// The last place of a list that is full, which whoever evaluates records reads on other threads.
///
/// It only ever moves towards the worse and the earlier. So an old value takes too much, and never too little.
#[derive(Debug)]
pub(super) struct ListCutoff(AtomicU64);

impl Default for ListCutoff {
    /// As long as there is room, everything is taken.
    fn default() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }
}

impl ListCutoff {
    /// Whether the list may take a finding.
    pub(super) fn takes(&self, finding: &Finding) -> bool {
        place(finding.severity, time_of(finding)) <= self.0.load(Ordering::Relaxed)
    }

    /// Notes what stands in the last place of the full list.
    pub(super) fn move_to(&self, severity: Severity, time: Option<u64>) {
        self.0.fetch_min(place(severity, time), Ordering::Relaxed);
    }
}

/// The seconds since 1970 of a finding's record; none where it has no time that can be read.
pub(super) fn time_of(finding: &Finding) -> Option<u64> {
    finding.call.time().map(Timestamp::seconds)
}

/// In the list's order: the worst first, of these the earliest, and last what has no time.
fn place(severity: Severity, time: Option<u64>) -> u64 {
    const LATEST: u64 = (1 << TIME_BITS) - 1;
    ((Severity::Extreme as u64 - severity as u64) << TIME_BITS) | time.map_or(LATEST, |time| time.min(LATEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worse_and_the_earlier_is_taken() {
        let finding = |severity, time: &str| Finding { severity, ..Finding::test("rules".into(), time.to_owned()) };
        let [early, late] = ["2025-03-03T11:05:00Z", "2025-03-04T11:05:00Z"];
        let cutoff = ListCutoff::default();
        assert!(cutoff.takes(&finding(Severity::Low, "no time")));
        cutoff.move_to(Severity::Medium, time_of(&finding(Severity::Medium, early)));
        for (severity, time, taken) in [
            (Severity::Medium, early, true),
            (Severity::Medium, late, false),
            (Severity::Medium, "no time", false),
            (Severity::High, late, true),
            (Severity::High, "no time", true),
            (Severity::Low, early, false),
        ] {
            assert_eq!(cutoff.takes(&finding(severity, time)), taken, "{severity:?} {time}");
        }
        // It never goes back.
        cutoff.move_to(Severity::Low, None);
        assert!(!cutoff.takes(&finding(Severity::Low, early)));
    }
}
