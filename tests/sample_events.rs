//! The sample events agree with themselves, and `events/README.md` tells truly what the shipped rules say to each.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::support;

/// Name of the file → what it holds, in the order of the names.
fn samples() -> BTreeMap<String, Value> {
    let files = std::fs::read_dir(support::repository("events")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| std::path::Path::new(name).extension().is_some_and(|end| end == "json"))
        .map(|name| (name.clone(), support::json(&format!("events/{name}"))))
        .collect()
}

#[test]
fn the_readme_says_what_the_shipped_rules_say() {
    let readme = std::fs::read_to_string(support::repository("events/README.md")).unwrap();
    let mut told: BTreeMap<String, (String, String)> = BTreeMap::new();
    for line in readme.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_end_matches('|').trim_start_matches('|').split('|').map(str::trim).collect();
        let [file, _, verdict, packs] = cells[..] else { panic!("four cells: {line}") };
        let verdict = verdict.trim_start_matches("⚠ ").to_owned();
        told.insert(file.trim_matches('`').to_owned(), (verdict, packs.to_owned()));
    }

    let folder = support::repository("events");
    let run = support::replay(&[&folder], &support::repository("rules.json"));
    assert_eq!(run.code, Some(0), "{}", run.shown());
    let findings = run.findings();
    let mut rows: HashMap<&str, u64> = HashMap::new();
    let mut others: HashMap<&str, Vec<String>> = HashMap::new();
    for finding in &findings {
        let file = finding["file"].as_str().unwrap().rsplit('/').next().unwrap();
        if finding["rule"] == "RTM-011" {
            assert_eq!(rows.insert(file, finding["row"].as_u64().unwrap()), None, "one finding a rule: {file}");
        } else {
            let [rule, severity] = ["rule", "severity"].map(|key| finding[key].as_str().unwrap());
            let staged = if finding["mode"] == "stage" { ", staged" } else { "" };
            others.entry(file).or_default().push(format!("{rule} ({severity}{staged})"));
        }
    }

    let samples = samples();
    assert!(samples.keys().eq(told.keys()), "the README lists each sample once: {:?}", told.keys());
    for (file, (verdict, packs)) in &told {
        assert_eq!(*packs, others.get(file.as_str()).map_or_else(String::new, |rules| rules.join(", ")), "{file}");
        match rows.get(file.as_str()) {
            Some(row) => assert_eq!(verdict, &format!("row {row}"), "{file}"),
            None => assert!(verdict.starts_with("nothing"), "{file}: the README says {verdict}, and no row matched"),
        }
    }
}

#[test]
fn envelopes_agree_with_their_records() {
    let mut ids = HashMap::new();
    let numbers = regex::Regex::new(r"\b\d{12}\b").unwrap();
    for (file, event) in samples() {
        if file == "seed-sample.json" {
            continue;
        }
        let record = &event["detail"];
        for id in [&event["id"], &record["eventID"]].into_iter().filter(|id| !id.is_null()) {
            assert_eq!(ids.insert(id.clone(), file.clone()), None, "{id} of {file} stands in two places");
        }
        if file == "ec2-state-change.json" {
            continue;
        }
        for (outer, inner) in [("account", "recipientAccountId"), ("region", "awsRegion"), ("time", "eventTime")] {
            assert_eq!(event[outer], record[inner], "{file}: {outer}");
        }
        assert!(event["detail-type"].as_str().unwrap().ends_with(" via CloudTrail"), "{file}");
        if let Some(service) = record["eventSource"].as_str() {
            let source = format!("aws.{}", service.trim_end_matches(".amazonaws.com"));
            assert_eq!(event["source"], *source, "{file}");
        }
        // In documentation's accounts alone, and nobody's real keys or addresses.
        let text = event.to_string();
        for number in numbers.find_iter(&text).map(|number| number.as_str()) {
            let known = ["123456789012", "111122223333", "999999999999"].contains(&number);
            // The last group of a UUID may be all digits.
            let in_uuid = text.contains(&format!("-{number}\""));
            assert!(known || in_uuid, "{file}: {number}");
        }
        if let Some(ip) = record["sourceIPAddress"].as_str().filter(|ip| ip.starts_with(|c: char| c.is_ascii_digit())) {
            let documentation = ["192.0.2.", "198.51.100.", "203.0.113."].iter().any(|net| ip.starts_with(net));
            assert!(documentation, "{file}: {ip}");
        }
    }
}

#[test]
fn the_seed_sample_is_the_oldest_form_of_a_record() {
    let sample = support::json("events/seed-sample.json");
    let record = &sample["Records"][0];
    assert_eq!(record["eventVersion"], "1.0");
    for later in ["eventID", "eventType", "readOnly", "recipientAccountId"] {
        assert!(record.get(later).is_none(), "{later} came with later versions");
    }
}
