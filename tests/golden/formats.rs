//! What a rule may say is known to functions of some format of bundles, and not to those before it.

use std::collections::BTreeSet;

use offlimits::ruleset::format::FORMAT;
use serde_json::{Value, json};

use super::compare::{Hold, check, fixture};
use crate::support::json as document;

/// Why words are held.
const READ_BY_FUNCTIONS: &str = "Rules can say something that functions in the field do not know, or what they know is gone. If \
    the last release had this FORMAT already (src/ruleset/format.rs), raise it by one, so that packages are not put beside a \
    function that refuses them. Then write the fixture: OFFLIMITS_GOLDEN=write.";

/// Each word with the format that it joined with.
#[test]
fn every_word_of_rules_has_its_format() {
    let known = fixture("formats.json");
    let mut words = BTreeSet::new();
    gather(&document("rules.schema.json"), "rules.json", &mut words);
    assert!(words.len() > 150, "{}", words.len());
    let format = |word: &String| (word.clone(), known.get(word).cloned().unwrap_or_else(|| json!(FORMAT)));
    let now: serde_json::Map<String, Value> = words.iter().map(format).collect();
    let newest = now.values().filter_map(Value::as_u64).max();
    assert!(newest <= Some(FORMAT), "a word is of a newer format than the function: {newest:?}");
    check("formats.json", &now.into(), Hold::Same, READ_BY_FUNCTIONS);
}

/// The keys and the words below a schema, each behind the name of the definition that has it.
fn gather(schema: &Value, definition: &str, words: &mut BTreeSet<String>) {
    let Some(members) = schema.as_object() else {
        schema.as_array().into_iter().flatten().for_each(|element| gather(element, definition, words));
        return;
    };
    for (key, value) in members {
        match (key.as_str(), value) {
            ("definitions", Value::Object(definitions)) => {
                definitions.iter().for_each(|(name, inner)| gather(inner, name, words));
            }
            ("properties", Value::Object(properties)) => {
                for (name, inner) in properties {
                    words.insert(format!("{definition}.{name}"));
                    gather(inner, definition, words);
                }
            }
            ("const", Value::String(word)) => {
                words.insert(format!("{definition}={word}"));
            }
            ("enum", Value::Array(listed)) => {
                words.extend(listed.iter().filter_map(Value::as_str).map(|word| format!("{definition}={word}")));
            }
            _ => gather(value, definition, words),
        }
    }
}
