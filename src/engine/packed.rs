//! Tables that are arrays of numbers: a package holds them as they stand in memory, so that to read one is to copy it.
//! (The standard library's maps would have to be filled again at every cold start, entry by entry.)

use std::ops::{Deref, Range};

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// An array of numbers. In a package it is a string of bytes, four for each number, the lowest first.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(from = "ByteBuf", into = "ByteBuf")]
pub(crate) struct PackedU32s(Vec<u32>);

impl Deref for PackedU32s {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        &self.0
    }
}

impl From<Vec<u32>> for PackedU32s {
    fn from(numbers: Vec<u32>) -> Self {
        Self(numbers)
    }
}

impl From<ByteBuf> for PackedU32s {
    fn from(bytes: ByteBuf) -> Self {
        Self(bytes.as_chunks::<4>().0.iter().map(|number| u32::from_le_bytes(*number)).collect())
    }
}

impl From<PackedU32s> for ByteBuf {
    fn from(numbers: PackedU32s) -> Self {
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>().into()
    }
}

/// A hash table of things that are numbered from 0. It holds the numbers alone; the things stand elsewhere, and whoever asks
/// compares them. Open addressing: a number stands at the first free place from where its hash points.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(super) struct IdTable {
    /// A power of two of places, half of them free at least: a number and one, or 0 where none is.
    places: PackedU32s,
    count: u32,
}

impl IdTable {
    /// The number of the thing that has this hash and for which `is_it` is true.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.places.len().checked_sub(1)?;
        let mut at = place(hash, mask);
        loop {
            match self.places[at].checked_sub(1) {
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
        let places = &mut self.places.0;
        let first = if places.len() < 2 * self.count as usize {
            *places = vec![0; (4 * self.count as usize).next_power_of_two()];
            0
        } else {
            self.count - 1
        };
        let mask = places.len() - 1;
        for number in first..self.count {
            let mut at = place(hash_of(number), mask);
            while places[at] != 0 {
                at = (at + 1) & mask;
            }
            places[at] = number + 1;
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "of a hash, some bits are enough")]
fn place(hash: u64, mask: usize) -> usize {
    hash as usize & mask
}

/// A list of numbers for each number from 0.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(super) struct PackedLists {
    /// The place in `all` at which each list ends.
    ends: PackedU32s,
    all: PackedU32s,
}

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
    pub(super) fn list(&self, number: u32) -> &[u32] {
        &self.all[range(&self.ends, number)]
    }

    /// What all the lists hold, one behind the other.
    pub(super) fn all(&self) -> &[u32] {
        &self.all
    }
}

/// The range of part `number` of something that is cut at `ends`: from the end of the part before it to its own.
#[inline]
pub(super) fn range(ends: &[u32], number: u32) -> Range<usize> {
    let number = number as usize;
    let start = number.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or_default();
    let end = ends.get(number).copied().unwrap_or(start);
    start as usize..end as usize
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
                prop_assert_eq!(lists.list(number), list);
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

        #[test]
        fn numbers_survive_the_package(numbers in prop::collection::vec(any::<u32>(), 0..20)) {
            let bytes = postcard::to_allocvec(&PackedU32s(numbers.clone())).unwrap();
            prop_assert_eq!(postcard::from_bytes::<PackedU32s>(&bytes).unwrap().0, numbers);
        }
    }
}
