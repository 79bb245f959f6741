//! Makes a rule of its JSON object, and reports every mistake in it at once.
//!
//! One file a level: a rule, what a rule and an override of it share, a table, a condition. To add a key to a rule, see
//! `rule`; an operator, `condition`.

mod condition;
mod limits;
mod rule;
mod settings;
mod table;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::field::FieldError;
use super::pattern::Pattern;
use crate::cloudtrail::countries::Countries;
use crate::config::{Problems, wrong_kind};
use crate::json::{Node, Value};

pub(crate) use self::settings::{Overrides, is_link};

#[derive(Default)]
pub(crate) struct RuleCompiler<'n> {
    pub(crate) problems: Problems,
    pub(crate) digest: Arc<str>,
    pub(crate) lists: HashMap<&'n str, &'n [Node<'n>]>,
    /// Which country an address belongs to, for the alias `country`.
    pub(crate) countries: Option<Countries>,
    /// What precedes the runbooks that are paths.
    pub(crate) runbooks: Option<&'n str>,
    /// Equal patterns are compiled once.
    patterns: HashMap<String, Pattern>,
}

/// Where a cell stands: it decides what its key may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RowSubject {
    Record,
    Element,
}

impl RuleCompiler<'_> {
    /// A compiler that has met nothing yet. `digest` names the whole of the rules, and `countries` is what the alias `country`
    /// asks.
    pub(crate) fn new(digest: Arc<str>, countries: Option<Countries>) -> Self {
        Self { digest, countries, ..Self::default() }
    }

    /// Ids and names become keys, attributes and file names elsewhere.
    pub(crate) fn name(&mut self, name: &str, span: &Range<usize>, what: &str) {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.len() > 100 || !name.chars().all(fits) {
            self.problems.error(
                "bad-name",
                span,
                format!("{what} has 1 to 100 letters, digits, \"-\", \"_\" and \".\", and this has others"),
                "rename it",
            );
        }
    }

    /// The value, or a note of what is wrong with it.
    fn understood<T>(&mut self, result: Result<T, FieldError>, span: &Range<usize>) -> Option<T> {
        result.map_err(|FieldError { code, message, help }| self.problems.error(code, span, message, help)).ok()
    }

    fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        if let Value::Bool(value) = node.value {
            return Some(value);
        }
        wrong_kind(node, &format!("\"{what}\" is true or false"), &mut self.problems);
        None
    }
}
