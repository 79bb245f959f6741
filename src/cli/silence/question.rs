//! Which stack is asked, and how it is told.

use clap::{Args, ValueEnum};

use crate::cli::parsers;

/// Which stack is asked, and how it is told.
#[derive(Debug, Args)]
pub(super) struct StackQuestion {
    /// The stack, whose outputs name the table and the function
    #[arg(long, value_name = "NAME", default_value = "offlimits")]
    pub(super) stack: String,
    /// The stack's region [default: `AWS_REGION`, else `AWS_DEFAULT_REGION`]
    #[arg(long, value_name = "NAME", value_parser = parsers::region)]
    pub(super) region: Option<String>,
    /// For people, or JSON Lines
    #[arg(long, value_enum, default_value_t = SilenceFormat::Human)]
    pub(super) format: SilenceFormat,
}

/// How silences are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SilenceFormat {
    /// For people.
    Human,
    /// One JSON object for each silence.
    Jsonl,
}
