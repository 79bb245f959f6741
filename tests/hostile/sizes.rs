//! Too long, too many, too deep.

use serde_json::{Value, json};

use super::cases::run_all;
use super::make::Expect::{Found, FoundAndNamed, Named, Nothing};
use super::make::{Case, DEEP, MEGABYTE, case, log_file, nested, spliced, spliced_request, start_instances, with};
use crate::support;

#[test]
fn long_strings_and_many_things() {
    run_all(long());
}

#[test]
fn deep_nesting() {
    run_all(deep());
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
