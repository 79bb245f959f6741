//! Spares a cold start most of its regular expressions: to compile one costs as much as ten rules do, and a text that lacks
//! what the pattern cannot do without is none that it is found in.

use std::sync::atomic::{AtomicU32, Ordering};

use regex_syntax::hir::{Class, Hir, HirKind};

use super::shape::{Key, Place};

/// So many texts are looked at before a pattern is one that is asked often: for those the regular expression is faster.
const GLANCES: u32 = 100;

/// Literals in lower case. A text of ASCII that the pattern is found in holds one of them, in whatever case.
pub(super) struct Needles {
    any_of: Vec<Vec<u8>>,
    /// Whether the pattern takes some letter in whatever case.
    ignore_case: bool,
    glances: AtomicU32,
}

impl Needles {
    /// Of a pattern; `None` if there are none that every match holds.
    pub(super) fn of(hir: &Hir) -> Option<Self> {
        Some(Self { any_of: needles(hir)?, ignore_case: takes_any_case(hir), glances: AtomicU32::new(0) })
    }

    /// Whether the pattern takes some letter in whatever case: then no literal in one case says as much.
    pub(super) fn ignore_case(&self) -> bool {
        self.ignore_case
    }

    /// The literals, to be found in a text.
    pub(super) fn keys(&self) -> Vec<Key> {
        self.any_of.iter().map(|needle| Key { place: Place::AnyCase, bytes: needle.as_slice().into() }).collect()
    }

    /// Whether the pattern is certainly not found in a text of ASCII. After [`GLANCES`] texts nothing is certain any more.
    pub(super) fn rule_out(&self, text: &str) -> bool {
        // How many exactly does not matter: threads may race.
        let glances = self.glances.load(Ordering::Relaxed);
        if glances >= GLANCES {
            return false;
        }
        self.glances.store(glances + 1, Ordering::Relaxed);
        let is_in =
            |needle: &Vec<u8>| text.as_bytes().windows(needle.len()).any(|part| part.eq_ignore_ascii_case(needle));
        !self.any_of.iter().any(is_in)
    }
}

fn takes_any_case(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Class(class) => letter(class).is_some(),
        HirKind::Capture(capture) => takes_any_case(&capture.sub),
        HirKind::Repetition(repetition) => takes_any_case(&repetition.sub),
        HirKind::Alternation(parts) | HirKind::Concat(parts) => parts.iter().any(takes_any_case),
        HirKind::Literal(_) | HirKind::Empty | HirKind::Look(_) => false,
    }
}

/// None of them is empty.
fn needles(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(vec![literal.0.to_ascii_lowercase()]),
        HirKind::Class(class) => Some(vec![vec![letter(class)?]]),
        HirKind::Capture(capture) => needles(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => needles(&repetition.sub),
        HirKind::Alternation(branches) => {
            let each: Option<Vec<_>> = branches.iter().map(needles).collect();
            each.map(|each| each.concat())
        }
        HirKind::Concat(parts) => of_parts(parts),
        HirKind::Empty | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

/// Of parts that stand one after the other each has its own; the longest rule out the most.
fn of_parts(parts: &[Hir]) -> Option<Vec<Vec<u8>>> {
    let mut all = Vec::new();
    let mut run = Vec::new();
    for part in parts {
        match part.kind() {
            HirKind::Literal(literal) => run.extend(literal.0.to_ascii_lowercase()),
            HirKind::Class(class) if let Some(letter) = letter(class) => run.push(letter),
            _ => {
                all.push(vec![std::mem::take(&mut run)]);
                all.extend(needles(part));
            }
        }
    }
    all.push(vec![run]);
    let shortest = |any_of: &Vec<Vec<u8>>| any_of.iter().map(Vec::len).min().unwrap_or_default();
    all.into_iter().max_by_key(shortest).filter(|best| shortest(best) > 0)
}

/// The one letter, in lower case, that a class comes to in a text of ASCII.
fn letter(class: &Class) -> Option<u8> {
    let ranges: Vec<(u32, u32)> = match class {
        Class::Unicode(class) => class.iter().map(|range| (range.start().into(), range.end().into())).collect(),
        Class::Bytes(class) => class.iter().map(|range| (range.start().into(), range.end().into())).collect(),
    };
    let ascii = ranges.into_iter().flat_map(|(first, last)| first..=last.min(0x7f));
    let mut letters = ascii.filter_map(|letter| u8::try_from(letter).ok()).map(|letter| letter.to_ascii_lowercase());
    let first = letters.next()?;
    letters.all(|letter| letter == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pattern: &str) -> Option<Vec<String>> {
        let needles = Needles::of(&regex_syntax::parse(pattern).unwrap())?;
        Some(needles.any_of.into_iter().map(|needle| String::from_utf8(needle).unwrap()).collect())
    }

    #[test]
    fn every_match_holds_a_needle() {
        for (pattern, expected) in [
            (r"(?i)\b(pacu|Kali|parrot(sec)?)\b", &["pacu", "kali", "parrot"][..]),
            (r"^CreateFunction\d{8}", &["createfunction"]),
            ("a+(bc|de)x?f", &["bc", "de"]),
            ("(?i)straße", &["stra"]),
        ] {
            assert_eq!(of(pattern).unwrap(), expected, "{pattern}");
        }
        for pattern in [r"\d+", "a?", "(ab|)", "[ab]", r"\b", "(?:abc)*", "(a|[xy])", ""] {
            assert_eq!(of(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn what_is_asked_often_is_left_to_the_regular_expression() {
        let needles = Needles::of(&regex_syntax::parse("(?i)kali").unwrap()).unwrap();
        assert!(!needles.rule_out("on KALI Linux") && needles.rule_out("kal") && needles.rule_out(""));
        for _ in 3..GLANCES {
            assert!(needles.rule_out("aws-cli"));
        }
        assert!(!needles.rule_out("aws-cli"));
    }
}
