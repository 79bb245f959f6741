//! What a reader says of what it has read: so that nothing is lost in silence.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Places of one slice that are named; beyond them they are counted.
const NAMED: usize = 10_000;
/// Reasons of one slice for which something was ignored that are kept.
const NOTES: usize = 20;

/// One slice of a part: what one invocation has read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SliceTally {
    /// From 0.
    pub(super) number: u32,
    /// Log files that have been read to their end.
    pub(super) files: usize,
    pub(super) records: usize,
    /// Bytes that were read, as they are stored.
    pub(super) bytes: u64,
    /// Things that CloudTrail has not written.
    pub(super) ignored: usize,
    /// The first of them: the file, and what it is instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) notes: Vec<Trouble>,
    /// What could not be read, in all.
    pub(super) unreadable: usize,
    /// Each of these, with why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) troubles: Vec<Trouble>,
    /// Files that were not opened, by the services whose logs they are.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) skipped: BTreeMap<String, usize>,
    /// Records that were kept.
    pub(super) matched: usize,
    /// Of each rule, how many records it matched.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) rules: BTreeMap<String, u64>,
    /// Where the kept records are; none where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) kept: Option<KeptObject>,
    /// Milliseconds that it took.
    pub(super) millis: u64,
    /// The key with which it ended; none where nothing was left to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last: Option<String>,
    /// Whether the part has been read to its end.
    pub(super) done: bool,
}

/// An object with records, and that with their places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptObject {
    /// The key of the records: NDJSON, gzip.
    pub(super) records: String,
    /// Its bytes.
    pub(super) bytes: u64,
    /// The key of their places.
    pub(super) places: String,
}

/// Something that could not be read, or is no record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Trouble {
    pub(super) place: String,
    pub(super) reason: String,
    /// Whether only a part of it is lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) damaged: bool,
    /// How many such things there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) count: Option<usize>,
}

impl SliceTally {
    /// Notes something that could not be read.
    pub(super) fn trouble(&mut self, place: String, reason: String, damaged: bool) {
        self.unreadable += 1;
        if self.troubles.len() < NAMED {
            self.troubles.push(Trouble { place, reason, damaged, count: None });
        }
    }

    /// Notes what is no record.
    pub(super) fn ignore(&mut self, place: String, reason: String, count: usize) {
        self.ignored += count;
        if self.notes.len() < NOTES {
            self.notes.push(Trouble { place, reason, damaged: false, count: Some(count) });
        }
    }
}

/// A part that has been read to its end: the mark of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PartTally {
    pub(super) version: u32,
    pub(super) part: String,
    /// In their order.
    pub(super) slices: Vec<SliceTally>,
    /// By which execution, if what could not be read was tried again.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) again: String,
}

impl PartTally {
    /// The sum of a count over its slices.
    pub(super) fn sum(&self, of: impl Fn(&SliceTally) -> u64) -> u64 {
        self.slices.iter().map(of).sum()
    }

    /// Whether everything in it has been read.
    pub(super) fn is_whole(&self) -> bool {
        self.slices.iter().all(|slice| slice.unreadable == 0)
    }

    /// Files that it has come upon: read or not.
    pub(super) fn objects(&self) -> u64 {
        self.sum(|slice| slice.files as u64)
    }
}
