//! What a cell asks: a pattern, a list of conditions, or an operator.

use std::ops::Range;

use super::operators::{OPERATORS, Operand};
use super::{RowSubject, RuleCompiler};
use crate::config::{array, listed, suggestion, wrong_kind};
use crate::json::{Node, Value};
use crate::rules::condition::Condition;
use crate::rules::field::{Field, FieldTarget};
use crate::rules::pattern::{Pattern, PatternError};

impl<'n> RuleCompiler<'n> {
    pub(super) fn condition(&mut self, node: &'n Node<'n>, field: &Field, subject: RowSubject) -> Option<Condition> {
        match &node.value {
            Value::String(text) if text.as_str().starts_with('@') => {
                let patterns = self.list(node)?;
                Some(Condition::Any(patterns.iter().filter_map(|node| self.pattern(node, field)).collect()))
            }
            Value::String(_) => self.pattern(node, field),
            Value::Array(_) => Some(Condition::Any(self.conditions(node, field, subject))),
            Value::Object(_) => self.operator(node, field, subject),
            _ => {
                let help = format!("write {{\"is\": {}}}", node.compact());
                let message =
                    format!("a condition must be a pattern, a list or an operator, but this is {}", node.kind());
                self.problems.error("wrong-type", &node.span, message, help);
                None
            }
        }
    }

    pub(super) fn conditions(&mut self, node: &'n Node<'n>, field: &Field, subject: RowSubject) -> Vec<Condition> {
        array(node, "a list of conditions", &mut self.problems)
            .iter()
            .filter_map(|node| self.condition(node, field, subject))
            .collect()
    }

    fn operator(&mut self, node: &'n Node<'n>, field: &Field, subject: RowSubject) -> Option<Condition> {
        let members = node.members().unwrap_or_default();
        let [member] = members else {
            let message = format!("a condition must have exactly one operator, but this has {}", members.len());
            let help = "write {\"all\": […]} where several must be true, a list where one is enough";
            self.problems.error("one-operator", &node.span, message, help);
            return None;
        };
        if let Some(operator) = OPERATORS.iter().find(|operator| operator.key.name == member.key) {
            let operand = Operand { value: &member.node, name_span: &member.key_span, field, subject };
            return (operator.compile)(self, operand);
        }
        let names = OPERATORS.iter().map(|operator| operator.key.name);
        let help =
            suggestion(&member.key, names.clone()).unwrap_or_else(|| format!("the operators are {}", listed(names)));
        let message = format!("unknown operator \"{}\"", member.key);
        self.problems.error("unknown-operator", &member.key_span, message, help);
        None
    }

    /// The items of the list that `"@name"` stands for.
    pub(super) fn list(&mut self, node: &'n Node<'n>) -> Option<&'n [Node<'n>]> {
        let name = node.as_str()?.strip_prefix('@')?;
        let Some(items) = self.lists.get(name).copied() else {
            let help = suggestion(name, self.lists.keys().copied()).map_or_else(
                || format!("add it to \"lists\"; to search for the character @, write \"[@]{name}\""),
                |did_you_mean| format!("{did_you_mean}, or, to search for the character @, \"[@]{name}\""),
            );
            self.problems.error("unknown-list", &node.span, format!("there is no list named \"{name}\""), help);
            return None;
        };
        if items.is_empty() {
            let message = format!("the list \"{name}\" is empty: this never matches");
            self.problems.warning("empty-list", &node.span, message, "add an item to it, or leave this cell out");
        }
        Some(items)
    }

    fn pattern(&mut self, node: &Node, field: &Field) -> Option<Condition> {
        let Some(pattern) = node.as_str() else {
            wrong_kind(node, "a pattern must be a string", &mut self.problems);
            return None;
        };
        if pattern.is_empty() {
            let help = "write {\"exists\": true} for any value, {\"is\": \"\"} for the empty text";
            self.problems.error("empty", &node.span, "an empty pattern is found in every value", help);
            return None;
        }
        let pattern = self.checked(pattern, &node.span)?;
        if let Some(vocabulary) = field.vocabulary().filter(|words| !words.iter().any(|value| pattern.is_match(value)))
        {
            self.impossible(&node.span, field, vocabulary);
        }
        Some(Condition::Pattern(pattern))
    }

    /// The pattern; or `None`, after what is wrong with it has been noted.
    pub(super) fn checked(&mut self, pattern: &str, span: &Range<usize>) -> Option<Pattern> {
        if let Some(checked) = self.patterns.get(pattern) {
            return Some(checked.clone());
        }
        match Pattern::new(pattern) {
            Ok(checked) => {
                self.patterns.insert(pattern.to_owned(), checked.clone());
                Some(checked)
            }
            Err(error) => {
                let (message, help) = invalid_pattern(pattern, &error);
                self.problems.error("bad-regex", span, message, help);
                None
            }
        }
    }

    /// Reports a value that the field never has.
    pub(super) fn impossible(&mut self, span: &Range<usize>, field: &Field, vocabulary: &[&str]) {
        let message = format!("\"{}\" never has this value: the cell can never match", field.written);
        let help = match field.target {
            FieldTarget::Country(_) => {
                "its values are codes of ISO 3166-1, two capital letters, such as \"DE\"".to_owned()
            }
            _ => format!("its values are {}", listed(vocabulary.iter().copied())),
        };
        self.problems.error("impossible-value", span, message, help);
    }
}

/// What is wrong with a pattern, and the remedy.
fn invalid_pattern(pattern: &str, error: &PatternError) -> (String, &'static str) {
    let PatternError::Syntax(text) = error else {
        return ("the pattern is too large when compiled".to_owned(), "repeat less, or write several patterns");
    };
    // The crate draws the pattern and a caret over several lines; the last says what is wrong.
    let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
    let shown = crate::text::clip(pattern, 80);
    let help = if ["(?=", "(?!", "(?<"].iter().any(|look_around| pattern.contains(look_around)) {
        "write the exclusion as {\"not\": …} or as an exception in \"unless\""
    } else if pattern.starts_with('*') {
        "a pattern is a regular expression, found anywhere: leave the * at the beginning out, end what must end so with $, and \
         write .* for anything in between"
    } else {
        "write a Rust regular expression; for a literal name use {\"is\": \"name\"}"
    };
    (format!("invalid regular expression \"{shown}\": {last}"), help)
}
