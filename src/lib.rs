//! offlimits
pub mod channel;
#[cfg(feature = "cli")]
pub mod cli;
pub mod engine;
pub mod envelope;
pub mod finding;
pub mod identity;
pub mod json;
pub mod record;
pub mod redact;
pub mod route;
pub mod rules;
pub mod secret;
pub mod severity;
pub mod text;
