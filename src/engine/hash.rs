//! A small fast hash, for tables whose keys come from `rules.json`, for a memo that is bounded, and for packages: none of them
//! has to withstand an enemy.

use std::hash::{BuildHasherDefault, Hasher};

/// A map with this hash.
pub(super) type Map<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<Mixer>>;

/// A set with this hash.
pub(super) type Set<K> = std::collections::HashSet<K, BuildHasherDefault<Mixer>>;

/// Multiplies and folds, eight bytes at a time.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Mixer(u64);

const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// Tells texts apart that mistakes have made different.
pub(crate) fn sum(bytes: &[u8]) -> u64 {
    let mut hasher = Mixer(FACTOR);
    hasher.write(bytes);
    hasher.finish()
}

impl Mixer {
    #[inline]
    #[expect(clippy::cast_possible_truncation)]
    fn mix(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * u128::from(FACTOR);
        self.0 = product as u64 ^ (product >> 64) as u64;
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
