//! Judges a pattern that `regex-syntax` has read: which literals it comes to, and how large it can become once compiled.

use std::cell::LazyCell;

use regex_syntax::hir::literal::{ExtractKind, Extractor, Seq};
use regex_syntax::hir::{Class, Dot, Hir, HirKind, Look};

use super::literal::{ANY, Anchor, AnchoredLiteral, LiteralPattern, WildcardLiteral};

/// The estimated bytes up to which a pattern is not compiled to learn its true size: half of the `regex` crate's limit of
/// 10 MiB.
const CERTAINLY_SMALL: u64 = 5 * 1024 * 1024;

/// The most texts that a pattern may come to as a list of literals: the limit of `regex-syntax`'s own extractor.
const MAX_TEXTS: usize = 250;

/// Whether the pattern might exceed the `regex` crate's limit. The estimate is from above: counted repetition multiplies,
/// every range of a class costs what the dearest does.
pub(super) fn may_be_too_large(hir: &Hir) -> bool {
    size(hir) > CERTAINLY_SMALL
}

/// Estimates the bytes of the compiled pattern, from above.
fn size(hir: &Hir) -> u64 {
    /// The bytes of one state of the automaton.
    const STATE: u64 = 128;
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => STATE,
        HirKind::Literal(literal) => STATE * (literal.0.len() as u64 + 1),
        HirKind::Class(class) => {
            let ranges = match class {
                Class::Unicode(class) => class.ranges().len(),
                Class::Bytes(class) => class.ranges().len(),
            };
            STATE * (2 * ranges as u64 + 8)
        }
        HirKind::Repetition(repetition) => {
            let times = u64::from(repetition.max.unwrap_or(repetition.min).max(repetition.min)) + 1;
            size(&repetition.sub).saturating_mul(times).saturating_add(STATE.saturating_mul(times))
        }
        HirKind::Capture(capture) => size(&capture.sub).saturating_add(2 * STATE),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().fold(STATE, |sum, part| sum.saturating_add(size(part)).saturating_add(STATE))
        }
    }
}

/// The pattern as literals; `None` if only a regular expression can decide about it.
pub(super) fn literals(hir: &Hir) -> Option<LiteralPattern> {
    let mut parts = Vec::new();
    flatten(hir, &mut parts);
    let mut parts = &parts[..];
    let (mut at_start, mut at_end, mut one_line) = (false, false, false);
    if let [first, rest @ ..] = parts
        && matches!(first.kind(), HirKind::Look(Look::Start))
    {
        (at_start, parts) = (true, rest);
    }
    if let [rest @ .., last] = parts
        && matches!(last.kind(), HirKind::Look(Look::End))
    {
        (at_end, parts) = (true, rest);
    }
    if let [first, rest @ ..] = parts
        && is_dot_star(first)
    {
        one_line |= at_start;
        (at_start, parts) = (false, rest);
    }
    if let [rest @ .., last] = parts
        && is_dot_star(last)
    {
        one_line |= at_end;
        (at_end, parts) = (false, rest);
    }
    let middle = Hir::concat(parts.iter().map(|part| (*part).clone()).collect());
    // The extractor takes a look-around for nothing. It would also find out that a pattern is too many texts, after having
    // made hundreds of them.
    let properties = middle.properties();
    if !properties.look_set().is_empty() || properties.maximum_len().is_none() || texts(&middle) > MAX_TEXTS {
        return None;
    }
    let literals = Extractor::new().extract(&middle);
    if !literals.is_exact() {
        return None;
    }
    let anchor = match (at_start, at_end) {
        (true, true) => Anchor::Whole,
        (true, false) => Anchor::Start,
        (false, true) => Anchor::End,
        (false, false) => Anchor::Anywhere,
    };
    let any_of = literals
        .literals()?
        .iter()
        .map(|literal| {
            let bytes = literal.as_bytes();
            (!bytes.contains(&ANY)).then(|| WildcardLiteral { anchor, bytes: bytes.into() })
        })
        .collect::<Option<_>>()?;
    Some(LiteralPattern { any_of, one_line })
}

/// The number of texts that the pattern stands for, at least: a repetition counts once.
fn texts(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) => 1,
        HirKind::Class(Class::Unicode(class)) => class.iter().map(regex_syntax::hir::ClassUnicodeRange::len).sum(),
        HirKind::Class(Class::Bytes(class)) => class.iter().map(regex_syntax::hir::ClassBytesRange::len).sum(),
        HirKind::Repetition(repetition) => texts(&repetition.sub),
        HirKind::Capture(capture) => texts(&capture.sub),
        HirKind::Concat(parts) => parts.iter().map(texts).fold(1, usize::saturating_mul),
        HirKind::Alternation(branches) => branches.iter().map(texts).fold(0, usize::saturating_add),
    }
}

/// Appends the parts that stand one after the other. Groups are opened: whether a pattern is found does not depend on them.
fn flatten<'h>(hir: &'h Hir, parts: &mut Vec<&'h Hir>) {
    match hir.kind() {
        HirKind::Concat(inner) => inner.iter().for_each(|part| flatten(part, parts)),
        HirKind::Capture(capture) => flatten(&capture.sub, parts),
        _ => parts.push(hir),
    }
}

fn is_dot_star(hir: &Hir) -> bool {
    matches!(hir.kind(), HirKind::Repetition(repetition)
        if repetition.min == 0 && repetition.max.is_none() && *repetition.sub == Hir::dot(Dot::AnyCharExceptLF))
}

/// Literals, one of which every text must have that the pattern is found in. `None`: it can be found without any that the
/// extractor sees.
pub(super) fn required_literals(hir: &Hir) -> Option<Vec<AnchoredLiteral>> {
    let properties = hir.properties();
    let prefixes = Extractor::new().extract(hir);
    let suffixes = LazyCell::new(|| Extractor::new().kind(ExtractKind::Suffix).extract(hir));
    let starts =
        properties.look_set_prefix().contains(Look::Start).then(|| anchored(&prefixes, Anchor::Start)).flatten();
    let ends = || properties.look_set_suffix().contains(Look::End).then(|| anchored(&suffixes, Anchor::End)).flatten();
    starts
        .or_else(ends)
        .or_else(|| anchored(&prefixes, Anchor::Anywhere))
        .or_else(|| anchored(&suffixes, Anchor::Anywhere))
}

fn anchored(literals: &Seq, anchor: Anchor) -> Option<Vec<AnchoredLiteral>> {
    literals
        .literals()?
        .iter()
        .map(|literal| (!literal.is_empty()).then(|| AnchoredLiteral { anchor, bytes: literal.as_bytes().into() }))
        .collect()
}
