//! The order in which people read an alert: severity and title, the sentence, what changed, what to do first, the facts.

use offlimits::alert::{Alert, AlertKind};
use offlimits::channel::Body;
use offlimits::finding::{Change, Finding, Step};
use offlimits::ids::AlertId;
use serde_json::{Value, json};

use super::alerts::{HOSTILE_COMMAND, OPENED, each_kind, findings, rules};
use super::exchange::kind;
use super::samples::{sample, samples};

fn full() -> Finding {
    findings().into_iter().find(|(name, _)| *name == "full").unwrap().1
}

/// What people see of a message, line by line, each of its texts by itself.
fn seen(kind: &str, body: &Body) -> Vec<Vec<String>> {
    let lines = |text: &str| text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let texts = &sample(kind).texts;
    let text = |document: &str, step: &str| {
        let document: Value = serde_json::from_str(document).unwrap();
        lines(&plain(document.pointer(&texts[step]).unwrap_or_else(|| panic!("{kind}: no {}", texts[step]))))
    };
    match body {
        Body::Ticket { open, comment, .. } if !texts.is_empty() => vec![text(open, "open"), text(comment, "comment")],
        Body::Json { json, .. } if !texts.is_empty() => vec![text(json, "post")],
        Body::Sns(message) => {
            let chat: Value = serde_json::from_str(message.https.as_ref().unwrap()).unwrap();
            let content = &chat["content"];
            let steps = content["nextSteps"].as_array().into_iter().flatten();
            let chat = [&content["title"], &content["description"]].into_iter().chain(steps);
            let chat = chat.flat_map(|text| lines(text.as_str().unwrap())).collect();
            vec![lines(&message.email), vec![message.sms.clone(); 3], chat]
        }
        Body::Ticket { open, comment, .. } => {
            [open, comment].map(|text| ticket(&serde_json::from_str(text).unwrap())).into()
        }
        Body::Json { json, .. } => {
            let message: Value = serde_json::from_str(json).unwrap();
            let slack: Vec<String> = ["/blocks", "/attachments/0/blocks"]
                .iter()
                .flat_map(|blocks| message.pointer(blocks).and_then(Value::as_array).into_iter().flatten())
                .flat_map(|block| {
                    let text = block["text"].pointer("/text").or(block.pointer("/elements/0/text"));
                    lines(text.and_then(Value::as_str).unwrap_or_default())
                })
                .collect();
            if !slack.is_empty() {
                return vec![slack];
            }
            if let Some(summary) = message.pointer("/payload/summary") {
                let details = message.pointer("/payload/custom_details").unwrap().as_object().unwrap();
                let details = details.iter().map(|(name, value)| format!("{name}: {}", value.as_str().unwrap()));
                return vec![summary.as_str().unwrap().split(" · ").map(str::to_owned).chain(details).collect()];
            }
            let Some(card) = message.pointer("/attachments/0/content/body") else { return Vec::new() };
            let text = |block: &Value| {
                let inlines = block["inlines"].as_array().or(block["items"][0]["inlines"].as_array()).unwrap();
                inlines.iter().map(|run| run["text"].as_str().unwrap()).collect::<String>()
            };
            vec![card.as_array().unwrap().iter().map(text).collect()]
        }
    }
}

/// A text, or all of the text in a document of Atlassian's, one line for each of its blocks.
fn plain(value: &Value) -> String {
    let inner = value["content"].as_array().into_iter().flatten();
    match (value, value["type"].as_str()) {
        (Value::String(text), _) => text.clone(),
        (_, Some("text")) => value["text"].as_str().unwrap().to_owned(),
        (_, Some("paragraph" | "heading" | "codeBlock")) => inner.map(plain).collect::<String>() + "\n",
        _ => inner.map(plain).collect(),
    }
}

/// The lines of a ticket's text: of Zendesk's HTML, or of ServiceNow's.
fn ticket(document: &Value) -> Vec<String> {
    let html = document.pointer("/ticket/comment/html_body").and_then(Value::as_str);
    let text = html.map_or_else(
        || document.get("description").or(document.get("work_notes")).unwrap().as_str().unwrap().to_owned(),
        |html| {
            let ends = ["</p>", "</li>", "<pre>"].iter().fold(html.to_owned(), |html, end| html.replace(end, "\n"));
            let text = regex::Regex::new("<[^>]*>").unwrap().replace_all(&ends, "").into_owned();
            text.replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
        },
    );
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn the_fact_that_decides_is_in_the_first_three_lines_of_every_message_to_people() {
    let (rules, finding) = (rules("t", "d"), full());
    let mut messages = 0;
    each_kind(&finding, |alert| {
        for channel in rules.channels() {
            for lines in seen(kind(channel), &channel.channel.render(alert)) {
                let (first, all) = (lines[..3].join("\n"), lines.join("\n"));
                if alert.kind.is_about_events() {
                    assert!(first.contains(OPENED), "{} {}: {first}", kind(channel), alert.kind.as_str());
                    messages += 1;
                } else {
                    assert!(!all.contains(OPENED), "{} {}: {all}", kind(channel), alert.kind.as_str());
                }
            }
        }
    });
    // Slack, Teams, PagerDuty; email, SMS and Amazon Q; two tickets, each opened and commented on; and the others by their files: for a first, a
    // repeat, news, a roll-up.
    let others: usize = samples().map(|(_, sample)| sample.texts.len()).sum();
    assert_eq!(messages, (10 + others) * 4);
}

#[test]
fn title_sentence_change_steps_and_facts_stand_in_this_order() {
    let (rules, finding) = (rules("t", "d"), full());
    let id = AlertId::new("r", "", &finding.id);
    let alert = Alert::alone(&finding, &id, AlertKind::First);
    let command = finding.steps[0].command.as_deref().unwrap();
    for channel in rules.channels() {
        for lines in seen(kind(channel), &channel.channel.render(&alert)) {
            let at = |part: &str| lines.iter().position(|line| line.contains(part));
            if lines.iter().all(|line| *line == lines[0]) {
                continue; // An SMS has one line.
            }
            let of = |part: &str| at(part).unwrap_or_else(|| panic!("{}: {part} is not in {lines:#?}", kind(channel)));
            assert_eq!((of("VERY HIGH: "), of(&finding.call.sentence)), (0, 1), "{}: {lines:#?}", kind(channel));
            assert_eq!(of(OPENED), 2, "{}: {lines:#?}", kind(channel));
            if kind(channel) == "pagerduty"
                || lines.iter().any(|line| line.starts_with("*Account:*")) && kind(channel) == "sns"
            {
                // The order of PagerDuty's details is its own, and Amazon Q shows the steps below the rest.
                assert!(at(command).is_some() && at("Account").is_some());
                continue;
            }
            let order = [
                "What to do first",
                "Close the port again.",
                command,
                "Ask whoever opened it.",
                "Account",
                "rule RTM-011",
            ];
            let order = order.map(of);
            assert!(2 < order[0] && order.is_sorted(), "{} {order:?}: {lines:#?}", kind(channel));
        }
    }
}

/// A command is there to be run: no channel shows it otherwise than it is.
#[test]
fn a_command_is_shown_whole_or_not_at_all() {
    let rules = rules("t", "d");
    let mut finding = full();
    finding.steps[1].command = Some(HOSTILE_COMMAND.to_owned());
    let id = AlertId::new("r", "", &finding.id);
    let alert = Alert::alone(&finding, &id, AlertKind::First);
    for channel in rules.channels() {
        for lines in seen(kind(channel), &channel.channel.render(&alert)) {
            let unescaped = lines.join("\n").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
            let rest = unescaped.replace(HOSTILE_COMMAND, "").replace(finding.steps[0].command.as_deref().unwrap(), "");
            assert!(!rest.contains("aws "), "{}: {rest}", kind(channel));
        }
    }
}

/// However much there is to tell: what does not fit is shortened elsewhere.
#[test]
fn a_long_alert_cuts_no_command() {
    let rules = rules("t", &"why ".repeat(500));
    let mut finding = full();
    let command = |number: usize| format!("aws {}{number}", "x".repeat(575 - number));
    finding.changes = (0..8)
        .map(|number| Change { what: format!("change {number}"), before: None, after: "y ".repeat(200) })
        .collect();
    finding.steps = (0..4).map(|number| Step { text: "z ".repeat(140), command: Some(command(number)) }).collect();
    let id = AlertId::new("r", "", &finding.id);
    let alert = Alert::alone(&finding, &id, AlertKind::First);
    for channel in rules.channels() {
        for lines in seen(kind(channel), &channel.channel.render(&alert)) {
            let text = lines.join("\n");
            let rest = (0..4).fold(text, |text, number| text.replace(&command(number), ""));
            assert!(!rest.contains("aws x"), "{}: {rest}", kind(channel));
        }
    }
}

#[test]
fn a_failed_call_is_not_said_to_have_changed_anything() {
    let rules = rules("t", "d");
    let mut finding = full();
    finding.call.failed = true;
    each_kind(&finding, |alert| {
        for channel in rules.channels().iter().filter(|_| alert.kind.is_about_events()) {
            for lines in seen(kind(channel), &channel.channel.render(alert)) {
                let first = lines[..3].join("\n");
                assert!(first.contains("FAILED"), "{}: {first}", kind(channel));
                let is_sms = lines.iter().all(|line| *line == lines[0]);
                assert!(is_sms || lines[2].to_lowercase().contains("asked for"), "{}: {lines:#?}", kind(channel));
            }
        }
    });
}

#[test]
fn slack_says_nothing_twice_and_has_a_button_for_each_link() {
    let (rules, finding) = (rules("t", "d"), full());
    let slack = super::exchange::channel(&rules, "slack");
    let id = AlertId::new("r", "", &finding.id);
    let alert = Alert::alone(&finding, &id, AlertKind::First);
    let Body::Json { json, .. } = slack.channel.render(&alert) else { panic!("no JSON") };
    let message: Value = serde_json::from_str(&json).unwrap();
    let types = |pointer: &str| -> Vec<Value> {
        message.pointer(pointer).unwrap().as_array().unwrap().iter().map(|block| block["type"].clone()).collect()
    };
    assert_eq!(types("/blocks"), ["header", "section", "section", "section", "actions"]);
    assert_eq!(types("/attachments/0/blocks"), ["section", "section", "context"]);
    let shown = json!([message["blocks"], message["attachments"]]).to_string();
    for once in [finding.call.sentence.as_str(), OPENED, "Close the port again."] {
        assert_eq!(shown.matches(once).count(), 1, "{once}: {shown}");
    }
    let buttons: Vec<&Value> = message["blocks"][4]["elements"].as_array().unwrap().iter().collect();
    assert!(buttons.len() >= 2 && buttons.iter().all(|button| button["type"] == "button"), "{buttons:?}");
    assert!(
        shown.contains(r#"{"text":"`inbound: tcp 22 from 0.0.0.0/0`","type":"mrkdwn"#) && shown.contains("*Account:* "),
        "{shown}"
    );
}

#[test]
fn zendesks_tags_say_which_rule_account_and_region() {
    let (rules, finding) = (rules("t", "d"), full());
    let id = AlertId::new("r", "", &finding.id);
    let alert = Alert::alone(&finding, &id, AlertKind::First);
    let Body::Ticket { open, .. } = super::exchange::channel(&rules, "zendesk").channel.render(&alert) else {
        panic!()
    };
    let ticket: Value = serde_json::from_str(&open).unwrap();
    let account = finding.call.account.as_deref().unwrap();
    let expected = [
        "offlimits",
        "offlimits-very-high",
        "offlimits-rule-rtm-011",
        &format!("offlimits-account-{account}"),
        &format!("offlimits-region-{}", finding.call.region.as_deref().unwrap()),
        "aws",
    ];
    assert_eq!(ticket["ticket"]["tags"], json!(expected));
}
