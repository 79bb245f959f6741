//! A rule's detection: its selections, and the condition that joins them.

use serde_json::Value as Json;

use super::super::output::OrderedMap;
use super::super::tree::{Tree, TreeValue};
use super::cell;
use super::collection::SigmaDocument;
use super::condition::{self, SigmaCondition};
use super::table::Expression;
use super::threshold::SigmaThreshold;

/// The selections and the condition as one expression, and how often it must be true.
pub(super) fn detected(
    document: &SigmaDocument,
    notes: &mut Vec<String>,
) -> Result<(Expression, Option<OrderedMap<Json>>), String> {
    let detection = document.tree.get("detection").and_then(Tree::entries).ok_or("it has no detection")?;
    let timeframe = detection.iter().find(|(key, _)| key == "timeframe").map(|(_, value)| value);
    // Some of SigmaHQ's rules have it one level further up.
    let timeframe = timeframe.or_else(|| document.tree.get("timeframe"));
    let selections: Vec<&(String, Tree)> =
        detection.iter().filter(|(key, _)| key != "condition" && key != "timeframe").collect();
    let names: Vec<&str> = selections.iter().map(|(name, _)| name.as_str()).collect();
    let written = detection.iter().find(|(key, _)| key == "condition").ok_or("its detection has no condition")?;
    let texts = written.1.items().iter().map(|text| text.text().ok_or("the condition is not a string"));
    let texts = texts.collect::<Result<Vec<_>, _>>()?;
    let counted = texts.iter().find_map(|text| text.split_once('|'));
    let mut conditions = texts
        .iter()
        .map(|text| condition::parse(text.split('|').next().unwrap_or_default(), &names, notes))
        .collect::<Result<Vec<_>, _>>()?;
    let condition = match (conditions.len(), counted) {
        (0, _) => return Err("the condition is empty".to_owned()),
        (1, _) => conditions.remove(0),
        // Several conditions are several searches; one that finds something is enough.
        (_, None) => SigmaCondition::Any(conditions),
        (_, Some(_)) => return Err("it has several conditions, and counts in one of them".to_owned()),
    };
    let mut used = Vec::new();
    let expression = resolve(&condition, &selections, &mut used, notes)?;
    for name in names.iter().filter(|name| !used.contains(*name)) {
        notes.push(format!("the condition does not use \"{name}\""));
    }
    match (counted, timeframe) {
        (Some((_, aggregation)), _) => {
            Ok(SigmaThreshold::aggregation(aggregation, timeframe, notes)?.apply(expression))
        }
        (None, Some(_)) => Err("it has a timeframe, and its condition counts nothing in it".to_owned()),
        (None, None) => Ok((expression, None)),
    }
}

fn resolve<'s>(
    condition: &SigmaCondition,
    selections: &[&'s (String, Tree)],
    used: &mut Vec<&'s str>,
    notes: &mut Vec<String>,
) -> Result<Expression, String> {
    let mut each = |parts: &[SigmaCondition]| {
        parts.iter().map(|part| resolve(part, selections, used, notes)).collect::<Result<_, _>>()
    };
    Ok(match condition {
        SigmaCondition::All(parts) => Expression::All(each(parts)?),
        SigmaCondition::Any(parts) => Expression::Any(each(parts)?),
        SigmaCondition::Not(inner) => Expression::Not(Box::new(resolve(inner, selections, used, notes)?)),
        SigmaCondition::Named(wanted) => {
            let (name, selection) = selections
                .iter()
                .find(|(name, _)| name == wanted)
                .ok_or_else(|| format!("there is no selection \"{wanted}\""))?;
            // A repair is said once, however often the condition names the selection.
            let mut fresh = Vec::new();
            let inner = self::selection(selection, &mut fresh).map_err(|reason| format!("{name}: {reason}"))?;
            if !used.contains(&name.as_str()) {
                used.push(name);
                notes.append(&mut fresh);
            }
            Expression::Named(name.clone(), Box::new(inner))
        }
    })
}

/// A map: all of its fields. A list of maps: any of them.
fn selection(selection: &Tree, notes: &mut Vec<String>) -> Result<Expression, String> {
    const KEYWORDS: &str = "keywords are searched in the whole record, and a cell asks one field: name the field";
    match &selection.value {
        TreeValue::Map(fields) if fields.is_empty() => Err("it is empty".to_owned()),
        TreeValue::Map(fields) if fields.iter().any(|(key, _)| key.is_empty() || key.starts_with('|')) => {
            Err(KEYWORDS.to_owned())
        }
        TreeValue::Map(fields) => {
            let cells = fields
                .iter()
                .map(|(key, values)| Ok(Expression::Cell(cell::cell(key, values, notes)?)))
                .collect::<Result<_, String>>()?;
            Ok(Expression::All(cells))
        }
        TreeValue::List(items) if items.is_empty() => Err("it is empty".to_owned()),
        TreeValue::List(items) if items.iter().all(|item| item.entries().is_some()) => {
            Ok(Expression::Any(items.iter().map(|item| self::selection(item, notes)).collect::<Result<_, _>>()?))
        }
        TreeValue::List(_) | TreeValue::Number(_) | TreeValue::Text(_) | TreeValue::Unknown(_) => {
            Err(KEYWORDS.to_owned())
        }
        TreeValue::Null => Err("it is empty".to_owned()),
    }
}
