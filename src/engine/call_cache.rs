//! Remembers which rows may match a call: traffic repeats itself, and this is where the evaluation of most records ends.
//!
//! It is a cache like a processor's, 4-way set-associative. The hash of a call chooses a *set* of four *ways*, and the rest of
//! the hash is the *tag* that tells the call from others in the set. With one way only, two calls that are made all the time
//! could keep driving each other out. All four tags are compared at once, and the texts sixteen bytes at a time whatever
//! their lengths, so that a look-up has no branch that depends on the call.

#![allow(clippy::inline_always, reason = "every record comes through here")]

use wide::{u8x16, u32x4};

use super::call::CallKey;
use super::extract::ByteSpan;
use super::plan::RowId;

/// The most calls that are remembered: 4,096.
const CAPACITY: usize = 1 << ENTRY_BITS;
/// The bits of an entry's number.
const ENTRY_BITS: u32 = 12;
/// The bits of a way that are its entry's number. Those above are its tag.
const ENTRY_MASK: u32 = (1 << ENTRY_BITS) - 1;
/// The ways of a set.
const WAYS: usize = 4;
/// The most rows that all entries together may have. When there would be more, the cache is emptied.
const MAX_ROWS: usize = 1 << 20;

/// The rows that may match, by call.
#[derive(Debug)]
pub(super) struct CallCache {
    /// The ways, [`WAYS`] for each set: a tag, and below it the number of an entry. 0: the way is free.
    ways: Box<[u32]>,
    /// The calls, in the order in which they came: those that come all the time come early, and stand together in the
    /// processor's caches.
    entries: Vec<CacheEntry>,
    /// The rows of each entry's call.
    rows: Vec<Box<[RowId]>>,
    /// How many rows the entries have together.
    row_count: usize,
    /// The way that a new call takes in a full set: round-robin, over all sets.
    next_victim: usize,
    is_disabled: bool,
}

/// A call that is remembered, in two lines of the processor's cache: each of its texts at its place of [`TEXTS`], with zeros
/// behind it; and at [`HEADER`] a byte that is 0 if no row may match, and then the three bytes of [`CallKey::lengths`].
#[derive(Debug, Clone)]
#[repr(align(64))]
struct CacheEntry([u8; 128]);

/// Where each text begins in an entry, and how many bytes it may have: a call with a longer one is not remembered. Of AWS's
/// 22,000 calls that is one in six hundred.
const TEXTS: [(usize, usize); 3] = [(0, 28), (32, 48), (80, 48)];
/// Where the header begins in an entry.
const HEADER: usize = 28;

/// What the cache has of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lookup {
    /// It has the call, and no row may match it.
    HitEmpty,
    /// It has the call, and the rows of [`CallCache::rows`] may match it.
    Hit(EntryId),
    /// It does not have the call.
    Miss,
}

/// The number of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EntryId(usize);

impl Default for CallCache {
    fn default() -> Self {
        Self {
            ways: vec![0; CAPACITY].into(),
            entries: Vec::new(),
            rows: Vec::new(),
            row_count: 0,
            next_victim: 0,
            is_disabled: false,
        }
    }
}

impl CallCache {
    /// Looks a call up.
    #[inline(always)]
    pub(super) fn get(&self, call: &CallKey<'_>) -> Lookup {
        let (set, tag) = set_and_tag(call);
        let Some(ways) = self.ways[set..].first_chunk::<WAYS>() else { return Lookup::Miss };
        let tags = u32x4::new(*ways) & u32x4::splat(!ENTRY_MASK);
        let same = tags.simd_eq(u32x4::splat(tag)).to_bitmask();
        let number = (ways[same.trailing_zeros() as usize % WAYS] & ENTRY_MASK) as usize;
        match self.entries.get(number) {
            Some(entry) if same != 0 && entry.is_of(call) => {
                if entry.0[HEADER] == 0 {
                    Lookup::HitEmpty
                } else {
                    Lookup::Hit(EntryId(number))
                }
            }
            _ => Lookup::Miss,
        }
    }

    /// The rows of a call that has some.
    pub(super) fn rows(&self, EntryId(number): EntryId) -> &[RowId] {
        self.rows.get(number).map_or(&[], |rows| &**rows)
    }

    /// Remembers nothing from here on. For the benchmarks.
    pub(super) fn disable(&mut self) {
        self.is_disabled = true;
    }

    /// Remembers the rows that may match a call.
    pub(super) fn insert(&mut self, call: &CallKey<'_>, rows: &[RowId]) {
        let texts = [0, 1, 2].map(|part| call.part(part).unwrap_or_default());
        let is_short = texts.iter().zip(TEXTS).all(|(text, (_, most))| text.len() <= most);
        if self.is_disabled || !is_short || rows.len() > MAX_ROWS {
            return;
        }
        if self.row_count + rows.len() > MAX_ROWS {
            *self = Self::default();
        }
        let (set, tag) = set_and_tag(call);
        let Some(ways) = self.ways[set..].first_chunk_mut::<WAYS>() else { return };
        let way = ways.iter().position(|way| *way == 0 || *way & !ENTRY_MASK == tag).unwrap_or_else(|| {
            self.next_victim = (self.next_victim + 1) % WAYS;
            self.next_victim
        });
        let entry = CacheEntry::new(call.lengths, texts, !rows.is_empty());
        if ways[way] == 0 {
            ways[way] = tag | u32::try_from(self.entries.len()).unwrap_or_default();
            self.entries.push(entry);
            self.rows.push(rows.into());
        } else {
            let number = ways[way] & ENTRY_MASK;
            ways[way] = tag | number;
            self.entries[number as usize] = entry;
            let former = std::mem::replace(&mut self.rows[number as usize], rows.into());
            self.row_count -= former.len();
        }
        self.row_count += rows.len();
    }
}

/// Where the set of a call begins, and the call's tag, which is not 0.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "of a hash, some bits are enough")]
fn set_and_tag(call: &CallKey<'_>) -> (usize, u32) {
    let hash = call.hash();
    (hash as usize % CAPACITY / WAYS * WAYS, (hash >> 32) as u32 & !ENTRY_MASK | 1 << ENTRY_BITS)
}

impl CacheEntry {
    fn new(lengths: u32, texts: [&str; 3], has_rows: bool) -> Self {
        let mut entry = [0; 128];
        let header = lengths << 8 | u32::from(has_rows);
        entry[HEADER..][..4].copy_from_slice(&header.to_le_bytes());
        for (text, (start, _)) in texts.iter().zip(TEXTS) {
            entry[start..][..text.len()].copy_from_slice(text.as_bytes());
        }
        Self(entry)
    }

    #[inline(always)]
    fn lengths(&self) -> u32 {
        let word = self.0[HEADER..].first_chunk().copied().unwrap_or_default();
        u32::from_le_bytes(word) >> 8
    }

    /// Whether it is this call's. (Its lengths are compared first: a text that is too long to be remembered has another
    /// length than any that is.)
    #[inline(always)]
    fn is_of(&self, call: &CallKey<'_>) -> bool {
        let (parts, [identity, service, event]) = (self.0.as_chunks().0, call.spans);
        self.lengths() == call.lengths
            && (begins(call.text, identity, &parts[..2])
                & begins(call.text, service, &parts[2..5])
                & begins(call.text, event, &parts[5..]))
    }
}

/// Whether what an entry has at one of its places begins with this part of a record's text.
#[inline(always)]
fn begins(text: &str, part: ByteSpan, remembered: &[[u8; 16]]) -> bool {
    let (part, text) = (part.range(), text.as_bytes());
    let Some(text) = text.get(part.start..part.start + remembered.as_flattened().len()) else {
        return text[part.clone()] == remembered.as_flattened()[..part.len()];
    };
    let both = text.as_chunks().0.iter().zip(remembered);
    let same = both.enumerate().fold(0_u64, |same, (place, (a, b))| {
        same | u64::from(u8x16::new(*a).simd_eq(u8x16::new(*b)).to_bitmask()) << (16 * place)
    });
    let wanted = (1_u64 << part.len()) - 1;
    same & wanted == wanted
}

#[cfg(test)]
mod tests {
    use super::super::call::MISSING;
    use super::*;

    /// A text that holds the parts somewhere, so many bytes from its beginning and its end: eight at least, as in an object.
    fn text_of(parts: [Option<&str>; 3], around: (usize, usize)) -> (String, [Option<ByteSpan>; 3]) {
        let mut text = "-".repeat(around.0);
        let parts = parts.map(|part| match part {
            None => None,
            Some(part) => {
                let start = text.len();
                text.push_str(part);
                let end = text.len();
                text.push('"');
                Some(ByteSpan::new(start..end))
            }
        });
        text.truncate(text.len().saturating_sub(1));
        text.push_str(&"x".repeat(around.1));
        (text, parts)
    }

    fn call(text: &str, spans: [Option<ByteSpan>; 3]) -> CallKey<'_> {
        let length =
            |span: Option<ByteSpan>| span.map_or(MISSING, |span| u32::try_from(span.range().len().min(254)).unwrap());
        let [identity, service, event] = spans.map(length);
        let lengths = identity | service << 8 | event << 16;
        CallKey { text, spans: spans.map(Option::unwrap_or_default), lengths }
    }

    fn remembered<'c>(cache: &'c CallCache, call: &CallKey<'_>) -> Option<&'c [RowId]> {
        match cache.get(call) {
            Lookup::HitEmpty => Some(&[]),
            Lookup::Hit(entry) => Some(cache.rows(entry)),
            Lookup::Miss => None,
        }
    }

    #[test]
    fn calls_are_told_apart_wherever_they_stand() {
        let long = "Abcdefghijklmnopqrstuvwxyz0123456789".repeat(3);
        // Alike but for one byte somewhere, for the length, or for what is missing.
        let ends = ["", "a", "Ab", "abcdefg", "abcdefgh", "abcdefgx", "abcdefghijklmnopqrst"];
        let of_length = [15, 16, 17, 27, 28, 31, 32, 33, 47, 48].map(|length| &long[..length]);
        let other = "Xbcdefghijklmnopq";
        let names: Vec<Option<&str>> = ends.into_iter().chain(of_length).map(Some).chain([None, Some(other)]).collect();
        let mut calls = Vec::new();
        for name in &names {
            calls.extend([
                [*name, Some("b"), Some("c")],
                [Some("a"), *name, Some("c")],
                [Some("a"), Some("b"), *name],
                [*name; 3],
            ]);
        }
        // Identities of one length are told apart by their ends.
        calls
            .retain(|[identity, ..]| identity.is_none_or(|identity| identity.len() <= TEXTS[0].1 && identity != other));
        calls.sort_unstable();
        calls.dedup();
        let rows_of = |number: u32| if number == 0 { vec![] } else { vec![number] };
        for around in [(8, 0), (9, 7), (100, 100)] {
            let mut cache = CallCache::default();
            for (number, parts) in (0..).zip(&calls) {
                let (text, spans) = text_of(*parts, around);
                let call = call(&text, spans);
                assert_eq!(remembered(&cache, &call), None, "{parts:?}");
                cache.insert(&call, &rows_of(number));
            }
            for (number, parts) in (0..).zip(&calls) {
                for around in [around, (around.0 + 30, 500), (around.0, 0)] {
                    let (text, spans) = text_of(*parts, around);
                    let call = call(&text, spans);
                    assert_eq!(remembered(&cache, &call), Some(&*rows_of(number)), "{parts:?}");
                }
            }
        }
    }

    #[test]
    fn the_bounds_hold() {
        let mut cache = CallCache::default();
        let many = vec![7; MAX_ROWS / 2];
        for name in ["x", "y", "z"] {
            let (text, parts) = text_of([Some(name); 3], (8, 8));
            let call = call(&text, parts);
            cache.insert(&call, &many);
            assert!(cache.row_count <= MAX_ROWS && remembered(&cache, &call) == Some(&many));
        }
        for (part, (_, most)) in TEXTS.into_iter().enumerate() {
            for length in [most + 1, 300] {
                let long = "x".repeat(length);
                let mut parts = [Some("a"); 3];
                parts[part] = Some(&long);
                let (text, parts) = text_of(parts, (8, 80));
                let call = call(&text, parts);
                cache.insert(&call, &[1]);
                assert_eq!(remembered(&cache, &call), None);
            }
        }
    }
}
