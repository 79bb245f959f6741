//! The fields about what a call opens: the networks that it lets in, by which protocols and ports, and whether they are the world.

use super::opening::{opened_to_world, openings};
use super::placed::Values;
use super::value::{DerivedField, ServiceCalls};
use crate::cloudtrail::{FactValue, Record};

/// The calls that let networks in. (`ModifySecurityGroupRules` does not say whether its rules are of ingress; they are taken to
/// be.)
const CALLS: &[ServiceCalls] = &[
    ServiceCalls {
        service: "ec2.amazonaws.com",
        events: &[
            "AuthorizeSecurityGroupIngress",
            "ModifySecurityGroupRules",
            "CreateNetworkAclEntry",
            "ReplaceNetworkAclEntry",
        ],
    },
    ServiceCalls { service: "gamelift.amazonaws.com", events: &["CreateFleet", "UpdateFleetPortSettings"] },
    ServiceCalls { service: "lightsail.amazonaws.com", events: &["OpenInstancePublicPorts", "PutInstancePublicPorts"] },
    ServiceCalls { service: "rds.amazonaws.com", events: &["AuthorizeDBSecurityGroupIngress"] },
    ServiceCalls { service: "redshift.amazonaws.com", events: &["AuthorizeClusterSecurityGroupIngress"] },
];

/// The networks that a call lets in.
pub(super) const OPENED_NETWORKS: DerivedField = DerivedField {
    name: "opened_networks",
    calls: CALLS,
    values: |record| {
        let openings = openings(record);
        let mut values = Values::default();
        for opening in &openings {
            values.add(opening.network.to_string(), &opening.place);
        }
        if let Some((_, place)) = opened_to_world(&openings).first() {
            values.add("world", place);
        }
        values.0
    },
    description: "the networks that the call lets in, in one spelling (10.0.0.0/8, 2001:db8::/32, pl-63a5400a), and the word \
                  world if anything is opened_to_world",
};

/// Each network that a call lets in, with the protocol and the ports.
pub(super) const OPENED: DerivedField = DerivedField {
    name: "opened",
    calls: CALLS,
    values: |record| {
        let mut values = Values::default();
        for opening in openings(record) {
            values.add(format!("{} from {}", opening.traffic, opening.network), &opening.place);
        }
        values.0
    },
    description: "what the call lets in, for titles: tcp 22 from 0.0.0.0/0",
};

/// What everybody gets in by.
pub(super) const OPENED_TO_WORLD: DerivedField = DerivedField {
    name: "opened_to_world",
    calls: CALLS,
    values: |record| {
        let mut values = Values::default();
        for (traffic, place) in opened_to_world(&openings(record)) {
            values.add(traffic.to_string(), place);
        }
        values.0
    },
    description: "what everybody gets in by: tcp 22, tcp 0-65535, all traffic; by each protocol and port alone, the networks that \
                  are let in together hold every public address of IPv4 or of IPv6",
};

/// The ports among [`OPENED_TO_WORLD`] that are not meant for everybody.
pub(super) const SENSITIVE_PORTS_TO_WORLD: DerivedField = DerivedField {
    name: "sensitive_ports_to_world",
    calls: CALLS,
    values: sensitive_ports,
    description: "the TCP ports within opened_to_world that administer, or hold data: 22, 3389, 3306, 6379, …",
};

/// TCP ports that administer machines, or give data away. They are those of Security Hub's control EC2.19
/// (<https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-19>) without those of mail and of web
/// applications, and those that attackers scan for besides: Docker, etcd, the Kubernetes API and kubelet, VNC, `WinRM`, Redis,
/// Memcached, `MongoDB`, Oracle, Cassandra, SMB's older one, rsync, NFS.
const SENSITIVE_PORTS: [u32; 40] = [
    20, 21, 22, 23, 111, 135, 137, 139, 445, 873, 1433, 1434, 1521, 2049, 2375, 2376, 2379, 2380, 3306, 3389, 4333,
    5432, 5500, 5601, 5900, 5901, 5984, 5985, 5986, 6379, 6443, 7001, 9042, 9092, 9200, 9300, 10250, 11211, 27017,
    50070,
];

/// Whether [`SENSITIVE_PORTS_TO_WORLD`] may have this port.
#[cfg(feature = "cli")]
pub(crate) fn sensitive_port(port: u32) -> bool {
    SENSITIVE_PORTS.contains(&port)
}

fn sensitive_ports(record: &Record<'_>) -> Vec<FactValue> {
    let openings = openings(record);
    let opened = opened_to_world(&openings);
    let mut values = Values::default();
    for port in SENSITIVE_PORTS {
        if let Some((_, place)) = opened.iter().find(|(traffic, _)| traffic.has_tcp_port(port)) {
            values.add(port.to_string(), place);
        }
    }
    values.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of a field, and where the record says them.
    fn said(field: &DerivedField, json: &str) -> Vec<(String, String)> {
        let record = Record::parse(json).unwrap();
        field.of(&record).iter().map(|value| (value.text.clone(), value.place.clone())).collect()
    }

    fn texts(field: &DerivedField, json: &str) -> Vec<String> {
        said(field, json).into_iter().map(|(text, _)| text).collect()
    }

    fn call(service: &str, event: &str, parts: &str) -> String {
        format!(r#"{{"eventSource":"{service}.amazonaws.com","eventName":"{event}",{parts}}}"#)
    }

    fn ingress(request: &str) -> String {
        call("ec2", "AuthorizeSecurityGroupIngress", &format!(r#""requestParameters":{request}"#))
    }

    /// SSH for everybody, in every shape in which the calls say it.
    #[test]
    fn ssh_for_everybody_reads_alike_in_every_shape() {
        let modify =
            |request: &str| call("ec2", "ModifySecurityGroupRules", &format!(r#""requestParameters":{request}"#));
        let entry = |event: &str, protocol: &str| {
            let request = format!(
                r#"{{"networkAclId":"acl-1","ruleNumber":90,"egress":false,"ruleAction":"allow","icmpTypeCode":{{}},
                    "portRange":{{"from":22,"to":22}},{protocol},"cidrBlock":"0.0.0.0/0"}}"#
            );
            call("ec2", event, &format!(r#""requestParameters":{request}"#))
        };
        let list = r#"{"ipProtocol":"tcp","fromPort":22,"toPort":22,"groups":{},"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0","description":"d"}]},"ipv6Ranges":{},"prefixListIds":{}}"#;
        let rule = r#"{"SecurityGroupRuleId":"sgr-1","tag":1,"SecurityGroupRule":{"CidrIpv4":"0.0.0.0/0","FromPort":22,"ToPort":22,"IpProtocol":"tcp"}}"#;
        let answer = r#"{"_return":true,"securityGroupRuleSet":{"items":[{"groupId":"sg-1","isEgress":false,"ipProtocol":"tcp","fromPort":22,"toPort":22,"cidrIpv4":"0.0.0.0/0"}]}}"#;
        for json in [
            ingress(&format!(r#"{{"groupId":"sg-1","ipPermissions":{{"items":[{list}]}}}}"#)),
            ingress(&format!(r#"{{"groupId":"sg-1","ipPermissions":[{list}]}}"#)),
            ingress(
                r#"{"groupId":"sg-1","ipProtocol":"tcp","fromPort":22,"toPort":22,"cidrIp":"0.0.0.0/0","ipPermissions":{}}"#,
            ),
            ingress(r#"{"groupName":"g","ipProtocol":"6","fromPort":"22","toPort":"22","cidrIp":"203.0.113.9/0"}"#),
            modify(&format!(
                r#"{{"ModifySecurityGroupRulesRequest":{{"GroupId":"sg-1","SecurityGroupRule":{rule}}}}}"#
            )),
            modify(&format!(
                r#"{{"ModifySecurityGroupRulesRequest":{{"GroupId":"sg-1","SecurityGroupRule":[{rule}]}}}}"#
            )),
            call(
                "ec2",
                "AuthorizeSecurityGroupIngress",
                &format!(r#""requestParameters":null,"responseElements":{answer}"#),
            ),
            entry("CreateNetworkAclEntry", r#""aclProtocol":"6""#),
            entry("ReplaceNetworkAclEntry", r#""protocol":"tcp""#),
            call(
                "lightsail",
                "OpenInstancePublicPorts",
                r#""requestParameters":{"portInfo":{"fromPort":22,"toPort":22,"protocol":"tcp","cidrs":["0.0.0.0/0"]}}"#,
            ),
            call(
                "lightsail",
                "PutInstancePublicPorts",
                r#""requestParameters":{"portInfos":[{"fromPort":22,"toPort":22,"protocol":"TCP","cidrs":["0.0.0.0/0"]}]}"#,
            ),
            call(
                "gamelift",
                "UpdateFleetPortSettings",
                r#""requestParameters":{"inboundPermissionAuthorizations":[{"fromPort":22,"toPort":22,"ipRange":"0.0.0.0/0","protocol":"TCP"}],"inboundPermissionRevocations":[{"fromPort":1,"toPort":9,"ipRange":"0.0.0.0/0","protocol":"TCP"}]}"#,
            ),
        ] {
            assert_eq!(texts(&OPENED, &json), ["tcp 22 from 0.0.0.0/0"], "{json}");
            assert_eq!(texts(&OPENED_NETWORKS, &json), ["0.0.0.0/0", "world"], "{json}");
            assert_eq!(texts(&OPENED_TO_WORLD, &json), ["tcp 22"], "{json}");
            assert_eq!(texts(&SENSITIVE_PORTS_TO_WORLD, &json), ["22"], "{json}");
        }
    }

    #[test]
    fn the_place_is_where_the_record_names_the_network() {
        let json = ingress(
            r#"{"ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":80,"toPort":80,"ipRanges":{"items":[{"cidrIp":"10.0.0.0/8"},{"cidrIp":"0.0.0.0/0"}]}}]}}"#,
        );
        let place = |index: usize| format!("requestParameters.ipPermissions.items[0].ipRanges.items[{index}].cidrIp");
        let of = |text: &str, index: usize| (text.to_owned(), place(index));
        assert_eq!(said(&OPENED, &json), [of("tcp 80 from 10.0.0.0/8", 0), of("tcp 80 from 0.0.0.0/0", 1)]);
        assert_eq!(said(&OPENED_NETWORKS, &json), [of("10.0.0.0/8", 0), of("0.0.0.0/0", 1), of("world", 0)]);
        // The parameters may be a text that holds the document.
        let request = r#"{\"ipProtocol\":\"-1\",\"cidrIpv6\":\"::/0\"}"#;
        let json = ingress(&format!("\"{request}\""));
        let place = "requestParameters.cidrIpv6".to_owned();
        assert_eq!(said(&OPENED_TO_WORLD, &json), [("all traffic".to_owned(), place)]);
    }

    #[test]
    fn the_world_is_judged_for_each_protocol_and_port() {
        let of = |permissions: &[(&str, i64, i64, &str)]| {
            let items: Vec<String> = permissions
                .iter()
                .map(|(protocol, from, to, network)| {
                    let list = if network.contains(':') { ("ipv6Ranges", "cidrIpv6") } else { ("ipRanges", "cidrIp") };
                    let (list, key) = list;
                    format!(r#"{{"ipProtocol":"{protocol}","fromPort":{from},"toPort":{to},"{list}":{{"items":[{{"{key}":"{network}"}}]}}}}"#)
                })
                .collect();
            texts(&OPENED_TO_WORLD, &ingress(&format!(r#"{{"ipPermissions":{{"items":[{}]}}}}"#, items.join(","))))
        };
        let (low, high) = ("0.0.0.0/1", "128.0.0.0/1");
        assert_eq!(of(&[("tcp", 22, 22, low), ("tcp", 22, 22, high)]), ["tcp 22"]);
        assert_eq!(of(&[("tcp", 0, 100, low), ("tcp", 80, 443, high)]), ["tcp 80-100"]);
        assert_eq!(of(&[("tcp", 22, 22, low), ("udp", 22, 22, high)]), [""; 0]);
        assert_eq!(of(&[("tcp", 22, 22, low), ("tcp", 23, 23, high)]), [""; 0]);
        // All traffic is that of each protocol, too.
        assert_eq!(of(&[("-1", -1, -1, low), ("tcp", 22, 25, high)]), ["tcp 22-25"]);
        assert_eq!(of(&[("-1", -1, -1, low), ("tcp", 22, 25, high), ("-1", 0, 0, high)]), ["all traffic"]);
        // Neighbours are one range, whichever family opens them.
        assert_eq!(of(&[("tcp", 24, 30, "::/0"), ("tcp", 22, 23, "0.0.0.0/0")]), ["tcp 22-30"]);
        assert_eq!(of(&[("tcp", -1, -1, "0.0.0.0/0")]), ["tcp 0-65535"]);
        assert_eq!(of(&[("50", 1, 2, "0.0.0.0/0"), ("17", 53, 53, "2000::/3")]), ["protocol 50", "udp 53"]);
        assert_eq!(of(&[("icmp", -1, -1, "0.0.0.0/0")]), ["icmp"]);
        assert_eq!(
            of(&[("icmp", 8, -1, "0.0.0.0/0"), ("58", 128, 0, "::/0")]),
            ["icmp type 8", "icmpv6 type 128 code 0"]
        );
    }

    #[test]
    fn what_is_not_let_in_is_not_opened() {
        let world = r#""ipProtocol":"tcp","fromPort":22,"toPort":22,"cidrIp":"0.0.0.0/0""#;
        for json in [
            call("ec2", "AuthorizeSecurityGroupEgress", &format!(r#""requestParameters":{{{world}}}"#)),
            call("ec2", "RevokeSecurityGroupIngress", &format!(r#""requestParameters":{{{world}}}"#)),
            call("s3", "AuthorizeSecurityGroupIngress", &format!(r#""requestParameters":{{{world}}}"#)),
            ingress(r#"{"ipProtocol":"tcp","fromPort":22,"toPort":22,"cidrIp":"everywhere"}"#),
            ingress(r#"{"ipProtocol":"tcp","fromPort":23,"toPort":22,"cidrIp":"0.0.0.0/0"}"#),
            ingress(r#"{"ipProtocol":"tcp","fromPort":22,"toPort":99999,"cidrIp":"0.0.0.0/0"}"#),
            ingress(r#"{"ipPermissions":{"items":[{"ipProtocol":"-1","groups":{"items":[{"groupId":"sg-2"}]}}]}}"#),
            call(
                "ec2",
                "CreateNetworkAclEntry",
                r#""requestParameters":{"aclProtocol":"-1","egress":true,"ruleAction":"allow","cidrBlock":"0.0.0.0/0"}"#,
            ),
            call(
                "ec2",
                "CreateNetworkAclEntry",
                r#""requestParameters":{"aclProtocol":"-1","egress":false,"ruleAction":"deny","cidrBlock":"0.0.0.0/0"}"#,
            ),
            call(
                "ec2",
                "AuthorizeSecurityGroupIngress",
                r#""responseElements":{"securityGroupRuleSet":{"items":[{"isEgress":true,"ipProtocol":"-1","cidrIpv4":"0.0.0.0/0"}]}}"#,
            ),
            ingress("null"),
            ingress("[]"),
        ] {
            for field in [OPENED, OPENED_NETWORKS, OPENED_TO_WORLD, SENSITIVE_PORTS_TO_WORLD] {
                assert_eq!(said(&field, &json), [], "{} {json}", field.name);
            }
        }
    }

    #[test]
    fn the_groups_of_databases_let_in_their_port() {
        for (service, event) in
            [("rds", "AuthorizeDBSecurityGroupIngress"), ("redshift", "AuthorizeClusterSecurityGroupIngress")]
        {
            // The answer lists what was let in before, too.
            let parts = r#""requestParameters":{"cIDRIP":"192.0.2.0/24"},"responseElements":{"iPRanges":[{"cIDRIP":"0.0.0.0/0"}]}"#;
            assert_eq!(texts(&OPENED, &call(service, event, parts)), ["database port from 192.0.2.0/24"]);
        }
    }

    #[test]
    fn lightsail_opens_to_everybody_where_nobody_is_named() {
        let open = |more: &str| {
            let request = format!(r#"{{"portInfo":{{"fromPort":3389,"toPort":3389,"protocol":"tcp"{more}}}}}"#);
            call("lightsail", "OpenInstancePublicPorts", &format!(r#""requestParameters":{request}"#))
        };
        assert_eq!(texts(&OPENED, &open("")), ["tcp 3389 from 0.0.0.0/0", "tcp 3389 from ::/0"]);
        let narrowed = open(r#","cidrs":[],"cidrListAliases":["lightsail-connect"]"#);
        assert_eq!(texts(&OPENED, &narrowed), ["tcp 3389 from lightsail-connect"]);
        assert_eq!(texts(&OPENED_TO_WORLD, &open(r#","cidrs":["192.0.2.7"]"#)), [""; 0]);
    }

    #[test]
    fn lists_of_networks_keep_their_names() {
        let json = ingress(
            r#"{"ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":443,"toPort":443,"prefixListIds":{"items":[{"prefixListId":"pl-63a5400a"}]},"ipv6Ranges":{"items":[{"cidrIpv6":"2001:0DB8:0::1/32"}]}}]}}"#,
        );
        assert_eq!(texts(&OPENED_NETWORKS, &json), ["pl-63a5400a", "2001:db8::/32"]);
    }

    #[test]
    fn sensitive_ports_lie_within_what_is_opened() {
        let json = ingress(r#"{"ipProtocol":"tcp","fromPort":3300,"toPort":3400,"cidrIp":"0.0.0.0/0"}"#);
        assert_eq!(texts(&SENSITIVE_PORTS_TO_WORLD, &json), ["3306", "3389"]);
        let all = ingress(r#"{"ipProtocol":"-1","cidrIp":"0.0.0.0/0"}"#);
        assert_eq!(texts(&SENSITIVE_PORTS_TO_WORLD, &all).len(), SENSITIVE_PORTS.len());
        let udp = ingress(r#"{"ipProtocol":"udp","fromPort":22,"toPort":22,"cidrIp":"0.0.0.0/0"}"#);
        assert_eq!(texts(&SENSITIVE_PORTS_TO_WORLD, &udp), [""; 0]);
    }
}
