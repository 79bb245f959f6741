//! The names of all calls: looked up by hash, and by what a misspelt one has in common with the right one.

use std::collections::HashSet;

/// The names of all calls.
#[derive(Debug)]
pub(in crate::lint) struct CallNames {
    /// Each once, in the order in which the services have them.
    all: Vec<KnownName<'static>>,
    known: HashSet<&'static str>,
}

impl CallNames {
    pub(super) fn new(names: impl Iterator<Item = &'static str>) -> Self {
        let mut known = HashSet::new();
        let all = names.filter(|name| known.insert(*name)).map(KnownName::new).collect();
        Self { all, known }
    }

    /// Whether some service has a call of exactly this name.
    pub(in crate::lint) fn contains(&self, name: &str) -> bool {
        self.known.contains(name)
    }

    /// All names, in their order.
    pub(in crate::lint) fn iter(&self) -> impl Iterator<Item = &'static str> {
        self.all.iter().map(|name| name.text)
    }

    /// As [`near`], of all calls.
    pub(in crate::lint) fn near(&self, written: &str) -> Vec<&'static str> {
        nearest_of(written, self.all.iter())
    }
}

/// Those of the names, in their order, one of which is the nearest to what was written, if one is near enough to be
/// [suggested](crate::config::suggestion).
pub(in crate::lint) fn near<'k>(written: &str, names: impl IntoIterator<Item = &'k str>) -> Vec<&'k str> {
    let names: Vec<KnownName<'k>> = names.into_iter().map(KnownName::new).collect();
    nearest_of(written, names.iter())
}

fn nearest_of<'n, 'k: 'n>(written: &str, names: impl Iterator<Item = &'n KnownName<'k>>) -> Vec<&'k str> {
    let folded = written.to_lowercase();
    if !folded.is_ascii() {
        return names.map(|name| name.text).collect();
    }
    let (letters, length) = (Letters::of(folded.as_bytes()), folded.len());
    let mut found: Vec<(usize, &str)> = names
        .filter(|name| name.text.len().abs_diff(length) <= edits(name.text))
        .map(|name| (letters.differ(&name.letters), name.text))
        .filter(|(least, name)| *least <= edits(name))
        .collect();
    // Whatever the nearest is, it is no farther than this one: what differs from it in more letters cannot be it.
    if let Some((_, likely)) = found.iter().min_by_key(|(least, _)| *least) {
        let distance = strsim::osa_distance(&folded, &likely.to_lowercase());
        if distance <= edits(likely) {
            found.retain(|(least, _)| *least <= distance);
        }
    }
    found.into_iter().map(|(_, name)| name).collect()
}

/// How many edits away a name is suggested.
fn edits(name: &str) -> usize {
    1 + name.len() / 4
}

/// A name, and its letters.
#[derive(Debug)]
struct KnownName<'k> {
    text: &'k str,
    letters: Letters,
}

impl<'k> KnownName<'k> {
    fn new(text: &'k str) -> Self {
        Self { text, letters: Letters::of(text.as_bytes()) }
    }
}

/// How often each letter stands in a name, case apart: digits and signs share the places that letters leave.
#[derive(Debug)]
struct Letters([u8; 32]);

impl Letters {
    fn of(name: &[u8]) -> Self {
        let mut counts = [0_u8; 32];
        for byte in name {
            let count = &mut counts[usize::from(byte.to_ascii_lowercase() & 31)];
            *count = count.saturating_add(1);
        }
        Self(counts)
    }

    /// The least number of edits between two names with such letters: each adds one letter, takes one away, or does both.
    fn differ(&self, other: &Self) -> usize {
        let sum = |one: &Self, other: &Self| -> u16 {
            one.0.iter().zip(&other.0).map(|(one, other)| u16::from(one.saturating_sub(*other))).sum()
        };
        sum(self, other).max(sum(other, self)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::near;
    use crate::config::suggestion;
    use crate::lint::catalogue::Catalogue;

    #[test]
    fn what_is_suggested_of_the_near_names_is_what_is_suggested_of_all() {
        let names = Catalogue::get().calls();
        let all: Vec<&str> = names.iter().collect();
        let mut suggested = 0;
        for (index, name) in all.iter().enumerate().step_by(997) {
            let other = all[(index * 7 + 13) % all.len()];
            let half = name.len() / 2;
            for written in [
                format!("{}{}", &name[..half], &name[half + 1..]),
                format!("{}x{}", &name[..half], &name[half..]),
                name.to_uppercase(),
                format!("{}{}", &name[..half], &other[other.len() / 2..]),
                format!("é{name}"),
                format!("{name}{}", "9".repeat(300)),
            ] {
                let expected = suggestion(&written, all.iter().copied());
                assert_eq!(suggestion(&written, names.near(&written)), expected, "{written}");
                assert_eq!(suggestion(&written, near(&written, all.iter().copied())), expected, "{written}");
                suggested += usize::from(expected.is_some());
            }
        }
        assert!(suggested > 40, "{suggested}");
        assert!(names.contains("CreateUser") && !names.contains("createUser"));
    }
}
