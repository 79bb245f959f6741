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
use crate::{compile, rivals, shipped_rules, traffic};

const ROUNDS: usize = 7;

/// A rule that every record matches.
const EVERYTHING: &str =
    r#"{"rules":[{"id":"all","title":"{actor} called {event}","severity":"low","when":{"event":{"exists":true}}}]}"#;

/// Every file is read, unpacked, and its records evaluated, as `offlimits backtest --threads 1` does; over reading and
/// unpacking alone.
pub(crate) fn table(corpus: &Corpus, out: &mut String) {
    let folder = std::slice::from_ref(&corpus.folder);
    let made_up = |count: usize| (count.to_string(), compile(&traffic::rules(count).0));
    let shipped = shipped_rules();
    let sets = [
        made_up(10),
        made_up(100),
        made_up(10_000),
        (format!("{}, those that we ship", shipped.rules().len()), shipped),
        ("1, of every record".to_owned(), compile(EVERYTHING)),
    ];
    let mut hits = [(0, 0); 5];
    let mut unpacker = rivals::Unpacker::new();
    let mut scans: Vec<_> =
        sets.iter().zip(&mut hits).map(|((_, rules), hits)| move || *hits = scan(rules, folder)).collect();
    let mut gunzips = || gunzip(folder, &mut unpacker);
    let mut work: Vec<&mut dyn FnMut()> = vec![&mut gunzips];
    work.extend(scans.iter_mut().map(|scan| scan as &mut dyn FnMut()));
    // The scan works on a thread of its own.
    let times = least_by(Clock::Process, ROUNDS, &mut work);
    let _ = writeln!(
        out,
        "| rules | records that match | gunzip only, µs a record | **archive scan ÷ gunzip only** |\n|---:|---:|---:|---:|"
    );
    for (((name, _), (records, matched)), time) in sets.iter().zip(hits).zip(&times[1..]) {
        let _ = writeln!(
            out,
            "| {name} | {:.3} % | {:.2} | **{:.2}** |",
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
            ScanEvent::Done { records: read, .. } | ScanEvent::Stopped { records: read, .. } => records += read,
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
