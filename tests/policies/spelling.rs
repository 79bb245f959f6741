//! One policy in ever other spellings and shapes that mean the same.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::support::choices::Choices;

/// Writes a list: alone as a text, or as an array; in any order, with repeats.
pub(super) fn list(choices: &mut Choices, items: &[String]) -> Value {
    let mut items: Vec<String> = items.to_vec();
    for index in (1..items.len()).rev() {
        items.swap(index, choices.below(index + 1));
    }
    if let Some(first) = items.first().cloned().filter(|_| choices.one_in(6)) {
        items.push(first);
    }
    match &items[..] {
        [one] if choices.one_in(2) => json!(one),
        _ => json!(items),
    }
}

/// Writes an action in another case, and stars in other numbers.
pub(super) fn action(choices: &mut Choices, text: &str) -> String {
    let mut written = String::new();
    for letter in text.chars() {
        match letter {
            '*' => written.push_str(choices.of(&["*", "*", "**", "***"])),
            letter if choices.one_in(4) => written.extend(letter.to_uppercase()),
            letter if choices.one_in(4) => written.extend(letter.to_lowercase()),
            letter => written.push(letter),
        }
    }
    if written == "*" { choices.of(&["*", "**", "*:*", "?*", "*?:*"]).to_owned() } else { written }
}

/// Writes a thing; its case counts.
pub(super) fn thing(choices: &mut Choices, text: &str) -> String {
    let written = text.replace('*', choices.of(&["*", "*", "**"]));
    if written == "*" { choices.of(&["*", "**", "arn:*", "*:*", "?*"]).to_owned() } else { written }
}

/// Writes members in any order.
pub(super) fn object(choices: &mut Choices, members: Vec<(&str, Value)>) -> Value {
    let mut members = members;
    for index in (1..members.len()).rev() {
        members.swap(index, choices.below(index + 1));
    }
    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
}

/// Writes a document as a call's parameter: an object, a text of JSON with or without white space, or percent-encoded.
pub(super) fn document(choices: &mut Choices, policy: &Value) -> Value {
    match choices.below(4) {
        0 => policy.clone(),
        1 => json!(policy.to_string()),
        2 => json!(format!("\n  {}", serde_json::to_string_pretty(policy).unwrap())),
        _ => json!(utf8_percent_encode(&policy.to_string(), NON_ALPHANUMERIC).to_string()),
    }
}
