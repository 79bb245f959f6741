//! What is drilled: which rules, through which stack, and how long the alerts are awaited.

use std::net::SocketAddr;

use clap::builder::RangedU64ValueParser;

use crate::cli::load::RulesOption;
use crate::cli::parsers;
use crate::cli::selection::RuleSelection;

/// What is drilled.
#[derive(Debug, clap::Args)]
pub(super) struct Question {
    #[command(flatten)]
    pub(super) rules: RulesOption,
    #[command(flatten)]
    pub(super) selection: RuleSelection,
    /// The stack's region [default: `AWS_REGION`, else `AWS_DEFAULT_REGION`]
    #[arg(long, value_name = "NAME", value_parser = parsers::region)]
    pub(super) region: Option<String>,
    /// Open a webhook at this address, and await each alert there too: a channel of the type `webhook` must lead to it
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(super) webhook: Option<SocketAddr>,
    /// How long is waited for the alerts, from the last call on [default: 120; of calls in a sandbox 900]
    #[arg(long, value_name = "SECONDS", value_parser = RangedU64ValueParser::<u64>::new().range(1..=3600))]
    pub(super) wait: Option<u64>,
    /// Make harmless calls in this account, which is a sandbox of yours, instead of replaying: 12 digits, of which the credentials must be
    #[arg(long, value_name = "ACCOUNT", value_parser = parsers::account)]
    pub(super) account: Option<String>,
    /// The profile of the AWS command line that has credentials of the sandbox [default: those that the stack is asked with]
    #[arg(long, value_name = "NAME", requires = "account")]
    pub(super) profile: Option<String>,
    /// The region in which the calls are made [default: the stack's]
    #[arg(long, value_name = "NAME", requires = "account", value_parser = parsers::region)]
    pub(super) call_region: Option<String>,
    /// Say what would be called, and why each call is harmless, and ask nobody
    #[arg(long, requires = "account")]
    pub(super) plan: bool,
}

impl Question {
    /// The region in which the calls of a plan would be made, as far as it is told.
    #[cfg(feature = "aws")]
    pub(super) fn call_region(&self) -> Option<String> {
        let told = self.call_region.clone().or_else(|| self.region.clone());
        told.or_else(|| crate::aws::FunctionSettings::from_env().access.region)
    }
}
