//! Evaluates the rules over one record.
//!
//! Nearly every record matches nothing, and that is found out without reading it whole:
//! ```text
//! text → extract: the fields that rules name → memo, else index: the clauses that come into question
//!      → what they ask of the fields → exceptions → the simple engine, of the rules that are left
//! ```
//! [`simple`] alone makes findings. All that stands before it only rules rules out, and only where it is sure; a record
//! with anything unusual in it goes straight there. So the answer is always the simple engine's, and a random test of both
//! holds them to it (`tests.rs`).

mod asked;
mod evaluate;
mod extract;
mod flat;
mod hash;
mod index;
mod literals;
mod memo;
mod rules;
mod scan;
mod simple;

pub(crate) use self::evaluate::Engine;
pub(crate) use self::flat::Words;
pub(crate) use self::hash::sum;
pub(crate) use self::index::Index;
pub(crate) use self::rules::RuleLoader;
pub use self::scan::{Scanned, Scanner};
