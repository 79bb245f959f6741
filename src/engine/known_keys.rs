//! Remembers which key came after which: records of a kind have their keys in one order, and to see that the next one is the one that
//! came there before takes less than to find where it ends and what the rules know of it.
//!
//! What is guessed is compared with the text, byte for byte. A wrong guess costs the comparison, and nothing else.

#![allow(clippy::inline_always, reason = "every key of every record comes through here")]

use wide::u8x16;

use super::hash::Map;
use super::path_trie::FieldId;

/// The most bytes of a key that is remembered, with its quotes and its colon.
const WIDEST: usize = 32;
/// The most keys that are remembered.
const MOST: usize = 2_048;

/// The keys that have come, and which came after which. By default nothing is remembered.
#[derive(Debug, Default)]
pub(super) struct KnownKeys {
    keys: Vec<KnownKey>,
    /// The numbers of the two keys that came last at each place: first in an object of each node, and then after each key.
    following: Vec<[u16; 2]>,
    numbers: Map<(FieldId, Box<[u8]>), u16>,
    /// How many nodes there are.
    nodes: usize,
}

/// A place in an object where a key may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyPlace(usize);

/// A key as it is written.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct KnownKey {
    /// From its opening quote to its colon, and zeros behind them.
    text: [u8; WIDEST],
    /// A bit for each byte of its text, the first in the lowest.
    bits: u32,
    /// The bytes of its text.
    pub(super) length: u16,
    /// Its node in the trie; 0 where there is none.
    pub(super) child: FieldId,
    /// What comes after it.
    pub(super) place: KeyPlace,
}

/// What no text has: these bytes are not UTF-8.
const NO_KEY: KnownKey =
    KnownKey { text: [0xff; WIDEST], bits: u32::MAX, length: 0, child: 0, place: KeyPlace::NOWHERE };

impl KeyPlace {
    /// Behind a key that is not remembered.
    const NOWHERE: Self = Self(usize::MAX);

    /// That of the first key in an object of this node.
    #[inline(always)]
    pub(super) fn first(node: FieldId) -> Self {
        Self(node.into())
    }
}

impl KnownKeys {
    /// For the keys of a trie of so many nodes.
    pub(super) fn new(nodes: usize) -> Self {
        Self { keys: vec![NO_KEY], following: vec![[0; 2]; nodes], numbers: Map::default(), nodes }
    }

    /// Whether anything is remembered.
    pub(super) fn is_on(&self) -> bool {
        !self.keys.is_empty()
    }

    /// The key that stands in the text at `at`, if it is one of those that came at this place before.
    #[inline(always)]
    pub(super) fn key_at(&self, place: KeyPlace, text: &[u8], at: usize) -> Option<&KnownKey> {
        let [one, other] = self.following.get(place.0)?;
        let bytes = text.get(at..)?.first_chunk()?;
        let key = self.keys.get(usize::from(*one))?;
        if key.is_in(bytes) {
            return Some(key);
        }
        self.keys.get(usize::from(*other)).filter(|key| key.is_in(bytes))
    }

    /// Remembers that a key stands at this place: one of an object of `node`. `text` is the key with its quotes and the byte behind them,
    /// which has to be the colon. Returns the place behind it.
    #[inline(never)]
    pub(super) fn learn(&mut self, place: KeyPlace, node: FieldId, child: FieldId, text: &[u8]) -> KeyPlace {
        let is_fit = text.len() <= WIDEST && text.last() == Some(&b':');
        let Some(number) = is_fit.then(|| self.number(node, child, text)).flatten() else { return KeyPlace::NOWHERE };
        if let Some(following) = self.following.get_mut(place.0) {
            *following = [number, following[0]];
        }
        self.keys[usize::from(number)].place
    }

    /// The number of a key, which gets one if there are not too many.
    fn number(&mut self, node: FieldId, child: FieldId, text: &[u8]) -> Option<u16> {
        let known = (node, text.into());
        if let Some(number) = self.numbers.get(&known) {
            return Some(*number);
        }
        let number = u16::try_from(self.keys.len()).ok().filter(|_| self.is_on() && self.keys.len() < MOST)?;
        let place = KeyPlace(self.nodes + usize::from(number) - 1);
        let mut key = KnownKey { text: [0; WIDEST], bits: 0, length: 0, child, place };
        for (byte, bit) in text.iter().zip(0..WIDEST) {
            key.text[bit] = *byte;
            key.bits |= 1 << bit;
            key.length += 1;
        }
        self.keys.push(key);
        self.following.push([0; 2]);
        self.numbers.insert(known, number);
        Some(number)
    }
}

impl KnownKey {
    /// Whether these bytes begin with it.
    #[inline(always)]
    fn is_in(&self, bytes: &[u8; WIDEST]) -> bool {
        let same = bytes.as_chunks().0.iter().zip(self.text.as_chunks().0).enumerate();
        let same = same.fold(0, |same, (half, (ours, theirs))| {
            same | u8x16::new(*ours).simd_eq(u8x16::new(*theirs)).to_bitmask() << (16 * half)
        });
        self.bits & !same == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_where_they_came_before() {
        let text = |keys: &str| format!("{keys}{}", " ".repeat(WIDEST)).into_bytes();
        let mut known = KnownKeys::new(3);
        let place = KeyPlace::first(2);
        let number =
            |known: &KnownKeys, place, text: &[u8]| known.key_at(place, text, 0).map(|key| (key.child, key.length));
        assert_eq!(number(&known, place, &text("\"a\":")), None);
        let behind = known.learn(place, 2, 7, b"\"a\":");
        assert_eq!(number(&known, place, &text("\"a\":\"b\"")), Some((7, 4)));
        for other in ["\"a\" :", "\"ab\":", "\"b\":", ""] {
            assert_eq!(number(&known, place, &text(other)), None, "{other}");
        }
        // Not at other places, and not at the end of a text.
        assert_eq!(number(&known, KeyPlace::first(1), &text("\"a\":")), None);
        assert_eq!(number(&known, behind, &text("\"a\":")), None);
        assert_eq!(number(&known, place, b"\"a\":"), None);
        // Two are known at a place: the last ones.
        for key in ["\"b\":", "\"c\":"] {
            assert_ne!(known.learn(place, 2, 0, key.as_bytes()), behind);
        }
        let is_known = ["\"a\":", "\"b\":", "\"c\":"].map(|key| number(&known, place, &text(key)).is_some());
        assert_eq!(is_known, [false, true, true]);
        assert_eq!(known.learn(place, 2, 7, b"\"a\":"), behind);
        // What is not fit is not remembered, nor what comes after it.
        let long = format!("\"{}\":", "x".repeat(WIDEST));
        for unfit in [&b"\"d\" "[..], long.as_bytes()] {
            let behind = known.learn(place, 2, 0, unfit);
            assert_eq!(behind, KeyPlace::NOWHERE);
            known.learn(behind, 2, 0, b"\"e\":");
            assert_eq!(number(&known, behind, &text("\"e\":")), None);
        }
        for key in 0..2 * MOST {
            known.learn(place, 2, 0, format!("\"{key}\":").as_bytes());
        }
        assert_eq!(known.keys.len(), MOST);
        let mut off = KnownKeys::default();
        off.learn(place, 2, 0, b"\"a\":");
        assert_eq!(number(&off, place, &text("\"a\":")), None);
    }
}
