//! Reads a part of the archive, a slice at a time: what one invocation has time and memory for.
//!
//! A slice's objects are written whole, its tally last, and the tally only if there is none yet. Whoever reads the same slice again, or at
//! the same time, therefore agrees with the first about where it ended and what it kept.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::matched::{MatchVisitor, MatchedWriter};
use super::part::Part;
use super::plan::{Plan, VERSION};
use super::results::{Results, done_key, slice_prefix};
use super::rules_kept::LoadedRules;
use super::tally::{KeptObject, PartTally, SliceTally};
use crate::cli::findings::with_issuing_calls;
use crate::ids::StableId;
use crate::scan::layout::{self, LogFilter};
use crate::scan::s3::{KeyRange, inputs_of_ranges};
use crate::scan::{Input, Scan, ScanEvent, all_cores};

/// Packed bytes of kept records with which a slice ends: they are in memory until then.
const KEPT_BYTES: usize = 4 * 1024 * 1024;

/// Where a part's reader is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SliceState {
    /// The number of the next slice.
    #[serde(default)]
    pub(super) number: u32,
    /// The key with which the one before it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<String>,
    /// Whether nothing is left.
    #[serde(default)]
    pub(super) done: bool,
}

/// What a reader is asked.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ReadOrder {
    pub(super) plan: String,
    pub(super) part: Part,
    #[serde(default)]
    pub(super) slice: SliceState,
    /// The execution that reads once more the parts in which something could not be read; empty: none does.
    #[serde(default)]
    pub(super) again: String,
}

/// Reads parts of one plan.
pub(super) struct Reader<'r> {
    pub(super) results: &'r Results,
    pub(super) plan: &'r Plan,
    pub(super) rules: &'r LoadedRules,
}

impl Reader<'_> {
    /// Reads the next slice of a part until `deadline`, and says where it ended.
    ///
    /// # Errors
    /// What cannot be listed or written: nothing of the slice counts then, and it can be read again.
    pub(super) fn read(&self, order: &ReadOrder, deadline: Instant) -> Result<SliceState, String> {
        let (rules, part) = (&self.plan.rules.id, &order.part.id);
        if order.slice.number == 0
            && let Some(done) = self.results.done(rules, part)?
            && (order.again.is_empty() || done.is_whole() || done.again == order.again)
        {
            return Ok(SliceState { done: true, ..SliceState::default() });
        }
        let prefix = slice_prefix(rules, part, &order.again, order.slice.number);
        let key = format!("{prefix}.tally.json");
        let tally = match self.results.document::<SliceTally>(&key)? {
            Some(tally) => tally,
            None => self.write(&prefix, &key, self.slice(order, deadline)?)?,
        };
        if tally.done {
            self.end(order)?;
        }
        Ok(SliceState { number: tally.number + 1, after: tally.last, done: tally.done })
    }

    /// Reads a slice.
    fn slice(&self, order: &ReadOrder, deadline: Instant) -> Result<(SliceTally, MatchedWriter), String> {
        let began = Instant::now();
        let rules = &self.rules.rules;
        let both = with_issuing_calls(rules);
        let visitor = MatchVisitor::new(rules, both.as_ref());
        let mut writer = MatchedWriter::new(rules.rules().len());
        let mut tally = SliceTally { number: order.slice.number, ..SliceTally::default() };
        let is_full = AtomicBool::new(false);
        let taken = Arc::new(Mutex::new(Taken::default()));
        let bucket = &self.plan.bucket;
        let inputs = self.inputs(order)?;
        let prefix = format!("s3://{bucket}/");
        let inputs = {
            let (taken, is_full) = (taken.clone(), &is_full);
            let mut inputs = inputs;
            std::iter::from_fn(move || {
                let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
                // What has been begun is read to its end; one is, whatever the time.
                let is_time = taken.last.is_some() && (is_full.load(Ordering::Relaxed) || Instant::now() >= deadline);
                if is_time || taken.failed.is_some() {
                    taken.is_cut |= is_time;
                    return None;
                }
                match inputs.next()? {
                    Input::Bad(name, reason) => {
                        taken.failed = Some(format!("{name}: {reason}"));
                        None
                    }
                    input => {
                        let name = input.to_string();
                        taken.last = Some(name.strip_prefix(&prefix).unwrap_or(&name).to_owned());
                        Some(input)
                    }
                }
            })
        };
        let bytes = AtomicU64::new(0);
        let scan = Scan { threads: all_cores(), stop: &AtomicBool::new(false), bytes: &bytes };
        let scanned = scan.run(inputs, &visitor, |event| {
            match event {
                ScanEvent::Output { input, index, output } => {
                    writer.add(&input, index, &output)?;
                    if writer.packed() >= KEPT_BYTES {
                        is_full.store(true, Ordering::Relaxed);
                    }
                }
                ScanEvent::Ignored { input, reason, count } => tally.ignore(input.to_string(), reason, count),
                ScanEvent::Damaged { input, reason } => tally.trouble(input.to_string(), reason, true),
                ScanEvent::Unreadable { place, reason } => tally.trouble(place, reason, false),
                ScanEvent::Skipped { service, .. } => *tally.skipped.entry(service).or_default() += 1,
                ScanEvent::Stopped { records, .. } => tally.records += records,
                ScanEvent::Done { records, .. } => {
                    tally.files += 1;
                    tally.records += records;
                }
            }
            io::Result::Ok(())
        });
        scanned.map_err(|error| format!("the records cannot be packed: {error}"))?;
        let taken = std::mem::take(&mut *taken.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(reason) = taken.failed {
            return Err(reason);
        }
        tally.bytes = bytes.into_inner();
        tally.matched = writer.count;
        let by_rule = rules.rules().iter().zip(&writer.rules).filter(|(_, count)| **count > 0);
        tally.rules = by_rule.map(|(rule, count)| (rule.info.id.clone(), *count)).collect();
        tally.last = taken.last.or_else(|| order.slice.after.clone());
        tally.done = !taken.is_cut;
        tally.millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok((tally, writer))
    }

    /// The log files that are left of a part.
    fn inputs(&self, order: &ReadOrder) -> Result<impl Iterator<Item = Input> + Send + use<>, String> {
        let ranges = left(&order.part.ranges, order.slice.after.as_deref());
        // The filter has chosen the folders of days; what is in them is read.
        let are_days = ranges.iter().all(|range| layout::is_day(&range.prefix));
        let filter = if are_days { LogFilter::default() } else { self.plan.filter.filter() };
        inputs_of_ranges(&self.plan.bucket, &ranges, filter)
    }

    /// Writes a slice's objects, its tally last. If somebody has written a tally meanwhile, that one holds.
    fn write(
        &self,
        prefix: &str,
        key: &str,
        (mut tally, writer): (SliceTally, MatchedWriter),
    ) -> Result<SliceTally, String> {
        if tally.matched > 0 {
            let (records, places) = writer.finish().map_err(|error| error.to_string())?;
            // Two readers of one slice may end at other keys: neither writes over what the other's tally names.
            let end = StableId::hash(&[tally.last.as_deref().unwrap_or_default(), &tally.matched.to_string()]);
            let name = |what: &str| format!("{prefix}.{what}.{}.jsonl.gz", &end.as_str()[..8]);
            let kept = KeptObject { records: name("records"), bytes: records.len() as u64, places: name("places") };
            self.results.put_bytes(&kept.records, records)?;
            self.results.put_bytes(&kept.places, places)?;
            tally.kept = Some(kept);
        }
        let body = serde_json::to_vec(&tally).map_err(|error| error.to_string())?;
        let is_first = self.results.store.put_first(key, body).map_err(|fault| self.results.told(key, &fault))?;
        if is_first {
            return Ok(tally);
        }
        self.results.document(key)?.ok_or_else(|| format!("{key} was there, and is gone"))
    }

    /// Marks a part as read to its end.
    fn end(&self, order: &ReadOrder) -> Result<(), String> {
        let (rules, part) = (&self.plan.rules.id, &order.part.id);
        let mut slices = Vec::new();
        loop {
            let number = u32::try_from(slices.len()).map_err(|error| error.to_string())?;
            let key = format!("{}.tally.json", slice_prefix(rules, part, &order.again, number));
            let tally: Option<SliceTally> = self.results.document(&key)?;
            let tally = tally.ok_or_else(|| format!("{key} is missing"))?;
            let is_last = tally.done;
            slices.push(tally);
            if is_last {
                break;
            }
        }
        let done = PartTally { version: VERSION, part: part.clone(), slices, again: order.again.clone() };
        let key = done_key(rules, part);
        if !order.again.is_empty() {
            return self.results.put(&key, &done);
        }
        // Whoever was slower must not undo what has been read once more since.
        let body = serde_json::to_vec(&done).map_err(|error| error.to_string())?;
        self.results.store.put_first(&key, body).map(|_| ()).map_err(|fault| self.results.told(&key, &fault))
    }
}

/// What the inputs of a slice have come to.
#[derive(Debug, Default)]
struct Taken {
    /// The key of the last object that was begun.
    last: Option<String>,
    /// Whether there were others, and no time for them.
    is_cut: bool,
    /// Why nothing of it counts.
    failed: Option<String>,
}

/// The ranges behind a key, which is one of theirs.
fn left(ranges: &[KeyRange], after: Option<&str>) -> Vec<KeyRange> {
    let Some(after) = after else { return ranges.to_vec() };
    let Some(place) = ranges.iter().position(|range| range.holds(after)) else { return ranges.to_vec() };
    let mut left = ranges[place..].to_vec();
    left[0].after = Some(after.to_owned());
    left
}

/// What a reader leaves of an invocation's time for writing what it has.
pub(super) const TIME_TO_WRITE: Duration = Duration::from_secs(45);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_begins_behind_the_last_key() {
        let ranges = ["a/", "b/", "c/"].map(KeyRange::of_prefix);
        assert_eq!(left(&ranges, None), ranges);
        let behind = left(&ranges, Some("b/5"));
        assert_eq!(behind.len(), 2);
        assert!(!behind[0].holds("b/5") && behind[0].holds("b/6") && behind[1].holds("c/0"));
    }
}
