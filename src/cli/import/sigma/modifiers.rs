//! How the values of a field are compared: Sigma's modifiers, each as a condition of ours.

use serde_json::{Value as Json, json};

use super::field::field;
use super::logic::{all, any, not};
use super::wildcards::{Wildcards, bare, escaped};
use crate::cli::import::tree::{Tree, TreeValue};

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

    pub(super) fn condition(&self, values: &Tree, notes: &mut Vec<String>) -> Result<Json, String> {
        let each: Vec<&Tree> = match &values.value {
            TreeValue::List(items) if items.is_empty() => {
                return Err("its list is empty, so nothing would match".to_owned());
            }
            TreeValue::List(items) => items.iter().collect(),
            TreeValue::Map(_) => return Err("a map stands where values should".to_owned()),
            TreeValue::Null | TreeValue::Text(_) | TreeValue::Unknown(_) => vec![values],
        };
        let conditions = each.into_iter().map(|value| self.one(value, notes)).collect::<Result<Vec<_>, _>>()?;
        let condition = if self.all { all(conditions) } else { any(conditions) };
        Ok(if self.neq { not(&condition) } else { condition })
    }

    fn one(&self, value: &Tree, notes: &mut Vec<String>) -> Result<Json, String> {
        let text = match &value.value {
            TreeValue::Null if self.comparison == Comparison::Equals => return Ok(json!({"exists": false})),
            TreeValue::Null => return Err("a null stands where a string should".to_owned()),
            TreeValue::Text(text) => text,
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
                let number: Json = serde_json::from_str(text)
                    .ok()
                    .filter(Json::is_number)
                    .ok_or_else(|| format!("\"{text}\" is not a number"))?;
                Ok(match self.comparison {
                    Comparison::Above => json!({"above": number}),
                    Comparison::Below => json!({"below": number}),
                    // A number that is not below the bound: of a value that is not a number, neither is true.
                    Comparison::AtLeast => json!([{"above": number}, equal_number(text)]),
                    _ => json!([{"below": number}, equal_number(text)]),
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

/// A number as JSON writes it, with or without zeros behind the point.
fn equal_number(text: &str) -> Json {
    let whole = text
        .split_once('.')
        .map_or(text, |(whole, fraction)| if fraction.bytes().all(|digit| digit == b'0') { whole } else { text });
    let zeros = if whole.contains('.') { "0*" } else { r"(?:\.0+)?" };
    Json::from(format!("^{}{zeros}$", escaped(whole)))
}
