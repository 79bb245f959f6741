//! What a cell asks of a field's values: a pattern, a list of conditions, or one operator.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::Row;
use super::count::Count;
use super::decimal::Decimal;
use super::field::Field;
use super::hours::Hours;
use super::pattern::{Anchor, AnchoredLiteral, Pattern};
use crate::cloudtrail::FieldValue;
use crate::rules::Scope;

/// A condition, ready to be asked.
#[derive(Debug, Clone)]
pub enum Condition {
    /// The pattern is found in some value; in an object's compact JSON too.
    Pattern(Pattern),
    /// Some value equals one of these.
    Is(Vec<Literal>),
    /// The condition is false: also where the field is missing.
    Not(Box<Condition>),
    /// The field has a value, or has none.
    Exists(bool),
    /// Some value is an IP address inside one of these networks.
    Cidr(Vec<IpNet>),
    /// Some value is a number above this one.
    Above(Decimal),
    /// Some value is a number below this one.
    Below(Decimal),
    /// Some value is a time within these hours, or outside them.
    Time {
        /// The hours of the week.
        hours: Arc<Hours>,
        /// Whether the time must be within the hours, or else outside them.
        within: bool,
    },
    /// Each of these conditions is true, perhaps of different values.
    All(Vec<Condition>),
    /// One of these conditions is true.
    Any(Vec<Condition>),
    /// Some value equals some value of the other field.
    SameAs(SameAs),
    /// One single element satisfies a row.
    Item(Vec<Row>),
    /// The number of values: a field that is missing has none.
    Count(Count),
}

/// What `is` compares a value with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// The author wrote a text, or a boolean: the value equals it character for character. A number of the record counts as the
    /// text of its digits.
    Text(String),
    /// The author wrote a number: the value is this number, however it is spelt, be it a number of the record or a text.
    Number(Decimal),
}

impl Literal {
    /// As its author wrote it, without quotes.
    pub fn written(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.written(),
        }
    }

    /// The text, where no other one is accepted.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// Whether a value of the record, by its text, equals it.
    pub fn accepts(&self, value: &str) -> bool {
        match self {
            Self::Text(text) => text == value,
            Self::Number(number) => Decimal::parse(value).is_some_and(|value| value == *number),
        }
    }
}

/// The other side of `same_as`.
#[derive(Debug, Clone)]
pub struct SameAs {
    /// The other field.
    pub field: Field,
    /// The part of its values that counts: the pattern's one group.
    pub part: Option<Pattern>,
}

impl Condition {
    /// Whether the condition needs more than the scalars of its field: the values of another field, or the element of an array
    /// that a value is. The answer for a new operator is yes, until this function says no for it: the engine then judges it over
    /// the whole record, and never wrongly.
    pub fn needs_the_record(&self) -> bool {
        match self {
            Self::Pattern(_)
            | Self::Is(_)
            | Self::Exists(_)
            | Self::Cidr(_)
            | Self::Above(_)
            | Self::Below(_)
            | Self::Time { .. }
            | Self::Count(_) => false,
            Self::Not(condition) => condition.needs_the_record(),
            Self::All(conditions) | Self::Any(conditions) => conditions.iter().any(Self::needs_the_record),
            _ => true,
        }
    }

    /// Whether the condition asks for the number of values, perhaps among other things.
    #[cfg(feature = "cli")]
    pub(crate) fn counts(&self) -> bool {
        match self {
            Self::Count(_) => true,
            Self::Not(condition) => condition.counts(),
            Self::All(conditions) | Self::Any(conditions) => conditions.iter().any(Self::counts),
            _ => false,
        }
    }

    /// Whether the condition is true of a field that has no value.
    pub fn holds_of_nothing(&self) -> bool {
        match self {
            Self::Not(condition) => !condition.holds_of_nothing(),
            Self::Exists(there) => !there,
            Self::Count(count) => count.accepts(0),
            Self::All(conditions) => conditions.iter().all(Self::holds_of_nothing),
            Self::Any(conditions) => conditions.iter().any(Self::holds_of_nothing),
            // They want some value that does something; `same_as` wants one that the other field has too.
            Self::Pattern(_)
            | Self::Is(_)
            | Self::Cidr(_)
            | Self::Above(_)
            | Self::Below(_)
            | Self::Time { .. }
            | Self::SameAs(_)
            | Self::Item(_) => false,
        }
    }

    /// Literals of which at least one value of the field must have one if the condition is true; `None` if none are known.
    /// By them the engine's index rules out what cannot match; an operator of which none are known is always asked.
    pub(crate) fn required_literals(&self) -> Option<Vec<AnchoredLiteral>> {
        match self {
            Self::Pattern(pattern) => pattern.required_literals(),
            Self::Is(literals) => {
                let whole = |text: &str| AnchoredLiteral { anchor: Anchor::Whole, bytes: text.as_bytes().into() };
                // A number has any number of spellings.
                literals.iter().map(|literal| literal.as_text().map(whole)).collect()
            }
            Self::Any(conditions) => {
                let each: Option<Vec<Vec<AnchoredLiteral>>> = conditions.iter().map(Self::required_literals).collect();
                each.map(|each| each.concat())
            }
            Self::All(conditions) => conditions.iter().filter_map(Self::required_literals).min_by_key(Vec::len),
            _ => None,
        }
    }

    /// Whether the condition is true of a field's values. `scope` is where `same_as` finds the other field.
    pub fn holds(&self, values: &[FieldValue<'_>], scope: Scope<'_, '_>) -> bool {
        let some_scalar = |test: &dyn Fn(&str) -> bool| values.iter().filter_map(FieldValue::scalar).any(test);
        match self {
            Self::Pattern(pattern) => values.iter().any(|value| pattern.is_match(&value.text())),
            Self::Is(literals) => some_scalar(&|value| literals.iter().any(|literal| literal.accepts(value))),
            Self::Not(condition) => !condition.holds(values, scope),
            Self::Exists(there) => values.is_empty() != *there,
            Self::Cidr(networks) => some_scalar(&|value| {
                address(value).is_some_and(|address| networks.iter().any(|network| network.contains(&address)))
            }),
            Self::Above(bound) => some_scalar(&|value| Decimal::parse(value).is_some_and(|value| value > *bound)),
            Self::Below(bound) => some_scalar(&|value| Decimal::parse(value).is_some_and(|value| value < *bound)),
            Self::Time { hours, within } => some_scalar(&|value| hours.contain(value) == Some(*within)),
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(values, scope)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds(values, scope)),
            Self::SameAs(SameAs { field, part }) => scope.values(field).iter().any(|other| {
                let Some(text) = other.scalar() else { return false };
                let wanted = match part {
                    None => Some(text),
                    Some(part) => part.group(text),
                };
                let is_number = part.is_none() && other.is_number();
                wanted.is_some_and(|wanted| values.iter().any(|value| equals(value, wanted, is_number)))
            }),
            Self::Count(count) => count.accepts(values.len() as u64),
            Self::Item(rows) => values.iter().any(|value| match value {
                FieldValue::Node(node) => rows.iter().any(|row| row.holds(Scope::Element(node))),
                // The compiler refuses `item` on an alias.
                FieldValue::Scalar(_) => false,
            }),
        }
    }
}

/// Whether two values of a record are equal: as numbers where one of them is a number and the other one is one too, or a text
/// that is one; otherwise as texts. `is_number` tells whether the record has `other` as a number.
fn equals(value: &FieldValue<'_>, other: &str, is_number: bool) -> bool {
    let Some(text) = value.scalar() else { return false };
    let numbers = || Some(Decimal::parse(text)? == Decimal::parse(other)?);
    text == other || (is_number || value.is_number()) && numbers() == Some(true)
}

/// An IP address; one of IPv4 that is written as IPv6 (`::ffff:192.0.2.1`) is IPv4's.
fn address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_written_as_ipv6_are_ipv4() {
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
        assert_eq!(address("cloudformation.amazonaws.com"), None);
    }
}
