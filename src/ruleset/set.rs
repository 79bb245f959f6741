//! The rules and channels of one `rules.json`.

use std::io;
use std::sync::Arc;

use super::bundle_text::BundleText;
use super::compile::{self, CompiledFile};
use super::error::IndexError;
use super::package::{self, Package};
use super::sources::Sources;
use crate::channel::{ConfiguredChannel, Refusal};
#[cfg(feature = "cli")]
use crate::cloudtrail::Names;
use crate::cloudtrail::accounts::Accounts;
use crate::cloudtrail::countries::Countries;
use crate::cloudtrail::{RawRecord, Record};
use crate::config::Diagnostic;
use crate::engine::{Engine, EvaluateError, Scanner};
use crate::finding::Finding;
use crate::rules::Rule;
use crate::rules::field::Surroundings;

/// Rules that can run, and what their author should look at.
#[derive(Debug)]
pub struct Compiled {
    /// The rules and channels, ready to run.
    pub rules: RuleSet,
    /// What the author should look at: warnings, and no errors.
    pub warnings: Vec<Diagnostic>,
}

/// What could be read of rules that may be wrong.
#[cfg(feature = "cli")]
#[derive(Debug)]
pub struct Reading {
    /// The rules that are right, and the channels; `None` if nothing could be read.
    pub rules: Option<RuleSet>,
    /// What is wrong, and what the author should look at.
    pub diagnostics: Vec<Diagnostic>,
}

/// All the rules and channels of one `rules.json`. Threads share it.
#[derive(Debug)]
pub struct RuleSet {
    pub(super) engine: Engine,
    pub(super) channels: Vec<ConfiguredChannel>,
    pub(super) digest: Arc<str>,
}

impl RuleSet {
    /// Makes rules of the text of a `rules.json` that stands alone, or of a bundle.
    ///
    /// # Errors
    /// Every mistake in it (and the warnings), in the order of the file. Nothing half-loaded is ever returned.
    pub fn compile(source: &str) -> Result<Compiled, Vec<Diagnostic>> {
        Self::compile_sources(&Sources::alone(source))
    }

    /// Makes rules of a `rules.json` and the packs that it includes.
    ///
    /// # Errors
    /// Every mistake in any of them, as [`RuleSet::compile`].
    pub fn compile_sources(sources: &Sources) -> Result<Compiled, Vec<Diagnostic>> {
        let file = compile::compile(sources)?;
        let (rules, warnings) = Self::of_file(file, sources);
        Ok(Compiled { rules, warnings })
    }

    /// Makes rules of what can be read, for whoever tells the author what is wrong: the rules that are right, without those that
    /// are not and those of which it is not known what holds for them.
    #[cfg(feature = "cli")]
    pub fn read_sources(sources: &Sources) -> Reading {
        match compile::read(sources) {
            Ok(file) => {
                let (rules, diagnostics) = Self::of_file(file, sources);
                Reading { rules: Some(rules), diagnostics }
            }
            Err(diagnostics) => Reading { rules: None, diagnostics },
        }
    }

    fn of_file(file: CompiledFile, sources: &Sources) -> (Self, Vec<Diagnostic>) {
        let CompiledFile { rules, channels, digest, diagnostics } = file;
        let engine = Engine::new(rules).with_names(sources.surroundings().names());
        (Self { engine, channels, digest }, diagnostics)
    }

    /// The rules and channels of a bundle by the index that stands beside it, whose tables are used where they stand. `countries` gives the bytes of the database, if
    /// the rules ask it; `surroundings` is what else the rules ask.
    ///
    /// # Errors
    /// The reason for which the index is not to be used.
    pub fn packaged(
        bundle: impl Into<BundleText>,
        index: &'static [u8],
        countries: impl FnOnce() -> io::Result<Vec<u8>>,
        surroundings: impl Into<Surroundings>,
    ) -> Result<Self, IndexError> {
        let Package { engine, channels, digest } =
            package::packaged(bundle.into(), index, countries, surroundings.into())?;
        Ok(Self { engine, channels, digest })
    }

    /// The index of these rules, if they were compiled from this bundle; `None` if they were not.
    pub fn index_of(&self, bundle: &str, countries: Option<&Countries>) -> Option<Vec<u8>> {
        package::index_of(&self.engine, &self.digest, bundle, countries)
    }

    /// The names of accounts, which findings tell.
    pub fn accounts(&self) -> Option<&Accounts> {
        self.engine.names().accounts.as_ref()
    }

    /// What findings tell besides their record.
    #[cfg(feature = "cli")]
    pub(crate) fn names(&self) -> &Names {
        self.engine.names()
    }

    /// The findings of one record, in the order of the rules.
    ///
    /// # Errors
    /// The record cannot be read, or a rule cannot be loaded from its package.
    pub fn evaluate(&self, raw: &RawRecord) -> Result<Vec<Finding>, EvaluateError> {
        self.engine.evaluate(raw)
    }

    /// The findings of a record that has been read whole: every rule is asked.
    pub fn evaluate_record(&self, record: &Record) -> Vec<Finding> {
        self.engine.evaluate_record(record)
    }

    /// These rules and those of another set behind them, for what both find of a record: the `rule` of each finding is still that of
    /// its own set. The names that findings tell are the other's.
    #[cfg(feature = "cli")]
    pub(crate) fn with_rules_of(&self, other: &Self) -> Self {
        let rules = self.rules().iter().chain(other.rules()).cloned().collect();
        let engine = Engine::new(rules).with_names(other.names().clone());
        Self { engine, channels: Vec::new(), digest: Arc::clone(&self.digest) }
    }

    /// Evaluates whole files by these rules, on one thread.
    pub fn scanner(&self) -> Scanner<'_> {
        self.engine.scanner()
    }

    /// The indices of the channels that a finding goes to. If there are none, the finding is unrouted.
    pub fn route(&self, finding: &Finding) -> Vec<usize> {
        let accepts = |channel: &ConfiguredChannel| channel.refusal(finding).is_none();
        (0..).zip(&self.channels).filter(|(_, channel)| accepts(channel)).map(|(index, _)| index).collect()
    }

    /// Why a finding does not go to the channel of this index; `None` if it does.
    pub fn refusal(&self, finding: &Finding, channel: usize) -> Option<Refusal> {
        self.channels.get(channel)?.refusal(finding)
    }

    /// The rules, in the order of the file. If they come from a package, asking for them compiles all of them; if the package is
    /// damaged, there are none.
    pub fn rules(&self) -> &[Rule] {
        self.engine.rules()
    }

    /// The rule that made a finding.
    pub fn rule_of(&self, finding: &Finding) -> Option<&Rule> {
        self.engine.compiled_rules().find(|rule| rule.info.id == finding.rule.id)
    }

    /// The channels, in the order of the file.
    pub fn channels(&self) -> &[ConfiguredChannel] {
        &self.channels
    }

    /// Whether any channel's incidents follow credentials.
    pub fn follows_credentials(&self) -> bool {
        self.channels.iter().any(ConfiguredChannel::follows_credentials)
    }

    /// Which rules these are: the first 12 hexadecimal digits of the SHA-256 of the bundle ([`Sources::bundle`]).
    pub fn digest(&self) -> &Arc<str> {
        &self.digest
    }
}
