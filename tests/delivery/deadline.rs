//! What is done by when: a channel that hangs, a ledger that does not answer, and more than one invocation can do.

use std::collections::BTreeSet;
use std::time::Duration;

use offlimits::handler::{Deliveries, InvocationReport};
use offlimits::ledger::Store;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::handler::{Broken, STOP, reported};
use super::outside::{Act, SlowStore, TestApp, app, app_on, invoke, redeliver, redeliver_until, sqs_event};

/// Lambda's own: whatever has not ended by then has not happened.
const KILLED: Duration = Duration::from_secs(30);

/// Two channels, no throttle, and no storm guard that would be noticed.
const RULES: &str = r#"{
  "channels": { "topic": { "type": "sns", "max_per_minute": 10000 }, "soc": { "type": "slack", "max_per_minute": 10000 } },
  "rules": [{ "id": "STOP", "title": "t", "severity": "high", "throttle": "off", "when": { "event": { "is": "StopLogging" } } }]
}"#;

fn event(number: usize) -> String {
    STOP.replace("\"eventID\": \"", &format!("\"eventID\": \"{number}-"))
}

/// Messages for `soc` that wait in the queue, each tried once.
async fn ten_waiting<S: Store>(app: &TestApp<S>) {
    app.transport.script("soc", |_, _| Act::Status(429, Some(60)));
    for number in 0..10 {
        assert_eq!(reported(invoke(&event(number), app).await).deliveries.queued, 1);
    }
    assert_eq!(app.queues.waiting(), 10);
    tokio::time::sleep(Duration::from_mins(2)).await;
}

fn messages<S: Store>(app: &TestApp<S>) -> Vec<Value> {
    app.queues.take_all().iter().map(|message| serde_json::from_str(message).unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_batch_for_a_channel_that_hangs_is_neither_multiplied_nor_said_to_have_been_tried() {
    let wait = Duration::from_millis(50);
    let mut app = app_on(RULES, SlowStore::new(wait));
    app.queues.takes = wait;
    ten_waiting(&app).await;
    app.transport.script("soc", |_, _| Act::Hang);
    let (begun, before) = (Instant::now(), app.transport.requests("soc"));
    let report = redeliver(&app).await;
    assert!(begun.elapsed() < KILLED, "{:?}", begun.elapsed());
    assert_eq!((report.deliveries.redelivered, report.deliveries.queued), (10, 10), "{report:?}");
    let messages = messages(&app);
    let ids: BTreeSet<&str> =
        messages.iter().map(|message| message["task"]["deliver"]["id"].as_str().unwrap()).collect();
    assert_eq!((messages.len(), ids.len()), (10, 10), "copies");
    let tried = messages.iter().filter(|message| message["attempts"] == 2).count();
    let requests = app.transport.requests("soc") - before;
    eprintln!("10 messages for a channel that hangs: {requests} requests, {tried} tried, {:?}", begun.elapsed());
    assert!(tried > 0 && requests >= tried, "{tried} of {requests}");
    assert!(messages.iter().all(|message| !message["reason"].as_str().unwrap().contains("no time")), "{messages:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_hangs_does_not_hold_the_executions_that_sums_share_with_it() {
    let app = app(RULES);
    ten_waiting(&app).await;
    app.transport.script("soc", |_, _| Act::Hang);
    redeliver(&app).await;
    // All come again at once, as the next batch of many does.
    for mut message in messages(&app) {
        message["not_before"] = json!(0);
        app.queues.put(message.to_string());
    }
    let (begun, before) = (Instant::now(), app.transport.requests("soc"));
    assert_eq!(redeliver(&app).await.deliveries.queued, 10);
    eprintln!("the next batch for a channel that hangs: {:?}", begun.elapsed());
    assert!(begun.elapsed() <= Duration::from_secs(6), "{:?}", begun.elapsed());
    assert_eq!(app.transport.requests("soc") - before, 10, "each was really tried");
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_never_answers_is_asked_once_and_everything_is_told() {
    let before = app(RULES);
    ten_waiting(&before).await;
    let waiting = before.queues.take_all();
    let app = app_on(RULES, Broken(Duration::from_hours(1)));
    // They are due by its clock, too.
    tokio::time::sleep(Duration::from_mins(3)).await;
    let begun = Instant::now();
    let handled = invoke(&sqs_event(&waiting), &app).await;
    assert!(begun.elapsed() < KILLED, "{:?}", begun.elapsed());
    assert_eq!((handled.report.deliveries.delivered, app.queues.waiting()), (10, 0), "{handled:?}");
    assert!(handled.report.ledger_faults >= 10, "{handled:?}");
    let records: Vec<String> = (0..10).map(event).collect();
    let begun = Instant::now();
    let report = reported(invoke(&records.join("\n"), &app).await);
    eprintln!("10 records and no ledger: {:?}, {} faults", begun.elapsed(), report.ledger_faults);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(report.deliveries.delivered, 20, "{report:?}");
}

/// One invocation with 1,000 records, where AWS takes so long for a call, and each vendor thirty milliseconds.
async fn a_thousand(rules: &str, wait: Duration) -> (TestApp<SlowStore>, InvocationReport) {
    let mut app = app_on(rules, SlowStore::new(wait));
    app.queues.takes = wait;
    for channel in ["topic", "soc"] {
        app.transport.script(channel, |_, _| Act::Slow(Duration::from_millis(30)));
    }
    let records: Vec<Value> =
        (0..1000).map(|number| serde_json::from_str::<Value>(&event(number)).unwrap()["detail"].take()).collect();
    let begun = Instant::now();
    let report = reported(invoke(&json!({ "Records": records }).to_string(), &app).await);
    let Deliveries { delivered, throttled, queued, .. } = report.deliveries;
    eprintln!(
        "1,000 records, {wait:?} a call: {:?}, {delivered} delivered, {throttled} throttled, {queued} queued",
        begun.elapsed()
    );
    assert!(begun.elapsed() < KILLED, "{:?}", begun.elapsed());
    assert_eq!((report.findings.total, report.deliveries.failed), (1000, 0), "{report:?}");
    (app, report)
}

#[tokio::test(start_paused = true)]
async fn more_than_one_invocation_can_do_is_handed_on_in_full() {
    let (app, report) = a_thousand(RULES, Duration::from_millis(10)).await;
    assert_eq!(
        (report.deliveries.delivered + report.deliveries.queued, app.queues.waiting()),
        (2000, report.deliveries.queued)
    );
    let report = redeliver_until(&app, Duration::from_hours(1)).await;
    assert_eq!((report.deliveries.failed, report.deliveries.dead, app.queues.waiting()), (0, 0, 0));
    for channel in ["topic", "soc"] {
        let keys: BTreeSet<String> = app.transport.taken(channel).into_iter().map(|taken| taken.key).collect();
        assert_eq!((app.transport.taken(channel).len(), keys.len()), (1000, 1000), "{channel}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_handed_on_is_throttled_as_if_it_had_been_judged_at_once() {
    let throttled = r#""throttle": { "window": "1h", "by": ["event"] }, "#;
    let rules = RULES.replace(r#""throttle": "off", "#, throttled);
    let (app, report) = a_thousand(&rules, Duration::from_millis(25)).await;
    assert!(report.deliveries.queued > 0 && report.deliveries.throttled > 0, "{report:?}");
    redeliver_until(&app, Duration::from_hours(2)).await;
    assert_eq!(app.queues.waiting(), 0);
    for channel in ["topic", "soc"] {
        let [_, roll_up] = &app.transport.taken(channel)[..] else { panic!("{:?}", app.transport.taken(channel)) };
        assert!(roll_up.text.contains("and 999 more"), "{channel}: {}", roll_up.text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_threshold_is_counted_as_long_as_time_is_left_for_the_alerts() {
    let threshold = r#""throttle": "off", "threshold": { "count": 5, "window": "1h", "by": ["event"] }, "#;
    let rules = RULES.replace(r#""throttle": "off", "#, threshold);
    let (app, report) = a_thousand(&rules, Duration::from_millis(25)).await;
    assert!((4..200).contains(&report.findings.below_threshold) && report.ledger_faults > 0, "{report:?}");
    redeliver_until(&app, Duration::from_hours(1)).await;
    assert_eq!(app.transport.taken("soc").len(), 1000 - report.findings.below_threshold);
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_hangs_costs_a_first_delivery_one_request_and_the_next_ones_none() {
    let app = app(RULES);
    app.transport.script("soc", |_, at| if at < Duration::from_mins(5) { Act::Hang } else { Act::Take });
    let begun = Instant::now();
    let report = reported(invoke(&event(0), &app).await);
    eprintln!("a first delivery to a channel that hangs holds an execution for {:?}", begun.elapsed());
    assert!(begun.elapsed() <= Duration::from_secs(6), "{:?}", begun.elapsed());
    assert_eq!((report.deliveries.delivered, report.deliveries.queued), (1, 1), "{report:?}");
    assert_eq!(app.transport.requests("soc"), 1);
    let begun = Instant::now();
    assert_eq!(reported(invoke(&event(1), &app).await).deliveries.queued, 1);
    assert_eq!((begun.elapsed(), app.transport.requests("soc")), (Duration::ZERO, 1));
    let attempts: Vec<Value> = messages(&app)
        .into_iter()
        .map(|mut message| {
            app.queues.put(message.to_string());
            message["attempts"].take()
        })
        .collect();
    assert_eq!(attempts, [json!(1), json!(0)]);
    // What comes from the queue is tried, whatever is known of the channel.
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert_eq!(redeliver(&app).await.deliveries.queued, 2);
    assert!(app.transport.requests("soc") >= 3);
    // A minute after the last request in vain it is asked again.
    tokio::time::sleep(Duration::from_mins(2)).await;
    let before = app.transport.requests("soc");
    assert_eq!(reported(invoke(&event(2), &app).await).deliveries.queued, 1);
    assert_eq!(app.transport.requests("soc"), before + 1);
    redeliver_until(&app, Duration::from_hours(1)).await;
    assert_eq!((app.transport.taken("soc").len(), app.queues.waiting()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_answers_slowly_is_followed_to_the_deadline_and_asked_again() {
    let app = app(RULES);
    app.transport.script("soc", |_, _| Act::SlowStatus(Duration::from_secs(4), 503));
    let mut requests = Vec::new();
    for number in 0..2 {
        let report = reported(invoke(&event(number), &app).await);
        assert_eq!((report.deliveries.delivered, report.deliveries.queued), (1, 1), "{report:?}");
        requests.push(app.transport.requests("soc"));
    }
    assert!(requests[0] >= 5 && requests[1] == 2 * requests[0], "a channel that answers was not asked: {requests:?}");
}

#[tokio::test(start_paused = true)]
async fn without_a_queue_a_channel_that_hangs_is_asked_until_the_deadline_each_time() {
    let mut app = app(RULES);
    app.queues.is_there = false;
    app.transport.script("soc", |number, _| if number % 3 == 0 { Act::Take } else { Act::Hang });
    for number in 1..3 {
        assert_eq!(reported(invoke(&event(number), &app).await).deliveries.delivered, 2);
        assert_eq!(app.transport.requests("soc"), 3 * number);
    }
}
