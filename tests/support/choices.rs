//! Choices that a seed makes, and how many rounds of them somebody asks for: for the tests that play random traffic. The units
//! read this file too, and take what they need.
#![allow(dead_code, reason = "each of those who read it uses a part")]

/// Where choices come from: the same seed makes the same.
#[derive(Debug)]
pub(crate) struct Choices(u64);

impl Choices {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        // SplitMix64: https://prng.di.unimi.it/splitmix64.c
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((word ^ (word >> 31)) % bound as u64).unwrap()
    }

    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a test runs is for whoever runs it")]
fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// The seeds of the rounds to play: as many as `OFFLIMITS_ROUNDS` says, else `usual`; others for each `OFFLIMITS_SEED`.
pub(crate) fn seeds(usual: u64) -> std::ops::Range<u64> {
    // Seeds of neighbouring numbers would begin alike only by chance: the generator mixes them.
    let first = number("OFFLIMITS_SEED").unwrap_or_default().wrapping_mul(1 << 32);
    first..first + number("OFFLIMITS_ROUNDS").unwrap_or(usual)
}
