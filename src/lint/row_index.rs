//! Which rows may say no less than another one: found by the calls that they ask for, so that rows that share none are never
//! compared.

use std::collections::HashMap;

use super::calls::{EVENT, SERVICE};
use super::logic::{PatternWord, beginning};
use crate::rules::Row;
use crate::rules::condition::{Condition, Literal};
use crate::rules::field::FieldTarget;

/// Rows, each under what a narrower row must ask for as well.
#[derive(Debug, Default)]
pub(super) struct RowIndex<'r> {
    by_key: HashMap<Key<'r>, Vec<usize>>,
    /// Rows that ask for no call by which they could be found.
    others: Vec<usize>,
}

/// The field, and what its values are or begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key<'r> {
    Exactly(Column, &'r str),
    Begins(Column, &'r str),
}

/// The two fields that make a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Column {
    Service,
    Event,
}

impl Column {
    fn path(self) -> &'static [&'static str] {
        match self {
            Self::Service => SERVICE,
            Self::Event => EVENT,
        }
    }

    /// The conditions of a row on this field.
    fn conditions(self, row: &Row) -> impl Iterator<Item = &Condition> {
        let is_asked = move |target: &FieldTarget| matches!(target, FieldTarget::Path(keys) if keys.iter().map(|key| &**key).eq(self.path().iter().copied()));
        row.0.iter().filter(move |cell| is_asked(&cell.field.target)).map(|cell| &cell.condition)
    }
}

/// Letters of a beginning by which it is looked up.
const BEGINNING: usize = 8;

impl<'r> RowIndex<'r> {
    /// Indexes rows, each with the number by which it is known; the numbers ascend.
    pub(super) fn new(rows: impl IntoIterator<Item = (usize, &'r Row)>) -> Self {
        let mut index = Self::default();
        for (number, row) in rows {
            let keys = [Column::Event, Column::Service]
                .into_iter()
                .find_map(|column| column.conditions(row).find_map(|condition| keys(column, condition)));
            let Some(keys) = keys else {
                index.others.push(number);
                continue;
            };
            for key in keys {
                index.by_key.entry(key).or_default().push(number);
            }
        }
        index
    }

    /// The numbers of the rows that may include this one, in their order, each once. What is left out surely does not.
    pub(super) fn may_include(&self, narrow: &Row) -> Vec<usize> {
        let mut found = self.others.clone();
        let mut look_up = |key: Key<'_>| found.extend(self.by_key.get(&key).into_iter().flatten());
        for column in [Column::Event, Column::Service] {
            for condition in column.conditions(narrow) {
                each_text(condition, &mut |text| match text {
                    Text::Exactly(text) => {
                        look_up(Key::Exactly(column, text));
                        beginnings(text).for_each(|beginning| look_up(Key::Begins(column, beginning)));
                    }
                    Text::Begins(text) => {
                        beginnings(text).for_each(|beginning| look_up(Key::Begins(column, beginning)));
                    }
                });
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// The keys of which a narrower condition must ask for one; `None` if it need not ask for any.
fn keys(column: Column, wide: &Condition) -> Option<Vec<Key<'_>>> {
    match wide {
        // A number has many spellings.
        Condition::Is(literals) if !literals.is_empty() => {
            literals.iter().map(|literal| Some(Key::Exactly(column, literal.as_text()?))).collect()
        }
        Condition::Pattern(pattern) => {
            let shared = beginnings(beginning(pattern.as_str())).last()?;
            Some(vec![Key::Begins(column, shared)])
        }
        Condition::Any(alternatives) if !alternatives.is_empty() => {
            let all: Option<Vec<_>> = alternatives.iter().map(|alternative| keys(column, alternative)).collect();
            all.map(|all| all.into_iter().flatten().collect())
        }
        Condition::All(parts) => parts.iter().find_map(|part| keys(column, part)),
        _ => None,
    }
}

/// What a condition asks for by name.
enum Text<'r> {
    Exactly(&'r str),
    Begins(&'r str),
}

fn each_text<'r>(narrow: &'r Condition, take: &mut impl FnMut(Text<'r>)) {
    match narrow {
        Condition::Is(literals) => {
            literals.iter().filter_map(Literal::as_text).for_each(|text| take(Text::Exactly(text)));
        }
        Condition::Pattern(pattern) => {
            if let Some(word) = PatternWord::parse(pattern.as_str()).filter(|word| word.starts) {
                take(Text::Begins(word.text));
            }
        }
        Condition::Any(inner) | Condition::All(inner) => inner.iter().for_each(|inner| each_text(inner, take)),
        _ => {}
    }
}

/// The beginnings of a text, the shortest first, up to [`BEGINNING`] characters.
fn beginnings(text: &str) -> impl Iterator<Item = &str> {
    text.char_indices().take(BEGINNING).map(|(at, letter)| &text[..at + letter.len_utf8()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::logic::row_implies;
    use crate::ruleset::RuleSet;

    #[test]
    fn whatever_includes_a_row_is_among_those_that_may() {
        let services = [
            "",
            r#""service":{"is":"ec2.amazonaws.com"}"#,
            r#""service":"^ec2""#,
            r#""service":"^(ec2.amazonaws.com).*""#,
            r#""service":["^ec2","^iam"]"#,
            r#""service":"amazonaws""#,
            r#""eventSource":{"is":["iam.amazonaws.com","ec2.amazonaws.com"]}"#,
        ];
        let events = [
            "",
            r#""event":{"is":"StopInstances"}"#,
            r#""event":{"is":["StopInstances","StartInstances"]}"#,
            r#""event":"^Stop""#,
            r#""event":"^(StopInstances).*""#,
            r#""event":"^StopInstances$""#,
            r#""event":"Instances""#,
            r#""event":"^S.op""#,
            r#""event":"^St[ao]""#,
            r#""event":["^Stop","Start"]"#,
            r#""event":["^Stop",{"is":"StartInstances"}]"#,
            r#""event":{"all":["^Stop","Instances$"]}"#,
            r#""event":[{"is":"StopInstances"},{"all":["^Start","s$"]}]"#,
            r#""event":{"not":{"is":"RunInstances"}}"#,
            r#""event":{"not":"^Run"}"#,
            r#""event":{"exists":true}"#,
            r#""event":{"is":5}"#,
            r#""event":{"is":["StopInstances",5.0]}"#,
            r#""event":{"is":"5"}"#,
            r#""event":"^StopInstances","eventName":{"is":"StopInstances"}"#,
        ];
        let mut rows = Vec::new();
        for (service, event) in services.iter().flat_map(|service| events.iter().map(move |event| (service, event))) {
            let cells: Vec<&str> =
                [*service, *event, r#""region":"^eu""#].into_iter().filter(|cell| !cell.is_empty()).collect();
            let source =
                format!(r#"{{"rules":[{{"id":"R","title":"t","severity":"low","when":{{{}}}}}]}}"#, cells.join(","));
            rows.push(RuleSet::compile(&source).unwrap().rules.rules()[0].when.0[0].clone());
        }
        let index = RowIndex::new(rows.iter().enumerate());
        let (mut included, mut compared) = (0, 0);
        for narrow in &rows {
            let may = index.may_include(narrow);
            assert!(may.is_sorted());
            compared += may.len();
            for (number, wide) in rows.iter().enumerate().filter(|(_, wide)| row_implies(narrow, wide)) {
                assert!(may.contains(&number), "{narrow:?} → {wide:?}");
                included += 1;
            }
        }
        assert!(included > 500 && compared < rows.len() * rows.len() * 3 / 4, "{included} {compared}");
    }
}
