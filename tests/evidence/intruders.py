"""Labelled traffic, by seed: intruders at work at the same time in some accounts, and the owners' own work on the same roles.

    python3 tests/evidence/intruders.py OUT [--seed 1] [--calls 150] [--hours 5]

It writes

- OUT/AWSLogs: the records, as CloudTrail delivers them, and OUT/records.jsonl: the same, one a line, in the order of time;
- OUT/labels.jsonl: a line for each record: {"event": eventID, "who": "intruder-3" or "operator", "person": who it is by name (an
  IAM user, or a person of Identity Center), "chain": the chain of roles whose last session made the call, or null,
  "shared": what the records of one call in two accounts have in common, or null}.

Ten intruders come in five pairs, and each pair shares something by which they could be taken for one:

    0, 1    one permission set of Identity Center in one account, two people
    2, 3    one role in one account, which two IAM users assume
    4, 5    one source address, in two accounts
    6, 7    chains of three roles over three accounts, the first with a source identity, both ending in one role
    8, 9    chains of three roles, one of them with a source identity, from one address, ending in one role

The owners work on the same roles from other addresses: people of the same permission set, a pipeline that assumes the roles at
the ends of the chains. `score_messages.py` beside this file says what messages about all this are worth.
"""

import argparse
import datetime
import json
import pathlib

from cloudtrail import UTC, Role, Source, User, assume_role, record, write_lines, write_logs

ACCOUNTS = ["111122223333", "444455556666", "777788889999", "123456789012", "999999999999"]
# When the clock of tests/delivery begins, so that a test can play the records at their own times.
START = datetime.datetime(2026, 1, 10, 11, 32, 44, tzinfo=UTC)
REGION = "us-east-1"
AGENTS = [
    "aws-cli/2.15.30 Python/3.11.8 Linux/6.6.15-amd64 exe/x86_64.kali.2024 prompt/off command/{}.{}",
    "Boto3/1.34.51 md/Botocore#1.34.51 ua/2.0 os/linux#6.1.0 md/arch#x86_64 lang/python#3.11.2",
    "aws-sdk-go-v2/1.25.2 os/linux lang/go#1.22.0 md/GOOS#linux md/GOARCH#amd64 api/{}#1.0.0",
]
OWN_AGENT = "aws-cli/2.18.5 md/awscrt#0.22.0 ua/2.0 os/macos#24.1.0 md/arch#arm64 lang/python#3.12.6 md/command#{}.{}"


def policy(*, principal=None, action="*"):
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    if principal is not None:
        statement["Principal"] = principal
    return {"Version": "2012-10-17", "Statement": [statement]}


class Deeds:
    """What is done in an account: each deed is a service, a call, its request and its answer."""

    def __init__(self, source, account):
        self.random, self.account = source, account

    def name(self, kind):
        return f"{kind}-{self.random.hexadecimal(5)}"

    # What a deed of a burst does again and again, each time to something else.

    def new_key(self):
        name = self.name("svc")
        return "iam", "CreateAccessKey", {"userName": name}, {"accessKey": {
            "accessKeyId": self.random.key("AKIA"), "status": "Active", "userName": name}}

    def new_user(self):
        name = self.name("backup")
        return "iam", "CreateUser", {"userName": name}, {"user": {
            "userName": name, "arn": f"arn:aws:iam::{self.account}:user/{name}", "userId": self.random.unique("AIDA")}}

    def new_password(self):
        name = self.name("backup")
        return "iam", "CreateLoginProfile", {"userName": name, "passwordResetRequired": False}, {"loginProfile": {
            "userName": name, "passwordResetRequired": False}}

    def administrator(self):
        return "iam", "AttachUserPolicy", {"userName": self.name("backup"),
                                           "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}, None

    def inline(self):
        return "iam", "PutRolePolicy", {"roleName": self.name("role"), "policyName": "all",
                                        "policyDocument": json.dumps(policy())}, None

    def trust(self):
        return "iam", "UpdateAssumeRolePolicy", {"roleName": self.name("role"), "policyDocument": json.dumps(policy(
            principal={"AWS": "arn:aws:iam::555555555555:root"}, action="sts:AssumeRole"))}, None

    def no_mfa(self):
        name = self.name("admin")
        return "iam", "DeactivateMFADevice", {"userName": name,
                                              "serialNumber": f"arn:aws:iam::{self.account}:mfa/{name}"}, None

    def open_port(self):
        group = self.random.some_id("sg")
        port = self.random.choice([22, 3389, 4444])
        return "ec2", "AuthorizeSecurityGroupIngress", {"groupId": group, "ipPermissions": {"items": [{
            "ipProtocol": "tcp", "fromPort": port, "toPort": port, "groups": {}, "ipv6Ranges": {}, "prefixListIds": {},
            "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}}, {"_return": True, "securityGroupRuleSet": {"items": [{
                "groupId": group, "isEgress": False, "ipProtocol": "tcp", "fromPort": port, "toPort": port,
                "cidrIpv4": "0.0.0.0/0"}]}}

    def share_snapshot(self):
        return "ec2", "ModifySnapshotAttribute", {
            "snapshotId": self.random.some_id("snap"), "attributeType": "CREATE_VOLUME_PERMISSION",
            "createVolumePermission": {"add": {"items": [{"userId": "555555555555"}]}}}, {"_return": True}

    def public_snapshot(self):
        return "ec2", "ModifySnapshotAttribute", {
            "snapshotId": self.random.some_id("snap"), "attributeType": "CREATE_VOLUME_PERMISSION",
            "createVolumePermission": {"add": {"items": [{"group": "all"}]}}}, {"_return": True}

    def delete_snapshot(self):
        return "ec2", "DeleteSnapshot", {"snapshotId": self.random.some_id("snap")}, {"_return": True}

    def mine(self):
        machine = self.random.some_id("i")
        return "ec2", "RunInstances", {"instancesSet": {"items": [{"imageId": "ami-0123456789abcdef0", "minCount": 5,
                                                                   "maxCount": 5}]}, "instanceType": "p4d.24xlarge"}, {
            "instancesSet": {"items": [{"instanceId": machine, "instanceType": "p4d.24xlarge"}]}}

    def delete_bucket(self):
        return "s3", "DeleteBucket", {"bucketName": self.name("archive"), "Host": "s3.amazonaws.com"}, None

    def public_bucket(self):
        bucket = self.name("data")
        return "s3", "PutBucketPolicy", {"bucketName": bucket, "policy": "", "bucketPolicy": policy(
            principal="*", action="s3:GetObject")}, None

    def no_block(self):
        return "s3", "DeleteBucketPublicAccessBlock", {"bucketName": self.name("data"), "publicAccessBlock": ""}, None

    def delete_trail(self):
        return "cloudtrail", "StopLogging", {
            "name": f"arn:aws:cloudtrail:{REGION}:{self.account}:trail/{self.name('trail')}"}, None

    def selectors(self):
        return "cloudtrail", "PutEventSelectors", {"trailName": self.name("trail"), "eventSelectors": [
            {"readWriteType": "ReadOnly", "includeManagementEvents": False}]}, None

    def no_guardduty(self):
        return "guardduty", "DeleteDetector", {"detectorId": self.random.hexadecimal(32)}, None

    def provider(self):
        name = self.name("idp")
        return "iam", "CreateSAMLProvider", {"name": name, "sAMLMetadataDocument": "<EntityDescriptor/>"}, {
            "sAMLProviderArn": f"arn:aws:iam::{self.account}:saml-provider/{name}"}

    def delete_key(self):
        return "kms", "ScheduleKeyDeletion", {"keyId": self.random.uuid(), "pendingWindowInDays": 7}, {
            "keyId": f"arn:aws:kms:{REGION}:{self.account}:key/{self.random.uuid()}"}

    def delete_database(self):
        name = self.name("db")
        return "rds", "DeleteDBInstance", {"dBInstanceIdentifier": name, "skipFinalSnapshot": True}, {
            "dBInstanceIdentifier": name, "dBInstanceStatus": "deleting"}

    def master_password(self):
        name = self.name("db")
        return "rds", "ModifyDBInstance", {"dBInstanceIdentifier": name, "masterUserPassword": "****",
                                           "applyImmediately": True}, {"dBInstanceIdentifier": name}

    def delete_secret(self):
        secret = f"arn:aws:secretsmanager:{REGION}:{self.account}:secret:{self.name('db')}-AbCdEf"
        return "secretsmanager", "DeleteSecret", {"secretId": secret, "forceDeleteWithoutRecovery": True}, {"arn": secret}

    def delete_logs(self):
        return "logs", "DeleteLogGroup", {"logGroupName": f"/aws/{self.name('flow-logs')}"}, None

    def backdoor(self):
        name = self.name("worker")
        return "lambda", "AddPermission20150331v2", {"functionName": name, "principal": "*", "statementId": "s",
                                                     "action": "lambda:InvokeFunction"}, {"statement": "{}"}

    def no_flow_logs(self):
        return "ec2", "DeleteFlowLogs", {"DeleteFlowLogsRequest": {"FlowLogId": {
            "tag": 1, "content": self.random.some_id("fl")}}}, {"DeleteFlowLogsResponse": {"unsuccessful": ""}}

    def delete_vault(self):
        return "backup", "DeleteRecoveryPoint", {"backupVaultName": "Default", "recoveryPointArn":
                                                 f"arn:aws:ec2:{REGION}::snapshot/{self.random.some_id('snap')}"}, None

    # What an owner does on an ordinary day, of which some is off limits too.

    def shell(self):
        return "ssm", "StartSession", {"target": self.random.some_id("i")}, {
            "sessionId": f"s-{self.random.hexadecimal(17)}", "tokenValue": "Value hidden due to security reasons."}

    def internal_port(self):
        return "ec2", "AuthorizeSecurityGroupIngress", {"groupId": self.random.some_id("sg"), "ipPermissions": {"items": [{
            "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "groups": {}, "ipv6Ranges": {}, "prefixListIds": {},
            "ipRanges": {"items": [{"cidrIp": "10.0.0.0/16"}]}}]}}, {"_return": True}

    def tag(self):
        return "ec2", "CreateTags", {"resourcesSet": {"items": [{"resourceId": self.random.some_id("i")}]},
                                     "tagSet": {"items": [{"key": "owner", "value": "web"}]}}, {"_return": True}

    def new_role(self):
        name = self.name("job")
        return "iam", "CreateRole", {"roleName": name, "assumeRolePolicyDocument": json.dumps(policy(
            principal={"Service": "lambda.amazonaws.com"}, action="sts:AssumeRole"))}, {"role": {"roleName": name}}

    def attach(self):
        return "iam", "AttachRolePolicy", {"roleName": self.name("job"), "policyArn":
                                           "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}, None

    def record_set(self):
        return "route53", "ChangeResourceRecordSets", {"hostedZoneId": "Z0123456789EXAMPLE", "changeBatch": {"changes": [{
            "action": "UPSERT", "resourceRecordSet": {"name": "www.example.com", "type": "A"}}]}}, {"changeInfo": {
                "id": f"/change/C{self.random.letters(14)}", "status": "PENDING"}}

    def volume(self):
        return "ec2", "DeleteVolume", {"volumeId": self.random.some_id("vol")}, {"_return": True}


INTRUSIVE = ["new_key", "new_user", "new_password", "administrator", "inline", "trust", "no_mfa", "open_port",
             "share_snapshot", "public_snapshot", "delete_snapshot", "mine", "delete_bucket", "public_bucket", "no_block",
             "delete_trail", "selectors", "no_guardduty", "provider", "delete_key", "delete_database", "master_password",
             "delete_secret", "delete_logs", "backdoor", "no_flow_logs", "delete_vault"]
ORDINARY = ["shell", "internal_port", "tag", "tag", "new_role", "attach", "record_set", "volume", "tag"]
DENIED = ("AccessDenied", "User is not authorized to perform this action because no identity-based policy allows it")


class Traffic:
    """The records of all, with their labels."""

    def __init__(self, seed, calls, hours):
        self.random, self.calls, self.hours = Source(f"intruders {seed}"), calls, hours
        self.records, self.labels, self.chains = [], [], 0
        some = self.random
        suffix = some.hexadecimal(16)
        self.sets = {account: Role(some, account, f"AWSReservedSSO_AdministratorAccess_{suffix}",
                                   "/aws-reserved/sso.amazonaws.com/") for account in ACCOUNTS}
        self.roles = {(account, name): Role(some, account, name) for account in ACCOUNTS
                      for name in ("Operations", "Deployment", "Audit", "Relay")}
        self.pipeline = Role(some, ACCOUNTS[4], "pipeline-build")
        self.intruders = [f"198.51.100.{number}" for number in some.sample(range(1, 250), 8)]
        self.owners = [f"203.0.113.{number}" for number in some.sample(range(1, 250), 6)]

    def add(self, made, who, person, chain=None):
        self.records.append(made)
        self.labels.append({"event": made["eventID"], "who": who, "person": person, "chain": chain,
                            "shared": made.get("sharedEventID")})

    def assume(self, time, caller, role, session, who, person, address, agent, source_identity=None):
        """Assumes a role, and returns the key. What crosses accounts is recorded in both, and each record is labelled."""
        made, key = assume_role(self.random, time, caller, role, session, address=address, agent=agent,
                                source_identity=source_identity, region=REGION)
        if caller["accountId"] == role.account:
            self.add(made, who, person)
            return key
        shared = {"sharedEventID": self.random.uuid()}
        self.add(made | shared | {"recipientAccountId": caller["accountId"]}, who, person)
        stranger = {"type": "AWSAccount", "principalId": caller["principalId"], "accountId": caller["accountId"]}
        self.add(made | shared | {"userIdentity": stranger, "eventID": self.random.uuid()}, who, person)
        return key

    def work(self, deeds, session, time, who, person, address, agent, deed, count, every, denied=0.0):
        """One deed so often, each time to something else. `session` gives the identity at a time, and the chain that it comes
        from. Returns when the next deed may begin."""
        for _ in range(count):
            service, event, request, answer = getattr(deeds, deed)()
            error = DENIED if self.random.random() < denied else None
            identity, chain = session(time)
            self.add(record(self.random, time, identity, service, event, request, answer, region=REGION, address=address,
                            agent=agent.format(service, event.lower()), error=error, account=deeds.account),
                     who, person, chain)
            time += datetime.timedelta(seconds=self.random.uniform(0.5, 1.5) * every)
        return time

    def look(self, deeds, identity, time, who, person, address, agent, chain):
        """What is read before anything is done: no rule asks for it."""
        for service, event in (("sts", "GetCallerIdentity"), ("iam", "ListRoles"), ("s3", "ListBuckets"),
                               ("ec2", "DescribeInstances")):
            self.add(record(self.random, time, identity, service, event, None, None, region=REGION, address=address,
                            agent=agent.format(service, event.lower()), read_only=True, account=deeds.account),
                     who, person, chain)
            time += datetime.timedelta(seconds=self.random.randrange(1, 9))
        return time

    def intrude(self, number, *, account, address, start, chain=(), source_identity=None):
        """An intruder comes as a person of Identity Center (0, 1) or with an IAM user's key, and goes on through roles."""
        some, who = self.random, f"intruder-{number}"
        agent = some.choice(AGENTS)
        time = start
        if number < 2:
            person = ["jana@example.com", "tomas@example.com"][number]
            key = some.key()

            def session(now):
                return self.sets[account].session(person, key, start), None
        else:
            user = User(some, account, f"{some.choice(['deploy', 'report', 'legacy', 'vendor'])}-{some.hexadecimal(4)}")
            person = user.name

            def session(now):
                return user.identity(), None
        deeds = Deeds(some, account)
        time = self.look(deeds, session(time)[0], time, who, person, address, agent, None)
        left = self.calls
        if chain:
            # With the person's own credentials a little is done, before the first role is assumed.
            time = self.work(deeds, session, time, who, person, address, agent, "new_key", 2, 20)
            left -= 2
            own, held = session, []

            def session(now):
                # A session that one role's session begins lasts an hour at most: then the whole chain is walked again.
                if not held or now - held[0] > datetime.timedelta(minutes=55):
                    identity = own(now)[0]
                    for place, role in enumerate(chain):
                        # A session's name is what its caller likes, and may be somebody else's.
                        name = some.choice(["botocore-session-1768044764", "session", "aws-go-sdk", "jana@example.com"])
                        began = now - datetime.timedelta(seconds=4 * (len(chain) - place))
                        key = self.assume(began, identity, role, name, who, person, address,
                                          agent.format("sts", "assume-role"), source_identity if place == 0 else None)
                        identity = role.session(name, key, began, source_identity=source_identity)
                        if place + 1 < len(chain) and not held:
                            self.work(Deeds(some, role.account), lambda _, one=identity: (one, None), began, who, person,
                                      address, agent, "delete_snapshot", 2, 1)
                    self.chains += 1
                    held[:] = [now, identity, f"{who} chain {self.chains}"]
                return held[1], held[2]

            deeds = Deeds(some, chain[-1].account)
            time += datetime.timedelta(minutes=1)
            identity, last = session(time)
            time = self.look(deeds, identity, time, who, person, address, agent, last)
            left -= 2 * (len(chain) - 1)
        # Bursts of one kind after the other, with pauses, until the hours are over.
        kinds = some.sample(INTRUSIVE, min(len(INTRUSIVE), 16))
        end = start + datetime.timedelta(hours=self.hours)
        for place, kind in enumerate(kinds):
            count = left // (len(kinds) - place) if place + 1 < len(kinds) else left
            count = max(1, min(left, round(count * some.uniform(0.5, 1.5)))) if place + 1 < len(kinds) else left
            if count < 1:
                break
            time = self.work(deeds, session, time, who, person, address, agent, kind, count, 6, denied=0.15)
            left -= count
            pause = (end - time) / (len(kinds) - place)
            time += pause * some.uniform(0.2, 0.9)

    def operate(self):
        """An ordinary day of the owners, on the same roles."""
        some = self.random
        end = START + datetime.timedelta(hours=self.hours)
        people = ["mara@example.com", "aiko@example.com", "omar@example.com"]
        for place, person in enumerate(people):
            for account in some.sample(ACCOUNTS[:3] if place else ACCOUNTS, 2):
                time = START + datetime.timedelta(minutes=some.randrange(0, 60))
                key, began = some.key(), time
                while time < end:
                    identity = self.sets[account].session(person, key, began)
                    time = self.work(Deeds(some, account), lambda _, one=identity: (one, None), time, "operator", person,
                                     self.owners[place], OWN_AGENT, some.choice(ORDINARY), some.randrange(1, 3), 30)
                    time += datetime.timedelta(minutes=some.randrange(10, 50))
        for (account, name), role in self.roles.items():
            if name == "Audit":
                continue
            for _ in range(2):
                time = START + datetime.timedelta(minutes=some.randrange(0, 60 * self.hours - 10))
                build = self.pipeline.session(f"AWSCodeBuild-{some.uuid()}", some.key(), time)
                key = self.assume(time, build, role, "deploy", "operator", "pipeline-build", self.owners[4],
                                  OWN_AGENT.format("sts", "assume-role"))
                identity = role.session("deploy", key, time)
                for kind in some.sample(ORDINARY, 3):
                    time = self.work(Deeds(some, account), lambda _, one=identity: (one, None),
                                     time + datetime.timedelta(seconds=5), "operator", "pipeline-build", self.owners[4],
                                     OWN_AGENT, kind, 1, 10)

    def all(self):
        some, roles = self.random, self.roles

        def start():
            return START + datetime.timedelta(minutes=some.uniform(0, 25))

        for number in (0, 1):
            self.intrude(number, account=ACCOUNTS[0], address=self.intruders[number], start=start())
        for number in (2, 3):
            self.intrude(number, account=ACCOUNTS[1], address=self.intruders[number], start=start(),
                         chain=[roles[ACCOUNTS[1], "Operations"]])
        for number in (4, 5):
            self.intrude(number, account=ACCOUNTS[number - 2], address=self.intruders[4], start=start())
        ends = roles[ACCOUNTS[2], "Deployment"], roles[ACCOUNTS[4], "Deployment"]
        for number in (6, 7, 8, 9):
            first = ACCOUNTS[(number - 6) % 3]
            chain = [roles[first, "Relay"], roles[ACCOUNTS[3], ["Operations", "Relay"][number % 2]], ends[number // 8]]
            self.intrude(number, account=first, address=self.intruders[5 if number == 6 else 6 if number == 7 else 7],
                         start=start(), chain=chain, source_identity=f"person-{number}" if number % 2 == 0 else None)
        self.operate()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("out", type=pathlib.Path, help="the folder to write into")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--calls", type=int, default=150, help="off-limits calls of each intruder")
    arguments.add_argument("--hours", type=int, default=5, help="how long they are at work")
    options = arguments.parse_args()
    traffic = Traffic(options.seed, options.calls, options.hours)
    traffic.all()
    options.out.mkdir(parents=True, exist_ok=True)
    write_logs(options.out, traffic.records)
    write_lines(options.out / "records.jsonl", traffic.records)
    lines = (json.dumps(label) + "\n" for label in traffic.labels)
    (options.out / "labels.jsonl").write_text("".join(lines))
    intrusive = sum(label["who"] != "operator" for label in traffic.labels)
    print(f"{len(traffic.records)} records, {intrusive} of intruders, {traffic.chains} chains of roles")


if __name__ == "__main__":
    main()
