//! `offlimits send`: one marked alert to a real channel, from a laptop.
//!
//! `command` is the command line, `secret` reads the channel's credentials, and `sending` sends, and says what became of it.

mod command;
#[cfg(feature = "aws")]
mod secret;
#[cfg(feature = "aws")]
mod sending;

pub(super) use self::command::SendCommand;
