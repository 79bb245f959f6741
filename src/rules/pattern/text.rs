//! Reads the usual spellings straight from a pattern's text: literals with `^`, `$`, `.`, one level of groups, and `.*` at
//! either end. A pattern in which anything else stands is left to [`super::hir`].

use super::literal::{ANY, Anchor, LiteralPattern, WildcardLiteral};

/// The most literals that a pattern may multiply out to: `(a|b)(c|d)` is four.
const MAX_LITERALS: usize = 256;

/// The characters that have a meaning in a regular expression.
const META: &[u8] = br"\.+*?()|[]{}^$";

/// For each byte, whether a pattern's reading stops at it: a character with a meaning, or a newline.
const IS_STOP: [bool; 256] = {
    let mut stops = [false; 256];
    let mut place = 0;
    while place < META.len() {
        stops[META[place] as usize] = true;
        place += 1;
    }
    stops[b'\n' as usize] = true;
    stops
};

/// The pattern as literals, if it is one of the usual spellings.
pub(super) fn read(pattern: &str) -> Option<LiteralPattern> {
    let mut literals = LiteralPattern::default();
    for branch in branches(pattern)? {
        read_branch(branch, &mut literals)?;
    }
    (literals.any_of.len() <= MAX_LITERALS).then_some(literals)
}

/// The alternatives at the top: `a|b(c|d)` is `a` and `b(c|d)`. `None` if the parentheses do not pair.
fn branches(pattern: &str) -> Option<Vec<&str>> {
    let (mut branches, mut start, mut depth, mut escaped) = (Vec::new(), 0, 0_usize, false);
    for (at, byte) in pattern.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'(' => depth += 1,
            b')' => depth = depth.checked_sub(1)?,
            b'|' if depth == 0 => {
                branches.push(&pattern[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    branches.push(&pattern[start..]);
    (depth == 0 && !escaped).then_some(branches)
}

fn read_branch(branch: &str, read: &mut LiteralPattern) -> Option<()> {
    let (mut at_start, mut rest) = branch.strip_prefix('^').map_or((false, branch), |rest| (true, rest));
    if let Some(after) = rest.strip_prefix(".*") {
        read.one_line |= at_start;
        (at_start, rest) = (false, after);
    }
    let (mut literals, mut unit) = (vec![Vec::new()], Vec::new());
    let mut at_end = false;
    while let Some(c) = rest.chars().next() {
        match rest {
            // The digits are Lambda's and CloudFront's API versions: `CreateFunction20150331`, `UpdateDistribution2020_05_31`.
            ".*" | r"\d*" | r"\d*(_\d\d)*" => break,
            ".*$" => {
                read.one_line = true;
                break;
            }
            // One character more is as good as several.
            ".+" => rest = ".",
            ".+$" => {
                read.one_line = true;
                rest = ".";
            }
            "$" => {
                at_end = true;
                break;
            }
            _ => {}
        }
        if c != '(' {
            unit.clear();
            rest = run(rest, &mut unit)?;
            literals.iter_mut().for_each(|literal: &mut Vec<u8>| literal.extend(&unit));
            continue;
        }
        let choices;
        (choices, rest) = group(&rest[1..])?;
        if literals.len() * choices.len() > MAX_LITERALS {
            return None;
        }
        if let [only] = &choices[..] {
            literals.iter_mut().for_each(|literal| literal.extend_from_slice(only));
        } else {
            literals = literals.iter().flat_map(|head| choices.iter().map(|tail| [&head[..], tail].concat())).collect();
        }
    }
    let anchor = match (at_start, at_end) {
        (true, true) => Anchor::Whole,
        (true, false) => Anchor::Start,
        (false, true) => Anchor::End,
        (false, false) => Anchor::Anywhere,
    };
    read.any_of.extend(literals.into_iter().map(|bytes| WildcardLiteral { anchor, bytes: bytes.into() }));
    Some(())
}

/// Appends the characters that stand for themselves, or else one that is escaped or `.`, and returns what follows. (A
/// quantifier that follows is neither: it ends the reading at the next step.)
fn run<'p>(rest: &'p str, bytes: &mut Vec<u8>) -> Option<&'p str> {
    let plain = rest.bytes().position(|byte| IS_STOP[usize::from(byte)]).unwrap_or(rest.len());
    if plain > 0 {
        bytes.extend(&rest.as_bytes()[..plain]);
        return Some(&rest[plain..]);
    }
    if let Some(after) = rest.strip_prefix('.') {
        bytes.push(ANY);
        return Some(after);
    }
    let escaped = *rest.strip_prefix('\\')?.as_bytes().first()?;
    if !META.contains(&escaped) && escaped != b'-' && escaped != b'/' {
        return None;
    }
    bytes.push(escaped);
    Some(&rest[2..])
}

/// The alternatives of a group, whose parenthesis has been opened, and what follows the group.
fn group(rest: &str) -> Option<(Vec<Vec<u8>>, &str)> {
    let mut rest = rest.strip_prefix("?:").unwrap_or(rest);
    let mut choices = vec![Vec::new()];
    loop {
        match rest.chars().next()? {
            ')' => return Some((choices, &rest[1..])),
            '|' => {
                choices.push(Vec::new());
                rest = &rest[1..];
            }
            _ => {
                rest = run(rest, choices.last_mut()?)?;
            }
        }
    }
}
