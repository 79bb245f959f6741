//! `--fix`: applies the fixes that diagnostics carry, round after round, until none is left.
//!
//! A fix may uncover another mistake: a text that is JSON at last has keys to be looked at. Of fixes that overlap, the first is
//! applied, and the others come again in the next round if they still hold.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::told::told_of;
use crate::cli::diagnostics::path_in;
use crate::cli::{load, whole_file};
use crate::config::{Diagnostic, Edit, applied};
use crate::json::{Node, line_and_column};
use crate::ruleset::Sources;
use crate::text::{clip, printable};

/// Rounds after which whoever still finds something is going round in circles.
const ROUNDS: usize = 100;

/// Characters of a change that are told.
const TOLD: usize = 60;

/// A file by the name that diagnostics have for it; none: the rules themselves.
type FileName = Option<String>;

/// One change that was made.
#[derive(Debug, Serialize)]
pub(super) struct Change {
    pub(super) file: String,
    /// Where it was made, in the text as it was then.
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) code: &'static str,
    pub(super) before: String,
    pub(super) after: String,
}

impl Change {
    /// `rules.json:3:5: [unknown-key] "titel" is now "title"`
    pub(super) fn told(&self) -> String {
        let Self { file, line, column, code, before, after } = self;
        let shown = |text: &str| clip(&printable(text.trim()).replace('\n', "\\n"), TOLD).into_owned();
        let what = match (before.is_empty(), after.is_empty()) {
            (true, _) => format!("put in {}", shown(after)),
            (_, true) => format!("took out {}", shown(before)),
            _ => format!("{} is now {}", shown(before), shown(after)),
        };
        format!("{file}:{line}:{column}: [{code}] {what}")
    }
}

/// What `--fix` has done.
#[derive(Debug, Default)]
pub(super) struct Fixed {
    /// The changes, in the order in which they were made.
    pub(super) changes: Vec<Change>,
    /// Files that have mistakes with a fix, and why they were left alone.
    pub(super) left_alone: BTreeMap<String, String>,
}

/// Applies every fix to the files of these rules.
///
/// # Errors
/// A file cannot be written: it is as it was, and those before it are written.
pub(super) fn fix(path: &Path, sources: &Sources) -> io::Result<Fixed> {
    let mut fixed = Fixed::default();
    let mut texts: BTreeMap<FileName, String> = BTreeMap::new();
    let mut targets: BTreeMap<FileName, Result<Target, String>> = BTreeMap::new();
    let mut seen: HashSet<Vec<(FileName, String)>> = HashSet::new();
    let mut sources = sources.clone();
    let mut is_settled = false;
    for _ in 0..ROUNDS {
        let diagnostics = told_of(&sources).diagnostics;
        let mut round: BTreeMap<FileName, Vec<&Diagnostic>> = BTreeMap::new();
        for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.fix.is_some()) {
            let file = diagnostic.file.as_deref().map(str::to_owned);
            let target = targets.entry(file.clone()).or_insert_with(|| Target::of(path, file.as_deref(), &sources));
            match target {
                Ok(_) => round.entry(file).or_default().push(diagnostic),
                Err(reason) => {
                    fixed.left_alone.insert(path_in(path, file.as_deref()), reason.clone());
                }
            }
        }
        let mut is_changed = false;
        for (file, diagnostics) in round {
            let text = sources.text(file.as_deref());
            let (new, changes) = one_round(&path_in(path, file.as_deref()), text, &diagnostics);
            if let Some(new) = new {
                fixed.changes.extend(changes);
                texts.insert(file, new);
                is_changed = true;
            }
        }
        // A text that was there before would come again and again.
        is_settled = !is_changed || !seen.insert(texts.clone().into_iter().collect());
        if is_settled {
            break;
        }
        let root = texts.get(&None).cloned().unwrap_or_else(|| sources.root().to_owned());
        let Some(again) = load::gathered_with(path, root, |pack| texts.get(&Some(pack.to_owned())).cloned()) else {
            is_settled = true;
            break;
        };
        sources = again;
    }
    if !is_settled {
        // Each fix makes another mistake: what would be written is nothing that anybody meant.
        let reason = || format!("after {ROUNDS} rounds there is still something to fix");
        fixed.left_alone.extend(texts.keys().map(|file| (path_in(path, file.as_deref()), reason())));
        fixed.changes.clear();
        return Ok(fixed);
    }
    for (file, text) in texts {
        if let Some(Ok(target)) = targets.get(&file) {
            target.write(&text)?;
        }
    }
    Ok(fixed)
}

/// The text after the fixes of these diagnostics, of those that overlap the first; and what was changed. No text if that would
/// make JSON of it that is none.
fn one_round(name: &str, text: &str, diagnostics: &[&Diagnostic]) -> (Option<String>, Vec<Change>) {
    let (mut edits, mut changes): (Vec<&Edit>, Vec<Change>) = Default::default();
    let mut taken: BTreeSet<(usize, usize)> = BTreeSet::new();
    for diagnostic in diagnostics {
        let of_it = diagnostic.fix.iter().flat_map(|fix| &fix.edits);
        if of_it.clone().any(|edit| taken.iter().any(|taken| touch(&edit.span, taken))) {
            continue;
        }
        for edit in of_it {
            taken.insert((edit.span.start, edit.span.end));
            edits.push(edit);
            let (line, column) = line_and_column(text, edit.span.start);
            let before = text.get(edit.span.clone()).unwrap_or_default().to_owned();
            let (file, code) = (name.to_owned(), diagnostic.code);
            changes.push(Change { file, line, column, code, before, after: edit.text.clone() });
        }
    }
    let new =
        applied(text, edits).filter(|new| new != text && (Node::parse(text).is_err() || Node::parse(new).is_ok()));
    (new, changes)
}

/// Whether two edits have a byte in common, or meet where one of them puts something in.
fn touch(one: &Range<usize>, (start, end): &(usize, usize)) -> bool {
    if one.is_empty() || start == end {
        one.start <= *end && *start <= one.end
    } else {
        one.start < *end && *start < one.end
    }
}

/// A file that may be changed.
struct Target {
    path: PathBuf,
    /// Whether it begins with a byte order mark, which stays.
    has_mark: bool,
}

impl Target {
    /// The file, or why it is left alone.
    fn of(rules: &Path, pack: Option<&str>, sources: &Sources) -> Result<Self, String> {
        let named = pack.map_or(rules.to_owned(), |pack| rules.with_file_name(pack));
        let path = fs::canonicalize(&named).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound if pack.is_some() => "it is inside this program".to_owned(),
            _ => format!("it cannot be found again: {error}"),
        })?;
        // What a link leads to elsewhere, or `..`, is somebody else's.
        let folder = named_folder(rules)?;
        if pack.is_some() && !path.starts_with(&folder) {
            return Err(format!("it lies outside of the folder of the rules, {}", folder.display()));
        }
        let bytes = fs::read(&path).map_err(|error| format!("it cannot be read again: {error}"))?;
        let mark = "\u{feff}".as_bytes();
        let has_mark = bytes.starts_with(mark);
        let text = bytes.strip_prefix(mark).unwrap_or(&bytes);
        if text != sources.text(pack).as_bytes() {
            return Err("it is packed, or is not UTF-8, or has just changed".to_owned());
        }
        Ok(Self { path, has_mark })
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let mark = if self.has_mark { "\u{feff}" } else { "" };
        whole_file::replace(&self.path, [mark, text].concat().as_bytes())
    }
}

/// The folder of the rules, without links.
fn named_folder(rules: &Path) -> Result<PathBuf, String> {
    let folder = match rules.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    fs::canonicalize(folder).map_err(|error| format!("the folder of the rules cannot be found: {error}"))
}
