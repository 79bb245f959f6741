//! The real handler, with an outside that fails by script: what is sent, what is answered, and that the sums hold.

#![allow(clippy::unwrap_used, clippy::too_many_lines, reason = "a test may panic, and a table may be long")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use offlimits::channel::{Reply, Request};
use offlimits::deliver::{Tokens, Transport};
use offlimits::handler::{App, HandleError, OwnCalls, Response, Summary, handle};
use offlimits::ledger::MemoryLedger;
use offlimits::rules::RuleSet;
use offlimits::secret::Credentials;
use tokio::time::Instant;

const RULES: &str = r#"{
  "channels": { "topic": { "type": "sns" }, "soc": { "type": "slack", "min_severity": "medium" } },
  "rules": [
    { "id": "STOP", "title": "t", "severity": "very-high", "when": { "event": { "is": "StopLogging" } } },
    { "id": "LOW", "title": "t", "severity": "low", "notify": ["soc"], "when": { "event": { "is": "StopLogging" } } },
    { "id": "STAGED", "title": "t", "severity": "high", "mode": "stage", "when": { "event": { "is": "StopLogging" } } },
    { "id": "SECRET", "title": "t", "severity": "high", "when": { "event": { "is": "GetSecretValue" } } }
  ]
}"#;

#[derive(Default)]
struct Outside {
    /// How Slack answers: 200 unless it says otherwise.
    slack: Mutex<Option<u16>>,
    sent: Mutex<HashMap<&'static str, usize>>,
}

impl Transport for Outside {
    async fn send(&self, request: Request, _: Duration) -> Reply {
        let (kind, reply) = match request {
            Request::Sns { .. } => ("sns", Reply::Published("id".to_owned())),
            Request::Http { .. } => {
                let status = self.slack.lock().unwrap().unwrap_or(200);
                (
                    "slack",
                    Reply::Http { status, retry_after: None, body: if status == 200 { "ok" } else { "" }.to_owned() },
                )
            }
        };
        if !matches!(reply, Reply::Http { status: 201.., .. }) {
            *self.sent.lock().unwrap().entry(kind).or_default() += 1;
        }
        reply
    }

    async fn credentials(&self, _: bool) -> Result<Arc<Credentials>, String> {
        Ok(Arc::new(Credentials::parse(r#"{"soc":{"webhook_url":"https://hooks.slack.com/services/x"}}"#).unwrap()))
    }

    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }
}

fn app() -> App<Outside> {
    let own = OwnCalls {
        role_arn: Some("arn:aws:iam::123456789012:role/path/offlimits-role".to_owned()),
        function_name: Some("offlimits".to_owned()),
        topic_arn: None,
        secret_arn: Some("arn:aws:secretsmanager:us-east-1:123456789012:secret:offlimits".to_owned()),
    };
    App {
        rules: RuleSet::compile(RULES).unwrap().rules,
        transport: Outside::default(),
        tokens: Tokens::default(),
        ledger: MemoryLedger::default(),
        own,
    }
}

async fn run(payload: &str, app: &App<Outside>) -> Result<Response, HandleError> {
    handle(payload, Instant::now() + Duration::from_secs(10), "2026-01-10T11:32:44Z", app).await
}

fn summary(result: Result<Response, HandleError>) -> Summary {
    let Ok(Response::Summary(summary)) = result else { panic!("{result:?}") };
    assert!(summary.adds_up(), "{summary:?}");
    summary
}

fn sent(app: &App<Outside>, kind: &str) -> usize {
    app.transport.sent.lock().unwrap().get(kind).copied().unwrap_or_default()
}

const STOP: &str = include_str!("../events/stop-logging.json");

#[tokio::test(start_paused = true)]
async fn every_finding_and_delivery_is_accounted_for() {
    let app = app();
    let summary = summary(run(STOP, &app).await);
    let f = &summary.findings;
    assert_eq!((f.total, f.staged, f.unrouted, f.own, f.routed), (3, 1, 1, 0, 1));
    assert_eq!((summary.deliveries.total, summary.deliveries.delivered), (2, 2));
    assert_eq!((sent(&app, "sns"), sent(&app, "slack")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_down_fails_the_invocation_and_keeps_nothing_from_another() {
    let app = app();
    *app.transport.slack.lock().unwrap() = Some(500);
    let error = run(STOP, &app).await.unwrap_err();
    assert_eq!(error, HandleError::Undelivered { failed: 1, channels: vec!["soc".to_owned()] });
    assert_eq!(sent(&app, "sns"), 1);
    // Lambda tries again: what had arrived does not arrive twice.
    *app.transport.slack.lock().unwrap() = None;
    let summary = summary(run(STOP, &app).await);
    assert_eq!((summary.deliveries.delivered, summary.deliveries.duplicate), (1, 1));
    assert_eq!((sent(&app, "sns"), sent(&app, "slack")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_batch_of_messages_is_answered_in_parts() {
    let message = |id: &str, body: &str| serde_json::json!({ "messageId": id, "receiptHandle": "r", "eventSource": "aws:sqs", "body": body });
    let batch =
        serde_json::json!({ "Records": [message("good", STOP), message("bad", "{oops"), message("other", "{}")] });
    assert_eq!(run(&batch.to_string(), &app()).await, Ok(Response::Batch(vec!["bad".to_owned()])));
    let app = app();
    *app.transport.slack.lock().unwrap() = Some(400);
    assert_eq!(run(&batch.to_string(), &app).await, Ok(Response::Batch(vec!["bad".to_owned(), "good".to_owned()])));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_an_error_and_what_is_not_cloudtrails_is_not() {
    for payload in ["", "{", "null", "7", r#"{"Records":{}}"#] {
        assert_eq!(run(payload, &app()).await, Err(HandleError::Unreadable(1)), "{payload}");
    }
    let other = summary(run(include_str!("../events/ec2-state-change.json"), &app()).await);
    assert_eq!((other.records, other.ignored), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_test_alert_goes_to_every_channel_and_tells_each_verdict() {
    let app = app();
    let Ok(Response::Test { test }) = run(r#"{"offlimits":"test"}"#, &app).await else { panic!("no report") };
    assert_eq!(test.iter().map(|report| report.verdict.as_str()).collect::<Vec<_>>(), ["delivered", "delivered"]);
    *app.transport.slack.lock().unwrap() = Some(400);
    let Ok(Response::Test { test }) = run(r#"{"offlimits":"test"}"#, &app).await else { panic!("no report") };
    assert_eq!((test[1].channel.as_str(), test[1].verdict.as_str()), ("soc", "rejected: HTTP 400"));
}

#[tokio::test(start_paused = true)]
async fn our_own_calls_are_counted_and_others_by_our_role_are_alerted() {
    let call = |role: &str, session: &str, secret: &str| {
        serde_json::json!({
            "eventName": "GetSecretValue", "eventSource": "secretsmanager.amazonaws.com", "eventID": secret,
            "userIdentity": { "type": "AssumedRole", "arn": format!("arn:aws:sts::123456789012:assumed-role/{role}/{session}") },
            "requestParameters": { "secretId": format!("arn:aws:secretsmanager:us-east-1:123456789012:secret:{secret}") }
        })
        .to_string()
    };
    assert_eq!(summary(run(&call("offlimits-role", "offlimits", "offlimits"), &app()).await).findings.own, 1);
    for other in [
        call("offlimits-role", "offlimits", "another"),
        call("offlimits-role", "somebody", "offlimits"),
        call("another-role", "offlimits", "offlimits"),
    ] {
        assert_eq!(summary(run(&other, &app()).await).findings.routed, 1, "{other}");
    }
}
