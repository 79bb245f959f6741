//! What matched nothing is counted, and not told one by one: its count waits for the next line about a record.
//!
//! Nearly every event matches nothing, and a line of the log for each would be most of what a quiet event costs. So a process sums the records
//! of invocations in which nothing else happened, and the sum is told with the next line about a record: that of one of which something
//! came, or that of the first record of the next [slot](QuietRecords::new). (A line about none, as of a sweep, would put off the alarm on
//! silence.) Whatever else there is to tell is told at once, and nothing but the metric `Records` waits.
//!
//! What a process has not told when Lambda ends it is lost: less than a slot's records, which matched nothing. So `Records` counts a
//! little too few; and since the first record of every slot is told at once, it is never silent for a slot in which a record came.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::InvocationReport;
use crate::time::Timestamp;

/// How long a count waits at most while records come.
const SLOT: Duration = Duration::from_mins(10);
/// The shortest period of a metric: that of the alarm on silence.
const SHORTEST: Duration = Duration::from_mins(1);

/// The records of this process that matched nothing and have not been told.
#[derive(Debug)]
pub struct QuietRecords {
    slot: Duration,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    records: usize,
    /// The slot in which a line was written last.
    told: Option<u64>,
}

impl QuietRecords {
    /// `silence`: after how long without a record an alarm rings; zero if none does. A slot is ten minutes, or a quarter of that if it is
    /// less, so that the alarm comes a quarter early at most; and a minute where nobody says.
    pub fn new(silence: Option<Duration>) -> Self {
        let slot = match silence {
            None => SHORTEST,
            Some(Duration::ZERO) => SLOT,
            Some(silence) => (silence / 4).clamp(SHORTEST, SLOT),
        };
        Self { slot: Duration::from_secs(slot.as_secs() / 60 * 60), held: Mutex::default() }
    }

    /// Whether an invocation is to be told now; if so, its records include those that waited. If not, they wait. `failed`: whether Lambda is
    /// answered with an error.
    pub fn tell(&self, report: &mut InvocationReport, failed: bool, now: Timestamp) -> bool {
        if report.records == 0 {
            // Nothing was heard now: told with it, what waited would put off the alarm on silence.
            return true;
        }
        let slot = now.seconds() / self.slot.as_secs();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.told == Some(slot) && report.is_quiet() && !failed {
            held.records += report.records;
            return false;
        }
        held.told = Some(slot);
        report.records += std::mem::take(&mut held.records);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet() -> InvocationReport {
        InvocationReport { records: 1, ..InvocationReport::default() }
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    /// How many records are told at each of these times; none where they wait.
    fn told(records: &QuietRecords, times: &[u64]) -> Vec<Option<usize>> {
        let tell = |time: &u64| {
            let mut report = quiet();
            records.tell(&mut report, false, at(*time)).then_some(report.records)
        };
        times.iter().map(tell).collect()
    }

    #[test]
    fn the_first_record_of_a_slot_is_told_with_those_that_waited() {
        let records = QuietRecords::new(Some(Duration::ZERO));
        let times = [10, 20, 599, 600, 601, 1_199, 4_000, 4_001];
        assert_eq!(told(&records, &times), [Some(1), None, None, Some(3), None, None, Some(3), None]);
        // A clock that goes back changes the slot, too.
        assert_eq!(told(&records, &[3_000]), [Some(2)]);
    }

    #[test]
    fn a_slot_is_a_quarter_of_a_short_silence_in_whole_minutes() {
        let minutes = |silence: u64| QuietRecords::new(Some(Duration::from_mins(silence))).slot.as_secs() / 60;
        assert_eq!(QuietRecords::new(None).slot, SHORTEST);
        assert_eq!([0, 1, 4, 8, 11, 12, 40, 1440].map(minutes), [10, 1, 1, 2, 2, 3, 10, 10]);
    }

    #[test]
    fn whatever_else_happens_is_told_at_once_and_carries_what_waited() {
        let others: [fn(&mut InvocationReport); 9] = [
            |report| report.ignored = 1,
            |report| report.unreadable = 1,
            |report| report.findings.total = 1,
            |report| report.deliveries.redelivered = 1,
            |report| report.operational = 1,
            |report| report.ledger_faults = 1,
            |report| report.spokes.unreached = 1,
            |report| report.probes = 1,
            |report| report.sweep = Some(super::super::SweepCounts::default()),
        ];
        for (place, other) in others.into_iter().enumerate() {
            let records = QuietRecords::new(Some(Duration::ZERO));
            assert_eq!(told(&records, &[0, 1, 2]), [Some(1), None, None]);
            let mut report = quiet();
            other(&mut report);
            assert!(records.tell(&mut report, false, at(3)), "{place}");
            assert_eq!(report.records, 3, "{place}");
            assert_eq!(told(&records, &[4, 600]), [None, Some(2)], "{place}");
        }
        // What has no records is told, and neither tells what waited nor stands for the slot's first record.
        let records = QuietRecords::new(None);
        assert_eq!(told(&records, &[0, 1]), [Some(1), None]);
        let mut moved = InvocationReport::default();
        moved.deliveries.redelivered = 1;
        assert!(records.tell(&mut moved, false, at(60)) && moved.records == 0);
        assert_eq!(told(&records, &[61]), [Some(2)]);
        // Nor is one that failed.
        let records = QuietRecords::new(None);
        assert_eq!(told(&records, &[0, 1]), [Some(1), None]);
        assert!(records.tell(&mut quiet(), true, at(2)));
    }
}
