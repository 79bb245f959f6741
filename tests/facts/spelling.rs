//! Permissions, and calls that grant them: each of many ways to say the same.

use crate::support::choices::Choices;

/// Traffic that is let in from some networks.
#[derive(Debug, Clone)]
pub(super) struct Permission {
    /// A number of IANA's; -1 is every protocol.
    pub(super) protocol: i32,
    /// The first and the last port, of TCP and UDP.
    pub(super) ports: (u16, u16),
    pub(super) network: Net,
}

/// A network, by its first address and the length of its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Net {
    V4(u32, u32),
    V6(u128, u32),
}

impl Net {
    /// Whether an address lies within it.
    pub(super) fn has(self, address: Address) -> bool {
        match (self, address) {
            (Self::V4(first, prefix), Address::V4(address)) => prefix == 0 || (first ^ address) >> (32 - prefix) == 0,
            (Self::V6(first, prefix), Address::V6(address)) => prefix == 0 || (first ^ address) >> (128 - prefix) == 0,
            _ => false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Address {
    V4(u32),
    V6(u128),
}

const NETWORKS: [Net; 14] = [
    Net::V4(0, 0),
    Net::V4(0, 1),
    Net::V4(1 << 31, 1),
    Net::V4(1 << 31, 2),
    Net::V4(3 << 30, 2),
    Net::V4(0x0a00_0000, 8),
    Net::V4(0xc000_0200, 24),
    Net::V4(0xcb00_7109, 32),
    Net::V6(0, 0),
    Net::V6(0x2000 << 112, 3),
    Net::V6(0x2000 << 112, 4),
    Net::V6(0x3000 << 112, 4),
    Net::V6(0x2001_0db8 << 96, 32),
    Net::V6(0x2001_0db8 << 96 | 1, 128),
];

const PORTS: [(u16, u16); 9] =
    [(22, 22), (0, 65535), (80, 443), (20, 25), (23, 3389), (3389, 3389), (26, 79), (444, 65535), (0, 21)];

/// Random permissions. Now and then the world is cut into pieces, and sometimes one of them is missing.
pub(super) fn permissions(choices: &mut Choices) -> Vec<Permission> {
    let mut found = Vec::new();
    for _ in 0..=choices.below(3) {
        let protocol = choices.of(&[6, 6, 6, 17, -1, 50]);
        let mut networks = if choices.one_in(2) {
            (0..=choices.below(2)).map(|_| choices.of(&NETWORKS)).collect()
        } else {
            pieces(choices)
        };
        if choices.one_in(3) {
            networks.remove(choices.below(networks.len()));
        }
        let same = choices.of(&PORTS);
        for network in networks {
            // The pieces may be opened by ports that only overlap.
            let ports = if choices.one_in(4) { choices.of(&PORTS) } else { same };
            found.push(Permission { protocol, ports, network });
        }
    }
    found
}

/// A cut of the world into networks.
fn pieces(choices: &mut Choices) -> Vec<Net> {
    let mut pieces = vec![choices.of(&[Net::V4(0, 0), Net::V4(0, 0), Net::V6(0, 0), Net::V6(0x2000 << 112, 3)])];
    for _ in 0..choices.below(9) {
        let cut = choices.below(pieces.len());
        let halves = match pieces[cut] {
            Net::V4(first, prefix) => [Net::V4(first, prefix + 1), Net::V4(first | 1 << (31 - prefix), prefix + 1)],
            Net::V6(first, prefix) => [Net::V6(first, prefix + 1), Net::V6(first | 1 << (127 - prefix), prefix + 1)],
        };
        pieces.splice(cut..=cut, halves);
    }
    pieces
}

/// A call that grants these permissions, in one of the shapes in which calls say so.
pub(super) fn call(choices: &mut Choices, permissions: &[Permission]) -> String {
    let mut permissions = permissions.to_vec();
    // Another order, and something twice.
    for last in (1..permissions.len()).rev() {
        permissions.swap(last, choices.below(last + 1));
    }
    if choices.one_in(3) && !permissions.is_empty() {
        permissions.push(permissions[choices.below(permissions.len())].clone());
    }
    let is_v4 = |permission: &Permission| matches!(permission.network, Net::V4(..));
    let parts = match choices.below(9) {
        6 if permissions.len() == 1 => entry(choices, &permissions[0]),
        7 if permissions.iter().all(|permission| permission.protocol != 50) => public_ports(choices, &permissions),
        8 if permissions.iter().all(|one| [6, 17].contains(&one.protocol) && is_v4(one)) => {
            fleet(choices, &permissions)
        }
        0 => lists(choices, &permissions),
        1 => modified(choices, &permissions),
        2 => answered(choices, &permissions),
        // Some in the request, all in the answer, as a call that succeeded has them.
        3 => {
            let kept = choices.below(permissions.len() + 1);
            let (request, answer) = (lists(choices, &permissions[..kept]), answered(choices, &permissions));
            Parts { request: request.request, ..answer }
        }
        4 => flat(choices, &permissions),
        _ => text(lists(choices, &permissions)),
    };
    let Parts { service, event, request, answer } = parts;
    format!(
        r#"{{"eventSource":"{service}.amazonaws.com","eventName":"{event}","requestParameters":{request},"responseElements":{answer}}}"#
    )
}

/// The parts of a call that say what it grants.
struct Parts {
    service: &'static str,
    event: &'static str,
    request: String,
    answer: String,
}

const INGRESS: &str = "AuthorizeSecurityGroupIngress";

/// `ipPermissions`: those of equal protocol and ports may share an element.
fn lists(choices: &mut Choices, permissions: &[Permission]) -> Parts {
    let mut groups: Vec<Vec<&Permission>> = Vec::new();
    for permission in permissions {
        let together = groups.iter_mut().find(|group| {
            group.iter().all(|other| other.protocol == permission.protocol && other.ports == permission.ports)
        });
        match together {
            Some(group) if !choices.one_in(3) => group.push(permission),
            _ => groups.push(vec![permission]),
        }
    }
    let elements: Vec<String> = groups
        .iter()
        .map(|group| {
            let mut of = |is_v6: bool| {
                let networks: Vec<String> = group
                    .iter()
                    .filter(|permission| matches!(permission.network, Net::V6(..)) == is_v6)
                    .map(|permission| {
                        let key = if is_v6 { "cidrIpv6" } else { "cidrIp" };
                        format!(r#"{{"{key}":"{}","description":"0.0.0.0/0"}}"#, spelt(choices, permission.network))
                    })
                    .collect();
                list(choices, &networks)
            };
            let (v4, v6) = (of(false), of(true));
            format!(
                r#"{{"groups":{{}},{},"ipRanges":{v4},"ipv6Ranges":{v6},"prefixListIds":{{}}}}"#,
                traffic(choices, group[0], ["ipProtocol", "fromPort", "toPort"])
            )
        })
        .collect();
    let request = format!(r#"{{"groupId":"sg-1","ipPermissions":{}}}"#, list(choices, &elements));
    Parts { service: "ec2", event: INGRESS, request, answer: r#"{"_return":true}"#.to_owned() }
}

/// A list as EC2's records have it, or as an array.
fn list(choices: &mut Choices, elements: &[String]) -> String {
    match elements {
        [] => choices.of(&["{}", "null", "[]", r#"{"items":[]}"#]).to_owned(),
        _ if choices.one_in(4) => format!("[{}]", elements.join(",")),
        _ => format!(r#"{{"items":[{}]}}"#, elements.join(",")),
    }
}

/// `ModifySecurityGroupRules`, whose names begin with capitals, and whose single element stands for itself.
fn modified(choices: &mut Choices, permissions: &[Permission]) -> Parts {
    let rules: Vec<String> = permissions
        .iter()
        .enumerate()
        .map(|(number, permission)| {
            let key = if matches!(permission.network, Net::V6(..)) { "CidrIpv6" } else { "CidrIpv4" };
            let network = spelt(choices, permission.network);
            format!(
                r#"{{"tag":{number},"SecurityGroupRuleId":"sgr-{number}","SecurityGroupRule":{{"{key}":"{network}",{}}}}}"#,
                traffic(choices, permission, ["IpProtocol", "FromPort", "ToPort"])
            )
        })
        .collect();
    let rules = if let [one] = rules.as_slice() { one.clone() } else { format!("[{}]", rules.join(",")) };
    let request = format!(r#"{{"ModifySecurityGroupRulesRequest":{{"GroupId":"sg-1","SecurityGroupRule":{rules}}}}}"#);
    Parts { service: "ec2", event: "ModifySecurityGroupRules", request, answer: "null".to_owned() }
}

/// What the answer lists; a rule of egress beside it lets nothing in.
fn answered(choices: &mut Choices, permissions: &[Permission]) -> Parts {
    let mut rules: Vec<String> = permissions
        .iter()
        .map(|permission| {
            let key = if matches!(permission.network, Net::V6(..)) { "cidrIpv6" } else { "cidrIpv4" };
            let network = spelt(choices, permission.network);
            let traffic = traffic(choices, permission, ["ipProtocol", "fromPort", "toPort"]);
            format!(r#"{{"groupId":"sg-1","isEgress":false,{traffic},"{key}":"{network}"}}"#)
        })
        .collect();
    rules.push(r#"{"groupId":"sg-1","isEgress":true,"ipProtocol":"-1","cidrIpv4":"0.0.0.0/0"}"#.to_owned());
    let answer = format!(r#"{{"securityGroupRuleSet":{}}}"#, list(choices, &rules));
    Parts { service: "ec2", event: INGRESS, request: "null".to_owned(), answer }
}

/// Flat arguments, which hold one network of IPv4, and the others in lists.
fn flat(choices: &mut Choices, permissions: &[Permission]) -> Parts {
    let Some(at) = permissions.iter().position(|permission| matches!(permission.network, Net::V4(..))) else {
        return lists(choices, permissions);
    };
    let mut others = permissions.to_vec();
    let one = others.remove(at);
    let Parts { service, event, request, answer } = lists(choices, &others);
    let network = spelt(choices, one.network);
    let flat = format!(r#"{{"cidrIp":"{network}",{},"#, traffic(choices, &one, ["ipProtocol", "fromPort", "toPort"]));
    Parts { service, event, request: request.replacen('{', &flat, 1), answer }
}

/// An entry of a network ACL, whose ports stand in an object.
fn entry(choices: &mut Choices, permission: &Permission) -> Parts {
    let key = if matches!(permission.network, Net::V6(..)) { "ipv6CidrBlock" } else { "cidrBlock" };
    let name = choices.of(&["aclProtocol", "protocol"]);
    let (protocol, (first, last)) = (permission.protocol, permission.ports);
    let ports = match protocol {
        6 | 17 if (first, last) == (0, 65535) && choices.one_in(2) => "{}".to_owned(),
        6 | 17 => format!(r#"{{"from":{first},"to":{last}}}"#),
        _ => choices.of(&["{}", r#"{"from":22,"to":22}"#]).to_owned(),
    };
    let egress = choices.of(&["false", "\"false\""]);
    let request = format!(
        r#"{{"networkAclId":"acl-1","ruleNumber":90,"egress":{egress},"ruleAction":"allow","icmpTypeCode":{{}},"portRange":{ports},"{name}":"{protocol}","{key}":"{}"}}"#,
        spelt(choices, permission.network)
    );
    let event = choices.of(&["CreateNetworkAclEntry", "ReplaceNetworkAclEntry"]);
    Parts { service: "ec2", event, request, answer: r#"{"_return":true}"#.to_owned() }
}

/// The ports of a Lightsail instance, each of them with its networks in two lists.
fn public_ports(choices: &mut Choices, permissions: &[Permission]) -> Parts {
    let ports: Vec<String> = permissions
        .iter()
        .map(|permission| {
            let (protocol, (first, last)) = match permission.protocol {
                6 => ("tcp", permission.ports),
                17 => ("udp", permission.ports),
                _ => ("all", (0, 65535)),
            };
            let network = format!("[\"{}\"]", spelt(choices, permission.network));
            let (v4, v6) = if matches!(permission.network, Net::V6(..)) { ("[]", &*network) } else { (&*network, "[]") };
            format!(
                r#"{{"fromPort":{first},"toPort":{last},"protocol":"{protocol}","cidrs":{v4},"ipv6Cidrs":{v6},"cidrListAliases":[]}}"#
            )
        })
        .collect();
    let (event, request) = match ports.as_slice() {
        [one] if choices.one_in(2) => {
            ("OpenInstancePublicPorts", format!(r#"{{"portInfo":{one},"instanceName":"i"}}"#))
        }
        _ => ("PutInstancePublicPorts", format!(r#"{{"portInfos":[{}],"instanceName":"i"}}"#, ports.join(","))),
    };
    Parts { service: "lightsail", event, request, answer: "null".to_owned() }
}

/// The ports of a fleet of game servers; what an update revokes lets nothing in.
fn fleet(choices: &mut Choices, permissions: &[Permission]) -> Parts {
    let permissions: Vec<String> = permissions
        .iter()
        .map(|permission| {
            let protocol = if permission.protocol == 6 { "TCP" } else { "UDP" };
            let (first, last) = permission.ports;
            let network = spelt(choices, permission.network);
            format!(r#"{{"fromPort":{first},"toPort":{last},"ipRange":"{network}","protocol":"{protocol}"}}"#)
        })
        .collect();
    let list = permissions.join(",");
    let (event, request) = if choices.one_in(2) {
        ("CreateFleet", format!(r#"{{"name":"f","eC2InboundPermissions":[{list}]}}"#))
    } else {
        let revoked = r#"[{"fromPort":0,"toPort":65535,"ipRange":"0.0.0.0/0","protocol":"TCP"}]"#;
        let key = "inboundPermissionAuthorizations";
        let request = format!(r#"{{"fleetId":"f","{key}":[{list}],"inboundPermissionRevocations":{revoked}}}"#);
        ("UpdateFleetPortSettings", request)
    };
    Parts { service: "gamelift", event, request, answer: "null".to_owned() }
}

/// The request as a text of JSON.
fn text(parts: Parts) -> Parts {
    let request = serde_json::to_string(&parts.request).unwrap();
    Parts { request, ..parts }
}

/// Protocol and ports, in one of their spellings.
fn traffic(choices: &mut Choices, permission: &Permission, names: [&str; 3]) -> String {
    let protocol = match permission.protocol {
        6 => choices.of(&["tcp", "6", "TCP"]),
        17 => choices.of(&["udp", "17", "Udp"]),
        -1 => choices.of(&["-1", "all"]),
        _ => "50",
    };
    let [name, from, to] = names;
    let protocol = format!(r#""{name}":"{protocol}""#);
    let (first, last) = permission.ports;
    if permission.protocol != 6 && permission.protocol != 17 {
        // These have no ports, whatever is said of them.
        let more = choices.of(&["", r#","fromPort":-1,"toPort":-1"#, r#","fromPort":22,"toPort":22"#]);
        return format!("{protocol}{more}");
    }
    match choices.below(4) {
        0 if (first, last) == (0, 65535) => protocol,
        1 if (first, last) == (0, 65535) => format!(r#"{protocol},"{from}":-1,"{to}":-1"#),
        2 => format!(r#""{to}":"{last}",{protocol},"{from}":"{first}""#),
        _ => format!(r#"{protocol},"{from}":{first},"{to}":{last}"#),
    }
}

/// A network in one of its spellings.
fn spelt(choices: &mut Choices, network: Net) -> String {
    let has_host_bits = choices.one_in(3);
    match network {
        Net::V4(first, prefix) => {
            let host = if has_host_bits && prefix < 32 { 0x0009_0703 & (u32::MAX >> prefix) } else { 0 };
            let [a, b, c, d] = (first | host).to_be_bytes();
            if prefix == 32 && choices.one_in(2) {
                format!("{a}.{b}.{c}.{d}")
            } else {
                format!("{a}.{b}.{c}.{d}/{prefix}")
            }
        }
        Net::V6(first, prefix) => {
            let host = if has_host_bits && prefix < 128 { 0x0a07 & (u128::MAX >> prefix) } else { 0 };
            let whole = first | host;
            let groups: Vec<u16> =
                (0..8).rev().map(|group| u16::try_from(whole >> (16 * group) & 0xffff).unwrap()).collect();
            let written: Vec<String> = match choices.below(3) {
                0 => groups.iter().map(|group| format!("{group:04X}")).collect(),
                _ => groups.iter().map(|group| format!("{group:x}")).collect(),
            };
            let written = written.join(":");
            let zeros = [":0:0:0:0:0:0:0", ":0:0:0:0:0:0", ":0:0:0:0", ":0:0"];
            let short = zeros.into_iter().find_map(|zeros| {
                let start = written.strip_suffix(zeros)?;
                Some(if start == "0" { "::".to_owned() } else { format!("{start}::") })
            });
            let address = short.filter(|_| choices.one_in(2)).unwrap_or(written);
            format!("{address}/{prefix}")
        }
    }
}
