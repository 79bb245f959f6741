//! A value of a request, as people read it.

use std::collections::HashSet;
use std::fmt::Write as _;

use crate::cloudtrail::{HIDDEN, wrapped_list};
use crate::facts::Placed;
use crate::redact::REDACTED;

/// Values of a list that are told.
const SHOWN: usize = 5;
/// Bytes of a text after which no more is written: more than anybody is shown of it.
const ENOUGH: usize = 1600;
/// How deep a value is looked into.
const MAX_DEPTH: usize = 6;

/// `a, b and 3 more`: values without repeats, five at most.
pub(super) fn listed(values: &[impl AsRef<str>]) -> String {
    let distinct = distinct(values);
    let more = distinct.len().saturating_sub(SHOWN);
    let shown = distinct[..distinct.len() - more].join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

/// The values without repeats, in the order in which they first come.
pub(super) fn distinct(values: &[impl AsRef<str>]) -> Vec<&str> {
    let mut seen = HashSet::new();
    values.iter().map(AsRef::as_ref).filter(|value| seen.insert(*value)).collect()
}

/// A value: of a scalar its text, of a list its elements, of an object its members that hold something. Nothing if it is empty.
pub(super) fn shown(value: &Placed<'_>) -> String {
    let mut out = String::new();
    write(value, 0, &mut out);
    out
}

/// What stands for a value that somebody has taken out.
pub(super) const HIDDEN_WORDS: &str = "(hidden)";

/// A scalar: what is hidden is said to be, and a policy of AWS's own and a permission set are called by their names.
pub(super) fn scalar(text: &str) -> String {
    if is_hidden(text) {
        return HIDDEN_WORDS.to_owned();
    }
    match text.strip_prefix("arn:").and_then(|arn| arn.split_once(":iam::aws:policy/")) {
        // A policy of AWS's own is told apart by its name.
        Some((_, name)) => format!("{} (AWS managed)", name.rsplit('/').next().unwrap_or(name)),
        None => text.split_once(":::permissionSet/").map_or(text, |(_, set)| set).to_owned(),
    }
}

/// Whether somebody has taken the value out: we, or the service that wrote the record.
fn is_hidden(text: &str) -> bool {
    text == REDACTED
        || [HIDDEN, "<sensitiveDataRemoved>"].contains(&text)
        || (text.len() >= 3 && text.bytes().all(|byte| byte == b'*'))
}

fn write(value: &Placed<'_>, depth: usize, out: &mut String) {
    if out.len() > ENOUGH || depth > MAX_DEPTH {
        return;
    }
    if let Some(text) = value.text() {
        out.push_str(&scalar(text.trim()));
        return;
    }
    let is_list = value.node.elements().is_some() || wrapped_list(value.node).is_some();
    if is_list {
        let elements: Vec<Placed<'_>> = value.elements();
        let mut written: Vec<String> = Vec::new();
        let more = elements.len().saturating_sub(SHOWN);
        for element in elements.iter().take(SHOWN) {
            let mut text = String::new();
            write_element(element, depth + 1, &mut text);
            if !text.is_empty() && !written.contains(&text) {
                written.push(text);
            }
        }
        out.push_str(&written.join(", "));
        if more > 0 && !written.is_empty() {
            let _ = write!(out, " and {more} more");
        }
        return;
    }
    match value.get("content").filter(|_| value.get("tag").is_some()) {
        // An element of a list, as EC2 writes some.
        Some(content) => write(&content, depth + 1, out),
        None => write_object(value, depth, out),
    }
}

/// An element of a list. An object of one member is what it holds.
fn write_element(element: &Placed<'_>, depth: usize, out: &mut String) {
    let members: Vec<(&str, Placed<'_>)> =
        element.members().filter(|(key, member)| !is_number_of_element(key, member)).collect();
    match members.as_slice() {
        [(_, only)] => write(only, depth + 1, out),
        [] => write(element, depth, out),
        _ => {
            let mut object = String::new();
            write_object(element, depth, &mut object);
            let is_pair = pair(&members).is_some();
            if is_pair || object.is_empty() {
                out.push_str(&object);
            } else {
                let _ = write!(out, "({object})");
            }
        }
    }
}

fn write_object(object: &Placed<'_>, depth: usize, out: &mut String) {
    let members: Vec<(&str, Placed<'_>)> =
        object.members().filter(|(key, member)| *key != "xmlns" && !is_number_of_element(key, member)).collect();
    if let Some((name, value)) = pair(&members) {
        out.push_str(name);
        out.push_str(" = ");
        write(value, depth + 1, out);
        return;
    }
    let start = out.len();
    for (key, member) in &members {
        let mut text = String::new();
        write(member, depth + 1, &mut text);
        if text.is_empty() {
            continue;
        }
        if out.len() > start {
            out.push_str(", ");
        }
        let is_nested = member.node.members().is_some() && text.contains(": ");
        out.push_str(key);
        out.push_str(": ");
        if is_nested {
            let _ = write!(out, "({text})");
        } else {
            out.push_str(&text);
        }
        if out.len() > ENOUGH {
            return;
        }
    }
}

/// EC2 numbers the elements of some lists.
fn is_number_of_element(key: &str, member: &Placed<'_>) -> bool {
    key == "tag" && member.text().is_some_and(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// An object that only gives a value to a name.
fn pair<'m, 'n>(members: &'m [(&'n str, Placed<'n>)]) -> Option<(&'n str, &'m Placed<'n>)> {
    let [first, second] = members else { return None };
    let is_name = |key: &str| ["name", "key", "attributeName", "attributeKey"].contains(&key);
    let is_value =
        |key: &str| ["value", "values", "valueSet", "attributeValue"].iter().any(|name| key.eq_ignore_ascii_case(name));
    let lower = |key: &str| {
        let mut chars = key.chars();
        chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect::<String>()
    };
    let (name, value) = if is_name(&lower(first.0)) { (first, second) } else { (second, first) };
    (is_name(&lower(name.0)) && is_value(value.0)).then(|| Some((name.1.text()?, &value.1))).flatten()
}

/// `7 days`, `1 day`
pub(super) fn counted(number: &str, units: &str) -> String {
    let unit = if number == "1" { units.strip_suffix('s').unwrap_or(units) } else { units };
    format!("{number} {unit}")
}

/// `yes` or `no`, or the text where it is neither.
pub(super) fn yes_or_no(text: String) -> String {
    match text.as_str() {
        "true" => "yes".to_owned(),
        "false" => "no".to_owned(),
        _ => text,
    }
}

/// `on` or `off`, or the text where it is neither.
pub(super) fn on_or_off(text: &str) -> &str {
    match text.to_ascii_lowercase().as_str() {
        "true" | "enabled" | "enable" => "on",
        "false" | "disabled" | "disable" => "off",
        _ => text,
    }
}
