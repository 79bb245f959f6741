//! What goes to the queues: each message as the code writes it, and what the code makes of one that was written then.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};

use super::compare::{Hold, KEPT_OUTSIDE, READ_BY_VENDORS, check, fixture};
use super::ledger::{INCIDENT, NARROW, USUAL, event, played};
use super::outside::{Function, START, Table, Vendors, function, invoke, redeliver};
use super::product::handled;

/// Every channel that there is. The rule names what was the default until 2026-11-28, so that its alerts are those of then.
const CHANNELS: &str = r#"{ "channels": {
        "topic": { "type": "sns" },
        "soc": { "type": "slack", "channel": "C0123456789" },
        "oncall": { "type": "pagerduty", "service_region": "eu" },
        "desk": { "type": "zendesk", "subdomain": "acme", "group_id": 7, "ticket_tags": ["aws"], "custom_fields": [{ "id": 12, "value": "x" }] },
        "incidents": { "type": "servicenow", "instance": "acme", "category": "Security", "assignment_group": "SOC" },
        "room": { "type": "teams" },
        "siem": { "type": "webhook" }
    }, "rules": [
        { "id": "STOP", "title": "stopped", "description": "Nobody stops it.", "severity": "very-high", "tags": ["attack.t1562.008"],
          "runbook": "https://wiki.example.com/stop?a=1&b=2", "when": { "event": { "is": "StopLogging" } },
          "throttle": { "window": "5m", "by": ["actor", "event", "account"] } }] }"#;

/// What happens, by name, with the rules that it happens by.
const SCENARIOS: [(&str, &str); 7] = [
    ("every channel", CHANNELS),
    ("held back", USUAL),
    ("incident", INCIDENT),
    ("digested", NARROW),
    ("rejected", USUAL),
    ("tried for a day", USUAL),
    ("no time", USUAL),
];

async fn sent(name: &str, rules: &str) -> Function {
    match name {
        "every channel" => {
            let function = function(rules, &Table::default());
            function.transport.set(Vendors::Down);
            invoke(&event(1, "cli"), &function).await;
            function
        }
        "tried for a day" => {
            let function = function(rules, &Table::default());
            function.transport.set(Vendors::Down);
            invoke(&event(1, "cli"), &function).await;
            sleep(Duration::from_hours(25)).await;
            redeliver(&function.queues.take(), &function).await;
            function
        }
        "no time" => {
            let function = function(rules, &Table::default());
            handled(&event(1, "cli"), Instant::now(), &function).await;
            function
        }
        _ => played(name, rules).await.1,
    }
}

#[tokio::test(start_paused = true)]
async fn a_finding_that_was_handed_on_is_judged_when_it_comes() {
    for text in then("no time", "waiting") {
        let function = function(USUAL, &Table::default());
        let account = redeliver(std::slice::from_ref(&text), &function).await.deliveries;
        assert_eq!((account.redelivered, account.delivered), (1, 1), "{account:?}: {text}");
        assert_eq!(redeliver(std::slice::from_ref(&text), &function).await.deliveries.duplicate, 1, "{text}");
        let repeat = invoke(&event(2, "cli"), &function).await.deliveries;
        assert_eq!(repeat.throttled, 1, "{repeat:?}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn messages_are_written_as_they_were() {
    let mut now = Map::new();
    for (name, rules) in SCENARIOS {
        let queues = sent(name, rules).await.queues;
        let mut waiting = queues.take();
        waiting.sort_by_key(|message| channel(message));
        let dead = queues.dead.lock().unwrap().clone();
        assert!(!waiting.is_empty() || !dead.is_empty(), "{name}");
        now.insert(name.to_owned(), json!({ "waiting": waiting, "dead": dead }));
    }
    check("messages.json", &now.into(), Hold::SameButProse, KEPT_OUTSIDE);
}

fn channel(message: &str) -> String {
    let message: Value = serde_json::from_str(message).unwrap();
    message["channel"].as_str().unwrap().to_owned()
}

/// The messages of a scenario as they stand in the fixture.
pub(crate) fn then(name: &str, queue: &str) -> Vec<String> {
    let all = fixture("messages.json");
    let messages = all[name][queue].as_array().unwrap();
    messages.iter().map(|message| message.as_str().unwrap().to_owned()).collect()
}

/// Whether all of `part` is in `whole`.
fn holds(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| holds(whole, part)))
        }
        _ => whole == part,
    }
}

/// What arrives at the vendor of a delivery, of what its message says.
fn document(task: &Value) -> Value {
    let body = &task["deliver"]["body"];
    match body["to"].as_str().unwrap() {
        // Email gets what all get that have no text of their own.
        "sns" => json!({ "default": body["email"], "sms": body["sms"], "sqs": body["machine"] }),
        "json" => serde_json::from_str(body["json"].as_str().unwrap()).unwrap(),
        "ticket" => serde_json::from_str(body["open"].as_str().unwrap()).unwrap(),
        other => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_waited_is_sent_as_it_was_rendered() {
    let messages = then("every channel", "waiting");
    assert_eq!(messages.len(), 7);
    let mut requests = Map::new();
    for text in messages {
        let message: Value = serde_json::from_str(&text).unwrap();
        let function = function(CHANNELS, &Table::default());
        // It is not due yet.
        let account = redeliver(std::slice::from_ref(&text), &function).await.deliveries;
        assert_eq!((account.redelivered, account.queued, account.delivered), (1, 1, 0), "{account:?}: {text}");
        let due = message["not_before"].as_u64().unwrap() - START * 1000;
        sleep(Duration::from_millis(due)).await;
        let account = redeliver(std::slice::from_ref(&text), &function).await.deliveries;
        assert_eq!((account.redelivered, account.delivered), (1, 1), "{account:?}: {text}");
        requests.insert(channel(&text), function.transport.requests().into());
        let arrived = function.transport.taken().pop().unwrap();
        let expected = document(&message["task"]);
        assert!(holds(&arrived, &expected), "sent {arrived}, for {expected}");
        // It is claimed under its id: neither it nor its event is sent again.
        assert_eq!(redeliver(std::slice::from_ref(&text), &function).await.deliveries.duplicate, 1, "{text}");
        let account = invoke(&event(1, "cli"), &function).await.deliveries;
        assert_eq!((account.routed, account.duplicate), (7, 1), "{account:?}: {text}");
    }
    check("requests.json", &requests.into(), Hold::SameButProse, READ_BY_VENDORS);
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_that_is_sent_through_again_begins_a_new_life() {
    for name in ["rejected", "tried for a day"] {
        for text in then(name, "dead") {
            assert!(serde_json::from_str::<Value>(&text).unwrap()["died"].is_u64(), "{text}");
            let function = function(USUAL, &Table::default());
            let account = redeliver(std::slice::from_ref(&text), &function).await.deliveries;
            assert_eq!((account.redelivered, account.delivered), (1, 1), "{account:?}: {text}");
            // Its life counts from now: it waits, where it would be dead.
            let function = super::outside::function(USUAL, &Table::default());
            function.transport.set(Vendors::Down);
            sleep(Duration::from_hours(30)).await;
            let account = redeliver(std::slice::from_ref(&text), &function).await.deliveries;
            assert_eq!((account.queued, account.dead), (1, 0), "{account:?}: {text}");
            let again: Value = serde_json::from_str(&function.queues.take()[0]).unwrap();
            assert_eq!((&again["died"], &again["attempts"]), (&Value::Null, &json!(1)), "{again}");
        }
    }
}

/// What `findings` was before a message said it: one. And what it acted on, nobody knew.
#[tokio::test(start_paused = true)]
async fn a_delivery_of_before_the_storm_guard_is_sent() {
    let text = then("every channel", "waiting").remove(0);
    let mut message: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(message["task"]["deliver"].as_object_mut().unwrap().remove("findings"), Some(json!(1)));
    assert!(message["task"]["deliver"]["about"].as_object_mut().unwrap().remove("targets").is_some());
    let function = function(CHANNELS, &Table::default());
    sleep(Duration::from_mins(2)).await;
    assert_eq!(redeliver(&[message.to_string()], &function).await.deliveries.delivered, 1);
}
