//! Texts, each kept once: an archive's findings say the same things again and again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The texts that are in use.
#[derive(Debug)]
pub(super) struct TextPool {
    texts: HashSet<Arc<str>>,
    /// Those that have numbers, which rows have: a row of numbers is a quarter of one of texts.
    numbered: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, TextNumber>,
}

/// The number of a text in a [`TextPool`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct TextNumber(u32);

impl Default for TextPool {
    /// The empty text has the number that is the default.
    fn default() -> Self {
        let mut pool = Self { texts: HashSet::new(), numbered: Vec::new(), numbers: HashMap::new() };
        pool.number("");
        pool
    }
}

impl TextPool {
    /// The text, in the one copy that there is of it.
    pub(super) fn get(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        let text: Arc<str> = text.into();
        self.texts.insert(Arc::clone(&text));
        text
    }

    /// The text, if it is known.
    pub(super) fn find(&self, text: &str) -> Option<Arc<str>> {
        self.texts.get(text).map(Arc::clone)
    }

    /// How many texts there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    /// The number of a text.
    pub(super) fn number(&mut self, text: &str) -> TextNumber {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let text = self.get(text);
        self.give_number(text)
    }

    fn give_number(&mut self, text: Arc<str>) -> TextNumber {
        // More than four billion texts do not fit in memory.
        let number = TextNumber(u32::try_from(self.numbered.len()).unwrap_or(u32::MAX));
        self.numbered.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        number
    }

    /// The text of a number.
    pub(super) fn text(&self, number: TextNumber) -> &str {
        self.numbered.get(number.0 as usize).map_or("", Arc::as_ref)
    }

    /// Forgets what nobody uses any more, and numbers what these rows have anew.
    pub(super) fn sweep<'r>(&mut self, rows: impl Iterator<Item = &'r mut [TextNumber]>) {
        let numbered = std::mem::take(&mut self.numbered);
        self.numbers.clear();
        let mut renumbered: Vec<Option<TextNumber>> = vec![None; numbered.len()];
        // The empty one stays the first.
        if let Some((empty, first)) = numbered.first().zip(renumbered.first_mut()) {
            *first = Some(self.give_number(Arc::clone(empty)));
        }
        for number in rows.flatten() {
            let place = number.0 as usize;
            let anew = match renumbered[place] {
                Some(anew) => anew,
                None => self.give_number(Arc::clone(&numbered[place])),
            };
            renumbered[place] = Some(anew);
            *number = anew;
        }
        drop(numbered);
        self.numbers.shrink_to_fit();
        self.texts.retain(|text| Arc::strong_count(text) > 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_once_and_as_long_as_it_is_used() {
        let mut pool = TextPool::default();
        let (first, second) = (pool.get("a"), pool.get("a"));
        assert!(Arc::ptr_eq(&first, &second));
        let mut row = ["gone", "b", "", "a", "b"].map(|text| pool.number(text));
        assert_eq!(row[2], TextNumber::default());
        drop((first, second));
        pool.sweep(std::iter::once(&mut row[1..]));
        assert_eq!((pool.texts.len(), pool.numbered.len()), (3, 3));
        assert_eq!(row[1..].iter().map(|number| pool.text(*number)).collect::<Vec<_>>(), ["b", "", "a", "b"]);
        // What has a number has it again.
        assert_eq!([pool.number("b"), pool.number("a"), pool.number("")], [row[1], row[3], row[2]]);
        pool.sweep(std::iter::empty());
        assert_eq!((pool.texts.len(), pool.numbered.len()), (1, 1));
    }
}
