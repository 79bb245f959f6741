//! The real handler, from an event to its alerts: with an outside that fails by script, and a queue like SQS.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::too_many_lines,
    reason = "a test may panic, and a table may be long"
)]

mod handler;
mod ledger;
mod outside;
mod redelivery;
mod storm;
