//! Temporary files without a name: what a process leaves behind is nothing, however it ends.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write};

use super::error::RunError;

/// A file of the system's temporary folder.
#[derive(Debug)]
pub(super) struct TemporaryFile {
    file: File,
}

impl TemporaryFile {
    pub(super) fn new() -> Result<Self, RunError> {
        tempfile::tempfile().map(|file| Self { file }).map_err(disk)
    }

    /// Goes to so many bytes from its beginning.
    pub(super) fn seek(&mut self, to: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(to)).map(|_| ()).map_err(named)
    }
}

impl Read for TemporaryFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.file.read(bytes).map_err(named)
    }
}

impl Write for TemporaryFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes).map_err(named)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush().map_err(named)
    }
}

/// What went wrong in the temporary folder.
pub(super) fn disk(error: io::Error) -> RunError {
    RunError::Disk { folder: std::env::temp_dir(), error }
}

/// The same, on its way through a reader or a writer; [`RunError::from`] finds it again.
fn named(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::Interrupted { error } else { disk(error).into() }
}
