//! The function itself: the built `bootstrap` under a Runtime API of our own. One process is handed every document in turn,
//! so that one which it does not survive is found by the next. No channel is configured, so that nothing is sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use serde_json::value::RawValue;

use super::make::Expect::{self, Found};
use crate::support::STANDSTILL;

pub(crate) struct Function {
    process: Child,
    connection: BufReader<TcpStream>,
}

impl Function {
    /// Starts it with these rules; it then waits for its first event.
    pub(crate) fn start(rules: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_bootstrap"))
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", listener.local_addr().unwrap().to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "offlimits")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("OFFLIMITS_RULES", rules)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
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
        Self { process, connection: BufReader::new(connection) }
    }

    /// What is wrong with its answer. Lambda hands over valid JSON alone; what is none may be answered with an error, and what
    /// is must be counted.
    pub(crate) fn complaint(&mut self, payload: &[u8], expect: Expect) -> Option<String> {
        let (path, answer) = match self.invoke(payload) {
            Ok(answered) => answered,
            Err(error) => return Some(format!("it does not answer: {error}")),
        };
        let (Found(count), Ok(_)) = (expect, serde_json::from_slice::<&RawValue>(payload)) else { return None };
        // A batch of messages is answered with those that must come again: none.
        let right = match serde_json::from_str::<Value>(&answer) {
            Ok(answer) if answer.get("batchItemFailures").is_some() => {
                answer["batchItemFailures"] == Value::Array(vec![])
            }
            Ok(answer) => answer["findings"]["total"].as_u64().is_some_and(|total| total >= count as u64),
            Err(_) => false,
        };
        (!right || !path.ends_with("/response")).then(|| format!("{path}: {answer}"))
    }

    /// One round of the Runtime API: the event as the answer to `…/next`, and where what it made of it was posted.
    /// Source: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.
    fn invoke(&mut self, payload: &[u8]) -> std::io::Result<(String, String)> {
        let (next, _) = self.request()?;
        assert!(next.ends_with("/invocation/next"), "{next}");
        let length = payload.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
             Lambda-Runtime-Aws-Request-Id: 1\r\nLambda-Runtime-Deadline-Ms: 9999999999999\r\n\
             Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:offlimits\r\n\r\n"
        );
        self.connection.get_mut().write_all(&[head.as_bytes(), payload].concat())?;
        let answered = self.request()?;
        self.connection.get_mut().write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")?;
        Ok(answered)
    }

    /// The path and the body of its next request.
    fn request(&mut self) -> std::io::Result<(String, String)> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.connection.read_line(&mut head)? == 0 {
                return Err(std::io::Error::other("it hung up"));
            }
        }
        let length = head
            .to_lowercase()
            .split("content-length: ")
            .nth(1)
            .map_or(0, |rest| rest.split("\r\n").next().unwrap_or_default().parse().unwrap());
        let mut body = vec![0; length];
        self.connection.read_exact(&mut body)?;
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        Ok((path, String::from_utf8_lossy(&body).into_owned()))
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
