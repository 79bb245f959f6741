//! More records than memory holds, in order: an external sort.
//!
//! ```text
//! push ─▶ Sorter ─ memory is full ─▶ a run on the disk ─ many of them ─▶ one longer run
//!           └────── into_sorted ───▶ Sorted: every record, in the order of the keys
//! ```
//! A **run** is a sequence of records in the order of their keys, as bytes. A [`Sorter`] keeps what is pushed in memory up to a bound;
//! beyond it, what is there is sorted and written as a run to a temporary file without a name. Runs are merged as soon as
//! there are many of them ([`Bounds::fan_in`]), so that neither open files nor buffers grow with the number of records. Where
//! everything fits, nothing touches the disk.
//!
//! What is sorted implements [`Sortable`].
//!
//! An [`IdSet`] tells whether an id has come before, exactly and at once, with most of the ids on the disk.

mod disk;
mod encoding;
mod error;
mod filter;
mod format;
mod ids;
mod merge;
mod sorter;
mod source;
#[cfg(test)]
mod tests;

pub use self::encoding::{Decoder, Encoder};
pub use self::error::RunError;
pub use self::ids::IdSet;
pub use self::sorter::{Sorted, Sorter};

/// What is sorted.
pub trait Sortable: Sized {
    /// What it is sorted by. Those of one key stay in the order in which they were pushed.
    fn key(&self) -> u128;

    /// Writes all but the key.
    fn encode(&self, to: &mut Encoder);

    /// Reads what [`Self::encode`] has written; `None` if that cannot be.
    fn decode(key: u128, from: &mut Decoder<'_>) -> Option<Self>;
}

/// How much is kept in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of records that a [`Sorter`] keeps, their places included.
    pub bytes: usize,
    /// Ids that an [`IdSet`] keeps, besides what finds those on the disk: up to twelve bits of each of ten million, and fewer of more.
    pub ids: usize,
    /// How many runs of one size become one: at least two.
    pub fan_in: usize,
}

impl Default for Bounds {
    /// Some twenty megabytes together: a hundred thousand records of 40 bytes, and nearly a million ids. What goes through the disk is written
    /// and read in order, and takes little longer.
    fn default() -> Self {
        // A table of hashes that is as full as it gets before it would double.
        Self { bytes: 6 << 20, ids: (1 << 20) / 8 * 7, fan_in: 32 }
    }
}

impl Bounds {
    /// No bound: everything in memory.
    pub const NONE: Self = Self { bytes: usize::MAX, ids: usize::MAX, fan_in: 2 };
}
