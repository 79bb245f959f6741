//! Every channel × every finding × every kind, and whatever proptest thinks of.

use std::fmt::Write as _;

use offlimits::alert::AlertKind;
use offlimits::channel::{Body, ContentType, HttpRequest, Method, Request};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::alerts::{HOSTILE, each_case, each_kind, finding, findings, record_of, rules};
use super::exchange::{channel, drive, kind, requests};
use super::invariants::check_all;
use super::samples::{credentials, http, sample, samples};

#[test]
fn every_channel_takes_every_finding_of_every_kind() {
    let rules = rules("t", "d");
    let mut lines = String::new();
    for (name, finding) in findings() {
        each_kind(&finding, |alert| {
            for channel in rules.channels() {
                for (step, request) in check_all(channel, alert) {
                    let case = format!("{name} {}", alert.kind.as_str());
                    writeln!(lines, "{}", written(kind(channel), &case, step, &request)).unwrap();
                }
            }
        });
    }
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("../contract");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("requests.jsonl"), lines).unwrap();
}

/// The same with all that a message may tell beside its kind: other findings, other roll-ups, an incident, a silence.
#[test]
fn every_channel_takes_all_that_a_message_tells_beside() {
    let rules = rules("t", "d");
    for (_, finding) in findings() {
        each_case(&finding, |_, alert| {
            for channel in rules.channels() {
                check_all(channel, alert);
            }
        });
    }
}

/// A request as a line of JSON.
fn written(kind: &str, case: &str, step: &str, request: &Request) -> Value {
    match request {
        Request::Sns { subject, message, attributes, .. } => {
            json!({ "channel": kind, "case": case, "step": step, "subject": subject, "message": message, "attributes": attributes })
        }
        Request::Http(HttpRequest { method, url, headers, content }) => {
            let method = match method {
                Method::Get => "GET",
                Method::Post => "POST",
                Method::Put => "PUT",
                Method::Patch => "PATCH",
            };
            let headers: Vec<_> = headers.iter().map(|(name, value)| (name, value.expose())).collect();
            let body = content.as_ref().map(|(kind, content)| {
                assert_eq!(*kind, ContentType::Json);
                content.expose()
            });
            json!({
                "channel": kind, "case": case, "step": step,
                "method": method, "url": url.expose(), "headers": headers, "body": body,
            })
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn whatever_the_record_says_is_taken(
        text in "\\PC{0,40}|(?s).{0,60}|[<>&@!|*`\\[\\]{}%^:/.w\r\n\u{202e}\u{200b}]{0,80}|(https?://|www\\.|[a-z]){0,30}"
    ) {
        let rules = rules("t", "d");
        let finding = finding(&super::alerts::rules("{event} by {actor}", "d"), &record_of(&text));
        each_kind(&finding, |alert| {
            for channel in rules.channels() {
                check_all(channel, alert);
            }
        });
    }
}

#[test]
fn an_alert_and_its_repeats_have_one_key_with_every_vendor() {
    let rules = rules("t", "d");
    let (_, finding) = findings().remove(1);
    let mut keys = std::collections::BTreeMap::<&str, Vec<String>>::new();
    each_kind(&finding, |alert| {
        if !alert.kind.is_about_events() {
            return;
        }
        for channel in rules.channels() {
            for (step, request) in requests(channel, alert) {
                let Request::Http(HttpRequest { content: Some((_, content)), .. }) = request else { continue };
                // A comment goes to the ticket that the id has found.
                let Some(pointer) = sample(kind(channel)).alert_id.as_ref().filter(|_| step != "comment") else {
                    continue;
                };
                let document: Value = serde_json::from_str(content.expose()).unwrap();
                let key = document.pointer(pointer).unwrap_or_else(|| panic!("{}: no {pointer}", kind(channel)));
                assert_eq!(key, alert.id.as_str(), "{} {step}", kind(channel));
                keys.entry(kind(channel)).or_default().push(key.to_string());
            }
        }
    });
    assert_eq!(keys.len(), samples().filter(|(_, sample)| sample.alert_id.is_some()).count());
    assert!(keys.len() >= 4);
    assert!(keys.values().all(|keys| keys.len() == 4));
}

/// A repeat that is worse raises a ticket's priority; one that is news for another reason must not lower it.
#[test]
fn only_what_is_worse_changes_the_priority_of_a_ticket() {
    let rules = rules("t", "d");
    let (_, finding) = findings().remove(1);
    let mut comments = 0;
    each_kind(&finding, |alert| {
        for channel in rules.channels() {
            let name = kind(channel);
            let Body::Ticket { comment, .. } = channel.channel.render(alert) else { continue };
            let is_set = comment.contains("\"priority\"") || comment.contains("\"impact\"");
            assert_eq!(is_set, matches!(alert.kind, AlertKind::Repeat), "{name} {:?}: {comment}", alert.kind);
            comments += 1;
        }
    });
    assert!(comments >= 24);
}

#[test]
fn repeats_and_roll_ups_go_into_the_first_alerts_thread() {
    let rules = rules("t", "d");
    let slack = channel(&rules, "slack");
    let secret = credentials();
    let (_, finding) = findings().remove(1);
    each_kind(&finding, |alert| {
        let body = slack.channel.render(alert);
        let message = |replies| {
            let (mut requests, _) = drive(slack, &body, &secret, replies).unwrap();
            let Some(Request::Http(HttpRequest { content: Some((_, content)), .. })) = requests.pop() else { panic!() };
            serde_json::from_str::<Value>(content.expose()).unwrap()
        };
        let first = message(&[]);
        match alert.kind {
            AlertKind::Repeat | AlertKind::News => assert_eq!(
                (&first["thread_ts"], &first["reply_broadcast"]),
                (&json!("1503435956.000247"), &json!(true))
            ),
            AlertKind::RollUp(_) => assert_eq!(
                (&first["thread_ts"], &first["reply_broadcast"]),
                (&json!("1503435956.000247"), &json!(false))
            ),
            _ => assert!(first.get("thread_ts").is_none()),
        }
        // A thread that is gone takes no alert with it.
        let second = message(&[http(200, r#"{"ok":false,"error":"thread_not_found"}"#)]);
        assert!(second.get("thread_ts").is_none() && second["text"] == first["text"]);
    });
}

#[test]
fn hostile_text_is_quoted_and_inert() {
    let rules = rules("t", "d");
    let finding = finding(&super::alerts::rules("{user_agent}", "d"), &record_of(HOSTILE));
    each_kind(&finding, |alert| {
        for channel in rules.channels() {
            for (_, request) in requests(channel, alert) {
                let text = match &request {
                    Request::Sns { message, .. } => {
                        serde_json::from_str::<Value>(message).unwrap()["default"].to_string()
                    }
                    Request::Http(HttpRequest { content: Some((_, content)), .. }) => content.expose().to_owned(),
                    Request::Http(_) => panic!("a request that carries nothing"),
                };
                for markup in &sample(kind(channel)).markup {
                    assert!(!text.contains(markup), "{} holds {markup}: {text}", kind(channel));
                }
            }
        }
    });
}

#[test]
fn secrets_of_the_record_reach_nobody() {
    let rules = rules("t", "d");
    let record = json!({
        "eventName": "CreateUser", "eventSource": "iam.amazonaws.com",
        "userAgent": "curl --password hunter2 https://bob:hunter2@git.example/",
        "errorMessage": "cannot use xoxb-hunter2-hunter2 and SECRET_TOKEN=hunter2",
        "userIdentity": { "type": "IAMUser", "userName": "password=hunter2" },
        "requestParameters": {
            "password": "hunter2", "nested": { "clientSecret": ["hunter2"] }, "command": "login --token hunter2",
            "key": format!("-----BEGIN RSA PRIVATE KEY-----{}hunter2", "x".repeat(5000)),
        },
        "responseElements": { "credentials": { "sessionToken": "hunter2" } }
    });
    let finding = finding(&super::alerts::rules("{event} by {actor}: {user_agent}", "d"), &record);
    each_kind(&finding, |alert| {
        for channel in rules.channels() {
            for (step, request) in requests(channel, alert) {
                let written = written(kind(channel), "", step, &request).to_string();
                assert!(!written.contains("hunter2"), "{}: {written}", kind(channel));
            }
        }
    });
}
