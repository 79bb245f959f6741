//! Evaluates the rules over one record.
//!
//! Nearly every record matches nothing, and the engine finds that out without parsing it. The files, in the order of the
//! road:
//! ```text
//! scan             the records of a file, one after the other, from its text
//! evaluate         one record: which rules may match it
//!   extract          the fields that rules name, from the text in one walk   (path_trie: which those are)
//!   call             the identity, the service and the event
//!   call_cache       the rows that may match this call, if it was seen before
//!   candidate_index  the same, if it was not                                 (index_builder makes it, of literals)
//!   plan             what those rows and the exceptions ask of other fields
//!   simple           the rules that are left, asked about the whole record
//! matches          what has matched, and the findings that are made of it
//! ```
//! [`simple`] alone says what matches. All that stands before it only rules rules out, and only where it is certain: a record with
//! anything unusual in it goes straight there. So the answer is always the simple engine's; a random test of both holds
//! them to it (`ruleset/tests.rs`).
//!
//! What the road is made of: `rules` (compiled at once or when they first come into question), `literals` (which of many a
//! text has), `tables` (what the index is made of), `packed` (how a package holds it, ready to be used where it stands) and `hash`.

mod call;
mod call_cache;
mod candidate_index;
mod error;
mod evaluate;
mod extract;
mod hash;
mod index_builder;
mod known_keys;
mod literals;
mod matches;
mod packed;
mod path_trie;
mod plan;
mod quiet_texts;
mod rules;
mod scan;
mod simple;
mod tables;

pub(crate) use self::candidate_index::CandidateIndex;
pub use self::error::{EvaluateError, LoadError};
pub(crate) use self::evaluate::Engine;
pub(crate) use self::hash::{Checksum, checksum};
pub use self::matches::Matches;
pub(crate) use self::packed::{Packed, PackedBytes, PackedU32s, Unpacker, number, packed_struct};
pub(crate) use self::rules::RuleLoader;
pub use self::scan::{Scanned, ScannedElements, Scanner};
