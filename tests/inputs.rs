//! What records come wrapped in: logs in CloudWatch, results of queries, mirrors of S3; and inputs that hold none.

use std::io::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::support::{self, Run};

/// A call by a person, with all that a query's result may spoil.
fn record(number: usize) -> Value {
    json!({
        "eventVersion": "1.11", "eventID": format!("00000000-0000-4000-8000-{number:012}"),
        "eventTime": "2026-04-02T09:15:00Z", "eventSource": "cloudtrail.amazonaws.com", "eventName": "StopLogging",
        "awsRegion": "eu-west-1", "sourceIPAddress": "203.0.113.9", "userAgent": "aws-cli/2, \"quoted\"",
        "userIdentity": {
            "type": "IAMUser", "principalId": "AIDAEXAMPLE", "arn": "arn:aws:iam::111122223333:user/mara",
            "accountId": "111122223333", "userName": "mara", "sessionContext": { "attributes": { "mfaAuthenticated": "true" } },
        },
        "requestParameters": { "name": "main" }, "responseElements": null, "readOnly": false,
        "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": "111122223333",
    })
}

/// What is found in a record if, and only if, all of it has arrived.
fn rules(folder: &Path) -> std::path::PathBuf {
    let rules = json!({ "rules": [{
        "id": "R", "title": "{event} by {actor}", "severity": "high",
        "when": {
            "event": { "is": "StopLogging" }, "service": { "is": "cloudtrail.amazonaws.com" }, "user": { "is": "mara" },
            "userIdentity.sessionContext.attributes.mfaAuthenticated": { "is": "true" }, "requestParameters.name": { "is": "main" }, "readOnly": { "is": "false" },
            "userAgent": { "is": "aws-cli/2, \"quoted\"" },
        },
    }] });
    support::file(folder, "rules.json", rules.to_string())
}

fn gzip(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes.as_ref()).unwrap();
    encoder.finish().unwrap()
}

/// The document of a subscription of CloudWatch Logs.
fn log_events(messages: &[String]) -> Value {
    let events: Vec<Value> = messages
        .iter()
        .map(|message| json!({ "id": "1", "timestamp": 1_775_121_300_000_u64, "message": message }))
        .collect();
    json!({ "messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "trail", "logStream": "s", "logEvents": events })
}

fn quoted(cell: &str) -> String {
    format!("\"{}\"", cell.replace('"', "\"\""))
}

/// A struct of Athena's, cast to JSON: its keys are in lower case.
const IDENTITY: &str = r#"{"type":"IAMUser","principalid":"AIDAEXAMPLE","arn":"arn:aws:iam::111122223333:user/mara","accountid":"111122223333","invokedby":null,"username":"mara","sessioncontext":{"attributes":{"mfaauthenticated":"true","creationdate":null}}}"#;

/// Athena's table of a record: the columns are in lower case.
fn athena(record: &Value, identity: &str) -> String {
    let mut record = record.clone();
    record["userIdentity"] = json!(identity);
    let members: Vec<_> = record.as_object().unwrap().iter().collect();
    let head: Vec<String> = members.iter().map(|(key, _)| quoted(&key.to_lowercase())).collect();
    let cells = members.iter().map(|(_, value)| match value {
        Value::Null => String::new(),
        Value::String(text) => quoted(text),
        other => quoted(&other.to_string()),
    });
    format!("{}\n{}\n", head.join(","), cells.collect::<Vec<_>>().join(","))
}

/// Forms in which two records may come, by name.
fn forms() -> Vec<(&'static str, Vec<u8>)> {
    let texts = [record(1).to_string(), record(2).to_string()];
    let [one, two] = &texts;
    let subscription = log_events(&texts);
    let data = BASE64_STANDARD.encode(gzip(subscription.to_string()));
    let lines: String = texts.iter().flat_map(|text| ["2026-04-02T09:15:00.000Z ", text, "\n"]).collect();
    let tail: String = texts.iter().flat_map(|text| ["2026-04-02T09:15:00.000000+00:00 stream ", text, "\n"]).collect();
    let event = |text: &String| json!({ "logStreamName": "s", "timestamp": 1, "message": text, "ingestionTime": 2, "eventId": "1" });
    let fields = |record: &Value| -> Vec<Value> {
        let members = record.as_object().unwrap().iter();
        let columns = members.map(|(key, value)| match value {
            Value::String(text) => json!({ key: text }),
            Value::Null => json!({ key: null }),
            other => json!({ key: other.to_string() }),
        });
        columns.collect()
    };
    vec![
        ("subscription.json", json!({ "awslogs": { "data": data } }).to_string().into()),
        ("log-events.json", subscription.to_string().into()),
        // Firehose writes the documents of a subscription one after the other.
        ("firehose.gz", gzip(format!("{}{}", log_events(&texts[..1]), log_events(&texts[1..])))),
        ("export.gz", gzip(lines)),
        ("tail.txt", tail.into()),
        ("filter.json", json!({ "events": [event(one), event(two)], "searchedLogStreams": [] }).to_string().into()),
        ("query.json", json!([event(one), event(two)]).to_string().into()),
        (
            "insights.json",
            json!({
                "results": [
                    [{ "field": "@timestamp", "value": "2026-04-02" }, { "field": "@message", "value": one }],
                    [{ "field": "@message", "value": two }, { "field": "@ptr", "value": "p" }],
                ],
                "statistics": {}, "status": "Complete",
            })
            .to_string()
            .into(),
        ),
        (
            "download.json",
            json!([{ "@timestamp": "t", "eventName": "x", "@message": record(1) }, { "@timestamp": "t", "@message": two }])
                .to_string()
                .into(),
        ),
        ("insights.csv", format!("@timestamp,@message\nt,{}\nt,{}\n", quoted(one), quoted(two)).into()),
        (
            "lake.json",
            json!({ "QueryStatus": "FINISHED", "QueryResultRows": [[{ "eventJson": one }], [{ "eventID": "x" }, { "eventJson": two }]] })
                .to_string()
                .into(),
        ),
        (
            "lake-fields.json",
            json!({ "QueryResultRows": [fields(&record(1)), fields(&record(2))] }).to_string().into(),
        ),
        ("lake.csv.gz", gzip(format!("\u{feff}eventJson,eventID\r\n{},1\r\n{},2\r\n", quoted(one), quoted(two)))),
        ("athena.csv", [athena(&record(1), IDENTITY), athena(&record(2), IDENTITY).split_once('\n').unwrap().1.to_owned()].concat().into()),
    ]
}

fn replay(file: &Path, rules: &Path) -> Run {
    let run = support::replay(&[file], rules);
    assert_eq!(run.misbehaviour(), None);
    run
}

#[test]
fn every_wrapping_of_cloudwatch_lake_and_athena_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    for (name, bytes) in forms() {
        let file = support::file(folder.path(), name, bytes);
        let run = replay(&file, &rules);
        assert_eq!((run.code, run.findings().len()), (Some(0), 2), "{name}: {}", run.shown());
        assert!(run.stderr.contains("2 findings in 2 records from 1 file"), "{name}: {}", run.shown());
        let mut explain = support::offlimits(["explain", "--format", "jsonl", "--rules"]);
        explain.arg(&rules).arg(&file);
        let explained = support::run(explain);
        assert_eq!((explained.code, explained.findings().len()), (Some(0), 2), "{name}: {}", explained.shown());
    }
}

#[test]
fn large_tables_and_exports_are_read_a_part_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    let noise = "x".repeat(20_000);
    let mut lines = String::new();
    let mut table = "eventID,eventJson\n".to_owned();
    // More than is held whole.
    for number in 0..1_800 {
        let mut record = record(number);
        record["requestParameters"]["noise"] = json!(noise);
        let text = record.to_string();
        lines.extend(["2026-04-02T09:15:00.000Z ", &text, "\n"]);
        table.extend(["1,", &quoted(&text), "\n"]);
    }
    lines.push_str("2026-04-02T09:15:00.000Z {\"cut\n");
    table.push_str("1,\"{\"\"cut\n");
    for (name, text) in [("export.txt", lines), ("table.csv", table)] {
        let run = replay(&support::file(folder.path(), name, text), &rules);
        assert_eq!((run.code, run.findings().len()), (Some(2), 1_800), "{name}: {}", run.shown());
        assert!(run.stderr.contains(&format!("{name}:180")), "the bad line is named: {}", run.shown());
    }
}

#[test]
fn what_a_row_does_not_tell_exactly_is_refused_with_what_to_select() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    let structs = athena(&record(1), "{type=IAMUser, username=mara}");
    let run = replay(&support::file(folder.path(), "structs.csv", structs), &rules);
    assert_eq!((run.code, run.findings().len()), (Some(2), 0), "{}", run.shown());
    assert!(run.stderr.contains("CAST(useridentity AS JSON)"), "{}", run.shown());
    let without = "eventid,eventname,eventsource\n1,StopLogging,cloudtrail.amazonaws.com\n";
    let run = replay(&support::file(folder.path(), "without.csv", without), &rules);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("without the column userIdentity"), "{}", run.shown());
    let totals = json!({ "QueryResultRows": [[{ "eventName": "StopLogging" }, { "_col1": "7" }]] }).to_string();
    let run = replay(&support::file(folder.path(), "totals.json", totals), &rules);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("select eventJson"), "{}", run.shown());
}

#[test]
fn an_input_in_which_nothing_is_a_record_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    let notification = json!({ "Records": [{
        "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
        "s3": { "bucket": { "name": "trail" }, "object": { "key": "AWSLogs/1/x+y.json.gz" } },
    }] });
    let of_eventbridge = json!({
        "detail-type": "Object Created", "source": "aws.s3",
        "detail": { "bucket": { "name": "trail" }, "object": { "key": "AWSLogs/1/x y.json.gz" } },
    });
    let of_cloudtrail = json!({ "s3Bucket": "trail", "s3ObjectKey": ["AWSLogs/1/x y.json.gz"] });
    for (name, text) in [("s3.json", notification), ("object.json", of_eventbridge), ("sns.json", of_cloudtrail)] {
        let run = replay(&support::file(folder.path(), name, text.to_string()), &rules);
        assert_eq!(run.code, Some(2), "{name}: {}", run.shown());
        assert!(run.stderr.contains("s3://trail/AWSLogs/1/x y.json.gz"), "{name}: {}", run.shown());
        assert!(run.stderr.contains("is a record of CloudTrail"), "{name}: {}", run.shown());
    }
    let control = json!({ "messageType": "CONTROL_MESSAGE", "logEvents": [{
        "id": "", "timestamp": 1, "message": "CWL CONTROL MESSAGE: Checking health of destination",
    }] });
    let control = support::file(folder.path(), "control.json", control.to_string());
    assert_eq!(replay(&control, &rules).code, Some(2));
    // An empty list is an answer: there was no call.
    for empty in
        [json!({ "Records": [] }), json!({ "events": [], "searchedLogStreams": [] }), json!({ "QueryResultRows": [] })]
    {
        let run = replay(&support::file(folder.path(), "empty.json", empty.to_string()), &rules);
        assert_eq!(run.code, Some(0), "{empty}: {}", run.shown());
    }
    // Beside records, something else is a note; a path of its own is an error.
    let mixed = folder.path().join("mixed");
    std::fs::create_dir(&mixed).unwrap();
    support::file(&mixed, "record.json", record(1).to_string());
    let other = support::file(&mixed, "other.json", "{\"a\":1}");
    assert_eq!(replay(&mixed, &rules).code, Some(0));
    let run = support::replay(&[&mixed, &other], &rules);
    assert_eq!((run.code, run.findings().len()), (Some(2), 1), "{}", run.shown());
}

#[test]
fn other_services_logs_in_a_mirror_are_counted_and_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    let root = folder.path().join("AWSLogs/111122223333");
    for (place, name) in [
        ("CloudTrail/eu-west-1/2026/04/02", "111122223333_CloudTrail_eu-west-1_20260402T0920Z_x.json.gz"),
        ("vpcflowlogs/eu-west-1/2026/04/02", "111122223333_vpcflowlogs_eu-west-1_fl-1_20260402T0920Z_x.log.gz"),
        ("elasticloadbalancing/eu-west-1/2026/04/02", "111122223333_elasticloadbalancing_eu-west-1_app.a_x.log.gz"),
        ("Config/eu-west-1/2026/4/2/ConfigHistory", "111122223333_Config_eu-west-1_ConfigHistory_x.json.gz"),
        ("CloudTrail-Digest/eu-west-1/2026/04/02", "111122223333_CloudTrail-Digest_eu-west-1_x.json.gz"),
    ] {
        let day = root.join(place);
        std::fs::create_dir_all(&day).unwrap();
        let bytes =
            if place.starts_with("CloudTrail/") { gzip(record(1).to_string()) } else { gzip("2 111122223333 eni-1") };
        support::file(&day, name, bytes);
    }
    for options in [&[][..], &["--account", "111122223333"], &["--since", "2026-04-02"]] {
        let mut command = support::offlimits(["backtest", "--format", "json", "--rules"]);
        command.arg(&rules).arg(folder.path().join("AWSLogs")).args(options);
        let run = support::run(command);
        assert_eq!(run.code, Some(0), "{options:?}: {}", run.shown());
        let summary = &run.findings()[0];
        assert_eq!(
            (&summary["files"], &summary["records"], &summary["skipped"], &summary["unreadable"]),
            (&json!(1), &json!(1), &json!(4), &json!(0)),
            "{options:?}"
        );
    }
    let run = replay(&root.join("vpcflowlogs"), &rules);
    assert_eq!(run.code, Some(2), "{}", run.shown());
    assert!(run.stderr.contains("1 file of vpcflowlogs") && run.stderr.contains("nothing in"), "{}", run.shown());
}

#[test]
fn what_is_intact_of_a_damaged_gzip_is_read_and_what_is_lost_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    let many = json!({ "Records": (0..200).map(record).collect::<Vec<_>>() }).to_string();
    let packed = gzip(&many);
    let half = packed[..packed.len() / 2].to_vec();
    let mut flipped = packed.clone();
    let last = flipped.len() - 5;
    flipped[last] ^= 1;
    for (name, bytes, at_least, told) in [
        ("appended.json.gz", [&packed[..], b"appended by a proxy"].concat(), 200, "19 bytes that are not gzip"),
        ("half.json.gz", half, 50, "breaks off"),
        ("sum.json.gz", flipped, 200, "damaged"),
        ("second.json.gz", [&gzip(record(1).to_string() + "\n")[..], &packed[..30]].concat(), 1, "breaks off"),
    ] {
        let run = replay(&support::file(folder.path(), name, bytes), &rules);
        assert_eq!(run.code, Some(2), "{name}: {}", run.shown());
        assert!(run.findings().len() >= at_least, "{name}: {}: {}", run.findings().len(), run.shown());
        assert!(run.stderr.contains("warning: ") && run.stderr.contains(told), "{name}: {}", run.shown());
        assert!(run.stderr.contains(name), "{name}: {}", run.shown());
    }
}

#[test]
fn a_tests_event_may_be_any_of_them() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in forms() {
        support::file(folder.path(), name, bytes);
        let rules = json!({ "rules": [{
            "id": "R", "title": "t", "severity": "high", "when": { "event": { "is": "StopLogging" }, "user": { "is": "mara" } },
            "tests": [{ "name": "n", "event": name, "expect": true }],
        }] });
        let rules = support::file(folder.path(), "with-tests.json", rules.to_string());
        let mut command = support::offlimits(["test", "--rules"]);
        command.arg(&rules);
        let run = support::run(command);
        assert_eq!(run.code, Some(0), "{name}: {} {}", run.stdout, run.shown());
    }
}
