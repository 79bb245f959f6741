//! Conditions of ours, joined by and, or and not, in the shortest form.

use std::collections::HashSet;

use serde_json::{Value as Json, json};

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
