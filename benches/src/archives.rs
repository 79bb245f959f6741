//! What reading an archive costs, against unpacking it.

use std::fmt::Write as _;
use std::fs::File;
use std::hint::black_box;
use std::io::{BufReader, BufWriter, Read, Write as _};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64};

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
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
        sets.iter().zip(&mut hits).map(|((_, rules), hits)| move || *hits = scan(rules, folder, 1)).collect();
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

/// All records as one file, too large to be held whole: the time that passes until it is unpacked, and until it is scanned.
pub(crate) fn of_one_file(corpus: &Corpus, out: &mut String) {
    let file = std::env::temp_dir().join(format!("offlimits-bench-{}.json.gz", std::process::id()));
    let mut encoder = GzEncoder::new(BufWriter::new(File::create(&file).unwrap()), Compression::default());
    for (number, record) in corpus.records.iter().enumerate() {
        let before = if number == 0 { "{\"Records\":[" } else { "," };
        write!(encoder, "{before}{record}").unwrap();
    }
    encoder.write_all(b"]}").unwrap();
    encoder.finish().unwrap().flush().unwrap();
    let (paths, rules) = (std::slice::from_ref(&file), compile(&traffic::rules(100).0));
    let mut unpacker = rivals::Unpacker::new();
    let mut ways: [&mut dyn FnMut(); 4] = [
        &mut || gunzip(paths, &mut unpacker),
        &mut || gunzip_streaming(&file),
        &mut || _ = black_box(scan(&rules, paths, 1)),
        &mut || _ = black_box(scan(&rules, paths, 2)),
    ];
    let times = least_by(Clock::Wall, ROUNDS, &mut ways);
    let packed = std::fs::metadata(&file).unwrap().len();
    let _ = std::fs::remove_file(&file);
    let _ =
        writeln!(out, "| one file of {} MB, 100 rules | wall, s | ÷ libdeflate |\n|---|---:|---:|", packed / 1_000_000);
    let names =
        ["libdeflate, all at once", "flate2 (zlib-rs), as a stream", "the scan, 1 thread", "**the scan, 2 threads**"];
    for (name, time) in names.iter().zip(&times) {
        let _ = writeln!(out, "| {name} | {time:.3} | {:.2} |", time / times[0]);
    }
    out.push('\n');
}

/// Unpacks a file with flate2, a piece at a time.
fn gunzip_streaming(file: &Path) {
    let mut stream = MultiGzDecoder::new(BufReader::with_capacity(128 * 1024, File::open(file).unwrap()));
    let mut piece = vec![0; 256 * 1024];
    while stream.read(&mut piece).unwrap() > 0 {
        black_box(&piece);
    }
}

/// Unpacks every file with libdeflate, into the same memory.
fn gunzip(folder: &[PathBuf], unpacker: &mut rivals::Unpacker) {
    let mut packed = Vec::new();
    for input in files::inputs(folder) {
        let Input::File(path) = input else { continue };
        packed.clear();
        File::open(path).unwrap().read_to_end(&mut packed).unwrap();
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
fn scan(rules: &RuleSet, paths: &[PathBuf], threads: usize) -> (usize, usize) {
    let (mut records, mut matched) = (0, 0);
    let threads = NonZero::new(threads).unwrap();
    let scan = Scan { threads, stop: &AtomicBool::new(false), bytes: &AtomicU64::new(0) };
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
    scan.run(files::inputs(paths), &Evaluate(rules), take).unwrap();
    (records, matched)
}
