//! Evaluates the rules over one record.
//!
//! Nearly every record matches nothing, and that is found out without reading it whole:
//! ```text
//! text → extract: the fields that rules name → memo, else index: the clauses that come into question
//!      → what they ask of the fields → exceptions → the simple engine, of the rules that are left
//! ```
//! [`simple`] alone makes findings. All that stands before it only rules rules out, and only where it is sure; a record
//! with anything unusual in it goes straight there. So the answer is always the simple engine's, and a random test of both
//! holds them to it (`tests.rs`).

#![allow(clippy::inline_always, reason = "every record comes through here")]

mod asked;
mod call;
mod extract;
mod flat;
mod hash;
mod index;
mod literals;
mod memo;
mod scan;
mod simple;

use std::cell::Cell;
use std::sync::{Mutex, OnceLock, PoisonError, TryLockError};

use self::asked::{Asked, Parted, Source};
use self::extract::{Paths, Picked, SlotId};
pub(crate) use self::flat::Words;
pub(crate) use self::hash::sum;
pub(crate) use self::index::Index;
use self::index::{Buffers, Clause, ClauseId, Marks};
use self::literals::LiteralId;
use self::memo::{Call, Known, Memo};
pub use self::scan::{Scanned, Scanner};
use crate::finding::Finding;
use crate::json::Lexer;
use crate::record::{Facts, Found, RawRecord, Record, Scope, alias};
use crate::rules::{Row, Rule, RuleSet, Rules};

/// JSON's white space.
const SPACE: [char; 4] = [' ', '\n', '\r', '\t'];

impl RuleSet {
    /// The findings of one record, in the order of the rules.
    ///
    /// # Errors
    /// Why the record cannot be read (or, where the rules come from a damaged package, a rule), safe to log.
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
        let mut lexer = Lexer::new(text);
        let start = lexer.space(0);
        let is_object = lexer.byte(start) == b'{';
        let end = scratch.picked.pick(&self.engine.index.paths, &mut lexer, text, start).ok().filter(|_| is_object);
        let is_record = end.is_some_and(|end| lexer.is_at_end(end));
        // What is no record is told by whoever reads it whole.
        let come = if is_record { self.engine.ask(&self.rules, text, scratch)? } else { Come::All };
        if come == Come::None { Ok(Vec::new()) } else { self.finish(come, text, scratch) }
    }

    /// Puts what has not been ruled out to the simple engine.
    #[inline(never)]
    fn finish(&self, come: Come, record: &str, scratch: &Scratch) -> Result<Vec<Finding>, String> {
        match come {
            Come::None => Ok(Vec::new()),
            Come::Some => {
                let rules: Vec<&Rule> =
                    scratch.rules.iter().map(|rule| self.rules.get(*rule)).collect::<Result<_, _>>()?;
                Ok(simple::findings(rules, &Record::parse(record)?))
            }
            Come::All => Ok(simple::findings(self.rules.all()?, &Record::parse(record)?)),
        }
    }
}

/// What stands before the simple engine: made of the rules once, shared by threads.
#[derive(Debug)]
pub(crate) struct Engine {
    index: Index,
    /// Where the three parts of a call are picked.
    call: [SlotId; 3],
    /// Whether every clause asks for a part of the call.
    asks_of_calls: bool,
    marks: Marks,
    /// What each rule asks, by its place in the file; worked out when the rule first comes into question.
    asked: Box<[OnceLock<Asked>]>,
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

impl Engine {
    /// Of the rules of a set, in their order.
    pub(crate) fn of(rules: &[Rule]) -> Self {
        let (index, asked) = Index::of(rules);
        Self::new(index, asked.into_iter().map(|asked| asked.map_or_else(OnceLock::new, OnceLock::from)).collect())
    }

    /// Of the index of so many rules.
    pub(crate) fn of_index(index: Index, rules: usize) -> Self {
        Self::new(index, std::iter::repeat_with(OnceLock::new).take(rules).collect())
    }

    fn new(index: Index, asked: Box<[OnceLock<Asked>]>) -> Self {
        let (call, marks) = (asked::call(&index.paths), Marks::of(&index.paths));
        let asks_of_calls = index.fields.is_empty() && index.everywhere.is_empty();
        Self { index, call, asks_of_calls, marks, asked, spare: Mutex::default() }
    }

    /// The index.
    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    /// A clause's row, and what it asks.
    fn row<'e>(&'e self, rules: &'e Rules, Clause { rule, row }: Clause) -> Result<(&'e Row, &'e Parted), String> {
        let (whole, asked) = self.rule(rules, rule)?;
        Ok((&whole.when.0[row as usize], &asked.rows[row as usize]))
    }

    fn rule<'e>(&'e self, rules: &'e Rules, number: u32) -> Result<(&'e Rule, &'e Asked), String> {
        let rule = rules.get(number)?;
        Ok((rule, self.asked[number as usize].get_or_init(|| Asked::of(rule, &self.index.paths, self.call))))
    }

    /// Which rules come into question for the record that has been picked from `text`.
    #[inline(always)]
    fn ask(&self, rules: &Rules, text: &str, scratch: &mut Scratch) -> Result<Come, String> {
        let Some(call) = Call::of(&scratch.picked, self.call, text) else { return Ok(Come::All) };
        match scratch.memo.get(&call) {
            // Most calls: it ends here.
            Known::Nothing if self.asks_of_calls => Ok(Come::None),
            known => self.ask_on(known, &call, rules, text, scratch),
        }
    }

    /// The same, by what is known of the record's call.
    #[inline(never)]
    fn ask_on(
        &self,
        known: Known,
        call: &Call<'_>,
        rules: &Rules,
        text: &str,
        scratch: &mut Scratch,
    ) -> Result<Come, String> {
        let Scratch { picked, memo, rules: come, clauses, literals, buffers } = scratch;
        let index = &self.index;
        come.clear();
        let fields = Fields { paths: &index.paths, picked, text, unsure: Cell::new(false) };
        let known = match known {
            Known::Nothing => &[],
            Known::Clauses(number) => memo.clauses(number),
            Known::No => {
                index.of_call(call, buffers, clauses);
                self.keep_asking(rules, call, clauses)?;
                memo.keep(call, clauses);
                &*clauses
            }
        };
        for id in known {
            self.consider(rules, *id, &fields, come)?;
        }
        if !self.asks_of_calls {
            clauses.clear();
            for field in &index.fields {
                let asked = picked.ask(field.slot, text, |values| {
                    values.iter().filter_map(Found::scalar).for_each(|value| field.of_text(value, literals, clauses));
                });
                if asked.is_none() {
                    clauses.extend(field.all());
                }
            }
            if !clauses.is_empty() {
                self.keep_asking(rules, call, clauses)?;
            }
            for id in clauses.iter().chain(index.everywhere.iter()) {
                self.consider(rules, *id, &fields, come)?;
            }
            if come.len() > 1 {
                come.sort_unstable();
                come.dedup();
            }
        }
        if come.is_empty() {
            return Ok(Come::None);
        }
        // A rule that cannot be had is told of later.
        come.retain(|rule| {
            !self.rule(rules, *rule).is_ok_and(|(rule, asked)| fields.is_excepted(rule, &asked.exceptions))
        });
        Ok(if come.is_empty() { Come::None } else { Come::Some })
    }

    /// Keeps the clauses of which all that they ask of the call is true.
    fn keep_asking(&self, rules: &Rules, call: &Call<'_>, clauses: &mut Vec<ClauseId>) -> Result<(), String> {
        let mut fault = Ok(());
        clauses.retain(|id| match self.row(rules, self.index.clause(*id)) {
            Ok((row, parted)) => parted.asks_for(row, call),
            Err(reason) => {
                fault = Err(reason);
                false
            }
        });
        fault
    }

    /// Adds a clause's rule to `come`, unless a field rules it out.
    #[inline]
    fn consider(&self, rules: &Rules, id: ClauseId, fields: &Fields<'_>, come: &mut Vec<u32>) -> Result<(), String> {
        let clause = self.index.clause(id);
        if come.last() != Some(&clause.rule) {
            let (row, parted) = self.row(rules, clause)?;
            if fields.cells(&row.0, &parted.others) != Holds::No {
                come.push(clause.rule);
            }
        }
        Ok(())
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

/// Whether a row holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    No,
    Yes,
    /// Only the whole record tells.
    Unsure,
}

impl Fields<'_> {
    /// Whether cells hold, as far as is known.
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
    fn is_excepted(&self, rule: &Rule, exceptions: &[Box<[Parted]>]) -> bool {
        rule.unless.iter().zip(exceptions).any(|(exception, rows)| {
            self.unsure.set(false);
            let in_time = exception.is_in_time(self) && !self.unsure.get();
            let mut rows = exception.when.0.iter().zip(rows);
            in_time && rows.any(|(row, parted)| self.cells(&row.0, &parted.others) == Holds::Yes)
        })
    }
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

#[cfg(test)]
mod tests;
