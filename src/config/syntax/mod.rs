//! What is wrong with a text that is no JSON: every mistake that can be told apart, by its name, at its place, with its remedy.
//!
//! A JSON parser stops at the first character that it cannot use, which is seldom where the author slipped. This reader goes on:
//! `tokens` takes the text apart and forgives what people write into JSON by habit (comments, other quotes, words of Python),
//! `structure` follows brackets, commas and keys, and `mistake` has the words. It is for the command line alone: the function is
//! given bundles, which a program has written.
//!
//! A text that `serde_json` reads has no mistake here, and one that it refuses has at least one: a test on random edits of a
//! rules file holds the two to each other.

mod mistake;
mod spelling;
mod structure;
mod tokens;

use std::ops::Range;

use self::mistake::Mistake;
use super::advice::{Edit, Fix};
use crate::json::Node;

/// One mistake, told.
pub(super) struct Told {
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) help: String,
    pub(super) fix: Option<Fix>,
    /// What it is about besides: the bracket that is open.
    pub(super) opened: Option<Range<usize>>,
}

/// Mistakes that are told of one text: whoever made more made one of them many times.
const MOST: usize = 50;

/// Every mistake that can be told apart, in the order of the text; none in a text that is JSON.
pub(super) fn mistakes(text: &str) -> Vec<Told> {
    let mut mistakes = structure::read(text);
    mistakes.sort_by_key(|mistake| (mistake.span.start, mistake.span.end));
    keep_sure_fixes(text, &mut mistakes);
    mistakes.truncate(MOST);
    mistakes.into_iter().map(|mistake| mistake.told(text)).collect()
}

/// Drops the edits that rest on a guess: what follows a mistake that has no one answer may have been misread, and a bracket is put
/// right only if that makes the whole text JSON.
fn keep_sure_fixes(text: &str, mistakes: &mut [Mistake]) {
    let all_have_one = mistakes.iter().all(|mistake| !mistake.edits.is_empty());
    let makes_json = all_have_one && {
        let edits: Vec<&Edit> = mistakes.iter().flat_map(|mistake| &mistake.edits).collect();
        applied(text, edits).is_some_and(|text| Node::parse(&text).is_ok())
    };
    if makes_json {
        return;
    }
    let mut is_sure = true;
    for mistake in mistakes {
        is_sure &= !mistake.edits.is_empty();
        if !is_sure || mistake.is_about_brackets() {
            mistake.edits.clear();
        }
    }
}

/// The text after these edits; `None` if two of them overlap.
pub(crate) fn applied(text: &str, mut edits: Vec<&Edit>) -> Option<String> {
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        result.push_str(text.get(at..edit.span.start)?);
        result.push_str(&edit.text);
        at = edit.span.end;
    }
    result.push_str(text.get(at..)?);
    Some(result)
}

#[cfg(test)]
mod tests;
