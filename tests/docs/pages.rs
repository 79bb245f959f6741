//! The pages, and their fenced blocks.

use std::path::{Path, PathBuf};

use crate::support;

/// Every page of the book, and the documents at the top.
pub(super) fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "events/README.md"].map(support::repository).into();
    walk(&support::repository("docs"), &mut pages);
    pages.sort();
    pages
}

fn walk(folder: &Path, pages: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            walk(&entry, pages);
        } else if entry.extension().is_some_and(|end| end == "md") {
            pages.push(entry);
        }
    }
}

pub(super) fn read(page: &Path) -> String {
    std::fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()))
}

/// A page's name from the repository's top.
pub(super) fn name(page: &Path) -> String {
    page.strip_prefix(support::repository(".")).unwrap_or(page).display().to_string()
}

/// One fenced block.
pub(super) struct Block {
    pub(super) language: String,
    pub(super) text: String,
    /// From 1, of the fence.
    pub(super) line: usize,
    /// `<!-- key: value -->` just before it.
    pub(super) notes: Vec<(String, String)>,
}

impl Block {
    pub(super) fn note(&self, key: &str) -> Option<&str> {
        self.notes.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// The fenced blocks of a page, in order.
pub(super) fn blocks(page: &str) -> Vec<Block> {
    let (mut blocks, mut notes, mut open): (Vec<Block>, _, Option<Block>) = (Vec::new(), Vec::new(), None);
    for (index, line) in page.lines().enumerate() {
        // A block in a list is indented.
        let line = if open.is_some() { line } else { line.trim_start() };
        if let Some(block) = &mut open {
            if line.trim_start() == "```" {
                blocks.extend(open.take());
            } else {
                block.text.push_str(line);
                block.text.push('\n');
            }
        } else if let Some(language) = line.strip_prefix("```") {
            let notes = std::mem::take(&mut notes);
            open = Some(Block { language: language.to_owned(), text: String::new(), line: index + 1, notes });
        } else if let Some((key, value)) =
            line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->")).and_then(|note| note.split_once(": "))
        {
            notes.push((key.to_owned(), value.to_owned()));
        } else if !line.trim().is_empty() {
            notes.clear();
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// Holds a file to a text that is generated; with `OFFLIMITS_BLESS=1`, writes it.
pub(super) fn current(path: &Path, text: &str) {
    if std::env::var_os("OFFLIMITS_BLESS").is_some() {
        std::fs::write(path, text).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == text,
        "{} is not current: run OFFLIMITS_BLESS=1 cargo test --all-features --test integration current",
        name(path)
    );
}

/// Holds the chapters below this line of `docs/SUMMARY.md`, up to the next that is not indented, to these lines.
pub(super) fn current_chapters(marker: &str, chapters: &str) {
    let _alone = SUMMARY.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let summary = support::repository("docs/SUMMARY.md");
    let text = read(&summary);
    let (before, after) = text.split_once(marker).unwrap_or_else(|| panic!("SUMMARY.md has no {marker}"));
    let rest: String = after.split_inclusive('\n').skip_while(|line| line.starts_with("  - [")).collect();
    current(&summary, &format!("{before}{marker}{chapters}{rest}"));
}

/// Two tests write their parts of `docs/SUMMARY.md`.
static SUMMARY: std::sync::Mutex<()> = std::sync::Mutex::new(());
