//! `offlimits bundle`: one file that holds all that runs, for the function to start from.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::{Exit, check};
use crate::rules::RuleSet;

/// Writes the bundle of rules that compile; of others nothing is written. Warnings are for `check`.
pub(super) fn run(path: &Path, output: Option<&Path>) -> io::Result<Exit> {
    let Some(sources) = check::read(path) else { return Ok(Exit::Unreadable) };
    let compiled = match RuleSet::compile_sources(&sources) {
        Ok(compiled) => compiled,
        Err(diagnostics) => {
            check::report(path, &sources, &diagnostics);
            return Ok(Exit::Wrong);
        }
    };
    // What compiles is JSON.
    let bundle = sources.bundle().unwrap_or_default();
    let Some(output) = output else {
        writeln!(io::stdout().lock(), "{bundle}")?;
        return Ok(Exit::Done);
    };
    if let Err(error) = replace(output, &bundle) {
        eprintln!("error: cannot write the bundle: {}: {error}", output.display());
        return Ok(Exit::Unreadable);
    }
    let (rules, digest) = (check::counted(compiled.rules.rules().len(), "rule"), compiled.rules.digest());
    eprintln!("{}: {rules} in {} bytes, digest {digest}", output.display(), bundle.len());
    Ok(Exit::Done)
}

/// Writes the file whole or not at all: half a bundle must never be packaged.
fn replace(output: &Path, bundle: &str) -> io::Result<()> {
    let mut name = output.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = output.with_file_name(name);
    fs::write(&new, bundle).and_then(|()| fs::rename(&new, output)).inspect_err(|_| {
        // What is left of it is of no use to anybody.
        let _ = fs::remove_file(&new);
    })
}
