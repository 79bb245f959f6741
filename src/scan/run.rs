//! A scan: every input on its way from bytes to records, on several threads.

use std::borrow::Cow;
use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::batch::Batches;
use super::gzip::Damage;
use super::input::Input;
use super::pool;
use super::split::Documents;
use super::unpack::Unpacker;
use super::visit::{RecordVisitor, ScanEvent};
use crate::cloudtrail::envelope::NotARecord;
use crate::engine::Scanned;

/// How a scan is done. [`Scan::run`] does it.
#[derive(Debug)]
pub struct Scan<'s> {
    /// How many inputs are read at a time.
    pub threads: NonZero<usize>,
    /// Once it is set no further input is begun, and of a large one no further part.
    pub stop: &'s AtomicBool,
    /// Counts the bytes that have been read, compressed as they are stored: for a progress bar.
    pub bytes: &'s AtomicU64,
}

/// As many threads as this machine has cores for this process; one, where that cannot be known.
pub fn all_cores() -> NonZero<usize> {
    thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

impl Scan<'_> {
    /// Reads every input and hands `take` each [`ScanEvent`], on the caller's thread. What cannot be read is an event too, and
    /// the scan goes on.
    ///
    /// # Errors
    /// Those of `take`, which end the scan.
    pub fn run<W: RecordVisitor>(
        &self,
        inputs: impl Iterator<Item = Input> + Send,
        work: &W,
        take: impl FnMut(ScanEvent<W::Output>) -> io::Result<()>,
    ) -> io::Result<()> {
        let is_stopped = || self.stop.load(Ordering::Relaxed);
        let read = |(unpacker, state): &mut (Unpacker, W::State), input: Input, events: &mut pool::Sender<_>| {
            if let Input::Skipped(name, service) = input {
                return events.send(ScanEvent::Skipped { input: name.into(), service });
            }
            let (name, stop) = (Arc::from(input.to_string()), self.stop);
            let mut reader = InputReader { work, state, input: name, records: 0, is_cut_short: false, stop, events };
            if let Err(error) = reader.read(unpacker, input, self.bytes) {
                reader.report_unreadable(None, error.to_string());
            }
            let InputReader { input, records, is_cut_short, .. } = reader;
            let is_done = !is_cut_short;
            events.send(if is_done {
                ScanEvent::Done { input, records }
            } else {
                ScanEvent::Stopped { input, records }
            });
        };
        let read_all = |state: &mut (Unpacker, W::State), batch: Vec<Input>, events: &mut pool::Sender<_>| {
            // The first was begun when the batch was taken.
            for (place, input) in batch.into_iter().enumerate() {
                if events.is_closed() || (place > 0 && is_stopped()) {
                    break;
                }
                read(state, input, events);
            }
        };
        let batches = Batches::new(inputs.take_while(|_| !is_stopped()));
        pool::in_order(self.threads, batches, || (Unpacker::new(), work.state()), read_all, take)
    }
}

/// Reads one input, on the thread that took it.
struct InputReader<'r, W: RecordVisitor> {
    work: &'r W,
    state: &'r mut W::State,
    input: Arc<str>,
    /// Records read so far.
    records: usize,
    /// Whether parts of it were left when the scan was stopped.
    is_cut_short: bool,
    stop: &'r AtomicBool,
    events: &'r mut pool::Sender<ScanEvent<W::Output>>,
}

impl<W: RecordVisitor> InputReader<'_, W> {
    fn read(&mut self, unpacker: &mut Unpacker, input: Input, bytes: &AtomicU64) -> io::Result<()> {
        let damage = Damage::new();
        let read = self.documents(Documents::new(unpacker.open(input, bytes, &damage)?), &damage);
        if let Some(reason) = damage.into_inner() {
            self.events.send(ScanEvent::Damaged { input: self.input.clone(), reason });
        }
        read
    }

    fn documents(&mut self, mut documents: Documents<'_>, damage: &Damage) -> io::Result<()> {
        let mut is_cut = false;
        while let Some(document) = documents.next()? {
            if is_cut && self.stop.load(Ordering::Relaxed) {
                self.is_cut_short = true;
                break;
            }
            // What is left of a list that breaks off is a part of a record, which the report of the damage covers.
            if is_cut && !document.is_part() && damage.get().is_some() {
                break;
            }
            is_cut = document.is_part();
            let scanned = self.visit(document.bytes);
            let is_broken = scanned.records == 0 && scanned.unreadable.iter().any(|one| one.line.is_none());
            let damaged = if is_broken && !document.is_part() { Documents::of_damaged(document.bytes) } else { None };
            if let Some(elements) = damaged {
                self.elements(elements, damage)?;
            } else if is_broken && document.is_part() {
                // One damaged record must not take the others of its part with it.
                for (piece, line) in document.pieces() {
                    let scanned = self.visit(piece);
                    self.report_rest(scanned, line);
                }
            } else {
                self.report_rest(scanned, document.first_line);
            }
            if self.events.is_closed() {
                break;
            }
        }
        Ok(())
    }

    /// Reads the elements of a list that is damaged: those that are intact are records like others.
    fn elements(&mut self, mut elements: Documents<'_>, damage: &Damage) -> io::Result<()> {
        while let Some(part) = elements.next()? {
            if !part.is_part() && damage.get().is_some() {
                break;
            }
            for (piece, _) in part.pieces() {
                let scanned = self.visit(piece);
                self.report_rest(scanned, None);
            }
        }
        Ok(())
    }

    fn visit(&mut self, bytes: &[u8]) -> Scanned {
        let Self { work, state, input, records, events, .. } = self;
        // Bytes that are not UTF-8 become U+FFFD, so that one odd byte cannot hide a record. `from_utf8_lossy` looks at one byte
        // at a time, which would take as long as all the rest.
        let text = simdutf8::basic::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed);
        let scanned = work.document(state, &text, &mut |place, result| {
            let index = *records + place;
            events.send(match result {
                Ok(output) => ScanEvent::Output { input: input.clone(), index, output },
                Err(error) => {
                    ScanEvent::Unreadable { place: format!("record {index} of {input}"), reason: error.to_string() }
                }
            });
        });
        self.records += scanned.records;
        scanned
    }

    /// Reports what a document held besides records. `first_line`: that of the document in its input, from 0, where lines are known.
    fn report_rest(&mut self, scanned: Scanned, first_line: Option<usize>) {
        let Scanned { mut ignored, unreadable, deliveries, .. } = scanned;
        ignored.extend(deliveries.into_iter().map(NotARecord::from));
        for one in unreadable {
            let line = one.line.or(first_line.map(|_| 1)).map(|line| line + first_line.unwrap_or_default());
            self.report_unreadable(line, one.reason);
        }
        if let Some(first) = ignored.first() {
            let (reason, count) = (first.reason.clone(), ignored.len());
            self.events.send(ScanEvent::Ignored { input: self.input.clone(), reason, count });
        }
    }

    fn report_unreadable(&mut self, line: Option<usize>, reason: String) {
        let place = line.map_or_else(|| self.input.to_string(), |line| format!("{}:{line}", self.input));
        self.events.send(ScanEvent::Unreadable { place, reason });
    }
}
