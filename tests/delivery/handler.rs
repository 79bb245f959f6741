//! One invocation: what is sent, what is answered, and that the sums hold.

use std::sync::atomic::Ordering;
use std::time::Duration;

use offlimits::handler::{HandleError, Handled, InvocationReport, Response};
use offlimits::ledger::{ItemKey, Put, Store, StoreError, StoredItem, Written};
use offlimits::time::Timestamp;

use super::outside::{Act, TestApp, app, app_on, invoke, sqs_event};

pub(crate) const RULES: &str = r#"{
  "channels": { "topic": { "type": "sns" }, "soc": { "type": "slack", "min_severity": "medium" } },
  "rules": [
    { "id": "STOP", "title": "t", "severity": "very-high", "when": { "event": { "is": "StopLogging" } } },
    { "id": "LOW", "title": "t", "severity": "low", "notify": ["soc"], "when": { "event": { "is": "StopLogging" } } },
    { "id": "STAGED", "title": "t", "severity": "high", "mode": "stage", "when": { "event": { "is": "StopLogging" } } },
    { "id": "SECRET", "title": "t", "severity": "high", "throttle": "off", "when": { "event": { "is": "GetSecretValue" } } }
  ]
}"#;

pub(crate) const STOP: &str = include_str!("../../events/stop-logging.json");

pub(crate) fn reported(handled: Handled) -> InvocationReport {
    let Ok(Response::Report(report)) = handled.answer else { panic!("{handled:?}") };
    report
}

fn acknowledged(app: &TestApp, channel: &str) -> usize {
    app.transport.taken(channel).iter().filter(|taken| taken.acknowledged).count()
}

/// Without queues: a small deployment, `make invoke`.
fn bare() -> TestApp {
    let mut app = app(RULES);
    app.queues.is_there = false;
    app
}

#[tokio::test(start_paused = true)]
async fn every_finding_and_delivery_is_accounted_for() {
    let app = app(RULES);
    let report = reported(invoke(STOP, &app).await);
    let f = &report.findings;
    assert_eq!((f.total, f.staged, f.unrouted, f.own, f.routed), (3, 1, 1, 0, 1));
    assert_eq!((report.deliveries.routed, report.deliveries.delivered), (2, 2));
    assert_eq!((acknowledged(&app, "topic"), acknowledged(&app, "soc")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn without_a_queue_a_channel_that_is_down_fails_the_invocation_and_keeps_nothing_from_another() {
    let app = bare();
    app.transport.script("soc", |_, at| if at < Duration::from_mins(1) { Act::Dead } else { Act::Take });
    let error = invoke(STOP, &app).await.answer.unwrap_err();
    assert_eq!(error, HandleError::Undelivered { failed: 1, channels: vec!["soc".to_owned()] });
    assert_eq!((acknowledged(&app, "topic"), app.transport.taken("topic")[0].at), (1, Duration::ZERO));
    // Lambda tries again: what had arrived does not arrive twice.
    tokio::time::sleep(Duration::from_mins(1)).await;
    let report = reported(invoke(STOP, &app).await);
    assert_eq!((report.deliveries.delivered, report.deliveries.duplicate), (1, 1));
    assert_eq!((acknowledged(&app, "topic"), acknowledged(&app, "soc")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_takes_nothing_fails_the_invocation() {
    let app = app(RULES);
    app.queues.refuses.store(true, Ordering::Relaxed);
    for (act, what) in [(Act::Dead, "down"), (Act::Status(400, None), "rejects")] {
        app.transport.script("soc", move |_, _| act);
        let handled = invoke(STOP, &app).await;
        assert!(matches!(handled.answer, Err(HandleError::Undelivered { failed: 1, .. })), "{what}: {handled:?}");
    }
    app.queues.refuses.store(false, Ordering::Relaxed);
    app.transport.script("soc", |_, _| Act::Take);
    assert_eq!(reported(invoke(STOP, &app).await).deliveries.delivered, 1);
}

#[tokio::test(start_paused = true)]
async fn a_repeat_whose_roll_up_cannot_be_ordered_goes_out() {
    let app = app(RULES);
    assert_eq!(reported(invoke(STOP, &app).await).deliveries.delivered, 2);
    app.queues.refuses.store(true, Ordering::Relaxed);
    for number in 0..2 {
        let repeat = STOP.replace("\"eventID\": \"", &format!("\"eventID\": \"{number}"));
        assert_eq!(reported(invoke(&repeat, &app).await).deliveries.delivered, 2);
        // It is done with, though nobody had claimed it.
        assert_eq!(reported(invoke(&repeat, &app).await).deliveries.duplicate, 2);
    }
    assert_eq!(acknowledged(&app, "soc"), 3);
    // The queue is well again, and the next one is held back for its roll-up.
    app.queues.refuses.store(false, Ordering::Relaxed);
    let repeat = STOP.replace("\"eventID\": \"", "\"eventID\": \"last");
    assert_eq!(reported(invoke(&repeat, &app).await).deliveries.throttled, 2);
}

#[tokio::test(start_paused = true)]
async fn a_batch_of_messages_is_answered_in_parts() {
    let bodies = [STOP, "{oops", "{}"].map(str::to_owned);
    assert_eq!(invoke(&sqs_event(&bodies), &bare()).await.answer, Ok(Response::Batch(vec!["1".to_owned()])));
    let app = bare();
    app.transport.script("soc", |_, _| Act::Status(400, None));
    let failed = ["0", "1"].map(str::to_owned).to_vec();
    assert_eq!(invoke(&sqs_event(&bodies), &app).await.answer, Ok(Response::Batch(failed)));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_an_error_and_what_is_not_cloudtrails_is_not() {
    for payload in ["", "{", "null", "7", r#"{"Records":{}}"#, r#"{"offlimits":"delivery"}"#] {
        assert_eq!(invoke(payload, &app(RULES)).await.answer, Err(HandleError::Unreadable(1)), "{payload}");
    }
    let other = reported(invoke(include_str!("../../events/ec2-state-change.json"), &app(RULES)).await);
    assert_eq!((other.records, other.ignored), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_test_alert_goes_to_every_channel_and_tells_each_verdict() {
    let app = app(RULES);
    let Ok(Response::Test { test }) = invoke(r#"{"offlimits":"test"}"#, &app).await.answer else { panic!("no report") };
    assert_eq!(test.iter().map(|report| report.verdict.as_str()).collect::<Vec<_>>(), ["delivered", "delivered"]);
    app.transport.script("soc", |_, _| Act::Status(400, None));
    let Ok(Response::Test { test }) = invoke(r#"{"offlimits":"test"}"#, &app).await.answer else { panic!("no report") };
    assert_eq!((test[1].channel.as_str(), test[1].verdict.as_str()), ("soc", "rejected: HTTP 400"));
    assert_eq!(app.queues.waiting() + app.queues.dead.lock().unwrap().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn our_own_calls_are_counted_and_others_by_our_role_are_alerted() {
    let call = |role: &str, session: &str, secret: &str| {
        serde_json::json!({
            "eventName": "GetSecretValue", "eventSource": "secretsmanager.amazonaws.com", "eventID": secret,
            "userAgent": OUR_AGENT, "sourceIPAddress": "198.51.100.7",
            "userIdentity": { "type": "AssumedRole", "arn": format!("arn:aws:sts::123456789012:assumed-role/{role}/{session}") },
            "requestParameters": { "secretId": format!("arn:aws:secretsmanager:us-east-1:123456789012:secret:{secret}") }
        })
        .to_string()
    };
    assert_eq!(reported(invoke(&call("offlimits-role", "offlimits", "offlimits"), &app(RULES)).await).findings.own, 1);
    for other in [
        call("offlimits-role", "offlimits", "another"),
        call("offlimits-role", "somebody", "offlimits"),
        call("another-role", "offlimits", "offlimits"),
    ] {
        assert_eq!(reported(invoke(&other, &app(RULES)).await).findings.routed, 1, "{other}");
    }
}

/// What AWS's SDK for Rust says of itself on Lambda.
const OUR_AGENT: &str = "aws-sdk-rust/1.3.14 ua/2.1 api/secretsmanager/1.98.0 os/linux lang/rust/1.95.0 exec-env/AWS_Lambda_provided.al2023";

/// Whoever stole the function's session is seen, and an alert about our own role's calls calls for no more of them: there is
/// one in 15 minutes for each action, whatever the rule's throttle says.
#[tokio::test(start_paused = true)]
async fn a_thief_with_our_session_is_told_of_once_in_15_minutes_for_each_action() {
    let rules = r#"{ "channels": { "topic": { "type": "sns" } }, "rules": [
        { "id": "ANY", "title": "t", "severity": "high", "throttle": "off", "when": { "event": { "exists": true } } },
        { "id": "TOO", "title": "t", "severity": "high", "when": { "event": { "exists": true } } }] }"#;
    let app = app(rules);
    let call = |event: &str, id: &str, agent: &str, error: Option<&str>| {
        serde_json::json!({
            "eventName": event, "eventSource": "secretsmanager.amazonaws.com", "eventID": id, "userAgent": agent,
            "sourceIPAddress": "198.51.100.7", "errorCode": error,
            "userIdentity": { "type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/offlimits-role/offlimits" },
            "requestParameters": { "secretId": "arn:aws:secretsmanager:us-east-1:123456789012:secret:offlimits" }
        })
        .to_string()
    };
    let denied = Some("AccessDeniedException");
    let report = reported(invoke(&call("GetSecretValue", "0", OUR_AGENT, None), &app).await);
    assert_eq!((report.findings.own, report.findings.routed), (2, 0));
    let mut sent = Vec::new();
    for (event, id, agent, error) in [
        ("GetSecretValue", "1", "aws-cli/2.32.3 md/kali", None),
        ("GetSecretValue", "2", "Boto3/1.40.1", None),
        ("GetSecretValue", "3", OUR_AGENT, denied),
        ("ListSecrets", "4", "aws-cli/2.32.3 md/kali", denied),
        ("ListSecrets", "5", "aws-cli/2.32.3 md/kali", denied),
    ] {
        let report = reported(invoke(&call(event, id, agent, error), &app).await);
        assert_eq!((report.findings.own, report.findings.routed), (0, 2), "{event} {id}");
        sent.push(report.deliveries.delivered);
    }
    assert_eq!(sent, [1, 0, 0, 1, 0]);
    tokio::time::sleep(Duration::from_secs(15 * 60 + 1)).await;
    let report = reported(invoke(&call("GetSecretValue", "6", "Boto3/1.40.1", None), &app).await);
    assert_eq!(report.deliveries.delivered, 1);
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_does_not_answer_holds_nothing_back() {
    let app = app_on(RULES, Broken(Duration::ZERO));
    for _ in 0..2 {
        let report = reported(invoke(STOP, &app).await);
        assert_eq!(report.deliveries.delivered, 2);
        assert!(report.ledger_faults >= 4, "{report:?}");
    }
    assert_eq!((app.transport.taken("topic").len(), app.transport.taken("soc").len()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn the_secret_is_read_while_the_ledger_is_asked_and_nobody_waits_who_needs_none() {
    let mut slow = app_on(RULES, Broken(Duration::from_secs(3)));
    slow.transport.secret_takes = Duration::from_secs(3);
    invoke(STOP, &slow).await;
    assert_eq!(slow.transport.taken("soc")[0].at.as_secs(), 3);
    // Duplicates: whether the secret can be read is nothing to them.
    let mut app = app(RULES);
    invoke(STOP, &app).await;
    app.transport.secret_takes = Duration::from_hours(1);
    *app.transport.secret_is_read.lock().await = false;
    let begun = tokio::time::Instant::now();
    assert_eq!(reported(invoke(STOP, &app).await).deliveries.duplicate, 2);
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_threshold_alerts_from_its_count_on_and_the_first_of_them_only() {
    let rules = r#"{ "rules": [{ "id": "GUESS", "title": "t", "severity": "high", "when": { "event": "ConsoleLogin" },
        "threshold": { "count": 3, "window": "10m", "by": ["source_ip"], "distinct": "userIdentity.userName" } }] }"#;
    let app = app(rules);
    let sign_in = |user: &str, ip: &str, id: &str| {
        serde_json::json!({
            "eventName": "ConsoleLogin", "eventSource": "signin.amazonaws.com", "eventTime": "2026-01-10T11:32:44Z",
            "eventID": id, "sourceIPAddress": ip, "userIdentity": { "type": "IAMUser", "userName": user }
        })
        .to_string()
    };
    let mut below = Vec::new();
    for (user, ip, id) in [
        ("a", "1", "1"),
        ("a", "1", "2"),
        ("b", "1", "3"),
        ("c", "2", "4"),
        ("c", "1", "5"),
        ("d", "1", "6"),
        ("a", "1", "1"),
    ] {
        below.push(reported(invoke(&sign_in(user, ip, id), &app).await).findings.below_threshold);
    }
    assert_eq!(below, [1, 1, 1, 1, 0, 0, 0]);
    assert_eq!(app.transport.taken("topic").len(), 1);
}

/// A store that does not answer, after so long.
pub(crate) struct Broken(pub(crate) Duration);

impl Broken {
    async fn fail<T>(&self) -> Result<T, StoreError> {
        tokio::time::sleep(self.0).await;
        Err(StoreError("no answer".to_owned()))
    }
}

impl Store for Broken {
    async fn get(&self, _: &[ItemKey]) -> Result<Vec<Option<StoredItem>>, StoreError> {
        self.fail().await
    }
    async fn write(&self, _: Vec<Put>) -> Result<Written, StoreError> {
        self.fail().await
    }
    async fn count(&self, _: ItemKey, _: Timestamp) -> Result<u64, StoreError> {
        self.fail().await
    }
    async fn query(
        &self,
        _: &str,
        _: (&str, &str),
        _: bool,
        _: usize,
    ) -> Result<Vec<(String, StoredItem)>, StoreError> {
        self.fail().await
    }
}
