//! Which of many literals a text has, in time that hardly depends on how many there are.
//!
//! Whole texts, beginnings and ends are hash tables, asked once for each length that occurs. For literals that may stand
//! anywhere, each is filed under four of its bytes in a row, its rarest; the text's own fours are looked up. (An
//! Aho-Corasick automaton would read the text faster, and takes far longer to build than a cold start has.)

use super::hash::Map;
use crate::rules::pattern::{Key, Place};

/// A literal's number, from 0.
pub(super) type LiteralId = u32;

/// Bytes of a gram.
const GRAM: usize = 4;

/// The literals that rules ask of one field.
#[derive(Debug, Default)]
pub(super) struct Literals {
    count: LiteralId,
    whole: Map<Box<[u8]>, LiteralId>,
    start: Ends,
    end: Ends,
    anywhere: Map<Box<[u8]>, LiteralId>,
    grams: Grams,
}

#[derive(Debug, Default)]
struct Ends {
    literals: Map<Box<[u8]>, LiteralId>,
    /// The lengths that occur, ascending.
    lengths: Vec<usize>,
}

#[derive(Debug, Default)]
struct Grams {
    /// A bit for each gram's hash: most of a text's grams are nobody's.
    filter: Vec<u64>,
    /// Each gram's range of `filed`.
    ranges: Map<u32, (u32, u32)>,
    filed: Vec<Filed>,
    /// Literals that are shorter than a gram.
    short: Vec<(Box<[u8]>, LiteralId)>,
}

#[derive(Debug)]
struct Filed {
    gram: u32,
    /// Where in the literal the gram stands.
    offset: usize,
    literal: Box<[u8]>,
    id: LiteralId,
}

impl Literals {
    /// The number of a literal: the same for equal ones.
    pub(super) fn number(&mut self, key: &Key) -> LiteralId {
        let table = match key.place {
            Place::Whole => &mut self.whole,
            Place::Start => &mut self.start.literals,
            Place::End => &mut self.end.literals,
            Place::Anywhere => &mut self.anywhere,
        };
        if let Some(id) = table.get(&key.bytes) {
            return *id;
        }
        let id = self.count;
        self.count += 1;
        table.insert(key.bytes.clone(), id);
        id
    }

    /// Makes the tables of what has been numbered.
    pub(super) fn finish(&mut self) {
        self.start.finish();
        self.end.finish();
        self.grams = Grams::of(std::mem::take(&mut self.anywhere));
    }

    /// Appends the literals that the text has; some perhaps twice.
    pub(super) fn find(&self, text: &[u8], found: &mut Vec<LiteralId>) {
        found.extend(self.whole.get(text));
        for length in self.start.lengths.iter().take_while(|length| **length <= text.len()) {
            found.extend(self.start.literals.get(&text[..*length]));
        }
        for length in self.end.lengths.iter().take_while(|length| **length <= text.len()) {
            found.extend(self.end.literals.get(&text[text.len() - length..]));
        }
        self.grams.find(text, found);
    }
}

impl Ends {
    fn finish(&mut self) {
        self.lengths = self.literals.keys().map(|literal| literal.len()).collect();
        self.lengths.sort_unstable();
        self.lengths.dedup();
    }
}

/// The index of a gram among 65,536.
fn hashed(gram: u32) -> usize {
    (gram.wrapping_mul(0x9e37_79b1) >> 16) as usize
}

fn grams(text: &[u8]) -> impl Iterator<Item = (usize, u32)> {
    text.array_windows::<GRAM>().map(|gram| u32::from_le_bytes(*gram)).enumerate()
}

impl Grams {
    fn of(literals: Map<Box<[u8]>, LiteralId>) -> Self {
        let mut index = Self::default();
        let (long, short): (Vec<_>, Vec<_>) = literals.into_iter().partition(|(literal, _)| literal.len() >= GRAM);
        index.short = short;
        if long.is_empty() {
            return index;
        }
        let mut uses = vec![0_u16; 1 << 16];
        for (_, gram) in long.iter().flat_map(|(literal, _)| grams(literal)) {
            let count = &mut uses[hashed(gram)];
            *count = count.saturating_add(1);
        }
        index.filter = vec![0; (1 << 16) / 64];
        for (literal, id) in long {
            let rarest = grams(&literal).min_by_key(|(_, gram)| uses[hashed(*gram)]);
            let Some((offset, gram)) = rarest else { continue };
            index.filter[hashed(gram) / 64] |= 1 << (hashed(gram) % 64);
            index.filed.push(Filed { gram, offset, literal, id });
        }
        index.filed.sort_unstable_by_key(|filed| filed.gram);
        let mut from = 0_u32;
        for alike in index.filed.chunk_by(|a, b| a.gram == b.gram) {
            let to = from + u32::try_from(alike.len()).unwrap_or(u32::MAX);
            index.ranges.insert(alike[0].gram, (from, to));
            from = to;
        }
        index
    }

    fn find(&self, text: &[u8], found: &mut Vec<LiteralId>) {
        for (literal, id) in &self.short {
            if text.windows(literal.len()).any(|part| *part == **literal) {
                found.push(*id);
            }
        }
        if self.filed.is_empty() {
            return;
        }
        for (at, gram) in grams(text) {
            if self.filter[hashed(gram) / 64] >> (hashed(gram) % 64) & 1 == 0 {
                continue;
            }
            let Some((from, to)) = self.ranges.get(&gram) else { continue };
            for filed in &self.filed[*from as usize..*to as usize] {
                let start = at.checked_sub(filed.offset);
                if start.and_then(|start| text.get(start..)).is_some_and(|rest| rest.starts_with(&filed.literal)) {
                    found.push(filed.id);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> impl Strategy<Value = Key> {
        let place = prop::sample::select(vec![Place::Whole, Place::Start, Place::End, Place::Anywhere]);
        (place, "[ab]{1,7}|é|abcdabcd").prop_map(|(place, text)| Key { place, bytes: text.into_bytes().into() })
    }

    proptest! {
        #[test]
        fn those_are_found_that_the_text_has(
            keys in prop::collection::vec(key(), 0..30),
            text in prop_oneof!["[ab]{0,9}", "é?[abcd]{0,12}", "(abcd){0,3}"],
        ) {
            let mut literals = Literals::default();
            let numbers: Vec<LiteralId> = keys.iter().map(|key| literals.number(key)).collect();
            literals.finish();
            let mut found = Vec::new();
            literals.find(text.as_bytes(), &mut found);
            for (key, number) in keys.iter().zip(numbers) {
                prop_assert_eq!(found.contains(&number), key.is_in(&text), "{:?} in {:?}", key, text);
            }
        }
    }
}
