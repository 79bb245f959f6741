//! The ways into the function: who may invoke it, where its failures go, and the queue that comes back to it.

use serde_json::{Value, json};

use crate::cli::doctor::asker::text;
use crate::cli::doctor::check::Check;
use crate::cli::doctor::remedy::Remedy;
use crate::cli::doctor::report::{Notes, Told};
use crate::cli::doctor::stack::Stack;
use crate::text::percent_encoded;

pub(super) const CHECKS: &[&Check] = &[&PERMISSION, &FAILURES, &REDELIVERY];

static PERMISSION: Check = Check {
    code: "invoke-permission",
    summary: "The function's policy does not let EventBridge invoke it for a rule, or refuses it: no event arrives.",
    asks: &["lambda:GetPolicy"],
};

static FAILURES: Check = Check {
    code: "failure-destination",
    summary: "What the function fails on is not tried again, or does not go to the queue FailedEvents: it is lost.",
    asks: &["lambda:GetFunctionEventInvokeConfig"],
};

static REDELIVERY: Check = Check {
    code: "redelivery-stopped",
    summary: "The queue Redelivery does not come back to the function: what a channel did not take at once never goes out.",
    asks: &["lambda:GetEventSourceMapping"],
};

/// Looks at the ways into a function that is there. `rules` are the ARNs of the `EventBridge` rules that are to invoke it.
pub(in crate::cli::doctor) async fn look(stack: &Stack<'_>, rules: &[String], notes: &mut Notes) {
    let (name, region) = (stack.output("FunctionName"), stack.region());
    let path = |date: &str, what: &str| format!("/{date}/functions/{}/{what}", percent_encoded(name));
    let policy = match notes.told(stack.asker.lambda("GetPolicy", path("2015-03-31", "policy")).await) {
        Told::There(answer) => text(&answer, "Policy").and_then(|policy| serde_json::from_str(policy).ok()),
        Told::Missing => Some(json!({})),
        Told::Unknown => None,
    };
    let is_kept_out = |rule: &&String| policy.as_ref().is_some_and(|policy| !lets_in(policy, rule));
    let kept_out: Vec<&String> = rules.iter().filter(is_kept_out).collect();
    if let Some(first) = kept_out.first() {
        let allow = |remedy: Remedy, (number, rule): (u32, &&String)| {
            let id = format!("doctor-{number}");
            let allow = ["lambda", "add-permission", "--function-name", name, "--statement-id", &id];
            let whom =
                ["--action", "lambda:InvokeFunction", "--principal", "events.amazonaws.com", "--source-arn", rule];
            remedy.aws(region, allow.into_iter().chain(whom))
        };
        let remedy = (1..).zip(&kept_out).fold(Remedy::new(), allow);
        let more = if kept_out.len() > 1 { format!(" and {} more", kept_out.len() - 1) } else { String::new() };
        let message = format!("the function's policy does not let EventBridge invoke it for {first}{more}");
        notes.find(&PERMISSION, name, message, remedy);
    }
    // The template's is that of $LATEST, which is what EventBridge invokes.
    let of_latest = path("2019-09-25", "event-invoke-config?Qualifier=%24LATEST");
    let config = stack.asker.lambda("GetFunctionEventInvokeConfig", of_latest).await;
    let config = match notes.told(config) {
        Told::There(config) => Some(config),
        Told::Missing => Some(json!({})),
        Told::Unknown => None,
    };
    let letters = stack.queue_arn("FailedEventsUrl");
    if config.is_some_and(|config| !is_kept(&config, &letters)) {
        let put = ["lambda", "put-function-event-invoke-config", "--function-name", name, "--qualifier", "$LATEST"];
        let tries = ["--maximum-retry-attempts", "2", "--maximum-event-age-in-seconds", "21600"];
        let destination = json!({"OnFailure": {"Destination": letters}}).to_string();
        let words = put.into_iter().chain(tries).chain(["--destination-config", &destination]);
        let message = format!("what the function fails on is not tried twice again, or does not go to {letters}");
        notes.find(&FAILURES, name, message, Remedy::new().aws(region, words));
    }
    redelivery(stack, notes).await;
}

async fn redelivery(stack: &Stack<'_>, notes: &mut Notes) {
    let id = stack.output("RedeliveryMapping");
    if id.is_empty() {
        return;
    }
    let path = format!("/2015-03-31/event-source-mappings/{}", percent_encoded(id));
    match notes.told(stack.asker.lambda("GetEventSourceMapping", path).await) {
        Told::There(mapping) => {
            let state = text(&mapping, "State").unwrap_or_default();
            if ["Disabled", "Disabling", "Deleting"].contains(&state) {
                let words = ["lambda", "update-event-source-mapping", "--uuid", id, "--enabled"];
                let message = format!("the mapping of the queue Redelivery is in the state {state}");
                notes.find(&REDELIVERY, id, message, Remedy::new().aws(stack.region(), words));
            }
        }
        Told::Missing => {
            let name = stack.output("FunctionName");
            let queue = stack.queue_arn("RedeliveryUrl");
            let words =
                ["lambda", "create-event-source-mapping", "--function-name", name, "--event-source-arn", &queue];
            let how = ["--batch-size", "10", "--function-response-types", "ReportBatchItemFailures"];
            let scaling = ["--scaling-config", "MaximumConcurrency=5"];
            let remedy = Remedy::new().aws(stack.region(), words.into_iter().chain(how).chain(scaling));
            notes.find(&REDELIVERY, id, "the mapping of the queue Redelivery is gone", remedy);
        }
        Told::Unknown => {}
    }
}

/// Whether failures are tried twice again and kept.
fn is_kept(config: &Value, letters: &str) -> bool {
    config.pointer("/DestinationConfig/OnFailure/Destination").and_then(Value::as_str) == Some(letters)
        && config.get("MaximumRetryAttempts").and_then(Value::as_u64).is_none_or(|attempts| attempts >= 2)
}

/// Whether a policy lets `EventBridge` invoke the function for a rule, and does not refuse it.
fn lets_in(policy: &Value, rule: &str) -> bool {
    let statements = match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.as_slice(),
        Some(statement) => std::slice::from_ref(statement),
        None => &[],
    };
    let counts = |statement: &&Value| {
        let is_principal = match statement.get("Principal") {
            Some(Value::String(anybody)) => anybody == "*",
            Some(principal) => has(principal.get("Service"), "events.amazonaws.com") || has(principal.get("AWS"), "*"),
            None => false,
        };
        let is_action = ["lambda:InvokeFunction", "lambda:Invoke*", "lambda:*", "*"];
        is_principal && is_action.iter().any(|action| has(statement.get("Action"), action))
    };
    let mut counting = statements.iter().filter(counts);
    let effect = |statement: &Value| text(statement, "Effect").unwrap_or_default().to_owned();
    let is_refused = counting.clone().any(|statement| effect(statement) == "Deny" && covers(statement, rule));
    !is_refused && counting.any(|statement| effect(statement) == "Allow" && covers(statement, rule))
}

/// Whether the condition of a statement on the source, if it has one, names the rule.
fn covers(statement: &Value, rule: &str) -> bool {
    let conditions = statement.get("Condition").and_then(Value::as_object);
    let sources = conditions.into_iter().flat_map(|conditions| conditions.values()).filter_map(|keys| {
        let keys = keys.as_object()?;
        keys.iter().find(|(key, _)| key.eq_ignore_ascii_case("aws:SourceArn")).map(|(_, value)| value)
    });
    sources.into_iter().all(|source| match source {
        Value::Array(any) => any.iter().filter_map(Value::as_str).any(|pattern| is_like(pattern, rule)),
        Value::String(pattern) => is_like(pattern, rule),
        _ => false,
    })
}

/// Whether a member is this text, or a list with it.
fn has(value: Option<&Value>, text: &str) -> bool {
    match value {
        Some(Value::Array(any)) => any.iter().any(|one| one.as_str() == Some(text)),
        Some(one) => one.as_str() == Some(text),
        None => false,
    }
}

/// Whether a text is like a pattern in which `*` stands for anything.
fn is_like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((beginning, rest)) => text.strip_prefix(beginning).is_some_and(|text| {
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| is_like(rest, &text[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "arn:aws:events:us-east-1:111122223333:rule/offlimits-FunctionTrail-1";

    fn statement(change: fn(&mut Value)) -> Value {
        let mut statement = json!({
            "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "lambda:InvokeFunction",
            "Condition": {"ArnLike": {"AWS:SourceArn": RULE}},
        });
        change(&mut statement);
        statement
    }

    #[test]
    fn a_policy_lets_the_rule_in_or_does_not() {
        let of = |statements: &[Value]| lets_in(&json!({"Statement": statements}), RULE);
        assert!(of(&[statement(|_| ())]));
        assert!(of(&[statement(|s| s["Condition"]["ArnLike"]["AWS:SourceArn"] = json!("arn:aws:events:*:rule/off*"))]));
        assert!(of(&[statement(|s| s["Condition"] = json!({}))]));
        assert!(of(&[statement(|s| s["Action"] = json!(["lambda:InvokeFunction"]))]));
        assert!(!of(&[]) && !lets_in(&json!({}), RULE));
        assert!(!of(&[statement(|s| s["Principal"] = json!({"Service": "sns.amazonaws.com"}))]));
        assert!(!of(&[statement(|s| s["Condition"]["ArnLike"]["AWS:SourceArn"] = json!("arn:aws:events:x"))]));
        assert!(!of(&[statement(|_| ()), statement(|s| s["Effect"] = json!("Deny"))]));
        let other = |s: &mut Value| {
            s["Effect"] = json!("Deny");
            s["Condition"]["ArnLike"]["AWS:SourceArn"] = json!("arn:aws:events:x");
        };
        assert!(of(&[statement(|_| ()), statement(other)]));
    }
}
