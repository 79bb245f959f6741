//! What becomes of a finding, or of what was held back: one step of the playback.

use crate::time::Timestamp;

/// One thing that becomes of a finding, or of what was held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::backtest) struct PlayedStep {
    /// The channel's place in the file; none for what concerns no channel.
    pub(in crate::cli::backtest) channel: Option<usize>,
    /// The rule's place in the file; none for a digest, which is of many rules.
    pub(in crate::cli::backtest) rule: Option<usize>,
    pub(in crate::cli::backtest) time: Timestamp,
    /// The finding's place among those of the archive; none for a sum.
    pub(in crate::cli::backtest) finding: Option<u64>,
    /// The place of the finding that opened the alert that it belongs to; none for a digest, and for what comes before there
    /// is an alert.
    pub(in crate::cli::backtest) opener: Option<u64>,
    /// The place of the finding in whose alert people read of it: the opener, or the one in whose message that was told.
    pub(in crate::cli::backtest) thread: Option<u64>,
    pub(in crate::cli::backtest) outcome: PlayedOutcome,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::backtest) enum PlayedOutcome {
    /// Its rule's threshold has not been reached; of every channel that it would go to, and once of none.
    BelowThreshold,
    /// No channel takes it.
    Unrouted,
    /// It goes to channels.
    Routed,
    /// Another account's record of the same call was told of.
    Duplicate,
    /// A message: it opens an alert.
    First,
    /// A message: a repeat that is news, such as one that is worse than those before it.
    Repeat,
    /// It is told in the message of the finding at this place, of the same record.
    Merged(u64),
    /// A repeat that is counted for the roll-up.
    HeldBack,
    /// One alert too many, counted for the digest.
    Digested,
    /// A message: the sum of so many repeats.
    RollUp(u64),
    /// The sum of so many repeats, told in the message of another roll-up, or in the digest with that: of the alert that the finding
    /// at this place opened.
    RollUpMerged(u64, u64),
    /// The sum of so many repeats, one message too many: they are counted for the digest.
    RollUpDigested(u64),
    /// A message: all findings of an incident so far, and how many of them are new.
    Update(u64, u64),
    /// An update that has nothing new to say.
    UpdateMerged,
    /// The same as [`PlayedOutcome::Update`], one message too many: so many that are new are counted for the digest.
    UpdateDigested(u64),
    /// A message: the sum of so many findings.
    Digest(u64),
}
