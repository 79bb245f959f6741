//! One field of a Sigma selection, with its modifiers and values, as a cell of ours.

use serde_json::Value as Json;

use super::field::field;
use super::modifiers::{Comparison, Modifiers};
use crate::cli::import::tree::Tree;
use crate::rules::field::Field;

/// A cell: the field's name as rules.json has it, and the condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SigmaCell {
    pub(super) field: String,
    pub(super) condition: Json,
}

/// Reads `field|modifier|…: values`. What a reader must know of a cell that says almost what Sigma says goes to `notes`.
///
/// # Errors
/// What cannot be expressed, for the report.
pub(super) fn cell(key: &str, values: &Tree, notes: &mut Vec<String>) -> Result<SigmaCell, String> {
    let (name, modifiers) = key.split_once('|').unwrap_or((key, ""));
    let modifiers = Modifiers::parse(modifiers)?;
    let field = field(name, notes)?;
    let has_numbers = Field::parse(&field).is_ok_and(|field| !field.always_text());
    let condition = modifiers.condition(values, has_numbers, notes).map_err(|reason| format!("{key}: {reason}"))?;
    doubts(&field, values, &modifiers, notes);
    Ok(SigmaCell { field, condition })
}

/// What is carried over as Sigma means it, and can hardly be meant by its author.
fn doubts(field: &str, values: &Tree, modifiers: &Modifiers, notes: &mut Vec<String>) {
    let texts: Vec<&str> = values.items().iter().filter_map(Tree::text).collect();
    if modifiers.comparison != Comparison::Re && texts.iter().any(|text| text.contains("\"*\"")) {
        notes.push(format!(
            "{field}: \"*\" between quotes stands for any text, as in Sigma; the character itself is \\*"
        ));
    }
    let compares_texts = matches!(
        modifiers.comparison,
        Comparison::Equals | Comparison::Contains | Comparison::StartsWith | Comparison::EndsWith
    );
    if let Some(path) = texts.iter().find(|text| compares_texts && names_field(text)) {
        notes.push(format!("{field}: \"{path}\" is compared as a text: what that field holds would be \"fieldref\""));
    }
    // Of an object, its JSON is searched.
    let object = matches!(field, "requestParameters" | "responseElements" | "additionalEventData" | "userIdentity");
    if object && modifiers.comparison != Comparison::Exists && texts.iter().any(|text| text.contains('"')) {
        notes.push(format!(
            "{field}: its JSON is searched, in which the quotes of a text that holds JSON (a policy) are escaped: name the \
             field, such as {field}.policyDocument"
        ));
    }
    if let Some(member) = texts.iter().filter(|_| object && compares_texts).find_map(|text| assigned(text)) {
        notes.push(format!(
            "{field}: its JSON is searched, in which a name is followed by \":, and not by =: name the field, {field}.{member}"
        ));
    }
}

/// Whether a text is the path of a field, such as `userIdentity.userName`.
fn names_field(text: &str) -> bool {
    let word = |part: &str| !part.is_empty() && part.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
    text.split_once('.').is_some_and(|(top, rest)| Field::top_level().contains(&top) && rest.split('.').all(word))
}

/// The name before the first `=`: Athena and others write objects so.
fn assigned(text: &str) -> Option<&str> {
    let (name, _) = text.trim_start_matches(['*', '{', ' ']).split_once('=')?;
    let word = name.starts_with(|char: char| char.is_ascii_alphabetic())
        && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
    word.then_some(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::import::yaml;

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
            ("requestParameters.x|gte: 5", json!([{"above": 5}, {"is": 5}])),
            ("requestParameters.x: 70", json!({"is": 70})),
            ("requestParameters.x: '70'", json!({"is": "70"})),
            ("requestParameters.x: [7, 8.5, a1]", json!([{"is": [7, 8.5]}, "(?i)^a1$"])),
            ("requestParameters.x|neq: 0", json!({"not": {"is": 0}})),
            ("requestParameters.accountId: 5", json!({"is": "5"})),
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
        assert_eq!(notes("requestParameters|contains: 'runtime='"), 1);
        assert_eq!(notes("responseElements: '{runtime=python3.13}'"), 1);
        assert_eq!(notes("requestParameters|contains: 'a2V5 + dmFsdWU='"), 0);
        assert_eq!(notes("requestParameters.body|contains: 'runtime='"), 0);
        assert_eq!(notes("requestParameters.name: [x, userIdentity.userName]"), 1);
        assert_eq!(notes("requestParameters.name|re: 'userIdentity.userName'"), 0);
        assert_eq!(notes("eventSource: [iam.amazonaws.com, 'userIdentity.']"), 0);
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
