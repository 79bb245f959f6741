//! Cuts inputs that are too large to be held whole into documents that are not: the elements of CloudTrail's
//! `{"Records":[…]}` or of a bare array, a part at a time, and NDJSON, exported logs and tables likewise.
//!
//! Whoever reads the elements of a list where they stand finds where they end: [`Documents::elements`] hands over what there is, and is
//! told how far it was read. Only what is not a plain record has to be cut out for it.

use std::io::{self, Chain, Read};

use memchr::{memchr, memchr_iter, memrchr};
use serde::de::IgnoredAny;

use super::ahead::CHUNK;
use super::buffer::Buffer;
use super::csv::{TableLines, is_table};
use super::elements::ElementScanner;
use super::unpack::UnpackedInput;
use crate::cloudtrail::envelope::is_line_of_log;

/// How many bytes one part has, about: it is still in the processor's cache when it is evaluated.
const PART: usize = CHUNK;
/// The most bytes of one record, or of an input that cannot be cut. CloudTrail writes records of 256 KiB at most: what is larger
/// is a mistake, or was made to exhaust memory.
const MAX_PIECE: usize = 64 * 1024 * 1024;
/// The most bytes that may follow the array of records.
const MAX_TAIL: usize = 1024 * 1024;

/// A text that can be read by itself.
#[derive(Debug)]
pub(super) struct InputDocument<'d> {
    pub(super) bytes: &'d [u8],
    /// The line of the input that it begins with, from 0, where it is a part of NDJSON.
    pub(super) first_line: Option<usize>,
    shape: InputShape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InputShape {
    /// The whole input, or what is left of it.
    Whole,
    /// `[…]`, with some elements of an array.
    Elements,
    /// Some lines of NDJSON, each a document of its own.
    Lines,
}

impl<'d> InputDocument<'d> {
    /// Whether it is one of many that the input was cut into.
    pub(super) fn is_part(&self) -> bool {
        self.shape != InputShape::Whole
    }

    /// The pieces of a part, each to be read by itself, and each one's line where lines are known.
    pub(super) fn pieces(&self) -> Vec<(&'d [u8], Option<usize>)> {
        match self.shape {
            InputShape::Whole => vec![(self.bytes, None)],
            InputShape::Lines => {
                let first = self.first_line.unwrap_or_default();
                let lines = self.bytes.split(|byte| *byte == b'\n').enumerate();
                lines.filter(|(_, line)| !is_blank(line)).map(|(index, line)| (line, Some(first + index))).collect()
            }
            InputShape::Elements => {
                let (mut pieces, mut from, mut scanner) = (Vec::new(), 1, ElementScanner::after_bracket());
                while let Some(end) = scanner.next_end(self.bytes) {
                    pieces.push((&self.bytes[from..end], None));
                    from = end + 1;
                }
                pieces
            }
        }
    }
}

/// The documents of an input, one after the other.
pub(super) enum Documents<'u> {
    Whole(Option<&'u [u8]>),
    Cut(PartReader<'u>),
}

impl<'u> Documents<'u> {
    pub(super) fn new(unpacked: UnpackedInput<'u>) -> Self {
        match unpacked {
            UnpackedInput::Whole(bytes) if is_table(bytes) => {
                Self::Cut(PartReader::lines(Box::new(TableLines::new(bytes))))
            }
            UnpackedInput::Whole(bytes) => Self::Whole(Some(bytes)),
            UnpackedInput::Large(beginning, rest) if is_table(beginning) => {
                Self::Cut(PartReader::lines(Box::new(TableLines::new(beginning.chain(rest)))))
            }
            UnpackedInput::Large(beginning, rest) => Self::Cut(PartReader::new(beginning, rest)),
        }
    }

    /// The elements of a list of records that is damaged somewhere: those that are intact can be read by themselves. `None` if
    /// the text is no such list.
    pub(super) fn of_damaged(bytes: &'u [u8]) -> Option<Self> {
        let parts = PartReader::new(bytes, Box::new(io::empty()));
        let is_damaged_list =
            parts.shape == InputShape::Elements && serde_json::from_slice::<IgnoredAny>(bytes).is_err();
        is_damaged_list.then_some(Self::Cut(parts))
    }

    pub(super) fn next(&mut self) -> io::Result<Option<InputDocument<'_>>> {
        match self {
            Self::Whole(bytes) => {
                Ok(bytes.take().map(|bytes| InputDocument { bytes, first_line: None, shape: InputShape::Whole }))
            }
            Self::Cut(parts) => parts.next(),
        }
    }

    /// The next elements of a large list, as far as they have come: the text begins with the list's bracket or with the comma after the
    /// elements before, and breaks off anywhere. `None` if it is something else that comes next. [`Self::next`] hands over the same, unless
    /// it is passed.
    pub(super) fn elements(&mut self) -> io::Result<Option<&[u8]>> {
        match self {
            Self::Cut(parts) if parts.is_in_list() => parts.elements().map(Some),
            _ => Ok(None),
        }
    }

    /// Passes what [`Self::elements`] has handed over, up to the comma or the closing bracket that stands here.
    pub(super) fn pass(&mut self, end: usize) {
        if let Self::Cut(parts) = self {
            parts.pass(end);
        }
    }
}

/// An input that is read a part at a time.
pub(super) struct PartReader<'u> {
    reader: Chain<&'u [u8], Box<dyn Read + 'u>>,
    shape: InputShape,
    /// The input's text before its array: `{"Records":`.
    head: Vec<u8>,
    /// What has been read, from the part that was handed over last on.
    buffer: Buffer,
    /// Bytes of the buffer that have been dealt with.
    spent: usize,
    /// Lines before the buffer.
    lines: usize,
    scanner: ElementScanner,
    /// Whether the array's end has been handed over.
    is_closed: bool,
    /// What is wrong with the text after the array: reported once the array has been handed over.
    failure: Option<io::Error>,
}

impl<'u> PartReader<'u> {
    fn new(beginning: &'u [u8], rest: Box<dyn Read + 'u>) -> Self {
        // Windows' editors write a byte order mark.
        let beginning = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning);
        let (shape, start) = match array_of_records(beginning) {
            Some(start) => (InputShape::Elements, start),
            None if is_ndjson(beginning) => (InputShape::Lines, 0),
            None => (InputShape::Whole, 0),
        };
        Self::of(shape, beginning[..start].to_vec(), beginning[start..].chain(rest))
    }

    /// For what is read as NDJSON.
    fn lines(lines: Box<dyn Read + 'u>) -> Self {
        Self::of(InputShape::Lines, Vec::new(), b"".chain(lines))
    }

    fn of(shape: InputShape, head: Vec<u8>, reader: Chain<&'u [u8], Box<dyn Read + 'u>>) -> Self {
        Self {
            reader,
            shape,
            head,
            buffer: Buffer::default(),
            spent: 0,
            lines: 0,
            scanner: ElementScanner::default(),
            is_closed: false,
            failure: None,
        }
    }

    /// Whether elements of a list come next.
    fn is_in_list(&self) -> bool {
        self.shape == InputShape::Elements && !self.is_closed && self.failure.is_none()
    }

    fn elements(&mut self) -> io::Result<&[u8]> {
        self.forget(self.spent);
        self.spent = 0;
        // A part that was cut out before this was closed there.
        if self.buffer.first() == Some(&b']') {
            self.buffer[0] = b',';
        }
        // Unless what is left of the part before is one already.
        if self.buffer.len() < PART {
            self.read_on()?;
        }
        Ok(&self.buffer)
    }

    fn pass(&mut self, end: usize) {
        self.spent = end;
        if self.buffer[end] == b']' {
            self.close(end + 1);
        }
    }

    fn next(&mut self) -> io::Result<Option<InputDocument<'_>>> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        if self.is_closed {
            return Ok(None);
        }
        self.forget(self.spent);
        self.spent = 0;
        let end = match self.shape {
            InputShape::Whole => {
                while self.read_on()? {}
                self.spent = self.buffer.len();
                self.spent
            }
            InputShape::Lines => self.next_lines()?,
            InputShape::Elements => self.next_elements()?,
        };
        if is_blank(&self.buffer[..end]) {
            return Ok(None);
        }
        let first_line = (self.shape == InputShape::Lines).then_some(self.lines);
        Ok(Some(InputDocument { bytes: &self.buffer[..end], first_line, shape: self.shape }))
    }

    fn forget(&mut self, end: usize) {
        if self.shape == InputShape::Lines {
            self.lines += memchr_iter(b'\n', &self.buffer[..end]).count();
        }
        self.buffer.forget(end);
    }

    /// Whether there was more to read.
    fn read_on(&mut self) -> io::Result<bool> {
        if self.buffer.len() > MAX_PIECE {
            let message = format!(
                "it holds a single record, or a text that is not a list of records, of more than {} MiB: split the file into smaller ones",
                MAX_PIECE / 1024 / 1024
            );
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        Ok(self.buffer.read(&mut self.reader, PART)? > 0)
    }

    /// The end of the next lines in the buffer.
    fn next_lines(&mut self) -> io::Result<usize> {
        let mut searched = 0;
        loop {
            let more = self.read_on()?;
            let end = match memrchr(b'\n', &self.buffer[searched..]) {
                Some(newline) => searched + newline + 1,
                None if more => {
                    searched = self.buffer.len();
                    continue;
                }
                None => self.buffer.len(),
            };
            if more && is_blank(&self.buffer[..end]) {
                self.forget(end);
                searched = self.buffer.len();
                continue;
            }
            self.spent = end;
            return Ok(end);
        }
    }

    /// The end of the next elements in the buffer. It begins with the array's `[`, or with the comma after the elements
    /// before, which becomes one.
    fn next_elements(&mut self) -> io::Result<usize> {
        self.scanner = ElementScanner::after_bracket();
        let is_first = self.buffer.first().is_none_or(|byte| *byte == b'[');
        loop {
            let mut last = None;
            while let Some(end) = self.scanner.next_end(&self.buffer) {
                last = Some(end);
                if self.buffer[end] == b']' {
                    break;
                }
            }
            if let Some(first) = self.buffer.first_mut() {
                *first = b'[';
            }
            match last {
                Some(end) if self.buffer[end] == b']' => {
                    // After a comma there is an element: whoever reads this will say that it is missing.
                    if !is_first && is_blank(&self.buffer[1..end]) {
                        self.buffer[0] = b',';
                    }
                    self.close(end + 1);
                    return Ok(end + 1);
                }
                Some(comma) => {
                    self.buffer[comma] = b']';
                    self.spent = comma;
                    return Ok(comma + 1);
                }
                None => {}
            }
            if !self.read_on()? {
                // It was cut off: whoever reads what is left will say so.
                self.spent = self.buffer.len();
                self.shape = InputShape::Whole;
                return Ok(self.spent);
            }
        }
    }

    /// Looks at what follows the array, which ends here: the end of its document, and perhaps another one.
    fn close(&mut self, end: usize) {
        self.spent = end;
        self.is_closed = true;
        if let Err(error) = self.read_tail(end) {
            self.failure = Some(error);
        }
    }

    fn read_tail(&mut self, end: usize) -> io::Result<()> {
        let behind = self.buffer.len() - end;
        if behind <= MAX_TAIL {
            self.buffer.read(&mut self.reader, MAX_TAIL + 1 - behind)?;
        }
        let tail = &self.buffer[end..];
        let document = [&self.head, &b"[]"[..], tail].concat();
        let mut documents = serde_json::Deserializer::from_slice(&document).into_iter::<IgnoredAny>();
        let told = documents.next().unwrap_or(Ok(IgnoredAny));
        let passed = documents.byte_offset().saturating_sub(self.head.len() + 2);
        let is_too_long = tail.len() > MAX_TAIL;
        match told {
            // Log files one after the other: of those that follow, each is read as the first.
            Ok(IgnoredAny) if let Some(start) = array_of_records(&tail[passed..]) => {
                self.head = tail[passed..passed + start].to_vec();
                (self.spent, self.is_closed) = (end + passed + start, false);
                Ok(())
            }
            Ok(IgnoredAny) if is_blank(&tail[passed..]) && !is_too_long => Ok(()),
            _ if is_too_long => {
                Err(io::Error::other("more than 1 MiB follows the list of records: remove what is not part of it"))
            }
            told => {
                let error = told.err().or_else(|| serde_json::from_slice::<IgnoredAny>(&document).err());
                let why = error.map(|error| error.to_string()).unwrap_or_default();
                Err(io::Error::other(format!("what follows the list of records is not valid JSON: {why}")))
            }
        }
    }
}

/// The keys of the lists that inputs consist of: of log files, of `lookup-events`, of CloudWatch Logs, of Logs Insights and of
/// Lake.
const LISTS: [&[u8]; 5] = [b"Records", b"Events", b"events", b"results", b"QueryResultRows"];

/// Where the array of records begins in a text that is one, or an object whose first key holds it.
fn array_of_records(text: &[u8]) -> Option<usize> {
    let mut at = text;
    at = at.trim_ascii_start();
    if !at.starts_with(b"[") {
        at = at.strip_prefix(b"{")?.trim_ascii_start();
        at = LISTS.iter().find_map(|key| at.strip_prefix(b"\"")?.strip_prefix(*key)?.strip_prefix(b"\""))?;
        at = at.trim_ascii_start();
        at = at.strip_prefix(b":")?.trim_ascii_start();
    }
    at.starts_with(b"[").then(|| text.len() - at.len())
}

/// Whether one of the first two lines is an object by itself, or a line of an exported log: the other may be damaged.
fn is_ndjson(text: &[u8]) -> bool {
    let mut rest = text;
    let lines = std::iter::from_fn(|| {
        let end = memchr(b'\n', rest)?;
        let line = &rest[..end];
        rest = &rest[end + 1..];
        Some(line)
    });
    lines.filter(|line| !is_blank(line)).take(2).any(|line| {
        let is_object =
            || line.trim_ascii_start().starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(line).is_ok();
        is_line_of_log(&String::from_utf8_lossy(line)) || is_object()
    })
}

fn is_blank(bytes: &[u8]) -> bool {
    bytes.trim_ascii().is_empty()
}

#[cfg(test)]
mod tests;
