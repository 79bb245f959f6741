//! The playback against the function: the same random archive by the same random rules goes through the tool's playback, and
//! through the real handler over a real ledger, on a clock that is set by hand. Every channel must get the same messages in the
//! same order.
//!
//! The function's answer depends on when events arrive; the playback assumes what `playback/mod.rs` lists. Events therefore arrive
//! here at their own time, in the order of these times (and of the archive where they are equal), copies of a record right
//! after it; what is due in the queue comes before the events of the same moment, in the order in which it was first put there.
//! The archive itself is in no order.
//!
//! `OFFLIMITS_ROUNDS=20000 cargo test --release --lib backtest::tests` asks for more rounds, and `OFFLIMITS_SEED=7` for others;
//! whatever differs names the seed of its round.

mod bounded;
mod traffic;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tokio::time::{Instant, advance};

use super::playback::{AlertEvent, Arrival, Playback, PlayedOutcome, PlayedStep, StagedRules, each_record};
use super::sessions::follow;
use super::tally::BacktestTally;
use crate::channel::{Reply, Request};
use crate::choices::{Choices, seeds};
use crate::cli::findings::{FindingVisitor, with_issuing_calls};
use crate::cloudtrail::{ApiCall, RawRecord, Record};
use crate::deliver::{Tokens, Transport};
use crate::finding::Finding;
use crate::handler::{App, Handled, InvocationReport, OwnCalls, handle};
use crate::health::ChannelHealth;
use crate::ledger::{Ledger, MemoryStore};
use crate::redelivery::{QueueError, Queues};
use crate::ruleset::RuleSet;
use crate::runs::Bounds;
use crate::scan::RecordVisitor as _;
use crate::secret::{Credentials, CredentialsError};
use crate::severity::Severity;
use crate::time::Timestamp;

/// Random archives that are played; `OFFLIMITS_ROUNDS` asks for more.
const ROUNDS: u64 = 150;
/// 2026-01-10T11:32:44Z, when an archive begins at the earliest.
const START: u64 = 1_768_044_764;
/// Seconds after [`START`] at which a minute begins. Where no finding has a time, the playback takes all of them to arrive when
/// 1970 began, and here they arrive then.
const FULL_MINUTE: u64 = 16;
/// What the function has until its deadline.
const TIMEOUT: Duration = Duration::from_secs(27);

/// A message, as far as the two must agree on it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    /// When, in seconds since 1970.
    time: u64,
    kind: String,
    /// None for a digest, which is of many.
    rule: Option<String>,
    /// The finding that it is about; of a roll-up: the one that opened its alert.
    finding: Option<String>,
    /// Of a message about one finding: its severity, and whether its call failed.
    about: Option<(Severity, bool)>,
    /// How many findings it tells of; of those of one record: one. Of an update: a thousand times all, and how many are new.
    count: u64,
    /// The other findings of the same record that it tells of; of roll-ups that are told together, those that opened their alerts,
    /// its own among them, for of equally severe ones any may lead.
    also: BTreeSet<String>,
}

impl Told {
    /// The same, whichever of several roll-ups leads.
    fn whoever_leads(mut self) -> Self {
        if self.kind == "roll-up" && !self.also.is_empty() {
            self.also.extend(self.finding.take());
            self.rule = None;
        }
        self
    }
}

/// What the tool says.
struct Said {
    /// By channel, with the finding that opened the alert which each message belongs to.
    messages: BTreeMap<String, Vec<(Told, Option<u64>)>>,
    tally: TallyFigures,
    /// Findings that are another's incident than who called.
    of_a_lineage: usize,
}

/// The figures of both, as far as the two must agree on them.
#[derive(Debug, PartialEq, Eq)]
struct TallyFigures {
    delivered: usize,
    throttled: usize,
    digested: usize,
    merged: usize,
    /// What another account's record was told of; left out as the next.
    duplicates: Option<usize>,
    /// Staged, unrouted, below threshold, routed; left out where records came twice, which the function judges twice.
    findings: Option<[usize; 4]>,
}

/// A finding's place among those of the archive.
fn place(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

fn played(rules: &RuleSet, records: &[String], is_each_once: bool, bounds: Bounds) -> Said {
    let archive = format!(r#"{{"Records":[{}]}}"#, records.join(","));
    let both = with_issuing_calls(rules);
    let visitor = FindingVisitor::new(rules).following(both.as_ref());
    let mut scanner = visitor.state();
    let mut tally = BacktestTally::within(rules, bounds);
    let (mut ids, mut calls) = (Vec::new(), Vec::new());
    visitor.records(&mut scanner, &archive, |_, found| {
        for found in found.unwrap() {
            if tally.add(&found).unwrap() {
                ids.push(found.finding.id.to_string());
                calls.push((found.finding.severity, found.finding.call.failed));
            }
        }
    });
    let epoch = if tally.slots.is_empty() { START + FULL_MINUTE } else { 0 };
    let arrivals: Vec<Arrival> = tally.take_arrivals().unwrap().map(Result::unwrap).collect();
    let followed: Vec<AlertEvent> = follow(rules, arrivals.iter().cloned().map(Ok)).map(Result::unwrap).collect();
    let own = arrivals.iter().filter_map(|arrival| match arrival {
        Arrival::Finding(event) => Some(event),
        Arrival::Session(_) => None,
    });
    let of_a_lineage = own.zip(&followed).filter(|(own, followed)| own.incidents != followed.incidents).count();
    let mut messages: BTreeMap<String, Vec<(Told, Option<u64>)>> = BTreeMap::new();
    let mut tell = |step: PlayedStep| {
        let channel = step.channel.map(|place| rules.channels()[place].name.clone());
        let (kind, count) = match step.outcome {
            PlayedOutcome::Merged(leader) => {
                let told = messages.entry(channel.unwrap()).or_default();
                // A leader that is in a digest has no message.
                if let Some((told, _)) =
                    told.last_mut().filter(|(told, _)| told.finding.as_ref() == Some(&ids[place(leader)]))
                {
                    told.also.insert(ids[place(step.finding.unwrap())].clone());
                }
                return;
            }
            PlayedOutcome::RollUpMerged(leader, count) => {
                let told = messages.entry(channel.unwrap()).or_default();
                let is_leader =
                    |told: &Told| told.kind == "roll-up" && told.finding.as_ref() == Some(&ids[place(leader)]);
                if let Some((told, _)) = told.last_mut().filter(|(told, _)| is_leader(told)) {
                    told.also.insert(ids[place(step.opener.unwrap())].clone());
                    told.count += count;
                }
                return;
            }
            PlayedOutcome::First => ("first", 1),
            PlayedOutcome::Repeat => ("repeat", 1),
            PlayedOutcome::RollUp(count) => ("roll-up", count),
            PlayedOutcome::Update(count, news) => ("update", 1000 * count + news),
            PlayedOutcome::Digest(count) => ("digest", count),
            _ => return,
        };
        let told = Told {
            time: epoch + step.time.seconds(),
            kind: kind.to_owned(),
            rule: step.rule.map(|rule| rules.rules()[rule].info.id.clone()),
            finding: step.finding.or(step.opener).map(|number| ids[place(number)].clone()),
            about: step.finding.map(|number| calls[place(number)]),
            count,
            also: BTreeSet::new(),
        };
        messages.entry(channel.unwrap()).or_default().push((told, step.thread));
    };
    // What no longer matters is forgotten at every step.
    let mut playback = Playback::forgetting_from(rules, StagedRules::Silent, 1);
    each_record(followed.into_iter().map(Ok), |record| playback.record(record, &mut tell)).unwrap();
    playback.end(&mut tell);
    tally.play_back(arrivals.into_iter().map(Ok), &mut |_| ()).unwrap();
    let (total, count) = (tally.sent.total, |count: u64| usize::try_from(count).unwrap());
    let sums: u64 = messages.values().map(|messages| messages.len() as u64).sum();
    assert_eq!((total.messages, total.alerts + total.roll_ups + total.updates + total.digests), (sums, sums));
    assert_eq!(tally.findings, tally.staged + tally.sent.unrouted + total.below_threshold + tally.sent.routed);
    for (counts, findings) in tally.sent.by_channel.iter().zip(&tally.accepted) {
        assert_eq!(
            *findings,
            counts.below_threshold
                + counts.duplicates
                + counts.alerts
                + counts.merged
                + counts.held_back
                + counts.digested
        );
    }
    let findings = [tally.staged, tally.sent.unrouted, total.below_threshold, tally.sent.routed].map(count);
    let tally = TallyFigures {
        delivered: count(total.messages),
        throttled: count(total.held_back),
        digested: count(total.digested + total.digested_roll_ups + total.digested_updates),
        merged: count(total.merged + total.merged_roll_ups + total.merged_updates),
        duplicates: is_each_once.then(|| count(total.duplicates)),
        findings: is_each_once.then_some(findings),
    };
    Said { messages, tally, of_a_lineage }
}

/// Vendors that take everything, and a clock that runs with tokio's.
struct Outside {
    start: Instant,
    credentials: Arc<Credentials>,
    /// What arrived: when, where and what.
    taken: Mutex<Vec<(u64, String, Value)>>,
}

impl Transport for Outside {
    async fn send(&self, request: Request, _: Duration) -> Reply {
        let (reply, (channel, document)) = match request {
            Request::Http(request) => {
                let channel = request.url.expose().rsplit('/').next().unwrap().to_owned();
                let document: Value = serde_json::from_str(request.content.unwrap().1.expose()).unwrap();
                (Reply::Http { status: 200, retry_after: None, body: String::new() }, (channel, document))
            }
            Request::Sns { topic_arn, message, .. } => {
                let channel = topic_arn.unwrap().rsplit(':').next().unwrap().to_owned();
                let texts: Value = serde_json::from_str(&message).unwrap();
                let document = serde_json::from_str(texts["sqs"].as_str().unwrap()).unwrap();
                (Reply::Published("id".to_owned()), (channel, document))
            }
        };
        let time = Timestamp::from(self.now()).seconds();
        self.taken.lock().unwrap().push((time, channel, document));
        reply
    }

    async fn credentials(&self, _: bool) -> Result<Arc<Credentials>, CredentialsError> {
        Ok(Arc::clone(&self.credentials))
    }

    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(START) + (Instant::now() - self.start)
    }
}

/// A queue that hides messages as SQS does, and hands those of one moment out in the order in which they first came.
#[derive(Default)]
struct Queue {
    first: AtomicUsize,
    /// When each text first came: a long wait is made of several.
    seen: Mutex<HashMap<String, usize>>,
    waiting: Mutex<BTreeMap<(Instant, usize), String>>,
}

impl Queue {
    /// The next message, if it is due by then, and when that is.
    fn next(&self, until: Option<Instant>) -> Option<(Instant, String)> {
        let mut waiting = self.waiting.lock().unwrap();
        let next = waiting.first_entry().filter(|next| until.is_none_or(|until| next.key().0 <= until))?;
        let due = next.key().0;
        Some((due, next.remove()))
    }
}

impl Queues for Queue {
    fn has_redelivery(&self) -> bool {
        true
    }

    fn has_dead_letter(&self) -> bool {
        true
    }

    async fn enqueue(&self, message: String, delay: Duration) -> Result<(), QueueError> {
        let place = *self
            .seen
            .lock()
            .unwrap()
            .entry(message.clone())
            .or_insert_with(|| self.first.fetch_add(1, Ordering::Relaxed));
        self.waiting.lock().unwrap().insert((Instant::now() + delay, place), message);
        Ok(())
    }

    async fn dead_letter(&self, message: String) -> Result<(), QueueError> {
        panic!("nothing is rejected: {message}");
    }
}

type Function = App<Outside, MemoryStore, Queue>;

async fn invoke(function: &Function, payload: &str, total: &mut InvocationReport) {
    let Handled { report, answer } = handle(payload, Instant::now() + TIMEOUT, function).await;
    assert!(answer.is_ok() && report.adds_up() && report.ledger_faults == 0, "{report:?}");
    *total += &report;
}

/// Takes up what is due by then (or all that waits), each when it is due, and lets the clock run until then.
async fn wait_until(function: &Function, until: Option<Instant>, total: &mut InvocationReport) {
    while let Some((due, body)) = function.queues.next(until) {
        advance(due - Instant::now()).await;
        let message = json!({ "messageId": "m", "receiptHandle": "r", "eventSource": "aws:sqs", "body": body });
        invoke(function, &json!({ "Records": [message] }).to_string(), total).await;
    }
    if let Some(until) = until {
        advance(until - Instant::now()).await;
    }
}

/// The records in the order of their arrival, each with its time in seconds after the start.
fn arrivals(rules: &RuleSet, records: &[String]) -> Vec<(u64, String)> {
    // What has no time comes with the last finding before it, or else with the first of all.
    let (mut last, mut timed) = (None, Vec::new());
    let mut first: HashMap<&str, (Option<u64>, usize)> = HashMap::new();
    for (place, record) in records.iter().enumerate() {
        if let Some(known) = first.get(record.as_str()) {
            timed.push((*known, record));
            continue;
        }
        let found: Vec<Finding> =
            rules.evaluate(&RawRecord { json: record.clone(), index: 0, message_id: None, account: None }).unwrap();
        let own = found.first().and_then(|finding| finding.call.event_time.as_deref()).and_then(Timestamp::parse);
        last = own.map(|time| time.seconds() - START).or(last);
        // A session that is issued comes at its own time, be there a finding of it or not.
        let issued = ApiCall::from_record(&Record::parse(record).unwrap());
        let issued = issued.event_time.filter(|_| issued.event.as_deref() == Some("AssumeRole"));
        let issued = issued.as_deref().and_then(Timestamp::parse).map(|time| time.seconds() - START);
        let known = (issued.or(last), place);
        first.insert(record, known);
        timed.push((known, record));
    }
    let earliest = timed.iter().find_map(|((time, _), _)| *time).unwrap_or(FULL_MINUTE);
    timed.sort_by_key(|((time, place), _)| (time.unwrap_or(earliest), *place));
    timed.into_iter().map(|((time, _), record)| (time.unwrap_or(earliest), record.clone())).collect()
}

/// What the function sends: by channel, with the alert that each message belongs to; and its report.
fn sent(rules: RuleSet, records: &[String]) -> (BTreeMap<String, Vec<(Told, String)>>, InvocationReport) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let credentials: serde_json::Map<String, Value> = rules
            .channels()
            .iter()
            .filter(|channel| channel.channel.kind() == "webhook")
            .map(|channel| {
                let url = format!("https://example.com/{}", channel.name);
                (channel.name.clone(), json!({ "url": url, "conformity_token": "token" }))
            })
            .collect();
        let credentials = Arc::new(Credentials::parse(&Value::from(credentials).to_string()).unwrap());
        let start = Instant::now();
        let arrivals = arrivals(&rules, records);
        let function = App {
            rules,
            transport: Outside { start, credentials, taken: Mutex::default() },
            tokens: Tokens::default(),
            health: ChannelHealth::default(),
            ledger: Ledger::new(MemoryStore::default()),
            queues: Queue::default(),
            own: OwnCalls::default(),
        };
        let mut total = InvocationReport::default();
        for (time, record) in arrivals {
            wait_until(&function, Some(start + Duration::from_secs(time)), &mut total).await;
            invoke(&function, &record, &mut total).await;
        }
        wait_until(&function, None, &mut total).await;
        let mut messages: BTreeMap<String, Vec<(Told, String)>> = BTreeMap::new();
        for (time, channel, document) in std::mem::take(&mut *function.transport.taken.lock().unwrap()) {
            let text = |key: &str| document[key].as_str().unwrap().to_owned();
            let is_digest = document["kind"] == "digest";
            let severity =
                Severity::ALL.into_iter().find(|severity| severity.as_str() == document["severity"]).unwrap();
            let about = (severity, document["failed"].as_bool().unwrap());
            let others = document["also"].as_array().into_iter().flatten();
            let of_others: u64 = others.filter_map(|also| also["count"].as_u64()).sum();
            let told = Told {
                time,
                kind: text("kind"),
                rule: (!is_digest).then(|| text("rule")),
                finding: (!is_digest).then(|| text("finding")),
                about: document["sum"].is_null().then_some(about),
                count: match document["incident"]["news"].as_u64() {
                    Some(news) => 1000 * document["sum"]["count"].as_u64().unwrap() + news,
                    None => document["sum"]["count"].as_u64().unwrap_or(1) + of_others,
                },
                also: document["also"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|also| also["finding"].as_str().unwrap().to_owned())
                    .collect(),
            };
            messages.entry(channel).or_default().push((told, text("alert")));
        }
        (messages, total)
    })
}

/// Whether two lists of names are alike up to the names.
fn are_alike<A: std::hash::Hash + Eq, B: std::hash::Hash + Eq>(pairs: impl Iterator<Item = (A, B)>) -> bool {
    let pairs: HashSet<(A, B)> = pairs.collect();
    let (left, right): (HashSet<&A>, HashSet<&B>) = pairs.iter().map(|(a, b)| (a, b)).unzip();
    left.len() == pairs.len() && right.len() == pairs.len()
}

/// Compares the two on one random archive, and counts the kinds of messages.
fn compare(seed: u64, kinds: &mut BTreeMap<String, usize>) {
    let mut choices = Choices::new(seed);
    let text = choices.rules();
    let records = choices.records();
    let rules = || RuleSet::compile(&text).unwrap_or_else(|why| panic!("seed {seed}: {why:?}")).rules;
    let is_each_once = records.iter().collect::<BTreeSet<_>>().len() == records.len();
    // Nearly everything goes through the disk.
    let bounds = Bounds { bytes: 1 + choices.below(1500), ids: 1 + choices.below(8), fan_in: 2 };
    let said = played(&rules(), &records, is_each_once, bounds);
    let (messages, total) = sent(rules(), &records);
    let about = || format!("seed {seed}\n{text}\n{}", records.join("\n"));

    let names: BTreeSet<&String> = said.messages.keys().chain(messages.keys()).collect();
    for name in names {
        let (said, sent) = (said.messages.get(name), messages.get(name));
        let (said, sent) = (said.map(Vec::as_slice).unwrap_or_default(), sent.map(Vec::as_slice).unwrap_or_default());
        let of_tool: Vec<Told> = said.iter().map(|(told, _)| told.clone().whoever_leads()).collect();
        let of_function: Vec<Told> = sent.iter().map(|(told, _)| told.clone().whoever_leads()).collect();
        assert_eq!(of_tool, of_function, "left: the playback, right: the function, on channel {name}, {}", about());
        let alerts = said.iter().zip(sent).zip(&of_tool).filter(|(_, told)| told.finding.is_some());
        let alerts = alerts.map(|(((_, opener), (_, alert)), _)| (opener.unwrap(), alert.as_str()));
        assert!(are_alike(alerts), "messages belong to other alerts, on channel {name}, {}", about());
        let mut count = |kind: &str| *kinds.entry(kind.to_owned()).or_default() += 1;
        // The highest severity that an alert has told of, and whether a success was among it.
        let mut alerts: HashMap<u64, (Severity, bool)> = HashMap::new();
        for (told, opener) in said {
            count(&told.kind);
            if !told.also.is_empty() {
                count(if told.kind == "roll-up" { "roll-ups together" } else { "with others" });
            }
            let (Some((severity, failed)), Some(opener)) = (told.about, opener) else { continue };
            let (highest, succeeded) = alerts.entry(*opener).or_insert((severity, !failed));
            if told.kind == "repeat" && severity <= *highest {
                count(if failed || *succeeded { "new target" } else { "first success" });
            }
            (*highest, *succeeded) = (severity.max(*highest), *succeeded || !failed);
        }
    }
    let (findings, deliveries) = (&total.findings, &total.deliveries);
    let figures = TallyFigures {
        delivered: deliveries.delivered,
        throttled: deliveries.throttled,
        digested: deliveries.digested,
        merged: deliveries.merged,
        duplicates: is_each_once.then_some(deliveries.duplicate),
        findings: is_each_once.then_some([
            findings.staged,
            findings.unrouted,
            findings.below_threshold,
            findings.routed,
        ]),
    };
    assert_eq!(said.tally, figures, "left: the playback, right: the function, {}", about());
    for (kind, count) in [
        ("of a lineage", said.of_a_lineage),
        ("held back", figures.throttled),
        ("digested", figures.digested),
        ("staged", findings.staged),
        ("below threshold", findings.below_threshold),
        ("unrouted", findings.unrouted),
        ("duplicate", deliveries.duplicate),
    ] {
        *kinds.entry(kind.to_owned()).or_default() += count;
    }
}

#[test]
fn the_playback_says_what_the_function_sends() {
    let seeds = seeds(ROUNDS);
    let rounds = seeds.end - seeds.start;
    let mut kinds = BTreeMap::new();
    for seed in seeds.clone() {
        compare(seed, &mut kinds);
    }
    eprintln!("{rounds} archives, seeds from {}: {kinds:?}", seeds.start);
    // What never happens would show nothing.
    let happens =
        ["first", "repeat", "roll-up", "update", "digest", "held back", "digested", "staged", "below threshold"];
    for kind in happens.iter().chain(&[
        "unrouted",
        "duplicate",
        "first success",
        "new target",
        "with others",
        "roll-ups together",
        "of a lineage",
    ]) {
        let count = kinds.get(*kind).copied().unwrap_or_default();
        assert!(count as u64 * 10 >= rounds, "{kind}: {count} in {rounds} archives");
    }
}
