//! How the values of a field are compared: Sigma's modifiers, each as a condition of ours.

use serde_json::{Value as Json, json};

use super::field::field;
use super::logic::{all, any, not};
use super::wildcards::{Wildcards, bare};
use crate::cli::import::tree::{Tree, TreeValue};
use crate::rules::decimal::Decimal;

/// How the values of a field are compared.
#[derive(Debug, Default)]
pub(super) struct Modifiers {
    pub(super) comparison: Comparison,
    all: bool,
    cased: bool,
    neq: bool,
    /// The flags of `re`.
    flags: String,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    #[default]
    Equals,
    Contains,
    StartsWith,
    EndsWith,
    Re,
    Cidr,
    Exists,
    FieldRef,
    Above,
    AtLeast,
    Below,
    AtMost,
}

impl Modifiers {
    pub(super) fn parse(written: &str) -> Result<Self, String> {
        let mut modifiers = Self::default();
        for modifier in written.split('|').filter(|modifier| !modifier.is_empty()) {
            let comparison = match modifier {
                "contains" => Comparison::Contains,
                "startswith" => Comparison::StartsWith,
                "endswith" => Comparison::EndsWith,
                "re" => Comparison::Re,
                "cidr" => Comparison::Cidr,
                "exists" => Comparison::Exists,
                "fieldref" => Comparison::FieldRef,
                "gt" => Comparison::Above,
                "gte" => Comparison::AtLeast,
                "lt" => Comparison::Below,
                "lte" => Comparison::AtMost,
                "all" => {
                    modifiers.all = true;
                    continue;
                }
                "cased" => {
                    modifiers.cased = true;
                    continue;
                }
                "neq" => {
                    modifiers.neq = true;
                    continue;
                }
                "i" | "m" | "s" if modifiers.comparison == Comparison::Re => {
                    modifiers.flags.push_str(modifier);
                    continue;
                }
                "expand" => return Err("a placeholder (\"expand\"): put its values into the rule first".to_owned()),
                other => {
                    return Err(format!("the modifier \"{other}\" cannot be expressed: rewrite the rule without it"));
                }
            };
            if modifiers.comparison != Comparison::Equals {
                return Err(format!("\"{modifier}\" cannot stand beside another comparison"));
            }
            modifiers.comparison = comparison;
        }
        Ok(modifiers)
    }

    /// The condition on a field. `has_numbers` tells whether a number may stand there: where there are only texts, every digit
    /// counts.
    pub(super) fn condition(&self, values: &Tree, has_numbers: bool, notes: &mut Vec<String>) -> Result<Json, String> {
        let each: Vec<&Tree> = match &values.value {
            TreeValue::List(items) if items.is_empty() => {
                return Err("its list is empty, so nothing would match".to_owned());
            }
            TreeValue::List(items) => items.iter().collect(),
            TreeValue::Map(_) => return Err("a map stands where values should".to_owned()),
            TreeValue::Null | TreeValue::Number(_) | TreeValue::Text(_) | TreeValue::Unknown(_) => vec![values],
        };
        let conditions =
            each.into_iter().map(|value| self.one(value, has_numbers, notes)).collect::<Result<Vec<_>, _>>()?;
        let condition = if self.all { all(conditions) } else { any(conditions) };
        Ok(if self.neq { not(&condition) } else { condition })
    }

    fn one(&self, value: &Tree, has_numbers: bool, notes: &mut Vec<String>) -> Result<Json, String> {
        let text = match &value.value {
            TreeValue::Null if self.comparison == Comparison::Equals => return Ok(json!({"exists": false})),
            TreeValue::Null => return Err("a null stands where a string should".to_owned()),
            TreeValue::Number(text) if has_numbers && self.comparison == Comparison::Equals => {
                return Ok(json!({ "is": number(text)? }));
            }
            TreeValue::Text(text) | TreeValue::Number(text) => text,
            TreeValue::List(_) | TreeValue::Map(_) | TreeValue::Unknown(_) => {
                return Err(format!("{} stands where a string should", value.kind()));
            }
        };
        let text_with = |start, end| Wildcards::parse(text).condition(start, end, self.cased);
        match self.comparison {
            Comparison::Equals => Ok(text_with(true, true)),
            Comparison::Contains => Ok(text_with(false, false)),
            Comparison::StartsWith => Ok(text_with(true, false)),
            Comparison::EndsWith => Ok(text_with(false, true)),
            Comparison::Re => self.regex(text),
            Comparison::Cidr => {
                let network = text.parse::<ipnet::IpNet>().is_ok() || text.parse::<std::net::IpAddr>().is_ok();
                if network {
                    Ok(json!({"cidr": text}))
                } else {
                    Err(format!("\"{text}\" is not a network such as 203.0.113.0/24"))
                }
            }
            Comparison::Exists => {
                notes
                    .push("\"exists\": a field that holds null counts as missing here, in Sigma as present".to_owned());
                match text.to_ascii_lowercase().as_str() {
                    "true" | "yes" => Ok(json!({"exists": true})),
                    "false" | "no" => Ok(json!({"exists": false})),
                    _ => Err(format!("\"exists\" takes true or false, not \"{text}\"")),
                }
            }
            Comparison::FieldRef => {
                if !self.cased {
                    notes.push("\"fieldref\" compares with case here, in Sigma without".to_owned());
                }
                Ok(json!({"same_as": field(text, notes)?}))
            }
            Comparison::Above | Comparison::AtLeast | Comparison::Below | Comparison::AtMost => {
                let number = number(text)?;
                Ok(match self.comparison {
                    Comparison::Above => json!({"above": number}),
                    Comparison::Below => json!({"below": number}),
                    // A number that is not below the bound: of a value that is not a number, neither is true.
                    Comparison::AtLeast => json!([{"above": number}, {"is": number}]),
                    _ => json!([{"below": number}, {"is": number}]),
                })
            }
        }
    }

    fn regex(&self, written: &str) -> Result<Json, String> {
        if written.is_empty() {
            return Ok(json!({"exists": true}));
        }
        let pattern = if self.flags.is_empty() { written.to_owned() } else { format!("(?{}){written}", self.flags) };
        match regex::Regex::new(&pattern) {
            Ok(_) => Ok(Json::from(bare(&pattern))),
            Err(error) => {
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
                Err(format!("the regular expression cannot be carried over: {last}"))
            }
        }
    }
}

/// A number, of which no digit may be lost on the way.
fn number(text: &str) -> Result<Json, String> {
    let number: Option<Json> = serde_json::from_str(text).ok().filter(Json::is_number);
    let number = number.ok_or_else(|| format!("\"{text}\" is not a number"))?;
    if Decimal::parse(&number.to_string()) == Decimal::parse(text) {
        Ok(number)
    } else {
        Err(format!("the number {text} has more digits than can be carried over"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_digit_of_a_number_is_lost() {
        for text in ["0", "70", "18446744073709551615", "8.25", "1e3"] {
            assert_eq!(
                number(text).map(|number| Decimal::parse(&number.to_string())),
                Ok(Decimal::parse(text)),
                "{text}"
            );
        }
        // How many digits fit is serde_json's business.
        for text in ["9007199254740993.5", "18446744073709551617.5", "1e999"] {
            let exact = |number: Json| Decimal::parse(&number.to_string()) == Decimal::parse(text);
            assert!(number(text).is_ok_and(exact) || number(text).is_err(), "{text}");
        }
    }
}
