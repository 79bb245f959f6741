//! What somebody silences for some hours, by the real handler.

use std::time::Duration;

use offlimits::handler::Deliveries;
use offlimits::ledger::{ItemKey, Ledger, MemoryStore, Silence, Store};
use offlimits::time::Timestamp;
use serde_json::{Value, json};

use super::outside::{Act, SlowStore, TestApp, app, app_on, invoke, redeliver_until};

const MINUTE: Duration = Duration::from_mins(1);
/// When every test begins.
const START: u64 = 1_768_044_764_000;

fn rules() -> String {
    let rule = |id: &str, severity: &str, event: &str| {
        json!({ "id": id, "title": format!("by {id}"), "severity": severity, "when": { "event": { "is": event } },
            "severity_when": [{ "severity": "extreme", "when": { "outcome": "failure" } },
                { "severity": "very-high", "when": { "region": { "is": "eu-west-1" } } }],
            "throttle": { "window": "1s" } })
    };
    let rules =
        [rule("LIST", "high", "ListUsers"), rule("STOP", "high", "StopLogging"), rule("SELF-1", "high", "Self")];
    let channels = json!({ "topic": { "type": "sns" }, "other": { "type": "sns", "topic_arn": "arn:aws:sns:us-east-1:123456789012:other" } });
    json!({ "channels": channels, "rules": rules }).to_string()
}

fn event(number: usize, name: &str) -> Value {
    json!({
        "eventID": number.to_string(), "eventName": name, "eventSource": "iam.amazonaws.com",
        "eventTime": "2026-01-10T11:32:44Z", "recipientAccountId": "123456789012", "awsRegion": "us-east-1",
        "userIdentity": { "type": "IAMUser", "userName": "eve" }, "requestParameters": { "userName": format!("user{number}") },
    })
}

fn silence(rule: &str) -> Silence {
    let created = Timestamp::from_millis(START);
    Silence {
        rule: rule.to_owned(),
        by: std::iter::once(("region".to_owned(), "us-east-1".to_owned())).collect(),
        created,
        until: created.plus(60 * MINUTE),
        who: "arn:aws:iam::123456789012:user/jana".to_owned(),
        reason: "the migration".to_owned(),
        ended: None,
    }
}

/// What a topic was sent: when, in seconds, and as machines read it.
fn told<S: Store>(app: &TestApp<S>, topic: &str) -> Vec<(u64, Value)> {
    let machine = |text: &str| {
        let texts: Value = serde_json::from_str(text).unwrap();
        serde_json::from_str(texts["sqs"].as_str().unwrap()).unwrap()
    };
    app.transport.taken(topic).iter().map(|taken| (taken.at.as_secs(), machine(&taken.text))).collect()
}

fn kinds<S: Store>(app: &TestApp<S>, topic: &str) -> Vec<(u64, String, u64)> {
    let count = |alert: &Value| alert["sum"]["count"].as_u64().unwrap_or(1);
    told(app, topic).iter().map(|(at, alert)| (*at, alert["kind"].as_str().unwrap().to_owned(), count(alert))).collect()
}

fn of(list: &[(u64, &str, u64)]) -> Vec<(u64, String, u64)> {
    list.iter().map(|(at, kind, count)| (*at, (*kind).to_owned(), *count)).collect()
}

/// Brings an event at a time after the start, and gives back what became of it on the channels.
async fn at<S: Store>(app: &TestApp<S>, seconds: u64, record: &Value) -> offlimits::handler::InvocationReport {
    redeliver_until(app, Duration::from_secs(seconds)).await;
    invoke(&record.to_string(), app).await.report
}

#[tokio::test(start_paused = true)]
async fn the_first_names_the_silence_and_the_others_are_told_when_it_ends() {
    let app = app(&rules());
    app.ledger.add_silence(&silence("LIST")).await.unwrap();
    assert_eq!(at(&app, 0, &event(0, "ListUsers")).await.deliveries.delivered, 2);
    assert_eq!(at(&app, 10, &event(1, "ListUsers")).await.deliveries.silenced, 2);
    assert_eq!(at(&app, 20, &event(2, "ListUsers")).await.deliveries.silenced, 2);
    // The same event again; another rule; another region, which the silence does not name; and what is extreme.
    assert_eq!(at(&app, 21, &event(2, "ListUsers")).await.deliveries.duplicate, 2);
    assert_eq!(at(&app, 30, &event(3, "StopLogging")).await.deliveries.delivered, 2);
    let mut elsewhere = event(4, "ListUsers");
    elsewhere["awsRegion"] = json!("eu-west-1");
    assert_eq!(at(&app, 40, &elsewhere).await.deliveries.delivered, 2);
    let mut denied = event(5, "ListUsers");
    denied["errorCode"] = json!("AccessDenied");
    assert_eq!(at(&app, 50, &denied).await.deliveries.delivered, 2);
    redeliver_until(&app, 70 * MINUTE).await;
    assert_eq!(at(&app, 4300, &event(6, "ListUsers")).await.deliveries.delivered, 2, "it is over");
    let expected = [
        (0, "first", 1),
        (30, "first", 1),
        (40, "first", 1),
        (50, "first", 1),
        (3660, "roll-up", 2),
        (4300, "first", 1),
    ];
    for topic in ["topic", "other"] {
        assert_eq!(kinds(&app, topic), of(&expected));
        let told = told(&app, topic);
        assert_eq!(
            (&told[0].1["silence"]["reason"], told[0].1["silence"]["until"].as_str()),
            (&json!("the migration"), Some("2026-01-10T12:32:44Z"))
        );
        assert!(told[1..].iter().all(|(_, alert)| alert["silence"].is_null()));
        assert_eq!(told[4].1["alert"], told[0].1["alert"], "the roll-up is where people read of the silence");
        let text = &app.transport.taken(topic)[0].text;
        assert!(text.contains("user/jana: the migration"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_held_back_where_the_message_that_names_it_has_not_arrived() {
    let app = app(&rules());
    app.ledger.add_silence(&silence("LIST")).await.unwrap();
    app.transport
        .script("other", |_, at| if at < Duration::from_mins(10) { Act::Status(503, None) } else { Act::Take });
    for number in 0..3 {
        let report = at(&app, 100 * number, &event(usize::try_from(number).unwrap(), "ListUsers")).await;
        assert_eq!(report.deliveries.queued, 1, "the channel that is down holds nothing back: {report:?}");
        assert_eq!(report.deliveries.silenced, usize::from(number > 0));
    }
    redeliver_until(&app, 40 * MINUTE).await;
    assert_eq!(at(&app, 2500, &event(9, "ListUsers")).await.deliveries.silenced, 2, "now it does");
    redeliver_until(&app, 70 * MINUTE).await;
    assert_eq!(kinds(&app, "topic"), of(&[(0, "first", 1), (3660, "roll-up", 3)]));
    let other = told(&app, "other");
    assert_eq!(other.len(), 4);
    assert!(other[..3].iter().all(|(_, alert)| alert["silence"]["who"].is_string()), "each may be the first");
}

#[tokio::test(start_paused = true)]
async fn one_that_is_ended_is_rolled_up_at_its_end() {
    let app = app(&rules());
    let id = app.ledger.add_silence(&silence("LIST")).await.unwrap();
    at(&app, 0, &event(0, "ListUsers")).await;
    assert_eq!(at(&app, 10, &event(1, "ListUsers")).await.deliveries.silenced, 2);
    redeliver_until(&app, Duration::from_mins(5)).await;
    assert!(app.ledger.end_silence(&id, Timestamp::from_millis(START + 300_000)).await.unwrap().is_some());
    assert!(app.ledger.end_silence("0123456789abcdef", Timestamp::from_millis(START)).await.unwrap().is_none());
    redeliver_until(&app, 70 * MINUTE).await;
    let kinds = kinds(&app, "topic");
    assert_eq!(kinds.len(), 2, "{kinds:?}");
    assert!((420..620).contains(&kinds[1].0) && kinds[1].1 == "roll-up", "{kinds:?}");
    assert_eq!(at(&app, 4300, &event(2, "ListUsers")).await.deliveries.delivered, 2);
}

/// Whoever can write to the table silences nothing for long, nothing that nobody was told of, and no alarm about this monitor.
#[tokio::test(start_paused = true)]
async fn a_forged_item_silences_nothing() {
    let long = Silence { until: Timestamp::from_millis(START).plus(25 * 60 * MINUTE), ..silence("LIST") };
    let future = Silence { created: Timestamp::from_millis(START).plus(30 * MINUTE), ..silence("LIST") };
    for (forged, name) in [(long, "ListUsers"), (future, "ListUsers"), (silence("SELF-1"), "Self")] {
        let app = app(&rules());
        app.ledger.add_silence(&forged).await.unwrap();
        for number in 0..3 {
            let report = at(&app, 10 * number, &event(usize::try_from(number).unwrap(), name)).await;
            assert_eq!(report.deliveries.delivered, 2, "{forged:?}");
        }
        assert!(told(&app, "topic").iter().all(|(_, alert)| alert["silence"].is_null()));
    }
    // One that says it was announced, by a message that names another silence, or none.
    let app = app(&rules());
    assert_eq!(at(&app, 0, &event(0, "ListUsers")).await.deliveries.delivered, 2);
    let first = told(&app, "topic").remove(0).1;
    let id = app.ledger.add_silence(&silence("LIST")).await.unwrap();
    let text = |key: &str| first[key].as_str().unwrap().to_owned();
    let announcement = json!({
        "claim": text("finding"), "severity": "extreme", "lead": text("alert"), "lead_opener": text("finding"),
        "finding": "{}", "ordered": true,
    });
    for channel in ["topic", "other"] {
        let put = offlimits::ledger::Put {
            key: ItemKey::new(format!("silence#{id}"), channel),
            expect: offlimits::ledger::Expect::Anything,
            attributes: announcement.as_object().unwrap().clone(),
            expires: Timestamp::from_millis(START).plus(600 * MINUTE),
        };
        assert!(app.ledger.store().put(vec![put]).await.unwrap());
    }
    // The silences were read at the first event.
    let report = at(&app, 70, &event(1, "ListUsers")).await;
    assert_eq!((report.deliveries.delivered, report.deliveries.silenced), (2, 0), "it goes out, and names the silence");
    assert!(told(&app, "topic")[1].1["silence"]["id"].is_string());
}

/// Two copies of the function, with one table: one message names the silence, and what comes meanwhile goes out.
#[tokio::test(start_paused = true)]
async fn two_copies_agree() {
    let store = SlowStore::new(Duration::from_millis(5));
    let (one, other) = (app_on(&rules(), store.clone()), app_on(&rules(), store.clone()));
    Ledger::new(store).add_silence(&silence("LIST")).await.unwrap();
    let mut second = event(1, "ListUsers");
    // Another caller's, which no throttle takes for a repeat.
    second["userIdentity"]["userName"] = json!("ann");
    let (first, second) = (event(0, "ListUsers").to_string(), second.to_string());
    let (first, second) = tokio::join!(invoke(&first, &one), invoke(&second, &other));
    // Whoever looks again after the message has arrived holds back.
    let sum = |of: fn(&Deliveries) -> usize| of(&first.report.deliveries) + of(&second.report.deliveries);
    let silenced = sum(|deliveries| deliveries.silenced);
    assert_eq!(sum(|deliveries| deliveries.delivered) + silenced, 4, "{:?} {:?}", first.report, second.report);
    let named =
        |app: &TestApp<SlowStore>| told(app, "topic").iter().filter(|(_, alert)| alert["silence"].is_object()).count();
    assert_eq!(named(&one) + named(&other), 1);
    for (number, app) in [(2, &one), (3, &other)] {
        assert_eq!(at(app, 10, &event(number, "ListUsers")).await.deliveries.silenced, 2);
    }
    redeliver_until(&one, 70 * MINUTE).await;
    redeliver_until(&other, 71 * MINUTE).await;
    let sums: Vec<u64> = [&one, &other]
        .into_iter()
        .flat_map(|app| kinds(app, "topic"))
        .filter(|(_, kind, _)| kind == "roll-up")
        .map(|(.., count)| count)
        .collect();
    let held_back = 2 + u64::try_from(silenced / 2).unwrap();
    assert_eq!(sums.iter().max(), Some(&held_back), "all are counted: {sums:?}");
}

/// A copy that has just started reads of silences while it claims. It takes back what it has claimed: nobody's next finding is a repeat of
/// one that nobody was told of.
#[tokio::test(start_paused = true)]
async fn a_copy_that_has_just_started_takes_back_what_is_silenced() {
    let (store, rules) = (SlowStore::new(Duration::from_millis(5)), rules().replace("\"1s\"", "\"6h\""));
    let [one, two, three] = [(); 3].map(|()| app_on(&rules, store.clone()));
    Ledger::new(store).add_silence(&silence("LIST")).await.unwrap();
    let by_ann = |number: usize| {
        let mut event = event(number, "ListUsers");
        event["userIdentity"]["userName"] = json!("ann");
        event
    };
    assert_eq!(at(&one, 0, &event(0, "ListUsers")).await.deliveries.delivered, 2);
    assert_eq!(at(&two, 10, &by_ann(1)).await.deliveries.silenced, 2);
    assert_eq!(at(&three, 20, &by_ann(2)).await.deliveries.silenced, 2);
    assert_eq!(at(&two, 4300, &by_ann(3)).await.deliveries.delivered, 2, "no window is open");
    assert_eq!(kinds(&two, "topic"), of(&[(3660, "roll-up", 2), (4300, "first", 1)]));
}

/// A ledger that does not answer holds nothing back.
#[tokio::test(start_paused = true)]
async fn without_the_ledger_everything_goes_out() {
    let store = SlowStore::new(Duration::ZERO);
    let mut app = app_on(&rules(), store.clone());
    app.ledger.add_silence(&silence("LIST")).await.unwrap();
    at(&app, 0, &event(0, "ListUsers")).await;
    assert_eq!(at(&app, 10, &event(1, "ListUsers")).await.deliveries.silenced, 2);
    let mut slow = store;
    slow.takes = Duration::from_mins(1);
    app.ledger = Ledger::new(slow);
    assert_eq!(at(&app, 100, &event(2, "ListUsers")).await.deliveries.delivered, 2);
}

/// Silences cost one request a minute, whatever comes.
#[tokio::test(start_paused = true)]
async fn silences_are_read_once_a_minute() {
    let app = app(&rules());
    let _: &MemoryStore = app.ledger.store();
    at(&app, 0, &event(0, "ListUsers")).await;
    // Made a moment later, it is not seen before the minute is over.
    app.ledger.add_silence(&silence("LIST")).await.unwrap();
    at(&app, 30, &event(1, "ListUsers")).await;
    assert!(told(&app, "topic")[1].1["silence"].is_null());
    at(&app, 61, &event(2, "ListUsers")).await;
    assert!(told(&app, "topic")[2].1["silence"].is_object());
}
