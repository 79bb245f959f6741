//! JSON as this product needs it: every value keeps its place in the text, objects keep the order of their members and
//! repeated keys, numbers keep the digits they were written with, and no nesting, however deep, exhausts the stack.
//!
//! [`lexer`] walks over the text, and what is built here is a tree that `serde_json::Value` cannot be. Decisions, all of
//! them tested:
//! - of repeated keys the last one counts ([`Node::get`]), as in most parsers;
//! - a lone surrogate (`"\ud800"`) becomes U+FFFD, so that one odd character cannot hide a call;
//! - below [`MAX_DEPTH`] levels a value stays unread text: patterns still search it, paths do not enter it.

mod lexer;
mod outline;
mod stops;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::OnceLock;

use percent_encoding::percent_decode_str;
use serde::de::IgnoredAny;

pub(crate) use self::lexer::{Lexer, Nesting, Next, NotJson, Quoted, unescape};
pub(crate) use self::outline::{Members, Outline};

/// Levels of nesting that are read. The deepest request that an AWS API takes is DynamoDB's: 32 levels of attribute
/// values, two JSON levels each.
pub const MAX_DEPTH: usize = 128;

/// One value and its place in the text that it was read from, whose texts it borrows where they stand there as they are.
#[derive(Debug, Clone)]
pub struct Node<'t> {
    /// Bytes of the source text. Inside an embedded document the offsets are that document's.
    pub span: Range<usize>,
    /// What stands there.
    pub value: Value<'t>,
}

/// What a [`Node`] holds.
#[derive(Debug, Clone)]
pub enum Value<'t> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it was written.
    Number(Cow<'t, str>),
    /// A string, unescaped.
    String(Text<'t>),
    /// An array.
    Array(Box<[Node<'t>]>),
    /// An object, in the order of the text, repeated keys included.
    Object(Box<[Member<'t>]>),
    /// An object or array below [`MAX_DEPTH`], as it was written.
    TooDeep(Cow<'t, str>),
}

/// One key of an object and its value.
#[derive(Debug, Clone)]
pub struct Member<'t> {
    /// The key, unescaped.
    pub key: Cow<'t, str>,
    /// Where the key stands, with its quotes.
    pub key_span: Range<usize>,
    /// The value.
    pub node: Node<'t>,
}

/// A string, and the JSON document inside it once somebody has asked for that.
#[derive(Debug, Clone)]
pub struct Text<'t> {
    text: Cow<'t, str>,
    embedded: OnceLock<Option<Box<Node<'static>>>>,
}

impl Text<'_> {
    /// The string itself.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The string read as JSON, percent-decoded first where it begins `%7B` or `%5B` (IAM returns policy documents so).
    /// Read once; `None` if it does not parse to an object or an array.
    pub fn embedded(&self) -> Option<&Node<'_>> {
        self.embedded
            .get_or_init(|| {
                let text = self.text.trim_start();
                let decoded = match text.as_bytes() {
                    [b'{' | b'[', ..] => Cow::Borrowed(text),
                    [b'%', b'7' | b'5', b'B' | b'b', ..] => percent_decode_str(text).decode_utf8_lossy(),
                    _ => return None,
                };
                Node::owned(&decoded).ok().map(Box::new)
            })
            .as_deref()
    }
}

impl<'t> Node<'t> {
    /// Reads one JSON document.
    ///
    /// # Errors
    /// The place and the kind of the first mistake of syntax; text after the document is one.
    pub fn parse(text: &'t str) -> Result<Self, serde_json::Error> {
        Reader::read(text, Cow::Borrowed)
    }

    /// As [`Node::parse`], of a text that will not stay.
    ///
    /// # Errors
    /// As [`Node::parse`].
    pub fn owned(text: &str) -> Result<Node<'static>, serde_json::Error> {
        Reader::read(text, |part| Cow::Owned(part.to_owned()))
    }

    /// The member `key` of an object; the last one if it is repeated.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.members()?.iter().rev().find(|member| &*member.key == key).map(|member| &member.node)
    }

    /// The members, if this is an object.
    pub fn members(&self) -> Option<&[Member<'t>]> {
        if let Value::Object(members) = &self.value { Some(members) } else { None }
    }

    /// The elements, if this is an array.
    pub fn elements(&self) -> Option<&[Self]> {
        if let Value::Array(elements) = &self.value { Some(elements) } else { None }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        if let Value::String(text) = &self.value { Some(text.as_str()) } else { None }
    }

    /// The text of a string, number or boolean, as it was written (strings unescaped).
    pub fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            Value::Number(text) => Some(text),
            Value::String(text) => Some(text.as_str()),
            Value::Null | Value::Array(_) | Value::Object(_) | Value::TooDeep(_) => None,
        }
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// What this is, with its article, for a message to a person.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
            Value::TooDeep(_) => "a value nested too deeply",
        }
    }

    /// The value as compact JSON: no white space, members in their order, numbers as written.
    pub fn compact(&self) -> String {
        let mut out = String::with_capacity(self.span.len());
        self.write_compact(&mut out);
        out
    }

    /// Appends [`Node::compact`].
    pub(crate) fn write_compact(&self, out: &mut String) {
        self.write(out, Order::AsWritten);
    }

    /// As [`Node::compact`], with the members sorted by key and of repeated keys only the last: equal for two texts that
    /// mean the same.
    pub fn canonical(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, Order::Sorted);
        out
    }

    fn write(&self, out: &mut String, order: Order) {
        match &self.value {
            Value::Null => out.push_str("null"),
            Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Value::Number(text) | Value::TooDeep(text) => out.push_str(text),
            Value::String(text) => write_string(out, text.as_str()),
            Value::Array(elements) => {
                out.push('[');
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    element.write(out, order);
                }
                out.push(']');
            }
            Value::Object(members) => {
                out.push('{');
                match order {
                    Order::AsWritten => write_members(out, members, order),
                    Order::Sorted => {
                        let mut members: Vec<&Member<'_>> = members.iter().collect();
                        // The sort is stable: after the reversal the last of repeated keys stands first and is kept.
                        members.reverse();
                        members.sort_by(|a, b| a.key.cmp(&b.key));
                        members.dedup_by(|later, kept| later.key == kept.key);
                        write_members(out, members, order);
                    }
                }
                out.push('}');
            }
        }
    }
}

fn write_members<'n>(out: &mut String, members: impl IntoIterator<Item = &'n Member<'n>>, order: Order) {
    for (index, member) in members.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_string(out, &member.key);
        out.push(':');
        member.node.write(out, order);
    }
}

#[derive(Clone, Copy)]
enum Order {
    AsWritten,
    Sorted,
}

/// The bytes that a JSON string holds only escaped.
const IS_ESCAPED: [bool; 256] = {
    let mut bytes = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        bytes[byte] = true;
        byte += 1;
    }
    bytes[b'"' as usize] = true;
    bytes[b'\\' as usize] = true;
    bytes
};

/// Appends `text` as a JSON string.
pub(crate) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| IS_ESCAPED[usize::from(byte)]) {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            8 => out.push_str("\\b"),
            12 => out.push_str("\\f"),
            byte @ (b'"' | b'\\') => out.extend(['\\', char::from(byte)]),
            // Writing into a string cannot fail.
            byte => _ = write!(out, "\\u{byte:04x}"),
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

/// Line and column (both from 1; the column in characters) of a byte offset.
pub fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// Builds the tree.
struct Reader<'t, 'n> {
    text: &'t str,
    lexer: Lexer<'t>,
    nesting: Nesting,
    /// How a part of the text gets into the tree.
    keep: fn(&'t str) -> Cow<'n, str>,
    /// What the objects and arrays hold that are not at their ends yet, the inner behind the outer: once one is complete, it
    /// takes its own from here in one piece.
    members: Vec<Member<'n>>,
    elements: Vec<Node<'n>>,
}

impl<'t, 'n> Reader<'t, 'n> {
    fn read(text: &'t str, keep: fn(&'t str) -> Cow<'n, str>) -> Result<Node<'n>, serde_json::Error> {
        let (lexer, nesting) = (Lexer::new(text), Nesting::default());
        // A record seldom has more that are not at their ends.
        let members = Vec::with_capacity(32);
        let mut reader = Self { text, lexer, nesting, keep, members, elements: Vec::new() };
        match reader.node(reader.lexer.space(0), 0) {
            Ok(node) if reader.lexer.is_at_end(node.span.end) => Ok(node),
            _ => Err(why_not_json(text)),
        }
    }

    /// The value that begins at `start`.
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
                (Value::String(Text { text: self.unescaped(string), embedded: OnceLock::new() }), end)
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
                Next::End(end) => return Ok((Value::Object(self.members.drain(first..).collect()), end)),
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
                Next::End(end) => return Ok((Value::Array(self.elements.drain(first..).collect()), end)),
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

/// What is wrong with a text that the lexer refuses, in `serde_json`'s words.
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
    fn every_value_knows_its_place() {
        let text = r#" { "a" : [1, "two"] } "#;
        let root = parse(text);
        let member = &root.members().unwrap()[0];
        assert_eq!(&text[member.key_span.clone()], r#""a""#);
        assert_eq!(&text[member.node.elements().unwrap()[1].span.clone()], r#""two""#);
        assert_eq!(line_and_column("{\n  \"é\": 1}", 10), (2, 8));
    }

    #[test]
    fn strings_are_written_as_serde_json_does() {
        for text in ["", "a", "é\u{1}\u{1f}\u{7f}\u{8}\u{c}\n\r\t\"\\/x", "\"", "\u{fffd}😀"] {
            let mut out = String::new();
            write_string(&mut out, text);
            assert_eq!(out, serde_json::to_string(text).unwrap());
        }
    }

    #[test]
    fn numbers_keep_their_digits() {
        let root = parse("[18446744073709551617, 1.10, 1e999999]");
        let texts: Vec<_> = root.elements().unwrap().iter().map(|number| number.scalar().unwrap()).collect();
        assert_eq!(texts, ["18446744073709551617", "1.10", "1e999999"]);
    }

    #[test]
    fn of_repeated_keys_the_last_counts_and_all_are_kept() {
        let root = parse(r#"{"a":1,"b":3,"a":2}"#);
        assert_eq!(root.get("a").unwrap().scalar(), Some("2"));
        assert_eq!(root.compact(), r#"{"a":1,"b":3,"a":2}"#);
        assert_eq!(root.canonical(), r#"{"a":2,"b":3}"#);
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
    fn embedded_documents_are_read_plain_and_percent_encoded() {
        let root = parse(r#"["{\"a\":1}", "%7B%22a%22%3A1%7D", "%5b1%5D", "{broken", "%7Bbro%ken", "a"]"#);
        let embedded: Vec<Option<String>> = root
            .elements()
            .unwrap()
            .iter()
            .map(|node| match &node.value {
                Value::String(text) => text.embedded().map(Node::compact),
                _ => unreachable!(),
            })
            .collect();
        let document = Some(r#"{"a":1}"#.to_owned());
        assert_eq!(embedded, [document.clone(), document, Some("[1]".to_owned()), None, None, None]);
    }

    #[test]
    fn syntax_errors_are_errors() {
        for text in ["", " ", "{", r#"{"a":}"#, "[1] 2", "nul", "\"\\x\"", "{\"a\" 1}", "1.", "\u{feff}{}"] {
            assert!(Node::parse(text).is_err(), "{text:?}");
        }
    }
}
