//! `offlimits test`: the tests that rules carry, and the mutants that none of them notices.

mod case;
mod command;
mod counts;
mod events;
mod human;
mod junit;
mod mutants;
mod report;

pub(super) use self::command::TestCommand;
