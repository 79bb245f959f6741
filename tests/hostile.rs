//! Hostile input. Whatever a file holds, the command line ends by itself within its time, with a documented exit code,
//! without a panic; what it cannot read it names; and no odd byte hides a call that is off limits.
//!
//! Everything is made here, at test time: no bomb lies in the repository.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::write::GzEncoder;
use flate2::{Compression, Crc, FlushCompress};
use serde_json::{Value, json};

/// What must come of a file of events. A finding is one of the seed's rule.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Expect {
    /// Read to the end: exit 0, and exactly so many findings.
    Found(usize),
    /// So many findings, exit 2, and the file named on stderr: part of it could not be read.
    FoundAndNamed(usize),
    /// Nothing found, exit 2, the file named.
    Named,
    /// Nothing found. Whether it is unreadable or merely none of our business may be told either way.
    Nothing,
}
use Expect::{Found, FoundAndNamed, Named, Nothing};

struct Case {
    name: String,
    bytes: Vec<u8>,
    expect: Expect,
}

fn case(name: impl Into<String>, bytes: impl Into<Vec<u8>>, expect: Expect) -> Case {
    Case { name: name.into(), bytes: bytes.into(), expect }
}

/// The seed's rule, and one that reaches into every part of a record with every operator, so that hostile values meet them all.
fn rules(folder: &Path) -> PathBuf {
    let wide = json!([
        {"service": {"is": ["a", "b"]}, "event": {"not": "Start"}},
        {"source_ip": {"cidr": ["192.0.2.0/24", "2001:db8::/32"]}, "region": "nowhere"},
        {"requestParameters.policyDocument.Statement.Effect": "Allow", "region": "nowhere"},
        {"requestParameters": "instancesSet", "region": "nowhere"},
        {"requestParameters.instancesSet.items": {"item": {"instanceId": "^x", ".": "y"}}},
        {"requestParameters.n": {"all": [{"above": 5}, {"below": 6}]}},
        {"recipientAccountId": {"same_as": "userIdentity.principalId"}},
        {"userIdentity.arn": {"same_as": {"field": "userIdentity.principalId", "part": ":(.*)$"}}, "mfa": "yes"},
        {"outcome": "failure", "read_only": "true", "user": "x", "role": "x", "session": "x", "actor": "x", "account": "x"},
        {"eventTime": {"exists": false}, "user_agent": {"exists": false}, "error": "x"},
    ]);
    let columns = json!([
        {"identity": "^(IAM).*", "service": "^(ec2.amazonaws.com).*", "event": "StartInstances"},
    ]);
    let rules = json!({"rules": [
        {
            "id": "seed", "severity": "very-high", "when": columns,
            "title": "{event} by {actor} from {source_ip} {requestParameters.instancesSet.items.instanceId}",
            "severity_when": [{"severity": "low", "when": {"outcome": "failure"}}],
            "unless": [{"when": {"user": {"is": "ci-bot"}}, "reason": "deploys", "expires": "2027-03-31"}],
        },
        {"id": "wide", "severity": "low", "title": "{actor|arn|userIdentity}".replace("|arn", ""), "when": wide},
    ]});
    support::file(folder, "rules.json", rules.to_string())
}

/// A record that the seed's rule finds.
fn start_instances() -> Value {
    support::json("events/start-instances.json")["detail"].clone()
}

/// The same with one field changed.
fn with(pointer: &str, value: Value) -> Value {
    let mut record = start_instances();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    record.pointer_mut(parent).unwrap()[key] = value;
    record
}

/// The record as text, with `"PLACE"` (quotes and all) in its userAgent replaced by any text at all, JSON or not.
fn spliced(text: &str) -> String {
    with("/userAgent", json!("PLACE")).to_string().replace("\"PLACE\"", text)
}

/// As [`spliced`], in requestParameters, where rules look.
fn spliced_request(text: &str) -> String {
    with("/requestParameters", json!("PLACE")).to_string().replace("\"PLACE\"", text)
}

fn log_file(records: &[Value]) -> String {
    json!({"Records": records}).to_string()
}

fn gzip(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes.as_ref()).unwrap();
    encoder.finish().unwrap()
}

/// A valid gzip file of one member: `head`, and then `mebibytes` of `filler`. Made from one compressed block over and over,
/// so that a gibibyte costs milliseconds.
fn gzip_bomb(head: &[u8], filler: u8, mebibytes: usize) -> Vec<u8> {
    const MEBIBYTE: usize = 1 << 20;
    // After a full flush a block leans on nothing before it, and can stand anywhere.
    let block = |bytes: &[u8]| {
        let mut compress = flate2::Compress::new(Compression::best(), false);
        let mut out = Vec::with_capacity(bytes.len() + MEBIBYTE);
        compress.compress_vec(bytes, &mut out, FlushCompress::Full).unwrap();
        assert_eq!(compress.total_in(), bytes.len() as u64);
        out
    };
    let filler = vec![filler; MEBIBYTE];
    let (mut crc, mut filler_crc) = (Crc::new(), Crc::new());
    crc.update(head);
    filler_crc.update(&filler);
    let mut bomb = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    bomb.extend(block(head));
    let filler = block(&filler);
    for _ in 0..mebibytes {
        bomb.extend(&filler);
        crc.combine(&filler_crc);
    }
    bomb.extend([3, 0]); // an empty last block
    bomb.extend(crc.sum().to_le_bytes());
    bomb.extend(crc.amount().to_le_bytes());
    bomb
}

/// `open` so many times, `core`, `close` so many times.
fn nested(open: &str, core: &str, close: &str, depth: usize) -> String {
    format!("{}{core}{}", open.repeat(depth), close.repeat(depth))
}

/// Inside an SQS message: a JSON document in a string of another. Each layer escapes the quotes of those within.
fn in_sqs(body: &str) -> String {
    json!({"Records": [{"messageId": "m", "receiptHandle": "h", "eventSource": "aws:sqs", "body": body}]}).to_string()
}

fn in_sns(message: &str) -> String {
    json!({"Type": "Notification", "MessageId": "n", "TopicArn": "arn:aws:sns:us-east-1:123456789012:t", "Message": message})
        .to_string()
}

/// Depth that a recursive parser, printer or destructor does not survive.
const DEEP: usize = 100_000;
const MEGABYTE: usize = 1_000_000;

fn truncated() -> Vec<Case> {
    let text = log_file(&[start_instances(), start_instances()]);
    let mut cases: Vec<Case> = [1, 2, 10, 11, 12, 40, text.len() / 4, text.len() / 2, text.len() - 2, text.len() - 1]
        .map(|at| case(format!("log file cut off after {at} bytes"), &text.as_bytes()[..at], Named))
        .into();
    let envelope = std::fs::read_to_string(support::repository("events/start-instances.json")).unwrap();
    cases.push(case("EventBridge event cut off in its record", &envelope.as_bytes()[..envelope.len() / 2], Named));
    cases.push(case("record with text after it", format!("{} garbage", start_instances()), Named));
    cases.push(case("record with a comma after it", format!("{},", start_instances()), Named));
    cases.push(case("ends within an escape", r#"{"eventName":"\u00"#, Named));
    cases
}

/// Every field that CloudTrail knows, and some within them, holds what it never should.
fn wrong_types() -> Vec<Case> {
    const FIELDS: [&str; 44] = [
        "/eventVersion",
        "/userIdentity",
        "/userIdentity/type",
        "/userIdentity/principalId",
        "/userIdentity/arn",
        "/userIdentity/accountId",
        "/userIdentity/accessKeyId",
        "/userIdentity/userName",
        "/userIdentity/invokedBy",
        "/userIdentity/identityProvider",
        "/userIdentity/onBehalfOf",
        "/userIdentity/sessionContext",
        "/eventTime",
        "/eventSource",
        "/eventName",
        "/awsRegion",
        "/sourceIPAddress",
        "/userAgent",
        "/errorCode",
        "/errorMessage",
        "/requestParameters",
        "/requestParameters/instancesSet",
        "/responseElements",
        "/responseElements/instancesSet",
        "/responseElements/StartInstances",
        "/additionalEventData",
        "/requestID",
        "/eventID",
        "/readOnly",
        "/resources",
        "/eventType",
        "/managementEvent",
        "/recipientAccountId",
        "/apiVersion",
        "/serviceEventDetails",
        "/sharedEventID",
        "/vpcEndpointId",
        "/vpcEndpointAccountId",
        "/eventCategory",
        "/addendum",
        "/sessionCredentialFromConsole",
        "/edgeDeviceDetails",
        "/tlsDetails",
        "/eventContext",
    ];
    const MATCHED: [&str; 4] = ["/userIdentity", "/userIdentity/type", "/eventSource", "/eventName"];
    let mut cases = Vec::new();
    for wrong in [
        json!(null),
        json!(true),
        json!(-7.5),
        json!(""),
        json!("\u{0}"),
        json!([]),
        json!([[], [null], {}, 7]),
        json!({}),
        json!({"userName": {"userName": ["x"]}, "type": {"type": 1}}),
    ] {
        // All in one file: one bad record must not cost the others.
        let records: Vec<Value> = FIELDS.iter().map(|field| with(field, wrong.clone())).collect();
        // Those that the rule asks for cannot match; the rest must, all of them.
        cases.push(case(format!("each field is {wrong}"), log_file(&records), Found(FIELDS.len() - MATCHED.len())));
    }
    // Arrays are walked, so that a field that is suddenly a list of one is no hiding place.
    let listed: Vec<Value> =
        MATCHED[1..].iter().map(|field| with(field, json!([start_instances().pointer(field)]))).collect();
    cases.push(case("the fields that the rule asks for are lists of one", log_file(&listed), Found(3)));

    let envelope = support::json("events/start-instances.json");
    let mut envelopes = Vec::new();
    for key in ["version", "id", "source", "account", "time", "region", "resources"] {
        for wrong in [json!(null), json!(1), json!([]), json!({}), json!(false)] {
            let mut event = envelope.clone();
            event[key] = wrong;
            envelopes.push(event);
        }
    }
    cases.push(case("wrong types in the envelope", json!(envelopes).to_string(), Found(envelopes.len())));
    for wrong in [json!(null), json!(1), json!([]), json!({}), json!("x"), json!(["x"])] {
        let mut event = envelope.clone();
        event["detail"] = wrong.clone();
        cases.push(case(format!("detail is {wrong}"), event.to_string(), Nothing));
        event["detail"] = start_instances();
        event["detail-type"] = wrong.clone();
        // The detail decides: a record under an odd name is a record. A detail-type that is no string may be refused.
        let expect = if wrong.is_string() { Found(1) } else { Nothing };
        cases.push(case(format!("detail-type is {wrong}"), event.to_string(), expect));
    }
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

fn encodings() -> Vec<Case> {
    let record = start_instances().to_string();
    let bytes_in_user_agent = |bytes: &[u8]| {
        let text = spliced("\"PLACE\"").into_bytes();
        let at = text.windows(5).position(|window| window == b"PLACE").unwrap();
        [&text[..at], bytes, &text[at + 5..]].concat()
    };
    let utf16 = |bytes_of: fn(u16) -> [u8; 2]| -> Vec<u8> {
        std::iter::once(0xfeff).chain(record.encode_utf16()).flat_map(bytes_of).collect()
    };
    let bad_key = start_instances().to_string().replacen('{', r#"{"\udead":1,"#, 1);
    vec![
        case("byte order mark", format!("\u{feff}{record}"), Found(1)),
        case("byte order mark before NDJSON", format!("\u{feff}{record}\n{record}\n"), Found(2)),
        case("UTF-16, little end first", utf16(u16::to_le_bytes), Named),
        case("UTF-16, big end first", utf16(u16::to_be_bytes), Named),
        case("invalid UTF-8", bytes_in_user_agent(b"a\xff\xfe\x80b"), Found(1)),
        case("overlong UTF-8", bytes_in_user_agent(b"\xc0\xaf\xe0\x80\xaf"), Found(1)),
        case("a surrogate in UTF-8", bytes_in_user_agent(b"\xed\xa0\x80"), Found(1)),
        case("UTF-8 cut off before the quote", bytes_in_user_agent(b"\xf0\x9f\x98"), Found(1)),
        case(
            "Latin-1",
            bytes_in_user_agent("Jos\u{e9}".chars().map(|c| c as u8).collect::<Vec<_>>().as_slice()),
            Found(1),
        ),
        case("a lone high surrogate", spliced(r#""a\ud800b""#), Found(1)),
        case("a lone low surrogate", spliced(r#""a\udc00b""#), Found(1)),
        case("surrogates in the wrong order", spliced(r#""\udc00\ud800""#), Found(1)),
        case("a lone surrogate where rules look", spliced_request(r#"{"n":"\ud800"}"#), Found(1)),
        case("a lone surrogate in a key", bad_key, Found(1)),
        // The rule's pattern is unanchored: what is odd beside the name does not hide it.
        case(
            "a lone surrogate in the event's name",
            record.replace("\"StartInstances\"", r#""StartInstances\ud800""#),
            Found(1),
        ),
        case("an escaped name", record.replace("\"StartInstances\"", r#""St\u0061rtInst\u0061nces""#), Found(1)),
        case("an escaped key", record.replace("\"eventName\"", r#""event\u004eame""#), Found(1)),
        case("NUL, escaped", spliced(r#""a\u0000b""#), Found(1)),
        case("an escape that JSON does not know", spliced(r#""\x41""#), Named),
    ]
}

fn numbers_and_keys() -> Vec<Case> {
    let mut cases = Vec::new();
    for number in
        ["18446744073709551617", "-9223372036854775809", "1e999999", "-1e-999999", "-0", "0.1e1", &"9".repeat(MEGABYTE)]
    {
        let name: String = number.chars().take(24).collect();
        cases.push(case(format!("the number {name}"), spliced(number), Found(1)));
        cases.push(case(
            format!("the number {name} where rules compare"),
            spliced_request(&format!(r#"{{"n":{number}}}"#)),
            Found(1),
        ));
    }
    for number in ["01", "1.", ".5", "+1", "1e", "0x10", "-", "Infinity"] {
        cases.push(case(format!("{number}, which is no number"), spliced(number), Named));
    }
    let record = start_instances().to_string();
    let twice = |first: &str, last: &str| {
        record.replace(r#""eventName":"StartInstances""#, &format!(r#""eventName":"{first}","eventName":"{last}""#))
    };
    assert_ne!(twice("a", "b"), record);
    cases.push(case("eventName twice, the last is found", twice("StopInstances", "StartInstances"), Found(1)));
    cases.push(case("eventName twice, the first does not count", twice("StartInstances", "StopInstances"), Found(0)));
    let mut many = String::from("{");
    for index in 0..100_000 {
        let _ = write!(many, "\"key{index}\":{index},");
    }
    many.push_str("\"last\":0}");
    cases.push(case("100,000 keys in one object", spliced_request(&many), Found(1)));
    let same = format!("{{{}\"same\":0}}", "\"same\":0,".repeat(100_000));
    cases.push(case("one key 100,000 times", spliced_request(&same), Found(1)));
    let top = record.replacen('{', &format!("{{{}", "\"eventName\":\"x\",".repeat(100_000)), 1);
    cases.push(case("eventName 100,000 times, the last counts", top, Found(1)));
    cases
}

fn long() -> Vec<Case> {
    let mut records: Vec<Value> = [
        "/userIdentity/userName",
        "/userIdentity/arn",
        "/userIdentity/principalId",
        "/userAgent",
        "/sourceIPAddress",
        "/awsRegion",
        "/eventID",
        "/eventTime",
        "/errorCode",
        "/errorMessage",
        "/recipientAccountId",
    ]
    .map(|field| with(field, json!("é\u{202e}".repeat(MEGABYTE / 5))))
    .into();
    records.push(with("/eventName", json!(format!("StartInstances{}", "x".repeat(MEGABYTE)))));
    records.push(with("/requestParameters/instancesSet/items", json!([{"instanceId": "i".repeat(MEGABYTE)}])));
    let found = records.len();
    let policy = json!({"policyDocument": "%7B".repeat(MEGABYTE / 3)});
    let items: Vec<Value> = (0..100_000).map(|n| json!({"instanceId": format!("i-{n}")})).collect();
    vec![
        case("strings of a megabyte in each field", log_file(&records), Found(found)),
        case("a key of a megabyte", spliced_request(&format!("{{\"{}\":1}}", "k".repeat(MEGABYTE))), Found(1)),
        case("a megabyte of percent signs", with("/requestParameters", policy).to_string(), Found(1)),
        case(
            "100,000 items",
            with("/requestParameters", json!({"instancesSet": {"items": items}})).to_string(),
            Found(1),
        ),
        case("10 MB of white space", format!("{}{}", " \n".repeat(5 * MEGABYTE), start_instances()), Found(1)),
        case("one line of 10,000 records", log_file(&vec![json!({"eventName": "x"}); 10_000]), Found(0)),
        case("100,000 empty lines", format!("{}{}\n", "\n".repeat(100_000), start_instances()), Found(1)),
        case("100,000 bad lines", format!("{}\n{}", start_instances(), "x\n".repeat(2_000)), FoundAndNamed(1)),
    ]
}

fn deep() -> Vec<Case> {
    let arrays = nested("[", "", "]", DEEP);
    let objects = nested("{\"a\":", "1", "}", DEEP);
    let mut cases = vec![
        case("nothing but 100,000 arrays", arrays.clone(), Nothing),
        case("nothing but 100,000 objects", objects.clone(), Nothing),
        case("100,000 brackets that nobody closes", "[".repeat(DEEP), Named),
        case("100,000 braces that nobody closes", "{\"a\":".repeat(DEEP), Named),
        case(
            "100,000 Records within Records",
            nested("{\"Records\":[", &start_instances().to_string(), "]}", DEEP),
            Nothing,
        ),
        case("100,000 details within details", nested("{\"detail-type\":\"x\",\"detail\":", "{}", "}", DEEP), Nothing),
        case(
            "a record with a deep key that nobody asks for, EventBridge",
            {
                let event = support::json("events/start-instances.json").to_string();
                event.replacen('{', &format!("{{\"debug\":{arrays},"), 1)
            },
            Found(1),
        ),
    ];
    for (name, text) in [("arrays", &arrays), ("objects", &objects)] {
        // As a value that no rule names, and as one that several do.
        cases.push(case(format!("{name} 100,000 deep in a skipped value"), spliced(text), Found(1)));
        cases.push(case(format!("{name} 100,000 deep in requestParameters"), spliced_request(text), Found(1)));
        cases.push(case(
            format!("{name} 100,000 deep in a string that a path enters"),
            with("/requestParameters", json!({"policyDocument": text})).to_string(),
            Found(1),
        ));
    }
    for depth in [126, 127, 128, 129, 200, 1000] {
        cases.push(case(
            format!("requestParameters {depth} deep"),
            spliced_request(&nested("{\"a\":", "1", "}", depth)),
            Found(1),
        ));
    }
    // A document in a string in a document in a string …: each is opened when a path goes on, and none for ever.
    let mut matryoshka = "{\"Effect\":\"Allow\"}".to_owned();
    for _ in 0..12 {
        matryoshka = json!({"Statement": matryoshka}).to_string();
    }
    cases.push(case(
        "documents within strings, 12 deep",
        with("/requestParameters", json!({"policyDocument": matryoshka})).to_string(),
        Found(1),
    ));
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
    assert!(message.len() > MEGABYTE / 2, "{}", message.len());
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
        case("gzip, cut off in its checksum", &whole[..whole.len() - 3], Named),
        case("gzip, damaged in the middle", damaged(whole.len() / 2), Named),
        case("gzip, wrong checksum", damaged(whole.len() - 6), Named),
        case("gzip, several members", [gzip(format!("{record}\n")), gzip(&record), gzip("")].concat(), Found(2)),
        case("gzip, one member a piece of a record", [gzip(&record[..99]), gzip(&record[99..])].concat(), Found(1)),
        case("gzip of gzip", gzip(&whole), Nothing),
        case("gzip of a byte order mark and a record", gzip(format!("\u{feff}{record}")), Found(1)),
        case("gzip of 100,000 deep arrays", gzip(spliced(&nested("[", "", "]", DEEP))), Found(1)),
        case("gzip of a truncated file", gzip(&record[..record.len() / 2]), Named),
    ]
}

/// Runs `replay` and `explain` on each case, and tells all that is wrong at once.
fn run_all(cases: Vec<Case>) {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    let mut wrong = Vec::new();
    for (number, Case { name, bytes, expect }) in cases.into_iter().enumerate() {
        let end = if bytes.starts_with(&[0x1f, 0x8b]) { "json.gz" } else { "json" };
        let file_name = format!("case-{number}.{end}");
        let file = support::file(folder.path(), &file_name, &bytes);
        let replay = support::replay(&[&file], &rules);
        let mut explain = support::offlimits(["explain", "--rules"]);
        explain.arg(&rules).arg(&file);
        let explain = support::run(explain);
        for (command, run) in [("replay", &replay), ("explain", &explain)] {
            let code = run.code;
            let named = run.stderr.contains(&file_name);
            let complaint = run.misbehaviour().or_else(|| match expect {
                Found(_) => (code != Some(0)).then(|| format!("exit {code:?}: {}", run.shown())),
                FoundAndNamed(_) | Named => (code != Some(2) || !named)
                    .then(|| format!("exit {code:?}, and the file must be named: {}", run.shown())),
                Nothing => (code == Some(1)).then(|| format!("exit {code:?}: {}", run.shown())),
            });
            wrong.extend(complaint.map(|complaint| format!("{command}: {name}: {complaint}")));
        }
        if replay.misbehaviour().is_none() {
            // Each line is JSON, whatever the record held.
            let found = replay.findings().iter().filter(|finding| finding["rule"] == "seed").count();
            let expected = match expect {
                Found(count) | FoundAndNamed(count) => count,
                Named | Nothing => 0,
            };
            if found != expected {
                wrong.push(format!("replay: {name}: {found} findings, not {expected}: {}", replay.shown()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} complaints:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn truncated_json() {
    run_all(truncated());
}

#[test]
fn wrong_types_everywhere() {
    run_all(wrong_types());
}

#[test]
fn wrong_shapes() {
    run_all(documents_of_the_wrong_shape());
}

#[test]
fn odd_encodings() {
    run_all(encodings());
}

#[test]
fn odd_numbers_and_repeated_keys() {
    run_all(numbers_and_keys());
}

#[test]
fn long_strings_and_many_things() {
    run_all(long());
}

#[test]
fn deep_nesting() {
    run_all(deep());
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

/// The line that could not be read is told by its number in the file.
#[test]
fn a_bad_line_is_named_by_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let record = start_instances().to_string();
    let file = support::file(folder.path(), "trail.jsonl", format!("{record}\n\n{record}\n{{oops\n{record}\n"));
    let run = support::replay(&[&file], &rules(folder.path()));
    assert_eq!(run.code, Some(2), "{}", run.shown());
    assert!(run.stderr.contains("trail.jsonl:4"), "{}", run.shown());
    assert_eq!(run.findings().len(), 3);
}

/// Runs `replay` with no more than 2 GiB of address space: who swallows a bomb whole is ended by a failed allocation.
#[cfg(unix)]
fn replay_in_little_memory(file: &Path, rules: &Path) -> support::Run {
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "ulimit -v 2097152 && exec \"$0\" replay --format jsonl --rules \"$1\" \"$2\""]);
    command.arg(env!("CARGO_BIN_EXE_offlimits")).arg(rules).arg(file);
    support::run(command)
}

#[cfg(unix)]
#[test]
fn bombs_are_capped() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    let record = start_instances().to_string();
    let string = spliced("\"").split_at(spliced("\"").find("\"userAgent\":\"").unwrap() + 13).0.to_owned();
    for (name, bytes) in [
        ("zeros.gz", gzip_bomb(b"", 0, 1024)),
        ("zeros-in-members.gz", gzip_bomb(b"", 0, 64).repeat(16)),
        ("record-and-spaces.gz", gzip_bomb(record.as_bytes(), b' ', 300)),
        ("string-without-end.gz", gzip_bomb(string.as_bytes(), b'a', 300)),
        ("brackets.gz", gzip_bomb(b"", b'[', 300)),
    ] {
        let file = support::file(folder.path(), name, &bytes);
        let run = replay_in_little_memory(&file, &rules);
        assert_eq!((run.code, run.misbehaviour()), (Some(2), None), "{name}: {}", run.shown());
        assert!(run.stderr.contains(name), "{name}: {}", run.shown());
        assert_eq!(run.stdout, "", "{name}");
    }
    // A device that never ends is a bomb, too.
    let run = replay_in_little_memory(Path::new("/dev/zero"), &rules);
    assert_eq!((run.code, run.misbehaviour()), (Some(2), None), "{}", run.shown());
    assert!(run.stderr.contains("/dev/zero"), "{}", run.shown());
}

/// What fits under the cap is read, however well it was compressed.
#[test]
fn a_large_file_below_the_cap_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = gzip_bomb(start_instances().to_string().as_bytes(), b'\n', 40);
    let file = support::file(folder.path(), "large.json.gz", bytes);
    let run = support::replay(&[&file], &rules(folder.path()));
    assert_eq!((run.code, run.misbehaviour()), (Some(0), None), "{}", run.shown());
    assert_eq!(run.findings().len(), 1);
}

/// Of several inputs each readable one is processed, and each other one named.
#[test]
fn what_is_no_file_is_named_and_the_rest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    let good = support::file(folder.path(), "good.json", start_instances().to_string());
    let bad = support::file(folder.path(), "bad.json", "{");
    let empty = folder.path().join("empty-folder");
    std::fs::create_dir(&empty).unwrap();
    let missing = folder.path().join("missing.json");
    let run = support::replay(&[&missing, &good, &empty, &bad, &good], &rules);
    assert_eq!((run.code, run.misbehaviour()), (Some(2), None), "{}", run.shown());
    assert_eq!(run.findings().len(), 2);
    for name in ["missing.json", "bad.json", "empty-folder"] {
        assert!(run.stderr.contains(name), "{name}: {}", run.shown());
    }
}

/// A folder that leads back into itself, and names that are no text.
#[cfg(unix)]
#[test]
fn folders_may_be_hostile_too() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    let trail = folder.path().join("trail");
    std::fs::create_dir(&trail).unwrap();
    std::os::unix::fs::symlink(&trail, trail.join("again")).unwrap();
    std::os::unix::fs::symlink("nowhere", trail.join("dangling.json")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", trail.join("device.json")).unwrap();
    support::file(&trail, "new\nline \u{1b}[31m.json", start_instances().to_string());
    let no_text = trail.join(std::ffi::OsStr::from_bytes(b"no-text-\xff.json"));
    std::fs::write(&no_text, start_instances().to_string()).unwrap();
    let mut deep = trail.clone();
    for _ in 0..100 {
        deep.push("d");
    }
    std::fs::create_dir_all(&deep).unwrap();
    support::file(&deep, "deep.json", start_instances().to_string());
    support::file(&trail, "notes.txt", "not a log file");

    let run = support::replay(&[&trail], &rules);
    assert_eq!(run.misbehaviour(), None);
    assert_eq!(run.findings().len(), 3, "{}", run.shown());
    assert!(
        !run.stderr.contains('\u{1b}'),
        "no escape sequence of a file's name reaches the terminal: {:?}",
        run.shown()
    );
    // A folder is not a file of rules.
    let run = support::replay(&[&no_text], &trail);
    assert_eq!((run.code, run.misbehaviour()), (Some(2), None), "{}", run.shown());
    assert!(run.stderr.contains("trail"), "{}", run.shown());
}

/// What callers choose (names, agents, parameters) must not speak to the terminal of whoever reads the alert.
#[test]
fn no_control_characters_reach_people() {
    const EVIL: &str = "\u{1b}[2J\u{1b}]0;pwned\u{7}\r\nsecond line\u{202e}txt\u{0}\u{9b}31m";
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    let fields = [
        "/userIdentity/userName",
        "/userIdentity/arn",
        "/userAgent",
        "/sourceIPAddress",
        "/awsRegion",
        "/errorCode",
        "/errorMessage",
        "/eventTime",
        "/eventID",
        "/recipientAccountId",
    ];
    let mut records: Vec<Value> = fields.iter().map(|field| with(field, json!(EVIL))).collect();
    records.push(with("/eventName", json!(format!("StartInstances{EVIL}"))));
    records.push(with("/eventSource", json!(format!("ec2.amazonaws.com{EVIL}"))));
    records.push(with("/requestParameters", json!({"instancesSet": {"items": [{"instanceId": EVIL}]}, EVIL: EVIL})));
    records.push(json!({"eventVersion": "1.11", "userIdentity": {"type": EVIL}, "eventName": EVIL}));
    let ignored = json!({"detail-type": EVIL, "source": EVIL, "detail": {}});
    let unknown = json!({EVIL: EVIL});
    records.extend([ignored, unknown]);
    let file = support::file(folder.path(), "evil.json", log_file(&records));
    for command in ["replay", "explain"] {
        let mut evil = support::offlimits([command, "--rules"]);
        evil.arg(&rules).arg(&file);
        let run = support::run(evil);
        assert_eq!((run.code, run.misbehaviour()), (Some(0), None), "{command}: {}", run.shown());
        for (stream, text) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
            let odd = text.lines().find(|line| line.chars().any(|c| c.is_control() && c != '\t' || c == '\u{202e}'));
            assert_eq!(odd, None, "{command}: {stream}");
            assert!(
                !text.lines().any(|line| line.starts_with("second line")),
                "{command}: {stream}: a line was broken"
            );
        }
    }
}

/// `-` is stdin: it may be cut off, empty, or a bomb like any file.
#[test]
fn stdin_is_read_like_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    for (bytes, code, found) in [
        (start_instances().to_string().into_bytes(), 0, 1),
        (gzip(start_instances().to_string()), 0, 1),
        (b"{".to_vec(), 2, 0),
        (vec![0x1f], 2, 0),
        (gzip_bomb(b"", b' ', 300), 2, 0),
    ] {
        let file = support::file(folder.path(), "stdin", &bytes);
        let mut command = support::offlimits(["replay", "-", "--format", "jsonl", "--rules"]);
        command.arg(&rules).stdin(std::fs::File::open(file).unwrap());
        let run = support::run(command);
        assert_eq!((run.code, run.misbehaviour()), (Some(code), None), "{}", run.shown());
        assert_eq!(run.findings().len(), found);
        assert!(code == 0 || run.stderr.contains("stdin"), "{}", run.shown());
    }
}

/// A file of rules, and the exit codes that `check` may end with.
fn hostile_rules() -> Vec<(String, Vec<u8>, &'static [i32])> {
    const RIGHT: &[i32] = &[0];
    const WRONG: &[i32] = &[1];
    /// Not JSON: a mistake in the file, or a file that could not be read.
    const BROKEN: &[i32] = &[1, 2];
    const EITHER: &[i32] = &[0, 1];

    let rule = || json!({"id": "R", "title": "{event} by {actor}", "severity": "low", "when": {"event": "X"}});
    let whole = || json!({"rules": [rule()]});
    let text = whole().to_string();
    let event = |condition: Value| {
        let mut rules = whole();
        rules["rules"][0]["when"]["event"] = condition;
        rules.to_string()
    };
    let cell = |field: &str, condition: Value| {
        let mut rules = whole();
        rules["rules"][0]["when"] = json!({field: condition});
        rules.to_string()
    };
    let key = |key: &str, value: Value| {
        let mut rules = whole();
        rules["rules"][0][key] = value;
        rules.to_string()
    };
    let top = |key: &str, value: Value| {
        let mut rules = whole();
        rules[key] = value;
        rules.to_string()
    };

    let mut cases: Vec<(String, Vec<u8>, &'static [i32])> = Vec::new();
    let mut add = |name: &str, content: &[u8], codes| cases.push((name.to_owned(), content.to_vec(), codes));

    add("right", text.as_bytes(), RIGHT);
    add("empty", b"", BROKEN);
    add("white space", b" \n ", BROKEN);
    add("NUL bytes", &[0; 64], BROKEN);
    add("a NUL byte in a string", text.replace("{event}", "a\0b").as_bytes(), BROKEN);
    add("an escaped NUL in the id", key("id", json!("a\u{0}b")).as_bytes(), WRONG);
    add("an escape sequence in the id", key("id", json!("\u{1b}[2J")).as_bytes(), WRONG);
    add("byte order mark", format!("\u{feff}{text}").as_bytes(), RIGHT);
    add("UTF-16", &text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(), BROKEN);
    add("invalid UTF-8", &[text.as_bytes(), b"\xff"].concat(), BROKEN);
    add("a lone surrogate in a pattern", text.replace("\"X\"", r#""\ud800""#).as_bytes(), EITHER);
    add("an event, not rules", start_instances().to_string().as_bytes(), WRONG);
    add("an unclosed brace", &text.as_bytes()[..text.len() - 1], BROKEN);
    add("text after the rules", format!("{text}x").as_bytes(), BROKEN);
    add("a comma too many", text.replace("]}", ",]}").as_bytes(), BROKEN);
    add("a comment", format!("// mine\n{text}").as_bytes(), BROKEN);
    add("gzip", &gzip(&text), EITHER);
    add("gzip bomb", &gzip_bomb(b"", b' ', 300), &[2]);
    for document in ["null", "[]", "{}", "5", "\"x\"", "[[]]", "true"] {
        add(&format!("the document is {document}"), document.as_bytes(), if document == "{}" { EITHER } else { WRONG });
    }
    add("rules stand twice", format!(r#"{{"rules":[],"rules":[{}]}}"#, rule()).as_bytes(), WRONG);
    add(
        "an id stands twice in a rule",
        text.replacen("\"id\":\"R\"", "\"id\":\"R\",\"id\":\"S\"", 1).as_bytes(),
        WRONG,
    );
    add(
        "a cell stands twice in a row",
        text.replace("\"event\":\"X\"", "\"event\":\"X\",\"event\":\"Y\"").as_bytes(),
        WRONG,
    );

    // Depth.
    add("arrays 100,000 deep", nested("[", "", "]", DEEP).as_bytes(), WRONG);
    add("when 100,000 deep", text.replace("{\"event\":\"X\"}", &nested("[", "", "]", DEEP)).as_bytes(), WRONG);
    add("not 100,000 deep", text.replace("\"X\"", &nested("{\"not\":", "\"X\"", "}", DEEP)).as_bytes(), WRONG);
    add("all 100,000 deep", text.replace("\"X\"", &nested("{\"all\":[", "\"X\"", "]}", DEEP)).as_bytes(), WRONG);
    add(
        "item 100,000 deep",
        text.replace("\"X\"", &nested("{\"item\":{\"a\":", "\"X\"", "}}", DEEP)).as_bytes(),
        WRONG,
    );
    add("not 100 deep", text.replace("\"X\"", &nested("{\"not\":", "\"X\"", "}", 100)).as_bytes(), EITHER);
    add(
        "an unknown key 100,000 deep",
        top("x", json!("PLACE")).replace("\"PLACE\"", &nested("[", "", "]", DEEP)).as_bytes(),
        WRONG,
    );

    // Regular expressions.
    for (name, pattern, codes) in [
        ("of a megabyte", "a".repeat(MEGABYTE), EITHER),
        ("that would fill the memory", "(a{1000}){1000}".to_owned(), WRONG),
        ("that would fill the memory thrice", "((a{1000}){1000}){1000}".to_owned(), WRONG),
        ("with Unicode classes, many times", r"[\pL\pN\p{Greek}]{5000}".to_owned(), WRONG),
        ("without case, many times", format!("(?i){}", "[a-z]{0,100}".repeat(1000)), EITHER),
        ("with an endless count", "a{99999999999999999999}".to_owned(), WRONG),
        ("with groups 100,000 deep", nested("(", "a", ")", DEEP), WRONG),
        ("with unclosed groups", "(".repeat(DEEP), WRONG),
        ("with empty alternatives", "|".repeat(DEEP), EITHER),
        ("with look-ahead", "(?!x)y".to_owned(), WRONG),
        ("with a back-reference", r"(a)\1".to_owned(), WRONG),
        ("that backtracks elsewhere", "(a+)+$".to_owned(), RIGHT),
        ("of nothing", String::new(), EITHER),
        ("with a NUL", "a\u{0}b".to_owned(), EITHER),
        ("with a flag that does not exist", "(?z)a".to_owned(), WRONG),
        ("of bytes that are no UTF-8", r"(?-u)\xff".to_owned(), WRONG),
        ("that is one backslash", "\\".to_owned(), WRONG),
    ] {
        add(&format!("a pattern {name}"), event(json!(pattern)).as_bytes(), codes);
    }
    add(
        "a part without a group",
        cell("region", json!({"same_as": {"field": "account", "part": "x"}})).as_bytes(),
        WRONG,
    );
    add(
        "a part with two groups",
        cell("region", json!({"same_as": {"field": "account", "part": "(x)(y)"}})).as_bytes(),
        WRONG,
    );

    // Operators with what they cannot take.
    for condition in [
        json!(null),
        json!(7),
        json!(true),
        json!([]),
        json!([[["X"]]]),
        json!({}),
        json!({"is": null}),
        json!({"is": {}}),
        json!({"is": []}),
        json!({"is": "X", "not": "X"}),
        json!({"isnt": "X"}),
        json!({"not": null}),
        json!({"exists": "yes"}),
        json!({"cidr": "300.1.1.1/8"}),
        json!({"cidr": "10.0.0.0/33"}),
        json!({"cidr": "::/129"}),
        json!({"cidr": []}),
        json!({"cidr": 7}),
        json!({"above": "much"}),
        json!({"below": null}),
        json!({"all": []}),
        json!({"all": "X"}),
        json!({"same_as": "nowhere"}),
        json!({"same_as": {}}),
        json!({"item": {}}),
        json!({"item": []}),
        json!({"item": 7}),
        json!("@nowhere"),
        json!({"is": "@nowhere"}),
    ] {
        add(&format!("the condition {condition}"), event(condition.clone()).as_bytes(), WRONG);
    }
    for number in ["1e999999", "-1e999999", "18446744073709551617"] {
        let above = event(json!({"above": "PLACE"})).replace("\"PLACE\"", number);
        add(&format!("above {number}"), above.as_bytes(), EITHER);
    }

    // Fields.
    for field in [
        "",
        ".",
        "..",
        "evnt",
        "requestParameters.",
        ".requestParameters",
        "requestParameters..a",
        "requestParameters[",
        "requestParameters[\"",
        "requestParameters[\"a\"",
        "requestParameters[0]",
        "requestParameters[*",
        "\u{0}",
        "e\u{301}vent",
    ] {
        add(&format!("the field {field:?}"), cell(field, json!("X")).as_bytes(), WRONG);
    }
    add(
        "a field of 100,000 names",
        cell(&format!("requestParameters{}", ".a".repeat(DEEP)), json!("X")).as_bytes(),
        EITHER,
    );
    add("a field of a megabyte", cell(&"x".repeat(MEGABYTE), json!("X")).as_bytes(), WRONG);
    add(
        "a field of 100,000 brackets",
        cell(&format!("requestParameters{}", "[*]".repeat(DEEP)), json!("X")).as_bytes(),
        EITHER,
    );

    // Every key of a rule, and of the file, holds what it cannot.
    let wrong_values =
        [json!(null), json!(7), json!(true), json!(""), json!([]), json!({}), json!([null]), json!([[]]), json!([{}])];
    for name in [
        "id",
        "title",
        "severity",
        "when",
        "unless",
        "notify",
        "throttle",
        "tags",
        "mode",
        "severity_when",
        "runbook",
        "description",
        "tests",
        "threshold",
    ] {
        for value in &wrong_values {
            let text = key(name, value.clone());
            add(&format!("{name} is {value}"), text.as_bytes(), EITHER);
        }
        // No key takes a number.
        add(&format!("{name} is 7, which is no {name}"), key(name, json!(7)).as_bytes(), WRONG);
    }
    for name in ["rules", "lists", "channels", "$schema", "nonsense"] {
        for value in &wrong_values {
            let text = top(name, value.clone());
            add(&format!("the file's {name} is {value}"), text.as_bytes(), EITHER);
        }
        add(
            &format!("the file's {name} is 7"),
            top(name, json!(7)).as_bytes(),
            if name == "$schema" { EITHER } else { WRONG },
        );
    }
    for (name, value) in [
        ("title", json!("{")),
        ("title", json!("}{")),
        ("title", json!("{}")),
        ("title", json!("{|}")),
        ("title", json!("{nowhere}")),
        ("title", json!("{event".repeat(1000))),
        ("unless", json!([{"when": {"event": "X"}, "reason": "r", "expires": "2027-02-30"}])),
        ("unless", json!([{"when": {"event": "X"}, "reason": "r", "expires": "99999-01-01"}])),
        ("unless", json!([{"when": {"event": "X"}, "reason": "r", "expires": "-1"}])),
        ("throttle", json!({"window": "999999999999999999999h", "by": ["actor"]})),
        ("throttle", json!({"window": "-5m", "by": ["actor"]})),
        ("throttle", json!({"window": "15m", "by": ["nowhere"]})),
        ("threshold", json!({"count": 1e300, "window": "10m"})),
        ("runbook", json!("javascript:alert(1)")),
        ("notify", json!(["nowhere"])),
        ("mode", json!("ALERT\u{0}")),
    ] {
        add(&format!("{name} is {value}"), key(name, value.clone()).as_bytes(), WRONG);
    }
    add("a title of a megabyte", key("title", json!("{event}".repeat(MEGABYTE / 7))).as_bytes(), EITHER);
    // Whatever a rule's own tests name, `check` does not wait for it.
    for event in ["/dev/zero", "/dev/stdin", "../../../../etc/passwd", "", "\u{0}", "."] {
        let tests = json!([{"name": "t", "event": event, "expect": true}]);
        add(&format!("a test of {event:?}"), key("tests", tests).as_bytes(), EITHER);
    }

    // Lists that lead to themselves, or nowhere.
    for lists in [
        json!({"a": ["@a"]}),
        json!({"a": ["@b"], "b": ["@a"]}),
        json!({"": ["x"]}),
        json!({"a": [1, null, {}]}),
        json!({"a": "x"}),
    ] {
        let mut rules = whole();
        rules["lists"] = lists.clone();
        rules["rules"][0]["when"]["event"] = json!("@a");
        add(&format!("lists {lists}"), rules.to_string().as_bytes(), EITHER);
    }

    // Many things at once. Each mistake is told, and that takes no longer for being many on one line.
    let many = |count: usize, make: &dyn Fn(usize) -> Value| {
        json!({"rules": (0..count).map(make).collect::<Vec<_>>()}).to_string()
    };
    let numbered = |index: usize| json!({"id": format!("R-{index}"), "title": "t", "severity": "low", "when": {"event": format!("^Event{index}$")}});
    add("2,000 rules", many(2_000, &numbered).as_bytes(), RIGHT);
    add("1,000 rules with one id", many(1_000, &|_| rule()).as_bytes(), WRONG);
    add(
        "1,000 rules with a wrong field each, on one line",
        many(
            1_000,
            &|index| json!({"id": format!("R-{index}"), "title": "t", "severity": "low", "when": {"evnt": "X"}}),
        )
        .as_bytes(),
        WRONG,
    );
    add(
        "1,000 unknown keys in a rule",
        key("x", json!(0))
            .replacen("\"x\":0", &(0..1_000).map(|n| format!("\"x{n}\":0")).collect::<Vec<_>>().join(","), 1)
            .as_bytes(),
        WRONG,
    );
    add("10,000 rows", key("when", json!(vec![json!({"event": "X"}); 10_000])).as_bytes(), EITHER);
    add(
        "100,000 literals",
        event(json!({"is": (0..100_000).map(|n| format!("Event{n}")).collect::<Vec<_>>()})).as_bytes(),
        EITHER,
    );
    cases
}

#[test]
fn hostile_rules_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let event = support::repository("events/start-instances.json");
    let mut wrong = Vec::new();
    let cases = hostile_rules();
    assert!(cases.len() > 60, "{}", cases.len());
    for (name, bytes, codes) in cases {
        let rules = support::file(folder.path(), "hostile-rules.json", &bytes);
        let mut check = support::offlimits(["check"]);
        check.arg(&rules);
        let check = support::run(check);
        let told = check.stderr.contains("hostile-rules.json");
        if let Some(complaint) = check.misbehaviour() {
            wrong.push(format!("check: {name}: {complaint}"));
            continue;
        }
        if !check.code.is_some_and(|code| codes.contains(&code)) {
            wrong.push(format!("check: {name}: exit {:?}, not {codes:?}: {}", check.code, check.shown()));
        }
        if check.code != Some(0) && !told {
            wrong.push(format!("check: {name}: the file is not named: {}", check.shown()));
        }
        if check.stderr.contains('\u{1b}') {
            wrong.push(format!("check: {name}: an escape sequence reaches the terminal"));
        }
        // Nothing half-loaded ever runs: what check refuses, replay refuses.
        let replay = support::replay(&[&event], &rules);
        let expected = if check.code == Some(0) { 0 } else { 2 };
        if replay.misbehaviour().is_some() || replay.code != Some(expected) {
            wrong.push(format!("replay: {name}: exit {:?}, not {expected}: {}", replay.code, replay.shown()));
        }
    }
    assert!(wrong.is_empty(), "{} complaints:\n{}", wrong.len(), wrong.join("\n"));
}

/// A folder, nothing, and a name that is a file's parent are no rules: exit 2, named.
#[test]
fn rules_that_are_no_file_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere.json");
    for path in [folder.path(), &nowhere, &nowhere.join("deeper.json")] {
        let mut check = support::offlimits(["check"]);
        check.arg(path);
        let run = support::run(check);
        assert_eq!((run.code, run.misbehaviour()), (Some(2), None), "{}", run.shown());
        assert!(run.stderr.contains(path.to_str().unwrap()), "{}", run.shown());
    }
}
