//! What can go wrong with the files that rules are made of, beside the mistakes of their authors.

use std::error::Error;
use std::io;
use std::sync::Arc;

use crate::cloudtrail::countries::CountriesError;
use crate::config::Diagnostic;

/// Why a pack cannot be read, as whoever reads the files says.
#[derive(Debug, Clone, thiserror::Error)]
#[error(transparent)]
pub struct PackError(Arc<dyn Error + Send + Sync>);

impl PackError {
    /// Wraps what the reading said.
    pub fn new(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(reason.into().into())
    }
}

/// Why the database of countries beside the rules cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CountriesFileError {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What stands in it is not such a database.
    #[error(transparent)]
    Format(#[from] CountriesError),
}

/// Why an index is of no use for a bundle, from which the rules can be compiled instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// It was written by a program of other sources.
    #[error("another version of offlimits wrote it")]
    OtherVersion,
    /// Its checksum, or its form, is wrong.
    #[error("it is damaged")]
    Damaged,
    /// It was made of another bundle.
    #[error("it is of another rules.json")]
    OtherBundle,
    /// The bundle cannot be read.
    #[error("rules.json cannot be read: {0}")]
    Bundle(#[source] io::Error),
    /// The rules ask a database of countries, and there is none to be used.
    #[error("its countries cannot be read: {0}")]
    Countries(#[source] CountriesFileError),
    /// The rules were compiled with the names of accounts, and there are none.
    #[error("the names of accounts that were beside it are missing")]
    NoAccounts,
    /// The channels of the bundle do not compile.
    #[error(transparent)]
    Part(#[from] PartError),
}

/// A part of a bundle does not compile, although the whole once did: its first mistake.
#[derive(Debug, thiserror::Error)]
#[error("a part of the rules does not compile: {0}")]
pub struct PartError(Box<Diagnostic>);

impl From<Diagnostic> for PartError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(Box::new(diagnostic))
    }
}
