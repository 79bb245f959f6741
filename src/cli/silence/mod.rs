//! `silence`: hold the findings of a rule back for some hours, and tell everybody so.

#[cfg(feature = "aws")]
mod asking;
mod command;
#[cfg(feature = "aws")]
mod line;
mod question;

pub(super) use self::command::SilenceCommand;
#[cfg(feature = "aws")]
pub(in crate::cli) use self::line::{SilenceLine, running};
