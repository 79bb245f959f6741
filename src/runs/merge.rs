//! Several runs as one, in order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use super::Sortable;
use super::error::RunError;
use super::format::decoded;
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
