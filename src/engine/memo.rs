//! Remembers which clauses come into question for an identity, a service and an event: traffic repeats itself.

#![allow(clippy::inline_always, reason = "every record comes through here")]

use std::ops::Range;

use wide::{u8x16, u32x4};

use super::extract::{Picked, Scalar, SlotId, Span};
use super::hash::Map;
use super::index::ClauseId;

/// Places of the memo, a power of two, and how many of them in a row a call may stand at: with one only, calls that are made
/// all the time would keep driving each other out.
const PLACES: usize = 4_096;
const WAYS: usize = 4;
/// Clauses that all entries together may hold.
const MAX_CLAUSES: usize = 1 << 20;

/// A call: what identifies it, as it stands in a record's text.
///
/// It is looked up without asking how long its texts are: every record comes through here, and the processor could not
/// foresee the answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'t> {
    text: &'t str,
    /// Where identity, service and event stand.
    spans: [Span; 3],
    /// As an entry has them: a byte for each part, the first lowest; [`MISSING`] for one that the record lacks. A text that is
    /// too long to be remembered has another length than any that is. (In one number, for it never waits for memory.)
    lengths: u32,
}

/// The memo.
#[derive(Debug)]
pub(super) struct Memo {
    /// Of each place, what tells its call from others that may stand there; 0: it is free. Places are taken in their order.
    tags: Vec<u32>,
    /// [`Entry`] beside [`Entry`], so that a look at one is a look at one place in memory, which is what a look costs; and
    /// zeros at first, of which the system gives no memory before it is needed. (Of arrays it would: `vec!` writes those.)
    entries: Vec<u8>,
    /// Where the first entry begins: at the beginning of a line of the processor's cache.
    start: usize,
    /// Those of the entries that have any, by their place.
    clauses: Map<usize, Box<[ClauseId]>>,
    held: usize,
    /// Whom a newcomer replaces, where all the places are taken: each in turn.
    victim: usize,
    is_off: bool,
}

/// The texts of a call, each at its place of [`TEXTS`] and with zeros behind it; and at [`KNOWN`] whether it has clauses, and
/// the lengths of the texts.
type Entry = [u8; ENTRY];
const ENTRY: usize = 128;

/// Where each text begins in an entry, and how long it may be: a call with a longer one is not remembered. Of
/// AWS's 22,000 calls that is one in six hundred.
const TEXTS: [(usize, usize); 3] = [(0, 28), (32, 48), (80, 48)];
const KNOWN: usize = 28;

/// Bytes of a line of the cache.
const LINE: usize = 64;

const MISSING: u32 = 0xff;

/// What the memo has of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// No clause comes into question.
    Nothing,
    /// Those of [`Memo::clauses`] do.
    Clauses(Place),
    /// It does not have the call.
    No,
}

/// A place of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(usize);

impl<'t> Call<'t> {
    /// Of a record; `None` if one of the parts is something else than a plain text.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation)]
    pub(super) fn of(picked: &Picked, slots: [SlotId; 3], text: &'t str) -> Option<Self> {
        let mut call = Self { text, spans: [Span::default(); 3], lengths: 0 };
        for (part, slot) in slots.into_iter().enumerate() {
            let length = match picked.scalar(slot) {
                Scalar::Text(span) => {
                    call.spans[part] = span;
                    (span.range().len() as u32).min(MISSING - 1)
                }
                Scalar::Missing => MISSING,
                Scalar::Other => return None,
            };
            call.lengths |= length << (8 * part);
        }
        (!picked.is_odd()).then_some(call)
    }

    /// One of its parts, unless the record lacks it.
    pub(super) fn part(&self, part: usize) -> Option<&'t str> {
        (self.lengths >> (8 * part) & 0xff != MISSING).then(|| self.spans[part].raw(self.text))
    }

    /// The call's first place, and its tag: by what tells AWS's names apart.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation)]
    fn place(&self) -> (usize, u32) {
        let [identity, service, event] = self.spans.map(Span::range);
        let lengths = u64::from(self.lengths) << 40;
        let one = (self.head(&service) ^ 0x9e37_79b9_7f4a_7c15, self.tail(&identity) ^ lengths ^ 0xc2b2_ae3d_27d4_eb4f);
        let two = (self.head(&event) ^ 0xd6e8_feb8_6659_fd93, self.tail(&event) ^ 0xa076_1d64_78bd_642f);
        let [one, two] =
            [one, two].map(|(a, b)| u128::from(a) * u128::from(b)).map(|both| both as u64 ^ (both >> 64) as u64);
        let hash = one.rotate_left(21) ^ two;
        (hash as usize % PLACES / WAYS * WAYS, (hash >> 32) as u32 | 1)
    }

    /// The first eight bytes of a part; of a shorter one, all.
    #[inline(always)]
    fn head(&self, part: &Range<usize>) -> u64 {
        if part.len() < 8 { self.tail(part) } else { self.word(part.start) }
    }

    /// The last eight bytes of a part. What stands before a shorter one is shifted out; something does, in an object.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation)]
    fn tail(&self, part: &Range<usize>) -> u64 {
        let missing = 64 - 8 * part.len().min(8) as u32;
        self.word(part.end.wrapping_sub(8)).checked_shr(missing).unwrap_or_default()
    }

    #[inline(always)]
    fn word(&self, at: usize) -> u64 {
        let bytes = self.text.as_bytes().get(at..).and_then(|text| text.first_chunk());
        bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    /// Whether an entry is this call's.
    #[inline(always)]
    fn is_at(&self, entry: &Entry) -> bool {
        let (parts, [identity, service, event]) = (entry.as_chunks().0, self.spans);
        lengths(entry) == self.lengths
            && (self.begins(identity, &parts[..2])
                & self.begins(service, &parts[2..5])
                & self.begins(event, &parts[5..]))
    }

    /// Whether a text, which is as long as a part at least, begins as the part.
    #[inline(always)]
    fn begins(&self, part: Span, text: &[[u8; 16]]) -> bool {
        let (part, ours) = (part.range(), self.text.as_bytes());
        let Some(ours) = ours.get(part.start..part.start + text.as_flattened().len()) else {
            return ours[part.clone()] == text.as_flattened()[..part.len()];
        };
        let both = ours.as_chunks().0.iter().zip(text);
        let same = both.enumerate().fold(0_u64, |same, (place, (a, b))| {
            same | u64::from(u8x16::new(*a).simd_eq(u8x16::new(*b)).to_bitmask()) << (16 * place)
        });
        let wanted = (1_u64 << part.len()) - 1;
        same & wanted == wanted
    }
}

impl Default for Memo {
    fn default() -> Self {
        let entries = vec![0; ENTRY * PLACES + LINE];
        // No promise is made that this is found out; then a look costs a little more.
        let start = entries.as_ptr().align_offset(LINE).min(LINE);
        Self { tags: vec![0; PLACES], entries, start, clauses: Map::default(), held: 0, victim: 0, is_off: false }
    }
}

impl Memo {
    /// What is known of a call.
    #[inline]
    pub(super) fn get(&self, call: &Call<'_>) -> Known {
        let (first, tag) = call.place();
        let tags = self.tags[first..].first_chunk::<WAYS>();
        let same = tags.map_or(0, |tags| u32x4::new(*tags).simd_eq(u32x4::splat(tag)).to_bitmask());
        let place = first + same.trailing_zeros() as usize % WAYS;
        let entry = self.entries[self.start..].as_chunks::<ENTRY>().0.get(place);
        match entry {
            Some(entry) if same != 0 && call.is_at(entry) => {
                if entry[KNOWN] == 0 {
                    Known::Nothing
                } else {
                    Known::Clauses(Place(place))
                }
            }
            _ => Known::No,
        }
    }

    /// The clauses of a call that has some.
    pub(super) fn clauses(&self, Place(place): Place) -> &[ClauseId] {
        self.clauses.get(&place).map_or(&[], |clauses| &**clauses)
    }

    /// Keeps nothing from here on, for the benchmarks.
    pub(super) fn turn_off(&mut self) {
        self.is_off = true;
    }

    /// Keeps a call's clauses.
    pub(super) fn keep(&mut self, call: &Call<'_>, clauses: &[ClauseId]) {
        let texts = [0, 1, 2].map(|part| call.part(part));
        let is_short = texts.iter().zip(TEXTS).all(|(text, (_, most))| text.is_none_or(|text| text.len() <= most));
        if self.is_off || !is_short || clauses.len() > MAX_CLAUSES {
            return;
        }
        if self.held + clauses.len() > MAX_CLAUSES {
            *self = Self::default();
        }
        let (first, tag) = call.place();
        let Some(tags) = self.tags[first..].first_chunk_mut::<WAYS>() else { return };
        let way = tags.iter().position(|of| *of == 0 || *of == tag).unwrap_or_else(|| {
            self.victim = (self.victim + 1) % WAYS;
            self.victim
        });
        let place = first + way;
        let Some(entry) = self.entries[self.start..].as_chunks_mut::<ENTRY>().0.get_mut(place) else { return };
        tags[way] = tag;
        *entry = [0; ENTRY];
        entry[KNOWN] = u8::from(!clauses.is_empty());
        entry[KNOWN + 1..][..3].copy_from_slice(&call.lengths.to_le_bytes()[..3]);
        for (text, (start, _)) in texts.iter().zip(TEXTS) {
            let bytes = text.unwrap_or_default().as_bytes();
            entry[start..][..bytes.len()].copy_from_slice(bytes);
        }
        self.held += clauses.len();
        let former =
            if clauses.is_empty() { self.clauses.remove(&place) } else { self.clauses.insert(place, clauses.into()) };
        self.held -= former.map_or(0, |former| former.len());
    }
}

fn lengths(entry: &Entry) -> u32 {
    let word = entry[KNOWN..].first_chunk().copied().unwrap_or_default();
    u32::from_le_bytes(word) >> 8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text that holds the parts somewhere, so many bytes from its beginning and its end: eight at least, as in an object.
    fn text_of(parts: [Option<&str>; 3], around: (usize, usize)) -> (String, [Option<Span>; 3]) {
        let mut text = "-".repeat(around.0);
        let parts = parts.map(|part| match part {
            None => None,
            Some(part) => {
                let start = text.len();
                text.push_str(part);
                let end = text.len();
                text.push('"');
                Some(Span::of(start..end))
            }
        });
        text.truncate(text.len().saturating_sub(1));
        text.push_str(&"x".repeat(around.1));
        (text, parts)
    }

    fn call(text: &str, spans: [Option<Span>; 3]) -> Call<'_> {
        let length =
            |span: Option<Span>| span.map_or(MISSING, |span| u32::try_from(span.range().len().min(254)).unwrap());
        let [identity, service, event] = spans.map(length);
        let lengths = identity | service << 8 | event << 16;
        Call { text, spans: spans.map(Option::unwrap_or_default), lengths }
    }

    fn known<'m>(memo: &'m Memo, call: &Call<'_>) -> Option<&'m [ClauseId]> {
        match memo.get(call) {
            Known::Nothing => Some(&[]),
            Known::Clauses(place) => Some(memo.clauses(place)),
            Known::No => None,
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
        let clauses_of = |number: u32| if number == 0 { vec![] } else { vec![number] };
        for around in [(8, 0), (9, 7), (100, 100)] {
            let mut memo = Memo::default();
            for (number, parts) in (0..).zip(&calls) {
                let (text, spans) = text_of(*parts, around);
                let call = call(&text, spans);
                assert_eq!(known(&memo, &call), None, "{parts:?}");
                memo.keep(&call, &clauses_of(number));
            }
            for (number, parts) in (0..).zip(&calls) {
                for around in [around, (around.0 + 30, 500), (around.0, 0)] {
                    let (text, spans) = text_of(*parts, around);
                    let call = call(&text, spans);
                    assert_eq!(known(&memo, &call), Some(&*clauses_of(number)), "{parts:?}");
                }
            }
        }
    }

    #[test]
    fn the_bounds_hold() {
        let mut memo = Memo::default();
        let many = vec![7; MAX_CLAUSES / 2];
        for name in ["x", "y", "z"] {
            let (text, parts) = text_of([Some(name); 3], (8, 8));
            let call = call(&text, parts);
            memo.keep(&call, &many);
            assert!(memo.held <= MAX_CLAUSES && known(&memo, &call) == Some(&many));
        }
        for (part, (_, most)) in TEXTS.into_iter().enumerate() {
            for length in [most + 1, 300] {
                let long = "x".repeat(length);
                let mut parts = [Some("a"); 3];
                parts[part] = Some(&long);
                let (text, parts) = text_of(parts, (8, 80));
                let call = call(&text, parts);
                memo.keep(&call, &[1]);
                assert_eq!(known(&memo, &call), None);
            }
        }
    }
}
