//! Remembers which clauses come into question for an identity, a service and an event: traffic repeats itself.

#![allow(clippy::inline_always, reason = "every record comes through here")]

use std::ops::Range;

use wide::{u8x16, u32x4};

use super::extract::{Picked, Scalar, SlotId, Span};
use super::index::ClauseId;

/// Calls that are remembered, at most; and how many of them in a row may share a place: with one only, calls that are made all
/// the time would keep driving each other out.
const CALLS: usize = 1 << NUMBER_BITS;
const NUMBER_BITS: u32 = 12;
const NUMBERS: u32 = (1 << NUMBER_BITS) - 1;
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
    /// too long to be remembered has another length than any that is. (One number stays in a register; bytes would not.)
    lengths: u32,
}

/// The memo.
#[derive(Debug)]
pub(super) struct Memo {
    /// At each place [`WAYS`] calls: the number of an entry, and above it what tells its call from others at the place; 0: none
    /// yet.
    tags: Box<[u32]>,
    /// In the order in which the calls came: those that come all the time come early, and stand together.
    entries: Vec<Entry>,
    /// The clauses of each entry's call.
    clauses: Vec<Box<[ClauseId]>>,
    held: usize,
    /// Whom a newcomer replaces, where the place is taken: each in turn.
    victim: usize,
    is_off: bool,
}

/// A call that is remembered, in two lines of the processor's cache: its texts, each at its place of [`TEXTS`] and with zeros
/// behind it; and at [`KNOWN`] whether it has clauses, and the lengths of the texts.
#[derive(Debug, Clone)]
#[repr(align(64))]
struct Entry([u8; 128]);

/// Where each text begins in an entry, and how long it may be: a call with a longer one is not remembered. Of AWS's 22,000
/// calls that is one in six hundred.
const TEXTS: [(usize, usize); 3] = [(0, 28), (32, 48), (80, 48)];
const KNOWN: usize = 28;

const MISSING: u32 = 0xff;

/// What the memo has of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// No clause comes into question.
    Nothing,
    /// Those of [`Memo::clauses`] do.
    Clauses(Number),
    /// It does not have the call.
    No,
}

/// The number of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number(usize);

impl Default for Memo {
    fn default() -> Self {
        let tags = vec![0; CALLS].into();
        Self { tags, entries: Vec::new(), clauses: Vec::new(), held: 0, victim: 0, is_off: false }
    }
}

impl Memo {
    /// What is known of a call.
    #[inline(always)]
    pub(super) fn get(&self, call: &Call<'_>) -> Known {
        let (place, tag) = call.place();
        let Some(tags) = self.tags[place..].first_chunk::<WAYS>() else { return Known::No };
        let of_calls = u32x4::new(*tags) & u32x4::splat(!NUMBERS);
        let same = of_calls.simd_eq(u32x4::splat(tag)).to_bitmask();
        let number = (tags[same.trailing_zeros() as usize % WAYS] & NUMBERS) as usize;
        match self.entries.get(number) {
            Some(entry) if same != 0 && call.is(entry) => {
                if entry.0[KNOWN] == 0 {
                    Known::Nothing
                } else {
                    Known::Clauses(Number(number))
                }
            }
            _ => Known::No,
        }
    }

    /// The clauses of a call that has some.
    pub(super) fn clauses(&self, Number(number): Number) -> &[ClauseId] {
        self.clauses.get(number).map_or(&[], |clauses| &**clauses)
    }

    /// Keeps nothing from here on, for the benchmarks.
    pub(super) fn turn_off(&mut self) {
        self.is_off = true;
    }

    /// Keeps a call's clauses.
    pub(super) fn keep(&mut self, call: &Call<'_>, clauses: &[ClauseId]) {
        let texts = [0, 1, 2].map(|part| call.part(part).unwrap_or_default());
        let is_short = texts.iter().zip(TEXTS).all(|(text, (_, most))| text.len() <= most);
        if self.is_off || !is_short || clauses.len() > MAX_CLAUSES {
            return;
        }
        if self.held + clauses.len() > MAX_CLAUSES {
            *self = Self::default();
        }
        let (place, tag) = call.place();
        let Some(tags) = self.tags[place..].first_chunk_mut::<WAYS>() else { return };
        let way = tags.iter().position(|of| *of == 0 || *of & !NUMBERS == tag).unwrap_or_else(|| {
            self.victim = (self.victim + 1) % WAYS;
            self.victim
        });
        let entry = Entry::of(call.lengths, texts, !clauses.is_empty());
        if tags[way] == 0 {
            tags[way] = tag | u32::try_from(self.entries.len()).unwrap_or_default();
            self.entries.push(entry);
            self.clauses.push(clauses.into());
        } else {
            let number = tags[way] & NUMBERS;
            tags[way] = tag | number;
            self.entries[number as usize] = entry;
            let former = std::mem::replace(&mut self.clauses[number as usize], clauses.into());
            self.held -= former.len();
        }
        self.held += clauses.len();
    }
}

impl Entry {
    fn of(lengths: u32, texts: [&str; 3], has_clauses: bool) -> Self {
        let mut entry = [0; 128];
        let known = lengths << 8 | u32::from(has_clauses);
        entry[KNOWN..][..4].copy_from_slice(&known.to_le_bytes());
        for (text, (start, _)) in texts.iter().zip(TEXTS) {
            entry[start..][..text.len()].copy_from_slice(text.as_bytes());
        }
        Self(entry)
    }

    #[inline(always)]
    fn lengths(&self) -> u32 {
        let word = self.0[KNOWN..].first_chunk().copied().unwrap_or_default();
        u32::from_le_bytes(word) >> 8
    }
}

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

    /// The call's place, and its tag: by what tells AWS's names apart.
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
        (hash as usize % CALLS / WAYS * WAYS, (hash >> 32) as u32 & !NUMBERS | 1 << NUMBER_BITS)
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
    fn is(&self, entry: &Entry) -> bool {
        let (parts, [identity, service, event]) = (entry.0.as_chunks().0, self.spans);
        entry.lengths() == self.lengths
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
