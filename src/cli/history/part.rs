//! A part of an archive: what one execution of the reader reads.

use serde::{Deserialize, Serialize};

use crate::scan::s3::KeyRange;

/// Keys that are read together. A line of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    /// Made of the keys, and of what was listed of them where that may still change: what has been read under it need not be read
    /// again.
    pub(super) id: String,
    /// In their order.
    pub(super) ranges: Vec<KeyRange>,
    /// Log files.
    pub(super) objects: u64,
    /// Their bytes, as they are stored.
    pub(super) bytes: u64,
    /// Whether these have been counted, and not estimated.
    pub(super) exact: bool,
}
