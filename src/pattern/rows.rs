//! What the rows of rules come to as alternatives of a pattern.

use std::collections::BTreeSet;

use super::alternative::Alternative;
use super::field::PatternField;
use super::values::{Text, Texts, Values};
use crate::facts::DerivedField;
use crate::rules::Row;
use crate::rules::field::FieldTarget;

/// The alternatives of which every record that the row matches matches one. None: it matches no record.
pub(super) fn alternatives(row: &Row) -> Vec<Alternative> {
    let mut asked = Alternative::default();
    let mut derived: Vec<&'static DerivedField> = Vec::new();
    for cell in &row.0 {
        match &cell.field.target {
            FieldTarget::Path(path) => {
                if let Some(field) = PatternField::at(path) {
                    asked = asked.and(field, Values::of(&cell.condition).of_field(field));
                }
            }
            FieldTarget::Derived(field) if !cell.condition.holds_of_nothing() => derived.push(field),
            _ => {}
        }
    }
    let mut alternatives = match derived.split_first() {
        Some((first, others)) => understood(&asked, first, others),
        None => vec![asked],
    };
    alternatives.retain(|alternative| !alternative.is_impossible());
    alternatives.into_iter().map(Alternative::leaner).collect()
}

/// The alternatives of the calls that all of the derived fields understand, one for each service. A version may follow an event's
/// name.
fn understood(asked: &Alternative, first: &'static DerivedField, others: &[&'static DerivedField]) -> Vec<Alternative> {
    let (source, name) = (asked.get(PatternField::Source), asked.get(PatternField::Name));
    let mut alternatives = Vec::new();
    for calls in first.calls {
        if !source.accepts(Some(calls.service)) {
            continue;
        }
        let events =
            calls.events.iter().filter(|event| others.iter().all(|other| other.understands(calls.service, event)));
        let mut names: BTreeSet<Text> = events.map(|event| Text::Prefix((*event).into())).collect();
        if let Texts::OneOf(asked) = &name.texts
            && asked.iter().all(|name| matches!(name, Text::Exact(_)))
        {
            names = asked
                .iter()
                .filter(|asked| names.iter().any(|name| matches!(asked, Text::Exact(text) if name.accepts(text))))
                .cloned()
                .collect();
        }
        let of_service = asked.clone().with(PatternField::Source, Values::some(Texts::exact([calls.service])));
        alternatives.push(of_service.with(PatternField::Name, Values::some(Texts::OneOf(names).minimal())));
    }
    alternatives
}
