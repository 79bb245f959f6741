"""Invented CloudTrail records in CloudTrail's own shapes, for the generators beside this file.

Every value comes from a seed: the same seed writes the same bytes. Accounts are those of AWS's documentation, addresses those
of RFC 5737, access keys end in EXAMPLE. The shapes are those of the CloudTrail User Guide (record contents, userIdentity
element) and of the services' own sample entries.
"""

import collections
import datetime
import gzip
import json
import pathlib
import random

UTC = datetime.timezone.utc


class Source(random.Random):
    """Random values as AWS writes them."""

    def hexadecimal(self, digits):
        return "".join(self.choice("0123456789abcdef") for _ in range(digits))

    def letters(self, count, alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"):
        return "".join(self.choice(alphabet) for _ in range(count))

    def uuid(self):
        text = self.hexadecimal(32)
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"

    def key(self, kind="ASIA"):
        """An access key's id, of the 20 characters that one has."""
        return f"{kind}{self.letters(9)}EXAMPLE"

    def unique(self, kind="AROA"):
        """The id of an IAM user (AIDA) or role (AROA)."""
        return f"{kind}{self.letters(10)}EXAMPLE"

    def some_id(self, kind):
        """The id of something of EC2: i-, sg-, vol-, …"""
        return f"{kind}-0{self.hexadecimal(16)}"


def iso(time):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def written(time):
    """A time as answers have it: Nov 3, 2026, 9:05:00 AM."""
    return f"{time:%b} {time.day}, {time.year}, {(time.hour + 11) % 12 + 1}:{time:%M:%S %p}"


class Role:
    """A role of an account, with an id of its own for its life."""

    def __init__(self, source, account, name, path="/"):
        self.account, self.name, self.path, self.id = account, name, path, source.unique()

    @property
    def arn(self):
        return f"arn:aws:iam::{self.account}:role{self.path}{self.name}"

    def session(self, name, key, created, *, mfa=False, source_identity=None, web=None, invoked_by=None, instance=False,
                console=False):
        """userIdentity of a session of this role."""
        context = {
            "sessionIssuer": {"type": "Role", "principalId": self.id, "arn": self.arn, "accountId": self.account,
                              "userName": self.name},
        }
        if web is not None:
            context["webIdFederationData"] = {"federatedProvider": web, "attributes": {}}
        context["attributes"] = {"creationDate": iso(created), "mfaAuthenticated": "true" if mfa else "false"}
        if source_identity is not None:
            context["sourceIdentity"] = source_identity
        if instance:
            context["ec2RoleDelivery"] = "2.0"
        identity = {
            "type": "AssumedRole", "principalId": f"{self.id}:{name}",
            "arn": f"arn:aws:sts::{self.account}:assumed-role/{self.name}/{name}",
            "accountId": self.account, "accessKeyId": key, "sessionContext": context,
        }
        if invoked_by is not None:
            identity["invokedBy"] = invoked_by
            if invoked_by.endswith(".amazonaws.com"):
                del identity["accessKeyId"]
        if console:
            identity["consoleSession"] = True
        return identity


class User:
    """An IAM user of an account."""

    def __init__(self, source, account, name):
        self.account, self.name, self.id, self.key = account, name, source.unique("AIDA"), source.key("AKIA")

    @property
    def arn(self):
        return f"arn:aws:iam::{self.account}:user/{self.name}"

    def identity(self, key=None, session=None):
        """userIdentity by the user's own key, or in a session: the time when it began, and whether with MFA."""
        identity = {"type": "IAMUser", "principalId": self.id, "arn": self.arn, "accountId": self.account,
                    "accessKeyId": key or self.key, "userName": self.name}
        if session is not None:
            created, mfa = session
            identity["sessionContext"] = {
                "attributes": {"creationDate": iso(created), "mfaAuthenticated": "true" if mfa else "false"}}
        return identity


def record(source, time, identity, service, event, request=None, response=None, *, region="eu-west-1", address, agent,
           read_only=False, error=None, account=None, **more):
    """A record of a management event. `error` is a code and a message."""
    host = {"iam": "iam.amazonaws.com", "route53": "route53.amazonaws.com"}.get(service, f"{service}.{region}.amazonaws.com")
    if service in ("iam", "route53", "organizations"):
        region = "us-east-1"
    made = {
        "eventVersion": "1.11", "userIdentity": identity, "eventTime": iso(time),
        "eventSource": f"{service}.amazonaws.com", "eventName": event, "awsRegion": region,
        "sourceIPAddress": address, "userAgent": agent,
    }
    if error is not None:
        made["errorCode"], made["errorMessage"] = error
    made |= {
        "requestParameters": request, "responseElements": None if error else response,
        "requestID": source.uuid(), "eventID": source.uuid(), "readOnly": read_only, "eventType": "AwsApiCall",
        "managementEvent": True, "recipientAccountId": account or identity.get("accountId"), "eventCategory": "Management",
    }
    if not address.endswith(".amazonaws.com") and address != "AWS Internal":
        made["tlsDetails"] = {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256",
                              "clientProvidedHostHeader": host}
    return made | more


def sign_in(source, time, identity, address, agent, *, mfa, failed=False, region="us-east-1"):
    """A record of a sign-in to the console."""
    made = record(source, time, identity, "signin", "ConsoleLogin", None,
                  {"ConsoleLogin": "Failure" if failed else "Success"}, region=region, address=address, agent=agent)
    if failed:
        made["errorMessage"] = "Failed authentication"
    return made | {
        "eventType": "AwsConsoleSignIn",
        "additionalEventData": {"LoginTo": "https://console.aws.amazon.com/console/home?state=hashArgs%23&isauthcode=true",
                                "MobileVersion": "No", "MFAUsed": "Yes" if mfa else "No"},
        "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256",
                       "clientProvidedHostHeader": "signin.aws.amazon.com"},
    }


def assume_role(source, time, caller, role, session, *, address, agent, source_identity=None, region="eu-west-1",
                hours=1):
    """A record of AssumeRole, and the access key that it issued."""
    key = source.key()
    request = {"roleArn": role.arn, "roleSessionName": session, "durationSeconds": hours * 3600}
    if source_identity is not None:
        request["sourceIdentity"] = source_identity
    response = {
        "credentials": {"accessKeyId": key, "sessionToken": source.letters(40),
                        "expiration": written(time + datetime.timedelta(hours=hours))},
        "assumedRoleUser": {"assumedRoleId": f"{role.id}:{session}",
                            "arn": f"arn:aws:sts::{role.account}:assumed-role/{role.name}/{session}"},
    }
    if source_identity is not None:
        response["sourceIdentity"] = source_identity
    made = record(source, time, caller, "sts", "AssumeRole", request, response, region=region, address=address,
                  agent=agent, read_only=True, account=role.account,
                  resources=[{"accountId": role.account, "type": "AWS::IAM::Role", "ARN": role.arn}])
    return made, key


def write_logs(folder, records):
    """Writes records as CloudTrail delivers them: a gzip of {"Records": […]} for each account, region and five minutes."""
    files = collections.defaultdict(list)
    for one in sorted(records, key=lambda one: (one["eventTime"], one["eventID"])):
        time = datetime.datetime.strptime(one["eventTime"], "%Y-%m-%dT%H:%M:%SZ")
        slot = time.replace(minute=time.minute // 5 * 5, second=0)
        files[one["recipientAccountId"], one["awsRegion"], slot].append(one)
    for (account, region, slot), members in files.items():
        path = pathlib.Path(folder, "AWSLogs", account, "CloudTrail", region, f"{slot:%Y/%m/%d}")
        path.mkdir(parents=True, exist_ok=True)
        name = f"{account}_CloudTrail_{region}_{slot:%Y%m%dT%H%MZ}_{members[0]['eventID'].replace('-', '')[:16]}.json.gz"
        # Without the time in gzip's header, the same records are the same bytes.
        packed = gzip.compress(json.dumps({"Records": members}, separators=(",", ":")).encode(), mtime=0)
        (path / name).write_bytes(packed)


def write_lines(path, records):
    """Writes one JSON object a line, in the order of time."""
    ordered = sorted(records, key=lambda one: (one["eventTime"], one["eventID"]))
    pathlib.Path(path).write_text("".join(json.dumps(one, separators=(",", ":")) + "\n" for one in ordered))
