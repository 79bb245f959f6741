//! A call, as the engine tells calls apart: the type of the caller's identity, the service and the event.
//!
//! Nearly every rule asks for a part of it, and traffic repeats itself: a day's records hold a few thousand different calls.
//! So a call is what the [candidate index](super::candidate_index) is asked for first, and what the
//! [call cache](super::call_cache) remembers.

#![allow(clippy::inline_always, reason = "every record comes through here")]

use std::ops::Range;

use super::extract::{ByteSpan, Extracted, Scalar};
use super::hash::call_hash;
use super::path_trie::{FieldId, TrieView};

/// The paths of the parts of a call, in the order in which all of the engine has them.
pub(super) const CALL_PATHS: [&[&str]; 3] = [&["userIdentity", "type"], &["eventSource"], &["eventName"]];
/// The place of `userIdentity.type` in [`CALL_PATHS`].
pub(super) const IDENTITY: usize = 0;
/// The place of `eventSource`.
pub(super) const SERVICE: usize = 1;
/// The place of `eventName`.
pub(super) const EVENT: usize = 2;

/// What [`CallKey::lengths`] has for a part that the record lacks.
pub(super) const MISSING: u32 = 0xff;

/// One record's call, as it stands in the record's text.
///
/// It is hashed and compared without a branch on how long its texts are: every record comes through here, and the processor
/// could not foresee the answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct CallKey<'t> {
    pub(super) text: &'t str,
    /// Where the parts stand.
    pub(super) spans: [ByteSpan; 3],
    /// The length in bytes of each part, a byte for each, the first lowest: 254 for all that are longer, [`MISSING`] for one
    /// that the record lacks. (One number stays in a register; an array of bytes would not.)
    pub(super) lengths: u32,
}

/// The fields that are the parts of a call. Every trie has them.
pub(super) fn call_fields(trie: TrieView<'_>) -> [FieldId; 3] {
    CALL_PATHS.map(|path| trie.field(path.iter().copied()).unwrap_or_default())
}

impl<'t> CallKey<'t> {
    /// The call of the record that has been extracted from `text`; `None` if one of its parts is something else than a plain
    /// text, or if the record needs a full parse.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "what is longer than 254 bytes counts as 254")]
    pub(super) fn from_extracted(extracted: &Extracted, fields: [FieldId; 3], text: &'t str) -> Option<Self> {
        let mut call = Self { text, spans: [ByteSpan::default(); 3], lengths: 0 };
        for (part, field) in fields.into_iter().enumerate() {
            let length = match extracted.scalar(field) {
                Scalar::Text(span) => {
                    call.spans[part] = span;
                    (span.range().len() as u32).min(MISSING - 1)
                }
                Scalar::Missing => MISSING,
                Scalar::Other => return None,
            };
            call.lengths |= length << (8 * part);
        }
        (!extracted.needs_full_parse()).then_some(call)
    }

    /// One of the parts; `None` if the record lacks it.
    pub(super) fn part(&self, part: usize) -> Option<&'t str> {
        (self.lengths >> (8 * part) & 0xff != MISSING).then(|| self.spans[part].raw(self.text))
    }

    /// The hash of the call.
    #[inline(always)]
    pub(super) fn hash(&self) -> u64 {
        let [identity, service, event] = self.spans.map(ByteSpan::range);
        let lengths = u64::from(self.lengths) << 40;
        call_hash(self.head(&service), self.tail(&identity) ^ lengths, self.head(&event), self.tail(&event))
    }

    /// The first eight bytes of a part; of a shorter one, all.
    #[inline(always)]
    fn head(&self, part: &Range<usize>) -> u64 {
        if part.len() < 8 { self.tail(part) } else { self.word(part.start) }
    }

    /// The last eight bytes of a part. What stands before a shorter one is shifted out; something does, in an object.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "at most 8")]
    fn tail(&self, part: &Range<usize>) -> u64 {
        let missing = 64 - 8 * part.len().min(8) as u32;
        self.word(part.end.wrapping_sub(8)).checked_shr(missing).unwrap_or_default()
    }

    #[inline(always)]
    fn word(&self, at: usize) -> u64 {
        let bytes = self.text.as_bytes().get(at..).and_then(|text| text.first_chunk());
        bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }
}
