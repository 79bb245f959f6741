//! `offlimits import conformity`: the rules and channels of Trend Micro's Conformity, which ended in July 2026.
//!
//! `documents` reads the files and the variables beside them, `settings` finds Conformity's settings in a document, `rules` and
//! `channels` make ours of them (by what `pack` says that a rule means, `patterns` that a row of RTM-011 means, `extra` what its
//! further settings say, and `filter` what a channel's filter means), and `convert` brings them together.

mod channels;
mod convert;
mod documents;
mod extra;
mod filter;
mod pack;
mod patterns;
mod rules;
mod settings;

pub(super) use self::convert::{Imported, import};
pub(super) use self::documents::SettingsFiles;
