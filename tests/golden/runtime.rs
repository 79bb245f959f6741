//! The function's process as Lambda has it: what it answers, which metrics it prints, and where its variables lead.

use std::fs::File;
use std::io::{BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Map, Value, json};

use super::compare::{Hold, READ_BY_SCRIPTS, check, fixture, shape};
use super::http::{Asked, request, service};
use super::ledger::event;
use super::outside::batch;
use crate::support::STANDSTILL;

const RULES: &str = r#"{ "channels": { "topic": { "type": "sns" }, "soc": { "type": "slack", "channel": "C0123456789" } }, "rules": [
    { "id": "STOP", "title": "stopped", "severity": "low", "when": { "event": { "is": "StopLogging" } } },
    { "id": "LOGS", "title": "logs", "severity": "low", "mode": "stage", "when": { "event": { "is": "PutLogEvents" } } }] }"#;

/// A process, and the Runtime API that it asks.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.
pub(crate) struct Function {
    process: Child,
    connection: BufReader<TcpStream>,
    folder: tempfile::TempDir,
}

impl Function {
    /// Starts it with these variables beside those that it needs.
    fn start(variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("rules.json"), RULES).unwrap();
        Self::start_in(folder, variables)
    }

    /// Starts it from a folder with a `rules.json`.
    pub(crate) fn start_in(folder: tempfile::TempDir, variables: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_bootstrap"))
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", listener.local_addr().unwrap().to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "the-function")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("LAMBDA_TASK_ROOT", folder.path())
            .envs([("AWS_REGION", "eu-west-1"), ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "s")])
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(File::create(folder.path().join("stdout")).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        let connection = loop {
            match listener.accept() {
                Ok((connection, _)) => break connection,
                Err(_) if begun.elapsed() < STANDSTILL => std::thread::sleep(Duration::from_millis(2)),
                Err(error) => panic!("the function does not start: {error}"),
            }
        };
        connection.set_nonblocking(false).unwrap();
        connection.set_read_timeout(Some(STANDSTILL)).unwrap();
        Self { process, connection: BufReader::new(connection), folder }
    }

    /// What it makes of an event within four seconds: where it posts its answer, and the answer.
    #[expect(clippy::disallowed_methods, reason = "the process's deadline is by its own clock")]
    pub(crate) fn invoke(&mut self, payload: &str) -> (String, Value) {
        let next = request(&mut self.connection).unwrap();
        assert!(next.path.ends_with("/invocation/next"), "{next:?}");
        let deadline = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap() + Duration::from_secs(4);
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Lambda-Runtime-Aws-Request-Id: 1\r\nLambda-Runtime-Deadline-Ms: {}\r\n\
             Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-1:123456789012:function:the-function\r\n\r\n",
            payload.len(),
            deadline.as_millis()
        );
        self.connection.get_mut().write_all((head + payload).as_bytes()).unwrap();
        let Asked { path, body, .. } = request(&mut self.connection).unwrap();
        self.connection.get_mut().write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").unwrap();
        (path, serde_json::from_str(&body).unwrap())
    }

    /// The lines of metrics that it has printed.
    fn metrics(&self) -> Vec<Value> {
        let printed = std::fs::read_to_string(self.folder.path().join("stdout")).unwrap();
        let lines = printed.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line.get("_aws").is_some()).collect()
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// AWS, whose topics do not answer, and whose secret and table are empty.
fn aws(asked: &Asked) -> (u16, String) {
    let body = match asked.operation.rsplit('.').next().unwrap_or_default() {
        "GetSecretValue" => json!({ "SecretString": "{}" }),
        "BatchGetItem" => json!({ "Responses": {}, "UnprocessedKeys": {} }),
        "Query" => json!({ "Items": [], "Count": 0 }),
        "UpdateItem" => json!({ "Attributes": { "count": { "N": "1" } } }),
        "SendMessage" => json!({ "MessageId": "1" }),
        "" => return (503, String::new()),
        _ => json!({}),
    };
    (200, body.to_string())
}

#[test]
fn lambda_is_answered_with_its_keys() {
    let (url, _) = service(aws);
    // Neither a queue nor a table.
    let mut function = Function::start(&[
        ("AWS_ENDPOINT_URL", &url),
        ("OFFLIMITS_TOPIC_ARN", "arn:aws:sns:eu-west-1:123456789012:the-topic"),
        ("OFFLIMITS_SECRET_ARN", "the-secret"),
    ]);
    let mut now = Map::new();
    for (name, payload) in [
        ("what is none of ours", r#"{"source":"aws.ec2"}"#.to_owned()),
        ("a batch", batch(&["{oops".to_owned()])),
        ("a record that cannot be read", r#"{"Records":{}}"#.to_owned()),
        ("an alert that does not arrive", event(1, "cli")),
    ] {
        let (path, answer) = function.invoke(&payload);
        let kind = path.rsplit('/').next().unwrap().to_owned();
        now.insert(name.to_owned(), json!({ "posted": kind, "shape": shape([&answer]), "type": answer["errorType"] }));
        if name == "a batch" {
            assert_eq!(answer, json!({ "batchItemFailures": [{ "itemIdentifier": "0" }] }));
        }
    }
    check("lambda.json", &now.into(), Hold::AtLeast, READ_BY_SCRIPTS);

    // The same names as an account's own.
    let metrics = function.metrics();
    assert_eq!(metrics.len(), 4);
    let names = |line: &Value| line.as_object().unwrap().keys().cloned().collect::<std::collections::BTreeSet<_>>();
    for line in &metrics {
        assert_eq!(names(line), names(&fixture("metrics.json")));
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!((&line["FunctionName"], &directive["Namespace"]), (&json!("the-function"), &json!("offlimits")));
    }
    assert_eq!((&metrics[3]["Failed"], &metrics[1]["Unreadable"]), (&json!(2), &json!(1)));
}

#[test]
fn each_variable_leads_to_what_it_names() {
    let (url, asked) = service(aws);
    let mut function = Function::start(&[
        ("AWS_ENDPOINT_URL", &url),
        ("OFFLIMITS_TOPIC_ARN", "arn:aws:sns:eu-west-1:123456789012:the-topic"),
        ("OFFLIMITS_SECRET_ARN", "the-secret"),
        ("OFFLIMITS_TABLE", "the-table"),
        ("OFFLIMITS_REDELIVERY_URL", &format!("{url}/the-redelivery-queue")),
        ("OFFLIMITS_DEAD_LETTERS_URL", &format!("{url}/the-dead-letter-queue")),
        ("OFFLIMITS_ROLE_ARN", "arn:aws:iam::123456789012:role/the-role"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/the-log"),
    ]);
    // The topic does not answer, and the other channel has no credential: redelivery. What was for a channel that is not there:
    // a dead letter.
    let (_, answer) = function.invoke(&event(1, "cli"));
    assert_eq!((&answer["deliveries"]["queued"], &answer["deliveries"]["dead"]), (&json!(2), &json!(0)), "{answer}");
    let queued = asked.lock().unwrap().iter().find_map(|one| {
        let message: Value = serde_json::from_str(&one.body).ok()?;
        message["MessageBody"].as_str().map(|body| body.replace(r#""channel":"topic""#, r#""channel":"gone""#))
    });
    let queued = queued.unwrap().replace(r#""channel":"soc""#, r#""channel":"gone""#);
    let (_, answer) = function.invoke(&batch(&[queued]));
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    let asked = std::mem::take(&mut *asked.lock().unwrap());
    let was_asked = |operation: &str, part: &str| {
        assert!(
            asked.iter().any(|one| one.operation.ends_with(operation) && one.body.contains(part)),
            "nobody was asked {operation} of {part}: {asked:?}"
        );
    };
    was_asked("GetSecretValue", r#""SecretId":"the-secret""#);
    was_asked("TransactWriteItems", r#""TableName":"the-table""#);
    was_asked("", "TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A123456789012%3Athe-topic");
    for (queue, channels) in [("the-redelivery-queue", &["soc", "topic"][..]), ("the-dead-letter-queue", &["gone"])] {
        let sent: Vec<Value> = asked
            .iter()
            .filter(|one| one.operation.ends_with("SendMessage") && one.body.contains(queue))
            .map(|one| serde_json::from_str::<Value>(&one.body).unwrap()["MessageBody"].clone())
            .collect();
        let mut sent: Vec<Value> =
            sent.iter().map(|message| serde_json::from_str(message.as_str().unwrap()).unwrap()).collect();
        assert!(sent.iter().all(|message| message["offlimits"] == "delivery"), "{queue}: {sent:?}");
        sent.sort_by_key(|message| message["channel"].to_string());
        assert_eq!(
            sent.iter().map(|message| message["channel"].as_str().unwrap()).collect::<Vec<_>>(),
            channels,
            "{queue}"
        );
    }
    // Its own calls are known by its role and its name. (That Lambda writes to our log group, and by its own worker, is asked
    // since whoever stole the session could write to any, and was taken for us.)
    let mut own: Value = serde_json::from_str(&event(1, "cli")).unwrap();
    own["eventSource"] = json!("logs.amazonaws.com");
    own["eventName"] = json!("PutLogEvents");
    own["userAgent"] = json!("awslambda-worker/1.0 rusoto/0.48.0 rust/1.87.0 linux");
    own["requestParameters"] = json!({ "logGroupName": "/aws/lambda/the-log" });
    for (session, expected) in [("the-role/the-function", (1, 0)), ("the-role/another", (0, 1))] {
        own["userIdentity"]["arn"] = json!(format!("arn:aws:sts::123456789012:assumed-role/{session}"));
        let (_, answer) = function.invoke(&own.to_string());
        let findings = &answer["findings"];
        assert_eq!((&findings["self"], &findings["staged"]), (&json!(expected.0), &json!(expected.1)), "{answer}");
    }
}
