//! One round: events arrive while everything fails, then nothing fails any more, and the queues run empty. Lambda and SQS are as
//! the template has set them up.

use std::sync::Arc;
use std::time::Duration;

use offlimits::deliver::Tokens;
use offlimits::handler::{App, Handled, Invariant, OwnCalls, Response, handle};
use offlimits::health::ChannelHealth;
use offlimits::ledger::{Ledger, Silence};
use offlimits::ruleset::RuleSet;
use offlimits::secret::Credentials;
use offlimits::time::Timestamp;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::transcript::title;
use super::world::{Message, Outside, START, Sqs, Table, World};
use crate::delivery::vendors::{Way, url, ways};
use crate::support::choices::Choices;

/// The function's time limit, as in the template.
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// How long before that limit the function's own deadline is (`MARGIN` in `aws/runtime.rs`).
const MARGIN: Duration = Duration::from_secs(3);
/// The queue's visibility timeout, as in the template.
const VISIBILITY: Duration = Duration::from_mins(3);
/// How often SQS hands a message out before it moves it to the dead letters, as in the template.
const MAX_RECEIVES: u32 = 5;
/// Lambda's waits before it tries an event again.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>
const RETRIES: [Duration; 2] = [Duration::from_mins(1), Duration::from_mins(2)];
/// Copies of the function that run side by side.
const COPIES: usize = 3;
/// Batches from the queue that are under way at the same time, as in the template.
const MAX_CONCURRENCY: usize = 5;

type Copy = App<Outside, Table, Sqs>;

/// A record, and the time at which it arrives.
pub(super) struct Event {
    pub(super) record: String,
    arrives: Duration,
}

/// The rules of a round: of each kind of gate one, whatever the seed says beside.
pub(super) fn rules(choices: &mut Choices) -> (String, Vec<Way>) {
    let mut ways = ways();
    let mut drawn = |choices: &mut Choices, name: &str, most: usize| {
        let mut way = ways.swap_remove(choices.below(ways.len())).of(name);
        way.settings["max_per_minute"] = json!(most);
        way
    };
    let (few, many) = (choices.of(&[1, 2, 4]), choices.of(&[5, 60]));
    // Of any type that there is.
    let drawn = [drawn(choices, "few", few), drawn(choices, "many", many)];
    // There, findings of all rules are one incident of their caller, or of whoever the caller's credentials come from.
    let mut of_incident = json!({ "by": ["actor"], "window": choices.of(&["1m", "6m", "1h"]) });
    if choices.below(2) == 0 {
        of_incident["by"] = json!(["account", "principal"]);
        of_incident["lineage"] = json!(true);
    }
    let incident = json!({ "type": "webhook", "max_per_minute": choices.of(&[2, 60]), "incident": of_incident });
    // There, the roll-ups of one minute are one message.
    let topic =
        json!({ "type": "sns", "topic_arn": "arn:aws:sns:eu-west-1:123456789012:topic", "max_per_minute": many });
    let [few, many] = drawn.each_ref().map(|way| &way.settings);
    let window = choices.of(&["10s", "1m", "5m"]);
    let worse = json!([{ "severity": "high", "when": { "user_agent": "worse" } }]);
    let text = json!({
        "channels": { "few": few, INCIDENT: incident, "many": many, "topic": topic },
        "rules": [
            { "id": "THROTTLED", "title": title("THROTTLED"), "severity": "low", "when": { "event": "StopLogging" }, "severity_when": worse,
              "throttle": { "window": window, "by": ["actor"] } },
            { "id": "EACH", "title": title("EACH"), "severity": "medium", "when": { "event": "DeleteTrail" }, "throttle": "off" },
            { "id": "USUAL", "title": title("USUAL"), "severity": "low", "when": { "event": "StopLogging|DeleteTrail" },
              "severity_when": worse, "notify": [INCIDENT, "many", "topic"] },
            { "id": THRESHOLD, "title": title(THRESHOLD), "severity": "medium", "when": { "event": "PutObject" }, "throttle": "off",
              "threshold": { "count": THRESHOLD_COUNT, "window": "5m", "by": ["actor"] } },
        ],
    });
    (text.to_string(), drawn.into())
}

/// The channel with incidents.
pub(super) const INCIDENT: &str = "incident";

/// The rule with a threshold, and its count.
pub(super) const THRESHOLD: &str = "COUNTED";
pub(super) const THRESHOLD_COUNT: usize = 3;

/// Single events and bursts; and of what the threshold counts, so many of one moment by one caller that it is reached.
fn events(choices: &mut Choices) -> Vec<Event> {
    let span = choices.of(&[30_000, 120_000, 600_000]);
    let mut events: Vec<Event> = Vec::new();
    let mut add = |choices: &mut Choices, name: &str, actor: String, at: usize, agent: &str| {
        let mut record = json!({
            "eventID": events.len().to_string(), "eventName": name, "eventSource": "cloudtrail.amazonaws.com",
            "eventTime": Timestamp::from_millis(START * 1000 + at as u64).to_string(), "awsRegion": "eu-west-1",
            "recipientAccountId": "123456789012", "userAgent": agent, "sourceIPAddress": "192.0.2.1",
            "userIdentity": { "type": "IAMUser", "userName": actor },
            "requestParameters": { "name": format!("trail{}", choices.below(4)) },
        });
        if name != "PutObject" && choices.below(4) == 0 {
            // In a session that one of them has asked for, whose record comes before or after this, if it comes.
            let arn = "arn:aws:sts::123456789012:assumed-role/shared/session";
            let key = format!("ASIA{}", choices.below(3));
            record["userIdentity"] = json!({ "type": "AssumedRole", "arn": arn, "accessKeyId": key });
        }
        let late = choices.of(&[0, 500, 3_000]);
        if name != "PutObject" && choices.below(4) == 0 {
            // Another account records the same call, about the same time; its record may be judged otherwise.
            record["sharedEventID"] = json!(format!("shared{}", events.len()));
            let mut twin = record.clone();
            twin["eventID"] = json!(format!("twin{}", events.len()));
            twin["recipientAccountId"] = json!("210987654321");
            twin["userAgent"] = json!(choices.of(&["usual", "worse"]));
            let late = choices.of(&[0, 500, 3_000]);
            events.push(Event { record: twin.to_string(), arrives: Duration::from_millis((at + late) as u64) });
        }
        events.push(Event { record: record.to_string(), arrives: Duration::from_millis((at + late) as u64) });
    };
    for _ in 0..choices.below(25) {
        let (at, burst) = (choices.below(span), choices.of(&[1, 1, 1, 4, 9]));
        let (name, actor) = (choices.of(&["StopLogging", "DeleteTrail"]), choices.below(3));
        for _ in 0..burst {
            let (agent, within) = (choices.of(&["usual", "usual", "worse"]), choices.below(2_000));
            add(choices, name, format!("actor{actor}"), at + within, agent);
        }
    }
    for cluster in 0..choices.below(3) {
        let at = choices.below(span);
        for _ in 0..THRESHOLD_COUNT + choices.below(3) {
            add(choices, "PutObject", format!("cluster{cluster}"), at, "usual");
        }
    }
    for _ in 0..choices.below(4) {
        // No rule is about it.
        let at = choices.below(span);
        let record = json!({
            "eventID": format!("session{}", events.len()), "eventName": "AssumeRole", "eventSource": "sts.amazonaws.com",
            "eventTime": Timestamp::from_millis(START * 1000 + at as u64).to_string(), "awsRegion": "eu-west-1",
            "recipientAccountId": "123456789012",
            "userIdentity": { "type": "IAMUser", "userName": format!("actor{}", choices.below(3)) },
            "requestParameters": { "roleArn": "arn:aws:iam::123456789012:role/shared", "durationSeconds": 3600 },
            "responseElements": { "credentials": { "accessKeyId": format!("ASIA{}", choices.below(3)) } },
        });
        events.push(Event { record: record.to_string(), arrives: Duration::from_millis(at as u64) });
    }
    events
}

/// In every third round, somebody has silenced a rule for some minutes.
async fn silence(world: &Arc<World>) {
    if world.choose(|choices| choices.below(3)) > 0 {
        return;
    }
    let (rule, minutes) = world.choose(|choices| (choices.of(&["EACH", "THROTTLED", "USUAL"]), choices.of(&[3, 12])));
    let created = Timestamp::from_millis(START * 1000);
    let silence = Silence {
        rule: rule.to_owned(),
        by: std::collections::BTreeMap::new(),
        created,
        until: created.plus(Duration::from_mins(minutes)),
        who: "jana".to_owned(),
        reason: "the migration".to_owned(),
        ended: None,
    };
    let ledger = Ledger::new(Table(Arc::clone(world)));
    while ledger.add_silence(&silence).await.is_err() {}
}

/// Plays the round of a seed, and returns what is left.
pub(super) async fn play(seed: u64) -> (Arc<World>, Vec<String>) {
    let mut choices = Choices::new(seed);
    let (text, drawn) = rules(&mut choices);
    let events = events(&mut choices);
    let mut credentials: serde_json::Map<String, Value> =
        drawn.iter().map(|way| (way.name.clone(), way.credentials.clone())).collect();
    credentials.insert(INCIDENT.to_owned(), json!({ "url": url(INCIDENT), "conformity_token": "token" }));
    let credentials = Credentials::parse(&Value::from(credentials).to_string()).unwrap();
    let types = drawn.iter().map(|way| (way.name.clone(), way.settings["type"].as_str().unwrap().to_owned()));
    let types = types.chain([(INCIDENT.to_owned(), "webhook".to_owned())]).collect();
    let world = Arc::new(World::new(choices, credentials, types));
    let copies: Vec<Arc<Copy>> = (0..COPIES)
        .map(|_| {
            let ahead = Duration::from_millis(world.choose(|choices| choices.of(&[0, 0, 300, 900])));
            Arc::new(App {
                rules: RuleSet::compile(&text).unwrap().rules,
                transport: Outside { world: Arc::clone(&world), ahead },
                tokens: Tokens::default(),
                health: ChannelHealth::default(),
                ledger: Ledger::new(Table(Arc::clone(&world))),
                queues: Sqs(Arc::clone(&world)),
                own: OwnCalls::default(),
            })
        })
        .collect();

    silence(&world).await;
    let mut sources = JoinSet::new();
    let start = Instant::now();
    let records = events.iter().map(|event| event.record.clone()).collect();
    for Event { record, arrives } in events {
        let times = if world.fails("the event comes twice") { 2 } else { 1 };
        for _ in 0..times {
            let (world, copies, record) = (Arc::clone(&world), copies.clone(), record.clone());
            sources.spawn(async move {
                sleep_until(start + arrives).await;
                event_source(&world, &copies, record).await;
            });
        }
    }
    let worst = world.choose(|choices| choices.of(&[60, 600, 7_200]));
    let healer = Arc::clone(&world);
    let healed = tokio::spawn(async move {
        sleep(Duration::from_secs(worst)).await;
        healer.heal();
    });
    let queue = tokio::spawn(event_source_mapping(Arc::clone(&world), copies));
    while let Some(ended) = sources.join_next().await {
        ended.unwrap();
    }
    healed.await.unwrap();
    world.sources_have_ended();
    queue.await.unwrap();
    (world, records)
}

/// One run of the function: `None` if it was killed.
async fn invoke(world: &World, copies: &[Arc<Copy>], payload: &str) -> Option<Handled> {
    let copy = world.choose(|choices| choices.below(copies.len()));
    // Some deadlines are close, as when a copy was frozen meanwhile.
    let limit = world.choose(|choices| choices.of(&[30, 30, 30, 10, 5])).min(TIME_LIMIT.as_secs());
    let limit = Duration::from_secs(limit);
    let deadline = Instant::now() + limit - MARGIN.min(limit / 4);
    let is_killed = world.fails("the copy is killed");
    let ends_after = if is_killed {
        let most = world.choose(|choices| choices.of(&[20, 60, 150, 400, 2_000]));
        Duration::from_millis(world.choose(|choices| 1 + choices.below(most)) as u64)
    } else {
        limit
    };
    world.note(&format!("invoked, killed after {ends_after:?}"), payload);
    let Ok(handled) = timeout(ends_after, handle(payload, deadline, &*copies[copy])).await else {
        let is_kept = is_killed || limit < TIME_LIMIT;
        assert!(is_kept, "{}: no answer within {limit:?}: {payload}", Invariant::TimeIsKept);
        return None;
    };
    world.note(&format!("answered {:?}, {:?}", handled.answer, handled.report.deliveries), payload);
    assert!(handled.report.adds_up(), "{}: {:?}", Invariant::SumsHold, handled.report);
    Some(handled)
}

/// Lambda's queue of events: it tries one three times, and keeps it in the on-failure queue then.
async fn event_source(world: &World, copies: &[Arc<Copy>], record: String) {
    let payload = json!({ "detail-type": "AWS API Call via CloudTrail", "source": "aws.cloudtrail",
        "detail": serde_json::from_str::<Value>(&record).unwrap() })
    .to_string();
    for wait in RETRIES.into_iter().map(Some).chain([None]) {
        if invoke(world, copies, &payload).await.is_some_and(|handled| handled.answer.is_ok()) {
            return;
        }
        if let Some(wait) = wait {
            sleep(wait).await;
        }
    }
    world.given_up.lock().unwrap().push(record);
}

/// The event source mapping: it hands out batches of what is due, until the sources have ended and nothing is left.
async fn event_source_mapping(world: Arc<World>, copies: Vec<Arc<Copy>>) {
    let mut under_way = JoinSet::new();
    loop {
        let next = world.waiting.lock().unwrap().iter().map(|message| message.due).min();
        match next {
            Some(due) if due <= Instant::now() && under_way.len() < MAX_CONCURRENCY => {
                under_way.spawn(batch(Arc::clone(&world), copies.clone(), world.receive()));
            }
            None if under_way.is_empty() && world.is_over() => return,
            _ => {
                let due = next.filter(|due| *due > Instant::now());
                tokio::select! {
                    Some(ended) = under_way.join_next() => ended.unwrap(),
                    () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
                    () = world.arrived.notified() => {}
                }
            }
        }
    }
}

/// One batch of messages: what the function does not name is deleted, and what it names comes again.
async fn batch(world: Arc<World>, copies: Vec<Arc<Copy>>, messages: Vec<Message>) {
    let records: Vec<Value> = messages
        .iter()
        .enumerate()
        .map(|(place, message)| {
            json!({ "messageId": place.to_string(), "receiptHandle": "r", "eventSource": "aws:sqs", "body": message.body })
        })
        .collect();
    let handled = invoke(&world, &copies, &json!({ "Records": records }).to_string()).await;
    let failed = match handled.map(|handled| handled.answer) {
        Some(Ok(Response::Batch(failed))) => Some(failed),
        Some(Ok(other)) => panic!("{other:?}"),
        Some(Err(_)) | None => None,
    };
    for (place, message) in messages.into_iter().enumerate() {
        let comes_again = failed.as_ref().is_none_or(|failed| failed.contains(&place.to_string()));
        if comes_again && message.receives >= MAX_RECEIVES {
            world.dead.lock().unwrap().push(message.body);
        } else if comes_again || world.fails("the queue delivers twice") {
            world.put_into_queue(message.body, VISIBILITY, message.receives);
        }
    }
}
