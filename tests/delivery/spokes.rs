//! A hub: it learns of its spokes' queues, and brings what lies there through its own redelivery queue.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use offlimits::cloudtrail::spokes::Spokes;
use offlimits::handler::{InvocationReport, SpokeLetters};
use serde_json::{Value, json};

use super::handler::{RULES, STOP, reported};
use super::outside::{SpokeInbox, TestApp, app, invoke, redeliver};

const SPOKE: &str = "222222222222";
const MOVE: &str = r#"{"offlimits":"move"}"#;
const QUARTER: Duration = Duration::from_mins(15);

fn hub() -> TestApp {
    let mut app = app(RULES);
    app.own.spokes = Spokes::of_stack_set("offlimits");
    app
}

fn url(account: &str) -> String {
    format!("https://sqs.eu-west-1.amazonaws.com/{account}/StackSet-offlimits-6a3e-Letters-1A2B")
}

/// An event of an account, as EventBridge has it.
fn event(account: &str, detail: &Value) -> String {
    let mut event = json!({
        "version": "0", "id": "6a3e", "detail-type": "AWS API Call via CloudTrail", "source": "aws.cloudtrail",
        "account": account, "time": "2026-11-28T12:00:00Z", "region": "eu-west-1", "resources": [], "detail": detail,
    });
    event["detail"]["recipientAccountId"] = json!(account);
    event["detail"]["awsRegion"] = json!("eu-west-1");
    event.to_string()
}

fn stop(account: &str) -> String {
    let mut stop: Value = serde_json::from_str(STOP).unwrap();
    event(account, &stop["detail"].take())
}

/// The call with which a spoke makes its queue known.
fn probe(account: &str, role: &str) -> String {
    let arn = format!("arn:aws:sts::{account}:assumed-role/{role}/6a3e");
    let detail = json!({
        "eventVersion": "1.11", "eventSource": "sqs.amazonaws.com", "eventName": "TagQueue", "eventID": format!("{account}{role}"),
        "userIdentity": { "type": "AssumedRole", "arn": arn, "accountId": account },
        "requestParameters": { "queueUrl": url(account), "tags": { "offlimits:probe": "2026-11-28T12:00:00Z" } },
    });
    event(account, &detail)
}

async fn told(app: &TestApp, account: &str) {
    let report = reported(invoke(&probe(account, "StackSet-offlimits-6a3e-ProbeRole-1A2B"), app).await);
    assert_eq!((report.records, report.ledger_faults), (1, 0));
    app.queues.spokes.lock().unwrap().entry(url(account)).or_default();
}

fn put(app: &TestApp, account: &str, body: &str) {
    app.queues.spokes.lock().unwrap().get_mut(&url(account)).unwrap().put(body);
}

fn left(app: &TestApp, account: &str) -> usize {
    app.queues.spokes.lock().unwrap()[&url(account)].bodies().len()
}

async fn run(app: &TestApp) -> (InvocationReport, SpokeLetters) {
    let report = reported(invoke(MOVE, app).await);
    let spokes = report.spokes;
    (report, spokes)
}

fn counted(moved: usize, refused: usize, unreached: usize) -> SpokeLetters {
    SpokeLetters { moved, refused, unreached }
}

#[tokio::test(start_paused = true)]
async fn what_a_spoke_could_not_send_is_alerted_once() {
    let app = hub();
    told(&app, SPOKE).await;
    put(&app, SPOKE, &stop(SPOKE));
    let (report, spokes) = run(&app).await;
    assert_eq!((report.records, spokes, left(&app, SPOKE)), (0, counted(1, 0, 0), 0));
    let report = redeliver(&app).await;
    assert_eq!((report.records, report.deliveries.delivered), (1, 2));
    assert!(app.transport.taken("topic")[0].text.contains(SPOKE), "{}", app.transport.taken("topic")[0].text);
    assert_eq!(run(&app).await.1, counted(0, 0, 0));
}

/// Sent first and deleted after: twice is known again, and nothing is lost whichever of the two fails.
#[tokio::test(start_paused = true)]
async fn a_letter_is_deleted_only_when_the_hub_has_it() {
    let app = hub();
    told(&app, SPOKE).await;
    put(&app, SPOKE, &stop(SPOKE));
    app.queues.refuses.store(true, Ordering::Relaxed);
    assert_eq!((run(&app).await.1, left(&app, SPOKE)), (counted(0, 0, 1), 1));
    app.queues.refuses.store(false, Ordering::Relaxed);
    tokio::time::sleep(QUARTER).await;
    let keeps = |keeps| app.queues.spokes.lock().unwrap().get_mut(&url(SPOKE)).unwrap().keeps = keeps;
    keeps(true);
    assert_eq!((run(&app).await.1, left(&app, SPOKE)), (counted(1, 0, 1), 1));
    keeps(false);
    tokio::time::sleep(QUARTER).await;
    assert_eq!((run(&app).await.1, left(&app, SPOKE)), (counted(1, 0, 0), 0));
    let report = redeliver(&app).await;
    assert_eq!((report.deliveries.delivered, report.deliveries.duplicate), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_spoke_cannot_put_anything_but_its_own_events_into_the_hubs_queue() {
    let app = hub();
    told(&app, SPOKE).await;
    // A task of our own, such as one that has been rendered for a channel.
    let tasks = std::fs::read_to_string("tests/golden/messages.json").unwrap();
    let tasks: BTreeMap<String, BTreeMap<String, Vec<String>>> = serde_json::from_str(&tasks).unwrap();
    let tasks: Vec<String> = tasks.into_values().flat_map(BTreeMap::into_values).flatten().collect();
    assert!(tasks.len() > 5 && tasks.iter().all(|task| task.contains(r#""offlimits":"delivery""#)), "{}", tasks.len());
    let mut others = vec![stop("333333333333"), stop(SPOKE).replace("aws.cloudtrail", "com.example"), "{}".to_owned()];
    others.push(stop(SPOKE).replacen('{', r#"{"offlimits":"delivery","#, 1));
    let others: Vec<String> = others.into_iter().chain(tasks).collect();
    for other in &others {
        put(&app, SPOKE, other);
    }
    put(&app, SPOKE, &stop(SPOKE));
    let (_, spokes) = run(&app).await;
    assert_eq!((spokes, left(&app, SPOKE)), (counted(1, others.len(), 0), others.len()));
    let report = redeliver(&app).await;
    assert_eq!((report.records, report.ignored, report.unreadable, report.deliveries.redelivered), (1, 0, 0, 0));
    // They stay, and are told of again.
    tokio::time::sleep(QUARTER).await;
    assert_eq!((run(&app).await.1, left(&app, SPOKE)), (counted(0, others.len(), 0), others.len()));
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_gone_is_forgotten_and_keeps_no_other_waiting() {
    let app = hub();
    for account in ["111111111111", SPOKE, "333333333333"] {
        told(&app, account).await;
        put(&app, account, &stop(account));
    }
    app.queues.spokes.lock().unwrap().remove(&url("111111111111"));
    assert_eq!(run(&app).await.1, counted(2, 0, 0));
    // Asked no more: were it, its name would be missed again.
    app.queues.spokes.lock().unwrap().insert(url("111111111111"), SpokeInbox::default());
    assert_eq!(run(&app).await.1, counted(0, 0, 0));
    assert_eq!(app.queues.spokes.lock().unwrap()[&url("111111111111")].asked, 0);
}

#[tokio::test(start_paused = true)]
async fn what_one_run_has_no_time_for_the_next_begins_with() {
    let mut app = hub();
    let accounts: Vec<String> = (0..200).map(|number| format!("{number:012}")).collect();
    for account in &accounts {
        told(&app, account).await;
    }
    // Sixteen at a time, and 22 of 27 seconds in which to begin.
    app.queues.takes = Duration::from_secs(3);
    let asked = |app: &TestApp| -> Vec<usize> {
        let spokes = app.queues.spokes.lock().unwrap();
        accounts.iter().map(|account| spokes[&url(account)].asked).collect()
    };
    assert_eq!(run(&app).await.1, counted(0, 0, 0));
    let first = asked(&app);
    let come_to = first.iter().take_while(|asked| **asked > 0).count();
    assert!((100..200).contains(&come_to) && first[come_to..].iter().all(|asked| *asked == 0), "{first:?}");
    run(&app).await;
    assert!(asked(&app)[come_to..].iter().all(|asked| *asked == 1), "{:?}", asked(&app));
}

/// A rule that takes every call would alert each hour, in every account.
#[tokio::test(start_paused = true)]
async fn a_spokes_probe_is_the_functions_own_call_and_anybody_elses_is_not() {
    let every = r#"{ "id": "ALL", "title": "t", "severity": "high", "throttle": "off", "when": { "event": { "exists": true } } },"#;
    let mut app = app(&RULES.replacen("\"rules\": [", &format!("\"rules\": [ {every}"), 1));
    let own = |report: &InvocationReport| (report.findings.own, report.findings.routed);
    let role = "StackSet-offlimits-6a3e-ProbeRole-1A2B";
    assert_eq!(own(&reported(invoke(&probe(SPOKE, role), &app).await)), (0, 1), "who is no hub has no spokes");
    app.own.spokes = Spokes::of_stack_set("offlimits");
    assert_eq!(own(&reported(invoke(&probe(SPOKE, role), &app).await)), (1, 0));
    assert_eq!(own(&reported(invoke(&probe(SPOKE, "Admin"), &app).await)), (0, 1));
    let denied = probe(SPOKE, role).replacen("\"eventName\"", "\"errorCode\":\"AccessDenied\",\"eventName\"", 1);
    assert_eq!(own(&reported(invoke(&denied.replace(&format!("{SPOKE}Stack"), "x"), &app).await)), (0, 1));
    let purge = probe(SPOKE, role).replace("TagQueue", "PurgeQueue");
    assert_eq!(own(&reported(invoke(&purge, &app).await)), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn who_is_no_hub_moves_nothing() {
    let app = app(RULES);
    told(&app, SPOKE).await;
    put(&app, SPOKE, &stop(SPOKE));
    let report = reported(invoke(MOVE, &app).await);
    assert_eq!((report.ignored, report.spokes, left(&app, SPOKE)), (1, counted(0, 0, 0), 1));
}
