//! Sends the events, one after the other, and awaits their alerts.

use std::time::Duration;

use super::await_alerts::{Awaited, await_all};
use super::exercise::Exercise;
use super::inbox::WebhookInbox;
use super::question::Question;
use super::report::{DrillReport, RuleReport};
use crate::aws::{ApiInput, ApiService, AwsApi, FunctionSettings, StackReader};
use crate::scan::s3;
use crate::secret::Secret;
use crate::text::percent_encoded;
use crate::time::Timestamp;

/// A deployed function, and how long its alerts are awaited.
pub(super) struct Drill<'c> {
    question: &'c Question,
    api: AwsApi,
    reader: StackReader,
    region: String,
}

impl<'c> Drill<'c> {
    /// Finds the region, the addresses and the credentials; asks nobody yet.
    ///
    /// # Errors
    /// What is missing, and the remedy.
    pub(super) fn open(question: &'c Question) -> Result<Self, String> {
        let mut settings = FunctionSettings::from_env();
        settings.access.region = question.region.clone().or(settings.access.region);
        let Some(region) = settings.access.region.clone() else {
            return Err("no region: name the stack's with --region, or set AWS_REGION".to_owned());
        };
        let credentials = s3::credentials()?;
        settings.access.key = Some((credentials.key().to_owned(), Secret::new(credentials.secret())));
        settings.access.session_token = credentials.token().map(Secret::new);
        Ok(Self { question, api: AwsApi::new(settings.clone()), reader: StackReader::new(settings), region })
    }

    /// The time of day.
    pub(super) fn now() -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "the command line's own; the function never comes here")]
        let now = std::time::SystemTime::now();
        now.into()
    }

    /// Drills the rules.
    ///
    /// # Errors
    /// Nothing could be sent.
    pub(super) async fn run(&self, exercises: &[Exercise]) -> Result<DrillReport, String> {
        let stack = &self.question.rules.stack;
        let outputs = self.reader.outputs(stack).await;
        let outputs = outputs.map_err(|error| format!("the stack {stack} in {}: {error}", self.region))?;
        let named = |output: &str| {
            outputs.get(output).cloned().ok_or_else(|| format!("the stack {stack} has no output {output}"))
        };
        let (function, table) = (named("FunctionName")?, named("TableName")?);
        let inbox = match self.question.webhook {
            None => None,
            Some(address) => Some(
                WebhookInbox::open(address)
                    .map_err(|error| format!("a webhook cannot be opened at {address}: {error}"))?,
            ),
        };
        let (mut awaited, mut unanswered) = (Vec::new(), Vec::new());
        for exercise in exercises {
            let sent = Self::now();
            match self.invoke(&function, &exercise.payload).await {
                Ok(()) => awaited.extend(Awaited::of(exercise, sent)),
                Err(error) => unanswered.push(format!("{}: {error}", exercise.rule)),
            }
        }
        let wait = Duration::from_secs(self.question.wait);
        let store = self.reader.store(&table);
        if let Err(error) = await_all(&mut awaited, store, inbox.as_ref(), wait, Self::now).await {
            unanswered.push(format!("the table {table}: {error}"));
        }
        let rules = exercises.iter().map(|exercise| RuleReport::of(exercise, &awaited)).collect();
        Ok(DrillReport { stack: stack.clone(), region: self.region.clone(), rules, unanswered })
    }

    /// Hands an event to the function, as EventBridge does.
    async fn invoke(&self, function: &str, payload: &str) -> Result<(), String> {
        let path = format!("/2015-03-31/functions/{}/invocations", percent_encoded(function));
        let input = ApiInput::Event(path, payload.to_owned());
        self.api
            .ask(&ApiService::LAMBDA, &self.region, "Invoke", &input)
            .await
            .map(drop)
            .map_err(|error| error.to_string())
    }
}
