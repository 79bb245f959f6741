//! Decoys: calls that somebody makes so that the one which matters is taken for a repeat of them.

use std::time::Duration;

use offlimits::cloudtrail::{RawRecord, envelope};
use offlimits::rules::TestEvent;
use offlimits::ruleset::{PackError, RuleSet, Sources};
use offlimits::time::Timestamp;
use serde_json::{Value, json};

use super::outside::{Taken, TestApp, app, invoke, redeliver_until};

const MINUTE: Duration = Duration::from_mins(1);

fn rules(rule: &Value) -> String {
    let mut one = json!({
        "id": "TRAIL", "title": "{event} by {actor}", "severity": "high", "when": { "event": { "is": "DeleteTrail" } },
    });
    one.as_object_mut().unwrap().extend(rule.as_object().unwrap().clone());
    json!({ "channels": { "soc": { "type": "slack" } }, "rules": [one] }).to_string()
}

/// `DeleteTrail` on a trail of this name, by a session of one role; it failed if there is an error.
fn delete(trail: &str, session: &str, error: Option<&str>) -> String {
    json!({
        "eventID": format!("{trail}/{session}/{error:?}"), "eventName": "DeleteTrail", "eventSource": "cloudtrail.amazonaws.com",
        "eventTime": "2026-01-10T11:32:44Z", "recipientAccountId": "123456789012", "errorCode": error,
        "userIdentity": { "type": "AssumedRole", "arn": format!("arn:aws:sts::123456789012:assumed-role/Admin/{session}") },
        "requestParameters": { "trailName": trail },
    })
    .to_string()
}

const NOT_FOUND: Option<&str> = Some("TrailNotFoundException");

fn taken(app: &TestApp) -> Vec<Taken> {
    app.transport.taken("soc")
}

/// What people got at once, and then the roll-ups of the windows.
async fn told(app: &TestApp) -> (Vec<String>, Vec<String>) {
    let at_once = taken(app).len();
    redeliver_until(app, 120 * MINUTE).await;
    let mut texts: Vec<String> = taken(app).into_iter().map(|taken| taken.text).collect();
    let sums = texts.split_off(at_once);
    (texts, sums)
}

#[tokio::test(start_paused = true)]
async fn a_failed_decoy_hides_no_success_whatever_the_throttle_goes_by() {
    for rule in [
        json!({}),
        json!({ "throttle": { "window": "5m" } }),
        json!({ "throttle": { "window": "1h", "by": ["account"] } }),
        json!({ "throttle": { "window": "1h", "by": ["actor", "event"] } }),
        json!({ "severity": "low", "throttle": { "window": "1h", "by": ["role"] } }),
    ] {
        let app = app(&rules(&rule));
        invoke(&delete("no-such-trail", "eve", NOT_FOUND), &app).await;
        invoke(&delete("no-such-trail", "eve", Some("AccessDenied")), &app).await;
        invoke(&delete("org-trail", "eve", None), &app).await;
        let (at_once, _) = told(&app).await;
        let named: Vec<&String> = at_once.iter().filter(|text| text.contains("org-trail")).collect();
        assert!(named.len() == 1 && named[0].contains("allowed"), "{rule}: {at_once:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_name_of_a_session_opens_no_alert_of_its_own() {
    let app = app(&rules(&json!({})));
    for session in 0..40 {
        invoke(&delete("org-trail", &format!("session{session}"), None), &app).await;
    }
    let (at_once, sums) = told(&app).await;
    assert_eq!((at_once.len(), sums.len()), (1, 1), "{at_once:?}");
    assert!(sums[0].contains("and 39 more"), "{}", sums[0]);
}

#[tokio::test(start_paused = true)]
async fn three_new_targets_go_out_and_the_rest_are_named_in_the_roll_up() {
    for (severity, messages) in [("high", 4), ("medium", 1)] {
        let app = app(&rules(&json!({ "severity": severity })));
        for number in 0..30 {
            for session in ["eve", "adam"] {
                invoke(&delete(&format!("trail-{number:02}."), session, None), &app).await;
            }
        }
        let (at_once, sums) = told(&app).await;
        assert_eq!((at_once.len(), sums.len()), (messages, 1), "{severity}: {at_once:?}");
        for (number, text) in at_once.iter().enumerate() {
            assert!(text.contains(&format!("on trail-{number:02}.:")), "{text}");
        }
        // The second call on each is held back, also on those that went out.
        let named = sums[0].split("succeeded: ").nth(1).and_then(|rest| rest.split(" +").next()).unwrap_or_default();
        assert_eq!(named.split(", ").count(), 20, "{severity}: {}", sums[0]);
        assert!(sums[0].contains("trail-19. +10"), "{severity}: {}", sums[0]);
    }
}

#[tokio::test(start_paused = true)]
async fn of_5000_targets_in_a_minute_the_one_that_succeeds_is_named_in_at_most_five_messages_and_a_roll_up() {
    for (rule, which) in [
        (json!({}), 4711),
        (json!({}), 0),
        (json!({ "throttle": { "window": "5m", "by": ["role", "event"] } }), 4711),
        (json!({ "throttle": { "window": "5m", "by": ["role", "event"] } }), 2),
        (json!({ "severity_when": [{ "severity": "low", "when": { "outcome": "failure" } }] }), 4711),
    ] {
        let app = app(&rules(&rule));
        for number in 0..5000 {
            let error = if number == which { None } else { NOT_FOUND };
            invoke(&delete(&format!("trail-{number:04}."), &format!("session{number}"), error), &app).await;
            if number % 100 == 0 {
                tokio::time::sleep(MINUTE / 50).await;
            }
        }
        let (at_once, sums) = told(&app).await;
        println!("{rule}, the {which}th succeeds: {} messages at once, {} roll-ups", at_once.len(), sums.len());
        assert!(at_once.len() <= 5 && sums.len() == 1, "{rule} {which}: {} and {}", at_once.len(), sums.len());
        let name = format!("trail-{which:04}.");
        assert!(at_once.iter().any(|text| text.contains(&name) && text.contains("allowed")), "{rule}: {at_once:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn new_targets_wait_where_the_rule_says_so() {
    let app = app(&rules(&json!({ "throttle": { "window": "15m", "by": ["role"], "new_targets": "wait" } })));
    for number in 0..30 {
        invoke(&delete(&format!("trail-{number}"), "eve", None), &app).await;
    }
    let (at_once, sums) = told(&app).await;
    assert_eq!((at_once.len(), sums.len()), (1, 1), "{at_once:?}");
}

/// Every rule of the packs, as if all of them alerted.
fn packs() -> RuleSet {
    let folder = std::fs::read_dir(crate::support::repository("packs")).unwrap();
    let mut names: Vec<String> =
        folder.map(|entry| format!("packs/{}", entry.unwrap().file_name().to_str().unwrap())).collect();
    names.sort();
    let include: Vec<Value> =
        names.iter().map(|name| json!({ "pack": name, "overrides": { "*": { "mode": "alert" } } })).collect();
    let channels = json!({ "topic": { "type": "sns", "max_per_minute": 10_000 } });
    let root = json!({ "channels": channels, "include": include }).to_string();
    let sources = Sources::gather(&root, |name| {
        std::fs::read_to_string(crate::support::repository(name)).map_err(PackError::new)
    });
    let sources = sources.with_countries(|| Ok(crate::support::mmdb::countries(&[("2.125.160.0/20", "GB")])));
    RuleSet::compile_sources(&sources.unwrap()).unwrap_or_else(|found| panic!("{found:#?}")).rules
}

/// Of each rule of the packs: what it is meant to find is tried in vain first, on something else, and then it succeeds.
#[tokio::test(start_paused = true)]
async fn no_rule_of_the_packs_is_silenced_by_a_call_that_fails() {
    let mut app = app(&rules(&json!({})));
    app.rules = packs();
    let mut cases = Vec::new();
    for rule in app.rules.rules().iter().filter(|rule| rule.threshold.is_none()) {
        for test in rule.tests.iter().filter(|test| test.expect) {
            let TestEvent::Inline(event) = &test.event else { continue };
            let record: Value = serde_json::from_str(&envelope::open(event).records[0].json).unwrap();
            cases.push((rule.info.id.clone(), test.name.clone(), record));
        }
    }
    // Whether the call failed, where the rule finds it.
    let found = |rules: &RuleSet, id: &str, record: &Value| {
        let raw = RawRecord { json: record.to_string(), index: 0, message_id: None, account: None };
        let found = rules.evaluate(&raw).unwrap().into_iter().find(|finding| finding.rule.id == id);
        found.map(|finding| finding.call.failed)
    };
    let mut tried = std::collections::BTreeSet::new();
    for (number, (id, name, record)) in (0_u64..).zip(cases) {
        // Each in windows of its own.
        tokio::time::sleep(Duration::from_hours(25)).await;
        let call = |event: &str, error: Option<&str>| {
            let mut call = record.clone();
            let time = Timestamp::from_millis(1_768_044_764_000 + number * 90_000_000).to_string();
            call["eventID"] = json!(format!("{event}-{number}"));
            call["eventTime"] = json!(time);
            call["recipientAccountId"] = json!("123456789012");
            call["errorCode"] = json!(error);
            if error.is_none() {
                call["errorMessage"] = Value::Null;
            }
            call
        };
        let (decoy, success) = (call("decoy", Some("AccessDenied")), call("success", None));
        // Some rules find only what fails, and some only what succeeds.
        if [&decoy, &success].map(|call| found(&app.rules, &id, call)) != [Some(true), Some(false)] {
            continue;
        }
        tried.insert(id.clone());
        for payload in [&decoy, &success] {
            assert!(invoke(&payload.to_string(), &app).await.answer.is_ok());
        }
        // By itself, or in the message of another finding of the call.
        let is_told = app.transport.taken("topic").iter().any(|taken| {
            let texts: Value = serde_json::from_str(&taken.text).unwrap();
            let told: Value = serde_json::from_str(texts["sqs"].as_str().unwrap()).unwrap();
            let mut rules = told["also"].as_array().into_iter().flatten().chain([&told]).map(|told| &told["rule"]);
            told["event_id"] == format!("success-{number}") && rules.any(|rule| *rule == id)
        });
        assert!(is_told, "{id}: {name}: nobody is told at once of the call that succeeds");
    }
    assert!(tried.len() >= 75, "{}: {tried:?}", tried.len());
}

/// Where the success comes in a window in which one was told before, it is named in the roll-up, before the failures.
#[tokio::test(start_paused = true)]
async fn a_roll_up_and_a_digest_name_what_succeeded_first() {
    let throttled = rules(&json!({ "severity": "medium", "throttle": { "window": "5m", "by": ["event"] } }));
    let digested = rules(&json!({ "severity": "medium", "throttle": "off" }));
    let digested = digested.replace(r#""type":"slack""#, r#""type":"slack","max_per_minute":1"#);
    for rules in [throttled, digested] {
        let app = app(&rules);
        invoke(&delete("decoy", "eve", None), &app).await;
        for number in 0..50 {
            invoke(&delete(&format!("trail-{number:02}"), "eve", NOT_FOUND), &app).await;
        }
        invoke(&delete("org-trail", "eve", None), &app).await;
        let (at_once, sums) = told(&app).await;
        assert_eq!((at_once.len(), sums.len()), (1, 1), "{at_once:?} {sums:?}");
        assert!(sums[0].contains("succeeded: org-trail; failed: trail-00, trail-01"), "{}", sums[0]);
    }
}
