//! The probes: when the last one of each account and region came, how long it took, and which patterns it tells of.

use std::time::Duration;

use crate::aws::StackReader;
use crate::cli::doctor::check::Check;
use crate::cli::doctor::remedy::Remedy;
use crate::cli::doctor::report::Notes;
use crate::cli::doctor::stack::Stack;
use crate::ledger::{Ledger, SeenProbe};
use crate::pattern::DerivedPatterns;
use crate::rules::quoted;
use crate::ruleset::RuleSet;

pub(super) const CHECKS: &[&Check] = &[&SILENT, &LATE, &PATTERNS];

static SILENT: Check = Check {
    code: "probe-silent",
    summary: "No probe has come from an account and region for half an hour, or from the stack's own ever. AWS makes that call every five \
              minutes: what is not heard of it is not heard of an intruder's calls either.",
    asks: &["dynamodb:Query"],
};

static LATE: Check = Check {
    code: "probe-late",
    summary: "The last probe of an account and region took more than a quarter of an hour from the call to the function.",
    asks: &["dynamodb:Query"],
};

static PATTERNS: Check = Check {
    code: "probe-patterns",
    summary: "The derived patterns of an account and region are not those of the local rules: calls that a rule waits for may not come from \
              there.",
    asks: &["dynamodb:Query"],
};

/// CloudTrail delivers an event within five minutes on average:
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/how-cloudtrail-works.html>.
const LATENESS: Duration = Duration::from_mins(15);

/// Looks at the probes of a stack that has some.
pub(in crate::cli::doctor) async fn look(stack: &Stack<'_>, reader: &StackReader, rules: &RuleSet, notes: &mut Notes) {
    if stack.parameter("Probes") != "true" {
        return;
    }
    let ledger = Ledger::new(reader.store(stack.output("TableName")));
    let seen = match ledger.probes_seen(stack.asker.now).await {
        Ok(seen) => seen,
        Err(error) => {
            notes.unanswered(&format!("the table {}: {error}", stack.output("TableName")));
            return;
        }
    };
    let remedy = |region: &str| {
        Remedy::new()
            .aws(region, ["scheduler", "list-schedules", "--query", "Schedules[?contains(Name, `Probe`)].[Name,State]"])
            .aws(
                region,
                [
                    "cloudtrail",
                    "lookup-events",
                    "--lookup-attributes",
                    "AttributeKey=EventName,AttributeValue=TagQueue",
                ],
            )
    };
    let is_home = |probe: &SeenProbe| probe.account == stack.account && probe.region == stack.region();
    if !seen.iter().any(is_home) {
        let place = format!("{} {}", stack.account, stack.region());
        notes.find(&SILENT, &place, "the stack's own probe has never come", remedy(stack.region()));
    }
    let ours = DerivedPatterns::of_set(rules).digest;
    for probe in &seen {
        let SeenProbe { account, region, at, latency, .. } = probe;
        let place = format!("{account} {region}");
        let mut found = |check: &'static Check, message: String, remedy: Remedy| {
            notes.find(check, &place, message, remedy);
            notes.last_is_of(account, region);
        };
        if probe.is_silent(stack.asker.now) {
            let message = format!("the last probe was of {at}, and took {} s", latency.as_secs());
            found(&SILENT, message, remedy(region));
        } else if *latency > LATENESS {
            let message = format!("the last probe, of {at}, took {} s", latency.as_secs());
            found(&LATE, message, remedy(region));
        }
        if let Some(theirs) = probe.other_patterns(&ours) {
            let message = format!("the patterns there are {theirs}, and the local rules have {ours}");
            let written = Remedy::new().shell("offlimits pattern --write template.yaml deploy/spoke.yaml");
            let update = if is_home(probe) {
                written.make("deploy", stack.name, region, "")
            } else {
                // It prints the commands that update the spokes, whose units are for whoever runs them to name.
                let (id, of) = (stack.parameter("OrganizationId"), quoted(region));
                let hub = format!("--hub-account {} --hub-region {}", quoted(&stack.account), quoted(stack.region()));
                written.shell(format!(
                    "offlimits org --organization {} {hub} --regions {of} --units \"$UNITS\"",
                    quoted(id)
                ))
            };
            found(&PATTERNS, message, update);
        }
    }
}
