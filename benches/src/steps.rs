//! What each step of the design gains: the whole, and the whole with that step done otherwise.

use std::fmt::Write as _;
use std::hint::black_box;

use offlimits::cloudtrail::Record;
use offlimits::cloudtrail::envelope;

use crate::corpus::Corpus;
use crate::measure::least;
use crate::walk::Tree;
use crate::{ROUNDS, compile, rivals, traffic};

const RULES: usize = 1_000;

/// One record: extraction, index, call cache.
pub(crate) fn of_a_record(records: &[String], out: &mut String) {
    let (source, rows) = traffic::rules(RULES);
    let rules = compile(&source);
    let tree = Tree::of_rules();
    let sets = rivals::Sets::of(&rows);
    let mut scanners: Vec<_> = (0..4).map(|_| rules.scanner()).collect();
    let [whole, extracting, uncached, extracted] = &mut scanners[..] else { unreachable!() };
    *uncached = rules.scanner().without_call_cache();
    // The simple engine is slow: a part of the records tells enough.
    let part = &records[..records.len().min(500)];
    let all = |work: &mut dyn FnMut(&str)| records.iter().for_each(|record| work(record));
    let times = least(
        ROUNDS,
        &mut [
            &mut || all(&mut |record| drop(black_box(whole.evaluate(record, |matches| matches.outlines())))),
            &mut || all(&mut |record| _ = black_box(extracting.extract(record))),
            &mut || all(&mut |record| drop(black_box(uncached.evaluate(record, |matches| matches.outlines())))),
            &mut || all(&mut |record| _ = black_box(tree.serde_json(record))),
            &mut || all(&mut |record| _ = black_box(tree.sonic_rs(record))),
            &mut || all(&mut |record| drop(black_box(serde_json::from_str::<serde_json::Value>(record)))),
            &mut || all(&mut |record| drop(black_box(Record::parse(record)))),
            &mut || {
                part.iter().for_each(|record| _ = black_box(sets.matching(extracted.extract(record))));
            },
            &mut || {
                part.iter().for_each(|record| {
                    drop(black_box(Record::parse(record).map(|record| rules.evaluate_record(&record))));
                });
            },
        ],
    );
    let each = |time: f64, records: usize| time * 1e6 / records as f64;
    let micros: Vec<f64> = times.iter().map(|time| each(*time, records.len())).collect();
    let (whole, beside) = (micros[0], micros[0] - micros[1]);
    let rows = [
        ("**the engine**: fields extracted, call cache, index", whole),
        ("of which extracting", micros[1]),
        ("without the call cache", micros[2]),
        ("fields extracted by a serde visitor over serde_json", micros[3] + beside),
        ("fields extracted by the same over sonic-rs", micros[4] + beside),
        ("fields taken from a serde_json `Value`", micros[5] + beside),
        ("fields taken from our own document", micros[6] + beside),
        ("a `RegexSet` a field instead of index and call cache", each(times[7], part.len())),
        ("the simple engine: every rule on a document", each(times[8], part.len())),
    ];
    let _ = writeln!(out, "| {RULES} rules, one record | µs | ÷ the engine |\n|---|---:|---:|");
    for (name, time) in rows {
        let _ = writeln!(out, "| {name} | {time:.2} | {:.2} |", time / whole);
    }
    out.push('\n');
}

/// A file: unpacking, UTF-8, records as they stand in it.
pub(crate) fn of_a_file(corpus: &Corpus, out: &mut String) {
    let rules = compile(&traffic::rules(RULES).0);
    let files = corpus.files(4);
    let (mut fast, mut scanner) = (rivals::Unpacker::new(), rules.scanner());
    let texts: Vec<Vec<u8>> = files.iter().map(|file| fast.unpack(file).to_vec()).collect();
    let mut opener = rules.scanner();
    let records: usize =
        texts.iter().map(|text| envelope::open(std::str::from_utf8(text).unwrap()).records.len()).sum();
    let times = least(
        ROUNDS,
        &mut [
            &mut || files.iter().for_each(|file| _ = black_box(fast.unpack(file))),
            &mut || {
                files.iter().for_each(|file| {
                    let mut text = Vec::new();
                    let mut gzip = flate2::read::MultiGzDecoder::new(&**file);
                    std::io::Read::read_to_end(&mut gzip, &mut text).unwrap();
                    black_box(text);
                });
            },
            &mut || texts.iter().for_each(|text| _ = black_box(simdutf8::basic::from_utf8(text).is_ok())),
            &mut || texts.iter().for_each(|text| _ = black_box(std::str::from_utf8(text).is_ok())),
            &mut || texts.iter().for_each(|text| _ = black_box(String::from_utf8_lossy(text).len())),
            &mut || {
                for text in &texts {
                    black_box(scanner.scan(
                        simdutf8::basic::from_utf8(text).unwrap(),
                        |matches| matches.outlines(),
                        |_, _, _| (),
                    ));
                }
            },
            &mut || {
                for text in &texts {
                    for record in envelope::open(std::str::from_utf8(text).unwrap()).records {
                        drop(black_box(opener.evaluate(&record.json, |matches| matches.outlines())));
                    }
                }
            },
        ],
    );
    let micros: Vec<f64> = times.iter().map(|time| time * 1e6 / records as f64).collect();
    let [libdeflate, flate2, simd, std, lossy, scan, open] = micros[..] else { unreachable!() };
    let whole = libdeflate + scan;
    let rows = [
        ("**the scan**: libdeflate, simdutf8, records evaluated where they stand", whole),
        ("of which unpacking", libdeflate),
        ("of which the check of UTF-8", simd),
        ("flate2 (zlib-rs) instead of libdeflate", whole - libdeflate + flate2),
        ("`str::from_utf8` instead of simdutf8", whole - simd + std),
        ("`String::from_utf8_lossy` instead", whole - simd + lossy),
        ("each record taken out of its file first", libdeflate + open),
    ];
    let _ = writeln!(out, "| {RULES} rules, a file | µs a record | ÷ the scan |\n|---|---:|---:|");
    for (name, time) in rows {
        let _ = writeln!(out, "| {name} | {time:.2} | {:.2} |", time / whole);
    }
    out.push('\n');
}
