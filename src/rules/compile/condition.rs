//! What a cell asks: a pattern, a list of conditions, or an operator.

use std::ops::Range;

use super::foreign::operator_advice;
use super::operators::{OPERATORS, Operand};
use super::{RowSubject, RuleCompiler};
use crate::config::{Advice, Fix, array, listed, quoted, suggestion, wrong_kind};
use crate::json::{MAX_DEPTH, Node, Value};
use crate::rules::condition::Condition;
use crate::rules::field::{Field, FieldTarget};
use crate::rules::pattern::{Pattern, PatternError, pattern_meant};
use crate::text::clip;

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
                let message =
                    format!("a condition must be a pattern, a list or an operator, but this is {}", node.kind());
                let advice = if node.is_null() {
                    "write {\"exists\": false} for what is not there".into()
                } else if matches!(node.value, Value::TooDeep(_)) {
                    format!("write fewer inside one another: what lies more than {MAX_DEPTH} levels deep is not read")
                        .into()
                } else {
                    let meant = format!("{{\"is\": {}}}", node.compact());
                    Advice::new(format!("write {meant}")).with_fix(Fix::replace(&node.span, meant))
                };
                self.problems.error("wrong-type", &node.span, message, advice);
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
        let message = format!("unknown operator \"{}\"", clip(&member.key, 80));
        self.problems.error("unknown-operator", &member.key_span, message, operator_advice(node, member));
        None
    }

    /// The items of the list that `"@name"` stands for.
    pub(super) fn list(&mut self, node: &'n Node<'n>) -> Option<&'n [Node<'n>]> {
        let name = node.as_str()?.strip_prefix('@')?;
        let Some(items) = self.lists.get(name).copied() else {
            let literally = format!("to search for the character @, write \"[@]{name}\"");
            let advice = match suggestion(name, self.lists.keys().copied()) {
                None => format!("add it to \"lists\"; {literally}").into(),
                Some(near) => {
                    let meant = quoted(&format!("@{}", near.name));
                    let fix = near.is_sure.then(|| Fix::replace(&node.span, meant.as_str()));
                    Advice::new(format!("did you mean {meant}? Otherwise, {literally}")).with_fix(fix)
                }
            };
            self.problems.error("unknown-list", &node.span, format!("there is no list named \"{name}\""), advice);
            return None;
        };
        let Some(items) = items else {
            // What is wrong with it is told where it stands.
            self.names_unread = true;
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
            self.impossible(node, field, vocabulary);
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
                let meant = pattern_meant(pattern);
                let fix = meant.as_ref().map(|meant| Fix::replace(span, quoted(meant)));
                let help = meant.map_or_else(|| help.to_owned(), |meant| format!("write {}: {help}", quoted(&meant)));
                self.problems.error("bad-regex", span, message, Advice::new(help).with_fix(fix));
                None
            }
        }
    }

    /// Reports a value that the field never has.
    pub(super) fn impossible(&mut self, node: &Node, field: &Field, vocabulary: &[&str]) {
        let message = format!("\"{}\" never has this value: the cell can never match", field.written);
        let help = match field.target {
            FieldTarget::Country(_) => {
                "its values are codes of ISO 3166-1, two capital letters, such as \"DE\"".to_owned()
            }
            _ => format!("its values are {}", listed(vocabulary.iter().copied())),
        };
        // Only its capitals are others.
        let written = node.as_str().unwrap_or_default();
        let meant = vocabulary.iter().find(|value| value.eq_ignore_ascii_case(written));
        let fix = meant.map(|value| Fix::replace(&node.span, quoted(value)));
        self.problems.error("impossible-value", &node.span, message, Advice::new(help).with_fix(fix));
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
        "a pattern is a regular expression, found anywhere: what ends so ends with $, and .* is anything in between"
    } else {
        "write a Rust regular expression; for a literal name use {\"is\": \"name\"}"
    };
    (format!("invalid regular expression \"{shown}\": {last}"), help)
}
