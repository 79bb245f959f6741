#!/usr/bin/env python3
"""Writes targets.txt, and sections.txt, its index: which members of a request, or of its answer, name what a call acts on. Run by hand, at build maintenance,
after src/lint/catalogue/generate.py, whose tables of names it shares, and in the same environment:

    /tmp/catalogue/bin/python src/cloudtrail/target/generate.py

The members come from botocore's service models. Of those that a call requires, the ones that identify something are taken: the
thing that the call is named after before what it is in (`DeleteNodegroup`: the node group, then the cluster), three at most. Where
a call requires none, optional ones that the call is named after stand in, and then the identifier in the answer of what was made.
What the models cannot tell is written below. Source of that: real records.

The format, sorted, so that a new version of AWS's APIs is a readable diff:

    iam.amazonaws.com                   a value of eventSource
     roleName+policyArn AttachRolePolicy DetachRolePolicy
                                        names, and the calls that have them, without the version of their API
    a+b                                 all of these that are there, the most telling first
    a|b                                 if nothing is there at a, b
    >a                                  in the answer
    a.b                                 at this path, from the top; a name without a dot is searched, the least deep first

Names are compared without regard to case and to an s at their end. Calls that only read are in it where their members are not
called `…Id`, `…Arn`, `…Name` and so on: of all others the product finds these by itself (`guess.rs`).
"""

import pathlib
import re
import sys
from collections import defaultdict
from importlib import metadata

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lint/catalogue"))
import generate as calls  # noqa: E402

OUT = pathlib.Path(__file__).with_name("targets.txt")
SECTIONS = OUT.with_name("sections.txt")

# The end of a member's name that identifies something.
ENDS = re.compile(r"(Ids?|IDs?|Arns?|ARNs?|Names?|Identifiers?|NAMES?|QueueUrls?)$")
BARE = {"id", "ids", "arn", "arns", "name", "names", "identifier", "identifiers"}
# Members that identify something although they are not called so.
NOUNS = set(
    "bucket domain namespace username workgroup stack cluster service taskdefinition task topic queue repository package alias "
    "target rule ruleset resource identity emailidentity serialnumber application gateway function phonenumber emailaddress "
    "eventdatastore trail dashboard imagerepository keyspace database table catalog server portal".split()
)
# Members that are called so and identify nothing that is acted on.
NOT = re.compile(
    r"(?i)^(client|caller|request|idempot|correlation|dry|awsaccount|engine|locale|language|template|attribute|property|column|"
    r"parameter|metric|dimension|tag|filter|sort|event|statistic|timezone|availabilityzone|provider|schemaname|display|content|"
    r"media|header|invocation|modelprovider|chime|callback|redirect|return|logout|signed|statement|version|s3bucket|s3key)\w*(ids?|arns?|names?|ur[li]s?)$"
)
# Members that people think of last: what a call makes use of, and in whose instance or account.
LAST = re.compile(
    r"(?i)^(instancearn|accountid|account|catalogid|catalog|kmskey\w*|\w*rolearn|role|\w*callerarn|ownerid|owneraccountid|"
    r"identitystoreid|creatorrequestid|membershipid|source\w*|from\w*)$"
)
# Members of IAM that people think of first, in this order, and which are optional where they are the caller's own.
IAM_FIRST = ["UserName", "RoleName", "GroupName"]

# What the models cannot tell. An answer counts where the request names nothing that a person would call the target.
WRITTEN = {
    "ec2": {
        "RunInstances": ">instancesSet.items.instanceId|launchTemplateId|launchTemplateName|imageId",
        "RequestSpotInstances": ">spotInstanceRequestId|imageId",
        "AssociateRouteTable": "routeTableId+subnetId+gatewayId",
        "AssociateAddress": "instanceId|networkInterfaceId|allocationId|publicIp",
        "DisassociateAddress": "associationId|publicIp",
        "ReleaseAddress": "allocationId|publicIp",
        "AllocateAddress": ">allocationId|>publicIp",
        "CreateTags": "resourceId",
        "DeleteTags": "resourceId",
        "AssociateIamInstanceProfile": "instanceId+iamInstanceProfile.name+iamInstanceProfile.arn",
        "ReplaceIamInstanceProfileAssociation": "associationId",
        "ModifyEbsDefaultKmsKeyId": "kmsKeyId",
        "CreateFlowLogs": "resourceId",
        "AuthorizeSecurityGroupIngress": "groupId|groupName",
        "RevokeSecurityGroupIngress": "groupId|groupName",
        "DeleteSecurityGroup": "groupId|groupName",
        "CopySnapshot": "sourceSnapshotId",
        "CopyImage": "sourceImageId",
        "CreateImage": "instanceId",
        "CreateKeyPair": "keyName",
        "DeleteKeyPair": "keyName|keyPairId",
        "CreateNatGateway": ">natGatewayId|subnetId",
        "CreateSnapshots": "instanceId",
        "CreateTrafficMirrorTarget": ">trafficMirrorTargetId|networkInterfaceId|networkLoadBalancerArn|gatewayLoadBalancerEndpointId",
        "CreateVpcPeeringConnection": "vpcId+peerVpcId",
        "AcceptVpcPeeringConnection": "vpcPeeringConnectionId",
        "DescribeInstances": "instanceId",
        "RegisterImage": "name|imageLocation",
    },
    "iam": {
        "CreateAccessKey": "userName|>accessKey.userName|>accessKey.accessKeyId",
        "CreateVirtualMFADevice": "virtualMFADeviceName",
        "ChangePassword": "",
        "CreateServiceLinkedRole": "aWSServiceName",
        "CreateAccountAlias": "accountAlias",
        "DeleteAccountAlias": "accountAlias",
        "CreateOpenIDConnectProvider": "url|>openIDConnectProviderArn",
    },
    "sts": {
        "AssumeRole": "roleArn",
        "AssumeRoleWithSAML": "roleArn",
        "AssumeRoleWithWebIdentity": "roleArn",
        "AssumeRoot": "targetPrincipal",
        "GetFederationToken": "name",
    },
    "signin": {"SwitchRole": "", "ConsoleLogin": "", "ExitRole": ""},
    "ssm": {
        "SendCommand": "instanceIds+documentName",
        "StartSession": "target",
        "StartAutomationExecution": "documentName",
        "CreateAssociation": "instanceId+name",
        "GetParameters": "names",
        "GetParametersByPath": "path",
        "PutParameter": "name",
    },
    "kms": {
        "CreateKey": ">keyMetadata.keyId",
        "CreateAlias": "targetKeyId+aliasName",
        "UpdateAlias": "targetKeyId+aliasName",
    },
    "s3": {
        "CopyObject": "bucketName",
        "DeleteObjects": "bucketName",
        "CreateJob": ">jobId",
        "JobCreated": "",
        **{
            name: "bucketName|name|accountId"
            for name in ("PutAccountPublicAccessBlock", "DeleteAccountPublicAccessBlock", "GetAccountPublicAccessBlock")
        },
    },
    "organizations": {
        "CreateAccount": "accountName|email",
        "CreateGovCloudAccount": "accountName|email",
        "InviteAccountToOrganization": "target.id",
        "MoveAccount": "accountId+destinationParentId",
        "RemoveAccountFromOrganization": "accountId",
        "CloseAccount": "accountId",
        "AttachPolicy": "targetId+policyId",
        "DetachPolicy": "targetId+policyId",
        "EnablePolicyType": "rootId+policyType",
        "DisablePolicyType": "rootId+policyType",
        "EnableAWSServiceAccess": "servicePrincipal",
        "DisableAWSServiceAccess": "servicePrincipal",
        "RegisterDelegatedAdministrator": "accountId+servicePrincipal",
        "DeregisterDelegatedAdministrator": "accountId+servicePrincipal",
        "LeaveOrganization": "",
        "CreateAccountResult": "accountId|createAccountStatus.id",
    },
    "identitystore": {
        "CreateUser": "userName|>userId",
        "CreateGroup": "displayName|>groupId",
        "CreateGroupMembership": "memberId.userId+groupId",
        "DeleteGroupMembership": "membershipId",
    },
    "sso-directory": {
        "CreateUser": "userName|>user.userId",
        "CreateGroup": "displayName|>group.groupId",
        "AddMemberToGroup": "memberId+groupId",
        "RemoveMemberFromGroup": "memberId+groupId",
    },
    "sso": {
        "CreateAccountAssignment": "principalId+permissionSetArn+targetId",
        "DeleteAccountAssignment": "principalId+permissionSetArn+targetId",
    },
    "account": {"EnableRegion": "regionName", "DisableRegion": "regionName"},
    "secretsmanager": {"CreateSecret": "name", "BatchGetSecretValue": "secretIdList"},
    "rds": {
        "AuthorizeDBSecurityGroupIngress": "dBSecurityGroupName",
        "CopyDBSnapshot": "sourceDBSnapshotIdentifier+targetDBSnapshotIdentifier",
        "CopyDBClusterSnapshot": "sourceDBClusterSnapshotIdentifier+targetDBClusterSnapshotIdentifier",
        "StartExportTask": "exportTaskIdentifier+sourceArn",
        "StartActivityStream": "resourceArn",
        "StopActivityStream": "resourceArn",
        "ModifyActivityStream": "resourceArn",
        "DeleteDBInstanceAutomatedBackup": "dbiResourceId|dBInstanceAutomatedBackupsArn",
    },
    "lambda": {
        "CreateEventSourceMapping": "functionName+eventSourceArn",
        "UpdateEventSourceMapping": "functionName|>functionArn|uUID",
        "DeleteEventSourceMapping": "uUID",
        "AddLayerVersionPermission": "layerName",
    },
    "route53": {"ChangeResourceRecordSets": "hostedZoneId", "CreateHostedZone": "name"},
    "ses": {"SendEmail": "source|fromEmailAddress", "SendRawEmail": "source|fromEmailAddress", "VerifyEmailIdentity": "emailAddress"},
    "servicequotas": {"RequestServiceQuotaIncrease": "serviceCode+quotaCode"},
    "monitoring": {"PutMetricAlarm": "alarmName", "SetAlarmState": "alarmName"},
    "events": {"PutRule": "name", "PutTargets": "rule", "RemoveTargets": "rule", "PutEvents": ""},
    "ecs": {
        "RunTask": "taskDefinition+cluster",
        "ExecuteCommand": "task+cluster",
        "RegisterTaskDefinition": "family",
        "CreateCluster": "clusterName|>clusterArn",
        "CreateService": "serviceName+cluster",
    },
    "eks": {"AssociateAccessPolicy": "principalArn+policyArn", "CreateAccessEntry": "principalArn", "UpdateAccessEntry": "principalArn"},
    "bedrock": {"InvokeModel": "modelId", "InvokeModelWithResponseStream": "modelId", "Converse": "modelId", "ConverseStream": "modelId"},
    "guardduty": {"CreateDetector": ">detectorId"},
    "ec2-instance-connect": {"SendSSHPublicKey": "instanceId", "SendSerialConsoleSSHPublicKey": "instanceId"},
    "dynamodb": {"ExportTableToPointInTime": "tableArn"},
    "cloudformation": {
        "CreateStack": "stackName",
        "CreateStackSet": "stackSetName",
        "CreateStackInstances": "stackSetName",
    },
}


def words(name):
    """`DBClusterSnapshot` → `dbclustersnapshot`, without an s at its end: how a thing is compared with the name of a call."""
    return re.sub(r"s$", "", name.lower())


def is_identifier(name):
    if NOT.match(name):
        return False
    return name.lower() in BARE or bool(ENDS.search(name)) or words(name) in NOUNS


def stem(name):
    return "" if name.lower() in BARE else words(ENDS.sub("", name))


def rank(name, noun):
    """How much a call that is named after `noun` is about this member: 0 is the thing itself, 3 what people think of last."""
    thing = stem(name)
    if thing in ("", "resource") or thing == noun:
        return 0
    if LAST.match(name) and "role" not in noun:
        return 3
    return 1 if thing in noun or thing.endswith(noun) else 2


def texts(shapes, member):
    """The member if it holds a text, or several."""
    shape = shapes[member["shape"]]
    if shape["type"] == "list":
        shape = shapes[shape["member"]["shape"]]
    return shape["type"] == "string" and "enum" not in shape


def spelt(service, name, member):
    """As CloudTrail has it."""
    if service == "s3" and name == "Bucket":
        return "bucketName"
    if service == "ec2":
        name = member.get("locationName", name)
    return name[:1].lower() + name[1:]


def of_request(service, shapes, operation, noun):
    """The required members that identify something, and else optional ones that the call is named after: (rank, names)."""
    shape = shapes[operation["input"]["shape"]] if "input" in operation else {}
    members, required = shape.get("members", {}), shape.get("required", [])
    if service == "iam":
        required = [name for name in IAM_FIRST if name in members] + [name for name in required if name not in IAM_FIRST]

    def ranked(names):
        found = [(rank(name, noun), name) for name in names if is_identifier(name) and texts(shapes, members[name])]
        return found if service == "iam" else sorted(found, key=lambda one: one[0])

    found = ranked(required)
    # Of what a call makes use of, lists are long and tell little.
    is_list = {name for name in members if shapes[members[name]["shape"]]["type"] == "list"}
    found = [(place, name) for place, name in found if place < 2 or name not in is_list] or found
    named = [name for place, name in found if place < 3][:3] or [name for _, name in found][:1]
    if service == "s3" and "Bucket" in named:
        named = ["Bucket"]
    if named:
        worst = min(place for place, name in found if name in named)
        return worst, "+".join(spelt(service, name, members[name]) for name in named)
    optional = [name for place, name in ranked(name for name in members if name not in required) if place < 2][:3]
    return (0 if optional else 3), "|".join(spelt(service, name, members[name]) for name in optional)


def of_answer(service, shapes, operation, noun):
    """The identifier of what was made, in the answer."""
    if "output" not in operation:
        return ""
    level, found = [((), operation["output"]["shape"])], []
    for depth in range(4):
        below = []
        for path, name in level:
            shape = shapes[name]
            if shape["type"] == "list":
                shape = shapes[shape["member"]["shape"]]
            for key, member in shape.get("members", {}).items():
                cased = spelt(service, key, member)
                holder = words(path[-1]) if path else ""
                if texts(shapes, member) and is_identifier(key):
                    thing = stem(key) or holder
                    if thing and (thing == noun or noun.startswith(thing) and depth < 2):
                        order = ("id", "identifier", "name", "arn")
                        end = next((place for place, word in enumerate(order) if words(key).endswith(word)), 4)
                        bare = key.lower() in BARE
                        found.append((thing != noun, depth, end, ".".join((*path, cased)) if bare else cased))
                elif shapes[member["shape"]]["type"] in ("structure", "list"):
                    below.append(((*path, cased), member["shape"]))
        level = below
        if found:
            break
    return f">{min(found)[-1]}" if found else ""


def main():
    table = defaultdict(dict)  # eventSource → call → how it names its target
    reads = catalogue_reads()
    listed = calls.listed()
    for service, model in calls.models():
        sources = calls.sources(service, model["metadata"], *listed)
        shapes = model["shapes"]
        for name, operation in model["operations"].items():
            noun = words(name[len(calls.verb(name)):])
            place, names = of_request(service, shapes, operation, noun)
            made = of_answer(service, shapes, operation, noun) if place == 3 or "|" in names or not names else ""
            entry = "|".join(filter(None, [made, names] if place == 3 else [names, made]))
            recorded = {"s3": calls.S3_NAMES, "s3control": {**calls.S3_NAMES, **calls.S3CONTROL_NAMES}}.get(service, {})
            recorded = recorded.get(name, name)
            for source in sources:
                if recorded in reads[calls.source(source)]:
                    # What it reads is no target, and what the request names is found without the table, by how it ends.
                    is_guessed = all(map(ENDS.search, re.findall(r"\w+", capitalized(names))))
                    kept = "" if is_guessed else names
                else:
                    kept = entry
                if kept:
                    known = table[source].setdefault(recorded, kept)
                    # Two services have a call of this name.
                    if known != kept:
                        join = "|" if re.search(r"[|>]", known + kept) else "+"
                        table[source][recorded] = join.join(dict.fromkeys(re.split(rf"[{join}]", f"{known}{join}{kept}")))
    for service, entries in WRITTEN.items():
        table[service].update(entries)
    write(table)


def capitalized(entry):
    """So that `name` ends as `bucketName` does."""
    return re.sub(r"\w+", lambda word: word.group(0)[:1].upper() + word.group(0)[1:], entry)


def catalogue_reads():
    """The calls that only read, by eventSource, as the lint's catalogue has them."""
    reads, source = defaultdict(set), ""
    for line in calls.OUT.read_text().splitlines():
        if not line.startswith(" "):
            source = line
            continue
        first, *rest = line.split()
        verb, _, flags = first.partition(":")
        if "r" in flags and "d" not in flags:
            reads[source].update(verb if end == "-" else verb + end for end in rest)
    return reads


def write(table):
    text, sections = f"# Made by generate.py with botocore {metadata.version('botocore')}.\n", []
    for source in sorted(filter(table.get, table), key=calls.source):
        text += calls.source(source) + "\n"
        groups = defaultdict(list)
        for name, entry in table[source].items():
            groups[entry or "-"].append(name)
        section = "".join(f" {entry} {' '.join(sorted(names))}\n" for entry, names in sorted(groups.items()))
        # All of it is ASCII: a character is a byte.
        sections.append(f"{calls.source(source)} {len(text)} {len(section)}\n")
        text += section
    OUT.write_text(text)
    SECTIONS.write_text("".join(sections))
    print(f"{len(table)} services, {sum(map(len, table.values()))} calls, {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
