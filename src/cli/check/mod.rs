//! `offlimits check`: every mistake in rules.json, each with its place and remedy, and what is probably not meant.

mod command;
mod counts;
mod fix;
mod github;
mod json;
mod page;
mod sarif;
mod selected;
mod told;

pub(super) use self::command::CheckCommand;
