//! What each condition says of a record, through the engine.

use offlimits::cloudtrail::RawRecord;
use offlimits::rules::OPERATORS;
use offlimits::ruleset::{RuleSet, Sources};

use crate::support::mmdb;

const RECORD: &str = r#"{
  "eventName": "PutBucketPolicy", "eventSource": "s3.amazonaws.com", "eventTime": "2026-01-10T11:32:44Z", "eventID": "e-1",
  "recipientAccountId": "111122223333", "sourceIPAddress": "203.0.113.9", "readOnly": false, "errorCode": null,
  "userIdentity": { "type": "IAMUser", "userName": "James", "accountId": "123456789012", "arn": "arn:aws:iam::123456789012:user/James" },
  "requestParameters": {
    "count": 9007199254740993, "none_sent": 0.0, "threshold": 70.0, "said": "7E1", "same": 7.00e1, "padded": "070", "empty": "", "none": [], "tags": ["a", "b"],
    "policy": "{\"Statement\":[{\"Effect\":\"Deny\",\"Principal\":\"x\"},{\"Effect\":\"Allow\",\"Principal\":\"*\"}]}",
    "encoded": "%7B%22Version%22%3A%222012%22%7D", "federated": { "token.actions.githubusercontent.com:sub": "repo:x" },
    "nested": [ { "b": [1, 1] }, { "b": [[{"c": 1}], null, "x"] }, {} ],
    "port": [ { "from": 22, "cidr": "10.0.0.0/8" }, { "from": 443, "cidr": "0.0.0.0/0" } ]
  }
}"#;

fn matches(row: &str) -> bool {
    let source = format!(
        r#"{{"lists":{{"office":["203.0.113.0/24"],"names":["^James$","Jane"],"ids":["James",5],"shift":["22:00-06:00","12:00-13:00"],"zone":["Europe/Berlin"]}},
            "rules":[{{"id":"R","title":"t","severity":"low","when":{row}}}]}}"#
    );
    let rules = RuleSet::compile(&source).unwrap_or_else(|diagnostics| panic!("{row}: {diagnostics:?}")).rules;
    !rules
        .evaluate(&RawRecord { json: RECORD.to_owned(), index: 0, message_id: None, account: None })
        .unwrap()
        .is_empty()
}

#[test]
fn every_condition_is_true_and_false_where_it_should() {
    let yes = [
        r#"{"event":"Bucket"}"#,
        r#"{"event":["^Get","Policy$"]}"#,
        r#"{"event":"(?i)putbucket","service":"^s3"}"#,
        r#"[{"event":"nope"},{"event":"Put"}]"#,
        r#"{"user":{"is":"James"}}"#,
        r#"{"user":{"is":["x","@ids"]}}"#,
        r#"{"user":"@names"}"#,
        r#"{"read_only":{"is":false}}"#,
        r#"{"error":{"exists":false}}"#,
        r#"{"requestParameters.none":{"exists":false}}"#,
        r#"{"requestParameters.empty":{"exists":true}}"#,
        r#"{"requestParameters.empty":{"is":""}}"#,
        r#"{"error":{"not":"x"}}"#,
        r#"{"source_ip":{"cidr":"@office"}}"#,
        r#"{"source_ip":{"cidr":["10.0.0.0/8","203.0.113.9"]}}"#,
        r#"{"requestParameters.count":{"above":9007199254740992}}"#,
        r#"{"requestParameters.count":{"is":9007199254740993}}"#,
        r#"{"requestParameters.count":{"below":9.1e15}}"#,
        r#"{"requestParameters.count":{"is":9007199254740993.0}}"#,
        r#"{"requestParameters.count":{"is":"9007199254740993"}}"#,
        r#"{"requestParameters.none_sent":{"is":0}}"#,
        r#"{"requestParameters.none_sent":{"is":-0E1}}"#,
        r#"{"requestParameters.none_sent":{"is":"0.0"}}"#,
        r#"{"requestParameters.threshold":{"is":["x",70]}}"#,
        r#"{"requestParameters.said":{"is":70}}"#,
        r#"{"requestParameters.threshold":{"same_as":"requestParameters.same"}}"#,
        r#"{"requestParameters.threshold":{"same_as":"requestParameters.said"}}"#,
        r#"{"requestParameters.said":{"same_as":"requestParameters.threshold"}}"#,
        r#"{"requestParameters.padded":{"not":{"is":70}}}"#,
        r#"{"account":{"is":111122223333}}"#,
        r#"{"requestParameters.tags":{"all":[{"is":"a"},{"is":"b"}]}}"#,
        r#"{"requestParameters.tags[*]":"b"}"#,
        r#"{"requestParameters.policy.Statement.Effect":{"is":"Allow"}}"#,
        r#"{"requestParameters.encoded.Version":{"is":"2012"}}"#,
        r#"{"requestParameters.federated[\"token.actions.githubusercontent.com:sub\"]":"^repo:"}"#,
        r#"{"requestParameters.port":"\"from\":22,"}"#,
        r#"{"requestParameters.port":{"item":{"from":{"is":443},"cidr":{"is":"0.0.0.0/0"}}}}"#,
        r#"{"requestParameters.tags":{"item":{".":{"is":"a"}}}}"#,
        r#"{"requestParameters.policy.Statement":{"item":{"Effect":"Allow","Principal":"^\\*$"}}}"#,
        r#"{"userIdentity.accountId":{"not":{"same_as":"account"}}}"#,
        r#"{"user":{"same_as":{"field":"userIdentity.arn","part":"user/(.+)$"}}}"#,
        r#"{"userIdentityType":"IAMUser","eventName":"Put","eventSource":"s3"}"#,
        r#"{"outcome":"success"}"#,
        r#"{"time":{"outside":{"hours":"08:00-18:00","days":"Mon-Fri","zone":"Europe/Berlin"}}}"#,
        r#"{"time":{"within":{"hours":["09:00-12:00","12:30-13:00"],"days":["Sat"],"zone":"Europe/Berlin"}}}"#,
        r#"{"time":{"within":{"hours":"@shift","zone":"@zone"}}}"#,
        r#"{"eventTime":{"not":{"within":{"days":"Mon-Fri","zone":"UTC"}}}}"#,
        r#"{"requestParameters.tags":{"not":{"outside":{"days":"Mon","zone":"UTC"}}}}"#,
        r#"{"actor":{"is":"James"},"account":{"is":"111122223333"}}"#,
        r#"{"requestParameters.tags":{"count":{"above":1}}}"#,
        r#"{"requestParameters.tags":{"count":{"is":2}}}"#,
        r#"{"requestParameters.tags":{"all":[{"count":{"above":1}},{"count":{"below":3}}]}}"#,
        // What is no array is one value, as an object is; elements that are arrays are walked.
        r#"{"requestParameters.count":{"count":{"is":1}}}"#,
        r#"{"requestParameters.federated":{"count":{"is":[0,1]}}}"#,
        r#"{"requestParameters.port":{"count":{"is":2}}}"#,
        r#"{"requestParameters.port.from":{"count":{"is":2}}}"#,
        r#"{"requestParameters.policy.Statement.Effect":{"count":{"is":2}}}"#,
        r#"{"requestParameters.nested.b":{"count":{"is":4}}}"#,
        // Nothing is none.
        r#"{"requestParameters.none":{"count":{"is":0}}}"#,
        r#"{"requestParameters.missing":{"count":{"below":1}}}"#,
        r#"{"error":{"not":{"count":{"above":0}}}}"#,
        r#"{"requestParameters.port":{"item":{"from":{"count":{"is":1}},"cidr":{"is":"0.0.0.0/0"}}}}"#,
    ];
    let no = [
        r#"{"event":"bucket"}"#,
        r#"{"event":{"is":"Bucket"}}"#,
        r#"{"event":"Put","service":"ec2"}"#,
        r#"{"user":{"not":"James"}}"#,
        r#"{"error":"x"}"#,
        r#"{"error":{"exists":true}}"#,
        r#"{"requestParameters.empty":{"exists":false}}"#,
        r#"{"source_ip":{"cidr":"203.0.114.0/24"}}"#,
        r#"{"event":{"cidr":"0.0.0.0/0"}}"#,
        r#"{"requestParameters.count":{"above":9007199254740993}}"#,
        r#"{"requestParameters.count":{"is":9007199254740992}}"#,
        r#"{"requestParameters.count":{"below":9007199254740993}}"#,
        r#"{"event":{"above":0}}"#,
        r#"{"requestParameters.tags":{"all":[{"is":"a"},{"is":"c"}]}}"#,
        r#"{"requestParameters.port":{"item":{"from":{"is":22},"cidr":{"is":"0.0.0.0/0"}}}}"#,
        r#"{"requestParameters.port":{"is":"22"}}"#,
        r#"{"requestParameters.none_sent":{"not":{"is":0}}}"#,
        r#"{"requestParameters.none_sent":{"is":"0"}}"#,
        r#"{"requestParameters.threshold":{"is":"70"}}"#,
        r#"{"requestParameters.said":{"is":["70","70.0"]}}"#,
        r#"{"requestParameters.padded":{"is":70}}"#,
        r#"{"requestParameters.padded":{"same_as":"requestParameters.threshold"}}"#,
        r#"{"requestParameters.count":{"is":9007199254740992.0}}"#,
        r#"{"requestParameters.policy.Statement":{"item":{"Effect":"Deny","Principal":"^\\*$"}}}"#,
        r#"{"error":{"same_as":"error"}}"#,
        r#"{"requestParameters.missing":{"same_as":"user"}}"#,
        r#"{"mfa":"yes"}"#,
        r#"{"outcome":"failure"}"#,
        r#"{"time":{"within":{"hours":"08:00-18:00","days":"Mon-Fri","zone":"Europe/Berlin"}}}"#,
        r#"{"time":{"outside":{"days":"Sat","zone":"UTC"}}}"#,
        // No time is neither within nor outside.
        r#"{"requestParameters.tags":{"outside":{"days":"Mon","zone":"UTC"}}}"#,
        r#"{"addendum":{"outside":{"days":"Mon","zone":"UTC"}}}"#,
        r#"{"requestParameters.tags":{"count":{"above":2}}}"#,
        r#"{"requestParameters.tags":{"count":{"below":2}}}"#,
        r#"{"requestParameters.missing":{"count":{"above":0}}}"#,
        r#"{"requestParameters.none":{"count":{"is":1}}}"#,
        r#"{"requestParameters.nested.b":{"count":{"is":3}}}"#,
    ];
    for operator in &OPERATORS {
        let name = format!("\"{}\":", operator.key.name);
        for (rows, said) in [(&yes[..], "true"), (&no[..], "false")] {
            assert!(rows.iter().any(|row| row.contains(&name)), "no row here shows where {name} is {said}");
        }
    }
    for row in yes {
        assert!(matches(row), "{row}");
    }
    for row in no {
        assert!(!matches(row), "{row}");
    }
}

#[test]
fn exceptions_expire_by_the_records_own_time() {
    let findings = |expires: &str, record: &str| {
        let source = format!(
            r#"{{"rules":[{{"id":"R","title":"t","severity":"low","when":{{"event":"Put"}},
                "unless":[{{"when":{{"user":{{"is":"James"}}}},"reason":"x"{expires}}}]}}]}}"#
        );
        let rules = RuleSet::compile(&source).unwrap().rules;
        rules.evaluate(&RawRecord { json: record.to_owned(), index: 0, message_id: None, account: None }).unwrap().len()
    };
    assert_eq!(findings("", RECORD), 0);
    assert_eq!(findings(r#","expires":"2026-01-10""#, RECORD), 0, "the last day counts");
    assert_eq!(findings(r#","expires":"2026-01-09""#, RECORD), 1);
    assert_eq!(findings(r#","from":"2026-01-10","expires":"2026-01-10""#, RECORD), 0, "the first day counts");
    assert_eq!(findings(r#","from":"2026-01-11""#, RECORD), 1);
    let at = |time: &str| RECORD.replace("2026-01-10T11:32:44Z", time);
    let window = r#","from":"2026-01-10T22:00[Europe/Berlin]","expires":"2026-01-11T02:30+01:00""#;
    for (time, expected) in [
        ("2026-01-10T20:59:59Z", 1),
        ("2026-01-10T21:00:00Z", 0),
        ("2026-01-11T01:29:59Z", 0),
        ("2026-01-11T01:30:00Z", 1),
    ] {
        assert_eq!(findings(window, &at(time)), expected, "{time}");
    }
    let without_time = RECORD.replace("eventTime", "apiVersion");
    assert_eq!(findings(r#","expires":"2027-01-01""#, &without_time), 1);
    assert_eq!(findings("", &without_time), 0);
}

#[test]
fn the_first_severity_that_matches_replaces_the_rules() {
    let source = r#"{"rules":[{"id":"R","title":"t","severity":"low","when":[{"event":"nope"},{"event":"Put"}],
        "severity_when":[{"severity":"high","when":{"user":"nobody"}},{"severity":"EXTREME","when":{"user":"James"}}]}]}"#;
    let rules = RuleSet::compile(source).unwrap().rules;
    let findings =
        rules.evaluate(&RawRecord { json: RECORD.to_owned(), index: 0, message_id: None, account: None }).unwrap();
    assert_eq!((findings[0].severity.as_str(), findings[0].row), ("extreme", 1));
}

#[test]
fn the_country_is_that_of_the_source_address() {
    let source = r#"{"lists":{"approved":["DE","AT"]},"rules":[{"id":"R","title":"From {country|source_ip}","severity":"low",
        "when":{"country":{"all":[{"exists":true},{"not":{"is":"@approved"}}]}},"throttle":{"window":"1h","by":["country"]}}]}"#;
    let bytes = mmdb::countries(&[("203.0.113.0/24", "FR"), ("198.51.100.0/24", "DE")]);
    let sources = Sources::alone(source).with_countries(|| Ok(bytes)).unwrap();
    let rules = RuleSet::compile_sources(&sources).unwrap_or_else(|diagnostics| panic!("{diagnostics:?}")).rules;
    let titles = |from: &str| -> Vec<String> {
        let raw = RawRecord { json: RECORD.replace("203.0.113.9", from), index: 0, message_id: None, account: None };
        rules.evaluate(&raw).unwrap().into_iter().map(|finding| finding.title).collect()
    };
    assert_eq!(titles("203.0.113.9"), ["From FR"]);
    for quiet in ["198.51.100.7", "10.0.0.1", "cloudformation.amazonaws.com"] {
        assert!(titles(quiet).is_empty(), "{quiet}");
    }
    let wrong =
        Sources::alone(source.replace("\"AT\"", "\"Austria\"")).with_countries(|| Ok(mmdb::countries(&[]))).unwrap();
    let diagnostics = RuleSet::compile_sources(&wrong).unwrap_err();
    assert_eq!(diagnostics[0].code, "impossible-value");
    assert!(diagnostics[0].help.contains("ISO 3166-1"), "{}", diagnostics[0].help);
}
