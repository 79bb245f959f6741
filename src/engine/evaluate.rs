//! Evaluates the rules over one record: what can be ruled out cheaply is, and the rest is put to the simple engine.

#![allow(clippy::inline_always, reason = "every record comes through here")]

use std::cell::Cell;
use std::sync::{Mutex, OnceLock, PoisonError, TryLockError};

use super::asked::{self, Asked, Parted, Source};
use super::extract::{Paths, Picked, SlotId};
use super::index::{Buffers, Clause, ClauseId, Index, Marks};
use super::literals::LiteralId;
use super::memo::{Call, Known, Memo};
use super::rules::{LazyRules, RuleLoader, Rules};
use super::simple;
use crate::cloudtrail::{AliasSource, FieldValue, RawRecord, Record};
use crate::finding::Finding;
use crate::json::Lexer;
use crate::rules::{self, Row, Rule, Scope, computed};

/// The rules, and what rules them out for most records; made once, shared by threads.
#[derive(Debug)]
pub(crate) struct Engine {
    rules: Rules,
    pub(super) index: Index,
    /// Where the three parts of a call are picked.
    pub(super) call: [SlotId; 3],
    /// Whether every clause asks for a part of the call.
    asks_of_calls: bool,
    pub(super) marks: Marks,
    /// What each rule asks, by its place in the file; worked out when the rule first comes into question.
    asked: Box<[OnceLock<Asked>]>,
    /// The memory that [`Engine::evaluate`] used last.
    spare: Mutex<Option<Box<Scratch>>>,
}

/// What one thread needs for one record, and what it remembers of others.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) picked: Picked,
    pub(super) memo: Memo,
    /// The rules that have not been ruled out, ascending.
    rules: Vec<u32>,
    clauses: Vec<ClauseId>,
    literals: Vec<LiteralId>,
    buffers: Buffers,
}

/// Which rules come into question for a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Come {
    None,
    /// Those of [`Scratch::rules`].
    Some,
    /// Nothing is known.
    All,
}

impl Engine {
    /// Makes the index of the rules, which stand in the order of the file.
    pub(crate) fn new(rules: Vec<Rule>) -> Self {
        let (index, asked) = Index::of(&rules);
        let asked = asked.into_iter().map(|asked| asked.map_or_else(OnceLock::new, OnceLock::from)).collect();
        Self::from_parts(Rules::Compiled(rules), index, asked)
    }

    /// Of an index that was made before, and so many rules that `loader` compiles when they first come into question.
    pub(crate) fn from_index(index: Index, loader: Box<dyn RuleLoader>, rules: usize) -> Self {
        let asked = std::iter::repeat_with(OnceLock::new).take(rules).collect();
        Self::from_parts(Rules::Lazy(LazyRules::new(loader, rules)), index, asked)
    }

    fn from_parts(rules: Rules, index: Index, asked: Box<[OnceLock<Asked>]>) -> Self {
        let (call, marks) = (asked::call(&index.paths), Marks::of(&index.paths));
        let asks_of_calls = index.fields.is_empty() && index.everywhere.is_empty();
        Self { rules, index, call, asks_of_calls, marks, asked, spare: Mutex::default() }
    }

    /// The rules, in the order of the file. Those of a package are all compiled by asking for them; none if it is damaged.
    pub(crate) fn rules(&self) -> &[Rule] {
        self.rules.all().unwrap_or_default()
    }

    /// A rule by its number, in the order of the file.
    ///
    /// # Errors
    /// Why it cannot be compiled: its package is damaged.
    pub(crate) fn rule(&self, number: u32) -> Result<&Rule, String> {
        self.rules.get(number)
    }

    /// The rules that have been compiled so far. A rule may occur twice.
    pub(crate) fn compiled_rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.compiled()
    }

    /// The findings of a record that has been read whole, in the order of the rules: every rule is asked.
    pub(crate) fn evaluate_record(&self, record: &Record) -> Vec<Finding> {
        simple::findings(self.rules(), record)
    }

    /// The findings of one record, in the order of the rules.
    ///
    /// # Errors
    /// Why the record cannot be read (or, where the rules come from a damaged package, a rule), safe to log.
    pub(crate) fn evaluate(&self, raw: &RawRecord) -> Result<Vec<Finding>, String> {
        // One thread at a time finds the memory of the last; another takes its own.
        let spare = match self.spare.try_lock() {
            Ok(mut spare) => spare.take(),
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().take(),
            Err(TryLockError::WouldBlock) => None,
        };
        let mut scratch = spare.unwrap_or_default();
        let findings = self.evaluate_text(&raw.json, &mut scratch);
        *self.spare.lock().unwrap_or_else(PoisonError::into_inner) = Some(scratch);
        findings
    }

    pub(super) fn evaluate_text(&self, text: &str, scratch: &mut Scratch) -> Result<Vec<Finding>, String> {
        let mut lexer = Lexer::new(text);
        let start = lexer.space(0);
        let is_object = lexer.byte(start) == b'{';
        let end = scratch.picked.pick(&self.index.paths, &mut lexer, text, start).ok().filter(|_| is_object);
        let is_record = end.is_some_and(|end| lexer.is_at_end(end));
        // What is no record is told by whoever reads it whole.
        let come = if is_record { self.ask(text, scratch)? } else { Come::All };
        if come == Come::None { Ok(Vec::new()) } else { self.finish(come, text, scratch) }
    }

    /// Puts what has not been ruled out to the simple engine.
    #[inline(never)]
    pub(super) fn finish(&self, come: Come, record: &str, scratch: &Scratch) -> Result<Vec<Finding>, String> {
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

    /// The index.
    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    /// A clause's row, and what it asks.
    fn row(&self, Clause { rule, row }: Clause) -> Result<(&Row, &Parted), String> {
        let (whole, asked) = self.planned_rule(rule)?;
        Ok((&whole.when.0[row as usize], &asked.rows[row as usize]))
    }

    fn planned_rule(&self, number: u32) -> Result<(&Rule, &Asked), String> {
        let rule = self.rule(number)?;
        Ok((rule, self.asked[number as usize].get_or_init(|| Asked::of(rule, &self.index.paths, self.call))))
    }

    /// Which rules come into question for the record that has been picked from `text`.
    #[inline(always)]
    pub(super) fn ask(&self, text: &str, scratch: &mut Scratch) -> Result<Come, String> {
        let Some(call) = Call::of(&scratch.picked, self.call, text) else { return Ok(Come::All) };
        match scratch.memo.get(&call) {
            // Most calls: it ends here.
            Known::Nothing if self.asks_of_calls => Ok(Come::None),
            known => self.ask_on(known, &call, text, scratch),
        }
    }

    /// The same, by what is known of the record's call.
    #[inline(never)]
    fn ask_on(&self, known: Known, call: &Call<'_>, text: &str, scratch: &mut Scratch) -> Result<Come, String> {
        let Scratch { picked, memo, rules: come, clauses, literals, buffers } = scratch;
        let index = &self.index;
        come.clear();
        let fields = Fields { paths: &index.paths, picked, text, unsure: Cell::new(false) };
        let known = match known {
            Known::Nothing => &[],
            Known::Clauses(number) => memo.clauses(number),
            Known::No => {
                index.of_call(call, buffers, clauses);
                self.keep_asking(call, clauses)?;
                memo.keep(call, clauses);
                &*clauses
            }
        };
        for id in known {
            self.consider(*id, &fields, come)?;
        }
        if !self.asks_of_calls {
            clauses.clear();
            for field in &index.fields {
                let asked = picked.ask(field.slot, text, |values| {
                    values
                        .iter()
                        .filter_map(FieldValue::scalar)
                        .for_each(|value| field.of_text(value, literals, clauses));
                });
                if asked.is_none() {
                    clauses.extend(field.all());
                }
            }
            if !clauses.is_empty() {
                self.keep_asking(call, clauses)?;
            }
            for id in clauses.iter().chain(index.everywhere.iter()) {
                self.consider(*id, &fields, come)?;
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
            !self.planned_rule(*rule).is_ok_and(|(rule, asked)| fields.is_excepted(rule, &asked.exceptions))
        });
        Ok(if come.is_empty() { Come::None } else { Come::Some })
    }

    /// Keeps the clauses of which all that they ask of the call is true.
    fn keep_asking(&self, call: &Call<'_>, clauses: &mut Vec<ClauseId>) -> Result<(), String> {
        let mut fault = Ok(());
        clauses.retain(|id| match self.row(self.index.clause(*id)) {
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
    fn consider(&self, id: ClauseId, fields: &Fields<'_>, come: &mut Vec<u32>) -> Result<(), String> {
        let clause = self.index.clause(id);
        if come.last() != Some(&clause.rule) {
            let (row, parted) = self.row(clause)?;
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
    fn cells(&self, cells: &[rules::Cell], sources: &[(u16, Source)]) -> Holds {
        let mut holds = Holds::Yes;
        for (place, source) in sources {
            let cell = &cells[usize::from(*place)];
            let answer = match source {
                Source::Slot(slot) => {
                    self.picked.ask(*slot, self.text, |values| cell.condition.holds(values, Scope::ExtractedFields))
                }
                Source::Alias => {
                    self.unsure.set(false);
                    let value = computed(self, &cell.field.target).map(FieldValue::Scalar);
                    (!self.unsure.get()).then(|| cell.condition.holds(value.as_slice(), Scope::ExtractedFields))
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

impl AliasSource for Fields<'_> {
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
