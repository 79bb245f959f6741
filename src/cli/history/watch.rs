//! `history watch`: how far an execution is, how fast, and how much longer.

use std::collections::HashMap;
use std::io::{self, IsTerminal as _, Write as _};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::options::WatchCommand;
use super::place::Deployment;
use super::plan::Plan;
use super::planning::bytes_words;
use super::results::Results;
use crate::aws::{ApiInput, ApiService};
use crate::cli::Exit;
use crate::cli::words::{counted, grouped};

/// Pages of executions that are looked through for the plan's.
const PAGES: usize = 20;

/// Watches the last execution of a plan until it ends.
pub(super) fn run(command: &WatchCommand) -> io::Result<Exit> {
    let watch = match Watch::open(command) {
        Ok(watch) => watch,
        Err(reason) => {
            eprintln!("error: {reason}");
            return Ok(Exit::Unreadable);
        }
    };
    let is_terminal = io::stdout().is_terminal();
    let (began, mut first, mut said) = (Instant::now(), None, String::new());
    loop {
        let seen = match watch.look() {
            Ok(seen) => seen,
            Err(reason) => {
                eprintln!("error: {reason}");
                return Ok(Exit::Unreadable);
            }
        };
        let first = *first.get_or_insert(seen.done_bytes);
        let line = watch.line(&seen, first, began.elapsed());
        let mut out = io::stdout().lock();
        if is_terminal {
            write!(out, "\r\x1b[2K{line}")?;
        } else if line != said {
            writeln!(out, "{line}")?;
        }
        out.flush()?;
        said = line;
        if seen.status != "RUNNING" {
            if is_terminal {
                writeln!(out)?;
            }
            return Ok(watch.end(&seen));
        }
        if command.once {
            if is_terminal {
                writeln!(out)?;
            }
            return Ok(Exit::Done);
        }
        drop(out);
        thread::sleep(Duration::from_secs(command.every));
    }
}

struct Watch {
    deployment: Deployment,
    results: Results,
    plan: Plan,
    /// The bytes of each part, by its id.
    parts: HashMap<String, u64>,
    execution: String,
    runtime: Runtime,
}

/// What is seen at one moment.
#[derive(Debug, Default)]
struct Seen {
    status: String,
    /// Why it has failed, if it has.
    cause: String,
    /// Parts by what the state machine says of them: running, and failed.
    running: u64,
    failed: u64,
    done: u64,
    done_bytes: u64,
}

impl Watch {
    fn open(command: &WatchCommand) -> Result<Self, String> {
        let deployment = Deployment::open(&command.place.history_stack)?;
        let results = Results::open(&deployment.results)?;
        let plan = results.plan(&command.plan)?;
        let mut parts = HashMap::new();
        results.each_part(&plan.id, |part| {
            parts.insert(part.id, part.bytes);
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let mut watch = Self { deployment, results, plan, parts, execution: String::new(), runtime };
        watch.execution = watch.last_execution()?;
        Ok(watch)
    }

    fn ask(&self, operation: &'static str, input: Value) -> Result<Value, String> {
        let (api, region) = (&self.deployment.api, &self.deployment.region);
        let input = ApiInput::Json(input);
        let asked = api.ask(&ApiService::STEP_FUNCTIONS, region, operation, &input);
        self.runtime.block_on(asked).map_err(|error| error.to_string())
    }

    /// The ARN of the plan's last execution: they are listed from the last on.
    fn last_execution(&self) -> Result<String, String> {
        let beginning = format!("{}-", self.plan.id);
        let mut input = json!({ "stateMachineArn": self.deployment.machine });
        for _ in 0..PAGES {
            let page = self.ask("ListExecutions", input.clone())?;
            let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
            let executions = page.get("executions").and_then(Value::as_array).cloned().unwrap_or_default();
            let of_plan = executions.iter().find(|one| text(one, "name").is_some_and(|it| it.starts_with(&beginning)));
            if let Some(arn) = of_plan.and_then(|one| text(one, "executionArn")) {
                return Ok(arn);
            }
            match text(&page, "nextToken") {
                Some(token) => input["nextToken"] = token.into(),
                None => break,
            }
        }
        Err(format!("nobody has started the plan {0}: offlimits history start {0}", self.plan.id))
    }

    fn look(&self) -> Result<Seen, String> {
        let described = self.ask("DescribeExecution", json!({ "executionArn": self.execution }))?;
        let text = |key: &str| described.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let cause = [text("error"), text("cause")].join(": ");
        let mut seen = Seen { status: text("status"), cause, ..Seen::default() };
        let runs = self.ask("ListMapRuns", json!({ "executionArn": self.execution }))?;
        let last = runs.get("mapRuns").and_then(Value::as_array).and_then(|runs| runs.first().cloned());
        if let Some(arn) = last.and_then(|run| run.get("mapRunArn")?.as_str().map(str::to_owned)) {
            let run = self.ask("DescribeMapRun", json!({ "mapRunArn": arn }))?;
            let count = |key: &str| run.pointer(&format!("/itemCounts/{key}")).and_then(Value::as_u64).unwrap_or(0);
            seen.running = count("running");
            seen.failed = count("failed") + count("timedOut") + count("aborted");
        }
        for id in self.results.done_ids(&self.plan.rules.id)? {
            if let Some(bytes) = self.parts.get(&id) {
                seen.done += 1;
                seen.done_bytes += bytes;
            }
        }
        Ok(seen)
    }

    fn line(&self, seen: &Seen, first: u64, elapsed: Duration) -> String {
        use std::fmt::Write as _;

        let Seen { status, running, failed, done, done_bytes, .. } = seen;
        let all: u64 = self.parts.values().sum();
        let mut line = format!(
            "{}: {} of {} done, {} of {}; {running} running, {failed} failed",
            status.to_lowercase(),
            grouped(*done),
            counted(self.parts.len() as u64, "part"),
            bytes_words(*done_bytes),
            bytes_words(all),
        );
        let read = done_bytes.saturating_sub(first);
        if status == "RUNNING" && read > 0 && elapsed.as_secs() > 0 {
            let rate = read / elapsed.as_secs();
            let left = all.saturating_sub(*done_bytes).checked_div(rate).unwrap_or_default();
            let _ = write!(line, "; {} a second, about {} left", bytes_words(rate), time_words(left));
        }
        line
    }

    /// Says how it ended.
    fn end(&self, seen: &Seen) -> Exit {
        let plan = &self.plan.id;
        if seen.status == "SUCCEEDED" {
            eprintln!("to report what was found: offlimits history report {plan} --report report.html");
            return Exit::Done;
        }
        eprintln!(
            "error: the execution has ended: {}: {}\nhelp: `offlimits history report {plan}` names what is missing; `offlimits history start {plan}` reads that alone",
            seen.status, seen.cause
        );
        Exit::Wrong
    }
}

/// `2 h 5 min`
fn time_words(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_their_units() {
        assert_eq!([5, 60, 3599, 7500].map(time_words), ["5 s", "1 min", "59 min", "2 h 5 min"]);
    }
}
