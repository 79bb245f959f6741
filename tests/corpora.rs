//! Real records, thousands of them, where they are at hand (`support::corpora`): every one is read, none is counted twice,
//! and nothing falls over.

use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use crate::support;

/// A rule that every record matches, once: whoever calls whatever.
fn every_record(folder: &Path) -> PathBuf {
    let rule = json!({"rules": [{
        "id": "every", "title": "{event} by {actor}", "severity": "low",
        "when": [{"event": {"exists": true}}, {"event": {"exists": false}}]
    }]});
    support::file(folder, "every.json", rule.to_string())
}

/// How many records a file holds, found out without the product.
fn records_in(path: &Path) -> usize {
    #[derive(Deserialize)]
    struct LogFile {
        #[serde(rename = "Records")]
        records: Vec<IgnoredAny>,
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).unwrap();
    match path.extension().unwrap().to_str() {
        Some("gz") => flate2::read::MultiGzDecoder::new(file).read_to_end(&mut bytes),
        _ => std::io::BufReader::new(file).read_to_end(&mut bytes),
    }
    .unwrap();
    match serde_json::from_slice::<LogFile>(&bytes) {
        Ok(file) => file.records.len(),
        Err(_) => serde_json::Deserializer::from_slice(&bytes).into_iter::<IgnoredAny>().map(Result::unwrap).count(),
    }
}

fn files_in(source: &Path, found: &mut Vec<PathBuf>) {
    if source.is_dir() {
        std::fs::read_dir(source).unwrap().for_each(|entry| files_in(&entry.unwrap().path(), found));
    } else {
        found.push(source.to_owned());
    }
}

/// Every record of every file yields one finding of a rule that matches all, under its own file and index. A folder
/// `original/`, files as CloudTrail wrote them to S3, is walked.
#[test]
fn every_record_of_every_log_file_is_read_once() {
    let Some(data) = support::corpora() else { return };
    let temporary = tempfile::tempdir().unwrap();
    let rules = every_record(temporary.path());
    let mut sources: Vec<PathBuf> = std::fs::read_dir(&data)
        .unwrap()
        .map(|corpus| corpus.unwrap().path())
        .flat_map(|corpus| ["records.json", "records.jsonl.gz", "original"].map(|name| corpus.join(name)))
        .filter(|source| source.exists())
        .collect();
    sources.sort();
    assert!(sources.len() > 10, "{sources:?}");

    for source in sources {
        let mut files = Vec::new();
        files_in(&source, &mut files);
        let expected: usize = files.iter().map(|file| records_in(file)).sum();

        let mut command = support::offlimits(["replay", "--format", "jsonl", "--rules"]);
        command.arg(&rules).arg(&source);
        let started = Instant::now();
        let run = support::run(command);
        let seconds = started.elapsed().as_secs_f64();
        let name = source.strip_prefix(&data).unwrap().display();
        assert_eq!((run.code, run.misbehaviour()), (Some(0), None), "{name}: {}", run.shown());

        let findings = run.findings();
        let places: HashSet<(&str, u64)> = findings
            .iter()
            .map(|finding| (finding["file"].as_str().unwrap(), finding["index"].as_u64().unwrap()))
            .collect();
        assert_eq!(places.len(), findings.len(), "{name}: two findings have one place");
        assert_eq!(findings.len(), expected, "{name}: {}", run.shown());
        eprintln!("{name}: {expected} records of {} files in {seconds:.1} s", files.len());
    }
}

/// The shipped rules over all log files: what an owner would see. Explaining each record must not fall over either.
#[test]
fn the_shipped_rules_run_over_real_records() {
    let rules = support::repository("rules.json");
    for corpus in ["invictus-ir", "traildiscover", "panther-share", "flaws-cloud-subset", "streamalert"] {
        let Some(folder) = support::corpus(corpus) else { continue };
        let records = folder.join("records.json");
        let run = support::replay(&[&records], &rules);
        assert_eq!((run.code, run.misbehaviour()), (Some(0), None), "{corpus}: {}", run.shown());
        let mut findings: BTreeMap<(String, u64), usize> = BTreeMap::new();
        for finding in run.findings() {
            let title = finding["title"].as_str().unwrap();
            assert!(!crate::pack_titles::has_hole(title), "{corpus}: {title}");
            // IAM users alone: the seed's table names no other identity.
            assert!(finding["rule"] != "RTM-011" || finding["identity"] == "IAMUser", "{corpus}: {finding}");
            *findings
                .entry((finding["rule"].as_str().unwrap().to_owned(), finding["row"].as_u64().unwrap()))
                .or_default() += 1;
        }
        eprintln!("{corpus}: findings by rule and row: {findings:?}");

        let mut command = support::offlimits(["explain", "--rules"]);
        command.arg(&rules).arg(&records);
        // All the packs' cells of thousands of records are a book: of the larger corpora one table will do.
        if corpus != "streamalert" {
            command.args(["--rule", "RTM-011"]);
        }
        let explained = support::run(command);
        assert_eq!((explained.code, explained.misbehaviour()), (Some(0), None), "{corpus}: {}", explained.shown());
        assert!(!explained.stdout.is_empty(), "{corpus}");
    }
}

/// Each line of the corpora's EventBridge files is `{"file": …, "event": …}`.
fn events(path: &Path) -> Vec<(String, Value)> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|line| (line["file"].as_str().unwrap().to_owned(), line["event"].clone()))
        .collect()
}

/// Events of CloudTrail open as one record each, however masked (`"detail-type": "..."`); events of others are ignored, and
/// that is said: nothing in the file is a record. Some of the "other" ones are bare CloudTrail records without an envelope: those are read, too.
#[test]
fn eventbridge_events_open_as_one_record_or_are_ignored() {
    let folders = ["streamalert", "cloud-custodian-eventbridge", "aws-lambda-events-crate"].map(support::corpus);
    let [Some(streamalert), Some(custodian), Some(crates)] = folders else { return };
    let temporary = tempfile::tempdir().unwrap();
    let rules = every_record(temporary.path());
    let (mut opened, mut ignored) = (0, 0);
    for path in [
        streamalert.join("eventbridge_events.jsonl"),
        custodian.join("eventbridge_events.jsonl"),
        custodian.join("eventbridge_other_events.jsonl"),
        crates.join("eventbridge_events.jsonl"),
    ] {
        for (name, event) in events(&path) {
            let name = format!("{}: {name}", path.display());
            // Told by what only CloudTrail writes, in the detail or at the top.
            let is_cloudtrails = [&event["detail"], &event].iter().any(|record| record.get("eventName").is_some());
            let file = support::file(temporary.path(), "event.json", event.to_string());
            let run = support::replay(&[&file], &rules);
            let code = if is_cloudtrails { 0 } else { 2 };
            assert_eq!((run.code, run.misbehaviour()), (Some(code), None), "{name}: {}", run.shown());
            assert_eq!(run.findings().len(), usize::from(is_cloudtrails), "{name}: {}", run.shown());
            if is_cloudtrails {
                opened += 1;
            } else {
                ignored += 1;
                assert!(run.stderr.contains("ignored"), "{name}: an ignored event is said: {}", run.shown());
            }
        }
    }
    eprintln!("{opened} events of CloudTrail opened, {ignored} others ignored");
    assert!(opened > 30 && ignored > 10, "{opened} {ignored}");
}
