//! What reading an archive costs, against unpacking it: CPU time, one thread, ratios of interleaved rounds of one run.
//!
//! `cargo bench --bench archive -- FOLDER` reads the log files of FOLDER: some hundred megabytes of `.json.gz`.

#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used, reason = "a benchmark prints, and may stop")]
#![allow(clippy::cast_precision_loss, reason = "ratios are printed with two digits")]

use std::fs;
use std::io;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use libdeflater::Decompressor;
use offlimits::engine::{Scanned, Scanner};
use offlimits::finding::Finding;
use offlimits::rules::RuleSet;
use offlimits::scan::{Input, Scan, Told, Work, files};
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;

const ROUNDS: usize = 5;

fn main() {
    let Some(folder) = std::env::args().skip(1).find(|argument| !argument.starts_with("--")) else {
        eprintln!("skipped: name a folder of log files: cargo bench --bench archive -- FOLDER");
        return;
    };
    let folder = [PathBuf::from(folder)];
    let sets = [100, 10_000].map(|count| (count, rules(count)));
    let mut figures: Vec<Vec<f64>> = vec![Vec::new(); sets.len()];
    for round in 1..=ROUNDS {
        let (bytes, gunzip) = cpu(|| gunzip(&folder));
        println!("round {round}: gunzip only {gunzip:?} for {} MB", bytes / 1_000_000);
        for ((count, rules), figures) in sets.iter().zip(&mut figures) {
            let ((records, findings), time) = cpu(|| scan(rules, &folder));
            let ratio = time.as_secs_f64() / gunzip.as_secs_f64();
            println!("  {count} rules: {time:?}, {ratio:.2} of gunzip; {findings} findings in {records} records");
            figures.push(ratio);
        }
    }
    for ((count, _), mut figures) in sets.into_iter().zip(figures) {
        figures.sort_by(f64::total_cmp);
        println!("archive scan / gunzip only, {count} rules: {:.2} (median of {ROUNDS})", figures[ROUNDS / 2]);
    }
}

/// CPU time of the process.
fn cpu<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let now = || {
        let time = clock_gettime(ClockId::ProcessCPUTime);
        Duration::new(time.tv_sec.cast_unsigned(), u32::try_from(time.tv_nsec).unwrap())
    };
    let start = now();
    let made = work();
    (made, now().saturating_sub(start))
}

/// Unpacks every file with libdeflate, into the same memory.
fn gunzip(folder: &[PathBuf]) -> usize {
    let (mut libdeflate, mut unpacked, mut bytes) = (Decompressor::new(), Vec::new(), 0);
    for input in files::inputs(folder) {
        let Input::File(path) = input else { continue };
        let packed = fs::read(path).unwrap();
        let Some(length) = packed.last_chunk().filter(|_| packed.starts_with(&[0x1f, 0x8b])) else { continue };
        unpacked.resize(unpacked.len().max(u32::from_le_bytes(*length) as usize), 0);
        bytes += libdeflate.gzip_decompress(&packed, &mut unpacked).unwrap();
    }
    bytes
}

struct Evaluate<'r>(&'r RuleSet);

impl<'r> Work for Evaluate<'r> {
    type Made = Vec<Finding>;
    type State = Scanner<'r>;

    fn state(&self) -> Scanner<'r> {
        self.0.scanner()
    }

    fn document(
        &self,
        scanner: &mut Scanner<'r>,
        text: &str,
        take: &mut dyn FnMut(usize, Result<Vec<Finding>, String>),
    ) -> Scanned {
        scanner.scan(text, |index, _, findings| take(index, findings))
    }
}

/// Records and findings.
fn scan(rules: &RuleSet, folder: &[PathBuf]) -> (usize, usize) {
    let (mut records, mut findings) = (0, 0);
    let scan = Scan { threads: NonZero::<usize>::MIN, stop: &AtomicBool::new(false), bytes: &AtomicU64::new(0) };
    let take = |told: Told<Vec<Finding>>| -> io::Result<()> {
        match told {
            Told::Made { made, .. } => findings += made.len(),
            Told::Done { records: read, .. } => records += read,
            Told::Ignored { .. } | Told::Unreadable { .. } => {}
        }
        Ok(())
    };
    scan.run(files::inputs(folder), &Evaluate(rules), take).unwrap();
    (records, findings)
}

/// Rules in the shape of the seed's table, three tenths with a condition on a further field, a fifth with an exception. What
/// they name is rare, or never happens.
fn rules(count: usize) -> RuleSet {
    const RARE: [(&str, &str); 10] = [
        ("ec2", "StartInstances"),
        ("cloudtrail", "DeleteTrail"),
        ("cloudtrail", "StopLogging"),
        ("iam", "CreateAccessKey"),
        ("iam", "AttachUserPolicy"),
        ("guardduty", "DeleteDetector"),
        ("kms", "ScheduleKeyDeletion"),
        ("s3", "PutBucketPolicy"),
        ("lambda", "UpdateFunctionCode"),
        ("organizations", "LeaveOrganization"),
    ];
    let rule = |number: usize| {
        let (service, event) = RARE[number % RARE.len()];
        let event = if number < RARE.len() { event.to_owned() } else { format!("{event}{number}") };
        let mut row = json!({
            "identity": "^(IAM|Assumed).*", "service": format!("^({service}.amazonaws.com).*"), "event": format!("^({event}).*"),
        });
        match number % 10 {
            3 => row["requestParameters.userName"] = json!({ "not": "^ci-" }),
            5 => row["source_ip"] = json!({ "not": { "cidr": "203.0.113.0/24" } }),
            7 => row["outcome"] = json!("success"),
            _ => {}
        }
        let mut rule =
            json!({ "id": format!("R-{number}"), "title": "{event} by {actor}", "severity": "high", "when": row });
        if number % 5 == 1 {
            rule["unless"] = json!([{ "when": { "user": { "is": format!("bot-{number}") } }, "reason": "it may" }]);
        }
        rule
    };
    let rules: Vec<_> = (0..count).map(rule).collect();
    RuleSet::compile(&json!({ "rules": rules }).to_string()).unwrap().rules
}
