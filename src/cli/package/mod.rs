//! `offlimits package`: puts rules beside a function that is built already, so that a change of rules needs no compiler.

mod archive;
mod command;
mod elf;

pub(super) use self::command::PackageCommand;
