//! A fixed piece of work, whose instructions `benches/instructions.py` lets valgrind count: each call of a `phase_…` for
//! itself. It prints a line for each: what was done, and how often.
#![allow(missing_docs, clippy::print_stdout)]

#[path = "../traffic.rs"]
#[allow(dead_code)]
mod traffic;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use offlimits::channel::{Reply, Request};
use offlimits::deliver::{Tokens, Transport};
use offlimits::engine::Scanner;
use offlimits::handler::{App, OwnCalls, QuietRecords, emf, handle};
use offlimits::health::ChannelHealth;
use offlimits::ledger::{Ledger, MemoryStore};
use offlimits::lint;
use offlimits::redelivery::{QueueError, Queues};
use offlimits::ruleset::{RuleSet, Sources};
use offlimits::secret::{Credentials, CredentialsError};
use offlimits::time::{Date, Timestamp};
use tokio::time::Instant;

const RULES: usize = 1_000;
const RECORDS: usize = 2_000;
/// Events that go through the whole function, one by one.
const EVENTS: usize = 500;
/// A rule that every record matches, told on the default topic.
const ALL: &str = r#"{"rules":[{"id":"ALL","title":"{event} by {actor}","severity":"high","throttle":"off",
    "respond":["Ask {actor} about {target}."],"when":{"event":"."}}]}"#;

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
    // A walk remembers which key comes after which.
    phase_extract(&mut scanner, &records);
    println!("learn {}", records.len());
    phase_extract(&mut scanner, &records);
    println!("extract {}", records.len());
    phase_evaluate(&mut scanner, &records);
    println!("fresh {}", records.len());
    phase_evaluate(&mut scanner, &records);
    println!("seen {}", records.len());
    phase_evaluate(&mut forgetful, &records);
    println!("forgotten {}", records.len());
    let all = RuleSet::compile(ALL).expect("the rule compiles").rules;
    let mut finder = all.scanner();
    phase_outline(&mut finder, &records);
    println!("outline {}", records.len());
    phase_find(&mut finder, &records);
    println!("find {}", records.len());
    let (quiet, alerting) = (Function::of(rules), Function::of(all));
    let events: Vec<String> = records.iter().take(EVENTS).map(|record| event(record)).collect();
    // What is asked for once is asked for before.
    phase_events(&quiet, &events[..1]);
    phase_events(&alerting, &events[..1]);
    println!("begin 1");
    println!("begin 1");
    phase_events(&quiet, &events[1..]);
    println!("quiet {}", events.len() - 1);
    phase_events(&alerting, &events[1..]);
    println!("alert {}", events.len() - 1);
    phase_check(&source);
    println!("check {RULES}");
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

#[inline(never)]
fn phase_outline(scanner: &mut Scanner<'_>, records: &[String]) {
    records.iter().for_each(|record| drop(black_box(scanner.evaluate(record, |matches| matches.outlines()))));
}

#[inline(never)]
fn phase_find(scanner: &mut Scanner<'_>, records: &[String]) {
    records.iter().for_each(|record| drop(black_box(scanner.evaluate(record, |matches| matches.findings()))));
}

#[inline(never)]
fn phase_events(function: &Function, events: &[String]) {
    events.iter().for_each(|event| function.invoke(event));
}

#[inline(never)]
fn phase_check(source: &str) {
    let sources = Sources::alone(source);
    let compiled = RuleSet::compile_sources(&sources).expect("the rules compile");
    let today = Date::parse("2026-01-10").expect("a day");
    drop(black_box(lint::run(&compiled.rules, &sources, today)));
}

/// What `EventBridge` delivers.
fn event(record: &str) -> String {
    format!(
        r#"{{"version":"0","id":"00000000-0000-4000-8000-000000000000","detail-type":"AWS API Call via CloudTrail","source":"aws.sts",
        "account":"123456789012","time":"2026-01-10T11:32:44Z","region":"us-east-1","resources":[],"detail":{record}}}"#
    )
}

/// The function as it is, over a ledger in memory and a network that takes everything at once.
struct Function {
    app: App<Taker, MemoryStore, Taker>,
    quiet: QuietRecords,
    runtime: tokio::runtime::Runtime,
}

impl Function {
    fn of(rules: RuleSet) -> Self {
        let app = App {
            rules,
            transport: Taker,
            tokens: Tokens::default(),
            health: ChannelHealth::default(),
            ledger: Ledger::new(MemoryStore::default()),
            queues: Taker,
            own: OwnCalls::default(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        Self { app, quiet: QuietRecords::new(Some(Duration::ZERO)), runtime }
    }

    fn invoke(&self, event: &str) {
        const SOURCE: emf::MetricSource<'_> = emf::MetricSource { function: "offlimits", log_level: "INFO" };
        let deadline = Instant::now() + Duration::from_secs(27);
        let mut handled = self.runtime.block_on(handle(event, deadline, &self.app));
        let now = Timestamp::from(Taker.now());
        if self.quiet.tell(&mut handled.report, handled.answer.is_err(), now) {
            black_box(emf::lines(&handled.report, SOURCE, now));
        }
        assert!(handled.answer.is_ok() && handled.report.deliveries.failed == 0, "{:?}", handled.report);
    }
}

struct Taker;

impl Transport for Taker {
    async fn send(&self, _: Request, _: Duration) -> Reply {
        Reply::Published("id".to_owned())
    }

    async fn credentials(&self, _: bool) -> Result<Arc<Credentials>, CredentialsError> {
        Ok(Arc::new(Credentials::parse("{}").expect("no credentials")))
    }

    /// A minute later than the records of the events.
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_768_044_764)
    }
}

impl Queues for Taker {
    fn has_redelivery(&self) -> bool {
        true
    }

    fn has_dead_letter(&self) -> bool {
        true
    }

    async fn enqueue(&self, _: String, _: Duration) -> Result<(), QueueError> {
        Ok(())
    }

    async fn dead_letter(&self, _: String) -> Result<(), QueueError> {
        Ok(())
    }
}
