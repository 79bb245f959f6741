//! How a command ends. Scripts and CI read the codes: they never change.

/// The exit code of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Exit {
    /// The command did what it was asked to.
    Done = 0,
    /// `check`, `bundle` or `test` found something wrong; `backtest` or `diff` found more than `--max-per-day` allows; `status` found
    /// nothing.
    Wrong = 1,
    /// The usage was wrong, or some input could not be read. Every readable input has still been processed.
    Unreadable = 2,
    /// Ctrl-C ended it: 128 + SIGINT, as shells have it.
    Interrupted = 130,
}
