//! Reading what people wrote: objects whose every key is asked for, and the diagnostics that name each mistake, its place and
//! its remedy.
//!
//! Rules and channels are read with the same tools, so that every mistake in a `rules.json` is reported at once and none is
//! passed over in silence.

mod diagnostic;
mod object;

pub use self::diagnostic::*;
pub use self::object::*;
