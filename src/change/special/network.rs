//! Firewalls, routes and the records of domains.

use crate::change::reading::{Reading, at, said};
use crate::change::told::Told;
use crate::change::value::listed;
use crate::facts::firewall_rules;

/// Whom the rules let in, everybody first.
pub(in crate::change) fn inbound(reading: &Reading<'_, '_>, told: &mut Told) {
    rules(reading, "inbound", "from", told);
}

pub(in crate::change) fn no_longer_inbound(reading: &Reading<'_, '_>, told: &mut Told) {
    rules(reading, "removed inbound", "from", told);
}

pub(in crate::change) fn outbound(reading: &Reading<'_, '_>, told: &mut Told) {
    rules(reading, "outbound", "to", told);
}

pub(in crate::change) fn no_longer_outbound(reading: &Reading<'_, '_>, told: &mut Told) {
    rules(reading, "removed outbound", "to", told);
}

fn rules(reading: &Reading<'_, '_>, what: &str, preposition: &str, told: &mut Told) {
    let mut rules = reading.request.as_ref().map(firewall_rules).unwrap_or_default();
    rules.sort_by_key(|(_, network)| !["0.0.0.0/0", "::/0"].contains(&network.as_str()));
    let rules: Vec<String> =
        rules.into_iter().map(|(traffic, network)| format!("{traffic} {preposition} {network}")).collect();
    if rules.is_empty() {
        // Of a revocation that names its rules.
        if let Some(ids) =
            reading.asked("securityGroupRuleIds.securityGroupRuleId|securityGroupRuleIds|securityGroupRuleId")
        {
            told.add(what, format!("rule {ids}"));
        }
        return;
    }
    told.add(what, listed(&rules));
}

/// `inbound, rule 100: allow udp 53 from 0.0.0.0/0`
pub(in crate::change) fn acl_entry(reading: &Reading<'_, '_>, told: &mut Told) {
    let is_out = reading.asked("egress").is_some_and(|egress| egress == "true");
    let (way, preposition) = if is_out { ("outbound", "to") } else { ("inbound", "from") };
    let Some(number) = reading.asked("ruleNumber") else { return };
    let rules = reading.request.as_ref().map(firewall_rules).unwrap_or_default();
    match (rules.first(), reading.asked("ruleAction")) {
        (Some((traffic, network)), Some(action)) => {
            told.add(&format!("{way}, rule {number}"), format!("{action} {traffic} {preposition} {network}"));
        }
        _ => told.add("deleted rule", format!("{number}, {way}")),
    }
}

/// `route: 0.0.0.0/0 to igw-1`
pub(in crate::change) fn route(reading: &Reading<'_, '_>, told: &mut Told) {
    const TO: &str = "gatewayId|natGatewayId|transitGatewayId|vpcPeeringConnectionId|networkInterfaceId|instanceId|\
                      egressOnlyInternetGatewayId|localGatewayId|vpcEndpointId|carrierGatewayId|coreNetworkArn";
    let destination = reading.asked("destinationCidrBlock|destinationIpv6CidrBlock|destinationPrefixListId");
    let Some(destination) = destination else { return };
    match reading.asked(TO) {
        Some(to) => told.add("route", format!("{destination} to {to}")),
        None => told.add("deleted route", destination),
    }
}

/// `UPSERT A www.example.com: 198.51.100.1`
pub(in crate::change) fn record_sets(reading: &Reading<'_, '_>, told: &mut Told) {
    const SHOWN: usize = 5;
    let Some(request) = &reading.request else { return };
    let changes = at(request, "changeBatch.changes");
    for change in changes.iter().take(SHOWN) {
        let part = |path: &str| said(Some(change), path).unwrap_or_default();
        let value = part("resourceRecordSet.resourceRecords.value|resourceRecordSet.aliasTarget.dNSName");
        let what = format!("{} {} {}", part("action"), part("resourceRecordSet.type"), part("resourceRecordSet.name"));
        told.add(what.trim(), if value.is_empty() { "without a value" } else { &value });
    }
    if changes.len() > SHOWN {
        told.add("more", format!("{} records", changes.len() - SHOWN));
    }
}
