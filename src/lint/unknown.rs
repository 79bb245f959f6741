//! Cells whose value no record has: misspelt services, calls, regions and identity types.

use super::calls::{EVENT, IDENTITY, REGION, SERVICE, of_leaf, row_accepts, services};
use super::catalogue::{Service, suggested};
use super::logic::PatternWord;
use super::naming::{advised, is_only, nearest, plain_word, service_advice, several_advice, split_advice};
use super::rotated;
use super::view::{CellView, Leaf, LeafCondition, RowView, RuleView, SourcePlace};
use super::{Lint, LintContext, LintReport};
use crate::cloudtrail::identity::IDENTITY_TYPES;
use crate::cloudtrail::without_version;
use crate::config::{Advice, Fix, quoted, suggestion};
use crate::json::Node;
use crate::rules::pattern::pattern_meant;
use crate::text::enumerated;

/// What this file declares.
pub(super) const LINTS: &[&Lint] = &[
    &RECORDED_OTHERWISE,
    &SERVICE_EVENT_MISMATCH,
    &UNKNOWN_EVENT,
    &UNKNOWN_IDENTITY,
    &UNKNOWN_REGION,
    &UNKNOWN_SERVICE,
];

static RECORDED_OTHERWISE: Lint = Lint {
    code: "recorded-otherwise",
    summary: "The name is one of the API's or of a permission's, and CloudTrail records another.",
    docs: "S3's `PutPublicAccessBlock` is recorded as `PutBucketPublicAccessBlock`, `s3:ListAllMyBuckets` as `ListBuckets`, \
         and `iam:PassRole` not at all.",
    wrong: r#""when": { "service": { "is": "s3.amazonaws.com" }, "event": { "is": »"PutBucketLifecycleConfiguration" } }"#,
    right: r#""when": { "service": { "is": "s3.amazonaws.com" }, "event": { "is": "PutBucketLifecycle" } }"#,
};

static SERVICE_EVENT_MISMATCH: Lint = Lint {
    code: "service-event-mismatch",
    summary: "No service that the row's cell `service` accepts has such a call.",
    docs: "The help names the services that have one.",
    wrong: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": »"CreateUser" } }"#,
    right: r#""when": { "service": { "is": "iam.amazonaws.com" }, "region": { "is": "us-east-1" }, "event": { "is": "CreateUser" } }"#,
};

static UNKNOWN_EVENT: Lint = Lint {
    code: "unknown-event",
    summary: "No known call has this name, perhaps for a typo.",
    docs: "A call newer than the catalogue is reported as well: allow it.",
    wrong: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": »"StrtInstances" } }"#,
    right: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StartInstances" } }"#,
};

static UNKNOWN_IDENTITY: Lint = Lint {
    code: "unknown-identity",
    summary: "`userIdentity.type` never has this value.",
    docs: "The help names the nearest that it has.",
    wrong: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "identity": { "is": »"IAMuser" } }"#,
    right: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "identity": { "is": "AssumedRole" } }"#,
};

static UNKNOWN_REGION: Lint = Lint {
    code: "unknown-region",
    summary: "AWS has no such region; in a cell, or in a channel's filter.",
    docs: "If the region is newer than the catalogue, allow the lint.",
    wrong: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "region": { "is": »"eu-wets-1" } }"#,
    right: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "region": { "is": "eu-west-1" } }"#,
};

static UNKNOWN_SERVICE: Lint = Lint {
    code: "unknown-service",
    summary: "No known service has this `eventSource`; in a cell, or in a channel's filter.",
    docs: "Some are not called what one expects: CloudWatch is `monitoring.amazonaws.com`, EventBridge \
         `events.amazonaws.com`.",
    wrong: r#""when": { "service": { "is": »"cloudwatch.amazonaws.com" } }"#,
    right: r#""when": { "service": { "is": "monitoring.amazonaws.com" } }"#,
};

/// Services that people mean first where many have a call of one name.
const WELL_KNOWN: [&str; 14] = [
    "cloudtrail",
    "dynamodb",
    "ec2",
    "ecs",
    "eks",
    "iam",
    "kms",
    "lambda",
    "organizations",
    "rds",
    "s3",
    "secretsmanager",
    "sns",
    "sts",
];

pub(super) fn lint(context: &LintContext<'_>, report: &mut LintReport) {
    filters(context, report);
    for rule in context.views {
        for row in rule.all_rows().filter(|row| !rotated::is_rotated(context, row)) {
            for cell in &row.cells {
                for leaf in cell.leaves.iter().filter(|leaf| !leaf.condition.written().is_empty()) {
                    of_cell(context, rule, row, cell, leaf, report);
                }
            }
        }
    }
}

fn of_cell(
    context: &LintContext<'_>,
    rule: &RuleView<'_>,
    row: &RowView<'_>,
    cell: &CellView<'_>,
    leaf: &Leaf<'_>,
    report: &mut LintReport,
) {
    let catalogue = context.catalogue;
    let accepts = |value: &str| leaf.condition.accepts(value) == Some(true);
    let written = leaf.condition.written();
    let place = cell.at(leaf);
    let is_known_service = || match leaf.condition {
        LeafCondition::Exactly(name) => catalogue.services.contains_key(name),
        asks => !catalogue.service_names().accepted(asks.literals().as_deref(), accepts).is_empty(),
    };
    if cell.is(SERVICE) && !is_known_service() {
        let message = format!("no known service has the eventSource \"{written}\"{}", dead(leaf));
        let advice = several_advice(cell, leaf, |name| catalogue.services.contains_key(name))
            .or_else(|| split_advice(catalogue, row, cell, leaf))
            .unwrap_or_else(|| service_advice(catalogue, written, Some(leaf)));
        report.condition(&UNKNOWN_SERVICE, rule, place, (message, !leaf.negated), advice);
    } else if cell.is(REGION) && !catalogue.regions.iter().any(|name| accepts(name)) {
        let message = format!("AWS has no region \"{written}\"{}", dead(leaf));
        let near = || nearest(leaf, written, catalogue.regions.iter().copied(), "if it is new, allow this lint");
        let advice = several_advice(cell, leaf, |name| catalogue.regions.contains(&name)).unwrap_or_else(near);
        report.condition(&UNKNOWN_REGION, rule, place, (message, !leaf.negated), advice);
    } else if cell.is(IDENTITY) && !IDENTITY_TYPES.iter().any(|name| accepts(name)) {
        let message = format!("no identity has the type \"{written}\"{}", dead(leaf));
        let types = format!("the types are {}", IDENTITY_TYPES.join(", "));
        let near = || nearest(leaf, written, IDENTITY_TYPES, &types);
        let advice = several_advice(cell, leaf, |name| IDENTITY_TYPES.contains(&name)).unwrap_or_else(near);
        report.condition(&UNKNOWN_IDENTITY, rule, place, (message, !leaf.negated), advice);
    } else if cell.is(EVENT) {
        event(context, rule, row, cell, leaf, report);
    }
}

/// Services and regions of channels' filters: a filter that names none that exists accepts nothing.
fn filters(context: &LintContext<'_>, report: &mut LintReport) {
    let catalogue = context.catalogue;
    let channels = context.files.root.get("channels").and_then(Node::members).unwrap_or_default();
    for channel in channels {
        for node in listed(&channel.node, "services") {
            let Some(written) = node.as_str() else { continue };
            let full = format!("{written}.amazonaws.com");
            if !catalogue.services.contains_key(written) && !catalogue.services.contains_key(full.as_str()) {
                let message = format!("no known service is called \"{written}\": the channel accepts nothing of it");
                let place = SourcePlace { file: None, span: node.span.clone() };
                report.warn_of_file(&UNKNOWN_SERVICE, place, message, service_advice(catalogue, written, None));
            }
        }
        for node in listed(&channel.node, "regions") {
            let Some(written) = node.as_str().filter(|region| !catalogue.regions.contains(region)) else { continue };
            let message = format!("AWS has no region \"{written}\": the channel accepts nothing of it");
            let near = suggestion(written, catalogue.regions.iter().copied());
            let otherwise = || "look the region up in the console".into();
            let advice = near.map_or_else(otherwise, |near| near.advice(&node.span));
            report.warn_of_file(&UNKNOWN_REGION, SourcePlace { file: None, span: node.span.clone() }, message, advice);
        }
    }
}

fn listed<'n>(channel: &'n Node<'n>, key: &str) -> &'n [Node<'n>] {
    channel.get(key).and_then(Node::elements).unwrap_or_default()
}

/// What becomes of a value that nothing has.
fn dead(leaf: &Leaf<'_>) -> &'static str {
    if leaf.negated { ": it excludes nothing" } else { ": it can never match" }
}

fn event(
    context: &LintContext<'_>,
    rule: &RuleView<'_>,
    row: &RowView<'_>,
    cell: &CellView<'_>,
    leaf: &Leaf<'_>,
    report: &mut LintReport,
) {
    let services = services(row);
    let written = leaf.condition.written();
    let word = word(leaf);
    let plain = without_version(word);
    // A version that AWS will bring out tomorrow is as good as today's.
    let is_version = plain != word && services.iter().any(|service| knows(service, plain));
    if is_version || of_leaf(services, leaf).next().is_some() {
        return;
    }
    let place = cell.at(leaf);
    if services.iter().any(|service| service.is_name_alone()) && row.cell(SERVICE).is_some() {
        // Which calls such a service has is not known.
        return;
    }
    if let Some((service, recorded)) = services.iter().find_map(|service| Some((service, service.renamed.get(word)?))) {
        let names: Vec<String> = recorded.iter().map(|name| format!("\"{name}\"")).collect();
        let (message, help) = match names.as_slice() {
            [] => (
                format!("\"{word}\" is a permission, not a call of {}: CloudTrail never records it", service.short()),
                "write the calls that need it (for iam:PassRole, those that take a role, such as CreateFunction20150331)"
                    .to_owned(),
            ),
            names => (
                format!("CloudTrail records {}'s {word} as {}: this can never match", service.short(), enumerated(names)),
                format!("write {{\"is\": [{}]}}", names.join(", ")),
            ),
        };
        let fix = match names.as_slice() {
            [] => None,
            [name] => Some(name.clone()),
            // Instead of the one text of an `is`, a list.
            names if is_only(cell, leaf) => Some(format!("[{}]", names.join(", "))),
            _ => None,
        };
        let is_exact = matches!(leaf.condition, LeafCondition::Exactly(_));
        let fix = fix.zip(leaf.literal().filter(|_| is_exact)).map(|(text, span)| Fix::replace(span, text));
        let advice = Advice::new(help).with_fix(fix);
        return report.condition(&RECORDED_OTHERWISE, rule, place, (message, !leaf.negated), advice);
    }
    let by_row = row.cell(SERVICE).map(|cell| &cell.cell.written);
    let mut elsewhere: Vec<String> = Vec::new();
    let is_somewhere = match leaf.condition {
        LeafCondition::Exactly(name) => context.catalogue.calls().contains(name),
        _ => true,
    };
    if by_row.is_some() && is_somewhere {
        let accepts = |name: &str| leaf.condition.accepts(name) == Some(true);
        let calls = context.catalogue.calls_accepted(leaf.condition.literals().as_deref(), accepts);
        elsewhere.extend(calls.iter().map(|(service, _)| format!("\"{}\"", service.name)));
        elsewhere.dedup();
    }
    if let (Some(asked), false) = (by_row, elsewhere.is_empty()) {
        let message = format!("the services that {asked} accepts have no call \"{written}\"{}", dead(leaf));
        // The one that people mean comes first.
        elsewhere.sort_by_key(|name| !WELL_KNOWN.contains(&name.trim_matches('"').trim_end_matches(".amazonaws.com")));
        let is_limited = services.len() < context.catalogue.services.len();
        let near = || suggested(&plain_word(word), services.iter().map(|service| service.names()));
        let near = is_limited.then(near).flatten().filter(|near| near.is_sure);
        let owners = enumerated(&elsewhere);
        let help = match near {
            Some(near) => format!("{} Calls of the name that is written belong to {owners}", near.question()),
            None => format!("calls of this name belong to {owners}"),
        };
        return report.condition(&SERVICE_EVENT_MISMATCH, rule, place, (message, !leaf.negated), help);
    }
    let of = match services {
        [one] => format!(" of {}", one.short()),
        _ => String::new(),
    };
    let message = format!("no known call{of} has the name \"{written}\"{}", dead(leaf));
    let several = || several_advice(cell, leaf, |name| services.iter().any(|service| knows(service, name)));
    if let Some(advice) = several().or_else(|| split_advice(context.catalogue, row, cell, leaf)) {
        return report.condition(&UNKNOWN_EVENT, rule, place, (message, !leaf.negated), advice);
    }
    if let (LeafCondition::Exactly(_), Some(pattern)) = (leaf.condition, pattern_meant(written)) {
        let pattern = quoted(&pattern);
        let help = format!("write the pattern {pattern}: \"is\" compares whole names, and * stands for itself");
        // Instead of the whole operator, the pattern.
        let fix = is_only(cell, leaf).then(|| Fix::replace(&cell.node.span, pattern));
        let advice = Advice::new(help).with_fix(fix);
        return report.condition(&UNKNOWN_EVENT, rule, place, (message, !leaf.negated), advice);
    }
    let otherwise = "look the name up in a real record; if the call is new, allow this lint";
    let plain = plain_word(word);
    let near = if services.len() == context.catalogue.services.len() {
        suggested(&plain, [context.catalogue.calls()])
    } else {
        suggested(&plain, services.iter().map(|service| service.names()))
    };
    let advice = advised(leaf, &plain, near, otherwise);
    report.condition(&UNKNOWN_EVENT, rule, place, (message, !leaf.negated), advice);
}

fn knows(service: &Service, name: &str) -> bool {
    service.call(name).is_some() || service.renamed.contains_key(name)
}

/// The word that a pattern or text names.
pub(super) fn word<'l>(leaf: &'l Leaf<'_>) -> &'l str {
    match leaf.condition {
        LeafCondition::Pattern(regex) => PatternWord::named(regex.as_str()).unwrap_or(regex.as_str()),
        LeafCondition::Exactly(text) => text,
        LeafCondition::Number(number) => number.written(),
        LeafCondition::Else(_) => "",
    }
}

/// Whether a region is among those that the row accepts.
pub(super) fn accepts_region(row: &RowView<'_>, region: &str) -> bool {
    row_accepts(row, REGION, region)
}
