//! What comes to a channel, and where from.

use crate::finding::Finding;
use crate::handler::classify::{FindingGroup, RoutedTo};
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
    /// The group in which it is held back here, if it can be.
    pub(super) group: Option<&'f FindingGroup>,
}

impl<'f> From<RoutedTo<'f>> for Incoming<'f> {
    fn from(RoutedTo { finding, group, .. }: RoutedTo<'f>) -> Self {
        Self { finding, group }
    }
}

impl Incoming<'_> {
    /// The orders to judge the findings of a record when a queue brings them: one, or as many as hold them.
    pub(super) fn tasks(call: &[Self]) -> Result<Vec<AdmitTask>, QueueError> {
        let findings: Vec<_> = call
            .iter()
            .map(|Incoming { finding, group }| (*finding, group.map(|group| (group.hash.clone(), group.holding))))
            .collect();
        AdmitTask::together(&findings)
    }
}
