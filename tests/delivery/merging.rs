//! The findings of one record in one message, by the real handler.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use offlimits::ledger::{Attributes, ItemKey, MemoryStore, Put, Store, StoreError, StoredItem, Written};
use offlimits::time::Timestamp;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::handler::{Broken, reported};
use super::outside::{Act, TestApp, app, app_on, invoke, redeliver, redeliver_until, sqs_event};

const MINUTE: Duration = Duration::from_mins(1);

/// Three rules about one call, the most severe of which stands in the middle.
fn rules(count: usize, throttle: &Value) -> String {
    let of = [("CIS-4", "medium"), ("RTM-011", "high"), ("AUDIT", "low")];
    let rules: Vec<Value> = of[..count]
        .iter()
        .map(|(id, severity)| {
            json!({ "id": id, "title": format!("by {id}"), "severity": severity, "throttle": throttle,
                "when": { "event": { "is": "StopLogging" } } })
        })
        .collect();
    json!({ "channels": { "topic": { "type": "sns", "max_per_minute": 2 }, "soc": { "type": "slack" } }, "rules": rules })
        .to_string()
}

fn event(number: usize) -> String {
    json!({
        "eventID": number.to_string(), "eventName": "StopLogging", "eventSource": "cloudtrail.amazonaws.com",
        "eventTime": "2026-01-10T11:32:44Z", "recipientAccountId": "123456789012", "awsRegion": "us-east-1",
        "userIdentity": { "type": "IAMUser", "userName": format!("eve{number}") }, "requestParameters": { "name": "trail" },
    })
    .to_string()
}

/// A store that counts what it is asked.
#[derive(Clone, Default)]
pub(super) struct Counting(Arc<(MemoryStore, Mutex<BTreeMap<&'static str, usize>>)>);

impl Counting {
    fn count(&self, what: &'static str) {
        *self.0.1.lock().unwrap().entry(what).or_default() += 1;
    }

    pub(super) fn asked(&self) -> BTreeMap<&'static str, usize> {
        std::mem::take(&mut *self.0.1.lock().unwrap())
    }
}

impl Store for Counting {
    async fn get(&self, keys: &[ItemKey]) -> Result<Vec<Option<StoredItem>>, StoreError> {
        self.count("get");
        self.0.0.get(keys).await
    }

    async fn write(&self, puts: Vec<Put>) -> Result<Written, StoreError> {
        assert!(puts.len() <= 100, "a transaction of {}", puts.len());
        self.count("put");
        self.0.0.write(puts).await
    }

    async fn count(&self, key: ItemKey, expires: Timestamp) -> Result<u64, StoreError> {
        self.count("count");
        self.0.0.count(key, expires).await
    }

    async fn keep_first(
        &self,
        key: ItemKey,
        attributes: Attributes,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<Option<Attributes>, StoreError> {
        self.count("keep first");
        self.0.0.keep_first(key, attributes, now, expires).await
    }

    async fn query(
        &self,
        partition: &str,
        between: (&str, &str),
        backwards: bool,
        limit: usize,
    ) -> Result<Vec<(String, StoredItem)>, StoreError> {
        self.count("query");
        self.0.0.query(partition, between, backwards, limit).await
    }
}

fn texts<S: Store>(app: &TestApp<S>, channel: &str) -> Vec<String> {
    app.transport.taken(channel).into_iter().map(|taken| taken.text).collect()
}

#[tokio::test(start_paused = true)]
async fn one_call_is_one_message_a_channel_and_costs_the_requests_of_one_finding() {
    let mut asked = Vec::new();
    for count in [1, 3] {
        let store = Counting::default();
        let app = app_on(&rules(count, &json!({ "window": "5m" })), store.clone());
        let report = reported(invoke(&event(1), &app).await);
        let deliveries = &report.deliveries;
        let counts = (report.findings.routed, deliveries.routed, deliveries.delivered, deliveries.merged);
        assert_eq!(counts, (count, 2 * count, 2, 2 * (count - 1)));
        for channel in ["topic", "soc"] {
            let told = texts(&app, channel);
            assert_eq!(told.len(), 1, "{told:?}");
            if count == 3 {
                assert!(told[0].contains("by RTM-011"), "{told:?}");
                assert!(told[0].contains("CIS-4 by CIS-4") && told[0].contains("AUDIT by AUDIT"), "{told:?}");
            }
        }
        asked.push(store.asked());
        // The same event again, and later calls of the same kind, are no news for any of them.
        assert_eq!(reported(invoke(&event(1), &app).await).deliveries.duplicate, 2 * count);
    }
    let of_one = BTreeMap::from([("put", 4), ("count", 2), ("keep first", 1), ("query", 1)]);
    assert_eq!(asked, [of_one.clone(), of_one]);
}

#[tokio::test(start_paused = true)]
async fn a_kill_between_the_claim_and_the_message_loses_none_of_its_findings() {
    let app = app(&rules(3, &json!({ "window": "5m" })));
    app.transport.script("soc", |number, _| if number == 1 { Act::Hang } else { Act::Take });
    app.transport.script("topic", |number, _| if number == 1 { Act::Hang } else { Act::Take });
    let killed = timeout(Duration::from_secs(2), invoke(&event(1), &app)).await;
    assert!(killed.is_err() && texts(&app, "soc").is_empty());
    // Lambda tries again after a minute, when the lease has ended.
    sleep(MINUTE).await;
    let report = reported(invoke(&event(1), &app).await);
    assert_eq!((report.deliveries.delivered, report.deliveries.merged), (2, 4), "{report:?}");
    for channel in ["topic", "soc"] {
        let told = texts(&app, channel);
        assert!(told.len() == 1 && told[0].contains("by RTM-011") && told[0].contains("AUDIT by AUDIT"), "{told:?}");
    }
    assert_eq!(reported(invoke(&event(1), &app).await).deliveries.duplicate, 6);
}

#[tokio::test(start_paused = true)]
async fn a_merged_message_that_waits_in_the_queue_stands_for_all_of_its_findings() {
    let app = app(&rules(3, &json!({ "window": "5m" })));
    app.transport.script("soc", |number, _| if number < 3 { Act::Status(429, Some(60)) } else { Act::Take });
    let report = reported(invoke(&event(1), &app).await);
    assert_eq!((report.deliveries.queued, report.deliveries.merged), (1, 4), "{report:?}");
    let all = redeliver_until(&app, Duration::from_hours(1)).await;
    assert_eq!(all.deliveries.delivered, 1, "{all:?}");
    assert_eq!(reported(invoke(&event(1), &app).await).deliveries.duplicate, 6);
    assert_eq!(texts(&app, "soc").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_storm_guard_counts_messages_and_its_digest_findings() {
    let app = app(&rules(3, &json!("off")));
    let mut deliveries = BTreeMap::new();
    for number in 0..5 {
        let report = reported(invoke(&event(number), &app).await);
        for (what, count) in report.counts() {
            *deliveries.entry(what).or_insert(0) += count;
        }
    }
    // Two of five messages fit into a minute of `topic`, and five into one of `soc`.
    assert_eq!((deliveries["Delivered"], deliveries["Digested"], deliveries["Merged"]), (7, 3, 20), "{deliveries:?}");
    redeliver_until(&app, 5 * MINUTE).await;
    let told = texts(&app, "topic");
    assert!(told.len() == 3 && told[2].contains("9 alerts in one"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn without_a_ledger_they_are_still_one_message() {
    let app = app_on(&rules(3, &json!({ "window": "5m" })), Broken(Duration::ZERO));
    let report = reported(invoke(&event(1), &app).await);
    assert_eq!((report.deliveries.delivered, report.deliveries.merged), (2, 4), "{report:?}");
    // Of what is too many for a copy in a minute nothing is lost, nor torn apart.
    for number in 2..5 {
        invoke(&event(number), &app).await.answer.unwrap();
    }
    let waiting: Vec<Value> =
        app.queues.take_all().iter().map(|message| serde_json::from_str(message).unwrap()).collect();
    assert_eq!(waiting.len(), 2, "{waiting:#?}");
    for message in waiting {
        assert_eq!(message["task"]["admit"]["also"].as_array().unwrap().len(), 2, "{message:#}");
        app.queues.put(message.to_string());
    }
    sleep(3 * MINUTE).await;
    let report = redeliver(&app).await;
    assert_eq!((report.deliveries.redelivered, report.deliveries.delivered), (6, 2), "{report:?}");
    let told = texts(&app, "topic");
    assert!(told.iter().all(|told| told.contains("AUDIT by AUDIT")), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn more_rules_than_a_transaction_takes_are_told_in_a_second_message() {
    let rule = |number: usize| json!({ "id": format!("R{number}"), "title": "t", "severity": "low", "when": { "event": { "is": "StopLogging" } } });
    let rules: Vec<Value> = (0..40).map(rule).collect();
    let store = Counting::default();
    let app = app_on(&json!({ "channels": { "soc": { "type": "slack" } }, "rules": rules }).to_string(), store);
    let mut record: Value = serde_json::from_str(&event(1)).unwrap();
    record["sharedEventID"] = json!("shared");
    let report = reported(invoke(&record.to_string(), &app).await);
    assert_eq!((report.deliveries.delivered, report.deliveries.merged), (2, 38), "{report:?}");
    assert_eq!(texts(&app, "soc").len(), 2);
}

/// An app in which the repeats of three callers wait for their roll-ups, on two channels.
async fn three_roll_ups() -> TestApp {
    let app =
        app(&rules(1, &json!({ "window": "5m", "by": ["actor"] }))
            .replace("\"max_per_minute\":2", "\"max_per_minute\":9"));
    for number in 0..6 {
        let caller = format!("eve{}", number % 3);
        let report = reported(invoke(&event(number).replace(&format!("eve{number}"), &caller), &app).await);
        let (delivered, throttled) = (report.deliveries.delivered, report.deliveries.throttled);
        assert_eq!((delivered, throttled), if number < 3 { (2, 0) } else { (0, 2) });
    }
    app
}

/// The callers that the last message to the topic names.
fn callers(app: &TestApp) -> usize {
    let told = texts(app, "topic");
    let last: Value = serde_json::from_str(told.last().unwrap()).unwrap();
    let machine: Value = serde_json::from_str(last["sqs"].as_str().unwrap()).unwrap();
    assert_eq!(machine["kind"], "roll-up");
    assert!(last["default"].as_str().unwrap().contains("CIS-4 by CIS-4: and 1 more"), "{last:#}");
    1 + machine["also"].as_array().unwrap().len()
}

#[tokio::test(start_paused = true)]
async fn roll_ups_of_one_minute_are_one_message_where_nothing_binds_them_to_their_alerts() {
    let app = three_roll_ups().await;
    let all = redeliver_until(&app, Duration::from_hours(1)).await.deliveries;
    assert_eq!((all.roll_ups, all.delivered, all.merged), (6, 4, 2), "{all:?}");
    assert_eq!((texts(&app, "topic").len(), texts(&app, "soc").len(), callers(&app)), (4, 6, 3));
    // At a full minute, when all of them have been settled.
    let last = app.transport.taken("topic").last().unwrap().at;
    assert!((6 * MINUTE..8 * MINUTE).contains(&last), "{last:?}");
}

/// Each of the three orders finds the others free while the vendor is down; what they made of them must not all arrive afterwards.
#[tokio::test(start_paused = true)]
async fn roll_ups_whose_vendor_is_down_are_told_once_when_it_is_well() {
    let app = three_roll_ups().await;
    app.transport.script("topic", |_, at| if at < 30 * MINUTE { Act::Dead } else { Act::Take });
    let all = redeliver_until(&app, Duration::from_hours(3)).await.deliveries;
    assert_eq!((texts(&app, "topic").len(), texts(&app, "soc").len(), callers(&app)), (4, 6, 3), "{all:?}");
    assert_eq!((all.merged, all.dead, all.failed), (2, 0, 0), "{all:?}");
}

#[tokio::test(start_paused = true)]
async fn a_kill_between_the_claim_and_the_message_loses_no_roll_up() {
    let app = three_roll_ups().await;
    sleep(10 * MINUTE).await;
    let due: Vec<String> = app.queues.take_all().into_iter().filter(|body| body.contains("\"topic\"")).collect();
    assert_eq!(due.len(), 3);
    app.transport.script("topic", |number, _| if number == 4 { Act::Hang } else { Act::Take });
    let killed = timeout(Duration::from_secs(2), invoke(&sqs_event(&due[..1]), &app)).await;
    assert!(killed.is_err());
    // The others find that somebody tells them, and wait.
    let report = invoke(&sqs_event(&due[1..]), &app).await.report;
    assert_eq!(report.deliveries.queued, 2, "{report:?}");
    sleep(3 * MINUTE).await;
    let report = invoke(&sqs_event(&due[..1]), &app).await.report;
    assert_eq!((report.deliveries.delivered, callers(&app)), (1, 3), "{report:?}");
    let report = redeliver(&app).await;
    assert_eq!((report.deliveries.merged, report.deliveries.delivered), (2, 0), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn the_orders_of_the_last_version_are_told_each_by_itself() {
    let app = three_roll_ups().await;
    sleep(10 * MINUTE).await;
    for body in app.queues.take_all() {
        let mut message: Value = serde_json::from_str(&body).unwrap();
        message["task"]["roll_up"].as_object_mut().unwrap().remove("minute");
        app.queues.put(message.to_string());
    }
    let report = redeliver(&app).await;
    assert_eq!((report.deliveries.roll_ups, report.deliveries.delivered), (6, 6), "{report:?}");
}
