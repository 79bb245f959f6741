//! `offlimits check`: every mistake in rules.json, each with its place and remedy, and what is probably not meant.

mod command;
mod counts;
mod fix;
mod json;
mod sarif;
mod told;

pub(super) use self::command::CheckCommand;
