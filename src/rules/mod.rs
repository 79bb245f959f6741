//! rules
pub mod diagnostic;
pub mod reader;
