//! Documents and wrappings that are broken, or are not what they seem.

use serde_json::{Value, json};

use super::cases::run_all;
use super::make::Expect::{Found, FoundAndNamed, Named, Nothing};
use super::make::{Case, DEEP, case, gzip, log_file, nested, spliced, start_instances, with};
use crate::support;

#[test]
fn truncated_json() {
    run_all(truncated());
}

#[test]
fn wrong_shapes() {
    run_all(documents_of_the_wrong_shape());
}

#[test]
fn envelopes_within_envelopes() {
    run_all(envelopes());
}

#[test]
fn ndjson() {
    run_all(lines());
}

#[test]
fn gzip_files() {
    run_all(gzipped());
}

fn truncated() -> Vec<Case> {
    let text = log_file(&[start_instances(), start_instances()]);
    let cut = |at: usize, expect| case(format!("log file cut off after {at} bytes"), &text.as_bytes()[..at], expect);
    let mut cases: Vec<Case> = [1, 2, 10, 11, 12, 40, text.len() / 4, text.len() / 2].map(|at| cut(at, Named)).into();
    // What is whole before the cut is read. Whether the last record is, only what follows it can tell.
    cases.extend([cut(text.len() - 2, FoundAndNamed(1)), cut(text.len() - 1, FoundAndNamed(2))]);
    let envelope = std::fs::read_to_string(support::repository("events/start-instances.json")).unwrap();
    cases.push(case("EventBridge event cut off in its record", &envelope.as_bytes()[..envelope.len() / 2], Named));
    cases.push(case("record with text after it", format!("{} garbage", start_instances()), Named));
    cases.push(case("record with a comma after it", format!("{},", start_instances()), Named));
    cases.push(case("ends within an escape", r#"{"eventName":"\u00"#, Named));
    cases
}

fn documents_of_the_wrong_shape() -> Vec<Case> {
    let record = start_instances();
    let mixed = json!({"Records": [null, 1, "x", [], {}, true, record, {"Records": "x"}]});
    let mut cases = vec![
        case("empty file", "", Nothing),
        case("white space alone", " \r\n\t \n", Nothing),
        case("NUL bytes alone", vec![0; 4096], Named),
        case("a NUL byte after the record", format!("{record}\0"), Named),
        case("a NUL byte within a string, raw", spliced("\"a\0b\""), Named),
        case("a control character within a string, raw", spliced("\"a\x1bb\""), Named),
        case("HTML", "<html><body>AccessDenied</body></html>", Named),
        case("a CSV", "eventName,userIdentity\nStartInstances,James\n", Named),
        case("Records holds anything but records", mixed.to_string(), FoundAndNamed(1)),
        case("Records stands twice, the last counts", format!(r#"{{"Records":[],"Records":[{record}]}}"#), Found(1)),
        case("single quotes", record.to_string().replace('"', "'"), Named),
        case("NaN", spliced("NaN"), Named),
        case("a comment", format!("// hello\n{record}"), FoundAndNamed(1)),
    ];
    for document in ["null", "true", "5", "\"x\"", "[]", "{}", "[[]]", "[null]"] {
        cases.push(case(format!("the document is {document}"), document, Nothing));
    }
    for records in ["{}", "null", "\"x\"", "7", "[[[]]]"] {
        cases.push(case(format!("Records is {records}"), format!(r#"{{"Records":{records}}}"#), Nothing));
    }
    cases
}

fn envelopes() -> Vec<Case> {
    let record = start_instances().to_string();
    let mut cases = vec![
        case("a record in SNS in SQS", in_sqs(&in_sns(&record)), Found(1)),
        case("SQS body that is no JSON", in_sqs("x"), Nothing),
        case("SQS body that is empty", in_sqs(""), Nothing),
        case(
            "one SQS body of two is broken",
            {
                let mut message: Value = serde_json::from_str(&in_sqs(&record)).unwrap();
                let mut broken = message["Records"][0].clone();
                broken["body"] = json!("{\"Records\":[");
                message["Records"].as_array_mut().unwrap().push(broken);
                message.to_string()
            },
            FoundAndNamed(1),
        ),
    ];
    // The escapes of such a text double with each layer (50 would need more bytes than there are atoms in a cat): as deep as
    // a file may be long.
    let mut message = record.clone();
    for layer in 0..9 {
        message = if layer % 2 == 0 { in_sqs(&message) } else { in_sns(&message) };
    }
    assert!(message.len() > 50_000, "{}", message.len());
    cases.push(case("SQS in SNS in SQS …, nine deep", message, Found(1)));
    // Where the payload is an object, 50 layers fit. How many are opened is the reader's choice; that it ends is not.
    let failure = nested(
        r#"{"version":"1.0","requestContext":{"condition":"RetriesExhausted"},"requestPayload":"#,
        &record,
        "}",
        50,
    );
    cases.push(case("on-failure records 50 deep", failure, Nothing));
    for broken in [
        "%7B%22Version%22%3A%222012-10-17%22%2C%22Sta",
        "%7B%2",
        "%7B%",
        "%7B%zz%7D",
        "%7B%ff%fe%7D",
        "%5B%5B%5B",
        "%7B%00%7D",
        "%",
        "{\"Statement\":",
        "{",
    ] {
        let policy = json!({"policyDocument": broken, "assumeRolePolicyDocument": broken});
        cases.push(case(
            format!("a policy document that is {broken}"),
            with("/requestParameters", policy).to_string(),
            Found(1),
        ));
    }
    cases
}

/// Inside an SQS message: a JSON document in a string of another. Each layer escapes the quotes of those within.
fn in_sqs(body: &str) -> String {
    json!({"Records": [{"messageId": "m", "receiptHandle": "h", "eventSource": "aws:sqs", "body": body}]}).to_string()
}

fn in_sns(message: &str) -> String {
    json!({"Type": "Notification", "MessageId": "n", "TopicArn": "arn:aws:sns:us-east-1:123456789012:t", "Message": message})
        .to_string()
}

fn lines() -> Vec<Case> {
    let record = start_instances().to_string();
    let middle = format!("{record}\n{}\n{record}\n", &record[..record.len() / 2]);
    vec![
        case("CRLF NDJSON", format!("{record}\r\n{record}\r\n\r\n{record}"), Found(3)),
        case("a bad line in the middle", middle, FoundAndNamed(2)),
        case("a bad first line", format!("{{\"a\":\n{record}\n{record}\n"), FoundAndNamed(2)),
        case("the last line cut off", format!("{record}\n{}", &record[..record.len() / 2]), FoundAndNamed(1)),
        case(
            "envelopes and records, line by line",
            format!("{record}\n{}\n[{record}]\n", log_file(&[start_instances()])),
            Found(3),
        ),
        case("NUL bytes between the lines", format!("{record}\n\0\0\0\n{record}\n"), FoundAndNamed(2)),
        case(
            "invalid UTF-8 between the lines",
            [record.as_bytes(), b"\n\xff\xff\n", record.as_bytes()].concat(),
            FoundAndNamed(2),
        ),
        case(
            "pretty-printed records, one after the other",
            {
                let pretty = serde_json::to_string_pretty(&start_instances()).unwrap();
                format!("{pretty}\n{pretty}\n")
            },
            Found(2),
        ),
        case(
            "a line separator within a string",
            spliced("\"a\u{2028}b\u{85}c\u{b}d\u{c}e\"").replace(['\u{b}', '\u{c}'], ""),
            Found(1),
        ),
    ]
}

fn gzipped() -> Vec<Case> {
    let record = start_instances().to_string();
    let whole = gzip(log_file(&[start_instances(), start_instances()]));
    let damaged = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        bytes
    };
    vec![
        case("gzip", whole.clone(), Found(2)),
        case("gzip of an empty file", gzip(""), Nothing),
        case("gzip of white space", gzip(" \n "), Nothing),
        case("gzip, cut off in its header", &whole[..5], Named),
        case("gzip, two bytes", &whole[..2], Named),
        case("gzip, cut off in the middle", &whole[..whole.len() / 2], Named),
        case("gzip, cut off in its checksum", &whole[..whole.len() - 3], FoundAndNamed(2)),
        case("gzip, damaged in the middle", damaged(whole.len() / 2), Named),
        case("gzip, wrong checksum", damaged(whole.len() - 6), FoundAndNamed(2)),
        case("gzip, several members", [gzip(format!("{record}\n")), gzip(&record), gzip("")].concat(), Found(2)),
        case("gzip, one member a piece of a record", [gzip(&record[..99]), gzip(&record[99..])].concat(), Found(1)),
        case("gzip of gzip", gzip(&whole), Nothing),
        case("gzip of a byte order mark and a record", gzip(format!("\u{feff}{record}")), Found(1)),
        case("gzip of 100,000 deep arrays", gzip(spliced(&nested("[", "", "]", DEEP))), Found(1)),
        case("gzip of a truncated file", gzip(&record[..record.len() / 2]), Named),
    ]
}
