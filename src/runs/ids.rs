//! Which ids have come: exactly, at once, and with most of them on the disk.

use std::collections::HashSet;
use std::io::{BufReader, BufWriter, Read as _, Write as _};

use super::Bounds;
use super::disk::TemporaryFile;
use super::error::RunError;
use super::filter::Filter;
use super::merge::Merge;
use super::source::Source;

/// Bytes of an id.
const ID: usize = 16;
/// Ids that are read from the disk together.
const BLOCK: usize = 256;
/// Runs of one size that become one: each of them is asked about every id.
const FAN_IN: usize = 4;
/// Bytes that are read or written at a time where ids are merged.
const BUFFER: usize = 64 * 1024;

/// A set of ids, which are hashes: the latest in memory, the others in sorted runs on the disk.
///
/// Whether an id has come costs a look into memory, as a rule: a filter of each run rules it out there. What may have come is looked
/// up in the block of 4 kB in which it must stand.
#[derive(Debug)]
pub struct IdSet {
    bounds: Bounds,
    latest: HashSet<u128>,
    /// By how many times they have been merged.
    levels: Vec<Vec<IdRun>>,
}

impl IdSet {
    /// An empty one.
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, latest: HashSet::new(), levels: Vec::new() }
    }

    /// Whether an id has been inserted.
    ///
    /// # Errors
    /// [`RunError::Disk`], if a temporary file cannot be read.
    pub fn contains(&mut self, id: u128) -> Result<bool, RunError> {
        if self.latest.contains(&id) {
            return Ok(true);
        }
        for run in self.levels.iter_mut().flatten() {
            if run.contains(id)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Inserts an id; whether it is new.
    ///
    /// # Errors
    /// [`RunError::Disk`], where memory is full, and the disk too.
    pub fn insert(&mut self, id: u128) -> Result<bool, RunError> {
        if self.contains(id)? {
            return Ok(false);
        }
        self.latest.insert(id);
        if self.latest.len() >= self.bounds.ids {
            self.spill()?;
        }
        Ok(true)
    }

    fn spill(&mut self) -> Result<(), RunError> {
        let mut ids: Vec<u128> = self.latest.drain().collect();
        ids.sort_unstable();
        let count = ids.len() as u64;
        let mut run = IdRun::write(count, ids.into_iter().map(Ok))?;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let runs = &mut self.levels[level];
            runs.push(run);
            if runs.len() < FAN_IN {
                break;
            }
            let count = runs.iter().map(|run| run.count).sum();
            let sources: Result<Vec<IdsOfRun>, RunError> = runs.drain(..).map(IdRun::into_ids).collect();
            let mut merge = Merge::new(sources?)?;
            run = IdRun::write(
                count,
                std::iter::from_fn(|| merge.advance().map(|is_one| is_one.then(|| merge.key())).transpose()),
            )?;
        }
        Ok(())
    }
}

/// Ids on the disk, in order.
#[derive(Debug)]
struct IdRun {
    file: TemporaryFile,
    count: u64,
    filter: Filter,
    /// The first id of each block.
    fences: Vec<u128>,
    /// A block, and its number.
    block: (usize, Vec<u128>),
}

impl IdRun {
    fn write(count: u64, ids: impl Iterator<Item = Result<u128, RunError>>) -> Result<Self, RunError> {
        let mut file = BufWriter::with_capacity(BUFFER, TemporaryFile::new()?);
        let (mut filter, mut fences) = (Filter::for_ids(count), Vec::new());
        for (place, id) in ids.enumerate() {
            let id = id?;
            if place % BLOCK == 0 {
                fences.push(id);
            }
            filter.add(id);
            file.write_all(&id.to_be_bytes())?;
        }
        let file = file.into_inner().map_err(|error| RunError::from(error.into_error()))?;
        Ok(Self { file, count, filter, fences, block: (usize::MAX, Vec::new()) })
    }

    fn contains(&mut self, id: u128) -> Result<bool, RunError> {
        if !self.filter.may_have(id) {
            return Ok(false);
        }
        let Some(number) = self.fences.partition_point(|first| *first <= id).checked_sub(1) else { return Ok(false) };
        if self.block.0 != number {
            let before = (number * BLOCK) as u64;
            let count = (self.count - before).min(BLOCK as u64);
            self.file.seek(before * ID as u64)?;
            let mut bytes = Vec::with_capacity(BLOCK * ID);
            (&mut self.file).take(count * ID as u64).read_to_end(&mut bytes)?;
            let (ids, _) = bytes.as_chunks();
            self.block = (number, ids.iter().map(|id| u128::from_be_bytes(*id)).collect());
        }
        Ok(self.block.1.binary_search(&id).is_ok())
    }

    fn into_ids(mut self) -> Result<IdsOfRun, RunError> {
        self.file.seek(0)?;
        Ok(IdsOfRun { left: self.count, from: BufReader::with_capacity(BUFFER, self.file), id: 0 })
    }
}

/// The ids of a run, one after the other.
#[derive(Debug)]
struct IdsOfRun {
    left: u64,
    from: BufReader<TemporaryFile>,
    id: u128,
}

impl Source for IdsOfRun {
    fn advance(&mut self) -> Result<bool, RunError> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(false) };
        self.left = left;
        let mut id = [0; ID];
        self.from.read_exact(&mut id)?;
        self.id = u128::from_be_bytes(id);
        Ok(true)
    }

    fn key(&self) -> u128 {
        self.id
    }

    fn fields(&self) -> &[u8] {
        &[]
    }
}
