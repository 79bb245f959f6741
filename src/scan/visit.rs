//! What a caller makes of the records of a scan, and what the scan tells it.

use std::sync::Arc;

use crate::engine::{EvaluateError, Scanned, ScannedElements};

/// What a caller makes of the records of a scan. It is called on whichever thread reads them; what it makes is handed over on
/// the caller's thread, in the order of the inputs and of the records in each.
pub trait RecordVisitor: Sync {
    /// What is made of a record.
    type Output: Send;
    /// What a thread keeps from one document to the next: caches and buffers, of which each thread has its own.
    type State;

    /// The state with which a thread begins.
    fn state(&self) -> Self::State;

    /// Reads one document and calls `take` for each record with the record's place in the document, from 0, and what was made
    /// of it, or why it cannot be read. For a document that is broken as a whole, `take` is not called.
    fn document(
        &self,
        state: &mut Self::State,
        text: &str,
        take: &mut dyn FnMut(usize, Result<Self::Output, EvaluateError>),
    ) -> Scanned;

    /// Reads the next elements of a list that is too large to be held whole, as far as they are plain records: as
    /// [`crate::engine::Scanner::scan_elements`] does. What it leaves comes as a document, and so does everything where this is not
    /// implemented.
    fn elements(
        &self,
        state: &mut Self::State,
        text: &str,
        take: &mut dyn FnMut(usize, Result<Self::Output, EvaluateError>),
    ) -> ScannedElements {
        let _ = (state, text, take);
        ScannedElements::default()
    }
}

/// What a scan tells its caller, in the order of the inputs and of the records in each.
#[derive(Debug)]
pub enum ScanEvent<T> {
    /// What was made of one record.
    Output {
        /// The input's name.
        input: Arc<str>,
        /// The record's place in it, from 0.
        index: usize,
        /// What the [`RecordVisitor`] made of it.
        output: T,
    },
    /// A document holds something that CloudTrail did not write, such as another service's event.
    Ignored {
        /// The input's name.
        input: Arc<str>,
        /// What the first such item is instead.
        reason: String,
        /// How many such items the document holds.
        count: usize,
    },
    /// A part of an input is lost; the rest has been read.
    Damaged {
        /// The input's name.
        input: Arc<str>,
        /// What is lost, and why.
        reason: String,
    },
    /// A file has not been opened, for it is another service's log.
    Skipped {
        /// The file's name.
        input: Arc<str>,
        /// The service, as the file's name or folder has it: `vpcflowlogs`.
        service: String,
    },
    /// An input that was being read when the scan was stopped: it is read up to here, and the next begins no more.
    Stopped {
        /// The input's name.
        input: Arc<str>,
        /// How many records have been read of it.
        records: usize,
    },
    /// A record, a part of an input, or a whole input cannot be read. The scan goes on with the next.
    Unreadable {
        /// The input's name, with the record's place or the line where it is known.
        place: String,
        /// Why it cannot be read.
        reason: String,
    },
    /// An input has been read to its end.
    Done {
        /// The input's name.
        input: Arc<str>,
        /// How many records it held.
        records: usize,
    },
}
