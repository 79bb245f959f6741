//! The engine finds what the simple one finds: in records made from the fuzzer's choices, in the fuzzer's own text, and in
//! files of both.
#![no_main]

#[path = "../../tests/support/random.rs"]
mod random;

use libfuzzer_sys::fuzz_target;
use offlimits::cloudtrail::{RawRecord, Record, envelope};
use offlimits::engine::EvaluateError;
use offlimits::facts::DERIVED;
use offlimits::finding::Finding;
use offlimits::rules::OPERATORS;
use offlimits::ruleset::RuleSet;

fuzz_target!(|data: &[u8]| {
    let (choices, text) = data.split_at(data.len() / 2);
    let mut dice = random::Dice::new(0, choices);
    let Ok(compiled) = RuleSet::compile(&random::rules(&mut dice)) else { return };
    let rules = compiled.rules;
    let text = String::from_utf8_lossy(text);
    let made = random::record(&mut dice);
    for json in [&made, &*text] {
        let simple = Record::parse(json).map_err(|error| error.to_string());
        let simple = simple.map(|record| shown(&rules.evaluate_record(&record)));
        let raw = RawRecord { json: json.to_owned(), index: 0, message_id: None, account: None };
        assert_eq!(told(rules.evaluate(&raw)), simple, "{json}");
    }
    for file in [format!("{{\"Records\":[{made},{text}]}}"), format!("{made}\n{text}")] {
        let opened = envelope::open(&file);
        let mut expected = Vec::new();
        for raw in &opened.records {
            let findings = told(rules.evaluate(raw));
            if findings.as_ref().map_or(true, |findings| !findings.is_empty()) {
                expected.push((raw.index, findings));
            }
        }
        let mut found = Vec::new();
        let scanned = rules.scanner().scan(
            &file,
            |matches| matches.findings(),
            |index, _, findings| found.push((index, told(findings))),
        );
        assert_eq!((scanned.records, found), (opened.records.len(), expected), "{file}");
    }
});

fn told(findings: Result<Vec<Finding>, EvaluateError>) -> Result<Vec<String>, String> {
    findings.map(|findings| shown(&findings)).map_err(|error| error.to_string())
}

fn shown(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| format!("{} {} {}", finding.id, finding.row, finding.title)).collect()
}
