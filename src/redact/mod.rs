//! Keeps secrets out of alerts: `AssumeRole` answers with a session token, other calls carry passwords.
//!
//! A secret is known by the name of its key, by a name that stands beside it, by its shape, and by its place in a command
//! line. It is blanked once, where the record is read or a text is first shown: what comes after finds nothing more, and would
//! read the end of a value where only its neighbours are left. Everything here takes time in proportion to the text.

mod assignments;
mod commands;
mod document;
mod names;
mod shapes;
#[cfg(test)]
mod tests;
mod text;
mod values;
mod words;

pub use document::{redacted, shown};
pub use text::redacted_text;

/// Stands for what was taken out.
pub const REDACTED: &str = "<redacted>";
