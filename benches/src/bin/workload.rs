//! A fixed piece of work, whose instructions `benches/instructions.py` lets valgrind count: each call of a `phase_…` for
//! itself. It prints a line for each: what was done, and how often.
#![allow(missing_docs, clippy::print_stdout)]

#[path = "../traffic.rs"]
#[allow(dead_code)]
mod traffic;

use std::hint::black_box;

use offlimits::engine::Scanner;
use offlimits::ruleset::RuleSet;

const RULES: usize = 1_000;
const RECORDS: usize = 2_000;

/// The records are made up, or the lines of the file that is named.
fn main() {
    let (source, records) = phase_prepare(std::env::args().nth(1).as_deref());
    println!("prepare 1");
    let rules = phase_compile(&source);
    println!("compile {RULES}");
    let (mut scanner, mut forgetful) = (rules.scanner(), rules.scanner().without_call_cache());
    // Memory is asked for, and rare patterns are compiled, at the first need.
    phase_evaluate(&mut forgetful, &records);
    println!("warm {}", records.len());
    phase_extract(&mut scanner, &records);
    println!("extract {}", records.len());
    phase_evaluate(&mut scanner, &records);
    println!("fresh {}", records.len());
    phase_evaluate(&mut scanner, &records);
    println!("seen {}", records.len());
    phase_evaluate(&mut forgetful, &records);
    println!("forgotten {}", records.len());
    println!("bytes {}", records.iter().map(String::len).sum::<usize>() / records.len());
}

#[inline(never)]
fn phase_prepare(file: Option<&str>) -> (String, Vec<String>) {
    let records = match file {
        Some(file) => std::fs::read_to_string(file).expect("a file").lines().map(str::to_owned).collect(),
        None => traffic::records(RECORDS, 1),
    };
    (traffic::rules(RULES).0, records)
}

#[inline(never)]
fn phase_compile(source: &str) -> RuleSet {
    RuleSet::compile(source).expect("the rules compile").rules
}

#[inline(never)]
fn phase_extract(scanner: &mut Scanner<'_>, records: &[String]) {
    records.iter().for_each(|record| _ = black_box(scanner.extract(record)));
}

#[inline(never)]
fn phase_evaluate(scanner: &mut Scanner<'_>, records: &[String]) {
    records.iter().for_each(|record| drop(black_box(scanner.evaluate(record, |matches| matches.outlines()))));
}
