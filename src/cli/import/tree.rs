//! A document, whatever it was written in: every value keeps its line, and scalars stay as their author wrote them.

use crate::json::{Node, Value as Json};

/// One value, and the line on which it begins.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    /// The line on which it begins, from 1.
    pub(super) line: usize,
    pub(super) value: TreeValue,
}

#[derive(Debug, Clone)]
pub(super) enum TreeValue {
    /// `null`, `~`, or nothing at all.
    Null,
    /// A number of JSON's grammar, as it was written and not in quotes.
    Number(String),
    /// Every other scalar, as it was written: an account id that begins with 0, whether `null` was quoted.
    Text(String),
    /// What would have to be computed first, as it was written: an expression of Terraform's.
    Unknown(String),
    List(Vec<Tree>),
    /// In the order of the text; no key stands twice.
    Map(Vec<(String, Tree)>),
}

impl Tree {
    /// The value of a key, if this is a map that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries()?.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// As [`Tree::get`], whatever the spelling: `risk_level`, `risk-level` and `riskLevel` are one. `key` is in small letters
    /// without marks.
    pub(super) fn field(&self, key: &str) -> Option<&Self> {
        self.entries()?.iter().find(|(name, _)| folded(name) == key).map(|(_, value)| value)
    }

    pub(super) fn entries(&self) -> Option<&[(String, Self)]> {
        if let TreeValue::Map(entries) = &self.value { Some(entries) } else { None }
    }

    /// A scalar that is not null.
    pub(super) fn text(&self) -> Option<&str> {
        if let TreeValue::Text(text) | TreeValue::Number(text) = &self.value { Some(text) } else { None }
    }

    /// The items of a list; of anything else, itself; of null, nothing.
    pub(super) fn items(&self) -> &[Self] {
        match &self.value {
            TreeValue::List(items) => items,
            TreeValue::Null => &[],
            _ => std::slice::from_ref(self),
        }
    }

    /// What of it would have to be computed first: each expression as it was written, with its line.
    pub(super) fn unknown(&self) -> Vec<(usize, &str)> {
        match &self.value {
            TreeValue::Unknown(written) => vec![(self.line, written)],
            TreeValue::List(items) => items.iter().flat_map(Self::unknown).collect(),
            TreeValue::Map(entries) => entries.iter().flat_map(|(_, value)| value.unknown()).collect(),
            TreeValue::Null | TreeValue::Number(_) | TreeValue::Text(_) => Vec::new(),
        }
    }

    /// The last line on which something of it begins.
    pub(super) fn last_line(&self) -> usize {
        let inner = match &self.value {
            TreeValue::List(items) => items.iter().map(Self::last_line).max(),
            TreeValue::Map(entries) => entries.iter().map(|(_, value)| value.last_line()).max(),
            TreeValue::Null | TreeValue::Number(_) | TreeValue::Text(_) | TreeValue::Unknown(_) => None,
        };
        inner.unwrap_or(self.line).max(self.line)
    }

    /// Takes the blanks off both ends of every text, and names the lines of those that had some: the newline at the end of a
    /// heredoc, a space that was copied along.
    pub(super) fn trim(&mut self, trimmed: &mut Vec<usize>) {
        match &mut self.value {
            TreeValue::Text(text) => {
                let inner = text.trim();
                if inner.len() < text.len() {
                    *text = inner.to_owned();
                    trimmed.push(self.line);
                }
            }
            TreeValue::List(items) => items.iter_mut().for_each(|item| item.trim(trimmed)),
            TreeValue::Map(entries) => entries.iter_mut().for_each(|(_, value)| value.trim(trimmed)),
            TreeValue::Null | TreeValue::Number(_) | TreeValue::Unknown(_) => {}
        }
    }

    /// The same as if it stood on another line: a value that is named there and written elsewhere.
    pub(super) fn on_line(&self, line: usize) -> Self {
        let value = match &self.value {
            TreeValue::List(items) => TreeValue::List(items.iter().map(|item| item.on_line(line)).collect()),
            TreeValue::Map(entries) => {
                TreeValue::Map(entries.iter().map(|(key, value)| (key.clone(), value.on_line(line))).collect())
            }
            other => other.clone(),
        };
        Self { line, value }
    }

    /// What this is, with its article.
    pub(super) fn kind(&self) -> &'static str {
        match self.value {
            TreeValue::Null => "null",
            TreeValue::Number(_) => "a number",
            TreeValue::Text(_) => "a string",
            TreeValue::Unknown(_) => "an expression",
            TreeValue::List(_) => "a list",
            TreeValue::Map(_) => "a map",
        }
    }
}

/// A name in small letters without marks: `riskLevel` and `risk_level` are `risklevel`.
pub(super) fn folded(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|character| character.to_ascii_lowercase()).collect()
}

/// Reads a JSON document.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse_json(text: &str) -> Result<Tree, String> {
    let root = Node::parse(text).map_err(|error| format!("not JSON: {error}"))?;
    Ok(from_json(&root, &Lines::new(text)))
}

fn from_json(node: &Node, lines: &Lines) -> Tree {
    let value = match &node.value {
        Json::Null => TreeValue::Null,
        Json::Array(elements) => TreeValue::List(elements.iter().map(|element| from_json(element, lines)).collect()),
        Json::Object(members) => TreeValue::Map(
            members.iter().map(|member| (member.key.to_string(), from_json(&member.node, lines))).collect(),
        ),
        Json::Number(number) => TreeValue::Number(number.to_string()),
        _ => TreeValue::Text(node.scalar().unwrap_or_default().to_owned()),
    };
    Tree { line: lines.line(node.span.start), value }
}

/// Where the lines of a text begin.
#[derive(Debug)]
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub(super) fn new(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at + 1).collect())
    }

    /// The line of a byte, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.0.partition_point(|start| *start <= at) + 1
    }
}
