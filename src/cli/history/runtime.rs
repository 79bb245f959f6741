//! Lambda's runtime interface, as far as a function needs it that works on one event after the other.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::cli::stack_access::now;
use crate::http_client;
use crate::time::Timestamp;

/// Takes events from Lambda, and returns what is made of them.
pub(super) struct LambdaRuntime {
    client: Client,
    /// `http://127.0.0.1:9001/2018-06-01/runtime`
    base: String,
    runtime: Runtime,
}

/// An event.
pub(super) struct Invocation {
    id: String,
    pub(super) event: Value,
    /// When Lambda ends us.
    pub(super) deadline: Instant,
}

impl LambdaRuntime {
    /// With the address that Lambda gives in `AWS_LAMBDA_RUNTIME_API`.
    ///
    /// # Errors
    /// There is none: this is no function.
    pub(super) fn open() -> Result<Self, String> {
        #[expect(clippy::disallowed_methods, reason = "the environment of the function that the tool is here")]
        let address = std::env::var("AWS_LAMBDA_RUNTIME_API");
        let address = address.map_err(|_| {
            "history work is what the functions of deploy/history.yaml run, and nothing for a terminal".to_owned()
        })?;
        let client = http_client::client(None).map_err(|error| error.to_string())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        Ok(Self { client, base: format!("http://{address}/2018-06-01/runtime"), runtime })
    }

    /// Waits for the next event.
    ///
    /// # Errors
    /// Lambda does not answer as it documents.
    pub(super) fn next(&self) -> Result<Invocation, String> {
        let told = |error: reqwest::Error| error.without_url().to_string();
        self.runtime.block_on(async {
            let answer = self.client.get(format!("{}/invocation/next", self.base)).send().await.map_err(told)?;
            let header = |name: &str| answer.headers().get(name)?.to_str().ok().map(str::to_owned);
            let id = header("lambda-runtime-aws-request-id").ok_or("an invocation without an id")?;
            let ends = header("lambda-runtime-deadline-ms").and_then(|millis| millis.parse().ok());
            let left = ends.map_or(Duration::from_mins(1), |ends| Timestamp::from_millis(ends).since(now()));
            let body = answer.bytes().await.map_err(told)?;
            let event = serde_json::from_slice(&body).map_err(|error| format!("an event that is not JSON: {error}"))?;
            Ok(Invocation { id, event, deadline: Instant::now() + left })
        })
    }

    /// Returns what was made of an event.
    ///
    /// # Errors
    /// Lambda does not take it.
    pub(super) fn answer(&self, invocation: &Invocation, answer: Result<Value, String>) -> Result<(), String> {
        let (place, body) = match answer {
            Ok(answer) => ("response", answer),
            Err(reason) => ("error", json!({ "errorType": "HistoryError", "errorMessage": reason })),
        };
        let url = format!("{}/invocation/{}/{place}", self.base, invocation.id);
        let sent = self.runtime.block_on(self.client.post(url).body(body.to_string()).send());
        sent.map(|_| ()).map_err(|error| error.without_url().to_string())
    }
}
