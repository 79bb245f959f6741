//! The engine's hashes, all in one place.
//!
//! They are written here, rather than taken from a library, for two reasons. Some of the tables that they fill stand in a
//! package ([`super::packed`], [`super::path_trie`]), so that a hash must be the same with every compiler, on every machine
//! and in every version of a library. And they are asked several times for every record, about words of eight bytes that are
//! in registers already: each is a multiplication or two, where a hash for byte strings would first find out how long its
//! input is (docs/performance.md has the counts).
//!
//! None of the tables has to withstand an enemy. Their keys come from `rules.json`, or go into a cache of a fixed size; who
//! makes calls that collide there only makes his own calls a little dearer to judge.

#![allow(clippy::inline_always, reason = "every record comes through here")]

use std::hash::{BuildHasherDefault, Hasher};

/// The fractional part of the golden ratio, as 64 bits: an odd number whose bits look like chance.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// A map whose keys are hashed by the [`Mixer`].
pub(super) type Map<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<Mixer>>;

/// A set whose elements are hashed by the [`Mixer`].
pub(super) type Set<K> = std::collections::HashSet<K, BuildHasherDefault<Mixer>>;

/// A hash for byte strings and numbers: it multiplies and folds, eight bytes at a time.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Mixer(u64);

/// The checksum of a package's parts, of which one may come after the other. It finds texts that a mistake has changed; it proves nothing
/// against somebody who changed one on purpose.
///
/// Every cold start sums up its whole bundle. So it takes 32 bytes at a time, by two products that do not wait for one another.
#[derive(Debug)]
pub(crate) struct Checksum {
    lanes: [u64; 2],
    length: u64,
}

/// Bytes that a [`Checksum`] takes at a time.
const BLOCK: usize = 32;

impl Default for Checksum {
    fn default() -> Self {
        Self { lanes: [GOLDEN, !GOLDEN], length: 0 }
    }
}

impl Checksum {
    /// Adds bytes: a multiple of 32 of them, but for the last.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        let mut lanes = self.lanes;
        let blocks = bytes.as_chunks::<8>().0.as_chunks::<4>().0;
        for block in blocks {
            lanes = after(lanes, block);
        }
        let tail = &bytes[BLOCK * blocks.len()..];
        if !tail.is_empty() {
            let mut block = [[0; 8]; 4];
            block.as_flattened_mut()[..tail.len()].copy_from_slice(tail);
            lanes = after(lanes, &block);
        }
        (self.lanes, self.length) = (lanes, self.length + bytes.len() as u64);
    }

    /// The sum of all that was added.
    pub(crate) fn finish(&self) -> u64 {
        let [one, two] = self.lanes;
        folded_product(folded_product(one ^ self.length, MASKS[0]) ^ two, MASKS[1])
    }
}

/// What a block makes of the lanes. Two of its words go into each: one beside a mask, without which a block of zeros would leave a lane at
/// zero, the other with what came before. (Nothing in it is a call, also where the function is built for size.)
#[inline(always)]
fn after([one, two]: [u64; 2], [a, b, c, d]: &[[u8; 8]; 4]) -> [u64; 2] {
    [
        folded_product(u64::from_le_bytes(*a) ^ MASKS[0], u64::from_le_bytes(*b) ^ one),
        folded_product(u64::from_le_bytes(*c) ^ MASKS[1], u64::from_le_bytes(*d) ^ two),
    ]
}

/// Two odd numbers whose bits look like chance.
const MASKS: [u64; 2] = [0xa076_1d64_78bd_642f, 0xd6e8_feb8_6659_fd93];

/// The [`Checksum`] of one text.
pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    let mut sum = Checksum::default();
    sum.add(bytes);
    sum.finish()
}

/// The hash of a record's key, by its first eight bytes and its length: few of the keys that records have share both.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "of a hash, some bits are enough")]
pub(super) fn key_hash(head: u64, length: usize) -> usize {
    folded_product(head ^ (length as u64) << 56, GOLDEN) as usize
}

/// The hash of a call, by the words in which AWS's names differ most: the first eight bytes of the service, the last of the
/// identity (into which the lengths of all three have been mixed), and the first and the last of the event.
#[inline(always)]
pub(super) fn call_hash(service_head: u64, identity_tail: u64, event_head: u64, event_tail: u64) -> u64 {
    let one = folded_product(service_head ^ GOLDEN, identity_tail ^ 0xc2b2_ae3d_27d4_eb4f);
    let two = folded_product(event_head ^ 0xd6e8_feb8_6659_fd93, event_tail ^ 0xa076_1d64_78bd_642f);
    one.rotate_left(21) ^ two
}

/// Scatters four bytes of a text over the numbers of `bits` bits (Knuth's multiplicative hash).
pub(super) fn scatter(word: u32, bits: u32) -> usize {
    (word.wrapping_mul(0x9e37_79b1) >> (u32::BITS - bits)) as usize
}

/// Both halves of a product, folded into one.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the two halves are taken one by one")]
fn folded_product(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

impl Mixer {
    #[inline]
    fn mix(&mut self, word: u64) {
        self.0 = folded_product(self.0 ^ word, GOLDEN);
    }
}

impl Hasher for Mixer {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, tail) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        // The last eight bytes, some of them once more, or the few that there are: nothing is copied.
        let last = match (bytes.last_chunk(), tail.first_chunk(), tail.last_chunk()) {
            (Some(last), ..) => u64::from_le_bytes(*last),
            (None, Some(first), Some(last)) => {
                u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last))
            }
            _ => tail.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        };
        self.mix(last ^ (bytes.len() as u64) << 56);
    }

    fn write_u8(&mut self, byte: u8) {
        self.mix(u64::from(byte));
    }

    fn write_u16(&mut self, word: u16) {
        self.mix(u64::from(word));
    }

    fn write_u32(&mut self, word: u32) {
        self.mix(u64::from(word));
    }

    fn write_u64(&mut self, word: u64) {
        self.mix(word);
    }

    fn write_usize(&mut self, word: usize) {
        self.mix(word as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_of_every_byte_and_of_their_order() {
        let text: Vec<u8> = (0..200_u8).collect();
        let whole = checksum(&text);
        for place in 0..text.len() {
            for bit in 0..8 {
                let mut other = text.clone();
                other[place] ^= 1 << bit;
                assert_ne!(checksum(&other), whole, "{place} {bit}");
            }
            assert_ne!(checksum(&text[..place]), whole);
            // Two that have changed places.
            let mut other = text.clone();
            other.swap(place, 0);
            assert_eq!(checksum(&other) == whole, place == 0, "{place}");
        }
        // Zeros count, and one block does not make up for another.
        let sums = [0, 1, 31, 32, 33, 64, 96].map(|length| checksum(&vec![0; length]));
        assert!(sums.iter().enumerate().all(|(place, sum)| !sums[..place].contains(sum)), "{sums:?}");
        let mut parts = Checksum::default();
        text.chunks(3 * BLOCK).for_each(|part| parts.add(part));
        assert_eq!(parts.finish(), whole);
    }
}
