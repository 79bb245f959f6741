//! Sends the events, one after the other, and awaits their alerts.

use std::time::Duration;

use super::await_alerts::{Awaited, await_all};
use super::exercise::{LeftOut, Replayed, exercises};
use super::inbox::WebhookInbox;
use super::question::Question;
use super::report::{DrillReport, NotDrilled, RuleReport};
use crate::aws::{ApiInput, ApiService};
use crate::cli::Exit;
use crate::cli::stack_access::{StackAccess, now};
use crate::ruleset::RuleSet;
use crate::text::percent_encoded;

/// How long the alerts are awaited, where nobody says it, in seconds.
const WAIT: u64 = 120;

/// Replays the rules' own events. What keeps it from being done is told on stderr.
pub(super) async fn run(question: &Question, rules: &RuleSet) -> Result<DrillReport, Exit> {
    let told = |reason: String| {
        eprintln!("error: {reason}");
        Exit::Unreadable
    };
    let drill = Drill::open(question).map_err(told)?;
    let (exercises, left_out) = exercises(rules, question, now()).map_err(told)?;
    for (rule, reason) in &left_out {
        eprintln!("note: {rule} is left out: {reason}");
    }
    if exercises.is_empty() {
        let reason = "there is no rule to drill: none of those that were named is on and has a test that must match";
        return Err(told(reason.to_owned()));
    }
    drill.run(&exercises, &left_out).await.map_err(told)
}

/// A deployed function, and how long its alerts are awaited.
struct Drill<'c> {
    question: &'c Question,
    access: StackAccess,
}

impl<'c> Drill<'c> {
    /// Finds the region, the addresses and the credentials; asks nobody yet.
    ///
    /// # Errors
    /// What is missing, and the remedy.
    fn open(question: &'c Question) -> Result<Self, String> {
        Ok(Self { question, access: StackAccess::open(question.region.as_ref())? })
    }

    /// Drills the rules.
    ///
    /// # Errors
    /// Nothing could be sent.
    async fn run(&self, exercises: &[Replayed], left_out: &[LeftOut]) -> Result<DrillReport, String> {
        let stack = &self.question.rules.stack;
        let [function, table] = self.access.outputs(stack, ["FunctionName", "TableName"]).await?;
        let inbox = self.question.webhook.map(WebhookInbox::open_for).transpose()?;
        let (mut awaited, mut unanswered) = (Vec::new(), Vec::new());
        for Replayed { exercise, payload } in exercises {
            let sent = now();
            match self.invoke(&function, payload).await {
                Ok(()) => awaited.extend(Awaited::of(exercise, sent)),
                Err(error) => unanswered.push(format!("{}: {error}", exercise.rule)),
            }
        }
        let wait = Duration::from_secs(self.question.wait.unwrap_or(WAIT));
        let store = self.access.reader.store(&table);
        if let Err(error) = await_all(&mut awaited, store, inbox.as_ref(), wait, now).await {
            unanswered.push(format!("the table {table}: {error}"));
        }
        let rules = exercises.iter().map(|replayed| RuleReport::of(&replayed.exercise, &awaited)).collect();
        Ok(DrillReport {
            stack: stack.clone(),
            region: self.access.region.clone(),
            account: None,
            rules,
            not_drilled: NotDrilled::of(left_out),
            unanswered,
        })
    }

    /// Hands an event to the function, as EventBridge does.
    async fn invoke(&self, function: &str, payload: &str) -> Result<(), String> {
        let path = format!("/2015-03-31/functions/{}/invocations", percent_encoded(function));
        let input = ApiInput::Event(path, payload.to_owned());
        self.access
            .api
            .ask(&ApiService::LAMBDA, &self.access.region, "Invoke", &input)
            .await
            .map(drop)
            .map_err(|error| error.to_string())
    }
}
