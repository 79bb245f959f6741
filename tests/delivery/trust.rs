//! What the ledger makes of a store that refuses, is slow, was written to by others, or has forgotten.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use offlimits::ledger::{ALL, Attributes, Expect, ItemKey, MemoryStore, Put, Store, StoreError, StoredItem, Written};
use offlimits::time::Timestamp;
use serde_json::{Value, json};

use super::outside::{TestApp, app_on, invoke, redeliver_until};

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

/// A store in memory that several apps may share, and that does what a test wants of it.
#[derive(Clone, Default)]
struct Odd(Arc<OddStore>);

#[derive(Default)]
struct OddStore {
    store: MemoryStore,
    /// Refuses the first write of each item whose partition, or whose sort key, begins so: another write was under way.
    refuses: Mutex<Option<(&'static str, Vec<ItemKey>)>>,
    refused: AtomicUsize,
    /// How many tries the next write of a repeat takes, and how long each.
    repeats_take: Mutex<(u32, Duration)>,
    is_down: AtomicBool,
    /// Every place that was written to.
    written: Mutex<Vec<ItemKey>>,
}

impl Odd {
    fn refusing(what: &'static str) -> Self {
        let odd = Self::default();
        *odd.0.refuses.lock().unwrap() = Some((what, Vec::new()));
        odd
    }

    /// The places whose partition begins so.
    fn places(&self, partition: &str) -> Vec<ItemKey> {
        let mut found: Vec<ItemKey> =
            self.0.written.lock().unwrap().iter().filter(|key| key.partition.starts_with(partition)).cloned().collect();
        found.sort();
        found.dedup();
        found
    }

    /// Writes over some attributes of an item, as somebody who may write to the table.
    async fn tamper(&self, key: &ItemKey, change: Value) {
        let item = self.0.store.get(std::slice::from_ref(key)).await.unwrap().pop().unwrap().unwrap();
        let mut attributes: Attributes = (*item.attributes).clone();
        attributes.extend(change.as_object().unwrap().clone());
        let put = Put { key: key.clone(), expect: Expect::Version(item.version), attributes, expires: item.expires };
        assert!(self.0.store.put(vec![put]).await.unwrap());
    }

    fn answers(&self) -> Result<(), StoreError> {
        if self.0.is_down.load(Ordering::Relaxed) { Err(StoreError("no answer".to_owned())) } else { Ok(()) }
    }
}

impl Store for Odd {
    async fn get(&self, keys: &[ItemKey]) -> Result<Vec<Option<StoredItem>>, StoreError> {
        self.answers()?;
        self.0.store.get(keys).await
    }

    async fn write(&self, puts: Vec<Put>) -> Result<Written, StoreError> {
        self.answers()?;
        let refused = {
            let mut refuses = self.0.refuses.lock().unwrap();
            refuses.as_mut().is_some_and(|(what, before)| {
                let meant = |put: &&Put| put.key.partition.starts_with(*what) || put.key.sort.starts_with(*what);
                let first = puts.iter().filter(meant).find(|put| !before.contains(&put.key));
                first.is_some_and(|put| {
                    before.push(put.key.clone());
                    true
                })
            })
        };
        if refused {
            self.0.refused.fetch_add(1, Ordering::Relaxed);
            return Ok(Written::LOST);
        }
        if puts.iter().any(|put| put.key.partition.starts_with("alert#")) {
            let (tries, each) = *self.0.repeats_take.lock().unwrap();
            tokio::time::sleep(each).await;
            if tries > 1 {
                self.0.repeats_take.lock().unwrap().0 -= 1;
                return Ok(Written::LOST);
            }
        }
        self.0.written.lock().unwrap().extend(puts.iter().map(|put| put.key.clone()));
        self.0.store.write(puts).await
    }

    async fn count(&self, key: ItemKey, expires: Timestamp) -> Result<u64, StoreError> {
        self.answers()?;
        self.0.store.count(key, expires).await
    }

    async fn query(
        &self,
        partition: &str,
        between: (&str, &str),
        backwards: bool,
        limit: usize,
    ) -> Result<Vec<(String, StoredItem)>, StoreError> {
        self.answers()?;
        self.0.store.query(partition, between, backwards, limit).await
    }
}

fn rules(channel: &Value, rule: &Value) -> String {
    let (mut to, mut one) = (
        json!({ "type": "slack" }),
        json!({ "id": "STOP", "title": "{event}", "severity": "medium", "when": { "event": { "is": "StopLogging" } } }),
    );
    to.as_object_mut().unwrap().extend(channel.as_object().unwrap().clone());
    one.as_object_mut().unwrap().extend(rule.as_object().unwrap().clone());
    json!({ "channels": { "soc": to }, "rules": [one] }).to_string()
}

fn event(number: usize) -> String {
    json!({
        "eventID": number.to_string(), "eventName": "StopLogging", "eventSource": "cloudtrail.amazonaws.com",
        "eventTime": "2026-01-10T11:32:44Z", "recipientAccountId": "123456789012",
        "userIdentity": { "type": "IAMUser", "userName": "eve" }, "requestParameters": { "name": "trail" },
    })
    .to_string()
}

/// How many findings the messages tell of.
fn told(app: &TestApp<Odd>) -> usize {
    let count = |text: &str| {
        let more = text.split(": and ").nth(1).and_then(|rest| rest.split(" more").next()?.parse().ok());
        let digest = text.split(" alerts in one").next().and_then(|rest| rest.rsplit(' ').next()?.parse().ok());
        more.or(digest.filter(|_| text.contains(" alerts in one"))).unwrap_or(1)
    };
    app.transport.taken("soc").iter().map(|taken| count(&taken.text)).sum()
}

fn last(app: &TestApp<Odd>) -> String {
    app.transport.taken("soc").last().unwrap().text.clone()
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_refused_once_loses_nothing_and_repeats_nothing() {
    let narrow = json!({ "max_per_minute": 1 });
    for (what, channel, rule, expected) in [
        ("entry#", narrow.clone(), json!({ "throttle": "off" }), 4),
        ("announced", narrow, json!({ "throttle": "off" }), 4),
        ("finding#", json!({}), json!({ "throttle": "off" }), 4),
        ("alert#", json!({}), json!({}), 4),
        ("group#", json!({}), json!({}), 4),
        ("threshold#", json!({}), json!({ "throttle": "off", "threshold": { "count": 3, "window": "10m" } }), 2),
        (
            "threshold#",
            json!({}),
            json!({ "throttle": "off", "threshold": { "count": 3, "window": "10m", "distinct": "eventID" } }),
            2,
        ),
    ] {
        let (odd, text) = (Odd::refusing(what), rules(&channel, &rule));
        let app = app_on(&text, odd.clone());
        let mut faults = 0;
        for number in 0..4 {
            faults += invoke(&event(number), &app).await.report.ledger_faults;
        }
        faults += redeliver_until(&app, 30 * MINUTE).await.ledger_faults;
        assert!(odd.0.refused.load(Ordering::Relaxed) > 0, "{what}: nothing was refused");
        assert_eq!((told(&app), faults), (expected, 0), "{what}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_delivered_is_noted_although_the_first_note_is_refused() {
    // The claim itself is the first write of its item, and the note that it is done the second.
    let (odd, text) = (Odd::default(), rules(&json!({}), &json!({ "throttle": "off" })));
    let app = app_on(&text, odd.clone());
    let claimed = odd.clone();
    app.transport.script("soc", move |_, _| {
        *claimed.0.refuses.lock().unwrap() = Some(("finding#", Vec::new()));
        super::outside::Act::Take
    });
    invoke(&event(1), &app).await;
    tokio::time::sleep(MINUTE).await;
    let again = invoke(&event(1), &app).await.report;
    assert_eq!((app.transport.taken("soc").len(), again.deliveries.duplicate), (1, 1));
    assert_eq!(odd.0.refused.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_window_that_ends_later_than_any_could_is_not_open() {
    let odd = Odd::default();
    let app = app_on(&rules(&json!({}), &json!({ "throttle": { "window": "5m" } })), odd.clone());
    invoke(&event(0), &app).await;
    let [group] = &odd.places("group#")[..] else { panic!("one group") };
    let year = 365 * 24 * 3600 * 1000_u64;
    let ends = 1_768_044_764_000 + 95 * year;
    odd.tamper(group, json!({ "ends": ends, "highest": "extreme", "announced": true })).await;
    invoke(&event(1), &app).await;
    assert_eq!(app.transport.taken("soc").len(), 2, "it opens a window of its own");
    invoke(&event(2), &app).await;
    redeliver_until(&app, 10 * MINUTE).await;
    assert_eq!((app.transport.taken("soc").len(), told(&app)), (3, 3), "which holds back as any other");
}

#[tokio::test(start_paused = true)]
async fn a_window_that_was_shortened_is_short_at_once() {
    let odd = Odd::default();
    let long = app_on(&rules(&json!({}), &json!({ "throttle": { "window": "24h" } })), odd.clone());
    invoke(&event(0), &long).await;
    let short = app_on(&rules(&json!({}), &json!({ "throttle": { "window": "1m" } })), odd.clone());
    invoke(&event(1), &short).await;
    assert_eq!(short.transport.taken("soc").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_is_held_longer_than_any_could_be_is_free() {
    let odd = Odd::default();
    let app = app_on(&rules(&json!({}), &json!({ "throttle": "off" })), odd.clone());
    invoke(&event(0), &app).await;
    let [claim] = &odd.places("finding#")[..] else { panic!("one claim") };
    odd.tamper(claim, json!({ "until": 4_000_000_000_000_u64, "done": null })).await;
    let report = invoke(&event(0), &app).await.report;
    assert_eq!((report.deliveries.delivered, report.deliveries.queued), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn sums_are_whole_after_a_fortnight_and_told_of_when_nothing_is_left_of_them() {
    let narrow = json!({ "max_per_minute": 1 });
    for (channel, rule) in [(json!({}), json!({})), (narrow, json!({ "throttle": "off" }))] {
        for (wait, expected) in [(14 * DAY, 4), (40 * DAY, 2)] {
            let app = app_on(&rules(&channel, &rule), Odd::default());
            for number in 0..4 {
                invoke(&event(number), &app).await;
            }
            // Nobody looks into the queue for so long: the event source mapping is disabled, or they were dead letters.
            tokio::time::sleep(wait).await;
            let report = redeliver_until(&app, wait + MINUTE).await;
            assert_eq!((report.deliveries.delivered, report.deliveries.duplicate), (1, 0), "{wait:?}");
            assert_eq!(told(&app), expected, "{}", last(&app));
            assert_eq!(wait > 15 * DAY, last(&app).contains("details are gone"), "{}", last(&app));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_item_that_cannot_be_read_is_repaired() {
    for (partition, change) in [
        ("group#", json!({ "ends": "in a newer version's words" })),
        ("group#", json!({ "finding": "{" })),
        ("finding#", json!({ "alert": 7 })),
    ] {
        let odd = Odd::default();
        let app = app_on(&rules(&json!({}), &json!({})), odd.clone());
        invoke(&event(0), &app).await;
        odd.tamper(&odd.places(partition)[0], change.clone()).await;
        let (mut faults, which) = (0, usize::from(partition == "group#"));
        for number in 0..5 {
            // Repeats of the group; or copies of the one finding.
            faults += invoke(&event(number * which), &app).await.report.ledger_faults;
        }
        assert_eq!((app.transport.taken("soc").len(), faults), (2, 0), "{change}: it is told once more, and no more");
        redeliver_until(&app, 10 * MINUTE).await;
        assert_eq!(told(&app), 5 * which + usize::from(which == 0) * 2, "{change}");
    }
    // A repeat that cannot be read counts all the same.
    let odd = Odd::default();
    let app = app_on(&rules(&json!({}), &json!({})), odd.clone());
    for number in 0..4 {
        invoke(&event(number), &app).await;
    }
    odd.tamper(&odd.places("alert#")[0], json!({ "count": "many" })).await;
    redeliver_until(&app, 30 * MINUTE).await;
    assert_eq!(told(&app), 4, "{}", last(&app));
}

#[tokio::test(start_paused = true)]
async fn a_repeat_that_is_written_late_is_in_the_sum() {
    let odd = Odd::default();
    let app = app_on(&rules(&json!({}), &json!({ "throttle": { "window": "10s" } })), odd.clone());
    invoke(&event(0), &app).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    invoke(&event(1), &app).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    // It is decided a second before the window ends, and the store needs most of the invocation for the write: it is slow, and
    // other writes get in between.
    *odd.0.repeats_take.lock().unwrap() = (7, Duration::from_millis(2900));
    let late = event(2);
    let (_, report) = tokio::join!(invoke(&late, &app), redeliver_until(&app, 30 * MINUTE));
    assert_eq!((report.deliveries.delivered, told(&app)), (1, 3), "{}", last(&app));
    assert!(!odd.0.store.query(&odd.places("alert#")[0].partition, ALL, false, 9).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn without_the_table_people_get_as_much_in_a_minute_as_they_can_read_and_the_rest_later() {
    let odd = Odd::default();
    odd.0.is_down.store(true, Ordering::Relaxed);
    let text = rules(&json!({ "max_per_minute": 5 }), &json!({ "throttle": "off" }));
    let app = app_on(&text, odd.clone());
    for number in 0..20 {
        let report = invoke(&event(number), &app).await.report;
        let (delivered, queued) = (report.deliveries.delivered, report.deliveries.queued);
        assert_eq!((delivered, queued), if number < 5 { (1, 0) } else { (0, 1) }, "{number}");
    }
    redeliver_until(&app, 30 * MINUTE).await;
    let taken = app.transport.taken("soc");
    let mut minutes = std::collections::BTreeMap::<u64, usize>::new();
    for one in &taken {
        // The first minute has begun 44 seconds before: see `Outside::now`.
        *minutes.entry((one.at.as_secs() + 44) / 60).or_default() += 1;
    }
    assert!(minutes.values().all(|count| *count <= 5), "{minutes:?}");
    let each: std::collections::BTreeSet<&str> = taken.iter().map(|taken| taken.key.as_str()).collect();
    assert_eq!((taken.len(), each.len(), app.queues.waiting()), (20, 20, 0), "each is told once");

    // Where no queue could take them, all go out at once.
    let mut alone = app_on(&text, odd);
    alone.queues.is_there = false;
    for number in 0..20 {
        assert_eq!(invoke(&event(number), &alone).await.report.deliveries.delivered, 1);
    }
}
