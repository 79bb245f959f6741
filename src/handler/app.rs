//! What an invocation finds already there.

use std::time::Duration;

use super::OwnCalls;
use crate::deliver::Tokens;
use crate::ledger::Ledger;
use crate::ruleset::RuleSet;

/// What lives as long as the process: made once at a cold start, and shared by all invocations that follow.
#[derive(Debug)]
pub struct App<T, S, Q> {
    /// The rules and channels.
    pub rules: RuleSet,
    /// What is outside: the network, the secret, the clock.
    pub transport: T,
    /// The channels' access tokens, kept until they expire.
    pub tokens: Tokens,
    /// What has been delivered, and what is held back.
    pub ledger: Ledger<S>,
    /// Where what cannot be delivered waits.
    pub queues: Q,
    /// Who we are: the calls that are our own.
    pub own: OwnCalls,
}

/// How long after an invocation's deadline Lambda may let it live. A claim outlives its claimer by no more
/// (`ClaimOutlivesClaimer`).
pub const GRACE: Duration = Duration::from_secs(5);
