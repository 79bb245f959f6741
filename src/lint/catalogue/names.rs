//! The names of all calls: looked up by hash, and by what a misspelt one has in common with the right one.

use std::collections::HashSet;

/// The names of all calls.
#[derive(Debug)]
pub(in crate::lint) struct CallNames {
    /// Service by service, each in the order of the catalogue; a name that several services have stands there several times.
    all: Vec<Name>,
    distinct: HashSet<&'static str>,
}

#[derive(Debug)]
struct Name {
    text: &'static str,
    letters: Letters,
}

impl CallNames {
    pub(super) fn new(names: impl Iterator<Item = &'static str>) -> Self {
        let all: Vec<Name> = names.map(|text| Name { text, letters: Letters::of(text.as_bytes()) }).collect();
        Self { distinct: all.iter().map(|name| name.text).collect(), all }
    }

    /// Whether some service has a call of exactly this name.
    pub(in crate::lint) fn contains(&self, name: &str) -> bool {
        self.distinct.contains(name)
    }

    /// All names, in their order.
    pub(in crate::lint) fn iter(&self) -> impl Iterator<Item = &'static str> {
        self.all.iter().map(|name| name.text)
    }

    /// The names, in their order, that a quarter of their letters and one more may turn into this one; each once.
    pub(in crate::lint) fn near(&self, written: &str) -> Vec<&'static str> {
        let folded = written.to_lowercase();
        if !folded.is_ascii() {
            return self.iter().collect();
        }
        let (letters, length) = (Letters::of(folded.as_bytes()), folded.len());
        let mut seen = HashSet::new();
        self.all
            .iter()
            .filter(|name| {
                let edits = 1 + name.text.len() / 4;
                name.text.len().abs_diff(length) <= edits && letters.differ(&name.letters) <= edits
            })
            .map(|name| name.text)
            .filter(|name| seen.insert(*name))
            .collect()
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
        let sum = |one: &Self, other: &Self| -> usize {
            one.0.iter().zip(&other.0).map(|(one, other)| usize::from(one.saturating_sub(*other))).sum()
        };
        sum(self, other).max(sum(other, self))
    }
}

#[cfg(test)]
mod tests {
    use crate::config::suggestion;
    use crate::lint::catalogue::Catalogue;

    #[test]
    fn what_is_suggested_of_the_near_names_is_what_is_suggested_of_all() {
        let names = Catalogue::get().calls();
        let all: Vec<&str> = names.iter().collect();
        let mut suggested = 0;
        for (index, name) in all.iter().enumerate().step_by(97) {
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
                suggested += usize::from(expected.is_some());
            }
        }
        assert!(suggested > 400, "{suggested}");
        assert!(names.contains("CreateUser") && !names.contains("createUser"));
    }
}
