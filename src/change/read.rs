//! An entry of the table, read from a record.

use super::calls::entry;
use super::entry::Part;
use super::general;
use super::reading::{Blanked, Reading, at, said};
use super::statement::policies;
use super::told::{Change, Told};
use super::value::{counted, listed, on_or_off, scalar, yes_or_no};
use crate::cloudtrail::{ApiCall, Record};

/// What a call changed, the most telling first, or what was asked for if it failed; nothing where the record says no more than what
/// was called, and on what. `call` has the facts of the record.
pub fn changes(record: &Record<'_>, call: &ApiCall) -> Vec<Change> {
    let blanked = Blanked::new(record, call);
    let reading = Reading::new(record, call, &blanked);
    let mut told = Told::new(call.failed);
    let service = call.service.as_deref().unwrap_or_default();
    let event = call.event.as_deref().unwrap_or_default();
    for part in entry(service, event).map(|entry| entry.parts).unwrap_or_default() {
        tell(part, &reading, &mut told);
    }
    if told.is_empty() {
        general::PARTS.iter().for_each(|part| tell(part, &reading, &mut told));
        general::tell_request(&reading, &mut told);
    }
    told.into_changes()
}

/// What only says where something is: it is left out where the sentence names it, and nothing else, as what the call acts on.
const CONTEXT: [&str; 15] = [
    "API",
    "cluster",
    "document",
    "from",
    "function",
    "guardrail",
    "in",
    "job",
    "name",
    "of",
    "of API",
    "of rule",
    "on",
    "to",
    "trail",
];

fn tell(part: &Part, reading: &Reading<'_, '_>, told: &mut Told) {
    let mut add = |what: &str, after: Option<String>| {
        if let Some(after) = after {
            told.add(what, after);
        }
    };
    match part {
        Part::Fact(what, name) => {
            let values = reading.fact(name);
            add(what, (!values.is_empty()).then(|| listed(&values)));
        }
        Part::Request(what, path) => {
            let is_said = |value: &String| CONTEXT.contains(what) && reading.is_only_target(value);
            add(what, reading.asked(path).filter(|value| !is_said(value)).map(yes_or_no));
        }
        Part::Counted(what, path, unit) => add(what, reading.asked(path).map(|number| counted(&number, unit))),
        Part::Switch(what, path) => add(what, reading.asked(path).map(|text| on_or_off(&text).to_owned())),
        Part::Response(what, path) => add(what, reading.answered(path).map(yes_or_no)),
        Part::Details(what, path) => add(what, said(reading.details.as_ref(), path).map(yes_or_no)),
        Part::More(what, path) => add(what, said(reading.more.as_ref(), path)),
        Part::Turn(what, before, after) => {
            if let (Some(before), Some(after)) = (reading.asked(before), reading.asked(after)) {
                told.turn(what, before, after);
            }
        }
        Part::Words(what, words) => told.add(what, words),
        Part::If(path, value, what, words) => {
            let values = reading.request.as_ref().map(|request| at(request, path)).unwrap_or_default();
            if values.iter().any(|found| found.text().is_some_and(|text| scalar(text).eq_ignore_ascii_case(value))) {
                told.add(what, words);
            }
        }
        Part::Without(path, what, words) => {
            // What is left out of the request altogether is not turned off.
            let first = path.split('.').next().unwrap_or(path);
            let is_there = reading.request.as_ref().is_some_and(|request| request.get(first).is_some());
            if is_there && reading.asked(path).is_none() {
                told.add(what, words);
            }
        }
        Part::Policies(what, "") => policies(reading, what, told),
        Part::Policies(what, path) => match reading.asked(path) {
            Some(name) => policies(reading, &format!("{what} {name}"), told),
            None => policies(reading, what, told),
        },
        Part::Special(_, special) => special(reading, told),
    }
}
