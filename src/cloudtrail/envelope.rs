//! How records arrive. Whatever they are wrapped in, [`open`] sorts it into records, what is not CloudTrail's, and what cannot
//! be read: nothing is dropped in silence.
//!
//! It understands EventBridge events; CloudTrail's log files (`{"Records":[…]}`); SQS events, SNS messages and their bodies;
//! Lambda's on-failure records (`requestPayload`); the answer of `aws cloudtrail lookup-events`; what CloudWatch Logs makes of
//! the records that a trail sends there (subscriptions, exports to S3, the answers of `aws logs filter-log-events` and of Logs
//! Insights); the rows of CloudTrail Lake and of Athena; arrays of any of these; bare records; and several of these one after
//! the other, as NDJSON or pretty-printed.

use std::borrow::Cow;

use super::account_id::is_account_id;
use super::cloudwatch_logs::{message_of_line, unpacked};
use super::query_rows::{self, RowContent};
use super::record::RawRecord;
use super::s3_notification::named_object;
use crate::json::{Lexer, Members, Nesting, Node, NotJson, Outline, WHITE_SPACE, why_not_json};

/// The wrappings within each other that are opened. An on-failure record of an SQS event of an SNS message of an EventBridge
/// event is four.
const MAX_WRAPPINGS: usize = 16;

/// The value of the member `offlimits` by which a delivery of offlimits itself is known when a queue brings it back.
pub const DELIVERY_MARK: &str = "delivery";

/// What an input held.
#[derive(Debug, Default)]
pub struct Opened {
    /// The records, in the order of the input.
    pub records: Vec<RawRecord>,
    /// What is something else than CloudTrail's.
    pub ignored: Vec<NotARecord>,
    /// What should have been a record, and cannot be read.
    pub unreadable: Vec<NotARecord>,
    /// Deliveries of offlimits itself that come back from a queue.
    pub deliveries: Vec<Returned>,
}

/// A delivery of offlimits itself that a queue has brought back: the text of a [`crate::redelivery::QueueMessage`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// Its JSON text.
    pub json: String,
    /// The SQS message that brought it, if one did.
    pub message_id: Option<String>,
}

/// Something that is not a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotARecord {
    /// What it is instead, or what is wrong with it. It is safe to log.
    pub reason: String,
    /// The line of NDJSON that it stands on, from 1.
    pub line: Option<usize>,
    /// The SQS message that brought it, if one did.
    pub message_id: Option<String>,
}

/// For those to whom only records count.
impl From<Returned> for NotARecord {
    fn from(returned: Returned) -> Self {
        Self { reason: "a delivery of offlimits itself".to_owned(), line: None, message_id: returned.message_id }
    }
}

/// Opens an input, whatever it is. What the function is invoked with and what the tool reads from files come through here.
pub fn open(text: &str) -> Opened {
    let mut opened = Opened::default();
    // Windows' editors write a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if (Opener { opened: &mut opened, line: None, message_id: None }).value(text, 0).is_ok() {
        return opened;
    }
    let lines = || text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    if lines().next().is_some_and(|(_, line)| message_of_line(line).is_some()) {
        for (index, line) in lines() {
            let mut opener = Opener { opened: &mut opened, line: Some(index + 1), message_id: None };
            opener.log_line(message_of_line(line).unwrap_or(line), 0);
        }
        return opened;
    }
    // NDJSON if the first line that is not blank is a document of its own, and others follow.
    let is_ndjson = lines().next().is_some_and(|(_, line)| Outline::parse(line).is_ok()) || is_damaged_ndjson(text);
    if let Some(documents) = documents(text).filter(|_| !is_ndjson) {
        for document in documents {
            let mut opener = Opener { opened: &mut opened, line: None, message_id: None };
            if opener.value(document, 0).is_err() {
                opener.unreadable(format!("not JSON: {}", why_not_json(document)));
            }
        }
        return opened;
    }
    if !is_ndjson {
        let reason =
            if text.trim().is_empty() { "it is empty".to_owned() } else { format!("not JSON: {}", why_not_json(text)) };
        opened.unreadable.push(NotARecord { reason, line: None, message_id: None });
        return opened;
    }
    for (index, line) in lines() {
        let mut opener = Opener { opened: &mut opened, line: Some(index + 1), message_id: None };
        if opener.value(line, 0).is_err() {
            opener.unreadable(format!("not JSON: {}", why_not_json(line)));
        }
    }
    opened
}

/// Objects and arrays one after the other, each over any number of lines, as `jq .` prints them; `None` if the text is something
/// else.
fn documents(text: &str) -> Option<Vec<&str>> {
    let (mut lexer, mut nesting) = (Lexer::new(text), Nesting::default());
    let (mut documents, mut at) = (Vec::new(), lexer.space(0));
    while at < text.len() {
        if !b"{[".contains(&lexer.byte(at)) {
            return None;
        }
        let end = lexer.skip(at, &mut nesting).ok()?;
        documents.push(&text[at..end]);
        at = lexer.space(end);
    }
    Some(documents).filter(|documents| !documents.is_empty())
}

/// Whether this is NDJSON whose first line is the damaged one: the second line is a document of its own, and an object.
fn is_damaged_ndjson(text: &str) -> bool {
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .nth(1)
        .is_some_and(|line| matches!(Outline::parse(line), Ok(Outline::Object(_))))
}

/// Opens one document of an input.
struct Opener<'o> {
    opened: &'o mut Opened,
    /// The line of NDJSON that it stands on, from 1.
    line: Option<usize>,
    /// The SQS message inside of which it is.
    message_id: Option<String>,
}

impl Opener<'_> {
    fn unreadable(&mut self, reason: String) {
        self.opened.unreadable.push(NotARecord { reason, line: self.line, message_id: self.message_id.clone() });
    }

    fn ignored(&mut self, reason: String) {
        self.opened.ignored.push(NotARecord { reason, line: self.line, message_id: self.message_id.clone() });
    }

    /// Sorts what one value holds. If it is not JSON, nothing of it has been taken, and the caller reports it.
    fn value(&mut self, json: &str, depth: usize) -> Result<(), NotJson> {
        let outline = Outline::parse(json)?;
        if depth > MAX_WRAPPINGS {
            self.unreadable(format!("more than {MAX_WRAPPINGS} wrappings within each other"));
            return Ok(());
        }
        match outline {
            Outline::Array(elements) => elements.into_iter().for_each(|element| self.element(element, false, depth)),
            Outline::Object(members) => self.object(&members, json.trim_matches(WHITE_SPACE), depth),
            Outline::Scalar => {
                let kind = Node::parse(json).map_or("unknown", |node| node.kind());
                self.unreadable(format!("a record is an object, and this is {kind}"));
            }
        }
        Ok(())
    }

    /// Sorts what a value inside another holds. It has been checked with the other.
    fn part(&mut self, json: &str, depth: usize) {
        if self.value(json, depth + 1).is_err() {
            self.unreadable("a part that is not JSON".to_owned());
        }
    }

    /// Sorts what an element of an array holds: the row of a query's result, or anything else. It has been checked with the
    /// array.
    fn element(&mut self, json: &str, is_row: bool, depth: usize) {
        let Some(row) = query_rows::row(json, is_row) else { return self.part(json, depth) };
        match query_rows::content(&row) {
            RowContent::Document(document) => self.embedded(&document, depth),
            RowContent::LogLine(line) => self.log_line(&line, depth),
            RowContent::Record(record) => self.record(&record),
            RowContent::Else(reason) => self.ignored(reason),
            RowContent::Inexact(reason) => self.unreadable(reason),
        }
    }

    /// Sorts what a line of a log holds: a record, if CloudTrail wrote it.
    fn log_line(&mut self, line: &str, depth: usize) {
        if line.trim_start().starts_with('{') {
            self.embedded(line, depth);
        } else {
            self.ignored("a line of a log that is no JSON".to_owned());
        }
    }

    fn object(&mut self, members: &Members<'_>, json: &str, depth: usize) {
        let known = |key: &str| members.get(key).is_some_and(|value| value != "null");
        if members.string("offlimits").as_deref() == Some(DELIVERY_MARK) {
            let (json, message_id) = (json.to_owned(), self.message_id.clone());
            self.opened.deliveries.push(Returned { json, message_id });
        } else if let (Some(detail_type), Some(detail)) = (members.string("detail-type"), members.get("detail")) {
            // The detail-types of CloudTrail are spelt in several ways: the detail itself decides, and the name helps
            // where it says too little.
            let is_object = detail.starts_with('{');
            if members_of(detail).is_some_and(|detail| is_aggregated(&detail)) {
                self.ignored(AGGREGATED.to_owned());
            } else if is_object
                && (detail_type.ends_with("via CloudTrail")
                    || members_of(detail).is_some_and(|detail| is_record(&detail)))
            {
                self.record_of(detail, members.string("account"));
            } else if let Some(object) = members_of(detail).and_then(|detail| named_object(&detail)) {
                self.names_an_object(&object);
            } else {
                self.ignored(format!("an event of the type \"{}\"", shown(&detail_type)));
            }
        } else if let Some(payload) = members.get("requestPayload").filter(|_| known("requestContext")) {
            self.part(payload, depth);
        } else if let Some(body) = members.string("body").filter(|_| known("messageId") || known("receiptHandle")) {
            let outer = self.message_id.clone();
            if depth <= 2 {
                self.message_id = members.string("messageId").map(Cow::into_owned);
            }
            self.embedded(&body, depth);
            self.message_id = outer;
        } else if let Some(message) = members.get("Sns").and_then(members_of).and_then(|sns| sns.string("Message")) {
            self.embedded(&message, depth);
        } else if let Some(message) = members.string("Message").filter(|_| known("TopicArn")) {
            self.embedded(&message, depth);
        } else if let Some(event) = members.string("CloudTrailEvent") {
            self.embedded(&event, depth);
        } else if let Some(event) = members.string(query_rows::EVENT_JSON) {
            self.embedded(&event, depth);
        } else if let Some(line) = members.get("@message") {
            // The console's downloads have it as an object, the API as a text.
            match members.string("@message") {
                Some(line) => self.log_line(&line, depth),
                None => self.part(line, depth),
            }
        } else if is_aggregated(members) {
            self.ignored(AGGREGATED.to_owned());
        } else if is_record(members) {
            self.record(json);
        } else if let Some(records) = members.get("Records").or_else(|| members.get("Events")) {
            if let Ok(Outline::Array(elements)) = Outline::parse(records) {
                elements.into_iter().for_each(|element| self.part(element, depth));
            } else {
                let kind = Node::parse(records).map_or("unknown", |node| node.kind());
                self.unreadable(format!("\"Records\" is {kind}, and should be an array"));
            }
        } else if let Some(data) = members.get("awslogs").and_then(members_of).and_then(|logs| logs.string("data")) {
            match unpacked(&data) {
                Ok(document) => self.embedded(&document, depth),
                Err(error) => self.unreadable(error.to_string()),
            }
        } else if let Some(elements) = log_events(members) {
            elements.into_iter().for_each(|element| self.part(element, depth));
        } else if let Some(rows) = rows(members) {
            rows.into_iter().for_each(|row| self.element(row, true, depth));
        } else if let Some(line) = members.string("message").filter(|_| known("timestamp")) {
            self.log_line(&line, depth);
        } else if let Some(object) = named_object(members) {
            self.names_an_object(&object);
        } else if members.get("logFiles").is_some() && members.get("digestStartTime").is_some() {
            self.ignored("a digest of CloudTrail's, which lists log files and holds no records".to_owned());
        } else {
            let keys: Vec<String> = members.0.iter().map(|(key, _)| shown(key)).collect();
            self.ignored(if keys.is_empty() {
                "an empty object".to_owned()
            } else {
                format!("an object with the keys {}", crate::text::some_of(&keys))
            });
        }
    }

    /// Sorts what a document inside a string holds.
    fn embedded(&mut self, document: &str, depth: usize) {
        if self.value(document, depth + 1).is_err() {
            self.unreadable(format!("a message that is not JSON: {}", why_not_json(document)));
        }
    }

    fn names_an_object(&mut self, object: &str) {
        self.ignored(format!(
            "a notification that names an object and holds no records: read the object itself, {object}"
        ));
    }

    fn record(&mut self, json: &str) {
        self.record_of(json, None);
    }

    /// Takes a record from an envelope that names an account, if it names one.
    fn record_of(&mut self, json: &str, account: Option<Cow<'_, str>>) {
        self.opened.records.push(RawRecord {
            json: json.to_owned(),
            index: self.opened.records.len(),
            message_id: self.message_id.clone(),
            account: account.filter(|account| is_account_id(account)).map(Cow::into_owned),
        });
    }
}

/// Keys at the top of CloudTrail's records and of nothing else that arrives. Every field of a record is optional, so that any
/// one of them will do.
pub(crate) const RECORD_KEYS: [&str; 7] =
    ["eventSource", "eventName", "userIdentity", "recipientAccountId", "insightDetails", "eventVersion", "eventType"];

/// Keys at the top of what a record may be wrapped in, and of what only looks like one. [`open`] takes an object for a record if it has none of these and one of
/// [`RECORD_KEYS`]; the engine, which reads files without opening them, relies on that.
pub(crate) const WRAPPER_KEYS: [&str; 10] = [
    "offlimits",
    "detail-type",
    "requestPayload",
    "body",
    "Sns",
    "Message",
    "CloudTrailEvent",
    query_rows::EVENT_JSON,
    "@message",
    TIME_WINDOW,
];

/// The key at the top of an aggregated event of CloudTrail's that no record has: it stands for all data events of five minutes, and
/// tells of no single call. Source:
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aggregated-events.html>.
const TIME_WINDOW: &str = "timeWindow";
const AGGREGATED: &str = "an aggregated event of CloudTrail's, which counts calls and tells of none";

fn is_aggregated(members: &Members<'_>) -> bool {
    members.get(TIME_WINDOW).is_some()
        && ["eventType", "eventCategory"]
            .iter()
            .any(|key| members.string(key).is_some_and(|kind| kind == "AwsAggregatedEvent" || kind == "Aggregated"))
}

fn is_record(members: &Members<'_>) -> bool {
    // The messages of S3 and SQS hold an `eventSource` of their own: `aws:s3`, `aws:sqs`.
    let of_another = members.string("eventSource").is_some_and(|source| source.starts_with("aws:"));
    !of_another && RECORD_KEYS.iter().any(|key| members.get(key).is_some())
}

/// Whether a line begins as those of an export of CloudWatch Logs do.
#[cfg(feature = "cli")]
pub(crate) fn is_line_of_log(line: &str) -> bool {
    message_of_line(line).is_some()
}

/// Whether a table with these columns may hold records.
#[cfg(feature = "cli")]
pub(crate) fn is_table_of_records(columns: &[Cow<'_, str>]) -> bool {
    query_rows::has_records(columns)
}

/// The events of CloudWatch Logs in the document of a subscription (`logEvents`), and in the answers of
/// `aws logs filter-log-events` and `get-log-events` (`events`). Other answers of AWS have a list called `events`, too.
fn log_events<'t>(members: &Members<'t>) -> Option<Vec<&'t str>> {
    let (list, is_certain) = match members.get("logEvents") {
        Some(list) => (list, true),
        None => (members.get("events")?, false),
    };
    let Ok(Outline::Array(elements)) = Outline::parse(list) else { return None };
    let is_log_event = |element: &&str| {
        members_of(element).is_some_and(|event| event.string("message").is_some() && event.get("timestamp").is_some())
    };
    (is_certain || elements.iter().all(is_log_event)).then_some(elements)
}

/// The rows in the answers of `aws cloudtrail get-query-results` and `aws logs get-query-results`.
fn rows<'t>(members: &Members<'t>) -> Option<Vec<&'t str>> {
    let (list, is_certain) = match members.get("QueryResultRows") {
        Some(list) => (list, true),
        None => (members.get("results")?, members.get("statistics").is_some()),
    };
    let Ok(Outline::Array(elements)) = Outline::parse(list) else { return None };
    (is_certain || query_rows::are_rows(&elements)).then_some(elements)
}

/// The members, if the text is an object.
fn members_of(json: &str) -> Option<Members<'_>> {
    if let Ok(Outline::Object(members)) = Outline::parse(json) { Some(members) } else { None }
}

fn shown(text: &str) -> String {
    crate::text::one_line(text, 60).into_owned()
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
    fn documents_over_several_lines_may_follow_each_other() {
        let pretty = RECORD.replace(':', ":\n  ");
        let opened = open(&format!("{pretty}\n{pretty}\n"));
        assert_eq!((opened.records.len(), opened.unreadable.len()), (2, 0));
        let opened = open(&format!("{pretty}\n{pretty}}}\n"));
        assert_eq!((opened.records.len(), opened.unreadable.len()), (0, 1));
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
