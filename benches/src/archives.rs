//! What reading an archive costs, against unpacking it.

use std::fmt::Write as _;
use std::hint::black_box;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64};

use offlimits::engine::{EvaluateError, Scanned, Scanner};
use offlimits::finding::Finding;
use offlimits::ruleset::RuleSet;
use offlimits::scan::{Input, RecordVisitor, Scan, ScanEvent, files};

use crate::corpus::Corpus;
use crate::measure::{Clock, least_by};
use crate::{compile, rivals, traffic};

const ROUNDS: usize = 7;

/// Every file is read, unpacked, and its records evaluated, as `offlimits backtest --threads 1` does; over reading and
/// unpacking alone.
pub(crate) fn table(corpus: &Corpus, out: &mut String) {
    let folder = std::slice::from_ref(&corpus.folder);
    let sets = [100, 10_000].map(|count| compile(&traffic::rules(count).0));
    let mut hits = [(0, 0); 2];
    let [few, many] = &mut hits;
    let mut unpacker = rivals::Unpacker::new();
    // The scan works on a thread of its own.
    let times = least_by(
        Clock::Process,
        ROUNDS,
        &mut [&mut || gunzip(folder, &mut unpacker), &mut || *few = scan(&sets[0], folder), &mut || {
            *many = scan(&sets[1], folder)
        }],
    );
    let _ = writeln!(
        out,
        "| rules | records that match | gunzip only, µs a record | **archive scan ÷ gunzip only** |\n|---:|---:|---:|---:|"
    );
    for ((count, (records, matched)), time) in [100, 10_000].into_iter().zip(hits).zip(&times[1..]) {
        let _ = writeln!(
            out,
            "| {count} | {:.3} % | {:.2} | **{:.2}** |",
            matched as f64 * 100.0 / records as f64,
            times[0] * 1e6 / records as f64,
            time / times[0]
        );
    }
    out.push('\n');
}

/// Unpacks every file with libdeflate, into the same memory.
fn gunzip(folder: &[PathBuf], unpacker: &mut rivals::Unpacker) {
    let mut packed = Vec::new();
    for input in files::inputs(folder) {
        let Input::File(path) = input else { continue };
        packed.clear();
        std::io::Read::read_to_end(&mut std::fs::File::open(path).unwrap(), &mut packed).unwrap();
        black_box(unpacker.unpack(&packed));
    }
}

struct Evaluate<'r>(&'r RuleSet);

impl<'r> RecordVisitor for Evaluate<'r> {
    type Output = Vec<Finding>;
    type State = Scanner<'r>;

    fn state(&self) -> Scanner<'r> {
        self.0.scanner()
    }

    fn document(
        &self,
        scanner: &mut Scanner<'r>,
        text: &str,
        take: &mut dyn FnMut(usize, Result<Vec<Finding>, EvaluateError>),
    ) -> Scanned {
        scanner.scan(text, |matches| matches.outlines(), |index, _, findings| take(index, findings))
    }
}

/// Records, and those that match.
fn scan(rules: &RuleSet, folder: &[PathBuf]) -> (usize, usize) {
    let (mut records, mut matched) = (0, 0);
    let scan = Scan { threads: NonZero::<usize>::MIN, stop: &AtomicBool::new(false), bytes: &AtomicU64::new(0) };
    let take = |told: ScanEvent<Vec<Finding>>| -> std::io::Result<()> {
        match told {
            ScanEvent::Output { .. } => matched += 1,
            ScanEvent::Done { records: read, .. } => records += read,
            ScanEvent::Ignored { .. }
            | ScanEvent::Damaged { .. }
            | ScanEvent::Skipped { .. }
            | ScanEvent::Unreadable { .. } => {}
        }
        Ok(())
    };
    scan.run(files::inputs(folder), &Evaluate(rules), take).unwrap();
    (records, matched)
}
