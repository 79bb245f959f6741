//! `offlimits status`: what became of a finding, or of an event, as the ledger and the log of a deployed stack have it.
//!
//! `command` is the command line, `question` what is asked about, and `source` asks AWS. What comes back is put together by
//! `report`, which does no I/O; `outcome` has its words, `advice` says what to do next, and `print` shows both to people.

#[cfg(feature = "aws")]
mod advice;
mod command;
#[cfg(feature = "aws")]
mod outcome;
#[cfg(feature = "aws")]
mod print;
mod question;
#[cfg(feature = "aws")]
mod report;
#[cfg(feature = "aws")]
mod source;

pub(super) use self::command::StatusCommand;
