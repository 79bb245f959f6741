//! What must hold of every invocation, by name. The code says where it keeps each, `debug_assert!` checks what one invocation can
//! see of it, and `tests/delivery/model` drives all parts through random faults and checks them from outside.

use std::fmt;

/// A promise that the handler keeps, whatever fails around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invariant {
    /// Every finding and every delivery is counted once where it comes from, and once where it ends
    /// ([`InvocationReport::adds_up`](super::InvocationReport::adds_up)). What a silence holds back is counted as *silenced*, among
    /// the deliveries alone. What is counted where it ends has a line in the log, and nothing else has one.
    SumsHold,
    /// A delivery that ends in any way but *failed* has told somebody, or has left a message in a queue that will, or is counted
    /// for a sum that is in the queue, or was done with before.
    ToldOrQueued,
    /// An error means "try again". What *failed*, and what could not be read, makes the answer an error, or stands in a batch's
    /// answer by its message's id. So does a message for which no time was left, and which nobody has touched: it is counted as
    /// *queued*, for that is where it is. Nothing else makes the answer an error.
    FailureIsAnswered,
    /// Attempts to deliver end before the deadline, and all else so soon after it that Lambda gets its answer. Nothing is begun
    /// for which there is no time: a message is left untouched in its queue, and a finding is handed to the queue as it is.
    TimeIsKept,
    /// A roll-up (of a throttle or of a silence) or a digest is in the queue before the first finding is held back for it, and
    /// counts all that are.
    OrderedBeforeHeldBack,
    /// A claim ends after the process that made it, and a minute later at most: what a process that died had claimed is taken up
    /// again.
    ClaimOutlivesClaimer,
    /// Where the ledger does not answer, the alert goes out, perhaps twice.
    NothingHeldBackBlindly,
}

impl fmt::Display for Invariant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}
