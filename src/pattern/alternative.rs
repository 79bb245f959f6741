//! One way to match a pattern: what is asked of each field, all of it together.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::field::PatternField;
use super::values::{Texts, Values};
use crate::cloudtrail::{Record, partition_of};

/// What is asked of fields. Of a field that is not among them nothing is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Alternative(BTreeMap<PatternField, Values>);

impl Alternative {
    /// What is asked of a field.
    pub(super) fn get(&self, field: PatternField) -> Values {
        self.0.get(&field).cloned().unwrap_or(Values::ANY)
    }

    /// The same, with this asked of a field instead.
    #[must_use]
    pub(super) fn with(mut self, field: PatternField, values: Values) -> Self {
        let says_nothing = values.is_any() || field.is_everywhere() && values.texts == Texts::Any;
        if says_nothing {
            self.0.remove(&field);
        } else {
            self.0.insert(field, values);
        }
        self
    }

    /// The same, with this asked of a field besides.
    #[must_use]
    pub(super) fn and(self, field: PatternField, values: Values) -> Self {
        let both = self.get(field).and(values);
        self.with(field, both)
    }

    /// The fields of which something is asked.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&PatternField, &Values)> {
        self.0.iter()
    }

    /// Takes out what is asked of a field.
    pub(super) fn take(&mut self, field: PatternField) -> Values {
        self.0.remove(&field).unwrap_or(Values::ANY)
    }

    /// Whether every record matches it.
    pub(super) fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether no record matches it.
    pub(super) fn is_impossible(&self) -> bool {
        self.0.values().any(Values::is_none)
    }

    /// Whether every record that matches the other matches it.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.0.iter().all(|(field, values)| values.covers(&other.get(*field)))
    }

    /// Leaves out what is not worth its characters: that some values of a field are not among those wanted, where something else is
    /// asked too.
    #[must_use]
    pub(super) fn leaner(mut self) -> Self {
        let is_lean = |field: PatternField, values: &Values| {
            field.is_worth_leaving_out() || !matches!(values.texts, Texts::NoneOf(_))
        };
        if self.0.iter().any(|(field, values)| is_lean(*field, values)) {
            self.0.retain(|field, values| is_lean(*field, values));
        }
        if let Some(Values { texts: Texts::NoneOf(regions), .. }) = self.0.get_mut(&PatternField::Region) {
            // In a partition of its own a list of all partitions' regions would be mostly about others.
            regions.retain(|region| ["aws", "aws-cn", "aws-us-gov"].contains(&partition_of(region)));
        }
        let region = self.get(PatternField::Region);
        self = self.with(PatternField::Region, Values { texts: region.texts.minimal(), absent: region.absent });
        self
    }

    /// Asks less of the fields where more than so many wildcards would be needed: of names, that they are among all that the family is
    /// about.
    #[must_use]
    pub(super) fn with_wildcards_up_to(mut self, most: &mut usize, all_names: &Texts) -> Self {
        let fields: Vec<PatternField> = self.0.keys().copied().collect();
        for field in fields {
            let values = self.get(field);
            if let Some(left) = most.checked_sub(values.wildcards()) {
                *most = left;
            } else {
                let texts = if field == PatternField::Name { all_names.clone() } else { Texts::Any };
                self = self.with(field, Values { texts, absent: values.absent });
            }
        }
        self
    }

    pub(super) fn wildcards(&self) -> usize {
        self.0.values().map(Values::wildcards).sum()
    }

    /// As a pattern's object.
    pub(super) fn pattern(&self) -> Map<String, Value> {
        let mut object = Map::new();
        for (field, values) in &self.0 {
            field.put(&mut object, values.pattern(*field));
        }
        object
    }

    /// The characters of [`Self::pattern`].
    pub(super) fn characters(&self) -> usize {
        Value::Object(self.pattern()).to_string().chars().count()
    }

    /// Whether a record matches it.
    pub(super) fn accepts(&self, record: &Record<'_>) -> bool {
        self.0.iter().all(|(field, values)| values.accepts(record.text(field.path())))
    }
}
