//! What would have been sent: throttling, played back over the records' own times.
//!
//! The function's windows run on the wall clock, which is the records' time plus the minutes that CloudTrail takes; the rest
//! is the same: a window is opened by a finding, lets through what is worse than all before it, and holds back the rest,
//! whose sum is sent once when it ends.

use std::collections::HashMap;

use crate::severity::Severity;

/// What becomes of findings on one way: a channel, or a rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Findings, each once.
    pub(super) findings: u64,
    /// Those that come before a threshold is reached.
    pub(super) below_threshold: u64,
    /// Those that are sent.
    pub(super) alerts: u64,
    /// Those that are held back.
    pub(super) held_back: u64,
    /// The sums of what is held back that are sent.
    pub(super) roll_ups: u64,
}

/// A finding whose rule is throttled, on one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sighting {
    /// A hash of the rule, the way, and the values that make two findings repeats of one another.
    pub(super) group: u64,
    /// Seconds since the epoch; what has no time comes first, at 0.
    pub(super) time: i64,
    /// Its place among the findings.
    pub(super) order: u32,
    /// Seconds of the window.
    pub(super) window: u32,
    /// The rule's place in the file.
    pub(super) rule: u32,
    /// The channel's place in the file; none: whatever the channel.
    pub(super) channel: Option<u16>,
    pub(super) severity: Severity,
}

/// A finding whose rule has a threshold.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    /// A hash of what is counted together.
    pub(super) counted: u64,
    /// Hashes of the values that are counted instead of findings.
    pub(super) values: Option<Vec<u64>>,
    /// How many there must be, within so many seconds.
    pub(super) count: u64,
    pub(super) within: u64,
    /// What becomes of it if there are.
    pub(super) then: Passed,
}

/// A finding that no threshold keeps back, or none any more.
#[derive(Debug, Clone)]
pub(super) struct Passed {
    pub(super) time: i64,
    pub(super) order: u32,
    /// The rule's place in the file.
    pub(super) rule: usize,
    pub(super) severity: Severity,
    /// A hash of what makes it a repeat, if its rule is throttled.
    pub(super) group: Option<u64>,
    /// The channels' places in the file.
    pub(super) channels: Vec<u16>,
}

/// Counts what waits for a threshold: it alerts from the n-th on within a sliding window, that one included.
pub(super) fn count(mut waiting: Vec<Waiting>, mut tell: impl FnMut(&Waiting, bool)) {
    waiting.sort_by_key(|one| (one.counted, one.then.time, one.then.order));
    for group in waiting.chunk_by(|a, b| a.counted == b.counted) {
        let (mut first, mut seen) = (0, HashMap::new());
        for (place, one) in group.iter().enumerate() {
            // Without values each finding counts as one of its own.
            let values = |place: usize| group[place].values.clone().unwrap_or_else(|| vec![place as u64]);
            values(place).into_iter().for_each(|value| *seen.entry(value).or_insert(0_u64) += 1);
            while one.then.time.abs_diff(group[first].then.time) > one.within {
                for value in values(first) {
                    if let Some(count) = seen.get_mut(&value) {
                        *count -= 1;
                        if *count == 0 {
                            seen.remove(&value);
                        }
                    }
                }
                first += 1;
            }
            tell(one, seen.len() as u64 >= one.count);
        }
    }
}

/// Whether a finding is sent, and whether a sum must be sent as well, which happens once a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Sent,
    /// The first that its window holds back.
    HeldBackFirst,
    HeldBack,
}

/// Plays the windows back.
pub(super) fn play(mut sightings: Vec<Sighting>, mut tell: impl FnMut(&Sighting, Fate)) {
    sightings.sort_unstable();
    let mut open: Option<Window> = None;
    for sighting in &sightings {
        let fate = match &mut open {
            Some(window) if window.group == sighting.group && sighting.time < window.end => window.fate(sighting),
            _ => {
                let end = sighting.time + i64::from(sighting.window);
                let highest = sighting.severity;
                open = Some(Window { group: sighting.group, end, highest, holds_back: false });
                Fate::Sent
            }
        };
        tell(sighting, fate);
    }
}

struct Window {
    group: u64,
    end: i64,
    highest: Severity,
    holds_back: bool,
}

impl Window {
    fn fate(&mut self, sighting: &Sighting) -> Fate {
        if sighting.severity > self.highest {
            self.highest = sighting.severity;
            return Fate::Sent;
        }
        if std::mem::replace(&mut self.holds_back, true) { Fate::HeldBack } else { Fate::HeldBackFirst }
    }
}

impl Outcome {
    pub(super) fn count(&mut self, fate: Fate) {
        match fate {
            Fate::Sent => self.alerts += 1,
            Fate::HeldBackFirst => {
                self.held_back += 1;
                self.roll_ups += 1;
            }
            Fate::HeldBack => self.held_back += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_holds_back_what_is_no_worse() {
        let sighting =
            |group, time, severity| Sighting { group, time, order: 0, window: 60, rule: 0, channel: None, severity };
        let (low, high) = (Severity::Low, Severity::High);
        // Out of order, as an archive holds them.
        let sightings = vec![
            sighting(2, 10, low),
            sighting(1, 59, low),
            sighting(1, 0, low),
            sighting(1, 20, high),
            sighting(1, 30, high),
            sighting(1, 60, low),
            sighting(1, 119, low),
            sighting(1, 120, low),
        ];
        let mut told = Vec::new();
        play(sightings, |sighting, fate| told.push((sighting.group, sighting.time, fate)));
        let expected = [
            (1, 0, Fate::Sent),
            (1, 20, Fate::Sent),
            (1, 30, Fate::HeldBackFirst),
            (1, 59, Fate::HeldBack),
            (1, 60, Fate::Sent),
            (1, 119, Fate::HeldBackFirst),
            (1, 120, Fate::Sent),
            (2, 10, Fate::Sent),
        ];
        assert_eq!(told, expected);
        let mut outcome = Outcome::default();
        told.iter().for_each(|(.., fate)| outcome.count(*fate));
        assert_eq!(outcome, Outcome { alerts: 5, held_back: 3, roll_ups: 2, ..Outcome::default() });
    }

    #[test]
    fn a_threshold_is_reached_within_its_window() {
        let waiting = |time: i64, values: Option<&[u64]>| Waiting {
            counted: 1,
            values: values.map(<[u64]>::to_vec),
            count: 3,
            within: 60,
            then: Passed { time, order: 0, rule: 0, severity: Severity::Low, group: None, channels: Vec::new() },
        };
        let reached = |waiting: Vec<Waiting>| {
            let mut told = Vec::new();
            count(waiting, |one, is_reached| told.push((one.then.time, is_reached)));
            told.into_iter().filter(|(_, is_reached)| *is_reached).map(|(time, _)| time).collect::<Vec<_>>()
        };
        let times = [130, 0, 30, 60, 61, 200].map(|time| waiting(time, None));
        assert_eq!(reached(times.to_vec()), [60, 61]);
        // Values count once each, as long as one of their findings is within the window.
        let values: [(i64, &[u64]); 7] =
            [(0, &[1]), (1, &[1]), (2, &[1, 2]), (3, &[]), (4, &[3]), (62, &[4]), (65, &[5, 6, 7])];
        assert_eq!(reached(values.map(|(time, values)| waiting(time, Some(values))).to_vec()), [4, 62, 65]);
    }
}
