//! Several runs as one, in order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::io::Read;
use std::marker::PhantomData;

use super::Sortable;
use super::error::RunError;
use super::format::{RawRun, decoded};
use super::source::Source;

/// Several sources as one. Of equal keys, those of the earlier source come first.
#[derive(Debug)]
pub(super) struct Merge<S> {
    sources: Vec<S>,
    /// The sources that have a head; the first of them was handed out last, once `is_begun`.
    heads: BinaryHeap<Reverse<(u128, usize)>>,
    is_begun: bool,
}

impl<S: Source> Merge<S> {
    pub(super) fn new(mut sources: Vec<S>) -> Result<Self, RunError> {
        let mut heads = BinaryHeap::with_capacity(sources.len());
        for (place, source) in sources.iter_mut().enumerate() {
            if source.advance()? {
                heads.push(Reverse((source.key(), place)));
            }
        }
        Ok(Self { sources, heads, is_begun: false })
    }
}

impl<S: Source> Source for Merge<S> {
    fn advance(&mut self) -> Result<bool, RunError> {
        if std::mem::replace(&mut self.is_begun, true)
            && let Some(mut first) = self.heads.peek_mut()
        {
            let source = &mut self.sources[first.0.1];
            if source.advance()? {
                first.0.0 = source.key();
            } else {
                PeekMut::pop(first);
            }
        }
        Ok(!self.heads.is_empty())
    }

    fn key(&self) -> u128 {
        self.heads.peek().map_or(0, |Reverse((key, _))| *key)
    }

    fn fields(&self) -> &[u8] {
        self.heads.peek().map(|Reverse((_, place))| self.sources[*place].fields()).unwrap_or_default()
    }
}

/// The records of several runs, in order. After an error there is nothing more.
#[derive(Debug)]
pub struct Merged<T, R> {
    merge: Merge<RawRun<R>>,
    is_over: bool,
    records: PhantomData<fn() -> T>,
}

/// Merges runs of what is told by `of`, from whatever gives bytes, 64 kB at a time of each. Of equal keys, those of the earlier
/// reader come first. Of more runs than may be open at once, push the records of each into a [`Sorter`](super::Sorter).
///
/// # Errors
/// [`RunError`], if one of them is another, or cannot be read.
pub fn merge<T: Sortable, R: Read>(readers: impl IntoIterator<Item = R>, of: &str) -> Result<Merged<T, R>, RunError> {
    let runs: Result<Vec<RawRun<R>>, RunError> = readers.into_iter().map(|from| RawRun::new::<T>(from, of)).collect();
    Ok(Merged { merge: Merge::new(runs?)?, is_over: false, records: PhantomData })
}

impl<T: Sortable, R: Read> Iterator for Merged<T, R> {
    type Item = Result<T, RunError>;

    fn next(&mut self) -> Option<Self::Item> {
        next_of(&mut self.merge, &mut self.is_over)
    }
}

/// The next record of a source that is not over.
pub(super) fn next_of<T: Sortable>(source: &mut impl Source, is_over: &mut bool) -> Option<Result<T, RunError>> {
    if *is_over {
        return None;
    }
    let next = match source.advance() {
        Ok(true) => Some(decoded(source.key(), source.fields())),
        Ok(false) => None,
        Err(error) => Some(Err(error)),
    };
    *is_over = !matches!(next, Some(Ok(_)));
    next
}

/// Of records in order, the first of each key.
pub fn once_each<T: Sortable>(
    records: impl Iterator<Item = Result<T, RunError>>,
) -> impl Iterator<Item = Result<T, RunError>> {
    let mut last = None;
    records.filter(move |record| match record {
        Ok(record) => last.replace(record.key()) != Some(record.key()),
        Err(_) => true,
    })
}
