//! Files that are written whole or not at all.

use std::fs;
use std::io;
use std::path::Path;

/// Replaces the file, or leaves it as it is: half of one must never be used. Who may read and write it stays the same.
///
/// # Errors
/// It could not be written.
pub(super) fn replace(output: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = output.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = output.with_file_name(name);
    let rights = fs::metadata(output).map(|old| old.permissions());
    let written = fs::write(&new, content).and_then(|()| match rights {
        Ok(rights) => fs::set_permissions(&new, rights),
        Err(_) => Ok(()),
    });
    written.and_then(|()| fs::rename(&new, output)).inspect_err(|_| {
        // What is left of it is of no use to anybody.
        let _ = fs::remove_file(&new);
    })
}
