//! The derived patterns: whether those that are deployed are those of the local rules.

use serde_json::{Value, json};

use crate::aws::ApiService;
use crate::cli::doctor::asker::text;
use crate::cli::doctor::check::Check;
use crate::cli::doctor::remedy::Remedy;
use crate::cli::doctor::report::{Notes, Told};
use crate::cli::doctor::stack::Stack;
use crate::pattern::{DerivedPatterns, EventRule};
use crate::ruleset::RuleSet;

pub(super) const CHECKS: &[&Check] = &[&DERIVED];

static DERIVED: Check = Check {
    code: "rule-derived",
    summary: "The stack takes derived patterns alone (`EventPatterns=derived`), and those of its EventBridge rules are not the ones of the \
              local rules: calls that a rule waits for may not come.",
    asks: &["events:DescribeRule"],
};

/// Looks at the patterns of a stack that has nothing else.
pub(in crate::cli::doctor) async fn look(stack: &Stack<'_>, rules: &RuleSet, notes: &mut Notes) {
    if stack.parameter("EventPatterns") != "derived" {
        return;
    }
    let patterns = DerivedPatterns::of_set(rules);
    let named = |family: &'static str, rules: &[EventRule]| -> Vec<(String, Value)> {
        (1..)
            .zip(rules)
            .map(|(place, rule)| (format!("{family}{place}"), rule.pattern(&json!(stack.account))))
            .collect()
    };
    let mut wanted = named("Calls", &patterns.plain);
    wanted.extend(named("Reads", &patterns.reads));
    let mut others: Vec<&str> = Vec::new();
    for (logical, pattern) in &wanted {
        let Some(name) = stack.physical(logical) else {
            others.push(logical);
            continue;
        };
        let asked = stack.asker.json(&ApiService::EVENTBRIDGE, "DescribeRule", json!({ "Name": name })).await;
        // That one is gone, the check of the rules tells.
        if let Told::There(found) = notes.told(asked) {
            let deployed: Option<Value> =
                text(&found, "EventPattern").and_then(|pattern| serde_json::from_str(pattern).ok());
            if deployed.as_ref() != Some(pattern) {
                others.push(logical);
            }
        }
    }
    // One more lets pass what no rule wants: that costs, and hides nothing.
    if !others.is_empty() {
        let message =
            format!("the local rules have other patterns ({}) than these: {}", patterns.digest, others.join(", "));
        let write = "offlimits pattern --write template.yaml deploy/spoke.yaml".to_owned();
        let remedy = Remedy::new().shell(write).make("deploy", stack.name, stack.region(), "");
        notes.find(&DERIVED, stack.name, message, remedy);
    }
}
