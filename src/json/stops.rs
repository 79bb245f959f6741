//! Finds where strings end: the quotes, backslashes and control characters of a text, many bytes at a time.
//!
//! Where a string ends is not known before its end is found, so that a search that began anew at each string would have to wait
//! for the one before it. Here the text is searched ahead, a stretch at a time and 64 bytes at once, and each string only asks
//! for the next bit that is set. That halves a walk. (`wide` is safe, and knows both of Lambda's processors.)

#![allow(
    clippy::inline_always,
    reason = "a scan spends most of its time here; left alone, the compiler makes calls of it"
)]

use wide::u8x16;

/// The bytes that are searched ahead.
const STRETCH: usize = 1024;

/// The stops in a stretch of the text: quotes, backslashes and control characters.
#[derive(Debug, Clone)]
pub(super) struct Stops {
    /// Where the stretch begins.
    base: usize,
    /// A bit for each byte, the first in the lowest; and eight bytes of zeros behind them, so that there are 64 bits wherever one
    /// looks.
    bits: [u8; STRETCH / 8 + 8],
}

impl Stops {
    /// Before any stretch has been searched.
    pub(super) fn new() -> Self {
        Self { base: usize::MAX / 2, bits: [0; _] }
    }

    /// The place of the first stop at `at` or behind it; the end of the text if there is none.
    #[inline(always)]
    pub(super) fn next(&mut self, text: &[u8], at: usize) -> usize {
        let bits = self.from(at);
        if bits == 0 { self.far(text, at) } else { at + bits.trailing_zeros() as usize }
    }

    /// The stops among the next 57 bytes or more, a bit for each. None if `at` is outside of the stretch.
    #[inline(always)]
    fn from(&self, at: usize) -> u64 {
        let offset = at.wrapping_sub(self.base);
        if offset >= STRETCH {
            return 0;
        }
        let bits = self.bits[offset / 8..].first_chunk().copied().unwrap_or_default();
        u64::from_le_bytes(bits) >> (offset % 8)
    }

    #[inline(never)]
    fn far(&mut self, text: &[u8], mut at: usize) -> usize {
        while at < text.len() {
            let offset = at.wrapping_sub(self.base);
            if offset >= STRETCH {
                self.fill(text, at);
                continue;
            }
            match self.from(at) {
                0 => at = (at + 64 - offset % 8).min(self.base + STRETCH),
                bits => return at + bits.trailing_zeros() as usize,
            }
        }
        text.len()
    }

    /// Searches the stretch that begins at `at`.
    fn fill(&mut self, text: &[u8], at: usize) {
        self.base = at;
        let rest = &text[at..text.len().min(at + STRETCH)];
        let (blocks, tail) = rest.as_chunks();
        let words = self.bits.as_chunks_mut::<8>().0;
        for (block, word) in blocks.iter().zip(words.iter_mut()) {
            *word = stops(block).to_le_bytes();
        }
        if let Some(word) = words.get_mut(blocks.len()) {
            // Zeros are stops: the text's end is one.
            let mut block = [0; 64];
            block[..tail.len()].copy_from_slice(tail);
            *word = if rest.len() < STRETCH { stops(&block) } else { 0 }.to_le_bytes();
        }
    }
}

/// A bit for each byte that ends a string, escapes, or may not be in one.
#[inline(always)]
fn stops(block: &[u8; 64]) -> u64 {
    let stops = |bytes: &[u8; 16]| {
        let bytes = u8x16::new(*bytes);
        let control = bytes.min(u8x16::splat(0x1f)).simd_eq(bytes);
        let quote = bytes.simd_eq(u8x16::splat(b'"'));
        let backslash = bytes.simd_eq(u8x16::splat(b'\\'));
        u64::from((control | quote | backslash).to_bitmask())
    };
    block.as_chunks().0.iter().enumerate().fold(0, |bits, (place, bytes)| bits | stops(bytes) << (16 * place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_told_apart_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            let is_stop = byte < 0x20 || byte == b'"' || byte == b'\\';
            for place in [0, 1, 7, 15, 16, 63, 64, 1_000, 1_023, 1_024, 1_025, 1_087, 3_000] {
                for behind in [0, 1, 57, 64, 2_000] {
                    let mut text = vec![b'x'; place + 1 + behind];
                    text[place] = byte;
                    let expected = if is_stop { place } else { text.len() };
                    for from in [0, 1, 9, 60, 1_000, 1_020] {
                        if from <= place {
                            let mut stops = Stops::new();
                            assert_eq!(stops.next(&text, from), expected, "{byte} at {place} from {from}");
                            // Once more, from what is known.
                            assert_eq!(stops.next(&text, from), expected, "{byte} at {place} from {from}");
                            assert_eq!(stops.next(&text, place + 1), text.len());
                        }
                    }
                }
            }
        }
    }
}
