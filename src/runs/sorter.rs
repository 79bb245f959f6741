//! Sorts records, in memory while they fit, and else by runs on the disk.

use std::io::BufWriter;
use std::marker::PhantomData;

use super::disk::TemporaryFile;
use super::error::RunError;
use super::format::{MAX_FIELDS, Run, RunWriter};
use super::merge::{Merge, next_of};
use super::source::Source;
use super::{Bounds, Encoder, Sortable};

/// Bytes that are written at a time.
const BUFFER: usize = 256 * 1024;

/// Takes records in any order, and hands them back in order.
#[derive(Debug)]
pub struct Sorter<T> {
    bounds: Bounds,
    memory: Memory,
    /// Runs on the disk, by how many times they have been merged; of each the earliest first.
    levels: Vec<Vec<TemporaryFile>>,
    records: PhantomData<fn(&T)>,
}

impl<T: Sortable> Sorter<T> {
    /// An empty one.
    pub const fn new(bounds: Bounds) -> Self {
        Self { bounds, memory: Memory::new(), levels: Vec::new(), records: PhantomData }
    }

    /// Adds a record.
    ///
    /// # Errors
    /// [`RunError::Disk`], where memory is full, and the disk too.
    pub fn push(&mut self, record: &T) -> Result<(), RunError> {
        self.memory.push(record)?;
        if self.memory.is_full(self.bounds.bytes) {
            self.spill()?;
        }
        Ok(())
    }

    /// Whether nothing has touched the disk.
    pub const fn is_in_memory(&self) -> bool {
        self.levels.is_empty()
    }

    /// How many times what is on the disk has been merged at most, and once for what is there.
    #[cfg(test)]
    pub(super) const fn levels(&self) -> usize {
        self.levels.len()
    }

    /// Writes what is in memory as a run, and merges the runs of each level of which there are enough.
    fn spill(&mut self) -> Result<(), RunError> {
        let memory = std::mem::replace(&mut self.memory, Memory::new());
        let mut run = written(&mut memory.into_sorted())?;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let runs = &mut self.levels[level];
            runs.push(run);
            if runs.len() < self.bounds.fan_in.max(2) {
                break;
            }
            run = written(&mut Merge::new(opened(std::mem::take(runs)))?)?;
        }
        Ok(())
    }

    /// All that were pushed, in order.
    ///
    /// # Errors
    /// [`RunError::Disk`], if the temporary files cannot be read.
    pub fn into_sorted(self) -> Result<Sorted<T>, RunError> {
        // What has been merged the most is the earliest.
        let on_disk = opened(self.levels.into_iter().rev().flatten().collect());
        let mut parts: Vec<Part> = on_disk.into_iter().map(Part::Disk).collect();
        parts.push(Part::Memory(self.memory.into_sorted()));
        Ok(Sorted { merge: Merge::new(parts)?, is_over: false, records: PhantomData })
    }
}

/// Writes a source into a temporary file.
fn written(source: &mut impl Source) -> Result<TemporaryFile, RunError> {
    let file = BufWriter::with_capacity(BUFFER, TemporaryFile::new()?);
    let mut writer = RunWriter::new(file);
    while source.advance()? {
        writer.push(source.key(), source.fields())?;
    }
    let mut file = writer.finish()?.into_inner().map_err(|error| RunError::from(error.into_error()))?;
    file.seek(0)?;
    Ok(file)
}

fn opened(files: Vec<TemporaryFile>) -> Vec<Run<TemporaryFile>> {
    files.into_iter().map(Run::new).collect()
}

/// Every record that was pushed, in order. After an error there is nothing more.
#[derive(Debug)]
pub struct Sorted<T> {
    merge: Merge<Part>,
    is_over: bool,
    records: PhantomData<fn() -> T>,
}

impl<T: Sortable> Iterator for Sorted<T> {
    type Item = Result<T, RunError>;

    fn next(&mut self) -> Option<Self::Item> {
        next_of(&mut self.merge, &mut self.is_over)
    }
}

/// A run, wherever it is.
#[derive(Debug)]
enum Part {
    Memory(SortedMemory),
    Disk(Run<TemporaryFile>),
}

impl Source for Part {
    fn advance(&mut self) -> Result<bool, RunError> {
        match self {
            Self::Memory(memory) => memory.advance(),
            Self::Disk(run) => run.advance(),
        }
    }

    fn key(&self) -> u128 {
        match self {
            Self::Memory(memory) => memory.key(),
            Self::Disk(run) => run.key(),
        }
    }

    fn fields(&self) -> &[u8] {
        match self {
            Self::Memory(memory) => memory.fields(),
            Self::Disk(run) => run.fields(),
        }
    }
}

/// Where a record in memory stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// The higher and the lower half of its key: a whole one would be aligned to more bytes.
    key: (u64, u64),
    /// Where its fields begin among those of all: in the order in which they were pushed.
    begin: u32,
    /// How many bytes they have.
    length: u32,
}

/// Bytes of fields beyond which a [`Place`] cannot say where the next record stands.
const MOST_FIELDS: usize = (u32::MAX - MAX_FIELDS) as usize;

/// What has been pushed since the last run.
#[derive(Debug)]
struct Memory {
    places: Vec<Place>,
    fields: Encoder,
}

impl Memory {
    const fn new() -> Self {
        Self { places: Vec::new(), fields: Encoder { bytes: Vec::new() } }
    }

    /// Whether it has these many bytes.
    const fn is_full(&self, bytes: usize) -> bool {
        let fields = self.fields.bytes.len();
        fields >= MOST_FIELDS || fields + self.places.len() * size_of::<Place>() >= bytes
    }

    fn push(&mut self, record: &impl Sortable) -> Result<(), RunError> {
        let (key, before) = (record.key(), self.fields.bytes.len());
        record.encode(&mut self.fields);
        let length = u32::try_from(self.fields.bytes.len() - before).unwrap_or(u32::MAX);
        if length > MAX_FIELDS {
            return Err(RunError::Damaged("a record is too large"));
        }
        let begin = u32::try_from(before).unwrap_or(u32::MAX);
        #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
        self.places.push(Place { key: ((key >> 64) as u64, key as u64), begin, length });
        Ok(())
    }

    fn into_sorted(self) -> SortedMemory {
        let Self { places: mut order, fields: Encoder { bytes: fields } } = self;
        order.sort_unstable();
        SortedMemory { order, fields, next: 0 }
    }
}

/// Records in memory, in order.
#[derive(Debug)]
struct SortedMemory {
    order: Vec<Place>,
    fields: Vec<u8>,
    /// The number of the record after that at the head.
    next: usize,
}

impl SortedMemory {
    fn head(&self) -> Option<&Place> {
        self.next.checked_sub(1).and_then(|head| self.order.get(head))
    }
}

impl Source for SortedMemory {
    fn advance(&mut self) -> Result<bool, RunError> {
        let is_one = self.next < self.order.len();
        self.next += usize::from(is_one);
        Ok(is_one)
    }

    fn key(&self) -> u128 {
        self.head().map_or(0, |place| (u128::from(place.key.0) << 64) | u128::from(place.key.1))
    }

    fn fields(&self) -> &[u8] {
        let fields = self.head().and_then(|place| {
            let begin = place.begin as usize;
            self.fields.get(begin..begin + place.length as usize)
        });
        fields.unwrap_or_default()
    }
}
