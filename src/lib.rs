//! **offlimits** tells people, within seconds, that somebody made an AWS API call that nobody should be making.
//!
//! # The road of an event
//! ```text
//! cloudtrail → engine (rules) → finding → ruleset.route → ledger → channel.render → deliver → ledger
//! ```
//! `handler::handle` (`src/handler/invocation.rs`) calls these steps one after the other; to follow the road, begin there.
//!
//! The modules below are the layers of the program. Each may use those above it, and none below it; `tests/layers.rs` holds
//! them to it. Down to [`ruleset`] everything is pure: no I/O, no clock, no environment. The command line walks the same road
//! up to there, and prints.
//!
//! # Invariants
//! - A typo in `rules.json` never becomes a rule that cannot fire: it is an error, and nothing half-loaded runs.
//! - Every finding and every delivery is accounted for: [`handler::InvocationReport::adds_up`].
//! - A channel that fails neither delays nor repeats another.
//! - No credential is ever printed, logged or quoted in an error: [`secret::Secret`].
//! - Only `aws` names an SDK type. Only `aws` and the command line's own parts (`cli`, `scan`) read the environment or the
//!   clock.

// Texts for people and for machines: clipped on the boundaries of characters, freed of what would deceive a reader.
pub mod text;

// Points in time and days, as CloudTrail writes them. Nothing here reads a clock.
pub mod time;

// The identifiers of findings and alerts: hashes, equal in every copy of the function.
pub mod ids;

// How bad a finding is: five words, in order.
pub mod severity;

// A JSON reader that keeps what serde_json drops: the places of values, repeated keys, and numbers digit for digit.
pub mod json;

// Blanks secrets in what a record holds before anybody is told of it.
pub mod redact;

// The channels' credentials. Nothing ever prints one.
pub mod secret;

// What arrives: an envelope of whatever kind, the records in it, and what one of them tells. It knows no rule.
pub mod cloudtrail;

// What a call's request and response mean, in whatever shape they say it. It knows no rule.
pub mod facts;

// What a call changed, in words for people. It knows no rule.
pub mod change;

// How the files that people write are read: every key is asked for, every mistake is reported at once with its place and remedy.
pub mod config;

// What a rule is, and how one is made of its text.
pub mod rules;

// What a rule has found in a record: all that a channel needs to tell people about it.
pub mod finding;

// Rules × record → findings: an index rules out what cannot match, and a simple engine judges the rest.
pub mod engine;

// What a channel is told: a finding, its repeats, or their sum.
pub mod alert;

// The destinations, a file each. A channel renders an alert to a frozen body and decides each step of its delivery; it does no I/O.
pub mod channel;

// A whole `rules.json`: its rules, its packs and its channels. It evaluates records and routes findings.
pub mod ruleset;

// The EventBridge rules that let pass what the rules of a `rules.json` can match, and little else.
#[cfg(feature = "cli")]
pub mod pattern;

// What has been delivered and counted: which finding opens an alert, which is a repeat, which goes into a sum.
pub mod ledger;

// Which channel hangs, as far as this copy of the function knows.
pub mod health;

// Sends one message to one channel until it has arrived, is rejected, or the time is up.
pub mod deliver;

// What waits in a queue: until when, and when it is given up.
pub mod redelivery;

// One invocation: a payload in, alerts out, and a report of every finding and delivery.
pub mod handler;

// The HTTPS client of both programs.
#[cfg(any(feature = "lambda", all(any(feature = "s3", feature = "aws"), feature = "cli")))]
mod http_client;

// The function: SNS, Secrets Manager, SQS, DynamoDB, HTTP, Lambda's runtime, the environment and the clock. And what the command
// line asks a deployed stack.
#[cfg(any(feature = "lambda", all(feature = "aws", feature = "cli")))]
pub mod aws;

// More records than memory holds, in order: sorted runs on the disk, and from other processes.
#[cfg(feature = "cli")]
pub mod runs;

// Archives of records, from folders and from S3: on every core, in bounded memory, in a fixed order.
#[cfg(feature = "cli")]
pub mod scan;

// What compiles and can hardly be meant, by a catalogue of AWS's calls.
#[cfg(feature = "cli")]
pub mod lint;

// The JSON Schema of `rules.json`, for editors.
#[cfg(feature = "cli")]
pub mod schema;

// The tool `offlimits`, one file a command.
#[cfg(feature = "cli")]
pub mod cli;

// Choices that a seed makes, for the units that play random traffic.
#[cfg(test)]
#[path = "../tests/support/choices.rs"]
mod choices;
