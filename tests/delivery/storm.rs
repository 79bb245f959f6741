//! The worst night: 20,000 findings within a minute, two of each call by one of 40 callers, each event delivered twice, and vendors
//! that fail in every way.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use offlimits::handler::InvocationReport;
use serde_json::Value;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::sleep;

use super::outside::{Act, Taken, TestApp, app, invoke, redeliver_until};

/// Calls, of each of which there are as many findings as rules.
const CALLS: usize = 10_000;
const GROUPS: usize = 40;
const RULES: usize = 2;
const MINUTE: Duration = Duration::from_mins(1);

/// The channels, and how long each is ill. `revoked` is the one whose credential is rejected until somebody replaces it.
const CHANNELS: [&str; 9] = ["topic", "well", "busy", "errors", "slow", "breaks", "gone", "outage", "revoked"];

fn rules() -> String {
    let channels: Vec<String> = CHANNELS
        .iter()
        .map(|name| {
            let channel_type = if *name == "topic" { "sns" } else { "slack" };
            // All that waited for the revoked one comes in one minute; the others' first alerts came before.
            let most = if *name == "revoked" { 3 * GROUPS } else { 60 };
            format!(r#""{name}": {{ "type": "{channel_type}", "max_per_minute": {most} }}"#)
        })
        .collect();
    format!(
        r#"{{ "channels": {{ {} }}, "rules": [
            {{ "id": "AUDIT", "title": "Call by {{actor}}", "severity": "low",
            "when": {{ "event": {{ "is": "RunInstances" }} }}, "throttle": {{ "window": "5m", "by": ["actor"] }} }},
            {{ "id": "STORM", "title": "Storm by {{actor}}", "severity": "high",
            "when": {{ "event": {{ "is": "RunInstances" }} }}, "throttle": {{ "window": "5m", "by": ["actor"] }} }}] }}"#,
        channels.join(", ")
    )
}

fn ill(app: &TestApp) {
    let vendor = &app.transport;
    // 429 with Retry-After for as long as the storm lasts, but for one request in three.
    vendor.script("busy", |n, at| if at < MINUTE && n % 3 != 0 { Act::Status(429, Some(7)) } else { Act::Take });
    vendor.script("errors", |n, _| if n % 2 == 0 { Act::Status(500, None) } else { Act::Take });
    vendor.script("slow", |n, at| if at < 3 * MINUTE && n % 4 != 0 { Act::Hang } else { Act::Take });
    vendor.script("breaks", |n, _| if n % 5 == 0 { Act::TakeAndBreak } else { Act::Take });
    vendor.script("gone", |_, at| if at < 2 * MINUTE { Act::Dead } else { Act::Take });
    vendor.script("outage", |n, at| match at {
        at if at < 20 * MINUTE => [Act::Status(503, None), Act::Hang, Act::Dead][n % 3],
        _ => Act::Take,
    });
    vendor.script("revoked", |_, at| if at < 25 * MINUTE { Act::Revoked } else { Act::Take });
}

fn event(number: usize) -> String {
    format!(
        r#"{{"detail-type":"AWS API Call via CloudTrail","source":"aws.ec2","detail":{{"eventID":"{number}","eventName":"RunInstances",
        "eventSource":"ec2.amazonaws.com","eventTime":"2026-01-10T11:32:44Z","recipientAccountId":"123456789012",
        "userIdentity":{{"type":"IAMUser","userName":"user{}"}}}}}}"#,
        number % GROUPS
    )
}

/// How many findings the messages tell of: one and the other of its record, or "and n more" of a roll-up and of those that are told
/// with it.
fn told(taken: &[Taken]) -> usize {
    let mut counted = BTreeMap::new();
    for message in taken {
        let text: Value = serde_json::from_str(&message.text).unwrap();
        // A topic gets what machines read, too.
        let machine: Option<Value> = text["sqs"].as_str().map(|machine| serde_json::from_str(machine).unwrap());
        let count = machine.map_or_else(
            || {
                let more = message.text.split(": and ").nth(1);
                let more = more.and_then(|rest| rest.split(" more").next()?.parse::<usize>().ok());
                more.unwrap_or(1 + usize::from(message.text.contains("AUDIT Call by")))
            },
            |machine| {
                let of_others = machine["also"].as_array().into_iter().flatten();
                let count = |count: &Value| usize::try_from(count.as_u64().unwrap_or(1)).unwrap();
                count(&machine["sum"]["count"]) + of_others.map(|also| count(&also["count"])).sum::<usize>()
            },
        );
        counted.insert(&message.key, count);
    }
    counted.values().sum()
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_nothing_acknowledged_repeats_and_nobody_is_flooded() {
    let app = Rc::new(app(&rules()));
    ill(&app);
    let events = Rc::new(RefCell::new(InvocationReport::default()));
    let storm = async {
        let mut invocations = JoinSet::new();
        // Each event once in order, and once more three seconds later, among the others.
        let mut arrivals: Vec<(Duration, usize)> = (0..CALLS)
            .flat_map(|number| {
                let at = MINUTE * u32::try_from(number).unwrap() / u32::try_from(CALLS).unwrap();
                [(at, number), (at + Duration::from_secs(3), number)]
            })
            .collect();
        arrivals.sort_unstable();
        let mut now = Duration::ZERO;
        for (at, number) in arrivals {
            sleep(at.saturating_sub(now)).await;
            now = at;
            let (app, events) = (Rc::clone(&app), Rc::clone(&events));
            invocations.spawn_local(async move {
                let handled = invoke(&event(number), &app).await;
                assert!(handled.answer.is_ok(), "{handled:?}");
                *events.borrow_mut() += &handled.report;
            });
        }
        while let Some(done) = invocations.join_next().await {
            done.unwrap();
        }
    };
    let local = LocalSet::new();
    let (mut queue, ()) = local.run_until(async { tokio::join!(redeliver_until(&app, 90 * MINUTE), storm) }).await;
    // Somebody has replaced the revoked credential: nothing is dead, and nobody need send anything through again.
    let redriven = app.queues.redrive();
    assert_eq!(redriven, 0);
    queue += &local.run_until(redeliver_until(&app, 91 * MINUTE)).await;

    let events = events.borrow();
    println!("channel     requests  taken  acknowledged  told  last at");
    for channel in CHANNELS {
        let taken = app.transport.taken(channel);
        let acknowledged: Vec<&Taken> = taken.iter().filter(|taken| taken.acknowledged).collect();
        println!(
            "{channel:10}  {:8}  {:5}  {:12}  {:5}  {:?}",
            app.transport.requests(channel),
            taken.len(),
            acknowledged.len(),
            told(&taken),
            taken.iter().map(|taken| taken.at).max().unwrap_or_default()
        );
        let mut seen = BTreeSet::new();
        for message in &acknowledged {
            assert!(seen.insert(&message.key), "{channel} had acknowledged {}", message.key);
        }
        let operational = acknowledged.iter().filter(|taken| taken.text.contains("needs attention")).count();
        assert_eq!(
            operational,
            usize::from(channel == "topic"),
            "one channel was in trouble of the kind that somebody must mend"
        );
        // The first of each caller, told of both rules, and the roll-ups: no finding is told of twice, and none is missing.
        let messages = acknowledged.len() - operational;
        if channel == "topic" {
            // There, the roll-ups of one minute are told together, twenty in a message at most; of copies of the function that come
            // to them at the same moment each tells of what it has claimed.
            assert!((GROUPS + 4..2 * GROUPS).contains(&messages), "{channel}: {messages}");
        } else {
            assert_eq!(messages, 3 * GROUPS, "{channel}");
        }
        assert_eq!(told(&taken) - operational, RULES * CALLS, "{channel}");
        if ["topic", "well", "errors", "breaks"].contains(&channel) {
            let firsts = acknowledged.iter().filter(|taken| taken.at < 65 * Duration::from_secs(1)).count();
            assert!(firsts >= GROUPS, "{channel} had {firsts} of the first alerts within the minute");
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
    assert!(all.adds_up());
    assert_eq!(
        (events.findings.total, events.deliveries.routed),
        (2 * RULES * CALLS, 2 * RULES * CALLS * CHANNELS.len())
    );
    assert_eq!((all.deliveries.failed, all.deliveries.digested, all.ledger_faults), (0, 0, 0));
    assert_eq!(all.deliveries.throttled, RULES * (CALLS - GROUPS) * CHANNELS.len());
    // With the first alerts that are told in the messages of others, and the roll-ups that are; and the former once more where an
    // event came again while its first copy was still being sent.
    let told = all.deliveries.delivered + all.deliveries.merged;
    assert!(told >= 2 * RULES * GROUPS * CHANNELS.len(), "{told}");
    assert_eq!(all.deliveries.dead, redriven);
    assert_eq!((app.queues.waiting(), app.queues.dead.lock().unwrap().len()), (0, 0));
}
