//! Calls that do not reach the function by themselves: read-only ones, data events, and those recorded in another region.

use super::accepted::AcceptedCalls;
use super::calls::{EVENT, REGION, SERVICE, named, of_leaf, services};
use super::catalogue::{Catalogue, CatalogueCall, Service};
use super::unknown::accepts_region;
use super::view::{RowView, RuleView, SourcePlace};
use super::{Lint, LintContext, LintReport};
use crate::json::Node;
use crate::pattern::is_held_back;
use crate::rules::NeededEvents;
use crate::text::enumerated;

/// What this file declares.
pub(super) const LINTS: &[&Lint] = &[&DATA_EVENT, &NEEDLESS_EVENTS, &READ_ONLY_CALL, &RECORDED_ELSEWHERE];

static DATA_EVENT: Lint = Lint {
    code: "data-event",
    summary: "The row asks for object, item or invocation calls, which a trail records only if its event selectors ask for \
         them.",
    docs: "These are data events: S3's `GetObject`, Lambda's `Invoke`. Add a selector in every region, and say \
         `\"needs_events\": [\"data\"]`.",
    wrong: r#""when": { "service": { "is": "s3.amazonaws.com" }, "event": { "is": »"DeleteObject" } }"#,
    right: r#""when": { "service": { "is": "s3.amazonaws.com" }, "event": { "is": "DeleteObject" } }, "needs_events": ["data"]"#,
};

static NEEDLESS_EVENTS: Lint = Lint {
    code: "needless-events",
    summary: "The rule says that it needs events which none of its rows can match.",
    docs: "Whoever reads `needs_events` sees to it that such events are delivered, and pays for them. Delete the word. (Nothing is \
         said of a row that accepts calls which the catalogue does not have.)",
    wrong: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "RunInstances" } }, "needs_events": [»"read-only"]"#,
    right: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "DescribeInstances" } }, "needs_events": ["read-only"]"#,
};

pub(super) static READ_ONLY_CALL: Lint = Lint {
    code: "read-only-call",
    summary: "The row asks for read-only calls (`Describe…`, `Get…`, `List…`), which the EventBridge rule does not deliver in \
         its default state, `ENABLED`.",
    docs: "The template has rules in the other state for what the rules name ([The event patterns](event-patterns.md)): write them \
         with `offlimits pattern --write template.yaml`, without which the row cannot fire, and say \
         `\"needs_events\": [\"read-only\"]`, so that whoever reads the rule knows what it takes.",
    wrong: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": »"DescribeInstances" } }"#,
    right: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "DescribeInstances" } }, "needs_events": ["read-only"]"#,
};

static RECORDED_ELSEWHERE: Lint = Lint {
    code: "recorded-elsewhere",
    summary: "The calls are recorded in one region, whatever the caller's.",
    docs: "So it is with IAM, CloudFront, Route 53, Organizations and some others. A warning where a cell `region` excludes \
         that region: the row never matches. Otherwise one note a file: deploy there too. Another for sign-ins, which are \
         recorded in several.",
    wrong: r#""when": { "service": { "is": "iam.amazonaws.com" }, "event": { "is": "CreateUser" }, »"region": { "is": "eu-west-1" } }"#,
    right: r#""when": { "service": { "is": "iam.amazonaws.com" }, "event": { "is": "CreateUser" }, "region": { "is": "us-east-1" } }"#,
};

/// Services that are recorded in one region, whatever the caller's. Source: CloudTrail User Guide, "Global service events",
/// and each service's own guide.
const HOMES: [(&str, &str); 14] = [
    ("account.amazonaws.com", "us-east-1"),
    ("budgets.amazonaws.com", "us-east-1"),
    ("ce.amazonaws.com", "us-east-1"),
    ("cloudfront.amazonaws.com", "us-east-1"),
    ("cur.amazonaws.com", "us-east-1"),
    ("globalaccelerator.amazonaws.com", "us-west-2"),
    ("iam.amazonaws.com", "us-east-1"),
    ("networkmanager.amazonaws.com", "us-west-2"),
    ("organizations.amazonaws.com", "us-east-1"),
    ("route53.amazonaws.com", "us-east-1"),
    ("route53domains.amazonaws.com", "us-east-1"),
    ("shield.amazonaws.com", "us-east-1"),
    ("support.amazonaws.com", "us-east-1"),
    ("waf.amazonaws.com", "us-east-1"),
];

pub(super) fn lint(context: &LintContext<'_>, report: &mut LintReport) {
    for rule in context.views {
        held_back(rule, report);
        needless(rule, report);
        elsewhere(rule, report);
    }
    homes(context, report);
    sign_ins(context, report);
}

/// What keeps a call back, as a test of the call.
pub(super) type Reason = fn(&CatalogueCall) -> bool;

/// What keeps calls back that need such events.
pub(super) fn reason(events: NeededEvents) -> Reason {
    match events {
        // STS alone has the two names that are excepted.
        NeededEvents::ReadOnly => |call| is_held_back(Some("sts.amazonaws.com"), Some(&call.name), !call.data),
        NeededEvents::Data => |call| call.data,
    }
}

/// The events that a call is among and that a deployment does not hear of by itself; `None` where it hears of the call, and where
/// the catalogue does not have it.
pub(crate) fn needed_events(service: &str, event: &str) -> Option<NeededEvents> {
    let call = Catalogue::get().services.get(service)?.call(event)?;
    NeededEvents::WORDS.into_iter().map(|(_, events)| events).find(|events| reason(*events)(call))
}

/// One report a rule for each reason: whoever wants one such call usually wants several.
fn held_back(rule: &RuleView<'_>, report: &mut LintReport) {
    for (word, events) in NeededEvents::WORDS {
        if rule.rule.needs_events.contains(&events) {
            continue;
        }
        let Some((place, names)) = calls_that(rule, reason(events)) else { continue };
        let (lint, what) = match events {
            NeededEvents::ReadOnly => {
                (&READ_ONLY_CALL, "EventBridge delivers read-only calls to rules in another state alone")
            }
            NeededEvents::Data => (&DATA_EVENT, "a trail records data events only if it is told to"),
        };
        let help = format!("{}, and say \"needs_events\": [\"{word}\"]", events.remedy());
        report.warn(lint, rule, place, format!("{what}: {}", enumerated(&names)), help);
    }
}

/// Events that the rule says it needs, and of which no row can match any.
fn needless(rule: &RuleView<'_>, report: &mut LintReport) {
    let nodes = rule.node.get("needs_events").and_then(Node::elements).unwrap_or_default();
    for (node, events) in nodes.iter().zip(&rule.rule.needs_events) {
        if rule.rows.iter().any(|row| may_match(row, reason(*events))) {
            continue;
        }
        let place = SourcePlace { file: rule.file.clone(), span: node.span.clone() };
        let message = format!("no row of the rule can match such events: it does not need \"{}\"", events.as_str());
        report.warn(&NEEDLESS_EVENTS, rule, place, message, "delete the word");
    }
}

/// Whether the row accepts such a call, or one of which nothing is known.
fn may_match(row: &RowView<'_>, reason: Reason) -> bool {
    match AcceptedCalls::of_row(row) {
        AcceptedCalls::Every => true,
        AcceptedCalls::Some(calls) => {
            calls.has_unknown || calls.known.iter().any(|(service, name)| service.call(name).is_none_or(reason))
        }
    }
}

/// What each pattern or text that accepts no other calls names, and where the first of them stands.
pub(super) fn calls_that(rule: &RuleView<'_>, reason: Reason) -> Option<(SourcePlace, Vec<String>)> {
    let mut found: Option<(SourcePlace, Vec<String>)> = None;
    for row in &rule.rows {
        let services = services(row);
        for cell in row.cells.iter().filter(|cell| cell.is(EVENT)) {
            for leaf in cell.leaves.iter().filter(|leaf| !leaf.negated) {
                let calls: Vec<_> = of_leaf(services, leaf).collect();
                if !calls.is_empty() && calls.iter().all(|(_, call)| reason(call)) {
                    let (_, names) = found.get_or_insert_with(|| (cell.at(leaf), Vec::new()));
                    let name = first_of(&calls);
                    if !names.contains(&name) {
                        names.push(name);
                    }
                }
            }
        }
    }
    found
}

fn first_of(calls: &[(&'static Service, &'static CatalogueCall)]) -> String {
    let names: Vec<_> = calls.iter().take(1).copied().collect();
    let more = if calls.len() > 1 { format!(" and {} like it", calls.len() - 1) } else { String::new() };
    format!("{}{more}", named(&names, false))
}

/// Rows that wait for a call in a region where it is never recorded.
fn elsewhere(rule: &RuleView<'_>, report: &mut LintReport) {
    for row in &rule.rows {
        let Some(region) = row.cell(REGION) else { continue };
        if let Some(home) = home(row).filter(|home| !accepts_region(row, home)) {
            let message =
                format!("these calls are recorded in {home}, whatever the caller's region: this never matches");
            let help = format!("write \"{home}\", or leave the cell out");
            report.condition(&RECORDED_ELSEWHERE, rule, region.place(), (message, true), help);
        }
    }
}

/// The one region where all of a row's services are recorded.
fn home(row: &RowView<'_>) -> Option<&'static str> {
    row.cell(SERVICE)?;
    let mut homes =
        services(row).iter().map(|service| HOMES.iter().find(|(name, _)| *name == service.name).map(|(_, home)| *home));
    let first = homes.next()??;
    homes.all(|home| home == Some(first)).then_some(first)
}

/// One note a file about sign-ins, of which some are recorded where the person signs in. Source: CloudTrail User Guide,
/// "AWS Management Console sign-in events".
fn sign_ins(context: &LintContext<'_>, report: &mut LintReport) {
    let rules = context.views.iter().filter(|rule| !rule.allows(&RECORDED_ELSEWHERE));
    let cell = |rule: &RuleView<'_>| {
        let mut rows = rule.rows.iter().filter(|row| row.cell(REGION).is_none());
        rows.find_map(|row| {
            let cell = row.cell(SERVICE)?;
            services(row).iter().all(|service| service.name == "signin.amazonaws.com").then(|| cell.place())
        })
    };
    if let Some((rule, place)) = rules.into_iter().find_map(|rule| Some((rule, cell(rule)?))) {
        let message = "sign-ins of root are recorded in us-east-1, and those of IAM users in us-east-1, us-east-2, \
                       eu-north-1 or ap-southeast-2, or where they sign in"
            .to_owned();
        report.note(&RECORDED_ELSEWHERE, rule, place, message, "deploy to these regions too: no other hears of them");
    }
}

/// One note a file: these rules are silent unless the function is deployed there too.
fn homes(context: &LintContext<'_>, report: &mut LintReport) {
    let allowed = |rule: &RuleView<'_>| rule.allows(&RECORDED_ELSEWHERE);
    for wanted in ["us-east-1", "us-west-2"] {
        let mut found: Option<(&RuleView<'_>, SourcePlace)> = None;
        let mut names: Vec<String> = Vec::new();
        for rule in context.views.iter().filter(|rule| !allowed(rule)) {
            // Whoever names the region knows it.
            let silent = |row: &&RowView<'_>| row.cell(REGION).is_none() && home(row) == Some(wanted);
            for row in rule.rows.iter().filter(silent) {
                let Some(cell) = row.cell(SERVICE) else { continue };
                names.extend(services(row).iter().map(|service| service.short().to_owned()));
                found.get_or_insert_with(|| (rule, cell.place()));
            }
        }
        names.sort();
        names.dedup();
        if let Some((rule, place)) = found {
            let message = format!("calls of {} are recorded in {wanted} alone", enumerated(&names));
            let help = format!("deploy to {wanted} too: no other region hears of them");
            report.note(&RECORDED_ELSEWHERE, rule, place, message, help);
        }
    }
}
