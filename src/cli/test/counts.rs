//! What a run of tests came to.

/// What the tests came to, for the closing line and the exit code.
#[derive(Debug, Default)]
pub(super) struct TestCounts {
    pub(super) rules: usize,
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) unreadable: usize,
    /// Tests that `--require-tests` misses.
    pub(super) untested: usize,
    pub(super) mutants: usize,
    pub(super) unnoticed: usize,
}

impl TestCounts {
    /// How many tests there are.
    pub(super) fn tests(&self) -> usize {
        self.passed + self.failed + self.unreadable
    }
}
