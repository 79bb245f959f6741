//! The tables of keys in `docs/`, in Markdown. Each page has marks (`<!-- generated: TITLE -->`, `<!-- end -->`) between which
//! a table stands; `tests/docs/tables.rs` holds the pages to them, and rewrites them on request.

use std::fmt::Write as _;

use crate::channel::{COMMON_KEYS, ChannelType, TYPES};
use crate::cloudtrail::ALIASES;
use crate::config::{KeyDefault, KeySpec, MapNames, ObjectSpec, ValueShape};
use crate::facts::{DERIVED, ServiceCalls};
use crate::rules::OPERATORS;
use crate::ruleset::ANY_FILE;
use crate::severity::Severity;

/// The most words that a table lists; of longer lists it says how many there are.
const LISTED: usize = 8;

/// The titles of all tables: each must stand on some page.
pub fn titles() -> Vec<String> {
    let mut titles = [
        "operators",
        "aliases",
        "derived fields",
        "calls of derived fields",
        "channels",
        "severities",
        "keys of every channel",
    ]
    .map(str::to_owned)
    .to_vec();
    titles.extend(objects().iter().map(|object| format!("keys of {}", object.name)));
    titles.extend(
        TYPES
            .iter()
            .filter(|channel| !channel.credentials.is_empty())
            .map(|channel| format!("credentials of {}", channel.name())),
    );
    titles
}

/// The table of this title; `None` if there is none.
pub fn block(title: &str) -> Option<String> {
    let channel = |name: &str| TYPES.iter().find(|channel| channel.name() == name);
    if let Some(name) = title.strip_prefix("credentials of ") {
        return channel(name).map(|channel| credentials(channel));
    }
    match title {
        "operators" => Some(operators()),
        "aliases" => Some(aliases()),
        "derived fields" => Some(derived_fields()),
        "calls of derived fields" => Some(derived_calls()),
        "channels" => Some(channels()),
        "severities" => Some(severities()),
        "keys of every channel" => Some(keys(COMMON_KEYS.iter())),
        _ => {
            let name = title.strip_prefix("keys of ")?;
            if let Some(channel) = channel(name) {
                return Some(keys(channel.object.keys[0].iter()));
            }
            objects().into_iter().find(|object| object.name == name).map(|object| keys(object.all_keys()))
        }
    }
}

/// The lines of `docs/SUMMARY.md` for the channels' pages.
pub fn channel_pages() -> String {
    TYPES.iter().fold(String::new(), |mut lines, channel| {
        let name = channel.name();
        let _ = writeln!(lines, "  - [{name}](channels/{name}.md)");
        lines
    })
}

/// Every object that may occur in a file of rules, the outermost first; the types of channels, too, if they have keys.
fn objects() -> Vec<&'static ObjectSpec> {
    let mut found = Vec::new();
    gather_object(&ANY_FILE, &mut found);
    found.retain(|object| !object.keys[0].is_empty());
    found
}

fn gather_object(object: &'static ObjectSpec, found: &mut Vec<&'static ObjectSpec>) {
    if found.iter().any(|known| known.name == object.name) {
        return;
    }
    found.push(object);
    object.all_keys().for_each(|key| gather(key.shape, found));
}

fn gather(shape: ValueShape, found: &mut Vec<&'static ObjectSpec>) {
    match shape {
        ValueShape::Object(object) | ValueShape::Objects(object) => gather_object(object, found),
        ValueShape::List(inner) | ValueShape::AnyList(inner) | ValueShape::Map { values: inner, .. } => {
            gather(*inner, found);
        }
        ValueShape::AnyOf(choices) => choices.iter().for_each(|choice| gather(*choice, found)),
        ValueShape::Tagged(tagged) => tagged.kinds.iter().for_each(|kind| gather_object(kind, found)),
        // The objects behind the operators: conditions that hold conditions hold no others.
        ValueShape::Defined(definition) if definition.name == "Table" => {
            OPERATORS.iter().for_each(|operator| gather(operator.key.shape, found));
        }
        ValueShape::Defined(definition) if !["Condition", "Items"].contains(&definition.name) => {
            gather(definition.shape, found);
        }
        _ => {}
    }
}

fn keys<'k>(keys: impl Iterator<Item = &'k KeySpec>) -> String {
    let rows = keys.map(|key| {
        let required = if key.is_required { " (required)" } else { "" };
        let default = match key.default {
            KeyDefault::Value(value) => format!(" Default: `{value}`."),
            KeyDefault::Words(words) => format!(" Default: {words}."),
            KeyDefault::None | KeyDefault::BySeverity(_) => String::new(),
        };
        vec![format!("`{}`{required}", key.name), shown(key.shape), format!("{}{default}", key.docs)]
    });
    table(&["key", "value", "meaning"], rows)
}

fn credentials(channel: &ChannelType) -> String {
    let rows = channel.credentials.iter().map(|key| vec![format!("`{}`", key.name), key.docs.to_owned()]);
    table(&["key in the secret", "meaning"], rows)
}

fn operators() -> String {
    let rows = OPERATORS.iter().map(|operator| {
        let KeySpec { name, example, docs, .. } = operator.key;
        vec![format!("`{{\"{name}\": {example}}}`"), docs.to_owned()]
    });
    table(&["operator", "true when"], rows)
}

fn aliases() -> String {
    let rows = ALIASES.iter().map(|alias| vec![format!("`{}`", alias.name), alias.description.to_owned()]);
    table(&["alias", "value"], rows)
}

fn derived_fields() -> String {
    let rows = DERIVED.iter().map(|field| vec![format!("`{}`", field.name), field.description.to_owned()]);
    table(&["derived field", "values"], rows)
}

/// The calls that derived fields understand; fields of the same calls stand together.
fn derived_calls() -> String {
    let mut together: Vec<(Vec<String>, &[ServiceCalls])> = Vec::new();
    for field in DERIVED {
        let name = format!("`{}`", field.name);
        match together.iter_mut().find(|(_, calls)| *calls == field.calls) {
            Some((names, _)) => names.push(name),
            None => together.push((vec![name], field.calls)),
        }
    }
    let rows = together.into_iter().map(|(names, calls)| {
        let calls = calls.iter().map(|calls| {
            let service = calls.service.strip_suffix(".amazonaws.com").unwrap_or(calls.service);
            format!("{service}: {}", calls.events.join(", "))
        });
        vec![names.join(", "), calls.collect::<Vec<_>>().join("; ")]
    });
    table(&["derived field", "calls"], rows)
}

fn channels() -> String {
    let rows = TYPES.iter().map(|channel| {
        let name = channel.name();
        vec![format!("[{name}]({name}.md)"), channel.summary.to_owned(), channel.repeats.to_owned()]
    });
    table(&["type", "what it is", "a repeat, a roll-up"], rows)
}

/// What each vendor calls our severities, the worst first.
fn severities() -> String {
    let maps: Vec<(&str, &[&str; 5])> = TYPES
        .iter()
        .flat_map(|channel| channel.object.all_keys().map(|key| (channel.name(), key)))
        .filter_map(|(name, key)| match key.default {
            KeyDefault::BySeverity(words) => Some((name, words)),
            _ => None,
        })
        .collect();
    let names: Vec<&str> = ["ours"].into_iter().chain(maps.iter().map(|(name, _)| *name)).collect();
    let rows = Severity::ALL.into_iter().rev().map(|severity| {
        let vendors = maps.iter().map(|(_, words)| words[severity as usize].to_owned());
        [severity.as_str().to_owned()].into_iter().chain(vendors).collect()
    });
    table(&names, rows)
}

/// What a value may be, in a few words.
fn shown(shape: ValueShape) -> String {
    match shape {
        ValueShape::Text | ValueShape::AnyText => "text".to_owned(),
        ValueShape::Formatted(format) => format!("text ({})", format.what),
        // Not how many: a page that says so changes with every word that joins.
        ValueShape::Word(words) if words.listed.len() > LISTED => "one of a list of words".to_owned(),
        ValueShape::Word(words) => words.listed.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        ValueShape::Boolean => "`true` or `false`".to_owned(),
        ValueShape::Whole { min, max } => format!("whole number, {min} to {max}"),
        ValueShape::Unsigned => "whole number".to_owned(),
        ValueShape::Number => "number".to_owned(),
        ValueShape::Scalar => "text, number or boolean".to_owned(),
        ValueShape::Anything => "anything".to_owned(),
        ValueShape::Field => "field".to_owned(),
        ValueShape::List(item) | ValueShape::AnyList(item) => format!("list: {}", shown(*item)),
        ValueShape::Objects(object) => format!("list: {} each", object.what),
        ValueShape::Map { names: MapNames::Words(words), values } => {
            format!("object: for each {} {}", words.what, shown(*values))
        }
        ValueShape::Map { values, .. } => format!("object: for each name {}", shown(*values)),
        ValueShape::Object(object) => object.what.to_owned(),
        ValueShape::Tagged(tagged) => tagged.what.to_owned(),
        ValueShape::OneKeyOf(_) => "an operator".to_owned(),
        ValueShape::AnyOf(choices) => choices.iter().map(|choice| shown(*choice)).collect::<Vec<_>>().join(", or "),
        ValueShape::Defined(definition) => definition.what.to_owned(),
    }
}

fn table(columns: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = format!("| {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
    for row in rows {
        // A bar would end the cell.
        let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
        let _ = writeln!(table, "| {} |", cells.join(" | "));
    }
    table
}
