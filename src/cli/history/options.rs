//! The options of `history`.

use clap::ValueEnum;

use crate::cli::backtest::BacktestOutput;
use crate::cli::input::ArchivePart;
use crate::cli::selection::RuleSelection;

/// Where the stack is.
#[derive(Debug, clap::Args)]
pub(super) struct StackPlace {
    /// The stack of deploy/history.yaml, in the environment's region
    #[arg(long, value_name = "NAME", default_value = "offlimits-history")]
    pub(super) history_stack: String,
}

/// What is planned, whatever is looked for.
#[derive(Debug, clap::Args)]
pub(super) struct PlanOptions {
    /// The archive: `s3://BUCKET/PREFIX`
    #[arg(value_name = "ARCHIVE")]
    pub(super) archive: String,
    #[command(flatten)]
    pub(super) part: ArchivePart,
    #[command(flatten)]
    pub(super) place: StackPlace,
    /// Keep nothing, and ask no stack: only tell
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Readers at a time, for the minutes [default: the stack's, else 100]
    #[arg(long, value_name = "N")]
    pub(super) readers: Option<u64>,
    /// The archive is encrypted by a key of KMS, and its bucket has no bucket key [default: as the stack's parameters say]
    #[arg(long)]
    pub(super) kms: bool,
    /// How many days are listed to count what they hold; of more, others are estimated by those
    #[arg(long, value_name = "N", default_value_t = 2000)]
    pub(super) list_days: usize,
    /// Megabytes of a part, as they are stored
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(super) part_megabytes: u64,
    /// For people, or one JSON object
    #[arg(long, value_enum, default_value_t = PlanFormat::Human)]
    pub(super) format: PlanFormat,
}

/// How a plan is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PlanFormat {
    /// For people.
    Human,
    /// JSON.
    Json,
}

/// What is looked for: everything that is given must be so.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct SearchTerms {
    /// Calls of this name, as `StopLogging`; may be repeated
    #[arg(long, value_name = "EVENT")]
    pub(super) call: Vec<String>,
    /// Calls of whom messages call so, as James or Admin/jana; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(super) actor: Vec<String>,
    /// Calls from this address; may be repeated
    #[arg(long, value_name = "IP")]
    pub(super) address: Vec<String>,
    /// Calls on this resource, by its name or its ARN; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(super) resource: Vec<String>,
}

/// What is started.
#[derive(Debug, clap::Args)]
pub(super) struct StartCommand {
    /// The plan, as `plan` names it
    #[arg(value_name = "PLAN")]
    pub(super) plan: String,
    #[command(flatten)]
    pub(super) place: StackPlace,
    /// Refuse if it costs more dollars than this, as the plan tells
    #[arg(long, value_name = "DOLLARS")]
    pub(super) max_usd: f64,
    /// Read parts once more in which something could not be read
    #[arg(long)]
    pub(super) again: bool,
}

/// What is watched.
#[derive(Debug, clap::Args)]
pub(super) struct WatchCommand {
    /// The plan
    #[arg(value_name = "PLAN")]
    pub(super) plan: String,
    #[command(flatten)]
    pub(super) place: StackPlace,
    /// Seconds between two looks
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(super) every: u64,
    /// Look once
    #[arg(long)]
    pub(super) once: bool,
}

/// What is reported.
#[derive(Debug, clap::Args)]
pub(super) struct ReportCommand {
    /// The plan
    #[arg(value_name = "PLAN")]
    pub(super) plan: String,
    #[command(flatten)]
    pub(super) place: StackPlace,
    /// The bucket of results, instead of asking the stack for it
    #[arg(long, value_name = "BUCKET", conflicts_with = "history_stack")]
    pub(super) results: Option<String>,
    #[command(flatten)]
    pub(super) selection: RuleSelection,
    /// Only calls of this actor, as messages name them; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(super) actor: Vec<String>,
    #[command(flatten)]
    pub(super) part: ArchivePart,
    #[command(flatten)]
    pub(super) output: BacktestOutput,
}
