//! The arguments, the file, and the steps in print.

use std::borrow::Cow;
use std::io::{self, Stdout, Write};
use std::path::{Path, PathBuf};

use super::super::Exit;
use super::super::lines::{LineFormat, write_line};
use super::super::load::load;
use super::super::whole_file::replace;
use super::plan::{EventPatterns, Organization, Plan, RuleState, Step};
use crate::cloudtrail::own_resources::DEFAULT_STACK;
use crate::pattern::{DerivedPatterns, written};

/// What a service-managed `StackSet` makes of each account and region.
const SPOKE: &str = include_str!("../../../deploy/spoke.yaml");

/// Write the template of a hub's spokes, and print the commands that bring both into an organization
#[derive(Debug, clap::Args)]
pub(in super::super) struct OrgCommand {
    /// The organization's id, such as o-a1b2c3d4e5
    #[arg(long, value_name = "ID")]
    organization: String,
    /// The account of the hub: 12 digits
    #[arg(long, value_name = "ACCOUNT")]
    hub_account: String,
    /// The region of the hub
    #[arg(long, value_name = "REGION")]
    hub_region: String,
    /// The organizational units whose accounts get spokes: ou-…, or the root's r-… for all
    #[arg(long, value_name = "UNIT", value_delimiter = ',', required = true)]
    units: Vec<String>,
    /// The regions that get spokes. That in which IAM's calls are recorded is always among them
    #[arg(long, value_name = "REGION", value_delimiter = ',', required = true)]
    regions: Vec<String>,
    /// The hub's stack
    #[arg(long, value_name = "NAME", default_value = DEFAULT_STACK)]
    stack: String,
    /// The `StackSet` of the spokes
    #[arg(long, value_name = "NAME", default_value = DEFAULT_STACK)]
    stack_set: String,
    /// What the rules of hub and spokes let pass
    #[arg(long, value_enum, default_value_t = RuleState::Enabled)]
    rule_state: RuleState,
    /// What the spokes send of the calls that change something
    #[arg(long, value_enum, default_value_t = EventPatterns::Wide)]
    event_patterns: EventPatterns,
    /// The rules whose calls the spokes must send [default: rules.json, if it is there; else those that this tool was shipped with]
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// The `StackSet` is made by a delegated administrator, and not by the organization's management account
    #[arg(long)]
    delegated: bool,
    /// Print the commands for the other road: a whole stack in every account and region, without a hub
    #[arg(long)]
    whole_stacks: bool,
    /// Where to write the template of the spokes
    #[arg(long, short, value_name = "FILE", default_value = "spoke.yaml")]
    output: PathBuf,
    /// Steps for people, or one JSON object for each
    #[arg(long, value_enum, default_value_t = LineFormat::Human)]
    format: LineFormat,
}

impl OrgCommand {
    /// Writes the template and prints the steps. What it is told is checked first: a mistake would show in AWS only half an hour later.
    pub(in super::super) fn run(&self) -> io::Result<Exit> {
        let organization = Organization {
            id: &self.organization,
            hub_account: &self.hub_account,
            hub_region: &self.hub_region,
            units: &self.units,
            regions: &self.regions,
            stack: &self.stack,
            stack_set: &self.stack_set,
            rule_state: self.rule_state,
            event_patterns: self.event_patterns,
            delegated: self.delegated,
            template: self.output.to_string_lossy().into_owned(),
        };
        let plan =
            if self.whole_stacks { Plan::whole_stacks(&organization) } else { Plan::hub_and_spokes(&organization) };
        let plan = match plan {
            Ok(plan) => plan,
            Err(mistake) => {
                eprintln!("error: {mistake}");
                return Ok(Exit::Unreadable);
            }
        };
        if !self.whole_stacks {
            let Some(spoke) = self.spoke() else { return Ok(Exit::Unreadable) };
            if let Err(error) = replace(&self.output, spoke.as_bytes()) {
                eprintln!("error: cannot write the template: {}: {error}", self.output.display());
                return Ok(Exit::Unreadable);
            }
            eprintln!("{}: the template of the spokes, {} bytes", self.output.display(), spoke.len());
        }
        for note in &plan.notes {
            eprintln!("note: {note}");
        }
        let mut out = io::stdout();
        for (number, step) in (1..).zip(&plan.steps) {
            self.print(&mut out, number, step)?;
        }
        Ok(Exit::Done)
    }

    /// The template of the spokes, which sends what the rules can match. Why there is none has been told on stderr.
    fn spoke(&self) -> Option<Cow<'static, str>> {
        let default = Path::new("rules.json");
        let Some(rules) = self.rules.as_deref().or_else(|| default.exists().then_some(default)) else {
            return Some(SPOKE.into());
        };
        let patterns = DerivedPatterns::of_set(&load(rules)?);
        match written(SPOKE, &patterns) {
            Ok(spoke) => Some(spoke.into()),
            Err(error) => {
                eprintln!("error: the template of the spokes: {error}");
                None
            }
        }
    }

    fn print(&self, out: &mut Stdout, number: usize, step: &Step) -> io::Result<()> {
        if self.format == LineFormat::Jsonl {
            return write_line(out, step);
        }
        writeln!(out, "# {number}. {}. In {}.", step.title, step.place)?;
        for command in &step.commands {
            writeln!(out, "{command}")?;
        }
        writeln!(out)
    }
}
