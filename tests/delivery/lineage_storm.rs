//! A storm of people who go on through one role of another account, each event delivered twice, to channels of every type whose
//! incidents follow credentials, and whose vendors fail in every way: each person is one incident everywhere, and all that they did
//! is counted in it.
//!
//! `OFFLIMITS_ROUNDS=20 cargo test --release --all-features --test integration lineage_storm:: -- --nocapture` plays more, and
//! `OFFLIMITS_SEED=7` others.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use offlimits::ledger::MemoryStore;
use serde_json::{Map, Value, json};
use tokio::task::LocalSet;

use super::lineage::{ACCOUNTS, assumed, record, session, user};
use super::outside::{Taken, app_by, invoke, invoke_all, redeliver_until};
use super::vendors::Way;
use super::vendors::illness::{Illness, dealt, fall_ill};
use crate::support::choices::{Choices, seeds};

const PEOPLE: usize = 8;
const CALLS: usize = 480;
const MINUTE: Duration = Duration::from_mins(1);
/// Of each call a rule.
const RULES: [(&str, &str, &str); 3] =
    [("LIST", "low", "ListUsers"), ("STOP", "high", "StopLogging"), ("KEY", "very-high", "CreateAccessKey")];

fn rules(dealt: &[(Way, Illness)]) -> String {
    let channels: Map<String, Value> = dealt
        .iter()
        .map(|(way, _)| {
            let mut settings = way.settings.clone();
            settings["max_per_minute"] = json!(10_000);
            settings["incident"] = json!({ "lineage": true });
            (way.name.clone(), settings)
        })
        .collect();
    let rule = |(id, severity, event): &(&str, &str, &str)| json!({ "id": id, "title": "case {eventID}", "severity": severity, "when": { "event": { "is": event } } });
    json!({ "channels": channels, "rules": RULES.iter().map(rule).collect::<Vec<_>>() }).to_string()
}

/// A call of one of the people: by themselves, or in their session.
fn call(number: usize, choices: &mut Choices) -> Value {
    let person = number % PEOPLE;
    let by_session = choices.one_in(2);
    let (caller, account) = if by_session {
        (session(ACCOUNTS[1], "Relay", &format!("ASIA{person}")), ACCOUNTS[1])
    } else {
        (user(&format!("person{person}")), ACCOUNTS[0])
    };
    let event = ("iam.amazonaws.com", choices.of(&RULES).2);
    record(&number.to_string(), &caller, account, event, &json!({ "userName": format!("user{number}") }), &Value::Null)
}

/// How many findings each incident counts in the fullest of its updates, by the event that opened it.
fn counted(taken: &[Taken]) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for (opener, count) in taken.iter().filter_map(|message| in_update(&message.text)) {
        let most = counted.entry(opener).or_default();
        *most = count.max(*most);
    }
    counted
}

fn in_update(text: &str) -> Option<(String, usize)> {
    let document: Value = serde_json::from_str(text).unwrap();
    // A topic gets what machines read, too, and a webhook nothing else.
    let machine = document["sqs"].as_str().map_or(document.clone(), |machine| serde_json::from_str(machine).unwrap());
    if machine["version"] == 1 {
        let count = machine["sum"]["count"].as_u64()?;
        return Some((machine["event_id"].as_str().unwrap().to_owned(), usize::try_from(count).unwrap()));
    }
    let (_, rest) = text.split_once("Incident so far: ").or_else(|| text.split_once("Incident in all: "))?;
    let count = rest.split_once(" finding")?.0.parse().unwrap();
    let (_, opener) = rest.split_once("The first: case ").unwrap();
    Some((opener.chars().take_while(char::is_ascii_digit).collect(), count))
}

#[test]
fn each_person_is_one_incident_on_every_channel_and_all_is_counted() {
    for seed in seeds(1) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(storm(seed));
    }
}

#[expect(clippy::print_stdout, reason = "whoever plays many reads of each")]
async fn storm(seed: u64) {
    let (dealt, mut choices) = (dealt(seed), Choices::new(seed));
    let ways = dealt.iter().map(|(way, _)| way.clone()).collect::<Vec<_>>();
    let app = Rc::new(app_by(&rules(&dealt), &ways, MemoryStore::with_limit(1_000_000)));
    fall_ill(&app, seed, &dealt);
    for person in 0..PEOPLE {
        let caller = user(&format!("person{person}"));
        let asked = assumed(&format!("asked{person}"), &caller, ACCOUNTS[1], "Relay", &format!("ASIA{person}"));
        assert!(invoke(&asked.to_string(), &app).await.answer.is_ok());
    }
    let calls: Vec<String> = (0..CALLS).map(|number| call(number, &mut choices).to_string()).collect();
    let pause = MINUTE / u32::try_from(2 * CALLS).unwrap();
    let events = invoke_all(&app, (0..2 * CALLS).map(|number| (pause, calls[number % CALLS].clone())));
    let local = LocalSet::new();
    let (queue, events) = local.run_until(async { tokio::join!(redeliver_until(&app, 150 * MINUTE), events) }).await;
    let mut all = events;
    all += &queue;
    println!("seed {seed}: {all:?}");
    for (way, illness) in &dealt {
        let (channel, about) = (&way.name, format!("seed {seed}: {}, {illness:?}", way.name));
        let taken = app.transport.taken(channel);
        let kept = app.transport.objects(channel);
        println!("{channel:17}  {illness:?}: {} messages, {kept} kept", taken.len());
        assert_eq!(app.transport.repeated(channel), [""; 0], "{about}: had acknowledged these");
        let counted: Vec<usize> = counted(&taken).into_values().collect();
        assert_eq!(counted, [CALLS / PEOPLE; PEOPLE], "{about}");
        let lost = taken.iter().filter(|taken| !taken.acknowledged).count();
        let most = match channel.as_str() {
            // PagerDuty notifies nobody of what joins an incident that was acknowledged: each rise has a key of its own.
            "pagerduty" => PEOPLE * RULES.len(),
            // What is made before the first has arrived knows of no thread.
            "slack" if *illness != Illness::None => taken.len(),
            _ => PEOPLE,
        };
        assert!(kept == 0 || (PEOPLE..=most + lost).contains(&kept), "{about}: {kept}");
    }
    assert!(all.adds_up());
    assert_eq!((all.deliveries.failed, all.deliveries.dead, all.deliveries.digested, all.ledger_faults), (0, 0, 0, 0));
    assert_eq!((all.findings.total, all.deliveries.routed), (2 * CALLS, 2 * CALLS * dealt.len()));
    assert_eq!((app.queues.waiting(), app.queues.dead.lock().unwrap().len()), (0, 0));
}
