//! `offlimits init`: a folder to begin in. `files` says what stands in it, `command` writes it.

mod command;
mod files;

pub(super) use self::command::InitCommand;
