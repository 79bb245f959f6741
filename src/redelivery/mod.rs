//! What waits in a queue: until when, and when it is given up.
//!
//! Three things wait. A **delivery** that could not be completed before the invocation's deadline: a message to a channel, rendered
//! and frozen, which is sent again with waits that double up to an hour, for a day. And the **order** of a sum: a roll-up of the
//! repeats of an alert, or a digest of the alerts of a minute that were too many, which is made when it comes due. And a
//! **finding** that an invocation had no time for, which is judged when it comes. Each is a [`QueueMessage`], which holds all
//! that its delivery needs, and no credential. What is rejected, or a day old, goes to the
//! dead-letter queue with its reason. Sent through again from there, it begins a new life.
//!
//! In a spoke's queue lie events that could not be sent to its hub: `letter` tells them from anything else.
//!
//! `message` is what a queue holds, `retry` decides when a message comes again and when it is given up, and `queues` is the
//! interface to the queues, which `aws/sqs.rs` implements. `handler/worker/hand_over.rs` puts messages in; what a queue brings
//! back passes `cloudtrail/envelope.rs` (`Opened::deliveries`) and the stages of a message in `handler/worker/stages.rs`.
//!
//! The messages' JSON outlives the version that wrote it. `tests/golden/messages.json` holds it.

mod letter;
mod message;
mod queues;
mod retry;

pub use self::letter::{Letter, LetterFault, check_letter};
pub use self::message::{
    About, AdmitTask, Delivery, DigestTask, Merged, MessageError, MessageMark, QueueMessage, QueueTask, RollUpTask,
    Task, TaskRef, UpdateTask,
};
pub use self::queues::{MAX_DELAY, QueueError, Queues};
pub use self::retry::{AfterAttempt, DELIVERY_LIFETIME};
