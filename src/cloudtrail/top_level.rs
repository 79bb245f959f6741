//! Where the fields at the top of a record stand in its text.

use std::ops::Range;
use std::sync::OnceLock;

use super::known_paths::KnownPaths;
use super::top_names::{TOP_LEVEL, TopName};
use crate::json::{Lexer, Nesting, Next, Node, NotJson, unescape};

/// Where the fields at the top of a record stand in its text, and those of them that have been read. What is told of a record asks for few
/// of them, and most of these are plain texts: reading the whole record took a third of what a finding in outline takes.
#[derive(Debug, Clone)]
pub(super) struct TopLevel<'t> {
    /// A bit for each name of [`TOP_LEVEL`], the first in the lowest: whether the record has it.
    present: u32,
    /// The same: whether its value is a string without escapes.
    plain: u32,
    /// Whether the record has a field of another name.
    has_others: bool,
    /// Where the value of each name stands that is present; of a plain string, what is between its quotes.
    spans: [Span; TOP_LEVEL.len()],
    /// What stands in some of them.
    known: KnownPaths,
    /// The values that somebody has asked for.
    nodes: [OnceLock<Box<Node<'t>>>; TOP_LEVEL.len()],
}

/// The first byte of a value and the place behind its last.
type Span = (usize, usize);

impl<'t> TopLevel<'t> {
    /// Finds the fields of a record; `None` if the text is JSON, but no object. All of it is checked; of a name that is repeated, the last
    /// one counts.
    pub(super) fn split(text: &str) -> Result<Option<Self>, NotJson> {
        let (mut lexer, mut nesting) = (Lexer::new(text), Nesting::default());
        let start = lexer.space(0);
        if lexer.byte(start) != b'{' {
            let end = lexer.skip(start, &mut nesting)?;
            return if lexer.is_at_end(end) { Ok(None) } else { Err(NotJson) };
        }
        let mut top = Self {
            present: 0,
            plain: 0,
            has_others: false,
            spans: [(0, 0); _],
            known: KnownPaths::new(text.len()),
            nodes: [const { OnceLock::new() }; _],
        };
        let mut next = lexer.open(start);
        loop {
            let at = match next {
                Next::End(end) if lexer.is_at_end(end) => return Ok(Some(top)),
                Next::End(_) => return Err(NotJson),
                Next::Part(at) => at,
            };
            let (key, at) = lexer.key(at)?;
            let inner = &text[key.inner];
            let name = if key.escaped { TopName::of(&unescape(inner)) } else { TopName::of(inner) };
            let (span, is_plain, end) = if lexer.byte(at) == b'"' {
                let string = lexer.string(at)?;
                let end = string.end();
                if string.escaped {
                    ((at, end), false, end)
                } else {
                    ((string.inner.start, string.inner.end), true, end)
                }
            } else {
                let end = match name {
                    Some(name) => top.known.walk(name, text, &mut lexer, &mut nesting, at)?,
                    None => lexer.skip(at, &mut nesting)?,
                };
                ((at, end), false, end)
            };
            match name {
                Some(name) => {
                    let name = name.place();
                    top.spans[name] = span;
                    top.present |= 1 << name;
                    top.plain = top.plain & !(1 << name) | u32::from(is_plain) << name;
                }
                None => top.has_others = true,
            }
            next = lexer.next(end, b'}')?;
        }
    }

    /// Whether the record may have the field `key`, which is none of [`TOP_LEVEL`].
    pub(super) const fn has_others(&self) -> bool {
        self.has_others
    }

    /// What stands in some of the fields.
    pub(super) const fn known(&self) -> &KnownPaths {
        &self.known
    }

    /// The field of this name, of the record that this was made of; its name and its value as `text`, the record's, has it.
    pub(super) fn field<'r>(&self, text: &'r str, name: TopName) -> Option<TopField<'r>> {
        let name = name.place();
        if self.present >> name & 1 == 0 {
            return None;
        }
        let (start, end) = self.spans[name];
        let written = &text[start..end];
        Some(if self.plain >> name & 1 == 1 { TopField::Plain(written) } else { TopField::Json(written) })
    }

    /// The value of the field of this name, which is read when it is first asked for. `read` reads what stands at a place of the text.
    pub(super) fn node(&self, name: TopName, read: impl FnOnce(Range<usize>) -> Node<'t>) -> Option<&Node<'t>> {
        let name = name.place();
        if self.present >> name & 1 == 0 {
            return None;
        }
        let node = self.nodes[name].get_or_init(|| {
            let (start, end) = self.spans[name];
            let quote = usize::from(self.plain >> name & 1 == 1);
            Box::new(read(start - quote..end + quote))
        });
        Some(node)
    }
}

/// A field at the top of a record, as its text has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TopField<'r> {
    /// A string without escapes: what is between its quotes.
    Plain(&'r str),
    /// Anything else, as it is written.
    Json(&'r str),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudtrail::path::first_scalar;
    use crate::cloudtrail::{Record, RecordError};

    #[test]
    fn a_field_is_found_where_reading_the_whole_record_finds_it() {
        let every = TOP_LEVEL.iter().map(|name| format!(r#""{name}":"{name}""#)).collect::<Vec<_>>().join(",");
        for text in [
            "{}".to_owned(),
            format!("{{{every}}}"),
            format!(" {{ {every} }} "),
            format!(r#"{{"eventName":1,{every},"eventName":2,"event\u004eame":3,"Records":[],"eventName2":4,"":5}}"#),
            format!(r#"{{"eventName":{{"a":1}},{every},"event\u004eame":["\n"],"eventName2":4,"userAgent":"a\"b"}}"#),
            r#"{"eventName":"a","eventName":null,"eventSource":"%7B","userIdentity":"{\"type\":\"Root\"}","readOnly":false}"#.to_owned(),
            format!(r#"{{"requestParameters":{}1{}}}"#, "[".repeat(300), "]".repeat(300)),
        ] {
            let root = Node::parse(&text).unwrap();
            is_read_as(&Record::parse(&text).unwrap(), &root);
            is_read_as(&Record::owned(&text).unwrap(), &root);
        }
    }

    fn is_read_as(record: &Record<'_>, root: &Node<'_>) {
        assert_eq!(format!("{:?}", record.root()), format!("{root:?}"));
        for name in TOP_LEVEL.iter().chain(&["Records", "eventName2", "", "e", "eventname", "nowhere"]) {
            let expected = root.get(name);
            assert_eq!(record.text(&[name]), expected.and_then(|node| first_scalar(node, &[])), "{name} in {root:?}");
            assert_eq!(format!("{:?}", record.get(name)), format!("{expected:?}"), "{name}");
        }
    }

    #[test]
    fn all_of_a_text_is_checked() {
        for text in [
            "",
            " ",
            "{",
            "{}}",
            "{} {}",
            r#"{"a":tru}"#,
            r#"{"userIdentity":{"a":[}}"#,
            r#"{"eventName":"a" "b":1}"#,
            "nul",
        ] {
            assert!(matches!(Record::parse(text), Err(RecordError::NotJson(_))), "{text}");
        }
        for (text, kind) in [("[]", "an array"), (r#""a""#, "a string"), (" null ", "null"), ("-1", "a number")] {
            assert!(matches!(Record::parse(text), Err(RecordError::NotAnObject(is)) if is == kind), "{text}");
        }
    }
}
