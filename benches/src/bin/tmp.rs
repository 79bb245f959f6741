#![allow(missing_docs, warnings)]
#[path = "../traffic.rs"]
#[allow(dead_code)]
mod traffic;
use std::hint::black_box;
use offlimits::rules::RuleSet;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let rules = RuleSet::compile(&traffic::rules(a[2].parse().unwrap()).0).unwrap().rules;
    let text = std::fs::read_to_string(&a[3]).unwrap();
    let records: Vec<String> = text.lines().map(str::to_owned).collect();
    drop(text);
    let mut s = rules.scanner();
    let cpu = || { let s = std::fs::read_to_string("/proc/self/schedstat").unwrap(); s.split(' ').next().unwrap().parse::<u64>().unwrap() };
    for r in &records { black_box(s.evaluate(r)); }
    let t = cpu();
    for _ in 0..a[4].parse::<usize>().unwrap() {
        match &*a[1] {
            "pick" => for r in &records { black_box(s.pick(r)); },
            _ => for r in &records { drop(black_box(s.evaluate(r))); },
        }
    }
    println!("{} {:.1} ns", a[1], (cpu() - t) as f64 / records.len() as f64 / a[4].parse::<f64>().unwrap());
}
