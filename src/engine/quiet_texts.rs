//! Remembers texts in which no literal stands: user agents, addresses and error codes repeat themselves, and to look through a text takes
//! longer than to look at whether it is another one's twin.

use std::hash::Hasher as _;

use super::hash::Mixer;

/// How many texts are remembered. A power of two.
const TEXTS: usize = 512;
/// The most bytes of a text that is remembered.
const LONGEST: usize = 384;

/// Some of the texts of one field that have no literal of the field. A text takes the place of another of its hash.
#[derive(Debug)]
pub(super) struct QuietTexts(Box<[Vec<u8>]>);

impl Default for QuietTexts {
    fn default() -> Self {
        Self(vec![Vec::new(); TEXTS].into())
    }
}

impl QuietTexts {
    /// Whether no literal stands in the text; false where it is not remembered.
    pub(super) fn has(&self, text: &[u8]) -> bool {
        !text.is_empty() && self.0[place(text)] == text
    }

    /// Remembers a text in which no literal stands.
    pub(super) fn add(&mut self, text: &[u8]) {
        if text.len() <= LONGEST {
            let known = &mut self.0[place(text)];
            known.clear();
            known.extend_from_slice(text);
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "of a hash, some bits are enough")]
fn place(text: &[u8]) -> usize {
    let mut hasher = Mixer::default();
    hasher.write(text);
    hasher.finish() as usize % TEXTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_remembered_until_another_takes_its_place() {
        let mut quiet = QuietTexts::default();
        assert!(!quiet.has(b"") && !quiet.has(b"a"));
        quiet.add(b"");
        quiet.add(b"a");
        assert!(!quiet.has(b"") && quiet.has(b"a") && !quiet.has(b"b"));
        let long = [b'x'; LONGEST + 1];
        quiet.add(&long);
        assert!(!quiet.has(&long));
        let texts: Vec<String> = (0..2 * TEXTS).map(|number| format!("text {number}")).collect();
        texts.iter().for_each(|text| quiet.add(text.as_bytes()));
        let known = texts.iter().filter(|text| quiet.has(text.as_bytes())).count();
        assert!(known > TEXTS / 2 && known <= TEXTS, "{known}");
        assert!(!quiet.has(b"text") && !quiet.has(b"text 9999"));
    }
}
