//! The ledger's items: each as the code writes it, and what the code makes of one that was written then.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::sleep;

use super::compare::{Hold, KEPT_OUTSIDE, check, fixture};
use super::outside::{Function, RECEIPT, Table, Vendors, Write, function, invoke, redeliver};
use super::product::{Expect, Item, Key, Put, Timestamp};

const MINUTE: Duration = Duration::from_mins(1);

/// A rule whose repeats are held back, and whose severity is another where the agent is `worst`. It names what was the default
/// until 2026-11-28, so that its groups are those of the versions before.
pub(crate) const USUAL: &str = r#"{ "channels": { "soc": { "type": "slack", "channel": "C0123456789" } }, "rules": [
    { "id": "STOP", "title": "stopped", "severity": "low", "when": { "event": { "is": "StopLogging" } },
      "throttle": { "window": "5m", "by": ["actor", "event", "account"] },
      "severity_when": [{ "severity": "extreme", "when": { "user_agent": "worst" } }] }] }"#;
/// Two rules about one call: the findings of one record are one message.
const TWO: &str = r#"{ "channels": { "soc": { "type": "slack", "channel": "C0123456789" } }, "rules": [
    { "id": "AUDIT", "title": "noted", "severity": "low", "when": { "event": { "is": "StopLogging" } } },
    { "id": "STOP", "title": "stopped", "severity": "high", "when": { "event": { "is": "StopLogging" } } }] }"#;
/// A channel that has incidents: of one caller in one account, whatever the rule.
pub(crate) const INCIDENT: &str = r#"{ "channels": { "soc": { "type": "slack", "channel": "C0123456789", "incident": {} } }, "rules": [
    { "id": "STOP", "title": "stopped", "severity": "low", "when": { "event": { "is": "StopLogging" } },
      "severity_when": [{ "severity": "extreme", "when": { "user_agent": "worst" } }] }] }"#;
/// A channel that takes one alert a minute.
pub(crate) const NARROW: &str = r#"{ "channels": { "soc": { "type": "slack", "channel": "C0123456789", "max_per_minute": 1 } }, "rules": [
    { "id": "STOP", "title": "stopped", "severity": "low", "throttle": "off", "when": { "event": { "is": "StopLogging" } } }] }"#;
/// From the third on, within ten minutes.
const THIRD: &str = r#"{ "rules": [
    { "id": "THIRD", "title": "thrice", "severity": "low", "throttle": "off", "when": { "event": { "is": "StopLogging" } },
      "threshold": { "count": 3, "window": "10m", "by": ["source_ip"] } }] }"#;
/// From the third user on, within ten minutes.
const USERS: &str = r#"{ "rules": [
    { "id": "USERS", "title": "three users", "severity": "low", "throttle": "off", "when": { "event": { "is": "StopLogging" } },
      "threshold": { "count": 3, "window": "10m", "by": ["source_ip"], "distinct": "requestParameters.user" } }] }"#;

/// An event: the number makes it another, with another user in its request.
pub(crate) fn event(number: u32, agent: &str) -> String {
    json!({
        "eventVersion": "1.11", "eventID": format!("id-{number}"), "eventTime": format!("2026-01-10T11:3{number}:00Z"),
        "eventName": "StopLogging", "eventSource": "cloudtrail.amazonaws.com", "awsRegion": "us-east-1",
        "sourceIPAddress": "198.51.100.23", "userAgent": agent, "recipientAccountId": "123456789012",
        "eventType": "AwsApiCall", "eventCategory": "Management", "readOnly": false,
        "userIdentity": {
            "type": "AssumedRole", "accountId": "123456789012", "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
            "arn": "arn:aws:sts::123456789012:assumed-role/admin/ann",
            "sessionContext": {
                "sessionIssuer": { "type": "Role", "userName": "admin", "arn": "arn:aws:iam::123456789012:role/admin" },
                "attributes": { "mfaAuthenticated": "true" },
            },
        },
        "requestParameters": { "name": "arn:aws:cloudtrail:us-east-1:123456789012:trail/t", "user": format!("user-{number}") },
        "responseElements": null,
    })
    .to_string()
}

/// All that happens, by name, with the rules that it happens by.
pub(crate) const SCENARIOS: [(&str, &str); 11] = [
    ("opened", USUAL),
    ("held back", USUAL),
    ("worse", USUAL),
    ("rolled up", USUAL),
    ("digested", NARROW),
    ("handed back", USUAL),
    ("rejected", USUAL),
    ("seen", THIRD),
    ("seen by value", USERS),
    ("told together", TWO),
    ("incident", INCIDENT),
];

/// Plays one of [`SCENARIOS`] on an empty table.
pub(crate) async fn played(name: &str, rules: &str) -> (Table, Function) {
    let table = Table::default();
    let function = function(rules, &table);
    match name {
        "opened" | "told together" => events(&function, 1).await,
        "held back" | "incident" => events(&function, 2).await,
        "worse" => {
            events(&function, 2).await;
            invoke(&event(3, "worst"), &function).await;
        }
        "rolled up" => {
            events(&function, 2).await;
            sleep(6 * MINUTE).await;
            let messages = function.queues.waiting.lock().unwrap().clone();
            assert_eq!(redeliver(&messages, &function).await.deliveries.roll_ups, 1);
        }
        "digested" => {
            events(&function, 3).await;
            sleep(2 * MINUTE).await;
            let messages = function.queues.waiting.lock().unwrap().clone();
            assert_eq!(redeliver(&messages, &function).await.deliveries.roll_ups, 1);
        }
        "handed back" => {
            function.transport.set(Vendors::Down);
            invoke(&event(1, "cli"), &function).await;
        }
        "rejected" => {
            function.transport.set(Vendors::Reject);
            invoke(&event(1, "cli"), &function).await;
        }
        "seen" | "seen by value" => events(&function, 3).await,
        other => panic!("{other}"),
    }
    (table, function)
}

async fn events(function: &Function, count: u32) {
    for number in 1..=count {
        invoke(&event(number, "cli"), function).await;
    }
}

/// What was written under each key, in order: apart, so that nobody minds in which order keys are written.
fn by_key(table: &Table) -> Value {
    let mut items = Map::new();
    let mut add = |key: &Key, write: Value| {
        let place = items.entry(format!("{} | {}", key.partition, key.sort)).or_insert_with(|| json!([]));
        place.as_array_mut().unwrap().push(write);
    };
    for write in table.writes() {
        match write {
            Write::Put(puts) => {
                for Put { key, expect, attributes, expires } in puts {
                    let expect = match expect {
                        Expect::Anything => json!("anything"),
                        Expect::Absent => json!("absent"),
                        Expect::Version(version) => json!(version),
                    };
                    add(&key, json!({ "expect": expect, "attributes": attributes, "expires": expires.millis() }));
                }
            }
            Write::Count(key, expires) => add(&key, json!({ "counted": 1, "expires": expires.millis() })),
        }
    }
    items.into()
}

#[tokio::test(start_paused = true)]
async fn items_are_written_as_they_were() {
    let mut now = Map::new();
    for (name, rules) in SCENARIOS {
        now.insert(name.to_owned(), by_key(&played(name, rules).await.0));
    }
    check("items.json", &now.into(), Hold::SameButProse, KEPT_OUTSIDE);
}

/// How an item comes back from its store.
#[derive(Debug, Clone, Copy)]
enum Stored {
    /// As it was put: memory.
    Whole,
    /// Without what is null, and with a life of whole seconds: DynamoDB.
    Bare,
    /// The same, written by a version before 2026-11-28, which knew neither outcomes nor targets.
    Before,
}

const EACH: [Stored; 3] = [Stored::Whole, Stored::Bare, Stored::Before];

/// The items of a scenario as they stand in the fixture, those that `keep` wants: of each key, and which of its writes it is
/// (from the first, and from the last).
fn then(name: &str, stored: Stored, keep: impl Fn(&str, usize, usize) -> bool) -> Table {
    let all = fixture("items.json");
    let mut items = Vec::new();
    for (key, writes) in all[name].as_object().unwrap() {
        let writes = writes.as_array().unwrap();
        let (partition, sort) = key.split_once(" | ").unwrap();
        let wanted = (0..writes.len()).rev().find(|place| keep(key, *place, writes.len() - 1 - *place));
        let Some(wanted) = wanted else { continue };
        items.push((Key::new(partition, sort), item(&writes[wanted], wanted, stored)));
    }
    assert!(!items.is_empty(), "{name}");
    Table::with(items)
}

fn item(write: &Value, place: usize, stored: Stored) -> Item {
    let mut attributes = write["attributes"].as_object().cloned().unwrap_or_default();
    let mut expires = write["expires"].as_u64().unwrap();
    if !write["counted"].is_null() {
        attributes.insert("count".to_owned(), json!(place + 1));
    }
    if matches!(stored, Stored::Before) {
        attributes.retain(|name, _| !["succeeded", "target", "targets"].contains(&name.as_str()));
        if let Some(Value::String(text)) = attributes.get_mut("finding") {
            let mut finding: Value = serde_json::from_str(text).unwrap();
            assert!(finding["call"].as_object_mut().unwrap().remove("target_id").is_some());
            *text = finding.to_string();
        }
    }
    if !matches!(stored, Stored::Whole) {
        attributes.retain(|_, value| !value.is_null());
        expires = expires.div_ceil(1000) * 1000;
    }
    let version = write["expect"].as_u64().map_or(u64::from(write["expect"] == "absent"), |version| version + 1);
    Item { version, expires: Timestamp::from_millis(expires), attributes: Arc::new(attributes) }
}

#[tokio::test(start_paused = true)]
async fn what_was_told_together_is_done_together() {
    for stored in [Stored::Whole, Stored::Bare] {
        let function = function(TWO, &then("told together", stored, last));
        let report = invoke(&event(1, "cli"), &function).await;
        assert_eq!((report.deliveries.duplicate, report.deliveries.routed), (2, 2), "{stored:?}: {report:?}");
        // Whoever claimed them has died: they are one message again.
        let first = |key: &str, place: usize, _: usize| !key.starts_with("minute#") && place == 0;
        let function = self::function(TWO, &then("told together", stored, first));
        sleep(MINUTE).await;
        let report = invoke(&event(1, "cli"), &function).await;
        assert_eq!((report.deliveries.delivered, report.deliveries.merged), (1, 1), "{stored:?}: {report:?}");
    }
}

/// All of them, as they were in the end.
fn last(_: &str, _: usize, from_last: usize) -> bool {
    from_last == 0
}

fn is_claim(key: &str) -> bool {
    key.starts_with("finding#")
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_is_done_is_a_duplicate() {
    for stored in EACH {
        for (name, rules, events) in [("opened", USUAL, 1), ("held back", USUAL, 2), ("digested", NARROW, 3)] {
            let function = function(rules, &then(name, stored, last));
            for number in 1..=events {
                let account = invoke(&event(number, "cli"), &function).await.deliveries;
                assert_eq!((account.routed, account.duplicate), (1, 1), "{name} {number} {stored:?}: {account:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_is_open_is_waited_for() {
    for stored in EACH {
        let table = then("opened", stored, |_, from_first, _| from_first == 0);
        let function = function(USUAL, &table);
        let account = invoke(&event(1, "cli"), &function).await.deliveries;
        assert_eq!((account.queued, account.delivered), (1, 0), "{stored:?}: {account:?}");
        // When its lease has ended, it is taken up.
        sleep(MINUTE).await;
        let account = redeliver(&function.queues.take(), &function).await.deliveries;
        assert_eq!(account.delivered, 1, "{stored:?}: {account:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_was_handed_back_is_taken_up_under_its_alert() {
    for stored in EACH {
        let table = then("handed back", stored, |key, _, from_last| is_claim(key) && from_last == 0);
        let function = function(USUAL, &table);
        sleep(MINUTE).await;
        let account = invoke(&event(1, "cli"), &function).await.deliveries;
        assert_eq!(account.delivered, 1, "{stored:?}: {account:?}");
        // The claim alone knows the alert: no window was opened.
        assert!(!by_key(&table).to_string().contains("group#"), "{stored:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_open_window_holds_repeats_back() {
    for stored in EACH {
        // No roll-up has been ordered.
        let function_then = function(USUAL, &then("opened", stored, last));
        let account = invoke(&event(2, "cli"), &function_then).await.deliveries;
        assert_eq!((account.throttled, function_then.queues.take().len()), (1, 1), "{stored:?}: {account:?}");
        // One has.
        let function_then = function(USUAL, &then("held back", stored, last));
        let account = invoke(&event(3, "cli"), &function_then).await.deliveries;
        assert_eq!((account.throttled, function_then.queues.take().len()), (1, 0), "{stored:?}: {account:?}");
        // What is worse goes out, into the first one's thread.
        let account = invoke(&event(4, "worst"), &function_then).await.deliveries;
        let taken = function_then.transport.taken();
        assert_eq!((account.delivered, &taken[0]["thread_ts"]), (1, &json!(RECEIPT)), "{stored:?}: {account:?}");
        // What is no worse than the worst so far does not.
        let function_then = function(USUAL, &then("worse", stored, last));
        let account = invoke(&event(4, "worst"), &function_then).await.deliveries;
        assert_eq!(account.throttled, 1, "{stored:?}: {account:?}");
        // It ends.
        sleep(6 * MINUTE).await;
        let account = invoke(&event(5, "cli"), &function_then).await.deliveries;
        assert_eq!(account.delivered, 1, "{stored:?}: {account:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn repeats_that_were_held_back_are_in_the_roll_up() {
    let messages = super::messages::then("held back", "waiting");
    for stored in EACH {
        let function = function(USUAL, &then("worse", stored, last));
        invoke(&event(4, "cli"), &function).await;
        sleep(6 * MINUTE).await;
        let account = redeliver(&messages, &function).await.deliveries;
        let taken = function.transport.taken();
        assert_eq!((account.roll_ups, account.delivered), (1, 1), "{stored:?}: {account:?}");
        assert_eq!(taken[0]["thread_ts"], RECEIPT, "{stored:?}");
        assert!(taken[0].to_string().contains("and 2 more"), "{stored:?}: {}", taken[0]);
        assert_eq!(redeliver(&messages, &function).await.deliveries.duplicate, 1, "{stored:?}");
        // One that was sent then is sent.
        let function = super::outside::function(USUAL, &then("rolled up", stored, last));
        sleep(6 * MINUTE).await;
        assert_eq!(redeliver(&messages, &function).await.deliveries.duplicate, 1, "{stored:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_incident_goes_on() {
    let orders = super::messages::then("incident", "waiting");
    for stored in [Stored::Whole, Stored::Bare] {
        let function = function(INCIDENT, &then("incident", stored, last));
        // One more waits, and what is worse goes out into the thread.
        assert_eq!(invoke(&event(3, "cli"), &function).await.deliveries.throttled, 1, "{stored:?}");
        assert_eq!(invoke(&event(4, "worst"), &function).await.deliveries.delivered, 1, "{stored:?}");
        sleep(2 * MINUTE).await;
        // The update that was ordered then tells of all.
        let account = redeliver(&orders, &function).await.deliveries;
        let taken = function.transport.taken();
        assert_eq!((account.delivered, taken.len()), (1, 2), "{stored:?}: {account:?}");
        for message in &taken {
            assert_eq!(message["thread_ts"], RECEIPT, "{stored:?}: {message}");
        }
        assert!(taken[1].to_string().contains("4 findings"), "{stored:?}: {}", taken[1]);
        assert_eq!(redeliver(&orders, &function).await.deliveries.duplicate, 1, "{stored:?}");
    }
    // Where the channel has incidents no more, their items are in nobody's way, and what was ordered is still told.
    let function = function(&INCIDENT.replace(r#", "incident": {}"#, ""), &then("incident", Stored::Bare, last));
    assert_eq!(invoke(&event(3, "cli"), &function).await.deliveries.delivered, 1);
    sleep(2 * MINUTE).await;
    assert_eq!(redeliver(&orders, &function).await.deliveries.delivered, 1);
}

#[tokio::test(start_paused = true)]
async fn a_minutes_count_and_its_digest_go_on() {
    let messages = super::messages::then("digested", "waiting");
    let is_sum = |key: &str| key.starts_with("minute#");
    for stored in EACH {
        let function = function(NARROW, &then("digested", stored, |key, _, from_last| is_sum(key) && from_last == 0));
        // The minute is full, and its digest is ordered.
        let account = invoke(&event(4, "cli"), &function).await.deliveries;
        assert_eq!((account.digested, function.queues.take().len()), (1, 0), "{stored:?}: {account:?}");
        sleep(2 * MINUTE).await;
        let account = redeliver(&messages, &function).await.deliveries;
        let taken = function.transport.taken();
        assert_eq!((account.roll_ups, account.delivered), (1, 1), "{stored:?}: {account:?}");
        assert!(taken[0].to_string().contains("3 alerts"), "{stored:?}: {}", taken[0]);
        // One that was sent then is sent.
        let function = super::outside::function(NARROW, &then("digested", stored, last));
        sleep(2 * MINUTE).await;
        assert_eq!(redeliver(&messages, &function).await.deliveries.duplicate, 1, "{stored:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn people_are_told_of_a_channel_in_trouble_once_an_hour() {
    for stored in EACH {
        let operational = |key: &str, _, from_last| key.ends_with("| #operational") && from_last == 0;
        let function = function(USUAL, &then("rejected", stored, operational));
        function.transport.set(Vendors::Reject);
        let account = invoke(&event(2, "cli"), &function).await;
        assert_eq!((account.deliveries.dead, account.operational), (1, 0), "{stored:?}: {account:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn sightings_count() {
    for (name, rules) in [("seen", THIRD), ("seen by value", USERS)] {
        for stored in EACH {
            let function_then = function(rules, &then(name, stored, last));
            let account = invoke(&event(4, "cli"), &function_then).await.findings;
            assert_eq!((account.below_threshold, account.routed), (0, 1), "{name} {stored:?}: {account:?}");
        }
        let account = invoke(&event(4, "cli"), &function(rules, &Table::default())).await.findings;
        assert_eq!(account.below_threshold, 1, "{name}: {account:?}");
    }
}
