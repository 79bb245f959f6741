//! What CloudTrail writes: how its records arrive, what one holds, who called, and what it tells in a sentence.
//!
//! Nothing here knows a rule. Every field of a record is optional, since eventVersion 1.0 has few and AWS leaves out what is
//! too large; a value that is missing is `None`, never an error.

mod alias;
mod call;
pub mod countries;
pub mod envelope;
pub mod identity;
mod path;
mod record;

pub(crate) use self::alias::{ALIAS_PATHS, ALIASES, Alias, AliasTarget, compute};
pub use self::alias::{AliasSource, ComputedAlias};
pub use self::call::ApiCall;
pub use self::path::{FieldValue, TOP_LEVEL, walk};
pub use self::record::{RawRecord, Record, RecordError};
