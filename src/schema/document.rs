//! The JSON Schema (draft 7), for editors: they complete keys, show what each means, and underline what the compiler would
//! refuse.

use serde_json::{Map, Value, json};

use crate::cloudtrail::{ALIASES, TOP_LEVEL};
use crate::config::{KeyDefault, KeySpec, MapNames, ObjectSpec, TaggedSpec, TextFormat, ValueShape, WordList};
use crate::facts::DERIVED;
use crate::ruleset::ANY_FILE;

/// The schema, as `rules.schema.json` has it.
pub fn text() -> String {
    let mut document = Document::default();
    let mut root = document.object(&ANY_FILE, &[]);
    root.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
    root.insert("title".to_owned(), json!(ANY_FILE.name));
    root.insert("definitions".to_owned(), document.definitions.into());
    let mut text = serde_json::to_string_pretty(&root).unwrap_or_default();
    text.push('\n');
    text
}

/// The schema that is being written.
#[derive(Default)]
struct Document {
    /// What has a name, and may be referred to.
    definitions: Map<String, Value>,
}

type Schema = Map<String, Value>;

impl Document {
    /// A reference to a definition, which `define` makes if nobody has referred to it before.
    fn reference(&mut self, name: &str, define: impl FnOnce(&mut Self) -> Schema) -> Schema {
        if name == ANY_FILE.name {
            return schema(json!({ "$ref": "#" }));
        }
        if !self.definitions.contains_key(name) {
            // The definition may refer to itself.
            self.definitions.insert(name.to_owned(), Value::Null);
            let definition = define(self);
            self.definitions.insert(name.to_owned(), definition.into());
        }
        schema(json!({ "$ref": format!("#/definitions/{name}") }))
    }

    /// An object of known keys; `extra` are further properties.
    fn object(&mut self, object: &ObjectSpec, extra: &[(&str, Value)]) -> Schema {
        let mut properties: Schema = object.all_keys().map(|key| (key.name.to_owned(), self.key(key).into())).collect();
        properties.extend(extra.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let required: Vec<&str> = object.all_keys().filter(|key| key.is_required).map(|key| key.name).collect();
        let mut written = schema(json!({
            "type": "object",
            "description": plain(object.docs),
            "properties": properties,
            "additionalProperties": false,
        }));
        if !required.is_empty() {
            written.insert("required".to_owned(), json!(required));
        }
        if !object.at_least_one.is_empty() {
            let alternatives: Vec<Value> = object.at_least_one.iter().map(|key| json!({ "required": [key] })).collect();
            written.insert("anyOf".to_owned(), json!(alternatives));
        }
        written
    }

    /// The value of a key, with what is said of it.
    fn key(&mut self, key: &KeySpec) -> Schema {
        let mut written = self.shape(key.shape);
        if written.contains_key("$ref") {
            // Beside `$ref` draft 7 ignores everything else.
            written = schema(json!({ "allOf": [written] }));
        }
        if !key.docs.is_empty() {
            written.insert("description".to_owned(), json!(plain(key.docs)));
        }
        if let KeyDefault::Value(default) = key.default {
            written.insert("default".to_owned(), serde_json::from_str(default).unwrap_or_else(|_| json!(default)));
        }
        if let Ok(example) = serde_json::from_str::<Value>(key.example) {
            written.insert("examples".to_owned(), json!([example]));
        }
        written
    }

    fn shape(&mut self, shape: ValueShape) -> Schema {
        let written = match shape {
            ValueShape::Text => json!({ "type": "string", "minLength": 1 }),
            ValueShape::AnyText => json!({ "type": "string" }),
            ValueShape::Formatted(format) => return formatted(format),
            ValueShape::Word(words) => return word(words),
            ValueShape::Boolean => json!({ "type": "boolean" }),
            ValueShape::Whole { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
            ValueShape::Unsigned => json!({ "type": "integer", "minimum": 0 }),
            ValueShape::Number => json!({ "type": "number" }),
            ValueShape::Scalar => {
                json!({ "anyOf": [{ "type": "string" }, { "type": "number" }, { "type": "boolean" }] })
            }
            ValueShape::Anything => json!({}),
            ValueShape::Field => return self.reference("Field", |_| field()),
            ValueShape::List(item) => json!({ "type": "array", "minItems": 1, "items": self.shape(*item) }),
            ValueShape::Objects(item) => {
                json!({ "type": "array", "minItems": 1, "items": self.shape(ValueShape::Object(item)) })
            }
            ValueShape::AnyList(item) => json!({ "type": "array", "items": self.shape(*item) }),
            ValueShape::Map { names, values } => return self.map(names, *values),
            ValueShape::Object(object) => return self.reference(object.name, |document| document.object(object, &[])),
            ValueShape::Tagged(tagged) => return self.reference(tagged.name, |document| document.tagged(tagged)),
            ValueShape::OneKeyOf(keys) => {
                let choices: Vec<Value> = keys.iter().map(|key| self.single(key)).collect();
                json!({ "oneOf": choices })
            }
            ValueShape::AnyOf(choices) => {
                let choices: Vec<Schema> = choices.iter().map(|choice| self.shape(*choice)).collect();
                json!({ "anyOf": choices })
            }
            ValueShape::Defined(definition) => {
                return self.reference(definition.name, |document| {
                    let mut written = document.shape(definition.shape);
                    written.insert("description".to_owned(), json!(plain(definition.docs)));
                    written
                });
            }
        };
        schema(written)
    }

    /// An object with one key.
    fn single(&mut self, key: &KeySpec) -> Value {
        let value = self.shape(key.shape);
        json!({
            "type": "object",
            "description": plain(key.docs),
            "properties": { key.name: value },
            "required": [key.name],
            "additionalProperties": false,
        })
    }

    fn tagged(&mut self, tagged: &TaggedSpec) -> Schema {
        let choices: Vec<Schema> = tagged
            .kinds
            .iter()
            .map(|kind| self.object(kind, &[("type", json!({ "type": "string", "const": kind.name }))]))
            .collect();
        schema(json!({ "description": plain(tagged.docs), "oneOf": choices }))
    }

    fn map(&mut self, names: MapNames, values: ValueShape) -> Schema {
        let values = self.shape(values);
        let mut written = schema(json!({ "type": "object" }));
        let mut add = |key: &str, value: Value| written.insert(key.to_owned(), value);
        if let MapNames::Fields = names {
            let aliases = short_names()
                .map(|(name, description)| (name.to_owned(), json!({ "description": description, "allOf": [values] })));
            add("properties", aliases.collect::<Schema>().into());
            add("patternProperties", json!({ paths(): values }));
            add("additionalProperties", json!(false));
        } else if !values.is_empty() {
            add("additionalProperties", values.into());
        }
        match names {
            MapNames::Any => None,
            MapNames::Some | MapNames::Fields => add("minProperties", json!(1)),
            MapNames::Formatted(format) => add("propertyNames", json!({ "pattern": format.pattern })),
            MapNames::Words(words) => {
                let all: Vec<&str> = words.listed.iter().chain(words.understood).copied().collect();
                add("propertyNames", json!({ "enum": all }))
            }
        };
        written
    }
}

fn schema(value: Value) -> Schema {
    match value {
        Value::Object(schema) => schema,
        _ => Schema::new(),
    }
}

fn formatted(format: &TextFormat) -> Schema {
    let mut written = schema(json!({ "type": "string", "minLength": 1 }));
    if !format.pattern.is_empty() {
        written.insert("pattern".to_owned(), json!(format.pattern));
    }
    if let Some(max) = format.max_characters {
        written.insert("maxLength".to_owned(), json!(max));
    }
    written
}

/// The words; those that nobody is told to write are a pattern, so that editors do not suggest them.
fn word(words: &WordList) -> Schema {
    let listed = json!({ "type": "string", "enum": words.listed });
    if words.understood.is_empty() {
        return schema(listed);
    }
    let understood = json!({ "type": "string", "pattern": format!("^({})$", words.understood.join("|")) });
    schema(json!({ "anyOf": [listed, understood] }))
}

/// A field by its name.
fn field() -> Schema {
    let names: Vec<&str> = short_names().map(|(name, _)| name).collect();
    schema(json!({
        "description": "A field: an alias, a derived field, or a path into CloudTrail's record.",
        "anyOf": [{ "type": "string", "enum": names }, { "type": "string", "pattern": paths() }],
    }))
}

/// The names of fields that are no paths, with what each means.
fn short_names() -> impl Iterator<Item = (&'static str, &'static str)> {
    let aliases = ALIASES.iter().map(|alias| (alias.name, alias.description));
    aliases.chain(DERIVED.iter().map(|field| (field.name, field.description)))
}

/// Paths whose first key is a field of CloudTrail's record.
fn paths() -> String {
    format!(r#"^({})(\.?\[\*\]|\.?\["[^"]*"\]|\.[^.\[]+)*$"#, TOP_LEVEL.join("|"))
}

/// Markdown as editors show it: without links and emphasis.
fn plain(markdown: &str) -> String {
    let mut plain = String::with_capacity(markdown.len());
    let mut rest = markdown;
    while let Some((before, link)) = rest.split_once('[') {
        let (text, after) =
            link.split_once("](").and_then(|(text, target)| Some((text, target.split_once(')')?.1))).unzip();
        match (text, after) {
            (Some(text), Some(after)) if !text.contains(']') => {
                plain.extend([before, text]);
                rest = after;
            }
            _ => {
                plain.extend([before, "["]);
                rest = link;
            }
        }
    }
    plain.push_str(rest);
    plain.replace("**", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_freed_of_markup() {
        assert_eq!(plain("**also** see [Tests](#tests), `[x]`, [\"a\"]"), "also see Tests, `[x]`, [\"a\"]");
    }
}
