//! CPU time of several ways to do the same, in rounds that take turns: whatever else the machine does meets all of them.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The CPU time that this thread has had.
fn now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// The CPU time of one run.
pub(crate) fn once(run: impl FnOnce()) -> Duration {
    let start = now();
    run();
    now() - start
}

/// The least CPU time of each way, over so many rounds: what disturbs can only add.
pub(crate) fn least(rounds: usize, ways: &mut [&mut dyn FnMut()]) -> Vec<f64> {
    let mut least = vec![f64::MAX; ways.len()];
    for _ in 0..rounds {
        for (way, least) in ways.iter_mut().zip(&mut least) {
            *least = least.min(once(&mut **way).as_secs_f64());
        }
    }
    least
}

/// The median of some times.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
