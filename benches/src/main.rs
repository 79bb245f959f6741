//! How fast the engine is: ratios of CPU time, each measured in one run that takes turns with what it is compared with.
//!
//! `make bench` runs it. It prints the tables; `--write PAGE` puts them there, `--archive FOLDER` measures on the log files of
//! a folder.
#![allow(missing_docs, clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used, reason = "a benchmark")]

mod archives;
mod corpus;
mod measure;
mod rivals;
mod steps;
mod traffic;
mod walk;

use std::fmt::Write as _;
use std::hint::black_box;

use offlimits::cloudtrail::Record;
use offlimits::cloudtrail::own_resources::OwnResources;
use offlimits::ruleset::{RuleSet, Sources};

use self::corpus::Corpus;
use self::measure::{beside, least, median, once};

const ROUNDS: usize = 9;
/// Rounds whose ratios are compared.
const RATIOS: usize = 19;

/// A table's name, and what writes it.
type Table<'a> = (&'a str, &'a dyn Fn(&mut String));

fn compile(source: &str) -> RuleSet {
    RuleSet::compile(source).expect("the benchmark's rules compile").rules
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (mut page, mut archive, mut only) = (None, None, None);
    while let Some(argument) = arguments.next() {
        match &*argument {
            "--write" => page = arguments.next(),
            "--archive" => archive = arguments.next().map(Into::into),
            "--only" => only = arguments.next(),
            other => panic!("{other} is not known: [--write PAGE] [--archive FOLDER] [--only TABLE]"),
        }
    }
    let corpus = Corpus::find(archive);
    let records = &corpus.records;
    let mut out = format!(
        "{} records ({}; {} bytes on average); one thread, the least CPU time of {ROUNDS} interleaved rounds, and of the \
         engine's ratios to extracting the median of {RATIOS} rounds.\n\n",
        records.len(),
        corpus.name,
        corpus.bytes()
    );
    let tables: [Table<'_>; 8] = [
        ("parsing", &|out| parsing(records, out)),
        ("matching", &|out| matching(records, out)),
        ("shipped", &|out| shipped(records, out)),
        ("compiling", &|out| compiling(records, out)),
        ("archives", &|out| archives::table(&corpus, out)),
        ("large", &|out| archives::of_one_file(&corpus, out)),
        ("record", &|out| steps::of_a_record(records, out)),
        ("file", &|out| steps::of_a_file(&corpus, out)),
    ];
    for (name, table) in tables {
        if only.as_ref().is_none_or(|only| only == name) {
            table(&mut out);
        }
    }
    println!("{out}");
    if let Some(page) = page {
        write_between(&page, "engine", &out);
    }
}

/// Puts a text between `<!-- begin NAME -->` and `<!-- end NAME -->`.
fn write_between(path: &str, name: &str, text: &str) {
    let page = std::fs::read_to_string(path).expect("the page is there");
    let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->"));
    let start = page.find(&begin).expect("the page has the mark") + begin.len();
    let stop = page.find(&end).expect("the page has both marks");
    std::fs::write(path, format!("{}\n{}\n{}", &page[..start], text.trim(), &page[stop..]))
        .expect("the page is written");
}

/// One walk over each record, by parser.
fn parsing(records: &[String], out: &mut String) {
    let rules = compile(&traffic::rules(1_000).0);
    let mut scanner = rules.scanner();
    let each = |read: &mut dyn FnMut(&str)| records.iter().for_each(|record| read(record));
    let times = least(
        ROUNDS,
        &mut [
            &mut || each(&mut |record| drop(black_box(serde_json::from_str::<serde_json::Value>(record)))),
            &mut || each(&mut |record| drop(black_box(serde_json::from_str::<serde::de::IgnoredAny>(record)))),
            &mut || each(&mut |record| _ = black_box(rivals::sonic(record))),
            &mut || each(&mut |record| drop(black_box(Record::parse(record)))),
            &mut || each(&mut |record| _ = black_box(scanner.extract(record))),
        ],
    );
    let names = [
        "serde_json, `Value`",
        "serde_json, checked and ignored",
        "sonic-rs, checked and ignored",
        "ours, a document",
        "**ours, the fields that 1,000 rules name**",
    ];
    let _ = writeln!(out, "| parser | µs a record | ÷ serde_json `Value` |\n|---|---:|---:|");
    for (name, time) in names.iter().zip(&times) {
        let _ = writeln!(out, "| {name} | {:.2} | {:.3} |", time * 1e6 / records.len() as f64, time / times[0]);
    }
    out.push('\n');
}

/// The seconds that extracting the fields of the records takes, and the engine's ratios to it: with findings in outline, as whoever
/// counts asks for them; the same without the call cache; and with whole findings, as people are told them.
fn beside_extracting(rules: &RuleSet, records: &[impl AsRef<str>]) -> (f64, [f64; 3]) {
    let mut extracting = rules.scanner();
    let (mut engine, mut forgetful, mut telling) =
        (rules.scanner(), rules.scanner().without_call_cache(), rules.scanner());
    let each = |read: &mut dyn FnMut(&str)| records.iter().for_each(|record| read(record.as_ref()));
    let (times, ratios) = beside(
        RATIOS,
        &mut [
            &mut || each(&mut |record| _ = black_box(extracting.extract(record))),
            &mut || each(&mut |record| drop(black_box(engine.evaluate(record, |matches| matches.outlines())))),
            &mut || each(&mut |record| drop(black_box(forgetful.evaluate(record, |matches| matches.outlines())))),
            &mut || each(&mut |record| drop(black_box(telling.evaluate(record, |matches| matches.findings())))),
        ],
    );
    (times[0], [ratios[1], ratios[2], ratios[3]])
}

/// The whole of an evaluation over extracting the fields alone, and rivals that extract the fields in the same way.
fn matching(records: &[String], out: &mut String) {
    let _ = writeln!(
        out,
        "| rules | findings | extract, µs | **engine ÷ extract** | without the call cache ÷ extract | RegexSet a field ÷ engine | regexes \
         rule by rule ÷ engine | every rule on a document ÷ engine |\n|---:|---:|---:|---:|---:|---:|---:|---:|"
    );
    for count in [10, 100, 1_000, 10_000] {
        let (source, rows) = traffic::rules(count);
        let rules = compile(&source);
        let (mut engine, mut findings) = (rules.scanner(), 0);
        records.iter().for_each(|record| {
            findings += engine.evaluate(record, |matches| matches.outlines()).map_or(0, |found| found.len())
        });
        let (extract, [with_cache, without, _]) = beside_extracting(&rules, records);
        // The rivals are slow: a part of the records tells enough.
        let part = &records[..(records.len() * 10 / count).clamp(200, records.len())];
        let sets = rivals::Sets::of(&rows);
        let regexes = (count <= 1_000).then(|| rivals::Regexes::of(&rows));
        let (mut one, mut two) = (rules.scanner(), rules.scanner());
        let mut again = rules.scanner();
        part.iter().for_each(|record| drop(again.evaluate(record, |matches| matches.outlines())));
        let rivals = least(
            3,
            &mut [
                &mut || {
                    part.iter().for_each(|record| drop(black_box(again.evaluate(record, |matches| matches.outlines()))))
                },
                &mut || part.iter().for_each(|record| _ = black_box(sets.matching(one.extract(record)))),
                &mut || {
                    if let Some(regexes) = &regexes {
                        part.iter().for_each(|record| _ = black_box(regexes.matching(two.extract(record))));
                    }
                },
                &mut || {
                    part.iter().for_each(|record| {
                        drop(black_box(Record::parse(record).map(|record| rules.evaluate_record(&record))))
                    });
                },
            ],
        );
        let rule_by_rule = if regexes.is_some() { format!("{:.1}", rivals[2] / rivals[0]) } else { "–".to_owned() };
        let _ = writeln!(
            out,
            "| {count} | {findings} | {:.2} | **{:.2}** | {:.2} | {:.1} | {rule_by_rule} | {:.0} |",
            extract * 1e6 / records.len() as f64,
            with_cache,
            without,
            rivals[1] / rivals[0],
            rivals[3] / rivals[0],
        );
    }
    out.push('\n');
}

/// The rules that we ship, with their packs.
fn shipped_rules() -> RuleSet {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |pack: &str| std::fs::read_to_string(folder.join(pack)).expect("the pack is there");
    let sources = Sources::gather(read("rules.json"), |pack| Ok(read(pack)));
    RuleSet::compile_sources(&sources).expect("the shipped rules compile").rules
}

/// The rules that we ship over the same records, and over those of them that no rule matches.
fn shipped(records: &[String], out: &mut String) {
    let rules = shipped_rules();
    let mut quiet = rules.scanner();
    let (found, none): (Vec<&String>, Vec<&String>) = records.iter().partition(|record| {
        quiet.evaluate(record, |matches| matches.outlines()).is_ok_and(|findings| !findings.is_empty())
    });
    let _ = writeln!(
        out,
        "| {} shipped rules | records | extract, µs | **engine ÷ extract** | without the call cache ÷ extract | with whole findings ÷ extract \
         |\n|---|---:|---:|---:|---:|---:|",
        rules.rules().len()
    );
    for (name, records) in [("all", records.iter().collect()), ("that match nothing", none), ("that match", found)] {
        let (extract, [with_cache, without, told]) = beside_extracting(&rules, &records);
        let extract = extract * 1e6 / records.len().max(1) as f64;
        let _ = writeln!(
            out,
            "| {name} | {} | {extract:.2} | **{with_cache:.2}** | {without:.2} | {told:.2} |",
            records.len(),
        );
    }
    out.push('\n');
}

/// From files to rules that can run, and the first record after it: by compiling `rules.json`, and by a package's index.
fn compiling(records: &[String], out: &mut String) {
    let _ = writeln!(
        out,
        "| rules | bytes of rules.json | compile, ms | RegexSets of them, ms | an Aho-Corasick automaton of some, ms | the \
         first record after it, µs | bytes of the index | **load a package, ms** | the first record after it, µs \
         |\n|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    );
    // A write by a user: the identity, the verbs and the services that most rules are about.
    let record = records.iter().find(|record| record.contains("IAMUser") && record.contains("\"Create")).unwrap();
    let first = |ready: &dyn Fn() -> RuleSet| {
        let firsts = (0..15).map(|_| {
            let rules = ready();
            once(|| drop(black_box(rules.scanner().evaluate(record, |matches| matches.outlines())))).as_secs_f64()
        });
        median(firsts.collect())
    };
    let folder = std::env::temp_dir().join(format!("offlimits-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let (text, index) = (folder.join("rules.json"), folder.join("rules.index"));
    for count in [10, 100, 1_000, 10_000] {
        let (source, rows) = traffic::rules(count);
        let bundle = Sources::alone(&*source).bundle().expect("the rules are JSON");
        let bytes = compile(&bundle).index_of(&bundle, None).expect("the rules have an index");
        std::fs::write(&text, &bundle).expect("a file can be written");
        std::fs::write(&index, &bytes).expect("a file can be written");
        let read = || std::fs::read_to_string(&text).expect("the rules are there");
        let load = || {
            let index = std::fs::read(&index).expect("the index is there").leak();
            RuleSet::packaged(read(), index, || unreachable!(), OwnResources::default())
                .expect("the index is of the rules")
        };
        let compiling = || compile(&read());
        let times = least(15, &mut [&mut || drop(black_box(compiling())), &mut || drop(black_box(load()))]);
        let sets = least(2, &mut [&mut || drop(black_box(rivals::Sets::of(&rows)))])[0];
        let automaton = least(15, &mut [&mut || drop(black_box(rivals::automaton(&rows)))])[0];
        let _ = writeln!(
            out,
            "| {count} | {} | {:.2} | {:.0} | {:.2} | {:.0} | {} | **{:.3}** | {:.0} |",
            bundle.len(),
            times[0] * 1e3,
            sets * 1e3,
            automaton * 1e3,
            first(&compiling) * 1e6,
            bytes.len(),
            times[1] * 1e3,
            first(&load) * 1e6,
        );
    }
    out.push('\n');
    let _ = std::fs::remove_dir_all(folder);
}
