"""Which rights the deployer of a stack needs, from what CloudFormation documents of each type of resource in the template.

    python deploy/permissions.py --write      # renews deploy/deployer-policy.json; .venv/test/bin/python has what it needs

CloudFormation creates the resources with the deployer's own rights. The schema of a type names, for each of its handlers, the actions that it
calls (https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html, `handlers`); cfn-lint brings the schemas
along. They name what any use of the type may need, so this is more than one stack uses.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

import cfnlint

from plain import plain

POLICY = Path(__file__).parent / "deployer-policy.json"
# The handlers that a deployment, an update and a removal run. `list` is for importing resources.
HANDLERS = ["create", "read", "update", "delete"]
# What SAM itself calls: CloudFormation, and the bucket that it makes for code (`resolve_s3` in samconfig.toml), which is a stack of its own.
SAM = {
    "cloudformation": [
        "CreateChangeSet",
        "CreateStack",
        "DeleteChangeSet",
        "DeleteStack",
        "DescribeChangeSet",
        "DescribeStackEvents",
        "DescribeStacks",
        "ExecuteChangeSet",
        "GetTemplate",
        "GetTemplateSummary",
        "ListStackResources",
        "UpdateStack",
    ],
    "s3": [
        "CreateBucket",
        "DeleteObject",
        "GetBucketLocation",
        "GetBucketPolicy",
        "GetObject",
        "ListBucket",
        "PutBucketPolicy",
        "PutBucketPublicAccessBlock",
        "PutBucketTagging",
        "PutBucketVersioning",
        "PutEncryptionConfiguration",
        "PutObject",
    ],
}
# The roles that CloudFormation makes for a stack begin with the stack's name: the deployer may make no other.
ROLES = "arn:aws:iam::*:role/offlimits*"


def documented(types: set[str]) -> dict[str, list[str]]:
    """The actions of each type, from its schema."""
    found = {}
    for file in (Path(cfnlint.__file__).parent / "data/schemas/resources").glob("*.json"):
        schema = json.loads(file.read_bytes())
        if schema.get("typeName") in types:
            handlers = schema.get("handlers", {})
            found[schema["typeName"]] = [action for name in HANDLERS for action in handlers.get(name, {}).get("permissions", [])]
    if missing := types - found.keys():
        raise LookupError(f"no schema of {sorted(missing)}")
    return found


def policy() -> dict:
    """The deployer's policy: a statement for each service."""
    types = {resource["Type"] for resource in plain()["Resources"].values()}
    services: dict[str, set[str]] = defaultdict(set)
    for action in [action for actions in documented(types).values() for action in actions]:
        service, name = action.split(":")
        services[service.lower()].add(name)
    for service, names in SAM.items():
        services[service] |= set(names)
    iam = services.pop("iam") - {"PassRole"}
    for name in ["CreateServiceLinkedRole"]:  # of AWS's own roles, whose names are AWS's
        if name in iam:
            iam.remove(name)
            services["iam"].add(name)
    statements = [
        {"Sid": service.replace("-", "").capitalize(), "Effect": "Allow", "Action": [f"{service}:{n}" for n in sorted(names)], "Resource": "*"}
        for service, names in sorted(services.items())
    ]
    passing = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    statements += [
        {"Sid": "Roles", "Effect": "Allow", "Action": [f"iam:{n}" for n in sorted(iam)], "Resource": ROLES},
        {"Sid": "PassRole", "Effect": "Allow", "Action": "iam:PassRole", "Resource": ROLES, "Condition": passing},
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="renew the file; without it, the policy is printed")
    text = json.dumps(policy(), indent=2) + "\n"
    if parser.parse_args().write:
        POLICY.write_text(text)
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
