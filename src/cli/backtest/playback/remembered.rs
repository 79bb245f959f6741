//! What is known until it no longer matters.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// Entries that are kept before any is forgotten.
pub(in crate::cli::backtest) const FORGETS_FROM: usize = 1024;

/// A map that forgets what no longer matters, whenever it has doubled: what it holds grows with what matters at one time, and not with
/// the archive.
#[derive(Debug)]
pub(in crate::cli::backtest) struct Remembered<K, V> {
    entries: HashMap<K, V>,
    forgets_from: usize,
    /// At so many entries, those that no longer matter are forgotten.
    full_at: usize,
}

impl<K: Hash + Eq, V> Remembered<K, V> {
    pub(in crate::cli::backtest) fn new(forgets_from: usize) -> Self {
        Self { entries: HashMap::new(), forgets_from, full_at: forgets_from }
    }

    pub(in crate::cli::backtest) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entries.get(key)
    }

    pub(in crate::cli::backtest) fn get_mut<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.entries.get_mut(key)
    }

    /// Remembers one, and forgets others of which `matters` says that nobody can ask for them any more, if there are many.
    pub(in crate::cli::backtest) fn insert(&mut self, key: K, value: V, matters: impl Fn(&V) -> bool) {
        self.make_room(matters);
        self.entries.insert(key, value);
    }

    /// What is known of a key, be it nothing; forgets as [`Self::insert`] does.
    pub(in crate::cli::backtest) fn or_default(&mut self, key: K, matters: impl Fn(&V) -> bool) -> &mut V
    where
        V: Default,
    {
        self.make_room(matters);
        self.entries.entry(key).or_default()
    }

    fn make_room(&mut self, matters: impl Fn(&V) -> bool) {
        if self.entries.len() >= self.full_at {
            self.entries.retain(|_, value| matters(value));
            self.full_at = self.forgets_from.max(2 * self.entries.len());
        }
    }
}
