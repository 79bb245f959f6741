//! A whole `rules.json`: its rules, its packs and its channels, ready to evaluate records and to route findings.
//!
//! [`Sources`] are the texts (`accounts` reads `accounts.json` beside them), [`RuleSet::compile`] makes rules of them, and [`package`] spares the function that work at its
//! start. Either every rule is right, or nothing runs.
//!
//! [`RuleSet`] (`set.rs`) joins what the road of an event needs: `evaluate` asks [`crate::engine`], and `route` asks each
//! channel whether it accepts a finding (`channel/configured.rs`).

mod accounts;
mod bundle_text;
mod compile;
mod error;
pub mod format;
pub mod package;
mod set;
mod sources;
#[cfg(test)]
mod tests;

#[cfg(all(feature = "aws", feature = "cli"))]
pub(crate) use self::accounts::{read as read_accounts, write as write_accounts};
pub use self::bundle_text::{BundlePartError, BundleText};
#[cfg(feature = "cli")]
pub(crate) use self::compile::ANY_FILE;
#[cfg(all(feature = "aws", feature = "cli"))]
pub(crate) use self::compile::digest_of_bundle;
pub use self::error::{CountriesFileError, IndexError, PackError, PartError};
#[cfg(feature = "cli")]
pub use self::set::Reading;
pub use self::set::{Compiled, RuleSet};
pub use self::sources::Sources;
