//! The stack itself: whether its last deployment ended well, and whether this version's template made it.

use crate::cli::doctor::check::Check;
use crate::cli::doctor::remedy::Remedy;
use crate::cli::doctor::report::Notes;
use crate::cli::doctor::stack::Stack;
use crate::text::enumerated;

pub(super) const CHECKS: &[&Check] = &[&FAILED, &OUTDATED];

static FAILED: Check = Check {
    code: "stack-failed",
    summary: "The last deployment did not end well: what is there is that of the one before, or half of each.",
    asks: &["cloudformation:DescribeStacks", "cloudformation:ListStackResources"],
};

static OUTDATED: Check = Check {
    code: "stack-outdated",
    summary: "The stack lacks outputs of this version's template: an older version made it, and what joined the template since is \
              not there. What needs such an output is not looked at.",
    asks: &["cloudformation:DescribeStacks"],
};

/// The outputs of template.yaml that every stack has.
const OUTPUTS: [&str; 13] = [
    "DeadLettersUrl",
    "FailedEventsUrl",
    "FunctionName",
    "KeyArn",
    "LogGroupName",
    "RedeliveryMapping",
    "RedeliveryUrl",
    "RoleArn",
    "RuleName",
    "SecretArn",
    "TableName",
    "TopicArn",
    "UndeliveredEventsUrl",
];

pub(in crate::cli::doctor) fn look(stack: &Stack<'_>, notes: &mut Notes) {
    let (name, region, status) = (stack.name, stack.region(), stack.status.as_str());
    let is_well = status.ends_with("_COMPLETE") && !status.contains("DELETE") && !status.starts_with("ROLLBACK");
    if !is_well && !status.ends_with("_IN_PROGRESS") {
        let remedy = match status {
            "UPDATE_ROLLBACK_FAILED" => Remedy::new()
                .aws(region, ["cloudformation", "continue-update-rollback", "--stack-name", name])
                .make("deploy", name, region, ""),
            "UPDATE_FAILED" => Remedy::new().make("deploy", name, region, ""),
            _ => Remedy::new().anew(name, region),
        };
        notes.find(&FAILED, name, format!("the stack is in the state {status}"), remedy);
    }
    let missing: Vec<&str> = OUTPUTS.into_iter().filter(|output| stack.output(output).is_empty()).collect();
    if !missing.is_empty() {
        let message = format!("the stack has no output {}: an older version made it", enumerated(&missing));
        notes.find(&OUTDATED, name, message, Remedy::new().make("deploy", name, region, ""));
    }
}
