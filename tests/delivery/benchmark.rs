//! Labelled traffic through the real handler: what people are told of ten intruders at once, and what that is worth.
//!
//! `tests/evidence/intruders.py` writes the records and who made each; the handler plays them at their own times, with the shipped
//! rules and a webhook that hears of everything; `tests/evidence/score_messages.py` scores what it was sent. By hand:
//! `OFFLIMITS_TRAFFIC_CALLS=150 OFFLIMITS_SEED=2 cargo test --release --all-features --test integration benchmark:: -- --nocapture`.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use offlimits::channel::{Reply, Request};
use offlimits::deliver::{Tokens, Transport};
use offlimits::handler::{App, OwnCalls, Response, handle};
use offlimits::health::ChannelHealth;
use offlimits::ledger::{Ledger, MemoryStore, Store as _};
use offlimits::redelivery::{QueueError, Queues};
use offlimits::ruleset::RuleSet;
use offlimits::secret::{Credentials, CredentialsError};
use offlimits::time::Timestamp;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::outside::{TIMEOUT, sqs_event};
use crate::support::{offlimits, repository, run};

/// When the generator's records begin: 2026-01-10T11:32:44Z.
const START: u64 = 1_768_044_764;
/// From a call to its event, as CloudTrail and EventBridge take it.
const ROAD: Duration = Duration::from_secs(20);
/// After the last event, so that every window has ended.
const REST: Duration = Duration::from_hours(26);

/// Calls of each intruder, of which each is something else, so that little can be told together.
const FEW: u64 = 12;
/// The same of an intruder who is at work: what the generator makes unless it is told otherwise.
const MANY: u64 = 150;

/// The vendor: it takes every message, and keeps it with its time.
struct Vendor {
    start: Instant,
    credentials: Arc<Credentials>,
    taken: Mutex<Vec<(Duration, Value)>>,
    /// Of each message, in the same order, the findings that an update counts.
    counted: Mutex<Vec<Vec<String>>>,
}

impl Transport for Vendor {
    async fn send(&self, request: Request, _: Duration) -> Reply {
        let Request::Http(request) = request else { return Reply::Published("id".to_owned()) };
        let alert = serde_json::from_str(request.content.unwrap().1.expose()).unwrap();
        self.taken.lock().unwrap().push((Instant::now() - self.start, alert));
        Reply::Http { status: 200, retry_after: None, body: String::new() }
    }

    async fn credentials(&self, _: bool) -> Result<Arc<Credentials>, CredentialsError> {
        Ok(Arc::clone(&self.credentials))
    }

    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(START) + (Instant::now() - self.start)
    }
}

/// The queue, which never fails here.
#[derive(Default)]
struct Queue(Mutex<Vec<(Instant, String)>>);

impl Queue {
    /// Up to ten messages that are due, or when the next one will be.
    fn due(&self) -> Result<Vec<String>, Option<Instant>> {
        let mut waiting = self.0.lock().unwrap();
        waiting.sort_by_key(|(due, _)| *due);
        let due = waiting.iter().take(10).filter(|(due, _)| *due <= Instant::now()).count();
        if due == 0 {
            return Err(waiting.first().map(|(due, _)| *due));
        }
        Ok(waiting.drain(..due).map(|(_, body)| body).collect())
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
        self.0.lock().unwrap().push((Instant::now() + delay, message));
        Ok(())
    }

    async fn dead_letter(&self, message: String) -> Result<(), QueueError> {
        panic!("nothing fails here: {message}");
    }
}

type Function = App<Vendor, MemoryStore, Queue>;

/// The function with the shipped rules, and one channel that hears of everything.
fn function(channel: &Value) -> Function {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("bundle.json");
    let mut bundling = offlimits(["bundle", "rules.json", "--output"]);
    bundling.arg(&bundle).current_dir(repository(""));
    let bundled = run(bundling);
    assert_eq!(bundled.code, Some(0), "{}", bundled.shown());
    let mut rules: Value = serde_json::from_slice(&std::fs::read(&bundle).unwrap()).unwrap();
    rules["channels"] = json!({ "siem": channel });
    let rules = RuleSet::compile(&rules.to_string()).unwrap().rules;
    let secret = json!({ "siem": { "url": "https://siem.example.com/in", "conformity_token": "0123456789abcdef" } });
    let credentials = Arc::new(Credentials::parse(&secret.to_string()).unwrap());
    App {
        rules,
        transport: Vendor { start: Instant::now(), credentials, taken: Mutex::default(), counted: Mutex::default() },
        tokens: Tokens::default(),
        health: ChannelHealth::default(),
        ledger: Ledger::new(MemoryStore::with_limit(2_000_000)),
        queues: Queue::default(),
        own: OwnCalls::default(),
    }
}

/// Hands the function an event, or a batch of its queue's messages.
async fn invoke(app: &Function, payload: &str) {
    let handled = handle(payload, Instant::now() + TIMEOUT, app).await;
    assert!(handled.report.adds_up(), "{:?}", handled.report);
    match handled.answer {
        Ok(Response::Batch(failed)) => assert!(failed.is_empty(), "nothing fails here: {failed:?}"),
        answer => assert!(answer.is_ok(), "{answer:?}"),
    }
    let known = app.transport.counted.lock().unwrap().len();
    let new: Vec<Value> = app.transport.taken.lock().unwrap()[known..].iter().map(|(_, alert)| alert.clone()).collect();
    for alert in new {
        let mut counted = Vec::new();
        if alert["kind"] == "update" {
            let incident = of_incident(app, alert["alert"].as_str().unwrap()).await;
            check_update(&alert, &incident);
            counted.extend(incident.into_iter().map(|(finding, _)| finding));
        }
        app.transport.counted.lock().unwrap().push(counted);
    }
}

/// Hands out what comes due in the queue until then.
async fn wait_until(app: &Function, then: Instant) {
    loop {
        match app.queues.due() {
            Ok(batch) => invoke(app, &sqs_event(&batch)).await,
            Err(Some(next)) if next <= then => sleep_until(next).await,
            Err(_) => return sleep_until(then).await,
        }
    }
}

/// Plays records at their own times, and returns what the vendor was sent.
async fn play(app: &Function, records: &str) -> Vec<(Duration, Value, Vec<String>)> {
    let start = app.transport.start;
    for line in records.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let time = Timestamp::parse(record["eventTime"].as_str().unwrap()).unwrap();
        let after = Duration::from_secs(time.seconds().saturating_sub(START)) + ROAD;
        wait_until(app, start + after).await;
        let event = json!({ "detail-type": "AWS API Call via CloudTrail", "source": "aws.any",
            "account": record["recipientAccountId"], "detail": record });
        invoke(app, &event.to_string()).await;
    }
    wait_until(app, Instant::now() + REST).await;
    let taken = app.transport.taken.lock().unwrap().clone();
    let counted = app.transport.counted.lock().unwrap().clone();
    taken.into_iter().zip(counted).map(|((at, alert), counted)| (at, alert, counted)).collect()
}

/// The findings of an incident by now, as its items in the ledger have them: each with its rule, its outcome and its severity.
async fn of_incident(app: &Function, alert: &str) -> Vec<(String, Value)> {
    let found = app.ledger.store().query(&format!("alert#{alert}"), ("0", "g"), false, 100_000).await.unwrap();
    found.into_iter().map(|(finding, item)| (finding, Value::from((*item.attributes).clone()))).collect()
}

/// Checks that an update counts all of its incident so far, and names each very-high and extreme rule × outcome.
fn check_update(update: &Value, incident: &[(String, Value)]) {
    assert_eq!(update["sum"]["count"], incident.len(), "{update}");
    let named = update["incident"]["named"].as_array().unwrap();
    for (finding, item) in incident {
        let outcomes = item["targets"]["shown"].as_array().unwrap();
        let is_named = |outcome: &Value| {
            let outcome = if outcome["succeeded"] == true { "success" } else { "failure" };
            named.iter().any(|named| named["rule"] == item["rule"] && named["outcome"] == outcome)
        };
        let is_grave = |outcome: &&Value| ["very-high", "extreme"].contains(&outcome["severity"].as_str().unwrap());
        assert!(outcomes.iter().filter(is_grave).all(is_named), "{finding} {item} in {update}");
    }
}

/// A line for the scorer: what a message says it is of, with the other findings of its record; of an update, all that it counts. One
/// alert is a group with its repeats; of what a roll-up sums up, the message names none.
fn line(at: Duration, alert: &Value, counted: &[String]) -> Value {
    let named = ["first", "repeat"].contains(&alert["kind"].as_str().unwrap_or_default());
    let others = alert["also"].as_array().into_iter().flatten();
    let told = [alert].into_iter().chain(others).filter_map(|told| told["finding"].as_str()).filter(|_| named);
    let findings: Vec<&str> = told.chain(counted.iter().map(String::as_str)).collect();
    // Whose the credentials were first, where the channel follows them.
    let person = alert["lineage"][0].get("name").unwrap_or(&alert["person"]);
    json!({ "channel": "siem", "group": alert["alert"], "time": at.as_secs_f64(), "findings": findings, "rule": alert["rule"],
        "severity": alert["severity"], "person": person })
}

fn python(script: &str, arguments: &[&str]) -> String {
    let run = Command::new("python3")
        .args(["-B", &format!("tests/evidence/{script}")])
        .args(arguments)
        .current_dir(repository(""))
        .output()
        .unwrap();
    assert!(run.status.success(), "{script}: {}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).unwrap()
}

fn number(variable: &str, usual: u64) -> u64 {
    std::env::var_os(variable).and_then(|value| value.to_str()?.parse().ok()).unwrap_or(usual)
}

/// Generates the traffic into a folder, so many calls of each intruder unless somebody asks for more, plays it, and scores what a channel
/// was sent.
async fn scored(folder: &Path, channel: &Value, calls: u64) -> Value {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (seed, calls) = (number("OFFLIMITS_SEED", 1).to_string(), number("OFFLIMITS_TRAFFIC_CALLS", calls).to_string());
    python("intruders.py", &[&path(""), "--seed", &seed, "--calls", &calls]);
    let mut replay = offlimits(["replay", "--format", "jsonl"]);
    replay.arg(path("records.jsonl")).current_dir(repository(""));
    let findings = run(replay);
    assert_eq!(findings.code, Some(0), "{}", findings.shown());
    std::fs::write(path("findings.jsonl"), findings.stdout).unwrap();
    let function = function(channel);
    let counting = function.rules.rules().iter().filter(|rule| rule.threshold.is_some());
    let counting: Vec<String> = counting.map(|rule| format!("{}\n", rule.info.id)).collect();
    std::fs::write(path("counting.txt"), counting.concat()).unwrap();
    let sent = play(&function, &std::fs::read_to_string(path("records.jsonl")).unwrap()).await;
    let lines: Vec<String> =
        sent.iter().map(|(at, alert, counted)| format!("{}\n", line(*at, alert, counted))).collect();
    std::fs::write(path("messages.jsonl"), lines.concat()).unwrap();
    let files = ["labels", "findings", "messages"].map(|name| (format!("--{name}"), path(&format!("{name}.jsonl"))));
    let counting = path("counting.txt");
    let (begin, road) = (START.to_string(), ROAD.as_secs().to_string());
    let arguments: Vec<&str> = files
        .iter()
        .flat_map(|(option, file)| [option.as_str(), file])
        .chain(["--counting", &counting, "--begin", &begin, "--road", &road, "--json"])
        .collect();
    serde_json::from_str(&python("score_messages.py", &arguments)).unwrap()
}

/// Without incidents each alert is told by itself: what else is built is to be better than this.
#[tokio::test(start_paused = true)]
async fn ten_intruders_alert_by_alert() {
    let folder = tempfile::tempdir().unwrap();
    let score = scored(folder.path(), &json!({ "type": "webhook", "max_per_minute": 1000 }), FEW).await;
    println!("{score:#}");
    let score = &score["siem"];
    let figure = |name: &str| score[name].as_f64().unwrap();
    assert!(figure("findings") > 100.0 && figure("chains") >= 5.0, "{score}");
    // Whatever a throttle holds back, a group never has two intruders in it that nothing but a role has in common, and most of
    // what is grave is named.
    assert!(figure("reduction") > 0.0, "{score}");
    assert!(figure("grave") > 0.25, "{score}");
}

/// With incidents of the usual keys: who called, and in whose account. Nobody's chain of roles is followed, so that an intruder is one
/// incident in each account, and who shares a role shares it.
#[tokio::test(start_paused = true)]
async fn ten_intruders_incident_by_incident() {
    let folder = tempfile::tempdir().unwrap();
    let channel = json!({ "type": "webhook", "max_per_minute": 1000, "incident": { "window": "6h" } });
    let score = scored(folder.path(), &channel, FEW).await;
    println!("{score:#}");
    let score = &score["siem"];
    let figure = |name: &str| score[name].as_f64().unwrap();
    assert!((figure("grave") - 1.0).abs() < f64::EPSILON, "{score}");
    assert!(figure("reduction") >= 0.55, "{score}");
}

/// With incidents that follow credentials: an intruder is one incident, through however many roles and accounts, and two who share a role
/// or an address are two.
#[expect(clippy::print_stdout, reason = "whoever runs it wants the figures")]
async fn ten_intruders_by_lineage(calls: u64, recall: f64, reduction: f64) {
    let folder = tempfile::tempdir().unwrap();
    let incident = json!({ "window": "6h", "lineage": true, "shared": ["pipeline-build"] });
    let channel = json!({ "type": "webhook", "max_per_minute": 1000, "incident": incident });
    let score = scored(folder.path(), &channel, calls).await;
    println!("{score:#}");
    let score = &score["siem"];
    let figure = |name: &str| score[name].as_f64().unwrap();
    assert!((figure("grave") - 1.0).abs() < f64::EPSILON, "{score}");
    assert!((figure("soon") - 1.0).abs() < f64::EPSILON, "{score}");
    assert!(figure("precision") >= 0.99 && figure("persons") >= 0.95, "{score}");
    // The traffic has records of one second in any order. What a session does before its own record is there is an incident of its own,
    // and the fewer calls there are, the more that counts.
    assert!(figure("recall") >= recall && figure("reduction") >= reduction, "{score}");
}

/// Each call is of another rule, and most are grave: each of those is told within a minute, and so most messages are of one call.
#[tokio::test(start_paused = true)]
async fn ten_intruders_with_few_calls_by_lineage() {
    ten_intruders_by_lineage(FEW, 0.8, 0.55).await;
}

#[tokio::test(start_paused = true)]
async fn ten_intruders_with_many_calls_by_lineage() {
    ten_intruders_by_lineage(MANY, 0.95, 0.9).await;
}
