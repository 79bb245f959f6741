//! What rules.json and the secret may say of a channel, and what is told of the mistakes in both.

use offlimits::alert::{Alert, AlertKind};
use offlimits::channel::{HttpRequest, Request};
use offlimits::ids::AlertId;
use offlimits::ruleset::RuleSet;
use serde_json::{Value, json};

use super::alerts::{findings, rules};
use super::exchange::{channel, drive, http};

fn compile(settings: &Value) -> Result<RuleSet, Vec<String>> {
    let source = json!({
        "channels": { "c": settings },
        "rules": [{ "id": "r", "title": "t", "severity": "high", "when": { "event": { "is": "x" } } }]
    });
    RuleSet::compile(&source.to_string())
        .map(|compiled| compiled.rules)
        .map_err(|diagnostics| diagnostics.iter().map(ToString::to_string).collect())
}

#[test]
fn each_mistake_in_the_settings_is_told_with_its_place() {
    let table = [
        (json!({"type": "slak"}), "/channels/c/type", "slack"),
        (json!({"type": "slack", "channel": "a b"}), "/channels/c/channel", "C0123456789"),
        (json!({"type": "slack", "severity_map": {"high": "orange"}}), "/channels/c/severity_map/high", "hexadecimal"),
        (json!({"type": "pagerduty", "service_region": "eu1"}), "/channels/c/service_region", "did you mean \"eu\""),
        (
            json!({"type": "pagerduty", "severity_map": {"hihg": "error"}}),
            "/channels/c/severity_map/hihg",
            "did you mean \"high\"",
        ),
        (
            json!({"type": "pagerduty", "severity_map": {"high": "eror"}}),
            "/channels/c/severity_map/high",
            "did you mean \"error\"",
        ),
        (json!({"type": "pagerduty", "severity_map": "high"}), "/channels/c/severity_map", "object"),
        (json!({"type": "pagerduty", "routing_key": "x"}), "/channels/c/routing_key", "no key"),
        (json!({"type": "zendesk"}), "/channels/c", "subdomain"),
        (
            json!({"type": "zendesk", "subdomain": "https://acme.zendesk.com/"}),
            "/channels/c/subdomain",
            "such as \"acme\"",
        ),
        (json!({"type": "zendesk", "subdomain": "acme", "ticket_tags": ["a b"]}), "/channels/c/ticket_tags", "spaces"),
        (json!({"type": "zendesk", "subdomain": "acme", "group_id": "7"}), "/channels/c/group_id", "without quotes"),
        (
            json!({"type": "zendesk", "subdomain": "acme", "custom_fields": [{"id": 1}]}),
            "/channels/c/custom_fields/0",
            "value",
        ),
        (
            json!({"type": "zendesk", "subdomain": "acme", "severity_map": {"low": "lowest"}}),
            "/channels/c/severity_map/low",
            "low",
        ),
        (json!({"type": "servicenow", "instance": "acme.service-now.com"}), "/channels/c/instance", "such as \"acme\""),
        (
            json!({"type": "servicenow", "instance": "acme", "severity_map": {"low": "4/1"}}),
            "/channels/c/severity_map/low",
            "1/2",
        ),
        (json!({"type": "servicenow", "instance": "acme", "category": "x".repeat(41)}), "/channels/c/category", "40"),
        (json!({"type": "teams", "severity_map": {"low": "red"}}), "/channels/c/severity_map/low", "attention"),
        (json!({"type": "webhook", "url": "https://x"}), "/channels/c/url", "no key"),
        (json!({"type": "sns", "topic_arn": "topic"}), "/channels/c/topic_arn", "arn:aws:sns"),
    ];
    for (settings, pointer, part) in table {
        let diagnostics = compile(&settings).expect_err(&settings.to_string());
        assert_eq!(diagnostics.len(), 1, "{settings}: {diagnostics:?}");
        assert!(diagnostics[0].contains(pointer) && diagnostics[0].contains(part), "{settings}: {diagnostics:?}");
    }
}

/// The first document that a channel sends for a finding whose severity is high.
fn sent(settings: &Value, secret: &Value, replies: &[offlimits::channel::Reply]) -> Value {
    let rules = compile(settings).unwrap();
    let (_, mut finding) = findings().remove(1);
    finding.severity = offlimits::severity::Severity::High;
    let id = AlertId::new("r", "", &finding.id);
    let channel = channel(&rules, "c");
    let body = channel.channel.render(&Alert { finding: &finding, id: &id, kind: AlertKind::First, receipt: None });
    let secret = json!({ "c": secret }).to_string();
    let Some(Request::Http(HttpRequest { content: Some((_, content)), .. })) =
        drive(channel, &body, &secret, replies).unwrap().0.pop()
    else {
        panic!("no document")
    };
    serde_json::from_str(content.expose()).unwrap()
}

#[test]
fn severities_are_the_vendors_own_and_can_be_changed() {
    let key = json!({ "routing_key": "0123456789abcdef0123456789abcdef" });
    let page = |map: Value| sent(&json!({"type": "pagerduty", "severity_map": map}), &key, &[]);
    assert_eq!(page(json!({}))["payload"]["severity"], "error");
    assert_eq!(page(json!({"high": "critical"}))["payload"]["severity"], "critical");

    let url = json!({ "webhook_url": "https://hooks.slack.com/services/x" });
    let message = |map: Value| sent(&json!({"type": "slack", "severity_map": map}), &url, &[]);
    assert_eq!(message(json!({}))["attachments"][0]["color"], "#E67E22");
    assert_eq!(message(json!({"HIGH": "#000000"}))["attachments"][0]["color"], "#000000");

    let token = json!({ "email": "a@example.com", "api_token": "x" });
    let ticket = |map: Value| {
        sent(
            &json!({"type": "zendesk", "subdomain": "a", "severity_map": map}),
            &token,
            &[http(200, r#"{"tickets":[]}"#)],
        )
    };
    assert_eq!(ticket(json!({}))["ticket"]["priority"], "high");
    assert_eq!(ticket(json!({"high": "urgent"}))["ticket"]["priority"], "urgent");

    let user = json!({ "username": "u", "password": "p" });
    let incident = |map: Value| {
        sent(
            &json!({"type": "servicenow", "instance": "a", "severity_map": map}),
            &user,
            &[http(200, r#"{"result":[]}"#)],
        )
    };
    let levels = |incident: Value| (incident["impact"].clone(), incident["urgency"].clone());
    assert_eq!(levels(incident(json!({}))), (json!("2"), json!("2")));
    assert_eq!(levels(incident(json!({"high": "1/3"}))), (json!("1"), json!("3")));

    let url = json!({ "webhook_url": "https://prod-1.westus.logic.azure.com:443/workflows/x" });
    let card = |map: Value| sent(&json!({"type": "teams", "severity_map": map}), &url, &[]);
    assert_eq!(card(json!({}))["attachments"][0]["content"]["body"][0]["style"], "warning");
    assert_eq!(card(json!({"high": "good"}))["attachments"][0]["content"]["body"][0]["style"], "good");
}

#[test]
fn each_mistake_in_the_secret_is_told_without_quoting_it() {
    let rules = rules("t", "d");
    let (_, finding) = findings().remove(0);
    let id = AlertId::new("r", "", &finding.id);
    let table = [
        ("soc", json!({}), "\"webhook_url\" or \"bot_token\""),
        ("soc", json!({"webhok_url": "https://hooks.slack.com/s3cret"}), "\"webhok_url\" is a slip"),
        ("soc", json!({"webhook_url": "https://hooks.slack.com.evil.example/s3cret"}), "https on hooks.slack.com"),
        ("soc", json!({"webhook_url": "http://hooks.slack.com/s3cret"}), "https on hooks.slack.com"),
        ("soc", json!({"webhook_url": "https://hooks.slack.com/s3cret\n"}), "line break"),
        ("soc", json!({"bot_token": ["s3cret"]}), "not a string"),
        ("soc", json!({"bot_token": "s3cret", "api_url": "https://evil.example/s3cret"}), "https on slack.com"),
        ("oncall", json!({"routing_key": "s3cret"}), "32 letters and digits"),
        ("oncall", json!({"routing-key": "s3cret"}), "\"routing-key\" is a slip"),
        ("desk", json!({}), "\"client_id\" or \"api_token\""),
        ("desk", json!({"client_id": "s3cret"}), "\"client_secret\""),
        ("desk", json!({"api_token": "s3cret"}), "\"email\""),
        (
            "desk",
            json!({"api_url": "https://acme.zendesk.com.evil.example", "api_token": "s3cret", "email": "e"}),
            "*.zendesk.com",
        ),
        ("incidents", json!({}), "\"client_id\" or \"username\""),
        ("incidents", json!({"username": "s3cret"}), "\"password\""),
        ("incidents", json!({"api_url": "https://service-now.com.evil.example"}), "*.service-now.com"),
        ("room", json!({}), "\"webhook_url\""),
        ("room", json!({"webhook_url": "https://acme.webhook.office.com/webhookb2/s3cret"}), "retired"),
        ("room", json!({"webhook_url": "https://logic.azure.com/s3cret"}), "*.logic.azure.com"),
        ("siem", json!({"signing_secret": "s3cret"}), "\"url\""),
        ("siem", json!({"url": "https://a.example/s3cret"}), "\"signing_secret\" or \"conformity_token\""),
        ("siem", json!({"url": "http://a.example/s3cret", "signing_secret": "s3cret"}), "https"),
        ("siem", json!({"url": "https://a.example/", "signing_secret": "whsec_s3cret"}), "24 to 64 bytes"),
    ];
    for (name, secret, part) in table {
        let channel = channel(&rules, name);
        let body = channel.channel.render(&Alert { finding: &finding, id: &id, kind: AlertKind::First, receipt: None });
        // "soc" names its conversation in rules.json.
        let fault = drive(channel, &body, &json!({ name: secret }).to_string(), &[]).expect_err(&secret.to_string());
        assert!(fault.contains(part) && !fault.contains("s3cret"), "{secret}: {fault}");
        assert!(
            name == "room" || fault.contains(name) || fault.contains("api_url") || fault.contains("https on"),
            "{fault}"
        );
    }
}

#[test]
fn a_webhook_is_signed_afresh_and_its_body_stays() {
    let rules = rules("t", "d");
    let channel = channel(&rules, "siem");
    let (_, finding) = findings().remove(0);
    let id = AlertId::new("r", "", &finding.id);
    let body = channel.channel.render(&Alert { finding: &finding, id: &id, kind: AlertKind::First, receipt: None });
    let request = |now| {
        use offlimits::channel::{Exchange, ExchangeStep};
        let credentials = offlimits::secret::Credentials::parse(super::exchange::CREDENTIALS).unwrap();
        let exchange = Exchange { credentials: credentials.for_channel("siem"), token: None, replies: &[], now };
        let Ok(ExchangeStep::Send(Request::Http(request))) = channel.channel.next(&body, &exchange) else {
            panic!("no request")
        };
        request
    };
    let (first, second) = (request(1), request(2));
    let header = |request: &HttpRequest, name: &str| {
        request.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.expose().to_owned()).unwrap()
    };
    assert_eq!(first.content, second.content);
    assert_eq!(header(&first, "webhook-id"), finding.id.as_str());
    assert_eq!(header(&first, "webhook-id"), header(&second, "webhook-id"));
    assert_eq!(header(&first, "x-conformity-signature"), header(&second, "x-conformity-signature"));
    assert_ne!(header(&first, "webhook-signature"), header(&second, "webhook-signature"));
    assert_eq!((header(&first, "webhook-timestamp"), header(&second, "webhook-timestamp")), ("1".into(), "2".into()));
}
