//! The real handler, from an event to its alerts: with an outside that fails by script, and a queue like SQS.

mod benchmark;
mod deadline;
mod decoys;
mod first_seen;
mod handler;
mod incidents;
mod ledger;
mod lineage;
mod lineage_storm;
mod log;
mod merging;
mod model;
mod outside;
mod probe;
mod redelivery;
mod silences;
mod spokes;
mod storm;
mod trust;
pub(crate) mod vendors;
