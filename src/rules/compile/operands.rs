//! What stands behind an operator: texts, networks, numbers, hours of the week, other fields, elements.

use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

use ipnet::IpNet;

use super::{RowSubject, RuleCompiler};
use crate::cloudtrail::{ComputedAlias, is_region, partition_of};
use crate::config::{
    Advice, Fix, KeySpec, ObjectReader, ObjectSpec, ValueShape, array, docs, quoted, string, wrong_kind,
};
use crate::json::{Node, Value};
use crate::rules::condition::{Condition, Literal, SameAs};
use crate::rules::decimal::Decimal;
use crate::rules::field::{Field, FieldTarget};
use crate::rules::hours::{Hours, zone_remedy};

/// Hours of the week, as `within` and `outside` take them, of a field and of a channel.
pub(crate) static WEEK_HOURS: ObjectSpec = ObjectSpec {
    name: "WeekSpan",
    what: "a span of time",
    docs: docs!("Hours of the week in a time zone."),
    keys: [
        &[
            KeySpec::required("zone", ValueShape::Text, docs!("A name of the IANA database."))
                .such_as(r#""Europe/Berlin""#),
            KeySpec::new("days", ONE_OR_MORE, docs!("Days such as `Mon-Fri`, or a list of them.")),
            KeySpec::new(
                "hours",
                ONE_OR_MORE,
                docs!("Hours such as `08:00-18:00`, or a list of them; `22:00-06:00` is a night."),
            ),
        ],
        &[],
    ],
    at_least_one: &["hours", "days"],
};

/// What days of the week look like.
pub(crate) const DAYS_HELP: &str =
    "write days such as \"Mon-Fri\" or [\"Mon\", \"Thu-Sat\"]: Mon, Tue, Wed, Thu, Fri, Sat, Sun";
/// What hours of a day look like.
pub(crate) const HOURS_HELP: &str = "write hours such as \"08:00-18:00\" or [\"08:00-12:00\", \"13:00-18:00\"]; \"22:00-06:00\" is a night, \
                                     and 24:00 the end of a day";

const ONE_OR_MORE: ValueShape = ValueShape::AnyOf(&[ValueShape::Text, ValueShape::List(&ValueShape::Text)]);

/// The other side of `same_as`, where a part of it counts.
pub(super) static SAME_AS_PART: ObjectSpec = ObjectSpec {
    name: "Part",
    what: "\"same_as\"",
    docs: docs!("A part of another field."),
    keys: [
        &[
            KeySpec::required("field", ValueShape::Text, docs!("The other field.")),
            KeySpec::new("part", ValueShape::Text, docs!("A regular expression with one group: the part that counts.")),
        ],
        &[],
    ],
    at_least_one: &[],
};

impl<'n> RuleCompiler<'n> {
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
                wrong_kind(node, &format!("{what} must be a text or a list of texts"), &mut self.problems);
                Vec::new()
            }
        }
    }

    pub(super) fn is(&mut self, node: &'n Node<'n>, field: &Field) -> Option<Condition> {
        let before = self.problems.errors();
        let mut accepted = Vec::new();
        for literal in self.literals(node, "\"is\"") {
            let Some(text) = literal.scalar() else { continue };
            // A list of regions also says which partitions they are in.
            let is_partition = field.target == FieldTarget::Computed(ComputedAlias::Partition);
            let text = if is_partition && is_region(text) { partition_of(text) } else { text };
            if let Some(vocabulary) = field.vocabulary().filter(|words| !words.contains(&text)) {
                self.impossible(literal, field, vocabulary);
            }
            let number = matches!(literal.value, Value::Number(_)).then(|| Decimal::parse(text)).flatten();
            accepted.push(number.map_or_else(|| Literal::Text(text.to_owned()), Literal::Number));
        }
        (self.problems.errors() == before).then_some(Condition::Is(accepted))
    }

    pub(super) fn cidr(&mut self, node: &'n Node<'n>) -> Option<Condition> {
        let before = self.problems.errors();
        let mut networks = Vec::new();
        for literal in self.literals(node, "\"cidr\"") {
            let text = literal.scalar().unwrap_or_default();
            let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            match network {
                Ok(network) => {
                    if network.trunc() != network {
                        let help = format!("write {}, or {} for this address alone", network.trunc(), network.addr());
                        let message = format!("\"{text}\" names an address: its network is {}", network.trunc());
                        let fix =
                            literal.as_str().map(|_| Fix::replace(&literal.span, quoted(&network.trunc().to_string())));
                        self.problems.warning("host-bits", &literal.span, message, Advice::new(help).with_fix(fix));
                    }
                    networks.push(network.trunc());
                }
                Err(_) => self.problems.error(
                    "bad-network",
                    &literal.span,
                    format!("invalid network \"{text}\""),
                    "write one such as 203.0.113.0/24 or 2001:db8::/32, or a single address",
                ),
            }
        }
        (self.problems.errors() == before).then_some(Condition::Cidr(networks))
    }

    pub(super) fn number(&mut self, node: &Node, what: &str) -> Option<Decimal> {
        if let Value::Number(text) = &node.value {
            return Decimal::parse(text);
        }
        let must_be = format!("\"{what}\" must be a number");
        // A text that is one number in one spelling.
        match node.as_str().filter(|text| text.parse::<serde_json::Number>().is_ok()) {
            Some(digits) => {
                let advice = Advice::new(format!("write {digits}, without quotes"));
                let advice = advice.with_fix(Fix::replace(&node.span, digits));
                self.problems.error("wrong-type", &node.span, format!("{must_be}, but this is a string"), advice);
            }
            None => wrong_kind(node, &must_be, &mut self.problems),
        }
        None
    }

    pub(super) fn hours(&mut self, node: &'n Node<'n>) -> Option<Arc<Hours>> {
        let mut fields = ObjectReader::new(node, &WEEK_HOURS, &mut self.problems)?;
        let (zone, days, spans) = (fields.get("zone"), fields.get("days"), fields.get("hours"));
        fields.finish(&mut self.problems);
        let mut hours = self.zone(zone?)?;
        if let Some(node) = days {
            hours = self.span(node, "days", DAYS_HELP, |texts| hours.on(texts))?;
        }
        if let Some(node) = spans {
            hours = self.span(node, "hours", HOURS_HELP, |texts| hours.at(texts))?;
        }
        Some(Arc::new(hours))
    }

    fn zone(&mut self, node: &'n Node<'n>) -> Option<Hours> {
        let literals = self.literals(node, "\"zone\"");
        let [literal] = literals.as_slice() else {
            if literals.len() > 1 {
                let help = "write one, such as \"Europe/Berlin\"";
                self.problems.error(
                    "wrong-type",
                    &node.span,
                    "\"zone\" must be one time zone, but this is several",
                    help,
                );
            }
            return None;
        };
        let name = literal.scalar().unwrap_or_default();
        let hours = Hours::in_zone(name);
        if hours.is_none() {
            self.problems.error(
                "unknown-zone",
                &literal.span,
                format!("unknown time zone \"{name}\""),
                zone_remedy(name),
            );
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
            let wrong = literals.iter().find(|literal| literal.scalar() == Some(text)).unwrap_or(&node);
            self.problems.error("bad-hours", &wrong.span, format!("invalid {what} \"{text}\""), help);
        }
        read.ok()
    }

    pub(super) fn same_as(&mut self, node: &'n Node<'n>, subject: RowSubject) -> Option<Condition> {
        if node.as_str().is_some() {
            let field = self.field_at(node, "same_as", subject)?;
            return Some(Condition::SameAs(SameAs { field, part: None }));
        }
        let mut fields = ObjectReader::new(node, &SAME_AS_PART, &mut self.problems)?;
        let field = fields.get("field").and_then(|node| self.field_at(node, "field", subject));
        let part = fields.get("part").map(|node| {
            let pattern = string(node, "part", &mut self.problems)?;
            let pattern = self.checked(pattern, &node.span)?;
            if pattern.groups() != 1 {
                let message = format!("\"part\" must have one group, but this pattern has {}", pattern.groups());
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

    /// The rows that one element must satisfy. `name_span` is the place of the operator's name.
    pub(super) fn item(&mut self, value: &'n Node<'n>, name_span: &Range<usize>, field: &Field) -> Option<Condition> {
        if !field.is_path() {
            let help = "use it on a path that leads to an array, such as requestParameters.ipPermissions.items";
            let message = format!("\"{}\" has no items", field.written);
            self.problems.error("no-items", name_span, message, help);
            return None;
        }
        Some(Condition::Item(self.table(value, RowSubject::Element).0))
    }
}
