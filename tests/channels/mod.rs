//! The channels against what their vendors take and answer: every channel × {minimal, full, hostile, maximal} findings ×
//! kinds of alert; every documented reply; every credential that is missing or wrong.
//!
//! Every registered type of channel is asked, by what stands in its file here (`NAME.json`, see `samples`): a type without one
//! fails. What is said of one channel alone has a test of its own.
//!
//! `contract` also writes all requests to `target/contract/requests.jsonl`, for the validators of other people's that
//! `tests/contract` has.

mod alerts;
mod contract;
mod exchange;
mod filters;
mod invariants;
mod layout;
pub(crate) mod samples;
mod secrecy;
mod secrets;
mod settings;
pub(crate) mod vendor;
mod verdicts;
