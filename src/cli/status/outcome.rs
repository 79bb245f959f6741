//! How a delivery stands: the words that are printed. All but the last two are those of the function's log.

/// It arrived.
pub(super) const DELIVERED: &str = "delivered";
/// A repeat that is held back, for the roll-up.
pub(super) const THROTTLED: &str = "throttled";
/// A silence holds it back, for its roll-up.
pub(super) const SILENCED: &str = "silenced";
/// One too many in its minute, for the digest.
pub(super) const DIGESTED: &str = "digested";
/// It is told in the message of another finding of its record.
pub(super) const MERGED: &str = "merged";
/// It was done with before.
pub(super) const DUPLICATE: &str = "duplicate";
/// It waits in the redelivery queue.
pub(super) const QUEUED: &str = "queued";
/// It lies in the dead-letter queue.
pub(super) const DEAD: &str = "dead";
/// No queue took it.
pub(super) const FAILED: &str = "failed";
/// Somebody holds the claim, and sends it.
pub(super) const SENDING: &str = "sending";
/// Somebody had the claim, and has not said how it ended: it waits, is dead, or its sender died.
pub(super) const OPEN: &str = "open";

/// Whether a delivery has not arrived, so that the log may say why.
pub(super) fn is_late(outcome: &str) -> bool {
    matches!(outcome, QUEUED | DEAD | FAILED | OPEN)
}
