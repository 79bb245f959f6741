//! Conformity's rules of Real-Time Threat Monitoring as rules of ours: those of the pack `conformity-rtm`, with the settings
//! put in.

use serde_json::{Value as Json, json};

use super::super::output::{ImportedException, ImportedRow, ImportedRule, OrderedMap};
use super::super::report::{ImportReport, NoteKind};
use super::super::sigma::merged;
use super::super::tree::{Tree, folded};
use super::extra::{Extra, add_list, networks, whole_internet};
use super::pack;
use super::patterns::{self, Read};
use super::settings::{RuleSetting, first};

/// The choices of RTM-009, folded, and the calls that they mean.
/// Source of the names: Conformity's API reference, "Rule settings"; further ones are ours.
const NETWORK: [(&[&str], &str); 14] = [
    (&["internetgateway"], "^(Create|Delete|Attach|Detach)(EgressOnly)?InternetGateway$"),
    (
        &["securitygroup"],
        "^((Create|Delete)SecurityGroup|(Authorize|Revoke)SecurityGroup(Ingress|Egress)|ModifySecurityGroupRules)$",
    ),
    (
        &["elasticnetworkinterface", "networkinterface"],
        "^((Create|Delete|Attach|Detach)NetworkInterface|ModifyNetworkInterfaceAttribute)$",
    ),
    (
        &["virtualprivatecloud", "vpc"],
        "^((Create|Delete)Vpc|ModifyVpcAttribute|ModifyVpcTenancy|(Associate|Disassociate)VpcCidrBlock)$",
    ),
    (&["subnet"], "^((Create|Delete)Subnet|ModifySubnetAttribute)$"),
    (
        &["routetable", "route"],
        "^((Create|Delete|Replace)Route|(Create|Delete)RouteTable|(Associate|Disassociate)RouteTable|ReplaceRouteTableAssociation)$",
    ),
    (
        &["networkacl", "networkaccesscontrollist"],
        "^((Create|Delete)NetworkAcl|(Create|Delete|Replace)NetworkAclEntry|ReplaceNetworkAclAssociation)$",
    ),
    (
        &["vpcpeering", "vpcpeeringconnection", "peeringconnection"],
        "^((Create|Accept|Delete|Reject)VpcPeeringConnection|ModifyVpcPeeringConnectionOptions)$",
    ),
    (&["vpcendpoint", "endpoint"], "^(CreateVpcEndpoint|DeleteVpcEndpoints|ModifyVpcEndpoint)$"),
    (&["natgateway"], "^(Create|Delete)NatGateway$"),
    (&["customergateway"], "^(Create|Delete)CustomerGateway$"),
    (&["vpngateway", "virtualprivategateway"], "^(Create|Delete|Attach|Detach)VpnGateway$"),
    (&["vpnconnection"], "^((Create|Delete|Modify)VpnConnection|(Create|Delete)VpnConnectionRoute)$"),
    (&["elasticip", "elasticipaddress"], "^(Allocate|Release|Associate|Disassociate)Address$"),
];

/// Services whose calls are recorded in us-east-1, wherever the caller is.
const GLOBAL: [&str; 6] = [
    "cloudfront.amazonaws.com",
    "iam.amazonaws.com",
    "organizations.amazonaws.com",
    "route53.amazonaws.com",
    "signin.amazonaws.com",
    "sts.amazonaws.com",
];

/// The rule that a setting makes, and the list that it needs. What is not carried over goes to the report.
pub(super) fn rule(
    setting: &RuleSetting<'_>,
    place: &str,
    lists: &mut OrderedMap<Vec<String>>,
    report: &mut ImportReport,
) -> Option<ImportedRule> {
    let mut lost = |text: String| report.note(NoteKind::Lost, place, format!("{}: {text}", setting.id));
    let Some(mut rule) = pack::rule(setting.id) else {
        lost(match setting.id {
            "RTM-004" | "RTM-006" => "it watched sign-ins to Conformity itself, which has ended".to_owned(),
            _ => "this importer does not know the rule: write its rows by hand".to_owned(),
        });
        return None;
    };
    for (line, written) in setting.body.unknown() {
        lost(format!("line {line}: {written} is computed by Terraform: write its value"));
    }
    if let Some(written) = &setting.perhaps {
        let text = format!("{}: whether it is made is computed by Terraform ({written}): it was taken", setting.id);
        report.note(NoteKind::Changed, place, text);
    }
    let mut lost = |text: String| report.note(NoteKind::Lost, place, format!("{}: {text}", setting.id));
    let extra = Extra::new(setting.body);
    extra.unread(setting.id, &mut lost);
    let mut list = |name: &str, word: &str| {
        let mut values = extra.texts(word);
        if word == "ips" {
            networks(&mut values, &mut lost);
        }
        if values.is_empty() {
            lost(format!("its setting names none of the {}", name.replace('_', " ")));
            return false;
        }
        add_list(name, values, lists);
        true
    };
    match setting.id {
        "RTM-005" if !list("approved_countries", "countries") => return None,
        "RTM-007" => {
            if !list("safe_networks", "ips") {
                return None;
            }
            if let Some(said) = whole_internet(&extra.texts("ips")) {
                report.note(NoteKind::Changed, place, format!("RTM-007: {said}"));
            }
        }
        "RTM-008" => {
            if !list("approved_regions", "regions") {
                return None;
            }
            if !extra.texts("regions").iter().any(|region| region == "us-east-1") {
                // To Conformity, these were of the region "global".
                let global = vec![("region", json!({"is": "us-east-1"})), ("service", json!({"is": GLOBAL}))];
                rule.unless.push(ImportedException {
                    when: vec![row(global)],
                    reason: "global services are recorded in us-east-1".to_owned(),
                });
            }
        }
        "RTM-009" => {
            if let Some(calls) = network(&extra, &mut lost)? {
                let cells = rule.when.iter_mut().flat_map(|row| &mut row.0).filter(|(field, _)| field == "event");
                cells.for_each(|(_, condition)| *condition = calls.clone());
            }
        }
        "RTM-011" => rule.when = rows(&extra, place, report)?,
        _ => {}
    }
    let mut lost = |text: String| report.note(NoteKind::Lost, place, format!("{}: {text}", setting.id));
    rule.unless.extend(exceptions(setting.body, setting.id, &mut lost));
    throttle(&extra, &mut rule, report);
    severity(setting.body, &mut rule, report);
    rule.mode = off(setting.body).then(|| "off".to_owned());
    Some(rule)
}

fn row(cells: Vec<(&str, Json)>) -> ImportedRow {
    ImportedRow(cells.into_iter().map(|(field, condition)| (field.to_owned(), condition)).collect())
}

/// Whether something is switched off.
pub(super) fn off(body: &Tree) -> bool {
    body.field("enabled").and_then(Tree::text) == Some("false")
}

fn severity(body: &Tree, rule: &mut ImportedRule, report: &mut ImportReport) {
    let level = body.field("risklevel").and_then(Tree::text).unwrap_or_default();
    let severity = match folded(level).as_str() {
        "low" => "low",
        "medium" => "medium",
        "high" => "high",
        "veryhigh" => "very-high",
        "extreme" => "extreme",
        _ => {
            return report.note(
                NoteKind::Changed,
                &rule.id,
                format!("its setting names no risk level, so it is the pack's: {}", rule.severity),
            );
        }
    };
    severity.clone_into(&mut rule.severity);
}

/// The calls of RTM-009's choices; none if the setting makes no choice.
#[allow(clippy::option_option, reason = "three answers: nothing to watch, all, some")]
fn network(extra: &Extra<'_>, lost: &mut impl FnMut(String)) -> Option<Option<Json>> {
    let mut chosen: Vec<&str> = Vec::new();
    let choices = extra.values("configurationchanges");
    for choice in &choices {
        let Some(name) = choice.field("value").unwrap_or(choice).text() else { continue };
        if off(choice) {
            continue;
        }
        match NETWORK.iter().find(|(names, _)| names.contains(&folded(name).as_str())) {
            Some((_, pattern)) => chosen.push(pattern),
            None => lost(format!("the choice \"{name}\" is not known: add its calls by hand")),
        }
    }
    match chosen.as_slice() {
        [] if choices.is_empty() => Some(None),
        [] => {
            lost("all its choices are switched off".to_owned());
            None
        }
        [one] => Some(Some(json!(one))),
        several => Some(Some(json!(several))),
    }
}

/// The rows of RTM-011's patterns; none, if not one of them can be carried over.
fn rows(extra: &Extra<'_>, place: &str, report: &mut ImportReport) -> Option<Vec<ImportedRow>> {
    let mut rows = Vec::new();
    for (index, value) in extra.values("multipleobjectvalues").into_iter().enumerate() {
        let wrapped = value.field("value").unwrap_or(value);
        // Terraform's `value = "{…}"` without jsonencode.
        let parsed = wrapped.text().and_then(|text| super::super::tree::parse_json(text).ok());
        let name = format!("RTM-011, pattern {index} (line {})", value.line);
        match patterns::row(parsed.as_ref().unwrap_or(wrapped)) {
            Ok(Read::ImportedRow(row)) => rows.push(row),
            Ok(Read::Repaired(row, said)) => {
                report.note(NoteKind::Repaired, place, format!("{name}: {said}"));
                rows.push(row);
            }
            Ok(Read::Doubtful(row, said)) => {
                report.note(NoteKind::Changed, place, format!("{name}: {said}"));
                rows.push(row);
            }
            Err(reason) => report.note(NoteKind::Lost, place, format!("{name}: {reason}")),
        }
    }
    if rows.is_empty() {
        report.note(NoteKind::Lost, place, "RTM-011: its setting has no pattern that can be carried over");
        return None;
    }
    Some(merged(rows))
}

/// The hours for which a check stayed open, and was not sent again.
fn throttle(extra: &Extra<'_>, rule: &mut ImportedRule, report: &mut ImportReport) {
    let Some(hours) = extra.named("ttl").find_map(|setting| setting.field("value")).and_then(Tree::text) else {
        return;
    };
    let minutes = hours.trim().parse::<f64>().ok().filter(|hours| hours.is_finite() && *hours >= 0.0);
    let Some(minutes) = minutes.map(|hours| (hours * 60.0).round()) else {
        return report.note(
            NoteKind::Lost,
            &rule.id,
            format!("its ttl \"{hours}\" is not a number of hours, so no throttle is set"),
        );
    };
    if minutes < 1.0 {
        return;
    }
    if minutes > 24.0 * 60.0 {
        report.note(NoteKind::Changed, &rule.id, format!("its ttl of {hours} hours becomes 24h, the longest throttle"));
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 1,440")]
    let minutes = minutes.min(24.0 * 60.0) as u32;
    let window = if minutes.is_multiple_of(60) { format!("{}h", minutes / 60) } else { format!("{minutes}m") };
    // What makes two findings repeats is the pack's to say, where it says so.
    let by = rule.throttle.take().and_then(|pack| pack.0.into_iter().find(|(key, _)| key == "by")).map(|(_, by)| by);
    let by = by.unwrap_or_else(|| match rule.id.as_str() {
        "RTM-009" | "RTM-011" => json!(["account", "actor", "event"]),
        _ => json!(["account", "actor"]),
    });
    rule.throttle = Some(OrderedMap(vec![("window".to_owned(), json!(window)), ("by".to_owned(), by)]));
}

/// Exceptions for resources, where a record says what resource it is about.
fn exceptions(body: &Tree, id: &str, lost: &mut impl FnMut(String)) -> Vec<ImportedException> {
    let Some(exceptions) =
        body.field("exceptions").and_then(|tree| if tree.entries().is_some() { Some(tree) } else { first(tree) })
    else {
        return Vec::new();
    };
    let texts = |key: &str| exceptions.field(key).map_or(&[][..], Tree::items).iter().filter_map(Tree::text);
    let tags: Vec<&str> = texts("tags").chain(texts("filtertags")).collect();
    if !tags.is_empty() {
        lost(format!(
            "its exceptions for the tags {}: CloudTrail's records hold no tags of resources",
            tags.join(", ")
        ));
    }
    let about_people = !matches!(id, "RTM-008" | "RTM-009" | "RTM-011");
    let (mut people, mut instances) = (Vec::new(), Vec::new());
    for resource in texts("resources") {
        let is = |field: &str| (field.to_owned(), json!({"is": resource}));
        if resource.starts_with("arn:") && resource.contains(":user/") {
            people.push(ImportedRow(vec![is("userIdentity.arn")]));
        } else if about_people && !resource.starts_with("arn:") {
            people.push(ImportedRow(vec![is("user")]));
        } else if resource.starts_with("i-") {
            instances.push(resource);
        } else {
            lost(format!(
                "its exception for the resource {resource}: no field of a record is always its name; write one such as \
                 {{ \"when\": {{ \"requestParameters.groupId\": {{ \"is\": \"{resource}\" }} }}, \"reason\": \"…\" }}"
            ));
        }
    }
    let mut unless = Vec::new();
    if !people.is_empty() {
        unless.push(ImportedException { when: merged(people), reason: "excepted in Conformity".to_owned() });
    }
    if !instances.is_empty() {
        // Each instance of the call must be excepted: one excepted among others would hide the others.
        let only = json!({"all": [{"exists": true}, {"not": {"item": {".": {"not": {"is": instances}}}}}]});
        let paths = ["requestParameters.instancesSet.items.instanceId", "requestParameters.instanceId"];
        let when = paths.iter().map(|path| ImportedRow(vec![((*path).to_owned(), only.clone())])).collect();
        unless.push(ImportedException { when, reason: "excepted in Conformity".to_owned() });
    }
    unless
}
