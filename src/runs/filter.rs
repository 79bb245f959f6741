//! Which ids a run cannot have: a Bloom filter whose bits of one id lie in one line of the processor's cache.

/// Bits of one block.
const BLOCK: u64 = 512;
/// Bits for each id, while that is not too much: one in two hundred that is not there seems to be.
const BITS_PER_ID: u64 = 12;
/// Bytes of a filter at most: where there are more ids, more of those that are not there seem to be.
const MOST_BYTES: u64 = 8 << 20;
/// Bits that each id sets.
const BITS_SET: u32 = 6;

/// A filter of ids, which are hashes.
#[derive(Debug)]
pub(super) struct Filter {
    blocks: Vec<[u64; 8]>,
}

impl Filter {
    /// One for so many ids.
    pub(super) fn for_ids(ids: u64) -> Self {
        let blocks = (ids.saturating_mul(BITS_PER_ID) / BLOCK).clamp(1, MOST_BYTES * 8 / BLOCK);
        Self { blocks: vec![[0; 8]; usize::try_from(blocks).unwrap_or(1)] }
    }

    pub(super) fn add(&mut self, id: u128) {
        let (block, bits) = self.place(id);
        if let Some(block) = self.blocks.get_mut(block) {
            bits.for_each(|bit| block[bit / 64] |= 1 << (bit % 64));
        }
    }

    /// Whether an id may have been added; `false` is certain.
    pub(super) fn may_have(&self, id: u128) -> bool {
        let (block, mut bits) = self.place(id);
        self.blocks.get(block).is_some_and(|block| bits.all(|bit| (block[bit / 64] >> (bit % 64)) & 1 == 1))
    }

    /// The block of an id, by the lower half of it, and its bits there, by the higher.
    #[expect(clippy::cast_possible_truncation, reason = "halves, a place below the number of blocks, and nine bits")]
    fn place(&self, id: u128) -> (usize, impl Iterator<Item = usize> + use<>) {
        let (high, low) = ((id >> 64) as u64, id as u64);
        let block = (u128::from(low) * self.blocks.len() as u128) >> 64;
        (block as usize, (0..BITS_SET).map(move |number| ((high >> (9 * number)) & 511) as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::StableId;

    fn id(number: u64) -> u128 {
        u128::from_str_radix(StableId::hash(&[&number.to_string()]).as_str(), 16).unwrap()
    }

    #[test]
    fn what_was_added_is_always_seen_and_little_else() {
        let mut filter = Filter::for_ids(20_000);
        (0..20_000).for_each(|number| filter.add(id(number)));
        assert!((0..20_000).all(|number| filter.may_have(id(number))));
        let wrong = (20_000..40_000).filter(|number| filter.may_have(id(*number))).count();
        assert!(wrong < 400, "{wrong} of 20,000");
        assert_eq!(Filter::for_ids(u64::MAX).blocks.len(), 8 << 20 >> 6);
        assert!(!Filter::for_ids(0).may_have(1));
    }
}
