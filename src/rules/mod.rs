//! What a rule is, and how one is made of its text.
//!
//! A rule is compiled from a JSON object and reports every mistake in it at once. Past that line nothing is checked again. How
//! a whole file of rules, its packs and its channels are read is the business of [`crate::ruleset`].
//!
//! `compile` makes a rule of its text. What it makes is in `model` (a rule, its rows and cells), `field` (what a cell asks
//! about), `condition` (what it asks), `pattern`, `count` and `hours`. [`Rule::matched_row`] is where a rule is asked about a record: it
//! goes through the rows and the cells, and `scope` finds each field's values. `title` and `respond` are what is said of a match:
//! `template` reads both, and `shell` what becomes a command. `needs` is which events must be seen to, and `message_settings` what the
//! top of the file says of every message.

pub(crate) mod compile;
pub mod condition;
pub mod count;
pub mod decimal;
pub mod field;
pub mod hours;
mod incident;
mod limits;
mod lints;
mod message_settings;
mod model;
mod moment;
mod needs;
pub mod pattern;
mod respond;
mod scope;
mod shell;
mod template;
mod title;
mod version;

pub use self::compile::{OPERATORS, Operator};
pub use self::incident::{Incidents, SharedNames};
pub use self::limits::{NewTargets, Threshold, Throttle};
#[cfg(feature = "cli")]
pub(crate) use self::lints::each_lint;
pub use self::lints::{Allow, LINTS};
pub use self::message_settings::{AccessPortal, MessageSettings};
pub use self::model::{Cell, Exception, Mode, ResponseStep, Row, Rule, RuleInfo, RuleTest, Table, TestEvent};
pub use self::needs::NeededEvents;
pub use self::respond::{STEPS_SHOWN, StepTemplate};
pub use self::scope::Scope;
pub(crate) use self::scope::computed;
pub use self::shell::COMMAND_LIMIT;
#[cfg(feature = "cli")]
pub(crate) use self::shell::quoted;
#[cfg(feature = "cli")]
pub(crate) use self::template::redacted;
pub use self::title::Title;
pub(crate) use self::version::VERSION;
pub use self::version::Version;
