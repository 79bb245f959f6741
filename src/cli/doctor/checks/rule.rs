//! The `EventBridge` rules: whether each is there and enabled, passes what the local rules wait for, and hands it to its target.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::trail::rules;
use crate::aws::ApiService;
use crate::cli::doctor::asker::{Asker, text};
use crate::cli::doctor::check::Check;
use crate::cli::doctor::delivery::{WITH_READ_ONLY, Wanted, kinds_kept_back};
use crate::cli::doctor::remedy::Remedy;
use crate::cli::doctor::report::{Notes, Told};
use crate::cli::doctor::stack::{Resource, Stack};
use crate::cloudtrail::event_rule::TemplateRule;

pub(super) const CHECKS: &[&Check] = &[&MISSING, &DISABLED, &STATE, &PATTERN, &TARGET, &INPUT, &DEAD_LETTERS];

static MISSING: Check = Check {
    code: "rule-missing",
    summary: "An EventBridge rule of the stack is gone.",
    asks: &["events:DescribeRule"],
};

static DISABLED: Check = Check {
    code: "rule-disabled",
    summary: "An EventBridge rule is disabled: the function hears nothing. (That somebody did so may never have arrived.)",
    asks: &["events:DescribeRule"],
};

static STATE: Check = Check {
    code: "rule-state",
    summary: "Rules wait for read-only calls (`Describe…`, `Get…`, `List…`), and the EventBridge rule does not pass them in its state.",
    asks: &["events:DescribeRule"],
};

static PATTERN: Check = Check {
    code: "rule-pattern",
    summary: "The EventBridge rule's pattern keeps back kinds of CloudTrail's events: it is not the template's any more.",
    asks: &["events:DescribeRule"],
};

static TARGET: Check = Check {
    code: "rule-target",
    summary: "The EventBridge rule does not hand events to the function (or, of a spoke, to the hub's bus).",
    asks: &["events:ListTargetsByRule"],
};

static INPUT: Check = Check {
    code: "rule-input",
    summary: "The EventBridge rule hands its target something else than the event.",
    asks: &["events:ListTargetsByRule"],
};

static DEAD_LETTERS: Check = Check {
    code: "rule-dead-letters",
    summary: "The EventBridge rule's target has no dead-letter queue, or another than the template's: an event that cannot be handed \
              over is lost.",
    asks: &["events:ListTargetsByRule"],
};

/// What an `EventBridge` rule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::doctor) enum Part<'e> {
    /// It passes all of CloudTrail's events of this account; where others pass the read-only calls that rules wait for, it need not.
    Wide { account: &'e str, has_readers: bool },
    /// It passes some calls, by a pattern of its own.
    Some,
    /// It is a schedule.
    Schedule {
        /// How often.
        rate: &'static str,
    },
}

/// An `EventBridge` rule, as it should be.
#[derive(Debug)]
pub(in crate::cli::doctor) struct Expected<'e> {
    pub(in crate::cli::doctor) name: &'e str,
    /// The stack that has made it, or gets its events.
    pub(in crate::cli::doctor) stack: &'e str,
    /// Another bus than the default one.
    pub(in crate::cli::doctor) bus: Option<&'e str>,
    /// What it is for.
    pub(in crate::cli::doctor) part: Part<'e>,
    /// The state that was deployed.
    pub(in crate::cli::doctor) state: &'e str,
    /// The ARN of what gets the events.
    pub(in crate::cli::doctor) target: String,
    /// The ARN of the target's dead-letter queue, where it is known.
    pub(in crate::cli::doctor) letters: Option<String>,
    /// What the target is told instead of the event.
    pub(in crate::cli::doctor) input: Option<&'e str>,
    /// The role with which events are sent; none for a function.
    pub(in crate::cli::doctor) role: Option<String>,
}

/// Looks at the rules of a stack. The answer is the ARNs of those that are there, which are to invoke the function.
pub(in crate::cli::doctor) async fn look(stack: &Stack<'_>, wanted: &Wanted, notes: &mut Notes) -> Vec<String> {
    let state = Some(stack.parameter("RuleState")).filter(|state| !state.is_empty()).unwrap_or("ENABLED");
    // The rules whose patterns are made for the rules take the place of the wide ones, or pass read-only calls beside them.
    let wide_state = if stack.parameter("EventPatterns") == "derived" { "DISABLED" } else { state };
    let to_function = |(name, bus), part, state| Expected {
        name,
        stack: stack.name,
        bus,
        part,
        state,
        target: stack.function_arn(),
        letters: Some(stack.queue_arn("UndeliveredEventsUrl")),
        input: None,
        role: None,
    };
    let (mut there, mut has_readers) = (Vec::new(), false);
    // Rules of somebody's own beside the template's pass some calls, too; the two schedules pass none.
    let is_other = |rule: &&Resource| match TemplateRule::of_logical_id(&rule.logical) {
        Some(TemplateRule::Wide | TemplateRule::Hub) => false,
        Some(TemplateRule::Calls(_) | TemplateRule::Reads(_)) => true,
        None => !["Mover", "Sweep"].contains(&rule.logical.as_str()),
    };
    for rule in stack.of_kind("AWS::Events::Rule").filter(is_other) {
        let expected = to_function(named(stack, &rule.logical, &rule.physical), Part::Some, "ENABLED");
        let found = look_at(stack.asker, &expected, wanted, notes).await;
        has_readers |= found.as_ref().is_some_and(|found| found.state == WITH_READ_ONLY);
        there.extend(found.map(|found| found.arn));
    }
    let wide = Part::Wide { account: &stack.account, has_readers };
    let mut expected = vec![to_function((stack.output("RuleName"), None), wide, wide_state)];
    if stack.is_hub() {
        let of = |logical| named(stack, logical, stack.physical(logical).unwrap_or_default());
        // What the spokes have sent is meant, since there are patterns for the rules: the hub's rule passes all of it.
        let hub_state = if stack.parameter("EventPatterns").is_empty() { state } else { WITH_READ_ONLY };
        expected.push(to_function(of("HubTrail"), wide, hub_state));
        let mover = to_function(of("Mover"), Part::Schedule { rate: "rate(15 minutes)" }, "ENABLED");
        expected.push(Expected { letters: None, input: Some(r#"{"offlimits":"move"}"#), ..mover });
    }
    let order = sweeps_order(stack);
    // A stack without probes has none.
    if let Some(name) = stack.physical("Sweep") {
        let sweep = to_function((name, None), Part::Schedule { rate: "rate(5 minutes)" }, "ENABLED");
        expected.push(Expected { letters: None, input: Some(&order), ..sweep });
    }
    for rule in expected.iter().filter(|rule| !rule.name.is_empty()) {
        there.extend(look_at(stack.asker, rule, wanted, notes).await.map(|found| found.arn));
    }
    there
}

/// What the schedule of the sweep tells the function: the rules that feed it, in the template's order.
fn sweeps_order(stack: &Stack<'_>) -> String {
    let place = |rule: &Resource| TemplateRule::of_logical_id(&rule.logical);
    let mut rules: Vec<_> = stack.of_kind("AWS::Events::Rule").filter_map(|rule| Some((place(rule)?, rule))).collect();
    rules.sort_by_key(|(place, _)| *place);
    let arns: Vec<String> = rules
        .iter()
        .map(|(_, rule)| match named(stack, &rule.logical, &rule.physical) {
            (name, Some(bus)) => stack.arn("events", &format!("rule/{bus}/{name}")),
            (name, None) => stack.arn("events", &format!("rule/{name}")),
        })
        .collect();
    // With the letters and in the order of the template, not of whoever writes JSON.
    format!(r#"{{"offlimits":"sweep","rules":["{}"]}}"#, arns.join("\",\""))
}

/// The name of a rule, and its bus: what is on a bus of its own `CloudFormation` calls `BUS|RULE`. The hub's bus is called as its stack.
fn named<'s>(stack: &Stack<'s>, logical: &str, physical: &'s str) -> (&'s str, Option<&'s str>) {
    match physical.split_once('|') {
        Some((bus, name)) => (name, Some(bus)),
        None => (physical, logical.starts_with("Hub").then_some(stack.name)),
    }
}

/// A rule that is there.
#[derive(Debug)]
pub(in crate::cli::doctor) struct FoundRule {
    arn: String,
    state: String,
}

/// Looks at one rule. The answer is what is there.
pub(in crate::cli::doctor) async fn look_at(
    asker: Asker<'_>,
    rule: &Expected<'_>,
    wanted: &Wanted,
    notes: &mut Notes,
) -> Option<FoundRule> {
    let input = |key: &str| {
        let mut input = json!({key: rule.name});
        if let Some(bus) = rule.bus {
            input["EventBusName"] = json!(bus);
        }
        input
    };
    let found = match notes.told(asker.json(&ApiService::EVENTBRIDGE, "DescribeRule", input("Name")).await) {
        Told::There(found) => found,
        Told::Missing => {
            let remedy = match rule.part {
                // Its pattern is in the template alone.
                Part::Some => Remedy::new().anew(rule.stack, asker.region),
                Part::Wide { .. } | Part::Schedule { .. } => rule.anew(asker.region),
            };
            notes.find(&MISSING, rule.name, "the EventBridge rule is gone", remedy);
            return None;
        }
        Told::Unknown => return None,
    };
    judge(asker.region, rule, &found, wanted, notes);
    let targets = asker.json_list(&ApiService::EVENTBRIDGE, "ListTargetsByRule", input("Rule"), "Targets").await;
    if let Some(targets) = notes.there(targets) {
        judge_targets(asker.region, rule, &targets, notes);
    }
    let state = text(&found, "State").unwrap_or_default().to_owned();
    Some(FoundRule { arn: text(&found, "Arn")?.to_owned(), state })
}

/// The state and the pattern of a rule.
fn judge(region: &str, rule: &Expected<'_>, found: &Value, wanted: &Wanted, notes: &mut Notes) {
    // One that was deployed so is meant to pass nothing.
    if rule.state == "DISABLED" {
        return;
    }
    let pattern = text(found, "EventPattern");
    let state = text(found, "State").unwrap_or_default();
    let readers = match rule.part {
        Part::Wide { has_readers: false, .. } => wanted.read_only(),
        _ => Vec::new(),
    };
    if state == "DISABLED" {
        let remedy = if rule.state == "ENABLED" {
            rule.aws(region, &["enable-rule", "--name", rule.name])
        } else {
            rule.put(region, pattern, rule.state)
        };
        notes.find(&DISABLED, rule.name, "the EventBridge rule is disabled: nothing passes", remedy);
    } else if !readers.is_empty() && state != WITH_READ_ONLY {
        let message =
            format!("in the state {state} no read-only call passes, which {} cannot do without", rules(&readers));
        notes.find(&STATE, rule.name, message, rule.put(region, pattern, WITH_READ_ONLY));
    }
    let Part::Wide { account, .. } = rule.part else { return };
    let kept = kinds_kept_back(pattern.unwrap_or_default(), account);
    if !kept.is_empty() {
        let message = format!("the pattern does not let pass every \"{}\"", kept.join("\", \""));
        notes.find(&PATTERN, rule.name, message, rule.put(region, None, rule.state));
    }
}

/// What a rule does with an event.
fn judge_targets(region: &str, rule: &Expected<'_>, targets: &[Value], notes: &mut Notes) {
    let is_ours = |target: &&Value| {
        text(target, "Arn").is_some_and(|arn| {
            arn == rule.target || arn.strip_prefix(&rule.target).is_some_and(|rest| rest.starts_with(':'))
        })
    };
    let Some(target) = targets.iter().find(is_ours) else {
        let message = format!("the EventBridge rule does not hand events to {}", rule.target);
        notes.find(&TARGET, rule.name, message, rule.retarget(region, None));
        return;
    };
    let id = text(target, "Id");
    let is_changed = target.get("InputPath").is_some_and(|path| !path.is_null())
        || target.get("InputTransformer").is_some_and(|transformer| !transformer.is_null());
    if is_changed || text(target, "Input") != rule.input {
        let message = "the EventBridge rule hands its target something else than the event";
        notes.find(&INPUT, rule.name, message, rule.retarget(region, id));
    }
    let letters = target.pointer("/DeadLetterConfig/Arn").and_then(Value::as_str);
    if let Some(expected) = rule.letters.as_deref().filter(|expected| Some(*expected) != letters) {
        let message = format!("events that cannot be handed over do not go to {expected}");
        notes.find(&DEAD_LETTERS, rule.name, message, rule.retarget(region, id));
    }
}

impl Expected<'_> {
    /// `aws events …`, on the rule's bus.
    fn aws(&self, region: &str, words: &[&str]) -> Remedy {
        let bus = self.bus.into_iter().flat_map(|bus| ["--event-bus-name", bus]);
        Remedy::new().aws(region, ["events"].into_iter().chain(words.iter().copied()).chain(bus))
    }

    /// Writes the rule with this pattern, or else the template's, in a state. Its targets stay.
    fn put(&self, region: &str, pattern: Option<&str>, state: &str) -> Remedy {
        let account = match self.part {
            Part::Wide { account, .. } => account,
            Part::Some => "",
            Part::Schedule { rate } => {
                let schedule = ["put-rule", "--name", self.name, "--schedule-expression", rate];
                return self.aws(region, &[&schedule[..], &["--state", state]].concat());
            }
        };
        let own = self.pattern(account);
        let pattern = pattern.unwrap_or(&own);
        self.aws(region, &["put-rule", "--name", self.name, "--event-pattern", pattern, "--state", state])
    }

    /// A pattern that lets pass what the template's does. A bus of its own takes other accounts' events.
    fn pattern(&self, account: &str) -> String {
        let mut keys = BTreeMap::from([
            ("source", json!([{"prefix": "aws."}])),
            ("detail-type", json!([{"suffix": " via CloudTrail"}])),
        ]);
        if self.bus.is_none() {
            keys.insert("account", json!([account]));
        }
        json!(keys).to_string()
    }

    /// Sets the target as it should be, in place of the one of this id.
    fn retarget(&self, region: &str, id: Option<&str>) -> Remedy {
        let mut target = json!({"Id": id.unwrap_or("Function"), "Arn": self.target});
        if let Some(letters) = &self.letters {
            target["DeadLetterConfig"] = json!({"Arn": letters});
        }
        if let Some(input) = self.input {
            target["Input"] = json!(input);
        }
        if let Some(role) = &self.role {
            target["RoleArn"] = json!(role);
        }
        let targets = json!([target]).to_string();
        self.aws(region, &["put-targets", "--rule", self.name, "--targets", &targets])
    }

    /// Makes the rule, under the name that `CloudFormation` knows it by, with its target.
    fn anew(&self, region: &str) -> Remedy {
        let mut commands = self.put(region, None, self.state).commands();
        commands.extend(self.retarget(region, None).commands());
        commands.into_iter().fold(Remedy::new(), Remedy::shell)
    }
}
