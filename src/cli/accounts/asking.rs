//! What is there, what the organization has, and what has changed.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;

use crate::aws::{FunctionSettings, Organization, OrganizationAccounts};
use crate::cli::diagnostics::report;
use crate::cli::stack_access::add_credentials;
use crate::cli::words::counted;
use crate::cloudtrail::accounts::AccountFacts;
use crate::config::Diagnostic;
use crate::ruleset::{Sources, read_accounts};

/// What is different from what the file had.
#[derive(Debug, Serialize)]
pub(super) struct Changes {
    accounts: usize,
    units: usize,
    new: Vec<String>,
    changed: Vec<String>,
    gone: Vec<String>,
}

impl Changes {
    pub(super) fn new(before: &BTreeMap<u64, AccountFacts>, after: &BTreeMap<u64, AccountFacts>, units: usize) -> Self {
        let id = |number: &u64| format!("{number:012}");
        let new = after.keys().filter(|number| !before.contains_key(number)).map(id).collect();
        let gone = before.keys().filter(|number| !after.contains_key(number)).map(id).collect();
        let is_changed = |number: &&u64| before.get(number).is_some_and(|facts| after.get(number) != Some(facts));
        let changed = after.keys().filter(is_changed).map(id).collect();
        Self { accounts: after.len(), units, new, changed, gone }
    }

    /// `412 accounts, the organization has 31 units: 3 new, 1 changed, 0 gone`
    pub(super) fn summary(&self) -> String {
        let Self { accounts, units, new, changed, gone } = self;
        let (accounts, units) = (counted(*accounts, "account"), counted(*units, "unit"));
        format!(
            "{accounts}, the organization has {units}: {} new, {} changed, {} gone",
            new.len(),
            changed.len(),
            gone.len()
        )
    }
}

/// What the file has; nothing where there is no file, or where nothing of it is kept and it cannot be read. `None` if that has
/// been reported as an error.
pub(super) fn before(file: &Path, is_kept: bool) -> Option<BTreeMap<u64, AccountFacts>> {
    if file == Path::new("-") {
        return Some(BTreeMap::new());
    }
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound || !is_kept => return Some(BTreeMap::new()),
        Err(error) => {
            eprintln!("error: cannot read {}: {error}", file.display());
            return None;
        }
    };
    let (before, mistakes) = read_accounts(&text);
    if is_kept && !mistakes.is_empty() {
        let mistakes: Vec<Diagnostic> =
            mistakes.into_iter().map(|mistake| Diagnostic { file: None, ..mistake }).collect();
        report(file, &Sources::alone(text), &mistakes);
        return None;
    }
    Some(before)
}

/// What the organization has, in the partition of this region or of the environment's.
pub(super) fn found(region: Option<&String>) -> Result<OrganizationAccounts, String> {
    let mut settings = FunctionSettings::from_env();
    settings.access.region = region.cloned().or(settings.access.region);
    add_credentials(&mut settings)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot begin: {error}"))?;
    runtime.block_on(Organization::new(settings).accounts()).map_err(|error| error.to_string())
}
