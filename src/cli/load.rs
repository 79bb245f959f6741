//! Loads the rules that a command is pointed at. What is wrong with them is told on stderr, as `check` tells it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::diagnostics::report;
use super::{input, packs};
use crate::cloudtrail::own_resources::{DEFAULT_STACK, OwnResources};
use crate::cloudtrail::places::Places;
use crate::cloudtrail::spokes::Spokes;
use crate::cloudtrail::{accounts, countries};
use crate::ruleset::{PackError, RuleSet, Sources};

/// The option `--rules FILE`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct RulesOption {
    /// The rules
    #[arg(long = "rules", value_name = "FILE", default_value = "rules.json")]
    pub(super) path: PathBuf,
    /// The function's stack, which rules that ask `own_resource` know by its name
    #[arg(long, value_name = "NAME", default_value = DEFAULT_STACK)]
    pub(super) stack: String,
    /// A hub's `StackSet`, by whose name such rules know its spokes
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub(super) stack_set: String,
}

/// The rules of a command that once took them without an option, and still does.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct RulesArgument {
    /// The rules, as --rules names them
    #[arg(value_name = "RULES", conflicts_with = "rules_option")]
    rules: Option<PathBuf>,
    /// The rules [default: rules.json]
    #[arg(long = "rules", id = "rules_option", value_name = "FILE")]
    option: Option<PathBuf>,
}

impl RulesArgument {
    /// The path of the rules.
    pub(super) fn path(&self) -> &Path {
        self.option.as_deref().or(self.rules.as_deref()).unwrap_or(Path::new("rules.json"))
    }
}

impl RulesOption {
    fn own(&self) -> OwnResources {
        OwnResources::new(&self.stack, []).with_spokes(Spokes::of_stack_set(&self.stack_set))
    }

    /// The rules, or nothing if they do not compile: see [`load`].
    pub(super) fn load(&self) -> Option<RuleSet> {
        compiled(&self.path, &read(&self.path)?.with_own(self.own()))
    }

    /// As [`Self::load`], with the texts that they were compiled from.
    #[cfg(feature = "aws")]
    pub(super) fn load_with_sources(&self) -> Option<(RuleSet, Sources)> {
        let sources = read(&self.path)?.with_own(self.own());
        Some((compiled(&self.path, &sources)?, sources))
    }

    /// As [`Self::load`], of the text that a file in this place is to have.
    pub(super) fn load_text(&self, path: &Path, text: String) -> Option<RuleSet> {
        compiled(path, &gathered(path, text)?.with_own(self.own()))
    }
}

/// Reads and compiles a rules file. If it cannot be read or does not compile, the mistakes have been reported on stderr and
/// nothing is returned; warnings are reported as well.
pub(super) fn load(path: &Path) -> Option<RuleSet> {
    compiled(path, &read(path)?)
}

fn compiled(path: &Path, sources: &Sources) -> Option<RuleSet> {
    match RuleSet::compile_sources(sources) {
        Ok(compiled) => {
            report(path, sources, &compiled.warnings);
            Some(compiled.rules)
        }
        Err(diagnostics) => {
            report(path, sources, &diagnostics);
            None
        }
    }
}

/// Reads a rules file, and beside it the packs that it includes (their names are paths from its folder; one that is not there
/// may be one that this program was shipped with), the database of countries and the names of accounts. If the rules, the
/// countries or the names cannot be read, that has been reported on stderr and nothing is returned; a pack
/// that cannot be read is a mistake of the rules.
pub(super) fn read(path: &Path) -> Option<Sources> {
    let root = input::read_written(path)
        .inspect_err(|error| {
            eprintln!("error: cannot read the rules: {}: {error}", path.display());
            if !path.exists() {
                eprintln!("help: give the path of your rules, or run this where rules.json is");
            }
        })
        .ok()?;
    gathered(path, root)
}

/// As [`read`], of the text that a rules file has, or is to have.
pub(super) fn gathered(path: &Path, root: String) -> Option<Sources> {
    gathered_with(path, root, |_| None)
}

/// As [`gathered`], where `changed` knows the texts that some of the files beside it are to have, by their names.
pub(super) fn gathered_with(path: &Path, root: String, changed: impl Fn(&str) -> Option<String>) -> Option<Sources> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let sources = Sources::gather(root, |pack| {
        if let Some(text) = changed(pack) {
            return Ok(text);
        }
        let path = folder.join(pack);
        input::read_written(&path).or_else(|error| match packs::shipped(pack) {
            Some(text) if error.kind() == io::ErrorKind::NotFound => Ok(text.to_owned()),
            _ => Err(PackError::new(format!("{}: {error}", path.display()))),
        })
    });
    let accounts = match changed(accounts::FILE).map_or_else(|| input::read_written(&folder.join(accounts::FILE)), Ok) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            eprintln!("error: cannot read the accounts: {error}");
            return None;
        }
    };
    let beside = folder.to_owned();
    sources
        .with_places(Places::new(move |file| fs::read(beside.join(file))))
        .with_accounts(accounts)
        .with_countries(|| fs::read(folder.join(countries::FILE)))
        .inspect_err(|reason| eprintln!("error: cannot read the countries: {reason}"))
        .ok()
}
