"""Writes the template as plain CloudFormation, without SAM's transform: for Terraform, for StackSets, and for whoever allows no macros.

    python deploy/plain.py offlimits.template.json      # needs aws-sam-cli: .venv/deploy/bin/python has it

Offline: nothing is uploaded. The function's code is named by two parameters more, CodeBucket and CodeKey; the bucket must be of the stack's
region. With --regional, CodeBucket is what the buckets' names begin with, and a hyphen and the region follow: for a StackSet, which gives the
same parameters to every region. The file is made for each release and is not kept in the repository: so it cannot be older than template.yaml.
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
BUCKET = "The bucket, of this region, that holds the function's zip file."
BUCKETS = "What the name of each region's bucket begins with that holds the function's zip file: a hyphen and the region follow."
KEY = "The zip file's key in that bucket."


def plain(template: Path = TEMPLATE, region: str = "us-east-1", regional: bool = False) -> dict:
    """The template as CloudFormation gets it from SAM. (The region matters to SAM's own defaults alone, of which this template has none.)"""
    source = yaml_parse(template.read_text())
    source["Resources"]["Function"]["Properties"]["CodeUri"] = "s3://bucket/key"
    made = Translator({}, Parser(), boto_session=boto3.Session(region_name=region)).translate(source, {})
    bucket = {"Fn::Sub": "${CodeBucket}-${AWS::Region}"} if regional else {"Ref": "CodeBucket"}
    made["Resources"]["Function"]["Properties"]["Code"] = {"S3Bucket": bucket, "S3Key": {"Ref": "CodeKey"}}
    made["Parameters"]["CodeBucket"] = {"Type": "String", "Description": BUCKETS if regional else BUCKET}
    made["Parameters"]["CodeKey"] = {"Type": "String", "Description": KEY}
    made.pop("Transform", None)
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--regional", action="store_true", help="the code lies in a bucket of each region")
    parser.add_argument("output", type=Path)
    options = parser.parse_args()
    text = json.dumps(plain(regional=options.regional), separators=(",", ":"))
    if len(text.encode()) > LIMIT:
        sys.exit(f"the template has {len(text.encode())} bytes, and CloudFormation takes {LIMIT}")
    options.output.write_text(text)


if __name__ == "__main__":
    main()
