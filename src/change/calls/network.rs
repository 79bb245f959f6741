//! What is let in, and where things are sent.

use super::calls;
use crate::change::entry::Entry;
use crate::change::entry::Part::{Counted, Fact, If, Request, Response, Special, Switch, Words};
use crate::change::special::{acl_entry, inbound, no_longer_inbound, no_longer_outbound, outbound, record_sets, route};

pub(super) const CALLS: &[Entry] = calls! {
    "ec2" {
        "AuthorizeSecurityGroupIngress" "ModifySecurityGroupRules" => [Special("inbound", inbound)];
        "AuthorizeSecurityGroupEgress" => [Special("outbound", outbound)];
        "RevokeSecurityGroupIngress" => [Special("removed inbound", no_longer_inbound)];
        "RevokeSecurityGroupEgress" => [Special("removed outbound", no_longer_outbound)];
        "CreateNetworkAclEntry" "ReplaceNetworkAclEntry" "DeleteNetworkAclEntry" =>
            [Special("inbound, outbound, deleted rule", acl_entry)];
        "CreateSecurityGroup" => [
            Response("new group", "groupId"), Request("in", "vpcId"), Request("description", "groupDescription")
        ];
        "CreateRoute" "ReplaceRoute" "DeleteRoute" => [Special("route, deleted route", route)];
        "AssociateRouteTable" => [Request("route table", "routeTableId"), Request("of", "subnetId|gatewayId")];
        "CreateRouteTable" => [Response("new route table", "routeTable.routeTableId"), Request("in", "vpcId")];
        "CreateVpc" => [Response("new network", "vpc.vpcId"), Request("addresses", "cidrBlock|ipv4NetmaskLength")];
        "CreateSubnet" => [Response("new subnet", "subnet.subnetId"), Request("in", "vpcId"), Request("addresses", "cidrBlock")];
        "CreateInternetGateway" => [Response("new gateway", "internetGateway.internetGatewayId")];
        "AttachInternetGateway" => [Request("attached gateway", "internetGatewayId"), Request("to", "vpcId")];
        "DetachInternetGateway" => [Request("detached gateway", "internetGatewayId"), Request("from", "vpcId")];
        "CreateNatGateway" => [
            Response("new gateway", "natGateway.natGatewayId"), Request("in", "subnetId"), Request("kind", "connectivityType")
        ];
        "CreateVpcPeeringConnection" => [
            Request("to account", "peerOwnerId"), Request("to network", "peerVpcId"), Request("from network", "vpcId"),
            Request("in region", "peerRegion")
        ];
        "AcceptVpcPeeringConnection" => [
            Response("from account", "vpcPeeringConnection.requesterVpcInfo.ownerId"),
            Response("from network", "vpcPeeringConnection.requesterVpcInfo.vpcId"),
            Response("to network", "vpcPeeringConnection.accepterVpcInfo.vpcId"), Request("connection", "vpcPeeringConnectionId")
        ];
        "CreateTrafficMirrorSession" "ModifyTrafficMirrorSession" => [
            Request("traffic of", "networkInterfaceId"), Response("traffic of", "trafficMirrorSession.networkInterfaceId"),
            Request("copied to", "trafficMirrorTargetId"), Request("filter", "trafficMirrorFilterId")
        ];
        "CreateTrafficMirrorTarget" => [
            Request("copies go to", "networkInterfaceId|networkLoadBalancerArn|gatewayLoadBalancerEndpointId"),
            Response("new target", "trafficMirrorTarget.trafficMirrorTargetId")
        ];
        "CreateTrafficMirrorFilterRule" => [
            Request("traffic", "trafficDirection"), Request("from", "sourceCidrBlock"), Request("to", "destinationCidrBlock"),
            Request("action", "ruleAction")
        ];
        "ModifyVpcAttribute" => [
            Request("DNS names", "enableDnsHostnames.value|enableDnsHostnames"), Request("DNS", "enableDnsSupport.value|enableDnsSupport")
        ];
        "ModifySubnetAttribute" => [Switch("public addresses by default", "mapPublicIpOnLaunch.value|mapPublicIpOnLaunch")];
        "ModifyVpcEndpointServicePermissions" => [Fact("shared with", "shared_with")];
    }
    "rds" {
        "AuthorizeDBSecurityGroupIngress" => [Fact("inbound", "opened"), Request("inbound from group", "eC2SecurityGroupName|eC2SecurityGroupId")];
    }
    "redshift" {
        "AuthorizeClusterSecurityGroupIngress" => [Fact("inbound", "opened")];
    }
    "lightsail" {
        "OpenInstancePublicPorts" "PutInstancePublicPorts" => [Fact("inbound", "opened")];
    }
    "wafv2" {
        "UpdateIPSet" => [Request("addresses", "addresses"), Request("of", "name")];
        "DisassociateWebACL" => [Request("no longer protected", "resourceArn")];
        "DeleteLoggingConfiguration" => [Words("logging of requests", "off"), Request("of", "resourceArn")];
    }
    "network-firewall" {
        "DeleteFirewall" => [Request("deleted firewall", "firewallName|firewallArn")];
        "DisassociateSubnets" => [Request("no longer protected", "subnetIds")];
        "UpdateLoggingConfiguration" => [Request("logs go to", "loggingConfiguration.logDestinationConfigs.logDestination")];
    }
    "route53" {
        "ChangeResourceRecordSets" => [Special("action, type and name of each record", record_sets)];
        "CreateHostedZone" => [Request("zone", "name"), If("hostedZoneConfig.privateZone", "true", "kind", "private")];
        "AssociateVPCWithHostedZone" => [Request("network", "vPC.vPCId"), Request("zone", "hostedZoneId")];
    }
    "route53domains" {
        "DisableDomainTransferLock" => [Words("transfer lock", "off"), Request("domain", "domainName")];
        "TransferDomainToAnotherAwsAccount" => [Request("to account", "accountId"), Request("domain", "domainName")];
        "TransferDomain" "RegisterDomain" => [Request("domain", "domainName"), Counted("for", "durationInYears", "years"), Request("name servers", "nameservers.name")];
        "UpdateDomainNameservers" => [Request("name servers", "nameservers.name"), Request("domain", "domainName")];
        "RetrieveDomainAuthCode" => [Words("what is read", "the code by which the domain can be moved away"), Request("domain", "domainName")];
        "DeleteDomain" => [Request("deleted domain", "domainName")];
    }
    "elasticloadbalancing" {
        "CreateRule" "ModifyRule" "ModifyListener" => [
            Request("sends to", "actions.targetGroupArn|actions.redirectConfig.host|defaultActions.targetGroupArn|defaultActions.redirectConfig.host"),
            Request("on", "conditions"), Request("listener", "listenerArn|ruleArn")
        ];
    }
};
