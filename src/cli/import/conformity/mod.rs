//! `offlimits import conformity`: the rules and channels of Trend Micro's Conformity, which ended in July 2026.
//!
//! `settings` finds Conformity's settings in a document, `rules` and `channels` make ours of them (by what `pack` says that
//! a rule means, and `patterns` that a row of RTM-011 means), and `convert` brings them together.

mod channels;
mod convert;
mod pack;
mod patterns;
mod rules;
mod settings;

pub(super) use self::convert::{Imported, SettingsFile, import};
