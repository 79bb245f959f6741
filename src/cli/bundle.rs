//! `offlimits bundle`: one file that holds all that runs, for the function to start from, its index, and the table of accounts.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::diagnostics::report;
use super::load::RulesArgument;
use super::whole_file::replace;
use super::words::counted;
use super::{Exit, load};
use crate::cloudtrail::accounts::{self, Accounts};
use crate::config::Level;
use crate::lint;
use crate::ruleset::RuleSet;
use crate::ruleset::package;

/// Write one file that holds the rules and the packs that they include: what the function starts from
#[derive(Debug, clap::Args)]
pub(super) struct BundleCommand {
    #[command(flatten)]
    rules: RulesArgument,
    /// Where to; without it, to stdout
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl BundleCommand {
    /// Writes the bundle of rules that compile and can match; of others nothing is written. All other warnings are for `check`.
    pub(super) fn run(&self) -> io::Result<Exit> {
        let output = self.output.as_deref();
        let bundle = match Bundle::of(self.rules.path()) {
            Ok(bundle) => bundle,
            Err(exit) => return Ok(exit),
        };
        if output.and_then(Path::extension).is_some_and(|extension| extension == package::EXTENSION) {
            eprintln!("error: .{} is for the index beside the bundle: call the bundle rules.json", package::EXTENSION);
            return Ok(Exit::Unreadable);
        }
        let Some(output) = output else {
            writeln!(io::stdout().lock(), "{}", bundle.text)?;
            return Ok(Exit::Done);
        };
        Ok(bundle.write(output).err().unwrap_or(Exit::Done))
    }
}

/// Rules that compile, as the function starts from them.
pub(super) struct Bundle {
    text: String,
    index: Option<Vec<u8>>,
    /// The names of the accounts, as the function reads them, if there are any.
    accounts: Option<Vec<u8>>,
    rules: usize,
    digest: Arc<str>,
}

impl Bundle {
    /// The bundle of the rules in this file. If they cannot be read, do not compile, or can never match, that has been told on
    /// stderr.
    pub(super) fn of(path: &Path) -> Result<Self, Exit> {
        Self::of_what(path, |_| Ok(()))
    }

    /// The same, if `accepts` does, which tells on stderr what it does not accept.
    pub(super) fn of_what(path: &Path, accepts: impl FnOnce(&RuleSet) -> Result<(), Exit>) -> Result<Self, Exit> {
        let sources = load::read(path).ok_or(Exit::Unreadable)?;
        let compiled = RuleSet::compile_sources(&sources).map_err(|diagnostics| {
            report(path, &sources, &diagnostics);
            Exit::Wrong
        })?;
        let told = lint::before_packaging(&compiled.rules, &sources);
        report(path, &sources, &told);
        let dead = told.iter().filter(|diagnostic| diagnostic.level == Level::Error).count();
        if dead > 0 {
            let conditions = counted(dead, "condition");
            eprintln!("error: nothing is packaged: {conditions} in {} can never match", path.display());
            return Err(Exit::Wrong);
        }
        accepts(&compiled.rules)?;
        // What compiles is JSON.
        let text = sources.bundle().unwrap_or_default();
        let index = compiled.rules.index_of(&text, sources.countries());
        let accounts = sources.accounts().map(Accounts::all).transpose().map_err(|error| {
            eprintln!("error: cannot write the accounts: {error}");
            Exit::Unreadable
        })?;
        let accounts = accounts.map(|accounts| accounts::table(&accounts));
        Ok(Self {
            text,
            index,
            accounts,
            rules: compiled.rules.rules().len(),
            digest: Arc::clone(compiled.rules.digest()),
        })
    }

    /// Writes the bundle, and beside it the index and the accounts' names. What keeps it from being written is told on stderr.
    pub(super) fn write(&self, output: &Path) -> Result<(), Exit> {
        let names = self.accounts.as_ref().map(|table| (output.with_file_name(accounts::TABLE), table.as_slice()));
        // The index before the bundle: beside an older one it is not used, and no bundle is without one.
        let index = self.index.as_ref().map(|index| (output.with_extension(package::EXTENSION), index.as_slice()));
        for (path, content) in names.into_iter().chain(index).chain([(output.to_owned(), self.text.as_bytes())]) {
            replace(&path, content).map_err(|error| {
                eprintln!("error: cannot write the bundle: {}: {error}", path.display());
                Exit::Unreadable
            })?;
        }
        if self.accounts.is_none() {
            // The names of an accounts.json that is gone.
            let _ = fs::remove_file(output.with_file_name(accounts::TABLE));
        }
        let (rules, bytes, digest) = (counted(self.rules, "rule"), self.text.len(), &self.digest);
        eprintln!("{}: {rules} in {bytes} bytes, digest {digest}", output.display());
        Ok(())
    }
}
