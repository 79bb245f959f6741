//! What becomes of a finding, decided once: pure functions of what is known and of what came.
//!
//! A finding passes three gates, in this order, the first once and the others on each channel that it goes to:
//!
//! 1. **The threshold** ([`reaches_threshold`]). Has its rule matched often enough within a sliding window?
//! 2. **The throttle** ([`throttle`]). Does it open an alert, or is it a repeat within the window of one that is open?
//! 3. **The storm guard** ([`storm_guard`]). Have so many alerts gone out in this minute that the rest become a digest?
//!
//! What is held back comes again as a sum: a roll-up when the throttle's window has ended ([`roll_up_due`]), a digest when the
//! minute has ([`digest_due`]). A roll-up passes the storm guard like an alert; a digest passes nothing more.
//!
//! Two ask here. [`Ledger`](super::Ledger) finds what is known in its store, and writes what follows on the condition that it
//! is still known so. `offlimits backtest` keeps it in memory, over an archive. Neither decides anything itself, so that the
//! second says what the first would do: `src/cli/backtest/tests.rs` compares the two over random traffic.
//!
//! docs/design/ledger.md has the same order with its reasons, and the items in which the ledger keeps what is known.

use std::time::Duration;

use crate::severity::Severity;
use crate::time::Timestamp;

/// What is known of a throttle's window.
///
/// A window belongs to a group: findings of one rule, on one channel, with the same values in the throttle's `by`. The first
/// finding opens it, for as long as the rule says (1 s to 24 h), and goes out. Until it ends, a finding that is worse than all
/// that went out before it goes out too, and raises the bar; every other is held back, and counted. When it has ended, one
/// roll-up tells how many they were, and the next finding opens another window: windows never overlap, and none is extended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThrottleWindow {
    /// When it ends: a finding that comes at that very moment is outside.
    pub ends: Timestamp,
    /// The highest severity that has gone out in it.
    pub highest: Severity,
}

impl ThrottleWindow {
    /// Whether what comes `now` falls into it.
    pub fn is_open(self, now: Timestamp) -> bool {
        now < self.ends
    }
}

/// Something that holds what is known of a window: the ledger's item of a group, or what `backtest` remembers of one.
pub trait HasWindow {
    /// The window.
    fn window(&self) -> ThrottleWindow;
}

/// What a throttle makes of a finding. `W` is what was known of the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThrottleVerdict<W> {
    /// It goes out, and opens this window.
    Opens(ThrottleWindow),
    /// It is a repeat that is worse than all before it: it goes out, and the window is this from now on.
    BreaksThrough(W, ThrottleWindow),
    /// It is a repeat, and is counted for the roll-up.
    HeldBack(W),
}

/// The throttle: what becomes of a finding of this severity that comes `now`, where `known` is the last window of its group,
/// if there was one, and a new one would be of this length.
pub fn throttle<W: HasWindow>(
    known: Option<W>,
    length: Duration,
    severity: Severity,
    now: Timestamp,
) -> ThrottleVerdict<W> {
    match known.filter(|known| known.window().is_open(now)) {
        None => ThrottleVerdict::Opens(ThrottleWindow { ends: now.plus(length), highest: severity }),
        Some(known) => {
            let window = known.window();
            if severity > window.highest {
                ThrottleVerdict::BreaksThrough(known, ThrottleWindow { highest: severity, ..window })
            } else {
                ThrottleVerdict::HeldBack(known)
            }
        }
    }
}

/// The threshold: whether `count` of the `times` lie within one window of this length that holds `at`, both of its ends
/// included. `times` are those of the occurrences that are counted together, in ascending order, the one at `at` among them;
/// or, where distinct values are counted, the latest time of each value.
///
/// Times may be later than `at`: CloudTrail delivers out of order. Of those before `at`, and of those after it, the nearest
/// `count` suffice.
pub fn reaches_threshold(times: &[Timestamp], at: Timestamp, count: u64, length: Duration) -> bool {
    let Ok(count) = usize::try_from(count) else { return false };
    times.windows(count.max(1)).any(|run| {
        let (first, last) = (run[0], run[run.len() - 1]);
        last.max(at).since(first.min(at)) <= length
    })
}

/// What the storm guard makes of an alert or a roll-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuardVerdict {
    /// It goes out.
    Sends,
    /// It is one too many, and is counted for the digest of its minute.
    Digests,
}

/// The storm guard: what becomes of an alert or a roll-up where `counted` of its severity have been counted before it, on its
/// channel, in its minute.
///
/// Alerts are counted as they come, also those that end in the digest. What comes from a queue (roll-ups, redeliveries) is
/// counted once it has arrived, since a vendor that is down reads nothing.
pub const fn storm_guard(counted: u64, max_per_minute: u64) -> GuardVerdict {
    if counted < max_per_minute { GuardVerdict::Sends } else { GuardVerdict::Digests }
}

/// The minute of the storm guard, in minutes since 1970.
pub fn minute_of(now: Timestamp) -> u64 {
    now.seconds() / 60
}

/// How long after the end of a window, or of a minute, its sum is made. Whoever decided before the end that a finding is held
/// back has written it down by then.
const SETTLING: Duration = Duration::from_secs(15);

/// When the roll-up of a window that ends then is made.
pub fn roll_up_due(window_ends: Timestamp) -> Timestamp {
    window_ends.plus(SETTLING)
}

/// When the digest of a minute (in minutes since 1970) is made.
pub fn digest_due(minute: u64) -> Timestamp {
    Timestamp::from_millis(minute.saturating_add(1).saturating_mul(60_000)).plus(SETTLING)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    impl HasWindow for ThrottleWindow {
        fn window(&self) -> ThrottleWindow {
            *self
        }
    }

    #[test]
    fn a_window_holds_back_what_is_no_worse_until_it_ends() {
        use ThrottleVerdict::{BreaksThrough, HeldBack, Opens};
        let length = Duration::from_mins(1);
        let opened = ThrottleWindow { ends: at(60), highest: Severity::Medium };
        let raised = ThrottleWindow { highest: Severity::High, ..opened };
        let decide = |known, severity, seconds| throttle(known, length, severity, at(seconds));
        assert_eq!(decide(None, Severity::Medium, 0), Opens(opened));
        assert_eq!(decide(Some(opened), Severity::Medium, 59), HeldBack(opened));
        assert_eq!(decide(Some(opened), Severity::Low, 0), HeldBack(opened));
        assert_eq!(decide(Some(opened), Severity::High, 59), BreaksThrough(opened, raised));
        assert_eq!(decide(Some(raised), Severity::High, 59), HeldBack(raised));
        let next = ThrottleWindow { ends: at(120), highest: Severity::Low };
        assert_eq!(decide(Some(raised), Severity::Low, 60), Opens(next));
    }

    #[test]
    fn the_storm_guard_lets_so_many_through() {
        let verdicts: Vec<_> = (0..4).map(|counted| storm_guard(counted, 2)).collect();
        assert_eq!(verdicts, [GuardVerdict::Sends, GuardVerdict::Sends, GuardVerdict::Digests, GuardVerdict::Digests]);
    }

    #[test]
    fn sums_are_due_when_whoever_was_counting_has_counted() {
        assert_eq!((minute_of(at(59)), minute_of(at(60))), (0, 1));
        assert_eq!((digest_due(0), roll_up_due(at(300))), (at(75), at(315)));
    }

    proptest! {
        /// Against the definition: some window [start, start + w] that holds `at` holds `count` times.
        #[test]
        fn a_run_is_found_exactly_if_there_is_one(
            mut times in prop::collection::vec(0..60_u64, 1..20), which in any::<prop::sample::Index>(),
            count in 2..6_u64, window in 1..30_u64,
        ) {
            let moment = times[which.index(times.len())];
            let holds = (0..=moment).any(|start| start + window >= moment && {
                let inside = times.iter().filter(|time| (start..=start + window).contains(time)).count();
                inside as u64 >= count
            });
            times.sort_unstable();
            let times: Vec<Timestamp> = times.into_iter().map(at).collect();
            prop_assert_eq!(reaches_threshold(&times, at(moment), count, Duration::from_secs(window)), holds);
        }
    }
}
