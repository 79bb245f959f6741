//! What must hold of every reader that outsiders write for, whatever they write: for the fuzzer (`fuzz/fuzz_targets`), and for the
//! short rounds of `tests/readers.rs`. A reader that panics, or that takes what it cannot give back, fails.
#![allow(dead_code, reason = "each of those who read it uses a part")]

use std::io::Read as _;

use offlimits::cloudtrail::Record;
use offlimits::cloudtrail::accounts::Accounts;
use offlimits::cloudtrail::countries::Countries;
use offlimits::cloudtrail::envelope;
use offlimits::config::Level;
use offlimits::redelivery::{QueueMessage, check_letter};
use offlimits::ruleset::{PackError, RuleSet, Sources};
use offlimits::scan::{gunzipped, lines_of_table};
use offlimits::time::Date;
use offlimits::{cli, lint};

/// The most bytes of an unpacked input: a few of a bomb are enough.
const UNPACKED: u64 = 1 << 20;

/// Files with events: gzip or plain, a log file, lines, an envelope of any kind, a table of a query.
pub(crate) fn an_input(bytes: &[u8]) {
    let mut unpacked = Vec::new();
    if let Ok(reader) = gunzipped(bytes) {
        // What comes before the damage is kept.
        let _ = reader.take(UNPACKED).read_to_end(&mut unpacked);
    }
    for bytes in [bytes, &unpacked] {
        let text = String::from_utf8_lossy(bytes);
        let Ok(lines) = lines_of_table(&text) else { continue };
        for text in [&*text, &*lines] {
            let opened = envelope::open(text);
            for record in &opened.records {
                assert!(Record::parse(&record.json).is_ok(), "what is taken for a record can be read: {}", record.json);
            }
        }
    }
}

/// `rules.json`, or a pack: what compiles is linted, and its bundle says the same.
pub(crate) fn rules(text: &str) {
    let sources = Sources::gather(text, |_| Err(PackError::new("no such file")));
    let compiled = match RuleSet::compile_sources(&sources) {
        Ok(compiled) => compiled,
        Err(found) => {
            assert!(found.iter().any(|found| found.level == Level::Error), "it is refused, and nothing says why");
            assert!(found.iter().all(|found| text.get(found.span.clone()).is_some()), "a place is not in the text");
            return;
        }
    };
    let today = Date::parse("2026-11-28").expect("a day");
    let found = lint::run(&compiled.rules, &sources, today);
    assert!(found.iter().all(|found| found.level != Level::Error && text.get(found.span.clone()).is_some()));
    let dead = lint::before_packaging(&compiled.rules, &sources);
    assert!(dead.iter().all(|dead| found.iter().any(|found| (found.code, &found.span) == (dead.code, &dead.span))));
    let bundle = sources.bundle().expect("what compiles has a bundle");
    let bundled = RuleSet::compile(&bundle).expect("the bundle of what compiles compiles").rules;
    assert_eq!(bundled.digest(), compiled.rules.digest());
    assert!(compiled.rules.index_of(&bundle, sources.countries()).is_some(), "it has no index");
}

/// `accounts.json`.
pub(crate) fn accounts(text: &str) {
    let rules = r#"{"rules":[{"id":"R","title":"t","severity":"low","when":{"event":"x"}}]}"#;
    let sources = Sources::alone(rules).with_accounts(Some(text.to_owned()));
    let _ = RuleSet::compile_sources(&sources);
    let _ = sources.accounts().map(|accounts| accounts.all().expect("the table of what was read can be read"));
}

/// The binary files beside the rules: the table of accounts, and the databases of addresses.
pub(crate) fn tables(bytes: &[u8]) {
    let accounts = Accounts::new(bytes.to_vec());
    let _ = (accounts.all(), accounts.get("111122223333"), accounts.get("999999999999"));
    if let Ok(countries) = Countries::read(bytes.to_vec()) {
        for address in ["203.0.113.7", "10.0.0.1", "2001:db8::1", "::", "255.255.255.255", "no address"] {
            let _ = (countries.country_of(address), countries.network_of(address));
        }
    }
}

/// A message of the redelivery queue, or a letter of a spoke: what is read is written as it was.
pub(crate) fn message(text: &str) {
    let _ = check_letter(text, "111122223333");
    let _ = envelope::open(text);
    let Ok(message) = QueueMessage::parse(text) else { return };
    let written = message.to_json().expect("what was read can be written");
    let again = QueueMessage::parse(&written).expect("what we write we can read");
    assert_eq!(again.to_json().expect("it can be written again"), written);
}

/// The rules of another product: what is made of them compiles.
pub(crate) fn imported(text: &str) {
    for made in [
        cli::rules_of_sigma(text),
        cli::rules_of_conformity("rules.tf", text),
        cli::rules_of_conformity("rules.json", text),
        cli::rules_of_conformity("rules.tfstate", text),
    ] {
        let Some(made) = made else { continue };
        if let Err(found) = RuleSet::compile(&made) {
            panic!("what was imported does not compile: {}\n{made}", found[0]);
        }
    }
}
