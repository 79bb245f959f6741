//! What the index is made of: a hash table of things that are numbered, and a list of numbers for each thing. (The standard
//! library's maps would have to be filled again at every cold start, entry by entry.)

use std::ops::Range;

use super::packed::{PackedU32s, number, numbers, packed_struct};

/// A hash table of things that are numbered from 0. It holds the numbers alone; the things stand elsewhere, and whoever asks
/// compares them. Open addressing: a number stands at the first free place from where its hash points.
#[derive(Debug, Default, Clone)]
pub(super) struct IdTable {
    /// A power of two of places, half of them free at least: a number and one, or 0 where none is.
    places: PackedU32s,
    count: u32,
}
packed_struct!(IdTable { places, count });

impl IdTable {
    /// The number of the thing that has this hash and for which `is_it` is true.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let places = &*self.places;
        let mask = places.len().checked_sub(1)?;
        let mut at = place(hash, mask);
        loop {
            match number(places, at).checked_sub(1) {
                None => return None,
                Some(number) if is_it(number) => return Some(number),
                Some(_) => at = (at + 1) & mask,
            }
        }
    }

    /// Adds the thing with the next number. `hash_of` gives the hash of any thing so far: where the table grows, it is asked
    /// for all.
    pub(super) fn add(&mut self, hash_of: impl Fn(u32) -> u64) {
        self.count += 1;
        let places = self.places.to_mut();
        let first = if places.len() < 2 * self.count as usize {
            *places = vec![[0; 4]; (4 * self.count as usize).next_power_of_two()];
            0
        } else {
            self.count - 1
        };
        let mask = places.len() - 1;
        for number in first..self.count {
            let mut at = place(hash_of(number), mask);
            while places[at] != [0; 4] {
                at = (at + 1) & mask;
            }
            places[at] = (number + 1).to_le_bytes();
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "of a hash, some bits are enough")]
fn place(hash: u64, mask: usize) -> usize {
    hash as usize & mask
}

/// A list of numbers for each number from 0.
#[derive(Debug, Default, Clone)]
pub(super) struct PackedLists {
    /// The place in `all` at which each list ends.
    ends: PackedU32s,
    all: PackedU32s,
}
packed_struct!(PackedLists { ends, all });

impl PackedLists {
    /// Makes the lists of pairs: the number of a list, and a number in it. The lists are ascending, and hold nothing twice.
    pub(super) fn from_pairs(mut pairs: Vec<(u32, u32)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        let mut ends = Vec::new();
        for (end, (list, _)) in (1..).zip(&pairs) {
            let before = ends.last().copied().unwrap_or_default();
            ends.resize(*list as usize + 1, before);
            ends[*list as usize] = end;
        }
        Self { ends: ends.into(), all: pairs.into_iter().map(|(_, number)| number).collect::<Vec<_>>().into() }
    }

    /// One of the lists; empty if nothing was put into it.
    #[inline]
    pub(super) fn list(&self, list: u32) -> impl Iterator<Item = u32> {
        numbers(&self.all[range(&self.ends, list)])
    }

    /// What all the lists hold, one behind the other.
    pub(super) fn all(&self) -> impl Iterator<Item = u32> {
        numbers(&self.all)
    }
}

/// The range of part `part` of something that is cut at `ends`: from the end of the part before it to its own.
#[inline]
pub(super) fn range(ends: &[[u8; 4]], part: u32) -> Range<usize> {
    let end = |part: usize| ends.get(part).map(|end| u32::from_le_bytes(*end) as usize);
    let part = part as usize;
    let start = part.checked_sub(1).and_then(end).unwrap_or_default();
    start..end(part).unwrap_or(start)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lists_hold_what_was_paired(pairs in prop::collection::vec((0_u32..9, 0_u32..9), 0..40)) {
            let mut expected: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
            for (list, number) in &pairs {
                expected.entry(*list).or_default().insert(*number);
            }
            let lists = PackedLists::from_pairs(pairs);
            for number in 0..12 {
                let list: Vec<u32> = expected.get(&number).into_iter().flatten().copied().collect();
                prop_assert_eq!(lists.list(number).collect::<Vec<_>>(), list);
            }
        }

        #[test]
        fn things_are_found_by_their_hashes(hashes in prop::collection::vec(0_u64..20, 0..40), wanted in 0_u64..25) {
            let mut table = IdTable::default();
            // Things that are alike but for their number.
            hashes.iter().for_each(|_| table.add(|number| hashes[number as usize]));
            for (number, hash) in (0_u32..).zip(&hashes) {
                prop_assert_eq!(table.find(*hash, |found| found == number), Some(number));
            }
            let found = table.find(wanted, |found| hashes[found as usize] == wanted);
            prop_assert_eq!(found.is_some(), hashes.contains(&wanted));
        }
    }
}
