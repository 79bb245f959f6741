//! The compiler of single rules: what it knows of the file around them.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::config::{Problems, TextFormat, boolean};
use crate::json::Node;
use crate::rules::MessageSettings;
use crate::rules::field::{FieldError, Surroundings};
use crate::rules::pattern::Pattern;

/// Makes rules of their JSON objects. Mistakes are collected in `problems`; what it returns beside one counts for nothing.
#[derive(Default)]
pub(crate) struct RuleCompiler<'n> {
    pub(crate) problems: Problems,
    pub(crate) digest: Arc<str>,
    pub(crate) lists: NamedLists<'n>,
    /// Whether something named a list that could not be read since this was last asked.
    pub(crate) names_unread: bool,
    /// What fields ask besides the record.
    pub(crate) surroundings: Surroundings,
    /// What the top of the file says of every message.
    pub(crate) messages: Arc<MessageSettings>,
    /// What precedes the runbooks that are paths.
    pub(crate) runbooks: Option<&'n str>,
    /// The steps that stand apart from their rules, by the rules' ids.
    pub(crate) steps: HashMap<&'n str, &'n Node<'n>>,
    /// Equal patterns are compiled once.
    pub(super) patterns: HashMap<String, Pattern>,
}

/// Lists by their names; of one that could not be read, which is told where it stands, there is only the name.
pub(crate) type NamedLists<'n> = HashMap<&'n str, Option<&'n [Node<'n>]>>;

/// What a row is about: it decides which fields its cells may name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RowSubject {
    /// A record: aliases, and paths from its top.
    Record,
    /// One element of an array, inside `item`: paths from it.
    Element,
}

/// Ids and names become keys, attributes and file names elsewhere.
pub(crate) static NAME: TextFormat = TextFormat {
    what: "name",
    code: "bad-name",
    pattern: "^[A-Za-z0-9_.-]{1,100}$",
    max_characters: None,
    fits: |text| {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        (1..=100).contains(&text.len()) && text.chars().all(fits)
    },
    remedy: |_| "write 1 to 100 letters, digits, \"-\", \"_\" and \".\"".into(),
};

impl RuleCompiler<'_> {
    /// A compiler that has met nothing yet. `digest` names the whole of the rules, and `surroundings` is what
    /// fields ask besides the record.
    pub(crate) fn new(digest: Arc<str>, surroundings: Surroundings) -> Self {
        Self { digest, surroundings, ..Self::default() }
    }

    /// The value; or `None`, after what is wrong with it has been noted.
    pub(super) fn understood<T>(&mut self, result: Result<T, FieldError>, span: &Range<usize>) -> Option<T> {
        result.map_err(|FieldError { code, message, help, .. }| self.problems.error(code, span, message, help)).ok()
    }

    pub(super) fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        boolean(node, what, &mut self.problems)
    }
}
