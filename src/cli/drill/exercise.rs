//! What drills a rule, and what is awaited of it. In a drill by replay it is the event of a test that must match, as a call of now.

use serde_json::{Value, json};

use super::question::Question;
use crate::cli::input;
use crate::cloudtrail::envelope;
use crate::ids::StableId;
use crate::rules::{Mode, Rule, RuleTest, TestEvent};
use crate::ruleset::RuleSet;
use crate::time::Timestamp;

/// The account of a test's event that names none.
const ACCOUNT: &str = "123456789012";
/// What else a record has that a test's event may leave out.
const USUAL: [(&str, &str); 6] = [
    ("eventVersion", "1.11"),
    ("eventType", "AwsApiCall"),
    ("awsRegion", "us-east-1"),
    ("recipientAccountId", ACCOUNT),
    ("eventSource", "cloudtrail.amazonaws.com"),
    ("eventName", "Unknown"),
];
/// How the `eventID` of each call begins: it says that this was a drill to whoever looks the alert up. It is no part of what a rule
/// may be asked to leave alone.
const MARK: &str = "offlimits-drill-";

/// What one rule is drilled with.
#[derive(Debug)]
pub(super) struct Exercise {
    /// The rule's id.
    pub(super) rule: String,
    /// The `eventID` of the call.
    pub(super) event_id: String,
    /// What the local rules say will be found in it: of this rule and of others.
    pub(super) findings: Vec<Expected>,
}

/// An exercise, and the event that is sent for it, as EventBridge would hand it over.
#[derive(Debug)]
pub(super) struct Replayed {
    pub(super) exercise: Exercise,
    pub(super) payload: String,
}

/// A finding that is awaited.
#[derive(Debug)]
pub(super) struct Expected {
    /// Its id, by which the ledger knows it.
    pub(super) id: String,
    /// Its rule's id.
    pub(super) rule: String,
    /// The channels that it goes to, by their names.
    pub(super) channels: Vec<String>,
}

/// A rule's id, and why it is left out.
pub(super) type LeftOut = (String, String);

/// What the selected rules are drilled with, and those that are left out.
///
/// # Errors
/// A test's event cannot be read.
pub(super) fn exercises(
    rules: &RuleSet,
    question: &Question,
    now: Timestamp,
) -> Result<(Vec<Replayed>, Vec<LeftOut>), String> {
    let (mut exercises, mut left_out) = (Vec::new(), Vec::new());
    for rule in rules.rules().iter().filter(|rule| question.selection.takes_rule(rule)) {
        match exercise(rules, rule, question, now)? {
            Ok(exercise) => exercises.push(exercise),
            Err(reason) => left_out.push((rule.info.id.clone(), reason.to_owned())),
        }
    }
    Ok((exercises, left_out))
}

fn exercise(
    rules: &RuleSet,
    rule: &Rule,
    question: &Question,
    now: Timestamp,
) -> Result<Result<Replayed, &'static str>, String> {
    if let Some(reason) = not_drilled(rule) {
        return Ok(Err(reason));
    }
    let mut is_tested = false;
    for test in rule.tests.iter().filter(|test| test.expect) {
        is_tested = true;
        for record in records(test, question)? {
            let replayed = made(rules, rule, record, now)?;
            let mut findings = replayed.exercise.findings.iter();
            // The time of day, or what is not of the test's own record, may decide otherwise now.
            if findings.any(|finding| finding.rule == rule.info.id && !finding.channels.is_empty()) {
                return Ok(Ok(replayed));
            }
        }
    }
    Ok(Err(if is_tested {
        "of its tests' events no finding goes to a channel now"
    } else {
        "it has no test that must match"
    }))
}

/// Why a rule cannot be drilled, whatever is called.
pub(super) fn not_drilled(rule: &Rule) -> Option<&'static str> {
    match () {
        () if !rule.is_on() => Some("it is off"),
        () if rule.info.mode == Mode::Stage => Some("it is staged"),
        () if rule.threshold.is_some() => Some("it alerts from a threshold on, and one call does not reach it"),
        () => None,
    }
}

/// The records of a test's event.
fn records(test: &RuleTest, question: &Question) -> Result<Vec<Value>, String> {
    let text = match &test.event {
        TestEvent::Inline(text) => text.clone(),
        TestEvent::File(file) => {
            let folder = question.rules.path.parent().unwrap_or(std::path::Path::new(""));
            input::read(&folder.join(file)).map_err(|error| format!("{file}: {error}"))?
        }
    };
    let opened = envelope::open(&text);
    // An event within the rules may be as small as the rule's cells need.
    let texts =
        if opened.records.is_empty() { vec![text] } else { opened.records.into_iter().map(|raw| raw.json).collect() };
    texts.iter().map(|text| serde_json::from_str(text).map_err(|error| format!("{}: {error}", test.name))).collect()
}

/// The event that EventBridge would hand over for a record of now, and what the local rules find in it.
fn made(rules: &RuleSet, rule: &Rule, mut record: Value, now: Timestamp) -> Result<Replayed, String> {
    let id = StableId::hash(&["drill", &rule.info.id, &now.millis().to_string()]);
    let event_id = format!("{MARK}{}", id.as_str());
    let Some(members) = record.as_object_mut() else {
        return Err(format!("{}: a test's event is no object", rule.info.id));
    };
    members.insert("eventID".to_owned(), json!(event_id));
    members.insert("eventTime".to_owned(), json!(now.to_string()));
    // A copy of another account's record would be taken for a copy of the one that was recorded there.
    members.remove("sharedEventID");
    for (name, usual) in USUAL {
        members.entry(name).or_insert_with(|| json!(usual));
    }
    let payload = event_of(&record, now);
    let findings = expected(rules, &payload)?;
    Ok(Replayed { exercise: Exercise { rule: rule.info.id.clone(), event_id, findings }, payload })
}

/// The event in which EventBridge hands a record over.
pub(super) fn event_of(record: &Value, now: Timestamp) -> String {
    let text = |name: &str, usual: &str| record.get(name).and_then(Value::as_str).unwrap_or(usual).to_owned();
    let kind = match text("eventName", "Unknown").as_str() {
        "ConsoleLogin" => "AWS Console Sign In via CloudTrail",
        _ => "AWS API Call via CloudTrail",
    };
    let source = text("eventSource", "cloudtrail.amazonaws.com");
    let service = source.split('.').next().unwrap_or_default();
    json!({
        "version": "0", "id": text("eventID", ""), "detail-type": kind, "source": format!("aws.{service}"),
        "account": text("recipientAccountId", ACCOUNT), "time": now.to_string(), "region": text("awsRegion", "us-east-1"),
        "resources": [], "detail": record,
    })
    .to_string()
}

/// What the rules find in an event, and the channels to which it goes.
///
/// # Errors
/// It cannot be judged.
pub(super) fn expected(rules: &RuleSet, event: &str) -> Result<Vec<Expected>, String> {
    let mut findings = Vec::new();
    for raw in envelope::open(event).records {
        for finding in rules.evaluate(&raw).map_err(|error| error.to_string())? {
            let channels =
                rules.route(&finding).into_iter().map(|index| rules.channels()[index].name.clone()).collect();
            findings.push(Expected {
                id: finding.id.as_str().to_owned(),
                rule: finding.rule.id.clone(),
                channels: if finding.rule.mode == Mode::Stage { Vec::new() } else { channels },
            });
        }
    }
    Ok(findings)
}
