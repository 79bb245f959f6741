//! Reads the values of `rules.json`, reporting every mistake and going on.
//!
//! Why not serde's derive: it stops at the first mistake, forgets where values stood, and lets the last of two equal keys
//! win in silence (a second `unless` would drop the first).

use std::ops::Range;

use super::diagnostic::Problems;
use crate::json::{Member, Node, Value};

/// An object whose keys are being read. Every key must be asked for: [`ObjectReader::finish`] reports those that nobody wanted.
#[derive(Debug)]
pub struct ObjectReader<'n> {
    /// What the object is, with its article, for messages: `a rule`.
    what: &'static str,
    span: &'n Range<usize>,
    members: &'n [Member<'n>],
    asked: Vec<&'static str>,
}

impl<'n> ObjectReader<'n> {
    /// Begins to read `node`, which must be an object without repeated keys.
    pub fn new(node: &'n Node<'n>, what: &'static str, problems: &mut Problems) -> Option<Self> {
        let Some(members) = node.members() else {
            wrong_kind(node, &format!("{what} is an object"), problems);
            return None;
        };
        repeated_keys(members, problems);
        Some(Self { what, span: &node.span, members, asked: Vec::new() })
    }

    /// The value of `key`.
    pub fn get(&mut self, key: &'static str) -> Option<&'n Node<'n>> {
        self.asked.push(key);
        self.members.iter().find(|member| &*member.key == key).map(|member| &member.node)
    }

    /// The value of `key`, which must be there.
    pub fn require(&mut self, key: &'static str, problems: &mut Problems) -> Option<&'n Node<'n>> {
        let value = self.get(key);
        if value.is_none() {
            let opening = self.span.start..self.span.start + 1;
            problems.error("missing-key", &opening, format!("{} needs \"{key}\"", self.what), format!("add \"{key}\""));
        }
        value
    }

    /// The string at `key`, if the key is there.
    pub fn string(&mut self, key: &'static str, problems: &mut Problems) -> Option<&'n str> {
        string(self.get(key)?, key, problems)
    }

    /// The object's place.
    pub fn span(&self) -> &'n Range<usize> {
        self.span
    }

    /// Reports the keys that nobody asked for.
    pub fn finish(self, problems: &mut Problems) {
        for member in self.members {
            // Editors find the schema by it, in every object that they look at.
            let known = self.asked.contains(&&*member.key);
            if !known {
                problems.error(
                    "unknown-key",
                    &member.key_span,
                    format!("{} has no key \"{}\"", self.what, member.key),
                    suggestion(&member.key, self.asked.iter().copied())
                        .unwrap_or_else(|| format!("the keys are {}", listed(self.asked.iter().copied()))),
                );
            }
        }
    }
}

/// Reports keys that stand twice in one object.
pub fn repeated_keys(members: &[Member], problems: &mut Problems) {
    // Objects are small as a rule, and comparing a few keys is cheaper than hashing them.
    let is_small = members.len() <= 16;
    let mut seen = std::collections::HashSet::new();
    for (index, member) in members.iter().enumerate() {
        let is_new = if is_small {
            members[..index].iter().all(|earlier| earlier.key != member.key)
        } else {
            seen.insert(&*member.key)
        };
        if !is_new {
            problems.error(
                "repeated-key",
                &member.key_span,
                format!("\"{}\" stands twice in one object, and only one of them would count", member.key),
                "bring the two together, or delete one",
            );
        }
    }
}

/// A string that is not empty.
pub fn string<'n>(node: &'n Node<'n>, what: &str, problems: &mut Problems) -> Option<&'n str> {
    match node.as_str() {
        Some("") => {
            problems.error(
                "empty",
                &node.span,
                format!("\"{what}\" is empty"),
                "write something, or leave the key out",
            );
            None
        }
        Some(text) => Some(text),
        None => {
            wrong_kind(node, &format!("\"{what}\" is a string"), problems);
            None
        }
    }
}

/// An array of at least one item.
pub fn array<'n>(node: &'n Node<'n>, what: &str, problems: &mut Problems) -> &'n [Node<'n>] {
    match &node.value {
        Value::Array(elements) if elements.is_empty() => {
            problems.error("empty", &node.span, format!("{what} is empty"), "write an item, or leave the key out");
            &[]
        }
        Value::Array(elements) => elements,
        _ => {
            wrong_kind(node, &format!("{what} is a list"), problems);
            &[]
        }
    }
}

/// The strings of an array of at least one.
pub fn strings(node: &Node, what: &str, problems: &mut Problems) -> Vec<String> {
    array(node, &format!("\"{what}\""), problems)
        .iter()
        .filter_map(|element| string(element, what, problems))
        .map(str::to_owned)
        .collect()
}

/// One of a fixed set of words.
pub fn word<T: Copy>(node: &Node, what: &str, words: &[(&str, T)], problems: &mut Problems) -> Option<T> {
    let text = string(node, what, problems)?;
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Some(*value);
    }
    let names = || words.iter().map(|(word, _)| *word);
    problems.error(
        "unknown-value",
        &node.span,
        format!("\"{text}\" is no {what}"),
        suggestion(text, names()).unwrap_or_else(|| format!("write one of {}", listed(names()))),
    );
    None
}

/// Reports that `node` is of another kind than it should be.
pub fn wrong_kind(node: &Node, should: &str, problems: &mut Problems) {
    problems.error("wrong-type", &node.span, format!("{should}, and this is {}", node.kind()), "write it as one");
}

/// `did you mean "…"`, if one of `known` is near enough to `written`.
pub fn suggestion<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    let folded = written.to_lowercase();
    let near = |name: &str| 1 + name.chars().count() / 4;
    known
        .into_iter()
        .filter(|name| !is_far(&folded, name, 1 + name.len() / 4))
        .map(|name| (strsim::osa_distance(&folded, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= near(name))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| format!("did you mean \"{name}\"?"))
        // The help's own full stop follows.
        .map(|help| help.trim_end_matches('?').to_owned())
}

/// Whether more than `edits` edits lie between two names, as can be told from their lengths and letters: names may be a
/// megabyte long, and the known ones thousands. What is not ASCII is never far.
fn is_far(one: &str, other: &str, edits: usize) -> bool {
    let longer = one.len().abs_diff(other.len());
    if longer > edits {
        return longer > 4 * edits || (one.is_ascii() && other.is_ascii());
    }
    let letters = |name: &str| name.bytes().fold(0_u32, |letters, byte| letters | 1 << (byte & 31));
    let (left, right) = (letters(one), letters(other));
    let more = (left & !right).count_ones().max((right & !left).count_ones()) as usize;
    more > edits && one.is_ascii() && other.is_ascii()
}

/// `"a", "b" and "c"`
pub fn listed<'k>(names: impl IntoIterator<Item = &'k str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("\"{name}\"")).collect();
    match quoted.as_slice() {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(source: &str, read: impl FnOnce(&Node, &mut Problems)) -> Vec<String> {
        let root = Node::parse(source).unwrap();
        let mut problems = Problems::default();
        read(&root, &mut problems);
        problems.finish(source, &root).into_iter().map(|d| format!("{} {} {}", d.code, d.pointer, d.help)).collect()
    }

    #[test]
    fn unknown_repeated_and_missing_keys_are_all_reported() {
        let found = codes(r#"{"titel": 1, "id": "x", "id": "y"}"#, |root, problems| {
            let mut fields = ObjectReader::new(root, "a rule", problems).unwrap();
            fields.string("id", problems);
            fields.require("title", problems);
            fields.finish(problems);
        });
        assert_eq!(
            found,
            [
                r#"missing-key  add "title""#,
                r#"unknown-key /titel did you mean "title""#,
                "repeated-key /id bring the two together, or delete one"
            ]
        );
    }

    #[test]
    fn words_are_suggested_and_listed() {
        let words = [("low", 1), ("medium", 2)];
        assert_eq!(codes(r#""mediun""#, |node, p| assert_eq!(word(node, "level", &words, p), None)).len(), 1);
        assert_eq!(listed(words.map(|(word, _)| word)), r#""low" and "medium""#);
        assert_eq!(suggestion("xyz", ["low", "medium"]), None);
    }
}
