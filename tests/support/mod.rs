//! What the tests share.

pub(crate) mod mmdb;
mod tool;

pub(crate) use tool::*;
