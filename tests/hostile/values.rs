//! Records whose values are not what they should be: types, encodings, numbers, keys.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::cases::run_all;
use super::make::Expect::{Found, Named, Nothing};
use super::make::{Case, MEGABYTE, case, log_file, spliced, spliced_request, start_instances, with};
use crate::support;

#[test]
fn wrong_types_everywhere() {
    run_all(wrong_types());
}

#[test]
fn odd_encodings() {
    run_all(encodings());
}

#[test]
fn odd_numbers_and_repeated_keys() {
    run_all(numbers_and_keys());
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
