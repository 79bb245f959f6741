//! What is asked: about which stack, in which regions, by which rules.

use crate::cli::load::RulesOption;
use crate::cli::parsers;

/// What is asked.
#[derive(Debug, clap::Args)]
pub(super) struct Question {
    #[command(flatten)]
    pub(super) rules: RulesOption,
    /// The regions that should be watched, with commas between them [default: all that the account may use]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = parsers::region)]
    pub(super) regions: Vec<String>,
    /// Ask AWS Organizations for all accounts too, and a hub's ledger which of them it has heard
    #[arg(long)]
    pub(super) organization: bool,
}
