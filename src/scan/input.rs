//! One thing to read: a file, the standard input, or an object that is somewhere else.

use std::fmt;
use std::io::{self, Read};
use std::path::PathBuf;

/// One of the inputs of a scan.
#[derive(Debug)]
pub enum Input {
    /// A file on the disk, plain or gzip.
    File(PathBuf),
    /// The standard input, plain or gzip.
    Stdin,
    /// An object that has to be fetched first.
    Remote(RemoteInput),
    /// Something that was asked for and cannot be read: its name, and why. It travels with the others, so that it is named in
    /// its turn.
    Bad(String, String),
    /// A file that is not opened, for it is another service's log: its name, and the service.
    Skipped(String, String),
}

/// An object that is fetched while other inputs are being read.
pub struct RemoteInput {
    /// Its name for messages and for `--resume-after`: `s3://BUCKET/KEY`.
    pub name: String,
    /// Waits until the object has been fetched, or begins to read a large one. Called on the thread that reads it.
    pub open: Box<dyn FnOnce() -> io::Result<Box<dyn Read + Send>> + Send>,
}

impl fmt::Debug for RemoteInput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(formatter)
    }
}

impl fmt::Display for Input {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(formatter),
            Self::Stdin => formatter.write_str("stdin"),
            Self::Bad(name, _) | Self::Skipped(name, _) | Self::Remote(RemoteInput { name, .. }) => {
                formatter.write_str(name)
            }
        }
    }
}
