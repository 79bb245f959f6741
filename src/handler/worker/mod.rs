//! The deliveries of one channel in one invocation.
//!
//! A delivery passes stages, each of which hands on what the next one needs, or ends it with a
//! [`DeliveryOutcome`](super::outcome::DeliveryOutcome); [`stages`] has them in order. A finding and a message from the queue
//! enter at different places and leave by the same ones. The functions of all stages are methods of [`ChannelWorker`], each in
//! the file of its stage; a finding takes `admit`, `guard_finding`, `render_finding`, `send` and `settle`, and a message takes
//! `await_due`, `claim` (both in [`admit`]), `guard_message`, `send` and `settle`:
//!
//! | stage | asks | ends it as |
//! |---|---|---|
//! | [`admit`] | the ledger: is it a duplicate, a repeat that is held back, or ours to send? | duplicate, throttled, silenced, queued |
//! | [`guard`] | the ledger: are there too many in this minute? | digested |
//! | [`render`] | the channel: what is the message? Frozen from here on | |
//! | [`send`] | the vendor, until the deadline | |
//! | [`settle`] | the ledger: note that it is done, or give it back | delivered |
//! | [`hand_over`] | the queues, for what did not arrive | queued, dead, failed |
//!
//! What an invocation has no time for begins nowhere: [`channel_worker`] leaves messages in their queue, and hands findings over
//! as they are. [`turns`] lets messages in. [`roll_ups`] tells those of one minute together, and [`updates`] tells an incident so far, and [`silences`] makes the roll-up of a silence wait for its end. [`burial`] is all that is
//! left for a channel that is gone. [`beside`] asks what an alert does not wait for. Beside the road, [`operators`] tells people of a channel that is in trouble.

mod admit;
mod beside;
mod burial;
mod channel_worker;
mod guard;
mod hand_over;
mod incoming;
mod operators;
mod render;
mod roll_ups;
mod send;
mod settle;
mod silences;
mod stages;
mod turns;
mod updates;

pub(super) use self::burial::gone_channel;
pub(super) use self::channel_worker::{ChannelBatch, ChannelTally, ChannelWorker, ReceivedMessage};
pub(super) use self::operators::publish_to_operators;
pub(super) use self::send::send_test;
