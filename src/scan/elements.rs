//! Finds where the elements of a JSON array end, without reading what is in them.
//!
//! Of a large file every byte passes here before it is evaluated, so that 64 of them are looked at together: quotes tell what is
//! within a string, and while a block closes less than is open, none of its bytes can be an end. One byte at a time, or one string
//! at a time, took a third of all that is done with a large file besides unpacking it.

use memchr::memchr2;
use wide::u8x16;

/// Bytes that are looked at together, a bit for each.
const BLOCK: usize = 64;

/// Finds where the elements of an array end.
#[derive(Debug, Default)]
pub(super) struct ElementScanner {
    /// The next byte to look at.
    at: usize,
    depth: usize,
    in_string: bool,
}

/// What has come of a block.
enum Seen {
    /// So many of its bytes are dealt with, and none of them is an end.
    Passed(usize),
    /// This byte of it is an end.
    End(usize),
    /// It has a backslash outside of a string, which is not JSON.
    Odd,
}

impl ElementScanner {
    /// For a text that begins with the array's `[`.
    pub(super) fn after_bracket() -> Self {
        Self { at: 1, ..Self::default() }
    }

    /// The place of the next comma between elements, or of the array's `]`; `None` if there is none yet.
    pub(super) fn next_end(&mut self, bytes: &[u8]) -> Option<usize> {
        while let Some(block) = bytes.get(self.at..).and_then(<[u8]>::first_chunk) {
            match self.block(block) {
                Seen::Passed(passed) => self.at += passed,
                Seen::End(place) => {
                    let end = self.at + place;
                    self.at = end + 1;
                    return Some(end);
                }
                Seen::Odd => {
                    let until = self.at + BLOCK;
                    let end = self.bytewise(bytes, until);
                    if end.is_some() || self.at < until {
                        return end;
                    }
                }
            }
        }
        self.bytewise(bytes, bytes.len())
    }

    /// Looks at a block, of which nothing has been seen.
    fn block(&mut self, block: &[u8; BLOCK]) -> Seen {
        let backslashes = places(block, |bytes| bytes.simd_eq(u8x16::splat(b'\\')));
        let (mut escaped, mut left, mut passed) = (0_u64, backslashes, BLOCK);
        while left != 0 {
            let place = left.trailing_zeros();
            if place == 63 {
                // What it escapes is in the next block, which begins with it.
                passed = 63;
                break;
            }
            escaped |= 2 << place;
            left &= !(3 << place);
        }
        let quotes = places(block, |bytes| bytes.simd_eq(u8x16::splat(b'"'))) & !escaped;
        // A bit for each byte from an opening quote to the last before the closing one.
        let mut in_string = quotes;
        for shift in [1, 2, 4, 8, 16, 32] {
            in_string ^= in_string << shift;
        }
        if self.in_string {
            in_string = !in_string;
        }
        if backslashes & !in_string != 0 {
            return Seen::Odd;
        }
        // `[` and `{`, and `]` and `}`, are a bit apart.
        let brackets = |bracket: u8| places(block, |bytes| (bytes | u8x16::splat(0x20)).simd_eq(u8x16::splat(bracket)));
        let (opening, closing) = (brackets(b'{') & !in_string, brackets(b'}') & !in_string);
        let (opened, closed) = (opening.count_ones() as usize, closing.count_ones() as usize);
        if self.depth > closed {
            self.depth = self.depth + opened - closed;
        } else {
            let commas = places(block, |bytes| bytes.simd_eq(u8x16::splat(b','))) & !in_string;
            let mut left = opening | closing | commas;
            while left != 0 {
                let place = left.trailing_zeros() as usize;
                left &= left - 1;
                match block[place] {
                    b'{' | b'[' => self.depth += 1,
                    b',' | b']' if self.depth == 0 => {
                        self.in_string = false;
                        return Seen::End(place);
                    }
                    b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                }
            }
        }
        self.in_string = in_string >> (passed - 1) & 1 == 1;
        Seen::Passed(passed)
    }

    /// The same, one byte or string at a time, as far as `until` or a little farther: for what is left of a text, and what is not
    /// JSON.
    fn bytewise(&mut self, bytes: &[u8], until: usize) -> Option<usize> {
        while self.at < until {
            if self.in_string {
                match memchr2(b'"', b'\\', &bytes[self.at..]) {
                    None => {
                        self.at = bytes.len();
                        return None;
                    }
                    Some(found) if bytes[self.at + found] == b'"' => {
                        self.at += found + 1;
                        self.in_string = false;
                    }
                    // What is escaped may not have been read yet: look at the backslash again then.
                    Some(found) if self.at + found + 1 >= bytes.len() => {
                        self.at += found;
                        return None;
                    }
                    Some(found) => self.at += found + 2,
                }
                continue;
            }
            let place = self.at;
            self.at += 1;
            match bytes[place] {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b',' | b']' if self.depth == 0 => return Some(place),
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        None
    }
}

/// A bit for each byte of which this is so, the first in the lowest.
fn places(block: &[u8; BLOCK], is_so: impl Fn(u8x16) -> u8x16) -> u64 {
    let bits = |bytes: &[u8; 16]| u64::from(is_so(u8x16::new(*bytes)).to_bitmask());
    block.as_chunks().0.iter().enumerate().fold(0, |all, (place, bytes)| all | bits(bytes) << (16 * place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choices::{Choices, seeds};

    /// Every end in a text that arrives in pieces, as [`ElementScanner::next_end`] finds them, or one byte at a time.
    fn ends(text: &[u8], pieces: &mut Choices, is_bytewise: bool) -> Vec<usize> {
        let (mut scanner, mut arrived, mut ends) = (ElementScanner::after_bracket(), 1, Vec::new());
        while arrived < text.len() {
            arrived = (arrived + 1 + pieces.below(200)).min(text.len());
            let text = &text[..arrived];
            while let Some(end) = if is_bytewise { scanner.bytewise(text, text.len()) } else { scanner.next_end(text) }
            {
                ends.push(end);
            }
        }
        ends
    }

    #[test]
    fn blocks_have_the_ends_that_their_bytes_have() {
        let (mut found, mut odd) = (0, 0);
        for seed in seeds(3_000) {
            let mut choices = Choices::new(seed);
            // Much or little of what counts; whether backslashes stand where none may.
            let (often, is_odd) = (choices.of(&[2, 5, 30]), choices.one_in(3));
            let mut text = vec![b'['];
            let mut in_string = false;
            for _ in 0..choices.below(1_000) {
                if !choices.one_in(often) {
                    text.push(choices.of(b"a0: \x7f\xe9;=?"));
                    continue;
                }
                match choices.of(b"{}[],,\"\"\"\\\\") {
                    b'"' => {
                        text.push(b'"');
                        in_string = !in_string;
                    }
                    b'\\' if in_string => {
                        text.extend([b'\\'].repeat(choices.of(&[1, 2, 3, 64])));
                        text.push(choices.of(b"\"\\n,"));
                    }
                    b'\\' if !is_odd => {}
                    byte => text.push(byte),
                }
            }
            let expected = ends(&text, &mut Choices::new(!seed), true);
            assert_eq!(ends(&text, &mut Choices::new(!seed), false), expected, "{}", String::from_utf8_lossy(&text));
            // Whatever the pieces.
            assert_eq!(ends(&text, &mut Choices::new(seed), false), expected, "{}", String::from_utf8_lossy(&text));
            found += expected.len();
            odd += usize::from(is_odd && !expected.is_empty());
        }
        assert!(found > 3_000 && odd > 100, "{found} {odd}");
    }
}
