//! One field of a Sigma selection, with its modifiers and values, as a cell of ours.

use std::collections::HashSet;

use serde_json::{Value as Json, json};

use super::super::tree::{Tree, TreeValue};
use crate::rules::field::Field;

/// A cell: the field's name as rules.json has it, and the condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SigmaCell {
    pub(super) field: String,
    pub(super) condition: Json,
}

/// What a reader must know of a cell that says almost what Sigma says.
pub(super) type Notes = Vec<String>;

/// Reads `field|modifier|…: values`.
///
/// # Errors
/// What cannot be expressed, for the report.
pub(super) fn cell(key: &str, values: &Tree, notes: &mut Notes) -> Result<SigmaCell, String> {
    let (name, modifiers) = key.split_once('|').unwrap_or((key, ""));
    let modifiers = Modifiers::parse(modifiers)?;
    let field = field(name, notes)?;
    let condition = modifiers.condition(values, notes).map_err(|reason| format!("{key}: {reason}"))?;
    doubts(&field, values, &modifiers, notes);
    Ok(SigmaCell { field, condition })
}

/// What is carried over as Sigma means it, and can hardly be meant by its author.
fn doubts(field: &str, values: &Tree, modifiers: &Modifiers, notes: &mut Notes) {
    let texts: Vec<&str> = values.items().iter().filter_map(Tree::text).collect();
    if modifiers.how != Comparison::Re && texts.iter().any(|text| text.contains("\"*\"")) {
        notes.push(format!(
            "{field}: \"*\" between quotes stands for any text, as in Sigma; the character itself is \\*"
        ));
    }
    // Of an object, its JSON is searched.
    let object = matches!(field, "requestParameters" | "responseElements" | "additionalEventData" | "userIdentity");
    if object && modifiers.how != Comparison::Exists && texts.iter().any(|text| text.contains('"')) {
        notes.push(format!(
            "{field}: its JSON is searched, in which the quotes of a text that holds JSON (a policy) are escaped: name the \
             field, such as {field}.policyDocument"
        ));
    }
}

/// The field as we write it: our alias where there is one for exactly this path.
fn field(written: &str, notes: &mut Notes) -> Result<String, String> {
    // Splunk's way to write an array. Our paths walk arrays without being told.
    let path = written.replace("{}", "");
    match Field::parse(&path) {
        Ok(field) => Ok(field.alias().map_or(path, str::to_owned)),
        Err(error) => {
            // Sigma's field names keep their case: written in another, the rule can never match.
            let (top, rest) = path.split_at(path.find(['.', '[']).unwrap_or(path.len()));
            let repaired = Field::top_level().iter().find(|name| name.eq_ignore_ascii_case(top));
            if let Some(repaired) = repaired {
                notes.push(format!("CloudTrail has no field \"{written}\": it was read as \"{repaired}{rest}\""));
                return field(&format!("{repaired}{rest}"), notes);
            }
            Err(format!("the field \"{written}\": {}; {}", error.message, error.help))
        }
    }
}

/// How the values of a field are compared.
#[derive(Debug, Default)]
struct Modifiers {
    how: Comparison,
    all: bool,
    cased: bool,
    neq: bool,
    /// The flags of `re`.
    flags: String,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Comparison {
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
    fn parse(written: &str) -> Result<Self, String> {
        let mut modifiers = Self::default();
        for modifier in written.split('|').filter(|modifier| !modifier.is_empty()) {
            let how = match modifier {
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
                "i" | "m" | "s" if modifiers.how == Comparison::Re => {
                    modifiers.flags.push_str(modifier);
                    continue;
                }
                "expand" => return Err("a placeholder (\"expand\"): put its values into the rule first".to_owned()),
                other => {
                    return Err(format!("the modifier \"{other}\" cannot be expressed: rewrite the rule without it"));
                }
            };
            if modifiers.how != Comparison::Equals {
                return Err(format!("\"{modifier}\" cannot stand beside another comparison"));
            }
            modifiers.how = how;
        }
        Ok(modifiers)
    }

    fn condition(&self, values: &Tree, notes: &mut Notes) -> Result<Json, String> {
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

    fn one(&self, value: &Tree, notes: &mut Notes) -> Result<Json, String> {
        let text = match &value.value {
            TreeValue::Null if self.how == Comparison::Equals => return Ok(json!({"exists": false})),
            TreeValue::Null => return Err("a null stands where a string should".to_owned()),
            TreeValue::Text(text) => text,
            TreeValue::List(_) | TreeValue::Map(_) | TreeValue::Unknown(_) => {
                return Err(format!("{} stands where a string should", value.kind()));
            }
        };
        match self.how {
            Comparison::Equals => Ok(self.pattern(&Wildcards::parse(text), true, true)),
            Comparison::Contains => Ok(self.pattern(&Wildcards::parse(text), false, false)),
            Comparison::StartsWith => Ok(self.pattern(&Wildcards::parse(text), true, false)),
            Comparison::EndsWith => Ok(self.pattern(&Wildcards::parse(text), false, true)),
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
                Ok(match self.how {
                    Comparison::Above => json!({"above": number}),
                    Comparison::Below => json!({"below": number}),
                    // A number that is not below the bound: of a value that is not a number, neither is true.
                    Comparison::AtLeast => json!([{"above": number}, equal_number(text)]),
                    _ => json!([{"below": number}, equal_number(text)]),
                })
            }
        }
    }

    /// A text with wildcards, held at its start, at its end, at both or at neither.
    fn pattern(&self, text: &Wildcards, start: bool, end: bool) -> Json {
        let mut parts = text.0.as_slice();
        let (mut start, mut end) = (start, end);
        // What may begin or end with anything is not held there.
        while let [WildcardPart::Any, rest @ ..] = parts {
            (parts, start) = (rest, false);
        }
        while let [rest @ .., WildcardPart::Any] = parts {
            (parts, end) = (rest, false);
        }
        if parts.is_empty() {
            return if start && end { json!({"is": ""}) } else { json!({"exists": true}) };
        }
        let literal = parts.iter().map(|part| part.literal()).collect::<Option<String>>();
        // Without letters, case makes no difference.
        let no_case = |text: &str| !text.chars().any(char::is_alphabetic);
        if let Some(literal) = literal.as_ref().filter(|text| start && end && (self.cased || no_case(text))) {
            return json!({"is": literal});
        }
        let mut pattern = String::new();
        let flags = match (self.cased || literal.as_deref().is_some_and(no_case), literal.is_some()) {
            (false, true) => "(?i)",
            (false, false) => "(?is)",
            (true, false) => "(?s)",
            (true, true) => "",
        };
        pattern.push_str(flags);
        pattern.push_str(if start { "^" } else { "" });
        let mut run = String::new();
        for part in parts {
            match part {
                WildcardPart::Text(character) => run.push(*character),
                other => {
                    pattern.push_str(&escaped(&std::mem::take(&mut run)));
                    pattern.push_str(if *other == WildcardPart::Any { ".*" } else { "." });
                }
            }
        }
        pattern.push_str(&escaped(&run));
        pattern.push_str(if end { "$" } else { "" });
        Json::from(bare(&pattern))
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

/// A text as a pattern. `regex::escape` also escapes what is special in brackets alone, such as the hyphen of `aws-cli`.
fn escaped(text: &str) -> String {
    let mut pattern = String::new();
    for character in text.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

/// A pattern that begins with @ would name a list.
fn bare(pattern: &str) -> String {
    pattern.strip_prefix('@').map_or_else(|| pattern.to_owned(), |rest| format!("[@]{rest}"))
}

/// A number as JSON writes it, with or without zeros behind the point.
fn equal_number(text: &str) -> Json {
    let whole = text
        .split_once('.')
        .map_or(text, |(whole, fraction)| if fraction.bytes().all(|digit| digit == b'0') { whole } else { text });
    let zeros = if whole.contains('.') { "0*" } else { r"(?:\.0+)?" };
    Json::from(format!("^{}{zeros}$", escaped(whole)))
}

/// Each of these is true.
pub(super) fn all(mut conditions: Vec<Json>) -> Json {
    conditions.dedup();
    match conditions.len() {
        1 => conditions.remove(0),
        _ => json!({"all": conditions}),
    }
}

/// One of these is true. Literals are brought into one list.
pub(super) fn any(conditions: Vec<Json>) -> Json {
    let mut flat: Vec<Json> = Vec::new();
    for condition in conditions {
        match condition {
            Json::Array(more) => flat.extend(more),
            one => flat.push(one),
        }
    }
    let literals: Vec<Json> = flat.iter().filter_map(literals).flatten().collect();
    if literals.len() > 1 {
        let at = flat.iter().position(|condition| condition.get("is").is_some()).unwrap_or_default();
        flat[at] = json!({"is": literals});
        let mut index = 0;
        flat.retain(|condition| {
            let keep = index == at || condition.get("is").is_none();
            index += 1;
            keep
        });
    }
    // Lists of indicators are long: each is compared with all before it at once.
    let mut seen = HashSet::new();
    flat.retain(|condition| seen.insert(condition.to_string()));
    if flat.len() == 1 { flat.remove(0) } else { Json::Array(flat) }
}

fn literals(condition: &Json) -> Option<Vec<Json>> {
    match condition.get("is")? {
        Json::Array(texts) => Some(texts.clone()),
        text => Some(vec![text.clone()]),
    }
}

/// The condition is false.
pub(super) fn not(condition: &Json) -> Json {
    if let Some(there) = condition.get("exists").and_then(Json::as_bool) {
        return json!({"exists": !there});
    }
    match condition.get("not") {
        Some(inner) => inner.clone(),
        None => json!({ "not": condition }),
    }
}

/// A text in which `*` stands for any text and `?` for one character.
struct Wildcards(Vec<WildcardPart>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WildcardPart {
    Text(char),
    One,
    Any,
}

impl WildcardPart {
    fn literal(self) -> Option<char> {
        if let Self::Text(character) = self { Some(character) } else { None }
    }
}

impl Wildcards {
    /// A backslash takes the meaning from `*`, `?` and itself, and stands for itself before anything else.
    /// Source: Sigma Rules Specification 2.0.0, "Escaping".
    fn parse(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            parts.push(match character {
                '\\' => WildcardPart::Text(characters.next_if(|next| matches!(next, '\\' | '*' | '?')).unwrap_or('\\')),
                '*' => WildcardPart::Any,
                '?' => WildcardPart::One,
                other => WildcardPart::Text(other),
            });
        }
        parts.dedup_by(|b, a| *a == WildcardPart::Any && *b == WildcardPart::Any);
        Self(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::yaml;
    use super::*;

    fn condition(yaml: &str) -> Json {
        let document = yaml::parse(yaml).unwrap().remove(0);
        let (key, values) = &document.entries().unwrap()[0];
        cell(key, values, &mut Vec::new()).unwrap().condition
    }

    #[test]
    fn values_become_conditions() {
        for (yaml, expected) in [
            ("eventName: CreateUser", json!("(?i)^CreateUser$")),
            ("eventName|cased: CreateUser", json!({"is": "CreateUser"})),
            ("eventName: [A, B]", json!(["(?i)^A$", "(?i)^B$"])),
            ("eventName|contains|all: [A, B]", json!({"all": ["(?i)A", "(?i)B"]})),
            ("eventName|startswith: Get", json!("(?i)^Get")),
            ("eventName|endswith: .x", json!(r"(?i)\.x$")),
            ("eventName: '*Login*'", json!("(?i)Login")),
            ("eventName: 'a?b*c'", json!("(?is)^a.b.*c$")),
            (r"eventName: 'a\*b\?'", json!(r"(?i)^a\*b\?$")),
            (r"eventName: 'a\\*'", json!(r"(?i)^a\\")),
            (r"eventName: 'a\b'", json!(r"(?i)^a\\b$")),
            ("eventName: '*'", json!({"exists": true})),
            ("eventName: ''", json!({"is": ""})),
            ("eventName|contains: ''", json!({"exists": true})),
            ("errorCode: null", json!({"exists": false})),
            ("errorCode: [null, '']", json!([{"exists": false}, {"is": ""}])),
            ("userIdentity.accountId: 012345678901", json!({"is": "012345678901"})),
            ("userIdentity.accountId: [1, 2]", json!({"is": ["1", "2"]})),
            ("readOnly: false", json!("(?i)^false$")),
            ("eventName|re: '^(a|b)$'", json!("^(a|b)$")),
            ("eventName|re|i: '@x'", json!("(?i)@x")),
            ("eventName|re: '@x'", json!("[@]x")),
            ("eventName|contains|cased: '@x'", json!("[@]x")),
            ("sourceIPAddress|cidr: [10.0.0.0/8, '::1']", json!([{"cidr": "10.0.0.0/8"}, {"cidr": "::1"}])),
            ("errorCode|exists: false", json!({"exists": false})),
            (
                "userIdentity.userName|fieldref: requestParameters.userName",
                json!({"same_as": "requestParameters.userName"}),
            ),
            ("requestParameters.x|gte: 5", json!([{"above": 5}, r"^5(?:\.0+)?$"])),
            ("eventName|neq: A", json!({"not": "(?i)^A$"})),
        ] {
            assert_eq!(condition(yaml), expected, "{yaml}");
        }
    }

    #[test]
    fn fields_take_our_names_and_repairs_are_said() {
        let mut notes = Vec::new();
        for (written, ours) in [
            ("eventName", "event"),
            ("userIdentity.type", "identity"),
            ("requestParameters.items{}.x", "requestParameters.items.x"),
            ("eventsource", "service"),
        ] {
            assert_eq!(field(written, &mut notes).unwrap(), ours);
        }
        assert_eq!(notes.len(), 1);
        assert!(field("CommandLine", &mut notes).is_err());
    }

    #[test]
    fn what_can_hardly_be_meant_is_said() {
        let notes = |yaml: &str| {
            let document = yaml::parse(yaml).unwrap().remove(0);
            let (key, values) = &document.entries().unwrap()[0];
            let mut notes = Vec::new();
            cell(key, values, &mut notes).unwrap();
            notes.len()
        };
        assert_eq!(notes("requestParameters.policyDocument|contains: '\"Action\": \"*\"'"), 1);
        assert_eq!(notes("requestParameters|contains: ['\"Allow\"', '\"*\"']"), 2);
        assert_eq!(notes(r#"requestParameters.policyDocument|contains: '"Action": "\*"'"#), 0);
        assert_eq!(notes("requestParameters|contains: AdministratorAccess"), 0);
    }

    #[test]
    fn what_cannot_be_expressed_is_an_error() {
        for yaml in [
            "eventName|base64: x",
            "eventName|expand: '%x%'",
            "eventName|re: '(?!x)'",
            "eventName|contains|re: x",
            "eventName: []",
            "eventName: {a: b}",
            "sourceIPAddress|cidr: office",
            "eventName|contains: null",
            "requestParameters.x|gt: many",
        ] {
            let document = yaml::parse(yaml).unwrap().remove(0);
            let (key, values) = &document.entries().unwrap()[0];
            assert!(cell(key, values, &mut Vec::new()).is_err(), "{yaml}");
        }
    }
}
