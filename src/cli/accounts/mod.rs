//! `offlimits accounts`: writes `accounts.json` as AWS Organizations has it.
//!
//! `command` is the command line, and `asking` reads what is there, asks the organization, and tells what has changed.

#[cfg(feature = "aws")]
mod asking;
mod command;

pub(super) use self::command::AccountsCommand;
