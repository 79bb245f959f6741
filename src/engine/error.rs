//! The errors of the engine: why a record cannot be evaluated, and why a rule cannot be loaded.

use std::error::Error;

use crate::cloudtrail::RecordError;

/// Why a record cannot be evaluated. Its text quotes nothing of the record but the places of mistakes: it is safe to log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// The record cannot be read. Sending it again will not help.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A rule that may match the record cannot be loaded from the package.
    #[error(transparent)]
    Rule(#[from] LoadError),
}

/// Why a rule cannot be loaded from its package: the index and the bundle do not belong together, although their checksums
/// say so. The rules have to be compiled from `rules.json` instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The index has no place in the bundle for the rule of this number, from 0 in the order of the file.
    #[error("the index has no rule {0}")]
    NoPlace(usize),
    /// The text of the rule of this number cannot be had from the bundle.
    #[error("rule {0} cannot be read: {1}")]
    Unreadable(usize, #[source] Box<dyn Error + Send + Sync>),
    /// The bundle cannot be had.
    #[error("the rules cannot be read: {0}")]
    NoBundle(#[source] Box<dyn Error + Send + Sync>),
    /// What stands at the place of the rule of this number is not a rule.
    #[error("the index's rule {0} is not a rule")]
    NotARule(usize),
    /// A rule is at its place, and does not compile.
    #[error(transparent)]
    Compile(Box<dyn Error + Send + Sync>),
}
