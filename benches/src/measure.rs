//! CPU time, or where threads share the work the time that passes, of several ways to do the same, in rounds that take turns: whatever else the machine does meets all of them.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Which time: whose CPU time, or the time that passes.
#[derive(Clone, Copy)]
pub(crate) enum Clock {
    /// This thread's.
    Thread,
    /// All threads'.
    Process,
    /// None's: what passes meanwhile. Whatever else the machine does is in it.
    Wall,
}

impl Clock {
    fn now(self) -> Duration {
        let time = clock_gettime(match self {
            Self::Thread => ClockId::ThreadCPUTime,
            Self::Process => ClockId::ProcessCPUTime,
            Self::Wall => ClockId::Monotonic,
        });
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
    }

    fn of(self, run: impl FnOnce()) -> Duration {
        let start = self.now();
        run();
        self.now().saturating_sub(start)
    }
}

/// The CPU time of one run.
pub(crate) fn once(run: impl FnOnce()) -> Duration {
    Clock::Thread.of(run)
}

/// The least CPU time of each way, over so many rounds: what disturbs can only add.
pub(crate) fn least(rounds: usize, ways: &mut [&mut dyn FnMut()]) -> Vec<f64> {
    least_by(Clock::Thread, rounds, ways)
}

/// The least CPU time of each way, and the median of its ratios to the first way, of which each is of one round: a processor's
/// speed varies from second to second, and hardly within one. The ways change places from round to round.
pub(crate) fn beside(rounds: usize, ways: &mut [&mut dyn FnMut()]) -> (Vec<f64>, Vec<f64>) {
    let mut times = vec![Vec::new(); ways.len()];
    for round in 0..rounds {
        for place in 0..ways.len() {
            let way = (round + place) % ways.len();
            times[way].push(once(&mut *ways[way]).as_secs_f64());
        }
    }
    let least = times.iter().map(|times| times.iter().copied().fold(f64::MAX, f64::min)).collect();
    let ratio = |of: &Vec<f64>| median(of.iter().zip(&times[0]).map(|(time, first)| time / first).collect());
    (least, times.iter().map(ratio).collect())
}

/// As [`least`], by that clock.
pub(crate) fn least_by(clock: Clock, rounds: usize, ways: &mut [&mut dyn FnMut()]) -> Vec<f64> {
    let mut least = vec![f64::MAX; ways.len()];
    for _ in 0..rounds {
        for (way, least) in ways.iter_mut().zip(&mut least) {
            *least = least.min(clock.of(&mut **way).as_secs_f64());
        }
    }
    least
}

/// The median of some times, or of what else can be compared.
pub(crate) fn median(mut times: Vec<f64>) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}
