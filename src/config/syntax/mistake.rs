//! The mistakes by their names, and the words for each.

use std::ops::Range;

use super::Told;
use crate::config::advice::{Edit, Fix};
use crate::config::words::quoted;
use crate::json::line_and_column;
use crate::text::clip;

/// One mistake in the syntax of a text.
#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) kind: MistakeKind,
    pub(super) span: Range<usize>,
    /// The one right answer; empty: there are several, or none is known.
    pub(super) edits: Vec<Edit>,
    /// The bracket that it is about.
    pub(super) opened: Option<Range<usize>>,
}

/// What holds members, or items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bracket {
    Object,
    List,
}

impl Bracket {
    pub(super) fn closing(self) -> char {
        match self {
            Self::Object => '}',
            Self::List => ']',
        }
    }

    /// What it holds, for messages.
    fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::Object => ("member", "an object"),
            Self::List => ("item", "a list"),
        }
    }
}

/// What kind of mistake it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MistakeKind {
    ByteOrderMark,
    OddSpace,
    ConflictMarker,
    Comment,
    OpenComment,
    TrailingComma(Bracket),
    ExtraComma,
    MissingComma(Bracket),
    SemicolonForComma,
    MissingColon,
    EqualsForColon,
    KeyInList,
    MissingValue,
    QuotesOfAnotherKind,
    TypographicQuotes,
    QuoteInText,
    UnclosedText,
    LineBreakInText,
    ControlInText,
    BadEscape,
    UnquotedKey,
    UnquotedText,
    OtherWord(&'static str),
    NotANumber,
    LeadingZero,
    OddNumber,
    MissingClosing(Bracket),
    WrongClosing(Bracket),
    ExtraClosing,
    TextAfter,
    Empty,
    Unexpected,
}

impl Mistake {
    pub(super) fn new(kind: MistakeKind, span: Range<usize>) -> Self {
        Self { kind, span, edits: Vec::new(), opened: None }
    }

    /// The same, put right by writing `text` in the place of `span`.
    pub(super) fn fixed_by(mut self, span: Range<usize>, text: impl Into<String>) -> Self {
        self.edits.push(Edit { span, text: text.into() });
        self
    }

    /// The same, put right by writing `text` in its place.
    pub(super) fn replaced_by(self, text: impl Into<String>) -> Self {
        let span = self.span.clone();
        self.fixed_by(span, text)
    }

    /// Whether its edits are a guess at where a bracket belongs.
    pub(super) fn is_about_brackets(&self) -> bool {
        use MistakeKind::{ExtraClosing, MissingClosing, WrongClosing};
        matches!(self.kind, MissingClosing(_) | WrongClosing(_) | ExtraClosing)
    }

    pub(super) fn told(self, text: &str) -> Told {
        let (message, help) = self.words(text);
        let Self { span, edits, opened, .. } = self;
        let fix = (!edits.is_empty()).then_some(Fix { edits });
        Told { span, message, help, fix, opened }
    }

    /// What is wrong, and what to do.
    #[expect(clippy::too_many_lines, reason = "a table: the words of each mistake")]
    fn words(&self, text: &str) -> (String, String) {
        use MistakeKind as Kind;
        let written = || clip(text.get(self.span.clone()).unwrap_or_default(), 60);
        // What stands there afterwards.
        let mended = || self.edits.first().map(|edit| edit.text.as_str()).unwrap_or_default();
        let line = self.opened.as_ref().map_or(0, |opened| line_and_column(text, opened.start).0);
        let (message, help): (String, String) = match self.kind {
            Kind::ByteOrderMark => {
                ("the file begins with a byte order mark".into(), "save it as UTF-8 without a byte order mark".into())
            }
            Kind::OddSpace => {
                ("a character that only looks like a space stands here".into(), "write a space instead".into())
            }
            Kind::ConflictMarker => (
                "git has left the mark of a conflict here".into(),
                "choose one of the two versions, and delete the marks".into(),
            ),
            Kind::Comment => (
                "a comment stands here, and JSON has none".into(),
                "delete it; what a rule is for belongs in its \"description\", and why something is allowed in a \"reason\""
                    .into(),
            ),
            Kind::OpenComment => {
                ("a comment begins here, and does not end".into(), "delete it: JSON has no comments".into())
            }
            Kind::TrailingComma(bracket) => {
                let (part, whole) = bracket.parts();
                (format!("a comma stands after the last {part} of {whole}"), "delete this comma".into())
            }
            Kind::ExtraComma => {
                ("nothing stands before this comma".into(), "delete it, or write what is missing before it".into())
            }
            Kind::MissingComma(bracket) => {
                let (part, whole) = bracket.parts();
                ("a comma is missing here".into(), format!("write a comma between two {part}s of {whole}"))
            }
            Kind::SemicolonForComma => ("a semicolon stands where a comma belongs".into(), "write a comma".into()),
            Kind::MissingColon => {
                ("a colon is missing between a key and its value".into(), "write \":\" behind the key".into())
            }
            Kind::EqualsForColon => {
                (format!("\"{}\" stands between a key and its value", written()), "write \":\"".into())
            }
            Kind::KeyInList => (
                "a key stands in a list, and lists have none".into(),
                "write an object in braces, as in [{\"key\": \"value\"}]".into(),
            ),
            Kind::MissingValue => ("a value is missing here".into(), "write one, or delete its key".into()),
            Kind::QuotesOfAnotherKind => (
                "a text stands in quotes that JSON does not have".into(),
                format!("write it in double quotes: {}", clip(mended(), 80)),
            ),
            Kind::TypographicQuotes => (
                "a text stands in typographic quotes".into(),
                "write straight double quotes; word processors turn them into others".into(),
            ),
            Kind::QuoteInText => (
                "the text ends before this, at a quotation mark that may belong to it".into(),
                "write \\\" for a quotation mark inside a text".into(),
            ),
            Kind::UnclosedText => {
                ("the text that begins here has no end on its line".into(), "write \" at its end".into())
            }
            Kind::LineBreakInText => {
                ("a line ends inside a text".into(), "write \\n for a line break, or the text on one line".into())
            }
            Kind::ControlInText => {
                let name = if written() == "\t" { "a tab stands" } else { "a control character stands" };
                (format!("{name} inside a text"), format!("write {}", mended()))
            }
            Kind::BadEscape => {
                let help = match self.edits.first() {
                    Some(edit) if edit.text.len() > 1 => {
                        format!("write {}: in JSON, each backslash of a pattern is written twice", edit.text)
                    }
                    Some(edit) => format!("write {}", edit.text),
                    None => "write \\\\ for a backslash, and \\u with four hexadecimal digits for a character".into(),
                };
                (format!("JSON has no escape {}", written()), help)
            }
            Kind::UnquotedKey => {
                (format!("the key {} stands without quotes", written()), format!("write {}", quoted(&written())))
            }
            Kind::UnquotedText => {
                (format!("the text {} stands without quotes", written()), format!("write {}", quoted(&written())))
            }
            Kind::OtherWord(word) => (format!("JSON has no word {}", written()), format!("write {word}")),
            Kind::NotANumber => (
                format!("{} is not a number that JSON has", written()),
                "write a number, or leave the key out".into(),
            ),
            Kind::LeadingZero => (
                format!("the number {} begins with a zero", written()),
                "write an id in quotes, and a number without the zeros at its beginning".into(),
            ),
            Kind::OddNumber => {
                (format!("JSON does not write a number as {}", written()), format!("write {}", mended()))
            }
            Kind::MissingClosing(bracket) => {
                let (closing, (_, whole)) = (bracket.closing(), bracket.parts());
                (format!("{whole} that begins in line {line} is not closed"), format!("write {closing} where it ends"))
            }
            Kind::WrongClosing(bracket) => {
                let (closing, (_, whole)) = (bracket.closing(), bracket.parts());
                (
                    format!("{} stands where {whole} ends that begins in line {line}", written()),
                    format!("write {closing}"),
                )
            }
            Kind::ExtraClosing => (
                format!("a {} too many: nothing is open here", written()),
                "delete it, or write the bracket that is missing before it".into(),
            ),
            Kind::TextAfter => (
                "the document has ended, and something follows it".into(),
                "delete it; a file holds one object, and all rules stand in its \"rules\"".into(),
            ),
            Kind::Empty => ("the file is empty".into(), "write an object with \"rules\"".into()),
            Kind::Unexpected => (
                format!("\"{}\" cannot stand here", written()),
                "a rules file is plain JSON: double quotes, no comments, no comma after the last item".into(),
            ),
        };
        (message, help)
    }
}
