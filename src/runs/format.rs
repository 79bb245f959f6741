//! A run as bytes, and how it is written and read. Nobody reads one but who wrote it, so it says nothing of itself but its sum: a disk may be
//! damaged.
//!
//! ```text
//! record   length of the rest + 1 (a number as `Encoder::number` writes it) · key (16 bytes, the highest first) · fields
//! end      0 · how many records (8 bytes) · CRC-32 of all records (4 bytes), both with the lowest byte first
//! ```

use std::io::{BufReader, Read, Write};

use flate2::Crc;

use super::error::RunError;
use super::source::Source;
use super::{Decoder, Encoder, Sortable};

/// Bytes of a record's fields, more than a record of CloudTrail's may have.
pub(super) const MAX_FIELDS: u32 = 1 << 28;
/// Bytes that are read at a time.
const BUFFER: usize = 64 * 1024;

/// Writes encoded records.
#[derive(Debug)]
pub(super) struct RunWriter<W> {
    to: W,
    count: u64,
    sum: Crc,
    head: Encoder,
}

impl<W: Write> RunWriter<W> {
    /// The writer had better be buffered.
    pub(super) fn new(to: W) -> Self {
        Self { to, count: 0, sum: Crc::new(), head: Encoder::default() }
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

/// The record of these bytes.
pub(super) fn decoded<T: Sortable>(key: u128, fields: &[u8]) -> Result<T, RunError> {
    let mut decoder = Decoder::new(fields);
    let record = T::decode(key, &mut decoder).filter(|_| decoder.is_at_end());
    record.ok_or(RunError::Damaged("a record cannot be read"))
}

/// Reads encoded records.
#[derive(Debug)]
pub(super) struct Run<R> {
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

impl<R: Read> Run<R> {
    pub(super) fn new(from: R) -> Self {
        let from = BufReader::with_capacity(BUFFER, from);
        Self { from, key: 0, record: Vec::new(), fields: 0, count: 0, sum: Crc::new(), is_over: false }
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

impl<R: Read> Source for Run<R> {
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
