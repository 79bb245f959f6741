//! The text of a bundle: in memory, or in a file of which a start keeps nothing. It is read there once for its checksum, and then a rule at
//! a time, when the rule comes into question.

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::Once;

use crate::engine::{Checksum, checksum};

/// Bytes that are read at a time for a checksum: they fit on the stack.
const CHUNK: usize = 16 * 1024;

/// A bundle's text.
pub struct BundleText {
    text: Text,
    told: Once,
}

enum Text {
    Whole(String),
    InFile { length: u64, read_at: ReadAt },
}

/// Fills a buffer from a place of the file on.
type ReadAt = Box<dyn Fn(u64, &mut [u8]) -> io::Result<()> + Send + Sync>;

/// A part of a bundle, as an index knows it.
#[derive(Debug)]
pub(super) struct Part {
    /// Where it stands, in bytes.
    pub(super) range: Range<u64>,
    /// What [`Part::sum`] has of it.
    pub(super) sum: u32,
}

impl Part {
    /// The lower half of a part's checksum.
    #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
    pub(super) fn sum(bytes: &[u8]) -> u32 {
        checksum(bytes) as u32
    }
}

/// Why a part of a bundle cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundlePartError {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Something else stands there than what the index was made of.
    #[error("it is of another rules.json")]
    Other,
}

impl BundleText {
    /// A bundle in a file of this length; `read_at` fills a buffer with the bytes from an offset on.
    pub fn in_file(length: u64, read_at: impl Fn(u64, &mut [u8]) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self { text: Text::InFile { length, read_at: Box::new(read_at) }, told: Once::new() }
    }

    /// Bytes of the whole.
    pub(super) fn length(&self) -> u64 {
        match &self.text {
            Text::Whole(text) => text.len() as u64,
            Text::InFile { length, .. } => *length,
        }
    }

    /// The checksum of what stands in this range. Nothing of it is kept.
    pub(super) fn sum(&self, range: Range<u64>) -> io::Result<u64> {
        let mut sum = Checksum::default();
        let mut buffer = [0; CHUNK];
        let mut at = range.start;
        while at < range.end {
            let length = usize::try_from(range.end - at).unwrap_or(CHUNK).min(CHUNK);
            let chunk = &mut buffer[..length];
            self.read_at(at, chunk)?;
            sum.add(chunk);
            at += length as u64;
        }
        Ok(sum.finish())
    }

    /// A part that its index knows.
    pub(super) fn part(&self, part: &Part) -> Result<String, BundlePartError> {
        let bytes = self.bytes(&part.range)?;
        if Part::sum(&bytes) == part.sum { text(bytes) } else { Err(BundlePartError::Other) }
    }

    /// What stands in a range, and has this checksum.
    pub(super) fn whole(&self, (range, sum): (Range<u64>, u64)) -> Result<String, BundlePartError> {
        let bytes = self.bytes(&range)?;
        if checksum(&bytes) == sum { text(bytes) } else { Err(BundlePartError::Other) }
    }

    /// Says once in the log that alerts go out without the steps of what to do first.
    pub(super) fn tell_that_steps_are_missing(&self, reason: &BundlePartError) {
        self.told.call_once(|| {
            tracing::error!(%reason, "what to do first is missing from the alerts: package the rules again");
        });
    }

    fn bytes(&self, range: &Range<u64>) -> Result<Vec<u8>, BundlePartError> {
        // No more than there is: the range is an index's.
        if range.start > range.end || range.end > self.length() {
            return Err(BundlePartError::Other);
        }
        let length = usize::try_from(range.end - range.start).map_err(|_| BundlePartError::Other)?;
        let mut bytes = vec![0; length];
        self.read_at(range.start, &mut bytes)?;
        Ok(bytes)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        match &self.text {
            Text::Whole(text) => {
                let start = usize::try_from(offset).ok();
                let bytes = start.and_then(|start| text.as_bytes().get(start..start.checked_add(buffer.len())?));
                buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
                Ok(())
            }
            Text::InFile { read_at, .. } => read_at(offset, buffer),
        }
    }
}

fn text(bytes: Vec<u8>) -> Result<String, BundlePartError> {
    String::from_utf8(bytes).map_err(|_| BundlePartError::Other)
}

impl From<String> for BundleText {
    fn from(whole: String) -> Self {
        Self { text: Text::Whole(whole), told: Once::new() }
    }
}

impl fmt::Debug for BundleText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("BundleText").field("length", &self.length()).finish_non_exhaustive()
    }
}
