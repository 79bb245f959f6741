//! What becomes of a finding, decided once: pure functions of what is known and of what came.
//!
//! A finding passes four gates, in this order, the first once and the others on each channel that it goes to:
//!
//! 1. **The threshold** ([`reaches_threshold`]). Has its rule matched often enough within a sliding window?
//! 2. **The shared call** ([`is_told_of`]). Has another account's record of the same call been told of?
//! 3. **The throttle** ([`throttle`]). Does it open an alert, or is it a repeat within the window of one that is open?
//!    What goes out takes the other findings of its record with it, in one message ([`leader`]).
//! 4. **The storm guard** ([`storm_guard`]). Have so many alerts gone out in this minute that the rest become a digest?
//!
//! What is held back comes again as a sum: a roll-up when the throttle's window has ended ([`roll_up_due`]), a digest when the
//! minute has ([`digest_due`]). A roll-up passes the storm guard like an alert; a digest passes nothing more.
//!
//! Two ask here. [`Ledger`](super::Ledger) finds what is known in its store, and writes what follows on the condition that it
//! is still known so. `offlimits backtest` keeps it in memory, over an archive. Neither decides anything itself, so that the
//! second says what the first would do: `src/cli/backtest/tests.rs` compares the two over random traffic.
//!
//! On a channel that has incidents, [`incident`](super::incident) stands in the throttle's place.
//!
//! docs/design/ledger.md has the same order with its reasons, and the items in which the ledger keeps what is known.

use std::cmp::Reverse;
use std::time::Duration;

use crate::finding::Finding;
use crate::ids::TargetId;
use crate::rules::{NewTargets, Throttle};
use crate::severity::Severity;
use crate::time::Timestamp;

/// How far apart the clocks of two copies of the function may be: what ends later than it ever could, and this, was not
/// written by one of them.
pub(super) const CLOCK_SKEW: Duration = Duration::from_mins(1);

/// The longest lease of a claim. A delivery of a process that died is taken up again after less than a minute.
pub const MAX_LEASE: Duration = Duration::from_secs(59);

/// How long a claim is remembered, and a call that several accounts record: a day longer than a dead letter may lie before it is sent through again, which is SQS's
/// longest, 14 days.
/// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>
pub const CLAIM_TTL: Duration = Duration::from_hours(15 * 24);

/// Whether a claim that ends `until` then is held by somebody `now`. One that ends later than any could is nobody's.
pub fn is_held(until: Timestamp, now: Timestamp) -> bool {
    now < until && until <= now.plus(MAX_LEASE + CLOCK_SKEW)
}

/// Whether a call has been told of already, where another account's record of it went this way with a finding of the severity
/// `told`. What is worse is told all the same: a rule may judge the two accounts differently.
pub fn is_told_of(told: Option<Severity>, severity: Severity) -> bool {
    told.is_some_and(|told| severity <= told)
}

/// What a throttle looks at in a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeat {
    /// Its severity.
    pub severity: Severity,
    /// Whether the call succeeded.
    pub succeeded: bool,
    /// What the call acts on, if the record names it.
    pub target: Option<TargetId>,
}

impl Repeat {
    /// What the throttle of a finding's rule looks at. Where new targets wait, none of them is looked at.
    pub fn new(finding: &Finding, new_targets: NewTargets) -> Self {
        let target = finding.call.target().filter(|_| new_targets == NewTargets::Sent);
        Self { severity: finding.severity, succeeded: !finding.call.failed, target }
    }
}

/// A throttle, as far as it concerns one window: how long that is open, and what becomes of new targets in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttling {
    /// How long a window is open, from its first finding on.
    pub length: Duration,
    /// What becomes of new targets.
    pub new_targets: NewTargets,
}

impl From<&Throttle> for Throttling {
    fn from(throttle: &Throttle) -> Self {
        Self { length: Duration::from_secs(throttle.window), new_targets: throttle.new_targets }
    }
}

/// How findings of one group are held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    /// Repeats, for the roll-up of their rule's throttle.
    Throttle(Throttling),
    /// What belongs to an incident of this length, for its updates.
    Incident(Duration),
}

impl Holding {
    /// How long a window is open, from its first finding on.
    pub const fn length(self) -> Duration {
        match self {
            Self::Throttle(Throttling { length, .. }) | Self::Incident(length) => length,
        }
    }
}

impl From<&Throttle> for Holding {
    fn from(throttle: &Throttle) -> Self {
        Self::Throttle(throttle.into())
    }
}

/// New targets that a window lets through.
pub const NEW_TARGETS: usize = 3;

/// The severity from which on a new target is worth a message.
const TARGETS_COUNT_FROM: Severity = Severity::High;

/// The targets of what has gone out in a window: the opener's, and the new ones, three at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ToldTargets {
    opener: Option<TargetId>,
    new: [Option<TargetId>; NEW_TARGETS],
}

impl ToldTargets {
    /// The target of the opener, and those that were new after it. Of more than three, the first three are kept.
    pub fn new(opener: Option<TargetId>, new: &[TargetId]) -> Self {
        let mut told = Self { opener, ..Self::default() };
        told.new.iter_mut().zip(new).for_each(|(place, target)| *place = Some(*target));
        told
    }

    /// The new ones, in the order in which they were told.
    pub fn new_ones(&self) -> Vec<TargetId> {
        self.new.iter().flatten().copied().collect()
    }

    /// These and the target of a finding that goes out, if it is new, and of a severity for which that counts; none if it is
    /// not, or if there were three before it.
    fn with(mut self, repeat: Repeat) -> Option<Self> {
        let target = repeat.target.filter(|_| repeat.severity >= TARGETS_COUNT_FROM)?;
        if self.opener == Some(target) || self.new.contains(&Some(target)) {
            return None;
        }
        *self.new.iter_mut().find(|place| place.is_none())? = Some(target);
        Some(self)
    }
}

/// What is known of a throttle's window.
///
/// A window belongs to a group: findings of one rule, on one channel, with the same values in the throttle's `by`. The first
/// finding opens it, for as long as the rule says (1 s to 24 h), and goes out. Until it ends, three kinds of findings go out too:
/// what is worse than all that went out before it; the first success, where all that went out had failed; and of severity `high`
/// or more the first three new targets. So nobody hides a call behind another one of the same group. Every other is held back,
/// and counted. When it has ended, one roll-up tells how many they were, and the next finding opens another window: windows never
/// overlap, and none is extended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThrottleWindow {
    /// When it ends: a finding that comes at that very moment is outside.
    pub ends: Timestamp,
    /// The highest severity that has gone out in it.
    pub highest: Severity,
    /// Whether a call that succeeded has gone out in it.
    pub succeeded: bool,
    /// The targets that have gone out in it.
    pub targets: ToldTargets,
}

impl ThrottleWindow {
    /// The window that a finding opens.
    fn opened_by(repeat: Repeat, length: Duration, now: Timestamp) -> Self {
        let targets = ToldTargets::new(repeat.target, &[]);
        Self { ends: now.plus(length), highest: repeat.severity, succeeded: repeat.succeeded, targets }
    }

    /// Whether what comes `now` falls into it, where a window that opens now would be of this length. One that ends later than
    /// any could is not open: the rule's window was shortened, or somebody else wrote the end.
    pub fn is_open(self, length: Duration, now: Timestamp) -> bool {
        now < self.ends && self.ends <= now.plus(length + CLOCK_SKEW)
    }

    /// The window after a finding has gone out in it.
    fn after(self, repeat: Repeat) -> Self {
        Self {
            highest: self.highest.max(repeat.severity),
            succeeded: self.succeeded || repeat.succeeded,
            targets: self.targets.with(repeat).unwrap_or(self.targets),
            ..self
        }
    }

    /// Whether a repeat is worth a message of its own.
    fn lets_through(self, repeat: Repeat) -> bool {
        let is_worse = repeat.severity > self.highest;
        let is_first_success = repeat.succeeded && !self.succeeded;
        is_worse || is_first_success || self.targets.with(repeat).is_some()
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
    /// It is a repeat that is news: it goes out, and the window is this from now on.
    BreaksThrough(W, ThrottleWindow),
    /// It is a repeat, and is counted for the roll-up.
    HeldBack(W),
}

/// The throttle: what becomes of a finding that comes `now`, where `known` is the last window of its group, if there was one,
/// and a new one would be of this length.
pub fn throttle<W: HasWindow>(
    known: Option<W>,
    length: Duration,
    repeat: Repeat,
    now: Timestamp,
) -> ThrottleVerdict<W> {
    match known.filter(|known| known.window().is_open(length, now)) {
        None => ThrottleVerdict::Opens(ThrottleWindow::opened_by(repeat, length, now)),
        Some(known) if known.window().lets_through(repeat) => {
            let window = known.window().after(repeat);
            ThrottleVerdict::BreaksThrough(known, window)
        }
        Some(known) => ThrottleVerdict::HeldBack(known),
    }
}

/// The most findings of one record that go together on one channel. A transaction takes 100 items, and each finding has three
/// at most: its claim, its window, and the call that another account recorded too. What goes beyond is a second message.
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
pub const MOST_TOGETHER: usize = 33;

/// What its throttle makes of one of the findings of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Going {
    /// It would be held back.
    HeldBack,
    /// It goes out as a repeat that is news.
    AsRepeat,
    /// It goes out, and opens an alert.
    AsFirst,
}

/// Merging: which of the findings of one record leads the message that tells of all of them, given in the order of their rules;
/// none if each is held back. The most severe of those that go out does; of equal ones that which opens an alert, since a repeat
/// lies in a thread or a ticket that may be closed by now; of these the first.
pub fn leader(findings: impl IntoIterator<Item = (Severity, Going)>) -> Option<usize> {
    let going = findings.into_iter().enumerate().filter(|(_, (_, going))| *going != Going::HeldBack);
    going.max_by_key(|(place, found)| (*found, Reverse(*place))).map(|(place, _)| place)
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
/// back has written it down by then, however slow the ledger and the queue are: it is longer than any process may go on
/// (`ClaimOutlivesClaimer`).
pub(super) const SETTLING: Duration = Duration::from_mins(1);
const _: () = assert!(SETTLING.as_secs() > MAX_LEASE.as_secs());

/// The most roll-ups that one message tells.
pub const MOST_ROLL_UPS: usize = 20;

/// When a roll-up that is due then is made where those of one minute are told together: at the next full minute, or at once where
/// one begins.
pub fn roll_ups_due(due: Timestamp) -> Timestamp {
    Timestamp::from_millis(due.millis().div_ceil(60_000) * 60_000)
}

/// Which of several roll-ups leads their message, given by the severities of the findings that opened their alerts: the most severe,
/// and of equal ones the first.
pub fn leading_roll_up(severities: impl IntoIterator<Item = Severity>) -> Option<usize> {
    leader(severities.into_iter().map(|severity| (severity, Going::AsRepeat)))
}

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

    fn failure(severity: Severity, target: &str) -> Repeat {
        Repeat { severity, succeeded: false, target: TargetId::new(&[target]) }
    }

    #[test]
    fn a_window_holds_back_what_is_no_worse_until_it_ends() {
        use ThrottleVerdict::{BreaksThrough, HeldBack, Opens};
        let length = Duration::from_mins(1);
        let targets = ToldTargets::new(TargetId::new(&["t"]), &[]);
        let opened = ThrottleWindow { ends: at(60), highest: Severity::Medium, succeeded: false, targets };
        let raised = ThrottleWindow { highest: Severity::High, ..opened };
        let decide = |known, severity, seconds| throttle(known, length, failure(severity, "t"), at(seconds));
        assert_eq!(decide(None, Severity::Medium, 0), Opens(opened));
        assert_eq!(decide(Some(opened), Severity::Medium, 59), HeldBack(opened));
        assert_eq!(decide(Some(opened), Severity::Low, 0), HeldBack(opened));
        assert_eq!(decide(Some(opened), Severity::High, 59), BreaksThrough(opened, raised));
        assert_eq!(decide(Some(raised), Severity::High, 59), HeldBack(raised));
        let next = ThrottleWindow { ends: at(120), highest: Severity::Low, ..opened };
        assert_eq!(decide(Some(raised), Severity::Low, 60), Opens(next));
    }

    /// The verdicts on these findings, which come one after the other in one window.
    fn verdicts(repeats: &[Repeat]) -> String {
        let mut known: Option<ThrottleWindow> = None;
        let mut verdict = |repeat: &Repeat| match throttle(known, Duration::from_mins(1), *repeat, at(0)) {
            ThrottleVerdict::Opens(window) => {
                known = Some(window);
                'o'
            }
            ThrottleVerdict::BreaksThrough(_, window) => {
                known = Some(window);
                'b'
            }
            ThrottleVerdict::HeldBack(_) => '-',
        };
        repeats.iter().map(&mut verdict).collect()
    }

    #[test]
    fn the_first_success_and_three_new_targets_are_news() {
        use Severity::{High, Low, Medium, VeryHigh};
        let success = |severity, target| Repeat { succeeded: true, ..failure(severity, target) };
        // A success after failures, once.
        assert_eq!(verdicts(&[failure(Low, "a"), failure(Low, "b"), success(Low, "c"), success(Low, "d")]), "o-b-");
        assert_eq!(verdicts(&[success(Low, "a"), failure(Low, "b"), success(Low, "c")]), "o--");
        // New targets, from high on: three, and each once.
        let many = ["a", "b", "a", "b", "c", "d", "e", "c"].map(|target| failure(High, target));
        assert_eq!(verdicts(&many), "ob--bb--");
        assert_eq!(verdicts(&["a", "b", "c"].map(|target| failure(Medium, target))), "o--");
        // What goes out for another reason makes its target known.
        assert_eq!(verdicts(&[failure(High, "a"), success(High, "b"), failure(High, "b"), failure(High, "c")]), "ob-b");
        assert_eq!(
            verdicts(&[failure(Low, "a"), failure(High, "b"), failure(VeryHigh, "b"), failure(High, "b")]),
            "obb-"
        );
        // A low one does not use up the places of those that count.
        let after_low =
            [failure(Low, "a"), failure(Medium, "b"), failure(High, "b"), failure(High, "c"), failure(High, "d")];
        assert_eq!(verdicts(&after_low), "obbbb");
        // Nothing is new about what names no target.
        let nameless = Repeat { target: None, ..failure(High, "") };
        assert_eq!(verdicts(&[nameless, nameless, failure(High, "a"), nameless]), "o-b-");
    }

    #[test]
    fn what_ends_later_than_it_could_holds_nothing() {
        let length = Duration::from_mins(5);
        let mut window = ThrottleWindow::opened_by(failure(Severity::Extreme, "t"), length, at(0));
        let is_open = |window: ThrottleWindow, seconds| window.is_open(length, at(seconds));
        assert!(is_open(window, 0) && is_open(window, 299) && !is_open(window, 300));
        window.ends = at(360);
        assert!(is_open(window, 0), "a clock that is a minute ahead");
        window.ends = at(361);
        assert!(!is_open(window, 0));
        assert!(is_held(at(119), at(0)) && !is_held(at(120), at(0)) && !is_held(at(5), at(5)));
    }

    #[test]
    fn what_has_been_told_of_is_told_again_only_if_it_is_worse() {
        assert!(!is_told_of(None, Severity::Low));
        let verdicts = Severity::ALL.map(|severity| is_told_of(Some(Severity::Medium), severity));
        let expected = Severity::ALL.map(|severity| severity <= Severity::Medium);
        assert_eq!(verdicts, expected);
    }

    #[test]
    fn the_storm_guard_lets_so_many_through() {
        let verdicts: Vec<_> = (0..4).map(|counted| storm_guard(counted, 2)).collect();
        assert_eq!(verdicts, [GuardVerdict::Sends, GuardVerdict::Sends, GuardVerdict::Digests, GuardVerdict::Digests]);
    }

    #[test]
    fn sums_are_due_when_whoever_was_counting_has_counted() {
        assert_eq!((minute_of(at(59)), minute_of(at(60))), (0, 1));
        assert_eq!((digest_due(0), roll_up_due(at(300))), (at(120), at(360)));
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
