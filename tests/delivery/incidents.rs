//! Findings that belong together, told as one incident, by the real handler.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use offlimits::ledger::Store;
use serde_json::{Value, json};
use tokio::task::LocalSet;
use tokio::time::{sleep, timeout};

use super::merging::Counting;
use super::outside::{Act, SlowStore, TestApp, app, app_on, invoke, invoke_all, redeliver_until, sqs_event};

const MINUTE: Duration = Duration::from_mins(1);
/// Of each call a rule.
const RULES: [(&str, &str, &str); 4] = [
    ("LIST", "low", "ListUsers"),
    ("STOP", "high", "StopLogging"),
    ("KEY", "very-high", "CreateAccessKey"),
    ("ROOT", "extreme", "CreateLoginProfile"),
];

fn rules(channel: &Value) -> String {
    let rules: Vec<Value> = RULES
        .iter()
        .map(|(id, severity, event)| {
            json!({ "id": id, "title": format!("by {id}"), "severity": severity, "when": { "event": { "is": event } } })
        })
        .collect();
    json!({ "channels": { "topic": channel }, "rules": rules }).to_string()
}

fn with_incidents() -> String {
    rules(&json!({ "type": "sns", "max_per_minute": 1000, "incident": {} }))
}

fn event(number: usize, name: &str, actor: &str, failed: bool) -> String {
    let mut record = json!({
        "eventID": number.to_string(), "eventName": name, "eventSource": "iam.amazonaws.com",
        "eventTime": "2026-01-10T11:32:44Z", "recipientAccountId": "123456789012", "awsRegion": "us-east-1",
        "userIdentity": { "type": "IAMUser", "userName": actor }, "requestParameters": { "userName": format!("user{number}") },
    });
    if failed {
        record["errorCode"] = json!("AccessDenied");
    }
    record.to_string()
}

/// What the topic was sent: when, in seconds, and as machines read it.
fn told<S: Store>(app: &TestApp<S>) -> Vec<(u64, Value)> {
    let machine = |text: &str| {
        let texts: Value = serde_json::from_str(text).unwrap();
        serde_json::from_str(texts["sqs"].as_str().unwrap()).unwrap()
    };
    app.transport.taken("topic").iter().map(|taken| (taken.at.as_secs(), machine(&taken.text))).collect()
}

/// The same in short: the time, the kind, and how many findings.
fn shown<S: Store>(app: &TestApp<S>) -> Vec<(u64, String, u64)> {
    let count = |alert: &Value| alert["sum"]["count"].as_u64().unwrap_or(1);
    told(app).iter().map(|(at, alert)| (*at, alert["kind"].as_str().unwrap().to_owned(), count(alert))).collect()
}

fn of(list: &[(u64, &str, u64)]) -> Vec<(u64, String, u64)> {
    list.iter().map(|(at, kind, count)| (*at, (*kind).to_owned(), *count)).collect()
}

/// The same without the times.
fn sent<S: Store>(app: &TestApp<S>) -> Vec<(String, u64)> {
    shown(app).into_iter().map(|(_, kind, count)| (kind, count)).collect()
}

/// An incident of two findings, whose first update was claimed by somebody who died while they sent it. The orders of the updates
/// are taken out of the queue, and returned.
async fn after_a_death<S: Store>(app: &TestApp<S>) -> Vec<String> {
    invoke(&event(0, "StopLogging", "eve", false), app).await;
    invoke(&event(1, "ListUsers", "eve", false), app).await;
    let orders = app.queues.take_all();
    sleep(MINUTE).await;
    app.transport.script("topic", |_, _| Act::Hang);
    assert!(timeout(Duration::from_secs(3), invoke(&sqs_event(&orders), app)).await.is_err());
    app.transport.script("topic", |_, _| Act::Take);
    orders
}

#[tokio::test(start_paused = true)]
async fn what_is_worse_goes_out_and_everything_is_told_so_far() {
    let app = app(&with_incidents());
    invoke(&event(0, "ListUsers", "eve", false), &app).await;
    redeliver_until(&app, Duration::from_secs(2)).await;
    // Of another rule, and no worse; then one that is.
    assert_eq!(invoke(&event(1, "ListUsers", "eve", true), &app).await.report.deliveries.throttled, 1);
    redeliver_until(&app, Duration::from_secs(10)).await;
    assert_eq!(invoke(&event(2, "CreateLoginProfile", "eve", false), &app).await.report.deliveries.delivered, 1);
    redeliver_until(&app, Duration::from_secs(100)).await;
    // Very-high, no worse than what was told, and of a rule that nobody has been told of.
    assert_eq!(invoke(&event(3, "CreateAccessKey", "eve", false), &app).await.report.deliveries.throttled, 1);
    // Another caller's are another incident.
    assert_eq!(invoke(&event(4, "ListUsers", "ann", false), &app).await.report.deliveries.delivered, 1);
    let report = redeliver_until(&app, 2 * 60 * MINUTE).await;
    let expected = [(0, "first", 1), (10, "repeat", 1), (60, "update", 3), (100, "first", 1), (159, "update", 4)];
    assert_eq!(shown(&app), of(&expected));
    // What was ordered for certainty had nothing new to say.
    assert_eq!((report.deliveries.delivered, report.deliveries.merged), (1, 1), "{report:?}");
    let told = told(&app);
    let alerts: BTreeSet<&str> =
        told.iter().filter(|(at, _)| *at != 100).map(|(_, alert)| alert["alert"].as_str().unwrap()).collect();
    assert_eq!(alerts.len(), 1, "one alert, one thread");
    let update = &told[4].1;
    assert_eq!((update["severity"].as_str(), &update["incident"]["news"]), (Some("extreme"), &json!(1)));
    let named = update["incident"]["named"].as_array().unwrap();
    let named: Vec<[&str; 3]> =
        named.iter().map(|call| ["rule", "outcome", "target"].map(|key| call[key].as_str().unwrap())).collect();
    let expected = [
        ["ROOT", "success", "user2"],
        ["KEY", "success", "user3"],
        ["LIST", "success", "user0"],
        ["LIST", "failure", "user1"],
    ];
    assert!(named.iter().zip(expected).all(|(named, expected)| named[..2] == expected[..2]), "{named:?}");
    let text = &app.transport.taken("topic")[4].text;
    assert!(
        text.contains("Incident so far: 4 findings of 3 rules") && text.contains("very-high KEY CreateAccessKey"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_last_update_comes_after_the_end_and_the_next_finding_opens_another() {
    let app = app(&with_incidents());
    invoke(&event(0, "StopLogging", "eve", false), &app).await;
    redeliver_until(&app, 59 * MINUTE).await;
    invoke(&event(1, "ListUsers", "eve", false), &app).await;
    redeliver_until(&app, 60 * MINUTE).await;
    invoke(&event(2, "ListUsers", "eve", false), &app).await;
    redeliver_until(&app, 3 * 60 * MINUTE).await;
    assert_eq!(shown(&app), of(&[(0, "first", 1), (3600, "first", 1), (3615, "update", 2)]));
    let told = told(&app);
    assert_eq!((&told[2].1["incident"]["has_ended"], &told[2].1["alert"]), (&json!(true), &told[0].1["alert"]));
}

/// Whoever decides before an update, and writes after it, is in the next.
#[tokio::test(start_paused = true)]
async fn what_is_written_late_is_in_the_next_update() {
    let store = SlowStore::new(Duration::ZERO);
    let (well, slow) = (app_on(&with_incidents(), store.clone()), {
        let mut store = store;
        store.takes = Duration::from_secs(2);
        app_on(&with_incidents(), store)
    });
    invoke(&event(0, "StopLogging", "eve", false), &well).await;
    redeliver_until(&well, Duration::from_secs(1)).await;
    invoke(&event(1, "ListUsers", "eve", false), &well).await;
    redeliver_until(&well, Duration::from_secs(59)).await;
    // It looks before the update of the first minute, and writes after it.
    let late = event(2, "ListUsers", "eve", false);
    let (late, _) = tokio::join!(invoke(&late, &slow), redeliver_until(&well, Duration::from_secs(70)));
    assert_eq!(late.report.deliveries.throttled, 1, "{:?}", late.report);
    for message in slow.queues.take_all() {
        well.queues.put(message);
    }
    redeliver_until(&well, 2 * 60 * MINUTE).await;
    assert_eq!(shown(&well), of(&[(0, "first", 1), (60, "update", 2), (300, "update", 3)]));
}

/// An alert asks the ledger for no more than it did with its rule's throttle.
#[tokio::test(start_paused = true)]
async fn an_alert_makes_no_request_more() {
    let mut asked = Vec::new();
    for channel in [json!({ "type": "sns" }), json!({ "type": "sns", "incident": {} })] {
        let store = Counting::default();
        let app = app_on(&rules(&channel), store.clone());
        let mut of_each = Vec::new();
        for number in 0..3 {
            invoke(&event(number, "ListUsers", "eve", true), &app).await;
            of_each.push(store.asked());
        }
        asked.push(of_each);
    }
    println!("without incidents {:?}\nwith incidents    {:?}", asked[0], asked[1]);
    for (without, with) in asked[0].iter().zip(&asked[1]) {
        assert!(with.iter().all(|(what, count)| without.get(what).is_some_and(|before| count <= before)), "{asked:?}");
    }
}

/// What is open when the setting changes loses nothing.
#[tokio::test(start_paused = true)]
async fn incidents_may_be_switched_on_and_off_while_windows_are_open() {
    let plain = rules(&json!({ "type": "sns", "max_per_minute": 1000 }));
    for (before, after, summed) in [(&plain, &with_incidents(), "roll-up"), (&with_incidents(), &plain, "update")] {
        let store = SlowStore::new(Duration::ZERO);
        let (old, new) = (app_on(before, store.clone()), app_on(after, store));
        invoke(&event(0, "StopLogging", "eve", false), &old).await;
        // A throttle lets three new targets through.
        for number in 1..4 {
            let told = invoke(&event(number, "StopLogging", "eve", false), &old).await.report.deliveries.delivered;
            assert_eq!(told, usize::from(summed == "roll-up"));
        }
        let last = invoke(&event(4, "StopLogging", "eve", false), &old).await.report.deliveries;
        assert_eq!(last.throttled, 1, "{last:?}");
        for message in old.queues.take_all() {
            new.queues.put(message);
        }
        // The first of the other kind is a message of its own.
        assert_eq!(invoke(&event(5, "StopLogging", "eve", false), &new).await.report.deliveries.delivered, 1);
        redeliver_until(&new, 2 * 60 * MINUTE).await;
        let sums: Vec<(String, u64)> = sent(&new).into_iter().filter(|(kind, _)| kind != "first").collect();
        let held_back = if summed == "roll-up" { 1 } else { 5 };
        assert_eq!(sums, [(summed.to_owned(), held_back)]);
    }
}

/// Two copies of the function that have one update at the same moment send one message; and one that dies over it is followed.
#[tokio::test(start_paused = true)]
async fn an_update_is_sent_once_and_outlives_its_sender() {
    let store = SlowStore::new(Duration::from_millis(20));
    let (one, two) = (app_on(&with_incidents(), store.clone()), app_on(&with_incidents(), store));
    let batch = sqs_event(&after_a_death(&one).await);
    let (first, second) = tokio::join!(invoke(&batch, &one), invoke(&batch, &two));
    assert_eq!((first.report.deliveries.delivered, second.report.deliveries.delivered), (0, 0), "it is claimed");
    for message in two.queues.take_all() {
        one.queues.put(message);
    }
    redeliver_until(&one, 2 * 60 * MINUTE).await;
    assert_eq!(sent(&one), [("first".to_owned(), 1), ("update".to_owned(), 2)]);
    // What it was to tell, and did not, is still news.
    assert_eq!(told(&one)[1].1["incident"]["news"], json!(1));
    assert!(two.transport.taken("topic").is_empty());
}

/// What comes after an update was claimed is told by the next one for certain: what was rendered first may lie in the queue, and be
/// sent under the same claim.
#[tokio::test(start_paused = true)]
async fn an_update_that_is_claimed_anew_leaves_what_came_since_to_the_next() {
    let app = app(&with_incidents());
    let orders = after_a_death(&app).await;
    invoke(&event(2, "ListUsers", "eve", false), &app).await;
    orders.into_iter().for_each(|message| app.queues.put(message));
    redeliver_until(&app, 2 * 60 * MINUTE).await;
    assert_eq!(sent(&app), [("first".to_owned(), 1), ("update".to_owned(), 3), ("update".to_owned(), 3)]);
}

/// 4,000 findings in a minute, each event delivered twice, and a vendor that fails every other time.
#[tokio::test(start_paused = true)]
async fn a_storm_is_a_few_messages_that_count_everything() {
    const CALLS: usize = 2000;
    const CALLERS: usize = 10;
    let app = Rc::new(app(&with_incidents()));
    app.transport.script("topic", |number, _| if number % 2 == 0 { Act::Status(500, None) } else { Act::Take });
    let pause = MINUTE / u32::try_from(2 * CALLS).unwrap();
    let storm = invoke_all(
        &app,
        (0..2 * CALLS).map(|number| {
            let number = number % CALLS;
            let (name, actor) = (RULES[number / CALLERS % 4].2, format!("user{}", number % CALLERS));
            (pause, event(number, name, &actor, number.is_multiple_of(3)))
        }),
    );
    let local = LocalSet::new();
    let mut all = local.run_until(storm).await;
    all += &local.run_until(redeliver_until(&app, 90 * MINUTE)).await;
    assert!(all.adds_up() && all.ledger_faults == 0 && all.deliveries.failed == 0, "{all:?}");
    let mut counted: BTreeMap<String, u64> = BTreeMap::new();
    for (_, alert) in told(&app) {
        let most = counted.entry(alert["alert"].as_str().unwrap().to_owned()).or_default();
        *most = alert["sum"]["count"].as_u64().unwrap_or_default().max(*most);
    }
    assert_eq!(counted.into_values().collect::<Vec<_>>(), vec![(CALLS / CALLERS) as u64; CALLERS]);
    // The opener, three rises, and updates: within a minute for what is grave, after 1 and after 5 minutes.
    let messages = told(&app).len();
    println!("{messages} messages of {} findings", 2 * CALLS);
    assert!(messages <= 10 * CALLERS, "{messages}");
}
