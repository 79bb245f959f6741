//! The files that an import is pointed at.

use std::path::{Path, PathBuf};

use crate::cli::input;

/// Hands over the text of every file; of a folder, of those in it whose names end so. Returns how many could not be read:
/// each is named on stderr, and the others go on.
pub(super) fn each(paths: &[PathBuf], ends: &[&str], mut take: impl FnMut(&str, &str) -> Result<(), String>) -> usize {
    let mut unreadable = 0;
    for path in paths {
        let mut files = Vec::new();
        if path.is_dir() {
            if let Err(error) = input::walk(path, ends, &mut files) {
                unreadable += 1;
                eprintln!("error: cannot read {}: {error}", path.display());
            }
        } else {
            files.push(path.clone());
        }
        for file in files {
            let name = if file == Path::new("-") { "stdin".to_owned() } else { file.display().to_string() };
            let read = input::read(&file).map_err(|error| error.to_string()).and_then(|text| take(&name, &text));
            if let Err(reason) = read {
                unreadable += 1;
                eprintln!("error: cannot read {name}: {reason}");
            }
        }
    }
    unreadable
}
