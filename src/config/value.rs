//! Reads single values of `rules.json`, reporting each mistake with its remedy.

use std::ops::{Range, RangeInclusive};

use super::advice::{Advice, Fix};
use super::diagnostic::Problems;
use super::foreign::instead_of_word;
use super::spec::{TextFormat, WordList};
use super::words::{listed, quoted};
use crate::json::{Node, Value};
use crate::text::clip;

/// Characters of a wrong value that its diagnostic quotes.
pub(super) const QUOTED: usize = 80;

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
        Value::Null | Value::TooDeep(_) => {
            wrong_kind(node, &format!("{what} must be a list"), problems);
            &[]
        }
        _ => {
            let message = format!("{what} must be a list, but this is {}", node.kind());
            let advice = Advice::new("write it in brackets").with_fix(Fix::in_brackets(&node.span));
            problems.error("wrong-type", &node.span, message, advice);
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
        word_advice(node, text, words),
    );
    None
}

/// What to write instead of a word that is none of these.
fn word_advice(node: &Node, text: &str, words: &WordList) -> Advice {
    if let Some(advice) = instead_of_word(words.what, text, node) {
        return advice;
    }
    // Nobody is told to write what is only understood.
    let understood = || suggestion(text, words.understood.iter().copied());
    match suggestion(text, words.listed.iter().copied()).or_else(understood) {
        Some(near) => near.advice(&node.span),
        None => format!("write one of {}", listed(words.listed.iter().copied())).into(),
    }
}

/// A whole number within bounds.
pub fn whole(node: &Node, what: &str, bounds: RangeInclusive<u64>, problems: &mut Problems) -> Option<u64> {
    let number = digits(node).filter(|number| bounds.contains(number));
    if number.is_none() {
        let message = format!("\"{what}\" must be a whole number from {} to {}", bounds.start(), bounds.end());
        problems.error("bad-number", &node.span, message, number_advice(node, |number| bounds.contains(&number)));
    }
    number
}

/// A whole number from 0.
pub fn unsigned(node: &Node, what: &str, problems: &mut Problems) -> Option<u64> {
    let number = digits(node);
    if number.is_none() {
        let message = format!("\"{what}\" must be a whole number from 0, but this is {}", node.kind());
        problems.error("wrong-type", &node.span, message, number_advice(node, |_| true));
    }
    number
}

/// What to write instead of what is not such a number: its digits, if they only stand in quotes.
fn number_advice(node: &Node, fits: impl Fn(u64) -> bool) -> Advice {
    let in_quotes = node.as_str().and_then(|text| text.parse::<u64>().ok()).filter(|number| fits(*number));
    match in_quotes {
        Some(number) => Advice::new(format!("write {number}, without quotes"))
            .with_fix(Fix::replace(&node.span, number.to_string())),
        None => "write such a number, without quotes".into(),
    }
}

fn digits(node: &Node) -> Option<u64> {
    node.scalar().filter(|_| node.as_str().is_none()).and_then(|digits| digits.parse().ok())
}

/// True or false.
pub fn boolean(node: &Node, what: &str, problems: &mut Problems) -> Option<bool> {
    if let Value::Bool(value) = node.value {
        return Some(value);
    }
    let must_be = format!("\"{what}\" must be true or false");
    match node.as_str().map(str::to_ascii_lowercase).as_deref() {
        Some(word @ ("true" | "false")) => {
            let advice = Advice::new(format!("write {word}, without quotes")).with_fix(Fix::replace(&node.span, word));
            problems.error("wrong-type", &node.span, format!("{must_be}, but this is a string"), advice);
        }
        _ => wrong_kind(node, &must_be, problems),
    }
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

/// A known name that is near to one that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suggestion<'k> {
    /// The name.
    pub name: &'k str,
    /// Whether it is so near, and alone so near, that no other can be meant.
    pub is_sure: bool,
}

impl<'k> Suggestion<'k> {
    /// The nearest known name to what was written, so many edits away, and whether no other is as near.
    pub(crate) fn new(written: &str, name: &'k str, distance: usize, is_alone: bool) -> Self {
        // Two slips in a short word make another word of it, and so does another number.
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let is_near = distance <= 1 || (distance == 2 && name.chars().count() >= 6);
        Self { name, is_sure: is_alone && is_near && digits(written) == digits(name) }
    }

    /// `did you mean "…"?`
    pub fn question(&self) -> String {
        format!("did you mean \"{}\"?", self.name)
    }

    /// The question, and where it has one answer, that answer in the place of the text at `span`.
    pub fn advice(&self, span: &Range<usize>) -> Advice {
        Advice::new(self.question()).with_fix(self.is_sure.then(|| Fix::replace(span, quoted(self.name))))
    }
}

/// The nearest of `known` to what was written, if one is near enough.
pub fn suggestion<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<Suggestion<'k>> {
    let folded = written.to_lowercase();
    let near = |name: &str| 1 + name.chars().count() / 4;
    let mut nearest: Option<(usize, &str)> = None;
    let mut is_alone = true;
    for name in known.into_iter().filter(|name| !is_far(&folded, name, 1 + name.len() / 4)) {
        let distance = strsim::osa_distance(&folded, &name.to_lowercase());
        if distance > near(name) {
            continue;
        }
        match nearest {
            Some((least, other)) if least == distance => is_alone &= other.eq_ignore_ascii_case(name),
            Some((least, _)) if least < distance => {}
            _ => (nearest, is_alone) = (Some((distance, name)), true),
        }
    }
    let (distance, name) = nearest?;
    Some(Suggestion::new(written, name, distance, is_alone))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_suggested_and_listed() {
        assert_eq!(listed(["low", "medium"]), r#""low" and "medium""#);
        assert_eq!(suggestion("mediun", ["low", "medium"]).unwrap().question(), "did you mean \"medium\"?");
        assert_eq!(suggestion("xyz", ["low", "medium"]), None);
    }

    #[test]
    fn a_suggestion_is_sure_where_no_other_can_be_meant() {
        let sure =
            |written, known: &[&'static str]| suggestion(written, known.iter().copied()).map(|near| near.is_sure);
        assert_eq!(sure("evnt", &["event", "user"]), Some(true));
        assert_eq!(sure("High", &["high", "HIGH"]), Some(true), "one word in two spellings");
        assert_eq!(sure("StpInstances", &["StopInstances", "StepInstances"]), Some(false), "two are as near");
        assert_eq!(sure("uxxr", &["user"]), Some(false), "two slips in a short word");
        assert_eq!(sure("sevrety", &["severity"]), Some(true));
    }
}
