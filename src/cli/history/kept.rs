//! What readers have kept, through the second half of `backtest`: in the archive's order, with what could not be read.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64};

use super::matched::KeptPlaces;
use super::plan::Plan;
use super::results::Results;
use super::tally::PartTally;
use super::walk::in_parallel;
use crate::cli::backtest::{DeliveryVisitor, TakeFinding};
use crate::cli::input::{InputCounts, PartCounts};
use crate::scan::s3::ListedObject;
use crate::scan::{Scan, ScanEvent, all_cores};

/// Parts whose marks are in memory at a time.
const PARTS: usize = 256;
/// Missing parts that are named.
const NAMED: usize = 20;

/// The kept records of a plan.
pub(super) struct KeptRecords<'k> {
    pub(super) results: &'k Results,
    pub(super) plan: &'k Plan,
}

/// A part, as far as a report asks.
struct PlannedPart {
    id: String,
    /// How many log files it should have, where they were counted.
    objects: Option<u64>,
}

/// Where the places of a kept object are, and how many records it has.
type KeptIndex = HashMap<String, (String, usize)>;

impl KeptRecords<'_> {
    /// Evaluates every record that was kept and hands over what is found, with where its record stood in the archive.
    ///
    /// # Errors
    /// Those of `take`; and S3 does not give the plan or the marks.
    pub(super) fn each(&self, visitor: &DeliveryVisitor<'_>, take: &mut TakeFinding<'_>) -> io::Result<InputCounts> {
        let mut parts = Vec::new();
        let planned = self.results.each_part(&self.plan.id, |part| {
            parts.push(PlannedPart { objects: part.exact.then_some(part.objects), id: part.id });
        });
        planned.map_err(io::Error::other)?;
        let mut counts = InputCounts::default();
        let mut missing =
            PartCounts { plan: self.plan.id.clone(), planned: parts.len() as u64, ..PartCounts::default() };
        for parts in parts.chunks(PARTS) {
            let marks = in_parallel(parts, |part| self.results.done(&self.plan.rules.id, &part.id));
            let (mut objects, mut index) = (Vec::new(), KeptIndex::new());
            for (part, mark) in parts.iter().zip(marks.map_err(io::Error::other)?) {
                if let Some(mark) = mark {
                    self.count(part, mark, &mut counts, &mut objects, &mut index);
                } else {
                    missing.missing += 1;
                    if missing.named.len() < NAMED {
                        missing.named.push(part.id.clone());
                    }
                }
            }
            self.evaluate(objects, &index, visitor, take, &mut counts)?;
        }
        counts.parts = Some(missing);
        counts.finish_elsewhere(&format!("s3://{}/{}", self.plan.bucket, self.plan.prefix));
        Ok(counts)
    }

    /// Counts what a part's readers have told, and says what they could not read.
    fn count(
        &self,
        part: &PlannedPart,
        mark: PartTally,
        counts: &mut InputCounts,
        objects: &mut Vec<ListedObject>,
        index: &mut KeptIndex,
    ) {
        if let Some(planned) = part.objects.filter(|planned| *planned != mark.objects()) {
            let found = mark.objects();
            eprintln!(
                "note: part {}: {planned} log files were planned, and {found} were there when it was read",
                part.id
            );
        }
        for slice in mark.slices {
            counts.add(slice.files, slice.records, slice.ignored, &slice.skipped);
            counts.unreadable += slice.unreadable;
            for trouble in &slice.troubles {
                if trouble.damaged {
                    eprintln!("warning: {}: {}", trouble.place, trouble.reason);
                } else {
                    eprintln!("error: cannot read {}: {}", trouble.place, trouble.reason);
                }
            }
            let unnamed = slice.unreadable.saturating_sub(slice.troubles.len());
            if unnamed > 0 {
                eprintln!("error: part {}: {unnamed} more that could not be read", part.id);
            }
            for note in &slice.notes {
                eprintln!("note: {}: ignored, not written by CloudTrail: {}", note.place, note.reason);
            }
            if let Some(kept) = slice.kept {
                let name = format!("s3://{}/{}", self.results.store.bucket(), kept.records);
                index.insert(name, (kept.places, slice.matched));
                objects.push(ListedObject { key: kept.records, size: kept.bytes, etag: None });
            }
        }
    }

    /// Evaluates the records of some objects.
    fn evaluate(
        &self,
        objects: Vec<ListedObject>,
        index: &KeptIndex,
        visitor: &DeliveryVisitor<'_>,
        take: &mut TakeFinding<'_>,
        counts: &mut InputCounts,
    ) -> io::Result<()> {
        let mut current: Option<(String, KeptPlaces)> = None;
        let scan = Scan { threads: all_cores(), stop: &AtomicBool::new(false), bytes: &AtomicU64::new(0) };
        let lost = |counts: &mut InputCounts, what: &str, reason: &str| {
            counts.unreadable += 1;
            eprintln!("error: cannot read {what}: {reason}: what was kept there is missing in the figures");
        };
        scan.run(self.results.store.inputs(objects), visitor, |event| {
            match event {
                ScanEvent::Output { input, index: record, output } => {
                    if current.as_ref().is_none_or(|(name, _)| **name != *input) {
                        current = Some((input.to_string(), self.places(index, &input)?));
                    }
                    let place = current.as_ref().and_then(|(_, places)| places.of(record));
                    let (file, record) =
                        place.ok_or_else(|| io::Error::other(format!("{input}: record {record} has no place")))?;
                    take(file, record, output)?;
                }
                ScanEvent::Unreadable { place, reason } => lost(counts, &place, &reason),
                ScanEvent::Damaged { input, reason } | ScanEvent::Ignored { input, reason, .. } => {
                    lost(counts, &input, &reason);
                }
                ScanEvent::Done { input, records } | ScanEvent::Stopped { input, records } => {
                    if let Some((_, kept)) = index.get(&*input)
                        && *kept != records
                    {
                        lost(counts, &input, &format!("it has {records} records, and {kept} were kept"));
                    }
                }
                ScanEvent::Skipped { .. } => {}
            }
            Ok(())
        })
    }

    fn places(&self, index: &KeptIndex, name: &str) -> io::Result<KeptPlaces> {
        let (key, kept) = index.get(name).ok_or_else(|| io::Error::other(format!("{name} was not asked for")))?;
        let told = |reason: String| io::Error::other(format!("{key}: {reason}"));
        let body = self.results.store.get(key).map_err(|fault| told(fault.to_string()))?;
        let places = KeptPlaces::read(&body.ok_or_else(|| told("it is missing".to_owned()))?);
        let places = places.map_err(|error| told(error.to_string()))?;
        if places.count() == *kept {
            Ok(places)
        } else {
            Err(told(format!("{kept} places were kept, and it has {}", places.count())))
        }
    }
}
