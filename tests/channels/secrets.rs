//! The corpus of secrets (`secrets.json`): none leaves by any channel, in an alert of any kind, and nothing else is blanked.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use offlimits::channel::Body;
use serde::Deserialize;
use serde_json::{Value, json};

use super::alerts::{each_kind, finding, rules};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Corpus {
    #[expect(dead_code, reason = "it says what the file is")]
    about: String,
    cases: Vec<Case>,
}

/// One of `request`, `text` and `user_data`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    what: String,
    #[serde(default)]
    request: Value,
    text: Option<String>,
    user_data: Option<String>,
}

impl Case {
    /// What the call was sent, each text passed through `edit`.
    fn record(&self, edit: fn(&str) -> String) -> Value {
        let request = match (&self.text, &self.user_data) {
            (Some(text), _) => json!({ "name": text, "commands": [text], "note": text }),
            (None, Some(script)) => json!({ "userData": BASE64_STANDARD.encode(edit(script)) }),
            (None, None) => self.request.clone(),
        };
        let record = json!({
            "eventName": "Corpus", "eventSource": "example.amazonaws.com", "eventID": "0a1b", "awsRegion": "eu-west-1",
            "recipientAccountId": "123456789012", "userIdentity": { "type": "IAMUser", "userName": "bob" },
            "requestParameters": request,
            "userAgent": self.text, "errorMessage": self.text,
        });
        serde_json::from_str(&edit(&record.to_string())).unwrap()
    }

    /// The secrets, as they stand in a string of JSON.
    fn secrets(&self) -> Vec<String> {
        let text = json!([self.request, self.text, self.user_data]).to_string();
        text.split('«').skip(1).map(|rest| rest.split('»').next().unwrap().to_owned()).collect()
    }
}

/// Without the marks: what AWS records.
fn unmarked(text: &str) -> String {
    text.replace(['«', '»'], "")
}

/// With what stands for each secret in its place: what people are to see.
fn blanked(text: &str) -> String {
    let mut parts = text.split('«');
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |out, part| out + "<redacted>" + part.split_once('»').unwrap().1)
}

/// All that is sent for a body, as text.
fn sent(body: &Body) -> String {
    match body {
        Body::Json { json, .. } => json.clone(),
        Body::Ticket { open, comment, .. } => format!("{open}\n{comment:?}"),
        Body::Sns(message) => serde_json::to_string(message).unwrap(),
    }
}

/// A text as a channel shows it, with its links whole and its blanks single.
fn plain(text: &str) -> String {
    text.replace("[:]//", "://").replace("[.]", ".").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn no_secret_leaves_and_nothing_else_is_blanked() {
    let corpus: Corpus = serde_json::from_str(include_str!("secrets.json")).unwrap();
    let rules = rules("{event}: {user_agent} {requestParameters}", "Why.");
    let (mut secrets, mut leaked, mut beyond, mut messages) = (0, Vec::new(), Vec::new(), 0);
    for case in &corpus.cases {
        let record = case.record(unmarked);
        let expected = case.record(blanked);
        let found = finding(&rules, &record);
        let own = case.secrets();
        secrets += own.len();
        let request = &expected["requestParameters"];
        if found.call.request.as_deref() != Some(request.to_string().as_str()) {
            beyond.push(format!(
                "{}:\n    {}\n    {request}",
                case.what,
                found.call.request.as_deref().unwrap_or("none")
            ));
        }
        each_kind(&found, |alert| {
            for channel in rules.channels() {
                let name = &channel.name;
                let body = sent(&channel.channel.render(alert));
                messages += 1;
                // A secret may have come to be quoted once or twice more.
                for secret in own.iter().filter(|secret| body.contains(*secret)) {
                    leaked.push(format!("{}: {name}: {secret}", case.what));
                }
                let document: Value = serde_json::from_str(&body).unwrap_or_default();
                let mut check = |what: &str, shown: &Value, expected: &str| {
                    let shown = shown.as_str().unwrap_or_default();
                    if plain(shown) != plain(expected) {
                        beyond.push(format!("{}: {name}: {what}\n    {shown}\n    {expected}", case.what));
                    }
                };
                match (channel.channel.channel_type().name(), alert.kind.as_str()) {
                    ("pagerduty", "first") => {
                        check("request", &document["payload"]["custom_details"]["Request"], &request.to_string());
                    }
                    ("webhook", "first") => {
                        check("request", &document["request"], &request.to_string());
                        check(
                            "user agent",
                            &document["user_agent"],
                            expected["userAgent"].as_str().unwrap_or_default(),
                        );
                        check(
                            "error",
                            &document["error_message"],
                            expected["errorMessage"].as_str().unwrap_or_default(),
                        );
                    }
                    _ => {}
                }
            }
        });
    }
    eprintln!(
        "{} requests and texts with {secrets} secrets, {messages} messages: leaked {}, blanked beyond the secret {}",
        corpus.cases.len(),
        leaked.len(),
        beyond.len()
    );
    assert!(secrets >= 120, "{secrets}");
    assert!(
        leaked.is_empty() && beyond.is_empty(),
        "leaked:\n{}\nblanked beyond the secret, or not blanked:\n{}",
        leaked.join("\n"),
        beyond.join("\n")
    );
}
