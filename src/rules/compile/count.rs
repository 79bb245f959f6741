//! What stands behind `count`: one question about the number of a field's values.

use std::ops::{Range, RangeInclusive};

use super::RuleCompiler;
use crate::config::{Definition, KeySpec, ValueShape, array, docs, listed, suggestion, whole};
use crate::json::{Node, Value};
use crate::rules::condition::Condition;
use crate::rules::count::Count;
use crate::rules::field::{Field, FieldTarget};

/// What is asked of the number. Its keys are operators' names, and mean what they mean there.
pub(super) static COUNT: Definition = Definition {
    name: "Count",
    what: "a question about a number of values",
    docs: docs!("Exactly one of them, about the number of values."),
    shape: ValueShape::OneKeyOf(&KEYS),
};

static KEYS: [KeySpec; 3] = [
    KeySpec::new("is", ValueShape::AnyOf(&[NUMBER, ValueShape::List(&NUMBER)]), docs!("It is this, or one of a list.")),
    KeySpec::new("above", NUMBER, docs!("It is above this one.")).such_as("5"),
    KeySpec::new(
        "below",
        ValueShape::Whole { min: *BELOW.start(), max: *BELOW.end() },
        docs!("It is below this one: also where the field is missing."),
    ),
];

const NUMBER: ValueShape = ValueShape::Whole { min: *COUNTED.start(), max: *COUNTED.end() };
const COUNTED: RangeInclusive<u64> = 0..=Count::MOST;
/// Nothing is below none.
const BELOW: RangeInclusive<u64> = 1..=Count::MOST;

impl<'n> RuleCompiler<'n> {
    /// `name_span` is the place of the operator's name.
    pub(super) fn count(&mut self, node: &'n Node<'n>, name_span: &Range<usize>, field: &Field) -> Option<Condition> {
        if !may_have_several(field) {
            let message = format!("\"{}\" has one value at most", field.written);
            let help = "write {\"exists\": true} where it must have one, {\"exists\": false} where it must not";
            self.problems.error("no-items", name_span, message, help);
            return None;
        }
        let [member] = node.members().unwrap_or_default() else {
            let help = match &node.value {
                Value::Number(digits) => format!("write {{\"count\": {{\"is\": {digits}}}}}"),
                _ => "write one such as {\"count\": {\"above\": 5}}".to_owned(),
            };
            let message = format!("\"count\" must be an object with one of {}", listed(names()));
            self.problems.error("one-operator", &node.span, message, help);
            return None;
        };
        let number = |compiler: &mut Self, node, bounds| whole(node, "count", bounds, &mut compiler.problems);
        match &*member.key {
            "is" if member.node.elements().is_some() => {
                let nodes = array(&member.node, "\"is\"", &mut self.problems);
                let numbers: Vec<u64> = nodes.iter().filter_map(|node| number(self, node, COUNTED)).collect();
                (!nodes.is_empty() && numbers.len() == nodes.len()).then_some(Count::Is(numbers))
            }
            "is" => number(self, &member.node, COUNTED).map(|number| Count::Is(vec![number])),
            "above" => number(self, &member.node, COUNTED).map(Count::Above),
            "below" => number(self, &member.node, BELOW).map(Count::Below),
            other => {
                let otherwise = || {
                    format!("\"count\" takes {}: {{\"count\": {{\"above\": 5}}}} is six or more", listed(names()))
                        .into()
                };
                let near = suggestion(other, names());
                let help = near.map_or_else(otherwise, |near| near.advice(&member.key_span));
                let message = format!("\"count\" has no \"{other}\"");
                self.problems.error("unknown-operator", &member.key_span, message, help);
                None
            }
        }
        .map(Condition::Count)
    }
}

fn names() -> impl Iterator<Item = &'static str> + Clone {
    KEYS.iter().map(|key| key.name)
}

/// Whether a record may have more than one value of the field.
fn may_have_several(field: &Field) -> bool {
    match field.target {
        FieldTarget::Path(_) | FieldTarget::Derived(_) | FieldTarget::Targets => true,
        FieldTarget::Computed(_)
        | FieldTarget::Country(_)
        | FieldTarget::OfAccount(..)
        | FieldTarget::OwnResource(_) => false,
    }
}
