//! The documentation, held to what it says: every page is in the book, every link leads somewhere, every `console` block
//! does what it shows, every JSON block of rules compiles, every command in a shell block exists.
//!
//! A `console` block holds commands behind `$ ` and, below each, what it prints (stdout and stderr). A line of `…` stands
//! for any lines. `<!-- exit: 1 -->` before a block says how its last command ends; `<!-- file: NAME -->` writes the next
//! block to that file first. Commands of one page run in one folder, in which the repository's `events`, `packs` and
//! `rules.json` lie. Shell blocks (`sh`) hold what needs AWS, a network or a compiler: of these, names are checked.
//!
//! `OFFLIMITS_BLESS=1` writes what is generated: the index of the packs' rules and its part of the summary.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

#[path = "docs/blocks.rs"]
mod blocks;
#[path = "docs/book.rs"]
mod book;

use std::path::{Path, PathBuf};

/// Every page of the book, and the documents at the top.
fn pages() -> Vec<PathBuf> {
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

fn read(page: &Path) -> String {
    std::fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()))
}

/// A page's name from the repository's top.
fn name(page: &Path) -> String {
    page.strip_prefix(support::repository(".")).unwrap_or(page).display().to_string()
}

/// One fenced block.
struct Block {
    language: String,
    text: String,
    /// From 1, of the fence.
    line: usize,
    /// `<!-- key: value -->` just before it.
    notes: Vec<(String, String)>,
}

impl Block {
    fn note(&self, key: &str) -> Option<&str> {
        self.notes.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// The fenced blocks of a page, in order.
fn blocks(page: &str) -> Vec<Block> {
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
