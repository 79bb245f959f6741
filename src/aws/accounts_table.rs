//! The names of accounts beside the rules: a table that is opened where the first finding asks for a name, and never read whole.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::cloudtrail::accounts::{Accounts, TABLE, TableBytes};

/// A table in a file.
struct TableFile {
    path: PathBuf,
    /// The file, once somebody has asked.
    file: Mutex<Option<File>>,
}

/// The names in the table beside a rules file, if there is one. Nothing of it is read yet.
pub(super) fn beside(rules: &Path) -> Option<Accounts> {
    let path = rules.with_file_name(TABLE);
    path.exists().then(|| Accounts::new(TableFile { path, file: Mutex::default() }))
}

impl TableBytes for TableFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let file = match &mut *file {
            Some(file) => file,
            none => none.insert(File::open(&self.path)?),
        };
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(buffer)
    }
}
