//! The integration tests, as one program: one thing to link, and one that runs all of them side by side. A test of its own:
//! `cargo test --test integration hostile::`.
//!
//! No test here changes what belongs to the whole process (its environment, its folder, its panic hook, its global
//! subscriber); what needs another one of these starts the built tool.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::print_stderr,
    clippy::too_many_lines,
    reason = "a test fails by panicking, a table may be long, and a run's figures are worth reading"
)]

#[cfg(feature = "lambda")]
mod accounts;
mod archives;
mod attacks;
mod beginnings;
mod changes;
mod channels;
mod conditions;
mod corpora;
mod coverage;
mod delivery;
mod diagnostics;
mod docs;
#[cfg(feature = "aws")]
mod doctor;
mod facts;
mod fingerprint;
mod fixes;
mod formats;
mod golden;
mod hostile;
mod identity_types;
mod import;
mod inputs;
mod layers;
mod layout;
mod learn;
mod options;
mod pack_shapes;
mod pack_titles;
mod packaging;
mod packs;
mod patterns;
mod policies;
mod preview;
mod readers;
mod records;
mod sample_events;
mod seed_table;
mod self_defense;
#[cfg(all(feature = "aws", feature = "lambda"))]
mod send;
#[cfg(all(feature = "aws", feature = "lambda"))]
mod status;
mod support;
mod workbench;
