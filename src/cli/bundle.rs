//! `offlimits bundle`: one file that holds all that runs, for the function to start from, its index, and the table of accounts.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::diagnostics::report;
use super::whole_file::replace;
use super::words::counted;
use super::{Exit, load};
use crate::cloudtrail::accounts::{self, Accounts};
use crate::ruleset::RuleSet;
use crate::ruleset::package;

/// Write one file that holds the rules and the packs that they include: what the function starts from
#[derive(Debug, clap::Args)]
pub(super) struct BundleCommand {
    /// The rules
    #[arg(default_value = "rules.json")]
    rules: PathBuf,
    /// Where to; without it, to stdout
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl BundleCommand {
    /// Writes the bundle of rules that compile; of others nothing is written. Warnings are for `check`.
    pub(super) fn run(&self) -> io::Result<Exit> {
        let (path, output) = (self.rules.as_path(), self.output.as_deref());
        let Some(sources) = load::read(path) else { return Ok(Exit::Unreadable) };
        let compiled = match RuleSet::compile_sources(&sources) {
            Ok(compiled) => compiled,
            Err(diagnostics) => {
                report(path, &sources, &diagnostics);
                return Ok(Exit::Wrong);
            }
        };
        // What compiles is JSON.
        let bundle = sources.bundle().unwrap_or_default();
        if output.and_then(Path::extension).is_some_and(|extension| extension == package::EXTENSION) {
            eprintln!("error: .{} is for the index beside the bundle: call the bundle rules.json", package::EXTENSION);
            return Ok(Exit::Unreadable);
        }
        let Some(output) = output else {
            writeln!(io::stdout().lock(), "{bundle}")?;
            return Ok(Exit::Done);
        };
        let index = compiled.rules.index_of(&bundle, sources.countries());
        let accounts = match sources.accounts().map(Accounts::all).transpose() {
            Ok(accounts) => accounts.map(|accounts| accounts::table(&accounts)),
            Err(error) => {
                eprintln!("error: cannot write the accounts: {error}");
                return Ok(Exit::Unreadable);
            }
        };
        let names = accounts.as_ref().map(|table| (output.with_file_name(accounts::TABLE), table.as_slice()));
        // The index before the bundle: beside an older one it is not used, and no bundle is without one.
        let index = index.as_ref().map(|index| (output.with_extension(package::EXTENSION), index.as_slice()));
        for (path, content) in names.into_iter().chain(index).chain([(output.to_owned(), bundle.as_bytes())]) {
            if let Err(error) = replace(&path, content) {
                eprintln!("error: cannot write the bundle: {}: {error}", path.display());
                return Ok(Exit::Unreadable);
            }
        }
        if accounts.is_none() {
            // The names of an accounts.json that is gone.
            let _ = fs::remove_file(output.with_file_name(accounts::TABLE));
        }
        let (rules, digest) = (counted(compiled.rules.rules().len(), "rule"), compiled.rules.digest());
        eprintln!("{}: {rules} in {} bytes, digest {digest}", output.display(), bundle.len());
        Ok(Exit::Done)
    }
}
