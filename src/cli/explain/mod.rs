//! `offlimits explain`: why each rule does or does not match a record, cell by cell, with the values found; whom its finding
//! would reach, and what they would read.
//!
//! `verdict` takes apart what a rule makes of a record, `print` shows that to people and to machines, and `message` renders what a
//! channel would be sent.

mod command;
mod message;
mod print;
mod verdict;

pub(super) use self::command::ExplainCommand;
pub(super) use self::print::explain_cell;
