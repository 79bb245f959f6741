//! Reading what people wrote: objects whose keys are known from a table, and the diagnostics that name each mistake, its
//! place and its remedy.
//!
//! Rules and channels are read with the same tools, so that every mistake in a `rules.json` is reported at once and none is
//! passed over in silence. What may be written is described in tables ([`ObjectSpec`]) that the JSON Schema and the pages
//! are made of, too.

mod advice;
mod diagnostic;
mod foreign;
mod object;
mod spec;
#[cfg(feature = "cli")]
mod syntax;
mod value;
mod words;

pub use self::advice::{Advice, Edit, Fix, Related};
pub use self::diagnostic::*;
pub use self::object::*;
pub use self::spec::*;
pub(crate) use self::spec::{docs, words};
#[cfg(feature = "cli")]
pub(crate) use self::syntax::applied;
pub use self::value::*;
pub use self::words::{alternatives, listed, quoted};
