//! **offlimits** tells people, within seconds, that somebody made an AWS API call that nobody should be making.
//!
//! # The road of an event
//! ```text
//! envelope → record → engine (rules) → finding → route → ledger → channel.render → deliver (send, judge, retry) → ledger
//! ```
//! The modules below are listed in that order. Left of the ledger everything is pure: no I/O, no clock, no environment.
//! Nothing points back. The command line walks the same road up to the ledger, and prints.
//!
//! # Invariants
//! - A typo in `rules.json` never becomes a rule that cannot fire: it is an error, and nothing half-loaded runs.
//! - Every finding and every delivery is accounted for: [`handler::Summary::adds_up`].
//! - A channel that fails neither delays nor repeats another.
//! - No credential is ever printed, logged or quoted in an error: [`secret::Secret`].
//! - Only `aws` names an SDK type, or reads the environment; besides, only `offlimits check` reads the clock.

// What may arrive, and what it holds.
pub mod envelope;
pub mod identity;
pub mod json;
pub mod moment;
pub mod record;

// What is off limits, and what was found.
pub mod engine;
pub mod finding;
pub mod redact;
pub mod rules;
pub mod severity;
pub mod text;

// Who hears of it, and of what.
pub mod alert;
pub mod channel;
pub mod route;
pub mod secret;

// How they hear of it.
pub mod deliver;
pub mod handler;
pub mod ledger;
pub mod redelivery;

// The two programs' own parts.
#[cfg(feature = "lambda")]
pub mod aws;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(any(feature = "lambda", all(feature = "aws", feature = "cli")))]
mod client;
#[cfg(feature = "cli")]
pub mod lint;
#[cfg(feature = "cli")]
pub mod scan;
#[cfg(feature = "cli")]
pub mod schema;
