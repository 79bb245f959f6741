//! How far one name is from another: the number of letters that are added, left out, replaced or swapped with their neighbour,
//! case apart ("optimal string alignment").

/// How many edits away a name is suggested.
pub(super) fn edits(name: &str) -> usize {
    1 + name.len() / 4
}

/// How often each letter stands in a name, case apart: digits and signs share the places that letters leave.
#[derive(Debug)]
pub(super) struct Letters([u8; 32]);

impl Letters {
    pub(super) fn of(name: &[u8]) -> Self {
        let mut counts = [0_u8; 32];
        for byte in name {
            let count = &mut counts[usize::from(byte.to_ascii_lowercase() & 31)];
            *count = count.saturating_add(1);
        }
        Self(counts)
    }

    /// The least number of edits between two names with such letters: each adds one letter, takes one away, or does both.
    pub(super) fn differ(&self, other: &Self) -> usize {
        let sum = |one: &Self, other: &Self| -> u16 {
            one.0.iter().zip(&other.0).map(|(one, other)| u16::from(one.saturating_sub(*other))).sum()
        };
        sum(self, other).max(sum(other, self)).into()
    }
}

/// The distances of other names from one, a letter of the other at a time whatever the length of the one: each bit of a word is a
/// place in it.
/// Source: Hyyrö, "A Bit-Vector Algorithm for Computing Levenshtein and Damerau Edit Distances", Nordic Journal of Computing
/// 10 (2003).
pub(super) struct Distances {
    /// Where each letter stands in the name.
    places: [u64; 128],
    length: usize,
}

impl Distances {
    /// Of a name in small letters; `None` if it is not ASCII, or has no or more than 64 letters.
    pub(super) fn from(folded: &str) -> Option<Self> {
        if folded.is_empty() || folded.len() > 64 || !folded.is_ascii() {
            return None;
        }
        let mut places = [0; 128];
        for (place, letter) in folded.bytes().enumerate() {
            places[usize::from(letter)] |= 1 << place;
        }
        Some(Self { places, length: folded.len() })
    }

    /// The distance of another name, whose case does not count.
    pub(super) fn to(&self, other: &str) -> usize {
        let last = 1_u64 << (self.length - 1);
        let (mut up, mut down, mut diagonal, mut before) = (u64::MAX, 0_u64, 0_u64, 0_u64);
        let mut distance = self.length;
        for letter in other.bytes() {
            // What is not ASCII stands nowhere in the name.
            let here = self.places.get(usize::from(letter.to_ascii_lowercase())).copied().unwrap_or_default();
            let swapped = ((!diagonal & here) << 1) & before;
            diagonal = ((here & up).wrapping_add(up) ^ up) | here | down | swapped;
            let right_up = down | !(diagonal | up);
            let right_down = diagonal & up;
            distance += usize::from(right_up & last != 0);
            distance -= usize::from(right_down & last != 0);
            let right_up = (right_up << 1) | 1;
            up = (right_down << 1) | !(diagonal | right_up);
            down = right_up & diagonal;
            before = here;
        }
        distance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_table() {
        // The letters of a small generator: seldom equal, often alike.
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let mut word = |length: u64| -> String {
            (0..length).map(|_| char::from(b'a' + u8::try_from(next(4)).unwrap())).collect()
        };
        for round in 0..4000_u64 {
            let (one, other) = (word(1 + round % 64), word(round % 37));
            let Some(distances) = Distances::from(&one) else { panic!("{one}") };
            assert_eq!(distances.to(&other.to_uppercase()), strsim::osa_distance(&one, &other), "{one} {other}");
            assert!(Letters::of(one.as_bytes()).differ(&Letters::of(other.as_bytes())) <= distances.to(&other));
        }
        assert!(Distances::from("").is_none() && Distances::from("é").is_none());
        assert!(Distances::from(&"x".repeat(65)).is_none());
    }
}
