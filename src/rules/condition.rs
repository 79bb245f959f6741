//! What a cell asks of a field's values: a pattern, a list of conditions, or one operator.

use std::cmp::Ordering;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::Row;
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
    /// Some value equals one of these texts exactly.
    Is(Vec<String>),
    /// The condition is false: also where the field is missing.
    Not(Box<Condition>),
    /// The field has a value, or has none.
    Exists(bool),
    /// Some value is an IP address inside one of these networks.
    Cidr(Vec<IpNet>),
    /// Some value is a number above this one.
    Above(String),
    /// Some value is a number below this one.
    Below(String),
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
            | Self::Time { .. } => false,
            Self::Not(condition) => condition.needs_the_record(),
            Self::All(conditions) | Self::Any(conditions) => conditions.iter().any(Self::needs_the_record),
            _ => true,
        }
    }

    /// Whether the condition is true of a field that has no value.
    pub fn holds_of_nothing(&self) -> bool {
        match self {
            Self::Not(condition) => !condition.holds_of_nothing(),
            Self::Exists(there) => !there,
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
            Self::Is(texts) => {
                let whole = |text: &String| AnchoredLiteral { anchor: Anchor::Whole, bytes: text.as_bytes().into() };
                Some(texts.iter().map(whole).collect())
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
    pub fn holds(&self, values: &[FieldValue<'_>], scope: Scope<'_>) -> bool {
        let some_scalar = |test: &dyn Fn(&str) -> bool| values.iter().filter_map(FieldValue::scalar).any(test);
        match self {
            Self::Pattern(pattern) => values.iter().any(|value| pattern.is_match(&value.text())),
            Self::Is(texts) => some_scalar(&|value| texts.iter().any(|text| text == value)),
            Self::Not(condition) => !condition.holds(values, scope),
            Self::Exists(there) => values.is_empty() != *there,
            Self::Cidr(networks) => some_scalar(&|value| {
                address(value).is_some_and(|address| networks.iter().any(|network| network.contains(&address)))
            }),
            Self::Above(bound) => some_scalar(&|value| compare_numbers(value, bound) == Some(Ordering::Greater)),
            Self::Below(bound) => some_scalar(&|value| compare_numbers(value, bound) == Some(Ordering::Less)),
            Self::Time { hours, within } => some_scalar(&|value| hours.contain(value) == Some(*within)),
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(values, scope)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds(values, scope)),
            Self::SameAs(SameAs { field, part }) => {
                scope.values(field).iter().filter_map(FieldValue::scalar).any(|other| {
                    let wanted = match part {
                        None => Some(other),
                        Some(part) => part.group(other),
                    };
                    wanted.is_some_and(|wanted| some_scalar(&|value| value == wanted))
                })
            }
            Self::Item(rows) => values.iter().any(|value| match value {
                FieldValue::Node(node) => rows.iter().any(|row| row.holds(Scope::Element(node))),
                // The compiler refuses `item` on an alias.
                FieldValue::Scalar(_) => false,
            }),
        }
    }
}

/// An IP address; one of IPv4 that is written as IPv6 (`::ffff:192.0.2.1`) is IPv4's.
fn address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// Compares two JSON numbers as they are written, digit by digit: no rounding at 2^53, no overflow at 10^308. `None` if
/// either is no number.
pub fn compare_numbers(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (Decimal::parse(a)?, Decimal::parse(b)?);
    Some(match (a.digits.is_empty(), b.digits.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less.reverse_if(b.negative),
        (false, true) => Ordering::Greater.reverse_if(a.negative),
        (false, false) if a.negative != b.negative => Ordering::Greater.reverse_if(a.negative),
        // Both are 0.d₁d₂d₃… × 10^exponent with d₁ ≠ 0.
        (false, false) => a.exponent.cmp(&b.exponent).then_with(|| a.digits.cmp(&b.digits)).reverse_if(a.negative),
    })
}

trait ReverseIf {
    fn reverse_if(self, reversed: bool) -> Self;
}

impl ReverseIf for Ordering {
    fn reverse_if(self, reversed: bool) -> Self {
        if reversed { self.reverse() } else { self }
    }
}

/// 0.`digits` × 10^`exponent`, without leading and trailing zeros; zero has no digits.
struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    /// Reads a number of JSON's grammar.
    fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            None => (unsigned, 0),
            Some((mantissa, exponent)) => {
                let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
                if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
                    return None;
                }
                // Beyond 18 digits only the sign of the exponent matters.
                let size = digits.parse::<i64>().unwrap_or(i64::MAX / 4).min(i64::MAX / 4);
                (mantissa, if exponent.starts_with('-') { -size } else { size })
            }
        };
        let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_digit());
        if !all_digits(whole) || fraction.is_some_and(|fraction| !all_digits(fraction)) {
            return None;
        }
        let digits: Vec<u8> = whole.bytes().chain(fraction.unwrap_or_default().bytes()).collect();
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        let end = digits.iter().rposition(|digit| *digit != b'0').map_or(zeros, |last| last + 1);
        let point = i64::try_from(whole.len()).ok()? - i64::try_from(zeros).ok()?;
        Some(Self { negative, digits: digits[zeros..end].to_vec(), exponent: exponent.saturating_add(point) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_as_written() {
        let ordered = [
            "-1e400",
            "-10",
            "-9.5",
            "-0.1",
            "0",
            "1e-400",
            "0.1",
            "9",
            "9.50001",
            "10",
            "9007199254740993",
            "1e400",
            "1e99999999999999999999",
        ];
        for (i, a) in ordered.iter().enumerate() {
            for (j, b) in ordered.iter().enumerate() {
                assert_eq!(compare_numbers(a, b), Some(i.cmp(&j)), "{a} {b}");
            }
        }
        for (a, b) in [("1.0", "1"), ("100", "1e2"), ("0", "-0.0"), ("0.010", "1e-2")] {
            assert_eq!(compare_numbers(a, b), Some(Ordering::Equal), "{a} {b}");
        }
        for no_number in ["", "-", "1.", ".5", "0x1", "1e", "NaN", "1 ", "+1"] {
            assert_eq!(compare_numbers(no_number, "1"), None, "{no_number:?}");
        }
    }

    #[test]
    fn addresses_written_as_ipv6_are_ipv4() {
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
        assert_eq!(address("cloudformation.amazonaws.com"), None);
    }
}
