//! Makes a tree of a text, with the [`Lexer`].

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use serde::de::IgnoredAny;

use super::lexer::{Lexer, Nesting, Next, NotJson, Quoted, unescape};
use super::node::{JsonString, Member, Node, Value};

/// The levels of nesting that are read. The deepest request that an AWS API takes is DynamoDB's: 32 levels of attribute values
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>), two JSON levels each.
pub const MAX_DEPTH: usize = 128;

impl<'t> Node<'t> {
    /// Reads one JSON document.
    ///
    /// # Errors
    /// The text is not JSON, or goes on behind the document. The error has the kind and the place of the first mistake.
    pub fn parse(text: &'t str) -> Result<Self, serde_json::Error> {
        TreeReader::read(text, Cow::Borrowed)
    }

    /// Reads one JSON document into a tree that outlives the text.
    ///
    /// # Errors
    /// As [`Node::parse`].
    pub fn owned(text: &str) -> Result<Node<'static>, serde_json::Error> {
        TreeReader::read(text, |part| Cow::Owned(part.to_owned()))
    }

    /// Reads the member of a document's object that stands at `place` of its text: it is what [`Node::parse`] makes of it, if all of the
    /// text has been found to be JSON.
    pub(crate) fn member(text: &'t str, place: Range<usize>) -> Self {
        TreeReader::member(text, place, Cow::Borrowed)
    }

    /// As [`Node::member`], of a tree that outlives the text.
    pub(crate) fn owned_member(text: &str, place: Range<usize>) -> Node<'static> {
        TreeReader::member(text, place, |part| Cow::Owned(part.to_owned()))
    }
}

/// Builds the tree of one text.
struct TreeReader<'t, 'n> {
    text: &'t str,
    lexer: Lexer<'t>,
    nesting: Nesting,
    /// How a part of the text gets into the tree: borrowed or copied.
    keep: fn(&'t str) -> Cow<'n, str>,
    /// The members of the objects that are still open, the inner behind the outer. An object that is complete takes its own
    /// from here in one piece, so that it is allocated once.
    members: Vec<Member<'n>>,
    /// The same for the elements of arrays.
    elements: Vec<Node<'n>>,
}

impl<'t, 'n> TreeReader<'t, 'n> {
    fn new(text: &'t str, keep: fn(&'t str) -> Cow<'n, str>, members: usize) -> Self {
        let members = Vec::with_capacity(members);
        let (lexer, nesting) = (Lexer::new(text), Nesting::default());
        Self { text, lexer, nesting, keep, members, elements: Vec::new() }
    }

    fn member(text: &'t str, place: Range<usize>, keep: fn(&'t str) -> Cow<'n, str>) -> Node<'n> {
        let missing = Node { span: place.clone(), value: Value::Null };
        // What stands behind it is not looked at.
        let text = &text[..place.end];
        Self::new(text, keep, 0).node(place.start, 1).unwrap_or(missing)
    }

    fn read(text: &'t str, keep: fn(&'t str) -> Cow<'n, str>) -> Result<Node<'n>, serde_json::Error> {
        // A record seldom has more in objects that are still open.
        let mut reader = Self::new(text, keep, 32);
        match reader.node(reader.lexer.space(0), 0) {
            Ok(node) if reader.lexer.is_at_end(node.span.end) => Ok(node),
            _ => Err(why_not_json(text)),
        }
    }

    /// Reads the value that begins at `start`, `depth` levels deep.
    fn node(&mut self, start: usize, depth: usize) -> Result<Node<'n>, NotJson> {
        let (value, end) = match self.lexer.byte(start) {
            b'{' | b'[' if depth == MAX_DEPTH => {
                let end = self.lexer.skip(start, &mut self.nesting)?;
                (Value::TooDeep((self.keep)(&self.text[start..end])), end)
            }
            b'{' => self.object(start, depth)?,
            b'[' => self.array(start, depth)?,
            b'"' => {
                let string = self.lexer.string(start)?;
                let end = string.end();
                (Value::String(JsonString { text: self.unescaped(string), embedded: OnceLock::new() }), end)
            }
            b'-' | b'0'..=b'9' => {
                let end = self.lexer.number(start)?;
                (Value::Number((self.keep)(&self.text[start..end])), end)
            }
            word => {
                let value = match word {
                    b't' => Value::Bool(true),
                    b'f' => Value::Bool(false),
                    _ => Value::Null,
                };
                (value, self.lexer.word(start)?)
            }
        };
        Ok(Node { span: start..end, value })
    }

    fn object(&mut self, start: usize, depth: usize) -> Result<(Value<'n>, usize), NotJson> {
        let (first, mut next) = (self.members.len(), self.lexer.open(start));
        loop {
            match next {
                Next::End(end) => return Ok((Value::Object(self.members.split_off(first).into()), end)),
                Next::Part(at) => {
                    let (key, at) = self.lexer.key(at)?;
                    let key_span = key.inner.start - 1..key.end();
                    let member = Member { key: self.unescaped(key), key_span, node: self.node(at, depth + 1)? };
                    next = self.lexer.next(member.node.span.end, b'}')?;
                    self.members.push(member);
                }
            }
        }
    }

    fn array(&mut self, start: usize, depth: usize) -> Result<(Value<'n>, usize), NotJson> {
        let (first, mut next) = (self.elements.len(), self.lexer.open(start));
        loop {
            match next {
                Next::End(end) => return Ok((Value::Array(self.elements.split_off(first).into()), end)),
                Next::Part(at) => {
                    let element = self.node(at, depth + 1)?;
                    next = self.lexer.next(element.span.end, b']')?;
                    self.elements.push(element);
                }
            }
        }
    }

    fn unescaped(&self, string: Quoted) -> Cow<'n, str> {
        let inner = &self.text[string.inner];
        if string.escaped { unescape(inner).into_owned().into() } else { (self.keep)(inner) }
    }
}

/// What is wrong with a text that the lexer refuses, in `serde_json`'s words. The text is read again: mistakes are rare, and the
/// lexer is faster for not keeping track of lines.
#[cold]
pub(crate) fn why_not_json(text: &str) -> serde_json::Error {
    match serde_json::from_str::<IgnoredAny>(text) {
        Err(error) => error,
        // The two agree on what JSON is: tests and a fuzz target hold them to it.
        Ok(_) => serde::de::Error::custom("it cannot be read"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Node<'_> {
        Node::parse(text).expect("valid JSON")
    }

    #[test]
    fn numbers_keep_their_digits() {
        let root = parse("[18446744073709551617, 1.10, 1e999999]");
        let texts: Vec<_> = root.elements().unwrap().iter().map(|number| number.scalar().unwrap()).collect();
        assert_eq!(texts, ["18446744073709551617", "1.10", "1e999999"]);
    }

    #[test]
    fn a_lone_surrogate_is_replaced_in_keys_and_values() {
        let root = parse(r#"{"k\ud800":"v\udfff"}"#);
        assert!(root.members().unwrap()[0].key.starts_with("k\u{fffd}"));
        assert!(root.members().unwrap()[0].node.as_str().unwrap().starts_with("v\u{fffd}"));
    }

    #[test]
    fn nesting_of_any_depth_is_read_to_the_bound_and_kept_below_it() {
        let depth = 100_000;
        let text = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        let root = parse(&text);
        let mut node = &root;
        for _ in 0..MAX_DEPTH {
            node = &node.elements().unwrap()[0];
        }
        assert!(matches!(node.value, Value::TooDeep(_)));
        assert_eq!(root.compact(), text);
    }

    #[test]
    fn syntax_errors_are_errors() {
        for text in ["", " ", "{", r#"{"a":}"#, "[1] 2", "nul", "\"\\x\"", "{\"a\" 1}", "1.", "\u{feff}{}"] {
            assert!(Node::parse(text).is_err(), "{text:?}");
        }
    }
}
