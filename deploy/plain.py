"""Writes the template as plain CloudFormation, without SAM's transform: for Terraform, for StackSets, and for whoever allows no macros.

    python deploy/plain.py offlimits.template.json      # needs aws-sam-cli: .venv/deploy/bin/python has it

Offline: nothing is uploaded. The function's code is named by two parameters more, CodeBucket and CodeKey; the bucket must be of the stack's
region. The file is made for each release and is not kept in the repository: so it cannot be older than template.yaml.
"""

import argparse
import json
import sys
from pathlib import Path

import boto3
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

TEMPLATE = Path(__file__).parents[1] / "template.yaml"
# CloudFormation's limit for a template in S3, in bytes.
LIMIT = 1_000_000
CODE = {
    "CodeBucket": {"Type": "String", "Description": "The bucket, of this region, that holds the function's zip file."},
    "CodeKey": {"Type": "String", "Description": "The zip file's key in that bucket."},
}


def plain(template: Path = TEMPLATE, region: str = "us-east-1") -> dict:
    """The template as CloudFormation gets it from SAM. (The region matters to SAM's own defaults alone, of which this template has none.)"""
    source = yaml_parse(template.read_text())
    source["Resources"]["Function"]["Properties"]["CodeUri"] = "s3://bucket/key"
    made = Translator({}, Parser(), boto_session=boto3.Session(region_name=region)).translate(source, {})
    made["Resources"]["Function"]["Properties"]["Code"] = {"S3Bucket": {"Ref": "CodeBucket"}, "S3Key": {"Ref": "CodeKey"}}
    made["Parameters"] |= CODE
    made.pop("Transform", None)
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    output = parser.parse_args().output
    text = json.dumps(plain(), separators=(",", ":"))
    if len(text.encode()) > LIMIT:
        sys.exit(f"the template has {len(text.encode())} bytes, and CloudFormation takes {LIMIT}")
    output.write_text(text)


if __name__ == "__main__":
    main()
