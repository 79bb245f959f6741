//! What rules.json and the secret may say of a channel, and what is told of the mistakes in both.

use std::collections::BTreeSet;

use offlimits::alert::{Alert, AlertKind};
use offlimits::channel::{HttpRequest, Request};
use offlimits::ids::AlertId;
use offlimits::ruleset::RuleSet;
use serde_json::{Value, json};

use super::alerts::{findings, rules};
use super::exchange::{channel, drive};
use super::samples::{SeveritySample, required, samples, with_type};

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
    let unknown = compile(&json!({"type": "slak"})).expect_err("an unknown type");
    assert!(
        unknown.len() == 1 && unknown[0].contains("/channels/c/type") && unknown[0].contains("slack"),
        "{unknown:?}"
    );
    for (channel, sample) in samples() {
        for (change, pointer, part) in &sample.mistakes {
            let mut settings = required(channel, sample);
            settings.extend(change.clone());
            settings.retain(|_, value| !value.is_null());
            let settings = with_type(channel, settings);
            let diagnostics = compile(&settings).expect_err(&settings.to_string());
            assert_eq!(diagnostics.len(), 1, "{settings}: {diagnostics:?}");
            let place = format!("/channels/c{pointer}:");
            assert!(diagnostics[0].contains(&place) && diagnostics[0].contains(part), "{settings}: {diagnostics:?}");
        }
    }
}

#[test]
fn the_samples_have_every_key_of_their_channel_and_no_other() {
    for (channel, sample) in samples() {
        let name = channel.name();
        let own: BTreeSet<&str> = channel.object.keys[0].iter().map(|key| key.name).collect();
        let settings: BTreeSet<&str> = sample.settings.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(settings, own, "\"settings\" in tests/channels/{name}.json");
        let declared: BTreeSet<&str> = channel.credentials.iter().map(|key| key.name).collect();
        let sets = sample.credentials.iter().map(|set| set.as_object().unwrap().keys().map(String::as_str));
        assert_eq!(sets.flatten().collect::<BTreeSet<_>>(), declared, "\"credentials\" in tests/channels/{name}.json");
        assert!(
            declared.is_empty() || !sample.wrong_credentials.is_null(),
            "tests/channels/{name}.json: wrong_credentials"
        );
        assert!(!sample.contract.is_null(), "tests/channels/{name}.json has no \"contract\" for tests/contract");
        let has_map = own.contains("severity_map");
        assert_eq!(sample.severity.is_some(), has_map, "\"severity\" in tests/channels/{name}.json");
    }
}

/// A credential that nobody reads would be a promise of the page that nothing keeps.
#[test]
fn every_credential_that_is_declared_is_read() {
    let (_, finding) = findings().remove(0);
    let id = AlertId::new("r", "", &finding.id);
    for (channel_type, sample) in samples() {
        let rules = compile(&with_type(channel_type, required(channel_type, sample))).unwrap();
        let channel = channel(&rules, "c");
        let alert = Alert::alone(&finding, &id, AlertKind::First);
        let body = channel.channel.render(&alert);
        for good in &sample.credentials {
            drive(channel, &body, &json!({ "c": good }).to_string(), &[])
                .unwrap_or_else(|fault| panic!("{good}: {fault}"));
            for key in good.as_object().unwrap().keys() {
                let mut bad = good.clone();
                bad[key] = json!(7);
                let fault = drive(channel, &body, &json!({ "c": bad }).to_string(), &[]);
                let fault = fault.expect_err(&format!("{}: nobody reads {key}", channel_type.name()));
                assert!(fault.contains(&format!("\"{key}\"")), "{fault}");
            }
        }
    }
}

/// The first document that a channel sends for a finding whose severity is high.
fn sent(settings: &Value, secret: &Value, replies: &[offlimits::channel::Reply]) -> Value {
    let rules = compile(settings).unwrap();
    let (_, mut finding) = findings().remove(1);
    finding.severity = offlimits::severity::Severity::High;
    let id = AlertId::new("r", "", &finding.id);
    let channel = channel(&rules, "c");
    let body = channel.channel.render(&Alert::alone(&finding, &id, AlertKind::First));
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
    for (channel, sample) in samples() {
        let Some(SeveritySample { map, before, after }) = &sample.severity else { continue };
        let sent = |map: &Value| {
            let mut settings = required(channel, sample);
            settings.insert("severity_map".to_owned(), map.clone());
            sent(&with_type(channel, settings), &sample.credentials[0], &sample.lead_up())
        };
        for (map, expected) in [(&json!({}), before), (map, after)] {
            let document = sent(map);
            for (pointer, value) in expected {
                assert_eq!(document.pointer(pointer), Some(value), "{}: {pointer}", channel.name());
            }
        }
    }
}

#[test]
fn each_mistake_in_the_secret_is_told_without_quoting_it() {
    let (_, finding) = findings().remove(0);
    let id = AlertId::new("r", "", &finding.id);
    for (channel_type, sample) in samples() {
        let name = channel_type.name();
        let rules = compile(&with_type(channel_type, required(channel_type, sample))).unwrap();
        let channel = channel(&rules, "c");
        let alert = Alert::alone(&finding, &id, AlertKind::First);
        let body = channel.channel.render(&alert);
        assert_eq!(sample.faults.is_empty(), channel_type.credentials.is_empty(), "tests/channels/{name}.json: faults");
        for (secret, part) in &sample.faults {
            let fault = drive(channel, &body, &json!({ "c": secret }).to_string(), &[]).expect_err(&secret.to_string());
            assert!(fault.contains(part.as_str()) && !fault.contains("s3cret"), "{name} {secret}: {fault}");
        }
    }
}

#[test]
fn a_webhook_is_signed_afresh_and_its_body_stays() {
    let rules = rules("t", "d");
    let channel = channel(&rules, "webhook");
    let (_, finding) = findings().remove(0);
    let id = AlertId::new("r", "", &finding.id);
    let body = channel.channel.render(&Alert::alone(&finding, &id, AlertKind::First));
    let request = |now| {
        use offlimits::channel::{Exchange, ExchangeStep};
        let credentials = offlimits::secret::Credentials::parse(&super::samples::credentials()).unwrap();
        let exchange = Exchange { credentials: credentials.for_channel("webhook"), token: None, replies: &[], now };
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
