//! Literals and where they stand: what most patterns come to.

/// Stands for `.` in a literal: any one character but a newline. A pattern that itself holds a newline has no shape.
pub(super) const ANY: u8 = b'\n';

/// Where a literal stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// It is the text.
    Whole,
    /// The text begins with it.
    Start,
    /// The text ends with it.
    End,
    /// The text holds it.
    Anywhere,
    /// The text holds it in whatever case, or is not ASCII. (It is written in lower case.)
    AnyCase,
}

/// A pattern as literals: it is found in a text that has one of them in its place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shape {
    pub(super) any_of: Vec<Literal>,
    /// A `.*` was anchored, as in `^.*x`: true only of texts in one line.
    pub(super) one_line: bool,
}

/// One literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Literal {
    pub(super) place: Place,
    /// Its bytes, [`ANY`] among them.
    pub(super) bytes: Box<[u8]>,
}

/// A literal without gaps, of which a text is asked that it has it in its place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// Where.
    pub place: Place,
    /// The literal: not empty.
    pub bytes: Box<[u8]>,
}

impl Shape {
    /// Whether the text has one of the literals; `None` where only the regular expression knows.
    pub(super) fn is_match(&self, text: &str) -> Option<bool> {
        if self.one_line && text.contains('\n') {
            return None;
        }
        // In a text beyond ASCII a character is several bytes.
        if !text.is_ascii() && self.any_of.iter().any(|literal| literal.bytes.contains(&ANY)) {
            return None;
        }
        Some(self.any_of.iter().any(|literal| literal.is_in(text.as_bytes())))
    }

    /// Literals of which each text that matches has one; `None` if it may have none.
    pub(super) fn keys(&self) -> Option<Vec<Key>> {
        self.any_of.iter().map(Literal::key).collect()
    }

    /// The texts that it is, if it is a list of whole texts.
    pub fn whole_texts(&self) -> Option<Vec<&str>> {
        self.any_of
            .iter()
            .map(|literal| {
                let exact = literal.place == Place::Whole && !literal.bytes.contains(&ANY) && !self.one_line;
                exact.then(|| std::str::from_utf8(&literal.bytes).ok()).flatten()
            })
            .collect()
    }
}

impl Literal {
    fn is_in(&self, text: &[u8]) -> bool {
        stands(self.place, self.bytes.len(), text, |part| {
            part.iter()
                .zip(&*self.bytes)
                .all(|(byte, wanted)| if *wanted == ANY { *byte != b'\n' } else { byte == wanted })
        })
    }

    /// What of it has no gap: at the place where it stands, or else its longest piece.
    fn key(&self) -> Option<Key> {
        let mut pieces: Vec<&[u8]> = self.bytes.split(|byte| *byte == ANY).collect();
        let key = |place, piece: &[u8]| (!piece.is_empty()).then(|| Key { place, bytes: piece.into() });
        let (first, last) = (pieces.first()?, pieces.last()?);
        let anchored = match self.place {
            Place::Whole if pieces.len() == 1 => key(Place::Whole, first),
            Place::Whole => key(Place::Start, first).or_else(|| key(Place::End, last)),
            Place::Start => key(Place::Start, first),
            Place::End => key(Place::End, last),
            Place::Anywhere | Place::AnyCase => None,
        };
        anchored.or_else(|| {
            pieces.sort_by_key(|piece| piece.len());
            key(Place::Anywhere, pieces.last()?)
        })
    }
}

impl Key {
    /// Whether the text has it.
    pub fn is_in(&self, text: &str) -> bool {
        if self.place == Place::AnyCase {
            let is_it = |part: &[u8]| part.eq_ignore_ascii_case(&self.bytes);
            return !text.is_ascii() || stands(Place::Anywhere, self.bytes.len(), text.as_bytes(), is_it);
        }
        stands(self.place, self.bytes.len(), text.as_bytes(), |part| *part == *self.bytes)
    }
}

/// Whether a part of this length that is `alike` stands in its place.
fn stands(place: Place, length: usize, text: &[u8], alike: impl Fn(&[u8]) -> bool) -> bool {
    if text.len() < length {
        return false;
    }
    match place {
        Place::Whole => text.len() == length && alike(text),
        Place::Start => alike(&text[..length]),
        Place::End => alike(&text[text.len() - length..]),
        Place::Anywhere | Place::AnyCase => length == 0 || text.windows(length).any(alike),
    }
}
