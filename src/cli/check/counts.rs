//! How many diagnostics there are of each level.

use crate::config::{Diagnostic, Level};

/// How many diagnostics there are of each level.
#[derive(Debug, Default)]
pub(super) struct LevelCounts {
    pub(super) errors: usize,
    pub(super) warnings: usize,
    pub(super) notes: usize,
}

impl LevelCounts {
    pub(super) fn new(diagnostics: &[Diagnostic]) -> Self {
        let count = |level: Level| diagnostics.iter().filter(|diagnostic| diagnostic.level == level).count();
        Self { errors: count(Level::Error), warnings: count(Level::Warning), notes: count(Level::Note) }
    }
}
