//! `offlimits new-rule`: a rule with its tests, made from a record. `draft` writes it, `insert` puts it into the text of
//! rules.json, `command` does it all and runs the tests.

mod command;
mod draft;
mod insert;

pub(super) use self::command::NewRuleCommand;
