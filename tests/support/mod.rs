//! What the tests share.

pub(crate) mod choices;
mod corpora;
pub(crate) mod mmdb;
pub(crate) mod readers;
pub(crate) mod silence;
mod tool;

pub(crate) use corpora::{corpora, corpus};
pub(crate) use tool::*;
