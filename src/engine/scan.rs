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
use super::quiet_texts::QuietTexts;
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
    /// [`HELD`]; tests have less.
    held: usize,
}

/// The keys at the top of a record whose presence tells what it is.
#[derive(Debug)]
struct EnvelopeKeys {
    /// [`RECORD_KEYS`]: those that only CloudTrail's records have.
    record: Vec<FieldId>,
    /// [`WRAPPER_KEYS`]: those of what a record may be wrapped in.
    wrapper: Vec<FieldId>,
}

/// What is made of matches that is held back, before a file is known to be plain to its end.
const HELD: usize = 1024;

/// A record's number in its file, its bytes, and what was made of its matches.
type Hit<T> = (usize, Range<usize>, Result<Vec<T>, EvaluateError>);

/// How far the elements of a list are plain records, which have been handed over.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct ScannedElements {
    /// How many there are, with those that matched nothing.
    pub records: usize,
    /// Where the comma behind the last of them stands, or the bracket that ends the list; 0 where not even the first is one.
    pub end: usize,
}

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
        let mut scratch = Box::<Scratch>::default();
        scratch.extracted.remember_keys(self.index.trie.view().len());
        scratch.quiet_texts.resize_with(self.index.fields.len(), QuietTexts::default);
        Scanner { engine: self, envelope_keys, scratch, held: HELD }
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
        tell: impl FnOnce(&Matches<'_, '_>) -> Vec<T>,
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
        self.scratch.quiet_texts.clear();
        self
    }

    /// A scanner that holds so little back.
    #[cfg(test)]
    pub(crate) fn holding(self, held: usize) -> Self {
        Self { held, ..self }
    }

    /// Evaluates every record of a file's text, in the order in which [`envelope::open`] finds them. `tell` says what is to be made of
    /// what a record matches, and may be asked in vain. `take` is called for each record of which something was made or which cannot be
    /// evaluated: with its number in the file, from 0, its JSON, and what was made. Of a large file it is called while the file is being
    /// evaluated, so that memory does not grow with what is found.
    pub fn scan<T>(
        &mut self,
        text: &str,
        tell: impl Fn(&Matches<'_, '_>) -> Vec<T>,
        mut take: impl FnMut(usize, &str, Result<Vec<T>, EvaluateError>),
    ) -> Scanned {
        let Self { engine, envelope_keys, scratch, held } = self;
        let file = PlainFile { engine, envelope_keys, text };
        let (mut hits, mut made, mut records, mut is_known) = (Vec::<Hit<T>>::new(), 0, 0, false);
        let mut hand_over = |hits: &mut Vec<Hit<T>>| {
            hits.drain(..).for_each(|(index, place, told)| take(index, &text[place], told));
        };
        let is_plain = file.each_record(scratch, &mut |scratch, place| {
            let told = file.told(scratch, place.clone(), &tell);
            let count = told.as_ref().map_or(1, Vec::len);
            if count > 0 {
                made += count;
                hits.push((records, place, told));
            }
            records += 1;
            if made > *held {
                // What has been handed over cannot be taken back, so the rest is looked through first.
                is_known = is_known || file.each_record(scratch, &mut |_, _| true);
                if !is_known {
                    return false;
                }
                hand_over(&mut hits);
                made = 0;
            }
            true
        });
        if is_plain {
            hand_over(&mut hits);
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

    /// Evaluates the first elements of a list, as far as they are plain records: what follows, [`Self::scan`] may be asked about.
    /// `text` begins with the list's bracket or with a comma between its elements, and may break off anywhere. `tell` and `take` are
    /// [`Self::scan`]'s.
    pub fn scan_elements<T>(
        &mut self,
        text: &str,
        tell: impl Fn(&Matches<'_, '_>) -> Vec<T>,
        mut take: impl FnMut(usize, &str, Result<Vec<T>, EvaluateError>),
    ) -> ScannedElements {
        let Self { engine, envelope_keys, scratch, .. } = self;
        let file = PlainFile { engine, envelope_keys, text };
        let (mut lexer, mut scanned) = (Lexer::new(text), ScannedElements::default());
        let mut next = if lexer.byte(0) == b'[' { lexer.open(0) } else { Next::Part(lexer.space(1)) };
        while let Next::Part(at) = next {
            let mut hit = None;
            let visit = &mut |scratch: &mut Scratch, place: Range<usize>| {
                let told = file.told(scratch, place.clone(), &tell);
                if told.as_ref().map_or(true, |told| !told.is_empty()) {
                    hit = Some((place, told));
                }
                true
            };
            let Some(end) = file.record(&mut lexer, at, &mut Walk { scratch, visit }) else { return scanned };
            // Not before it is known that it ends there.
            let Ok(following) = lexer.next(end, b']') else { return scanned };
            if let Some((place, told)) = hit {
                take(scanned.records, &text[place], told);
            }
            scanned = ScannedElements { records: scanned.records + 1, end: lexer.space(end) };
            next = following;
        }
        if let Next::End(end) = next {
            scanned.end = end - 1;
        }
        scanned
    }
}

/// A file in one of the usual forms: CloudTrail's `{"Records":[…]}`, an array, or NDJSON; of records, and nothing else.
struct PlainFile<'f> {
    engine: &'f Engine,
    envelope_keys: &'f EnvelopeKeys,
    text: &'f str,
}

/// Is given each record's place in the text, while what was extracted of it is at hand; whether to go on.
type VisitRecord<'v> = dyn FnMut(&mut Scratch, Range<usize>) -> bool + 'v;

impl PlainFile<'_> {
    /// What is made of what the record matches that stands here, and has just been extracted.
    #[inline]
    fn told<T>(
        &self,
        scratch: &mut Scratch,
        place: Range<usize>,
        tell: &impl Fn(&Matches<'_, '_>) -> Vec<T>,
    ) -> Result<Vec<T>, EvaluateError> {
        match self.engine.prefilter(self.text, None, scratch) {
            Ok(Candidates::None) => Ok(Vec::new()),
            Ok(some) => self.engine.evaluate_candidates(some, &self.text[place], None, scratch, tell),
            Err(error) => Err(error.into()),
        }
    }

    /// Visits every record. Returns whether the file has such a form, and was not left; if not, what has been visited means nothing.
    fn each_record(&self, scratch: &mut Scratch, visit: &mut VisitRecord<'_>) -> bool {
        let mut lexer = Lexer::new(self.text);
        let start = lexer.space(0);
        let walk = &mut Walk { scratch, visit };
        match lexer.byte(start) {
            b'[' => self.array(&mut lexer, start, walk).is_ok_and(|end| lexer.is_at_end(end)),
            b'{' => match self.log_file(&mut lexer, start, walk) {
                Ok(Some(end)) => lexer.is_at_end(end),
                Ok(None) => self.lines(&mut lexer, walk),
                Err(NotJson) => false,
            },
            _ => false,
        }
    }

    /// Visits the records of `{"Records":[…]}`, and returns the place behind it; `None` if the object does not begin like one.
    fn log_file(&self, lexer: &mut Lexer<'_>, start: usize, walk: &mut Walk<'_, '_>) -> Result<Option<usize>, NotJson> {
        let Next::Part(at) = lexer.open(start) else { return Ok(None) };
        let Ok((key, at)) = lexer.key(at) else { return Ok(None) };
        if &self.text[key.inner] != "Records" || lexer.byte(at) != b'[' {
            return Ok(None);
        }
        let end = self.array(lexer, at, walk)?;
        match lexer.next(end, b'}')? {
            Next::End(end) => Ok(Some(end)),
            Next::Part(_) => Err(NotJson),
        }
    }

    fn array(&self, lexer: &mut Lexer<'_>, start: usize, walk: &mut Walk<'_, '_>) -> Result<usize, NotJson> {
        let mut next = lexer.open(start);
        loop {
            match next {
                Next::End(end) => return Ok(end),
                Next::Part(at) => {
                    let end = self.record(lexer, at, walk).ok_or(NotJson)?;
                    next = lexer.next(end, b']')?;
                }
            }
        }
    }

    fn lines(&self, lexer: &mut Lexer<'_>, walk: &mut Walk<'_, '_>) -> bool {
        let mut start = 0;
        self.text.split_inclusive('\n').all(|line| {
            let begin = start + (line.len() - line.trim_start_matches(WHITE_SPACE).len());
            let end = start + line.trim_end_matches(WHITE_SPACE).len();
            start += line.len();
            // A value may not go on into the next line.
            begin >= end || self.record(lexer, begin, walk) == Some(end)
        })
    }

    /// Visits the record that begins here, and returns where it ends; `None` if it is not plainly a record, or the file is left.
    fn record(&self, lexer: &mut Lexer<'_>, at: usize, Walk { scratch, visit }: &mut Walk<'_, '_>) -> Option<usize> {
        // Fields are found below arrays as well, and an array may be the row of a query.
        if lexer.byte(at) != b'{' {
            return None;
        }
        let engine = self.engine;
        let end = scratch.extracted.extract(engine.index.trie.view(), lexer, self.text, at).ok()?;
        let extracted = &scratch.extracted;
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
        visit(scratch, at..end).then_some(end)
    }
}

/// What a walk through a file takes along.
struct Walk<'w, 'v> {
    scratch: &'w mut Scratch,
    visit: &'w mut VisitRecord<'v>,
}
