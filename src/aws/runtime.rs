//! Lambda's runtime: the rules are compiled once, each event is handled before Lambda's deadline.

use std::time::Duration;

use aws_lambda_events::sqs::SqsBatchResponse;
use aws_sdk_sns::primitives::{DateTime, DateTimeFormat};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn, tracing as logging};
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::{AwsTransport, Settings, http};
use crate::deliver::Tokens;
use crate::handler::{App, HandleError, OwnCalls, Response, handle};
use crate::ledger::MemoryLedger;
use crate::rules::{RuleSet, Sources, countries};

/// Time that is left for the answer after the last attempt.
const MARGIN: Duration = Duration::from_millis(700);

/// Runs the function until Lambda ends it.
///
/// # Errors
/// Rules that do not compile: the start fails with the whole report in the log. And errors of the runtime itself.
pub async fn run(settings: Settings) -> Result<(), Error> {
    logging::init_default_subscriber();
    let app = app(settings)?;
    let app = &app;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Box<RawValue>>| async move {
        let now = http::now();
        let left = event.context.deadline().duration_since(now).unwrap_or_default().saturating_sub(MARGIN);
        let written = DateTime::from(now).fmt(DateTimeFormat::DateTime).unwrap_or_default();
        handle(event.payload.get(), Instant::now() + left, &written, app).await.map(answer).map_err(Diagnostic::from)
    }))
    .await
}

fn app(settings: Settings) -> Result<App<AwsTransport>, Error> {
    let path = settings.rules.display();
    let text =
        std::fs::read_to_string(&settings.rules).map_err(|error| format!("cannot read the rules: {path}: {error}"))?;
    let beside = settings.rules.with_file_name(countries::FILE);
    let sources = Sources::alone(text)
        .with_countries(|| std::fs::read(&beside))
        .map_err(|reason| format!("cannot read the countries: {reason}"))?;
    let compiled = RuleSet::compile_sources(&sources).map_err(|diagnostics| {
        for diagnostic in &diagnostics {
            tracing::error!(file = %path, diagnostic = %diagnostic, "rules.json");
        }
        format!("{path} does not compile: {} diagnostics, see the log", diagnostics.len())
    })?;
    for warning in &compiled.warnings {
        tracing::warn!(file = %path, diagnostic = %warning, "rules.json");
    }
    let own = OwnCalls {
        role_arn: settings.role_arn.clone(),
        function_name: settings.function_name.clone(),
        topic_arn: settings.topic_arn.clone(),
        secret_arn: settings.secret_arn.clone(),
    };
    Ok(App {
        rules: compiled.rules,
        transport: AwsTransport::new(settings),
        tokens: Tokens::default(),
        ledger: MemoryLedger::default(),
        own,
    })
}

/// What Lambda is answered.
#[derive(serde::Serialize)]
#[serde(untagged)]
enum Answer {
    Batch(SqsBatchResponse),
    Other(Response),
}

fn answer(response: Response) -> Answer {
    match response {
        Response::Batch(failed) => {
            let mut batch = SqsBatchResponse::default();
            failed.into_iter().for_each(|message_id| batch.add_failure(message_id));
            Answer::Batch(batch)
        }
        other => Answer::Other(other),
    }
}

impl From<HandleError> for Diagnostic {
    fn from(error: HandleError) -> Self {
        let error_type = match error {
            HandleError::Undelivered { .. } => "Undelivered",
            HandleError::Unreadable(_) => "Unreadable",
        };
        Self { error_type: error_type.to_owned(), error_message: error.to_string() }
    }
}
