//! Remembers which clauses come into question for an identity, a service and an event: traffic repeats itself.

#![allow(clippy::inline_always, reason = "every record comes through here")]

use super::extract::Scalar;
use super::hash::Map;
use super::index::ClauseId;

/// Places of the memo, and how many of them in a row a call may stand at: with one only, calls that are made all the time would
/// keep driving each other out.
const PLACES: usize = 4_096;
const WAYS: usize = 4;
/// Bytes of texts that are remembered: AWS's names are far shorter, and nobody else's are worth it.
const MAX_TEXTS: usize = 124;
/// Clauses that all entries together may hold.
const MAX_CLAUSES: usize = 1 << 20;

/// What is asked for: identity, service, event.
pub(super) type Call<'t> = [Scalar<'t>; 3];

/// The memo.
#[derive(Debug)]
pub(super) struct Memo {
    /// [`Entry`] beside [`Entry`], so that a look at one is a look at one place in memory, which is what a look costs; and
    /// zeros at first, of which the system gives no memory before it is needed. (Of arrays it would: `vec!` writes those.)
    entries: Vec<u8>,
    /// Those of the entries that have any, by their place.
    clauses: Map<usize, Box<[ClauseId]>>,
    held: usize,
    /// Whom a newcomer replaces, where all the places are taken: each in turn.
    victim: usize,
    is_off: bool,
}

/// What is known of the call; then the lengths of its texts, [`MISSING`] for one that it lacks; then the texts, one after the
/// other.
type Entry = [u8; ENTRY];
const ENTRY: usize = 4 + MAX_TEXTS;

/// What is known of a call; 0 is nothing.
const NO_CLAUSES: u8 = 1;
const CLAUSES: u8 = 2;

const MISSING: u8 = u8::MAX;

/// The first place at which a call may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(usize);

impl Default for Memo {
    fn default() -> Self {
        Self { entries: vec![0; ENTRY * PLACES], clauses: Map::default(), held: 0, victim: 0, is_off: false }
    }
}

impl Memo {
    /// The call's clauses, or the place to keep them at.
    #[inline]
    pub(super) fn get(&self, call: &Call<'_>) -> Result<&[ClauseId], Place> {
        let first = place(call);
        let entries = self.entries.as_chunks::<ENTRY>().0.get(first..first + WAYS).unwrap_or_default();
        for (place, entry) in (first..).zip(entries) {
            match entry[0] {
                NO_CLAUSES if is_of(entry, call) => return Ok(&[]),
                CLAUSES if is_of(entry, call) => return Ok(self.clauses.get(&place).map_or(&[], |clauses| &**clauses)),
                NO_CLAUSES | CLAUSES => {}
                // Places are taken in their order.
                _ => break,
            }
        }
        Err(Place(first))
    }

    /// Keeps nothing from here on, for the benchmarks.
    pub(super) fn turn_off(&mut self) {
        self.is_off = true;
    }

    /// Keeps a call's clauses.
    pub(super) fn keep(&mut self, Place(first): Place, call: &Call<'_>, clauses: &[ClauseId]) {
        let length: usize = call.iter().map(|part| text(*part).len()).sum();
        if self.is_off || length > MAX_TEXTS || clauses.len() > MAX_CLAUSES {
            return;
        }
        if self.held + clauses.len() > MAX_CLAUSES {
            *self = Self::default();
        }
        let Some(entries) = self.entries.as_chunks_mut::<ENTRY>().0.get_mut(first..first + WAYS) else { return };
        let way = entries.iter().position(|entry| entry[0] == 0).unwrap_or_else(|| {
            self.victim = (self.victim + 1) % WAYS;
            self.victim
        });
        let [known, lengths @ ..] = &mut entries[way];
        *known = if clauses.is_empty() { NO_CLAUSES } else { CLAUSES };
        let (lengths, texts) = lengths.split_at_mut(3);
        lengths.copy_from_slice(&call.map(length_of));
        let bytes = call.iter().flat_map(|part| text(*part).bytes());
        texts.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
        let place = first + way;
        self.held += clauses.len();
        let former =
            if clauses.is_empty() { self.clauses.remove(&place) } else { self.clauses.insert(place, clauses.into()) };
        self.held -= former.map_or(0, |former| former.len());
    }
}

/// The first place of a call: by the ends and the lengths of its texts, which tell AWS's names apart. The three products wait for
/// nothing but their own text.
#[inline]
#[expect(clippy::cast_possible_truncation)]
fn place(call: &Call<'_>) -> usize {
    let mut hash = 0_u64;
    for part in call {
        let bytes = text(*part).as_bytes();
        let (first, last) = match (bytes.first_chunk(), bytes.last_chunk()) {
            (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
            _ => (0, bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte))),
        };
        let length = u64::from(length_of(*part)) << 56;
        let product = u128::from(first ^ 0x9e37_79b9_7f4a_7c15) * u128::from(last ^ length ^ 0xc2b2_ae3d_27d4_eb4f);
        hash = hash.rotate_left(21) ^ product as u64 ^ (product >> 64) as u64;
    }
    hash as usize % PLACES / WAYS * WAYS
}

#[inline(always)]
fn is_of(entry: &Entry, call: &Call<'_>) -> bool {
    let [_, identity, service, event, texts @ ..] = entry;
    let mut rest = &texts[..];
    [*identity, *service, *event] == call.map(length_of)
        && call.iter().all(|part| {
            let bytes = text(*part).as_bytes();
            rest.split_at_checked(bytes.len()).is_some_and(|(ours, others)| {
                rest = others;
                is_same(ours, bytes)
            })
        })
}

/// Whether two texts of one length are the same: most are too short for a call of `memcmp` to be worth it, and are looked at
/// from both ends, which may overlap.
#[inline(always)]
fn is_same(a: &[u8], b: &[u8]) -> bool {
    if a.len() > 32 {
        a == b
    } else if let (Some(a), Some(b)) = (ends::<16>(a), ends(b)) {
        a == b
    } else if let (Some(a), Some(b)) = (ends::<8>(a), ends(b)) {
        a == b
    } else {
        a.iter().eq(b)
    }
}

#[inline(always)]
fn ends<const N: usize>(text: &[u8]) -> Option<(&[u8; N], &[u8; N])> {
    text.first_chunk().zip(text.last_chunk())
}

/// A text that is too long to be remembered has another length than any that is.
#[inline]
fn length_of(part: Scalar<'_>) -> u8 {
    match part {
        Scalar::Text(text) => u8::try_from(text.len()).unwrap_or(MISSING - 1).min(MISSING - 1),
        Scalar::Missing | Scalar::Other => MISSING,
    }
}

#[inline]
fn text(part: Scalar<'_>) -> &str {
    if let Scalar::Text(text) = part { text } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_told_apart_and_the_bounds_hold() {
        let mut memo = Memo::default();
        let missing = [Scalar::Missing; 3];
        let empty = [Scalar::Text(""), Scalar::Missing, Scalar::Missing];
        let shifted = [Scalar::Text("ab"), Scalar::Text("c"), Scalar::Missing];
        let other = [Scalar::Text("a"), Scalar::Text("bc"), Scalar::Missing];
        for (number, call) in [missing, empty, shifted, other].iter().enumerate() {
            let place = memo.get(call).unwrap_err();
            memo.keep(place, call, &[u32::try_from(number).unwrap()]);
            assert_eq!(memo.get(call), Ok(&[u32::try_from(number).unwrap()][..]), "{call:?}");
        }
        let many = vec![7; MAX_CLAUSES / 2];
        for text in ["x", "y", "z"] {
            let call = [Scalar::Text(text); 3];
            let place = memo.get(&call).unwrap_err();
            memo.keep(place, &call, &many);
            assert!(memo.held <= MAX_CLAUSES && memo.get(&call).is_ok());
        }
        let long = "x".repeat(MAX_TEXTS);
        let call = [Scalar::Text(&long), Scalar::Text("y"), Scalar::Missing];
        let place = memo.get(&call).unwrap_err();
        memo.keep(place, &call, &[1]);
        assert!(memo.get(&call).is_err());
    }
}
