//! Remembers which clauses come into question for an identity, a service and an event: traffic repeats itself.

use std::hash::Hasher as _;

use super::extract::Scalar;
use super::hash::Mixer;
use super::index::ClauseId;

/// Places of the memo. A newcomer takes the place of whoever is there.
const PLACES: usize = 4_096;
/// Bytes of a key that is remembered: AWS's names are far shorter, and nobody else's are worth it.
const MAX_KEY: usize = 128;
/// Clauses that all entries together may hold.
const MAX_CLAUSES: usize = 1 << 20;

/// What is asked for: identity, service, event.
pub(super) type Call<'t> = [Scalar<'t>; 3];

/// The memo.
#[derive(Debug)]
pub(super) struct Memo {
    entries: Vec<Option<Box<Entry>>>,
    clauses: usize,
    is_off: bool,
}

#[derive(Debug)]
struct Entry {
    /// Their lengths; `MAX`: missing.
    lengths: [u32; 3],
    /// The three texts, one after the other.
    key: [u8; MAX_KEY],
    clauses: Box<[ClauseId]>,
}

/// Where a call would stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(usize);

impl Default for Memo {
    fn default() -> Self {
        Self { entries: std::iter::repeat_with(|| None).take(PLACES).collect(), clauses: 0, is_off: false }
    }
}

impl Memo {
    /// The call's clauses, or the place to keep them at.
    #[inline]
    pub(super) fn get(&self, call: &Call<'_>) -> Result<&[ClauseId], Place> {
        let mut hasher = Mixer::default();
        for part in call {
            match part {
                Scalar::Text(text) => hasher.write(text.as_bytes()),
                Scalar::Missing | Scalar::Other => hasher.write_u8(u8::MAX),
            }
        }
        #[expect(clippy::cast_possible_truncation)]
        let place = hasher.finish() as usize % PLACES;
        match &self.entries[place] {
            Some(entry) if entry.is_of(call) => Ok(&entry.clauses),
            _ => Err(Place(place)),
        }
    }

    /// Keeps nothing from here on, for the benchmarks.
    pub(super) fn turn_off(&mut self) {
        self.is_off = true;
    }

    /// Keeps a call's clauses.
    pub(super) fn keep(&mut self, Place(place): Place, call: &Call<'_>, clauses: &[ClauseId]) {
        let length: usize = call.iter().map(|part| text(*part).len()).sum();
        if self.is_off || length > MAX_KEY || clauses.len() > MAX_CLAUSES {
            return;
        }
        let mut key = [0; MAX_KEY];
        key.iter_mut().zip(call.iter().flat_map(|part| text(*part).bytes())).for_each(|(place, byte)| *place = byte);
        self.clauses += clauses.len();
        if self.clauses > MAX_CLAUSES {
            *self = Self { clauses: clauses.len(), ..Self::default() };
        }
        let entry = Entry { lengths: call.map(length_of), key, clauses: clauses.into() };
        let former = self.entries[place].replace(Box::new(entry));
        self.clauses -= former.map_or(0, |entry| entry.clauses.len());
    }
}

impl Entry {
    #[inline]
    fn is_of(&self, call: &Call<'_>) -> bool {
        let mut rest = &self.key[..];
        self.lengths == call.map(length_of)
            && call.iter().all(|part| {
                let bytes = text(*part).as_bytes();
                rest.split_at_checked(bytes.len()).is_some_and(|(key, others)| {
                    rest = others;
                    is_same(key, bytes)
                })
            })
    }
}

/// Whether two texts of one length are the same: most are too short for a call to be worth it.
#[inline]
fn is_same(a: &[u8], b: &[u8]) -> bool {
    let (a_words, a_tail) = a.as_chunks::<8>();
    let (b_words, b_tail) = b.as_chunks::<8>();
    a_words.iter().zip(b_words).all(|(a, b)| a == b)
        && match (a.last_chunk::<8>(), b.last_chunk()) {
            (Some(a), Some(b)) => a == b,
            _ => a_tail == b_tail,
        }
}

fn length_of(part: Scalar<'_>) -> u32 {
    match part {
        Scalar::Text(text) => u32::try_from(text.len()).unwrap_or(u32::MAX),
        Scalar::Missing | Scalar::Other => u32::MAX,
    }
}

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
            assert!(memo.clauses <= MAX_CLAUSES && memo.get(&call).is_ok());
        }
        let long = "x".repeat(MAX_KEY);
        let call = [Scalar::Text(&long), Scalar::Text("y"), Scalar::Missing];
        let place = memo.get(&call).unwrap_err();
        memo.keep(place, &call, &[1]);
        assert!(memo.get(&call).is_err());
    }
}
