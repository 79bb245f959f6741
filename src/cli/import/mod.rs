//! `offlimits import`: rules of other products become a rules.json.
//!
//! The rules go to stdout or to a file. What could not be carried over, what was repaired and what is left to do goes to
//! stderr: nothing is lost in silence. A file that is written passes `offlimits check`.
//!
//! Whatever a document was written in, it is read into one neutral [`tree`] (by [`yaml`], [`hcl`], or as JSON), which
//! [`conformity`] and [`sigma`] turn into the rules of [`output`]. [`report`] collects what is said on stderr.

mod command;
mod conformity;
mod files;
mod hcl;
mod hcl_depth;
mod output;
mod report;
mod sigma;
#[cfg(test)]
mod tests;
mod text;
mod tree;
mod yaml;

pub(super) use self::command::ImportCommand;
pub use self::text::{rules_of_conformity, rules_of_sigma};
