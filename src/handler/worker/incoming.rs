//! What comes to a channel, and where from.

use crate::finding::Finding;
use crate::handler::classify::{Routed, ThrottleGroup};
use crate::redelivery::{AdmitTask, QueueError};

/// Where a delivery comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The event of this invocation.
    Event,
    /// A queue.
    Queue,
}

/// A finding of a record, on its way to this channel.
#[derive(Clone, Copy)]
pub(super) struct Incoming<'f> {
    pub(super) finding: &'f Finding,
    /// The group of repeats that its rule's throttle puts it in.
    pub(super) throttle: Option<&'f ThrottleGroup>,
}

impl<'f> From<&'f Routed> for Incoming<'f> {
    fn from(Routed { finding, throttle, .. }: &'f Routed) -> Self {
        Self { finding, throttle: throttle.as_ref() }
    }
}

impl Incoming<'_> {
    /// The orders to judge the findings of a record when a queue brings them: one, or as many as hold them.
    pub(super) fn tasks(call: &[Self]) -> Result<Vec<AdmitTask>, QueueError> {
        let findings: Vec<_> = call
            .iter()
            .map(|Incoming { finding, throttle }| {
                (*finding, throttle.map(|group| (group.hash.clone(), group.throttling)))
            })
            .collect();
        AdmitTask::together(&findings)
    }
}
