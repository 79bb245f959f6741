//! Reads single values of `rules.json`, reporting each mistake with its remedy.

use std::ops::RangeInclusive;

use super::diagnostic::Problems;
use super::spec::{TextFormat, WordList};
use crate::json::{Node, Value};
use crate::text::clip;

/// Characters of a wrong value that its diagnostic quotes.
const QUOTED: usize = 80;

/// A string that is not empty.
pub fn string<'n>(node: &'n Node<'n>, what: &str, problems: &mut Problems) -> Option<&'n str> {
    match node.as_str() {
        Some("") => {
            problems.error("empty", &node.span, format!("\"{what}\" is empty"), "write a text, or leave the key out");
            None
        }
        Some(text) => Some(text),
        None => {
            wrong_kind(node, &format!("\"{what}\" must be a string"), problems);
            None
        }
    }
}

/// A string of a form.
pub fn formatted<'n>(node: &'n Node<'n>, what: &str, format: &TextFormat, problems: &mut Problems) -> Option<&'n str> {
    let text = string(node, what, problems)?;
    let message = match format.max_characters {
        Some(max) if text.chars().count() > max => format!("\"{what}\" may have at most {max} characters"),
        _ if (format.fits)(text) => return Some(text),
        _ => format!("invalid {} \"{}\"", format.what, clip(text, QUOTED)),
    };
    problems.error(format.code, &node.span, message, (format.remedy)(text));
    None
}

/// An array of at least one item.
pub fn array<'n>(node: &'n Node<'n>, what: &str, problems: &mut Problems) -> &'n [Node<'n>] {
    match &node.value {
        Value::Array(elements) if elements.is_empty() => {
            let help = "write at least one item, or leave the key out";
            problems.error("empty", &node.span, format!("{what} is empty"), help);
            &[]
        }
        Value::Array(elements) => elements,
        _ => {
            wrong_kind(node, &format!("{what} must be a list"), problems);
            &[]
        }
    }
}

/// One of a list of words.
pub fn word(node: &Node, words: &WordList, problems: &mut Problems) -> Option<&'static str> {
    let text = string(node, words.what, problems)?;
    let all = words.listed.iter().chain(words.understood).copied();
    if let Some(word) = all.clone().find(|word| *word == text) {
        return Some(word);
    }
    problems.error(
        "unknown-value",
        &node.span,
        format!("invalid {} \"{}\"", words.what, clip(text, QUOTED)),
        suggestion(text, all).unwrap_or_else(|| format!("write one of {}", listed(words.listed.iter().copied()))),
    );
    None
}

/// A whole number within bounds.
pub fn whole(node: &Node, what: &str, bounds: RangeInclusive<u64>, problems: &mut Problems) -> Option<u64> {
    let number = digits(node).filter(|number| bounds.contains(number));
    if number.is_none() {
        let message = format!("\"{what}\" must be a whole number from {} to {}", bounds.start(), bounds.end());
        problems.error("bad-number", &node.span, message, "write it without quotes");
    }
    number
}

/// A whole number from 0.
pub fn unsigned(node: &Node, what: &str, problems: &mut Problems) -> Option<u64> {
    let number = digits(node);
    if number.is_none() {
        let message = format!("\"{what}\" must be a whole number from 0, but this is {}", node.kind());
        problems.error("wrong-type", &node.span, message, "write its digits without quotes");
    }
    number
}

fn digits(node: &Node) -> Option<u64> {
    node.scalar().filter(|_| node.as_str().is_none()).and_then(|digits| digits.parse().ok())
}

/// True or false.
pub fn boolean(node: &Node, what: &str, problems: &mut Problems) -> Option<bool> {
    if let Value::Bool(value) = node.value {
        return Some(value);
    }
    wrong_kind(node, &format!("\"{what}\" must be true or false"), problems);
    None
}

/// Reports that `node` is not of the type that it must be.
pub fn wrong_kind(node: &Node, must_be: &str, problems: &mut Problems) {
    problems.error(
        "wrong-type",
        &node.span,
        format!("{must_be}, but this is {}", node.kind()),
        "change it to that type",
    );
}

/// `did you mean "…"`, if one of `known` is near enough to `written`.
pub fn suggestion<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    let folded = written.to_lowercase();
    let near = |name: &str| 1 + name.chars().count() / 4;
    known
        .into_iter()
        .filter(|name| !is_far(&folded, name, 1 + name.len() / 4))
        .map(|name| (strsim::osa_distance(&folded, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= near(name))
        .min_by_key(|(distance, _)| *distance)
        // No question mark: whoever shows a help ends it with a full stop.
        .map(|(_, name)| format!("did you mean \"{name}\""))
}

/// Whether more than `edits` edits lie between two names, as can be told from their lengths and letters: names may be a
/// megabyte long, and the known ones thousands. What is not ASCII is never far.
fn is_far(one: &str, other: &str, edits: usize) -> bool {
    let longer = one.len().abs_diff(other.len());
    if longer > edits {
        return longer > 4 * edits || (one.is_ascii() && other.is_ascii());
    }
    let letters = |name: &str| name.bytes().fold(0_u32, |letters, byte| letters | 1 << (byte & 31));
    let (left, right) = (letters(one), letters(other));
    let more = (left & !right).count_ones().max((right & !left).count_ones()) as usize;
    more > edits && one.is_ascii() && other.is_ascii()
}

/// `"a", "b" and "c"`
pub fn listed<'k>(names: impl IntoIterator<Item = &'k str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("\"{name}\"")).collect();
    match quoted.as_slice() {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_suggested_and_listed() {
        assert_eq!(listed(["low", "medium"]), r#""low" and "medium""#);
        assert_eq!(suggestion("mediun", ["low", "medium"]).as_deref(), Some("did you mean \"medium\""));
        assert_eq!(suggestion("xyz", ["low", "medium"]), None);
    }
}
