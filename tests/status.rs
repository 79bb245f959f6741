//! `offlimits status` against a stand-in of AWS, which gives recorded answers: what it says of each end, and what it does where
//! somebody does not answer. `tests/stack/test_status.py` asks a deployed stack.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::docs::keys;
use crate::golden::compare::{Hold, READ_BY_SCRIPTS, check, shape};
use crate::golden::http::{Asked, service};
use crate::support::{Run, offlimits, run, silence};

const EVENT: &str = "f1bcad24-6261-4d5c-b149-463c145d4aa6";
/// 2100-01-01: every claim and lease of these tests ends later or long ago.
const FUTURE: u64 = 4_102_444_800;

/// A deployed stack: the lines of its log, and the claims of its ledger.
#[derive(Default)]
struct Stack {
    /// Each with its time, in milliseconds since 1970.
    lines: Vec<(u64, Value)>,
    /// By finding: each channel's.
    claims: BTreeMap<String, Vec<Value>>,
    /// Whether a silence runs.
    has_silence: bool,
    /// What is refused.
    refuses: Option<&'static str>,
}

/// An id: 32 equal digits.
fn id(digit: char) -> String {
    digit.to_string().repeat(32)
}

impl Stack {
    /// A line of the function's log.
    fn line(mut self, millis: u64, fields: Value) -> Self {
        let mut line = json!({"timestamp": "2026-01-10T11:32:44Z", "level": "INFO"});
        line["fields"] = fields;
        self.lines.push((millis, line));
        self
    }

    /// A line of metrics of a function with this `LogLevel`.
    fn metrics(mut self, millis: u64, log_level: &str) -> Self {
        let line = json!({"timestamp": "2026-01-10T11:32:44Z", "level": "INFO", "Records": 7, "LogLevel": log_level});
        self.lines.push((millis, line));
        self
    }

    /// A line that says how a finding ended.
    fn end(self, millis: u64, finding: char, channel: Option<&str>, outcome: &str) -> Self {
        let mut fields = json!({
            "message": "finding", "finding": id(finding), "rule": "R", "event_id": EVENT, "outcome": outcome,
        });
        if let Some(channel) = channel {
            fields["channel"] = json!(channel);
        }
        if outcome == "delivered" {
            fields["latency_ms"] = json!(1812);
        }
        self.line(millis, fields)
    }

    fn claim(mut self, finding: &str, channel: &str, done: Option<&str>, until: u64) -> Self {
        let mut item = json!({
            "partition": {"S": format!("finding#{finding}")}, "sort": {"S": channel}, "version": {"N": "1"},
            "expires": {"N": FUTURE.to_string()}, "alert": {"S": id('a')}, "opener": {"S": id('0')},
            "repeat": {"BOOL": false}, "until": {"N": (until * 1000).to_string()},
        });
        if let Some(done) = done {
            item["done"] = json!({"S": done});
        }
        self.claims.entry(finding.to_owned()).or_default().push(item);
        self
    }

    fn answer(&self, asked: &Asked) -> (u16, String) {
        let operation = asked.operation.rsplit('.').next().unwrap_or_default();
        let operation = if asked.body.starts_with("Action=DescribeStacks") { "DescribeStacks" } else { operation };
        if self.refuses == Some(operation) {
            let code = "AccessDeniedException";
            let xml = format!("<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>");
            let refused =
                if operation == "DescribeStacks" { xml } else { json!({"__type": code, "message": "no"}).to_string() };
            return (400, refused);
        }
        let body: Value = serde_json::from_str(&asked.body).unwrap_or_default();
        let answer = match operation {
            "DescribeStacks" => {
                let output = |key: &str, value: &str| {
                    format!("<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>")
                };
                let outputs = output("TableName", "ledger") + &output("LogGroupName", "/aws/lambda/offlimits");
                format!(
                    "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>offlimits</StackName>\
                     <CreationTime>2026-01-10T11:32:44Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus><Outputs>\
                     {outputs}</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
                )
            }
            "FilterLogEvents" => self.log(&body).to_string(),
            "Query" => {
                let partition = body["ExpressionAttributeValues"][":p"]["S"].as_str().unwrap();
                let items = match partition.strip_prefix("finding#") {
                    Some(finding) => self.claims.get(finding).cloned().unwrap_or_default(),
                    None if partition == "silences" && self.has_silence => vec![silence::running()],
                    None if partition == "silences" => Vec::new(),
                    None => panic!("nobody asks for {partition}"),
                };
                json!({"Count": items.len(), "Items": items}).to_string()
            }
            other => panic!("nobody asks for {other}"),
        };
        (200, answer)
    }

    /// A page of the log, as CloudWatch gives it: the first is empty, and names a second. The pattern is judged as CloudWatch does.
    fn log(&self, body: &Value) -> Value {
        assert_eq!(body["logGroupName"], "/aws/lambda/offlimits");
        if body["nextToken"].is_null() {
            return json!({"events": [], "nextToken": "more"});
        }
        let pattern = body["filterPattern"].as_str().unwrap();
        let terms = pattern.strip_prefix("{ ").and_then(|terms| terms.strip_suffix(" }")).unwrap().split(" || ");
        let terms: Vec<(String, &str)> = terms
            .map(|term| {
                let term = term.strip_prefix("($.").and_then(|term| term.strip_suffix("\")")).unwrap();
                let (path, text) = term.split_once(" = \"").unwrap();
                (format!("/{}", path.replace('.', "/")), text)
            })
            .collect();
        let since = body["startTime"].as_u64().unwrap();
        let events: Vec<Value> = self
            .lines
            .iter()
            .filter(|(at, line)| {
                let is = |(path, text): &(String, &str)| line.pointer(path).is_some_and(|found| found == text);
                *at >= since && terms.iter().any(is)
            })
            .map(|(at, line)| json!({"timestamp": at, "message": line.to_string()}))
            .collect();
        json!({"events": events})
    }

    fn asked(self, arguments: &[&str]) -> Run {
        let (url, _) = service(move |asked| self.answer(asked));
        let mut command = offlimits(["status", "--region", "eu-west-1", "--since", "1970-01-01"]);
        for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTP_PROXY", "http_proxy"] {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .env("AWS_ENDPOINT_URL", url)
            .env("AWS_ACCESS_KEY_ID", "k")
            .env("AWS_SECRET_ACCESS_KEY", "s");
        run(command)
    }

    fn json(self, subject: &str) -> (Value, Run) {
        let run = self.asked(&[subject, "--format", "json"]);
        (serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.shown())), run)
    }
}

/// How the only finding stands on its only channel.
fn channel(document: &Value) -> &Value {
    let [finding] = &document["findings"].as_array().unwrap()[..] else { panic!("{document}") };
    let [channel] = &finding["channels"].as_array().unwrap()[..] else { panic!("{document}") };
    channel
}

#[test]
fn each_end_of_a_delivery_is_told_from_ledger_and_log() {
    let ended = |outcome| Stack::default().end(1000, '1', Some("soc"), outcome);
    let of_claim = |stack: Stack, done, until| stack.claim(&id('1'), "soc", done, until);
    let cases = [
        // The log alone, whose table has forgotten the delivery.
        (ended("delivered"), "delivered", Some("1970-01-01T00:00:01Z")),
        (ended("duplicate"), "duplicate", Some("1970-01-01T00:00:01Z")),
        (ended("failed"), "failed", Some("1970-01-01T00:00:01Z")),
        // Handed back: the log knows where it is.
        (of_claim(ended("queued"), None, 7), "queued", Some("1970-01-01T00:00:01Z")),
        (of_claim(ended("queued").end(2000, '1', Some("soc"), "dead"), None, 7), "dead", Some("1970-01-01T00:00:02Z")),
        // The ledger knows better, or more.
        (of_claim(ended("queued"), Some("delivered"), 7), "delivered", Some("1970-01-01T00:00:07Z")),
        (of_claim(ended("queued"), None, FUTURE), "sending", None),
        (
            of_claim(ended("delivered").end(9000, '1', Some("soc"), "duplicate"), Some("delivered"), 7),
            "delivered",
            Some("1970-01-01T00:00:01Z"),
        ),
        (of_claim(ended("throttled"), Some("throttled"), FUTURE), "throttled", Some("1970-01-01T00:00:01Z")),
        (of_claim(ended("digested"), Some("digested"), 7), "digested", Some("1970-01-01T00:00:01Z")),
    ];
    for (stack, outcome, at) in cases {
        let (document, run) = stack.json(EVENT);
        let status = channel(&document);
        assert_eq!((status["outcome"].as_str(), status["at"].as_str()), (Some(outcome), at), "{document}");
        assert_eq!((run.code, document["known"].as_bool()), (Some(0), Some(true)), "{}", run.shown());
        assert!(status["next"].as_str().unwrap().len() > 20, "{document}");
    }
}

#[test]
fn a_finding_that_the_log_does_not_have_is_told_by_the_ledger() {
    let stack = Stack::default().claim(&id('1'), "soc", None, 7).claim(&id('1'), "topic", Some("delivered"), 8);
    let (document, run) = stack.json(&id('1'));
    let channels = document["findings"][0]["channels"].as_array().unwrap();
    let told: Vec<_> =
        channels.iter().map(|c| (c["channel"].as_str().unwrap(), c["outcome"].as_str().unwrap())).collect();
    assert_eq!((told, run.code), (vec![("soc", "open"), ("topic", "delivered")], Some(0)), "{document}");
}

#[test]
fn a_repeat_names_its_first_and_its_roll_up() {
    let held =
        || Stack::default().end(1000, '1', Some("soc"), "throttled").claim(&id('1'), "soc", Some("throttled"), 7);
    let (document, _) = held().json(EVENT);
    let status = channel(&document);
    assert_eq!((&status["opener"], &status["roll_up_at"]), (&json!(id('0')), &Value::Null));
    assert!(status["next"].as_str().unwrap().contains(&format!("offlimits status {}", id('0'))), "{document}");
    // The id of the alert's roll-up.
    let roll_up = offlimits::ids::StableId::hash(&["roll-up", &id('a')]).to_string();
    let (document, _) =
        held().claim(&roll_up, "topic", Some("delivered"), 8).claim(&roll_up, "soc", Some("delivered"), 9).json(EVENT);
    assert_eq!(channel(&document)["roll_up_at"], "1970-01-01T00:00:09Z");
}

#[test]
fn what_is_late_says_why() {
    let late = |fields: Value| {
        let mut why = json!({"message": "an alert is dead", "channel": "soc", "reason": "rejected: invalid_payload"});
        why.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        Stack::default()
            .line(500, why)
            .line(
                600,
                json!({"message": "an alert", "channel": "topic", "what": id('1'), "reason": "another channel's"}),
            )
            .end(1000, '1', Some("soc"), "dead")
    };
    for (fields, subject) in [(json!({"what": id('1')}), EVENT.to_owned()), (json!({"finding": id('1')}), id('1'))] {
        let (document, _) = late(fields).json(&subject);
        assert_eq!(channel(&document)["reason"], "rejected: invalid_payload", "{document}");
    }
}

#[test]
fn what_came_to_no_channel_says_so_and_a_sum_is_not_taken_for_its_first_finding() {
    for outcome in ["staged", "unrouted", "below_threshold", "self"] {
        let sum = json!({
            "message": "finding", "kind": "roll-up", "finding": id('2'), "event_id": EVENT, "channel": "soc", "outcome": "dead",
        });
        let (document, run) = Stack::default().end(1000, '1', None, outcome).line(2000, sum).json(EVENT);
        let [finding] = &document["findings"].as_array().unwrap()[..] else { panic!("{document}") };
        assert_eq!((&finding["outcome"], &finding["channels"]), (&json!(outcome), &json!([])));
        assert_eq!((&finding["rule"], &finding["event_id"], run.code), (&json!("R"), &json!(EVENT), Some(0)));
    }
}

#[test]
fn people_read_a_few_plain_lines() {
    let stack = Stack::default()
        .line(
            500,
            json!({"message": "an alert is dead", "channel": "soc", "what": id('1'), "reason": "rejected: invalid_payload"}),
        )
        .end(1000, '1', Some("soc"), "dead")
        .end(1000, '1', Some("topic"), "delivered")
        .end(2000, '1', Some("topic"), "duplicate")
        .end(3000, '2', None, "staged")
        .claim(&id('1'), "topic", Some("delivered"), 1);
    let run = stack.asked(&[EVENT]);
    let said: Vec<&str> = run.stdout.lines().filter(|line| !line.contains("next: ")).collect();
    assert_eq!(
        said,
        [
            &format!("finding {} of rule R in event {EVENT}", id('1')),
            "  soc: dead at 1970-01-01T00:00:01Z",
            "    reason: rejected: invalid_payload",
            &format!("  topic: delivered at 1970-01-01T00:00:01Z, 1,812 ms after the call, under alert {}", id('a')),
            "    the same event came again (times: 1), and was recognised as a duplicate",
            &format!("finding {} of rule R in event {EVENT}", id('2')),
            "  staged at 1970-01-01T00:00:03Z: it came to no channel",
        ]
    );
    assert_eq!(run.stdout.matches("next: ").count(), 3);
    assert_eq!(run.code, Some(0));
}

#[test]
fn what_nobody_has_is_followed_up_by_explain() {
    let invoked = || Stack::default().metrics(1000, "INFO");
    let run = invoked().asked(&[EVENT]);
    assert_eq!(run.code, Some(1), "{}", run.shown());
    assert!(run.stdout.contains("neither the ledger nor the log has anything of it"), "{}", run.stdout);
    assert!(run.stdout.contains(&format!("AttributeValue={EVENT} | offlimits explain -`")), "{}", run.stdout);
    assert!(run.stdout.contains("--region eu-west-1") && !run.stdout.contains("LogLevel"), "{}", run.stdout);
    let (document, _) = invoked().json(&id('7'));
    assert_eq!((&document["log_tells"], &document["kind"]), (&json!(true), &json!("finding")));
    // As a version wrote it that named no level.
    let run = Stack::default().line(1000, json!({"message": "invocation", "records": 1})).asked(&[EVENT]);
    assert!(!run.stdout.contains("LogLevel"), "{}", run.stdout);
    // A log that has no such lines proves nothing.
    let run = Stack::default().metrics(1000, "WARN").asked(&[EVENT]);
    assert!(run.code == Some(1) && run.stdout.contains("LogLevel is WARN or ERROR"), "{}", run.stdout);
    let run = Stack::default().line(1000, json!({"message": "an alert is dead"})).asked(&[EVENT]);
    assert!(run.code == Some(1) && run.stdout.contains("LogLevel"), "{}", run.stdout);
}

#[test]
fn who_does_not_answer_is_named_and_the_others_are_asked() {
    let stack = |refuses| Stack {
        refuses: Some(refuses),
        ..Stack::default().end(1000, '1', Some("soc"), "queued").claim(&id('1'), "soc", Some("delivered"), 7)
    };
    // Without the log an event leads to no finding, and nothing is said of it.
    for (refuses, subject, outcome) in [
        ("FilterLogEvents", id('1'), Some("delivered")),
        ("FilterLogEvents", EVENT.to_owned(), None),
        ("Query", EVENT.to_owned(), Some("queued")),
        ("DescribeStacks", EVENT.to_owned(), None),
    ] {
        let (document, run) = stack(refuses).json(&subject);
        assert_eq!(document["findings"][0]["channels"][0]["outcome"].as_str(), outcome, "{refuses}: {document}");
        assert_eq!(run.code, Some(2), "{refuses}");
        assert!(run.stderr.starts_with("error: ") && run.stderr.contains("AccessDenied"), "{refuses}: {}", run.stderr);
    }
    // Nor is it said that there is nothing.
    let run = stack("FilterLogEvents").asked(&[EVENT]);
    assert!(run.stdout.contains("unknown, for not everybody answered"), "{}", run.shown());
    assert!(!run.stdout.contains("neither"), "{}", run.shown());
    // What is named need not be asked for.
    let run = stack("DescribeStacks").asked(&[EVENT, "--table", "ledger", "--log-group", "/aws/lambda/offlimits"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{}", run.stdout);
}

#[test]
fn the_table_of_keys_says_what_is_printed() {
    let full = Stack::default()
        .line(500, json!({"message": "an alert is dead", "channel": "soc", "what": id('1'), "reason": "rejected: invalid_payload"}))
        .line(
            900,
            json!({
                "message": "finding", "finding": id('1'), "event_id": EVENT, "rule": "R", "channel": "topic", "outcome": "delivered",
                "group": id('9'), "alert": id('a'), "latency_ms": 3,
            }),
        )
        .end(1000, '1', Some("soc"), "dead")
        .end(1000, '1', Some("held"), "throttled")
        .end(3000, '2', None, "staged")
        .claim(&id('1'), "held", Some("throttled"), 1);
    let roll_up = offlimits::ids::StableId::hash(&["roll-up", &id('a')]).to_string();
    let mut full = full.claim(&roll_up, "held", Some("delivered"), 9).claim(&id('1'), "topic", Some("delivered"), 7);
    full.has_silence = true;
    full.claims.get_mut(&id('1')).unwrap()[1]["receipt"] = json!({"S": "1503435956.000247"});
    let (_, known) = full.json(EVENT);
    let (_, nothing) = Stack::default().json(EVENT);
    let (_, refused) = Stack { refuses: Some("Query"), ..Stack::default() }.json(&id('1'));
    let printed = [known.stdout, nothing.stdout, refused.stdout].concat();
    assert_eq!(keys::disagreements("status", &printed), [""; 0]);
    let documents: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    check("status.json", &shape(&documents), Hold::AtLeast, READ_BY_SCRIPTS);
}
