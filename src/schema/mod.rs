//! The JSON Schema of `rules.json`, for editors: they complete its keys, show what each means, and underline what the
//! compiler would refuse.
//!
//! The types here exist for their schema alone: the compiler reads `rules.json` by itself ([`crate::config`] says
//! why). `tests/diagnostics/schema.rs` holds the two together, key by key and file by file. What depends on more than one place (ids
//! that repeat, lists that are not there, patterns that do not compile) is left to `offlimits check`.

#![expect(dead_code, reason = "only the derived schemas of these types are used")]
// The comments become the descriptions that editors show.
#![allow(clippy::doc_markdown, reason = "editors show these comments as they are")]

mod channels;
mod conditions;
mod rule;

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use self::channels::Channel;
use self::rule::{Override, Rule};

/// The schema, as `rules.schema.json` has it.
pub fn text() -> String {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<File>();
    NotNull.transform(&mut schema);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

/// `null` is never a value here: a key that may be left out is left out.
#[derive(Debug, Clone)]
struct NotNull;

impl Transform for NotNull {
    fn transform(&mut self, schema: &mut Schema) {
        let is_null = |value: &Value| value == "null" || value.get("type").is_some_and(|kind| kind == "null");
        if let Some(Value::Array(kinds)) = schema.get_mut("type") {
            kinds.retain(|kind| !is_null(kind));
            if let [kind] = kinds.as_slice() {
                let kind = kind.clone();
                schema.insert("type".to_owned(), kind);
            }
        }
        if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
            choices.retain(|choice| !is_null(choice));
            if let [Value::Object(only)] = choices.as_slice() {
                let only = only.clone();
                schema.remove("anyOf");
                // Beside `$ref` draft 7 ignores everything, and `allOf` keeps the description.
                schema.insert("allOf".to_owned(), Value::Array(vec![Value::Object(only)]));
            }
        }
        transform_subschemas(self, schema);
    }
}

/// The rules of offlimits, or a pack of them: which AWS API calls nobody should be making, and who hears of them.
#[derive(JsonSchema)]
#[schemars(
    rename = "rules.json",
    deny_unknown_fields,
    extend("anyOf" = [{ "required": ["rules"] }, { "required": ["include"] }])
)]
struct File {
    /// Where editors find the schema.
    #[schemars(rename = "$schema")]
    schema: Option<String>,
    /// What the pack is for. In packs alone.
    #[schemars(length(min = 1))]
    description: Option<String>,
    /// The address that the runbooks which are paths begin with.
    #[schemars(regex(pattern = r"^https?://\S+$"))]
    runbooks: Option<String>,
    /// Lists that "@name" stands for, in patterns, in "is" and in "cidr".
    lists: Option<Lists>,
    /// Who hears of it: any name → a channel. Without it: the deployment's own topic, as "topic". Not in packs.
    #[schemars(extend("propertyNames" = { "pattern": NAME }))]
    channels: Option<BTreeMap<String, Channel>>,
    /// Packs of rules. Not in packs.
    #[schemars(length(min = 1))]
    include: Option<Vec<Include>>,
    /// The rules.
    #[schemars(length(min = 1))]
    rules: Option<Vec<Rule>>,
}

/// Named lists of texts, numbers and booleans.
type Lists = BTreeMap<String, Vec<conditions::Literal>>;

/// What names and ids may look like.
const NAME: &str = "^[A-Za-z0-9_.-]{1,100}$";

/// A pack.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Include {
    /// Its file, relative to this one.
    File(#[schemars(length(min = 1))] String),
    /// Its file, and what is different here.
    Changed(Changed),
}

/// A pack, and what is different here.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Changed {
    /// Its file, relative to this one.
    #[schemars(length(min = 1))]
    pack: String,
    /// What single rules, or with "*" every rule of the pack, say otherwise. Exceptions and allowances are added.
    overrides: Option<BTreeMap<String, Override>>,
    /// Lists that replace lists of the pack.
    lists: Option<Lists>,
    /// The pack itself, in a bundle: `offlimits bundle` writes it.
    content: Option<Box<File>>,
}
