//! Which of many literals a text has, in time that hardly depends on how many there are.
//!
//! A literal that must be the whole text, its beginning or its end is found by its hash. To hash the right part of the text,
//! one has to know how long the literal is; so the lengths that occur are kept by the literals' first (or last) two bytes, and
//! few lengths are tried. A literal that may stand anywhere is filed under one *gram*, four of its bytes in a row: the one that
//! the fewest literals have. Each gram of the text is looked up, and most are in no literal. (An Aho-Corasick automaton would
//! read the text faster, but takes longer to build than everything else takes to load.)

use std::hash::Hasher as _;

use super::hash::{Mixer, scatter};
use super::packed::{PackedBytes, PackedU32s, length, number, numbers, packed_struct};
use super::tables::{IdTable, range};
use crate::rules::pattern::{Anchor, AnchoredLiteral};

/// The number of a literal among those of one field, from 0.
pub(super) type LiteralId = u32;

/// The bytes of a gram.
const GRAM: usize = 4;
/// What a gram is or-ed with to make its letters lower case. It changes some other bytes too, which does no harm: texts and
/// literals are treated alike, and a literal that is found so is compared byte for byte.
const LOWER: u32 = 0x2020_2020;

/// The literals that rules ask of one field.
#[derive(Debug, Default)]
pub(super) struct LiteralIndex {
    /// The literals one after the other, each behind the [`tag`] of its anchor.
    bytes: PackedBytes,
    /// Where each ends in `bytes`.
    ends: PackedU32s,
    /// The numbers of the literals, by the hash of anchor and bytes.
    ids: IdTable,
    /// The lengths of those that texts begin with.
    prefix_lengths: LiteralLengths,
    /// The lengths of those that texts end with.
    suffix_lengths: LiteralLengths,
    /// Those that may stand anywhere.
    anywhere: GramIndex,
    /// Those that may stand anywhere, in whatever case.
    any_case: GramIndex,
}
packed_struct!(LiteralIndex { bytes, ends, ids, prefix_lengths, suffix_lengths, anywhere, any_case });

/// The literals of one field while the rules are indexed.
#[derive(Debug, Default)]
pub(super) struct LiteralsBuilder {
    bytes: Vec<u8>,
    ends: Vec<[u8; 4]>,
    ids: IdTable,
}

/// The lengths that occur among literals with the same two bytes at one end.
#[derive(Debug, Default)]
struct LiteralLengths {
    /// By the hash of the two bytes, a bit for each length below [`LONG`]; the last bit stands for all from there on.
    short: PackedU32s,
    /// The lengths from [`LONG`] on, ascending.
    long: PackedU32s,
}
packed_struct!(LiteralLengths { short, long });

/// The length from which on [`LiteralLengths`] lists each.
const LONG: usize = 31;

/// Literals by one of their grams.
#[derive(Debug, Default)]
struct GramIndex {
    /// A bit for the hash of each gram, since most grams of a text are in no literal.
    filter: PackedU32s,
    /// The gram under which each literal is filed, ascending.
    grams: PackedU32s,
    /// The literal of each of `grams`.
    literals: PackedU32s,
    /// Where in the literal the gram stands.
    offsets: PackedU32s,
    /// The literals that are shorter than a gram: each is searched for.
    short: PackedU32s,
}
packed_struct!(GramIndex { filter, grams, literals, offsets, short });

impl LiteralsBuilder {
    /// The number of a literal; equal ones have the same.
    pub(super) fn intern(&mut self, literal: &AnchoredLiteral) -> LiteralId {
        let Self { bytes, ends, ids } = self;
        let anchor = tag(literal.anchor);
        let known = ids.find(hash(anchor, &literal.bytes), |id| is_it(entry(bytes, ends, id), anchor, &literal.bytes));
        known.unwrap_or_else(|| {
            let id = length(ends.len());
            bytes.push(anchor);
            bytes.extend_from_slice(&literal.bytes);
            ends.push(length(bytes.len()).to_le_bytes());
            ids.add(|id| entry(bytes, ends, id).split_first().map_or(0, |(anchor, literal)| hash(*anchor, literal)));
            id
        })
    }

    /// Makes the tables of the literals.
    pub(super) fn build(self) -> LiteralIndex {
        let Self { bytes, ends, ids } = self;
        let at = |anchor: Anchor| {
            let entries = (0..length(ends.len())).map(|id| (id, entry(&bytes, &ends, id)));
            entries.filter(move |(_, entry)| entry.first() == Some(&tag(anchor))).map(|(id, entry)| (id, &entry[1..]))
        };
        let prefix_lengths =
            LiteralLengths::new(at(Anchor::Start).map(|(_, literal)| (literal.len(), first_two(literal))));
        let suffix_lengths =
            LiteralLengths::new(at(Anchor::End).map(|(_, literal)| (literal.len(), last_two(literal))));
        let anywhere = GramIndex::new(&at(Anchor::Anywhere).collect::<Vec<_>>(), 0);
        let any_case = GramIndex::new(&at(Anchor::AnyCase).collect::<Vec<_>>(), LOWER);
        LiteralIndex { bytes: bytes.into(), ends: ends.into(), ids, prefix_lengths, suffix_lengths, anywhere, any_case }
    }
}

impl LiteralIndex {
    /// Appends the literals that the text has; some perhaps twice.
    pub(super) fn find(&self, text: &[u8], found: &mut Vec<LiteralId>) {
        found.extend(self.id(Anchor::Whole, text));
        for length in self.prefix_lengths.of_texts(first_two(text)) {
            found.extend(text.get(..length).and_then(|start| self.id(Anchor::Start, start)));
        }
        for length in self.suffix_lengths.of_texts(last_two(text)) {
            let end = text.len().checked_sub(length).map(|start| &text[start..]);
            found.extend(end.and_then(|end| self.id(Anchor::End, end)));
        }
        self.anywhere.find(self, text, |gram| gram, |part, literal| part == literal, found);
        if text.is_ascii() {
            self.any_case.find(self, text, |gram| gram | LOWER, <[u8]>::eq_ignore_ascii_case, found);
        } else {
            found.extend(self.any_case.all());
        }
    }

    #[inline]
    fn id(&self, anchor: Anchor, literal: &[u8]) -> Option<LiteralId> {
        let anchor = tag(anchor);
        self.ids.find(hash(anchor, literal), |id| is_it(entry(&self.bytes, &self.ends, id), anchor, literal))
    }

    fn literal(&self, id: LiteralId) -> &[u8] {
        entry(&self.bytes, &self.ends, id).get(1..).unwrap_or_default()
    }
}

/// The byte that stands for an anchor.
fn tag(anchor: Anchor) -> u8 {
    match anchor {
        Anchor::Whole => 0,
        Anchor::Start => 1,
        Anchor::End => 2,
        Anchor::Anywhere => 3,
        Anchor::AnyCase => 4,
    }
}

fn hash(anchor: u8, literal: &[u8]) -> u64 {
    let mut hasher = Mixer::default();
    hasher.write_u8(anchor);
    hasher.write(literal);
    hasher.finish()
}

fn entry<'b>(bytes: &'b [u8], ends: &[[u8; 4]], id: LiteralId) -> &'b [u8] {
    &bytes[range(ends, id)]
}

fn is_it(entry: &[u8], anchor: u8, literal: &[u8]) -> bool {
    entry.split_first() == Some((&anchor, literal))
}

/// The first two bytes as a number; 0 if there are fewer.
fn first_two(text: &[u8]) -> u32 {
    text.first_chunk().map_or(0, |bytes| u16::from_le_bytes(*bytes).into())
}

/// The last two bytes as a number; 0 if there are fewer.
fn last_two(text: &[u8]) -> u32 {
    text.last_chunk().map_or(0, |bytes| u16::from_le_bytes(*bytes).into())
}

impl LiteralLengths {
    /// Makes the table of literals' lengths and two bytes. (A literal of one byte stands with all pairs of bytes.)
    fn new(literals: impl Iterator<Item = (usize, u32)> + Clone) -> Self {
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
                _ => short[scatter(two, bits)] |= bit,
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
        let short = &*self.short;
        let mut lengths = if short.is_empty() { 0 } else { number(short, scatter(two, short.len().trailing_zeros())) };
        let long = if lengths >> LONG == 0 { &[][..] } else { &self.long };
        lengths &= (1 << LONG) - 1;
        let short = std::iter::from_fn(move || {
            let length = (lengths != 0).then(|| lengths.trailing_zeros() as usize);
            lengths &= lengths.wrapping_sub(1);
            length
        });
        short.chain(numbers(long).map(|length| length as usize))
    }
}

/// The grams of a text, and where each begins.
fn grams(text: &[u8]) -> impl Iterator<Item = (usize, u32)> {
    text.array_windows::<GRAM>().map(|gram| u32::from_le_bytes(*gram)).enumerate()
}

impl GramIndex {
    /// Files each literal under its rarest gram. Each gram is or-ed with `fold`: 0, or [`LOWER`].
    fn new(literals: &[(LiteralId, &[u8])], fold: u32) -> Self {
        /// The bits of the hash by which the uses of a gram are counted.
        const BITS: u32 = 16;
        let (long, short): (Vec<_>, Vec<_>) = literals.iter().copied().partition(|(_, literal)| literal.len() >= GRAM);
        let short: Vec<u32> = short.into_iter().map(|(id, _)| id).collect();
        if long.is_empty() {
            return Self { short: short.into(), ..Self::default() };
        }
        let grams = |literal| grams(literal).map(|(at, gram)| (at, gram | fold));
        let mut uses = vec![0_u16; 1 << BITS];
        for (_, gram) in long.iter().flat_map(|(_, literal)| grams(literal)) {
            let count = &mut uses[scatter(gram, BITS)];
            *count = count.saturating_add(1);
        }
        let rarest = |literal| grams(literal).min_by_key(|(_, gram)| uses[scatter(*gram, BITS)]);
        let mut filed: Vec<(u32, u32, u32)> = long
            .into_iter()
            .filter_map(|(id, literal)| rarest(literal).map(|(offset, gram)| (gram, id, length(offset))))
            .collect();
        filed.sort_unstable();
        // At most one bit in sixteen is set.
        let mut filter = vec![0_u32; filed.len().div_ceil(2).next_power_of_two().min(1 << 11)];
        let bits = bits_of(filter.len());
        for (gram, ..) in &filed {
            let bit = scatter(*gram, bits);
            filter[bit / 32] |= 1 << (bit % 32);
        }
        let column = |column: fn(&(u32, u32, u32)) -> u32| filed.iter().map(column).collect::<Vec<_>>().into();
        Self {
            filter: filter.into(),
            grams: column(|filed| filed.0),
            literals: column(|filed| filed.1),
            offsets: column(|filed| filed.2),
            short: short.into(),
        }
    }

    /// All the literals.
    fn all(&self) -> impl Iterator<Item = LiteralId> {
        numbers(&self.short).chain(numbers(&self.literals))
    }

    /// Appends the literals that the text has. `fold` is what has been done to the grams of literals, and `is_alike` compares a
    /// part of the text with a literal.
    fn find(
        &self,
        all: &LiteralIndex,
        text: &[u8],
        fold: impl Fn(u32) -> u32,
        is_alike: impl Fn(&[u8], &[u8]) -> bool,
        found: &mut Vec<LiteralId>,
    ) {
        for id in numbers(&self.short) {
            let literal = all.literal(id);
            if text.windows(literal.len()).any(|part| is_alike(part, literal)) {
                found.push(id);
            }
        }
        let (filter, filed) = (&*self.filter, &*self.grams);
        if filter.is_empty() {
            return;
        }
        let bits = bits_of(filter.len());
        for (at, gram) in grams(text) {
            let gram = fold(gram);
            let bit = scatter(gram, bits);
            if number(filter, bit / 32) >> (bit % 32) & 1 == 0 {
                continue;
            }
            let first = filed.partition_point(|other| u32::from_le_bytes(*other) < gram);
            for place in (first..filed.len()).take_while(|place| number(filed, *place) == gram) {
                let id = number(&self.literals, place);
                let literal = all.literal(id);
                let start = at.checked_sub(number(&self.offsets, place) as usize);
                let part = start.and_then(|start| text.get(start..start + literal.len()));
                if part.is_some_and(|part| is_alike(part, literal)) {
                    found.push(id);
                }
            }
        }
    }
}

/// How many bits of a hash choose one bit of a filter of so many numbers, which are a power of two.
fn bits_of(filter: usize) -> u32 {
    (filter * 32).trailing_zeros()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn literal() -> impl Strategy<Value = AnchoredLiteral> {
        let anchor =
            prop::sample::select(vec![Anchor::Whole, Anchor::Start, Anchor::End, Anchor::Anywhere, Anchor::AnyCase]);
        (anchor, "[ab]{1,7}|é|abcdabcd|@a\\[b`")
            .prop_map(|(anchor, text)| AnchoredLiteral { anchor, bytes: text.into_bytes().into() })
    }

    proptest! {
        #[test]
        fn those_are_found_that_the_text_has(
            literals in prop::collection::vec(literal(), 0..30),
            text in prop_oneof!["[abAB]{0,9}", "é?[abcdABCD]{0,12}", "(abcd){0,3}", "[@`aA\\[\\{bB]{0,9}"],
        ) {
            let mut builder = LiteralsBuilder::default();
            let ids: Vec<LiteralId> = literals.iter().map(|literal| builder.intern(literal)).collect();
            let index = builder.build();
            let mut found = Vec::new();
            index.find(text.as_bytes(), &mut found);
            for (literal, id) in literals.iter().zip(ids) {
                prop_assert_eq!(found.contains(&id), literal.is_in(&text), "{:?} in {:?}", literal, text);
            }
        }
    }
}
