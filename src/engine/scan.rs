//! Evaluates the records of a file straight from its text, without a copy or a document of a record that matches nothing.
//!
//! That takes a file in one of the usual forms. Any other is opened by [`envelope::open`], record by record; and the two ways
//! lead to the same findings, which a test of random files holds them to (`ruleset/tests.rs`).

use std::ops::Range;

use super::call;
use super::error::EvaluateError;
use super::evaluate::{Candidates, Engine, Scratch};
use super::extract::Scalar;
use super::matches::Matches;
use super::path_trie::{FieldId, TrieView};
use crate::cloudtrail::RawRecord;
use crate::cloudtrail::envelope::{self, NotARecord, RECORD_KEYS, Returned, WRAPPER_KEYS};
use crate::json::{Lexer, Next, NotJson, WHITE_SPACE};

/// Evaluates files, one after the other, on one thread.
///
/// A scanner remembers calls from one file to the next: a thread should have one for all its files.
#[derive(Debug)]
pub struct Scanner<'r> {
    engine: &'r Engine,
    envelope_keys: EnvelopeKeys,
    scratch: Box<Scratch>,
}

/// The keys at the top of a record whose presence tells what it is.
#[derive(Debug)]
struct EnvelopeKeys {
    /// [`RECORD_KEYS`]: those that only CloudTrail's records have.
    record: Vec<FieldId>,
    /// [`WRAPPER_KEYS`]: those of what a record may be wrapped in.
    wrapper: Vec<FieldId>,
}

/// A record's number in its file, its bytes, and what was made of its matches.
type Hit<T> = (usize, Range<usize>, Result<Vec<T>, EvaluateError>);

/// What a file held besides the records that were handed over.
#[derive(Debug, Default)]
pub struct Scanned {
    /// How many records, with those that matched nothing.
    pub records: usize,
    /// What is not CloudTrail's.
    pub ignored: Vec<NotARecord>,
    /// What should have been a record, and cannot be read.
    pub unreadable: Vec<NotARecord>,
    /// Deliveries of offlimits itself that come back from a queue.
    pub deliveries: Vec<Returned>,
}

impl Engine {
    /// Makes a scanner, for one thread.
    pub(crate) fn scanner(&self) -> Scanner<'_> {
        let envelope_keys = EnvelopeKeys::new(self.index.trie.view());
        Scanner { engine: self, envelope_keys, scratch: Box::default() }
    }
}

impl EnvelopeKeys {
    fn new(trie: TrieView<'_>) -> Self {
        let nodes = |keys: &[&str]| keys.iter().filter_map(|key| trie.node_at([*key])).collect();
        Self { record: nodes(&RECORD_KEYS), wrapper: nodes(&WRAPPER_KEYS) }
    }
}

impl Scanner<'_> {
    /// What `tell` makes of what a record matches, which is given as its JSON text; nothing where it matches nothing.
    ///
    /// # Errors
    /// The record cannot be read, or a rule cannot be loaded from its package.
    pub fn evaluate<T>(
        &mut self,
        json: &str,
        tell: impl FnOnce(&Matches<'_>) -> Vec<T>,
    ) -> Result<Vec<T>, EvaluateError> {
        self.engine.evaluate_text(json, None, &mut self.scratch, tell)
    }

    /// Extracts a record's fields, as evaluating begins, and goes no further: what the benchmarks compare with. Returns the
    /// identity, the service and the event.
    #[doc(hidden)]
    pub fn extract<'t>(&mut self, json: &'t str) -> [Option<&'t str>; 3] {
        let engine = self.engine;
        let is_read = self.scratch.extracted.extract(engine.index.trie.view(), &mut Lexer::new(json), json, 0).is_ok();
        engine.call.map(|field| match self.scratch.extracted.scalar(field) {
            Scalar::Text(span) if is_read => Some(span.raw(json)),
            _ => None,
        })
    }

    /// A scanner that remembers no calls, for the benchmarks.
    #[doc(hidden)]
    #[must_use]
    pub fn without_call_cache(mut self) -> Self {
        self.scratch.cache.disable();
        self
    }

    /// Evaluates every record of a file's text, in the order in which [`envelope::open`] finds them. `tell` says what is to be made of
    /// what a record matches, and may be asked in vain. `take` is called for each record of which something was made or which cannot be
    /// evaluated: with its number in the file, from 0, its JSON, and what was made.
    pub fn scan<T>(
        &mut self,
        text: &str,
        tell: impl Fn(&Matches<'_>) -> Vec<T>,
        mut take: impl FnMut(usize, &str, Result<Vec<T>, EvaluateError>),
    ) -> Scanned {
        let mut file = PlainFile {
            engine: self.engine,
            envelope_keys: &self.envelope_keys,
            scratch: &mut self.scratch,
            text,
            tell: &tell,
            hits: Vec::new(),
            records: 0,
        };
        let is_plain = file.evaluate();
        let PlainFile { hits, records, .. } = file;
        if is_plain {
            hits.into_iter().for_each(|(index, place, told)| take(index, &text[place], told));
            return Scanned { records, ..Scanned::default() };
        }
        // Nothing has been handed over yet.
        drop(hits);
        let envelope::Opened { records, ignored, unreadable, deliveries } = envelope::open(text);
        for RawRecord { json, index, account, .. } in &records {
            let told = self.engine.evaluate_text(json, account.as_deref(), &mut self.scratch, &tell);
            if told.as_ref().map_or(true, |told| !told.is_empty()) {
                take(*index, json, told);
            }
        }
        Scanned { records: records.len(), ignored, unreadable, deliveries }
    }
}

/// A file in one of the usual forms: CloudTrail's `{"Records":[…]}`, an array, or NDJSON; of records, and nothing else.
struct PlainFile<'f, T, M> {
    engine: &'f Engine,
    envelope_keys: &'f EnvelopeKeys,
    scratch: &'f mut Scratch,
    text: &'f str,
    /// Makes something of what a record matches.
    tell: &'f M,
    hits: Vec<Hit<T>>,
    /// The records so far.
    records: usize,
}

impl<T, M: Fn(&Matches<'_>) -> Vec<T>> PlainFile<'_, T, M> {
    /// Evaluates the file. Returns whether it has such a form; if not, what has been found so far means nothing.
    fn evaluate(&mut self) -> bool {
        let mut lexer = Lexer::new(self.text);
        let start = lexer.space(0);
        match lexer.byte(start) {
            b'[' => self.array(&mut lexer, start).is_ok_and(|end| lexer.is_at_end(end)),
            b'{' => match self.log_file(&mut lexer, start) {
                Ok(Some(end)) => lexer.is_at_end(end),
                Ok(None) => self.lines(&mut lexer),
                Err(NotJson) => false,
            },
            _ => false,
        }
    }

    /// Evaluates `{"Records":[…]}`, and returns the place behind it; `None` if the object does not begin like one.
    fn log_file(&mut self, lexer: &mut Lexer<'_>, start: usize) -> Result<Option<usize>, NotJson> {
        let Next::Part(at) = lexer.open(start) else { return Ok(None) };
        let Ok((key, at)) = lexer.key(at) else { return Ok(None) };
        if &self.text[key.inner] != "Records" || lexer.byte(at) != b'[' {
            return Ok(None);
        }
        let end = self.array(lexer, at)?;
        match lexer.next(end, b'}')? {
            Next::End(end) => Ok(Some(end)),
            Next::Part(_) => Err(NotJson),
        }
    }

    fn array(&mut self, lexer: &mut Lexer<'_>, start: usize) -> Result<usize, NotJson> {
        let mut next = lexer.open(start);
        loop {
            match next {
                Next::End(end) => return Ok(end),
                Next::Part(at) => {
                    let end = self.record(lexer, at).ok_or(NotJson)?;
                    next = lexer.next(end, b']')?;
                }
            }
        }
    }

    fn lines(&mut self, lexer: &mut Lexer<'_>) -> bool {
        let mut start = 0;
        self.text.split_inclusive('\n').all(|line| {
            let begin = start + (line.len() - line.trim_start_matches(WHITE_SPACE).len());
            let end = start + line.trim_end_matches(WHITE_SPACE).len();
            start += line.len();
            // A value may not go on into the next line.
            begin >= end || self.record(lexer, begin) == Some(end)
        })
    }

    /// Evaluates the record that begins here, and returns where it ends; `None` if it is not plainly a record.
    fn record(&mut self, lexer: &mut Lexer<'_>, at: usize) -> Option<usize> {
        // Fields are found below arrays as well, and an array may be the row of a query.
        if lexer.byte(at) != b'{' {
            return None;
        }
        let engine = self.engine;
        let end = self.scratch.extracted.extract(engine.index.trie.view(), lexer, self.text, at).ok()?;
        let extracted = &self.scratch.extracted;
        let is_record = self.envelope_keys.record.iter().any(|key| extracted.has_key(*key));
        let is_wrapper = self.envelope_keys.wrapper.iter().any(|key| extracted.has_key(*key));
        // The messages of S3 and SQS hold an `eventSource` of their own: `aws:s3`, `aws:sqs`.
        let is_of_another = match extracted.scalar(engine.call[call::SERVICE]) {
            Scalar::Missing => false,
            Scalar::Text(span) => span.raw(self.text).starts_with("aws:"),
            Scalar::Other => true,
        };
        if !is_record || is_wrapper || is_of_another || extracted.needs_full_parse() {
            return None;
        }
        let told = match engine.prefilter(self.text, None, self.scratch) {
            Ok(Candidates::None) => Ok(Vec::new()),
            Ok(some) => engine.evaluate_candidates(some, &self.text[at..end], None, self.scratch, self.tell),
            Err(error) => Err(error.into()),
        };
        if told.as_ref().map_or(true, |told| !told.is_empty()) {
            self.hits.push((self.records, at..end, told));
        }
        self.records += 1;
        Some(end)
    }
}
