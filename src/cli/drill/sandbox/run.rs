//! The drill itself: says what it will call, calls, and awaits the records and the alerts.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::time::Duration;

use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::time::{Instant, sleep};

use super::account::{Caller, Sandbox};
use super::calling::{Answer, MadeCall};
use super::history::{self, EventHistory};
use super::marked::Place;
use super::plan::{PlannedCall, planned};
use super::print::PlanReport;
use super::table::CallTable;
use crate::cli::Exit;
use crate::cli::drill::await_alerts::{self, Awaited, are_all_in, ask_once};
use crate::cli::drill::exercise::{Exercise, LeftOut, event_of, expected};
use crate::cli::drill::inbox::WebhookInbox;
use crate::cli::drill::question::Question;
use crate::cli::drill::report::{CallReport, DrillReport, NotDrilled, RuleReport};
use crate::cli::lines::write_line;
use crate::cli::out;
use crate::cli::stack_access::{StackAccess, now};
use crate::ids::hex;
use crate::ledger::Ledger;
use crate::ruleset::RuleSet;

/// How long the records and alerts are awaited, where nobody says it: a record is in the event history some five minutes after its
/// call, and fifteen at most.
const WAIT: u64 = 900;

/// How long before the first call the history is searched: the clocks may differ.
const BEFORE: Duration = Duration::from_mins(5);

/// Drills the rules in this account; with `--plan`, only says what would be called, and gives no report.
///
/// # Errors
/// The plan cannot be printed.
pub(in crate::cli::drill) async fn run(
    question: &Question,
    account: &str,
    rules: &RuleSet,
    as_json: bool,
) -> io::Result<Result<DrillReport, Exit>> {
    match drill(question, account, rules, as_json).await? {
        Ok(report) => Ok(report.ok_or(Exit::Done)),
        Err(reason) => {
            eprintln!("error: {reason}");
            Ok(Err(Exit::Unreadable))
        }
    }
}

async fn drill(
    question: &Question,
    account: &str,
    rules: &RuleSet,
    as_json: bool,
) -> io::Result<Result<Option<DrillReport>, String>> {
    let (table, stack) = (CallTable::read(), &question.rules.stack);
    let seed = match seed() {
        Ok(seed) => seed,
        Err(reason) => return Ok(Err(reason)),
    };
    if question.plan {
        let caller = Caller::assumed(account);
        let region = question.call_region().unwrap_or_else(|| "us-east-1".to_owned());
        let place = Place { caller: &caller, region: &region, stack, seed: &seed };
        return match planned(rules, &question.selection, &table, &place, now()) {
            Err(reason) => Ok(Err(reason)),
            Ok((planned, left_out)) => {
                let mut out = out::stdout();
                let plan = PlanReport::of(&table, &place, &planned, &left_out);
                if as_json {
                    write_line(&mut out, &plan)?;
                } else {
                    plan.write(&mut out)?;
                    for (rule, reason) in &left_out {
                        writeln!(out, "not drilled by a call: {rule}: {reason}")?;
                    }
                }
                out.flush()?;
                Ok(Ok(None))
            }
        };
    }
    let access = match StackAccess::open(question.region.as_ref()) {
        Ok(access) => access,
        Err(reason) => return Ok(Err(reason)),
    };
    let region = question.call_region.clone().unwrap_or_else(|| access.region.clone());
    let sandbox = match Sandbox::open(account, question.profile.as_deref(), &region).await {
        Ok(sandbox) => sandbox,
        Err(reason) => return Ok(Err(reason)),
    };
    let place = Place { caller: &sandbox.caller, region: &region, stack, seed: &seed };
    let (planned, left_out) = match planned(rules, &question.selection, &table, &place, now()) {
        Ok(found) => found,
        Err(reason) => return Ok(Err(reason)),
    };
    for (rule, reason) in &left_out {
        eprintln!("note: {rule} is not drilled by a call: {reason}");
    }
    if planned.is_empty() {
        return Ok(Err("there is no rule to drill by a call: replay them, without --account".to_owned()));
    }
    if let Some(note) = &sandbox.note {
        eprintln!("note: {note}");
    }
    PlanReport::of(&table, &place, &planned, &left_out).write(&mut io::stderr())?;
    let drill = SandboxDrill { question, rules, access: &access, sandbox: &sandbox, table: &table, region: &region };
    Ok(drill.run(&planned, &left_out).await.map(Some))
}

/// 32 hexadecimal digits that nobody can know before.
fn seed() -> Result<String, String> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| "this machine gives no random numbers".to_owned())?;
    Ok(hex(&bytes))
}

/// The stack that is to hear of the calls, and the account in which they are made.
struct SandboxDrill<'d> {
    question: &'d Question,
    rules: &'d RuleSet,
    access: &'d StackAccess,
    sandbox: &'d Sandbox,
    table: &'d CallTable,
    /// Where the calls are made.
    region: &'d str,
}

impl SandboxDrill<'_> {
    async fn run(&self, planned: &[PlannedCall<'_>], left_out: &[LeftOut]) -> Result<DrillReport, String> {
        let stack = &self.question.rules.stack;
        let [table] = self.access.outputs(stack, ["TableName"]).await?;
        let inbox = self.question.webhook.map(WebhookInbox::open_for).transpose()?;
        let since = now().minus(BEFORE);
        let mut made = Vec::new();
        for planned in planned {
            made.push(MadeCall::make(&self.sandbox.api, self.table, self.region, planned).await);
        }
        let mut unanswered: Vec<String> = made
            .iter()
            .filter_map(|made| match &made.answer {
                Answer::Unreached(reason) => {
                    Some(format!("{}: {}: {reason}", made.planned.rule, made.planned.call.call))
                }
                _ => None,
            })
            .collect();
        let history = EventHistory {
            api: &self.sandbox.api,
            region: self.region,
            access_key: &self.sandbox.caller.access_key,
            since,
        };
        let ledger = Ledger::new(self.access.reader.store(&table));
        let mut awaiting = Awaiting { made: &made, exercises: BTreeMap::new(), awaited: Vec::new() };
        let end = Instant::now() + Duration::from_secs(self.question.wait.unwrap_or(WAIT));
        let mut next_look = Instant::now();
        loop {
            if awaiting.marks().next().is_some() && Instant::now() >= next_look {
                let marks: Vec<&str> = awaiting.marks().collect();
                match history.records(&marks).await {
                    Ok(records) => awaiting.take(records, self.rules)?,
                    Err(error) => {
                        unanswered.push(format!("the event history of {}: {error}", self.sandbox.caller.account));
                        break;
                    }
                }
                next_look = Instant::now() + history::EVERY;
            }
            if let Err(error) = ask_once(&mut awaiting.awaited, &ledger, inbox.as_ref(), now).await {
                unanswered.push(format!("the table {table}: {error}"));
                break;
            }
            let is_all = awaiting.marks().next().is_none() && are_all_in(&awaiting.awaited, inbox.as_ref());
            if is_all || Instant::now() >= end {
                break;
            }
            sleep(await_alerts::EVERY).await;
        }
        Ok(DrillReport {
            stack: stack.clone(),
            region: self.access.region.clone(),
            account: Some(self.sandbox.caller.account.clone()),
            rules: made.iter().map(|made| awaiting.report(made)).collect(),
            not_drilled: NotDrilled::of(left_out),
            unanswered,
        })
    }
}

/// The calls that were made, and what has come of them.
struct Awaiting<'m> {
    made: &'m [MadeCall<'m>],
    /// By their marks those whose records were found.
    exercises: BTreeMap<String, Exercise>,
    awaited: Vec<Awaited>,
}

impl Awaiting<'_> {
    /// The marks of the calls whose records are awaited.
    fn marks(&self) -> impl Iterator<Item = &str> {
        let reached = self.made.iter().filter(|made| !matches!(made.answer, Answer::Unreached(_)));
        let marks = reached.map(|made| made.planned.marked.user_agent.as_str());
        marks.filter(|mark| !self.exercises.contains_key(*mark))
    }

    /// Takes the records that were found: what the local rules find in them is awaited from then on.
    fn take(&mut self, records: BTreeMap<String, serde_json::Value>, rules: &RuleSet) -> Result<(), String> {
        for (mark, record) in records {
            let Some(made) = self.made.iter().find(|made| made.planned.marked.user_agent == mark) else { continue };
            let exercise = Exercise {
                rule: made.planned.rule.clone(),
                event_id: record["eventID"].as_str().unwrap_or_default().to_owned(),
                findings: expected(rules, &event_of(&record, made.sent))?,
            };
            self.awaited.extend(Awaited::of(&exercise, made.sent));
            self.exercises.insert(mark, exercise);
        }
        Ok(())
    }

    fn report(&self, made: &MadeCall<'_>) -> RuleReport {
        let exercise = self.exercises.get(&made.planned.marked.user_agent);
        let mut call = CallReport {
            service: made.planned.call.service,
            call: made.planned.call.call,
            name: made.planned.marked.name.clone(),
            answer: made.answer.as_str().to_owned(),
            recorded: exercise.is_some(),
            note: None,
        };
        let Some(exercise) = exercise else {
            call.note = Some("CloudTrail had no record of it yet");
            return RuleReport::unrecorded(&made.planned.rule, call);
        };
        let mut report = RuleReport::of(exercise, &self.awaited);
        if report.channels.is_empty() {
            call.note = Some("the local rules find nothing in its record that goes to a channel");
        } else if matches!(made.answer, Answer::Done) {
            call.note = Some("AWS did not refuse it, though there is nothing that it could be about");
        }
        report.call = Some(call);
        report
    }
}
