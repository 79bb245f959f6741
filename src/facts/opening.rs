//! What calls let in through firewalls: openings, each with its protocol, its ports and its network, whatever shape the call
//! says it in.
//!
//! Only what is let in counts: rules of egress, rules that deny, and calls that revoke give none.

use std::fmt;

use super::network::{Network, are_the_world};
use super::placed::Placed;
use crate::cloudtrail::Record;

/// One network that is let in by one protocol and some ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opening {
    pub(super) traffic: Traffic,
    pub(super) network: Network,
    /// Where the record names the network.
    pub(super) place: String,
}

/// A protocol, and a range of what it tells apart: ports, or for ICMP 256 × type + code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Traffic {
    pub(super) protocol: Protocol,
    pub(super) first: u32,
    pub(super) last: u32,
}

/// What a firewall tells traffic apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Every protocol.
    All,
    Tcp,
    Udp,
    Icmp,
    IcmpV6,
    /// By its number of IANA's; it is let in whole.
    Number(u8),
    /// The port of a database, which the call does not name.
    Database,
}

/// The highest port, and the highest of 256 × type + code.
const LAST: u32 = 65_535;

impl Protocol {
    /// Reads the name or the number of a protocol, as EC2, its network ACLs and Lightsail write them.
    fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_lowercase().as_str() {
            "-1" | "all" => Self::All,
            "tcp" | "6" => Self::Tcp,
            "udp" | "17" => Self::Udp,
            "icmp" | "1" => Self::Icmp,
            "icmpv6" | "58" => Self::IcmpV6,
            number => Self::Number(number.parse().ok()?),
        })
    }

    /// What it lets in whole.
    fn whole(self) -> Traffic {
        Traffic { protocol: self, first: 0, last: LAST }
    }
}

impl Traffic {
    /// Of a protocol, from and to these: ports, or for ICMP type and code. -1, or nothing, is all of them. `None` if no traffic is
    /// such.
    fn new(protocol: Protocol, from: Option<i64>, to: Option<i64>) -> Option<Self> {
        let named = |number: Option<i64>| {
            let number = number.filter(|number| *number >= 0).map(u16::try_from);
            number.transpose().ok().map(|number| number.map(u32::from))
        };
        let (from, to) = (named(from)?, named(to)?);
        let (first, last) = match protocol {
            Protocol::Tcp | Protocol::Udp => match (from, to) {
                (None, None) => (0, LAST),
                (from, to) => (from.unwrap_or(0), to.or(from).unwrap_or(LAST)),
            },
            Protocol::Icmp | Protocol::IcmpV6 => match (from, to) {
                (None, _) => (0, LAST),
                (Some(kind), None) => (kind * 256, kind * 256 + 255),
                (Some(kind), Some(code)) => (kind * 256 + code, kind * 256 + code),
            },
            Protocol::All | Protocol::Number(_) | Protocol::Database => (0, LAST),
        };
        (first <= last && last <= LAST).then_some(Self { protocol, first, last })
    }

    /// Whether it is or holds this TCP port.
    pub(super) fn has_tcp_port(self, port: u32) -> bool {
        match self.protocol {
            Protocol::All => true,
            Protocol::Tcp => (self.first..=self.last).contains(&port),
            _ => false,
        }
    }
}

/// `tcp 22`, `tcp 0-65535`, `all traffic`, `icmp`, `icmp type 8`, `protocol 50`, `database port`.
impl fmt::Display for Traffic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { protocol, first, last } = *self;
        let name = match protocol {
            Protocol::All => return formatter.write_str("all traffic"),
            Protocol::Database => return formatter.write_str("database port"),
            Protocol::Number(number) => return write!(formatter, "protocol {number}"),
            Protocol::Tcp | Protocol::Udp => {
                let name = if protocol == Protocol::Tcp { "tcp" } else { "udp" };
                return if first == last {
                    write!(formatter, "{name} {first}")
                } else {
                    write!(formatter, "{name} {first}-{last}")
                };
            }
            Protocol::Icmp => "icmp",
            Protocol::IcmpV6 => "icmpv6",
        };
        let (kind, code, last_kind, last_code) = (first / 256, first % 256, last / 256, last % 256);
        match (first, last) {
            (0, LAST) => formatter.write_str(name),
            _ if first == last => write!(formatter, "{name} type {kind} code {code}"),
            _ if code == 0 && last_code == 255 && kind == last_kind => write!(formatter, "{name} type {kind}"),
            _ if code == 0 && last_code == 255 => write!(formatter, "{name} types {kind}-{last_kind}"),
            _ => write!(formatter, "{name} type {kind} code {code} to type {last_kind} code {last_code}"),
        }
    }
}

/// The openings that a record tells of, in its order.
pub(super) fn openings(record: &Record<'_>) -> Vec<Opening> {
    let mut found = Vec::new();
    let part = |top: &str, path: &[&str]| Placed::top(record, top).and_then(|top| top.at(path));
    match record.text(&["eventSource"]).unwrap_or_default() {
        // An answer lists the ranges that the group had before, too.
        "rds.amazonaws.com" | "redshift.amazonaws.com" => {
            if let Some(request) = part("requestParameters", &[]) {
                add(&request, Some(Protocol::Database), &mut found);
            }
        }
        "lightsail.amazonaws.com" => {
            for list in ["portInfo", "portInfos"] {
                let Some(list) = part("requestParameters", &[list]) else { continue };
                for port in list.elements() {
                    let before = found.len();
                    add(&port, None, &mut found);
                    // Nobody named: everybody.
                    let is_narrowed = ["cidrs", "ipv6Cidrs", "cidrListAliases"]
                        .iter()
                        .any(|key| port.get(key).is_some_and(|list| !list.elements().is_empty()));
                    if found.len() == before
                        && !is_narrowed
                        && let Some(traffic) = traffic(&port, None)
                    {
                        for network in ["0.0.0.0/0", "::/0"].into_iter().filter_map(Network::parse) {
                            found.push(Opening { traffic, network, place: port.place.clone() });
                        }
                    }
                }
            }
        }
        "gamelift.amazonaws.com" => {
            for list in ["eC2InboundPermissions", "inboundPermissionAuthorizations", "instanceInboundPermissions"] {
                if let Some(list) = part("requestParameters", &[list]) {
                    list.each_object(&mut |permission| add(permission, None, &mut found));
                }
            }
        }
        _ => {
            let tops = [part("requestParameters", &[]), part("responseElements", &["securityGroupRuleSet"])];
            for top in tops.into_iter().flatten() {
                top.each_object(&mut |permission| add(permission, None, &mut found));
            }
        }
    }
    found
}

/// The rules of a firewall that a request names, whatever is done with them, in words: each one's traffic and its network, or the
/// group of those whom it is about.
pub(crate) fn firewall_rules(request: &Placed<'_>) -> Vec<(String, String)> {
    let mut rules = Vec::new();
    request.each_object(&mut |permission| {
        let mut found = Vec::new();
        add_any(permission, None, &mut found);
        rules.extend(found.into_iter().map(|rule| (rule.traffic.to_string(), rule.network.to_string())));
        let Some(traffic) = traffic(permission, None) else { return };
        for groups in ["groups", "userIdGroupPairs"].iter().filter_map(|key| permission.get(key)) {
            for group in groups.elements() {
                if let Some(name) = group.text_of(&["groupId", "groupName"]) {
                    rules.push((traffic.to_string(), name.to_owned()));
                }
            }
        }
        if let Some(group) = permission.text_of(&["referencedGroupId"]) {
            rules.push((traffic.to_string(), group.to_owned()));
        }
    });
    rules
}

/// The members that name a network.
const NETWORKS: [&str; 8] =
    ["cidrIp", "cidrIpv4", "cidrIpv6", "cidrBlock", "ipv6CidrBlock", "ipRange", "prefixListId", "cIDRIP"];

/// The members that list networks, each a text or an object that names one.
const LISTS: [&str; 6] = ["ipRanges", "ipv6Ranges", "prefixListIds", "cidrs", "ipv6Cidrs", "cidrListAliases"];

/// Adds what one permission lets in, if the object is one. `protocol` is that of a permission that has none.
fn add(permission: &Placed<'_>, protocol: Option<Protocol>, found: &mut Vec<Opening>) {
    let is = |key: &str, word: &str| permission.text_of(&[key]).is_some_and(|text| text.eq_ignore_ascii_case(word));
    if is("isEgress", "true") || is("egress", "true") || is("ruleAction", "deny") {
        return;
    }
    add_any(permission, protocol, found);
}

/// Adds what one rule of a firewall is about, whatever it does with it.
fn add_any(permission: &Placed<'_>, protocol: Option<Protocol>, found: &mut Vec<Opening>) {
    let Some(traffic) = traffic(permission, protocol) else { return };
    let mut push = |named: &Placed<'_>| {
        let Some(text) = named.text() else { return };
        let name = || (text.starts_with("pl-") || text == "lightsail-connect").then(|| Network::Named(text.to_owned()));
        if let Some(network) = Network::parse(text).or_else(name) {
            found.push(Opening { traffic, network, place: named.place.clone() });
        }
    };
    for (key, member) in permission.members() {
        if NETWORKS.iter().any(|name| name.eq_ignore_ascii_case(key)) {
            push(&member);
        } else if LISTS.iter().any(|name| name.eq_ignore_ascii_case(key)) {
            for element in member.elements() {
                if element.node.members().is_none() {
                    push(&element);
                } else {
                    NETWORKS.iter().filter_map(|key| element.get(key)).for_each(|named| push(&named));
                }
            }
        }
    }
}

/// The traffic that a permission is about; `None` if it names no protocol that is known.
fn traffic(permission: &Placed<'_>, otherwise: Option<Protocol>) -> Option<Traffic> {
    let protocol = match permission.text_of(&["ipProtocol", "protocol", "aclProtocol"]) {
        Some(text) => Protocol::parse(text)?,
        None => otherwise?,
    };
    let number = |keys: [(&str, &str); 2]| {
        let text = keys.iter().find_map(|(holder, key)| match *holder {
            "" => permission.text_of(&[key]),
            holder => permission.get(holder)?.text_of(&[key]),
        });
        text.and_then(|text| text.parse::<i64>().ok())
    };
    let (from, to) = if matches!(protocol, Protocol::Icmp | Protocol::IcmpV6) {
        (number([("icmpTypeCode", "type"), ("", "fromPort")]), number([("icmpTypeCode", "code"), ("", "toPort")]))
    } else {
        (number([("portRange", "from"), ("", "fromPort")]), number([("portRange", "to"), ("", "toPort")]))
    };
    Traffic::new(protocol, from, to)
}

/// What the world gets in by, and where the record first says so. Coverage is judged for each protocol and port alone: by which
/// the networks that are let in together hold every public address of IPv4 or of IPv6. Neighbouring ports are one range.
pub(super) fn opened_to_world(openings: &[Opening]) -> Vec<(Traffic, &str)> {
    let is_world = |openings: &[&Opening]| {
        let networks: Vec<_> = openings.iter().filter_map(|opening| opening.network.addresses()).collect();
        are_the_world(&networks)
    };
    let (all, others): (Vec<&Opening>, Vec<&Opening>) =
        openings.iter().partition(|opening| opening.traffic.protocol == Protocol::All);
    if is_world(&all) {
        return vec![(Protocol::All.whole(), all.first().map_or("", |opening| &opening.place))];
    }
    if !is_world(&openings.iter().collect::<Vec<_>>()) {
        return Vec::new();
    }
    let mut protocols: Vec<Protocol> = Vec::new();
    for opening in &others {
        if !protocols.contains(&opening.traffic.protocol) {
            protocols.push(opening.traffic.protocol);
        }
    }
    let mut opened = Vec::new();
    for protocol in protocols {
        let of_it: Vec<&Opening> =
            others.iter().copied().filter(|opening| opening.traffic.protocol == protocol).collect();
        let mut edges: Vec<u32> =
            of_it.iter().flat_map(|opening| [opening.traffic.first, opening.traffic.last + 1]).collect();
        edges.sort_unstable();
        edges.dedup();
        let mut range: Option<(Traffic, &str)> = None;
        for (first, end) in edges.iter().zip(edges.iter().skip(1)) {
            let here = |opening: &&&Opening| opening.traffic.first <= *first && *first <= opening.traffic.last;
            let mut letting: Vec<&Opening> = of_it.iter().filter(here).copied().collect();
            let place = letting.first().map_or("", |opening| opening.place.as_str());
            if letting.is_empty() {
                continue;
            }
            letting.extend(&all);
            if !is_world(&letting) {
                continue;
            }
            match &mut range {
                Some((before, _)) if before.last + 1 == *first => before.last = end - 1,
                _ => {
                    opened.extend(range.take());
                    range = Some((Traffic { protocol, first: *first, last: end - 1 }, place));
                }
            }
        }
        opened.extend(range);
    }
    opened
}
