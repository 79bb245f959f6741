//! The documentation, held to what it says: every page is in the book, every link leads somewhere, every `console` block
//! does what it shows, every JSON block of rules compiles, every command in a shell block exists.
//!
//! A `console` block holds commands behind `$ ` and, below each, what it prints (stdout and stderr). A line of `…` stands
//! for any lines. `<!-- exit: 1 -->` before a block says how its last command ends; `<!-- file: NAME -->` writes the next
//! block to that file first. Commands of one page run in one folder, in which the repository's `events`, `packs` and
//! `rules.json` lie. Shell blocks (`sh`) hold what needs AWS, a network or a compiler: of these, names are checked.
//!
//! `OFFLIMITS_BLESS=1 cargo test --all-features --test integration current` writes what is generated: the index of the packs'
//! rules, the sections of the lints, the lists of the commands, the tables of keys and of channels, and `rules.schema.json`.

mod blocks;
mod book;
pub(crate) mod generated;
pub(crate) mod keys;
mod pages;
mod tables;
