//! Looks at a pattern that `regex-syntax` has read: its literals, and how large it can become.

use std::cell::LazyCell;

use regex_syntax::hir::literal::{ExtractKind, Extractor, Seq};
use regex_syntax::hir::{Class, Dot, Hir, HirKind, Look};

use super::shape::{ANY, Key, Literal, Place, Shape};

/// Bytes that a compiled pattern may have without a look at the true size: half of the `regex` crate's limit.
const CERTAINLY_SMALL: u64 = 5 * 1024 * 1024;

/// Texts that a pattern may be and still come to a list of literals: the extractor's own limit.
const MAX_TEXTS: usize = 250;

/// Whether the pattern might exceed the `regex` crate's limit. The estimate is from above: counted repetition multiplies,
/// every range of a class costs what the dearest does.
pub(super) fn may_be_too_large(hir: &Hir) -> bool {
    size(hir) > CERTAINLY_SMALL
}

fn size(hir: &Hir) -> u64 {
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

/// The pattern as literals, if it is no more than that.
pub(super) fn shape(hir: &Hir) -> Option<Shape> {
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
    let place = match (at_start, at_end) {
        (true, true) => Place::Whole,
        (true, false) => Place::Start,
        (false, true) => Place::End,
        (false, false) => Place::Anywhere,
    };
    let any_of = literals
        .literals()?
        .iter()
        .map(|literal| {
            let bytes = literal.as_bytes();
            (!bytes.contains(&ANY)).then(|| Literal { place, bytes: bytes.into() })
        })
        .collect::<Option<_>>()?;
    Some(Shape { any_of, one_line })
}

/// How many texts the pattern is, at least; repetition counts once.
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

/// The parts that stand one after the other; that they are grouped makes no difference to whether they are found.
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

/// Literals of which each text that the pattern is found in has one, in its place; `None` if there are none to be had.
pub(super) fn keys(hir: &Hir) -> Option<Vec<Key>> {
    let properties = hir.properties();
    let prefixes = Extractor::new().extract(hir);
    let suffixes = LazyCell::new(|| Extractor::new().kind(ExtractKind::Suffix).extract(hir));
    let starts = properties.look_set_prefix().contains(Look::Start).then(|| placed(&prefixes, Place::Start)).flatten();
    let ends = || properties.look_set_suffix().contains(Look::End).then(|| placed(&suffixes, Place::End)).flatten();
    starts.or_else(ends).or_else(|| placed(&prefixes, Place::Anywhere)).or_else(|| placed(&suffixes, Place::Anywhere))
}

fn placed(literals: &Seq, place: Place) -> Option<Vec<Key>> {
    literals
        .literals()?
        .iter()
        .map(|literal| (!literal.is_empty()).then(|| Key { place, bytes: literal.as_bytes().into() }))
        .collect()
}
