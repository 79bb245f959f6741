//! What waits in the queue for a channel.

use crate::severity::Severity;
use crate::time::Timestamp;

/// A message in the queue, by when it is due and in which order it was put there.
pub(super) type QueueKey = (Timestamp, u64);

/// A sum that waits in the queue.
#[derive(Debug, Clone, Copy)]
pub(super) enum QueuedSum {
    RollUp(PlayedRollUp),
    Update(PlayedUpdate),
    Digest { count: u64 },
}

/// A roll-up that waits in the queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlayedRollUp {
    pub(super) rule: u32,
    pub(super) opener: u64,
    pub(super) thread: u64,
    pub(super) severity: Severity,
    pub(super) count: u64,
}

/// An update of an incident that waits in the queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlayedUpdate {
    /// The finding that opened the incident.
    pub(super) opener: u64,
    /// Its rule.
    pub(super) rule: u32,
    /// Its severity.
    pub(super) severity: Severity,
}
