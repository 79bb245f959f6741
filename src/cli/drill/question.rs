//! What is drilled: which rules, through which stack, and how long the alerts are awaited.

use std::net::SocketAddr;

use clap::builder::RangedU64ValueParser;

use crate::cli::load::RulesOption;
use crate::cli::selection::RuleSelection;

/// What is drilled.
#[derive(Debug, clap::Args)]
pub(super) struct Question {
    #[command(flatten)]
    pub(super) rules: RulesOption,
    #[command(flatten)]
    pub(super) selection: RuleSelection,
    /// The stack's region [default: `AWS_REGION`, else `AWS_DEFAULT_REGION`]
    #[arg(long, value_name = "NAME")]
    pub(super) region: Option<String>,
    /// Open a webhook at this address, and await each alert there too: a channel of the type `webhook` must lead to it
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(super) webhook: Option<SocketAddr>,
    /// How long is waited for the alerts, from the last call on
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = RangedU64ValueParser::<u64>::new().range(1..=3600))]
    pub(super) wait: u64,
}
