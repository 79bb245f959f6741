//! A fixed piece of work, whose instructions `valgrind --tool=callgrind` counts: so many rules, a compile or not, so
//! many records, made up or of a file.
#![allow(missing_docs)]

#[path = "../traffic.rs"]
#[allow(dead_code)]
mod traffic;

use std::hint::black_box;

use offlimits::rules::RuleSet;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = || {
        let number = arguments.next().expect("workload RULES COMPILES RECORDS PICKS FORGET [NDJSON]");
        number.parse::<usize>().expect("a number")
    };
    let (count, compiles, evaluate, pick, forget) = (next(), next(), next(), next(), next());
    let (source, _) = traffic::rules(count);
    let records = match arguments.next() {
        Some(file) => std::fs::read_to_string(file).expect("a file").lines().map(str::to_owned).collect(),
        None => traffic::records(2_000, 1),
    };
    for _ in 0..compiles {
        let rules = RuleSet::compile(&source).expect("the rules compile").rules;
        let mut scanner = rules.scanner();
        if forget == 1 {
            scanner = scanner.without_memo();
        }
        for record in records.iter().cycle().take(evaluate) {
            black_box(scanner.evaluate(record).expect("a record"));
        }
        for record in records.iter().cycle().take(pick) {
            black_box(scanner.pick(record));
        }
    }
}
