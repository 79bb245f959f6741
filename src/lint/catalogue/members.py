"""Writes members.bin: what can stand in the request and in the answer of each call, as CloudTrail spells it. `generate.py` runs
it; alone it prints what the file holds of one service, for a look at what a renewal changes:

    python3 src/lint/catalogue/members.py iam.amazonaws.com

What a request may hold comes from botocore's models. What real records and AWS's pages show beside them stands in
recorded_members.tsv, each row with its source; so do the parts that no model describes (userIdentity, tlsDetails, sign-ins …).

The file: a text index, a line for each eventSource with the offset and the length of its block (from the end of the index, which
an empty line closes), then the blocks, each deflated by itself (zlib), so that a reader unpacks only what it asks for. A block:

    CreateUser 3 7,9            a call, the shapes of its requestParameters and responseElements: members of any are right
    ConsoleLogin - ~4 5         `-`: nothing is known; `~`: only what records show, there may be more; the third: what stands in
                                other parts of the record. The call `*`: of every call. The service `*`: of every service
                                an empty line
    groupName policyDocument~   the shape of number 1, 2, …: its members; `.` alone: it has none
    tags=4 metadata@ body?      `=4`: an object, or a list of such, of shape 4; `~`: a text that may hold JSON; `@`: an object
                                with keys that callers choose; `?`: anything; `%`: an object with names of this block; nothing:
                                a value below which nothing can stand
"""

import pathlib
import re
import sys
import zlib
from collections import defaultdict

HERE = pathlib.Path(__file__).parent
OUT = HERE / "members.bin"
RECORDED = HERE / "recorded_members.tsv"

# How CloudTrail spells the members of a service's requests and answers: with the model's capitals, or with a small first
# letter, as it does in most. Of a service in neither list both are taken. Source: real records, and the examples of each
# service's page "Logging API calls with AWS CloudTrail".
CAPITALS = set("account ce cloudshell devops-guru resource-explorer-2 securityhub".split())
SMALL = set(
    "acm acm-pca apigateway application-autoscaling athena autoscaling backup cloudformation cloudfront cloudhsm cloudtrail "
    "codebuild codecommit codedeploy codepipeline cognito-identity cognito-idp config datapipeline datasync directconnect dms ds "
    "dynamodb ebs ec2 ec2-instance-connect ecr ecs eks elasticache elasticbeanstalk elasticfilesystem elasticloadbalancing "
    "elasticmapreduce es events firehose fsx glacier glue guardduty iam inspector2 kinesis kms lambda logs monitoring "
    "organizations ram rds redshift resource-groups rolesanywhere route53 route53domains route53resolver s3-outposts sagemaker "
    "secretsmanager servicecatalog servicequotas ses shield sns sqs ssm sso states storagegateway sts support tagging waf "
    "waf-regional wafv2 workspaces".split()
)

# Services that leave the one object around an answer out: `dBInstanceArn`, not `dBInstance.dBInstanceArn`. Source: real records.
BARE_ANSWERS = {"elasticache", "rds", "redshift"}

# Parts of names of texts that hold whole documents, which a path may lead into.
DOCUMENT = re.compile(
    r"polic|document|definition|body|template|json|content|config|payload|query|schema|pattern|statement|manifest|input|output|"
    r"parameters|attributes|metadata|details|text|data|value|message|rule|filter|spec|state|event|options|settings|context|script|"
    r"command|code",
    re.IGNORECASE,
)
NAME = re.compile(r"(name|id|ids|arn|arns|identifier|type|status|region|date|time|prefix|email|url|uri|version|mode|key|token|"
                  r"account|zone|class|protocol|port|cidr|ip|alias|engine|size|count)$", re.IGNORECASE)
A_DOCUMENT = '{"Version":"2012-10-17","Statement":[]}'

# What EC2 calls a list in requests, where it is not the name of the member with `Set`: the names of its first, SOAP API.
# Source: real records.
EC2_SETS = {
    "SecurityGroupIds": ["groupSet"], "SecurityGroups": ["groupSet"], "GroupIds": ["securityGroupIdSet"],
    "GroupNames": ["securityGroupSet"], "InstanceIds": ["instancesSet"], "ImageIds": ["imagesSet"],
    "ExecutableUsers": ["executableBySet"], "Resources": ["resourcesSet"], "Filters": ["filterSet"], "Tags": ["tagSet"],
    "TagSpecifications": ["tagSpecificationSet"], "NetworkInterfaces": ["networkInterfaceSet"], "Groups": ["groupSet"],
    "BlockDeviceMappings": ["blockDeviceMapping"], "PrivateIpAddresses": ["privateIpAddressesSet"], "KeyNames": ["keySet"],
    "AllocationIds": ["allocationIdsSet"], "PublicIps": ["publicIpsSet"], "ZoneNames": ["availabilityZoneSet"],
    "ZoneIds": ["availabilityZoneIdSet"], "RegionNames": ["regionSet"], "SnapshotIds": ["snapshotSet"], "Owners": ["ownersSet"],
    "DhcpOptionsIds": ["dhcpOptionsSet"], "DhcpConfigurations": ["dhcpConfigurationSet"], "OwnerIds": ["ownersSet"],
    "RestorableByUserIds": ["restorableBySet"], "IpPermissions": ["ipPermissions"], "IpRanges": ["ipRanges"],
    "UserIdGroupPairs": ["groups"], "Attributes": ["accountAttributeNameSet"],
}
# Other members of EC2's requests that its first API named otherwise. Source: real records.
EC2_NAMES = {
    "AvailabilityZone": ["zone"], "Description": ["groupDescription"], "Protocol": ["aclProtocol"], "Force": ["force"],
    "Placement": ["zone"], "Attribute": ["attributeType"],
}


def small(name):
    return name[:1].lower() + name[1:]


class Block:
    """The calls and shapes of one eventSource."""

    def __init__(self, source):
        self.source = source
        self.calls = defaultdict(lambda: [set(), set(), set()])
        self.shapes = []
        self.numbers = {}

    def shape(self, key, members):
        """The number of a shape, whose members are worked out once; it may hold itself."""
        if key not in self.numbers:
            self.shapes.append(None)
            number = self.numbers[key] = len(self.shapes)
            self.shapes[number - 1] = members()
        return self.numbers[key]

    def text(self):
        lines = []
        for call, parts in sorted(self.calls.items()):
            alone = [self.numbers.get(("recorded", call, place)) for place in (0, 1)]
            marks = ["~" if part == {number} else "" for part, number in zip(parts, alone)]
            numbers = [mark + ",".join(map(str, sorted(part))) if part else "-" for part, mark in zip(parts, [*marks, ""])]
            if numbers != ["-", "-", "-"]:
                lines.append(f"{call} {' '.join(numbers)}".removesuffix(" -"))
        return "\n".join([*lines, "", *(" ".join(sorted(shape)) or "." for shape in self.shapes)]) + "\n"


class Reader:
    """Reads the shapes of one of botocore's models into a block."""

    def __init__(self, block, service, model):
        self.block = block
        self.service = service
        self.shapes = model["shapes"]
        self.protocol = model["metadata"]["protocol"]
        self.is_ec2 = service == "ec2"
        self.is_s3 = service in ("s3", "s3control")

    def operation(self, call, operation, reads):
        request, answer, _ = self.block.calls[call]
        if self.is_s3:
            request.add(self.s3_request(call, operation))
        elif "input" in operation:
            request.add(self.structure(operation["input"]["shape"], "top"))
        else:
            request.add(self.block.shape("nothing", set))
        if self.is_ec2:
            request.add(self.wrapped(call, "Request", operation.get("input")))
        # CloudTrail leaves the answers of reading calls out, but for some that hand out credentials: of those nothing is said.
        if not reads and not self.is_s3:
            answer.add(self.answer(operation.get("output")))
            if self.is_ec2:
                answer.add(self.wrapped(call, "Response", operation.get("output")))

    def answer(self, output):
        # Where a call fails, some services put what they answer here; EC2 has two more in all answers.
        extra = {"_return", "requestId", "requestID"} if self.is_ec2 else {"message"}
        if output is None:
            return self.block.shape("no answer", lambda: extra)
        structure = self.shapes[output["shape"]]
        members = structure.get("members", {})
        inner = [member["shape"] for member in members.values() if self.shapes[member["shape"]]["type"] == "structure"]

        def of():
            found = self.members(output["shape"], "below") | extra
            for name in inner if self.block.source in BARE_ANSWERS else ():
                found |= self.members(name, "below")
            if "payload" in structure and structure["payload"] in members:
                found |= self.members(members[structure["payload"]]["shape"], "below")
            return found

        return self.block.shape((self.service, output["shape"], "answer"), of)

    def wrapped(self, call, what, reference):
        """EC2's newer calls: `CreateFlowLogsRequest`, an object with the names and the lists of its wire format."""
        if reference is None:
            return self.block.shape("nothing", set)
        inner = self.structure(reference["shape"], "wire" if what == "Request" else "below")
        if what == "Response":
            inner = self.block.shape((self.service, reference["shape"], "response"),
                                     lambda: self.members(reference["shape"], "below") | {"xmlns", "requestId", "return"})
        return self.block.shape((call, what), lambda: {f"{call}{what}={inner}"})

    def structure(self, name, mode):
        return self.block.shape((self.service, name, mode), lambda: self.members(name, mode))

    def members(self, name, mode):
        structure = self.shapes[name]
        found = set()
        if structure.get("document"):
            return found
        for key, member in structure.get("members", {}).items():
            for spelt in self.spelt(key, member, mode):
                found |= {f"{spelt}{kind}" for kind in self.kinds(key, member["shape"], mode, member)}
        if "xmlNamespace" in structure and self.is_s3:
            found |= {"xmlns", "xmlns:xsi"}
        if mode == "wire":
            found |= {"tag", "content"}
        if self.is_ec2 and mode == "top":
            for key, member in structure.get("members", {}).items():
                sets = []
                if self.shapes[member["shape"]]["type"] == "list":
                    sets = EC2_SETS.get(key, [])
                    stem = small(member.get("locationName", key))
                    bare = re.sub(r"(Id|Name)s?$", "", stem)
                    sets = [*sets, *(f"{name}Set" for name in (stem, f"{stem}s", small(key), bare, f"{bare}s") if name),
                            re.sub(r"s$", "", small(key)) + "Set"]
                for spelt in [*sets, *EC2_NAMES.get(key, [])]:
                    found |= {f"{spelt}{kind}" for kind in self.kinds(key, member["shape"], "top", member)}
        return found

    def spelt(self, key, member, mode):
        location = member.get("locationName", key)
        if self.is_ec2:
            if mode == "wire":
                return {location[:1].upper() + location[1:], member.get("queryName", key), key}
            return {small(key), small(location)}
        style = self.block.source
        names = {key}
        if member.get("location") in (None, "uri", "querystring") and re.fullmatch(r"[\w:-]+", location):
            names.add(location)
        if key.isupper():
            names.add(key.lower())
        if self.is_s3 or style in CAPITALS:
            return names
        if style in SMALL:
            return {small(name) for name in names}
        return {small(name) for name in names} | names

    def kinds(self, key, name, mode, member):
        """How the value of a member is written down: one, or several where records have both."""
        shape = self.shapes[name]
        kind = shape["type"]
        if member.get("jsonvalue") or shape.get("document"):
            return ["?"]
        if kind == "list":
            inner = shape["member"]["shape"]
            below = self.kinds(key, inner, mode, shape["member"])
            if self.is_s3 and not (shape.get("flattened") or member.get("flattened")):
                # `AccessControlList: {"Grant": [...]}`: S3 records the body as it is in XML.
                element = shape["member"].get("locationName", "member")
                number = self.block.shape((self.service, name, key, "elements"), lambda: {f"{element}{kind}" for kind in below})
                return [*below, f"={number}"]
            if not self.is_ec2:
                return below
            if mode == "wire":
                return [*below, f"={self.block.shape('tagged', lambda: {'tag', 'content'})}"]
            spelling = {"items", "item"}
            if mode == "top" and self.shapes[inner]["type"] != "structure":
                # `instancesSet.items.instanceId`: the name of the one member is that of no model.
                return [*below, f"={self.block.shape('named', lambda: {f'{name}%' for name in spelling})}"]
            number = self.block.shape((self.service, name, mode, key, "items"),
                                      lambda: {f"{name}{kind}" for name in spelling for kind in below})
            if self.shapes[inner]["type"] == "structure" and small(key) != "tags":
                # `ipPermissions.items.ipRanges.items`: of lists of objects, real records have those of tags alone without.
                return [f"={number}"]
            return [*below, f"={number}"]
        if kind == "structure":
            found = [f"={self.structure(name, mode)}"]
            if self.is_ec2 and list(shape.get("members", {})) == ["Value"]:
                # `instanceType: {"value": "t3.micro"}`, but `userData: "<sensitiveDataRemoved>"`.
                return [*found, ""]
            return [*found, "~"] if shape.get("sensitive") or member.get("sensitive") else found
        if kind == "map":
            return ["@", "~"] if shape.get("sensitive") else ["@"]
        if kind == "blob":
            return ["?"]
        if kind == "string" and not shape.get("enum") and self.may_hold_json(key, name, shape):
            # Of EC2's texts no others hold JSON.
            return ["~"] if not self.is_ec2 or re.search("polic|document", key, re.IGNORECASE) else [""]
        if self.is_ec2 and mode == "wire":
            return ["", f"={self.block.shape('tagged', lambda: {'tag', 'content'})}"]
        return [""]

    @staticmethod
    def may_hold_json(key, name, shape):
        if not (DOCUMENT.search(key) or DOCUMENT.search(name)):
            return False
        if shape.get("max", 10**9) < 200 or (NAME.search(key) and not re.search("polic|document|body|templat", key, re.I)):
            return False
        pattern = shape.get("pattern")
        if pattern:
            try:
                return re.fullmatch(pattern, A_DOCUMENT) is not None or re.match(pattern, "{}") is not None
            except re.error:
                return True
        return True

    def s3_request(self, call, operation):
        """S3 records the parts of its requests: names in the path, the query, headers, and the body by its own name."""

        def of():
            found = {"bucketName", "key", "Host", "host", "x-amz-expected-bucket-owner", "x-amz-request-payer", "accountId"}
            found |= {query.split("=")[0] for query in operation["http"]["requestUri"].partition("?")[2].split("&") if query}
            structure = self.shapes[operation["input"]["shape"]] if "input" in operation else {}
            for key, member in structure.get("members", {}).items():
                location = member.get("locationName", key)
                if member.get("location") == "headers":
                    continue
                target = self.shapes[member["shape"]]
                if member.get("location") in ("uri", "querystring", "header"):
                    found |= {location, small(key)}
                else:
                    found |= {f"{location}{kind}" for kind in self.kinds(key, member["shape"], "below", member)}
                    found |= {f"{key}{kind}" for kind in self.kinds(key, member["shape"], "below", member)}
                    if target["type"] == "structure":
                        self.block.shapes[self.block.numbers[self.service, member["shape"], "below"] - 1].update(
                            {"xmlns", "xmlns:xsi", "xsi:type"})
            return found

        return self.block.shape((self.service, call, "request"), of)


def recorded():
    """The rows of recorded_members.tsv: source, call, path, kind, origin."""
    for line in RECORDED.read_text().splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


def graft(blocks):
    """Adds the rows of recorded_members.tsv. What they say of a call that a model describes is one more shape of its; where none
    does it is all that is known, and marked."""
    rows = list(recorded())
    # Which names these two parts have anywhere: a misspelt one is like one of them.
    rows += [("*", "*", *row[2:]) for row in rows if row[2].startswith(("additionalEventData.", "serviceEventDetails."))]
    for source, call, path, kind, _ in rows:
        block = blocks.setdefault(source, Block(source))
        part, *rest = path.split(".")
        place = {"requestParameters": 0, "responseElements": 1}.get(part, 2)
        keys = rest if place < 2 else [part, *rest]
        # A row of every call of a service about requests or answers is one of each that has a model.
        for name in list(block.calls) if call == "*" and place < 2 else [call]:
            at = block.shape(("recorded", name, place), set)
            block.calls[name][place].add(at)
            for depth, key in enumerate(keys[:-1]):
                below = block.shape(("recorded", name, place, *keys[: depth + 1]), set)
                block.shapes[at - 1].add(f"{key}={below}")
                at = below
            block.shapes[at - 1].add(keys[-1] + kind.replace("-", ""))


def write(blocks):
    graft(blocks)
    for block in blocks.values():
        block.packed = zlib.compress(block.text().encode(), 9)
    lines, offset = [], 0
    packed = []
    for source, block in sorted(blocks.items()):
        lines.append(f"{source} {offset} {len(block.packed)}")
        packed.append(block.packed)
        offset += len(block.packed)
    OUT.write_bytes(("\n".join(lines) + "\n\n").encode() + b"".join(packed))
    print(f"members.bin: {len(blocks)} services, {sum(len(block.calls) for block in blocks.values())} calls, {OUT.stat().st_size} bytes")


def show(source):
    index, _, packed = OUT.read_bytes().partition(b"\n\n")
    for line in index.decode().splitlines():
        name, offset, length = line.split()
        if name == source:
            print(zlib.decompress(packed[int(offset):][: int(length)]).decode(), end="")


if __name__ == "__main__":
    show(sys.argv[1])
