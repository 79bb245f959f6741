//! Which of many literals a text has, in time that hardly depends on how many there are.
//!
//! Whole texts, beginnings and ends are found by their hashes, asked once for each length that occurs with the same two bytes.
//! For literals that may stand anywhere, each is filed under four of its bytes in a row, its rarest; the text's own fours are
//! looked up. (An Aho-Corasick automaton would read the text faster, and takes longer to build than all else to load.)

use std::hash::Hasher as _;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::flat::{Slots, Words, range};
use super::hash::Mixer;
use crate::rules::pattern::{Key, Place};

/// A literal's number, from 0.
pub(super) type LiteralId = u32;

/// Bytes of a gram.
const GRAM: usize = 4;
/// Makes a gram's letters lower case. What that does to its other bytes does no harm: it is done to texts and literals alike.
const LOWER: u32 = 0x2020_2020;

/// The literals that rules ask of one field.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Literals {
    /// The literals one after the other, each behind a byte that tells its place.
    bytes: ByteBuf,
    /// Where each ends.
    ends: Words,
    slots: Slots,
    starts: Lengths,
    ends_of_texts: Lengths,
    anywhere: Grams,
    any_case: Grams,
}

/// The literals while rules are filed.
#[derive(Debug, Default)]
pub(super) struct Growing {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    slots: Slots,
}

/// The lengths that occur among literals with the same two bytes at the one end.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Lengths {
    /// By the bytes' hash, a bit for each length below 31; the last bit stands for all from there on.
    short: Words,
    /// Those from 31 on, ascending.
    long: Words,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Grams {
    /// A bit for each gram's hash: most of a text's grams are nobody's.
    filter: Words,
    /// The gram of each literal that has one, ascending.
    rarest: Words,
    /// The literal, and where in it the gram stands.
    literals: Words,
    offsets: Words,
    /// Literals that are shorter than a gram.
    short: Words,
}

impl Growing {
    /// The number of a literal: the same for equal ones.
    pub(super) fn number(&mut self, key: &Key) -> LiteralId {
        let Self { bytes, ends, slots } = self;
        let place = tag(key.place);
        let known = slots.find(hash(place, &key.bytes), |id| is_it(entry(bytes, ends, id), place, &key.bytes));
        known.unwrap_or_else(|| {
            let id = length(ends.len());
            bytes.push(place);
            bytes.extend_from_slice(&key.bytes);
            ends.push(length(bytes.len()));
            slots.add(|id| entry(bytes, ends, id).split_first().map_or(0, |(place, literal)| hash(*place, literal)));
            id
        })
    }

    /// The tables of what has been numbered.
    pub(super) fn finish(self) -> Literals {
        let Self { bytes, ends, slots } = self;
        let of_place = |place: Place| {
            let entries = (0..length(ends.len())).map(|id| (id, entry(&bytes, &ends, id)));
            entries.filter(move |(_, entry)| entry.first() == Some(&tag(place))).map(|(id, entry)| (id, &entry[1..]))
        };
        let starts = Lengths::of(of_place(Place::Start).map(|(_, literal)| (literal.len(), first_two(literal))));
        let ends_of_texts = Lengths::of(of_place(Place::End).map(|(_, literal)| (literal.len(), last_two(literal))));
        let [anywhere, any_case] = [Place::Anywhere, Place::AnyCase].map(|place| {
            Grams::of(&of_place(place).collect::<Vec<_>>(), if place == Place::AnyCase { LOWER } else { 0 })
        });
        Literals { bytes: bytes.into(), ends: ends.into(), slots, starts, ends_of_texts, anywhere, any_case }
    }
}

impl Literals {
    /// Appends the literals that the text has; some perhaps twice.
    pub(super) fn find(&self, text: &[u8], found: &mut Vec<LiteralId>) {
        found.extend(self.number(Place::Whole, text));
        for length in self.starts.of_texts(first_two(text)) {
            found.extend(text.get(..length).and_then(|start| self.number(Place::Start, start)));
        }
        for length in self.ends_of_texts.of_texts(last_two(text)) {
            let end = text.len().checked_sub(length).map(|start| &text[start..]);
            found.extend(end.and_then(|end| self.number(Place::End, end)));
        }
        self.anywhere.find(self, text, |gram| gram, |part, literal| part == literal, found);
        if text.is_ascii() {
            self.any_case.find(self, text, |gram| gram | LOWER, <[u8]>::eq_ignore_ascii_case, found);
        } else {
            found.extend(self.any_case.all());
        }
    }

    #[inline]
    fn number(&self, place: Place, literal: &[u8]) -> Option<LiteralId> {
        let place = tag(place);
        self.slots.find(hash(place, literal), |id| is_it(entry(&self.bytes, &self.ends, id), place, literal))
    }

    fn literal(&self, id: LiteralId) -> &[u8] {
        entry(&self.bytes, &self.ends, id).get(1..).unwrap_or_default()
    }
}

fn tag(place: Place) -> u8 {
    match place {
        Place::Whole => 0,
        Place::Start => 1,
        Place::End => 2,
        Place::Anywhere => 3,
        Place::AnyCase => 4,
    }
}

fn hash(place: u8, literal: &[u8]) -> u64 {
    let mut hasher = Mixer::default();
    hasher.write_u8(place);
    hasher.write(literal);
    hasher.finish()
}

fn entry<'b>(bytes: &'b [u8], ends: &[u32], id: LiteralId) -> &'b [u8] {
    &bytes[range(ends, id)]
}

fn is_it(entry: &[u8], place: u8, literal: &[u8]) -> bool {
    entry.split_first() == Some((&place, literal))
}

/// Rules of four gigabytes are none that a Lambda function could hold.
fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Two bytes as a number; a text of one has none.
fn first_two(text: &[u8]) -> u32 {
    text.first_chunk().map_or(0, |bytes| u16::from_le_bytes(*bytes).into())
}

fn last_two(text: &[u8]) -> u32 {
    text.last_chunk().map_or(0, |bytes| u16::from_le_bytes(*bytes).into())
}

impl Lengths {
    /// Of literals' lengths and bytes. (A literal of one byte stands with all of them.)
    fn of(literals: impl Iterator<Item = (usize, u32)> + Clone) -> Self {
        let count = literals.clone().count();
        if count == 0 {
            return Self::default();
        }
        let mut short = vec![0; (2 * count).next_power_of_two().clamp(2, 256)];
        let bits = short.len().trailing_zeros();
        let mut long: Vec<u32> = Vec::new();
        for (literal, two) in literals {
            let bit = 1 << literal.min(LONG);
            match literal {
                1 => short.iter_mut().for_each(|lengths| *lengths |= bit),
                _ => short[scattered(two, bits)] |= bit,
            }
            if literal >= LONG {
                long.push(length(literal));
            }
        }
        long.sort_unstable();
        long.dedup();
        Self { short: short.into(), long: long.into() }
    }

    /// The lengths, ascending, of literals that may have these two bytes.
    fn of_texts(&self, two: u32) -> impl Iterator<Item = usize> {
        let bits = self.short.len().trailing_zeros();
        let mut lengths = if self.short.is_empty() { 0 } else { self.short[scattered(two, bits)] };
        let long = if lengths >> LONG == 0 { &[][..] } else { &self.long };
        lengths &= (1 << LONG) - 1;
        let short = std::iter::from_fn(move || {
            let length = (lengths != 0).then(|| lengths.trailing_zeros() as usize);
            lengths &= lengths.wrapping_sub(1);
            length
        });
        short.chain(long.iter().map(|length| *length as usize))
    }
}

/// The length from which on [`Lengths`] lists each.
const LONG: usize = 31;

fn grams(text: &[u8]) -> impl Iterator<Item = (usize, u32)> {
    text.array_windows::<GRAM>().map(|gram| u32::from_le_bytes(*gram)).enumerate()
}

/// Scatters grams over the numbers of `bits` bits.
fn scattered(gram: u32, bits: u32) -> usize {
    (gram.wrapping_mul(0x9e37_79b1) >> (u32::BITS - bits)) as usize
}

impl Grams {
    fn of(literals: &[(LiteralId, &[u8])], fold: u32) -> Self {
        /// Enough to count how often each gram is used.
        const BITS: u32 = 16;
        let (long, short): (Vec<_>, Vec<_>) = literals.iter().copied().partition(|(_, literal)| literal.len() >= GRAM);
        let short: Vec<u32> = short.into_iter().map(|(id, _)| id).collect();
        if long.is_empty() {
            return Self { short: short.into(), ..Self::default() };
        }
        let grams = |literal| grams(literal).map(|(at, gram)| (at, gram | fold));
        let mut uses = vec![0_u16; 1 << BITS];
        for (_, gram) in long.iter().flat_map(|(_, literal)| grams(literal)) {
            let count = &mut uses[scattered(gram, BITS)];
            *count = count.saturating_add(1);
        }
        let rarest = |literal| grams(literal).min_by_key(|(_, gram)| uses[scattered(*gram, BITS)]);
        let mut filed: Vec<(u32, u32, u32)> = long
            .into_iter()
            .filter_map(|(id, literal)| rarest(literal).map(|(offset, gram)| (gram, id, length(offset))))
            .collect();
        filed.sort_unstable();
        // At most one bit in sixteen is set.
        let mut filter = vec![0_u32; filed.len().div_ceil(2).next_power_of_two().min(1 << 11)];
        let bits = bits_of(&filter);
        for (gram, ..) in &filed {
            let bit = scattered(*gram, bits);
            filter[bit / 32] |= 1 << (bit % 32);
        }
        let column = |column: fn(&(u32, u32, u32)) -> u32| filed.iter().map(column).collect::<Vec<_>>().into();
        Self {
            filter: filter.into(),
            rarest: column(|filed| filed.0),
            literals: column(|filed| filed.1),
            offsets: column(|filed| filed.2),
            short: short.into(),
        }
    }

    /// All its literals.
    fn all(&self) -> impl Iterator<Item = LiteralId> {
        self.short.iter().chain(self.literals.iter()).copied()
    }

    fn find(
        &self,
        all: &Literals,
        text: &[u8],
        fold: impl Fn(u32) -> u32,
        is_alike: impl Fn(&[u8], &[u8]) -> bool,
        found: &mut Vec<LiteralId>,
    ) {
        for id in self.short.iter() {
            let literal = all.literal(*id);
            if text.windows(literal.len()).any(|part| is_alike(part, literal)) {
                found.push(*id);
            }
        }
        if self.filter.is_empty() {
            return;
        }
        let bits = bits_of(&self.filter);
        for (at, gram) in grams(text) {
            let gram = fold(gram);
            let bit = scattered(gram, bits);
            if self.filter[bit / 32] >> (bit % 32) & 1 == 0 {
                continue;
            }
            let first = self.rarest.partition_point(|other| *other < gram);
            for place in (first..self.rarest.len()).take_while(|place| self.rarest[*place] == gram) {
                let id = self.literals[place];
                let literal = all.literal(id);
                let start = at.checked_sub(self.offsets[place] as usize);
                let part = start.and_then(|start| text.get(start..start + literal.len()));
                if part.is_some_and(|part| is_alike(part, literal)) {
                    found.push(id);
                }
            }
        }
    }
}

/// How many bits choose one of the filter's: it has a power of two of them.
fn bits_of(filter: &[u32]) -> u32 {
    (filter.len() * 32).trailing_zeros()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> impl Strategy<Value = Key> {
        let place = prop::sample::select(vec![Place::Whole, Place::Start, Place::End, Place::Anywhere, Place::AnyCase]);
        (place, "[ab]{1,7}|é|abcdabcd|@a\\[b`").prop_map(|(place, text)| Key { place, bytes: text.into_bytes().into() })
    }

    proptest! {
        #[test]
        fn those_are_found_that_the_text_has(
            keys in prop::collection::vec(key(), 0..30),
            text in prop_oneof!["[abAB]{0,9}", "é?[abcdABCD]{0,12}", "(abcd){0,3}", "[@`aA\\[\\{bB]{0,9}"],
        ) {
            let mut growing = Growing::default();
            let numbers: Vec<LiteralId> = keys.iter().map(|key| growing.number(key)).collect();
            let literals = growing.finish();
            let mut found = Vec::new();
            literals.find(text.as_bytes(), &mut found);
            for (key, number) in keys.iter().zip(numbers) {
                prop_assert_eq!(found.contains(&number), key.is_in(&text), "{:?} in {:?}", key, text);
            }
        }
    }
}
