//! The EventBridge patterns of a rule set: the fewest that let every record pass which one of its rules can match.
//!
//! EventBridge charges nothing for an event of AWS's that no pattern lets pass, and the function is not invoked for it. So a
//! pattern may let too much pass, and never too little. What a row asks is followed as far as a pattern can say it
//! ([`values`], [`rows`]); what it cannot say counts as true, exceptions are left out, and a rule that is staged counts as one
//! that alerts.
//!
//! There are two families ([`delivery`]): for the calls that EventBridge delivers to every rule, and for the read-only calls
//! that it delivers to a rule in the state `ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS` alone. Each is cut by `eventSource`
//! into as few EventBridge rules as their limits allow ([`partition`]), so that no event comes by two. [`template`] writes them
//! as CloudFormation.
//!
//! What is relied on of CloudTrail's records: the [fields](field::PatternField) that a pattern asks are texts, and `readOnly` and
//! `managementEvent` booleans, each once. Source: CloudTrail User Guide, "CloudTrail record contents".

mod alternative;
mod delivery;
mod derived;
mod field;
mod limits;
mod part;
mod partition;
mod rows;
mod sorted;
mod template;
mod values;

pub use self::delivery::{DeliveryState, is_held_back};
pub use self::derived::{DerivedPatterns, EventRule, WideRow, is_wide};
pub use self::limits::{MAX_CHARACTERS, MAX_WILDCARDS};
pub use self::template::{TemplateError, TemplateKind, resources, written};
