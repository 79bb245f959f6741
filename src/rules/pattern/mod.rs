//! Patterns: Rust regular expressions, of which most never need a regular expression engine.
//!
//! What rules ask of names is nearly always "is it this?", "does it begin with this?" or "does it contain this?". [`text`]
//! reads the usual spellings of that, and [`hir`] the others, into a [`LiteralPattern`]: literals and where they stand. A real
//! regular expression is compiled only for a text about which neither those nor the [`required`] literals can decide, at the
//! first such text. Compiling costs thousands of times what reading costs, and a cold start pays for every rule.
//!
//! Every pattern is checked all the same when the rules are compiled. Its syntax is read then, unless [`text`] understands all
//! of it. Its compiled size is estimated from above, and only a pattern that may come near the limit is compiled at once to
//! know.

#[cfg(feature = "cli")]
mod any_case;
mod hir;
mod literal;
mod matcher;
mod required;
mod text;
mod wildcard;

pub(crate) use self::literal::{Anchor, AnchoredLiteral};
pub use self::matcher::{Pattern, PatternError};
pub(crate) use self::wildcard::pattern_meant;
