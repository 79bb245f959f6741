//! Patterns of a whole text in letters of either case, such as `(?i)^root$`: of EventBridge's operators one says the same.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// The most texts that [`of`] tells.
const MAX_SPELT: usize = 16;

/// The texts of which a text must be one, in letters of either case, for the pattern to be found in it: the pattern is about the whole
/// text, as `(?i)^root$` is. The texts have small letters. `None`: it is not, or there are too many.
///
/// Unicode's rules know other letters for two of ASCII's, the Kelvin sign for `k` and the long `s`: a text with such a letter is told
/// besides.
pub(super) fn of(hir: &Hir) -> Option<Vec<String>> {
    let is = |part: &Hir, look: Look| matches!(part.kind(), HirKind::Look(found) if *found == look);
    match hir.kind() {
        HirKind::Capture(capture) => of(&capture.sub),
        HirKind::Alternation(branches) => union(branches, of),
        HirKind::Concat(parts) => {
            let [first, middle @ .., last] = &parts[..] else { return None };
            if is(first, Look::Start) && is(last, Look::End) { product(middle) } else { None }
        }
        _ => None,
    }
}

/// All texts that are found, in small letters, where these are few.
fn spelt(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Empty => Some(vec![String::new()]),
        HirKind::Literal(literal) => Some(vec![std::str::from_utf8(&literal.0).ok()?.to_ascii_lowercase()]),
        HirKind::Class(Class::Unicode(class)) => {
            let mut letters = Vec::new();
            for range in class.iter() {
                for letter in range.start()..=range.end() {
                    let small = letter.to_ascii_lowercase().to_string();
                    if !letters.contains(&small) {
                        letters.push(small);
                    }
                    if letters.len() > MAX_SPELT {
                        return None;
                    }
                }
            }
            Some(letters)
        }
        HirKind::Capture(capture) => spelt(&capture.sub),
        HirKind::Alternation(branches) => union(branches, spelt),
        HirKind::Concat(parts) => product(parts),
        HirKind::Class(Class::Bytes(_)) | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

fn union(branches: &[Hir], each: fn(&Hir) -> Option<Vec<String>>) -> Option<Vec<String>> {
    let all: Option<Vec<Vec<String>>> = branches.iter().map(each).collect();
    all.map(|all| all.concat()).filter(|all| all.len() <= MAX_SPELT)
}

fn product(parts: &[Hir]) -> Option<Vec<String>> {
    let mut all = vec![String::new()];
    for part in parts {
        let next = spelt(part)?;
        if all.len() * next.len() > MAX_SPELT {
            return None;
        }
        all = all.iter().flat_map(|head| next.iter().map(move |tail| format!("{head}{tail}"))).collect();
    }
    Some(all)
}
