//! What EventBridge would have delivered of an archive, and what that costs.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use crate::cli::findings::{EvaluatedFinding, FindingVisitor};
use crate::cloudtrail::envelope;
use crate::engine::{EvaluateError, Scanned, ScannedElements, Scanner};
use crate::pattern::DerivedPatterns;
use crate::ruleset::RuleSet;
use crate::scan::RecordVisitor;

/// Dollars for a million events that reach the function and match nothing, at list prices of us-east-1: docs/scale.md. What alerts costs
/// the same, whichever pattern lets it pass.
const DOLLARS_A_MILLION: f64 = 0.40;

/// Counts what would have been delivered, beside what is found. Every record is read whole for it.
#[derive(Debug)]
pub(in crate::cli) struct DeliveryVisitor<'r> {
    findings: FindingVisitor<'r>,
    counts: Option<DeliveryCounts>,
}

/// Counts of records.
#[derive(Debug)]
struct DeliveryCounts {
    patterns: DerivedPatterns,
    records: AtomicU64,
    /// Where the template's parameter says `wide`.
    wide: AtomicU64,
    /// Where it says `derived`.
    derived: AtomicU64,
}

/// As `--format json` prints it.
#[derive(Debug, Serialize)]
pub(super) struct DeliveryLine {
    /// Records that were asked about.
    pub(super) records: u64,
    pub(super) wide: DeliveredLine,
    pub(super) derived: DeliveredLine,
    /// With `RuleState` for all read-only calls.
    pub(super) all: DeliveredLine,
}

/// What would have been delivered.
#[derive(Debug, Serialize)]
pub(super) struct DeliveredLine {
    pub(super) delivered: u64,
    /// Of a hundred records.
    pub(super) percent: f64,
    /// For 100 million such records.
    pub(super) dollars_for_100_million: f64,
}

impl<'r> DeliveryVisitor<'r> {
    /// `wanted`: whether anything is to be counted.
    pub(super) fn new(rules: &'r RuleSet, findings: FindingVisitor<'r>, wanted: bool) -> Self {
        let counts = wanted.then(|| DeliveryCounts {
            patterns: DerivedPatterns::of_set(rules),
            records: AtomicU64::new(0),
            wide: AtomicU64::new(0),
            derived: AtomicU64::new(0),
        });
        Self { findings, counts }
    }

    /// What has been counted.
    pub(super) fn line(&self) -> Option<DeliveryLine> {
        let counts = self.counts.as_ref()?;
        let records = counts.records.load(Ordering::Relaxed);
        let line = |delivered: u64| {
            #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 52 bits")]
            let share = if records == 0 { 0.0 } else { delivered as f64 / records as f64 };
            let rounded = |number: f64, digits: f64| (number * digits).round() / digits;
            DeliveredLine {
                delivered,
                percent: rounded(100.0 * share, 100.0),
                dollars_for_100_million: rounded(100.0 * share * DOLLARS_A_MILLION, 100.0),
            }
        };
        Some(DeliveryLine {
            records,
            wide: line(counts.wide.load(Ordering::Relaxed)),
            derived: line(counts.derived.load(Ordering::Relaxed)),
            all: line(records),
        })
    }
}

impl DeliveryCounts {
    fn count(&self, text: &str) {
        let add = |counter: &AtomicU64, number: usize| counter.fetch_add(number as u64, Ordering::Relaxed);
        for raw in envelope::open(text).records {
            let Ok(record) = raw.parse() else { continue };
            add(&self.records, 1);
            add(&self.wide, self.patterns.wide_deliveries(&record));
            add(&self.derived, self.patterns.deliveries(&record));
        }
    }
}

impl<'r> RecordVisitor for DeliveryVisitor<'r> {
    type Output = EvaluatedFinding;
    type State = Scanner<'r>;

    fn state(&self) -> Scanner<'r> {
        self.findings.state()
    }

    fn document(
        &self,
        scanner: &mut Scanner<'r>,
        text: &str,
        take: &mut dyn FnMut(usize, Result<EvaluatedFinding, EvaluateError>),
    ) -> Scanned {
        if let Some(counts) = &self.counts {
            counts.count(text);
        }
        self.findings.document(scanner, text, take)
    }

    fn elements(
        &self,
        scanner: &mut Scanner<'r>,
        text: &str,
        take: &mut dyn FnMut(usize, Result<EvaluatedFinding, EvaluateError>),
    ) -> ScannedElements {
        // What is counted is read as documents.
        if self.counts.is_some() {
            return ScannedElements::default();
        }
        self.findings.elements(scanner, text, take)
    }
}
