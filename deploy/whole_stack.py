"""Turns template.yaml into plain CloudFormation, for a StackSet that makes a whole stack in every account and region (docs/organization.md).

    python deploy/whole_stack.py BUCKETS KEY > whole-stack.json

A service-managed StackSet takes no Transform, and Lambda takes code from a bucket of its own region alone: the code is looked for under KEY in
the bucket BUCKETS-REGION. SAM's own translator does the work, offline. BUCKETS and KEY are what `offlimits org --whole-stacks` prints.
"""

import json
import re
import sys
from pathlib import Path

import boto3
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

TEMPLATE = Path(__file__).resolve().parents[1] / "template.yaml"
# CloudFormation's limit for a template that is given as text.
LIMIT = 51_200


def plain(template: Path, buckets: str, key: str) -> str:
    """The plain template, as JSON on one line: written out nicely it would be over the limit."""
    source = yaml_parse(template.read_text())
    code = {"Bucket": {"Fn::Sub": buckets + "-${AWS::Region}"}, "Key": key}
    for resource in source["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = code
    # The region decides nothing in our template; the translator wants one.
    made = Translator({}, Parser(), boto_session=boto3.Session(region_name="us-east-1")).translate(source, {})
    # What only people read, who have template.yaml, would take it over the limit.
    made.pop("Metadata", None)
    for described in [*made["Parameters"].values(), *made.get("Outputs", {}).values()]:
        described.pop("Description", None)
    for resource in made["Resources"].values():
        resource.pop("Metadata", None)
    return json.dumps(made, separators=(",", ":"))


def main(arguments: list[str]) -> int:
    if len(arguments) != 2 or not all(re.fullmatch(r"[A-Za-z0-9._/-]+", argument) for argument in arguments):
        print(__doc__, file=sys.stderr)
        return 2
    text = plain(TEMPLATE, *arguments)
    if len(text.encode()) > LIMIT:
        print(f"the template has {len(text.encode())} bytes, and CloudFormation takes {LIMIT} as text: give it by --template-url", file=sys.stderr)
        return 1
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
