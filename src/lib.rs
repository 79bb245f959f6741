//! offlimits
pub mod channel;
pub mod finding;
pub mod json;
pub mod rules;
pub mod severity;
pub mod text;
