//! A cheap look for words, before anything dear is done.

/// Words that are looked for in a text, in letters of either case. Every string of every alert comes through here, and a
/// searcher for each word would take longer to make than the text to read.
pub(super) struct WordSet {
    all: &'static [&'static str],
    /// A bit for each word that begins with the byte, and for each whose second byte it is.
    first: [u32; 256],
    second: [u32; 256],
}

impl WordSet {
    /// Of words in lower case, each of two bytes at least, 32 at most.
    pub(super) const fn new(words: &'static [&'static str]) -> Self {
        let (mut first, mut second) = ([0; 256], [0; 256]);
        let mut number = 0;
        while number < words.len() {
            let [one, two, ..] = words[number].as_bytes() else { panic!("a word of one byte") };
            first[*one as usize] |= 1 << number;
            first[one.to_ascii_uppercase() as usize] |= 1 << number;
            second[*two as usize] |= 1 << number;
            second[two.to_ascii_uppercase() as usize] |= 1 << number;
            number += 1;
        }
        Self { all: words, first, second }
    }

    pub(super) fn are_in(&self, text: &str) -> bool {
        let text = text.as_bytes();
        text.array_windows().enumerate().any(|(at, [one, two])| {
            let may_be = self.first[usize::from(*one)] & self.second[usize::from(*two)];
            let is_at = |word: &str| {
                text[at..].get(..word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word.as_bytes()))
            };
            may_be != 0 && self.all.iter().any(|word| is_at(word))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_wherever_they_stand() {
        static WORDS: WordSet = WordSet::new(&["ab", "://", "abc-d"]);
        for (text, found) in
            [("", false), ("a", false), ("b", false), ("xAb", true), ("aab", true), (":/:/", false), ("é://", true)]
        {
            assert_eq!(WORDS.are_in(text), found, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn words_are_those_that_the_text_holds(text in "[a-eE:/é -]{0,12}") {
            static WORDS: WordSet = WordSet::new(&["ab", "abc-d", "://", "e e", "dd"]);
            let lower = text.to_ascii_lowercase();
            proptest::prop_assert_eq!(WORDS.are_in(&text), WORDS.all.iter().any(|word| lower.contains(word)));
        }
    }
}
