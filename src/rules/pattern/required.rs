//! Literals that a pattern cannot do without: a text that has none of them does not match.
//!
//! They spare a cold start most of its regular expressions. Compiling one costs as much as compiling ten rules, and the few
//! texts that a cold start asks about mostly lack the literals, so that nothing has to be compiled at all.

use std::sync::atomic::{AtomicU32, Ordering};

use regex_syntax::hir::{Class, Hir, HirKind};

use super::literal::{Anchor, AnchoredLiteral};

/// The number of texts that the literals are searched for in. After so many the regular expression is compiled: it is faster
/// for a pattern that is asked often.
const PREFILTER_USES: u32 = 100;

/// The literals, in lower case. A text of ASCII in which the pattern is found contains one of them, in whatever case.
pub(super) struct RequiredLiterals {
    any_of: Vec<Vec<u8>>,
    /// Whether the pattern takes some letter in whatever case.
    ignore_case: bool,
    /// How often the literals have been searched for.
    uses: AtomicU32,
}

impl RequiredLiterals {
    /// Reads the literals from a pattern; `None` if a match need not contain any.
    pub(super) fn from_hir(hir: &Hir) -> Option<Self> {
        Some(Self { any_of: literals(hir)?, ignore_case: takes_any_case(hir), uses: AtomicU32::new(0) })
    }

    /// Whether the pattern takes some letter in whatever case. Literals in one case would say less about it than these do.
    pub(super) fn ignore_case(&self) -> bool {
        self.ignore_case
    }

    /// The literals, so that an index can file a row under them.
    pub(super) fn anchored(&self) -> Vec<AnchoredLiteral> {
        let anchored =
            |literal: &Vec<u8>| AnchoredLiteral { anchor: Anchor::AnyCase, bytes: literal.as_slice().into() };
        self.any_of.iter().map(anchored).collect()
    }

    /// Whether the pattern is certainly not found in a text of ASCII. After [`PREFILTER_USES`] texts the answer is always no.
    pub(super) fn rule_out(&self, text: &str) -> bool {
        // The exact number does not matter, so that threads may overwrite each other's.
        let uses = self.uses.load(Ordering::Relaxed);
        if uses >= PREFILTER_USES {
            return false;
        }
        self.uses.store(uses + 1, Ordering::Relaxed);
        let is_in =
            |literal: &Vec<u8>| text.as_bytes().windows(literal.len()).any(|part| part.eq_ignore_ascii_case(literal));
        !self.any_of.iter().any(is_in)
    }
}

/// Whether the pattern takes some letter in whatever case.
fn takes_any_case(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Class(class) => letter(class).is_some(),
        HirKind::Capture(capture) => takes_any_case(&capture.sub),
        HirKind::Repetition(repetition) => takes_any_case(&repetition.sub),
        HirKind::Alternation(parts) | HirKind::Concat(parts) => parts.iter().any(takes_any_case),
        HirKind::Literal(_) | HirKind::Empty | HirKind::Look(_) => false,
    }
}

/// Literals, none of them empty, one of which every match contains. `None`: a match need not contain any.
fn literals(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(vec![literal.0.to_ascii_lowercase()]),
        HirKind::Class(class) => Some(vec![vec![letter(class)?]]),
        HirKind::Capture(capture) => literals(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => literals(&repetition.sub),
        HirKind::Alternation(branches) => {
            let each: Option<Vec<_>> = branches.iter().map(literals).collect();
            each.map(|each| each.concat())
        }
        HirKind::Concat(parts) => of_parts(parts),
        HirKind::Empty | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

/// The literals of parts that stand one after the other. Every match contains one of each part's; those whose shortest is the
/// longest rule out the most texts.
fn of_parts(parts: &[Hir]) -> Option<Vec<Vec<u8>>> {
    let mut all = Vec::new();
    let mut run = Vec::new();
    for part in parts {
        match part.kind() {
            HirKind::Literal(literal) => run.extend(literal.0.to_ascii_lowercase()),
            HirKind::Class(class) if let Some(letter) = letter(class) => run.push(letter),
            _ => {
                all.push(vec![std::mem::take(&mut run)]);
                all.extend(literals(part));
            }
        }
    }
    all.push(vec![run]);
    let shortest = |any_of: &Vec<Vec<u8>>| any_of.iter().map(Vec::len).min().unwrap_or_default();
    all.into_iter().max_by_key(shortest).filter(|best| shortest(best) > 0)
}

/// The one letter, in lower case, that a class stands for in a text of ASCII.
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

    fn literals_of(pattern: &str) -> Option<Vec<String>> {
        let required = RequiredLiterals::from_hir(&regex_syntax::parse(pattern).unwrap())?;
        Some(required.any_of.into_iter().map(|literal| String::from_utf8(literal).unwrap()).collect())
    }

    #[test]
    fn every_match_contains_a_literal() {
        for (pattern, expected) in [
            (r"(?i)\b(pacu|Kali|parrot(sec)?)\b", &["pacu", "kali", "parrot"][..]),
            (r"^CreateFunction\d{8}", &["createfunction"]),
            ("a+(bc|de)x?f", &["bc", "de"]),
            ("(?i)straße", &["stra"]),
        ] {
            assert_eq!(literals_of(pattern).unwrap(), expected, "{pattern}");
        }
        for pattern in [r"\d+", "a?", "(ab|)", "[ab]", r"\b", "(?:abc)*", "(a|[xy])", ""] {
            assert_eq!(literals_of(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn what_is_asked_often_is_left_to_the_regular_expression() {
        let required = RequiredLiterals::from_hir(&regex_syntax::parse("(?i)kali").unwrap()).unwrap();
        assert!(!required.rule_out("on KALI Linux") && required.rule_out("kal") && required.rule_out(""));
        for _ in 3..PREFILTER_USES {
            assert!(required.rule_out("aws-cli"));
        }
        assert!(!required.rule_out("aws-cli"));
    }
}
