//! `offlimits pattern`: the EventBridge rules that let pass what the rules can match, and their place in the templates.

mod command;
mod stale;

pub(in crate::cli) use self::command::PatternCommand;
pub(in crate::cli) use self::stale::stale;
