//! What a cell asks: patterns, lists of conditions, operators.

use std::ops::Range;
use std::sync::Arc;

use super::{RowSubject, RuleCompiler};
use crate::config::{ObjectReader, array, listed, string, suggestion, wrong_kind};
use crate::json::{Node, Value};
use crate::rules::condition::{Condition, SameAs};
use crate::rules::field::{Field, Target};
use crate::rules::hours::Hours;
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
                let message = format!("a condition is a pattern, a list or an operator, and this is {}", node.kind());
                self.problems.error("wrong-type", &node.span, message, help);
                None
            }
        }
    }

    fn conditions(&mut self, node: &'n Node<'n>, field: &Field, subject: RowSubject) -> Vec<Condition> {
        array(node, "a list of conditions", &mut self.problems)
            .iter()
            .filter_map(|node| self.condition(node, field, subject))
            .collect()
    }

    fn operator(&mut self, node: &'n Node<'n>, field: &Field, subject: RowSubject) -> Option<Condition> {
        const OPERATORS: [&str; 11] =
            ["is", "not", "exists", "cidr", "above", "below", "within", "outside", "all", "same_as", "item"];
        let members = node.members().unwrap_or_default();
        let [member] = members else {
            let message = format!("a condition has exactly one operator, and this has {}", members.len());
            let help = "write {\"all\": […]} where several must be true, a list where one is enough";
            self.problems.error("one-operator", &node.span, message, help);
            return None;
        };
        let value = &member.node;
        match &*member.key {
            "is" => self.is(value, field),
            "not" => self.condition(value, field, subject).map(|condition| Condition::Not(Box::new(condition))),
            "exists" => self.boolean(value, "exists").map(Condition::Exists),
            "cidr" => self.cidr(value),
            "above" => self.number(value).map(Condition::Above),
            "below" => self.number(value).map(Condition::Below),
            "within" => self.hours(value).map(|hours| Condition::Time { hours, within: true }),
            "outside" => self.hours(value).map(|hours| Condition::Time { hours, within: false }),
            "all" => Some(Condition::All(self.conditions(value, field, subject))),
            "same_as" => self.same_as(value, subject),
            "item" => {
                if let Target::Computed(_) | Target::Country(_) = field.target {
                    let help = "use it on a path that leads to an array, such as requestParameters.ipPermissions.items";
                    self.problems.error(
                        "no-items",
                        &member.key_span,
                        format!("\"{}\" has no items", field.written),
                        help,
                    );
                    return None;
                }
                Some(Condition::Item(self.table(value, RowSubject::Element).0))
            }
            other => {
                let help =
                    suggestion(other, OPERATORS).unwrap_or_else(|| format!("the operators are {}", listed(OPERATORS)));
                self.problems.error(
                    "unknown-operator",
                    &member.key_span,
                    format!("there is no operator \"{other}\""),
                    help,
                );
                None
            }
        }
    }

    /// The items of the list that `"@name"` stands for.
    fn list(&mut self, node: &'n Node<'n>) -> Option<&'n [Node<'n>]> {
        let name = node.as_str()?.strip_prefix('@')?;
        let Some(items) = self.lists.get(name).copied() else {
            let help = suggestion(name, self.lists.keys().copied()).map_or_else(
                || format!("add it to \"lists\"; to search for the character @, write \"[@]{name}\""),
                |did_you_mean| format!("{did_you_mean}, or, to search for the character @, \"[@]{name}\""),
            );
            self.problems.error("unknown-list", &node.span, format!("there is no list \"{name}\""), help);
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
            wrong_kind(node, "a pattern is a string", &mut self.problems);
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

    fn checked(&mut self, pattern: &str, span: &Range<usize>) -> Option<Pattern> {
        if let Some(checked) = self.patterns.get(pattern) {
            return Some(checked.clone());
        }
        match Pattern::new(pattern) {
            Ok(checked) => {
                self.patterns.insert(pattern.to_owned(), checked.clone());
                Some(checked)
            }
            Err(error) => {
                let (message, help) = why_no_regex(pattern, &error);
                self.problems.error("bad-regex", span, message, help);
                None
            }
        }
    }

    fn impossible(&mut self, span: &Range<usize>, field: &Field, vocabulary: &[&str]) {
        let message = format!("\"{}\" never has this value: the cell can never match", field.written);
        let help = match field.target {
            Target::Country(_) => "its values are codes of ISO 3166-1, two capital letters, such as \"DE\"".to_owned(),
            _ => format!("its values are {}", listed(vocabulary.iter().copied())),
        };
        self.problems.error("impossible-value", span, message, help);
    }

    /// The nodes of a scalar, of a list, or of a named list; lists may hold names of lists.
    fn literals(&mut self, node: &'n Node<'n>, what: &str) -> Vec<&'n Node<'n>> {
        match &node.value {
            Value::String(text) if text.as_str().starts_with('@') => {
                self.list(node).map(|items| items.iter().collect()).unwrap_or_default()
            }
            Value::Array(elements) if elements.iter().all(|element| element.elements().is_none()) => {
                array(node, what, &mut self.problems).iter().flat_map(|element| self.literals(element, what)).collect()
            }
            Value::String(_) | Value::Number(_) | Value::Bool(_) => vec![node],
            _ => {
                wrong_kind(node, &format!("{what} is a text or a list of texts"), &mut self.problems);
                Vec::new()
            }
        }
    }

    fn is(&mut self, node: &'n Node<'n>, field: &Field) -> Option<Condition> {
        let before = self.problems.errors();
        let mut texts = Vec::new();
        for literal in self.literals(node, "\"is\"") {
            let Some(text) = literal.scalar() else { continue };
            if let Some(vocabulary) = field.vocabulary().filter(|words| !words.contains(&text)) {
                self.impossible(&literal.span, field, vocabulary);
            }
            texts.push(text.to_owned());
        }
        (self.problems.errors() == before).then_some(Condition::Is(texts))
    }

    fn cidr(&mut self, node: &'n Node<'n>) -> Option<Condition> {
        let before = self.problems.errors();
        let mut networks = Vec::new();
        for literal in self.literals(node, "\"cidr\"") {
            let text = literal.scalar().unwrap_or_default();
            let network = text.parse().or_else(|_| text.parse::<std::net::IpAddr>().map(ipnet::IpNet::from));
            match network {
                Ok(network) => networks.push(network),
                Err(_) => self.problems.error(
                    "bad-network",
                    &literal.span,
                    format!("\"{text}\" is no network"),
                    "write one such as 203.0.113.0/24 or 2001:db8::/32, or a single address",
                ),
            }
        }
        (self.problems.errors() == before).then_some(Condition::Cidr(networks))
    }

    fn number(&mut self, node: &Node) -> Option<String> {
        if let Value::Number(text) = &node.value {
            return Some(text.to_string());
        }
        wrong_kind(node, "a bound is a number", &mut self.problems);
        None
    }

    fn hours(&mut self, node: &'n Node<'n>) -> Option<Arc<Hours>> {
        let mut fields = ObjectReader::new(node, "a span of time", &mut self.problems)?;
        let zone = fields.require("zone", &mut self.problems);
        let (days, spans) = (fields.get("days"), fields.get("hours"));
        if days.or(spans).is_none() {
            let help = "add \"hours\", such as \"08:00-18:00\", or \"days\", such as \"Mon-Fri\", or both";
            self.problems.error(
                "missing-key",
                &(node.span.start..node.span.start + 1),
                "a span of time needs \"hours\" or \"days\"",
                help,
            );
        }
        fields.finish(&mut self.problems);
        let mut hours = self.zone(zone?)?;
        if let Some(node) = days {
            let help = "write days such as \"Mon-Fri\" or [\"Mon\", \"Thu-Sat\"]: Mon, Tue, Wed, Thu, Fri, Sat, Sun";
            hours = self.span(node, "days", help, |texts| hours.on(texts))?;
        }
        if let Some(node) = spans {
            let help = "write hours such as \"08:00-18:00\" or [\"08:00-12:00\", \"13:00-18:00\"]; \"22:00-06:00\" is a \
                        night, and 24:00 the end of a day";
            hours = self.span(node, "hours", help, |texts| hours.at(texts))?;
        }
        Some(Arc::new(hours))
    }

    fn zone(&mut self, node: &'n Node<'n>) -> Option<Hours> {
        let literals = self.literals(node, "\"zone\"");
        let [literal] = literals.as_slice() else {
            if literals.len() > 1 {
                let help = "write one, such as \"Europe/Berlin\"";
                self.problems.error("wrong-type", &node.span, "\"zone\" is one time zone", help);
            }
            return None;
        };
        let name = literal.scalar().unwrap_or_default();
        let hours = Hours::in_zone(name);
        if hours.is_none() {
            let zones = Hours::zones();
            let help = suggestion(name, zones.iter().map(String::as_str)).unwrap_or_else(|| {
                "write a name of the IANA database, such as \"Europe/Berlin\" or \"UTC\"".to_owned()
            });
            self.problems.error("unknown-zone", &literal.span, format!("there is no time zone \"{name}\""), help);
        }
        hours
    }

    /// The hours of a text, of a list of texts, or of a named list.
    fn span(
        &mut self,
        node: &'n Node<'n>,
        what: &str,
        help: &str,
        read: impl FnOnce(Vec<&'n str>) -> Result<Hours, &'n str>,
    ) -> Option<Hours> {
        let before = self.problems.errors();
        let literals = self.literals(node, &format!("\"{what}\""));
        let texts: Vec<&str> = literals.iter().filter_map(|literal| literal.scalar()).collect();
        if self.problems.errors() > before {
            return None;
        }
        let read = read(texts);
        if let Err(text) = read {
            let place = literals.iter().find(|literal| literal.scalar() == Some(text)).unwrap_or(&node);
            self.problems.error("bad-hours", &place.span, format!("\"{text}\" names no {what}"), help);
        }
        read.ok()
    }

    fn same_as(&mut self, node: &'n Node<'n>, subject: RowSubject) -> Option<Condition> {
        if node.as_str().is_some() {
            let field = self.field_at(node, "same_as", subject)?;
            return Some(Condition::SameAs(SameAs { field, part: None }));
        }
        let mut fields = ObjectReader::new(node, "\"same_as\"", &mut self.problems)?;
        let field = fields.require("field", &mut self.problems).and_then(|node| self.field_at(node, "field", subject));
        let part = fields.get("part").map(|node| {
            let pattern = string(node, "part", &mut self.problems)?;
            let pattern = self.checked(pattern, &node.span)?;
            if pattern.groups() != 1 {
                let message = format!("\"part\" has one group, and this pattern has {}", pattern.groups());
                let help = "put one pair of parentheses around the part that counts, and write (?:…) for others";
                self.problems.error("one-group", &node.span, message, help);
            }
            Some(pattern)
        });
        fields.finish(&mut self.problems);
        match part {
            Some(None) => None,
            part => Some(Condition::SameAs(SameAs { field: field?, part: part.flatten() })),
        }
    }
}

/// What is wrong with a pattern, and the remedy.
fn why_no_regex(pattern: &str, error: &PatternError) -> (String, &'static str) {
    let PatternError::Syntax(text) = error else {
        return ("the pattern is too large when compiled".to_owned(), "repeat less, or write several patterns");
    };
    // The crate draws the pattern and a caret over several lines; the last says what is wrong.
    let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
    let shown = crate::text::clip(pattern, 80);
    let help = if ["(?=", "(?!", "(?<"].iter().any(|look_around| pattern.contains(look_around)) {
        "write the exclusion as {\"not\": …} or as an exception in \"unless\""
    } else {
        "write a Rust regular expression; for a literal name use {\"is\": \"name\"}"
    };
    (format!("\"{shown}\" is no regular expression: {last}"), help)
}
