//! What arrives in an archive, gathered in the order in which it is read, and handed over in the order of its arrival: in memory as
//! long as it fits, and else by way of the disk.

use super::playback::{AlertEvent, Arrival, ArrivedSession};
use crate::runs::{Bounds, RunError, Sorted, Sorter};
use crate::time::Timestamp;

/// Gathers findings, and sessions that were issued.
#[derive(Debug)]
pub(super) struct Arrivals {
    sorter: Sorter<Arrival>,
    bounds: Bounds,
    /// Findings before any that has a time.
    timeless: Sorter<Arrival>,
    /// The time of the last finding that had one.
    last_time: Option<Timestamp>,
}

impl Arrivals {
    pub(super) const fn new(bounds: Bounds) -> Self {
        Self { sorter: Sorter::new(bounds), bounds, timeless: Sorter::new(bounds), last_time: None }
    }

    /// Adds a finding, which happened then. What has no time is taken to come with the finding that was added before it; what comes
    /// before all that have one, with the first of these.
    pub(super) fn finding(&mut self, time: Option<Timestamp>, mut event: AlertEvent) -> Result<(), RunError> {
        if let (Some(time), None) = (time, self.last_time) {
            self.date(time)?;
        }
        self.last_time = time.or(self.last_time);
        event.time = self.last_time.unwrap_or_default();
        let sorter = if self.last_time.is_some() { &mut self.sorter } else { &mut self.timeless };
        sorter.push(&Arrival::Finding(event))
    }

    /// Adds a session.
    pub(super) fn session(&mut self, time: Option<Timestamp>, mut session: ArrivedSession) -> Result<(), RunError> {
        session.time = time.or(self.last_time).unwrap_or_default();
        self.sorter.push(&Arrival::Session(session))
    }

    /// All of them, in the order of their arrival; none are left.
    pub(super) fn take_sorted(&mut self) -> Result<Sorted<Arrival>, RunError> {
        self.date(Timestamp::default())?;
        std::mem::replace(&mut self.sorter, Sorter::new(self.bounds)).into_sorted()
    }

    /// Says when the findings that came before any that has a time are taken to arrive.
    fn date(&mut self, first: Timestamp) -> Result<(), RunError> {
        for timeless in std::mem::replace(&mut self.timeless, Sorter::new(self.bounds)).into_sorted()? {
            if let Arrival::Finding(event) = timeless? {
                self.sorter.push(&Arrival::Finding(AlertEvent { time: first, ..event }))?;
            }
        }
        Ok(())
    }
}
