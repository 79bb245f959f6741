//! Makes a rule of its JSON object, and reports every mistake in it at once.
//!
//! One file a level: a rule, what a rule and an override of it share, a table, a condition, the operators, what stands behind
//! them. Each begins with the table of the keys that it reads ([`crate::config::ObjectSpec`]). To add a key to a rule, see
//! `rule`; an operator, `operators`.

mod compiler;
mod condition;
mod count;
mod foreign;
mod incident;
mod limits;
mod messages;
mod operands;
mod operators;
mod respond;
mod rule;
mod settings;
mod table;

pub(crate) use self::compiler::{NAME, NamedLists, RuleCompiler};
pub(crate) use self::incident::{INCIDENT, incidents};
pub(crate) use self::messages::{SSO_ROLE, SSO_START_URL, TIME_ZONE, message_settings};
pub(crate) use self::operands::{DAYS_HELP, HOURS_HELP, WEEK_HOURS};
pub use self::operators::{OPERATORS, Operator};
pub(crate) use self::respond::RESPONSE;
pub(crate) use self::rule::RULE;
pub(crate) use self::settings::{EVERY, OVERRIDE, Overrides, SEVERITIES, is_link};

use self::compiler::RowSubject;
