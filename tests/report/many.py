"""An archive of many findings, as a large organization has them: the same each time."""

import random
from uuid import UUID

CALLS = [
    ("iam", "CreateAccessKey", "userName", "accessKey"), ("iam", "AttachRolePolicy", "roleName", "role"),
    ("ec2", "RunInstances", "instanceType", "instance"), ("ec2", "AuthorizeSecurityGroupIngress", "groupId", "sg"),
    ("s3", "PutBucketPolicy", "bucketName", "bucket"), ("kms", "ScheduleKeyDeletion", "keyId", "key"),
    ("cloudtrail", "StopLogging", "name", "trail"), ("rds", "DeleteDBInstance", "dBInstanceIdentifier", "db"),
    ("lambda", "UpdateFunctionCode20150331v2", "functionName", "function"), ("sts", "AssumeRole", "roleArn", "role"),
]
REGIONS = ["eu-west-1", "us-east-1", "eu-central-1", "ap-southeast-2", "us-west-2"]
AGENTS = [
    "aws-cli/2.15.0 Python/3.11.6 Linux/5.15.0 exe/x86_64 prompt/off command/{}.{}", "Boto3/1.34.0 md/Botocore#1.34.0 ua/2.0 os/linux",
    "APN/1.0 HashiCorp/1.0 Terraform/1.6.6 terraform-provider-aws/5.31.0", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", "AWS Internal",
]


def records(count: int) -> list[dict]:
    """So many records, in 40 accounts, by 400 users, over 90 days. Every third request is unlike all others."""
    rng = random.Random(22)
    made = []
    for number in range(count):
        service, event, key, kind = CALLS[min(int(rng.expovariate(0.4)), 9)]
        account = f"{100_000_000_000 + 7_777_777 * rng.randrange(40)}"
        user = f"person-{min(int(rng.expovariate(0.02)), 399)}"
        seconds = 1_735_689_600 + rng.randrange(90 * 86_400)
        day, second = divmod(seconds - 1_735_689_600, 86_400)
        month, of_month = next((m, day - before) for m, before, after in [(1, 0, 31), (2, 31, 59), (3, 59, 90)] if before <= day < after)
        request = {key: f"{kind}-{min(int(rng.expovariate(0.05)), 2000)}", "dryRun": False}
        if number % 3 == 0:
            request |= {"clientToken": f"{rng.getrandbits(128):032x}"}
        made.append({
            "eventVersion": "1.09", "eventID": str(UUID(int=rng.getrandbits(128))), "eventName": event,
            "eventSource": f"{service}.amazonaws.com", "awsRegion": rng.choice(REGIONS), "recipientAccountId": account,
            "eventTime": f"2025-{month:02}-{of_month + 1:02}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z",
            "sourceIPAddress": f"192.0.2.{rng.randrange(256)}" if rng.random() < 0.8 else f"{service}.amazonaws.com",
            "userAgent": rng.choice(AGENTS).format(service, event),
            "userIdentity": {"type": "IAMUser", "userName": user, "arn": f"arn:aws:iam::{account}:user/{user}", "accountId": account,
                             "accessKeyId": f"AKIA{hash_of(user, account):016X}"[:20], "principalId": f"AIDA{user}"},
            "requestParameters": request, "responseElements": None, "eventType": "AwsApiCall", "eventCategory": "Management",
            "readOnly": False, "managementEvent": True,
        } | ({"errorCode": "AccessDenied", "errorMessage": f"User: {user} is not authorized to perform: {service}:{event}"} if rng.random() < 0.1 else {}))
    return made


def hash_of(*words: str) -> int:
    return random.Random("/".join(words)).getrandbits(64)


def rules() -> dict:
    """A rule for each of the calls; severities as people give them."""
    severities = ["high", "medium", "low", "very-high", "high", "extreme", "very-high", "high", "medium", "low"]
    tags = ["T1098.001", "T1098.003", "T1578.002", "T1562.007", "T1530", "T1485", "T1562.008", "T1485", "T1648", "T1078.004"]
    titles = ["Access key", "Role's policy", "Instance started", "Ports opened", "Bucket's policy", "Key to be deleted", "CloudTrail",
              "Database deleted", "Function's code", "Role assumed"]
    return {
        "channels": {"topic": {"type": "sns"}},
        "rules": [
            {"id": f"MANY-{number}", "title": titles[number] + ": {event}{? on {target}} by {actor}", "severity": severities[number],
             "description": "Nobody is expected to make this call by hand, outside of a deployment.", "tags": [f"attack.{tags[number].lower()}"],
             "respond": ["Ask {actor} over another channel whether it was them."],
             "throttle": {"window": "1h", "by": ["principal"]}, "when": {"event": f"^{event}"}}
            for number, (_, event, _, _) in enumerate(CALLS)
        ],
    }
