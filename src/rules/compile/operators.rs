//! The operators, and what else may stand in a cell. To add an operator, add a row here, and a variant to
//! [`Condition`](crate::rules::condition::Condition): the compiler, the schema, the page `docs/rules.md`, the tests on random
//! rules and the fuzzer all read this table.

use std::ops::Range;

use super::count::COUNT;
use super::operands::{SAME_AS_PART, WEEK_HOURS};
use super::{RowSubject, RuleCompiler};
use crate::config::{Definition, KeySpec, MapNames, ValueShape, docs};
use crate::json::Node;
use crate::rules::condition::Condition;
use crate::rules::field::Field;

/// An operator: what stands behind it, what it means, and how a condition is made of it.
#[derive(Debug)]
pub struct Operator {
    /// Its name, the shape of its value, what it means, and an example of a value.
    pub key: KeySpec,
    /// Values as random rules have them, in JSON; of these words, another text stands for each: `CONDITION`, `TEXT`, `NUMBER`,
    /// `FIELD`, `ROW`.
    pub samples: &'static [&'static str],
    /// Makes the condition, or reports what is wrong.
    pub(super) compile: for<'n> fn(&mut RuleCompiler<'n>, Operand<'n, '_>) -> Option<Condition>,
}

/// The value of an operator, and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Operand<'n, 'f> {
    pub(super) value: &'n Node<'n>,
    /// Where the operator's name stands in the text.
    pub(super) name_span: &'n Range<usize>,
    /// The field whose values are asked about.
    pub(super) field: &'f Field,
    pub(super) subject: RowSubject,
}

/// Every operator, in the order of the page.
pub static OPERATORS: [Operator; 12] = [
    Operator {
        key: KeySpec::new(
            "is",
            ONE_OR_MORE_SCALARS,
            docs!("some value equals it, or one of a list, exactly: the right form for names. A number equals every spelling of itself: see [Numbers](#numbers)"),
        )
        .such_as(r#""text""#),
        samples: &["TEXT", "NUMBER", "[TEXT,TEXT,TEXT]", "[NUMBER,TEXT,NUMBER]"],
        compile: |compiler, operand| compiler.is(operand.value, operand.field),
    },
    Operator {
        key: KeySpec::new(
            "not",
            ValueShape::Defined(&CONDITION),
            docs!("the condition is false: **also where the field is missing**"),
        )
        .such_as(r#""regex""#),
        samples: &["CONDITION"],
        compile: |compiler, Operand { value, field, subject, .. }| {
            compiler.condition(value, field, subject).map(|condition| Condition::Not(Box::new(condition)))
        },
    },
    Operator {
        key: KeySpec::new(
            "exists",
            ValueShape::Boolean,
            docs!("there is a value; with `false`: there is none"),
        )
        .such_as("true"),
        samples: &["true", "false"],
        compile: |compiler, operand| compiler.boolean(operand.value, "exists").map(Condition::Exists),
    },
    Operator {
        key: KeySpec::new(
            "cidr",
            ONE_OR_MORE_TEXTS,
            docs!("some value is an address inside this network, or one of a list: `203.0.113.0/24`, `2001:db8::/32`, or a single address"),
        )
        .such_as(r#""203.0.113.0/24""#),
        samples: &[r#""198.51.100.0/24""#, r#""2001:db8::/32""#, r#""@n""#, r#""0.0.0.0/0""#],
        compile: |compiler, operand| compiler.cidr(operand.value),
    },
    Operator {
        key: KeySpec::new("above", ValueShape::Number, docs!("some value is a number above this one")).such_as("5"),
        samples: &["NUMBER"],
        compile: |compiler, operand| compiler.number(operand.value, "above").map(Condition::Above),
    },
    Operator {
        key: KeySpec::new("below", ValueShape::Number, docs!("some value is a number below this one")).such_as("5"),
        samples: &["NUMBER"],
        compile: |compiler, operand| compiler.number(operand.value, "below").map(Condition::Below),
    },
    Operator {
        key: KeySpec::new(
            "within",
            ValueShape::Object(&WEEK_HOURS),
            docs!("some value is a time within these hours of that zone. `\"22:00-06:00\"` is a night, which belongs to the day on which it begins. The first minute counts, the last does not. Daylight saving is taken into account"),
        )
        .such_as(r#"{"hours": "08:00-18:00", "days": "Mon-Fri", "zone": "Europe/Berlin"}"#),
        samples: &[HOURS_SAMPLE],
        compile: |compiler, operand| {
            compiler.hours(operand.value).map(|hours| Condition::Time { hours, within: true })
        },
    },
    Operator {
        key: KeySpec::new(
            "outside",
            ValueShape::Object(&WEEK_HOURS),
            docs!("some value is a time outside these hours. What has no time is neither within nor outside"),
        )
        .such_as(r#"{"days": "Mon-Fri", "zone": "UTC"}"#),
        samples: &[HOURS_SAMPLE],
        compile: |compiler, operand| {
            compiler.hours(operand.value).map(|hours| Condition::Time { hours, within: false })
        },
    },
    Operator {
        key: KeySpec::new(
            "all",
            ValueShape::List(&A_CONDITION),
            docs!("each of these conditions is true, perhaps of different values"),
        )
        .such_as(r#"["regex", {"not": "regex"}]"#),
        samples: &["[CONDITION,CONDITION]"],
        compile: |compiler, Operand { value, field, subject, .. }| {
            Some(Condition::All(compiler.conditions(value, field, subject)))
        },
    },
    Operator {
        key: KeySpec::new(
            "same_as",
            ValueShape::AnyOf(&FIELD_OR_PART),
            docs!("some value equals some value of the other field, or of a part of it: `{\"same_as\": {\"field\": \"…\", \"part\": \"a regex with one (group)\"}}`"),
        )
        .such_as(r#""account""#),
        samples: &["FIELD"],
        compile: |compiler, operand| compiler.same_as(operand.value, operand.subject),
    },
    Operator {
        key: KeySpec::new(
            "item",
            ValueShape::Defined(&ITEM_TABLE),
            docs!("one single element of an array satisfies this row, or one of a list of rows; paths are relative to the element, and `\".\"` is the element itself"),
        )
        .such_as(r#"{"path": "regex"}"#),
        samples: &["ROW"],
        compile: |compiler, Operand { value, name_span, field, .. }| compiler.item(value, name_span, field),
    },
    Operator {
        key: KeySpec::new(
            "count",
            ValueShape::Defined(&COUNT),
            docs!("there are so many values: `above`, `below` or `is` a whole number. A missing field has none, so that `below` is true of it: see [How many values](#how-many-values)"),
        )
        .such_as(r#"{"above": 5}"#),
        samples: &[r#"{"above":0}"#, r#"{"above":1}"#, r#"{"below":1}"#, r#"{"below":3}"#, r#"{"is":1}"#, r#"{"is":[0,2]}"#],
        compile: |compiler, Operand { value, name_span, field, .. }| compiler.count(value, name_span, field),
    },
];

const HOURS_SAMPLE: &str = r#"{"hours":"08:00-18:00","zone":"UTC"}"#;

static A_CONDITION: ValueShape = ValueShape::Defined(&CONDITION);

static FIELD_OR_PART: [ValueShape; 2] = [ValueShape::Text, ValueShape::Object(&SAME_AS_PART)];

/// The keys of [`OPERATORS`].
static OPERATOR_KEYS: [KeySpec; OPERATORS.len()] = {
    let mut keys = [OPERATORS[0].key; OPERATORS.len()];
    let mut index = 0;
    while index < keys.len() {
        keys[index] = OPERATORS[index].key;
        index += 1;
    }
    keys
};

/// A scalar, or a list of at least one.
const ONE_OR_MORE_SCALARS: ValueShape = ValueShape::AnyOf(&[ValueShape::Scalar, ValueShape::List(&ValueShape::Scalar)]);

/// A text, or a list of at least one.
const ONE_OR_MORE_TEXTS: ValueShape = ValueShape::AnyOf(&[ValueShape::Text, ValueShape::List(&ValueShape::Text)]);

/// What a cell asks of a field.
static CONDITION: Definition = Definition {
    name: "Condition",
    what: "a condition",
    docs: docs!(
        "A regular expression that is found in some value, or \"@name\", a named list of them; a list of conditions, of which one must be true; or an operator."
    ),
    shape: ValueShape::AnyOf(&[
        ValueShape::Text,
        ValueShape::List(&ValueShape::Defined(&CONDITION)),
        ValueShape::Defined(&OPERATOR),
    ]),
};

static OPERATOR: Definition = Definition {
    name: "Operator",
    what: "an operator",
    docs: docs!("Exactly one operator."),
    shape: ValueShape::OneKeyOf(&OPERATOR_KEYS),
};

/// What a rule, an exception or a severity asks of a record.
pub(super) static TABLE: Definition = Definition {
    name: "Table",
    what: "a row, or a list of rows",
    docs: docs!("A row, or rows of which one must match."),
    shape: ValueShape::AnyOf(&[ValueShape::Defined(&ROW), ValueShape::List(&ValueShape::Defined(&ROW))]),
};

static ROW: Definition = Definition {
    name: "Row",
    what: "a row",
    docs: docs!("Cells, each of which must match: an alias or a path into CloudTrail's record, and a condition."),
    shape: ValueShape::Map { names: MapNames::Fields, values: &ValueShape::Defined(&CONDITION) },
};

static ITEM_TABLE: Definition = Definition {
    name: "Items",
    what: "a row about one element, or a list of rows",
    docs: docs!("A row about one element, or rows of which one must match."),
    shape: ValueShape::AnyOf(&[ValueShape::Defined(&ITEM), ValueShape::List(&ValueShape::Defined(&ITEM))]),
};

static ITEM: Definition = Definition {
    name: "Item",
    what: "a row about one element",
    docs: docs!("Cells of one element: a path from it, or \".\" for itself, and a condition."),
    shape: ValueShape::Map { names: MapNames::Some, values: &ValueShape::Defined(&CONDITION) },
};
