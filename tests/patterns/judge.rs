//! EventBridge's pattern language, as its guide has it and as `event-ruler` and EventBridge itself answer: the judge of what is derived.
//! It knows nothing of the crate. `tests/stack/test_event_patterns.py` holds it to another implementation.
//!
//! Sources: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>, and of what stands in no guide
//! (`null`, empty arrays, objects, a field within `$or` and beside it) <https://github.com/aws/event-ruler>.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::{Map, Value};

/// A pattern, its `$or` multiplied out: alternatives of conditions on paths, all of which must be true.
pub(super) struct Judge(Vec<Vec<(Vec<String>, Vec<Value>)>>);

impl Judge {
    /// Reads a pattern.
    ///
    /// # Panics
    /// Where EventBridge would refuse it.
    pub(super) fn new(pattern: &Value) -> Self {
        let mut alternatives = vec![Vec::new()];
        read(pattern.as_object().unwrap(), &mut Vec::new(), &mut alternatives);
        assert!(alternatives.len() <= 1_000, "{} combinations", alternatives.len());
        for alternative in &alternatives {
            for (place, (path, _)) in alternative.iter().enumerate() {
                // Of two conditions on one path EventBridge takes the last.
                assert!(alternative[..place].iter().all(|(other, _)| other != path), "{path:?} is asked twice");
            }
        }
        Self(alternatives)
    }

    /// Whether the event matches.
    pub(super) fn passes(&self, event: &Value) -> bool {
        let holds = |(path, conditions): &(Vec<String>, Vec<Value>)| {
            let mut values = Vec::new();
            gather(event, path, &mut values);
            conditions.iter().any(|condition| is_true(condition, &values))
        };
        self.0.iter().any(|alternative| alternative.iter().all(holds))
    }

    /// The alternatives.
    pub(super) fn combinations(&self) -> usize {
        self.0.len()
    }
}

fn read(object: &Map<String, Value>, path: &mut Vec<String>, alternatives: &mut Vec<Vec<(Vec<String>, Vec<Value>)>>) {
    assert!(!object.is_empty(), "an empty object at {path:?}");
    for (key, value) in object {
        if key == "$or" {
            let branches = value.as_array().expect("$or has an array");
            assert!(branches.len() >= 2, "$or of {}", branches.len());
            let before = std::mem::take(alternatives);
            for branch in branches {
                let mut with = before.clone();
                read(branch.as_object().unwrap(), path, &mut with);
                alternatives.append(&mut with);
            }
            continue;
        }
        path.push(key.clone());
        match value {
            Value::Object(inner) => read(inner, path, alternatives),
            Value::Array(conditions) => {
                assert!(!conditions.is_empty(), "an empty array at {path:?}");
                alternatives.iter_mut().for_each(|alternative| alternative.push((path.clone(), conditions.clone())));
            }
            other => panic!("{other} at {path:?}"),
        }
        path.pop();
    }
}

/// The values at a path: scalars, of arrays each element; what is in an object is at another path.
fn gather<'v>(value: &'v Value, path: &[String], values: &mut Vec<&'v Value>) {
    match (value, path) {
        (Value::Array(elements), _) => elements.iter().for_each(|element| gather(element, path, values)),
        (Value::Object(members), [key, rest @ ..]) => {
            if let Some(value) = members.get(key) {
                gather(value, rest, values);
            }
        }
        (Value::Object(_), []) => {}
        (scalar, []) => values.push(scalar),
        _ => {}
    }
}

fn is_true(condition: &Value, values: &[&Value]) -> bool {
    let Value::Object(operator) = condition else { return values.contains(&condition) };
    let [(name, operand)] = &operator.iter().collect::<Vec<_>>()[..] else { panic!("{condition}") };
    if name.as_str() == "exists" {
        return operand.as_bool().unwrap() != values.is_empty();
    }
    values.iter().any(|value| holds(name, operand, value))
}

fn holds(name: &str, operand: &Value, value: &Value) -> bool {
    let text = value.as_str();
    let of_text = |test: &dyn Fn(&str, &str) -> bool| match operand {
        Value::Object(inner) => {
            let wanted = inner["equals-ignore-case"].as_str().unwrap().to_lowercase();
            text.is_some_and(|text| test(&text.to_lowercase(), &wanted))
        }
        _ => text.zip(operand.as_str()).is_some_and(|(text, wanted)| test(text, wanted)),
    };
    match name {
        "prefix" => of_text(&|text, wanted| text.starts_with(wanted)),
        "suffix" => of_text(&|text, wanted| text.ends_with(wanted)),
        "equals-ignore-case" => of_text(&equals_ignore_case),
        "wildcard" => of_text(&|text, wanted| wildcard(text, wanted)),
        "anything-but" => match operand {
            Value::Array(others) => !others.contains(value),
            Value::Object(inner) => {
                let (name, operand) = inner.iter().next().unwrap();
                let operands = operand.as_array().map_or(std::slice::from_ref(operand), Vec::as_slice);
                !operands.iter().any(|operand| holds(name, operand, value))
            }
            other => other != value,
        },
        "numeric" => value.as_f64().is_some_and(|number| {
            operand.as_array().unwrap().chunks(2).all(|pair| {
                let wanted = pair[1].as_f64().unwrap();
                match pair[0].as_str().unwrap() {
                    "=" => (number - wanted).abs() < f64::EPSILON,
                    "<" => number < wanted,
                    "<=" => number <= wanted,
                    ">" => number > wanted,
                    ">=" => number >= wanted,
                    other => panic!("{other}"),
                }
            })
        }),
        "cidr" => {
            let network: IpNet = operand.as_str().unwrap().parse().unwrap();
            text.and_then(|text| text.parse::<IpAddr>().ok()).is_some_and(|address| network.contains(&address))
        }
        other => panic!("there is no operator {other}"),
    }
}

/// Each character of what is wanted may be in its small or its large form, which may be several characters (`ß` is `SS`); what else
/// Unicode takes for the same letter is not: the Kelvin sign is no `k`.
/// <https://github.com/aws/event-ruler/blob/main/src/main/software/amazon/event/ruler/ByteMachine.java>
fn equals_ignore_case(text: &str, wanted: &str) -> bool {
    let mut rest = wanted.chars();
    let Some(c) = rest.next() else { return text.is_empty() };
    let forms = [c.to_string(), c.to_lowercase().to_string(), c.to_uppercase().to_string()];
    forms.iter().any(|form| text.strip_prefix(&**form).is_some_and(|text| equals_ignore_case(text, rest.as_str())))
}

/// A star stands for any characters; after a backslash it stands for itself.
fn wildcard(text: &str, wanted: &str) -> bool {
    let mut rest = wanted.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => {
            (0..=text.len()).filter(|at| text.is_char_boundary(*at)).any(|at| wildcard(&text[at..], rest.as_str()))
        }
        Some(c) => {
            let c = if c == '\\' { rest.next().expect("a backslash escapes something") } else { c };
            text.strip_prefix(c).is_some_and(|text| wildcard(text, rest.as_str()))
        }
    }
}

#[test]
fn what_stands_in_no_guide_is_as_eventbridge_has_it() {
    use serde_json::json;
    let passes = |asked: Value, value: Option<Value>| {
        let event = value.map_or_else(|| json!({}), |value| json!({ "a": value }));
        Judge::new(&json!({ "a": asked })).passes(&event)
    };
    for (asked, value, wanted) in [
        (json!([{"exists": false}]), None, true),
        (json!([{"exists": false}]), Some(json!(null)), false),
        (json!([{"exists": false}]), Some(json!([])), true),
        (json!([{"exists": false}]), Some(json!({"b": 1})), true),
        (json!([{"exists": true}]), Some(json!(null)), true),
        (json!([{"anything-but": ["x"]}]), None, false),
        (json!([{"anything-but": ["x"]}]), Some(json!(null)), true),
        (json!([{"anything-but": {"prefix": ["x", "y"]}}]), Some(json!("yes")), false),
        (json!([false]), Some(json!("false")), false),
        (json!(["12"]), Some(json!(12)), false),
        (json!([null]), Some(json!(null)), true),
        (json!(["x"]), Some(json!(["y", "x"])), true),
        (json!([{"prefix": {"equals-ignore-case": "AB"}}]), Some(json!("abc")), true),
        (json!([{"equals-ignore-case": "Kim"}]), Some(json!("kIM")), true),
        (json!([{"equals-ignore-case": "kim"}]), Some(json!("\u{212a}im")), false),
        (json!([{"equals-ignore-case": "\u{212a}im"}]), Some(json!("\u{212a}IM")), true),
        (json!([{"equals-ignore-case": "kim"}]), Some(json!("kims")), false),
        (json!([{"wildcard": "a*b\\*"}]), Some(json!("a1b*")), true),
        (json!([{"wildcard": "a*b\\*"}]), Some(json!("a1bc")), false),
        (json!([{"numeric": [">", 1, "<=", 2]}]), Some(json!(2)), true),
        (json!([{"cidr": "10.0.0.0/8"}]), Some(json!("10.1.2.3")), true),
    ] {
        assert_eq!(passes(asked.clone(), value.clone()), wanted, "{asked} {value:?}");
    }
}
