//! Prints a tree, or a string, as JSON.

use std::fmt::Write as _;

use super::node::{Member, Node, Value};

impl Node<'_> {
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

    /// The value as [`Node::compact`] prints it, but with the members sorted by key, and of repeated keys the last alone. Two
    /// texts that mean the same are printed alike.
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

/// The order in which members are printed.
#[derive(Clone, Copy)]
enum Order {
    /// As in the text, repeated keys included.
    AsWritten,
    /// By key, and of repeated keys the last alone.
    Sorted,
}

/// For each byte, whether a JSON string can hold it only escaped.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_written_as_serde_json_does() {
        for text in ["", "a", "é\u{1}\u{1f}\u{7f}\u{8}\u{c}\n\r\t\"\\/x", "\"", "\u{fffd}😀"] {
            let mut out = String::new();
            write_string(&mut out, text);
            assert_eq!(out, serde_json::to_string(text).unwrap());
        }
    }

    #[test]
    fn of_repeated_keys_the_last_counts_and_all_are_kept() {
        let root = Node::parse(r#"{"a":1,"b":3,"a":2}"#).unwrap();
        assert_eq!(root.get("a").unwrap().scalar(), Some("2"));
        assert_eq!(root.compact(), r#"{"a":1,"b":3,"a":2}"#);
        assert_eq!(root.canonical(), r#"{"a":2,"b":3}"#);
    }
}
