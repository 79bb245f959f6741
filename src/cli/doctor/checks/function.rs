//! The function: whether it is there, can run, and is told what the template tells it.

use serde_json::{Map, Value, json};

use crate::cli::doctor::asker::text;
use crate::cli::doctor::check::Check;
use crate::cli::doctor::remedy::Remedy;
use crate::cli::doctor::report::{Notes, Told};
use crate::cli::doctor::stack::Stack;
use crate::rules::quoted;
use crate::text::{enumerated, percent_encoded};

pub(super) const CHECKS: &[&Check] = &[&MISSING, &FAILED, &STOPPED, &CONFIGURATION, &SETTINGS, &FOREIGN_SETTINGS];

static MISSING: Check =
    Check { code: "function-missing", summary: "The function is gone.", asks: &["lambda:GetFunctionConfiguration"] };

static FAILED: Check = Check {
    code: "function-failed",
    summary: "Lambda cannot run the function, or its last update failed.",
    asks: &["lambda:GetFunctionConfiguration"],
};

static STOPPED: Check = Check {
    code: "function-stopped",
    summary: "The function's reserved concurrency is 0: every invocation is refused.",
    asks: &["lambda:GetFunctionConcurrency"],
};

static CONFIGURATION: Check = Check {
    code: "function-configuration",
    summary: "The function's runtime, handler, role, timeout, layers or processor are not the template's.",
    asks: &["lambda:GetFunctionConfiguration"],
};

static SETTINGS: Check = Check {
    code: "function-settings",
    summary: "A variable of the function's environment is not what the template sets: its topic, secret, table, queues, role or stack.",
    asks: &["lambda:GetFunctionConfiguration"],
};

static FOREIGN_SETTINGS: Check = Check {
    code: "function-foreign-settings",
    summary: "The function's environment has a variable that leads it elsewhere and that the template never sets: another address of \
              AWS, other roots of trust, other rules.",
    asks: &["lambda:GetFunctionConfiguration"],
};

/// Variables that lead the function elsewhere, by their beginnings.
const FOREIGN: [&str; 5] = ["AWS_ENDPOINT_URL", "AWS_SAM_LOCAL", "AWS_USE_", "OFFLIMITS_RULES", "SSL_CERT_"];

/// Looks at the function. The answer is whether it is there.
pub(in crate::cli::doctor) async fn look(stack: &Stack<'_>, notes: &mut Notes) -> bool {
    let name = stack.output("FunctionName");
    if name.is_empty() {
        return false;
    }
    let path = |date: &str, what: &str| format!("/{date}/functions/{}/{what}", percent_encoded(name));
    let asked = stack.asker.lambda("GetFunctionConfiguration", path("2015-03-31", "configuration")).await;
    let found = match notes.told(asked) {
        Told::There(found) => found,
        Told::Missing => {
            notes.find(&MISSING, name, "the function is gone", Remedy::new().anew(stack.name, stack.region()));
            return false;
        }
        Told::Unknown => return false,
    };
    judge(stack, &found, notes);
    let concurrency = stack.asker.lambda("GetFunctionConcurrency", path("2019-09-30", "concurrency")).await;
    let reserved = notes.there(concurrency).and_then(|answer| answer.get("ReservedConcurrentExecutions")?.as_u64());
    if reserved == Some(0) {
        let remedy = match stack.parameter("ReservedConcurrency") {
            "" => Remedy::new().aws(stack.region(), ["lambda", "delete-function-concurrency", "--function-name", name]),
            number => {
                let words = ["lambda", "put-function-concurrency", "--function-name", name];
                let number = ["--reserved-concurrent-executions", number];
                Remedy::new().aws(stack.region(), words.into_iter().chain(number))
            }
        };
        notes.find(&STOPPED, name, "the reserved concurrency is 0: every invocation is refused", remedy);
    }
    true
}

fn judge(stack: &Stack<'_>, found: &Value, notes: &mut Notes) {
    let (name, region) = (stack.output("FunctionName"), stack.region());
    let state = text(found, "State").unwrap_or("Active");
    let update = text(found, "LastUpdateStatus").unwrap_or("Successful");
    // One that has been idle for long is Inactive until it is invoked.
    if !["Active", "Inactive", "Pending"].contains(&state) || update == "Failed" {
        let message = format!("the function's state is {state}, and that of its last update {update}");
        notes.find(&FAILED, name, message, Remedy::new().make("deploy", stack.name, region, ""));
    }
    let other = differences(stack, found);
    if !other.is_empty() {
        let message = format!("not as the template has it: {}", enumerated(&other));
        notes.find(&CONFIGURATION, name, message, reconfigure(stack));
    }
    let empty = Map::new();
    let variables = found.pointer("/Environment/Variables").and_then(Value::as_object).unwrap_or(&empty);
    let wrong: Vec<(&str, String)> = settings(stack)
        .into_iter()
        .filter(|(variable, value)| variables.get(*variable).and_then(Value::as_str) != Some(value))
        .collect();
    if !wrong.is_empty() {
        let names: Vec<&str> = wrong.iter().map(|(name, _)| *name).collect();
        let set: Map<String, Value> = wrong.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let message = format!("not as the template sets it: {}", enumerated(&names));
        notes.find(&SETTINGS, name, message, set_environment(stack, &format!(".Variables += {}", Value::Object(set))));
    }
    let foreign: Vec<&str> = variables
        .keys()
        .map(String::as_str)
        .filter(|name| FOREIGN.iter().any(|beginning| name.starts_with(beginning)))
        .collect();
    if !foreign.is_empty() {
        let message =
            format!("variables that the template never sets lead the function elsewhere: {}", enumerated(&foreign));
        let deleted: Vec<String> = foreign.iter().map(|name| format!(".Variables[{}]", json!(name))).collect();
        notes.find(&FOREIGN_SETTINGS, name, message, set_environment(stack, &format!("del({})", deleted.join(", "))));
    }
}

/// What of the configuration is not the template's.
fn differences(stack: &Stack<'_>, found: &Value) -> Vec<&'static str> {
    let is_text = |key: &str, value: &str| text(found, key) == Some(value);
    let architecture = found.pointer("/Architectures/0").and_then(Value::as_str);
    let (role, wanted) = (stack.output("RoleArn"), stack.parameter("Architecture"));
    // A container's image has neither.
    let is_image = is_text("PackageType", "Image");
    let same = [
        ("Runtime", is_image || is_text("Runtime", "provided.al2023")),
        ("Handler", is_image || is_text("Handler", "bootstrap")),
        ("Role", role.is_empty() || is_text("Role", role)),
        ("Timeout", found.get("Timeout").and_then(Value::as_u64) == Some(30)),
        ("Layers", found.get("Layers").and_then(Value::as_array).is_none_or(Vec::is_empty)),
        ("Architectures", wanted.is_empty() || architecture.is_none_or(|architecture| architecture == wanted)),
    ];
    same.into_iter().filter(|(_, is_same)| !is_same).map(|(what, _)| what).collect()
}

/// The variables that the template sets to what its outputs say.
fn settings(stack: &Stack<'_>) -> Vec<(&'static str, String)> {
    let of_output = [
        ("OFFLIMITS_TOPIC_ARN", "TopicArn"),
        ("OFFLIMITS_SECRET_ARN", "SecretArn"),
        ("OFFLIMITS_ROLE_ARN", "RoleArn"),
        ("OFFLIMITS_TABLE", "TableName"),
        ("OFFLIMITS_REDELIVERY_URL", "RedeliveryUrl"),
        ("OFFLIMITS_DEAD_LETTERS_URL", "DeadLettersUrl"),
    ];
    let value = |output: &str| Some(stack.output(output).to_owned()).filter(|value: &String| !value.is_empty());
    let outputs = of_output.into_iter().filter_map(|(variable, output)| Some((variable, value(output)?)));
    let named = [("OFFLIMITS_STACK", stack.name.to_owned())];
    let spokes = stack.is_hub().then(|| ("OFFLIMITS_STACK_SET", stack.parameter("StackSetName").to_owned()));
    outputs.chain(named).chain(spokes).collect()
}

/// Changes the environment by a filter of jq. The values that are there are read and written by the command itself.
fn set_environment(stack: &Stack<'_>, filter: &str) -> Remedy {
    let (name, region) = (quoted(stack.output("FunctionName")), quoted(stack.region()));
    let read =
        format!("aws lambda get-function-configuration --function-name {name} --region {region} --query Environment");
    let changed = format!("\"$({read} | jq -c {})\"", quoted(filter));
    Remedy::new().shell(format!(
        "aws lambda update-function-configuration --function-name {name} --region {region} --environment {changed}"
    ))
}

fn reconfigure(stack: &Stack<'_>) -> Remedy {
    let name = stack.output("FunctionName");
    let update = ["lambda", "update-function-configuration", "--function-name", name];
    let values = ["--runtime", "provided.al2023", "--handler", "bootstrap", "--timeout", "30", "--layers", "[]"];
    let role = ["--role", stack.output("RoleArn")];
    let words = update.into_iter().chain(values).chain(role);
    Remedy::new().aws(stack.region(), words).make("deploy", stack.name, stack.region(), "")
}
