//! The tree: a value of JSON and its place in the text. [`Node::parse`] makes it, and [`Node::compact`] prints it.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use percent_encoding::percent_decode_str;

/// One value, and its place in the text that it was read from. It borrows from that text what stands there as it is.
#[derive(Debug, Clone)]
pub struct Node<'t> {
    /// The bytes of the source text. Inside an embedded document the offsets are that document's.
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
    /// A number, as it is written: `1.10` keeps its last digit, and no size is too large.
    Number(Cow<'t, str>),
    /// A string, unescaped.
    String(JsonString<'t>),
    /// An array.
    Array(Box<[Node<'t>]>),
    /// An object, in the order of the text, repeated keys included.
    Object(Box<[Member<'t>]>),
    /// An object or array below [`super::MAX_DEPTH`], as it is written.
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

/// A string, and the JSON document in it once somebody has asked for that. AWS puts documents into strings: policies, and
/// whatever the caller of an API wrote.
#[derive(Debug, Clone)]
pub struct JsonString<'t> {
    pub(super) text: Cow<'t, str>,
    pub(super) embedded: OnceLock<Option<Box<Node<'static>>>>,
}

impl JsonString<'_> {
    /// The string, unescaped.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The string read as JSON; `None` if that does not give an object or an array. A string that begins with `%7B` or `%5B` is
    /// percent-decoded first: IAM returns policy documents so. The document is read once, and kept.
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

    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        if let Value::String(text) = &self.value { Some(text.as_str()) } else { None }
    }

    /// The text of a string (unescaped), or of a number or boolean (as it is written).
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
}

/// The line and the column of a byte offset, both from 1. The column counts characters, as editors do.
pub fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
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
    fn embedded_documents_are_read_plain_and_percent_encoded() {
        let root = parse(
            r#"["{\"a\":1}", "%7B%22a%22%3A1%7D", "%5b1%5D", "{broken", "%7Bbro%ken", "a",
            "%7b%22%2b%%zz%4%22:%ff%22}", "%7b%22%2b%%zz%4%22:%22%ff%22}"]"#,
        );
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
        // What is not an escape stands for itself; what is not UTF-8 becomes U+FFFD.
        let odd = Some("{\"+%%zz%4\":\"\u{fffd}\"}".to_owned());
        assert_eq!(embedded, [document.clone(), document, Some("[1]".to_owned()), None, None, None, None, odd]);
    }
}
