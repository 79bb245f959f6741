//! Evaluates the records of a file straight from its text: no copy and no document of a record that matches nothing.

use std::ops::Range;

use super::asked;
use super::evaluate::{Come, Engine, Scratch};
use super::extract::Scalar;
use crate::cloudtrail::RawRecord;
use crate::cloudtrail::envelope::{self, NotARecord, Returned};
use crate::finding::Finding;
use crate::json::{Lexer, Next, NotJson};

/// JSON's white space.
const SPACE: [char; 4] = [' ', '\n', '\r', '\t'];

/// Evaluates files, one after the other. Each thread needs its own; it remembers what helps with the next file.
#[derive(Debug)]
pub struct Scanner<'r> {
    engine: &'r Engine,
    scratch: Box<Scratch>,
    /// Memory for what one file holds.
    hits: Vec<Hit>,
}

/// A record's place in its file, its bytes, and what it set off.
type Hit = (usize, Range<usize>, Result<Vec<Finding>, String>);

/// What a file held besides the records that were handed over.
#[derive(Debug, Default)]
pub struct Scanned {
    /// How many records.
    pub records: usize,
    /// What is not CloudTrail's.
    pub ignored: Vec<NotARecord>,
    /// What should have been a record, and cannot be read.
    pub unreadable: Vec<NotARecord>,
    /// Deliveries of our own that come back from a queue.
    pub deliveries: Vec<Returned>,
}

impl Engine {
    /// Evaluates files, on one thread.
    pub(crate) fn scanner(&self) -> Scanner<'_> {
        Scanner { engine: self, scratch: Box::default(), hits: Vec::new() }
    }
}

impl Scanner<'_> {
    /// As [`Engine::evaluate`], of a record's JSON text.
    ///
    /// # Errors
    /// Why the record cannot be read, safe to log.
    pub fn evaluate(&mut self, json: &str) -> Result<Vec<Finding>, String> {
        self.engine.evaluate_text(json, &mut self.scratch)
    }

    /// Picks a record's fields, as evaluating begins, and goes no further: what the benchmarks compare with. The identity,
    /// the service and the event.
    #[doc(hidden)]
    pub fn pick<'t>(&mut self, json: &'t str) -> [Option<&'t str>; 3] {
        let engine = self.engine;
        let picked = self.scratch.picked.pick(&engine.index.paths, &mut Lexer::new(json), json, 0).is_ok();
        engine.call.map(|slot| match self.scratch.picked.scalar(slot) {
            Scalar::Text(span) if picked => Some(span.raw(json)),
            _ => None,
        })
    }

    /// Remembers nothing, for the benchmarks.
    #[doc(hidden)]
    #[must_use]
    pub fn without_memo(mut self) -> Self {
        self.scratch.memo.turn_off();
        self
    }

    /// Evaluates every record of a text as [`envelope::open`] and [`Engine::evaluate`] do, in their order. Hands over the
    /// place, the JSON and the findings of each record that has any, or that cannot be read.
    pub fn scan(&mut self, text: &str, mut take: impl FnMut(usize, &str, Result<Vec<Finding>, String>)) -> Scanned {
        let hits = std::mem::take(&mut self.hits);
        let mut file = File { engine: self.engine, scratch: &mut self.scratch, text, hits, records: 0 };
        let is_plain = file.plain();
        let File { mut hits, records, .. } = file;
        let scanned = if is_plain {
            hits.drain(..).for_each(|(index, place, findings)| take(index, &text[place], findings));
            Scanned { records, ..Scanned::default() }
        } else {
            // Nothing has been handed over: the file is opened like any other.
            hits.clear();
            let envelope::Opened { records, ignored, unreadable, deliveries } = envelope::open(text);
            for RawRecord { json, index, .. } in &records {
                let findings = self.engine.evaluate_text(json, &mut self.scratch);
                if findings.as_ref().map_or(true, |findings| !findings.is_empty()) {
                    take(*index, json, findings);
                }
            }
            Scanned { records: records.len(), ignored, unreadable, deliveries }
        };
        self.hits = hits;
        scanned
    }
}

/// A file in one of the usual forms: CloudTrail's `{"Records":[…]}`, an array, or NDJSON; of records, and nothing else.
struct File<'f> {
    engine: &'f Engine,
    scratch: &'f mut Scratch,
    text: &'f str,
    hits: Vec<Hit>,
    records: usize,
}

impl File<'_> {
    /// Evaluates the file, if it has such a form.
    fn plain(&mut self) -> bool {
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

    /// `{"Records":[…]}`, and the place behind it, if it begins like one.
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
            let begin = start + (line.len() - line.trim_start_matches(SPACE).len());
            let end = start + line.trim_end_matches(SPACE).len();
            start += line.len();
            // A value may not go on into the next line.
            begin >= end || self.record(lexer, begin) == Some(end)
        })
    }

    /// Evaluates the record that begins here, and says where it ends; `None` if it is not plainly a record.
    fn record(&mut self, lexer: &mut Lexer<'_>, at: usize) -> Option<usize> {
        let engine = self.engine;
        let end = self.scratch.picked.pick(&engine.index.paths, lexer, self.text, at).ok()?;
        let marks = &engine.marks;
        let picked = &self.scratch.picked;
        let is_marked = marks.record.iter().any(|mark| picked.has(*mark));
        let is_wrapped = marks.wrapping.iter().any(|mark| picked.has(*mark));
        // The messages of S3 and SQS hold an `eventSource` of their own: `aws:s3`, `aws:sqs`.
        let of_another = match picked.scalar(engine.call[asked::SERVICE]) {
            Scalar::Missing => false,
            Scalar::Text(span) => span.raw(self.text).starts_with("aws:"),
            Scalar::Other => true,
        };
        if !is_marked || is_wrapped || of_another || picked.is_odd() {
            return None;
        }
        let findings = match engine.ask(self.text, self.scratch) {
            Ok(Come::None) => Ok(Vec::new()),
            Ok(come) => engine.finish(come, &self.text[at..end], self.scratch),
            Err(reason) => Err(reason),
        };
        if findings.as_ref().map_or(true, |findings| !findings.is_empty()) {
            self.hits.push((self.records, at..end, findings));
        }
        self.records += 1;
        Some(end)
    }
}
