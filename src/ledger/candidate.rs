//! What is asked about a finding on its way to a channel, and what is answered.

use super::item::Decision;
use super::policy::Holding;
use super::sum::RollUpOrder;
use crate::finding::Finding;
use crate::time::Timestamp;

/// A finding on its way to a channel.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// The channel's name.
    pub channel: &'a str,
    /// What makes two findings repeats of one another on this channel, or parts of one incident, as a hash, and how they are held
    /// back; none: every finding goes out.
    pub group: Option<(&'a str, Holding)>,
    /// Whether a silence may hold it back: there is a queue for the roll-up, and it is not about our own role.
    pub may_be_silenced: bool,
    /// When our claim is to end.
    pub lease: Timestamp,
}

/// What becomes of a [`Candidate`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It goes out, and it is ours to send until the lease ends.
    Send(Decision),
    /// As [`Admission::Send`]; but another had claimed it before, and has died or handed it back.
    SendAgain(Decision),
    /// It goes out, but another copy of the function is sending it, and will have ended by this time.
    Held(Decision, Timestamp),
    /// It is told in the message of the candidate at this place, whatever becomes of that one. This is what is decided of it.
    Merged(usize, Decision),
    /// It is a repeat, the first that is held back: put the roll-up, or the updates, in the queue, [say so](super::Ledger::roll_up_scheduled), and
    /// ask again. Where one candidate has this answer, nothing has been written for any of them.
    ScheduleRollUp(Box<RollUpOrder>),
    /// It is a repeat, held back and counted.
    Throttled,
    /// A silence holds it back, and its roll-up counts it.
    Silenced,
    /// It was done with before; or the call was, since another account's record of it went this way.
    Duplicate,
}
