//! The channels' messages against what their vendors take, for findings small, full, hostile and huge.

#![allow(clippy::unwrap_used, clippy::too_many_lines, reason = "a test may panic, and a table may be long")]

use std::time::Duration;

use offlimits::alert::{Alert, AlertId, Kind};
use offlimits::channel::{Body, Channel, Exchange, Reply, Request, Step, Verdict};
use offlimits::finding::Finding;
use offlimits::record::RawRecord;
use offlimits::rules::RuleSet;
use offlimits::secret::Credentials;
use proptest::prelude::*;
use serde_json::{Value, json};

fn rules(title: &str, description: &str) -> RuleSet {
    let source = json!({
        "channels": { "topic": { "type": "sns" }, "soc": { "type": "slack" } },
        "rules": [{
            "id": "RTM-011", "title": title, "description": description, "severity": "very-high",
            "runbook": "https://wiki.example.com/rtm-011?a=1&b=2", "when": { "event": { "exists": true } }
        }]
    });
    RuleSet::compile(&source.to_string()).unwrap().rules
}

fn finding(rules: &RuleSet, record: &Value) -> Finding {
    rules.evaluate(&RawRecord { json: record.to_string(), index: 0, message_id: None }).unwrap().remove(0)
}

/// A record whose every text is `text`.
fn record_of(text: &str) -> Value {
    json!({
        "eventName": format!("x{text}"), "eventSource": text, "eventTime": text, "eventID": text, "awsRegion": text,
        "sourceIPAddress": text, "userAgent": text, "errorCode": text, "errorMessage": text, "recipientAccountId": text,
        "userIdentity": { "type": text, "userName": text, "arn": text, "accountId": text, "principalId": text },
        "requestParameters": { "instanceId": [text, text, text, text, text], "note": text }
    })
}

fn findings() -> Vec<Finding> {
    let plain = rules("{event} by {actor}", "Nobody does this.");
    let hostile = "<!channel> <@U1> *b* `c` <https://evil.example|click>\r\nSubject: x\u{202e}\0 & ![x](y) \u{1f600}";
    let huge = "é".repeat(300_000);
    let full: Value = serde_json::from_str(include_str!("../events/security-group-opened.json")).unwrap();
    vec![
        finding(&plain, &json!({ "eventName": "x" })),
        finding(&plain, &full["detail"]),
        finding(&rules(hostile, hostile), &record_of(hostile)),
        finding(&rules(&"t".repeat(5000), &"d".repeat(50_000)), &record_of(&huge)),
    ]
}

fn channel<'r>(rules: &'r RuleSet, name: &str) -> &'r dyn Channel {
    rules.channels().iter().find(|channel| channel.name == name).unwrap().channel.as_ref()
}

fn render(channel: &dyn Channel, finding: &Finding) -> Body {
    let id = AlertId::of(&finding.rule.id, "", &finding.id);
    channel.render(&Alert { finding, id: &id, kind: Kind::First, receipt: None })
}

/// The next step of an exchange in which these replies came.
fn next(channel: &dyn Channel, body: &Body, secret: &str, replies: &[Reply]) -> Result<Step, String> {
    let credentials = Credentials::parse(secret).unwrap();
    let exchange = Exchange { credentials: credentials.of("soc"), token: None, replies, now: 0 };
    channel.next(body, &exchange).map_err(|fault| fault.0)
}

fn judge(channel: &dyn Channel, reply: Reply) -> Verdict {
    let body = render(channel, &findings()[0]);
    let Step::Judged(verdict) = next(channel, &body, "{}", &[reply]).unwrap() else { panic!("no verdict") };
    verdict
}

fn check_slack(finding: &Finding) {
    let rules = rules("t", "d");
    let Body::Json { json, .. } = render(channel(&rules, "soc"), finding) else { panic!("Slack takes JSON") };
    let message: Value = serde_json::from_str(&json).unwrap();
    // The validator reads blocks at the top of a message: ours stand in an attachment, for its colour.
    let blocks = json!({ "text": message["text"], "blocks": message["attachments"][0]["blocks"] });
    slackblocks::WebhookMessage::try_from(blocks).unwrap_or_else(|error| panic!("{error}: {message}"));
    let total: usize = texts(&message).iter().map(|text| text.chars().count()).sum();
    assert!(total < 12_000, "{total} characters");
    assert!(!message["text"].as_str().unwrap().contains("<!"));
    for text in texts(&message) {
        assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text:?}");
    }
    for block in message["attachments"][0]["blocks"].as_array().unwrap() {
        if block["text"]["type"] == "mrkdwn" {
            assert!(!block["text"]["text"].as_str().unwrap().contains("evil.example"), "{block}");
        }
    }
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(object) => object.values().flat_map(texts).collect(),
        Value::Array(array) => array.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text],
        _ => Vec::new(),
    }
}

fn check_sns(finding: &Finding) {
    let rules = rules("t", "d");
    let body = render(channel(&rules, "topic"), finding);
    assert!(serde_json::to_string(&body).unwrap().len() <= Body::LIMIT);
    let Step::Send(Request::Sns { subject, message, attributes, .. }) =
        next(channel(&rules, "topic"), &body, "{}", &[]).unwrap()
    else {
        panic!("not for SNS")
    };
    assert!(subject.len() < 100 && subject.chars().all(|c| (' '..='~').contains(&c)), "{}", subject);
    assert!(subject.starts_with('['));
    let attributes_size: usize = attributes.iter().map(|(name, value)| name.len() + value.len() + "String".len()).sum();
    assert!(message.len() + attributes_size <= 262_144, "{} bytes", message.len());
    let message: Value = serde_json::from_str(&message).unwrap();
    assert!(message.as_object().unwrap().values().all(Value::is_string), "SNS takes strings only");
    assert!(message["sms"].as_str().unwrap().len() <= 160);
    assert!(message["default"].as_str().unwrap().contains("VERY HIGH"));
    let machine: Value = serde_json::from_str(message["sqs"].as_str().unwrap()).unwrap();
    assert_eq!((&machine["version"], &machine["rule"]), (&json!(1), &json!("RTM-011")));
    assert!(attributes.iter().all(|(_, value)| !value.is_empty()));
}

#[test]
fn minimal_full_hostile_and_huge_findings_are_taken() {
    for finding in findings() {
        check_slack(&finding);
        check_sns(&finding);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_the_record_says_is_taken(text in "\\PC{0,40}|(?s).{0,60}|[<>&@!|*`\\[\\]\r\n\u{202e}]{0,80}") {
        let finding = finding(&rules("{event} by {actor}", "d"), &record_of(&text));
        check_slack(&finding);
        check_sns(&finding);
    }
}

#[test]
fn each_reply_of_slack_means_what_slack_says() {
    let rules = rules("t", "d");
    let verdict_of = |status: u16, body: &str| {
        let reply = Reply::Http { status, retry_after: Some(Duration::from_secs(3)), body: body.to_owned() };
        match judge(channel(&rules, "soc"), reply) {
            Verdict::Delivered { .. } => "delivered",
            Verdict::Retry { .. } => "retry",
            Verdict::Rejected { credential: true, .. } => "credential",
            Verdict::Rejected { .. } => "rejected",
        }
    };
    let table = [
        (200, "ok", "delivered"),
        (200, r#"{"ok":true,"ts":"1"}"#, "delivered"),
        (200, r#"{"ok":false,"error":"ratelimited"}"#, "retry"),
        (200, r#"{"ok":false,"error":"internal_error"}"#, "retry"),
        (200, r#"{"ok":false,"error":"channel_not_found"}"#, "rejected"),
        (200, r#"{"ok":false,"error":"invalid_auth"}"#, "credential"),
        (200, r#"{"ok":false,"error":"token_revoked"}"#, "credential"),
        (200, "<html>a proxy's page</html>", "rejected"),
        (400, "invalid_payload", "rejected"),
        (400, "invalid_blocks", "rejected"),
        (400, "no_text", "rejected"),
        (403, "action_prohibited", "rejected"),
        (403, "invalid_token", "credential"),
        (404, "channel_not_found", "rejected"),
        (404, "no_service", "credential"),
        (410, "channel_is_archived", "rejected"),
        (429, "", "retry"),
        (500, "", "retry"),
        (503, "", "retry"),
        (302, "", "rejected"),
    ];
    for (status, body, verdict) in table {
        assert_eq!(verdict_of(status, body), verdict, "{status} {body}");
    }
    assert!(matches!(judge(channel(&rules, "soc"), Reply::Unreachable("timeout")), Verdict::Retry { .. }));
}

#[test]
fn each_fault_of_sns_means_what_aws_says() {
    let rules = rules("t", "d");
    let retried =
        |code: &str| matches!(judge(channel(&rules, "topic"), Reply::SnsFault(code.to_owned())), Verdict::Retry { .. });
    for code in ["InternalError", "KMSThrottling", "Throttling"] {
        assert!(retried(code), "{code}");
    }
    for code in ["InvalidParameter", "AuthorizationError", "NotFound", "KMSAccessDenied", "EndpointDisabled"] {
        assert!(!retried(code), "{code}");
    }
    assert_eq!(
        judge(channel(&rules, "topic"), Reply::Published("id".to_owned())),
        Verdict::Delivered { receipt: None }
    );
}

#[test]
fn credentials_go_to_slack_alone_and_into_the_request_alone() {
    let rules = rules("t", "d");
    let slack = channel(&rules, "soc");
    let body = render(slack, &findings()[0]);
    let fault = |secret: &str| next(slack, &body, secret, &[]).unwrap_err();
    assert!(fault("{}").contains("webhook_url"));
    for url in ["http://hooks.slack.com/services/s3cret", "https://hooks.slack.com.evil.example/s3cret"] {
        assert!(!fault(&json!({"soc": {"webhook_url": url}}).to_string()).contains("s3cret"));
    }
    let bot = json!({"soc": {"bot_token": "xoxb-s3cret", "channel": "C1"}}).to_string();
    let Step::Send(Request::Http(request)) = next(slack, &body, &bot, &[]).unwrap() else { panic!("no request") };
    assert!(!format!("{request:?}{body:?}").contains("s3cret"));
    assert!(request.content.unwrap().1.expose().contains("\"C1\""));
}
