//! Reads archives of log files: inputs → bytes → documents → records, on every core, in memory that does not grow with the
//! archive, and in an order that does not depend on the cores.
//!
//! [`files`] names the inputs in their order, [`unpack`] gives their bytes, [`split`] cuts what is too large to be held
//! whole, and [`pool`] does all that on several threads and hands the results over in the inputs' order. What is made of a
//! record is the caller's: [`Work`].

pub mod files;
pub mod layout;
mod pool;
#[cfg(feature = "aws")]
pub mod s3;
mod split;
mod unpack;

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use self::split::Documents;
use self::unpack::Unpacker;
pub use self::unpack::gunzipped;
use crate::cloudtrail::envelope::NotARecord;
use crate::engine::Scanned;

/// What is made of records, on whichever thread reads them.
pub trait Work: Sync {
    /// What is made.
    type Made: Send;
    /// What a thread keeps from one document to the next.
    type State;

    /// For a thread that begins.
    fn state(&self) -> Self::State;

    /// Reads a document, and hands over what is made of a record, or why it cannot be read, with the record's place in the
    /// document. A document that is broken as a whole hands over nothing.
    fn document(
        &self,
        state: &mut Self::State,
        text: &str,
        take: &mut dyn FnMut(usize, Result<Self::Made, String>),
    ) -> Scanned;
}

/// Something to read.
#[derive(Debug)]
pub enum Input {
    /// A file.
    File(PathBuf),
    /// The standard input.
    Stdin,
    /// What is somewhere else.
    Remote(RemoteInput),
    /// What cannot be read: its name, and why.
    Bad(String, String),
}

/// Something to read that is somewhere else.
pub struct RemoteInput {
    /// Its name.
    pub name: String,
    /// Waits for it to be there.
    pub open: Box<dyn FnOnce() -> io::Result<Box<dyn Read + Send>> + Send>,
}

impl fmt::Debug for RemoteInput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(formatter)
    }
}

impl fmt::Display for Input {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(formatter),
            Self::Stdin => formatter.write_str("stdin"),
            Self::Bad(name, _) | Self::Remote(RemoteInput { name, .. }) => formatter.write_str(name),
        }
    }
}

/// What a scan tells, in the order of the inputs, and of the records in each.
#[derive(Debug)]
pub enum Told<T> {
    /// Made of the record of this place in this input.
    Made {
        /// The input's name.
        input: Arc<str>,
        /// The record's place in it, from 0.
        index: usize,
        /// What [`Work`] made.
        made: T,
    },
    /// Something is not CloudTrail's: the first of so many of this document, and what it is instead.
    Ignored {
        /// The input's name.
        input: Arc<str>,
        /// What the first one is.
        reason: String,
        /// How many there are.
        count: usize,
    },
    /// Something that should have been records, or part of one input, cannot be read.
    Unreadable {
        /// The input's name, and the line where there is one.
        place: String,
        /// Why.
        reason: String,
    },
    /// The input has been read to its end.
    Done {
        /// The input's name.
        input: Arc<str>,
        /// The records that it held.
        records: usize,
    },
}

/// How a scan is done.
#[derive(Debug)]
pub struct Scan<'s> {
    /// How many inputs are read at a time.
    pub threads: NonZero<usize>,
    /// Once it is set no further input is begun; those that have been begun are finished.
    pub stop: &'s AtomicBool,
    /// Counts the bytes that have been read, as they are stored: for a progress bar.
    pub bytes: &'s AtomicU64,
}

/// As many threads as this machine has cores for us.
pub fn all_cores() -> NonZero<usize> {
    thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

impl Scan<'_> {
    /// Reads every input and hands over what there is to tell, on the caller's thread.
    ///
    /// # Errors
    /// Those of `take`, which end the scan. What cannot be read is told, and the rest goes on.
    pub fn run<W: Work>(
        &self,
        inputs: impl Iterator<Item = Input> + Send,
        work: &W,
        take: impl FnMut(Told<W::Made>) -> io::Result<()>,
    ) -> io::Result<()> {
        let read = |(unpacker, state): &mut (Unpacker, W::State), input: Input, told: &mut pool::Sender<_>| {
            let mut reader = Reader { work, state, input: input.to_string().into(), records: 0, told };
            if let Err(error) = reader.read(unpacker, input, self.bytes) {
                reader.unreadable(None, error.to_string());
            }
            let Reader { input, records, .. } = reader;
            told.send(Told::Done { input, records });
        };
        let inputs = inputs.take_while(|_| !self.stop.load(Ordering::Relaxed));
        pool::in_order(self.threads, inputs, || (Unpacker::new(), work.state()), read, take)
    }
}

/// Reads one input.
struct Reader<'r, W: Work> {
    work: &'r W,
    state: &'r mut W::State,
    input: Arc<str>,
    /// Records read so far.
    records: usize,
    told: &'r mut pool::Sender<Told<W::Made>>,
}

impl<W: Work> Reader<'_, W> {
    fn read(&mut self, unpacker: &mut Unpacker, input: Input, bytes: &AtomicU64) -> io::Result<()> {
        let mut documents = Documents::of(unpacker.open(input, bytes)?);
        while let Some(document) = documents.next()? {
            let scanned = self.text(document.bytes);
            let is_broken = scanned.records == 0 && scanned.unreadable.iter().any(|one| one.line.is_none());
            if is_broken && document.is_part() {
                // One damaged record must not take the others of its part with it.
                for (piece, line) in document.pieces() {
                    let scanned = self.text(piece);
                    self.told_of(scanned, line);
                }
            } else {
                self.told_of(scanned, document.first_line);
            }
            if self.told.is_closed() {
                break;
            }
        }
        Ok(())
    }

    fn text(&mut self, bytes: &[u8]) -> Scanned {
        let Self { work, state, input, records, told } = self;
        // Bytes that are no UTF-8 become U+FFFD, so that one odd byte cannot hide a record. `from_utf8_lossy` looks at one byte
        // at a time, which would take as long as all the rest.
        let text = simdutf8::basic::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed);
        let scanned = work.document(state, &text, &mut |place, result| {
            let index = *records + place;
            told.send(match result {
                Ok(made) => Told::Made { input: input.clone(), index, made },
                Err(reason) => Told::Unreadable { place: format!("record {index} of {input}"), reason },
            });
        });
        self.records += scanned.records;
        scanned
    }

    /// Tells what else a document held. `first_line`: that of the document in its input, from 0, where lines are known.
    fn told_of(&mut self, scanned: Scanned, first_line: Option<usize>) {
        let Scanned { mut ignored, unreadable, deliveries, .. } = scanned;
        ignored.extend(deliveries.into_iter().map(NotARecord::from));
        for one in unreadable {
            let line = one.line.or(first_line.map(|_| 1)).map(|line| line + first_line.unwrap_or_default());
            self.unreadable(line, one.reason);
        }
        if let Some(first) = ignored.first() {
            let (reason, count) = (first.reason.clone(), ignored.len());
            self.told.send(Told::Ignored { input: self.input.clone(), reason, count });
        }
    }

    fn unreadable(&mut self, line: Option<usize>, reason: String) {
        let place = line.map_or_else(|| self.input.to_string(), |line| format!("{}:{line}", self.input));
        self.told.send(Told::Unreadable { place, reason });
    }
}
