//! The rules of a plan: kept beside it with all that decides what they match, so that every reader and every report has the same.

use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::plan::KeptRules;
use super::results::{Results, rules_key};
use crate::cli::load::RulesOption;
use crate::cloudtrail::places::NETWORKS;
use crate::cloudtrail::{accounts, countries};
use crate::ids::{StableId, hex};
use crate::ruleset::RuleSet;

/// The name of the rules.
const RULES: &str = "rules.json";

/// The rules with their files' contents.
pub(super) struct RulesToKeep {
    pub(super) kept: KeptRules,
    contents: Vec<Vec<u8>>,
}

impl RulesToKeep {
    /// The rules that an option names. What is wrong with them has been told on stderr.
    pub(super) fn of(option: &RulesOption) -> Option<Self> {
        let (_, sources) = option.load_with_sources()?;
        let bundle = sources.bundle()?.into_bytes();
        let folder = option.path.parent().unwrap_or(Path::new(""));
        let mut files = vec![(RULES.to_owned(), bundle)];
        for name in [accounts::FILE, countries::FILE, NETWORKS] {
            match fs::read(folder.join(name)) {
                Ok(content) => files.push((name.to_owned(), content)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    eprintln!("error: cannot read {}: {error}", folder.join(name).display());
                    return None;
                }
            }
        }
        Some(Self::new(files, &option.stack, &option.stack_set))
    }

    /// Rules of their own, that include nothing.
    pub(super) fn of_text(text: &str) -> Self {
        Self::new(vec![(RULES.to_owned(), text.as_bytes().to_vec())], "", "")
    }

    fn new(files: Vec<(String, Vec<u8>)>, stack: &str, stack_set: &str) -> Self {
        let mut parts = vec![env!("CARGO_PKG_VERSION").to_owned(), stack.to_owned(), stack_set.to_owned()];
        for (name, content) in &files {
            parts.push(name.clone());
            parts.push(hex(&Sha256::digest(content)));
        }
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let id = StableId::hash(&parts).as_str()[..16].to_owned();
        let (files, contents) = files.into_iter().unzip();
        Self { kept: KeptRules { id, files, stack: stack.to_owned(), stack_set: stack_set.to_owned() }, contents }
    }

    /// Writes the files beside the plan.
    ///
    /// # Errors
    /// S3 does not take them.
    pub(super) fn keep(self, results: &Results) -> Result<(), String> {
        for (name, content) in self.kept.files.iter().zip(self.contents) {
            results.put_bytes(&rules_key(&self.kept.id, name), content)?;
        }
        Ok(())
    }
}

/// Compiled rules, and the folder that their databases are read from.
#[derive(Debug)]
pub(super) struct LoadedRules {
    pub(super) rules: RuleSet,
    _folder: TempDir,
}

impl KeptRules {
    /// Fetches and compiles them.
    ///
    /// # Errors
    /// A file is missing, or they do not compile, which has been told on stderr.
    pub(super) fn load(&self, results: &Results) -> Result<LoadedRules, String> {
        let folder = TempDir::new().map_err(|error| format!("no folder for the rules: {error}"))?;
        for name in &self.files {
            let key = rules_key(&self.id, name);
            let content = results.store.get(&key).map_err(|fault| results.told(&key, &fault))?;
            let content = content.ok_or_else(|| format!("s3://{}/{key} is missing", results.store.bucket()))?;
            // The names are ours; one from elsewhere must not leave the folder.
            let name = Path::new(name).file_name().ok_or("a file without a name")?;
            fs::write(folder.path().join(name), content).map_err(|error| error.to_string())?;
        }
        let path = folder.path().join(RULES);
        let option = RulesOption { path, stack: self.stack.clone(), stack_set: self.stack_set.clone() };
        let rules = option.load().ok_or_else(|| format!("the rules {} do not compile", self.id))?;
        Ok(LoadedRules { rules, _folder: folder })
    }
}
