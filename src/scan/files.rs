//! Which files there are: folders are walked one at a time, in the order of their names, however many they hold.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Input;
use super::layout::other_service;

/// What may stand at the end of a log file's name, in a folder.
pub(super) const ENDS: [&str; 4] = ["json", "jsonl", "ndjson", "gz"];

/// The inputs that these paths stand for, in their order; `-` is stdin.
pub fn inputs(paths: &[PathBuf]) -> impl Iterator<Item = Input> + Send {
    paths.iter().flat_map(|path| {
        if path == Path::new("-") {
            Inputs::One(Some(Input::Stdin))
        } else if path.is_dir() {
            Inputs::Folder(FolderWalk::new(path, &ENDS))
        } else {
            Inputs::One(Some(Input::File(path.clone())))
        }
    })
}

/// The files of a folder whose names end in one of `ends`, in the order of their names.
pub fn in_folder<'e>(folder: &Path, ends: &'e [&'e str]) -> impl Iterator<Item = Input> + Send + use<'e> {
    Inputs::Folder(FolderWalk::new(folder, ends))
}

/// Whether an object of this name is read.
#[cfg(feature = "s3")]
pub(super) fn is_log_file(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| ENDS.contains(&end))
}

/// What is said of a place that holds nothing to read.
pub(super) fn nothing(ends: &[&str]) -> String {
    format!("no file in it has a name that ends in .{}", ends.join(" or ."))
}

/// The bytes that the paths hold now: for a progress bar.
pub fn measure(paths: &[PathBuf]) -> u64 {
    inputs(paths)
        .map(|input| match input {
            Input::File(path) => fs::metadata(path).map_or(0, |metadata| metadata.len()),
            Input::Stdin | Input::Remote(_) | Input::Bad(..) | Input::Skipped(..) => 0,
        })
        .sum()
}

enum Inputs<'e> {
    One(Option<Input>),
    Folder(FolderWalk<'e>),
}

impl Iterator for Inputs<'_> {
    type Item = Input;

    fn next(&mut self) -> Option<Input> {
        match self {
            Self::One(input) => input.take(),
            Self::Folder(walk) => walk.next(),
        }
    }
}

/// A walk through a folder. It holds the names of one folder at each level, not those of the archive.
struct FolderWalk<'e> {
    root: PathBuf,
    ends: &'e [&'e str],
    /// The folders that are being read, the innermost last.
    open: Vec<OpenFolder>,
    found: bool,
}

enum OpenFolder {
    Unread(PathBuf),
    /// What is left of a folder, the next one last.
    Read(Vec<FolderEntry>),
}

enum FolderEntry {
    Folder(PathBuf),
    File(PathBuf),
}

impl<'e> FolderWalk<'e> {
    fn new(root: &Path, ends: &'e [&'e str]) -> Self {
        Self { root: root.to_owned(), ends, open: vec![OpenFolder::Unread(root.to_owned())], found: false }
    }

    fn next(&mut self) -> Option<Input> {
        loop {
            match self.open.last_mut() {
                Some(OpenFolder::Unread(folder)) => {
                    let folder = std::mem::take(folder);
                    self.open.pop();
                    match entries(&folder, self.ends) {
                        Ok(entries) => self.open.push(OpenFolder::Read(entries)),
                        Err(error) => {
                            self.found = true;
                            return Some(Input::Bad(folder.display().to_string(), error.to_string()));
                        }
                    }
                }
                Some(OpenFolder::Read(left)) => match left.pop() {
                    Some(FolderEntry::Folder(folder)) => self.open.push(OpenFolder::Unread(folder)),
                    Some(FolderEntry::File(file)) => {
                        self.found = true;
                        let name = file.to_string_lossy();
                        return Some(match other_service(&name) {
                            Some(service) => Input::Skipped(name.clone().into_owned(), service.to_owned()),
                            None => Input::File(file),
                        });
                    }
                    None => {
                        self.open.pop();
                    }
                },
                None if self.found => return None,
                None => {
                    self.found = true;
                    return Some(Input::Bad(self.root.display().to_string(), nothing(self.ends)));
                }
            }
        }
    }
}

/// The folders and log files of a folder, the first by name last.
fn entries(folder: &Path, ends: &[&str]) -> io::Result<Vec<FolderEntry>> {
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.file_name()));
    let mut found = Vec::with_capacity(entries.len());
    for entry in entries {
        let path = entry.path();
        // Links are not followed: they may lead round in a circle.
        let kind = entry.file_type()?;
        if kind.is_dir() {
            found.push(FolderEntry::Folder(path));
        } else if kind.is_file() && path.extension().is_some_and(|end| ends.iter().any(|known| end == *known)) {
            found.push(FolderEntry::File(path));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_walked_in_the_order_of_names() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for file in ["b/2.json.gz", "b/1.jsonl", "b/c/x.json", "a.ndjson", "z.txt", "empty/z.csv"] {
            fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs::write(root.join(file), "").unwrap();
        }
        let named = |path: &Path| -> Vec<String> {
            let strip = |input: Input| input.to_string().replace(&format!("{}/", root.display()), "");
            inputs(&[path.to_owned()]).map(strip).collect()
        };
        assert_eq!(named(root), ["a.ndjson", "b/1.jsonl", "b/2.json.gz", "b/c/x.json"]);
        assert!(matches!(inputs(&[root.join("empty")]).collect::<Vec<_>>()[..], [Input::Bad(..)]));
        assert!(matches!(inputs(&["-".into()]).collect::<Vec<_>>()[..], [Input::Stdin]));
        // What does not exist is found out when it is opened.
        assert!(matches!(inputs(&[root.join("none")]).collect::<Vec<_>>()[..], [Input::File(_)]));
    }
}
