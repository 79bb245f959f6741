//! Patterns of `*` and `?`, as policies write actions, resources and values: what they match, and how two of them relate.

use std::cell::Cell;

/// How many steps may be spent on one record's policies. A policy of the largest size that AWS takes needs a hundredth of it; a
/// record that is made to be slow is cut short.
#[derive(Debug)]
pub(in crate::facts) struct Budget(Cell<usize>);

const STEPS: usize = 4_000_000;

impl Default for Budget {
    fn default() -> Self {
        Self(Cell::new(STEPS))
    }
}

impl Budget {
    /// Takes steps; `None` once there are not enough of them.
    pub(super) fn spend(&self, steps: usize) -> Option<()> {
        let left = self.0.get().checked_sub(steps);
        self.0.set(left.unwrap_or(0));
        left.map(drop)
    }
}

/// A pattern in which the question marks of each run of wildcards come first, and stars are not repeated, so that patterns that
/// mean the same are mostly equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::facts) struct Glob(Vec<u8>);

impl Glob {
    pub(super) fn new(text: &str) -> Self {
        let mut pattern = Vec::with_capacity(text.len());
        let mut star = false;
        for byte in text.bytes() {
            match byte {
                b'*' => star = true,
                b'?' => pattern.push(b'?'),
                other => {
                    if std::mem::take(&mut star) {
                        pattern.push(b'*');
                    }
                    pattern.push(other);
                }
            }
        }
        if star {
            pattern.push(b'*');
        }
        Self(pattern)
    }

    /// One of actions, whose case does not count. What every action has, a colon and something on either side, does not narrow it.
    pub(in crate::facts) fn of_actions(text: &str) -> Self {
        Self::new(&text.to_ascii_lowercase()).widened(&["*:*", "?*:*", "*:?*", "?*:?*"])
    }

    /// One of resources, all of which have ARNs.
    pub(super) fn of_resources(text: &str) -> Self {
        Self::new(text).widened(&["*:*", "?*:*", "*:?*", "?*:?*", "arn:*"])
    }

    fn widened(self, everything: &[&str]) -> Self {
        let is_everything = self.is_universal() || everything.iter().any(|pattern| pattern.as_bytes() == self.0);
        if is_everything { Self(b"*".to_vec()) } else { self }
    }

    /// Whether it matches everything that is not empty.
    pub(super) fn is_universal(&self) -> bool {
        matches!(*self.0, [b'*'] | [b'?', b'*'])
    }

    /// Whether it matches a text. What it costs is bounded by the text's length.
    pub(super) fn matches(&self, text: &str) -> bool {
        consumes(&self.0, text.as_bytes(), &mut || Some(()), |_| true, |pattern, byte| pattern == byte).unwrap_or(false)
    }

    /// Whether it certainly matches all that the other matches. If the budget ends, it does not.
    pub(super) fn covers(&self, other: &Self, budget: &Budget) -> bool {
        let literal = |pattern, symbol| pattern == symbol && !matches!(symbol, b'*' | b'?');
        consumes(&self.0, &other.0, &mut || budget.spend(1), |symbol| symbol != b'*', literal).unwrap_or(false)
    }

    /// Whether there may be a text that both match. If the budget ends, there may be.
    pub(super) fn overlaps(&self, other: &Self, budget: &Budget) -> bool {
        if budget.spend((self.0.len() + 1).saturating_mul(other.0.len() + 1)).is_none() {
            return true;
        }
        // reached[j]: some text is matched by the pattern so far and by the first j symbols of the other.
        let mut reached: Vec<bool> =
            (0..=other.0.len()).map(|end| other.0[..end].iter().all(|&byte| byte == b'*')).collect();
        for &symbol in &self.0 {
            let before = reached.clone();
            for end in 0..reached.len() {
                let last = end.checked_sub(1).map(|index| other.0[index]);
                reached[end] = match (symbol, last) {
                    (b'*', None) => before[end],
                    (_, None) => false,
                    (b'*', Some(_)) | (_, Some(b'*')) => before[end] || reached[end - 1],
                    (symbol, Some(last)) => before[end - 1] && (symbol == last || symbol == b'?' || last == b'?'),
                };
            }
        }
        reached.last().copied().unwrap_or(false)
    }
}

/// Whether a pattern consumes all symbols: a star any run of them, a question mark one that `question` accepts. `None` if a step was refused.
fn consumes(
    pattern: &[u8],
    symbols: &[u8],
    step: &mut dyn FnMut() -> Option<()>,
    question: impl Fn(u8) -> bool,
    literal: impl Fn(u8, u8) -> bool,
) -> Option<bool> {
    let (mut at, mut position) = (0, 0);
    // Where the last star stands, and where the run that it consumes ends.
    let mut star: Option<(usize, usize)> = None;
    while position < symbols.len() {
        step()?;
        let fits = match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, position));
                at += 1;
                continue;
            }
            Some(b'?') => question(symbols[position]),
            Some(&byte) => literal(byte, symbols[position]),
            None => false,
        };
        if fits {
            at += 1;
            position += 1;
        } else if let Some((star_at, end)) = star {
            star = Some((star_at, end + 1));
            at = star_at + 1;
            position = end + 1;
        } else {
            return Some(false);
        }
    }
    Some(pattern[at..].iter().all(|&byte| byte == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_text(alphabet: &[char], longest: usize) -> Vec<String> {
        let mut texts = vec![String::new()];
        let mut last = texts.clone();
        for _ in 0..longest {
            last = last.iter().flat_map(|text| alphabet.iter().map(move |letter| format!("{text}{letter}"))).collect();
            texts.extend(last.iter().cloned());
        }
        texts
    }

    /// By the definition: a star is any text, a question mark one character.
    fn defined(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|length| defined(rest, &text[length..])),
            Some(('?', rest)) => !text.is_empty() && defined(rest, &text[1..]),
            Some((letter, rest)) => text.first() == Some(letter) && defined(rest, &text[1..]),
        }
    }

    #[test]
    fn what_patterns_match_and_how_they_relate_is_as_defined() {
        let patterns = every_text(&['a', '*', '?'], 4);
        // `c` stands in no pattern.
        let texts = every_text(&['a', 'c'], 5);
        let chars = |text: &String| text.chars().collect::<Vec<_>>();
        let matched: Vec<Vec<bool>> = patterns
            .iter()
            .map(|pattern| texts.iter().map(|text| defined(&chars(pattern), &chars(text))).collect())
            .collect();
        let budget = Budget(Cell::new(usize::MAX));
        let mut covered = 0;
        for (left, left_matches) in patterns.iter().zip(&matched) {
            let glob = Glob::new(left);
            for (text, expected) in texts.iter().zip(left_matches) {
                assert_eq!(glob.matches(text), *expected, "{left:?} on {text:?}");
            }
            for (right, right_matches) in patterns.iter().zip(&matched) {
                let other = Glob::new(right);
                let common = left_matches.iter().zip(right_matches).any(|(left, right)| *left && *right);
                assert_eq!(glob.overlaps(&other, &budget), common, "{left:?} and {right:?}");
                let contains = left_matches.iter().zip(right_matches).all(|(left, right)| *left || !right);
                if glob.covers(&other, &budget) {
                    assert!(contains, "{left:?} covers {right:?}");
                    covered += 1;
                }
            }
        }
        assert!(covered > 1000, "{covered}");
    }

    #[test]
    fn what_a_star_of_one_consumes_with_a_question_mark_of_the_other_is_left_open() {
        let budget = Budget::default();
        // True, and not seen: nobody is told that something is taken back which is not.
        assert!(!Glob::new("a?*").covers(&Glob::new("a*b"), &budget));
        assert!(Glob::new("s3:*").covers(&Glob::new("s3:get*"), &budget));
        assert!(!Glob::new("s3:get*").covers(&Glob::new("s3:*"), &budget));
    }

    #[test]
    fn the_budget_ends() {
        let slow = Glob::new(&"*a".repeat(20_000));
        let long = Glob::new(&"a".repeat(40_000));
        let budget = Budget::default();
        assert!(slow.overlaps(&long, &budget));
        assert!(!Glob::new("*").covers(&long, &budget));
    }
}
