//! What is said to do about a mistake: in words, as edits where there is one right answer, and where to look besides.

use std::ops::Range;
use std::sync::Arc;

use crate::json::Member;

/// One replacement in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that go; none: the text is put in before the byte at its start.
    pub span: Range<usize>,
    /// What stands there afterwards.
    pub text: String,
}

/// The one right answer to a mistake, as edits of the file that it stands in. They are in the order of the file, do not overlap,
/// and belong together: half of them is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// The edits.
    pub edits: Vec<Edit>,
}

impl Fix {
    /// Puts `text` in the place of `span`.
    pub fn replace(span: &Range<usize>, text: impl Into<String>) -> Self {
        Self { edits: vec![Edit { span: span.clone(), text: text.into() }] }
    }

    /// Takes a member out of its object, and a comma with it.
    pub fn without_member(members: &[Member<'_>], place: usize) -> Self {
        let start = |place: usize| members.get(place).map(|member| member.key_span.start);
        let end = |place: usize| members.get(place).map(|member| member.node.span.end);
        let (before, next) = (place.checked_sub(1).and_then(end), start(place + 1));
        let span = match (start(place), end(place)) {
            // The first takes the comma behind it.
            (Some(start), Some(end)) => before.unwrap_or(start)..before.map_or(next.unwrap_or(end), |_| end),
            _ => 0..0,
        };
        Self::replace(&span, "")
    }

    /// Puts brackets around a value.
    pub fn in_brackets(span: &Range<usize>) -> Self {
        Self::replace(&(span.start..span.start), "[").and(&(span.end..span.end), "]")
    }

    /// The same with one more edit.
    #[must_use]
    pub fn and(mut self, span: &Range<usize>, text: impl Into<String>) -> Self {
        self.edits.push(Edit { span: span.clone(), text: text.into() });
        self.edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
        self
    }
}

/// Another place that a mistake is about: the first of two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// The pack that holds it; none: `rules.json` itself.
    pub file: Option<Arc<str>>,
    /// Line in the file, from 1.
    pub line: usize,
    /// Column in the line, in characters, from 1.
    pub column: usize,
    /// The bytes.
    pub span: Range<usize>,
    /// What stands there: `the first is here`.
    pub message: String,
}

/// What to do about a mistake. A text is one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Advice {
    pub(super) help: String,
    pub(super) fix: Option<Fix>,
    pub(super) related: Vec<RelatedSpan>,
    pub(super) hidden: Option<Range<usize>>,
}

/// A [`Related`] place whose line nobody has counted yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RelatedSpan {
    pub(super) file: Option<Arc<str>>,
    pub(super) span: Range<usize>,
    pub(super) message: String,
}

impl Advice {
    /// What to do, in words.
    pub fn new(help: impl Into<String>) -> Self {
        Self { help: help.into(), ..Self::default() }
    }

    /// The same as edits, too.
    #[must_use]
    pub fn with_fix(self, fix: impl Into<Option<Fix>>) -> Self {
        Self { fix: fix.into(), ..self }
    }

    /// The same with another place to look at.
    #[must_use]
    pub fn see(mut self, file: Option<Arc<str>>, span: &Range<usize>, message: impl Into<String>) -> Self {
        self.related.push(RelatedSpan { file, span: span.clone(), message: message.into() });
        self
    }

    /// The same, and something else to do: the rest of a sentence.
    #[must_use]
    pub fn also(self, more: &str) -> Self {
        let mut rest = more.chars();
        let first = rest.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
        let help = if self.help.ends_with('?') {
            format!("{} {first}{}", self.help, rest.as_str())
        } else {
            format!("{}; {more}", self.help)
        };
        Self { help, ..self }
    }

    /// The same, where these bytes hold a secret: nobody is shown them.
    #[must_use]
    pub fn hiding(self, span: &Range<usize>) -> Self {
        Self { hidden: Some(span.clone()), ..self }
    }
}

impl From<&str> for Advice {
    fn from(help: &str) -> Self {
        Self::new(help)
    }
}

impl From<String> for Advice {
    fn from(help: String) -> Self {
        Self::new(help)
    }
}

impl From<std::borrow::Cow<'_, str>> for Advice {
    fn from(help: std::borrow::Cow<'_, str>) -> Self {
        Self::new(help)
    }
}
