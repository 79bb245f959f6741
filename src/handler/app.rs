//! [`App`]: what an invocation finds ready, such as the rules, the network, the ledger and the queues. `aws/runtime.rs` makes it.

use std::time::Duration;

use super::OwnCalls;
use crate::deliver::Tokens;
use crate::health::ChannelHealth;
use crate::ledger::Ledger;
use crate::ruleset::RuleSet;

/// What lives as long as the process: made once at a cold start, and shared by all invocations that follow.
#[derive(Debug)]
pub struct App<T, S, Q> {
    /// The compiled `rules.json`: its rules and its channels.
    pub rules: RuleSet,
    /// The way to what is outside the program: the network, the secret and the clock.
    pub transport: T,
    /// The channels' access tokens, kept until they expire.
    pub tokens: Tokens,
    /// Which channels hang, as far as this process knows.
    pub health: ChannelHealth,
    /// What has been delivered, and what is held back.
    pub ledger: Ledger<S>,
    /// The queues in which what cannot be delivered waits.
    pub queues: Q,
    /// What tells the calls that the function makes itself from those of others.
    pub own: OwnCalls,
}

/// The longest time for which an invocation may go on after the deadline that [`handle`](super::handle) is given. (That deadline
/// is a little before Lambda's own: see `MARGIN` in `aws/runtime.rs`.) A claim ends this long after the deadline, and so
/// outlives its claimer, but not by much (`ClaimOutlivesClaimer`).
pub const GRACE: Duration = Duration::from_secs(5);
