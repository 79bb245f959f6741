//! Literals and where they stand in a text: what most patterns come to.

/// Stands for `.` in a literal: any one character but a newline. (Since a newline stands for it, a pattern that contains one
/// is not read as literals.)
pub(super) const ANY: u8 = b'\n';

/// Where a literal must stand in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Anchor {
    /// It is the whole text.
    Whole,
    /// The text begins with it.
    Start,
    /// The text ends with it.
    End,
    /// The text contains it.
    Anywhere,
    /// The text contains it in whatever case, or is not ASCII. (The literal is written in lower case.)
    AnyCase,
}

/// A pattern that comes to literals: a text matches if it has one of them, each where it is anchored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct LiteralPattern {
    pub(super) any_of: Vec<WildcardLiteral>,
    /// The pattern anchors a `.*`, as `^.*x` does: the literals only decide about texts of one line.
    pub(super) one_line: bool,
}

/// A literal in which some characters may be any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WildcardLiteral {
    pub(super) anchor: Anchor,
    /// Its bytes. [`ANY`] stands for any character.
    pub(super) bytes: Box<[u8]>,
}

/// A literal that an index can look for: byte for byte, and not empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct AnchoredLiteral {
    /// Where it must stand.
    pub(crate) anchor: Anchor,
    /// Its bytes, at least one.
    pub(crate) bytes: Box<[u8]>,
}

impl LiteralPattern {
    /// Whether the text has one of the literals; `None` where only the regular expression can tell.
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

    /// Literals, one of which every text must have that matches. `None`: a text can match without any, as every text of one character matches `^.$`.
    pub(super) fn required_literals(&self) -> Option<Vec<AnchoredLiteral>> {
        self.any_of.iter().map(WildcardLiteral::required_part).collect()
    }
}

impl WildcardLiteral {
    fn is_in(&self, text: &[u8]) -> bool {
        stands(self.anchor, self.bytes.len(), text, |part| {
            part.iter()
                .zip(&*self.bytes)
                .all(|(byte, wanted)| if *wanted == ANY { *byte != b'\n' } else { byte == wanted })
        })
    }

    /// A part of it without wildcards: the one at its anchor, or else its longest, which may stand anywhere.
    fn required_part(&self) -> Option<AnchoredLiteral> {
        let mut parts: Vec<&[u8]> = self.bytes.split(|byte| *byte == ANY).collect();
        let literal = |anchor, part: &[u8]| (!part.is_empty()).then(|| AnchoredLiteral { anchor, bytes: part.into() });
        let (first, last) = (parts.first()?, parts.last()?);
        let anchored = match self.anchor {
            Anchor::Whole if parts.len() == 1 => literal(Anchor::Whole, first),
            Anchor::Whole => literal(Anchor::Start, first).or_else(|| literal(Anchor::End, last)),
            Anchor::Start => literal(Anchor::Start, first),
            Anchor::End => literal(Anchor::End, last),
            Anchor::Anywhere | Anchor::AnyCase => None,
        };
        anchored.or_else(|| {
            parts.sort_by_key(|part| part.len());
            literal(Anchor::Anywhere, parts.last()?)
        })
    }
}

impl AnchoredLiteral {
    /// Whether the text has it where it is anchored.
    #[cfg(test)]
    pub(crate) fn is_in(&self, text: &str) -> bool {
        if self.anchor == Anchor::AnyCase {
            let is_it = |part: &[u8]| part.eq_ignore_ascii_case(&self.bytes);
            return !text.is_ascii() || stands(Anchor::Anywhere, self.bytes.len(), text.as_bytes(), is_it);
        }
        stands(self.anchor, self.bytes.len(), text.as_bytes(), |part| *part == *self.bytes)
    }
}

/// Whether a part of the text that has this length, and that `is_alike`, stands at its anchor.
fn stands(anchor: Anchor, length: usize, text: &[u8], is_alike: impl Fn(&[u8]) -> bool) -> bool {
    if text.len() < length {
        return false;
    }
    match anchor {
        Anchor::Whole => text.len() == length && is_alike(text),
        Anchor::Start => is_alike(&text[..length]),
        Anchor::End => is_alike(&text[text.len() - length..]),
        Anchor::Anywhere | Anchor::AnyCase => length == 0 || text.windows(length).any(is_alike),
    }
}
