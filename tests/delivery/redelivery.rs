//! What could not be delivered at once: it comes back from the queue, or lies among the dead letters with its reason.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use offlimits::handler::{InvocationReport, Response};
use offlimits::redelivery::DELIVERY_LIFETIME;
use serde_json::Value;

use super::handler::{Broken, RULES, STOP, reported};
use super::outside::{
    Act, REDELIVERY_ARN, SlowStore, TestApp, app, app_on, invoke, redeliver, redeliver_until, sqs_event,
};

const MINUTE: Duration = Duration::from_mins(1);

fn dead<S>(app: &TestApp<S>) -> Vec<Value> {
    app.queues.dead.lock().unwrap().iter().map(|message| serde_json::from_str(message).unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_was_down_gets_its_alert_when_it_recovers_and_only_that() {
    let app = app(RULES);
    app.transport.script("soc", |_, at| if at < 20 * MINUTE { Act::Status(503, None) } else { Act::Take });
    let report = reported(invoke(STOP, &app).await);
    assert_eq!((report.deliveries.delivered, report.deliveries.queued), (1, 1));
    let report = redeliver_until(&app, 60 * MINUTE).await;
    assert_eq!((report.deliveries.delivered, app.queues.waiting(), dead(&app).len()), (1, 0, 0));
    assert_eq!(report.records, 0, "a delivery is no record: it must not break the silence that an alarm waits for");
    let taken = app.transport.taken("soc");
    assert_eq!((taken.len(), app.transport.taken("topic").len()), (1, 1));
    assert!((20 * MINUTE..40 * MINUTE).contains(&taken[0].at), "{:?}", taken[0].at);
    // The event comes once more: it was delivered.
    assert_eq!(reported(invoke(STOP, &app).await).deliveries.duplicate, 2);
}

#[tokio::test(start_paused = true)]
async fn a_wait_of_an_hour_is_made_of_hops_and_no_vendor_may_ask_for_more() {
    let app = app(RULES);
    app.transport.script("soc", |number, _| if number == 1 { Act::Status(429, Some(7200)) } else { Act::Take });
    reported(invoke(STOP, &app).await);
    let report = redeliver_until(&app, 130 * MINUTE).await;
    assert_eq!((app.transport.requests("soc"), app.transport.taken("soc")[0].at.as_secs()), (2, 3600));
    assert_eq!((report.deliveries.redelivered, report.deliveries.queued, report.deliveries.delivered), (4, 3, 1));
}

#[tokio::test(start_paused = true)]
async fn after_a_day_it_is_dead_with_its_reason_and_can_be_sent_through_again() {
    let app = app(RULES);
    app.transport.script("soc", |_, at| if at < 2 * DELIVERY_LIFETIME { Act::Dead } else { Act::Take });
    reported(invoke(STOP, &app).await);
    let report = redeliver_until(&app, DELIVERY_LIFETIME + 60 * MINUTE).await;
    assert_eq!((report.deliveries.dead, app.queues.waiting()), (1, 0));
    // From the first hour on, once an hour.
    assert!((20..=24).contains(&report.operational), "{report:?}");
    let [letter] = &dead(&app)[..] else { panic!("{:?}", dead(&app)) };
    let reason = letter["reason"].as_str().unwrap();
    assert!(reason.starts_with("gave up after ") && reason.ends_with("cannot connect"), "{reason}");
    assert_eq!((&letter["channel"], &letter["task"]["deliver"]["about"]["rule"]), (&"soc".into(), &"STOP".into()));
    assert!(!letter.to_string().contains("hooks.slack.com"), "no credential travels");
    let told = app.transport.taken("topic").pop().unwrap().text;
    assert!(told.contains("offlimits itself needs attention") && told.contains("soc"), "{told}");
    // A new life: tried at once, and for another day.
    assert_eq!(app.queues.redrive(), 1);
    let report = redeliver_until(&app, 2 * DELIVERY_LIFETIME + 90 * MINUTE).await;
    assert_eq!((report.deliveries.delivered, report.deliveries.dead), (1, 0));
    assert_eq!(app.transport.taken("soc").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_is_dead_at_once_and_people_are_told_once_an_hour() {
    let app = app(&RULES.replace(r#""severity": "very-high","#, r#""severity": "very-high", "throttle": "off","#));
    app.transport.script("soc", |_, at| if at < 100 * MINUTE { Act::Status(400, None) } else { Act::Take });
    let mut operational = Vec::new();
    for number in 0..4 {
        let event = STOP.replace("\"eventID\": \"", &format!("\"eventID\": \"{number}"));
        let report = reported(invoke(&event, &app).await);
        assert_eq!((report.deliveries.delivered, report.deliveries.dead), (1, 1));
        operational.push(report.operational);
        tokio::time::sleep(20 * MINUTE).await;
    }
    // From 11:32 on: 11:32, 11:52, 12:12, 12:32.
    assert_eq!(operational, [1, 0, 1, 0]);
    tokio::time::sleep(20 * MINUTE).await;
    assert_eq!(app.queues.redrive(), 4);
    assert_eq!(redeliver(&app).await.deliveries.delivered, 4);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_can_mend_waits_and_people_are_told_at_once() {
    let app = app(RULES);
    app.transport.script("soc", |_, at| if at < 300 * MINUTE { Act::Revoked } else { Act::Take });
    let report = reported(invoke(STOP, &app).await);
    assert_eq!((report.deliveries.queued, report.deliveries.dead, report.operational), (1, 0, 1), "{report:?}");
    let told = app.transport.taken("topic").pop().unwrap().text;
    assert!(told.contains("needs attention") && told.contains("refused: invalid_token"), "{told}");
    let report = redeliver_until(&app, 400 * MINUTE).await;
    assert_eq!((report.deliveries.delivered, report.deliveries.dead, app.queues.waiting()), (1, 0, 0), "{report:?}");
    // The waits grow to an hour, and a quarter of it.
    let [taken] = &app.transport.taken("soc")[..] else { panic!() };
    assert!((300 * MINUTE..=375 * MINUTE).contains(&taken.at), "{:?}", taken.at);
    assert!(app.transport.requests("soc") < 40, "{}", app.transport.requests("soc"));
}

#[tokio::test(start_paused = true)]
async fn people_are_told_of_a_channel_in_trouble_though_the_ledger_does_not_answer() {
    let app = app_on(RULES, Broken(Duration::ZERO));
    app.transport.script("soc", |_, _| Act::Revoked);
    for expected in [1, 0] {
        assert_eq!(reported(invoke(STOP, &app).await).operational, expected);
    }
    tokio::time::sleep(60 * MINUTE).await;
    assert_eq!(reported(invoke(STOP, &app).await).operational, 1);
}

#[tokio::test(start_paused = true)]
async fn people_are_told_of_a_channel_that_hangs_when_an_hour_is_over() {
    let app = app(RULES);
    app.transport.script("soc", |_, _| Act::Hang);
    assert_eq!(reported(invoke(STOP, &app).await).operational, 0);
    assert!(redeliver_until(&app, 150 * MINUTE).await.operational > 0);
}

#[tokio::test(start_paused = true)]
async fn the_own_topic_tells_of_another_topic_that_does_not_take_alerts() {
    let other = r#""topic": { "type": "sns" }, "other": { "type": "sns", "topic_arn": "arn:aws:sns:us-east-1:123456789012:other" }"#;
    let app = app(&RULES.replace(r#""topic": { "type": "sns" }"#, other));
    app.transport.script("other", |_, _| Act::Revoked);
    let report = reported(invoke(STOP, &app).await);
    assert_eq!((report.deliveries.queued, report.operational), (1, 1), "{report:?}");
    let told = app.transport.taken("topic").pop().unwrap().text;
    assert!(told.contains("offlimits itself needs attention") && told.contains("other"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_gone_from_the_rules_buries_its_deliveries() {
    let before = app(RULES);
    before.transport.script("soc", |_, _| Act::Dead);
    reported(invoke(STOP, &before).await);
    let message = before.queues.take();
    let after = app(&RULES.replace("soc", "security"));
    let handled = invoke(&message, &after).await;
    let report = reported(handled);
    assert_eq!((report.deliveries.dead, report.operational), (1, 1));
    assert!(dead(&after)[0]["reason"].as_str().unwrap().contains("no channel of this name"));
    let told = after.transport.taken("topic").pop().unwrap().text;
    assert!(told.contains("needs attention") && told.contains("soc") && told.contains("no channel"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn the_sums_of_a_channel_that_is_gone_are_made_before_they_are_buried() {
    let store = SlowStore::new(Duration::ZERO);
    let before = app_on(RULES, store.clone());
    for number in 0..4 {
        invoke(&STOP.replace("\"eventID\": \"", &format!("\"eventID\": \"{number}")), &before).await;
    }
    let after = app_on(&RULES.replace("soc", "security"), store);
    tokio::time::sleep(MINUTE).await;
    before.queues.take_all().into_iter().for_each(|message| after.queues.put(message));
    let report = redeliver_until(&after, 30 * MINUTE).await;
    // The own topic's roll-up, and that of the channel that is gone.
    assert_eq!((report.deliveries.delivered, report.deliveries.dead, after.queues.waiting()), (1, 1, 0), "{report:?}");
    let letter = &dead(&after)[0];
    let text = letter["task"]["deliver"]["body"].to_string();
    assert!(letter["channel"] == "soc" && text.contains("and 3 more"), "{letter}");
}

#[tokio::test(start_paused = true)]
async fn what_nobody_knows_in_the_redelivery_queue_is_buried_with_its_reason() {
    let app = app(RULES);
    let strays = [r#"{"offlimits":"test"}"#, r#"{"Records":[{"eventSource":"aws:s3","s3":{}}]}"#];
    let bodies = strays.map(str::to_owned);
    let handled = invoke(&sqs_event(&bodies), &app).await;
    assert_eq!((handled.report.ignored, handled.answer), (2, Ok(Response::Batch(Vec::new()))));
    let letters = dead(&app);
    let found: Vec<&str> = letters.iter().map(|letter| letter["stray"].as_str().unwrap()).collect();
    assert_eq!(found, strays);
    assert!(letters.iter().all(|letter| letter["reason"].as_str().unwrap().contains("no delivery")), "{letters:?}");
    // Sent through again, it is buried again, and no deeper.
    assert_eq!(app.queues.redrive(), 2);
    redeliver(&app).await;
    assert_eq!(dead(&app), letters);
    // What the dead letters do not take stays where it is.
    app.queues.refuses.store(true, Ordering::Relaxed);
    let failed = ["0", "1"].map(str::to_owned).to_vec();
    assert_eq!(invoke(&sqs_event(&bodies), &app).await.answer, Ok(Response::Batch(failed)));
    // Another queue's are nobody's.
    app.queues.refuses.store(false, Ordering::Relaxed);
    let other = sqs_event(&bodies).replace(REDELIVERY_ARN, "arn:aws:sqs:us-east-1:123456789012:another");
    invoke(&other, &app).await;
    assert_eq!(dead(&app).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_roll_up_follows_the_window_although_no_further_event_comes() {
    let app = app(RULES);
    for number in 0..300 {
        let event = STOP.replace("\"eventID\": \"", &format!("\"eventID\": \"{number}"));
        invoke(&event, &app).await;
    }
    assert_eq!((app.transport.taken("soc").len(), app.queues.waiting()), (1, 2));
    let report = redeliver_until(&app, 10 * MINUTE).await;
    assert_eq!((report.deliveries.roll_ups, report.deliveries.delivered), (2, 2));
    let [_, roll_up] = &app.transport.taken("soc")[..] else { panic!() };
    assert!(roll_up.text.contains("and 299 more"), "{}", roll_up.text);
    assert_eq!(roll_up.at.as_secs(), 360);
}

#[tokio::test(start_paused = true)]
async fn a_roll_up_that_comes_before_its_first_alert_tells_of_it() {
    let app = app(RULES);
    app.transport.script("soc", |number, _| if number == 1 { Act::Status(429, Some(3600)) } else { Act::Take });
    for number in 0..3 {
        invoke(&STOP.replace("\"eventID\": \"", &format!("\"eventID\": \"{number}")), &app).await;
    }
    redeliver_until(&app, 90 * MINUTE).await;
    let [roll_up, first] = &app.transport.taken("soc")[..] else { panic!("{:?}", app.transport.taken("soc")) };
    assert_eq!((roll_up.at.as_secs(), first.at.as_secs()), (360, 3600));
    let sentence = "called StopLogging on ";
    assert!(roll_up.text.contains("and 2 more") && roll_up.text.contains("2 more like the first"), "{}", roll_up.text);
    assert!(roll_up.text.contains("The first: ") && roll_up.text.contains(sentence), "{}", roll_up.text);
    assert!(first.text.contains(sentence) && !first.text.contains("more"), "{}", first.text);
}

#[tokio::test(start_paused = true)]
async fn too_many_alerts_become_a_digest_and_the_worst_still_goes_out() {
    let app = app(r#"{ "channels": { "soc": { "type": "slack", "max_per_minute": 5 } }, "rules": [
            { "id": "MANY", "title": "t", "severity": "low", "throttle": "off", "when": { "event": { "is": "StopLogging" } },
              "severity_when": [{ "severity": "extreme", "when": { "user_agent": "worst" } }] }] }"#);
    let mut digested = 0;
    for number in 0..100 {
        let event = STOP.replace("\"eventID\": \"", &format!("\"eventID\": \"{number}"));
        digested += reported(invoke(&event, &app).await).deliveries.digested;
    }
    assert_eq!((digested, app.transport.taken("soc").len()), (95, 5));
    let worst = STOP.replace("\"userAgent\": \"", "\"userAgent\": \"worst");
    assert_eq!(reported(invoke(&worst, &app).await).deliveries.delivered, 1);
    let report = redeliver_until(&app, 3 * MINUTE).await;
    assert_eq!((report.deliveries.roll_ups, report.deliveries.delivered), (1, 1));
    let digest = app.transport.taken("soc").pop().unwrap();
    assert!(digest.text.contains("95 alerts"), "{}", digest.text);
}

/// The messages that a channel took in each minute, and the findings that they tell of.
fn by_minute(app: &TestApp) -> (BTreeMap<u64, usize>, u64) {
    let (mut minutes, mut told) = (BTreeMap::new(), 0);
    for taken in app.transport.taken("soc") {
        // It all begins at 11:32:44.
        *minutes.entry((taken.at.as_secs() + 44) / 60).or_default() += 1;
        let number = |before: &str, after: &str| {
            let text = &taken.text[..taken.text.find(after)?];
            text.rsplit(before).next()?.parse::<u64>().ok()
        };
        told += number("LOW: ", " alerts in one").or_else(|| number(": and ", " more")).unwrap_or(1);
    }
    (minutes, told)
}

#[tokio::test(start_paused = true)]
async fn what_failed_together_is_no_storm_when_its_vendor_is_well_again() {
    let app = app(r#"{ "channels": { "soc": { "type": "slack", "max_per_minute": 5 } }, "rules": [
            { "id": "MANY", "title": "t", "severity": "low", "throttle": "off", "when": { "event": { "is": "StopLogging" } } }] }"#);
    app.transport.script("soc", |_, at| if at < 180 * MINUTE { Act::Dead } else { Act::Take });
    let mut report = InvocationReport::default();
    for number in 0..360 {
        let event = STOP.replace("\"eventID\": \"", &format!("\"eventID\": \"{number}"));
        report += &reported(invoke(&event, &app).await);
        report += &redeliver_until(&app, MINUTE / 2 * (number + 1)).await;
    }
    report += &redeliver_until(&app, 300 * MINUTE).await;
    let (minutes, told) = by_minute(&app);
    assert_eq!((told, app.queues.waiting(), dead(&app).len()), (360, 0, 0), "{report:?}");
    // Those, and a digest.
    assert!(minutes.values().all(|count| *count <= 6), "{minutes:?}");
    assert!(report.deliveries.digested > 30, "the vendor would have been stormed: {report:?}");
    // What is a digest is sent, and remembered as done.
    assert_eq!(
        reported(invoke(&STOP.replace("\"eventID\": \"", "\"eventID\": \"7"), &app).await).deliveries.duplicate,
        1
    );
}

#[tokio::test(start_paused = true)]
async fn roll_ups_are_no_storm_and_what_people_send_through_again_is_sent() {
    let app = app(r#"{ "channels": { "soc": { "type": "slack", "max_per_minute": 5 } }, "rules": [
            { "id": "MANY", "title": "t", "severity": "low", "throttle": { "window": "5m", "by": ["source_ip"] },
              "when": { "event": { "is": "StopLogging" } } }] }"#);
    for number in 0..40 {
        let event = STOP.replace("\"eventID\": \"", &format!("\"eventID\": \"{number}"));
        let event = event.replace("\"sourceIPAddress\": \"", &format!("\"sourceIPAddress\": \"{}", number % 20));
        invoke(&event, &app).await;
    }
    let report = redeliver_until(&app, 20 * MINUTE).await;
    let (minutes, told) = by_minute(&app);
    // Of 20 groups: five first alerts and a digest of the others; five roll-ups of one, and a digest of the others.
    assert_eq!((minutes.values().sum::<usize>(), told, report.deliveries.digested), (12, 40, 15), "{minutes:?}");

    app.transport.script("soc", |_, at| if at < 30 * MINUTE { Act::Status(400, None) } else { Act::Take });
    for number in 0..9 {
        tokio::time::sleep(MINUTE).await;
        let event = STOP.replace("\"eventID\": \"", &format!("\"eventID\": \"again{number}"));
        invoke(&event.replace("\"sourceIPAddress\": \"", &format!("\"sourceIPAddress\": \"again{number}")), &app).await;
    }
    tokio::time::sleep(2 * MINUTE).await;
    assert_eq!(app.queues.redrive(), 9);
    assert_eq!(redeliver(&app).await.deliveries.delivered, 9);
}
