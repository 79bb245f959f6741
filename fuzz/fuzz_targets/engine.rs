//! The engine finds what the simple one finds: in records made from the fuzzer's choices, in the fuzzer's own text, and in
//! files of both.
#![no_main]

#[path = "../../tests/support/random.rs"]
mod random;

use libfuzzer_sys::fuzz_target;
use offlimits::cloudtrail::envelope;
use offlimits::finding::Finding;
use offlimits::cloudtrail::{RawRecord, Record};
use offlimits::ruleset::RuleSet;

fuzz_target!(|data: &[u8]| {
    let (choices, text) = data.split_at(data.len() / 2);
    let mut dice = random::Dice::new(0, choices);
    let Ok(compiled) = RuleSet::compile(&random::rules(&mut dice)) else { return };
    let rules = compiled.rules;
    let text = String::from_utf8_lossy(text);
    let made = random::record(&mut dice);
    for json in [&made, &*text] {
        let simple = Record::parse(json).map(|record| shown(&rules.evaluate_record(&record)));
        let raw = RawRecord { json: json.to_owned(), index: 0, message_id: None };
        assert_eq!(rules.evaluate(&raw).map(|findings| shown(&findings)), simple, "{json}");
    }
    for file in [format!("{{\"Records\":[{made},{text}]}}"), format!("{made}\n{text}")] {
        let opened = envelope::open(&file);
        let mut expected = Vec::new();
        for raw in &opened.records {
            let findings = rules.evaluate(raw).map(|findings| shown(&findings));
            if findings.as_ref().map_or(true, |findings| !findings.is_empty()) {
                expected.push((raw.index, findings));
            }
        }
        let mut found = Vec::new();
        let scanned = rules
            .scanner()
            .scan(&file, |index, _, findings| found.push((index, findings.map(|findings| shown(&findings)))));
        assert_eq!((scanned.records, found), (opened.records.len(), expected), "{file}");
    }
});

fn shown(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| format!("{} {} {}", finding.id, finding.row, finding.title)).collect()
}
