//! Why records cannot be sorted, or a run cannot be read.

use std::io;
use std::path::PathBuf;

/// Why records cannot be sorted, or a run cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The temporary folder does not take what memory cannot hold.
    #[error(
        "cannot keep findings in the temporary folder {}: {error}\nhelp: it needs about 150 bytes for each finding: free some, or name a folder that has them in TMPDIR",
        .folder.display()
    )]
    Disk {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A run cannot be read or written for another reason.
    #[error("{0}")]
    Io(io::Error),
    /// The run ends too soon, has been changed, or is not in order.
    #[error("findings that were kept in the temporary folder are damaged: {0}")]
    Damaged(&'static str),
}

impl From<io::Error> for RunError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Damaged("it ends too soon"),
            _ => error.downcast::<Self>().unwrap_or_else(Self::Io),
        }
    }
}

impl From<RunError> for io::Error {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Io(error) => error,
            other => Self::other(other),
        }
    }
}
