//! Evaluates the rules over one record: it rules out cheaply what it can, and leaves the rest to the simple engine.
//!
//! The road of a record is [`Engine::evaluate`], `evaluate_text`, `prefilter` (which asks the call cache and, if need be, the
//! index and the plans) and `evaluate_candidates`, which calls [`simple::matches`].

#![allow(clippy::inline_always, reason = "every record comes through here")]

use std::sync::{Mutex, PoisonError, TryLockError};

use super::call::{CallKey, call_fields};
use super::call_cache::{CallCache, Lookup};
use super::candidate_index::{CandidateIndex, LookupBuffers};
use super::error::{EvaluateError, LoadError};
use super::extract::{Extracted, Scalar};
use super::index_builder;
use super::literals::LiteralId;
use super::matches::Matches;
use super::packed::numbers;
use super::path_trie::FieldId;
use super::plan::{ExtractedRecord, Holds, RowId, RowPlace, RowPlan, RulePlan};
use super::quiet_texts::QuietTexts;
use super::rules::{LazyRules, PerRule, RuleLoader, Rules};
use super::simple;
use crate::cloudtrail::{FieldValue, Names, RawRecord, Record};
use crate::finding::Finding;
use crate::json::Lexer;
use crate::rules::{Row, Rule};

/// The rules, and what rules them out for most records. It is made once, and threads share it.
#[derive(Debug)]
pub(crate) struct Engine {
    rules: Rules,
    /// What findings tell besides their record.
    names: Names,
    pub(super) index: CandidateIndex,
    /// The fields that are the parts of a call.
    pub(super) call: [FieldId; 3],
    /// [`CandidateIndex::all_rows_keyed_by_call`], which is asked for every record.
    all_rows_keyed_by_call: bool,
    /// How each rule is asked, by its place in the file. A rule is planned when it first comes into question.
    plans: PerRule<RulePlan>,
    /// The memory that [`Engine::evaluate`] used last.
    spare: Mutex<Option<Box<Scratch>>>,
}

/// The memory that one thread needs for one record, and what it remembers of the records before.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) extracted: Extracted,
    pub(super) cache: CallCache,
    /// Of each of [`CandidateIndex::fields`]; none where they are not remembered.
    pub(super) quiet_texts: Vec<QuietTexts>,
    /// The rules that have not been ruled out: by their places in the file, ascending.
    rules: Vec<u32>,
    rows: Vec<RowId>,
    literals: Vec<LiteralId>,
    buffers: LookupBuffers,
}

/// The rules that may match a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Candidates {
    /// No rule may match: the record has no findings.
    None,
    /// The rules in [`Scratch::rules`] may match.
    Listed,
    /// Every rule may match: the record is of a kind that is not judged here.
    All,
}

impl Engine {
    /// Makes the engine of rules that have been compiled, in the order of the file.
    pub(crate) fn new(rules: Vec<Rule>) -> Self {
        let (index, plans) = index_builder::build(&rules);
        Self::from_parts(Rules::Compiled(rules), index, plans.into())
    }

    /// Makes the engine of an index that was made before, and of as many rules, which `loader` compiles when they first come
    /// into question.
    pub(crate) fn from_index(index: CandidateIndex, loader: Box<dyn RuleLoader>, rules: usize) -> Self {
        Self::from_parts(Rules::Lazy(LazyRules::new(loader, rules)), index, PerRule::new(rules))
    }

    fn from_parts(rules: Rules, index: CandidateIndex, plans: PerRule<RulePlan>) -> Self {
        let (call, all_rows_keyed_by_call) = (call_fields(index.trie.view()), index.all_rows_keyed_by_call());
        Self { rules, names: Names::default(), index, call, all_rows_keyed_by_call, plans, spare: Mutex::default() }
    }

    /// The same with what findings tell besides their record.
    pub(crate) fn with_names(self, names: Names) -> Self {
        Self { names, ..self }
    }

    /// What findings tell besides their record.
    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// The rules, in the order of the file. To ask for those of a package compiles them all; of a damaged one there are none.
    pub(crate) fn rules(&self) -> &[Rule] {
        self.rules.all().unwrap_or_default()
    }

    /// The rule of this number, from 0 in the order of the file.
    ///
    /// # Errors
    /// The rules come from a package, and this one cannot be loaded.
    pub(crate) fn rule(&self, number: u32) -> Result<&Rule, LoadError> {
        self.rules.get(number)
    }

    /// The rules that have been compiled so far. A rule may occur twice.
    pub(crate) fn compiled_rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.compiled()
    }

    /// The index, so that a package can hold it.
    pub(crate) fn index(&self) -> &CandidateIndex {
        &self.index
    }

    /// The findings of a record that has been parsed, in the order of the rules. Every rule is asked.
    pub(crate) fn evaluate_record(&self, record: &Record) -> Vec<Finding> {
        simple::matches(self.rules(), record, self.names()).findings()
    }

    /// The findings of one record, in the order of the rules.
    ///
    /// # Errors
    /// The record cannot be read, or a rule cannot be loaded from its package.
    pub(crate) fn evaluate(&self, raw: &RawRecord) -> Result<Vec<Finding>, EvaluateError> {
        // One thread at a time finds the memory of the one before; another takes its own.
        let spare = match self.spare.try_lock() {
            Ok(mut spare) => spare.take(),
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().take(),
            Err(TryLockError::WouldBlock) => None,
        };
        let mut scratch = spare.unwrap_or_default();
        #[expect(clippy::redundant_closure_for_method_calls, reason = "the method itself is of one lifetime")]
        let findings =
            self.evaluate_text(&raw.json, raw.account.as_deref(), &mut scratch, |matches| matches.findings());
        *self.spare.lock().unwrap_or_else(PoisonError::into_inner) = Some(scratch);
        findings
    }

    /// As [`Engine::evaluate`], for a record's JSON text and its envelope's account, with memory that the caller provides, and what
    /// `tell` makes of the matches. It may be asked in vain.
    pub(super) fn evaluate_text<T>(
        &self,
        text: &str,
        account: Option<&str>,
        scratch: &mut Scratch,
        tell: impl FnOnce(&Matches<'_, '_>) -> Vec<T>,
    ) -> Result<Vec<T>, EvaluateError> {
        match self.candidates(text, account, scratch)? {
            Candidates::None => Ok(Vec::new()),
            some => self.evaluate_candidates(some, text, account, scratch, tell),
        }
    }

    /// The rules that may match the record of this text.
    fn candidates(&self, text: &str, account: Option<&str>, scratch: &mut Scratch) -> Result<Candidates, LoadError> {
        let mut lexer = Lexer::new(text);
        let start = lexer.space(0);
        let is_object = lexer.byte(start) == b'{';
        let end = scratch.extracted.extract(self.index.trie.view(), &mut lexer, text, start).ok().filter(|_| is_object);
        let is_record = end.is_some_and(|end| lexer.is_at_end(end));
        // What is not a record is told by whoever parses it.
        if !is_record {
            return Ok(Candidates::All);
        }
        match self.prefilter(text, account, scratch)? {
            Candidates::All => self.candidates_of_odd(text, account, scratch),
            some => Ok(some),
        }
    }

    /// The same for a record that the walk cannot judge as it is written: with a key or a call that is escaped, or a key that is repeated.
    /// Most of these it can judge as we write them; of what is left (nested too deep, or with a list for a call) every rule is asked.
    #[inline(never)]
    fn candidates_of_odd(
        &self,
        text: &str,
        account: Option<&str>,
        scratch: &mut Scratch,
    ) -> Result<Candidates, LoadError> {
        let Ok(record) = Record::parse(text) else { return Ok(Candidates::All) };
        let plain = record.root().canonical();
        let extracted = scratch.extracted.extract(self.index.trie.view(), &mut Lexer::new(&plain), &plain, 0);
        if extracted.is_ok() { self.prefilter(&plain, account, scratch) } else { Ok(Candidates::All) }
    }

    /// Leaves what has not been ruled out to the simple engine, and what matches to `tell`.
    #[inline(never)]
    pub(super) fn evaluate_candidates<T>(
        &self,
        candidates: Candidates,
        record: &str,
        account: Option<&str>,
        scratch: &Scratch,
        tell: impl FnOnce(&Matches<'_, '_>) -> Vec<T>,
    ) -> Result<Vec<T>, EvaluateError> {
        if matches!(candidates, Candidates::None) {
            return Ok(Vec::new());
        }
        let record = Record::parse(record)?.in_envelope_of(account);
        let rules: Vec<&Rule> = match candidates {
            Candidates::All => self.rules.those(|rule| rule.matched_row(&record).is_some())?,
            _ => scratch.rules.iter().map(|rule| self.rules.get(*rule)).collect::<Result<_, _>>()?,
        };
        Ok(tell(&simple::matches(rules, &record, self.names())))
    }

    /// The rules that may match the record that has been extracted from `text`.
    #[inline(always)]
    pub(super) fn prefilter(
        &self,
        text: &str,
        account: Option<&str>,
        scratch: &mut Scratch,
    ) -> Result<Candidates, LoadError> {
        let Some(call) = CallKey::from_extracted(&scratch.extracted, self.call, text) else {
            return Ok(Candidates::All);
        };
        match scratch.cache.get(&call) {
            // Most calls: it ends here.
            Lookup::HitEmpty if self.all_rows_keyed_by_call => Ok(Candidates::None),
            lookup => self.prefilter_slow(lookup, &call, (text, account), scratch),
        }
    }

    /// The rules that may match the record, where the cache alone does not tell. `lookup` is what the cache has of its call.
    #[inline(never)]
    fn prefilter_slow(
        &self,
        lookup: Lookup,
        call: &CallKey<'_>,
        (text, account): (&str, Option<&str>),
        scratch: &mut Scratch,
    ) -> Result<Candidates, LoadError> {
        let Scratch { extracted, cache, quiet_texts, rules, rows, literals, buffers } = scratch;
        let index = &self.index;
        rules.clear();
        let record = ExtractedRecord::new(index.trie.view(), extracted, (text, account));
        let of_call = match lookup {
            Lookup::HitEmpty => &[],
            Lookup::Hit(entry) => cache.rows(entry),
            Lookup::Miss => {
                index.rows_for_call(call, buffers, rows);
                self.retain_matching_calls(call, rows)?;
                cache.insert(call, rows);
                &*rows
            }
        };
        for row in of_call {
            self.push_candidate(*row, &record, rules)?;
        }
        if !self.all_rows_keyed_by_call {
            rows.clear();
            for (place, field) in index.fields.iter().enumerate() {
                let mut quiet = quiet_texts.get_mut(place);
                if let (Some(quiet), Scalar::Text(span)) = (&quiet, extracted.scalar(field.field))
                    && quiet.has(span.raw(text).as_bytes())
                {
                    continue;
                }
                let known = extracted.with_values(field.field, text, |values| {
                    let before = rows.len();
                    let texts = || values.iter().filter_map(FieldValue::scalar);
                    texts().for_each(|value| field.rows_for_text(value, literals, rows));
                    if let (Some(quiet), true, [FieldValue::Scalar(text)]) = (&mut quiet, rows.len() == before, values)
                    {
                        quiet.add(text.as_bytes());
                    }
                });
                if known.is_none() {
                    rows.extend(field.all_rows());
                }
            }
            if !rows.is_empty() {
                self.retain_matching_calls(call, rows)?;
            }
            for row in rows.iter().copied().chain(numbers(&index.unindexed)) {
                self.push_candidate(row, &record, rules)?;
            }
            if rules.len() > 1 {
                rules.sort_unstable();
                rules.dedup();
            }
        }
        if rules.is_empty() {
            return Ok(Candidates::None);
        }
        // A rule that cannot be loaded stays, and is reported when it is evaluated.
        rules.retain(|rule| !self.planned_rule(*rule).is_ok_and(|(rule, plan)| plan.is_excepted(rule, &record)));
        Ok(if rules.is_empty() { Candidates::None } else { Candidates::Listed })
    }

    /// Keeps those rows whose conditions on the call are all true.
    fn retain_matching_calls(&self, call: &CallKey<'_>, rows: &mut Vec<RowId>) -> Result<(), LoadError> {
        let mut fault = Ok(());
        rows.retain(|id| match self.planned_row(self.index.row(*id)) {
            Ok((row, plan)) => plan.matches_call(row, call),
            Err(error) => {
                fault = Err(error);
                false
            }
        });
        fault
    }

    /// Adds a row's rule to `rules`, unless a field rules the row out.
    #[inline]
    fn push_candidate(&self, id: RowId, record: &ExtractedRecord<'_>, rules: &mut Vec<u32>) -> Result<(), LoadError> {
        let place = self.index.row(id);
        if rules.last() != Some(&place.rule) {
            let (row, plan) = self.planned_row(place)?;
            if record.other_cells_hold(row, plan) != Holds::No {
                rules.push(place.rule);
            }
        }
        Ok(())
    }

    fn planned_row(&self, RowPlace { rule, row }: RowPlace) -> Result<(&Row, &RowPlan), LoadError> {
        let (rule, plan) = self.planned_rule(rule)?;
        Ok((&rule.when.0[row as usize], &plan.rows[row as usize]))
    }

    fn planned_rule(&self, number: u32) -> Result<(&Rule, &RulePlan), LoadError> {
        let rule = self.rule(number)?;
        let plan = self.plans.place(number);
        Ok((rule, plan.get_or_init(|| RulePlan::new(rule, self.index.trie.view(), self.call))))
    }
}
