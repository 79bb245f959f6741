//! Makes rules and channels of a whole `rules.json`, its packs included, and reports every mistake in it at once.
//!
//! `compiler` goes through the texts, `file` reads the top of the file, `include` the packs; `keys` has the tables of their
//! keys. A single rule is [`crate::rules::compile`]'s business.

mod compiler;
mod file;
mod include;
mod keys;

#[cfg(feature = "cli")]
#[cfg(all(feature = "aws", feature = "cli"))]
pub(crate) use self::compiler::digest_of_bundle;
#[cfg(feature = "cli")]
pub(super) use self::compiler::read;
pub(super) use self::compiler::{CompiledFile, compile, part};
#[cfg(feature = "cli")]
pub(crate) use self::keys::ANY_FILE;
