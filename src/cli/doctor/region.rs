//! One region: who watches it, and all that is looked at there.

use serde_json::json;

use super::asker::{Asker, text};
use super::checks::{
    alarm, code, derived, function, invoke, probe, queue, rule, secret, spoke, stack, table, topic, trail, unwatched,
};
use super::delivery::Wanted;
use super::report::{Notes, Told, WatchedBy};
use super::stack::Stack;
use crate::aws::{ApiService, OrganizationAccounts, StackReader};
use crate::cli::silence::{SilenceLine, running};
use crate::ledger::Ledger;
use crate::ruleset::RuleSet;

/// What the local rules say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules<'r> {
    pub(super) rules: &'r RuleSet,
    pub(super) wanted: &'r Wanted,
}

/// The stack in a region, if there is one.
pub(super) async fn stack_in<'a>(asker: Asker<'a>, name: &'a str, notes: &mut Notes) -> Told<Stack<'a>> {
    notes.told(Stack::find(asker, name).await)
}

/// Looks at all of a stack's region.
pub(super) async fn look_at_stack(stack: &Stack<'_>, of: Rules<'_>, notes: &mut Notes) {
    stack::look(stack, notes);
    trail::look(stack.asker, &stack.account, stack.output("RuleName"), of.wanted, notes).await;
    let is_there = function::look(stack, notes).await;
    let rules = rule::look(stack, of.wanted, notes).await;
    derived::look(stack, of.rules, notes).await;
    if is_there {
        code::look(stack, of.rules, notes).await;
        invoke::look(stack, &rules, notes).await;
    }
    topic::look(stack, of.rules, notes).await;
    secret::look(stack, of.rules, notes).await;
    queue::look(stack, notes).await;
    table::look(stack, notes).await;
    alarm::look(stack, notes).await;
}

/// Looks at the probes that a stack has heard, which its ledger knows.
pub(super) async fn look_at_probes(stack: &Stack<'_>, reader: &StackReader, of: Rules<'_>, notes: &mut Notes) {
    probe::look(stack, reader, of.rules, notes).await;
}

/// Looks at the spokes of a stack, which its ledger knows.
pub(super) async fn look_at_spokes(
    stack: &Stack<'_>,
    reader: &StackReader,
    organization: Option<&OrganizationAccounts>,
    regions: &[String],
    notes: &mut Notes,
) {
    spoke::look(stack, reader, organization, regions, notes).await;
}

/// The silences that run in a stack.
pub(super) async fn silences(stack: &Stack<'_>, reader: &StackReader, notes: &mut Notes) -> Vec<SilenceLine> {
    let table = stack.output("TableName");
    if table.is_empty() || table::is_told_gone(notes) {
        return Vec::new();
    }
    match running(&Ledger::new(reader.store(table)), stack.asker.now).await {
        Ok(silences) => silences,
        Err(error) => {
            notes.unanswered(&format!("the silences of {table}: {error}"));
            Vec::new()
        }
    }
}

/// Looks at a region without a stack: whether a rule there sends its events to one of these stacks, and does so as it should.
pub(super) async fn look_elsewhere(
    asker: Asker<'_>,
    name: &str,
    stacks: &[Stack<'_>],
    of: Rules<'_>,
    notes: &mut Notes,
) -> WatchedBy {
    let mut is_known = true;
    for stack in stacks {
        let own = stack.arn("events", "event-bus/default");
        for bus in [own.as_str(), stack.output("HubBusArn")].into_iter().filter(|bus| !bus.is_empty()) {
            let input = json!({"TargetArn": bus});
            let asked = asker.json_list(&ApiService::EVENTBRIDGE, "ListRuleNamesByTarget", input, "RuleNames").await;
            let names = match notes.told(asked) {
                Told::There(names) => names,
                Told::Missing => continue,
                Told::Unknown => {
                    is_known = false;
                    continue;
                }
            };
            let Some(rule) = names.first().and_then(|name| name.as_str()) else { continue };
            trail::look(asker, &stack.account, rule, of.wanted, notes).await;
            let role = role_of(asker, rule).await;
            let expected = rule::Expected {
                name: rule,
                stack: stack.name,
                bus: None,
                part: rule::Part::Wide { account: &stack.account, has_readers: false },
                state: "ENABLED",
                target: bus.to_owned(),
                letters: None,
                input: None,
                role,
            };
            rule::look_at(asker, &expected, of.wanted, notes).await;
            return WatchedBy::Forwarding;
        }
    }
    if !is_known {
        return WatchedBy::Unknown;
    }
    unwatched::find(name, asker.region, notes);
    WatchedBy::Nobody
}

/// The role with which a rule sends events elsewhere: a target that is written anew needs it.
async fn role_of(asker: Asker<'_>, rule: &str) -> Option<String> {
    let targets =
        asker.json_list(&ApiService::EVENTBRIDGE, "ListTargetsByRule", json!({"Rule": rule}), "Targets").await;
    targets.ok()?.iter().find_map(|target| text(target, "RoleArn")).map(str::to_owned)
}
