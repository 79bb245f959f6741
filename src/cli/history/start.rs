//! `history start`: has a plan read, if it costs no more than one is ready to pay.

use serde_json::json;

use super::options::StartCommand;
use super::place::Deployment;
use super::price::Price;
use super::results::{Results, parts_key};
use crate::aws::{ApiInput, ApiService};
use crate::cli::Exit;
use crate::cli::stack_access::now;
use crate::cli::words::counted;

/// Starts an execution of the state machine.
pub(super) fn run(command: &StartCommand) -> Exit {
    match started(command) {
        Ok(true) => Exit::Done,
        Ok(false) => Exit::Wrong,
        Err(reason) => {
            eprintln!("error: {reason}");
            Exit::Unreadable
        }
    }
}

fn started(command: &StartCommand) -> Result<bool, String> {
    let deployment = Deployment::open(&command.place.history_stack)?;
    let results = Results::open(&deployment.results)?;
    let plan = results.plan(&command.plan)?;
    let price = Price::of(plan.size, deployment.readers, deployment.is_encrypted);
    if price.dollars > command.max_usd {
        eprintln!(
            "error: the plan {} costs about {:.2} dollars, and --max-usd allows {:.2}\nhelp: plan less, with --since, --until, --account or --region; or allow more",
            plan.id, price.dollars, command.max_usd
        );
        return Ok(false);
    }
    let name = format!("{}-{}", plan.id, now().millis());
    let again = if command.again { name.as_str() } else { "" };
    let input = json!({ "plan": plan.id, "parts": parts_key(&plan.id), "again": again });
    let input =
        ApiInput::Json(json!({ "stateMachineArn": deployment.machine, "name": name, "input": input.to_string() }));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let asked = deployment.api.ask(&ApiService::STEP_FUNCTIONS, &deployment.region, "StartExecution", &input);
    let answer = runtime.map_err(|error| error.to_string())?.block_on(asked).map_err(|error| error.to_string())?;
    let arn = answer.get("executionArn").and_then(serde_json::Value::as_str).unwrap_or_default();
    eprintln!(
        "started: {} of {}, about {:.2} dollars: {arn}\nto see how far it is: offlimits history watch {}",
        counted(plan.size.parts, "part"),
        plan.id,
        price.dollars,
        plan.id
    );
    Ok(true)
}
