//! Paths into a record, and the values that stand at one.

use std::borrow::Cow;

use crate::json::{Node, Value};

/// One value of a field. A field has as many as its path leads to, since arrays are walked.
#[derive(Debug, Clone)]
pub enum FieldValue<'r> {
    /// What stands at a path of a parsed record: a scalar or an object, never null or an array.
    Node(&'r Node<'r>),
    /// The value of an alias, or a scalar that was extracted from a record that has not been parsed.
    Scalar(Cow<'r, str>),
}

impl FieldValue<'_> {
    /// The text that a pattern searches: the scalar, or the compact JSON of the object.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Scalar(text) => Cow::Borrowed(text),
            Self::Node(node) => node.scalar().map_or_else(|| node.compact().into(), Cow::Borrowed),
        }
    }

    /// The scalar, if this is one.
    pub fn scalar(&self) -> Option<&str> {
        match self {
            Self::Scalar(text) => Some(text),
            Self::Node(node) => node.scalar(),
        }
    }

    /// Whether the record has it as a JSON number, and not as a text. (Of a scalar that was extracted this is not known: only
    /// what compares two fields asks for it, and that is judged over the parsed record.)
    pub fn is_number(&self) -> bool {
        matches!(self, Self::Node(Node { value: Value::Number(_), .. }))
    }
}

/// What stands in an object that is only the wrapping of a list, as EC2 writes one: `{"items":[…]}`, `{"item":{…}}`.
pub(crate) fn wrapped_list<'n, 't>(node: &'n Node<'t>) -> Option<&'n Node<'t>> {
    match node.members()? {
        [only] if ["items", "item", "member"].contains(&&*only.key) => Some(&only.node),
        _ => None,
    }
}

/// Appends the values to which `path` leads from `node`. A null counts as missing, an array stands for each of its elements, and
/// a string that holds JSON is entered.
pub fn walk<'n>(node: &'n Node<'n>, path: &[Box<str>], found: &mut Vec<FieldValue<'n>>) {
    match (&node.value, path.split_first()) {
        (Value::Null, _) => {}
        (Value::Array(elements), _) => elements.iter().for_each(|element| walk(element, path, found)),
        (_, None) => found.push(FieldValue::Node(node)),
        (Value::String(text), Some(_)) => {
            if let Some(document) = text.embedded() {
                walk(document, path, found);
            }
        }
        (_, Some((key, rest))) => {
            if let Some(next) = node.get(key) {
                walk(next, rest, found);
            }
        }
    }
}

/// The first scalar at a path of keys. Arrays on the way are walked, and a text that holds JSON is entered, as
/// [`walk`] does.
pub(super) fn first_scalar<'n>(node: &'n Node<'_>, path: &[&str]) -> Option<&'n str> {
    first_scalar_that(node, path, &|_| true)
}

/// The first scalar at a path that `accepts` takes.
pub(super) fn first_scalar_that<'n>(
    node: &'n Node<'_>,
    path: &[&str],
    accepts: &dyn Fn(&str) -> bool,
) -> Option<&'n str> {
    match (&node.value, path.split_first()) {
        (Value::Array(elements), _) => elements.iter().find_map(|element| first_scalar_that(element, path, accepts)),
        (_, None) => node.scalar().filter(|text| accepts(text)),
        (Value::String(text), Some(_)) => first_scalar_that(text.embedded()?, path, accepts),
        (_, Some((key, rest))) => first_scalar_that(node.get(key)?, rest, accepts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_the_set_of_values() {
        let values = |json: &str, path: &[&str]| {
            let node = Node::parse(json).unwrap();
            let mut found = Vec::new();
            let path: Vec<Box<str>> = path.iter().map(|&key| key.into()).collect();
            walk(&node, &path, &mut found);
            found
                .iter()
                .map(|found| if let FieldValue::Node(node) = found { node.compact() } else { unreachable!() })
                .collect::<Vec<_>>()
        };
        assert_eq!(values(r#"{"a":null}"#, &["a"]), [""; 0]);
        assert_eq!(values(r#"{"a":[]}"#, &["a"]), [""; 0]);
        assert_eq!(values(r#"{"a":["",false,{}]}"#, &["a"]), [r#""""#, "false", "{}"]);
        assert_eq!(values(r#"{"a":[{"b":1},{"b":[2,[3]]},{"c":4},5]}"#, &["a", "b"]), ["1", "2", "3"]);
        assert_eq!(values(r#"{"a":"{\"b\":[1,2]}"}"#, &["a", "b"]), ["1", "2"]);
        assert_eq!(values(r#"{"a":"%7B%22b%22%3A1%7D"}"#, &["a", "b"]), ["1"]);
        assert_eq!(values(r#"{"a":"{\"b\":"}"#, &["a", "b"]), [""; 0]);
        assert_eq!(values(r#"{"a":{"b.c":1}}"#, &["a", "b.c"]), ["1"]);
    }
}
