//! `offlimits diff`: which findings a change of the rules adds, and which it removes.

mod change;
mod command;
mod differences;
mod line;
mod pair;

pub(super) use self::command::DiffCommand;
