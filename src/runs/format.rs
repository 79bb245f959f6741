//! A run as bytes, and how it is written and read.
//!
//! ```text
//! header   "offlimits-run" · format (1 byte) · kind and what it is of (each after its length, 1 byte) · version of the records (1 byte)
//! record   length of the rest + 1 (a number as `Encoder::number` writes it) · key (16 bytes, the highest first) · fields
//! end      0 · how many records (8 bytes) · CRC-32 of all records (4 bytes), both with the lowest byte first
//! ```

use std::io::{self, BufReader, Read, Write};
use std::marker::PhantomData;

use flate2::Crc;

use super::error::RunError;
use super::source::Source;
use super::{Decoder, Encoder, Sortable};

const MAGIC: &[u8] = b"offlimits-run";
/// The version of what is around the records.
const FORMAT: u8 = 1;
/// Bytes of a record's fields, more than a record of CloudTrail's may have.
pub(super) const MAX_FIELDS: u32 = 1 << 28;
/// Bytes that are read at a time.
const BUFFER: usize = 64 * 1024;

/// The kind of the records and the version of their encoding, as an error names them.
fn spelt(format: u8, kind: &str, version: u8) -> String {
    format!("format {format}, {kind} {version}")
}

/// Writes a run: records in the order of their keys.
#[derive(Debug)]
pub struct RunWriter<T, W> {
    raw: RawWriter<W>,
    last: Option<u128>,
    encoder: Encoder,
    records: PhantomData<fn(&T)>,
}

impl<T: Sortable, W: Write> RunWriter<T, W> {
    /// Begins a run of what is told by `of`, such as the digest of the rules that found them: up to 255 bytes. The writer had better be
    /// buffered.
    ///
    /// # Errors
    /// What the writer says; [`RunError::OfSomethingElse`] where `of` is too long.
    pub fn new(to: W, of: &str) -> Result<Self, RunError> {
        let raw = RawWriter::new::<T>(to, of)?;
        Ok(Self { raw, last: None, encoder: Encoder::default(), records: PhantomData })
    }

    /// Adds a record.
    ///
    /// # Errors
    /// What the writer says; [`RunError::Damaged`] where its key is lower than the last.
    pub fn push(&mut self, record: &T) -> Result<(), RunError> {
        let key = record.key();
        if self.last.replace(key).is_some_and(|last| last > key) {
            return Err(RunError::Damaged("it is not in order"));
        }
        self.encoder.bytes.clear();
        record.encode(&mut self.encoder);
        self.raw.push(key, &self.encoder.bytes)
    }

    /// Ends the run. One that has no end is refused by its reader.
    ///
    /// # Errors
    /// What the writer says.
    pub fn finish(self) -> Result<W, RunError> {
        self.raw.finish()
    }
}

/// Writes encoded records.
#[derive(Debug)]
pub(super) struct RawWriter<W> {
    to: W,
    count: u64,
    sum: Crc,
    head: Encoder,
}

impl<W: Write> RawWriter<W> {
    pub(super) fn new<T: Sortable>(mut to: W, of: &str) -> Result<Self, RunError> {
        let mut header = MAGIC.to_vec();
        header.push(FORMAT);
        for text in [T::KIND, of] {
            let length = u8::try_from(text.len())
                .map_err(|_| RunError::OfSomethingElse { found: text.to_owned(), expected: "255 bytes".to_owned() })?;
            header.push(length);
            header.extend_from_slice(text.as_bytes());
        }
        header.push(T::VERSION);
        to.write_all(&header)?;
        Ok(Self { to, count: 0, sum: Crc::new(), head: Encoder::default() })
    }

    pub(super) fn push(&mut self, key: u128, fields: &[u8]) -> Result<(), RunError> {
        let head = &mut self.head;
        head.bytes.clear();
        head.number(fields.len() as u64 + 16 + 1);
        head.bytes.extend_from_slice(&key.to_be_bytes());
        for bytes in [head.bytes.as_slice(), fields] {
            self.to.write_all(bytes)?;
            self.sum.update(bytes);
        }
        self.count += 1;
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<W, RunError> {
        self.to.write_all(&[0])?;
        self.to.write_all(&self.count.to_le_bytes())?;
        self.to.write_all(&self.sum.sum().to_le_bytes())?;
        self.to.flush()?;
        Ok(self.to)
    }
}

/// Reads a run: records in the order of their keys, from whatever gives bytes, which need not be buffered.
#[derive(Debug)]
pub struct Run<T, R> {
    raw: RawRun<R>,
    records: PhantomData<fn() -> T>,
}

impl<T: Sortable, R: Read> Run<T, R> {
    /// Opens a run of what is told by `of`.
    ///
    /// # Errors
    /// [`RunError`], if it is another, or cannot be read.
    pub fn new(from: R, of: &str) -> Result<Self, RunError> {
        Ok(Self { raw: RawRun::new::<T>(from, of)?, records: PhantomData })
    }
}

impl<T: Sortable, R: Read> Iterator for Run<T, R> {
    type Item = Result<T, RunError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.raw.advance() {
            Ok(true) => Some(decoded(self.raw.key(), self.raw.fields())),
            Ok(false) => None,
            Err(error) => {
                self.raw.is_over = true;
                Some(Err(error))
            }
        }
    }
}

/// The record of these bytes.
pub(super) fn decoded<T: Sortable>(key: u128, fields: &[u8]) -> Result<T, RunError> {
    let mut decoder = Decoder::new(fields);
    let record = T::decode(key, &mut decoder).filter(|_| decoder.is_at_end());
    record.ok_or(RunError::Damaged("a record cannot be read"))
}

/// Reads encoded records.
#[derive(Debug)]
pub(super) struct RawRun<R> {
    from: BufReader<R>,
    key: u128,
    /// The record that stands here: its length, its key and its fields, as they are summed.
    record: Vec<u8>,
    /// Where in it the fields begin.
    fields: usize,
    count: u64,
    sum: Crc,
    is_over: bool,
}

impl<R: Read> RawRun<R> {
    pub(super) fn new<T: Sortable>(from: R, of: &str) -> Result<Self, RunError> {
        let mut from = BufReader::with_capacity(BUFFER, from);
        let mut magic = [0; MAGIC.len()];
        match from.read_exact(&mut magic) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(RunError::NotARun),
            read => read?,
        }
        if magic != MAGIC {
            return Err(RunError::NotARun);
        }
        let format = byte(&mut from)?;
        let refused = |found| RunError::OtherVersion { found, expected: spelt(FORMAT, T::KIND, T::VERSION) };
        if format != FORMAT {
            return Err(refused(format!("format {format}")));
        }
        let (kind, run_of) = (short_text(&mut from)?, short_text(&mut from)?);
        let version = byte(&mut from)?;
        if (kind.as_str(), version) != (T::KIND, T::VERSION) {
            return Err(refused(spelt(format, &kind, version)));
        }
        if run_of != of {
            return Err(RunError::OfSomethingElse { found: run_of, expected: of.to_owned() });
        }
        Ok(Self { from, key: 0, record: Vec::new(), fields: 0, count: 0, sum: Crc::new(), is_over: false })
    }

    /// The run's end: what it says of itself must be so.
    fn end(&mut self) -> Result<(), RunError> {
        self.is_over = true;
        let (mut count, mut sum, mut more) = ([0; 8], [0; 4], [0]);
        self.from.read_exact(&mut count)?;
        self.from.read_exact(&mut sum)?;
        if u64::from_le_bytes(count) != self.count || u32::from_le_bytes(sum) != self.sum.sum() {
            return Err(RunError::Damaged("its sum is another"));
        }
        match self.from.read(&mut more)? {
            0 => Ok(()),
            _ => Err(RunError::Damaged("something stands behind its end")),
        }
    }

    fn length(&mut self) -> Result<u64, RunError> {
        self.record.clear();
        loop {
            let byte = byte(&mut self.from)?;
            self.record.push(byte);
            if byte & 0x80 == 0 {
                break;
            }
            if self.record.len() > 9 {
                return Err(RunError::Damaged("a length cannot be read"));
            }
        }
        let length = Decoder::new(&self.record).number();
        length
            .filter(|length| *length <= u64::from(MAX_FIELDS) + 17)
            .ok_or(RunError::Damaged("a length cannot be read"))
    }
}

impl<R: Read> Source for RawRun<R> {
    fn advance(&mut self) -> Result<bool, RunError> {
        if self.is_over {
            return Ok(false);
        }
        let length = self.length()?;
        if length == 0 {
            return self.end().map(|()| false);
        }
        let begin = self.record.len();
        // Whatever a damaged length says, no more memory is taken than there are bytes.
        if self.from.by_ref().take(length - 1).read_to_end(&mut self.record)? as u64 != length - 1 {
            return Err(RunError::Damaged("it ends too soon"));
        }
        let Some((key, _)) = self.record[begin..].split_first_chunk() else {
            return Err(RunError::Damaged("a record has no key"));
        };
        let key = u128::from_be_bytes(*key);
        if self.count > 0 && key < self.key {
            return Err(RunError::Damaged("it is not in order"));
        }
        self.key = key;
        self.fields = begin + 16;
        self.count += 1;
        self.sum.update(&self.record);
        Ok(true)
    }

    fn key(&self) -> u128 {
        self.key
    }

    fn fields(&self) -> &[u8] {
        &self.record[self.fields..]
    }
}

fn byte(from: &mut impl Read) -> Result<u8, RunError> {
    let mut byte = [0];
    from.read_exact(&mut byte)?;
    Ok(byte[0])
}

/// A text after its length in one byte.
fn short_text(from: &mut impl Read) -> Result<String, RunError> {
    let mut text = vec![0; usize::from(byte(from)?)];
    from.read_exact(&mut text)?;
    String::from_utf8(text).map_err(|_| RunError::NotARun)
}
