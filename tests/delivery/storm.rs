//! The worst night: 20,000 findings within a minute, two of each call by one of 40 callers, each event delivered twice, to channels
//! of every type, whose vendors fail in every way: the seed says who in which.
//!
//! `OFFLIMITS_ROUNDS=10 cargo test --release --all-features --test integration storm:: -- --nocapture` plays more nights,
//! `OFFLIMITS_SEED=7` others.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use offlimits::handler::InvocationReport;
use offlimits::ledger::MemoryStore;
use serde_json::{Map, Value, json};
use tokio::task::LocalSet;

use super::outside::{Taken, app_by, invoke_all, redeliver_until};
use super::vendors::Way;
use super::vendors::illness::{Illness, dealt, fall_ill};
use crate::support::choices::seeds;

/// Calls, of each of which there are as many findings as rules.
const CALLS: usize = 10_000;
const GROUPS: usize = 40;
const RULES: usize = 2;
const MINUTE: Duration = Duration::from_mins(1);

/// The deployment's own topic, which is always well: it tells the operators, too.
const TOPIC: &str = "topic";

fn rules(dealt: &[(Way, Illness)]) -> String {
    let mut channels: Map<String, Value> = dealt
        .iter()
        .map(|(way, illness)| {
            // All that waited for these comes in one minute or two; the others' first alerts came before.
            let most = if [Illness::Revoked, Illness::Outage].contains(illness) { 3 * GROUPS } else { 60 };
            let mut settings = way.settings.clone();
            settings["max_per_minute"] = json!(most);
            (way.name.clone(), settings)
        })
        .collect();
    channels.insert(TOPIC.to_owned(), json!({ "type": "sns" }));
    json!({ "channels": channels, "rules": [
        { "id": "AUDIT", "title": "Call by {actor}", "severity": "low",
          "when": { "event": { "is": "RunInstances" } }, "throttle": { "window": "5m", "by": ["actor"] } },
        { "id": "STORM", "title": "Storm by {actor}", "severity": "high",
          "when": { "event": { "is": "RunInstances" } }, "throttle": { "window": "5m", "by": ["actor"] } },
    ] })
    .to_string()
}

fn event(number: usize) -> String {
    format!(
        r#"{{"detail-type":"AWS API Call via CloudTrail","source":"aws.ec2","detail":{{"eventID":"{number}","eventName":"RunInstances",
        "eventSource":"ec2.amazonaws.com","eventTime":"2026-01-10T11:32:44Z","recipientAccountId":"123456789012",
        "userIdentity":{{"type":"IAMUser","userName":"user{}"}}}}}}"#,
        number % GROUPS
    )
}

/// How many findings the messages tell of: one and the other of its record, or what a roll-up and those that are told with it say.
fn told(taken: &[Taken]) -> usize {
    let counted: BTreeMap<&String, usize> =
        taken.iter().map(|message| (&message.key, in_message(&message.text))).collect();
    counted.values().sum()
}

fn in_message(text: &str) -> usize {
    let document: Value = serde_json::from_str(text).unwrap();
    // A topic gets what machines read, too, and a webhook nothing else.
    let machine: Option<Value> = match &document["sqs"] {
        Value::String(machine) => Some(serde_json::from_str(machine).unwrap()),
        _ => document["kind"].is_string().then_some(document),
    };
    if let Some(machine) = machine {
        let of_others = machine["also"].as_array().into_iter().flatten();
        let count = |count: &Value| usize::try_from(count.as_u64().unwrap_or(1)).unwrap();
        return count(&machine["sum"]["count"]) + of_others.map(|also| count(&also["count"])).sum::<usize>();
    }
    // Some show a title more than once.
    let sums: BTreeMap<&str, usize> = ["Storm by ", "Call by "]
        .into_iter()
        .flat_map(|title| text.match_indices(title))
        .filter_map(|(at, _)| {
            let (title, rest) = text[at..].split_once(": and ")?;
            let count = rest.split_once(" more")?.0.parse().ok()?;
            (title.matches(' ').count() == 2).then_some((title, count))
        })
        .collect();
    if sums.is_empty() { 1 + usize::from(text.contains("AUDIT Call by")) } else { sums.values().sum() }
}

#[test]
fn nothing_is_lost_nothing_acknowledged_repeats_and_nobody_is_flooded() {
    for seed in seeds(1) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(night(seed));
    }
}

#[expect(clippy::print_stdout, reason = "whoever plays many reads of each")]
async fn night(seed: u64) {
    let dealt = dealt(seed);
    let ways = dealt.iter().map(|(way, _)| way.clone()).collect::<Vec<_>>();
    let app = Rc::new(app_by(&rules(&dealt), &ways, MemoryStore::with_limit(4_000_000)));
    fall_ill(&app, seed, &dealt);
    // Each event once in order, and once more three seconds later, among the others.
    let mut arrivals: Vec<(Duration, usize)> = (0..CALLS)
        .flat_map(|number| {
            let at = MINUTE * u32::try_from(number).unwrap() / u32::try_from(CALLS).unwrap();
            [(at, number), (at + Duration::from_secs(3), number)]
        })
        .collect();
    arrivals.sort_unstable();
    let mut now = Duration::ZERO;
    let storm = invoke_all(
        &app,
        arrivals.into_iter().map(|(at, number)| (at.saturating_sub(std::mem::replace(&mut now, at)), event(number))),
    );
    let local = LocalSet::new();
    let (mut queue, events) = local.run_until(async { tokio::join!(redeliver_until(&app, 90 * MINUTE), storm) }).await;
    // Somebody has replaced the revoked credential: nothing is dead, and nobody need send anything through again.
    let redriven = app.queues.redrive();
    assert_eq!(redriven, 0);
    queue += &local.run_until(redeliver_until(&app, 91 * MINUTE)).await;

    println!("seed {seed}");
    println!("channel            illness   requests  taken  acknowledged  told  kept  last at");
    let channels = dealt.iter().map(|(way, illness)| (way.name.as_str(), *illness));
    for (channel, illness) in channels.chain([(TOPIC, Illness::None)]) {
        let mut configured = app.rules.channels().iter();
        let is_together = configured.any(|one| one.name == channel && one.channel.tells_roll_ups_together());
        let about = format!("seed {seed}: {channel}, {illness:?}");
        let taken = app.transport.taken(channel);
        let acknowledged: Vec<&Taken> = taken.iter().filter(|taken| taken.acknowledged).collect();
        let kept = app.transport.objects(channel);
        println!(
            "{channel:17}  {:8}  {:8}  {:5}  {:12}  {:5}  {kept:4}  {:?}",
            format!("{illness:?}"),
            app.transport.requests(channel),
            taken.len(),
            acknowledged.len(),
            told(&taken),
            taken.iter().map(|taken| taken.at).max().unwrap_or_default()
        );
        assert_eq!(app.transport.repeated(channel), [""; 0], "{about}: had acknowledged these");
        let operational = acknowledged.iter().filter(|taken| taken.text.contains("needs attention")).count();
        assert_eq!(
            operational,
            usize::from(channel == TOPIC),
            "{about}: one channel was in trouble of the kind that somebody must mend"
        );
        // The first of each caller, told of both rules, and the roll-ups: no finding is told of twice, and none is missing.
        let messages = acknowledged.len() - operational;
        if is_together {
            // There, the roll-ups of one minute are told together, twenty in a message at most; of copies of the function that come
            // to them at the same moment each tells of what it has claimed.
            assert!((GROUPS + 4..2 * GROUPS).contains(&messages), "{about}: {messages}");
        } else {
            assert_eq!(messages, 3 * GROUPS, "{about}");
        }
        assert_eq!(told(&taken) - operational, RULES * CALLS, "{about}");
        // Who keeps tickets or threads has one for each caller, or another one where the answer that named the first was lost.
        let lost = taken.len() - acknowledged.len();
        // What is made before the first has arrived knows of no thread.
        let is_behind = channel == "slack" && illness != Illness::None;
        let most = if is_behind { taken.len() } else { GROUPS + lost };
        assert!(kept == 0 || (GROUPS..=most).contains(&kept), "{about}: {kept}");
        if [Illness::None, Illness::Errors, Illness::Breaks].contains(&illness) {
            let firsts = acknowledged.iter().filter(|taken| taken.at < 65 * Duration::from_secs(1)).count();
            assert!(firsts >= GROUPS, "{about}: {firsts} of the first alerts within the minute");
        }
    }
    let lines = |name: &str, report: &InvocationReport| {
        let (f, d) = (&report.findings, &report.deliveries);
        println!(
            "{name}: findings {} = staged {} + unrouted {} + below threshold {} + self {} + routed {}",
            f.total, f.staged, f.unrouted, f.below_threshold, f.own, f.routed
        );
        println!(
            "{name}: deliveries {} (routed {} + redelivered {} + roll-ups {}) = delivered {} + throttled {} + merged {} + digested {} + duplicate {} \
             + queued {} + dead {} + failed {}",
            d.total(),
            d.routed,
            d.redelivered,
            d.roll_ups,
            d.delivered,
            d.throttled,
            d.merged,
            d.digested,
            d.duplicate,
            d.queued,
            d.dead,
            d.failed
        );
    };
    lines("events", &events);
    lines("queue ", &queue);
    let mut all = events.clone();
    all += &queue;
    lines("all   ", &all);
    println!("dead letters sent through again: {redriven}");
    let channels = dealt.len() + 1;
    assert!(all.adds_up());
    assert_eq!((events.findings.total, events.deliveries.routed), (2 * RULES * CALLS, 2 * RULES * CALLS * channels));
    assert_eq!((all.deliveries.failed, all.deliveries.digested, all.ledger_faults), (0, 0, 0));
    assert_eq!(all.deliveries.throttled, RULES * (CALLS - GROUPS) * channels);
    // With the first alerts that are told in the messages of others, and the roll-ups that are; and the former once more where an
    // event came again while its first copy was still being sent.
    let told = all.deliveries.delivered + all.deliveries.merged;
    assert!(told >= 2 * RULES * GROUPS * channels, "{told}");
    assert_eq!(all.deliveries.dead, redriven);
    assert_eq!((app.queues.waiting(), app.queues.dead.lock().unwrap().len()), (0, 0));
}
