//! Tables, fields and conditions.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};

use crate::cloudtrail::ALIASES;
use crate::cloudtrail::TOP_LEVEL;

/// A row, or rows of which one must match.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Table {
    /// One row.
    Row(Row),
    /// Rows.
    Rows(#[schemars(length(min = 1))] Vec<Row>),
}

/// Cells, each of which must match: an alias or a path into CloudTrail's record → a condition.
pub(super) struct Row;

impl JsonSchema for Row {
    fn schema_name() -> Cow<'static, str> {
        "Row".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let condition = generator.subschema_for::<Condition>();
        let aliases: Map<String, Value> = ALIASES
            .iter()
            .map(|alias| {
                let schema = json_schema!({ "description": alias.description, "allOf": [condition] });
                (alias.name.to_owned(), schema.to_value())
            })
            .collect();
        let paths: Map<String, Value> = [(paths(), condition.to_value())].into_iter().collect();
        json_schema!({
            "type": "object",
            "description": "Cells, each of which must match: an alias or a path into CloudTrail's record, and a condition.",
            "minProperties": 1,
            "properties": aliases,
            "patternProperties": paths,
            "additionalProperties": false,
        })
    }
}

/// Paths whose first key is a field of CloudTrail's record.
fn paths() -> String {
    format!(r#"^({})(\.?\[\*\]|\.?\["[^"]*"\]|\.[^.\[]+)*$"#, TOP_LEVEL.join("|"))
}

/// A field by its name: an alias or a path.
pub(super) struct FieldName;

impl JsonSchema for FieldName {
    fn schema_name() -> Cow<'static, str> {
        "Field".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let aliases: Vec<&str> = ALIASES.iter().map(|alias| alias.name).collect();
        json_schema!({
            "description": "A field: an alias, or a path into CloudTrail's record.",
            "anyOf": [{ "type": "string", "enum": aliases }, { "type": "string", "pattern": paths() }],
        })
    }
}

/// What is asked of a field's values.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Condition {
    /// A regular expression that is found in some value, or "@name": a named list of them.
    Pattern(#[schemars(length(min = 1))] String),
    /// One of these.
    Any(#[schemars(length(min = 1))] Vec<Condition>),
    /// One operator.
    Operator(Box<Operator>),
}

/// Exactly one operator.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", deny_unknown_fields)]
enum Operator {
    /// Some value equals it, or one of these, exactly: the right form for names.
    Is(Literals),
    /// The condition is false: also where the field is missing.
    Not(Condition),
    /// There is a value, or none.
    Exists(bool),
    /// Some value is an address inside.
    Cidr(Networks),
    /// Some value is a number above this.
    Above(f64),
    /// Some value is a number below this.
    Below(f64),
    /// Some value is a time in these hours of the week.
    Within(WeekSpan),
    /// Some value is a time outside these hours of the week.
    Outside(WeekSpan),
    /// Each of these, perhaps of different values.
    All(#[schemars(length(min = 1))] Vec<Condition>),
    /// Some value equals some value of the other field.
    SameAs(SameAs),
    /// One single element of an array satisfies a row; paths are relative to it, "." is the element itself.
    Item(Items),
}

/// A text, number or boolean.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Literal {
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
    /// A boolean.
    Boolean(bool),
}

/// One or some; "@name" is a named list.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Literals {
    /// One.
    One(Literal),
    /// Some.
    Some(#[schemars(length(min = 1))] Vec<Literal>),
}

/// Networks such as 203.0.113.0/24 or 2001:db8::/32, or single addresses; "@name" is a named list.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Networks {
    /// One.
    One(#[schemars(length(min = 1))] String),
    /// Some.
    Some(#[schemars(length(min = 1), inner(length(min = 1)))] Vec<String>),
}

/// Hours of the week in a time zone.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("anyOf" = [{ "required": ["hours"] }, { "required": ["days"] }]))]
struct WeekSpan {
    /// A name of the IANA database.
    #[schemars(length(min = 1), example = "Europe/Berlin")]
    zone: String,
    /// Days such as "Mon-Fri".
    days: Option<Texts>,
    /// Hours such as "08:00-18:00"; "22:00-06:00" is a night.
    hours: Option<Texts>,
}

/// One text or some; "@name" is a named list.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Texts {
    /// One.
    One(#[schemars(length(min = 1))] String),
    /// Some.
    Some(#[schemars(length(min = 1), inner(length(min = 1)))] Vec<String>),
}

/// Another field, or a part of it.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum SameAs {
    /// The other field.
    Field(#[schemars(length(min = 1))] String),
    /// A part of the other field.
    Part(Part),
}

/// A part of another field.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Part {
    /// The other field.
    #[schemars(length(min = 1))]
    field: String,
    /// A regular expression with one group: the part that counts.
    #[schemars(length(min = 1))]
    part: Option<String>,
}

/// A row about one element, or rows.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Items {
    /// One row.
    Row(Item),
    /// Rows.
    Rows(#[schemars(length(min = 1))] Vec<Item>),
}

/// Cells of one element: a path from it, or "." for itself → a condition.
struct Item;

impl JsonSchema for Item {
    fn schema_name() -> Cow<'static, str> {
        "Item".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let condition = generator.subschema_for::<Condition>();
        json_schema!({
            "type": "object",
            "description": "Cells of one element: a path from it, or \".\" for itself, and a condition.",
            "minProperties": 1,
            "additionalProperties": condition,
        })
    }
}
