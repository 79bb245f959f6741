//! Evaluates the rules over one record.
//!
//! Nearly every record matches nothing, and that is found out without reading it whole:
//! ```text
//! text → extract: the fields that rules name → memo, else index: the clauses that come into question
//!      → what they ask of the fields → exceptions → the simple engine, of the rules that are left
//! ```
//! [`simple`] alone makes findings. All that stands before it only rules rules out, and only where it is sure; a record
//! with anything unusual in it goes straight there. So the answer is always the simple engine's, and a random test of both
//! holds them to it (`tests/engine.rs`).

mod call;
mod extract;
mod hash;
mod index;
mod literals;
mod memo;
mod scan;
mod simple;

use std::cell::Cell;
use std::sync::{Mutex, PoisonError, TryLockError};

use self::extract::{Paths, Picked, Scalar};
use self::index::{Buffers, Clause, ClauseId, Index, Source};
use self::literals::LiteralId;
use self::memo::Memo;
pub use self::scan::{Scanned, Scanner};
use crate::finding::Finding;
use crate::json::Lexer;
use crate::record::{Facts, Found, RawRecord, Record, Scope, alias};
use crate::rules::{Rule, RuleSet};

/// JSON's white space.
const SPACE: [char; 4] = [' ', '\n', '\r', '\t'];

impl RuleSet {
    /// The findings of one record, in the order of the rules.
    ///
    /// # Errors
    /// Why the record cannot be read, safe to log.
    pub fn evaluate(&self, raw: &RawRecord) -> Result<Vec<Finding>, String> {
        // One thread at a time finds the memory of the last; another takes its own.
        let spare = match self.engine.spare.try_lock() {
            Ok(mut spare) => spare.take(),
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().take(),
            Err(TryLockError::WouldBlock) => None,
        };
        let mut scratch = spare.unwrap_or_default();
        let findings = self.evaluate_text(&raw.json, &mut scratch);
        *self.engine.spare.lock().unwrap_or_else(PoisonError::into_inner) = Some(scratch);
        findings
    }

    fn evaluate_text(&self, text: &str, scratch: &mut Scratch) -> Result<Vec<Finding>, String> {
        let start = text.len() - text.trim_start_matches(SPACE).len();
        let is_object = text.as_bytes().get(start) == Some(&b'{');
        let end = scratch
            .picked
            .pick(&self.engine.index.paths, &mut Lexer::new(text), text, start)
            .ok()
            .filter(|_| is_object);
        let is_record = end.is_some_and(|end| text[end..].trim_start_matches(SPACE).is_empty());
        // What is no record is told by whoever reads it whole.
        let come = if is_record { self.engine.ask(&self.rules, text, scratch) } else { Come::All };
        self.finish(come, text, scratch)
    }

    /// Puts what has not been ruled out to the simple engine.
    fn finish(&self, come: Come, record: &str, scratch: &Scratch) -> Result<Vec<Finding>, String> {
        match come {
            Come::None => Ok(Vec::new()),
            Come::Some => {
                let rules = scratch.rules.iter().map(|rule| &self.rules[*rule as usize]);
                Ok(simple::findings(rules, &Record::parse(record)?))
            }
            Come::All => Ok(self.evaluate_record(&Record::parse(record)?)),
        }
    }
}

/// What stands before the simple engine: made of the rules once, shared by threads.
#[derive(Debug)]
pub(crate) struct Engine {
    index: Index,
    /// The memory that [`RuleSet::evaluate`] used last.
    spare: Mutex<Option<Box<Scratch>>>,
}

/// What one thread needs for one record, and what it remembers of others.
#[derive(Debug, Default)]
struct Scratch {
    picked: Picked,
    memo: Memo,
    /// The rules that have not been ruled out, ascending.
    rules: Vec<u32>,
    clauses: Vec<ClauseId>,
    literals: Vec<LiteralId>,
    buffers: Buffers,
}

/// Which rules come into question for a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Come {
    None,
    /// Those of [`Scratch::rules`].
    Some,
    /// Nothing is known.
    All,
}

impl Facts for Fields<'_> {
    fn text(&self, path: &[&str]) -> Option<&str> {
        let Some(slot) = self.paths.slot(path.iter().copied()) else {
            self.unsure.set(true);
            return None;
        };
        let (text, escaped) = self.picked.first(slot, self.text)?;
        if escaped {
            self.unsure.set(true);
        }
        Some(text)
    }

    fn answers_failure(&self) -> bool {
        let Some(answer) = self.paths.slot(["responseElements"]) else {
            self.unsure.set(true);
            return false;
        };
        // An answer that says it nowhere does not say it in its place.
        if self.picked.objects(answer, self.text).any(|answer| answer.contains("Failure") || answer.contains('\\')) {
            self.unsure.set(true);
        }
        false
    }
}

/// Whether a row holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    No,
    Yes,
    /// Only the whole record tells.
    Unsure,
}

impl Engine {
    /// Of the rules of a set, in their order.
    pub(crate) fn of(rules: &[Rule]) -> Self {
        Self { index: Index::of(rules), spare: Mutex::default() }
    }

    /// Which rules come into question for the record that has been picked from `text`.
    fn ask(&self, rules: &[Rule], text: &str, scratch: &mut Scratch) -> Come {
        let Scratch { picked, memo, rules: come, clauses, literals, buffers } = scratch;
        let index = &self.index;
        let call = index.call.map(|slot| picked.scalar(slot, text));
        if picked.is_odd() || call.contains(&Scalar::Other) {
            return Come::All;
        }
        come.clear();
        let fields = Fields { paths: &index.paths, picked, text, unsure: Cell::new(false) };
        let consider = |clause: &Clause, come: &mut Vec<u32>| {
            if come.last() != Some(&clause.rule) && fields.row(rules, clause) != Holds::No {
                come.push(clause.rule);
            }
        };
        let known = match memo.get(&call) {
            Ok(known) => known,
            Err(place) => {
                index.of_call(rules, &call, buffers, clauses);
                memo.keep(place, &call, clauses);
                &*clauses
            }
        };
        known.iter().for_each(|id| consider(index.clause_at(*id), come));
        if !index.fields.is_empty() || !index.everywhere.is_empty() {
            clauses.clear();
            for field in &index.fields {
                let asked = picked.ask(field.slot, text, |values| {
                    values.iter().filter_map(Found::scalar).for_each(|value| field.of_text(value, literals, clauses));
                });
                if asked.is_none() {
                    clauses.extend(field.all());
                }
            }
            clauses.retain(|id| index::asks_for(rules, index.clause_at(*id), &call));
            clauses.extend(&index.everywhere);
            clauses.iter().for_each(|id| consider(index.clause_at(*id), come));
            come.sort_unstable();
            come.dedup();
        }
        come.retain(|rule| !fields.is_excepted(&rules[*rule as usize], index.exceptions(*rule)));
        if come.is_empty() { Come::None } else { Come::Some }
    }
}

/// The fields that were picked from a record.
struct Fields<'p> {
    paths: &'p Paths,
    picked: &'p Picked,
    text: &'p str,
    /// Whether something was asked for that is not known.
    unsure: Cell<bool>,
}

impl Fields<'_> {
    /// Whether a row of a rule holds, as far as it asks for more than the call.
    fn row(&self, rules: &[Rule], clause: &Clause) -> Holds {
        let row = &rules[clause.rule as usize].when.0[clause.row as usize];
        self.cells(&row.0, &clause.others)
    }

    fn cells(&self, cells: &[crate::rules::Cell], sources: &[(u16, Source)]) -> Holds {
        let mut holds = Holds::Yes;
        for (place, source) in sources {
            let cell = &cells[usize::from(*place)];
            let answer = match source {
                Source::Slot(slot) => {
                    self.picked.ask(*slot, self.text, |values| cell.condition.holds(values, Scope::Unread))
                }
                Source::Alias => {
                    self.unsure.set(false);
                    let value = alias(self, &cell.field.target).map(Found::Derived);
                    (!self.unsure.get()).then(|| cell.condition.holds(value.as_slice(), Scope::Unread))
                }
                Source::Record => None,
            };
            match answer {
                Some(true) => {}
                Some(false) => return Holds::No,
                None => holds = Holds::Unsure,
            }
        }
        holds
    }

    /// Whether an exception covers the record for certain.
    fn is_excepted(&self, rule: &Rule, exceptions: &[Vec<Clause>]) -> bool {
        rule.unless.iter().zip(exceptions).any(|(exception, clauses)| {
            self.unsure.set(false);
            let in_time = exception.is_in_time(self) && !self.unsure.get();
            let row = |clause: &Clause| &exception.when.0[clause.row as usize].0;
            in_time && clauses.iter().any(|clause| self.cells(row(clause), &clause.others) == Holds::Yes)
        })
    }
}

#[cfg(test)]
mod tests;
