//! What the functions of deploy/history.yaml run: the tool itself, which takes orders from the state machine.

use std::time::Instant;

use serde_json::Value;

use super::merge;
use super::plan::Plan;
use super::reader::{ReadOrder, Reader, TIME_TO_WRITE};
use super::results::Results;
use super::rules_kept::LoadedRules;
use super::runtime::LambdaRuntime;
use crate::cli::Exit;

/// Works on orders until Lambda ends it.
pub(super) fn run() -> Exit {
    let worked = LambdaRuntime::open().and_then(|runtime| {
        #[expect(clippy::disallowed_methods, reason = "the environment of the function that the tool is here")]
        let bucket = std::env::var("OFFLIMITS_HISTORY_RESULTS");
        let bucket = bucket.map_err(|_| "OFFLIMITS_HISTORY_RESULTS is not set".to_owned())?;
        let mut worker = Worker { results: Results::open(&bucket)?, last: None };
        loop {
            let invocation = runtime.next()?;
            let answer = worker.work(&invocation.event, invocation.deadline);
            if let Err(reason) = &answer {
                eprintln!("error: {reason}");
            }
            runtime.answer(&invocation, answer)?;
        }
    });
    match worked {
        Ok(()) => Exit::Done,
        Err(reason) => {
            eprintln!("error: {reason}");
            Exit::Unreadable
        }
    }
}

/// Keeps the last plan's rules from one order to the next.
struct Worker {
    results: Results,
    last: Option<(Plan, LoadedRules)>,
}

impl Worker {
    fn work(&mut self, event: &Value, deadline: Instant) -> Result<Value, String> {
        let told = |error: serde_json::Error| format!("the order cannot be read: {error}");
        if let Some(plan) = event.get("merge").and_then(Value::as_str) {
            let merged = merge::merge(&self.results, plan)?;
            return serde_json::to_value(merged).map_err(told);
        }
        let order: ReadOrder = serde_json::from_value(event.clone()).map_err(told)?;
        if self.last.as_ref().is_none_or(|(plan, _)| plan.id != order.plan) {
            let plan = self.results.plan(&order.plan)?;
            let rules = plan.rules.load(&self.results)?;
            self.last = Some((plan, rules));
        }
        let Some((plan, rules)) = &self.last else { return Err("there is no plan".to_owned()) };
        let reader = Reader { results: &self.results, plan, rules };
        let state = reader.read(&order, deadline.checked_sub(TIME_TO_WRITE).unwrap_or(deadline))?;
        serde_json::to_value(state).map_err(told)
    }
}
