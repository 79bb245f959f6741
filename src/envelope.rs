//! How records arrive. Whatever the wrapping, what comes out is records, what is none of our business, and what cannot be
//! read: nothing is dropped in silence.
//!
//! Understood: EventBridge events; CloudTrail's log files (`{"Records":[…]}`); SQS events, SNS messages and their bodies;
//! Lambda's on-failure records (`requestPayload`); the answer of `aws cloudtrail lookup-events`; arrays of any of these;
//! bare records; and NDJSON, one of these a line.

use crate::json::{Node, Value};
use crate::record::RawRecord;

/// Wrappings within wrappings that are opened: an on-failure record of an SQS event of an SNS message of an event is four.
const MAX_WRAPPINGS: usize = 16;

/// What the member `offlimits` of a delivery of our own says.
pub const DELIVERY_MARK: &str = "delivery";

/// What an input held.
#[derive(Debug, Default)]
pub struct Opened {
    /// The records, in their order.
    pub records: Vec<RawRecord>,
    /// What is not CloudTrail's.
    pub ignored: Vec<NotARecord>,
    /// What should have been a record, and cannot be read.
    pub unreadable: Vec<NotARecord>,
    /// Deliveries of our own that come back from a queue.
    pub deliveries: Vec<Returned>,
}

/// A delivery of our own: [`crate::redelivery::Message`], unread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// Its JSON text.
    pub json: String,
    /// The SQS message that brought it, if one did.
    pub message_id: Option<String>,
}

/// Something that is no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotARecord {
    /// What it is instead, or what is wrong with it: safe to log.
    pub reason: String,
    /// The line of NDJSON that it stands on, from 1.
    pub line: Option<usize>,
    /// The SQS message that brought it, if one did.
    pub message_id: Option<String>,
}

/// Where only records count.
impl From<Returned> for NotARecord {
    fn from(returned: Returned) -> Self {
        Self { reason: "a delivery of offlimits itself".to_owned(), line: None, message_id: returned.message_id }
    }
}

/// Takes an input apart.
pub fn open(text: &str) -> Opened {
    let mut opened = Opened::default();
    // Windows' editors write a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match Node::parse(text) {
        Ok(node) => Opener { opened: &mut opened, line: None, message_id: None }.value(&node, text, 0),
        Err(error) => {
            // NDJSON if the first line that is not blank is a document of its own, and others follow.
            let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
            let is_ndjson = lines.next().is_some_and(|(_, line)| Node::parse(line).is_ok()) || is_damaged_ndjson(text);
            if !is_ndjson {
                let reason =
                    if text.trim().is_empty() { "it is empty".to_owned() } else { format!("not JSON: {error}") };
                opened.unreadable.push(NotARecord { reason, line: None, message_id: None });
                return opened;
            }
            for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                let mut opener = Opener { opened: &mut opened, line: Some(index + 1), message_id: None };
                match Node::parse(line) {
                    Ok(node) => opener.value(&node, line, 0),
                    Err(error) => opener.unreadable(format!("not JSON: {error}")),
                }
            }
        }
    }
    opened
}

/// NDJSON whose first line is the damaged one: the second is a document of its own, and an object.
fn is_damaged_ndjson(text: &str) -> bool {
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .nth(1)
        .is_some_and(|line| line.trim_start().starts_with('{') && Node::parse(line).is_ok())
}

struct Opener<'o> {
    opened: &'o mut Opened,
    line: Option<usize>,
    message_id: Option<String>,
}

impl Opener<'_> {
    fn unreadable(&mut self, reason: String) {
        self.opened.unreadable.push(NotARecord { reason, line: self.line, message_id: self.message_id.clone() });
    }

    fn ignored(&mut self, reason: String) {
        self.opened.ignored.push(NotARecord { reason, line: self.line, message_id: self.message_id.clone() });
    }

    /// `text` is the document that `node` was read from.
    fn value(&mut self, node: &Node, text: &str, depth: usize) {
        if depth > MAX_WRAPPINGS {
            return self.unreadable(format!("more than {MAX_WRAPPINGS} wrappings within each other"));
        }
        match &node.value {
            Value::Array(elements) => elements.iter().for_each(|element| self.value(element, text, depth + 1)),
            Value::Object(_) => self.object(node, text, depth),
            _ => self.unreadable(format!("a record is an object, and this is {}", node.kind())),
        }
    }

    fn object(&mut self, node: &Node, text: &str, depth: usize) {
        let string = |key: &str| node.get(key).and_then(Node::as_str);
        let known = |key: &str| node.get(key).is_some_and(|value| !value.is_null());
        if string("offlimits") == Some(DELIVERY_MARK) {
            let (json, message_id) = (text[node.span.clone()].to_owned(), self.message_id.clone());
            self.opened.deliveries.push(Returned { json, message_id });
        } else if let (Some(detail_type), Some(detail)) = (string("detail-type"), node.get("detail")) {
            // The detail-types of CloudTrail are spelt in several ways: the detail itself decides, and the name helps
            // where it says too little.
            if is_record(detail) || (detail_type.ends_with("via CloudTrail") && detail.members().is_some()) {
                self.record(detail, text);
            } else {
                self.ignored(format!("an event of the type \"{}\"", shown(detail_type)));
            }
        } else if let Some(payload) = node.get("requestPayload").filter(|_| known("requestContext")) {
            self.value(payload, text, depth + 1);
        } else if let Some(body) = string("body").filter(|_| known("messageId") || known("receiptHandle")) {
            let outer = self.message_id.clone();
            if depth <= 2 {
                self.message_id = string("messageId").map(str::to_owned);
            }
            self.embedded(body, depth);
            self.message_id = outer;
        } else if let Some(message) = node.get("Sns").and_then(|sns| sns.get("Message")).and_then(Node::as_str) {
            self.embedded(message, depth);
        } else if let Some(message) = string("Message").filter(|_| known("TopicArn")) {
            self.embedded(message, depth);
        } else if let Some(event) = string("CloudTrailEvent") {
            self.embedded(event, depth);
        } else if is_record(node) {
            self.record(node, text);
        } else if let Some(records) = node.get("Records").or_else(|| node.get("Events")) {
            match records.elements() {
                Some(elements) => elements.iter().for_each(|element| self.value(element, text, depth + 1)),
                None => self.unreadable(format!("\"Records\" is {}, and should be an array", records.kind())),
            }
        } else {
            let keys: Vec<String> = node.members().into_iter().flatten().map(|member| shown(&member.key)).collect();
            self.ignored(if keys.is_empty() {
                "an empty object".to_owned()
            } else {
                format!("an object with the keys {}", crate::text::some_of(&keys))
            });
        }
    }

    /// A document that travels inside a string.
    fn embedded(&mut self, document: &str, depth: usize) {
        match Node::parse(document) {
            Ok(node) => self.value(&node, document, depth + 1),
            Err(error) => self.unreadable(format!("a message that is not JSON: {error}")),
        }
    }

    fn record(&mut self, node: &Node, text: &str) {
        self.opened.records.push(RawRecord {
            json: text[node.span.clone()].to_owned(),
            index: self.opened.records.len(),
            message_id: self.message_id.clone(),
        });
    }
}

/// Whether an object looks like a CloudTrail record. Every field is optional, so any that only CloudTrail writes will do.
fn is_record(node: &Node) -> bool {
    const MARKS: [&str; 7] = [
        "eventSource",
        "eventName",
        "userIdentity",
        "recipientAccountId",
        "insightDetails",
        "eventVersion",
        "eventType",
    ];
    let present = |key: &str| node.get(key).is_some();
    // The messages of S3 and SQS hold an `eventSource` of their own: `aws:s3`, `aws:sqs`.
    let of_another = node.get("eventSource").and_then(Node::as_str).is_some_and(|source| source.starts_with("aws:"));
    !of_another && MARKS.iter().any(|key| present(key))
}

fn shown(text: &str) -> String {
    crate::text::clip(&crate::text::clean(text), 60).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = r#"{"eventName":"StopLogging"}"#;

    fn counts(text: &str) -> (usize, usize, usize) {
        let opened = open(text);
        assert!(opened.records.iter().all(|record| record.json == RECORD), "{opened:?}");
        (opened.records.len(), opened.ignored.len(), opened.unreadable.len())
    }

    fn event(detail_type: &str) -> String {
        format!(r#"{{"detail-type":"{detail_type}","source":"aws.cloudtrail","detail":{RECORD}}}"#)
    }

    fn sqs(body: &str) -> String {
        let body = serde_json::to_string(body).unwrap();
        format!(r#"{{"Records":[{{"messageId":"m-1","eventSource":"aws:sqs","body":{body}}}]}}"#)
    }

    #[test]
    fn every_wrapping_is_opened() {
        let sns =
            format!(r#"{{"Type":"Notification","TopicArn":"t","Message":{}}}"#, serde_json::to_string(RECORD).unwrap());
        let failure =
            format!(r#"{{"requestContext":{{"condition":"RetriesExhausted"}},"requestPayload":{}}}"#, event("x"));
        let lookup =
            format!(r#"{{"Events":[{{"EventId":"1","CloudTrailEvent":{}}}]}}"#, serde_json::to_string(RECORD).unwrap());
        for text in [
            RECORD.to_owned(),
            format!("[{RECORD}]"),
            format!(r#"{{"Records":[{RECORD}]}}"#),
            event("AWS API Call via CloudTrail"),
            event("AWS Console Signin via CloudTrail"),
            sqs(&event("AWS API Call via CloudTrail")),
            sqs(&sns),
            sqs(&failure),
            failure.clone(),
            lookup,
            format!("\u{feff}{RECORD}"),
        ] {
            assert_eq!(counts(&text), (1, 0, 0), "{text}");
        }
        assert_eq!(open(&sqs(RECORD)).records[0].message_id.as_deref(), Some("m-1"));
    }

    #[test]
    fn a_bad_line_of_ndjson_is_named_and_the_others_are_read() {
        let opened = open(&format!("{RECORD}\r\n\n{{oops\n{RECORD}\n"));
        assert_eq!(opened.records.len(), 2);
        assert_eq!(opened.unreadable[0].line, Some(3));
        assert_eq!(open(&format!("{{oops\n{RECORD}\n")).records.len(), 1);
    }

    #[test]
    fn what_is_not_cloudtrails_is_ignored_and_what_is_broken_is_told() {
        assert_eq!(
            counts(r#"{"detail-type":"EC2 Instance State-change Notification","detail":{"state":"x"}}"#),
            (0, 1, 0)
        );
        assert_eq!(
            counts(r#"{"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{}}]}"#),
            (0, 1, 0)
        );
        assert_eq!(counts("{}"), (0, 1, 0));
        for broken in ["", "  ", "{", "5", r#"{"Records":{}}"#, r#"{"Records":[5]}"#, &sqs("not json")] {
            assert_eq!(counts(broken), (0, 0, 1), "{broken}");
        }
        let mut deep = RECORD.to_owned();
        for _ in 0..30 {
            deep = format!("[{deep}]");
        }
        assert_eq!(counts(&deep), (0, 0, 1));
    }
}
