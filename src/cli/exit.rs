//! How a command ends. Scripts and CI read the codes: they never change.

/// How a command that asks AWS ends in a build without the feature `aws`.
#[cfg(not(feature = "aws"))]
pub(super) fn cannot_ask_aws() -> Exit {
    eprintln!("error: this build cannot ask AWS: install one that can with `cargo install --path . --features aws`");
    Exit::Unreadable
}

/// The exit code of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Exit {
    /// The command did what it was asked to.
    Done = 0,
    /// `check`, `bundle`, `test` or `doctor` found something wrong; `backtest` or `diff` found more than `--max-per-day` allows; `status` found
    /// nothing, and `preview` nothing to show; `send` was not delivered; a rule has not answered to `drill`; `history start` costs too much,
    /// or what `history watch` saw has failed.
    Wrong = 1,
    /// The usage was wrong, or some input could not be read. Every readable input has still been processed.
    Unreadable = 2,
    /// Ctrl-C ended it: 128 + SIGINT, as shells have it.
    Interrupted = 130,
}
